//! What is asked of the ledger: one file a service, one method a question. Pages and JSON ask the same.

mod access;
mod archive;
mod code;
mod credentials;
pub(crate) mod institutions;
mod learner;
mod points;
mod public;
pub(crate) mod recognition;
mod requests;
pub(crate) mod transfers;
