//! Whether a log of writes that RocksDB refuses is merely torn: what a power cut leaves of a write that was not synced.
//!
//! A disk does not write its pages in order. The last write may lack one in its middle, which RocksDB takes for a flipped
//! bit: it refuses, although nothing that was acknowledged is missing. Torn it is if there is a hole, zeros up to the end of a
//! sector, and no later write is to be seen: everything that was ever synced lies in front of it. A flipped bit is no hole.
//!
//! The format is RocksDB's log of writes: blocks of 32 KiB of fragments (sum, length, kind; 7 bytes), a write in as many
//! as it touches blocks. A write begins with its sequence number.

use std::fs;
use std::io;
use std::path::Path;

const BLOCK_BYTES: usize = 32 << 10;
/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
/// Zeros at the end of a sector that are a hole: longer than any number or padding that the log holds.
const HOLE: [u8; 16] = [0; 16];
const HEADER_BYTES: usize = 7;
/// Kinds of fragments that begin a write, and the last kind there is.
const FULL: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Whether the logs of this database have a hole, and no write behind the one that follows `recovered`, which is the sequence
/// number of the last change in front of the damage.
pub(crate) fn is_torn(database: &Path, recovered: u64) -> io::Result<bool> {
    let mut has_hole = false;
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let log = fs::read(&path)?;
        has_hole |= log
            .chunks(SECTOR_BYTES)
            .any(|sector| sector.ends_with(&HOLE));
        if log
            .chunks(BLOCK_BYTES)
            .flat_map(begun)
            .any(|begun| begun > recovered + 1)
        {
            return Ok(false);
        }
    }
    Ok(has_hole)
}

/// Sequence numbers of the writes that begin in a block, as far as its fragments hang together.
fn begun(mut block: &[u8]) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let (header, rest) = block.split_at_checked(HEADER_BYTES)?;
        let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
        let (fragment, rest) = rest.split_at_checked(length)?;
        block = rest;
        let kind = header[6];
        (FULL..=LAST).contains(&kind).then_some((kind, fragment))
    })
    .filter(|(kind, _)| [FULL, FIRST].contains(kind))
    .filter_map(|(_, fragment)| {
        fragment
            .first_chunk()
            .map(|bytes| u64::from_le_bytes(*bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fragment; its sum is not looked at.
    fn fragment(kind: u8, sequence: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
        bytes.push(kind);
        bytes.extend(sequence.to_le_bytes());
        bytes.resize(HEADER_BYTES + length, 0xaa);
        bytes
    }

    #[test]
    fn what_lies_behind_the_damage_decides() {
        let whole = fragment(FULL, 1, 20);
        let last = fragment(FIRST, 3, BLOCK_BYTES - 2 * HEADER_BYTES - 20);
        let rest = fragment(LAST, 0, 100);
        let later = fragment(FULL, 9, 20);
        let mut holed = last.clone();
        holed[4096 - whole.len()..8192 - whole.len()].fill(0);
        let cases: [(&str, &[&[u8]], u64, bool); 6] = [
            (
                "a bit of the last write flipped",
                &[&whole, &last, &rest],
                2,
                false,
            ),
            ("it lacks a page", &[&whole, &holed, &rest], 2, true),
            (
                "a write in front of it is damaged",
                &[&whole, &holed, &rest],
                0,
                false,
            ),
            (
                "a write follows",
                &[&whole, &holed, &rest, &later],
                2,
                false,
            ),
            ("zeros follow", &[&whole, &last, &[0; 9000]], 2, true),
            (
                "its beginning is gone",
                &[&whole, &vec![0; last.len()], &rest],
                2,
                true,
            ),
        ];
        for (case, parts, recovered, torn) in cases {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("000007.log"), parts.concat()).unwrap();
            assert_eq!(is_torn(folder.path(), recovered).unwrap(), torn, "{case}");
        }
    }
}
