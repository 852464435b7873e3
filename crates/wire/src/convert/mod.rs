//! Conversions, one file a proto. Each names the field that it refuses.

pub mod leaf;
pub mod outcome;
pub mod record;
pub mod registry;
