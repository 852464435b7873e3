//! Where disk and memory go, for operators and the bench.

use crate::StoreError;
use crate::keys::FAMILIES;
use crate::store::Store;

/// Disk and memory of the database.
#[derive(Debug, Clone)]
pub struct Usage {
    /// By family.
    pub families: Vec<FamilyUsage>,
    /// Blocks, indexes and filters in memory.
    pub block_cache_bytes: u64,
}

/// Disk and memory of one family.
#[derive(Debug, Clone)]
pub struct FamilyUsage {
    /// Its name.
    pub name: &'static str,
    /// Table files.
    pub file_bytes: u64,
    /// Rows not yet in table files.
    pub memory_bytes: u64,
}

impl Store {
    /// Reads the counters of RocksDB.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let read = |name: &str, property: &str| -> Result<u64, StoreError> {
            let family = self.db().cf_handle(name).expect("every family is opened");
            Ok(self
                .db()
                .property_int_value_cf(family, property)?
                .unwrap_or(0))
        };
        let families = FAMILIES.iter().map(|name| {
            Ok(FamilyUsage {
                name,
                file_bytes: read(name, "rocksdb.total-sst-files-size")?,
                memory_bytes: read(name, "rocksdb.cur-size-all-mem-tables")?,
            })
        });
        let families = families.collect::<Result<_, StoreError>>()?;
        Ok(Usage {
            families,
            block_cache_bytes: read(FAMILIES[0], "rocksdb.block-cache-usage")?,
        })
    }
}
