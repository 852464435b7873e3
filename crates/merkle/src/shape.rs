//! The shape of RFC 6962 trees and of their proofs, as ranges of leaves and without a single hash.
//!
//! A tree of n leaves is the perfect tree of the next power of two cut off at n; a node without a right child
//! stands for its left one. Hence every subtree is `[i·2^l, (i+1)·2^l)` cut off at n, and a proof is a list of
//! such ranges. Total for all arguments up to 2^64 − 1, so that hostile sizes cost nothing.

use std::{iter, ops::Range};

/// A subtree: the range of leaves under one node.
pub(crate) type Subtree = Range<u64>;

/// The largest power of two below `count`: where RFC 6962 splits a tree of at least two leaves.
pub(crate) fn split(count: u64) -> u64 {
    debug_assert!(count >= 2);
    1 << (count - 1).ilog2()
}

/// The siblings on the way from the node at `level` over leaf `index` up to the root, lowest first. Level by
/// level the sibling is the neighbour of the pair; where the tree is cut off before it, there is none.
pub(crate) fn siblings(level: u32, index: u64, size: u64) -> impl Iterator<Item = Subtree> {
    debug_assert!(index < size);
    let height = u64::BITS - (size - 1).leading_zeros();
    (level..height).filter_map(move |level| {
        let start = ((index >> level) ^ 1) << level;
        (start < size).then(|| start..start.saturating_add(1 << level).min(size))
    })
}

/// The largest subtrees outside of `[a, b)`, left to right: the shape of a range proof.
pub(crate) fn outside(a: u64, b: u64, size: u64) -> impl Iterator<Item = Subtree> {
    debug_assert!(a < b && b <= size);
    left_of(a).chain(right_of(b, size))
}

/// The shape of a consistency proof, for 0 < old < new. The last perfect subtree of the old tree comes first,
/// unless it is the whole old tree, whose root the verifier knows; then its siblings in the new tree.
pub(crate) fn consistency(old: u64, new: u64) -> impl Iterator<Item = Subtree> {
    debug_assert!(0 < old && old < new);
    let level = old.trailing_zeros();
    let last = old - (1 << level)..old;
    (last.start > 0)
        .then_some(last)
        .into_iter()
        .chain(siblings(level, old - 1, new))
}

/// `[0, a)` in perfect subtrees: one for every bit of `a`, the largest first.
fn left_of(a: u64) -> impl Iterator<Item = Subtree> {
    let mut start = 0;
    iter::from_fn(move || {
        let width = 1 << (a - start).checked_ilog2()?;
        start += width;
        Some(start - width..start)
    })
}

/// `[b, size)` in subtrees: each as large as the alignment of its start allows.
fn right_of(b: u64, size: u64) -> impl Iterator<Item = Subtree> {
    let mut start = b;
    iter::from_fn(move || {
        let end = start.saturating_add(1 << start.trailing_zeros()).min(size);
        let subtree = (start < size).then_some(start..end);
        start = end;
        subtree
    })
}
