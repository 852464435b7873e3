//! Transfers between banks in the ledger: what a bank knows about each ([`origin`], [`receiver`]), the packages that it
//! gives and verifies, and the desk that takes its steps and reads those of its peers. What may follow what is
//! `domain::transfer`'s.

mod desk;
mod origin;
mod package;
mod paper;
mod receiver;
pub mod rehearse;
mod row;
mod shelf;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::Role;
use creditbank_domain::registry::{Institution, InstitutionNumber, Registry};
use creditbank_domain::transfer::book::Place;
use creditbank_domain::transfer::{Consent, State, TransferId, TransferRequest};
use creditbank_domain::{Fault, Refusal};
use creditbank_store::{Go, ShelfKey, Snapshot, StoreError};

pub(crate) use self::desk::{Desk, connect, run};
pub(crate) use self::package::{told, verifier};
pub(crate) use self::row::TransferRow;
pub(crate) use self::shelf::{Shelves, is_bound};
use crate::bank::Bank;
use crate::head::Head;

/// The peer banks of a registry.
pub(crate) fn peers(registry: &Registry) -> impl Iterator<Item = &Institution> {
    let all = registry.after(None).map(AsRef::as_ref);
    all.filter(|it: &&Institution| it.profile.role == Role::PeerBank)
}

/// A consent must be about an outcome of its learner, and for a peer bank.
pub(crate) fn check_consent(
    bank: &Bank,
    learner: LearnerCode,
    consent: &Consent,
) -> Result<Result<(), Fault>, StoreError> {
    let refused =
        |refusal: Refusal, field: &str| Ok(Err(refusal.at(format!("payload.consent.{field}"))));
    if bank.peers().of_origin(consent.recipient.as_str()).is_none() {
        return refused(Refusal::PeerUnknown, "recipient");
    }
    let head = bank.head();
    match origin::outcome_of(bank, &head, learner, &consent.outcome)? {
        Err(refusal) => refused(refusal, "outcome"),
        Ok(outcome) if outcome.category() != consent.category => {
            let with = "outcome";
            refused(Refusal::Inconsistent { with }, "category")
        }
        Ok(_) => Ok(Ok(())),
    }
}

/// A request must be for an outcome of a peer bank, and the first with its consent.
pub(crate) fn check_request(
    bank: &Bank,
    request: &TransferRequest,
) -> Result<Result<(), Fault>, StoreError> {
    let refused = |refusal: Refusal, field: &str| {
        Ok(Err(refusal.at(format!("payload.transfer_request.{field}"))))
    };
    if bank.peers().of_origin(request.origin.as_str()).is_none() {
        return refused(Refusal::PeerUnknown, "origin");
    }
    match find(&bank.head(), request.id)? {
        None => Ok(Ok(())),
        Some((_, row)) => {
            let state = row.transfer.state().code();
            refused(Refusal::StepNotAllowed { state }, "consent")
        }
    }
}

/// A transfer, by its id. A peer that asks in another's place is refused, and leaves a row that nobody asks for.
pub(crate) fn find(
    head: &Head,
    id: TransferId,
) -> Result<Option<(Place, TransferRow)>, StoreError> {
    let mut found = None;
    for peer in peers(&head.registry) {
        let key = ShelfKey::Transfer(peer.number, id.0);
        if let Some(bytes) = head.snapshot.shelf(&key)? {
            let row = TransferRow::decode(id, &bytes)?;
            let is_refused = row.transfer.state() == State::Refused;
            if !is_refused || found.is_none() {
                found = Some(((peer.number, id), row));
            }
        }
    }
    Ok(found)
}

/// Transfers with a peer in the order of their ids, from `from` on, until `visit` breaks.
pub(crate) fn each(
    snapshot: &Snapshot,
    peer: InstitutionNumber,
    from: TransferId,
    mut visit: impl FnMut(TransferRow) -> Go,
) -> Result<(), StoreError> {
    let mut failed = None;
    let from = ShelfKey::Transfer(peer, from.0);
    snapshot.shelf_rows(&from, |key, bytes| {
        let ShelfKey::Transfer(_, id) = key else {
            return Go::Break(());
        };
        match TransferRow::decode(TransferId(id), bytes) {
            Ok(row) => visit(row),
            Err(error) => {
                failed = Some(error);
                Go::Break(())
            }
        }
    })?;
    failed.map_or(Ok(()), Err)
}
