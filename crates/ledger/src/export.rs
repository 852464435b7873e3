//! The whole ledger in one file, sealed for one receiver, and back into an empty database. Nothing of it depends on the
//! engine: tiles and views are made again, and learners' keys move under another key-encryption key.
//!
//! ```text
//! "creditbank/export/v1\n" ‖ u16 length ‖ signed checkpoint, then frames:
//! u8 whether it is the last ‖ u32 length ‖ 32 bytes of HPKE encapsulation ‖ ciphertext of rows:
//! u8 kind (0 a learner's key, else a family) ‖ u16 length ‖ key ‖ u32 length ‖ value
//! ```
//!
//! The checkpoint is bound into every frame, and the number of a frame too: none can be left out, moved or cut off. So is
//! what only this bank can say of the checkpoint: rows beside the log are in no tree, and nobody else may seal some.

use std::io::{Read, Write};

use creditbank_domain::LeafIndex;
use creditbank_merkle::{Checkpoint, Edge, Hash, TreeSize, leaf_hash};
use creditbank_store::{AnchorFile, Chunk, Go, HeadRow, MovedRow, Plan, Store, StoreError, Views};
use zeroize::Zeroizing;

use crate::backup::{self, expect_origin};
use crate::bank::{BankError, BankKeys, BankOptions};
use crate::head::encode;
use crate::peers::seal::{NotSealed, SealKey, seal};
use crate::rebuild::{RebuildError, rebuild};
use crate::recover::recover;
use crate::vault::{KeyEncryptionKey, SealError};

const MAGIC: &[u8] = b"creditbank/export/v1\n";
/// Bytes of rows from which a frame is sealed.
const FRAME_BYTES: usize = 1 << 20;
/// Most bytes of a sealed frame.
const FRAME_BYTES_MAX: usize = 16 << 20;
/// Bytes of an encapsulation.
const ENC_BYTES: usize = 32;
/// The kind of a learner's key.
const KEY: u8 = 0;
/// Chunks whose leaves are hashed at a time.
const CHUNKS_PER_COMMIT: usize = 256;

