//! The public log, passed on from the ledger with what may be kept for how long.
