//! Many requests under way on one bidirectional stream, each answered in its turn.
//!
//! The bank answers in the order of the requests and keeps nothing for a stream that broke; both streams that run here
//! (deposits, enrolments) are idempotent. So a request stays here until its answer is in, and after a break whatever is
//! unanswered goes out again. The caller gets answers in the order in which it sent, whatever happened between.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument as _;

use crate::connection::{Bank, Line};
use crate::failure::{ClientError, Refused};
use crate::retry::Attempts;

/// A bidirectional method of the bank.
pub(crate) trait Exchange: Send + 'static {
    type Request: Clone + Send + Sync + 'static;
    type Answer: Send + Sync + 'static;

    fn open(
        line: Line,
        requests: Request<ReceiverStream<Self::Request>>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Answer>>, Status>> + Send;

    /// The refusal in an answer that asks to send the same request once more, such as a full queue.
    fn refused_for_now(answer: &Self::Answer) -> Option<Refused>;
}

/// An answer with its request.
pub(crate) type Exchanged<E> = (<E as Exchange>::Request, <E as Exchange>::Answer);
/// What comes back for a request; an error is the last thing that comes.
pub(crate) type Outcome<E> = Result<Exchanged<E>, ClientError>;

/// Starts a stream on which at most `window` requests are under way.
pub(crate) fn start<E: Exchange>(
    bank: Bank,
    window: usize,
) -> (mpsc::Sender<E::Request>, mpsc::Receiver<Outcome<E>>) {
    let (requests, from_caller) = mpsc::channel(1);
    let (to_caller, answers) = mpsc::channel(window);
    let driver = Driver::<E> {
        bank,
        window,
        from_caller: Some(from_caller),
        pending: VecDeque::new(),
        first: 0,
    };
    // What is sent is part of the trace in which it was begun.
    tokio::spawn(driver.run(to_caller).in_current_span());
    (requests, answers)
}

struct Driver<E: Exchange> {
    bank: Bank,
    window: usize,
    /// None once the caller has sent everything.
    from_caller: Option<mpsc::Receiver<E::Request>>,
    /// Sent and not yet delivered, in the caller's order; never more than `window`.
    pending: VecDeque<Pending<E>>,
    /// The number of the first of them, counted over the driver's life.
    first: u64,
}

struct Pending<E: Exchange> {
    request: E::Request,
    answer: Option<E::Answer>,
}

/// One stream and what was sent on it.
struct Stream<E: Exchange> {
    to_bank: mpsc::Sender<E::Request>,
    answers: Streaming<E::Answer>,
    /// The requests whose answers are still to come, in the order of sending: number and round.
    unanswered: VecDeque<(u64, u64)>,
    /// Pauses made for a busy bank. A full queue refuses a whole window at once: one pause serves for all that was sent
    /// before it.
    round: u64,
}

/// Why one stream ended.
enum End {
    /// Everything is answered, or the caller has gone.
    Done,
    Broken(Refused),
    Failed(ClientError),
}

impl<E: Exchange> Driver<E> {
    async fn run(mut self, to_caller: mpsc::Sender<Outcome<E>>) {
        let mut line = self.bank.line();
        let mut attempts = self.bank.options().retry.attempts();
        loop {
            let end = match self.open(&line).await {
                Ok(stream) => {
                    self.exchange(stream, &to_caller, &mut attempts, &mut line)
                        .await
                }
                Err(status) => End::Broken(Refused::new(status)),
            };
            let failed = match end {
                End::Done => return,
                End::Broken(refused) => attempts.after(refused, &mut line).await.err(),
                End::Failed(error) => Some(error),
            };
            if let Some(error) = failed {
                // If the caller has gone, nobody is left to tell.
                let _ = to_caller.send(Err(error)).await;
                return;
            }
        }
    }

