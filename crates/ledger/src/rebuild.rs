//! Folding the views again from log and vault. The same log gives the same bytes.

use std::collections::{BTreeMap, HashMap};

use creditbank_domain::identifier::RecordId;
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{ApplicationRow, Chunk, Go, Snapshot, StateRow, Store, StoreError, Views};
use creditbank_wire::convert::{record, transfer};
use creditbank_wire::v1;

use crate::fold::{
    Folded, find_state, fold_application, fold_ended, fold_leaf, fold_state, fold_submissions,
    put_state,
};
use crate::transfer::Shelves;
use crate::vault;

/// Rows written at a time.
const ROWS_PER_WRITE: usize = 50_000;

/// Why the views could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A leaf that this program cannot read.
    #[error("leaf {0}: {1}")]
    Leaf(LeafIndex, Refusal),
}

/// Drops all views and folds them again; `progress` is told how many leaves are done.
pub fn rebuild(store: &Store, mut progress: impl FnMut(u64)) -> Result<(), RebuildError> {
    let snapshot = store.snapshot();
    store.drop_views()?;
    fold(&snapshot, |views, leaves| {
        progress(leaves);
        store.write_views(&views)
    })?;
    Ok(store.flush()?)
}

/// Folds log and vault, and hands the rows out in parts; states and applications come last.
pub(crate) fn fold(
    snapshot: &Snapshot,
    mut write: impl FnMut(Views, u64) -> Result<(), StoreError>,
) -> Result<(), RebuildError> {
    let learners = owners(snapshot)?;
    let mut fold = Fold {
        snapshot,
        shelves: Shelves::default(),
        learners,
        registry: Registry::default(),
        states: BTreeMap::new(),
        applications: BTreeMap::new(),
        views: Views::default(),
    };
    let mut failed: Option<RebuildError> = None;
    let mut leaves = 0;
    snapshot.chunks(LeafIndex(0), |chunk| {
        leaves += chunk.leaves();
        let mut step = || -> Result<(), RebuildError> {
            fold.chunk(&chunk)?;
            if fold.views.ids.len() >= ROWS_PER_WRITE {
                write(std::mem::take(&mut fold.views), leaves)?;
            }
            Ok(())
        };
        match step() {
            Ok(()) => Go::Continue(()),
            Err(error) => {
                failed = Some(error);
                Go::Break(())
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    fold.views.states = fold.states;
    fold.views.applications = fold.applications;
    fold.views.shelf = fold.shelves.into_rows();
    Ok(write(fold.views, leaves)?)
}

/// Which learner each sealed record belongs to.
fn owners(snapshot: &Snapshot) -> Result<HashMap<u64, u64>, StoreError> {
    let mut owners = HashMap::new();
    snapshot.whole_vault(|learner, index, row| {
        if vault::header(row).is_ok() {
            owners.insert(index.0, learner);
        }
        Go::Continue(())
    })?;
    Ok(owners)
}

struct Fold<'a> {
    snapshot: &'a Snapshot,
    shelves: Shelves,
    learners: HashMap<u64, u64>,
    registry: Registry,
    states: BTreeMap<u64, Vec<(LeafIndex, StateRow)>>,
    applications: BTreeMap<LeafIndex, ApplicationRow>,
    views: Views,
}

impl Fold<'_> {
    fn chunk(&mut self, chunk: &Chunk) -> Result<(), RebuildError> {
        let mut issuer = None;
        for (index, _, envelope) in chunk.created() {
            let leaf = |refusal| RebuildError::Leaf(index, refusal);
            let message: v1::Envelope = record::canonical(envelope).map_err(leaf)?;
            if !message.statement.is_empty() {
                let statement = record::canonical(&message.statement)
                    .and_then(record::statement)
                    .map_err(leaf)?;
                self.registry.apply(index, &statement);
            }
            let number = self
                .registry
                .institution(&message.issuer)
                .map(|institution| institution.number);
            let number = number.ok_or(leaf(Refusal::IssuerUnknown))?;
            issuer = Some(number);
            self.leaf(index, number, &message, chunk.deposited_at_ms)
                .map_err(leaf)?;
            self.transfer(index, &message, chunk.deposited_at_ms)?;
        }
        if let Some(issuer) = issuer {
            let first = chunk.first.0;
            fold_submissions(&mut self.views, issuer, first..=first + chunk.leaves() - 1);
        }
        Ok(())
    }

    fn transfer(
        &mut self,
        index: LeafIndex,
        message: &v1::Envelope,
        at_ms: u64,
    ) -> Result<(), RebuildError> {
        match RecordKind::from_number(message.kind.cast_unsigned()) {
            Some(RecordKind::TransferRequest) => self.shelves.request(index),
            Some(RecordKind::Transfer) => {
                let leaf = |refusal| RebuildError::Leaf(index, refusal);
                let bytes = self.snapshot.book(index)?.unwrap_or_default();
                let entry = bytes.get(32..).ok_or(leaf(Refusal::Missing))?;
                let entry = transfer::entry(entry).map_err(leaf)?;
                let shelves = &mut self.shelves;
                shelves
                    .enter(&self.registry, index, at_ms, &entry)?
                    .map_err(leaf)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        index: LeafIndex,
        issuer: InstitutionNumber,
        message: &v1::Envelope,
        at_ms: u64,
    ) -> Result<(), Refusal> {
        let record_id = RecordId::from_slice(&message.record_id)?;
        let learner = self.learners.get(&index.0).copied().unwrap_or(0);
        let statement = (!message.statement.is_empty()).then_some(&message.statement[..]);
        fold_leaf(
            &mut self.views,
            Folded {
                index,
                issuer,
                record_id,
                learner,
                statement,
            },
        );
        let kind = u32::try_from(message.kind)
            .ok()
            .and_then(RecordKind::from_number);
        if kind == Some(RecordKind::Application) {
            let row = fold_application(None, RecordKind::Application, learner, at_ms);
            self.applications.insert(index, row);
        }
        let (Some(kind), [target]) = (kind, message.refs.as_slice()) else {
            return Ok(());
        };
        if kind.is_step() {
            let target = LeafIndex(target.leaf_index);
            let row = self.applications.get(&target).copied();
            let row = row.ok_or(Refusal::TargetMissing)?;
            let row = fold_application(Some(row), kind, learner, at_ms);
            self.applications.insert(target, row);
            return Ok(());
        }
        fold_ended(&mut self.views, kind, LeafIndex(target.leaf_index));
        // The target of an erased learner has no owner any more, and no state.
        if let Some(owner) = self.learners.get(&target.leaf_index) {
            let states = self.states.entry(*owner).or_default();
            let target = LeafIndex(target.leaf_index);
            put_state(
                states,
                target,
                fold_state(find_state(states, target), kind, index),
            );
        }
        Ok(())
    }
}
