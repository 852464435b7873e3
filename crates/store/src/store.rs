//! Opening, committing and erasing.

use std::path::Path;
use std::sync::Arc;

use crate::codec::encode_states;
use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, DBRecoveryMode, FlushOptions,
    Options, WriteBatch, WriteOptions,
};

use crate::keys::{
    self, ACCESS, BOOK, FAMILIES, IDS, KEYS, LEARNERS, LEAVES, META_FORMAT, META_HEAD, META_ORIGIN,
    TILES, VAULT, VIEWS,
};
use crate::torn;
use crate::{
    Enrolment, Erasure, Handle, LearnerRow, Plan, Snapshot, StoreError, StoreOptions, Views,
};

/// What is told of the database: the names of its properties, summed over the families.
const PROPERTIES: [(&str, &str); 10] = [
    ("estimated_keys", "rocksdb.estimate-num-keys"),
    ("memtable_bytes", "rocksdb.cur-size-all-mem-tables"),
    ("table_reader_bytes", "rocksdb.estimate-table-readers-mem"),
    ("table_file_bytes", "rocksdb.total-sst-files-size"),
    ("live_bytes", "rocksdb.estimate-live-data-size"),
    ("level0_files", "rocksdb.num-files-at-level0"),
    (
        "pending_compaction_bytes",
        "rocksdb.estimate-pending-compaction-bytes",
    ),
    ("compactions_pending", "rocksdb.compaction-pending"),
    ("flushes_pending", "rocksdb.mem-table-flush-pending"),
    ("immutable_memtables", "rocksdb.num-immutable-mem-table"),
];
/// Those of the whole database; asked of one family.
const PROPERTIES_OF_ALL: [(&str, &str); 5] = [
    ("background_errors", "rocksdb.background-errors"),
    ("writes_stopped", "rocksdb.is-write-stopped"),
    ("block_cache_bytes", "rocksdb.block-cache-usage"),
    ("running_compactions", "rocksdb.num-running-compactions"),
    ("snapshots", "rocksdb.num-snapshots"),
];

/// Version of the rows and keys that this program writes.
pub const DIRECTORY_FORMAT: u32 = 1;

/// An open database. Cheap to clone; closed with the last clone.
#[derive(Clone)]
pub struct Store {
    db: Arc<DB>,
}

impl Store {
    /// Makes the database of a new log; refuses to touch an existing one.
    pub fn create(path: &Path, options: &StoreOptions, origin: &str) -> Result<Self, StoreError> {
        if path.join("CURRENT").exists() {
            return Err(StoreError::Place(format!(
                "{} already holds a database",
                path.display()
            )));
        }
        let mut database = options.database();
        database.create_if_missing(true);
        let db = DB::open_cf_descriptors(&database, path, options.families())?;
        let mut batch = WriteBatch::default();
        batch.put(META_FORMAT, DIRECTORY_FORMAT.to_string());
        batch.put(META_ORIGIN, origin);
        db.write_opt(batch, &synced())?;
        Ok(Self { db: Arc::new(db) })
    }

    /// Opens an existing database of a known format.
    pub fn open(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        require_database(path)?;
        Self::open_as(path, options, &options.database())
    }

    fn open_as(
        path: &Path,
        options: &StoreOptions,
        database: &Options,
    ) -> Result<Self, StoreError> {
        let db = DB::open_cf_descriptors(database, path, options.families());
        Self {
            db: Arc::new(db.map_err(|error| cannot_open(path, error))?),
        }
        .of_known_format()
    }

    /// Opens it for a start, where a power cut may have torn the last write. `true` if it had: that write is gone, and it
    /// was never acknowledged, because all `anchored` leaves lie in front of it. Any other damage is refused, and nothing
    /// is touched then.
    pub fn recover(
        path: &Path,
        options: &StoreOptions,
        anchored: u64,
    ) -> Result<(Self, bool), StoreError> {
        let refused = match Self::open(path, options) {
            Err(error @ StoreError::Open { .. }) => error,
            other => return other.map(|store| (store, false)),
        };
        match Self::open_torn(path, options) {
            Some(torn) if torn.snapshot().head()?.map_or(0, |head| head.size) >= anchored => {}
            _ => return Err(refused),
        }
        let store = Self::open_as(path, options, &up_to_damage(options))?;
        Ok((store, true))
    }

    /// Opens it without writing anything, for a check. A write that a power cut has torn is left out.
    pub fn open_read_only(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        require_database(path)?;
        match Self::read_only_as(path, options, &options.database()) {
            Err(error @ StoreError::Open { .. }) => Self::open_torn(path, options).ok_or(error),
            other => other,
        }
    }

