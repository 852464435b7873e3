//! Rows that are no fold of others, one after the other, for a move into another database. Tiles and views are not among
//! them: they are made again. Nor are learners' keys, which move under another key.

use rocksdb::WriteBatch;

use crate::keys::{ACCESS, BOOK, LEARNERS, LEAVES, PEERS, STATISTICS, VAULT};
use crate::{Damage, Go, Snapshot, Store, StoreError};

/// Families by the number that they have in a move, for ever.
const FAMILIES: [(u8, &str); 7] = [
    (1, LEAVES),
    (2, VAULT),
    (3, LEARNERS),
    (4, BOOK),
    (5, PEERS),
    (6, ACCESS),
    (7, STATISTICS),
];

/// A row on the move: number of its family, key and value.
pub type MovedRow = (u8, Vec<u8>, Vec<u8>);

impl Snapshot {
    /// Every row that moves, until `visit` breaks.
    pub fn moved_rows(
        &self,
        mut visit: impl FnMut(u8, &[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        for (number, family) in FAMILIES {
            let mut is_broken = false;
            self.range(family, &[], &[], |key, value| {
                let go = visit(number, key, value);
                is_broken = go.is_break();
                go
            })?;
            if is_broken {
                break;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Writes rows that have moved, synced.
    pub fn put_moved(&self, rows: &[MovedRow]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for (number, key, value) in rows {
            let family = FAMILIES.iter().find(|(known, _)| known == number);
            let (_, family) = family.ok_or(StoreError::Damaged(Damage::Row("a move")))?;
            batch.put_cf(self.family(family), key, value);
        }
        self.write(batch)
    }
}
