//! One transfer in a period's statement, as both banks write it.

use super::bytes::Writer;
use super::{Direction, Pair, Period};
use crate::transfer::{Purpose, Reason, Side, State, Step, Taken, Transfer, TransferId};
use crate::{Category, Credit, Digest32};

/// Version of [`Item::to_bytes`].
const FORMAT: u8 = 1;

/// A transfer that was released, as it stood at the cut of a period: the fields of `domain-facts.md` §7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which transfer.
    pub id: TransferId,
    /// Which of the pair is its origin.
    pub direction: Direction,
    /// Commitment of the outcome's record, which is all that the log says of the outcome.
    pub commitment: Digest32,
    /// The outcome's category.
    pub category: Category,
    /// What it is for.
    pub purpose: Purpose,
    /// Its credits, as the origin counts them.
    pub source: Credit,
    /// The agreement between the two regions.
    pub agreement: String,
    /// The agreement's version that it was released under.
    pub agreement_version: String,
    /// When the origin reserved it.
    pub reserved_at_ms: u64,
    /// When the origin released it.
    pub released_at_ms: u64,
    /// What the receiver granted, whatever became of it.
    pub granted: Option<Granted>,
    /// Where it stood.
    pub state: State,
    /// The last reason that a step of the receiver gave.
    pub reason: Option<Reason>,
    /// Why the origin wanted it back, if it did.
    pub recalled: Option<Reason>,
    /// Why the origin wants the recognition reversed, if it asked.
    pub reversal_asked: Option<Reason>,
    /// Whether a recognition was settled in this period: both banks have it, each by its own clock.
    pub is_settled: bool,
    /// Whether the reversal of one was.
    pub is_reversal_settled: bool,
    /// The last steps of origin and receiver, by their sequences; 0 where there is none.
    pub last: [u64; 2],
}

/// What the receiver granted, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The rule, by id.
    pub rule: String,
    /// The rule set, whose hash stands for the rule's version and every word of it.
    pub rule_set: Digest32,
    /// The agreement's version that the rule was held against.
    pub agreement_version: String,
    /// Credit granted.
    pub credited: Credit,
    /// Credit of the source that it spends.
    pub spent: Credit,
    /// When it was decided, by the receiver's ledger.
    pub decided_at_ms: u64,
}

impl Item {
    /// The item of a transfer in a period, at the bank that is at `place` in the pair. There is one if a step was taken in
    /// the period, or the transfer was still open when it began; none if nothing was released before the cut.
    #[must_use]
    pub fn of(transfer: &Transfer, place: usize, period: Period) -> Option<Self> {
        let (start, cut) = (period.start_ms(), period.cut_ms());
        let belongs = transfer.moved_in(start, cut) || is_open_at(transfer, start);
        belongs
            .then(|| Self::as_of(transfer, place, period))
            .flatten()
    }

    /// The same, whether the transfer belongs to the period or not: for an older difference that is looked at again.
    #[must_use]
    pub fn as_of(transfer: &Transfer, place: usize, period: Period) -> Option<Self> {
        let cut = period.cut_ms();
        let mut seen = Seen::default();
        before(transfer, cut).for_each(|taken| seen.take(taken));
        let (reserved_at_ms, purpose) = seen.reserved?;
        let (released_at_ms, release) = seen.released?;
        let settled = |is: fn(&Step) -> bool| {
            let at_ms = transfer.settled_at(is);
            at_ms.is_some_and(|at_ms| period.contains(at_ms))
        };
        Some(Self {
            id: transfer.id,
            direction: Pair::direction(place, transfer.side),
            commitment: release.commitment,
            category: release.category,
            purpose,
            source: release.source,
            agreement: release.agreement.clone(),
            agreement_version: release.agreement_version.clone(),
            reserved_at_ms,
            released_at_ms,
            granted: seen.granted,
            state: transfer.state_at(cut),
            reason: seen.reason,
            recalled: seen.recalled,
            reversal_asked: seen.reversal_asked,
            is_settled: settled(|step| matches!(step, Step::Recognised(_))),
            is_reversal_settled: settled(|step| matches!(step, Step::Reversed(_))),
            last: seen.last,
        })
    }

    /// What is left of the source, for other uses.
    #[must_use]
    pub fn remainder(&self) -> Credit {
        let spent = self.granted.as_ref().map_or(Credit::ZERO, |it| it.spent);
        self.source.checked_sub(spent).unwrap_or(Credit::ZERO)
    }

