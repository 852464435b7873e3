//! The bank as a service: the imperative shell around `domain`, `merkle` and `store`.
//!
//! A record goes one way, a type a stage: wire request → [`admission::SignedBatch`] → [`admission::Admitted`] →
//! `store::Plan` → [`head::Head`] → answer with proof. Handlers do everything that can be done in parallel (decode,
//! hash, verify, seal, look up); one [`sequencer`] thread decides again what can race and commits.

mod access;
pub mod admission;
mod archive;
pub mod backed_up;
pub mod backup;
pub mod bank;
pub mod check;
mod clock;
mod credential;
mod erase;
pub mod export;
mod fold;
mod grpc;
pub mod head;
mod history;
mod learners;
mod listen;
mod measure;
pub mod peers;
mod points;
pub mod queue;
pub mod rebuild;
pub mod recognition;
pub mod reconcile;
mod recover;
pub mod restore;
pub mod rotation;
mod sequencer;
pub mod server;
mod statement;
pub mod statistics;
mod steps;
mod tiles;
mod transfer;
pub mod vault;

pub use bank::{Bank, BankError, BankKeys, BankOptions};
pub use clock::shift as shift_clock;
pub use credential::Names;
pub use grpc::calls::CallLimits;
pub use recover::open_stopped;
pub use steps::{Step, StepTrap};
pub use transfer::rehearse;
