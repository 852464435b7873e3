//! One transfer: the fold of the steps that both banks have taken.

use super::step::{Recognition, Release, Step};
use super::{Purpose, STEPS_MAX, Side, TransferId};
use crate::record::RecordRef;
use crate::{Credit, Refusal};

/// A step with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Place in the sequence of its taker's steps to the other bank, from 1.
    pub sequence: u64,
    /// When its taker's ledger took it; milliseconds since the epoch.
    pub at_ms: u64,
    /// What.
    pub step: Step,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// 已申请.
    Requested,
    /// 不予转移.
    Refused,
    /// 已预留.
    Reserved,
    /// 已放行: on its way.
    Released,
    /// 审核中: received, the receiver has it under review.
    UnderReview,
    /// 撤回中: recalled, and not yet given back.
    Recalling,
    /// 已拒收.
    Rejected,
    /// 已认定.
    Recognised,
    /// 不予认定.
    Declined,
    /// 已退还.
    Recalled,
    /// 已冲正.
    Reversed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::Refused,
        Self::Reserved,
        Self::Released,
        Self::UnderReview,
        Self::Recalling,
        Self::Rejected,
        Self::Recognised,
        Self::Declined,
        Self::Recalled,
        Self::Reversed,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Refused => "refused",
            Self::Reserved => "reserved",
            Self::Released => "released",
            Self::UnderReview => "under-review",
            Self::Recalling => "recalling",
            Self::Rejected => "rejected",
            Self::Recognised => "recognised",
            Self::Declined => "declined",
            Self::Recalled => "recalled",
            Self::Reversed => "reversed",
        }
    }

    /// Whether the outcome is on its way or under review.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Released | Self::UnderReview | Self::Recalling)
    }
}

/// A transfer as one bank knows it: its own steps, and those of the other that it has heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Which.
    pub id: TransferId,
    /// What this bank is in it.
    pub side: Side,
    /// All steps, in the order in which this bank learned of them.
    pub steps: Vec<Taken>,
}

impl Transfer {
    /// A transfer without steps.
    #[must_use]
    pub const fn new(id: TransferId, side: Side) -> Self {
        Self {
            id,
            side,
            steps: Vec::new(),
        }
    }

    /// Takes a step in. A step that its taker could not take, from what it has done itself and must have heard, is
    /// refused and leaves the transfer as it was.
    pub fn apply(&mut self, taken: Taken) -> Result<(), Refusal> {
        self.allow(&taken.step)?;
        self.steps.push(taken);
        Ok(())
    }

    /// Whether a step may follow.
    pub fn allow(&self, step: &Step) -> Result<(), Refusal> {
        if let Step::Recognised(it) = step
            && it.spent > self.source()
        {
            let max = i64::from(self.source().hundredths());
            return Err(Refusal::OutOfRange { min: 0, max });
        }
        let allowed = self.steps.len() < STEPS_MAX && self.follows(step);
        let state = self.state().code();
        allowed
            .then_some(())
            .ok_or(Refusal::StepNotAllowed { state })
    }

    /// Where it stands. What crossed on its way gives the same state in either order.
    #[must_use]
    pub fn state(&self) -> State {
        View::of(&self.steps, u64::MAX).state()
    }

    /// Where it stood before `cut_ms`, each step by the clock of its taker.
    #[must_use]
    pub fn state_at(&self, cut_ms: u64) -> State {
        View::of(&self.steps, cut_ms).state()
    }

    /// Whether anything was done about it before `cut_ms`.
    #[must_use]
    pub fn is_known_at(&self, cut_ms: u64) -> bool {
        self.steps.iter().any(|taken| taken.at_ms < cut_ms)
    }

