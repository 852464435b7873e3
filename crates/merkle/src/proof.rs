//! Checking proofs. Nothing here trusts its input: sizes, indices and lists of any value end in an answer.
//!
//! Each check first compares the length of the proof with the shape that sizes and indices prescribe. From
//! there on every hash has its place, so none can be left over, missing or read twice.

use crate::{
    hash::{EMPTY_ROOT, Hash, node_hash},
    nodes,
    position::{LeafIndex, TreeSize},
    shape::{self, Subtree},
    tree::Run,
};

/// The step at which a proof failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not within the tree.
    #[error("leaf {index} is outside a tree of {size} leaves")]
    IndexOutsideTree {
        /// The leaf.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The leaves of the range are not all within the tree.
    #[error("{count} leaves from {first} on do not fit into a tree of {size} leaves")]
    RangeOutsideTree {
        /// The first leaf.
        first: LeafIndex,
        /// How many leaves.
        count: u64,
        /// The size of the tree.
        size: TreeSize,
    },
    /// A range proof without leaves proves nothing.
    #[error("the range has no leaves")]
    EmptyRange,
    /// The leaf is not within the proved range.
    #[error("leaf {index} is outside the proved range")]
    IndexOutsideRange {
        /// The leaf.
        index: LeafIndex,
    },
    /// The older tree is larger than the newer one.
    #[error("the older tree has {old} leaves, more than the newer one with {new}")]
    SizesReversed {
        /// The size of the older tree.
        old: TreeSize,
        /// The size of the newer tree.
        new: TreeSize,
    },
    /// The proof has too many or too few hashes for these sizes and indices.
    #[error("the proof has {found} hashes instead of {expected}")]
    WrongLength {
        /// How many hashes belong there.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The proof leads to another root than the stated one.
    #[error("the proof leads to the root {computed}, not to {stated}")]
    RootDiffers {
        /// Where the proof leads.
        computed: Hash,
        /// The root it was to prove.
        stated: Hash,
    },
    /// The proof leads to another root of the older tree than the stated one.
    #[error("the proof leads to the older root {computed}, not to {stated}")]
    OldRootDiffers {
        /// Where the proof leads.
        computed: Hash,
        /// The root it was to prove.
        stated: Hash,
    },
}

/// The root to which an inclusion proof leads.
///
/// # Errors
/// If the leaf is outside the tree or the proof has the wrong length.
pub fn root_from_inclusion(
    leaf_hash: &Hash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[Hash],
) -> Result<Hash, ProofError> {
    if !size.contains(index) {
        return Err(ProofError::IndexOutsideTree { index, size });
    }
    let siblings = || shape::siblings(0, index.value(), size.value());
    expect_length(siblings().count(), proof)?;
    Ok(siblings()
        .zip(proof)
        .fold(*leaf_hash, |hash, (at, sibling)| {
            join(&hash, index.value(), &at, sibling)
        }))
}

/// Checks that the leaf `index` of the tree with this size and root has this hash.
///
/// # Errors
/// The step that failed.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    expect_root(root_from_inclusion(leaf_hash, index, size, proof)?, root)
}

/// Checks that the older tree is the beginning of the newer one.
///
/// [`ProofError::OldRootDiffers`] says more than that the proof is wrong: it leads to the newer root, and so shows
/// that the tree of this newer root began otherwise.
///
/// # Errors
/// The step that failed.
pub fn verify_consistency(
    old: TreeSize,
    old_root: &Hash,
    new: TreeSize,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::SizesReversed { old, new });
    }
    if old == TreeSize::EMPTY || old == new {
        expect_length(0, proof)?;
        let computed = if old == new { *new_root } else { EMPTY_ROOT };
        return expect_old_root(computed, old_root);
    }
    let (size, last) = (new.value(), old.value() - 1);
    expect_length(shape::consistency(old.value(), size).count(), proof)?;
    let (start, proof) = match proof.split_first() {
        Some((first, rest)) if !old.value().is_power_of_two() => (first, rest),
        _ => (old_root, proof),
    };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for (at, sibling) in shape::siblings(old.value().trailing_zeros(), last, size).zip(proof) {
        new_hash = join(&new_hash, last, &at, sibling);
        if at.start < last {
            old_hash = join(&old_hash, last, &at, sibling);
        }
    }
    // In this order: where only the older root differs, the proof itself shows that the log has forked.
    expect_root(new_hash, new_root)?;
    expect_old_root(old_hash, old_root)
}

