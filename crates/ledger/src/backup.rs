//! Backups: a copy of the database while the bank runs, with a signed checkpoint of exactly what is in it; and a look at
//! a database that changes nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{Algorithm, KeyId, KeyPurpose};
use creditbank_merkle::{Checkpoint, Hash, TreeSize, nodes};
use creditbank_store::{AnchorFile, Go, HeadRow, Store, StoreError, StoreOptions};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::bank::{Bank, BankError, BankKeys};
use crate::peers::guard::PeerCosigned;
use crate::recover::recover;

const SEAL_CONTEXT: &[u8] = b"creditbank/backup/v1\n";
/// Between two looks whether what was copied is signed.
const SIGNED_POLL: Duration = Duration::from_millis(5);
/// How many times, before the copy is given up.
const SIGNED_POLLS_MAX: u32 = 2_000;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCopied {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy before could not be removed.
    #[error("{path}: {error}")]
    Folder {
        path: PathBuf,
        error: std::io::Error,
    },
    /// What was copied is not what the bank signs.
    #[error("the copy holds a log of {0} leaves that this bank has not signed")]
    NotSigned(u64),
}

/// Where the copy of a bank's database is made: beside it, on the same filesystem.
#[must_use]
pub fn copy_place(database: &Path) -> PathBuf {
    database.with_file_name("copy")
}

/// Removes a copy. Its links keep bytes on the disk that an erasure takes from the database, so none stays longer than
/// its backup takes: a start of the bank removes what is left.
pub fn remove_copy(database: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(copy_place(database)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Options for a copy that is read once.
#[must_use]
pub fn small_options() -> StoreOptions {
    StoreOptions {
        block_cache_bytes: 32 << 20,
        write_buffer_bytes: 32 << 20,
        ..StoreOptions::default()
    }
}

impl Bank {
    /// Makes a copy of the database in its place and signs a checkpoint of exactly the log in it.
    pub(crate) async fn take_copy(&self) -> Result<String, NotCopied> {
        let place = copy_place(self.directory());
        let row = tokio::task::block_in_place(|| -> Result<HeadRow, NotCopied> {
            remove_copy(self.directory()).map_err(|error| NotCopied::Folder {
                path: place.clone(),
                error,
            })?;
            self.store().take_copy(&place)?;
            Ok(head(&Store::open_read_only(&place, &small_options())?)?)
        })?;
        // What was copied is durable. A moment later it is signed and anchored, and part of the history that this bank
        // vouches for; only then is it signed here, alone.
        for _ in 0..SIGNED_POLLS_MAX {
            if self.head().row.size >= row.size {
                return self.sign_past(&row);
            }
            tokio::time::sleep(SIGNED_POLL).await;
        }
        Err(NotCopied::NotSigned(row.size))
    }

    fn sign_past(&self, row: &HeadRow) -> Result<String, NotCopied> {
        let checkpoint = Checkpoint {
            origin: self.origin().to_owned(),
            size: TreeSize::new(row.size),
            root: nodes::root(self.head().as_ref(), TreeSize::new(row.size))?,
        };
        if checkpoint.root != Hash(row.root) {
            return Err(NotCopied::NotSigned(row.size));
        }
        Ok(self.sign_checkpoint(&checkpoint))
    }
}

/// Size and root of the log in a database.
pub fn head(store: &Store) -> Result<HeadRow, StoreError> {
    Ok(store.snapshot().head()?.unwrap_or(HeadRow {
        size: 0,
        root: creditbank_merkle::EMPTY_ROOT.0,
        deposited_at_ms: 0,
    }))
}

/// What a look at a database finds, where its log is in order.
#[derive(Debug)]
pub struct Inspected {
    /// Size, root and time of the last leaf.
    pub row: HeadRow,
    /// Whether the key-encryption key opens learners' keys; none where there is no learner.
    pub keys_unwrap: Option<bool>,
    /// Whether the log names the bank's signing key, and it was not revoked.
    pub bank_key_registered: bool,
}

/// Holds a log against the anchor, and against what peers have cosigned of it. Writes nothing, and a bank may be running:
/// what it has just changed may then be missed, and looked at again.
pub fn inspect(
    (database, anchor): (&Path, &Path),
    options: &StoreOptions,
    keys: &BankKeys,
    cosigned: &[PeerCosigned],
) -> Result<Inspected, BankError> {
    // First the anchor: a running bank moves on, and its log is never shorter than that.
    let anchored = AnchorFile::read(anchor)?;
    let store = Store::open_read_only(database, options)?;
    expect_origin(&store, keys)?;
    let recovered = recover(&store, anchored)?;
    recovered.hold_against(&store, keys, cosigned)?;
    let mut keys_unwrap = None;
    store.snapshot().wrapped_keys(|learner, wrapped| {
        keys_unwrap = Some(keys.key_encryption.unwrap(learner, wrapped).is_ok());
        Go::Break(())
    })?;
    let bank_key = KeyId::of(Algorithm::Ed25519, keys.bank.verifying_key().as_bytes());
    let at = LeafIndex(recovered.row.size);
    let admitted =
        recovered
            .registry
            .admit_key(InstitutionId::BANK, &bank_key, KeyPurpose::Sign, at);
    Ok(Inspected {
        row: recovered.row,
        keys_unwrap,
        bank_key_registered: admitted.is_ok(),
    })
}

/// Seals the manifest of a backup: whoever holds the bank's identity key, which is never renewed, can tell it again.
#[must_use]
pub fn seal(keys: &BankKeys, manifest: &[u8]) -> [u8; 32] {
    mac(keys, manifest).finalize().into_bytes().into()
}

/// Whether this bank has sealed a manifest.
#[must_use]
pub fn is_sealed(keys: &BankKeys, manifest: &[u8], seal: &[u8]) -> bool {
    mac(keys, manifest).verify_slice(seal).is_ok()
}

fn mac(keys: &BankKeys, manifest: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(&keys.identity[..]).expect("HMAC takes any key");
    mac.chain_update(SEAL_CONTEXT).chain_update(manifest)
}

/// Refuses the database of another log than the keys'.
pub(crate) fn expect_origin(store: &Store, keys: &BankKeys) -> Result<(), BankError> {
    let (found, expected) = (store.origin()?, keys.log.name().to_owned());
    if found == expected {
        return Ok(());
    }
    Err(BankError::OtherOrigin { found, expected })
}
