//! The desk: pages for the people behind a counter, a reviewer or an operator, under a key of their own.
//!
//! A program of its own, on the machine of whoever uses it. It holds the key of one institution and acts with it, so it
//! listens on loopback alone and opens for one browser, by an address that works once. What the key's role allows decides
//! which pages there are; whether a step is allowed is the ledger's answer.
//!
//! A request goes: [`server`] (host, origin, headers) → [`staff`] (who is at the desk) → a page of [`pages`] → [`ask`].

mod app;
mod ask;
mod door;
mod facts;
mod named;
mod names;
mod pages;
mod server;
mod staff;
#[cfg(test)]
mod tests;

pub use app::DeskOptions;
pub use server::serve_desk;
