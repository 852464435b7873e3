//! What this bank knows as the origin of a transfer.

use std::sync::Arc;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::RecordRef;
use creditbank_domain::rules::{Compiled, Prior};
use creditbank_domain::transfer::book::{Place, Shelf};
use creditbank_domain::transfer::duty::{AtOrigin, Consented};
use creditbank_domain::transfer::{Consent, Purpose, Reason, Release, Transfer};
use creditbank_domain::{Credit, Outcome, Refusal};
use creditbank_store::StoreError;
use creditbank_wire::convert::record::digest;

use super::paper::{HeldOutcome, Papers};
use super::shelf::Shelves;
use crate::admission::Seen;
use crate::archive::Archive;
use crate::bank::Bank;
use crate::clock;
use crate::head::Head;
use crate::peers::Peer;
use crate::recognition::{message_at, purpose, standing};

/// What the origin knows, and what a release would rest on.
pub(crate) struct Known {
    pub(crate) facts: AtOrigin,
    pub(crate) seen: Option<Seen>,
}

/// Everything that the next step of a transfer depends on.
pub(crate) fn known(
    bank: &Bank,
    head: &Arc<Head>,
    peer: &Peer,
    place: Place,
    transfer: &Transfer,
) -> Result<Known, StoreError> {
    let papers = Papers { bank, head };
    let nothing = |reason| Known {
        facts: AtOrigin {
            consent: Err(reason),
            outcome: Err(reason),
            free: Ok(()),
            is_cosigned: false,
            is_wanted_back: false,
        },
        seen: None,
    };
    let Some(at) = transfer.consent() else {
        return Ok(nothing(Reason::ConsentMissing));
    };
    let (learner, consent) = match papers.consent(&at)? {
        // One consent is one transfer: any other id is of somebody who does not know the consent.
        Ok((.., id)) if id != transfer.id => return Ok(nothing(Reason::ConsentMissing)),
        Ok((learner, consent, _)) => (learner, consent),
        Err(reason) => return Ok(nothing(reason)),
    };
    let held = papers.outcome(learner, &consent.outcome)?;
    let release = match (&held, transfer.released()) {
        // What was agreed when it was released stays agreed.
        (Ok(_), Some(release)) => Ok(release.clone()),
        (Ok(held), None) => release(bank, head, peer, &consent, held)?,
        (Err(reason), _) => Err(*reason),
    };
    let is_meant = consent.recipient.as_str() == peer.origin();
    let is_of_kind = held
        .as_ref()
        .is_ok_and(|it| it.outcome.category() == consent.category);
    let cosigned = bank.peers().cosigned_by(peer.id());
    let newest = consent.outcome.leaf_index.max(at.leaf_index);
    let facts = AtOrigin {
        consent: match is_meant && (is_of_kind || held.is_err()) {
            true => Ok(Consented {
                outcome: consent.outcome,
                purpose: consent.purpose,
            }),
            false => Err(Reason::ConsentForOther),
        },
        outcome: release,
        free: free(bank, head, place, learner, &consent)?,
        is_cosigned: cosigned.is_some_and(|it| it.size > newest.0),
        is_wanted_back: false,
    };
    let seen = held.ok().map(|held| Seen {
        steps: 0,
        size: head.row.size,
        archive: held.archive,
        unbound: Vec::new(),
    });
    Ok(Known { facts, seen })
}

/// The outcome that a consent is about, for its admission.
pub(crate) fn outcome_of(
    bank: &Bank,
    head: &Arc<Head>,
    learner: LearnerCode,
    at: &RecordRef,
) -> Result<Result<Outcome, Refusal>, StoreError> {
    let papers = Papers { bank, head };
    if !head.contains(at.leaf_index) {
        return Ok(Err(Refusal::TargetMissing));
    }
    if papers.reference(at.leaf_index)? != *at {
        return Ok(Err(Refusal::TargetHashMismatch));
    }
    let held = papers.outcome(learner, at)?;
    Ok(held
        .map(|held| held.outcome)
        .map_err(|_| Refusal::TargetNotAmendable))
}

