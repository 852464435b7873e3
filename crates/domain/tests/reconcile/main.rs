//! Reconciliation of two banks, and the hard cases of transfers.

mod classes;
mod closing;
mod comparison;
mod fixture;
mod hard_cases;
mod periods;
mod statements;
