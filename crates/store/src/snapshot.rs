//! Reading: one snapshot for one answer, so that an answer and its proof agree.

use std::ops::Range;
use std::sync::Arc;

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_merkle::tile::{TILE_STORED_BYTES, hash_in};
use creditbank_merkle::{Hash, TileId};
use rocksdb::{DB, DBPinnableSlice, ReadOptions};

use crate::codec::decode_states;
use crate::keys::{self, BOOK, IDS, LEAVES, META_HEAD, TILES, VAULT, VIEWS};
use crate::{ApplicationRow, Chunk, Damage, HeadRow, IdRow, ShelfKey, StateRow, StoreError};

self_cell::self_cell!(
    struct Held {
        owner: Arc<DB>,
        #[covariant]
        dependent: Taken,
    }
);

type Taken<'a> = rocksdb::Snapshot<'a>;

/// The database as it was at one moment. Holding one keeps old rows on disk: let it go soon.
pub struct Snapshot(Held);

/// What a scan says to each row.
pub type Go = std::ops::ControlFlow<()>;

impl Snapshot {
    pub(crate) fn take(db: Arc<DB>) -> Self {
        Self(Held::new(db, |db| db.snapshot()))
    }

    /// Size and root; `None` before the first commit.
    pub fn head(&self) -> Result<Option<HeadRow>, StoreError> {
        let bytes = self.0.borrow_dependent().get_pinned(META_HEAD)?;
        bytes
            .map(|bytes| HeadRow::decode(&bytes).ok_or(StoreError::Damaged(Damage::Row("head"))))
            .transpose()
    }

    /// The chunk that holds the leaf at `index`.
    pub fn chunk(&self, index: LeafIndex) -> Result<Chunk, StoreError> {
        let missing = StoreError::Damaged(Damage::LeafMissing(index));
        let mut rows = self.iterate(LEAVES, ReadOptions::default());
        rows.seek_for_prev(keys::leaf(index));
        let Some((key, value)) = rows.item() else {
            rows.status()?;
            return Err(missing);
        };
        let first = key
            .try_into()
            .map(u64::from_be_bytes)
            .map_err(|_| StoreError::Damaged(Damage::Row("leaves")))?;
        let chunk = Chunk::decode(LeafIndex(first), value)?;
        if index.0 - first < chunk.leaves() {
            Ok(chunk)
        } else {
            Err(missing)
        }
    }

    /// Chunks in log order, from the one that holds `from`, until `visit` breaks.
    pub fn chunks(
        &self,
        from: LeafIndex,
        mut visit: impl FnMut(Chunk) -> Go,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_readahead_size(4 << 20);
        let mut rows = self.iterate(LEAVES, options);
        rows.seek_for_prev(keys::leaf(from));
        if !rows.valid() {
            rows.seek_to_first();
        }
        while let Some((key, value)) = rows.item() {
            let first = key.try_into().map(u64::from_be_bytes);
            let first = first.map_err(|_| StoreError::Damaged(Damage::Row("leaves")))?;
            let chunk = Chunk::decode(LeafIndex(first), value)?;
            if first + chunk.leaves() > from.0 && visit(chunk).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// One hash of a full tile, at a byte offset in its 511 hashes.
    pub fn tile_hash(&self, id: TileId, offset: usize) -> Result<Hash, StoreError> {
        hash_in(&self.tile(id)?, offset).ok_or(damaged_tile(id))
    }

    /// All 511 hashes of a full tile.
    pub fn tile(&self, id: TileId) -> Result<DBPinnableSlice<'_>, StoreError> {
        let tile = self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(TILES), keys::tile(id.level, id.index))?;
        tile.filter(|tile| tile.len() == TILE_STORED_BYTES)
            .ok_or(damaged_tile(id))
    }

