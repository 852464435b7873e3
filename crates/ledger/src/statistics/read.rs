//! Reading one archive as statistics see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::points::{Entry, Reason};
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::statistics::{Content, Fact, History, Merged, Person};
use creditbank_store::{Damage, Go, Snapshot, StateRow, Store, StoreError};
use creditbank_wire::convert::{points, record};
use creditbank_wire::v1;
use prost::Message;

use crate::clock::day_of;
use crate::fold::find_state;
use crate::learners::printed;
use crate::recognition::{depositor_in, outcome_in, ruling, target};
use crate::vault::{self, DataKey, KeyEncryptionKey, VaultHeader};

/// Longest time to a decision that is told apart, in days.
const DAYS_MAX: i32 = 3650;

/// What archives are read with. Everything is of one snapshot, but the keys: those of an erased learner are gone.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) store: &'a Store,
    pub(super) snapshot: &'a Snapshot,
    pub(super) registry: &'a Registry,
    pub(super) key: &'a KeyEncryptionKey,
    /// Ends long reads.
    pub(super) stopping: &'a AtomicBool,
}

/// One record of one code, opened.
struct Opened<'a> {
    code: u64,
    index: LeafIndex,
    header: VaultHeader,
    state: StateRow,
    payload: &'a [u8],
}

/// The history under construction.
#[derive(Default)]
struct Found {
    history: History,
    /// Decisions and reversals by application.
    decisions: BTreeMap<LeafIndex, Vec<(LeafIndex, Option<Fact>)>>,
}