/// Why a ledger did not move.
#[derive(Debug, thiserror::Error)]
pub enum NotMoved {
    /// The bank.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error(transparent)]
    File(std::io::Error),
    /// It was cut off.
    #[error("the file ends too early: it was cut off on its way")]
    Cut,
    /// The views could not be folded again.
    #[error(transparent)]
    Views(#[from] RebuildError),
    /// It is sealed for another receiver, or was changed.
    #[error("frame {0} of the file is not sealed for this key, or was changed")]
    Frame(u64),
    /// No key to seal it for.
    #[error("it cannot be sealed for this key")]
    Receiver(#[from] NotSealed),
    /// A learner's key that the key-encryption key does not open.
    #[error("secrets/key-encryption.key does not open learners' keys")]
    Keys(#[from] SealError),
    /// Not such a file.
    #[error("it is no exported ledger of format 1")]
    Form,
    /// A stop in the middle of a commit.
    #[error("the log holds more than was signed: start and stop the bank once, then export it")]
    Unsigned,
}

/// Writes the ledger of a stopped bank, sealed for the holder of `receiver`. Gives the size of its log.
pub fn export(
    options: &BankOptions,
    keys: &BankKeys,
    receiver: &[u8; 32],
    out: impl Write,
) -> Result<u64, NotMoved> {
    let store = Store::open_read_only(&options.directory, &options.store)?;
    expect_origin(&store, keys)?;
    let anchor = AnchorFile::read(&options.anchor)?;
    let row = recover(&store, anchor)?.row;
    if row.size != anchor.size {
        return Err(NotMoved::Unsigned);
    }
    let checkpoint = Checkpoint {
        origin: keys.log.name().to_owned(),
        size: TreeSize::new(row.size),
        root: Hash(row.root),
    };
    let note = checkpoint.sign(&keys.log);
    let note = note.expect("the origin was checked when the key was read");
    let mut frames = Frames::begin(out, keys, &note, receiver)?;
    let snapshot = store.snapshot();
    let mut outcome = Ok(());
    snapshot.moved_rows(|family, key, value| {
        outcome = frames.put(family, key, value);
        go_on(&outcome)
    })?;
    outcome?;
    let mut outcome = Ok(());
    snapshot.wrapped_keys(|learner, wrapped| {
        let revealed = keys.key_encryption.opened(learner, wrapped);
        outcome = revealed
            .map_err(NotMoved::from)
            .and_then(|key| frames.put(KEY, &learner.to_be_bytes(), &key[..]));
        go_on(&outcome)
    })?;
    outcome?;
    frames.end()?;
    Ok(row.size)
}

fn go_on<T>(outcome: &Result<(), T>) -> Go {
    match outcome {
        Ok(()) => Go::Continue(()),
        Err(_) => Go::Break(()),
    }
}

/// Rows on their way out.
struct Frames<'a, W> {
    out: W,
    receiver: &'a [u8; 32],
    info: Vec<u8>,
    number: u64,
    rows: Zeroizing<Vec<u8>>,
}

impl<'a, W: Write> Frames<'a, W> {
    fn begin(
        mut out: W,
        keys: &BankKeys,
        note: &str,
        receiver: &'a [u8; 32],
    ) -> Result<Self, NotMoved> {
        out.write_all(MAGIC)?;
        let length = u16::try_from(note.len()).map_err(|_| NotMoved::Form)?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(note.as_bytes())?;
        Ok(Self {
            out,
            receiver,
            info: info(keys, note),
            number: 0,
            rows: Zeroizing::new(Vec::with_capacity(2 * FRAME_BYTES)),
        })
    }

    fn put(&mut self, kind: u8, key: &[u8], value: &[u8]) -> Result<(), NotMoved> {
        let form = |_| NotMoved::Form;
        self.rows.push(kind);
        let length = u16::try_from(key.len()).map_err(form)?;
        self.rows.extend_from_slice(&length.to_be_bytes());
        self.rows.extend_from_slice(key);
        let length = u32::try_from(value.len()).map_err(form)?;
        self.rows.extend_from_slice(&length.to_be_bytes());
        self.rows.extend_from_slice(value);
        if self.rows.len() < FRAME_BYTES {
            return Ok(());
        }
        self.seal(false)
    }

    fn seal(&mut self, is_last: bool) -> Result<(), NotMoved> {
        let aad = aad(self.number, is_last);
        let (enc, sealed) = seal(self.receiver, &self.info, &aad, &self.rows)?;
        let length = u32::try_from(sealed.len()).map_err(|_| NotMoved::Form)?;
        self.out.write_all(&[u8::from(is_last)])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&enc)?;
        self.out.write_all(&sealed)?;
        self.rows.clear();
        self.number += 1;
        Ok(())
    }

    fn end(mut self) -> Result<(), NotMoved> {
        self.seal(true)?;
        Ok(self.out.flush()?)
    }
}

fn info(keys: &BankKeys, note: &str) -> Vec<u8> {
    let said = backup::seal(keys, note.as_bytes());
    [MAGIC, note.as_bytes(), &said].concat()
}

fn aad(number: u64, is_last: bool) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[u8::from(is_last)]].concat()
}

