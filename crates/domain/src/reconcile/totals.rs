//! Counts and credits of one direction of a period.

use super::bytes::Writer;
use super::item::{before, is_open_at};
use super::{Item, Period};
use crate::transfer::{State, Step, Transfer};
use crate::{Credit, Refusal};

/// How many, and their source credits in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many transfers.
    pub count: u64,
    /// Their source credits, in hundredths.
    pub source: u64,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, source: Credit) -> Result<(), Refusal> {
        *self = self.plus(Self {
            count: 1,
            source: u64::from(source.hundredths()),
        })?;
        Ok(())
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Result<Self, Refusal> {
        Ok(Self {
            count: plus(self.count, other.count)?,
            source: plus(self.source, other.source)?,
        })
    }
}

/// What was settled: both banks have it, each by its own clock. Settled out at the origin is settled in at the receiver,
/// and stands here once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many, and their source credits.
    pub source: Tally,
    /// Credit granted, in hundredths.
    pub credited: u64,
    /// Credit of the source that was spent, in hundredths.
    pub spent: u64,
}

impl Settled {
    fn add(&mut self, item: &Item) -> Result<(), Refusal> {
        let Some(granted) = &item.granted else {
            return Err(Refusal::Inconsistent { with: "granted" });
        };
        self.source.add(item.source)?;
        self.credited = plus(self.credited, u64::from(granted.credited.hundredths()))?;
        self.spent = plus(self.spent, u64::from(granted.spent.hundredths()))?;
        Ok(())
    }
}

/// One direction of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Items that were open when the period began.
    pub opening: Tally,
    /// Items that were released in it.
    pub released: Tally,
    /// Items that were settled before it, and moved again: reversals.
    pub again: Tally,
    /// All of them by the state at the cut, in the order of [`State::ALL`]. Transfers that moved in the period and were not
    /// released are counted here without credits, and are no items.
    pub states: [Tally; 11],
    /// Recognitions that were settled in the period.
    pub settled: Settled,
    /// Reversals that were settled in the period.
    pub reversed: Settled,
}

impl Flow {
    /// Takes a transfer that moved in the period or was open at its start; `item` is none where it was not released.
    pub(super) fn add(
        &mut self,
        transfer: &Transfer,
        item: Option<&Item>,
        period: Period,
    ) -> Result<(), Refusal> {
        let Some(item) = item else {
            let state = transfer.state_at(period.cut_ms());
            return self.states[state_place(state)].add(Credit::ZERO);
        };
        let start = period.start_ms();
        let was_released =
            before(transfer, start).any(|taken| matches!(taken.step, Step::Released(_)));
        let opened = match (was_released, is_open_at(transfer, start)) {
            (false, _) => &mut self.released,
            (true, true) => &mut self.opening,
            (true, false) => &mut self.again,
        };
        opened.add(item.source)?;
        self.states[state_place(item.state)].add(item.source)?;
        if item.is_settled {
            self.settled.add(item)?;
        }
        if item.is_reversal_settled {
            self.reversed.add(item)?;
        }
        Ok(())
    }

    /// Those at the cut in a state.
    #[must_use]
    pub fn in_state(&self, state: State) -> Tally {
        self.states[state_place(state)]
    }

    /// Everything that was released, whenever.
    pub fn all_released(&self) -> Result<Tally, Refusal> {
        self.opening.plus(self.released)?.plus(self.again)
    }

    /// On its way, under review, or being recalled.
    pub fn pending(&self) -> Result<Tally, Refusal> {
        self.sum(&[State::Released, State::UnderReview, State::Recalling])
    }

    /// Recognised, what was reversed later included: it had been recognised.
    pub fn recognised(&self) -> Result<Tally, Refusal> {
        self.sum(&[State::Recognised, State::Reversed])
    }

    /// Declined, what the receiver did not take in included.
    pub fn declined(&self) -> Result<Tally, Refusal> {
        self.sum(&[State::Declined, State::Rejected])
    }

    /// Given back.
    pub fn recalled(&self) -> Result<Tally, Refusal> {
        self.sum(&[State::Recalled])
    }

    /// Holds the totals against each other: released = pending + recognised + declined + recalled. What was counted by how
    /// it came into the period must be what was counted by where it stands at its end.
    pub fn check(&self) -> Result<(), Refusal> {
        let states = self.pending()?.plus(self.recognised()?)?;
        let states = states.plus(self.declined()?)?.plus(self.recalled()?)?;
        match states == self.all_released()? {
            true => Ok(()),
            false => Err(Refusal::Inconsistent { with: "states" }),
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        let opened = [self.opening, self.released, self.again];
        for tally in opened.iter().chain(&self.states) {
            to.u64(tally.count).u64(tally.source);
        }
        for settled in [&self.settled, &self.reversed] {
            to.u64(settled.source.count).u64(settled.source.source);
            to.u64(settled.credited).u64(settled.spent);
        }
    }

    fn sum(&self, states: &[State]) -> Result<Tally, Refusal> {
        let mut states = states.iter().map(|state| self.in_state(*state));
        states.try_fold(Tally::default(), Tally::plus)
    }
}

const fn state_place(state: State) -> usize {
    super::item::state_number(state) as usize - 1
}

fn plus(one: u64, other: u64) -> Result<u64, Refusal> {
    one.checked_add(other).ok_or(Refusal::Overflow)
}
