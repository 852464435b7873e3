//! The database of a bank: the only crate that names RocksDB.
//!
//! It keeps what the ledger decided, as one atomic synced write a commit, and reads it back through snapshots. It
//! never decides anything: no rule, no signature, no wire format.

mod access;
mod anchor;
mod backup;
mod chunk;
mod codec;
mod keys;
mod moved;
mod options;
mod peers;
mod plan;
mod snapshot;
mod statistics;
mod store;
mod torn;
mod wrapped;

pub use access::{AccessChange, GrantRow, pointed, pointer};
pub use anchor::{Anchor, AnchorFile};
pub use backup::part_from_keys;
pub use chunk::{CHUNK_ROWS, Chunk, ChunkRow, StoredLeaf};
pub use codec::{ApplicationRow, HeadRow, IdRow, LearnerRow, StateRow};
pub use keys::{AccessKey, ShelfKey};
pub use moved::MovedRow;
pub use options::StoreOptions;
pub use peers::PeerRow;
pub use plan::{Enrolment, Erasure, Handle, Plan, SUBMISSION_BLOCK, VaultRow, Views, view_rows};
pub use snapshot::{Go, Snapshot};
pub use statistics::{OPEN, StatisticsChange};
pub use store::{DIRECTORY_FORMAT, Store};

use creditbank_domain::LeafIndex;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// RocksDB or the disk failed.
    #[error("database: {0}")]
    Database(#[from] rocksdb::Error),
    /// A write failed. Nothing can be written any more until the database is opened again, which finds all of this write or
    /// nothing of it.
    #[error("the database could not be written: {0}")]
    NotWritten(rocksdb::Error),
    /// The database could not be opened.
    #[error(
        "the database in {path} cannot be opened: {error}. If a file of it is damaged (its log of writes is *.log, its \
         tables are *.sst), restore the newest whole copy of the folder"
    )]
    Open {
        /// Where.
        path: std::path::PathBuf,
        /// What RocksDB says.
        error: rocksdb::Error,
    },
    /// A file beside the database failed.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// How.
        error: std::io::Error,
    },
    /// There is no database, or one already.
    #[error("{0}")]
    Place(String),
    /// Made by a program with other formats.
    #[error(
        "the database has format {found}, and this program reads format {known}: use the program that wrote it, or a \
         newer one"
    )]
    UnknownFormat {
        /// What the database says.
        found: String,
        /// What this program knows.
        known: u32,
    },
    /// What was read is not what was written.
    #[error("damaged: {0}")]
    Damaged(Damage),
    /// The plan does not continue the committed log.
    #[error("the plan continues a log of {planned} leaves, the database holds {committed}")]
    OutOfOrder {
        /// The plan's expected size.
        planned: u64,
        /// The committed size.
        committed: u64,
    },
}

/// What is damaged, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A chunk of the log.
    #[error("chunk of the log at leaf {first}")]
    Chunk {
        /// Its first leaf.
        first: LeafIndex,
    },
    /// A leaf that should be there.
    #[error("leaf {0} is missing")]
    LeafMissing(LeafIndex),
    /// A tile of the tree.
    #[error("tile {index} of level {level}")]
    Tile {
        /// Tile level.
        level: u8,
        /// Tile index.
        index: u64,
    },
    /// A row of a named kind.
    #[error("a row of {0}")]
    Row(&'static str),
    /// The anchor file.
    #[error("both slots of the anchor file")]
    Anchor,
}
