//! Reconciliation (对账): how two banks close a month of transfers to the last hundredth.
//!
//! Both compute the month's [`PeriodStatement`] alone, from the steps that they have taken and heard, each step at the
//! time of its taker's ledger. A statement is written the same by both: origins sorted, amounts by direction, items in
//! the order of their ids. So equal statements have equal hashes, and that is all that two banks need to exchange.
//!
//! Where the hashes differ, [`Comparison`] finds the differing [`Item`]s, [`classify`] says what each difference is, what
//! it holds in suspense and who has to act, and [`Differences`] keeps it until a later period matches. A period that is
//! closed never changes ([`Periods`]).
//!
//! Nothing here has effects, and no tolerance is anywhere.

mod bytes;
mod class;
mod compare;
mod differences;
mod item;
mod pair;
mod period;
mod periods;
mod statement;
mod totals;

pub use self::class::{
    Action, Actor, Class, Difference, Facts, Rival, SUSPENSE_AFTER_MS, Stage, classify,
};
pub use self::compare::{Ask, Comparison, DIFFERENCES_MAX, Differing, LIST_MAX, RANGES_MAX};
pub use self::compare::{Leaf, Prefix, Ranges, Summary};
pub use self::differences::{Closing, Differences, OpenDifference};
pub use self::item::{Granted, Item};
pub use self::pair::{Direction, Pair};
pub use self::period::Period;
pub use self::periods::{Closed, Periods, Stated};
pub use self::statement::{PeriodFold, PeriodStatement, Sequence, link};
pub use self::totals::{Flow, Settled, Tally};
