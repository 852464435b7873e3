//! Points and rewards.
