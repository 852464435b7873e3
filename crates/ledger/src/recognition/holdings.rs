//! What a learner holds, as rules see it: outcomes in force, and earlier decisions that stand.

use std::sync::Arc;

use creditbank_domain::LeafIndex;
use creditbank_domain::recognition::{HELD_MAX, PRIOR_MAX, Ruling};
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::rules::{Case, Held, Prior};
use creditbank_domain::{Outcome, Refusal};
use creditbank_store::{Damage, Go, Snapshot, StoreError};
use creditbank_wire::convert::{outcome, recognition, record};
use creditbank_wire::v1;
use jiff::civil::Date;

use crate::archive::Archive;
use crate::head::{Head, envelope};

/// An archive as rules see it.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// Outcomes in force, ascending.
    pub(crate) held: Vec<Held>,
    /// Decisions that stand, ascending.
    pub(crate) prior: Vec<Prior>,
}

impl Holdings {
    /// Everything of an archive. `except` leaves one application's own decision out.
    pub(crate) fn read(
        archive: &Archive,
        except: Option<LeafIndex>,
    ) -> Result<Result<Self, Refusal>, StoreError> {
        let head = &archive.head;
        let mut holdings = Self::default();
        let mut decisions = Vec::new();
        let mut by_bank = Vec::new();
        for part in &archive.parts {
            archive.scan(part, head.row.size, |found| {
                match found.header.kind {
                    RecordKind::Outcome | RecordKind::Amendment
                        if found.state == v1::RecordState::Active =>
                    {
                        let amends = found.header.kind == RecordKind::Amendment;
                        let bank = found.header.issuer == InstitutionNumber(0);
                        by_bank.extend((amends && bank).then_some(found.index));
                        holdings.held.extend(held_of(
                            &head.registry,
                            found.index,
                            found.header.issuer,
                            &found.opened.payload,
                        ));
                    }
                    RecordKind::Decision => decisions
                        .extend(ruling(&found.opened.payload).map(|ruling| (found.index, ruling))),
                    _ => {}
                }
                match holdings.held.len() > HELD_MAX || decisions.len() > PRIOR_MAX {
                    true => Go::Break(()),
                    false => Go::Continue(()),
                }
            })?;
        }
        for held in &mut holdings.held {
            if by_bank.contains(&held.leaf) {
                disown(head, held)?;
            }
        }
        for (index, ruling) in decisions {
            let application = target(&head.snapshot, index)?;
            let row = head.snapshot.application(application)?;
            let stands = row.is_some_and(|row| row.kind != RecordKind::Reversal as u8);
            if stands && except != Some(application) && ruling.is_granted() {
                holdings.prior.push(prior(index, ruling));
            }
        }
        if holdings.held.len() > HELD_MAX || holdings.prior.len() > PRIOR_MAX {
            let max = HELD_MAX as u32;
            return Ok(Err(Refusal::TooMany { max }));
        }
        holdings.held.sort_unstable_by_key(|held| held.leaf);
        holdings.prior.sort_unstable_by_key(|prior| prior.decision);
        Ok(Ok(holdings))
    }

    /// What a ruling was made of, whatever has become of it since.
    pub(crate) fn behind(archive: &Archive, ruling: &Ruling) -> Result<Self, StoreError> {
        let head = &archive.head;
        let mut holdings = Self::default();
        let mut by_bank = Vec::new();
        for part in &archive.parts {
            archive.scan(part, head.row.size, |found| {
                let (index, issuer) = (found.index, found.header.issuer);
                let payload = &found.opened.payload;
                if ruling.held.binary_search(&index).is_ok() {
                    by_bank.extend((issuer == InstitutionNumber(0)).then_some(index));
                    let held = held_of(&head.registry, index, issuer, payload);
                    holdings.held.extend(held);
                } else if ruling.prior.binary_search(&index).is_ok() {
                    let earlier = self::ruling(payload).map(|ruling| prior(index, ruling));
                    holdings.prior.extend(earlier);
                }
                Go::Continue(())
            })?;
        }
        for held in &mut holdings.held {
            if by_bank.contains(&held.leaf) {
                disown(head, held)?;
            }
        }
        holdings.held.sort_unstable_by_key(|held| held.leaf);
        holdings.prior.sort_unstable_by_key(|prior| prior.decision);
        Ok(holdings)
    }

