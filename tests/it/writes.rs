//! The database's log of writes, read and forged by its public format.
//!
//! A forged write has a right checksum, so the database takes it: this is how the tests damage what lies below the
//! database's own checksums, as a broken program or a thief would.

use std::fs;
use std::ops::Range;
use std::path::Path;

/// Families by their number, in the order of their creation.
pub(crate) const DEFAULT: u32 = 0;
pub(crate) const LEAVES: u32 = 1;
pub(crate) const TILES: u32 = 2;
pub(crate) const VAULT: u32 = 3;
pub(crate) const LEARNERS: u32 = 5;
pub(crate) const IDS: u32 = 6;
pub(crate) const VIEWS: u32 = 7;

const BLOCK_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;
const BATCH_HEADER_BYTES: usize = 12;

/// One row that a write puts into a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) family: u32,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// Every row that the log puts, oldest first.
pub(crate) fn rows(log: &Path) -> Vec<Row> {
    batches(log)
        .iter()
        .flat_map(|(_, batch)| rows_of(&batch[BATCH_HEADER_BYTES..]))
        .collect()
}

/// Where each whole write lies in the file.
pub(crate) fn places(log: &Path) -> Vec<Range<usize>> {
    batches(log).into_iter().map(|(place, _)| place).collect()
}

/// Appends one write of these rows.
pub(crate) fn forge(log: &Path, rows: &[Row]) {
    let (_, last) = batches(log).pop().expect("a log with a write");
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let next = number(&last[..8]) + number(&last[8..BATCH_HEADER_BYTES]);
    let mut batch = next.to_le_bytes().to_vec();
    batch.extend(u32::try_from(rows.len()).expect("few rows").to_le_bytes());
    for row in rows {
        batch.push(5);
        put_varint(&mut batch, row.family as usize);
        for part in [&row.key, &row.value] {
            put_varint(&mut batch, part.len());
            batch.extend(part);
        }
    }
    let mut file = fs::read(log).expect("a log");
    append(&mut file, &batch);
    fs::write(log, file).expect("room for a write");
}

/// The writes and where they lie.
fn batches(log: &Path) -> Vec<(Range<usize>, Vec<u8>)> {
    let file = fs::read(log).expect("a log");
    let (mut at, mut start) = (0, 0);
    let (mut found, mut open) = (Vec::new(), Vec::new());
    while at + HEADER_BYTES <= file.len() {
        let left = BLOCK_BYTES - at % BLOCK_BYTES;
        if left < HEADER_BYTES {
            at += left;
            continue;
        }
        let bytes = usize::from(u16::from_le_bytes([file[at + 4], file[at + 5]]));
        let (kind, end) = (file[at + 6], at + HEADER_BYTES + bytes);
        if matches!(kind, 1 | 2) {
            (start, open) = (at, Vec::new());
        }
        open.extend_from_slice(&file[at + HEADER_BYTES..end]);
        match kind {
            1 | 4 => found.push((start..end, std::mem::take(&mut open))),
            2 | 3 => {}
            _ => panic!("a record of kind {kind} at {at}"),
        }
        at = end;
    }
    found
}

fn rows_of(mut batch: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some((kind, rest)) = batch.split_first() {
        batch = rest;
        let family = if matches!(kind, 4 | 5) {
            varint(&mut batch) as u32
        } else {
            DEFAULT
        };
        match kind {
            0 | 4 => drop(part(&mut batch)),
            1 | 5 => {
                let key = part(&mut batch);
                rows.push(Row {
                    family,
                    key,
                    value: part(&mut batch),
                });
            }
            _ => panic!("a row of kind {kind}"),
        }
    }
    rows
}

/// Writes a record in as many fragments as blocks it touches.
fn append(file: &mut Vec<u8>, mut record: &[u8]) {
    let mut first = true;
    loop {
        let left = BLOCK_BYTES - file.len() % BLOCK_BYTES;
        if left < HEADER_BYTES {
            file.resize(file.len() + left, 0);
            continue;
        }
        let (fragment, rest) = record.split_at(record.len().min(left - HEADER_BYTES));
        let kind: u8 = match (first, rest.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        let sum = crc32c(&[&[kind], fragment].concat());
        file.extend((sum.rotate_right(15).wrapping_add(0xa282_ead8)).to_le_bytes());
        file.extend(
            u16::try_from(fragment.len())
                .expect("less than a block")
                .to_le_bytes(),
        );
        file.push(kind);
        file.extend(fragment);
        (first, record) = (false, rest);
        if rest.is_empty() {
            return;
        }
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0x82f6_3b78
            } else {
                sum >> 1
            }
        })
    })
}

fn varint(bytes: &mut &[u8]) -> usize {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().expect("a whole varint");
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}

fn part(bytes: &mut &[u8]) -> Vec<u8> {
    let length = varint(bytes);
    let (part, rest) = bytes.split_at(length);
    *bytes = rest;
    part.to_vec()
}

fn put_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
