//! Corrections and erasure wishes.
