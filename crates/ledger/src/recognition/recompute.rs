//! Recomputing decisions: every one of them is evaluated again from the published rule sets and the records it names.

use std::collections::HashMap;
use std::sync::Arc;

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::rules::{Case, Held, evaluate};
use creditbank_store::{Go, Snapshot, Store, StoreError};
use creditbank_wire::convert::record;
use creditbank_wire::v1;

use super::holdings::{held_of, prior, ruling, target};
use super::sets::Sets;
use crate::head::envelope;
use crate::vault::{DataKey, KeyEncryptionKey};

/// Kinds of records that hold a decision.
const DECIDED: [i32; 2] = [RecordKind::Decision as i32, RecordKind::Notice as i32];

/// What recomputing found.
#[derive(Debug, Default, serde::Serialize)]
pub struct Recomputed {
    /// Decisions and notices evaluated again.
    pub decisions: u64,
    /// Lines that came out equal.
    pub lines: u64,
    /// Decisions that cannot be evaluated any more: they are gone with their learner.
    pub gone: u64,
    /// Those that differ, by leaf, and in what.
    pub differences: Vec<(u64, String)>,
}

/// Evaluates every decision of the ledger again.
pub fn recompute(
    store: &Store,
    snapshot: &Snapshot,
    registry: &Registry,
    key: &KeyEncryptionKey,
    mut progress: impl FnMut(u64),
) -> Result<Recomputed, StoreError> {
    let mut found = Vec::new();
    // The log says which decisions there are; the vault only what they say.
    snapshot.chunks(LeafIndex(0), |chunk| {
        for (index, _, envelope) in chunk.created() {
            let kind = record::canonical::<v1::Envelope>(envelope).map(|it| it.kind);
            if matches!(kind, Ok(kind) if DECIDED.contains(&kind)) {
                found.push(index);
            }
        }
        Go::Continue(())
    })?;
    let mut reader = Reader {
        store,
        snapshot,
        registry,
        key,
        sets: Sets::new(),
        keys: HashMap::new(),
    };
    let mut report = Recomputed::default();
    for index in found {
        match reader.again(index)? {
            Again::Equal(lines) => report.lines += lines,
            Again::Gone => report.gone += 1,
            Again::Differs(what) => report.differences.push((index.0, what)),
        }
        report.decisions += 1;
        progress(report.decisions);
    }
    Ok(report)
}

enum Again {
    Equal(u64),
    Gone,
    Differs(String),
}

struct Reader<'a> {
    store: &'a Store,
    snapshot: &'a Snapshot,
    registry: &'a Registry,
    key: &'a KeyEncryptionKey,
    sets: Sets,
    keys: HashMap<u64, Option<Arc<DataKey>>>,
}

