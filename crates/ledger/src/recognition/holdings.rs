//! What a learner holds, as rules see it: outcomes in force, and earlier decisions that stand.

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_domain::LeafIndex;
use creditbank_domain::recognition::{HELD_MAX, PRIOR_MAX, Ruling};
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::{Institution, InstitutionNumber, Registry};
use creditbank_domain::rules::{Case, Compiled, Held, Prior, Use};
use creditbank_domain::{Outcome, Refusal};
use creditbank_store::{Damage, Go, Snapshot, StoreError};
use creditbank_wire::convert::{outcome, recognition, record, transfer};
use creditbank_wire::v1;
use jiff::civil::Date;

use super::purpose;
use crate::archive::{Archive, Found};
use crate::head::{Head, envelope};
use crate::transfer::is_bound;

/// An archive as rules see it.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// Outcomes in force, ascending.
    pub(crate) held: Vec<Held>,
    /// Decisions that stand, ascending.
    pub(crate) prior: Vec<Prior>,
}

/// What a case is about. Whatever else lies in an archive changes nothing of a decision, so nobody makes one impossible by
/// depositing.
pub(crate) struct Scope<'a> {
    pub(crate) set: &'a Compiled,
    pub(crate) programme: &'a str,
    /// What is asked for; nothing for everything that the set has rules about.
    pub(crate) uses: &'a [Use],
}

impl Scope<'_> {
    /// Whether an outcome matters: it is to be used, or was studied at the programme's own institution.
    fn takes(&self, held: &Held) -> bool {
        let is_used = match self.uses {
            [] => self.set.concerns(held),
            uses => uses.iter().any(|it| it.outcomes.contains(&held.leaf)),
        };
        let mut programmes = self.set.set().programmes.iter();
        is_used || programmes.any(|it| it.id == self.programme && it.institution == held.issuer)
    }
}

