//! From identities to learner codes, in bulk.
//!
//! Nothing is remembered here: a file that names one learner many times is served best by a bounded cache of the
//! caller, in front of this stream.

use creditbank_wire::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::connection::{Bank, Line};
use crate::failure::{ClientError, Refused};
use crate::pipeline::{self, Exchange, Outcome};

/// Most identities in one chunk.
pub const CHUNK_ROWS_MAX: usize = 1000;
/// The most chunks that may be under way on one stream: a bank reads no further ahead.
pub const WINDOW_MAX: usize = 16;

/// Opens an archive for one identity, or finds the one it has.
///
/// # Errors
/// If the identity was refused, or the bank could not be reached.
pub async fn enrol(
    bank: &Bank,
    request: v1::EnrolLearnerRequest,
) -> Result<v1::ResolvedLearner, ClientError> {
    let send = |line: Line, request| async move { line.learner().enrol_learner(request).await };
    bank.call(request, send).await
}

/// Opens a stream on which at most `window` chunks (1 to [`WINDOW_MAX`]) of identities are under way; `enrol_missing`
/// opens archives for those that the bank does not know. As with deposits, the two ends belong into two tasks, and a
/// stream that breaks is opened again.
#[must_use]
pub fn open(bank: &Bank, enrol_missing: bool, window: usize) -> (IdentitySender, Resolutions) {
    let (requests, answers) =
        pipeline::start::<Enrolments>(bank.clone(), window.clamp(1, WINDOW_MAX));
    (
        IdentitySender {
            requests,
            enrol_missing,
        },
        Resolutions(answers),
    )
}

/// Resolves all identities, in order, and gives one result an identity. For lists that fit into memory.
///
/// # Errors
/// If the bank could not be reached. An identity that was refused is a result like any other.
pub async fn resolve(
    bank: &Bank,
    identities: Vec<v1::EnrolLearnerRequest>,
    enrol_missing: bool,
) -> Result<Vec<v1::ResolveResult>, ClientError> {
    let mut all = Vec::with_capacity(identities.len());
    let (mut sender, mut resolutions) = open(bank, enrol_missing, WINDOW_MAX);
    let sending = async move {
        let mut identities = identities.into_iter().peekable();
        while identities.peek().is_some() {
            let chunk = identities.by_ref().take(CHUNK_ROWS_MAX).collect();
            if sender.send(chunk).await.is_err() {
                return; // the answers say why
            }
        }
    };
    let receiving = async {
        while let Some(resolved) = resolutions.next().await? {
            all.extend(resolved.results);
        }
        Ok::<_, ClientError>(())
    };
    tokio::join!(sending, receiving).1?;
    Ok(all)
}

/// The sending end of a stream of identities.
pub struct IdentitySender {
    requests: mpsc::Sender<v1::ResolveLearnersRequest>,
    enrol_missing: bool,
}

impl IdentitySender {
    /// Sends a chunk of 1 to [`CHUNK_ROWS_MAX`] identities, as soon as there is room in the window.
    ///
    /// # Errors
    /// Gives the chunk back if the stream has ended; the resolutions say why.
    pub async fn send(
        &mut self,
        rows: Vec<v1::EnrolLearnerRequest>,
    ) -> Result<(), Vec<v1::EnrolLearnerRequest>> {
        let request = v1::ResolveLearnersRequest {
            rows,
            enrol_missing: self.enrol_missing,
        };
        self.requests
            .send(request)
            .await
            .map_err(|unsent| unsent.0.rows)
    }
}

/// A chunk and the result of each of its rows: as many results as rows.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What was sent.
    pub rows: Vec<v1::EnrolLearnerRequest>,
    /// One result a row, in order.
    pub results: Vec<v1::ResolveResult>,
}

/// The receiving end of a stream of identities.
pub struct Resolutions(mpsc::Receiver<Outcome<Enrolments>>);

impl Resolutions {
    /// The results of the next chunk, in the order of sending; `None` once everything sent is answered.
    ///
    /// # Errors
    /// If the bank cannot be reached, or its answer is not to this chunk. Nothing follows.
    pub async fn next(&mut self) -> Result<Option<Resolved>, ClientError> {
        let Some(exchanged) = self.0.recv().await else {
            return Ok(None);
        };
        let (request, response) = exchanged?;
        if response.results.len() != request.rows.len() {
            self.0.close();
            return Err(ClientError::Contract(
                "a chunk has other than one result a row",
            ));
        }
        Ok(Some(Resolved {
            rows: request.rows,
            results: response.results,
        }))
    }
}

/// `LearnerService.ResolveLearners`.
enum Enrolments {}

impl Exchange for Enrolments {
    type Request = v1::ResolveLearnersRequest;
    type Answer = v1::ResolveLearnersResponse;

    async fn open(
        line: Line,
        requests: Request<ReceiverStream<Self::Request>>,
    ) -> Result<Response<Streaming<Self::Answer>>, Status> {
        line.learner().resolve_learners(requests).await
    }

    fn refused_for_now(_: &Self::Answer) -> Option<Refused> {
        None
    }
}
