//! Trees in memory: the tree of one batch, and the nodes over any run of leaves.

use std::{convert::Infallible, ops::Range};

use crate::{
    hash::{EMPTY_ROOT, Hash, node_hash},
    nodes::{self, Nodes},
    shape,
};

/// The most leaves of a [`BatchTree`].
pub const BATCH_LEAVES_MAX: usize = 65_536;

/// The root of the tree over these leaf hashes.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        [left, right] => node_hash(left, right),
        _ => {
            let (left, right) = leaves.split_at(shape::split(leaves.len() as u64) as usize);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The tree over one batch, all nodes kept, so that each of its paths is a lookup.
#[derive(Clone, Debug)]
pub struct BatchTree {
    /// `rows[l][i]` is the node over the leaves `[i·2^l, (i+1)·2^l)` cut off at the last one: a node without a
    /// right neighbour rises unchanged. The first row is never empty, the last is the root.
    rows: Vec<Vec<Hash>>,
}

impl BatchTree {
    /// The tree over these leaf hashes.
    ///
    /// # Panics
    /// If there are none, or more than [`BATCH_LEAVES_MAX`].
    #[must_use]
    pub fn new(leaves: Vec<Hash>) -> Self {
        let count = leaves.len();
        assert!(
            (1..=BATCH_LEAVES_MAX).contains(&count),
            "a batch of {count} leaves"
        );
        let mut rows = vec![leaves];
        while let [.., row] = &rows[..]
            && row.len() > 1
        {
            rows.push(row.chunks(2).map(root_of).collect());
        }
        Self { rows }
    }

    /// The leaf hashes, at least one.
    #[must_use]
    pub fn leaves(&self) -> &[Hash] {
        &self.rows[0]
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.rows[self.rows.len() - 1][0]
    }

    /// The inclusion path (RFC 6962 §2.1.1) of the `i`-th leaf.
    ///
    /// # Panics
    /// If the batch has no such leaf.
    #[must_use]
    pub fn path(&self, i: usize) -> Vec<Hash> {
        assert!(
            i < self.leaves().len(),
            "leaf {i} in a batch of {}",
            self.leaves().len()
        );
        let sibling = |(level, row): (usize, &Vec<Hash>)| row.get((i >> level) ^ 1).copied();
        self.rows.iter().enumerate().filter_map(sibling).collect()
    }

    /// The hash of the subtree over `range`.
    ///
    /// # Panics
    /// If the range is no subtree or leaves the batch.
    #[must_use]
    pub fn subtree_root(&self, range: Range<usize>) -> Hash {
        assert!(
            range.end <= self.leaves().len(),
            "{range:?} in a batch of {}",
            self.leaves().len()
        );
        let Ok(hash) = nodes::subtree(self, range.start as u64, range.end as u64);
        hash
    }
}

impl Nodes for BatchTree {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.rows[usize::from(level)][index as usize])
    }
}

/// Every perfect subtree inside a run of leaves that may begin anywhere.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The index of the first leaf.
    first: u64,
    /// `rows[l]` holds the nodes of level `l`, from index `⌈first / 2^l⌉` on.
    rows: Vec<Vec<Hash>>,
}

impl Run {
    pub(crate) fn new(first: u64, leaves: Vec<Hash>) -> Self {
        let mut rows = vec![leaves];
        let mut start = first;
        loop {
            let row = rows.last().expect("there is a first row");
            let aligned = row.get((start & 1) as usize..).unwrap_or_default();
            if aligned.len() < 2 {
                return Self { first, rows };
            }
            let above = aligned
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
            rows.push(above);
            start = start.div_ceil(2);
        }
    }
}

impl Nodes for Run {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let start = (u128::from(self.first)).div_ceil(1 << level) as u64;
        Ok(self.rows[usize::from(level)][(index - start) as usize])
    }
}
