//! A bank's log: its leaves, how many of them are durable, and the RFC 6962 root at every size.

use creditbank_merkle::{EMPTY_ROOT, Edge, Hash, leaf_hash};

use super::rows::Fact;

/// A leaf.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) at_ms: u64,
    pub(super) fact: Fact,
    pub(super) hash: Hash,
}

/// A log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    leaves: Vec<Leaf>,
    /// The root at every size, from none on.
    roots: Vec<Hash>,
    edge: Edge,
    /// Leaves that a crash leaves. Nobody outside is told of others.
    durable: u64,
}

impl Log {
    /// The empty log.
    pub(super) fn new() -> Self {
        Self {
            leaves: Vec::new(),
            roots: vec![EMPTY_ROOT],
            edge: Edge::new(),
            durable: 0,
        }
    }

    /// All leaves.
    pub(super) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// How many there are.
    pub(super) fn written(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// How many of them are durable.
    pub(super) const fn durable(&self) -> u64 {
        self.durable
    }

    /// When the last one was taken.
    pub(super) fn last_at(&self) -> u64 {
        self.leaves.last().map_or(0, |leaf| leaf.at_ms)
    }

    /// The root at a size that the log has had.
    pub(super) fn root_at(&self, size: u64) -> Option<Hash> {
        self.roots.get(size as usize).copied()
    }

    /// What the hash of a leaf is.
    pub(super) fn hash_of(&self, at_ms: u64, fact: &Fact) -> Hash {
        leaf_hash(format!("{} {at_ms} {fact:?}", self.leaves.len()).as_bytes())
    }

    /// Writes a leaf.
    pub(super) fn push(&mut self, leaf: Leaf) {
        self.edge.append(&[leaf.hash]);
        self.roots.push(self.edge.root());
        self.leaves.push(leaf);
    }

    /// Makes everything durable.
    pub(super) fn sync(&mut self) {
        self.durable = self.written();
    }

    /// The first leaves, all durable: what a disk, or an older backup, holds.
    pub(super) fn prefix(&self, size: u64) -> Self {
        let mut log = Self::new();
        for leaf in &self.leaves[..size as usize] {
            log.push(leaf.clone());
        }
        log.sync();
        log
    }
}
