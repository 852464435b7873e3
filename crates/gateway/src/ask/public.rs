//! The public log and the registry: receipts, checkpoints, institutions.