    /// Canonical bytes, hashed as a leaf of the statement's tree. They never change: another form has another first byte.
    ///
    /// ```text
    /// u8  1
    /// 16  transfer id
    /// u8  direction                1 the pair's first bank is the origin, 2 its second
    /// 32  commitment
    /// u8  category, u8 purpose
    /// u32 source, in hundredths
    /// t   agreement, t its version                       t: u16 length, UTF-8
    /// u64 reserved at, u64 released at                   ms since 1970
    /// u8  1 if granted, then
    ///     t rule, 32 rule set, t agreement version, u32 credited, u32 spent, u64 decided at
    ///     else 0
    /// u8  state, u8 reason, u8 recalled, u8 reversal asked        0 none
    /// u8  settled (bit 0), reversal settled (bit 1)
    /// u64 last step of the origin, u64 of the receiver   0 none
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(FORMAT);
        to.raw(&self.id.0).u8(self.direction as u8);
        to.raw(&self.commitment);
        let category = u8::try_from(self.category.number()).expect("there are few categories");
        to.u8(category).u8(self.purpose as u8);
        to.u32(self.source.hundredths());
        to.text(&self.agreement).text(&self.agreement_version);
        to.u64(self.reserved_at_ms).u64(self.released_at_ms);
        match &self.granted {
            Some(granted) => granted.write(to.u8(1)),
            None => {
                to.u8(0);
            }
        }
        let number = |reason: Option<Reason>| reason.map_or(0, |reason| reason as u8);
        to.u8(state_number(self.state)).u8(number(self.reason));
        to.u8(number(self.recalled)).u8(number(self.reversal_asked));
        to.u8(u8::from(self.is_settled) | u8::from(self.is_reversal_settled) << 1);
        to.u64(self.last[0]).u64(self.last[1]);
        to.finish()
    }
}

impl Granted {
    fn write(&self, to: &mut Writer) {
        to.text(&self.rule).raw(&self.rule_set);
        to.text(&self.agreement_version);
        to.u32(self.credited.hundredths())
            .u32(self.spent.hundredths());
        to.u64(self.decided_at_ms);
    }
}

/// The number of a state in the format.
#[must_use]
pub(super) const fn state_number(state: State) -> u8 {
    match state {
        State::Requested => 1,
        State::Refused => 2,
        State::Reserved => 3,
        State::Released => 4,
        State::UnderReview => 5,
        State::Recalling => 6,
        State::Rejected => 7,
        State::Recognised => 8,
        State::Declined => 9,
        State::Recalled => 10,
        State::Reversed => 11,
    }
}

/// Statements and items number the states alike.
const _: () = {
    let mut place = 0;
    while place < State::ALL.len() {
        assert!(state_number(State::ALL[place]) as usize == place + 1);
        place += 1;
    }
};

/// Steps before a cut, each by the clock of its taker.
pub(super) fn before(transfer: &Transfer, cut_ms: u64) -> impl DoubleEndedIterator<Item = &Taken> {
    let steps = transfer.steps.iter();
    steps.filter(move |taken| taken.at_ms < cut_ms)
}

/// Whether a transfer that was released was still on its way, or answered and not acknowledged.
pub(super) fn is_open_at(transfer: &Transfer, at_ms: u64) -> bool {
    let is_released = before(transfer, at_ms).any(|it| matches!(it.step, Step::Released(_)));
    if !is_released {
        return false;
    }
    let mut answers = before(transfer, at_ms).rev();
    let Some(last) = answers.find(|taken| taken.step.is_answer()) else {
        return true;
    };
    let acknowledges = |taken: &Taken| matches!(taken.step, Step::Acknowledged { heard } if heard >= last.sequence);
    !before(transfer, at_ms).any(acknowledges)
}

/// What the steps before the cut say. The two banks may have learned of them in another order, so nothing here depends on
/// the order between the sides.
#[derive(Default)]
struct Seen<'a> {
    reserved: Option<(u64, Purpose)>,
    released: Option<(u64, &'a crate::transfer::Release)>,
    granted: Option<Granted>,
    reason: Option<Reason>,
    recalled: Option<Reason>,
    reversal_asked: Option<Reason>,
    last: [u64; 2],
}

impl<'a> Seen<'a> {
    fn take(&mut self, taken: &'a Taken) {
        let side = taken.step.taker();
        let last = &mut self.last[side as usize - 1];
        *last = (*last).max(taken.sequence);
        match &taken.step {
            Step::Reserved { purpose, .. } => self.reserved = Some((taken.at_ms, *purpose)),
            Step::Released(release) => self.released = Some((taken.at_ms, release)),
            Step::Recognised(it) => {
                self.granted = Some(Granted {
                    rule: it.rule.clone(),
                    rule_set: it.rule_set,
                    agreement_version: it.agreement_version.clone(),
                    credited: it.credited,
                    spent: it.spent,
                    decided_at_ms: it.decided_at_ms,
                });
            }
            Step::Recalled(reason) => self.recalled = Some(*reason),
            Step::ReversalRequested(reason) => self.reversal_asked = Some(*reason),
            step if side == Side::Receiver => self.reason = step.reason().or(self.reason),
            _ => {}
        }
    }
}