    /// Whether a step was taken in `[from_ms, cut_ms)`.
    #[must_use]
    pub fn moved_in(&self, from_ms: u64, cut_ms: u64) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|taken| (from_ms..cut_ms).contains(&taken.at_ms))
    }

    /// Whether the origin has noted every answer of the receiver.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        let mut answers = self.steps.iter().rev();
        let last = answers.find(|taken| taken.step.is_answer());
        last.is_some_and(|last| self.acknowledged_at(last.sequence).is_some())
    }

    /// When an answer of the receiver became settled: both banks have it, each by its own clock. What is acknowledged
    /// together is settled together, so a recognition that was reversed before anybody noted it never stands.
    #[must_use]
    pub fn settled_at(&self, is: impl Fn(&Step) -> bool) -> Option<u64> {
        let answer = self.steps.iter().find(|taken| is(&taken.step))?;
        let (heard, noted_ms) = self.acknowledgement_of(answer.sequence)?;
        let covered = |taken: &&Taken| taken.sequence <= heard && taken.step.is_answer();
        let answers = self.steps.iter().filter(covered);
        answers.map(|taken| taken.at_ms).max().max(Some(noted_ms))
    }

    /// When the origin noted the receiver's step at `sequence`.
    fn acknowledged_at(&self, sequence: u64) -> Option<u64> {
        self.acknowledgement_of(sequence).map(|(_, at_ms)| at_ms)
    }

    /// The origin's first acknowledgement that covers the receiver's step at `sequence`: up to where, and when.
    fn acknowledgement_of(&self, sequence: u64) -> Option<(u64, u64)> {
        self.steps.iter().find_map(|taken| match taken.step {
            Step::Acknowledged { heard } if heard >= sequence => Some((heard, taken.at_ms)),
            _ => None,
        })
    }

    /// The receiver's newest answer that the origin has not noted, by its sequence.
    #[must_use]
    pub fn unacknowledged(&self) -> Option<u64> {
        let mut answers = self.steps.iter().rev();
        let last = answers.find(|taken| taken.step.is_answer())?;
        match self.acknowledged_at(last.sequence) {
            Some(_) => None,
            None => Some(last.sequence),
        }
    }

    /// Whether nothing is left to do, unless an outcome is revoked or a decision reversed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_asked = |step: &Step| matches!(step, Step::ReversalRequested(_));
        let is_to_be_reversed = self.state() == State::Recognised && self.when(is_asked).is_some();
        self.state() == State::Refused || (self.is_acknowledged() && !is_to_be_reversed)
    }

    /// Whether the outcome is bound at the origin. A recall frees it; a recognition that came late binds it again when
    /// the origin acknowledges it. What was settled stays bound until its reversal is settled too, so that no cut finds
    /// two.
    #[must_use]
    pub fn binds(&self) -> bool {
        match self.state() {
            State::Reserved | State::Released | State::UnderReview => true,
            State::Recognised => self.recalled().is_none() || self.is_acknowledged(),
            State::Reversed => !self.is_acknowledged() && self.is_recognition_acknowledged(),
            _ => false,
        }
    }

    fn is_recognition_acknowledged(&self) -> bool {
        let is = |taken: &&Taken| matches!(taken.step, Step::Recognised(_));
        let recognised = self.steps.iter().find(is);
        recognised.is_some_and(|it| self.acknowledged_at(it.sequence).is_some())
    }

    /// Whether what the receiver has of it no longer counts: it was declined, given back or reversed, or the origin has
    /// asked for its reversal.
    #[must_use]
    pub fn is_void(&self) -> bool {
        let is_asked = |step: &Step| matches!(step, Step::ReversalRequested(_));
        let ended = matches!(
            self.state(),
            State::Rejected | State::Declined | State::Recalled | State::Reversed
        );
        ended || self.when(is_asked).is_some()
    }

    /// The consent that it rests on.
    #[must_use]
    pub fn consent(&self) -> Option<RecordRef> {
        self.find(|step| match step {
            Step::Requested { consent } => Some(*consent),
            _ => None,
        })
    }

    /// The outcome, in the origin's log, and what it is for.
    #[must_use]
    pub fn reserved(&self) -> Option<(RecordRef, Purpose)> {
        self.find(|step| match step {
            Step::Reserved { outcome, purpose } => Some((*outcome, *purpose)),
            _ => None,
        })
    }

    /// What the origin gave.
    #[must_use]
    pub fn released(&self) -> Option<&Release> {
        self.steps.iter().find_map(|taken| match &taken.step {
            Step::Released(release) => Some(release),
            _ => None,
        })
    }

    /// What the receiver granted, whatever became of it.
    #[must_use]
    pub fn recognised(&self) -> Option<&Recognition> {
        self.steps.iter().find_map(|taken| match &taken.step {
            Step::Recognised(recognition) => Some(recognition),
            _ => None,
        })
    }

    /// Why the origin wanted it back, if it did before it had heard of a recognition.
    #[must_use]
    pub fn recalled(&self) -> Option<super::Reason> {
        self.find(|step| match step {
            Step::Recalled(reason) => Some(*reason),
            _ => None,
        })
    }

    /// When a side last took a step.
    #[must_use]
    pub fn last_step_of(&self, side: Side) -> Option<&Taken> {
        let mut steps = self.steps.iter().rev();
        steps.find(|taken| taken.step.taker() == side)
    }

    /// When the first step of a kind, as `is` knows it, was taken.
    #[must_use]
    pub fn when(&self, is: impl Fn(&Step) -> bool) -> Option<u64> {
        let taken = self.steps.iter().find(|taken| is(&taken.step))?;
        Some(taken.at_ms)
    }

    /// Credits that this recognition moves, as its origin counts them.
    #[must_use]
    pub fn source(&self) -> Credit {
        self.released().map_or(Credit::ZERO, |it| it.source)
    }

    fn find<T>(&self, of: impl Fn(&Step) -> Option<T>) -> Option<T> {
        self.steps.iter().find_map(|taken| of(&taken.step))
    }

    /// A step rests on what its taker has done before, and on what it must have heard of the other. The other's steps
    /// that it cannot have heard of yet stop nothing: they cross.
    fn follows(&self, step: &Step) -> bool {
        let view = View::of(&self.steps, u64::MAX);
        let own = view.last(step.taker());
        match step {
            Step::Requested { .. } => self.steps.is_empty(),
            Step::Refused(_) => view.requested && matches!(own, None | Some(Step::Reserved { .. })),
            Step::Reserved { .. } => view.requested && own.is_none(),
            Step::Released(_) => matches!(own, Some(Step::Reserved { .. })),
            Step::Received | Step::Rejected(_) => {
                view.released && matches!(own, Some(Step::Requested { .. }))
            }
            Step::Recognised(_) | Step::Declined(_) => matches!(own, Some(Step::Received)),
            Step::Returned => {
                view.recalled && matches!(own, Some(Step::Received | Step::Requested { .. }))
            }
            Step::Recalled(_) => matches!(own, Some(Step::Released(_))),
            Step::Acknowledged { heard } => {
                let mut steps = self.steps.iter();
                let answers = steps.any(|it| it.sequence == *heard && it.step.is_answer());
                answers && self.acknowledged_at(*heard).is_none()
            }
            Step::ReversalRequested(_) => {
                view.recognised && !matches!(own, Some(Step::ReversalRequested(_)))
            }
            Step::Reversed(_) => matches!(own, Some(Step::Recognised(_))),
        }
    }
}