impl Reader<'_> {
    /// The archive that goes by `code`; none where that code was merged into another, or its learner erased.
    pub(super) fn history(&self, code: u64) -> Result<Option<History>, StoreError> {
        let row = self.snapshot.learner(code)?;
        let Some(row) = row.filter(|row| row.merged_into.is_none()) else {
            return Ok(None);
        };
        let mut found = Found::default();
        for code in std::iter::once(code).chain(row.merged) {
            let Some(row) = self.snapshot.learner(code)? else {
                return Ok(None);
            };
            let Some(wrapped) = self.store.wrapped_key(code)? else {
                return Ok(None);
            };
            let key = self.key.unwrap(code, &wrapped).map_err(|_| damaged())?;
            let person = person(&key, &row.sealed_profile)?;
            found.history.codes.push((code, person));
            self.records(code, &key, &mut found)?;
        }
        found.history.merges.sort_unstable_by_key(|it| it.leaf);
        Ok(Some(found.finish()))
    }

    fn records(&self, code: u64, key: &Arc<DataKey>, found: &mut Found) -> Result<(), StoreError> {
        let states = self.snapshot.states(code)?;
        let mut failed = None;
        self.snapshot.vault(code, None, |index, row| {
            let mut read = || -> Result<(), StoreError> {
                let header = vault::header(row).map_err(|_| damaged())?;
                if !counts(header.kind) {
                    return Ok(());
                }
                let issuer = self.registry.by_number(header.issuer).ok_or_else(damaged)?;
                let issuer = issuer.profile.id.as_str();
                let opened = key.open_record(issuer, &header.record_id, row);
                let opened = opened.map_err(|_| damaged())?;
                self.record(
                    &Opened {
                        code,
                        index,
                        header,
                        state: find_state(&states, index),
                        payload: &opened.payload,
                    },
                    found,
                )
            };
            match read() {
                Ok(()) => Go::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    Go::Break(())
                }
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn record(&self, it: &Opened<'_>, found: &mut Found) -> Result<(), StoreError> {
        let deposited_on = day_of(it.header.deposited_at_ms);
        let fact = |content| Fact {
            leaf: it.index,
            ended: None,
            code: it.code,
            on: deposited_on,
            content,
        };
        match it.header.kind {
            RecordKind::Outcome | RecordKind::Amendment => {
                let learnt = self.learnt(it)?;
                found.history.facts.extend(learnt);
            }
            RecordKind::Application => found.history.facts.push(fact(Content::Applied)),
            RecordKind::Appeal => found.history.facts.push(fact(Content::Appealed)),
            RecordKind::Decision => {
                let ruling = ruling(it.payload).ok_or_else(damaged)?;
                let days = (deposited_on - ruling.applied_on).get_days();
                let decided = fact(Content::Decided {
                    days: days.clamp(0, DAYS_MAX) as u16,
                    is_granted: ruling.is_granted(),
                });
                found.decide(target(self.snapshot, it.index)?, it.index, Some(decided));
            }
            RecordKind::Reversal => found.decide(target(self.snapshot, it.index)?, it.index, None),
            RecordKind::Points => {
                let entries = entries(it.payload).ok_or_else(damaged)?;
                let moved = entries.iter().map(|entry| Fact {
                    on: entry.on,
                    ..fact(moved(entry))
                });
                found.history.facts.extend(moved);
            }
            RecordKind::Merge => {
                let gone = merged(it.payload).ok_or_else(damaged)?;
                found.history.merges.push(Merged {
                    leaf: it.index,
                    gone,
                    kept: it.code,
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn learnt(&self, it: &Opened<'_>) -> Result<Option<Fact>, StoreError> {
        let outcome = outcome_in(it.payload).ok_or_else(damaged)?;
        let institution = match it.header.issuer {
            InstitutionNumber(0) => depositor_in(self.snapshot, self.registry, it.index)?,
            issuer => self.registry.by_number(issuer),
        };
        let Some(institution) = institution else {
            return Ok(None);
        };
        let region = institution.profile.region;
        Ok(Some(Fact {
            leaf: it.index,
            ended: [it.state.amended_by, it.state.revoked_by]
                .into_iter()
                .flatten()
                .min(),
            code: it.code,
            on: outcome.completed_on,
            content: Content::Learnt {
                category: outcome.category(),
                institution: institution.number.0,
                district: region.map_or(0, |region| region.number()),
                hours: outcome.hours.map_or(0, |hours| hours.hundredths()),
                credits: outcome.credits.map_or(0, |credits| credits.hundredths()),
                is_passed: outcome.is_passed(),
            },
        }))
    }
}

impl Found {
    fn decide(&mut self, application: LeafIndex, leaf: LeafIndex, decided: Option<Fact>) {
        let steps = self.decisions.entry(application).or_default();
        steps.push((leaf, decided));
    }

    /// A decision stands until the next one about the same application, or a reversal.
    fn finish(mut self) -> History {
        for steps in self.decisions.values_mut() {
            steps.sort_unstable_by_key(|(leaf, _)| *leaf);
            for at in 0..steps.len() {
                let ended = steps.get(at + 1).map(|(leaf, _)| *leaf);
                let fact = steps[at].1.map(|fact| Fact { ended, ..fact });
                self.history.facts.extend(fact);
            }
        }
        self.history
    }
}

/// Whether records of a kind bear on figures. What came from another bank counts there.
const fn counts(kind: RecordKind) -> bool {
    matches!(
        kind,
        RecordKind::Outcome
            | RecordKind::Amendment
            | RecordKind::Application
            | RecordKind::Appeal
            | RecordKind::Decision
            | RecordKind::Reversal
            | RecordKind::Points
            | RecordKind::Merge
    )
}

fn person(key: &DataKey, sealed: &[u8]) -> Result<Person, StoreError> {
    let opened = key.open_profile(sealed).map_err(|_| damaged())?;
    let profile = v1::EnrolLearnerRequest::decode(&opened[..]).map_err(|_| damaged())?;
    let identity = profile.identity.unwrap_or_default();
    Ok(match is_of_person(identity.kind) {
        true => Person::of_number(printed(identity.kind, &identity.number)),
        false => Person::default(),
    })
}

/// Whether the number of a document tells birth and sex.
fn is_of_person(kind: i32) -> bool {
    [
        v1::IdentityKind::ResidentId,
        v1::IdentityKind::ResidencePermit,
        v1::IdentityKind::PermanentResidentId,
    ]
    .iter()
    .any(|it| *it as i32 == kind)
}

fn entries(payload: &[u8]) -> Option<Vec<Entry>> {
    match record::canonical::<v1::Payload>(payload).ok()?.content? {
        v1::payload::Content::Points(it) => points::entries(it).ok(),
        _ => None,
    }
}

fn moved(entry: &Entry) -> Content {
    let mut amounts = [0; 3];
    match entry.reason {
        Reason::Earned { .. } => amounts[0] = entry.points,
        Reason::Confirmed { .. } => amounts[1] = entry.points,
        Reason::Expired | Reason::ClawedBack { .. } => amounts[2] = entry.points,
        Reason::Reserved { .. } | Reason::Cancelled { .. } => {}
    }
    let [earned, redeemed, ended] = amounts;
    Content::Points {
        earned,
        redeemed,
        ended,
    }
}

fn merged(payload: &[u8]) -> Option<u64> {
    match record::canonical::<v1::Payload>(payload).ok()?.content? {
        v1::payload::Content::Merge(it) => LearnerCode::parse(&it.merged_learner)
            .ok()
            .map(LearnerCode::as_u64),
        _ => None,
    }
}

/// What the vault holds cannot be read: the key is another bank's, or bytes are damaged.
const fn damaged() -> StoreError {
    StoreError::Damaged(Damage::Row("the vault, read for statistics"))
}
