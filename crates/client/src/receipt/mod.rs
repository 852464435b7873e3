//! Receipts: what an institution keeps, and how anyone checks it without asking anybody.
//!
//! Pure: nothing here opens a file, a clock or a connection. With nothing but the bank's public key, a receipt proves
//! that its leaf is in the log; with the issuer's key also that the issuer signed it, and with payload and salt what it
//! says. [`Verifier`] takes those steps and reports each by name.

mod bundle;
pub(crate) mod evidence;
mod follow;
mod report;
mod verifier;

pub use bundle::{
    BUNDLE_BYTES_MAX, BundleError, BundleReader, BundleWriter, bundle_of, receipt_from_text,
    receipt_text,
};
pub use follow::{NotFollowed, follow};
pub use report::{Reason, Report, Step, StepResult, VerifyError};
pub use verifier::{Opening, Verified, VerifiedRecord, Verifier};

/// The public keys of a bank's log, as its `bank.pub` lists them.
pub use creditbank_merkle::LogKeys;
/// One public key of a bank's log; its text form is the C2SP vkey, `name+hash+base64`.
pub use creditbank_merkle::VerifierKey as BankKey;
