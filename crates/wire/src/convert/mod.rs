//! Conversions, one file a proto. Each names the field that it refuses.

pub mod catalogue;
pub mod leaf;
pub mod outcome;
pub mod points;
pub mod recognition;
pub mod reconciliation;
pub mod record;
pub mod registry;
pub mod statistics;
pub mod transfer;
