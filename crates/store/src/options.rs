//! RocksDB options, each with its reason. Figures come from measurements on the machine class that README names.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, LogLevel,
    Options, SliceTransform, WriteBufferManager,
};

use crate::keys::{
    ACCESS, FAMILIES, IDS, KEYS, LEARNER_BYTES, LEARNERS, LEAVES, TILES, VAULT, VIEWS,
};

/// What an operator may choose. The memory of the database is bounded by the two sizes together.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Uncompressed blocks, indexes and filters kept in memory.
    pub block_cache_bytes: usize,
    /// Rows not yet in table files, all families together.
    pub write_buffer_bytes: usize,
    /// Threads for flush and compaction.
    pub background_threads: i32,
    /// Table files kept open.
    pub open_files_max: i32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            block_cache_bytes: 512 << 20,
            write_buffer_bytes: 256 << 20,
            background_threads: 2,
            open_files_max: 1024,
        }
    }
}

impl StoreOptions {
    pub(crate) fn database(&self) -> Options {
        // Has no setter of its own; see the manifest below.
        let mut options = Options::default()
            .get_options_from_string("max_manifest_space_amp_pct=0")
            .expect("RocksDB knows its own option");
        options.create_missing_column_families(true);
        // A torn tail is what a crash leaves; a flipped bit in the middle must be refused. See `ledger.md` §4.5.
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        // A disk that fails must stop the bank, not be retried behind its back.
        options.set_paranoid_checks(true);
        // Nor be written around. Where a sync fails for want of room, RocksDB would write its tables anew, one family after
        // the other, although the log of writes holds a batch that was never applied: a process that ends in between would
        // find it in some families only. When the log is flushed by us, such a failure is final. Every write that counts is
        // synced, which flushes.
        options.set_manual_wal_flush(true);
        options.set_max_background_jobs(self.background_threads);
        options.set_max_open_files(self.open_files_max);
        options.set_write_buffer_manager(&WriteBufferManager::new_write_buffer_manager(
            self.write_buffer_bytes,
            true,
        ));
        // The log of writes is replayed at a start after a kill: its size bounds that start.
        options.set_max_total_wal_size(2 * self.write_buffer_bytes as u64);
        // Smooth write-back instead of stalls when the page cache is full.
        options.set_bytes_per_sync(1 << 20);
        options.set_wal_bytes_per_sync(1 << 20);
        options.set_keep_log_file_num(4);
        options.set_max_log_file_size(8 << 20);
        // Its lines and the manifest's old edits name keys of files, and a learner's code is a key: an erasure must
        // leave neither behind. A manifest that starts anew with every edit costs some kilobytes a flush.
        options.set_log_level(LogLevel::Warn);
        options.set_max_manifest_file_size(1);
        // Only the sequencer writes; the pipelined and concurrent paths cost more than they bring for one writer.
        options.set_allow_concurrent_memtable_write(false);
        options.set_enable_write_thread_adaptive_yield(false);
        options
    }

    pub(crate) fn families(&self) -> Vec<ColumnFamilyDescriptor> {
        self.families_with(|options| options)
    }

    /// Families whose table files stay as they are.
    pub(crate) fn still_families(&self) -> Vec<ColumnFamilyDescriptor> {
        self.families_with(|mut options| {
            options.set_disable_auto_compactions(true);
            options
        })
    }

    fn families_with(&self, change: impl Fn(Options) -> Options) -> Vec<ColumnFamilyDescriptor> {
        // A look-up takes no lock; 0 lets the cache find the usual size of an entry by itself.
        let cache = Cache::new_hyper_clock_cache(self.block_cache_bytes, 0);
        let family =
            |name: &&str| ColumnFamilyDescriptor::new(*name, change(self.family(name, &cache)));
        FAMILIES
            .iter()
            .map(family)
            .chain([ColumnFamilyDescriptor::new(
                "default",
                change(Options::default()),
            )])
            .collect()
    }

    fn family(&self, name: &str, cache: &Cache) -> Options {
        let mut options = Options::default();
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        // Indexes and filters count against the cache, so memory stays bounded whatever the size of the ledger.
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        table.set_format_version(6);
        options.set_level_compaction_dynamic_level_bytes(true);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_write_buffer_size(self.write_buffer_bytes / 4);
        match name {
            LEAVES => {
                // Written in key order and never changed: big files, few levels, larger blocks.
                options.set_target_file_size_base(256 << 20);
                table.set_block_size(8 << 10);
            }
            TILES => {
                // Hashes do not compress.
                options.set_compression_type(DBCompressionType::None);
                table.set_block_size(16 << 10);
            }
            VAULT => {
                // An archive is a prefix scan; the filter answers for learners without records in a file.
                options.set_prefix_extractor(SliceTransform::create_fixed_prefix(LEARNER_BYTES));
                table.set_bloom_filter(10.0, false);
                table.set_whole_key_filtering(false);
                options.set_memtable_prefix_bloom_ratio(0.05);
                // Sealed bytes do not compress.
                options.set_compression_type(DBCompressionType::None);
                // A learner's 20 records of some 360 bytes lie in one block or two.
                table.set_block_size(8 << 10);
            }
            IDS => {
                // Looked up once for every new record, and nearly always absent: filters in memory and in files.
                table.set_bloom_filter(10.0, false);
                options.set_memtable_whole_key_filtering(true);
                options.set_memtable_prefix_bloom_ratio(0.1);
                // Random keys: a small table stays in the processor's cache while it is filled.
                options.set_write_buffer_size(self.write_buffer_bytes / 16);
                options.set_max_write_buffer_number(4);
            }
            ACCESS | KEYS | LEARNERS | VIEWS => table.set_bloom_filter(10.0, false),
            _ => {}
        }
        options.set_block_based_table_factory(&table);
        options
    }
}
