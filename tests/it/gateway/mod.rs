//! The gateway, run as the built binary before a bank: who gets in, who sees what, and what attackers get.

mod attacks;
pub(crate) mod browser;
pub(crate) mod fixture;
mod interface;
mod limits;
mod log;
mod provider;
mod schema;
mod sessions;
mod sign_in;
mod statistics;