impl Reader<'_> {
    fn again(&mut self, index: LeafIndex) -> Result<Again, StoreError> {
        let Some((_, payload)) = self.open(index)? else {
            return Ok(match self.is_erased(index)? {
                true => Again::Gone,
                false => Again::Differs("the decision cannot be opened".into()),
            });
        };
        let Some(recorded) = ruling(&payload) else {
            return Ok(Again::Differs("the decision cannot be read".into()));
        };
        let message = self.envelope(index)?;
        let hash = message.and_then(|it| record::digest(&it.rule_set_hash).ok());
        let Some(hash) = hash else {
            return Ok(Again::Differs("it names no rule set".into()));
        };
        let set = match self.sets.get(self.snapshot, self.registry, &hash)? {
            Ok(set) => set,
            Err(refusal) => return Ok(Again::Differs(format!("its rule set: {refusal}"))),
        };
        let (Some(held), Some(earlier)) = (self.held(&recorded)?, self.earlier(&recorded)?) else {
            return Ok(Again::Gone);
        };
        let case = Case {
            programme: &recorded.programme,
            date: recorded.applied_on,
            held: &held,
            prior: &earlier,
        };
        let decision = evaluate(&set, &case, &recorded.uses);
        let parts = (recorded.held.clone(), recorded.prior.clone());
        let again = Ruling::of(decision, parts.0, parts.1, recorded.uses.clone());
        // What a panel declined grants nothing, whatever the rules would.
        let again = match recorded.is_granted() {
            true => again,
            false => again.declined(),
        };
        if again == recorded {
            return Ok(Again::Equal(recorded.lines.len() as u64));
        }
        Ok(Again::Differs(difference(&recorded, &again)))
    }

    fn held(&mut self, ruling: &Ruling) -> Result<Option<Vec<Held>>, StoreError> {
        let mut held = Vec::with_capacity(ruling.held.len());
        for index in &ruling.held {
            let Some((issuer, payload)) = self.open(*index)? else {
                return Ok(None);
            };
            // What the bank amended is still the outcome of the institution that deposited it.
            let issuer = match issuer {
                InstitutionNumber(0) => {
                    let amended = target(self.snapshot, *index)?;
                    let message = self.envelope(amended)?.unwrap_or_default();
                    let owner = self.registry.institution(&message.issuer);
                    owner.map_or(issuer, |owner| owner.number)
                }
                issuer => issuer,
            };
            held.extend(held_of(self.registry, *index, issuer, &payload));
        }
        Ok(Some(held))
    }

    fn earlier(
        &mut self,
        recorded: &Ruling,
    ) -> Result<Option<Vec<creditbank_domain::rules::Prior>>, StoreError> {
        let mut earlier = Vec::with_capacity(recorded.prior.len());
        for index in &recorded.prior {
            let Some((_, payload)) = self.open(*index)? else {
                return Ok(None);
            };
            earlier.extend(ruling(&payload).map(|ruling| prior(*index, ruling)));
        }
        Ok(Some(earlier))
    }

    /// Whether the learner of a record is gone.
    fn is_erased(&self, index: LeafIndex) -> Result<bool, StoreError> {
        let message = self.envelope(index)?.unwrap_or_default();
        let issuer = self.registry.institution(&message.issuer);
        let record_id = RecordId::from_slice(&message.record_id).ok();
        let Some((issuer, record_id)) = issuer.zip(record_id) else {
            return Ok(false);
        };
        let row = self.snapshot.id(issuer.number, &record_id)?;
        Ok(row.is_some_and(|row| row.learner == 0))
    }

    fn envelope(&self, index: LeafIndex) -> Result<Option<v1::Envelope>, StoreError> {
        let chunk = self.snapshot.chunk(index)?;
        Ok(record::canonical(envelope(&chunk, index)?).ok())
    }

    /// Issuer and payload of a sealed record; none once its learner is erased.
    fn open(
        &mut self,
        index: LeafIndex,
    ) -> Result<Option<(InstitutionNumber, Vec<u8>)>, StoreError> {
        let Some(message) = self.envelope(index)? else {
            return Ok(None);
        };
        let Some(issuer) = self.registry.institution(&message.issuer) else {
            return Ok(None);
        };
        let Ok(record_id) = RecordId::from_slice(&message.record_id) else {
            return Ok(None);
        };
        let row = self.snapshot.id(issuer.number, &record_id)?;
        let learner = row.map_or(0, |row| row.learner);
        let (Some(row), Some(key)) = (
            self.snapshot.vault_row(learner, index)?,
            self.data_key(learner)?,
        ) else {
            return Ok(None);
        };
        let opened = key.open_record(&message.issuer, &record_id, &row);
        Ok(opened.ok().map(|opened| (issuer.number, opened.payload)))
    }

    fn data_key(&mut self, learner: u64) -> Result<Option<Arc<DataKey>>, StoreError> {
        if let Some(key) = self.keys.get(&learner) {
            return Ok(key.clone());
        }
        let wrapped = self.store.wrapped_key(learner)?;
        let key = wrapped.and_then(|wrapped| self.key.unwrap(learner, &wrapped).ok());
        self.keys.insert(learner, key.clone());
        Ok(key)
    }
}

/// Where two rulings part, without anything personal.
fn difference(recorded: &Ruling, again: &Ruling) -> String {
    let sum = |ruling: &Ruling| -> u64 {
        let credits = ruling.lines.iter().map(|line| line.credits.hundredths());
        credits.map(u64::from).sum()
    };
    if recorded.lines != again.lines {
        return format!(
            "{} lines of together {} hundredths were recorded, {} of {} come out",
            recorded.lines.len(),
            sum(recorded),
            again.lines.len(),
            sum(again)
        );
    }
    format!(
        "{} uses were refused, {} are now",
        recorded.refused.len(),
        again.refused.len()
    )
}
