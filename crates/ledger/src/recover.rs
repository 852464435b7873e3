//! Making and opening a bank. At start the recovered log is held against the anchor: a bank whose log is shorter
//! than, or differs from, what it once signed refuses to start. It never signs a second history.

use std::sync::Arc;
use std::thread::JoinHandle;

use creditbank_domain::LeafIndex;
use creditbank_domain::record::{Algorithm, KeyPurpose, PublicKey, Statement};
use creditbank_domain::registry::Registry;
use creditbank_merkle::tile::{TILE_WIDTH, root_in};
use creditbank_merkle::{Checkpoint, Edge, Hash, Nodes, TileId, TreeSize, leaf_hash, nodes};
use creditbank_store::{Anchor, AnchorFile, Go, HeadRow, Snapshot, Store, StoreError};
use creditbank_wire::convert::record;
use creditbank_wire::v1;

use crate::backup::remove_copy;
use crate::bank::{Bank, BankError, BankKeys, BankOptions, Parts};
use crate::erase;
use crate::head::{Head, Tiles, encode};
use crate::peers::guard::{self, PeerCosigned};
use crate::queue::Decision;
use crate::sequencer::Sequencer;

/// Learners' keys of which one at least must open; some may be damaged.
const KEYS_TRIED: usize = 8;

impl Bank {
    /// Makes the database of a new bank. Its first entry names the log, the bank's signing key, the operator's key for
    /// calls and the key of credentials.
    pub fn create(
        options: BankOptions,
        keys: BankKeys,
        operator: [u8; 32],
    ) -> Result<(), BankError> {
        let origin = keys.log.name().to_owned();
        let store = Store::create(&options.directory, &options.store, &origin)?;
        let anchor_path = options.anchor.clone();
        let empty = HeadRow {
            size: 0,
            root: creditbank_merkle::EMPTY_ROOT.0,
            deposited_at_ms: 0,
        };
        let head = Head {
            snapshot: Arc::new(store.snapshot()),
            row: empty,
            edge: Edge::new(),
            note: String::new(),
            registry: Arc::new(Registry::default()),
            tiles: Arc::new(Tiles::new()),
        };
        let anchor = AnchorFile::create(
            &anchor_path,
            Anchor {
                size: 0,
                root: creditbank_merkle::EMPTY_ROOT,
            },
        )?;
        let signing = keys.bank.verifying_key().to_bytes();
        let key = |bytes, purpose| PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes,
            purpose,
        };
        let credential = keys.credential.as_ref();
        let credential = credential.map(|it| it.verifying_key().to_bytes());
        let credential = credential.map(|bytes| key(bytes, KeyPurpose::Credential));
        let keys_stated = [
            key(signing, KeyPurpose::Sign),
            key(operator, KeyPurpose::Authenticate),
        ];
        let keys_stated = keys_stated.into_iter().chain(credential).collect();
        let statement = Statement::LogOpened {
            origin,
            keys: keys_stated,
        };
        let mut itself = Registry::default();
        itself.apply(LeafIndex(0), &statement);
        let (bank, _jobs, _gone) = Self::assemble(Parts {
            store,
            keys,
            options,
            head,
        })?;
        let issuer = itself
            .institution("bank")
            .expect("the statement admits the bank");
        let admitted = bank.admit_statements(Arc::clone(issuer), vec![statement]);
        let decided = Sequencer::new(Arc::clone(&bank), anchor)
            .once(admitted)
            .map_err(|fault| BankError::Genesis(fault.refusal))?;
        match &decided.rows[..] {
            [Decision::Created(LeafIndex(0))] => Ok(bank.store().close()?),
            _ => Err(BankError::Genesis(creditbank_domain::Refusal::Internal)),
        }
    }

    /// Opens a bank and starts its sequencer; the handle ends after [`Bank::stop`]. `cosigned` is what its peers show
    /// of this log, by [`guard::gather`]: nothing is signed unless the log is at least that.
    pub fn open(
        options: BankOptions,
        keys: BankKeys,
        cosigned: &[PeerCosigned],
    ) -> Result<(Arc<Self>, JoinHandle<()>), BankError> {
        // That there is no database is said first.
        let anchor = AnchorFile::open(&options.anchor);
        let store = database(&options, anchor.as_ref().ok().map(AnchorFile::anchor))?;
        let mut anchor = anchor?;
        // It holds bytes that an erasure takes from the database.
        if let Err(error) = remove_copy(&options.directory) {
            tracing::warn!(%error, "what a backup has left of a copy could not be removed");
        }
        let origin = keys.log.name().to_owned();
        let found = store.origin()?;
        if found != origin {
            return Err(BankError::OtherOrigin {
                found,
                expected: origin,
            });
        }
        let recovered = recover(&store, anchor.anchor())?;
        recovered.hold_against(&store, &keys, cosigned)?;
        expect_opens(&store, &keys)?;
        let checkpoint = Checkpoint {
            origin,
            size: TreeSize::new(recovered.row.size),
            root: Hash(recovered.row.root),
        };
        // Anything recovered beyond the anchor was durable but not yet answered: it is part of the log from now on.
        anchor.advance(Anchor {
            size: recovered.row.size,
            root: checkpoint.root,
        })?;
        let note = keys
            .sign(&checkpoint)
            .expect("the origin was checked when the key was read");
        let erased = recovered.erased;
        let head = Head {
            snapshot: Arc::new(store.snapshot()),
            row: recovered.row,
            edge: recovered.edge,
            note,
            registry: Arc::new(recovered.registry),
            tiles: Arc::new(Tiles::new()),
        };
        let (bank, thread) = Self::start(
            Parts {
                store,
                keys,
                options,
                head,
            },
            anchor,
        )?;
        // A crash in the middle of an erasure, or a restore from an older backup: the log says who must be gone.
        erase::catch_up(&bank, &erased)?;
        Ok((bank, thread))
    }
}