impl Holdings {
    /// What of an archive a case is about; not what another bank has the right to use. `except` leaves one application's own decision out.
    pub(crate) fn read(
        archive: &Archive,
        except: Option<LeafIndex>,
        scope: &Scope<'_>,
    ) -> Result<Result<Self, Refusal>, StoreError> {
        let prior = standing(archive, except)?;
        let spent = prior.iter().flat_map(|it| &it.lines);
        let spent: BTreeSet<_> = spent.flat_map(|line| line.outcomes.clone()).collect();
        let mut held = Vec::new();
        for part in &archive.parts {
            let mut read = Ok(());
            archive.scan(part, archive.head.row.size, |found| {
                let is_in_force = found.state == v1::RecordState::Active;
                if is_in_force && found.serves(scope.programme) {
                    read = found.held(&archive.head).map(|it| {
                        let matters = |it: &Held| spent.contains(&it.leaf) || scope.takes(it);
                        held.extend(it.filter(matters));
                    });
                }
                match held.len() > HELD_MAX || read.is_err() {
                    true => Go::Break(()),
                    false => Go::Continue(()),
                }
            })?;
            read?;
        }
        if let Some(purpose) = purpose(scope.set, scope.programme) {
            let snapshot = &archive.head.snapshot;
            let mut here = Vec::with_capacity(held.len());
            for it in held {
                let is_free = spent.contains(&it.leaf) || !is_bound(snapshot, (it.leaf, purpose))?;
                here.extend(is_free.then_some(it));
            }
            held = here;
        }
        for (count, max) in [(held.len(), HELD_MAX), (prior.len(), PRIOR_MAX)] {
            if count > max {
                let max = max as u32;
                return Ok(Err(Refusal::TooMany { max }));
            }
        }
        held.sort_unstable_by_key(|held| held.leaf);
        Ok(Ok(Self { held, prior }))
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

/// The decisions of an archive that stand and grant something, ascending.
pub(crate) fn standing(
    archive: &Archive,
    except: Option<LeafIndex>,
) -> Result<Vec<Prior>, StoreError> {
    let snapshot = &archive.head.snapshot;
    let mut decisions = Vec::new();
    for part in &archive.parts {
        archive.scan(part, archive.head.row.size, |found| {
            if found.header.kind == RecordKind::Decision {
                let ruling = ruling(&found.opened.payload);
                decisions.extend(ruling.map(|ruling| (found.index, ruling)));
            }
            Go::Continue(())
        })?;
    }
    let mut standing = Vec::new();
    for (index, ruling) in decisions {
        let application = target(snapshot, index)?;
        let row = snapshot.application(application)?;
        let stands = row.is_some_and(|row| row.kind != RecordKind::Reversal as u8);
        if stands && except != Some(application) && ruling.is_granted() {
            standing.push(prior(index, ruling));
        }
    }
    standing.sort_unstable_by_key(|prior| prior.decision);
    Ok(standing)
}

impl Found {
    /// Whether it shows an outcome that may be used for a programme: what came from another bank serves the one that
    /// its learner has consented to.
    fn serves(&self, programme: &str) -> bool {
        match self.header.kind {
            RecordKind::Transferred => {
                let came = transferred_in(&self.opened.payload);
                came.is_some_and(|it| it.programme == programme)
            }
            kind => kind.shows_outcome(),
        }
    }

    /// The record as rules see it; none where it shows no outcome.
    pub(crate) fn held(&self, head: &Head) -> Result<Option<Held>, StoreError> {
        let (issuer, payload) = (self.header.issuer, &self.opened.payload);
        held_of(&head.snapshot, &head.registry, self.index, issuer, payload)
    }
}

/// The envelope of the record at `index`.
pub(crate) fn message_at(
    snapshot: &Snapshot,
    index: LeafIndex,
) -> Result<v1::Envelope, StoreError> {
    let chunk = snapshot.chunk(index)?;
    let message = record::canonical::<v1::Envelope>(envelope(&chunk, index)?);
    message.map_err(|_| StoreError::Damaged(Damage::LeafMissing(index)))
}

/// The record that the one at `index` is about: of a step its application.
pub(crate) fn target(snapshot: &Snapshot, index: LeafIndex) -> Result<LeafIndex, StoreError> {
    let message = message_at(snapshot, index)?;
    let target = message.refs.first();
    let target = target.ok_or(StoreError::Damaged(Damage::LeafMissing(index)))?;
    Ok(LeafIndex(target.leaf_index))
}

/// Whose outcome the record at `index` is. What the bank amended is still the outcome of the institution that deposited
/// it; the bank deposits none of its own.
pub(crate) fn depositor<'r>(
    snapshot: &Snapshot,
    registry: &'r Registry,
    mut index: LeafIndex,
) -> Result<Option<&'r Arc<Institution>>, StoreError> {
    loop {
        let message = message_at(snapshot, index)?;
        let issuer = registry.institution(&message.issuer);
        match message.refs.first() {
            Some(amended) if issuer.is_some_and(|it| it.profile.id.is_bank()) => {
                index = LeafIndex(amended.leaf_index);
            }
            _ => return Ok(issuer),
        }
    }
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

/// The record at `index` as rules see it; none where it shows no outcome.
pub(crate) fn held_of(
    snapshot: &Snapshot,
    registry: &Registry,
    index: LeafIndex,
    issuer: InstitutionNumber,
    payload: &[u8],
) -> Result<Option<Held>, StoreError> {
    if let Some(came) = transferred_in(payload) {
        return Ok(transfer::transferred(came)
            .ok()
            .map(|it| it.into_held(index)));
    }
    let Some(outcome) = outcome_in(payload) else {
        return Ok(None);
    };
    let institution = match issuer {
        InstitutionNumber(0) => depositor(snapshot, registry, index)?,
        issuer => registry.by_number(issuer),
    };
    let Some(institution) = institution else {
        return Ok(None);
    };
    let id = &institution.profile.id;
    let project = outcome.project.as_ref();
    let standard = project.and_then(|project| registry.catalogue().standard_at(id, project, index));
    let standard = standard.map(Arc::from);
    let region = institution.profile.region;
    let outcome = Arc::new(outcome);
    Ok(Some(Held::new(
        index,
        id.clone(),
        region,
        outcome,
        standard,
    )))
}

/// The outcome of another bank that a payload shows.
fn transferred_in(payload: &[u8]) -> Option<v1::Transferred> {
    match record::canonical::<v1::Payload>(payload).ok()?.content? {
        v1::payload::Content::Transferred(it) => Some(it),
        _ => None,
    }
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