    /// The case of a programme on a day.
    pub(crate) fn case<'a>(&'a self, programme: &'a str, date: Date) -> Case<'a> {
        Case {
            programme,
            date,
            held: &self.held,
            prior: &self.prior,
        }
    }

    pub(crate) fn leaves(&self) -> (Vec<LeafIndex>, Vec<LeafIndex>) {
        (
            self.held.iter().map(|held| held.leaf).collect(),
            self.prior.iter().map(|prior| prior.decision).collect(),
        )
    }
}

/// The application that the record at `index` is a step of.
pub(crate) fn target(snapshot: &Snapshot, index: LeafIndex) -> Result<LeafIndex, StoreError> {
    let damaged = || StoreError::Damaged(Damage::LeafMissing(index));
    let chunk = snapshot.chunk(index)?;
    let message = record::canonical::<v1::Envelope>(envelope(&chunk, index)?);
    let message = message.map_err(|_| damaged())?;
    let target = message.refs.first().ok_or_else(damaged)?;
    Ok(LeafIndex(target.leaf_index))
}

/// What a decision or notice says.
pub(crate) fn ruling(payload: &[u8]) -> Option<Ruling> {
    use v1::payload::Content;
    match record::canonical::<v1::Payload>(payload).ok()?.content? {
        Content::Decision(it) | Content::Notice(it) => recognition::ruling(it).ok(),
        _ => None,
    }
}

/// An earlier decision as rules see it.
pub(crate) fn prior(decision: LeafIndex, ruling: Ruling) -> Prior {
    Prior {
        decision,
        programme: ruling.programme,
        lines: ruling.lines,
    }
}

/// An outcome as rules see it.
pub(crate) fn held_of(
    registry: &Registry,
    index: LeafIndex,
    issuer: InstitutionNumber,
    payload: &[u8],
) -> Option<Held> {
    let institution = registry.by_number(issuer)?;
    let outcome = outcome_in(payload)?;
    let project = outcome.project.as_ref();
    let project = project.and_then(|project| {
        registry
            .catalogue()
            .project(&institution.profile.id, project)
    });
    let standard = project.map(|project| Arc::from(project.proposal.standard.as_str()));
    Some(Held::new(
        index,
        institution.profile.id.clone(),
        institution.profile.region,
        Arc::new(outcome),
        standard,
    ))
}

/// What the bank amended is still the outcome of the institution that deposited it.
pub(crate) fn disown(head: &Head, held: &mut Held) -> Result<(), StoreError> {
    let index = target(&head.snapshot, held.leaf)?;
    let chunk = head.snapshot.chunk(index)?;
    let message = record::canonical::<v1::Envelope>(envelope(&chunk, index)?);
    let issuer = message.map(|message| message.issuer).unwrap_or_default();
    if let Some(institution) = head.registry.institution(&issuer) {
        held.issuer = institution.profile.id.clone();
        held.region = institution.profile.region;
    }
    Ok(())
}

/// The outcome that a payload shows. It was admitted once, so the day of admission does not matter any more.
pub(crate) fn outcome_in(payload: &[u8]) -> Option<Outcome> {
    use v1::payload::Content;
    let message = match record::canonical::<v1::Payload>(payload).ok()?.content? {
        Content::Outcome(message) => message,
        Content::Amendment(amendment) => amendment.outcome?,
        _ => return None,
    };
    outcome::parse(message, Date::MAX).ok()
}