/// The root to which a range proof leads, for the leaves from `first` on.
///
/// # Errors
/// If the leaves do not fit into the tree or the proof has the wrong length.
pub fn root_from_range(
    first: LeafIndex,
    leaves: &[Hash],
    size: TreeSize,
    proof: &[Hash],
) -> Result<Hash, ProofError> {
    ProvedRange::new(first, leaves.to_vec(), size, proof).map(|range| range.root())
}

/// The inclusion proof of one leaf out of a range proof. For many leaves of one range keep a [`ProvedRange`].
///
/// # Errors
/// As [`root_from_range`], or if the leaf is outside the range.
pub fn inclusion_from_range(
    first: LeafIndex,
    leaves: &[Hash],
    size: TreeSize,
    proof: &[Hash],
    index: LeafIndex,
) -> Result<Vec<Hash>, ProofError> {
    ProvedRange::new(first, leaves.to_vec(), size, proof)?.inclusion(index)
}

/// A run of leaves with a range proof of fitting form: knows the root to which the two lead, and the inclusion
/// proof of each leaf under that root. Whether the root is the right one is for the caller to compare.
#[derive(Clone, Debug)]
pub struct ProvedRange {
    /// The leaves `[first, end)`, never empty, with `end` at most `size`.
    first: u64,
    end: u64,
    size: u64,
    inside: Run,
    /// What the proof gives, left to right.
    outside: Vec<(Subtree, Hash)>,
}

impl ProvedRange {
    /// Puts the hashes of the proof in their places.
    ///
    /// # Errors
    /// If the leaves do not fit into the tree or the proof has the wrong length.
    pub fn new(
        first: LeafIndex,
        leaves: Vec<Hash>,
        size: TreeSize,
        proof: &[Hash],
    ) -> Result<Self, ProofError> {
        let count = leaves.len() as u64;
        if count == 0 {
            return Err(ProofError::EmptyRange);
        }
        let end = first
            .checked_add(count)
            .filter(|end| end.value() <= size.value())
            .ok_or(ProofError::RangeOutsideTree { first, count, size })?
            .value();
        let (first, size) = (first.value(), size.value());
        let shape = || shape::outside(first, end, size);
        expect_length(shape().count(), proof)?;
        let outside = shape().zip(proof.iter().copied()).collect();
        Ok(Self {
            first,
            end,
            size,
            inside: Run::new(first, leaves),
            outside,
        })
    }

    /// The root to which the leaves and the proof lead.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.subtree(&(0..self.size))
    }

    /// The inclusion proof (RFC 6962 §2.1.1) of one leaf of the range.
    ///
    /// # Errors
    /// If the leaf is outside the range.
    pub fn inclusion(&self, index: LeafIndex) -> Result<Vec<Hash>, ProofError> {
        if !(self.first..self.end).contains(&index.value()) {
            return Err(ProofError::IndexOutsideRange { index });
        }
        Ok(shape::siblings(0, index.value(), self.size)
            .map(|sibling| self.subtree(&sibling))
            .collect())
    }

    /// The hash of a subtree that overlaps the range, or is one of the largest that do not.
    fn subtree(&self, at: &Subtree) -> Hash {
        if at.end <= self.first || self.end <= at.start {
            let place = self
                .outside
                .binary_search_by_key(&at.start, |(range, _)| range.start);
            return self.outside[place.expect("a largest subtree outside the range")].1;
        }
        if self.first <= at.start && at.end <= self.end {
            let Ok(hash) = nodes::subtree(&self.inside, at.start, at.end);
            return hash;
        }
        let middle = at.start + shape::split(at.end - at.start);
        node_hash(
            &self.subtree(&(at.start..middle)),
            &self.subtree(&(middle..at.end)),
        )
    }
}

/// The parent of a node over the leaf `index` and its sibling at `at`.
fn join(hash: &Hash, index: u64, at: &Subtree, sibling: &Hash) -> Hash {
    if at.start < index {
        node_hash(sibling, hash)
    } else {
        node_hash(hash, sibling)
    }
}

fn expect_length(expected: usize, proof: &[Hash]) -> Result<(), ProofError> {
    let found = proof.len();
    if found == expected {
        Ok(())
    } else {
        Err(ProofError::WrongLength { expected, found })
    }
}

fn expect_root(computed: Hash, stated: &Hash) -> Result<(), ProofError> {
    if computed == *stated {
        Ok(())
    } else {
        Err(ProofError::RootDiffers {
            computed,
            stated: *stated,
        })
    }
}

fn expect_old_root(computed: Hash, stated: &Hash) -> Result<(), ProofError> {
    if computed == *stated {
        Ok(())
    } else {
        Err(ProofError::OldRootDiffers {
            computed,
            stated: *stated,
        })
    }
}