/// What would be released of an outcome, if anything: it was obtained by study, and an agreement covers it.
fn release(
    bank: &Bank,
    head: &Head,
    peer: &Peer,
    consent: &Consent,
    held: &HeldOutcome,
) -> Result<Result<Release, Reason>, StoreError> {
    if held.outcome.obtained_by.is_some() {
        return Ok(Err(Reason::OutcomeDerived));
    }
    let agreed = agreement(
        bank,
        head,
        (&bank.region(), &region(head, peer)),
        &held.outcome,
    )?;
    let Some((agreement, agreement_version)) = agreed else {
        return Ok(Err(Reason::AgreementMissing));
    };
    Ok(Ok(Release {
        commitment: held.commitment,
        category: consent.category,
        source: held.outcome.credits.unwrap_or(Credit::ZERO),
        agreement,
        agreement_version,
    }))
}

/// The province digits of a peer bank.
pub(super) fn region(head: &Head, peer: &Peer) -> String {
    let institution = head.registry.institution(peer.id());
    let region = institution.and_then(|it| it.profile.region);
    region
        .map(|it| it.province().to_string())
        .unwrap_or_default()
}

/// The agreement of a set in force that covers an outcome on its way between two regions, with its version.
pub(super) fn agreement(
    bank: &Bank,
    head: &Head,
    (from, to): (&str, &str),
    outcome: &Outcome,
) -> Result<Option<(String, String)>, StoreError> {
    for set in sets_in_force(bank, head)? {
        for agreement in &set.set().agreements {
            let day = outcome.completed_on;
            if let Some(version) = agreement.covers(from, to, outcome.category(), day) {
                return Ok(Some((agreement.id.clone(), version.to_owned())));
            }
        }
    }
    Ok(None)
}

/// The rule sets that decide applications of today.
pub(super) fn sets_in_force(bank: &Bank, head: &Head) -> Result<Vec<Arc<Compiled>>, StoreError> {
    let today = clock::today();
    let catalogue = head.registry.catalogue();
    let mut sets = Vec::new();
    for published in catalogue.sets() {
        let newest = catalogue.in_force(&published.id, today);
        if newest.is_some_and(|newest| newest.hash == published.hash) {
            sets.extend(bank.rule_set(head, &published.hash)?);
        }
    }
    Ok(sets)
}

/// Whether nothing else has the outcome for the purpose: no other transfer, and no decision of this bank, for the purpose
/// or by a rule that lets it serve no other.
fn free(
    bank: &Bank,
    head: &Arc<Head>,
    place: Place,
    learner: LearnerCode,
    consent: &Consent,
) -> Result<Result<(), Reason>, StoreError> {
    let outcome = consent.outcome.leaf_index;
    let shelves = Shelves::over(Arc::clone(&head.snapshot));
    let holder = shelves.binding((outcome, consent.purpose))?;
    if holder.is_some_and(|holder| holder != place) {
        return Ok(Err(Reason::OutcomeReserved));
    }
    let Ok(archive) = Archive::open(bank, Arc::clone(head), learner, None)? else {
        return Ok(Err(Reason::LearnerErased));
    };
    for prior in standing(&archive, None)? {
        let lines = prior.lines.iter();
        let mut lines = lines
            .filter(|line| line.outcomes.contains(&outcome))
            .peekable();
        if lines.peek().is_none() {
            continue;
        }
        if lines.any(|line| line.exclusive)
            || purpose_of(bank, head, &prior)? == Some(consent.purpose)
        {
            return Ok(Err(Reason::OutcomeSpent));
        }
    }
    Ok(Ok(()))
}

/// What an earlier decision of this bank was for.
fn purpose_of(bank: &Bank, head: &Head, prior: &Prior) -> Result<Option<Purpose>, StoreError> {
    let message = message_at(&head.snapshot, prior.decision)?;
    let Ok(hash) = digest(&message.rule_set_hash) else {
        return Ok(None);
    };
    let set = bank.rule_set(head, &hash)?;
    Ok(set.ok().and_then(|set| purpose(&set, &prior.programme)))
}
