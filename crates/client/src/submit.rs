//! Deposits: one batch by a call of its own, or many on a stream.

use creditbank_wire::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::batch;
use crate::connection::{Bank, Line};
use crate::failure::{ClientError, Refused};
use crate::pipeline::{self, Exchange, Outcome};

/// The most batches that may be under way on one stream: a bank reads no further ahead.
pub const WINDOW_MAX: usize = 64;

/// A batch and how each of its rows was decided.
#[derive(Clone, Debug)]
pub struct Acknowledgement {
    /// What was sent.
    pub request: v1::SubmitBatchRequest,
    /// What the bank answered; not yet verified.
    pub response: v1::SubmitBatchResponse,
}

/// The bank's answer to a batch on a stream.
#[derive(Debug)]
pub enum Answer {
    /// Every row is decided.
    Acknowledged(Acknowledgement),
    /// The batch was refused whole, and no row is decided.
    Refused {
        /// What was sent.
        request: v1::SubmitBatchRequest,
        /// Why.
        refused: Box<Refused>,
    },
}

/// Deposits one batch; a broken connection or a full queue is met by sending it again.
///
/// # Errors
/// If the whole batch was refused, or the bank could not be reached.
pub async fn submit(
    bank: &Bank,
    request: v1::SubmitBatchRequest,
) -> Result<Acknowledgement, ClientError> {
    let send = |line: Line, request| async move { line.submission().submit_batch(request).await };
    let response = bank.call(request.clone(), send).await?;
    Ok(Acknowledgement { request, response })
}

/// Where one record stands.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its leaf.
    pub leaf_index: u64,
    /// Whether it was in the log already.
    pub duplicate: bool,
    /// The exchange, to verify and to keep.
    pub acknowledgement: Acknowledgement,
}

/// Signs one record with the keys of the connection and deposits it. A refused row is an error here, like a refused
/// batch.
///
/// # Errors
/// If the record was refused, or the bank could not be reached.
pub async fn submit_one(bank: &Bank, record: v1::SignedRecord) -> Result<Placed, ClientError> {
    let keys = bank.keys().ok_or(ClientError::Configuration(
        "a record is signed with the keys of a connection, and this one has none",
    ))?;
    let request = batch::sign(bank.origin(), keys, vec![record])?;
    let acknowledgement = submit(bank, request).await?;
    let response = &acknowledgement.response;
    let created = response.created.as_ref().map(|it| it.first_leaf_index);
    let duplicate = response
        .duplicates
        .first()
        .and_then(|it| it.receipt.as_ref());
    let duplicate = duplicate.map(|receipt| receipt.leaf_index);
    match (created.or(duplicate), response.refused.first()) {
        (Some(leaf_index), _) => Ok(Placed {
            leaf_index,
            duplicate: created.is_none(),
            acknowledgement,
        }),
        (None, Some(row)) => Err(ClientError::Refused(Box::new(Refused::of_row(row)))),
        (None, None) => Err(ClientError::Contract("the one row of a batch is undecided")),
    }
}

/// Opens a stream on which at most `window` batches (1 to [`WINDOW_MAX`]) are under way. The two ends belong into two
/// tasks, or a sender that waits for room keeps the answers from being read, which make the room.
///
/// A stream that breaks is opened again, and what was unanswered is sent again; the bank gives the first receipts of
/// rows that it had created already. Dropping the sender ends the stream once everything is answered; dropping the
/// answers ends it at once.
#[must_use]
pub fn open(bank: &Bank, window: usize) -> (BatchSender, Answers) {
    let (requests, answers) =
        pipeline::start::<Deposits>(bank.clone(), window.clamp(1, WINDOW_MAX));
    (BatchSender { requests, sent: 0 }, Answers(answers))
}

/// The sending end of a stream of batches.
pub struct BatchSender {
    requests: mpsc::Sender<v1::SubmitBatchRequest>,
    sent: u64,
}

impl BatchSender {
    /// Sends a batch, as soon as there is room in the window. Its `sequence` becomes its number on this stream,
    /// counted from 1.
    ///
    /// # Errors
    /// Gives the batch back if the stream has ended; the answers say why.
    pub async fn send(&mut self, mut request: v1::SubmitBatchRequest) -> Result<(), Unsent> {
        self.sent += 1;
        request.sequence = self.sent;
        self.requests
            .send(request)
            .await
            .map_err(|unsent| Unsent(Box::new(unsent.0)))
    }
}

/// A batch that was not sent because the stream has ended.
#[derive(Debug, thiserror::Error)]
#[error("the stream to the bank has ended")]
pub struct Unsent(pub Box<v1::SubmitBatchRequest>);

/// The receiving end of a stream of batches.
pub struct Answers(mpsc::Receiver<Outcome<Deposits>>);

impl Answers {
    /// The answer to the next batch, in the order of sending; `None` once everything sent is answered.
    ///
    /// # Errors
    /// If the bank cannot be reached, or its answer is not to this batch. Nothing follows.
    pub async fn next(&mut self) -> Result<Option<Answer>, ClientError> {
        let Some(exchanged) = self.0.recv().await else {
            return Ok(None);
        };
        let (request, response) = exchanged?;
        if response.sequence != request.sequence {
            self.0.close();
            return Err(ClientError::Contract(
                "an answer has the sequence of another batch",
            ));
        }
        if response.refusal.is_empty() {
            return Ok(Some(Answer::Acknowledged(Acknowledgement {
                request,
                response,
            })));
        }
        let refused = Box::new(Refused::from_bytes(&response.refusal)?);
        Ok(Some(Answer::Refused { request, refused }))
    }
}

/// `SubmissionService.SubmitStream`.
enum Deposits {}

impl Exchange for Deposits {
    type Request = v1::SubmitBatchRequest;
    type Answer = v1::SubmitBatchResponse;

    async fn open(
        line: Line,
        requests: Request<ReceiverStream<Self::Request>>,
    ) -> Result<Response<Streaming<Self::Answer>>, Status> {
        line.submission().submit_stream(requests).await
    }

    fn refused_for_now(answer: &Self::Answer) -> Option<Refused> {
        if answer.refusal.is_empty() {
            return None;
        }
        Refused::from_bytes(&answer.refusal)
            .ok()
            .filter(|refused| refused.transient)
    }
}
