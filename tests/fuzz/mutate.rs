//! A small mutator for the stable toolchain: kept inputs, and mutations of them, through a decoder.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Mutations that are stacked at most.
const STACKED_MAX: u64 = 6;
/// Most bytes of a mutated input.
const BYTES_MAX: usize = 64 << 10;
/// Values at which arithmetic breaks.
const SHARP: [u64; 8] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff_ffff,
    0xffff_ffff,
    u64::MAX >> 1,
    u64::MAX,
];

/// Where inputs of a decoder are kept, by its folder in `tests/fuzz`.
pub(crate) fn folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fuzz").join(name)
}

/// The kept inputs of a decoder, in the order of their names.
pub(crate) fn kept(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder(name)) else {
        panic!("nothing is kept in {name}");
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("readable");
        (path, bytes)
    };
    files.into_iter().map(read).collect()
}

/// Decodes what is kept, and this many mutations of it.
pub(crate) fn replay(
    name: &str,
    decode: impl Fn(&[u8]),
    mutations: u64,
    mut chance: impl FnMut(u64) -> u64,
) {
    let kept = kept(name);
    assert!(!kept.is_empty(), "nothing is kept in {name}");
    for (path, bytes) in &kept {
        must(&decode, bytes, || format!("{name}: {}", path.display()));
    }
    for _ in 0..mutations {
        let input = mutated(&kept, &mut chance);
        must(&decode, &input, || {
            format!("{name}: keep this input: {input:?}")
        });
    }
}

fn must(decode: impl Fn(&[u8]), bytes: &[u8], which: impl Fn() -> String) {
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(bytes)));
    assert!(decoded.is_ok(), "{} ends in a panic", which());
}

/// One of these inputs, mutated.
pub(crate) fn mutated(kept: &[(PathBuf, Vec<u8>)], chance: &mut impl FnMut(u64) -> u64) -> Vec<u8> {
    let one = |chance: &mut dyn FnMut(u64) -> u64| &kept[chance(kept.len() as u64) as usize].1;
    let mut input = one(chance).clone();
    for _ in 0..=chance(STACKED_MAX) {
        mutate(&mut input, one(chance), chance);
    }
    input.truncate(BYTES_MAX);
    input
}

fn mutate(input: &mut Vec<u8>, other: &[u8], chance: &mut impl FnMut(u64) -> u64) {
    let at = chance(input.len() as u64 + 1) as usize;
    let end = at + chance((input.len() - at) as u64 + 1) as usize;
    let sharp = SHARP[chance(SHARP.len() as u64) as usize];
    match chance(9) {
        0 if at < input.len() => input[at] ^= 1 << chance(8),
        1 if at < input.len() => input[at] = chance(256) as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].to_vec();
            input.splice(at..at, piece);
        }
        4 => {
            let (from, to) = (
                chance(other.len() as u64 + 1),
                chance(other.len() as u64 + 1),
            );
            let piece = &other[from.min(to) as usize..from.max(to) as usize];
            input.splice(at..end, piece.iter().copied());
        }
        5 => drop(input.splice(at..at, sharp.to_be_bytes())),
        // As decimal digits, and as protobuf writes it.
        6 => drop(input.splice(at..at, sharp.to_string().into_bytes())),
        7 => {
            let mut varint = Vec::new();
            let mut left = sharp;
            while left >= 0x80 {
                varint.push(left as u8 | 0x80);
                left >>= 7;
            }
            varint.push(left as u8);
            input.splice(at..(at + 1).min(input.len()), varint);
        }
        _ => input.truncate(at),
    }
}
