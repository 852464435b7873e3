//! A database that was brought back from a backup, until it is taken for the bank's.
//!
//! Its log must be exactly that of the backup's signed checkpoint. Leaves that were signed since can be put behind it from
//! any copy of the public log. Then it is held against the anchor, if one is left, and against what peers have cosigned;
//! and every erasure that the log holds is carried out again.

use std::path::Path;
use std::sync::Arc;

use creditbank_domain::record::RecordKind;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_merkle::{Checkpoint, Edge, Hash, VerifierKey, leaf_hash, witness as tlog};
use creditbank_store::{
    Anchor, AnchorFile, Chunk, ChunkRow, HeadRow, Plan, Store, StoreError, Views,
};
use creditbank_wire::convert::{leaf, record};
use creditbank_wire::v1;

use crate::backup::expect_origin;
use crate::bank::{Bank, BankError, BankKeys, BankOptions, Parts};
use crate::erase;
use crate::head::{Head, Tiles, encode};
use crate::peers::guard::{self, PeerCosigned};
use crate::rebuild::{RebuildError, rebuild};
use crate::recover::{expect_opens, open_stopped, recover};

/// Leaves written at a time.
const LEAVES_PER_COMMIT: usize = 256;

/// Why a database is not taken back.
#[derive(Debug, thiserror::Error)]
pub enum NotTakenBack {
    /// It is not what this bank has signed.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint that this bank has not signed, or of another log than stands in the database.
    #[error(
        "the log of {found} leaves is not the one that the checkpoint of {what} was signed for by this bank"
    )]
    NotSigned {
        /// Whose checkpoint.
        what: &'static str,
        /// Leaves in the database.
        found: u64,
    },
    /// A leaf of a copy that is not one.
    #[error("leaf {0} of the copy of the public log: {1}")]
    Leaf(LeafIndex, Refusal),
    /// What is private to two banks cannot be had from a public log.
    #[error(
        "leaf {0} is a step of a transfer: what it says, and its salt, lie beside the public log and with no peer, so no copy of that log \
         brings it back. Take a newer backup"
    )]
    Step(LeafIndex),
    /// The views could not be folded again.
    #[error(transparent)]
    Views(#[from] RebuildError),
}

/// See the module.
pub struct Returned {
    store: Store,
    options: BankOptions,
    keys: BankKeys,
    /// Size and root, and the time of the last leaf.
    row: HeadRow,
    edge: Edge,
    own_keys: Vec<VerifierKey>,
    note: String,
    /// Leaves of the backup.
    backed_up: u64,
    /// Leaves without the payload that they commit to.
    payloads_missing: u64,
}

/// What became of it.
#[derive(Debug)]
pub struct Restored {
    /// Leaves in the log.
    pub size: u64,
    /// Root of the log.
    pub root: Hash,
    /// Leaves that were put behind those of the backup.
    pub refilled: u64,
    /// Those of them whose payloads only their institutions have.
    pub payloads_missing: u64,
    /// Learners that the log says are erased, and who were still in the backup.
    pub erased: usize,
}