    /// Where each record id leads, in the order of `ids`; ids must ascend.
    pub fn ids(
        &self,
        ids: &[(InstitutionNumber, RecordId)],
    ) -> Result<Vec<Option<IdRow>>, StoreError> {
        debug_assert!(ids.is_sorted());
        let keys: Vec<_> = ids
            .iter()
            .map(|(issuer, record)| keys::id(*issuer, record))
            .collect();
        let mut options = ReadOptions::default();
        options.set_snapshot(self.0.borrow_dependent());
        let rows = self
            .db()
            .batched_multi_get_cf_opt(self.family(IDS), &keys, true, &options);
        rows.into_iter()
            .map(|row| row?.map(|bytes| decode_id(&bytes)).transpose())
            .collect()
    }

    /// Where one record id leads.
    pub fn id(
        &self,
        issuer: InstitutionNumber,
        record: &RecordId,
    ) -> Result<Option<IdRow>, StoreError> {
        let row = self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(IDS), keys::id(issuer, record))?;
        row.map(|bytes| decode_id(&bytes)).transpose()
    }

    /// Sealed rows of a learner, newest first, from below `before`, until `visit` breaks.
    pub fn vault(
        &self,
        learner: u64,
        before: Option<LeafIndex>,
        mut visit: impl FnMut(LeafIndex, &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let start = match before {
            Some(LeafIndex(0)) => return Ok(()),
            Some(index) => keys::vault(learner, LeafIndex(index.0 - 1)),
            None => keys::vault(learner, LeafIndex(u64::MAX)),
        };
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        let mut rows = self.iterate(VAULT, options);
        rows.seek(start);
        while let Some((key, value)) = rows.item() {
            match keys::vault_parts(key) {
                Some((owner, index)) if owner == learner => {
                    if visit(index, value).is_break() {
                        return Ok(());
                    }
                }
                _ => break,
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// One sealed row.
    pub fn vault_row(
        &self,
        learner: u64,
        index: LeafIndex,
    ) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        Ok(self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(VAULT), keys::vault(learner, index))?)
    }

    /// The whole vault, learner by learner, for a rebuild or a check.
    pub fn whole_vault(
        &self,
        mut visit: impl FnMut(u64, LeafIndex, &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.set_readahead_size(4 << 20);
        let mut rows = self.iterate(VAULT, options);
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            let (learner, index) =
                keys::vault_parts(key).ok_or(StoreError::Damaged(Damage::Row("vault")))?;
            if visit(learner, index, value).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// What later records did to the records of a learner, by leaf index.
    pub fn states(&self, learner: u64) -> Result<Vec<(LeafIndex, StateRow)>, StoreError> {
        let row = self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(VIEWS), keys::states(learner))?;
        let Some(bytes) = row else {
            return Ok(Vec::new());
        };
        decode_states(&bytes).ok_or(StoreError::Damaged(Damage::Row("states")))
    }

    /// Every learner of whom a record was changed, until `visit` breaks.
    pub fn changed_learners(&self, mut visit: impl FnMut(u64) -> Go) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.set_iterate_upper_bound(keys::after_prefix(&[keys::KIND_STATE]));
        let mut rows = self.iterate(VIEWS, options);
        rows.seek([keys::KIND_STATE]);
        while let Some(key) = rows.key() {
            let learner = key[1..].try_into().map(u64::from_be_bytes);
            let learner = learner.map_err(|_| StoreError::Damaged(Damage::Row("states")))?;
            if visit(learner).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// Blocks of [`SUBMISSION_BLOCK`](crate::SUBMISSION_BLOCK) leaves with records of an issuer, newest first, at or
    /// below `from`, until `visit` breaks.
    pub fn submissions(
        &self,
        issuer: InstitutionNumber,
        from: u64,
        mut visit: impl FnMut(u64) -> Go,
    ) -> Result<(), StoreError> {
        let start = keys::submission(issuer, from);
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(keys::after_prefix(&start[..5]));
        let mut rows = self.iterate(VIEWS, options);
        rows.seek(start);
        while let Some(key) = rows.key() {
            let block = key[5..].try_into().map(u64::from_be_bytes);
            let block = block.map_err(|_| StoreError::Damaged(Damage::Row("submissions")))?;
            if visit(!block).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// The statements of the log, in order.
    pub fn statements(&self, mut visit: impl FnMut(LeafIndex, &[u8])) -> Result<(), StoreError> {
        self.prefix(VIEWS, &[keys::KIND_REGISTRY], |key, value| {
            if let Ok(index) = key[1..].try_into() {
                visit(LeafIndex(u64::from_be_bytes(index)), value);
            }
            Go::Continue(())
        })
    }

    /// The canonical bytes of one statement.
    pub fn statement(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(VIEWS), keys::registry(index))?;
        Ok(row.map(|bytes| bytes.to_vec()))
    }

    /// Where one application stands.
    pub fn application(&self, index: LeafIndex) -> Result<Option<ApplicationRow>, StoreError> {
        let row = self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(VIEWS), keys::application(index))?;
        row.map(|bytes| decode_application(&bytes)).transpose()
    }

    /// Applications in the order of the log, from `from` on, until `visit` breaks.
    pub fn applications(
        &self,
        from: LeafIndex,
        mut visit: impl FnMut(LeafIndex, ApplicationRow) -> Go,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.set_iterate_upper_bound(keys::after_prefix(&[keys::KIND_APPLICATION]));
        let mut rows = self.iterate(VIEWS, options);
        rows.seek(keys::application(from));
        while let Some((key, value)) = rows.item() {
            let index = key[1..].try_into().map(u64::from_be_bytes);
            let index = index.map_err(|_| StoreError::Damaged(Damage::Row("applications")))?;
            if visit(LeafIndex(index), decode_application(value)?).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// Records of `range` that were amended or revoked, in the order of the log, each with the kind of the record that did
    /// it.
    pub fn ended(&self, range: Range<u64>) -> Result<Vec<(LeafIndex, u8)>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.set_iterate_upper_bound(keys::ended(LeafIndex(range.end)));
        let mut rows = self.iterate(VIEWS, options);
        rows.seek(keys::ended(LeafIndex(range.start)));
        let mut ended = Vec::new();
        while let Some((key, value)) = rows.item() {
            let (Ok(index), [kind]) = (key[1..].try_into(), value) else {
                return Err(StoreError::Damaged(Damage::Row("ended")));
            };
            ended.push((LeafIndex(u64::from_be_bytes(index)), *kind));
            rows.next();
        }
        rows.status()?;
        Ok(ended)
    }

    /// Salt and entry of a step of a transfer.
    pub fn book(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(family) = self.db().cf_handle(BOOK) else {
            return Ok(None);
        };
        Ok(self
            .0
            .borrow_dependent()
            .get_cf(family, keys::leaf(index))?)
    }

    /// A row about transfers.
    pub fn shelf(&self, key: &ShelfKey) -> Result<Option<Vec<u8>>, StoreError> {
        let family = self.family(VIEWS);
        Ok(self.0.borrow_dependent().get_cf(family, key.encode())?)
    }

    /// Rows about transfers of the same kind as `from` (and the same peer, where they have one), from there on, until
    /// `visit` breaks.
    pub fn shelf_rows(
        &self,
        from: &ShelfKey,
        mut visit: impl FnMut(ShelfKey, &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let start = from.encode();
        let common = match from {
            ShelfKey::Pair(_)
            | ShelfKey::Binding(..)
            | ShelfKey::Request(_)
            | ShelfKey::Used(_) => 1,
            ShelfKey::Transfer(..) | ShelfKey::Open(..) | ShelfKey::Sent(..) => 5,
        };
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.set_readahead_size(4 << 20);
        options.set_iterate_upper_bound(keys::after_prefix(&start[..common]));
        let mut rows = self.iterate(VIEWS, options);
        rows.seek(start);
        while let Some((key, value)) = rows.item() {
            let key = ShelfKey::decode(key).ok_or(StoreError::Damaged(Damage::Row("transfers")))?;
            if visit(key, value).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    /// A learner as of this snapshot. Learners are written before their first record, and merged with the record that says
    /// so; an erasure is not in the snapshots that were taken before it.
    pub fn learner(&self, learner: u64) -> Result<Option<crate::LearnerRow>, StoreError> {
        let row = self
            .0
            .borrow_dependent()
            .get_pinned_cf(self.family(keys::LEARNERS), keys::learner(learner))?;
        let decode = |bytes: &[u8]| {
            crate::LearnerRow::decode(bytes).ok_or(StoreError::Damaged(Damage::Row("learners")))
        };
        row.map(|bytes| decode(&bytes)).transpose()
    }

    /// Every learner's code and row.
    pub fn learners(
        &self,
        mut visit: impl FnMut(u64, crate::LearnerRow),
    ) -> Result<(), StoreError> {
        let mut damaged = false;
        self.prefix(keys::LEARNERS, &[keys::KIND_LEARNER], |key, value| {
            let code = key[1..].try_into().map(u64::from_be_bytes).ok();
            match code.zip(crate::LearnerRow::decode(value)) {
                Some((code, row)) => visit(code, row),
                None => damaged = true,
            }
            Go::Continue(())
        })?;
        if damaged {
            Err(StoreError::Damaged(Damage::Row("learners")))
        } else {
            Ok(())
        }
    }

    /// Every row of the views, key and value, to compare two folds byte for byte.
    pub fn view_rows(
        &self,
        mut visit: impl FnMut(&'static str, &[u8], &[u8]),
    ) -> Result<(), StoreError> {
        for name in [IDS, VIEWS] {
            self.prefix(name, &[], |key, value| {
                visit(name, key, value);
                Go::Continue(())
            })?;
        }
        Ok(())
    }

    /// Reads every row of every family and gives those families that a damaged file keeps from being read to the end.
    /// A disk tells nobody by itself that it has lost what is seldom read.
    pub fn unreadable(&self) -> Vec<(&'static str, StoreError)> {
        let all = keys::FAMILIES.into_iter().chain(["default"]);
        let there = all.filter(|name| self.has_family(name));
        let read = |name: &'static str| {
            let read = self.prefix(name, &[], |_, _| Go::Continue(()));
            read.err().map(|error| (name, error))
        };
        there.filter_map(read).collect()
    }

    pub(crate) fn keys_with_prefix(
        &self,
        name: &str,
        prefix: &[u8],
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut found = Vec::new();
        self.prefix(name, prefix, |key, _| {
            found.push(key.to_vec());
            Go::Continue(())
        })?;
        Ok(found)
    }

    fn prefix(
        &self,
        name: &str,
        prefix: &[u8],
        visit: impl FnMut(&[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        self.range(name, prefix, prefix, visit)
    }

    /// Rows whose keys begin with `prefix`, from `start` on, until `visit` breaks.
    pub(crate) fn range(
        &self,
        name: &str,
        prefix: &[u8],
        start: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        if !prefix.is_empty() {
            options.set_iterate_upper_bound(keys::after_prefix(prefix));
        }
        let mut rows = self.iterate(name, options);
        rows.seek(start);
        while let Some((key, value)) = rows.item() {
            if visit(key, value).is_break() {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    fn iterate(
        &self,
        name: &str,
        options: ReadOptions,
    ) -> rocksdb::DBRawIteratorWithThreadMode<'_, DB> {
        self.0
            .borrow_dependent()
            .raw_iterator_cf_opt(self.family(name), options)
    }

    /// Whether the family is there: a database that was opened without writing may lack newer ones.
    pub(crate) fn has_family(&self, name: &str) -> bool {
        self.db().cf_handle(name).is_some()
    }

    fn family(&self, name: &str) -> &rocksdb::ColumnFamily {
        self.db().cf_handle(name).expect("every family is opened")
    }

    fn db(&self) -> &DB {
        self.0.borrow_owner()
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Snapshot")
    }
}

fn decode_id(bytes: &[u8]) -> Result<IdRow, StoreError> {
    IdRow::decode(bytes).ok_or(StoreError::Damaged(Damage::Row("ids")))
}

fn decode_application(bytes: &[u8]) -> Result<ApplicationRow, StoreError> {
    ApplicationRow::decode(bytes).ok_or(StoreError::Damaged(Damage::Row("applications")))
}

fn damaged_tile(id: TileId) -> StoreError {
    StoreError::Damaged(Damage::Tile {
        level: id.level,
        index: id.index,
    })
}
