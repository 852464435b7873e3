//! Transfers (学分跨区转移): the right of use of an outcome moves from the bank that holds it to another, for one purpose,
//! with the learner's consent. The outcome itself stays where it is.
//!
//! ```text
//! receiver   Requested ───────────────────── Received ── Recognised ───────────────── Reversed
//!                                            Rejected    Declined  Returned
//! origin                 Reserved ─ Released          Recalled        Acknowledged  ReversalRequested  Acknowledged
//!                        Refused
//! ```
//!
//! Each bank takes its own steps, in its own ledger, and tells the other in one sequence a pair of banks, without gaps.
//! Steps of the two cross on their way, so what a transfer is ([`Transfer::state`]) is a function of the steps that each
//! side has taken, whatever order they arrive in: two banks that have heard everything of each other agree.
//!
//! Nothing here has effects. [`duty`] says what a bank has to do next, from the transfer and from what else it knows;
//! it is asked again after every change, every restart and now and then, so a crash between two steps costs nothing.

pub mod book;
pub mod duty;
mod life;
mod papers;
mod step;

use std::fmt;

use sha2::{Digest, Sha256};

pub use self::life::{State, Taken, Transfer};
pub use self::papers::{Consent, TransferRequest, Transferred};
pub use self::step::{Reason, Recognition, Release, Step};
use crate::Refusal;
use crate::record::RecordRef;

/// Most steps of one transfer: what a correct pair of banks takes, with room.
pub const STEPS_MAX: usize = 32;

const ID_CONTEXT: &[u8] = b"creditbank/transfer/v1\n";

/// Names a transfer in both banks. It follows from the consent, so one consent is one transfer, and from the consent's salt,
/// so that nobody who reads the public log can ask in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId(pub [u8; 16]);

impl TransferId {
    /// The transfer that a consent in the log of `origin` allows; `salt` is that of the consent's record.
    #[must_use]
    pub fn of(origin: &str, consent: &RecordRef, salt: &[u8; 32]) -> Self {
        let digest = Sha256::new()
            .chain_update(ID_CONTEXT)
            .chain_update(consent.leaf_index.0.to_be_bytes())
            .chain_update(consent.leaf_hash)
            .chain_update(salt)
            .chain_update(origin)
            .finalize();
        Self(digest[..16].try_into().expect("a digest has 32 bytes"))
    }

    /// From exactly sixteen bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes = bytes.try_into();
        bytes
            .map(Self)
            .map_err(|_| Refusal::WrongLength { expected: 16 })
    }

    /// Parses 32 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        crate::RecordId::parse(text).map(|id| Self(id.0))
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// One of the two banks of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Holds the outcome (转出方).
    Origin = 1,
    /// Recognises it (转入方).
    Receiver = 2,
}

impl Side {
    /// Reads the number of the format.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Origin),
            2 => Some(Self::Receiver),
            _ => None,
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Origin => Self::Receiver,
            Self::Receiver => Self::Origin,
        }
    }
}

/// What an outcome is to be used for. It is used once for each, in all banks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Purpose {
    /// Credit of degree education (学历教育).
    Degree = 1,
    /// Credit of non-degree education, leisure included (非学历教育).
    NonDegree = 2,
    /// A vocational qualification (职业资格).
    Vocational = 3,
}

impl Purpose {
    /// Reads the number of the format.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Degree),
            2 => Some(Self::NonDegree),
            3 => Some(Self::Vocational),
            _ => None,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Degree => "degree",
            Self::NonDegree => "non-degree",
            Self::Vocational => "vocational",
        }
    }
}
