//! The anchor: size and root of the last signed checkpoint, in a file beside the database.
//!
//! RocksDB opens without a word when a log file of its own is missing, shortened or older. The anchor is how the bank
//! notices: at start the recovered log must be at least as long and have this root at this size.
//!
//! The file has two slots of one disk page each, written in turn in place, each with its own digest and sequence. A
//! torn write can hurt only the older slot, so one fdatasync a commit is enough; a rename would need three.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use creditbank_merkle::{Hash, leaf_hash};

use crate::codec::{Reader, Writer};
use crate::{Damage, StoreError};

const SLOT_BYTES: u64 = 4096;
const MAGIC: &[u8; 16] = b"creditbank/ancho";

/// Size and root of a signed checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Leaves.
    pub size: u64,
    /// RFC 6962 root at that size.
    pub root: Hash,
}

/// The open file.
#[derive(Debug)]
pub struct AnchorFile {
    file: File,
    path: PathBuf,
    /// Sequence of the newest slot; the next write goes to the other one.
    sequence: u64,
    anchor: Anchor,
}

impl AnchorFile {
    /// Makes the file for a new log; refuses to replace one.
    pub fn create(path: &Path, anchor: Anchor) -> Result<Self, StoreError> {
        let failed = |error| StoreError::File {
            path: path.to_owned(),
            error,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(failed)?;
        file.set_len(2 * SLOT_BYTES).map_err(failed)?;
        let mut anchored = Self {
            file,
            path: path.to_owned(),
            sequence: 0,
            anchor,
        };
        anchored.advance(anchor)?;
        anchored.file.sync_all().map_err(failed)?;
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(failed)?;
        Ok(anchored)
    }

    /// The anchored checkpoint, for a look.
    pub fn read(path: &Path) -> Result<Anchor, StoreError> {
        let failed = |error| StoreError::File {
            path: path.to_owned(),
            error,
        };
        Ok(Self::of(File::open(path).map_err(failed)?, path)?.anchor)
    }

    /// Opens the file and takes the newer of its whole slots.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::File {
            path: path.to_owned(),
            error,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(failed)?;
        Self::of(file, path)
    }

    fn of(file: File, path: &Path) -> Result<Self, StoreError> {
        let slots = [0, 1].map(|slot| {
            let mut bytes = [0; 128];
            file.read_exact_at(&mut bytes, slot * SLOT_BYTES)
                .ok()
                .and_then(|()| decode(&bytes))
        });
        let newest = slots
            .into_iter()
            .flatten()
            .max_by_key(|(sequence, _)| *sequence);
        let (sequence, anchor) = newest.ok_or(StoreError::Damaged(Damage::Anchor))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            sequence,
            anchor,
        })
    }

    /// The last anchored checkpoint.
    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    /// Anchors a newer checkpoint, durably. If we crash before this returns, the older anchor still holds, and the
    /// recovered log is longer than it says, which is allowed.
    pub fn advance(&mut self, anchor: Anchor) -> Result<(), StoreError> {
        let failed = |error| StoreError::File {
            path: self.path.clone(),
            error,
        };
        let sequence = self.sequence + 1;
        self.file
            .write_all_at(&encode(sequence, anchor), (sequence % 2) * SLOT_BYTES)
            .map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.sequence = sequence;
        self.anchor = anchor;
        Ok(())
    }
}

fn encode(sequence: u64, anchor: Anchor) -> [u8; 128] {
    let mut out = Writer::with_capacity(128);
    out.bytes(MAGIC);
    out.u64(sequence);
    out.u64(anchor.size);
    out.bytes(&anchor.root.0);
    let body = out.into_bytes();
    let mut slot = [0; 128];
    slot[..body.len()].copy_from_slice(&body);
    slot[96..].copy_from_slice(&leaf_hash(&body).0);
    slot
}

fn decode(slot: &[u8; 128]) -> Option<(u64, Anchor)> {
    let body = &slot[..64];
    if slot[96..] != leaf_hash(body).0 || !body.starts_with(MAGIC) {
        return None;
    }
    let mut input = Reader::new(&body[MAGIC.len()..]);
    Some((
        input.u64()?,
        Anchor {
            size: input.u64()?,
            root: Hash(input.array()?),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_falls_back_to_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        let at = |size| Anchor {
            size,
            root: leaf_hash(&[u8::try_from(size).unwrap()]),
        };
        let mut file = AnchorFile::create(&path, at(1)).unwrap();
        file.advance(at(2)).unwrap();
        file.advance(at(3)).unwrap();
        assert_eq!(AnchorFile::open(&path).unwrap().anchor(), at(3));
        let newest = file.sequence % 2;
        file.file
            .write_all_at(b"torn", newest * SLOT_BYTES + 20)
            .unwrap();
        assert_eq!(AnchorFile::open(&path).unwrap().anchor(), at(2));
        file.file
            .write_all_at(b"torn", (1 - newest) * SLOT_BYTES + 20)
            .unwrap();
        assert!(matches!(
            AnchorFile::open(&path),
            Err(StoreError::Damaged(Damage::Anchor))
        ));
    }
}
