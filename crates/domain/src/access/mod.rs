//! What a learner allows others to see: codes shown at desks, shares, delegations, and what they ask for.
//!
//! Formats and limits only: what is granted lies sealed in the ledger, and secrets are made there.

mod code;
mod expiry;
mod mask;
mod printed;

pub use code::{CODE_BYTES, CODE_LIFE_MS, CODE_PREFIX, LearnerCodeToken};
pub use expiry::{GrantKind, LOOKS_KEPT_MS, is_look_kept, is_open};
pub use mask::{masked_name, masked_number};
pub use printed::{PRINTED_CHARACTERS, PrintedSecret};

use crate::Refusal;
use crate::text::Text;

/// Most open grants of a learner.
pub const GRANTS_OPEN_MAX: u32 = 1000;
/// Most open delegations of a learner, and most that a delegate can hold.
pub const DELEGATIONS_OPEN_MAX: u32 = 200;
/// Most grants that ended, and most answered requests, that are kept; the oldest go.
pub const ENDED_KEPT_MAX: usize = 1000;
/// Most open requests of a learner.
pub const REQUESTS_OPEN_MAX: u32 = 100;
/// Most looks that are kept of a learner; the oldest go.
pub const LOOKS_KEPT_MAX: usize = 10_000;
/// Most records of a share.
pub const SHARE_RECORDS_MAX: u32 = 200;
/// Most records that a desk is shown.
pub const DESK_RECORDS_MAX: usize = 50;
/// Most wrong documents that a printed code is tried with in an hour.
pub const WRONG_TRIES_MAX: u32 = 5;

/// To whom a share goes, and who says to look at it.
pub type Recipient = Text<100>;
/// What a share is for.
pub type SharePurpose = Text<200>;
/// How a delegate is called.
pub type DelegateLabel = Text<50>;
/// What is wrong with a record, why an archive is to go, and what was answered.
pub type RequestText = Text<500>;
/// An issuer or a subject of an identity provider.
pub type SubjectPart = Text<255>;

/// What a learner shows a desk for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeskPurpose {
    /// The learner code, so that the desk can deposit (签到办理).
    CheckIn = 1,
    /// Totals by category (出示累计).
    Totals = 2,
    /// The newest records in force (出示记录).
    Records = 3,
}

impl DeskPurpose {
    /// From its stable number.
    pub const fn from_number(number: i32) -> Result<Self, Refusal> {
        match number {
            0 => Err(Refusal::Missing),
            1 => Ok(Self::CheckIn),
            2 => Ok(Self::Totals),
            3 => Ok(Self::Records),
            _ => Err(Refusal::ChoiceUnknown),
        }
    }
}
