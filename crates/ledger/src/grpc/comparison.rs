//! The long answer of `RuleService.CompareDecisions`: past decisions decided again by another set, told as it goes on.

use std::sync::Arc;

use creditbank_domain::recognition::Ruling;
use creditbank_domain::rules::{Compiled, RuleSet};
use creditbank_domain::{Digest32, Refusal};
use creditbank_store::Go;
use creditbank_wire::convert::recognition::{line_message, ruling_message};
use creditbank_wire::v1;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tonic::Status;

use super::recognition::granted;
use super::{failed, refuse};
use crate::bank::Bank;
use crate::recognition::{Compared, Difference, compare};

/// After so many decisions a message says how far it is.
const TOLD_EVERY: u64 = 256;
/// Most differences of one message.
const DIFFERENCES_MAX: usize = 64;
/// Messages that wait for their reader.
const MESSAGES_AHEAD: usize = 4;

/// When to ask again while another comparison is under way, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// A comparison reads everything that was ever decided: one at a time. It ends with its connection, whose age is bounded,
/// so a reader who falls asleep does not hold it for ever.
static ROOM: Semaphore = Semaphore::const_new(1);

type Answer = Result<v1::CompareDecisionsResponse, Status>;

/// Compares on a thread of its own, and tells until everything was looked at or nobody listens any more.
pub(super) fn start(
    bank: Arc<Bank>,
    set: RuleSet,
    only: Option<Digest32>,
) -> Result<Receiver<Answer>, Status> {
    let retry_ms = RETRY_MS;
    let room = ROOM.try_acquire();
    let room = room.map_err(|_| refuse(Refusal::QueueFull { retry_ms }, ""))?;
    let (answers, receiver) = channel(MESSAGES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let _room = room;
        let head = bank.head();
        let catalogue = head.registry.catalogue();
        let wanted = |hash: &Digest32| match &only {
            Some(only) => hash == only,
            None => catalogue.set(hash).is_some_and(|it| it.id == set.id),
        };
        let mut told = Told::new(&answers);
        let new = Compiled::new(set.clone());
        let compared = compare(&bank, &head, wanted, &new, |compared, difference| {
            told.next(compared, difference)
        });
        match compared {
            Ok(()) => told.finish(),
            // Nobody listens any more if this fails.
            Err(error) => drop(answers.blocking_send(Err(failed(&error)))),
        }
    });
    Ok(receiver)
}

/// What was found since the last message.
struct Told<'a> {
    answers: &'a Sender<Answer>,
    seen: u64,
    compared: Compared,
    differences: Vec<v1::DecisionDifference>,
}

impl<'a> Told<'a> {
    fn new(answers: &'a Sender<Answer>) -> Self {
        Self {
            answers,
            seen: 0,
            compared: Compared::default(),
            differences: Vec::new(),
        }
    }

    fn next(&mut self, compared: Compared, difference: Option<Difference>) -> Go {
        self.seen += 1;
        self.compared = compared;
        self.differences
            .extend(difference.as_ref().map(difference_message));
        let is_time = self.seen.is_multiple_of(TOLD_EVERY);
        match is_time || self.differences.len() == DIFFERENCES_MAX {
            true if !self.tell(false) => Go::Break(()),
            _ => Go::Continue(()),
        }
    }

    fn finish(mut self) {
        self.tell(true);
    }

    /// Whether anybody still listens. Waits for a slow reader.
    fn tell(&mut self, done: bool) -> bool {
        let message = v1::CompareDecisionsResponse {
            compared: self.compared.compared,
            different: self.compared.different,
            declined: self.compared.declined,
            gone: self.compared.gone,
            differences: std::mem::take(&mut self.differences),
            done,
        };
        self.answers.blocking_send(Ok(message)).is_ok()
    }
}

fn difference_message(it: &Difference) -> v1::DecisionDifference {
    let credits = |ruling: &Ruling| granted(&ruling.lines);
    v1::DecisionDifference {
        application: it.application.0,
        programme: it.recorded.programme.clone(),
        applied_on: it.recorded.applied_on.to_string(),
        rule_set_hash: it.rule_set.to_vec().into(),
        credits_hundredths: credits(&it.recorded),
        credits_hundredths_again: credits(&it.again),
        lost: it.lost().map(line_message).collect(),
        gained: it.gained().map(line_message).collect(),
        refused: ruling_message(&it.again, "").refused,
    }
}
