//! Credentials as documents: what they look like, that verifiers which are not ours accept them, and that those refuse
//! them after any change.

mod documents;
mod golden;
mod mutation;
mod sample;
mod verifiers;