/// Refuses a key-encryption key that opens no learner's key: whoever is enrolled next would be sealed under another key than
/// all others.
pub(crate) fn expect_opens(store: &Store, keys: &BankKeys) -> Result<(), BankError> {
    // What cannot be read, a check finds.
    let rows = store.wrapped_keys(None, KEYS_TRIED).unwrap_or_default();
    let opens = |(learner, row): &(u64, Vec<u8>)| keys.key_encryption.unwrap(*learner, row).is_ok();
    if rows.is_empty() || rows.iter().any(opens) {
        Ok(())
    } else {
        Err(BankError::KeysNotOpened)
    }
}

/// Opens the database of a stopped bank for who writes to it without serving. A last write that a power cut has torn is left
/// out, as at a start, unless it was acknowledged.
pub fn open_stopped(options: &BankOptions) -> Result<Store, StoreError> {
    database(options, AnchorFile::read(&options.anchor).ok())
}

/// Without an anchor nothing is known to lie in front of a torn write.
fn database(options: &BankOptions, anchor: Option<Anchor>) -> Result<Store, StoreError> {
    let anchored = anchor.map_or(u64::MAX, |it| it.size);
    let (store, was_torn) = Store::recover(&options.directory, &options.store, anchored)?;
    if was_torn {
        tracing::warn!("a power cut tore the last write, which nobody was told of; it is left out");
    }
    Ok(store)
}

/// What a start finds.
pub(crate) struct Recovered {
    pub(crate) row: HeadRow,
    pub(crate) edge: Edge,
    pub(crate) registry: Registry,
    /// Handles of all learners that were ever erased.
    pub(crate) erased: Vec<[u8; 16]>,
}

impl Recovered {
    /// Refuses a log that is not at least what peers show as cosigned of it. Its snapshot ends here: an erasure that is
    /// still to be carried out must find nobody who reads what it takes.
    pub(crate) fn hold_against(
        &self,
        store: &Store,
        keys: &BankKeys,
        cosigned: &[PeerCosigned],
    ) -> Result<(), BankError> {
        let source = Source {
            edge: &self.edge,
            snapshot: &store.snapshot(),
        };
        let own_keys = guard::own_log_keys(&self.registry, keys.log.verifier());
        guard::hold_against(cosigned, &own_keys, &source, TreeSize::new(self.row.size))
    }
}

