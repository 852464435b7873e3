//! The entries of the points ledger: one movement each, with its reason.

use jiff::civil::Date;

use crate::LeafIndex;
use crate::text::Label;

/// Most entries that stand in the ledger together.
pub const ENTRIES_MAX: usize = 256;

/// The id of a redemption, chosen by the counter that redeems (兑换单号).
pub type RedemptionId = [u8; 16];

/// The accounts of a learner. Their balances add up to zero at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Where points come from: below zero by what was ever earned.
    Issued,
    /// The learner's own (可用); below zero while something is owed.
    Available,
    /// Set aside for redemptions that are not confirmed yet (冻结).
    Reserved,
    /// Redeemed (已兑换).
    Redeemed,
    /// Expired (已过期).
    Expired,
    /// Taken back (已扣回).
    ClawedBack,
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Issued,
        Self::Available,
        Self::Reserved,
        Self::Redeemed,
        Self::Expired,
        Self::ClawedBack,
    ];
}

/// A movement: `debit` has so many points less, `credit` so many more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Where they leave.
    pub debit: Account,
    /// Where they arrive.
    pub credit: Account,
    /// How many; never zero.
    pub points: u32,
}

/// One entry of a learner's points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its day.
    pub on: Date,
    /// How many points move; never zero.
    pub points: u32,
    /// Why.
    pub reason: Reason,
}

/// Why points move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An outcome earned them.
    Earned {
        /// Id of the earning rule.
        rule: String,
        /// The outcome; each earns once.
        outcome: LeafIndex,
        /// The last day on which they can be redeemed.
        expires_on: Option<Date>,
    },
    /// Set aside for a redemption.
    Reserved {
        /// Which.
        redemption: RedemptionId,
        /// For what.
        purpose: Label,
    },
    /// A redemption took place.
    Confirmed {
        /// Which.
        redemption: RedemptionId,
    },
    /// A redemption did not take place.
    Cancelled {
        /// Which.
        redemption: RedemptionId,
    },
    /// Their last day is over.
    Expired,
    /// The outcome that earned them does not hold any longer.
    ClawedBack {
        /// Which.
        outcome: LeafIndex,
    },
}

impl Entry {
    /// The movement.
    #[must_use]
    pub const fn posting(&self) -> Posting {
        use Account::{Available, ClawedBack, Expired, Issued, Redeemed, Reserved};
        let (debit, credit) = match self.reason {
            Reason::Earned { .. } => (Issued, Available),
            Reason::Reserved { .. } => (Available, Reserved),
            Reason::Confirmed { .. } => (Reserved, Redeemed),
            Reason::Cancelled { .. } => (Reserved, Available),
            Reason::Expired => (Available, Expired),
            Reason::ClawedBack { .. } => (Available, ClawedBack),
        };
        Posting {
            debit,
            credit,
            points: self.points,
        }
    }
}
