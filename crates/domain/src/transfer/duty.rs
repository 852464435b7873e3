//! What a bank has to do next about a transfer: a pure function of the transfer, of what else the bank knows, and of the
//! time.

use super::life::{State, Transfer};
use super::step::{Reason, Recognition, Release, Step};
use super::{Purpose, Side};
use crate::record::RecordRef;

/// How long the two sides wait (`domain-facts.md` §7), in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// From the reservation: a receiver that has not cosigned until then gets nothing.
    pub release_ms: u64,
    /// From the release: what is undecided then is taken back.
    pub decide_ms: u64,
}

/// A day.
const DAY_MS: u64 = 86_400_000;

impl Default for Terms {
    fn default() -> Self {
        Self {
            release_ms: 7 * DAY_MS,
            decide_ms: 30 * DAY_MS,
        }
    }
}

/// What the origin knows, beside the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtOrigin {
    /// What the learner has consented to, if it is in force and for this receiver.
    pub consent: Result<Consented, Reason>,
    /// What would be released; why it may not be.
    pub outcome: Result<Release, Reason>,
    /// Whether another transfer binds the outcome for the purpose, or the origin has spent it.
    pub free: Result<(), Reason>,
    /// Whether the receiver has cosigned a checkpoint that covers the outcome.
    pub is_cosigned: bool,
    /// Whether the learner asks for it back.
    pub is_wanted_back: bool,
}

/// What the learner has consented to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consented {
    /// The outcome.
    pub outcome: RecordRef,
    /// What for.
    pub purpose: Purpose,
}

/// What the receiver knows, beside the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtReceiver {
    /// What it found in the package; none where it has not looked yet.
    pub package: Option<Result<(), Reason>>,
    /// What was decided about the outcome.
    pub decision: Decided,
}

/// What the receiver has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Nothing yet.
    Not,
    /// Credit was granted, and the decision stands.
    Granted(Recognition),
    /// Nothing was granted.
    Nothing(Reason),
    /// What was granted is reversed.
    Reversed(Reason),
}

/// Whether a transfer waits for the other bank, for people, or for a time that has not come: as long as nothing else has
/// changed, there is no step to take.
#[must_use]
pub fn waits(transfer: &Transfer, terms: &Terms, now_ms: u64) -> bool {
    let released = || transfer.when(|step| matches!(step, Step::Released(_)));
    match (transfer.side, transfer.state()) {
        (Side::Origin, State::Released | State::UnderReview) => {
            let until = released().map(|at| at.saturating_add(terms.decide_ms));
            until.is_some_and(|until| now_ms < until)
        }
        (Side::Origin, State::Recalling) => true,
        (Side::Receiver, State::Requested | State::Reserved | State::UnderReview) => true,
        _ => false,
    }
}

/// The origin's next step; none while there is nothing to do or something to wait for.
#[must_use]
pub fn of_origin(
    transfer: &Transfer,
    known: &AtOrigin,
    terms: &Terms,
    now_ms: u64,
) -> Option<Step> {
    let since = |is: fn(&Step) -> bool| transfer.when(is).unwrap_or(now_ms);
    match transfer.state() {
        State::Requested => Some(match (&known.consent, &known.outcome, &known.free) {
            (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => Step::Refused(*reason),
            (Ok(consented), Ok(_), Ok(())) => Step::Reserved {
                outcome: consented.outcome,
                purpose: consented.purpose,
            },
        }),
        State::Reserved => match (&known.consent, &known.outcome) {
            (Err(reason), _) | (_, Err(reason)) => Some(Step::Refused(*reason)),
            (Ok(_), Ok(release)) if known.is_cosigned => Some(Step::Released(release.clone())),
            _ => {
                let reserved = since(|step| matches!(step, Step::Reserved { .. }));
                let is_over = now_ms >= reserved.saturating_add(terms.release_ms);
                is_over.then_some(Step::Refused(Reason::NotCosigned))
            }
        },
        State::Released | State::UnderReview => {
            let released = since(|step| matches!(step, Step::Released(_)));
            let is_over = now_ms >= released.saturating_add(terms.decide_ms);
            match &known.outcome {
                Err(reason) => Some(Step::Recalled(*reason)),
                Ok(_) if known.is_wanted_back => Some(Step::Recalled(Reason::LearnersWish)),
                Ok(_) if is_over => Some(Step::Recalled(Reason::Undecided)),
                Ok(_) => None,
            }
        }
        State::Recognised => of_recognised(transfer, known),
        State::Rejected | State::Declined | State::Recalled | State::Reversed => {
            acknowledge(transfer)
        }
        State::Recalling | State::Refused => None,
    }
}

/// The origin's answer to a recognition. One that came after a recall holds only where nothing but time had run out and
/// the outcome is still free; else it is to be reversed. What is revoked later is to be reversed too, but nothing is
/// undone because a learner left.
fn of_recognised(transfer: &Transfer, known: &AtOrigin) -> Option<Step> {
    let ask = |reason| {
        let is_asked = transfer.when(is_request).is_some();
        (!is_asked).then_some(Step::ReversalRequested(reason))
    };
    let holds = match transfer.recalled() {
        None | Some(Reason::LearnerErased) => true,
        Some(Reason::Undecided) => known.free.is_ok() && known.outcome.is_ok(),
        Some(_) => false,
    };
    match (transfer.unacknowledged(), &known.outcome) {
        (Some(_), _) if !holds => ask(Reason::RecognisedLate),
        (Some(heard), _) if transfer.when(is_request).is_none() => {
            Some(Step::Acknowledged { heard })
        }
        (_, Err(Reason::OutcomeNotInForce)) => ask(Reason::OutcomeNotInForce),
        _ => None,
    }
}

const fn is_request(step: &Step) -> bool {
    matches!(step, Step::ReversalRequested(_))
}

fn acknowledge(transfer: &Transfer) -> Option<Step> {
    let heard = transfer.unacknowledged()?;
    Some(Step::Acknowledged { heard })
}

/// The receiver's next step; none while there is nothing to do or something to wait for.
#[must_use]
pub fn of_receiver(transfer: &Transfer, known: &AtReceiver) -> Option<Step> {
    let own = transfer.last_step_of(Side::Receiver)?;
    match (&own.step, transfer.state(), &known.decision) {
        (Step::Requested { .. }, State::Recalling, _) => Some(Step::Returned),
        (Step::Requested { .. }, State::Released, _) => match known.package? {
            Ok(()) => Some(Step::Received),
            Err(reason) => Some(Step::Rejected(reason)),
        },
        (Step::Received, _, Decided::Granted(recognition)) => {
            Some(Step::Recognised(recognition.clone()))
        }
        (Step::Received, State::Recalling, _) => Some(Step::Returned),
        (Step::Received, _, Decided::Nothing(reason)) => Some(Step::Declined(*reason)),
        // Granted and reversed before it was said: nothing was ever recognised.
        (Step::Received, _, Decided::Reversed(reason)) => Some(Step::Declined(*reason)),
        (Step::Recognised(_), _, Decided::Reversed(reason)) => Some(Step::Reversed(*reason)),
        _ => None,
    }
}