    /// What lies in front of the damage, if that is a torn write.
    fn open_torn(path: &Path, options: &StoreOptions) -> Option<Self> {
        let store = Self::read_only_as(path, options, &up_to_damage(options)).ok()?;
        let torn = torn::is_torn(path, store.db.latest_sequence_number());
        torn.is_ok_and(|torn| torn).then_some(store)
    }

    fn read_only_as(
        path: &Path,
        options: &StoreOptions,
        database: &Options,
    ) -> Result<Self, StoreError> {
        // A database that no newer program has opened for writing lacks the newer families.
        let there = DB::list_cf(database, path).map_err(|error| cannot_open(path, error))?;
        let mut families = options.families();
        families.retain(|family| there.iter().any(|name| name == family.name()));
        let db = DB::open_cf_descriptors_read_only(database, path, families, false);
        Self {
            db: Arc::new(db.map_err(|error| cannot_open(path, error))?),
        }
        .of_known_format()
    }

    /// Opens it with its files left as they are: nothing is compacted.
    pub(crate) fn open_still(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        require_database(path)?;
        let db = DB::open_cf_descriptors(&options.database(), path, options.still_families());
        Self {
            db: Arc::new(db.map_err(|error| cannot_open(path, error))?),
        }
        .of_known_format()
    }

    fn of_known_format(self) -> Result<Self, StoreError> {
        let found = self.db.get(META_FORMAT)?.unwrap_or_default();
        if found != DIRECTORY_FORMAT.to_string().as_bytes() {
            let found = String::from_utf8_lossy(&found).into_owned();
            return Err(StoreError::UnknownFormat {
                found,
                known: DIRECTORY_FORMAT,
            });
        }
        Ok(self)
    }

    /// The log's name, given at creation.
    pub fn origin(&self) -> Result<String, StoreError> {
        Ok(String::from_utf8_lossy(&self.db.get(META_ORIGIN)?.unwrap_or_default()).into_owned())
    }

