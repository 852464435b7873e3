//! The gateway: a learner's archive on the web, a desk for those who serve learners, and a record that anybody can verify.
//!
//! A process and a privilege of its own. It speaks with the ledger over gRPC under the role `gateway`, has no database and
//! no key of the bank, and sees one archive at a time: that of the learner who is signed in. What it shows was read from
//! the ledger for that request; nothing personal is kept between requests but in the learner's own sealed cookie.
//!
//! - [`serve`] is the learner's gateway: pages under `/`, JSON under `/v1`, the public log proxied.
//! - [`serve_desk`] is the desk of an institution, a reviewer or an operator: on their machine, with their key.
//!
//! What it does not do: decide. Whether a code, a share or a consent holds is the ledger's answer. It opens no file and
//! reads no environment beyond what its options name.

mod api;
mod app;
mod ask;
mod assets;
mod clients;
mod clock;
mod compress;
mod connections;
mod desk;
mod failure;
mod form;
mod frame;
mod guard;
mod health;
mod issuer;
mod limits;
mod measure;
mod options;
mod pace;
mod pages;
mod proxies;
mod qr;
mod server;
mod session;
mod show;
mod sign_in;
mod tiles;
mod transcript;
mod unread;
mod words;

pub use app::GatewayError;
pub use desk::{DeskOptions, serve_desk};
pub use health::Probe;
pub use issuer::Keys;
pub use options::{Options, Provider, Recipient};
pub use proxies::{Network, NetworkError};
pub use server::{Serving, serve};
