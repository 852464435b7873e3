//! The queue in front of the sequencer: bounded in bytes, so that memory is bounded whatever the callers do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use creditbank_client::trace::TARGET;
use creditbank_domain::{Fault, LeafIndex, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::{Span, trace_span};

use crate::admission::Admitted;
use crate::head::Head;
use crate::measure::begin;

/// Most bytes of admitted batches that wait for the sequencer.
pub const QUEUE_BYTES_MAX: u32 = 64 << 20;
/// Most batches that wait for the sequencer.
pub const QUEUE_BATCHES_MAX: usize = 16_384;
/// When a refused caller should try again.
const RETRY_MS: u64 = 200;
/// How long a stream, which slows its sender by waiting, may wait for room.
const STREAM_WAIT: Duration = Duration::from_secs(10);

/// An admitted batch on its way.
pub(crate) struct Job {
    pub(crate) admitted: Admitted,
    pub(crate) reply: oneshot::Sender<Result<Decided, Fault>>,
    /// Room in the queue; given back when the job is done.
    pub(crate) _room: OwnedSemaphorePermit,
    /// When it was admitted.
    pub(crate) since: Instant,
    /// The part of a trace that it is in, and that of its wait.
    pub(crate) spans: [Span; 2],
}

/// What the sequencer receives.
#[expect(clippy::large_enum_variant, reason = "nearly all messages are jobs")]
pub(crate) enum Message {
    Job(Job),
    /// Whoever asks wants to know that everything before this is worked off.
    Ask(oneshot::Sender<()>),
    /// Everything before this is worked off, nothing after it.
    Stop,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Decided {
    /// A head that covers everything in `rows`.
    pub head: Arc<Head>,
    /// Milliseconds since the epoch, for the created rows.
    pub deposited_at_ms: u64,
    /// One decision a row.
    pub rows: Vec<Decision>,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is this leaf now.
    Created(LeafIndex),
    /// It was this leaf already, byte for byte.
    Duplicate(LeafIndex),
    /// It left no trace.
    Refused(Vec<Fault>),
}

/// The callers' end of the queue.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    jobs: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
}

impl Queue {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Message>) {
        let (jobs, receiver) = mpsc::channel(QUEUE_BATCHES_MAX);
        (
            Self {
                jobs,
                room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize)),
            },
            receiver,
        )
    }

    /// Takes room for `bytes` at once, or says when to try again.
    pub(crate) fn room_now(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let room = Arc::clone(&self.room).try_acquire_many_owned(permits(bytes));
        room.map_err(|_| Refusal::QueueFull { retry_ms: RETRY_MS })
    }

    /// Waits for room, within a bound.
    pub(crate) async fn room_soon(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let room = Arc::clone(&self.room).acquire_many_owned(permits(bytes));
        match tokio::time::timeout(STREAM_WAIT, room).await {
            Ok(Ok(room)) => Ok(room),
            _ => Err(Refusal::QueueFull { retry_ms: RETRY_MS }),
        }
    }

    /// Hands a batch to the sequencer; the receiver gets its decisions.
    pub(crate) fn send(
        &self,
        admitted: Admitted,
        room: OwnedSemaphorePermit,
    ) -> Result<oneshot::Receiver<Result<Decided, Fault>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            admitted,
            reply,
            _room: room,
            since: begin(),
            spans: [Span::current(), trace_span!(target: TARGET, "queue")],
        };
        self.jobs
            .try_send(Message::Job(job))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => Refusal::QueueFull { retry_ms: RETRY_MS },
                mpsc::error::TrySendError::Closed(_) => Refusal::ShuttingDown,
            })?;
        Ok(answer)
    }
}

impl Queue {
    /// Bytes of batches that have no answer yet, and batches that wait.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let bytes = (QUEUE_BYTES_MAX as usize).saturating_sub(self.room.available_permits());
        let batches = self
            .jobs
            .max_capacity()
            .saturating_sub(self.jobs.capacity());
        (bytes, batches)
    }

    /// Waits until the sequencer has come so far; `false` if it has ended.
    pub(crate) async fn is_worked_off(&self) -> bool {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Message::Ask(reply)).await.is_ok() && answer.await.is_ok()
    }

    /// Tells the sequencer to end; whoever comes later is told that the bank is stopping.
    pub(crate) async fn stop(&self) {
        // An error means that it has ended already.
        drop(self.jobs.send(Message::Stop).await);
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes)
        .unwrap_or(QUEUE_BYTES_MAX)
        .clamp(1, QUEUE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_asks_is_answered_by_the_sequencer_and_by_nobody_after_its_end() {
        let (queue, mut jobs) = Queue::new();
        let asked = queue.clone();
        let asked = tokio::spawn(async move { asked.is_worked_off().await });
        let Some(Message::Ask(reply)) = jobs.recv().await else {
            panic!("nobody has asked");
        };
        assert!(!asked.is_finished(), "nobody has answered");
        reply.send(()).expect("it waits");
        assert!(asked.await.expect("it does not panic"));
        drop(jobs);
        assert!(!queue.is_worked_off().await);
    }
}
