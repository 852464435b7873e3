//! What the ledger around the domain knows about a transfer when it asks for the next duty.

use creditbank_domain::transfer::book::Place;
use creditbank_domain::transfer::duty::{AtOrigin, AtReceiver, Consented, Decided};
use creditbank_domain::transfer::{Reason, Release, State, Transfer};
use creditbank_domain::{Category, Credit};

use super::bank::Bank;
use super::code::Code;
use super::rows::{Given, Kept};

/// Milliseconds of a day, which is a period of the simulation.
pub(super) const DAY: u64 = 86_400_000;

/// The version of the agreements that is in force on a day: there is another one every midnight.
pub(super) const fn version_on(day: u64) -> u64 {
    1 + day
}

/// What the origin knows.
pub(super) fn at_origin(code: &Code, bank: &Bank, place: Place, transfer: &Transfer) -> AtOrigin {
    let given = transfer.consent().and_then(|of| {
        let given = bank.rows.consents.get(&of.leaf_index);
        given.filter(|given| given.hash == of.leaf_hash)
    });
    let Some(given) = given else {
        return AtOrigin {
            consent: Err(Reason::ConsentMissing),
            outcome: Err(Reason::OutcomeNotInForce),
            free: Ok(()),
            is_cosigned: false,
            is_wanted_back: false,
        };
    };
    let outcome = given.consent.outcome;
    let kept = bank.rows.outcomes.get(&outcome.leaf_index);
    let cosigned = bank.cosigned_by.get(&place.0).copied().unwrap_or_default();
    AtOrigin {
        consent: consent(place, given),
        outcome: match kept {
            Some(kept) if kept.hash == outcome.leaf_hash => release(bank, kept),
            _ => Err(Reason::OutcomeNotInForce),
        },
        free: (code.free)(
            &bank.rows,
            (outcome.leaf_index, given.consent.purpose),
            place,
        ),
        is_cosigned: cosigned > outcome.leaf_index.0,
        is_wanted_back: given.is_wanted_back,
    }
}

/// What the receiver knows.
pub(super) fn at_receiver(bank: &Bank, place: Place, transfer: &Transfer) -> AtReceiver {
    let decision = bank.rows.decided.get(&place).cloned();
    AtReceiver {
        package: transfer
            .released()
            .map(|it| package(bank, place, transfer, it)),
        decision: decision.unwrap_or(Decided::Not),
    }
}

/// Whether the receiver's learner of a transfer has left.
pub(super) fn is_gone(bank: &Bank, place: Place) -> bool {
    let learner = bank.rows.asked.get(&place);
    learner.is_none_or(|learner| bank.rows.erased.contains(learner))
}

/// Whether there is something for the receiver to decide.
pub(super) fn is_reviewable(transfer: &Transfer) -> bool {
    transfer.state() == State::UnderReview
}

fn consent(place: Place, given: &Given) -> Result<Consented, Reason> {
    match given {
        Given { consent, .. } if consent.receiver != place.0 => Err(Reason::ConsentForOther),
        Given {
            is_withdrawn: true, ..
        } => Err(Reason::ConsentWithdrawn),
        Given { consent, .. } => Ok(Consented {
            outcome: consent.outcome,
            purpose: consent.purpose,
        }),
    }
}

fn release(bank: &Bank, kept: &Kept) -> Result<Release, Reason> {
    let version = version_on(kept.outcome.completed);
    if kept.is_revoked || kept.is_disputed {
        return Err(Reason::OutcomeNotInForce);
    }
    if bank.rows.erased.contains(&kept.outcome.learner) {
        return Err(Reason::LearnerErased);
    }
    if version > bank.rows.version {
        return Err(Reason::AgreementMissing);
    }
    Ok(Release {
        commitment: kept.hash,
        category: Category::DegreeCourse,
        source: kept.outcome.credits,
        agreement: "R23".into(),
        agreement_version: version.to_string(),
    })
}

/// One package in sixteen does not open; which one follows from the transfer.
fn package(
    bank: &Bank,
    place: Place,
    transfer: &Transfer,
    release: &Release,
) -> Result<(), Reason> {
    let outcome = transfer.reserved().map(|(outcome, _)| outcome.leaf_index.0);
    let seen = bank.witness.get(&place.0).map_or(0, |(size, _)| *size);
    let version: Option<u64> = release.agreement_version.parse().ok();
    match () {
        () if is_gone(bank, place) => Err(Reason::RequestGone),
        () if place.1.0[0] < 16 => Err(Reason::PackageUnreadable),
        () if outcome.is_none_or(|leaf| leaf >= seen) => Err(Reason::CosignatureMissing),
        () if release.source == Credit::ZERO => Err(Reason::PackageDiffers),
        () if version.is_none_or(|it| it > bank.rows.version) => Err(Reason::AgreementMissing),
        () => Ok(()),
    }
}
