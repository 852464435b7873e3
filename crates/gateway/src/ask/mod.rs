//! What is asked of the ledger: one file a service, one method a question. Pages and JSON ask the same.

mod access;
mod archive;
pub(crate) mod institutions;
mod learner;
mod points;
pub(crate) mod recognition;
mod requests;
pub(crate) mod transfers;