impl Returned {
    /// Opens the database at `options.directory`, which must be exactly that of the backup's checkpoint.
    pub fn open(options: BankOptions, keys: BankKeys, note: &str) -> Result<Self, NotTakenBack> {
        let store = Store::open(&options.directory, &options.store)?;
        expect_origin(&store, &keys)?;
        let nothing = Anchor {
            size: 0,
            root: creditbank_merkle::EMPTY_ROOT,
        };
        let recovered = recover(&store, nothing)?;
        let own_keys = guard::own_log_keys(&recovered.registry, keys.log.verifier());
        let returned = Self {
            row: recovered.row,
            edge: recovered.edge,
            own_keys,
            note: note.to_owned(),
            backed_up: recovered.row.size,
            payloads_missing: 0,
            store,
            options,
            keys,
        };
        returned.expect(note, "this backup")?;
        Ok(returned)
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Leaves in the log.
    pub fn size(&self) -> u64 {
        self.row.size
    }

    /// Where the anchor is, or will be.
    pub fn anchor(&self) -> &Path {
        &self.options.anchor
    }

    /// What a checkpoint says that this bank has signed.
    pub fn signed(&self, note: &str) -> Option<Checkpoint> {
        let opened = tlog::open(note, &self.own_keys).ok();
        let own = opened.map(|(checkpoint, _)| checkpoint);
        own.filter(|checkpoint| checkpoint.origin == self.keys.log.name())
    }

    fn expect(&self, note: &str, what: &'static str) -> Result<(), NotTakenBack> {
        let is_it = |signed: &Checkpoint| {
            (signed.size.value(), signed.root.0) == (self.row.size, self.row.root)
        };
        if self.signed(note).as_ref().is_some_and(is_it) {
            return Ok(());
        }
        let found = self.row.size;
        Err(NotTakenBack::NotSigned { what, found })
    }

    /// Puts leaves of the public log behind those that are there, in their order.
    pub fn refill(&mut self, leaves: &[Vec<u8>]) -> Result<(), NotTakenBack> {
        for leaves in leaves.chunks(LEAVES_PER_COMMIT) {
            let expected_size = self.row.size;
            let mut chunks = Vec::with_capacity(leaves.len());
            for (bytes, index) in leaves.iter().zip(expected_size..) {
                let chunk = self.chunk(LeafIndex(index), bytes)?;
                self.row.deposited_at_ms = chunk.deposited_at_ms;
                chunks.push(chunk);
            }
            let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
            let tiles = self.edge.append(&hashes);
            self.row.size = self.edge.size().value();
            self.row.root = self.edge.root().0;
            self.store.commit(&Plan {
                expected_size,
                chunks,
                tiles,
                vault: Vec::new(),
                book: Vec::new(),
                views: Views::default(),
                learners: Vec::new(),
                head: self.row,
            })?;
        }
        Ok(())
    }

    /// A leaf as a chunk of its own. It must give the same bytes again.
    fn chunk(&mut self, index: LeafIndex, bytes: &[u8]) -> Result<Chunk, NotTakenBack> {
        let malformed = |refusal| NotTakenBack::Leaf(index, refusal);
        let leaf = leaf::decode(bytes).map_err(malformed)?;
        let envelope: v1::Envelope = record::canonical(&leaf.envelope).map_err(malformed)?;
        match RecordKind::from_number(envelope.kind.cast_unsigned()) {
            Some(RecordKind::Transfer) => return Err(NotTakenBack::Step(index)),
            _ => self.payloads_missing += u64::from(!envelope.commitment.is_empty()),
        }
        let chunk = single(index, leaf).ok_or(malformed(Refusal::Missing))?;
        let is_same = chunk.leaf(index).is_some_and(|leaf| encode(&leaf) == bytes);
        if is_same {
            Ok(chunk)
        } else {
            Err(malformed(Refusal::NotCanonical))
        }
    }

    /// What was put behind must be what this bank has signed; the views are folded again.
    pub fn refilled(&mut self, note: &str) -> Result<(), NotTakenBack> {
        self.expect(note, "the copy of the public log")?;
        note.clone_into(&mut self.note);
        Ok(rebuild(&self.store, |_| ())?)
    }

    /// Holds the log against the anchor and what peers have cosigned, and carries out every erasure that it holds. The
    /// anchor is written by [`anchor`], once the database is in its place.
    pub fn finish(self, cosigned: &[PeerCosigned]) -> Result<Restored, NotTakenBack> {
        expect_opens(&self.store, &self.keys)?;
        let recovered = recover(&self.store, left(&self.options.anchor)?)?;
        recovered.hold_against(&self.store, &self.keys, cosigned)?;
        let head = Head {
            snapshot: Arc::new(self.store.snapshot()),
            row: recovered.row,
            edge: recovered.edge,
            note: self.note,
            registry: Arc::new(recovered.registry),
            tiles: Arc::new(Tiles::new()),
        };
        let parts = Parts {
            store: self.store,
            keys: self.keys,
            options: self.options,
            head,
        };
        let (bank, _jobs, _gone) = Bank::assemble(parts)?;
        let erased = erase::catch_up(&bank, &recovered.erased)?;
        bank.store().close()?;
        Ok(Restored {
            size: self.row.size,
            root: Hash(self.row.root),
            refilled: self.row.size - self.backed_up,
            payloads_missing: self.payloads_missing,
            erased,
        })
    }
}

/// What the anchor says, if one is left.
fn left(path: &Path) -> Result<Anchor, StoreError> {
    match AnchorFile::read(path) {
        Err(StoreError::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Anchor {
                size: 0,
                root: creditbank_merkle::EMPTY_ROOT,
            })
        }
        read => read,
    }
}

/// A chunk of one row: its path is that of the whole batch.
fn single(index: LeafIndex, leaf: v1::Leaf) -> Option<Chunk> {
    let attestation = leaf.attestation?;
    let path = attestation.path.iter();
    Some(Chunk {
        first: index,
        deposited_at_ms: leaf.deposited_at_ms,
        algorithm: u8::try_from(attestation.algorithm).ok()?,
        key_id: attestation.key_id[..].try_into().ok()?,
        signature: attestation.signature.to_vec(),
        batch_size: u16::try_from(attestation.batch_size).ok()?,
        first_row: u16::try_from(attestation.batch_index).ok()?,
        rows: vec![ChunkRow::Created(leaf.envelope)],
        upper_path: path
            .map(|hash| Hash::try_from(&hash[..]).ok())
            .collect::<Option<_>>()?,
    })
}

/// Anchors what was taken back.
pub fn anchor(path: &Path, restored: &Restored) -> Result<(), StoreError> {
    let anchor = Anchor {
        size: restored.size,
        root: restored.root,
    };
    if path.exists() {
        AnchorFile::open(path)?.advance(anchor)
    } else {
        AnchorFile::create(path, anchor).map(drop)
    }
}

/// Makes the anchor of a stopped bank that has lost it, once the log is held against all that is `shown` of it: by peers, or
/// by whoever has a checkpoint. Gives the leaves that are anchored. What was acknowledged after the newest of these
/// checkpoints, and lost, is not noticed.
///
/// # Errors
/// The log falls short of what is shown, or is another; or there is an anchor.
pub fn anchor_anew(
    options: &BankOptions,
    keys: &BankKeys,
    shown: &[PeerCosigned],
) -> Result<u64, BankError> {
    let store = open_stopped(options)?;
    expect_origin(&store, keys)?;
    let nothing = Anchor {
        size: 0,
        root: creditbank_merkle::EMPTY_ROOT,
    };
    let recovered = recover(&store, nothing)?;
    recovered.hold_against(&store, keys, shown)?;
    let anchor = Anchor {
        size: recovered.row.size,
        root: Hash(recovered.row.root),
    };
    store.close()?;
    AnchorFile::create(&options.anchor, anchor)?;
    Ok(anchor.size)
}
