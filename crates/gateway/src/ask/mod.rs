//! What pages ask of the ledger: one file a service, one method a question. JSON under `/v1` passes its requests on as they are.

mod access;
mod archive;
pub(crate) mod institutions;
mod learner;
mod points;
pub(crate) mod recognition;
mod requests;
pub(crate) mod statistics;
pub(crate) mod transfers;
