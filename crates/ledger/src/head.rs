//! The head: one committed, signed and anchored state of the bank, complete for reading.
//!
//! A reader takes the head once and answers from it alone, so an answer and its proof always agree.

use std::sync::Arc;

use creditbank_domain::LeafIndex;
use creditbank_domain::registry::Registry;
use creditbank_merkle::tile::{TILE_STORED_BYTES, hash_in};
use creditbank_merkle::{
    Edge, FullTile, Hash, Nodes, TileId, TreeSize, inclusion_proof, range_proof,
};
use creditbank_store::{Chunk, Damage, HeadRow, Snapshot, StoreError, StoredLeaf};
use creditbank_wire::convert::leaf::LeafParts;
use creditbank_wire::v1;
use quick_cache::sync::Cache;

/// See the module.
#[derive(Debug, Clone)]
pub struct Head {
    /// The database at this size.
    pub snapshot: Arc<Snapshot>,
    /// Size, root and time of the last leaf.
    pub row: HeadRow,
    /// The tree's right edge.
    pub edge: Edge,
    /// Signed checkpoint of this size.
    pub note: String,
    /// Institutions and keys at this size.
    pub registry: Arc<Registry>,
    /// Full tiles, which never change, shared by all heads.
    pub tiles: Arc<Tiles>,
}

/// Full tiles in memory: a proof takes up to eight hashes of one tile, and fresh receipts all need the newest.
#[derive(Debug)]
pub struct Tiles(Cache<TileId, Arc<[u8]>>);

/// Tiles kept: 64 MiB.
const TILES_CACHED: usize = (64 << 20) / TILE_STORED_BYTES;

impl Tiles {
    pub(crate) fn new() -> Self {
        Self(Cache::new(TILES_CACHED))
    }

    /// Keeps a tile that was just committed.
    pub(crate) fn add(&self, tile: &FullTile) {
        self.0.insert(tile.id, tile.bytes().into());
    }

    fn hash(&self, snapshot: &Snapshot, id: TileId, offset: usize) -> Result<Hash, StoreError> {
        let tile = match self.0.get(&id) {
            Some(tile) => tile,
            None => {
                let tile: Arc<[u8]> = Arc::from(&*snapshot.tile(id)?);
                self.0.insert(id, Arc::clone(&tile));
                tile
            }
        };
        hash_in(&tile, offset).ok_or(StoreError::Damaged(Damage::Tile {
            level: id.level,
            index: id.index,
        }))
    }
}

impl Nodes for Head {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Hash, StoreError> {
        if let Some(hash) = self.edge.node(level, index) {
            return Ok(hash);
        }
        let (tile, offset) = TileId::of_node(level, index);
        self.tiles.hash(&self.snapshot, tile, offset)
    }
}

impl Head {
    /// Leaves in the log.
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.row.size)
    }

    /// Whether the log holds the leaf.
    pub fn contains(&self, index: LeafIndex) -> bool {
        index.0 < self.row.size
    }

    /// Bytes of one leaf.
    pub fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, StoreError> {
        leaf(&self.snapshot.chunk(index)?, index)
    }

    /// RFC 6962 inclusion proof of a leaf in a tree of `size`.
    pub fn inclusion(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<Hash>, StoreError> {
        inclusion_proof(self, index.0.into(), size)
    }

    /// Range proof of `[first, first + count)` in this head's tree.
    pub fn range(&self, first: LeafIndex, count: u64) -> Result<Vec<Hash>, StoreError> {
        range_proof(self, first.0.into()..(first.0 + count).into(), self.size())
    }

    /// Everything that proves one leaf offline.
    pub fn receipt(&self, index: LeafIndex) -> Result<v1::Receipt, StoreError> {
        Ok(v1::Receipt {
            leaf: self.leaf(index)?.into(),
            leaf_index: index.0,
            inclusion_proof: hashes(&self.inclusion(index, self.size())?),
            checkpoint: self.note.clone(),
        })
    }
}

/// The bytes of one leaf of a chunk.
pub(crate) fn leaf(chunk: &Chunk, index: LeafIndex) -> Result<Vec<u8>, StoreError> {
    let leaf = chunk
        .leaf(index)
        .ok_or(StoreError::Damaged(Damage::LeafMissing(index)))?;
    Ok(encode(&leaf))
}

/// The bytes that are hashed and served.
pub(crate) fn encode(leaf: &StoredLeaf<'_>) -> Vec<u8> {
    let chunk = leaf.chunk;
    let parts = LeafParts {
        envelope: leaf.envelope,
        key_id: &chunk.key_id,
        algorithm: u32::from(chunk.algorithm),
        batch_size: u32::from(chunk.batch_size),
        batch_index: u32::from(leaf.batch_index),
        path: &leaf.path,
        signature: &chunk.signature,
    };
    parts.encode(chunk.deposited_at_ms)
}

/// The envelope of one leaf of a chunk.
pub(crate) fn envelope(chunk: &Chunk, index: LeafIndex) -> Result<&bytes::Bytes, StoreError> {
    let found = chunk.created().find(|(at, ..)| *at == index);
    found
        .map(|(.., envelope)| envelope)
        .ok_or(StoreError::Damaged(Damage::LeafMissing(index)))
}

/// Hashes as the wire carries them: one allocation for all.
pub(crate) fn hashes(hashes: &[Hash]) -> Vec<bytes::Bytes> {
    let all = bytes::Bytes::from(hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>());
    (0..hashes.len())
        .map(|i| all.slice(i * 32..(i + 1) * 32))
        .collect()
}