/// Reads the head, rebuilds the right edge and holds both against the anchor.
pub(crate) fn recover(store: &Store, anchor: Anchor) -> Result<Recovered, BankError> {
    let snapshot = store.snapshot();
    let empty = HeadRow {
        size: 0,
        root: creditbank_merkle::EMPTY_ROOT.0,
        deposited_at_ms: 0,
    };
    let row = snapshot.head()?.unwrap_or(empty);
    if row.size < anchor.size {
        return Err(BankError::Shortened {
            found: row.size,
            anchored: anchor.size,
        });
    }
    let edge = edge(&snapshot, TreeSize::new(row.size))?;
    if edge.root().0 != row.root {
        return Err(BankError::TreeDamaged { size: row.size });
    }
    let source = Source {
        edge: &edge,
        snapshot: &snapshot,
    };
    let found = nodes::root(&source, TreeSize::new(anchor.size))?;
    if found != anchor.root {
        return Err(BankError::Forked {
            size: anchor.size,
            found,
            anchored: anchor.root,
        });
    }
    let (registry, erased) = registry(&snapshot)?;
    Ok(Recovered {
        row,
        edge,
        registry,
        erased,
    })
}

struct Source<'a> {
    edge: &'a Edge,
    snapshot: &'a Snapshot,
}

impl Nodes for Source<'_> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, StoreError> {
        if let Some(hash) = self.edge.node(level, index) {
            return Ok(hash);
        }
        let (tile, offset) = TileId::of_node(level, index);
        self.snapshot.tile_hash(tile, offset)
    }
}

/// The right edge: leaf hashes from the last chunks, higher levels from the roots of full tiles.
pub(crate) fn edge(snapshot: &Snapshot, size: TreeSize) -> Result<Edge, BankError> {
    let width = TILE_WIDTH as u64;
    let first = size.value() - size.value() % width;
    let mut leaves = Vec::new();
    if first < size.value() {
        snapshot.chunks(LeafIndex(first), |chunk| {
            for (index, leaf) in chunk.leaves_in_order() {
                if (first..size.value()).contains(&index.0) {
                    leaves.push(leaf_hash(&encode(&leaf)));
                }
            }
            Go::Continue(())
        })?;
    }
    let mut partial = vec![leaves];
    for level in 1..TileId::LEVELS as u8 {
        let count = TileId::partial_width(size, level) as u64;
        let below = size.value() >> (8 * u32::from(level));
        let hashes = (below - count..below).map(|index| {
            let id = TileId {
                level: level - 1,
                index,
            };
            let tile = snapshot.tile(id)?;
            root_in(&tile).ok_or(StoreError::Damaged(creditbank_store::Damage::Tile {
                level: level - 1,
                index,
            }))
        });
        partial.push(hashes.collect::<Result<_, _>>()?);
    }
    Edge::from_parts(size, &partial).map_err(|_| BankError::TreeDamaged { size: size.value() })
}

pub(crate) fn registry(snapshot: &Snapshot) -> Result<(Registry, Vec<[u8; 16]>), BankError> {
    let mut registry = Registry::default();
    let mut erased = Vec::new();
    let mut failed = None;
    snapshot.statements(|index, bytes| {
        let parsed = record::canonical::<v1::Statement>(bytes).and_then(record::statement);
        match parsed.and_then(|statement| registry.check(index, &statement).map(|()| statement)) {
            Ok(statement) => {
                if let Statement::LearnerErased { handle } = &statement {
                    erased.push(*handle);
                }
                registry.apply(index, &statement);
            }
            Err(refusal) => drop(failed.get_or_insert(BankError::Statement {
                index: index.0,
                refusal,
            })),
        }
    })?;
    failed.map_or(Ok((registry, erased)), Err)
}
