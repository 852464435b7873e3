//! Rehearsals of reconciliation: changes the row of one settled transfer, so that a stopped bank differs from what its
//! log says. No two sound banks come to differ, and people want to have seen what happens when they do.
//!
//! Only rows of views are touched: `check` finds the change, and [`rebuild`](crate::rebuild) undoes it.

use creditbank_domain::reconcile::Class;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::{
    Reason, Recognition, Side, State, Step, Taken, Transfer, TransferId,
};
use creditbank_domain::{Credit, LeafIndex};
use creditbank_store::{ShelfKey, Store, StoreError, Views};

use super::{TransferRow, peers};
use crate::bank::BankError;
use crate::rebuild::{RebuildError, fold};
use crate::recover::registry;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The log cannot be folded.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// Its statements cannot be read.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// Nobody is registered as peer bank under this id.
    #[error("no peer bank of this bank has this id")]
    PeerUnknown,
    /// There is nothing to change.
    #[error("no transfer with this peer can be given such a difference: it must be recognised, acknowledged, not yet \
             changed, and this bank its {}", side(*.0))]
    NoneSuitable(Option<Side>),
    /// It comes about in other ways.
    #[error("this class is not rehearsed")]
    Class,
}

impl From<StoreError> for RehearsalError {
    fn from(error: StoreError) -> Self {
        Self::Rebuild(error.into())
    }
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rehearsed {
    /// Which transfer.
    pub id: TransferId,
    /// What this bank is in it.
    pub side: Side,
}

/// Gives one transfer with `peer` a difference of `class`: the one named, or the first that the log and its row agree on.
///
/// The classes `two-receivers` and `revoked` are differences that both banks know alike: they are rehearsed at both, for
/// the same transfer.
pub fn rehearse(
    store: &Store,
    peer: &str,
    class: Class,
    only: Option<TransferId>,
) -> Result<Rehearsed, RehearsalError> {
    let side = match class {
        Class::OriginOnly | Class::Amount | Class::Version => Some(Side::Receiver),
        Class::ReceiverOnly | Class::State => Some(Side::Origin),
        Class::TwoReceivers | Class::Revoked => None,
        Class::Outcome => return Err(RehearsalError::Class),
    };
    let (registry, _) = registry(&store.snapshot())?;
    let peer = peers(&registry).find(|it| it.profile.id.as_str() == peer);
    let peer = peer.ok_or(RehearsalError::PeerUnknown)?.number;
    let found = untouched(store, peer)?.into_iter().find(|row| {
        let transfer = &row.transfer;
        only.is_none_or(|id| id == transfer.id)
            && side.is_none_or(|side| side == transfer.side)
            && transfer.state() == State::Recognised
            && transfer.is_settled()
    });
    let row = found.ok_or(RehearsalError::NoneSuitable(side))?;
    let (id, side) = (row.transfer.id, row.transfer.side);
    let row = changed(row, class);
    let mut views = Views::default();
    let key = ShelfKey::Transfer(peer, id.0);
    views.shelf.insert(key, row.map(|row| row.encode()));
    store.write_views(&views)?;
    store.flush()?;
    Ok(Rehearsed { id, side })
}

/// Transfers with a peer whose rows are what the log says, in the order of ids.
fn untouched(store: &Store, peer: InstitutionNumber) -> Result<Vec<TransferRow>, RehearsalError> {
    let snapshot = store.snapshot();
    let mut told = Vec::new();
    fold(&snapshot, |views, _| {
        told.extend(views.shelf);
        Ok(())
    })?;
    let mut rows = Vec::new();
    for (key, bytes) in told {
        let (ShelfKey::Transfer(with, id), Some(bytes)) = (&key, bytes) else {
            continue;
        };
        if *with == peer && snapshot.shelf(&key)?.as_ref() == Some(&bytes) {
            rows.push(TransferRow::decode(TransferId(*id), &bytes)?);
        }
    }
    Ok(rows)
}

/// The row with the difference; none where the bank is to know nothing of the transfer.
fn changed(mut row: TransferRow, class: Class) -> Option<TransferRow> {
    match class {
        Class::OriginOnly | Class::ReceiverOnly | Class::Outcome => return None,
        Class::Amount => recognition(&mut row.transfer, |it| {
            let less = it.credited.checked_sub(Credit::from_hundredths(1));
            it.credited = less.unwrap_or(Credit::from_hundredths(1));
        }),
        Class::Version => recognition(&mut row.transfer, |it| {
            it.agreement_version.push_str("-rehearsed");
        }),
        Class::State => {
            let is = |taken: &Taken| matches!(taken.step, Step::Recognised(_));
            let heard = row.transfer.steps.iter().position(is);
            row.transfer.steps.truncate(heard.unwrap_or_default());
        }
        Class::TwoReceivers => asked_back(&mut row, Reason::RecognisedLate),
        Class::Revoked => asked_back(&mut row, Reason::OutcomeNotInForce),
    }
    row.entries.truncate(row.transfer.steps.len());
    Some(row)
}

fn recognition(transfer: &mut Transfer, change: impl Fn(&mut Recognition)) {
    for taken in &mut transfer.steps {
        if let Step::Recognised(it) = &mut taken.step {
            change(it);
        }
    }
}

/// The origin wants the recognition reversed, right behind its acknowledgement: so both banks write the same.
fn asked_back(row: &mut TransferRow, reason: Reason) {
    if let Some(last) = row.transfer.last_step_of(Side::Origin) {
        let taken = Taken {
            sequence: last.sequence + 1,
            at_ms: last.at_ms + 1,
            step: Step::ReversalRequested(reason),
        };
        row.transfer.steps.push(taken);
        row.entries.push(LeafIndex(0));
    }
}

const fn side(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Origin) => "origin",
        Some(Side::Receiver) => "receiver",
        None => "origin or receiver",
    }
}
