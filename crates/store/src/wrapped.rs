//! Learners' wrapped keys as a whole, for whoever replaces the key that wraps them.

use rocksdb::{BottommostLevelCompaction, CompactOptions, WriteBatch};

use crate::keys::{self, KEYS};
use crate::{Damage, Go, Store, StoreError};

impl Store {
    /// Up to `max` learners with their wrapped keys, ascending, from behind `after`.
    pub fn wrapped_keys(
        &self,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let Some(first) = after.map_or(Some(0), |after| after.checked_add(1)) else {
            return Ok(Vec::new());
        };
        let (mut found, mut damaged) = (Vec::new(), false);
        let snapshot = self.snapshot();
        snapshot.range(KEYS, &[], &keys::learner(first), |learner, wrapped| {
            // Behind the byte of its kind.
            match learner.get(1..).and_then(|code| code.try_into().ok()) {
                Some(code) => found.push((u64::from_be_bytes(code), wrapped.to_vec())),
                None => damaged = true,
            }
            match damaged || found.len() == max {
                true => Go::Break(()),
                false => Go::Continue(()),
            }
        })?;
        match damaged {
            true => Err(StoreError::Damaged(Damage::Row("keys"))),
            false => Ok(found),
        }
    }

    /// Writes wrapped keys over those that are there, synced. Nobody may erase or enrol meanwhile.
    pub fn replace_wrapped_keys(&self, rows: &[(u64, Vec<u8>)]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for (learner, wrapped) in rows {
            batch.put_cf(self.family(KEYS), keys::learner(*learner), wrapped);
        }
        self.write(batch)
    }

    /// Forces what was written over out of the log of writes and the table files.
    pub fn compact_wrapped_keys(&self) -> Result<(), StoreError> {
        self.flush()?;
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        let (family, all) = (self.family(KEYS), None::<&[u8]>);
        self.database()
            .compact_range_cf_opt(family, all, all, &options);
        self.flush()
    }
}