/// The steps of both sides before a cut.
#[derive(Default)]
struct View<'a> {
    requested: bool,
    refused: bool,
    reserved: bool,
    released: bool,
    recalled: bool,
    received: bool,
    rejected: bool,
    recognised: bool,
    declined: bool,
    returned: bool,
    reversed: bool,
    origins: Option<&'a Step>,
    receivers: Option<&'a Step>,
}

impl<'a> View<'a> {
    fn of(steps: &'a [Taken], cut_ms: u64) -> Self {
        let mut view = Self::default();
        for taken in steps.iter().filter(|taken| taken.at_ms < cut_ms) {
            view.take(&taken.step);
        }
        view
    }

    fn take(&mut self, step: &'a Step) {
        match step {
            Step::Requested { .. } => self.requested = true,
            Step::Refused(_) => self.refused = true,
            Step::Reserved { .. } => self.reserved = true,
            Step::Released(_) => self.released = true,
            Step::Recalled(_) => self.recalled = true,
            Step::Received => self.received = true,
            Step::Rejected(_) => self.rejected = true,
            Step::Recognised(_) => self.recognised = true,
            Step::Declined(_) => self.declined = true,
            Step::Returned => self.returned = true,
            Step::Reversed(_) => self.reversed = true,
            Step::Acknowledged { .. } | Step::ReversalRequested(_) => {}
        }
        match step.taker() {
            Side::Origin => self.origins = Some(step),
            Side::Receiver => self.receivers = Some(step),
        }
    }

    const fn last(&self, side: Side) -> Option<&'a Step> {
        match side {
            Side::Origin => self.origins,
            Side::Receiver => self.receivers,
        }
    }

    /// A step of the receiver may lie before a cut by its clock, and what it rests on behind it by the origin's: then
    /// nothing is released yet, for both.
    const fn state(&self) -> State {
        match self {
            Self { refused: true, .. } => State::Refused,
            Self {
                released: false,
                reserved: true,
                ..
            } => State::Reserved,
            Self {
                released: false, ..
            } => State::Requested,
            Self { reversed: true, .. } => State::Reversed,
            Self {
                recognised: true, ..
            } => State::Recognised,
            Self { declined: true, .. } => State::Declined,
            Self { rejected: true, .. } => State::Rejected,
            Self { returned: true, .. } => State::Recalled,
            Self { recalled: true, .. } => State::Recalling,
            Self { received: true, .. } => State::UnderReview,
            _ => State::Released,
        }
    }
}
