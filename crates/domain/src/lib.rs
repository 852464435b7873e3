//! The domain of the credit bank (学分银行): identifiers, amounts, grades, outcomes, and why something is refused.
//!
//! Every type here holds only right values; every constructor says with a [`Refusal`] why it declined. The
//! crate does no I/O, reads no clock and no randomness, computes nothing in floating point, and knows
//! neither the wire nor the disk: today's date and random numbers come in as arguments.
//!
//! Start reading at [`outcome`], then [`refusal`].

pub mod access;
pub mod application;
pub mod calendar;
pub mod catalogue;
pub mod credit;
pub mod grade;
pub mod identifier;
pub mod outcome;
pub mod points;
pub mod recognition;
pub mod reconcile;
pub mod record;
pub mod refusal;
pub mod registry;
pub mod rules;
pub mod standard;
pub mod statistics;
pub mod text;
pub mod transfer;

pub use credit::{Credit, Hours};
pub use grade::Grade;
pub use identifier::{
    IdentityDocument, InstitutionId, LearnerCode, OccupationCode, RecordId, RegionCode, ResidentId,
    SchoolCode, SkillCertificateNumber, UnifiedSocialCreditCode,
};
pub use outcome::{Category, Outcome, OutcomeDraft};
pub use record::{Digest32, LeafIndex};
pub use refusal::{Fault, Faults, Refusal};
