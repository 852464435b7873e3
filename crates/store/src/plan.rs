//! Plans: what one commit writes, as plain data. The same plan gives the same bytes on every machine.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_merkle::FullTile;

use crate::{
    AccessKey, ApplicationRow, Chunk, HeadRow, IdRow, LearnerRow, ShelfKey, StateRow,
    StatisticsChange,
};

/// Leaves of one entry of the submissions view.
pub const SUBMISSION_BLOCK: u64 = 256;

/// One group commit.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The committed size it continues.
    pub expected_size: u64,
    /// New part of the log, in order.
    pub chunks: Vec<Chunk>,
    /// Tiles that this commit completes.
    pub tiles: Vec<FullTile>,
    /// New rows of the vault.
    pub vault: Vec<VaultRow>,
    /// New entries of transfers: salt and entry, by leaf.
    pub book: Vec<(LeafIndex, Vec<u8>)>,
    /// Changes of the views.
    pub views: Views,
    /// Learner rows that a merge changes.
    pub learners: Vec<(u64, LearnerRow)>,
    /// Size and root afterwards.
    pub head: HeadRow,
}

/// A sealed payload.
#[derive(Debug, Clone)]
pub struct VaultRow {
    /// Learner code as a number.
    pub learner: u64,
    /// Its leaf.
    pub index: LeafIndex,
    /// Header and sealed bytes; the ledger's format.
    pub value: Vec<u8>,
}

/// Rows that are a fold over log and vault: dropping and folding again gives the same bytes.
#[derive(Debug, Clone, Default)]
pub struct Views {
    /// Record ids.
    pub ids: Vec<(InstitutionNumber, RecordId, IdRow)>,
    /// Blocks of [`SUBMISSION_BLOCK`] leaves that hold records of an issuer, each once.
    pub submissions: BTreeSet<(InstitutionNumber, u64)>,
    /// Statements in the log, for a fast start.
    pub statements: Vec<(LeafIndex, Vec<u8>)>,
    /// What records did to others: learner, and all that is changed of that learner, by leaf index.
    pub states: BTreeMap<u64, Vec<(LeafIndex, StateRow)>>,
    /// Where applications stand.
    pub applications: BTreeMap<LeafIndex, ApplicationRow>,
    /// Records that were amended or revoked, and the kind of the record that did it.
    pub ended: BTreeMap<LeafIndex, u8>,
    /// Rows about transfers; none for one that goes.
    pub shelf: BTreeMap<ShelfKey, Option<Vec<u8>>>,
}

/// A learner to be written beside the log.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// Learner code as a number.
    pub learner: u64,
    /// The learner.
    pub row: LearnerRow,
    /// Data key, wrapped under the bank's key-encryption key.
    pub wrapped_key: Vec<u8>,
}

/// Everything that names a learner and must go.
#[derive(Debug, Clone, Default)]
pub struct Erasure {
    /// The learner's codes: the surviving one and those merged into it.
    pub learners: Vec<u64>,
    /// HMAC digests of identities.
    pub identities: Vec<[u8; 32]>,
    /// Handles of these codes.
    pub handles: Vec<[u8; 16]>,
    /// Rows of the id view that lead to the learner, with the learner taken out.
    pub ids: Vec<(InstitutionNumber, RecordId, IdRow)>,
    /// Rows of the learner's applications, with the learner taken out.
    pub applications: Vec<(LeafIndex, ApplicationRow)>,
    /// What the learner granted and asked, who looked, what leads there, and what others granted to the learner.
    pub access: Vec<AccessKey>,
    /// The figures that stay. They are written with the end of the key: nobody could fold them afterwards.
    pub statistics: StatisticsChange,
}

/// What a handle in an erasure entry leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    /// Nothing: the erasure is complete.
    Unknown,
    /// A learner who is still there.
    Learner(u64),
    /// A learner who is gone, whose bytes may still lie in the files.
    Emptied,
}

/// The stored form of folded views: family, key and value, in the order of a scan.
pub fn view_rows(views: &Views) -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    use crate::keys::{self, IDS, VIEWS};
    let ids = views.ids.iter().map(|(issuer, record, row)| {
        (
            IDS,
            keys::id(*issuer, record).to_vec(),
            row.encode().to_vec(),
        )
    });
    let submissions = views.submissions.iter().map(|(issuer, block)| {
        (
            VIEWS,
            keys::submission(*issuer, *block).to_vec(),
            Vec::new(),
        )
    });
    let statements = views
        .statements
        .iter()
        .map(|(index, bytes)| (VIEWS, keys::registry(*index).to_vec(), bytes.clone()));
    let states = views.states.iter().map(|(learner, states)| {
        (
            VIEWS,
            keys::states(*learner).to_vec(),
            crate::codec::encode_states(states),
        )
    });
    let applications = views
        .applications
        .iter()
        .map(|(index, row)| (VIEWS, keys::application(*index).to_vec(), row.encode()));
    let ended = views
        .ended
        .iter()
        .map(|(index, kind)| (VIEWS, keys::ended(*index).to_vec(), vec![*kind]));
    let shelf = views.shelf.iter().filter_map(|(key, row)| {
        let row = row.as_ref()?;
        Some((VIEWS, key.encode(), row.clone()))
    });
    let mut rows: Vec<_> = ids
        .chain(submissions)
        .chain(statements)
        .chain(states)
        .chain(applications)
        .chain(ended)
        .chain(shelf)
        .collect();
    rows.sort_unstable();
    rows
}
