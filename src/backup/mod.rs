//! Backups of a running bank, and what is done with them.
//!
//! ```text
//! TARGET/backups/SIZE-TIME.json   one backup: signed checkpoint, and the files it consists of; written last
//! TARGET/files/SHA256             files of the database without learners' keys; many backups share one
//! TARGET/keys/SHA256              learners' keys of the newest backup alone
//! ```
//!
//! The bank makes a copy of hard links in its folder and takes deposits on; everything else is done by this program, so
//! that the process that holds the bank's keys reaches no storage in the network and knows no password of one. A file is
//! named by its hash, so a backup costs what is new. Learners' keys are in no file that stays: the newest serve every
//! backup, older ones are removed, and whoever was erased cannot be opened from any backup after the next one.

mod keys;
mod make;
mod manifest;
mod restore;
mod target;
mod verify;

pub(crate) use make::{Made, Order, make, noted};
pub(crate) use manifest::{Manifest, names};
pub(crate) use restore::{Beside, Done, Source, restore};
pub(crate) use target::Target;
pub(crate) use verify::verify;
