//! A copy of the database while it is written to, and learners' keys apart from it.
//!
//! [`Store::take_copy`] makes hard links of the table files: it costs a flush, whatever the size of the database.
//! [`part_from_keys`] then takes the family `keys` out of the copy, files and all, so that what is kept for years opens
//! no payload; the keys are kept for a short time, and an erasure is not undone by an old backup.

use std::path::{Path, PathBuf};

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{DB, WriteBatch};

use crate::keys::{self, KEYS};
use crate::store::cannot_open;
use crate::{Damage, Go, Snapshot, Store, StoreError, StoreOptions};

/// Keys written at a time.
const KEYS_PER_WRITE: usize = 10_000;

impl Store {
    /// Makes a copy of everything committed so far in a folder that must not exist yet, on the same filesystem. Writes
    /// go on meanwhile.
    pub fn take_copy(&self, to: &Path) -> Result<(), StoreError> {
        Ok(Checkpoint::new(self.database())?.create_checkpoint(to)?)
    }

    /// Writes learners' keys into a database that was restored without them, synced; gives how many. Keys of learners
    /// that it does not know are left out: they were enrolled later.
    pub fn put_keys(
        &self,
        keys: impl IntoIterator<Item = Result<(u64, Vec<u8>), StoreError>>,
    ) -> Result<u64, StoreError> {
        let mut put = 0;
        let mut batch = WriteBatch::default();
        for key in keys {
            let (learner, wrapped) = key?;
            if self.learner(learner)?.is_none() {
                continue;
            }
            batch.put_cf(self.family(KEYS), keys::learner(learner), wrapped);
            put += 1;
            if batch.len() == KEYS_PER_WRITE {
                self.database().write(std::mem::take(&mut batch))?;
            }
        }
        self.write(batch)?;
        Ok(put)
    }
}

impl Snapshot {
    /// Every learner's wrapped key, until `visit` breaks.
    pub fn wrapped_keys(&self, mut visit: impl FnMut(u64, &[u8]) -> Go) -> Result<(), StoreError> {
        let mut damaged = false;
        self.range(KEYS, &[], &[], |key, wrapped| {
            let code = key.get(1..).and_then(|code| code.try_into().ok());
            match code.map(u64::from_be_bytes) {
                Some(learner) => visit(learner, wrapped),
                None => {
                    damaged = true;
                    Go::Break(())
                }
            }
        })?;
        if damaged {
            Err(StoreError::Damaged(Damage::Row("keys")))
        } else {
            Ok(())
        }
    }
}

/// Takes learners' keys out of a copy; `visit` is told each of them first. Gives the files that the copy consists of
/// afterwards. Table files are those of the running database, byte for byte, so that the next copy shares them.
pub fn part_from_keys(
    copy: &Path,
    options: &StoreOptions,
    visit: impl FnMut(u64, &[u8]) -> Go,
) -> Result<Vec<PathBuf>, StoreError> {
    let store = Store::open_still(copy, options)?;
    store.snapshot().wrapped_keys(visit)?;
    // What the copy's log of writes held is in tables now, the newest keys among them.
    store.flush()?;
    drop(store);
    let mut database = options.database();
    database.create_missing_column_families(false);
    let open = DB::open_cf_descriptors(&database, copy, options.still_families());
    let mut db = open.map_err(|error| cannot_open(copy, error))?;
    db.drop_cf(KEYS)?;
    let tables = db.live_files()?;
    db.cancel_all_background_work(true);
    drop(db);
    let read = |error| StoreError::File {
        path: copy.join("CURRENT"),
        error,
    };
    let manifest = std::fs::read_to_string(copy.join("CURRENT")).map_err(read)?;
    let tables = tables.iter().map(|file| file.name.trim_start_matches('/'));
    let others = ["CURRENT", "IDENTITY", manifest.trim()];
    Ok(tables.chain(others).map(|name| copy.join(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Enrolment, LearnerRow};

    fn enrolment(learner: u64) -> Enrolment {
        Enrolment {
            learner,
            row: LearnerRow {
                handle: [u8::try_from(learner).unwrap(); 16],
                merged_into: None,
                merged: Vec::new(),
                identities: Vec::new(),
                sealed_profile: b"sealed".to_vec(),
            },
            wrapped_key: format!("wrapped key of learner {learner}").into_bytes(),
        }
    }

    fn keys_of(store: &Store) -> Vec<(u64, Vec<u8>)> {
        let mut keys = Vec::new();
        let visit = |learner, wrapped: &[u8]| {
            keys.push((learner, wrapped.to_vec()));
            Go::Continue(())
        };
        store.snapshot().wrapped_keys(visit).unwrap();
        keys
    }

    #[test]
    fn a_copy_without_keys_holds_none_of_their_bytes_and_takes_them_back() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::default();
        let store = Store::create(&folder.path().join("db"), &options, "bank.test/log").unwrap();
        store.enrol(&[enrolment(1), enrolment(2)]).unwrap();
        store.flush().unwrap();
        // One in tables, one in the log of writes.
        store.enrol(&[enrolment(3)]).unwrap();
        let copy = folder.path().join("copy");
        store.take_copy(&copy).unwrap();
        store.enrol(&[enrolment(4)]).unwrap();
        let mut keys = Vec::new();
        let files = part_from_keys(&copy, &options, |learner, wrapped| {
            keys.push((learner, wrapped.to_vec()));
            Go::Continue(())
        });
        let files = files.unwrap();
        assert_eq!(keys, keys_of(&store)[..3]);
        let restored = folder.path().join("restored");
        std::fs::create_dir(&restored).unwrap();
        for file in &files {
            let bytes = std::fs::read(file).unwrap();
            assert!(!bytes.windows(11).any(|it| it == b"wrapped key"));
            std::fs::write(restored.join(file.file_name().unwrap()), bytes).unwrap();
        }
        let restored = Store::open(&restored, &options).unwrap();
        assert_eq!(keys_of(&restored), []);
        assert!(restored.learner(3).unwrap().is_some());
        let known = keys_of(&store).into_iter().map(Ok);
        assert_eq!(restored.put_keys(known).unwrap(), 3);
        assert_eq!(keys_of(&restored), keys);
    }
}
