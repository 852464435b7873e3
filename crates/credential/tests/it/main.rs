//! Credentials as documents: what they look like, and that their canonical forms are everybody's.

mod golden;
mod sample;
