//! Transfers to another region.
