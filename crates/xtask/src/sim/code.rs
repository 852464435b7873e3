//! The code under test, as functions that a mutant can exchange: what the domain decides, and the few rules that the
//! ledger around it has to keep.

use creditbank_domain::Refusal;
use creditbank_domain::transfer::book::{self, Bound, Change, Entry, Place};
use creditbank_domain::transfer::duty::{self, AtOrigin, AtReceiver, Terms};
use creditbank_domain::transfer::{Reason, State, Step, Transfer};

use super::rows::Rows;
use super::witness::{Shown, Verdict, judge};

/// Whether a step is of a kind.
pub(super) type Kind = fn(&Step) -> bool;

/// What runs in a bank.
#[derive(Clone, Copy)]
pub(super) struct Code {
    /// How an own step changes the rows.
    pub(super) take: fn(&Rows, &Entry) -> Result<Change, Refusal>,
    /// How a step of a peer changes them.
    pub(super) hear: fn(&Rows, &Entry) -> Result<Change, Refusal>,
    /// What the origin does next.
    pub(super) of_origin: fn(&Transfer, &AtOrigin, &Terms, u64) -> Option<Step>,
    /// What the receiver does next.
    pub(super) of_receiver: fn(&Transfer, &AtReceiver) -> Option<Step>,
    /// Where a transfer stood before a cut.
    pub(super) state_at: fn(&Transfer, u64) -> State,
    /// When an answer became settled.
    pub(super) settled_at: fn(&Transfer, Kind) -> Option<u64>,
    /// Whether an outcome may be used for a purpose.
    pub(super) free: fn(&Rows, Bound, Place) -> Result<(), Reason>,
    /// Whether a receiver reverses what it is asked to.
    pub(super) obeys: fn(&Transfer) -> bool,
    /// What a bank has after it has folded its log again.
    pub(super) refolded: fn(Rows) -> Rows,
    /// Whether a peer's checkpoint is cosigned.
    pub(super) judge: fn((u64, creditbank_merkle::Hash), &Shown) -> Verdict,
    /// Up to which leaf a peer is told steps, given what is durable, what is written, and what the peer has cosigned.
    pub(super) told: fn(durable: u64, written: u64, cosigned: u64) -> u64,
    /// Whether a step of a peer is heard now, given the own time and when it was taken. What lies ahead has to wait: else
    /// an answer could be noted before it was given.
    pub(super) may_hear: fn(own_ms: u64, taken_ms: u64) -> bool,
    /// Whether a restored bank of so many leaves may go on, given what a peer has cosigned of it.
    pub(super) may_run: fn(own: u64, cosigned: u64) -> bool,
    /// Whether a period can be closed, given the steps that the peer has stated and those that were heard.
    pub(super) may_close: fn(stated: u64, heard: u64) -> bool,
}

impl Code {
    /// What the banks run.
    pub(super) const fn real() -> Self {
        Self {
            take: |rows, entry| {
                let Ok(change) = book::take(rows, entry);
                change
            },
            hear: |rows, entry| {
                let Ok(change) = book::hear(rows, entry);
                change
            },
            of_origin: duty::of_origin,
            of_receiver: duty::of_receiver,
            state_at: Transfer::state_at,
            settled_at: |transfer, is| transfer.settled_at(is),
            free: Rows::free,
            obeys: |_| true,
            refolded: |rows| rows,
            judge,
            told: |durable, _, cosigned| durable.min(cosigned),
            may_hear: |own_ms, taken_ms| own_ms >= taken_ms,
            may_run: |own, cosigned| own >= cosigned,
            may_close: |stated, heard| heard >= stated,
        }
    }
}
