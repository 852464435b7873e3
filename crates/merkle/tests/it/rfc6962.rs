//! RFC 6962 §2.1 written down as the text has it, recursion and all: slow, obvious, and the measure for the
//! rest. The range proof is defined the same way.

use std::{convert::Infallible, ops::Range};

use creditbank_merkle::{Hash, Nodes, leaf_hash};
use sha2::{Digest, Sha256};

/// The first `count` leaves of the log that all tests share.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&leaf(i))).collect()
}

/// The bytes of leaf `i`.
pub(crate) fn leaf(i: usize) -> Vec<u8> {
    format!("leaf {i}").into_bytes()
}

/// MTH(D[n]) over leaf hashes.
pub(crate) fn mth(d: &[Hash]) -> Hash {
    match d.len() {
        0 => Hash(Sha256::digest([]).into()),
        1 => d[0],
        n => node(&mth(&d[..k(n)]), &mth(&d[k(n)..])),
    }
}

/// PATH(m, D[n]).
pub(crate) fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    let n = d.len();
    if n == 1 {
        vec![]
    } else if m < k(n) {
        [path(m, &d[..k(n)]), vec![mth(&d[k(n)..])]].concat()
    } else {
        [path(m - k(n), &d[k(n)..]), vec![mth(&d[..k(n)])]].concat()
    }
}

/// SUBPROOF(m, D[n], b); PROOF(m, D[n]) is SUBPROOF(m, D[n], true).
pub(crate) fn subproof(m: usize, d: &[Hash], b: bool) -> Vec<Hash> {
    let n = d.len();
    if m == n {
        if b { vec![] } else { vec![mth(d)] }
    } else if m <= k(n) {
        [subproof(m, &d[..k(n)], b), vec![mth(&d[k(n)..])]].concat()
    } else {
        [subproof(m - k(n), &d[k(n)..], false), vec![mth(&d[..k(n)])]].concat()
    }
}

/// The range proof of `[a, b)` for the node over `[lo, hi)`.
pub(crate) fn range(a: usize, b: usize, lo: usize, hi: usize, d: &[Hash]) -> Vec<Hash> {
    if hi <= a || b <= lo {
        vec![mth(&d[lo..hi])]
    } else if a <= lo && hi <= b {
        vec![]
    } else {
        let middle = lo + k(hi - lo);
        [range(a, b, lo, middle, d), range(a, b, middle, hi, d)].concat()
    }
}

/// All perfect nodes over the leaves, by level.
pub(crate) struct Perfect(Vec<Vec<Hash>>);

impl Perfect {
    pub(crate) fn new(leaves: &[Hash]) -> Self {
        let mut rows = vec![leaves.to_vec()];
        while rows[rows.len() - 1].len() > 1 {
            let row = rows[rows.len() - 1]
                .chunks_exact(2)
                .map(|pair| node(&pair[0], &pair[1]))
                .collect();
            rows.push(row);
        }
        Self(rows)
    }

    /// Every node: level, index, hash.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u8, u64, Hash)> {
        self.0.iter().enumerate().flat_map(|(level, row)| {
            row.iter()
                .enumerate()
                .map(move |(index, hash)| (level as u8, index as u64, *hash))
        })
    }
}

impl Nodes for Perfect {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::from(level)][index as usize])
    }
}

/// All `[a, b)` with `a < b ≤ n`.
pub(crate) fn ranges(n: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n).flat_map(move |a| (a + 1..=n).map(move |b| a..b))
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::digest([&[1], &left.0[..], &right.0[..]].concat()).into())
}

/// The largest power of two smaller than `n`.
fn k(n: usize) -> usize {
    let mut k = 1;
    while 2 * k < n {
        k *= 2;
    }
    k
}
