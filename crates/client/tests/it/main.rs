//! The SDK against known answers, against tampered receipts, and against a bank that misbehaves.

mod fixture;
mod keys;
mod receipts;
mod recognition;
mod records;
mod streams;
