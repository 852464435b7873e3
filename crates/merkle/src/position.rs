//! Where a leaf is and how large a tree is. Two types, because an index passed for a size is off by one, and
//! in a log that is a proof that fails, or worse, one that holds for the wrong leaf.

use std::fmt;

/// The place of a leaf in the log, counted from zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

/// The number of leaves in a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// The first leaf.
    pub const ZERO: Self = Self(0);

    /// The leaf at `index`.
    #[must_use]
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The index as a number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The leaf `count` places further right, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, count: u64) -> Option<Self> {
        self.0.checked_add(count).map(Self)
    }

    /// How many places this leaf is to the right of `earlier`, or `None` if it is to the left of it.
    #[must_use]
    pub fn checked_sub(self, earlier: Self) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }

    /// The leaf after this one, or `None` on overflow.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl TreeSize {
    /// The tree without leaves.
    pub const EMPTY: Self = Self(0);

    /// A tree of `count` leaves.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The number of leaves.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The index that the next appended leaf gets.
    #[must_use]
    pub const fn next(self) -> LeafIndex {
        LeafIndex(self.0)
    }

    /// The index of the newest leaf, or `None` in an empty tree.
    #[must_use]
    pub fn last(self) -> Option<LeafIndex> {
        self.0.checked_sub(1).map(LeafIndex)
    }

    /// Whether a tree of this size has the leaf `index`.
    #[must_use]
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }

    /// The size after `count` more leaves, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, count: u64) -> Option<Self> {
        self.0.checked_add(count).map(Self)
    }

    /// How many leaves this tree has more than `earlier`, or `None` if it has fewer.
    #[must_use]
    pub fn checked_sub(self, earlier: Self) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u64> for LeafIndex {
    fn from(index: u64) -> Self {
        Self(index)
    }
}

impl From<u64> for TreeSize {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<LeafIndex> for u64 {
    fn from(index: LeafIndex) -> Self {
        index.0
    }
}

impl From<TreeSize> for u64 {
    fn from(size: TreeSize) -> Self {
        size.0
    }
}
