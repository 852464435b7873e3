//! What is asked of the ledger: one file a service, one method a question. Pages and JSON ask the same.

mod access;
mod archive;
mod code;
mod credentials;
mod learner;
mod points;
mod public;
mod recognition;
mod requests;
mod transfers;