    /// A consistent view of everything committed so far.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(Arc::clone(&self.db))
    }

    /// Writes a plan as one atomic synced batch: the commit point of the ledger. If we crash before this returns,
    /// the recovered database holds all of the plan or nothing of it.
    pub fn commit(&self, plan: &Plan) -> Result<(), StoreError> {
        let committed = self.snapshot().head()?.map_or(0, |head| head.size);
        if committed != plan.expected_size {
            return Err(StoreError::OutOfOrder {
                planned: plan.expected_size,
                committed,
            });
        }
        let sealed: usize = plan.vault.iter().map(|row| row.value.len() + 64).sum();
        let mut batch = WriteBatch::with_capacity_bytes(sealed + plan.vault.len() * 160 + 4096);
        let leaves = self.family(LEAVES);
        for chunk in &plan.chunks {
            batch.put_cf(leaves, keys::leaf(chunk.first), chunk.encode());
        }
        let tiles = self.family(TILES);
        for tile in &plan.tiles {
            batch.put_cf(
                tiles,
                keys::tile(tile.id.level, tile.id.index),
                tile.bytes(),
            );
        }
        let vault = self.family(VAULT);
        for row in &plan.vault {
            batch.put_cf(vault, keys::vault(row.learner, row.index), &row.value);
        }
        for (learner, row) in &plan.learners {
            batch.put_cf(self.family(LEARNERS), keys::learner(*learner), row.encode());
        }
        for (index, entry) in &plan.book {
            batch.put_cf(self.family(BOOK), keys::leaf(*index), entry);
        }
        self.put_views(&mut batch, &plan.views);
        batch.put(META_HEAD, plan.head.encode());
        self.write(batch)
    }

    /// Writes learners beside the log, synced.
    pub fn enrol(&self, enrolments: &[Enrolment]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for enrolment in enrolments {
            batch.put_cf(
                self.family(KEYS),
                keys::learner(enrolment.learner),
                &enrolment.wrapped_key,
            );
            batch.put_cf(
                self.family(LEARNERS),
                keys::learner(enrolment.learner),
                enrolment.row.encode(),
            );
            let learner = enrolment.learner.to_be_bytes();
            batch.put_cf(
                self.family(LEARNERS),
                keys::handle(&enrolment.row.handle),
                learner,
            );
            for digest in &enrolment.row.identities {
                batch.put_cf(self.family(LEARNERS), keys::identity(digest), learner);
            }
        }
        self.write(batch)
    }

    /// Removes everything that names the learners; their handles lead nowhere afterwards. The key goes first: if we crash in between,
    /// what is left cannot be opened, and the next start, which finds the erasure in the log, removes it.
    pub fn erase(&self, erasure: &Erasure, key_gone: impl FnOnce()) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for learner in &erasure.learners {
            batch.delete_cf(self.family(KEYS), keys::learner(*learner));
        }
        self.put_statistics(&mut batch, &erasure.statistics)?;
        self.write(batch)?;
        key_gone();
        let mut batch = WriteBatch::default();
        for learner in &erasure.learners {
            batch.delete_cf(self.family(LEARNERS), keys::learner(*learner));
            for (name, prefix) in learner_prefixes(*learner) {
                self.delete_prefix(&mut batch, name, &prefix)?;
            }
        }
        for digest in &erasure.identities {
            batch.delete_cf(self.family(LEARNERS), keys::identity(digest));
        }
        for handle in &erasure.handles {
            batch.put_cf(self.family(LEARNERS), keys::handle(handle), []);
        }
        self.delete_access(&mut batch, &erasure.access);
        for (issuer, record, row) in &erasure.ids {
            batch.put_cf(self.family(IDS), keys::id(*issuer, record), row.encode());
        }
        for (index, row) in &erasure.applications {
            batch.put_cf(self.family(VIEWS), keys::application(*index), row.encode());
        }
        self.write(batch)
    }

    /// Properties of the database for whoever watches it. One that cannot be read is left out.
    pub fn properties(&self) -> Vec<(&'static str, u64)> {
        let of_family = |name: &str, property: &str| {
            let family = self.db.cf_handle(name)?;
            self.db.property_int_value_cf(family, property).ok()?
        };
        let sum = |(name, property): (&'static str, &str)| {
            let values = FAMILIES
                .iter()
                .filter_map(|family| of_family(family, property));
            (name, values.sum())
        };
        let one = |(name, property): (&'static str, &str)| {
            (name, of_family(LEAVES, property).unwrap_or_default())
        };
        let summed = PROPERTIES.into_iter().map(sum);
        summed
            .chain(PROPERTIES_OF_ALL.into_iter().map(one))
            .collect()
    }

    /// Every key is deleted by name: a range tombstone would leave the values readable until some later compaction.
    fn delete_prefix(
        &self,
        batch: &mut WriteBatch,
        name: &str,
        prefix: &[u8],
    ) -> Result<(), StoreError> {
        for key in self.snapshot().keys_with_prefix(name, prefix)? {
            batch.delete_cf(self.family(name), key);
        }
        Ok(())
    }

    /// Forces the bytes of an erasure out of the log of writes and the table files, then forgets the handles, which
    /// lead a restarted erasure here. `None` for the erasure: what it removed is not known any more, so everything
    /// that learners have is compacted.
    pub fn purge(&self, erasure: Option<&Erasure>, handles: &[[u8; 16]]) -> Result<(), StoreError> {
        self.flush()?;
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        options.set_exclusive_manual_compaction(true);
        let compact = |name: &str, prefix: &[u8]| {
            let end = keys::after_prefix(prefix);
            self.db
                .compact_range_cf_opt(self.family(name), Some(prefix), Some(&end), &options);
        };
        let whole = |name: &str| {
            self.db
                .compact_range_cf_opt(self.family(name), None::<&[u8]>, None::<&[u8]>, &options);
        };
        match erasure {
            None => [KEYS, LEARNERS, VAULT, VIEWS, IDS, ACCESS]
                .into_iter()
                .for_each(whole),
            Some(erasure) => {
                whole(LEARNERS);
                // Digests of secrets and accounts stand anywhere among those of others.
                whole(ACCESS);
                for learner in &erasure.learners {
                    compact(KEYS, &keys::learner(*learner));
                    learner_prefixes(*learner)
                        .iter()
                        .for_each(|(name, prefix)| compact(name, prefix));
                }
                for (issuer, record, _) in &erasure.ids {
                    compact(IDS, &keys::id(*issuer, record));
                }
                for (index, _) in &erasure.applications {
                    compact(VIEWS, &keys::application(*index));
                }
            }
        }
        let mut batch = WriteBatch::default();
        for handle in handles {
            batch.delete_cf(self.family(LEARNERS), keys::handle(handle));
        }
        self.write(batch)?;
        // One more change of files begins a manifest that knows only those that are left.
        self.flush()
    }

    /// Whether nobody can read any more what was overwritten or deleted before `sequence`.
    pub fn is_unread_before(&self, sequence: u64) -> Result<bool, StoreError> {
        let oldest = self
            .db
            .property_int_value("rocksdb.oldest-snapshot-sequence")?
            .unwrap_or(0);
        Ok(oldest == 0 || oldest >= sequence)
    }

    /// The sequence of the latest write.
    pub fn sequence(&self) -> u64 {
        self.db.latest_sequence_number()
    }

    /// Drops the views that a fold over log and vault gives again.
    pub fn drop_views(&self) -> Result<(), StoreError> {
        for name in [IDS, VIEWS] {
            let mut batch = WriteBatch::default();
            batch.delete_range_cf(self.family(name), &b""[..], &[u8::MAX; 40][..]);
            self.write(batch)?;
        }
        Ok(())
    }

    /// Writes folded views; not synced, because they can be folded again.
    pub fn write_views(&self, views: &Views) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_views(&mut batch, views);
        Ok(self.db.write(batch)?)
    }

    fn put_views(&self, batch: &mut WriteBatch, views: &Views) {
        let (ids, rows) = (self.family(IDS), self.family(VIEWS));
        for (issuer, record, row) in &views.ids {
            batch.put_cf(ids, keys::id(*issuer, record), row.encode());
        }
        for (issuer, block) in &views.submissions {
            batch.put_cf(rows, keys::submission(*issuer, *block), []);
        }
        for (index, statement) in &views.statements {
            batch.put_cf(rows, keys::registry(*index), statement);
        }
        for (learner, states) in &views.states {
            batch.put_cf(rows, keys::states(*learner), encode_states(states));
        }
        for (index, row) in &views.applications {
            batch.put_cf(rows, keys::application(*index), row.encode());
        }
        for (index, kind) in &views.ended {
            batch.put_cf(rows, keys::ended(*index), [*kind]);
        }
        for (key, row) in &views.shelf {
            match row {
                Some(row) => batch.put_cf(rows, key.encode(), row),
                None => batch.delete_cf(rows, key.encode()),
            }
        }
    }

    /// A learner as last written: learners live beside the log, so not in a snapshot of it.
    pub fn learner(&self, learner: u64) -> Result<Option<LearnerRow>, StoreError> {
        let bytes = self
            .db
            .get_pinned_cf(self.family(LEARNERS), keys::learner(learner))?;
        let decode = |bytes: &[u8]| {
            LearnerRow::decode(bytes).ok_or(StoreError::Damaged(crate::Damage::Row("learners")))
        };
        bytes.map(|bytes| decode(&bytes)).transpose()
    }

    /// A learner's wrapped data key.
    pub fn wrapped_key(&self, learner: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.family(KEYS), keys::learner(learner))?)
    }

    /// The learner whose identity has this digest.
    pub fn learner_by_identity(&self, digest: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        let found = self
            .db
            .get_pinned_cf(self.family(LEARNERS), keys::identity(digest))?;
        Ok(found
            .and_then(|bytes| bytes[..].try_into().ok())
            .map(u64::from_be_bytes))
    }

    /// What a handle leads to.
    pub fn handle(&self, handle: &[u8; 16]) -> Result<Handle, StoreError> {
        let found = self
            .db
            .get_pinned_cf(self.family(LEARNERS), keys::handle(handle))?;
        Ok(match found {
            None => Handle::Unknown,
            Some(bytes) => bytes[..].try_into().map_or(Handle::Emptied, |code| {
                Handle::Learner(u64::from_be_bytes(code))
            }),
        })
    }

    /// Writes everything in memory to table files; the log of writes is empty afterwards.
    pub fn flush(&self) -> Result<(), StoreError> {
        let families: Vec<_> = FAMILIES
            .iter()
            .chain(&["default"])
            .map(|name| self.family(name))
            .collect();
        Ok(self.db.flush_cfs_opt(&families, &FlushOptions::default())?)
    }

    /// Ends background work; a clean stop.
    pub fn close(&self) -> Result<(), StoreError> {
        self.flush()?;
        self.db.cancel_all_background_work(true);
        Ok(())
    }

    /// Writes a batch, atomic and synced. A failure is final: see [`StoreOptions`].
    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let written = self.db.write_opt(batch, &synced());
        written.map_err(StoreError::NotWritten)
    }

    pub(crate) fn database(&self) -> &DB {
        &self.db
    }

    pub(crate) fn family(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("every family is opened")
    }
}

/// What a learner has beyond its own rows.
fn learner_prefixes(learner: u64) -> [(&'static str, Vec<u8>); 2] {
    [
        (VAULT, learner.to_be_bytes().to_vec()),
        (VIEWS, keys::states(learner).to_vec()),
    ]
}

/// Replays the log of writes up to the first damage, whatever lies behind it: only for what [`torn`] has looked at.
fn up_to_damage(options: &StoreOptions) -> Options {
    let mut database = options.database();
    database.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    database
}

fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

pub(crate) fn cannot_open(path: &Path, error: rocksdb::Error) -> StoreError {
    let said = error.to_string();
    if said.contains("lock") && !said.contains("Permission denied") {
        return StoreError::Place(format!(
            "{} is in use (its LOCK is held): the bank is running",
            path.display()
        ));
    }
    StoreError::Open {
        path: path.to_owned(),
        error,
    }
}

fn require_database(path: &Path) -> Result<(), StoreError> {
    if path.join("CURRENT").exists() {
        return Ok(());
    }
    Err(StoreError::Place(format!(
        "{} holds no database: restore it (`creditbank restore`), or make a new bank elsewhere (`creditbank init`)",
        path.display()
    )))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