    /// Opens a stream and sends what is unanswered.
    async fn open(&self, line: &Line) -> Result<Stream<E>, Status> {
        let (to_bank, requests) = mpsc::channel(self.window);
        let mut unanswered = VecDeque::with_capacity(self.window);
        for (number, pending) in (self.first..).zip(&self.pending) {
            if pending.answer.is_none() {
                to_bank
                    .try_send(pending.request.clone())
                    .expect("as much room as the window");
                unanswered.push_back((number, 0));
            }
        }
        let requests = Request::new(ReceiverStream::new(requests));
        let opening = E::open(line.clone(), requests);
        let opened = tokio::time::timeout(self.patience(), opening).await;
        let answers = opened
            .map_err(|_| Status::unavailable("the bank opens no stream"))??
            .into_inner();
        Ok(Stream {
            to_bank,
            answers,
            unanswered,
            round: 0,
        })
    }

    /// Sends and receives until the stream ends.
    async fn exchange(
        &mut self,
        mut stream: Stream<E>,
        to_caller: &mpsc::Sender<Outcome<E>>,
        attempts: &mut Attempts,
        line: &mut Line,
    ) -> End {
        let patience = self.patience();
        loop {
            if self.from_caller.is_none() && self.pending.is_empty() {
                return End::Done;
            }
            let room = self.pending.len() < self.window;
            tokio::select! {
                request = receive(&mut self.from_caller), if room => match request {
                    Some(request) => self.send(request, &mut stream),
                    None => self.from_caller = None,
                },
                answer = stream.answers.message(), if !stream.unanswered.is_empty() => {
                    let answer = match answer {
                        Ok(Some(answer)) => answer,
                        Ok(None) => return End::Broken(cut_off()),
                        Err(status) => return End::Broken(Refused::new(status)),
                    };
                    let (number, round) = stream.unanswered.pop_front().expect("guarded");
                    if let Some(refused) = E::refused_for_now(&answer) {
                        if round == stream.round {
                            if let Err(error) = attempts.after(refused, line).await { return End::Failed(error); }
                            stream.round += 1;
                        }
                        self.resend(number, &mut stream);
                        continue;
                    }
                    attempts.succeeded();
                    self.pending[(number - self.first) as usize].answer = Some(answer);
                    if self.deliver(to_caller).await.is_err() { return End::Done; }
                }
                () = tokio::time::sleep(patience), if !stream.unanswered.is_empty() => {
                    return End::Broken(cut_off());
                }
            }
        }
    }

    fn send(&mut self, request: E::Request, stream: &mut Stream<E>) {
        let number = self.first + self.pending.len() as u64;
        self.pending.push_back(Pending {
            request,
            answer: None,
        });
        self.resend(number, stream);
    }

    fn resend(&mut self, number: u64, stream: &mut Stream<E>) {
        let request = self.pending[(number - self.first) as usize].request.clone();
        // There is room for a window of requests; a closed channel means that the stream broke, and its answers say why.
        let _ = stream.to_bank.try_send(request);
        stream.unanswered.push_back((number, stream.round));
    }

    /// Hands over the answers that are due; fails when the caller has gone.
    async fn deliver(&mut self, to_caller: &mpsc::Sender<Outcome<E>>) -> Result<(), ()> {
        while self
            .pending
            .front()
            .is_some_and(|pending| pending.answer.is_some())
        {
            let Some(Pending {
                request,
                answer: Some(answer),
            }) = self.pending.pop_front()
            else {
                unreachable!("just looked at")
            };
            self.first += 1;
            to_caller
                .send(Ok((request, answer)))
                .await
                .map_err(|_| ())?;
        }
        Ok(())
    }

    /// How long the bank may be silent while something is unanswered.
    fn patience(&self) -> Duration {
        self.bank.options().call_timeout
    }
}

/// The caller's next request; pending for ever once it has none.
async fn receive<T>(from_caller: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match from_caller {
        Some(requests) => requests.recv().await,
        None => std::future::pending().await,
    }
}

fn cut_off() -> Refused {
    Refused::new(Status::unavailable(
        "the stream ended or fell silent before everything was answered",
    ))
}
