//! Credentials that a learner takes away: Open Badges 3.0 and CLR 2.0 on W3C Verifiable Credentials 2.0, and the
//! Bitstring Status List that says which of them hold no longer.
//!
//! A credential is built from closed structs ([`badge`], [`clr`], [`status`]) and signed twice ([`proof`]): by
//! eddsa-rdfc-2022, which Open Badges verifiers ask for, and by eddsa-jcs-2022, which needs no JSON-LD to check. Its
//! evidence ([`evidence`]) is the record's receipt and the opening of its commitment, so that whoever holds the
//! credential can check the log as well as the signature.
//!
//! The crate does no I/O, reads no clock and draws nothing at random: the contexts are part of it, times and keys are
//! arguments. It signs only what it built itself and reads no foreign credential: canonicalising hostile JSON-LD costs
//! seconds for a kilobyte.

pub mod badge;
pub mod base_url;
pub mod canon;
pub mod clr;
mod context;
pub mod decimal;
pub mod did;
pub mod evidence;
pub mod identity;
pub mod proof;
pub mod status;
mod time;
mod wording;

pub use badge::{Badge, Institution, Record};
pub use base_url::BaseUrl;
pub use clr::{CLR_MEMBERS_MAX, Clr};
pub use context::CONTEXTS;
pub use did::did_key;
pub use proof::{Issuer, Signed};
pub use status::{STATUS_LIST_BITS, StatusList, StatusPurpose};

/// Why a credential was not made. None of these is the learner's doing: they are faults of this program.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It is no JSON that can be canonicalised.
    #[error("the credential is no canonical JSON")]
    Json(#[from] serde_json::Error),
    /// It is no JSON-LD under the contexts that are embedded here.
    #[error("the credential is no JSON-LD")]
    JsonLd(#[from] oxjsonld::JsonLdSyntaxError),
    /// A status bit lies outside its list.
    #[error("bit {0} lies outside the status list")]
    StatusBit(u64),
    /// The list could not be compressed.
    #[error("the status list could not be compressed")]
    Compress(#[from] std::io::Error),
    /// A date lies outside what can be written.
    #[error("a date cannot be written as a time")]
    Time(#[from] jiff::Error),
    /// A CLR has no members or too many.
    #[error("a CLR has 1 to {max} members", max = CLR_MEMBERS_MAX)]
    Members,
}
