//! Planning: a pure function of the head, the recent ids and the admitted batches. It decides what can race, and
//! gathers what one commit writes as plain data.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use creditbank_domain::identifier::{LearnerCode, RecordId};
use creditbank_domain::record::{KeyPurpose, RecordKind, RecordRef, Statement};
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::transfer::book::Shelf as _;
use creditbank_domain::{Category, Fault, LeafIndex, Refusal};
use creditbank_merkle::{BatchTree, Edge, Hash, leaf_hash};
use creditbank_store::{
    ApplicationRow, CHUNK_ROWS, Chunk, ChunkRow, Go, Handle, HeadRow, LearnerRow, Plan, StateRow,
    StoreError, VaultRow, Views,
};
use creditbank_wire::convert::record::canonical;
use creditbank_wire::v1;
use sha2::Digest;

use super::recent::{Id, Ids, Recent};
use crate::admission::{Admitted, Body, ReadyRow, Row, Seen, conflict, may_deposit};
use crate::bank::Bank;
use crate::fold::{
    Folded, find_state, fold_application, fold_ended, fold_leaf, fold_state, fold_submissions,
    put_state,
};
use crate::head::{Head, encode, envelope, leaf};
use crate::queue::Decision;
use crate::transfer::Shelves;
use crate::vault::{header, set_deposited_at};

/// Why a batch as a whole is not part of the plan.
pub(crate) enum Failure {
    Refused(Fault),
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A plan, and what must be published with it.
pub(crate) struct Finished {
    pub(crate) plan: Plan,
    pub(crate) edge: Edge,
    pub(crate) registry: Arc<Registry>,
    pub(crate) ids: Ids,
    /// Handles of learners that the plan erases.
    pub(crate) erased: Vec<[u8; 16]>,
}

/// One sealed row, taken apart.
struct SealedRow<'a> {
    index: LeafIndex,
    issuer: InstitutionNumber,
    kind: RecordKind,
    learner: u64,
    target: Option<RecordRef>,
    merged: Option<u64>,
    seen: Option<&'a Seen>,
}

