//! The proof layer against the text of RFC 6962, against independent implementations, and against hostile input.
#![allow(missing_docs)] // test names are claims

mod cosignatures;
mod edge;
mod log_keys;
mod notes;
mod proofs;
mod ranges;
mod receipts;
mod rfc6962;
mod tiles;
mod witness;
