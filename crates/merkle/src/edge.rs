//! The right edge of the growing log: all nodes of the tiles that are not yet full.
//!
//! Every root, and the young end of every proof, can be read from here without touching the disk. A copy is
//! cheap: rows are shared until one side writes, and a commit of one leaf copies about 5 KB.

use std::{convert::Infallible, sync::Arc};

use crate::{
    hash::{Hash, node_hash},
    nodes::{self, Nodes},
    position::TreeSize,
    tile::{FullTile, TILE_HEIGHT, TILE_WIDTH, TileId},
};

/// The parts do not make up the right edge of a tree of the stated size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the partial tile at level {level} of a tree of {size} leaves has {expected} hashes, not {found}"
)]
pub struct EdgeError {
    /// The size of the tree.
    pub size: TreeSize,
    /// The level of the tile at fault.
    pub level: u8,
    /// How many hashes belong there.
    pub expected: usize,
    /// How many there are.
    pub found: usize,
}

/// The size of a log and the partial tiles at its right end.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    /// One partial tile a level, as wide as `size` says; none beyond the highest that ever held a hash.
    tiles: Vec<PartialTile>,
}

/// `rows[l]` holds the nodes of level `l` within the tile that exist: half as many as `rows[l − 1]`, rounded
/// down. The tile is never full, so its root never is among them.
#[derive(Clone, Debug, Default)]
struct PartialTile {
    rows: [Arc<Vec<Hash>>; TILE_HEIGHT as usize],
}

impl Edge {
    /// The edge of the empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Rebuilds the edge of a log of this size: `partial[l]` are the hashes that the partial tile at tile
    /// level `l` holds, `⌊size / 256^l⌋ mod 256` of them. Empty ones at the top may be left out.
    ///
    /// # Errors
    /// Names the first level whose number of hashes does not fit the size.
    pub fn from_parts(size: TreeSize, partial: &[Vec<Hash>]) -> Result<Self, EdgeError> {
        let mut edge = Self {
            size: size.value(),
            tiles: Vec::new(),
        };
        for level in 0..partial.len().max(TileId::LEVELS) {
            let hashes = partial.get(level).map_or(&[][..], Vec::as_slice);
            let expected = TileId::partial_width(size, level as u8);
            if hashes.len() != expected {
                return Err(EdgeError {
                    size,
                    level: level as u8,
                    expected,
                    found: hashes.len(),
                });
            }
            if !hashes.is_empty() {
                edge.grow(level, hashes);
            }
        }
        Ok(edge)
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The root of the log.
    #[must_use]
    pub fn root(&self) -> Hash {
        let Ok(root) = nodes::root(&Lookup(self), self.size());
        root
    }

    /// The node over the leaves `[index·2^level, (index+1)·2^level)`, if it lies in a partial tile. If it
    /// does not but is within the log, the full tile at [`TileId::of_node`] holds it.
    #[must_use]
    pub fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let tile = self.tiles.get(usize::from(level / TILE_HEIGHT))?;
        let row = &tile.rows[usize::from(level % TILE_HEIGHT)];
        let start = (self.size >> level) - row.len() as u64;
        row.get(usize::try_from(index.checked_sub(start)?).ok()?)
            .copied()
    }

    /// The hashes of the partial tile at this tile level: empty if the log ends on its border.
    #[must_use]
    pub fn partial_tile(&self, level: u8) -> &[Hash] {
        self.tiles
            .get(usize::from(level))
            .map_or(&[], |tile| &tile.rows[0])
    }

    /// Appends leaf hashes, and returns the tiles that became full, in an order in which each follows the
    /// ones below it.
    ///
    /// # Panics
    /// If the log had more than 2^64 − 1 leaves.
    pub fn append(&mut self, mut leaves: &[Hash]) -> Vec<FullTile> {
        let mut full = Vec::new();
        while !leaves.is_empty() {
            let room = TILE_WIDTH - self.partial_tile(0).len();
            let (now, later) = leaves.split_at(room.min(leaves.len()));
            self.size = self
                .size
                .checked_add(now.len() as u64)
                .expect("a log of less than 2^64 leaves");
            self.grow(0, now);
            let mut level = 0;
            while let Some(tile) = self.take_full(level) {
                level += 1;
                self.grow(usize::from(level), &[tile.root()]);
                full.push(tile);
            }
            leaves = later;
        }
        full
    }

    fn grow(&mut self, level: usize, hashes: &[Hash]) {
        if self.tiles.len() <= level {
            self.tiles.resize_with(level + 1, PartialTile::default);
        }
        self.tiles[level].grow(hashes);
    }

    /// Takes the tile out of the edge if the newest leaf filled it.
    fn take_full(&mut self, level: u8) -> Option<FullTile> {
        let tile = self
            .tiles
            .get_mut(usize::from(level))
            .filter(|tile| tile.rows[0].len() == TILE_WIDTH)?;
        let index = (self.size - 1) >> (TILE_HEIGHT * (level + 1));
        Some(std::mem::take(tile).complete(TileId { level, index }))
    }
}

impl PartialTile {
    /// Appends hashes that still fit, and the nodes above them.
    fn grow(&mut self, hashes: &[Hash]) {
        writable(&mut self.rows[0], TILE_WIDTH).extend_from_slice(hashes);
        for level in 1..self.rows.len() {
            let (below, above) = self.rows.split_at_mut(level);
            let (below, above) = (&below[level - 1], &mut above[0]);
            let fresh = below[2 * above.len()..].chunks_exact(2);
            if fresh.len() == 0 {
                return;
            }
            writable(above, TILE_WIDTH >> level)
                .extend(fresh.map(|pair| node_hash(&pair[0], &pair[1])));
        }
    }

    /// The bytes of the tile, whose rows are all full.
    fn complete(self, id: TileId) -> FullTile {
        let [top_left, top_right] = self.rows[self.rows.len() - 1][..] else {
            unreachable!("the tile is full")
        };
        let root = node_hash(&top_left, &top_right);
        let nodes = self.rows.iter().flat_map(|row| row.iter()).chain([&root]);
        FullTile::from_nodes(id, nodes)
    }
}

/// The row for writing: itself if nobody shares it, otherwise a copy with room for a full row.
fn writable(row: &mut Arc<Vec<Hash>>, capacity: usize) -> &mut Vec<Hash> {
    if Arc::get_mut(row).is_none_or(|row| row.capacity() < capacity) {
        let mut copy = Vec::with_capacity(capacity);
        copy.extend_from_slice(row);
        *row = Arc::new(copy);
    }
    Arc::get_mut(row).expect("a row just made is not shared")
}

/// The nodes of the root, all of which lie in partial tiles.
struct Lookup<'a>(&'a Edge);

impl Nodes for Lookup<'_> {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self
            .0
            .node(level, index)
            .expect("the root is made of nodes of the edge"))
    }
}