/// The group under construction.
pub(crate) struct Draft<'a> {
    bank: &'a Bank,
    base: Arc<Head>,
    recent: &'a Recent,
    now_ms: u64,
    registry: Arc<Registry>,
    leaves: Vec<Hash>,
    chunks: Vec<Chunk>,
    vault: Vec<VaultRow>,
    views: Views,
    ids: Ids,
    /// All changed records of every learner that this plan changes a record of.
    states: BTreeMap<u64, Vec<(LeafIndex, StateRow)>>,
    learners: HashMap<u64, LearnerRow>,
    /// Applications that this plan moves.
    applications: BTreeMap<LeafIndex, ApplicationRow>,
    /// Learners whose archive this plan decides about.
    decided: HashSet<u64>,
    /// Rows of transfers that this plan changes, and their entries.
    shelves: Shelves,
    book: Vec<(LeafIndex, Vec<u8>)>,
    erased: Vec<[u8; 16]>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(bank: &'a Bank, base: Arc<Head>, recent: &'a Recent, now_ms: u64) -> Self {
        Self {
            bank,
            recent,
            now_ms,
            registry: Arc::clone(&base.registry),
            shelves: Shelves::over(Arc::clone(&base.snapshot)),
            book: Vec::new(),
            base,
            leaves: Vec::new(),
            chunks: Vec::new(),
            vault: Vec::new(),
            views: Views::default(),
            ids: Ids::default(),
            states: BTreeMap::new(),
            learners: HashMap::new(),
            applications: BTreeMap::new(),
            decided: HashSet::new(),
            erased: Vec::new(),
        }
    }

    /// Adds a batch and decides its rows.
    pub(crate) fn add(&mut self, mut admitted: Admitted) -> Result<Vec<Decision>, Failure> {
        self.check_again(&admitted)?;
        if admitted.all_or_none {
            self.check_together(&admitted)?;
        }
        let known = self.look_up_again(&admitted)?;
        let mut decisions = Vec::with_capacity(admitted.rows.len());
        for (number, row) in admitted.rows.iter_mut().enumerate() {
            let hash = admitted.tree.leaves()[number];
            let decision = match row {
                Row::Refused(faults) => Decision::Refused(std::mem::take(faults)),
                Row::Known(index) => Decision::Duplicate(*index),
                Row::Ready(ready) => {
                    let id = (admitted.issuer.number, ready.record_id);
                    match known
                        .get(&id)
                        .copied()
                        .or_else(|| self.ids.get(&id).copied())
                    {
                        Some((index, stored)) if stored == hash => Decision::Duplicate(index),
                        Some((index, _)) => {
                            Decision::Refused(vec![self.conflict(index, &ready.envelope)?])
                        }
                        None => self.decide(id, hash, ready, admitted.erasures_seen)?,
                    }
                }
            };
            decisions.push(decision);
        }
        self.add_chunks(&mut admitted, &decisions);
        Ok(decisions)
    }

    /// The plan, unless nothing is to be written.
    pub(crate) fn finish(self) -> Option<Finished> {
        if self.leaves.is_empty() {
            return None;
        }
        self.hash_again();
        let mut edge = self.base.edge.clone();
        let tiles = edge.append(&self.leaves);
        let size = edge.size().value();
        let mut views = self.views;
        views.states = self.states;
        views.applications = self.applications;
        views.shelf = self.shelves.into_rows();
        // Neighbouring keys share the path to their place in the memory table.
        views
            .ids
            .sort_unstable_by_key(|(issuer, record, _)| (*issuer, *record));
        let mut learners: Vec<_> = self.learners.into_iter().collect();
        learners.sort_unstable_by_key(|(learner, _)| *learner);
        let head = HeadRow {
            size,
            root: edge.root().0,
            deposited_at_ms: self.now_ms,
        };
        let plan = Plan {
            expected_size: self.base.row.size,
            chunks: self.chunks,
            tiles,
            vault: self.vault,
            book: self.book,
            views,
            learners,
            head,
        };
        Some(Finished {
            plan,
            edge,
            registry: self.registry,
            ids: self.ids,
            erased: self.erased,
        })
    }

    fn next(&self) -> LeafIndex {
        LeafIndex(self.base.row.size + self.leaves.len() as u64)
    }

    /// The registry may have changed since admission: the key may be revoked.
    fn check_again(&self, admitted: &Admitted) -> Result<(), Failure> {
        if Arc::ptr_eq(&admitted.registry, &self.registry) {
            return Ok(());
        }
        let issuer = admitted.issuer.profile.id.as_str();
        let key = self
            .registry
            .admit_key(issuer, &admitted.key_id, KeyPurpose::Sign, self.next());
        key.map(|_| ())
            .map_err(|refusal| Failure::Refused(refusal.at("key_id")))
    }

    /// Statements of one request are all admitted or none: each is checked as if those before it held.
    fn check_together(&self, admitted: &Admitted) -> Result<(), Failure> {
        let mut trial = Registry::clone(&self.registry);
        for (number, row) in admitted.rows.iter().enumerate() {
            let index = LeafIndex(self.next().0 + number as u64);
            if let Row::Ready(ready) = row
                && let Body::Public(statement, _) = &ready.body
            {
                let field = if admitted.rows.len() == 1 {
                    String::new()
                } else {
                    format!("requests[{number}]")
                };
                trial
                    .check(index, statement)
                    .map_err(|refusal| Failure::Refused(refusal.at(field)))?;
                trial.apply(index, statement);
            }
        }
        Ok(())
    }

    /// Ids of this batch that were committed after it was admitted.
    fn look_up_again(&self, admitted: &Admitted) -> Result<Ids, StoreError> {
        let mut known = Ids::default();
        if admitted.seen == self.base.row.size {
            return Ok(known);
        }
        let ready = admitted.rows.iter().filter_map(|row| match row {
            Row::Ready(ready) => Some((admitted.issuer.number, ready.record_id)),
            _ => None,
        });
        if self.recent.reaches(admitted.seen) {
            known.extend(ready.filter_map(|id| Some((id, self.recent.find(admitted.seen, &id)?))));
            return Ok(known);
        }
        let mut ids: Vec<_> = ready.collect();
        ids.sort_unstable();
        for (id, found) in ids.iter().zip(self.base.snapshot.ids(&ids)?) {
            if let Some(found) = found {
                let chunk = self.base.snapshot.chunk(found.index)?;
                known.insert(
                    *id,
                    (found.index, leaf_hash(envelope(&chunk, found.index)?)),
                );
            }
        }
        Ok(known)
    }

    fn conflict(&self, index: LeafIndex, sent: &[u8]) -> Result<Fault, StoreError> {
        if self.base.contains(index) {
            return Ok(conflict(
                envelope(&self.base.snapshot.chunk(index)?, index)?,
                sent,
            ));
        }
        let position = self.chunks.partition_point(|chunk| chunk.first <= index);
        let chunk = position
            .checked_sub(1)
            .map(|position| &self.chunks[position]);
        let stored = chunk.and_then(|chunk| chunk.created().find(|(at, ..)| *at == index));
        Ok(conflict(
            stored.map_or(&[], |(.., envelope)| &envelope[..]),
            sent,
        ))
    }

    /// Decides a row that is not in the log, and takes it in.
    fn decide(
        &mut self,
        id: Id,
        hash: Hash,
        ready: &mut ReadyRow,
        erasures_seen: u64,
    ) -> Result<Decision, StoreError> {
        let index = self.next();
        let refusal = match &ready.body {
            Body::Sealed {
                kind,
                category,
                learner,
                target,
                merged,
                seen,
                ..
            } => {
                match category.map_or(Ok(()), |category| self.may_deposit(id.0, *kind, category)) {
                    Ok(()) => {
                        let row = SealedRow {
                            index,
                            issuer: id.0,
                            kind: *kind,
                            learner: *learner,
                            target: *target,
                            merged: *merged,
                            seen: seen.as_ref(),
                        };
                        self.admit_sealed(&row, erasures_seen)?
                    }
                    Err(fault) => Some(fault),
                }
            }
            Body::Public(statement, _) => self.admit_statement(index, statement)?,
            Body::Entry { entry, seen, .. } => {
                self.admit_entry(index, entry, seen.as_ref(), erasures_seen)?
            }
        };
        if let Some(fault) = refusal {
            return Ok(Decision::Refused(vec![fault]));
        }
        let (learner, statement) = match &mut ready.body {
            Body::Sealed { learner, vault, .. } => {
                set_deposited_at(vault, self.now_ms);
                self.vault.push(VaultRow {
                    learner: *learner,
                    index,
                    value: std::mem::take(vault),
                });
                (*learner, None)
            }
            Body::Public(_, bytes) => (0, Some(bytes.as_slice())),
            Body::Entry { bytes, .. } => {
                self.book.push((index, std::mem::take(bytes)));
                (0, None)
            }
        };
        fold_leaf(
            &mut self.views,
            Folded {
                index,
                issuer: id.0,
                record_id: id.1,
                learner,
                statement,
            },
        );
        self.ids.insert(id, (index, hash));
        let mut tail = Vec::with_capacity(12);
        creditbank_wire::convert::leaf::encode_tail(self.now_ms, &mut tail);
        self.leaves.push(Hash(
            ready.begun.clone().chain_update(&tail).finalize().into(),
        ));
        Ok(Decision::Created(index))
    }

    /// The issuer's categories may have changed since admission.
    fn may_deposit(
        &self,
        issuer: InstitutionNumber,
        kind: RecordKind,
        category: Category,
    ) -> Result<(), Fault> {
        let institution = self
            .registry
            .by_number(issuer)
            .ok_or_else(|| Refusal::IssuerUnknown.at("issuer"))?;
        may_deposit(institution, kind, category)
    }

    fn admit_statement(
        &mut self,
        index: LeafIndex,
        statement: &Statement,
    ) -> Result<Option<Fault>, StoreError> {
        if let Err(refusal) = self.registry.check(index, statement) {
            return Ok(Some(refusal.at("statement")));
        }
        if let Statement::LearnerErased { handle } = statement
            && !self.is_survivor(handle)?
        {
            return Ok(Some(Refusal::LearnerUnknown.at("statement")));
        }
        Arc::make_mut(&mut self.registry).apply(index, statement);
        if let Statement::LearnerErased { handle } = statement {
            self.erased.push(*handle);
        }
        Ok(None)
    }

    /// A step of a transfer must be the next one, and rest on what still holds.
    fn admit_entry(
        &mut self,
        index: LeafIndex,
        entry: &creditbank_wire::convert::transfer::Entry,
        seen: Option<&Seen>,
        erasures_seen: u64,
    ) -> Result<Option<Fault>, StoreError> {
        let moved = || Some(Refusal::TransferMoved.at(""));
        if let Some(seen) = seen {
            let is_erased = self.bank.erasures() != erasures_seen;
            for learner in &seen.archive {
                let is_gone = is_erased && self.bank.store().wrapped_key(*learner)?.is_none();
                if is_gone || self.has_changed(*learner, seen.size)? {
                    return Ok(moved());
                }
            }
        }
        let entered = self
            .shelves
            .enter(&self.registry, index, self.now_ms, entry)?;
        Ok(entered.err().map(|refusal| refusal.at("")))
    }

    /// Whether a handle leads to an archive that was not merged into another: only those are erased.
    fn is_survivor(&self, handle: &[u8; 16]) -> Result<bool, StoreError> {
        let Handle::Learner(learner) = self.bank.store().handle(handle)? else {
            return Ok(false);
        };
        Ok(self
            .learner(learner)?
            .is_some_and(|row| row.merged_into.is_none()))
    }

    fn admit_sealed(
        &mut self,
        row: &SealedRow<'_>,
        erasures_seen: u64,
    ) -> Result<Option<Fault>, StoreError> {
        let learner = row.learner;
        if self.bank.erasures() != erasures_seen
            && self.bank.store().wrapped_key(learner)?.is_none()
        {
            return Ok(Some(Refusal::LearnerErased.at("payload.learner")));
        }
        if let Some(merged) = row.merged {
            return self.merge(learner, merged);
        }
        if row.kind == RecordKind::Application {
            let application = fold_application(None, row.kind, learner, self.now_ms);
            self.applications.insert(row.index, application);
        }
        if row.kind == RecordKind::TransferRequest {
            self.shelves.request(row.index);
        }
        let Some(target) = row.target else {
            return Ok(None);
        };
        if let Some(seen) = row.seen {
            return self.take_step(row, target.leaf_index, seen);
        }
        match self.check_target(row.issuer, row.kind, learner, target)? {
            Ok((owner, state)) => {
                let state = fold_state(state, row.kind, row.index);
                self.set_state(owner, target.leaf_index, state)?;
                fold_ended(&mut self.views, row.kind, target.leaf_index);
                Ok(None)
            }
            Err(refusal) => Ok(Some(refusal.at("envelope.refs[0]"))),
        }
    }

    /// A step was admitted on what its application was at some size of the log. If anything moved since, it is for
    /// its maker to look again.
    fn take_step(
        &mut self,
        row: &SealedRow<'_>,
        target: LeafIndex,
        seen: &Seen,
    ) -> Result<Option<Fault>, StoreError> {
        let moved = || Refusal::ApplicationMoved.at("envelope.refs[0]");
        let stands = match self.applications.get(&target) {
            Some(stands) => Some(*stands),
            None => self.base.snapshot.application(target)?,
        };
        let Some(stands) = stands.filter(|stands| stands.steps == seen.steps) else {
            return Ok(Some(moved()));
        };
        for learner in &seen.archive {
            if self.has_changed(*learner, seen.size)? {
                return Ok(Some(moved()));
            }
        }
        for bound in &seen.unbound {
            if self.shelves.binding(*bound)?.is_some() {
                return Ok(Some(moved()));
            }
        }
        self.decided.extend(&seen.archive);
        let stands = fold_application(Some(stands), row.kind, row.learner, self.now_ms);
        self.applications.insert(target, stands);
        Ok(None)
    }

    /// Whether a record or a decision of a learner was changed since the log had `size` leaves.
    fn has_changed(&self, learner: u64, size: u64) -> Result<bool, StoreError> {
        if self.decided.contains(&learner) || self.states.contains_key(&learner) {
            return Ok(true);
        }
        let mut changed = false;
        self.base.snapshot.vault(learner, None, |index, row| {
            if index.0 < size {
                return Go::Break(());
            }
            let kind = header(row).map(|header| header.kind);
            changed |= kind.is_ok_and(|kind| kind.is_step() || kind.changes_outcome());
            Go::Continue(())
        })?;
        // The bank amends and revokes records of a learner under any of the archive's codes.
        let states = self.base.snapshot.states(learner)?;
        let since = |index: Option<LeafIndex>| index.is_some_and(|index| index.0 >= size);
        Ok(changed
            || states
                .iter()
                .any(|(_, state)| since(state.amended_by) || since(state.revoked_by)))
    }

    /// A target is an outcome in force, of the same issuer (or the bank acts) and the same learner.
    fn check_target(
        &self,
        issuer: InstitutionNumber,
        kind: RecordKind,
        learner: u64,
        target: RecordRef,
    ) -> Result<Result<(u64, StateRow), Refusal>, StoreError> {
        let index = target.leaf_index;
        if !self.base.contains(index) {
            return Ok(Err(Refusal::TargetMissing));
        }
        let chunk = self.base.snapshot.chunk(index)?;
        if leaf_hash(&leaf(&chunk, index)?).0 != target.leaf_hash {
            return Ok(Err(Refusal::TargetHashMismatch));
        }
        let Ok(message) = canonical::<v1::Envelope>(envelope(&chunk, index)?) else {
            return Ok(Err(Refusal::TargetMissing));
        };
        let owner = self
            .registry
            .institution(&message.issuer)
            .map(|institution| institution.number);
        let is_bank = issuer == InstitutionNumber(0);
        let Some(owner) = owner.filter(|owner| *owner == issuer || is_bank) else {
            return Ok(Err(Refusal::TargetForeign));
        };
        let shows = u32::try_from(message.kind)
            .ok()
            .and_then(RecordKind::from_number);
        if !shows.is_some_and(|shows| shows.is_changed_by(kind)) {
            return Ok(Err(Refusal::TargetNotAmendable));
        }
        if shows == Some(RecordKind::Consent) && self.shelves.is_used(index)? {
            return Ok(Err(Refusal::ConsentUsed));
        }
        let record_id = RecordId::from_slice(&message.record_id).unwrap_or(RecordId([0; 16]));
        let row = self.base.snapshot.id(owner, &record_id)?;
        let stored = row.map_or(0, |row| row.learner);
        if stored == 0 || self.survivor(stored)? != self.survivor(learner)? {
            return Ok(Err(Refusal::TargetLearnerDiffers));
        }
        let state = match self.states.get(&stored) {
            Some(states) => find_state(states, index),
            None => find_state(&self.base.snapshot.states(stored)?, index),
        };
        Ok(match state {
            StateRow {
                revoked_by: Some(_),
                ..
            } => Err(Refusal::TargetRevoked),
            StateRow {
                amended_by: Some(_),
                ..
            } if kind != RecordKind::Confirmation => Err(Refusal::TargetNotAmendable),
            state => Ok((stored, state)),
        })
    }

    fn set_state(
        &mut self,
        learner: u64,
        target: LeafIndex,
        state: StateRow,
    ) -> Result<(), StoreError> {
        let states = match self.states.entry(learner) {
            Entry::Occupied(states) => states.into_mut(),
            Entry::Vacant(none) => none.insert(self.base.snapshot.states(learner)?),
        };
        put_state(states, target, state);
        Ok(())
    }

    /// The code that an archive goes by after merges.
    fn survivor(&self, learner: u64) -> Result<u64, StoreError> {
        Ok(self
            .learner(learner)?
            .and_then(|row| row.merged_into)
            .unwrap_or(learner))
    }

    fn learner(&self, learner: u64) -> Result<Option<LearnerRow>, StoreError> {
        match self.learners.get(&learner) {
            Some(row) => Ok(Some(row.clone())),
            None => self.bank.store().learner(learner),
        }
    }

    fn merge(&mut self, learner: u64, merged: u64) -> Result<Option<Fault>, StoreError> {
        if learner == merged {
            return Ok(Some(Refusal::MergeSelf.at("payload.merge.merged_learner")));
        }
        debug_assert!(LearnerCode::from_u64(merged).is_ok());
        let (Some(mut kept), Some(mut gone)) = (self.learner(learner)?, self.learner(merged)?)
        else {
            return Ok(Some(
                Refusal::LearnerUnknown.at("payload.merge.merged_learner"),
            ));
        };
        if [&kept, &gone]
            .iter()
            .any(|row| self.erased.contains(&row.handle))
        {
            return Ok(Some(
                Refusal::LearnerErased.at("payload.merge.merged_learner"),
            ));
        }
        if kept.merged_into.is_some() || gone.merged_into.is_some() {
            return Ok(Some(
                Refusal::IdentityTaken.at("payload.merge.merged_learner"),
            ));
        }
        // Names are kept flat: every code knows its survivor directly.
        for other in std::mem::take(&mut gone.merged) {
            if let Some(mut row) = self.learner(other)? {
                row.merged_into = Some(learner);
                self.learners.insert(other, row);
                kept.merged.push(other);
            }
        }
        gone.merged_into = Some(learner);
        kept.merged.push(merged);
        self.learners.insert(merged, gone);
        self.learners.insert(learner, kept);
        Ok(None)
    }

    /// Keeps the created rows of a batch, 32 at a time.
    fn add_chunks(&mut self, admitted: &mut Admitted, decisions: &[Decision]) {
        let groups = admitted.rows.len().div_ceil(CHUNK_ROWS);
        let upper = (groups > 1).then(|| BatchTree::new(group_roots(admitted.tree.leaves())));
        for group in 0..groups {
            let range = group * CHUNK_ROWS..((group + 1) * CHUNK_ROWS).min(admitted.rows.len());
            let first = decisions[range.clone()]
                .iter()
                .find_map(|decision| match decision {
                    Decision::Created(index) => Some(*index),
                    _ => None,
                });
            let Some(first) = first else { continue };
            let rows =
                range.clone().map(
                    |number| match (&decisions[number], &admitted.rows[number]) {
                        (Decision::Created(_), Row::Ready(ready)) => {
                            ChunkRow::Created(ready.envelope.clone())
                        }
                        _ => ChunkRow::Other(admitted.tree.leaves()[number]),
                    },
                );
            self.chunks.push(Chunk {
                first,
                deposited_at_ms: self.now_ms,
                algorithm: admitted.algorithm as u8,
                key_id: admitted.key_id.0,
                signature: admitted.signature.clone(),
                batch_size: u16::try_from(admitted.rows.len()).expect("at most 1,024"),
                first_row: u16::try_from(range.start).expect("at most 1,024"),
                rows: rows.collect(),
                upper_path: upper
                    .as_ref()
                    .map(|tree| tree.path(group))
                    .unwrap_or_default(),
            });
            let last = self
                .chunks
                .last()
                .map_or(first.0, |chunk| first.0 + chunk.leaves() - 1);
            fold_submissions(&mut self.views, admitted.issuer.number, first.0..=last);
        }
    }

    /// Hashes every new leaf a second time, from the rows that will be stored: a bit that flipped in memory must not
    /// end a public log.
    fn hash_again(&self) {
        let again = self.chunks.iter().flat_map(Chunk::leaves_in_order);
        let mut count = 0;
        for ((index, leaf), first) in again.zip(&self.leaves) {
            assert_eq!(
                leaf_hash(&encode(&leaf)),
                *first,
                "two hashes of leaf {index} differ"
            );
            count += 1;
        }
        assert_eq!(count, self.leaves.len(), "the plan keeps every leaf");
    }
}

/// Roots of the aligned groups of a batch: nodes of its tree.
fn group_roots(leaves: &[Hash]) -> Vec<Hash> {
    debug_assert!(leaves.len() > CHUNK_ROWS);
    leaves
        .chunks(CHUNK_ROWS)
        .map(creditbank_merkle::root_of)
        .collect()
}
