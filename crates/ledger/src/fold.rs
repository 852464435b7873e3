//! The fold from log and vault to views: the same rows whether a record was just committed or is read back.

use std::ops::RangeInclusive;

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_store::{ApplicationRow, IdRow, SUBMISSION_BLOCK, StateRow, Views};

/// What the views need to know of one leaf.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folded<'a> {
    pub(crate) index: LeafIndex,
    pub(crate) issuer: InstitutionNumber,
    pub(crate) record_id: RecordId,
    /// 0 for statements and erased learners.
    pub(crate) learner: u64,
    /// Canonical bytes of a statement.
    pub(crate) statement: Option<&'a [u8]>,
}

/// Adds the rows of one leaf.
pub(crate) fn fold_leaf(views: &mut Views, leaf: Folded<'_>) {
    let row = IdRow {
        index: leaf.index,
        learner: leaf.learner,
    };
    views.ids.push((leaf.issuer, leaf.record_id, row));
    if let Some(statement) = leaf.statement {
        views.statements.push((leaf.index, statement.to_vec()));
    }
}

/// The state of a record after `kind` at `index` was done to it.
pub(crate) fn fold_state(state: StateRow, kind: RecordKind, index: LeafIndex) -> StateRow {
    match kind {
        RecordKind::Amendment => StateRow {
            amended_by: Some(index),
            ..state
        },
        RecordKind::Revocation => StateRow {
            revoked_by: Some(index),
            ..state
        },
        RecordKind::Confirmation => StateRow {
            confirmed_by: Some(index),
            ..state
        },
        _ => state,
    }
}

/// Notes that `kind` ended the record `target`, where it does. The log alone says so: the row stands whoever the learner is,
/// and stays when the learner is erased.
pub(crate) fn fold_ended(views: &mut Views, kind: RecordKind, target: LeafIndex) {
    if matches!(kind, RecordKind::Amendment | RecordKind::Revocation) {
        views.ended.insert(target, kind as u8);
    }
}

/// Where an application stands after a record of `kind` that was deposited at `at_ms`; `row` is none for the
/// application itself. Votes and objections are counted, but change nothing.
pub(crate) fn fold_application(
    row: Option<ApplicationRow>,
    kind: RecordKind,
    learner: u64,
    at_ms: u64,
) -> ApplicationRow {
    let Some(row) = row else {
        return ApplicationRow {
            learner,
            kind: kind as u8,
            since_ms: at_ms,
            steps: 0,
        };
    };
    let steps = row.steps + 1;
    match kind {
        RecordKind::Review | RecordKind::Objection => ApplicationRow { steps, ..row },
        _ => ApplicationRow {
            kind: kind as u8,
            since_ms: at_ms,
            steps,
            ..row
        },
    }
}

/// Notes the blocks in which leaves of an issuer lie.
pub(crate) fn fold_submissions(
    views: &mut Views,
    issuer: InstitutionNumber,
    leaves: RangeInclusive<u64>,
) {
    let blocks = leaves.start() / SUBMISSION_BLOCK..=leaves.end() / SUBMISSION_BLOCK;
    views
        .submissions
        .extend(blocks.map(|block| (issuer, block)));
}

/// The state of one record among the changed ones of its learner, which are sorted.
pub(crate) fn find_state(states: &[(LeafIndex, StateRow)], target: LeafIndex) -> StateRow {
    let place = states.binary_search_by_key(&target, |(target, _)| *target);
    place.map_or_else(|_| StateRow::default(), |place| states[place].1)
}

/// Puts a state in its place among the changed ones of its learner.
pub(crate) fn put_state(
    states: &mut Vec<(LeafIndex, StateRow)>,
    target: LeafIndex,
    state: StateRow,
) {
    match states.binary_search_by_key(&target, |(target, _)| *target) {
        Ok(place) => states[place].1 = state,
        Err(place) => states.insert(place, (target, state)),
    }
}
