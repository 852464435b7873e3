//! Who may see what of an archive: accounts, codes, grants, looks, and what learners ask for.
//!
//! All of it lies in the family `access`, sealed under the learner's data key, beside the log: grants end, and an erasure
//! takes everything along. Codes on phones live in memory alone; a restart forgets them.
//!
//! Every change is decided under one lock and is durable before it is answered. The lock also keeps changes and
//! erasures apart: whoever holds it and finds the learner may write.

mod code;
mod delegation;
mod grant;
mod look;
mod printed;
mod request;
mod row;
mod share;
mod subject;

use std::sync::{Mutex, MutexGuard, PoisonError};

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::{Fault, Refusal};
use creditbank_store::StoreError;

pub(crate) use self::code::Allowed;
use self::code::Codes;
pub(crate) use self::grant::NewGrant;
use self::printed::Tries;
pub(crate) use self::request::{Asked, Who};
pub(crate) use self::row::{Place, newest_first};
use crate::bank::Bank;
use crate::clock;

/// What is kept in memory of access.
pub(crate) struct Access {
    /// Held while rows of the family are read to be changed.
    writing: Mutex<Latest>,
    codes: Mutex<Codes>,
    tries: Mutex<Tries>,
}

/// The moment of the latest change.
#[derive(Debug, Default)]
pub(crate) struct Latest(u64);

impl Latest {
    /// The moment of the next one. No two have the same, so that lists are in the order in which things happened.
    fn moment(&mut self) -> u64 {
        self.0 = clock::now_ms().max(self.0.saturating_add(1));
        self.0
    }
}

impl Access {
    pub(crate) fn new() -> Self {
        Self {
            writing: Mutex::default(),
            codes: Mutex::default(),
            tries: Mutex::default(),
        }
    }

    /// Keeps everybody else from changing rows of the family.
    pub(crate) fn writing(&self) -> MutexGuard<'_, Latest> {
        lock(&self.writing)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum NotDone {
    Refused(Fault),
    Store(StoreError),
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for NotDone {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.at(""))
    }
}

impl NotDone {
    /// Answers `instead` where the learner is not there: no answer tells a caller more than it brought.
    fn unknown_as(self, instead: Refusal) -> Self {
        match self {
            Self::Refused(fault) if fault.refusal == Refusal::LearnerUnknown => instead.into(),
            other => other,
        }
    }
}

impl Bank {
    /// Refuses changes where the disk is full.
    fn require_changes(&self) -> Result<(), NotDone> {
        if self.takes_changes() {
            Ok(())
        } else {
            Err(Refusal::ReadOnly.into())
        }
    }
}

/// A learner code as messages carry it.
fn digits(code: LearnerCode) -> String {
    format!("{:016}", code.as_u64())
}
