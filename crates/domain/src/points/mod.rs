//! Points (激励积分): a double-entry ledger beside credits, never mixed with them.
//!
//! An [`Entry`] moves points from one [`Account`] to another, so the sum over all accounts is zero whatever happens. A
//! [`Purse`] is the fold of a learner's entries and of nothing else: each entry carries its own day, and the purse says
//! which entries can follow. [`earn`] makes the entries that outcomes are worth under the earning rules of a set.
//!
//! Points are used up in the order in which they expire, then in that in which they were earned. A revoked outcome takes
//! its points back, and the balance may fall below zero: until that is cleared, nothing can be redeemed, and whatever
//! comes in clears it first.

mod earn;
mod entry;
mod purse;

pub use self::earn::{Earned, WALK_GAP_MINUTES, Why, Withheld, earn};
pub use self::entry::{Account, ENTRIES_MAX, Entry, Posting, Reason, RedemptionId};
pub use self::purse::{Purse, Redemption, RedemptionState};
use crate::Hours;
use crate::rules::{Period, Place, Selector, Wording};

/// How a behaviour earns points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarningRule {
    /// Its id in the set.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// The clause it carries out.
    pub clause: String,
    /// Days of completion it is for.
    pub effective: Period,
    /// Which outcomes.
    pub selector: Selector,
    /// How much.
    pub earns: Earns,
    /// Most points under this rule on one day.
    pub day_max: Option<u32>,
    /// Whole months after which a lot expires; none never.
    pub expires_months: Option<u16>,
    /// Where it stands.
    pub place: Place,
}

/// How much one outcome earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earns {
    /// So many points for each full `hours`.
    PerHours {
        /// Never zero.
        hours: Hours,
        /// Points.
        points: u32,
    },
    /// So many for each session attended.
    PerAttendance(u32),
    /// So many for the outcome.
    PerOutcome(u32),
}

/// An honour (荣誉) or level that a learner holds from a number of points on, counted over everything ever earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Honour {
    /// Its id in the set.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// Points from which on it is held; what was spent or has expired counts, what was clawed back does not.
    pub min_points: u32,
    /// The clause it carries out.
    pub clause: String,
    /// Where it stands.
    pub place: Place,
}

impl Honour {
    /// The highest of `honours`, in any order, that so many points ever earned reach; of equal ones the first.
    #[must_use]
    pub fn reached(honours: &[Self], points: u64) -> Option<&Self> {
        let held = honours
            .iter()
            .filter(|it| u64::from(it.min_points) <= points);
        held.reduce(|best, it| {
            if it.min_points > best.min_points {
                it
            } else {
                best
            }
        })
    }

    /// The lowest of `honours` that is still ahead.
    #[must_use]
    pub fn next(honours: &[Self], points: u64) -> Option<&Self> {
        let ahead = honours
            .iter()
            .filter(|it| u64::from(it.min_points) > points);
        ahead.min_by_key(|it| it.min_points)
    }
}
