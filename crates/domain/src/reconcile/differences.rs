//! Differences over the periods: opened by one, cleared by a late match in a later one.

use std::collections::BTreeMap;

use super::{Difference, Period};
use crate::transfer::TransferId;

/// A difference that is not cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenDifference {
    /// The period that found it first.
    pub since: Period,
    /// What it is, as it was found last.
    pub difference: Difference,
}

/// What the closing of a period did to the differences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// Found for the first time.
    pub opened: Vec<OpenDifference>,
    /// Open before, and still.
    pub still_open: Vec<OpenDifference>,
    /// Open before, and matched by now.
    pub cleared: Vec<OpenDifference>,
}

impl Closing {
    /// How many are open after it.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.opened.len() + self.still_open.len()
    }

    /// Hundredths in suspense after it.
    #[must_use]
    pub fn suspense(&self) -> u64 {
        let open = self.opened.iter().chain(&self.still_open);
        let each = open.map(|it| u64::from(it.difference.suspense().hundredths()));
        each.fold(0, u64::saturating_add)
    }
}

/// All open differences of a pair of banks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(BTreeMap<TransferId, OpenDifference>);

impl Differences {
    /// Those that a report has kept.
    #[must_use]
    pub fn of(open: impl IntoIterator<Item = OpenDifference>) -> Self {
        let keyed = open.into_iter().map(|it| (it.difference.id, it));
        Self(keyed.collect())
    }

    /// Those that are open, in the order of transfer ids.
    pub fn open(&self) -> impl Iterator<Item = &OpenDifference> {
        self.0.values()
    }

    /// Closes a period with what was found in it. What was open before and was not found is looked at `again`, as both
    /// banks have it now: only what matches is cleared.
    pub fn close(
        &mut self,
        period: Period,
        found: &[Difference],
        again: impl Fn(&OpenDifference) -> Option<Difference>,
    ) -> Closing {
        let mut closing = Closing::default();
        let mut found: BTreeMap<_, _> = found.iter().map(|it| (it.id, *it)).collect();
        for earlier in std::mem::take(&mut self.0).into_values() {
            let again = || again(&earlier);
            match found.remove(&earlier.difference.id).or_else(again) {
                Some(difference) => closing.still_open.push(OpenDifference {
                    difference,
                    ..earlier
                }),
                None => closing.cleared.push(earlier),
            }
        }
        let open = |difference| OpenDifference {
            since: period,
            difference,
        };
        closing.opened = found.into_values().map(open).collect();
        *self = Self::of(closing.opened.iter().chain(&closing.still_open).copied());
        closing
    }
}
