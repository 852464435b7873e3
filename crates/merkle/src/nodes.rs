//! Roots and proofs of a tree whose nodes lie elsewhere: in memory, in tiles, in a database.
//!
//! Only hashes of perfect subtrees are ever asked for; they never change once they exist, so the same nodes
//! serve every tree size. Each function fetches O(log n) nodes.

use std::ops::Range;

use crate::{
    hash::{EMPTY_ROOT, Hash, node_hash},
    position::{LeafIndex, TreeSize},
    shape::{self, Subtree},
};

/// Where the hashes of perfect subtrees come from.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;

    /// The hash over the leaves `[index·2^level, (index+1)·2^level)`. Asked for only within the tree.
    ///
    /// # Errors
    /// What the source of nodes says.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The hash of the subtree `[lo, hi)`, where `lo` is a multiple of the power of two that covers `hi − lo`.
///
/// # Errors
/// Passed on from `nodes`.
///
/// # Panics
/// If the range is no subtree of any RFC 6962 tree.
pub fn subtree<N: Nodes + ?Sized>(nodes: &N, lo: u64, hi: u64) -> Result<Hash, N::Error> {
    let width = hi
        .checked_sub(lo)
        .expect("a range that does not run backwards");
    assert!(
        width <= 1 || lo == 0 || lo.trailing_zeros() > (width - 1).ilog2(),
        "[{lo}, {hi}) is no subtree"
    );
    let mut hash = None;
    let mut rest = width;
    while rest > 0 {
        let level = rest.trailing_zeros();
        rest -= 1 << level;
        let left = nodes.node(level as u8, (lo + rest) >> level)?;
        hash = Some(hash.map_or(left, |right| node_hash(&left, &right)));
    }
    Ok(hash.unwrap_or(EMPTY_ROOT))
}

/// The root of the tree of the first `size` leaves.
///
/// # Errors
/// Passed on from `nodes`.
pub fn root<N: Nodes + ?Sized>(nodes: &N, size: TreeSize) -> Result<Hash, N::Error> {
    subtree(nodes, 0, size.value())
}

/// The RFC 6962 inclusion proof (§2.1.1) of the leaf `index` in the tree of `size` leaves.
///
/// # Errors
/// Passed on from `nodes`.
///
/// # Panics
/// If the tree does not contain the leaf.
pub fn inclusion_proof<N: Nodes + ?Sized>(
    nodes: &N,
    index: LeafIndex,
    size: TreeSize,
) -> Result<Vec<Hash>, N::Error> {
    assert!(
        size.contains(index),
        "leaf {index} is outside a tree of {size}"
    );
    fetch(nodes, shape::siblings(0, index.value(), size.value()))
}

/// The RFC 6962 consistency proof (§2.1.2) from the tree of `old` leaves to that of `new`. Empty if they are
/// equal or the old tree is.
///
/// # Errors
/// Passed on from `nodes`.
///
/// # Panics
/// If `old` is larger than `new`.
pub fn consistency_proof<N: Nodes + ?Sized>(
    nodes: &N,
    old: TreeSize,
    new: TreeSize,
) -> Result<Vec<Hash>, N::Error> {
    assert!(old <= new, "a tree of {new} has not yet been one of {old}");
    if old == TreeSize::EMPTY || old == new {
        return Ok(Vec::new());
    }
    fetch(nodes, shape::consistency(old.value(), new.value()))
}

/// The proof that the leaves `range` are in the tree of `size` leaves: the hashes of the largest subtrees
/// that lie wholly outside the range, left to right. For a single leaf these are the hashes of its inclusion
/// proof in another order.
///
/// # Errors
/// Passed on from `nodes`.
///
/// # Panics
/// If the range is empty or not inside the tree.
pub fn range_proof<N: Nodes + ?Sized>(
    nodes: &N,
    range: Range<LeafIndex>,
    size: TreeSize,
) -> Result<Vec<Hash>, N::Error> {
    let (a, b) = (range.start.value(), range.end.value());
    assert!(
        a < b && b <= size.value(),
        "[{a}, {b}) is no range of leaves in a tree of {size}"
    );
    fetch(nodes, shape::outside(a, b, size.value()))
}

fn fetch<N: Nodes + ?Sized>(
    nodes: &N,
    shape: impl Iterator<Item = Subtree>,
) -> Result<Vec<Hash>, N::Error> {
    shape
        .map(|range| subtree(nodes, range.start, range.end))
        .collect()
}