/// Makes the database at `options.directory` out of an exported ledger. Every leaf is hashed again; whether the tree is the
/// one that was signed is asked by `Returned::open`, with the checkpoint that this gives.
pub fn import(
    options: &BankOptions,
    keys: &BankKeys,
    receiver: &SealKey,
    mut input: impl Read,
) -> Result<String, NotMoved> {
    let store = Store::create(&options.directory, &options.store, keys.log.name())?;
    let mut magic = vec![0; MAGIC.len()];
    input.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(NotMoved::Form);
    }
    let length = u16::from_be_bytes(array(&mut input)?);
    let mut note = vec![0; usize::from(length)];
    input.read_exact(&mut note)?;
    let note = String::from_utf8(note).map_err(|_| NotMoved::Form)?;
    let (info, mut number) = (info(keys, &note), 0);
    loop {
        let [is_last] = array(&mut input)?;
        let length = u32::from_be_bytes(array(&mut input)?) as usize;
        if length > FRAME_BYTES_MAX || is_last > 1 {
            return Err(NotMoved::Form);
        }
        let enc: [u8; ENC_BYTES] = array(&mut input)?;
        let mut sealed = vec![0; length];
        input.read_exact(&mut sealed)?;
        let aad = aad(number, is_last == 1);
        let rows = receiver.open(&info, &aad, &enc, &sealed);
        let rows = rows.map_err(|_| NotMoved::Frame(number))?;
        put(&store, &keys.key_encryption, &rows)?;
        number += 1;
        if is_last == 1 {
            break;
        }
    }
    grow(&store)?;
    rebuild(&store, |_| ())?;
    store.close()?;
    Ok(note)
}

impl From<std::io::Error> for NotMoved {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Cut,
            _ => Self::File(error),
        }
    }
}

fn array<const N: usize>(input: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes the rows of a frame. Learners come before their keys.
fn put(store: &Store, wrap: &KeyEncryptionKey, mut rows: &[u8]) -> Result<(), NotMoved> {
    let mut moved: Vec<MovedRow> = Vec::new();
    let mut keys = Vec::new();
    while !rows.is_empty() {
        let [kind] = array(&mut rows)?;
        let key_length = usize::from(u16::from_be_bytes(array(&mut rows)?));
        let (key, rest) = rows.split_at_checked(key_length).ok_or(NotMoved::Form)?;
        rows = rest;
        let length = u32::from_be_bytes(array(&mut rows)?) as usize;
        let (value, rest) = rows.split_at_checked(length).ok_or(NotMoved::Form)?;
        rows = rest;
        if kind == KEY {
            let learner = key.try_into().map(u64::from_be_bytes);
            let learner = learner.map_err(|_| NotMoved::Form)?;
            let value = value.try_into().map_err(|_| NotMoved::Form)?;
            keys.push(Ok((learner, wrap.wrap(learner, value))));
        } else {
            moved.push((kind, key.to_vec(), value.to_vec()));
        }
    }
    store.put_moved(&moved)?;
    store.put_keys(keys)?;
    Ok(())
}

/// Grows the tree from the leaves alone: tiles, size and root.
fn grow(store: &Store) -> Result<(), NotMoved> {
    let mut edge = Edge::new();
    let mut outcome = Ok(());
    let mut waiting = Vec::new();
    store.snapshot().chunks(LeafIndex(0), |chunk| {
        waiting.push(chunk);
        if waiting.len() == CHUNKS_PER_COMMIT {
            outcome = grow_by(store, &mut edge, &waiting);
            waiting.clear();
        }
        match outcome {
            Ok(()) => Go::Continue(()),
            Err(_) => Go::Break(()),
        }
    })?;
    outcome?;
    Ok(grow_by(store, &mut edge, &waiting)?)
}

fn grow_by(store: &Store, edge: &mut Edge, chunks: &[Chunk]) -> Result<(), StoreError> {
    let Some(last) = chunks.last() else {
        return Ok(());
    };
    let leaves = chunks.iter().flat_map(Chunk::leaves_in_order);
    let hashes: Vec<_> = leaves.map(|(_, leaf)| leaf_hash(&encode(&leaf))).collect();
    let expected_size = edge.size().value();
    let tiles = edge.append(&hashes);
    let head = HeadRow {
        size: edge.size().value(),
        root: edge.root().0,
        deposited_at_ms: last.deposited_at_ms,
    };
    store.commit(&Plan {
        expected_size,
        chunks: Vec::new(),
        tiles,
        vault: Vec::new(),
        book: Vec::new(),
        views: Views::default(),
        learners: Vec::new(),
        head,
    })
}
