//! C2SP tlog-tiles: which tile holds a node, the paths under which tiles are served, and entry bundles.
//!
//! A tile covers eight levels of the tree. Its 256 lowest hashes are what is served; a stored full tile also
//! carries the nodes above them, 511 hashes in rows of 256, 128, … 1, so that any node is one read.

use std::{fmt, num::NonZeroU8, str::FromStr};

use crate::{
    hash::{HASH_BYTES, Hash},
    position::TreeSize,
};

/// Levels of the tree in one tile.
pub const TILE_HEIGHT: u8 = 8;
/// Hashes in the lowest row of a full tile; also the entries in a full bundle.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;
/// Bytes of a full tile as served: its lowest row.
pub const TILE_SERVED_BYTES: usize = TILE_WIDTH * HASH_BYTES;
/// Bytes of a full tile as stored: all 511 hashes.
pub const TILE_STORED_BYTES: usize = (2 * TILE_WIDTH - 1) * HASH_BYTES;
/// The longest path of a tile: level 63 and an index of 20 digits fit well below.
const PATH_BYTES_MAX: usize = 64;

/// The coordinates of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// The level of the tile: its lowest hashes are nodes of tree level `8 · level`.
    pub level: u8,
    /// The place of the tile within its level, from zero.
    pub index: u64,
}

impl TileId {
    /// How many tile levels a log of up to 2^64 − 1 leaves has.
    pub const LEVELS: usize = 8;

    /// The tile that holds the node over `[index·2^level, (index+1)·2^level)`, and the byte at which the hash
    /// begins in the stored tile.
    #[must_use]
    pub fn of_node(level: u8, index: u64) -> (Self, usize) {
        let row = level % TILE_HEIGHT;
        let row_start = 2 * TILE_WIDTH - ((2 * TILE_WIDTH) >> row);
        let place = (index as usize) & ((TILE_WIDTH >> row) - 1);
        let id = Self {
            level: level / TILE_HEIGHT,
            index: index >> (TILE_HEIGHT - row),
        };
        (id, (row_start + place) * HASH_BYTES)
    }

    /// How many hashes the partial tile at this tile level has in a tree of `size` leaves.
    #[must_use]
    pub fn partial_width(size: TreeSize, level: u8) -> usize {
        let hashes = size
            .value()
            .checked_shr(u32::from(TILE_HEIGHT) * u32::from(level))
            .unwrap_or(0);
        hashes as usize % TILE_WIDTH
    }

    /// How many of this tile's hashes a tree of `size` leaves has: 0 to 256.
    #[must_use]
    pub fn width(self, size: TreeSize) -> usize {
        let shift = u32::from(TILE_HEIGHT) * u32::from(self.level);
        let hashes = size.value().checked_shr(shift).unwrap_or(0);
        let before = self.index.saturating_mul(TILE_WIDTH as u64);
        hashes.saturating_sub(before).min(TILE_WIDTH as u64) as usize
    }
}

/// A full tile as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct FullTile {
    /// Which tile.
    pub id: TileId,
    /// [`TILE_STORED_BYTES`] bytes: rows of 256, 128, … 1 hashes.
    bytes: Vec<u8>,
}

impl FullTile {
    /// The tile of these 511 hashes.
    pub(crate) fn from_nodes<'a>(id: TileId, nodes: impl Iterator<Item = &'a Hash>) -> Self {
        let mut bytes = Vec::with_capacity(TILE_STORED_BYTES);
        nodes.for_each(|hash| bytes.extend_from_slice(&hash.0));
        assert_eq!(bytes.len(), TILE_STORED_BYTES, "a full tile");
        Self { id, bytes }
    }

    /// The bytes to store.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to store, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The hash over the whole tile, which the tile above holds.
    #[must_use]
    pub fn root(&self) -> Hash {
        root_in(&self.bytes).expect("a full tile")
    }
}

impl fmt::Debug for FullTile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "FullTile({}/{}, root {})",
            self.id.level,
            self.id.index,
            self.root()
        )
    }
}

/// The hash that begins at `offset` in a stored tile, or `None` if the tile is too short.
#[must_use]
pub fn hash_in(stored: &[u8], offset: usize) -> Option<Hash> {
    Hash::try_from(stored.get(offset..)?.get(..HASH_BYTES)?).ok()
}

/// The hash over a whole stored tile, or `None` if it has not the bytes of one.
#[must_use]
pub fn root_in(stored: &[u8]) -> Option<Hash> {
    if stored.len() != TILE_STORED_BYTES {
        None
    } else {
        hash_in(stored, TILE_STORED_BYTES - HASH_BYTES)
    }
}

/// The first `width` hashes of a stored tile, as served; `None` if there are not so many.
#[must_use]
pub fn served(stored: &[u8], width: usize) -> Option<&[u8]> {
    if width > TILE_WIDTH {
        None
    } else {
        stored.get(..width * HASH_BYTES)
    }
}

/// What a log serves, named by its path below the log's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `checkpoint`: the newest signed checkpoint.
    Checkpoint,
    /// `tile/<level>/<index>[.p/<width>]`: hashes of a tile.
    Tile {
        /// Which tile.
        id: TileId,
        /// The width of a partial tile; `None` for a full one.
        partial: Option<NonZeroU8>,
    },
    /// `tile/entries/<index>[.p/<width>]`: the leaves below a tile of level 0.
    Entries {
        /// Which bundle.
        index: u64,
        /// The number of leaves of a partial bundle; `None` for a full one.
        partial: Option<NonZeroU8>,
    },
}

/// The path names nothing that a log serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tlog-tiles path")]
pub struct PathError;

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, partial) = match self {
            Self::Checkpoint => return f.write_str("checkpoint"),
            Self::Tile { id, partial } => {
                write!(f, "tile/{}/", id.level)?;
                (id.index, partial)
            }
            Self::Entries { index, partial } => {
                f.write_str("tile/entries/")?;
                (*index, partial)
            }
        };
        write_index(f, index)?;
        partial.map_or(Ok(()), |width| write!(f, ".p/{width}"))
    }
}

impl FromStr for Resource {
    type Err = PathError;

    /// Reads the one spelling that [`fmt::Display`] writes, without a leading slash.
    fn from_str(path: &str) -> Result<Self, PathError> {
        if path.len() > PATH_BYTES_MAX {
            return Err(PathError);
        }
        let resource = parse_path(path).ok_or(PathError)?;
        // Leading zeros, plus signs, superfluous groups: one comparison refuses every second spelling.
        if resource.to_string() == path {
            Ok(resource)
        } else {
            Err(PathError)
        }
    }
}

/// 1234067 as `x001/x234/067`.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let groups = index.checked_ilog(1000).unwrap_or(0);
    for group in (1..=groups).rev() {
        write!(f, "x{:03}/", index / 1000_u64.pow(group) % 1000)?;
    }
    write!(f, "{:03}", index % 1000)
}

fn parse_path(path: &str) -> Option<Resource> {
    if path == "checkpoint" {
        return Some(Resource::Checkpoint);
    }
    let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, partial) = match place.split_once(".p/") {
        Some((index, width)) => (index, Some(width.parse().ok()?)),
        None => (place, None),
    };
    let index = index.split('/').try_fold(0_u64, |index, group| {
        let group: u64 = group
            .trim_start_matches('x')
            .parse()
            .ok()
            .filter(|group| *group < 1000)?;
        index.checked_mul(1000)?.checked_add(group)
    })?;
    if kind == "entries" {
        return Some(Resource::Entries { index, partial });
    }
    let level = kind.parse().ok().filter(|level| *level <= 63)?;
    Some(Resource::Tile {
        id: TileId { level, index },
        partial,
    })
}

/// Why an entry bundle cannot be written or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A leaf is longer than its 16-bit length can say.
    #[error("a leaf of {0} bytes: at most 65,535 fit")]
    LeafTooLong(usize),
    /// The bundle ends within a leaf.
    #[error("the bundle ends within its leaf {0}")]
    CutOff(usize),
    /// A bundle has at most 256 leaves.
    #[error("the bundle has more than 256 leaves")]
    TooMany,
}

/// The entry bundle of these leaves: each preceded by its length in two bytes, big-endian.
///
/// # Errors
/// If a leaf is too long or there are more than 256.
pub fn encode_entries<'a>(
    leaves: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, BundleError> {
    let mut bundle = Vec::new();
    for (i, leaf) in leaves.into_iter().enumerate() {
        if i == TILE_WIDTH {
            return Err(BundleError::TooMany);
        }
        let length = u16::try_from(leaf.len()).map_err(|_| BundleError::LeafTooLong(leaf.len()))?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(leaf);
    }
    Ok(bundle)
}

/// The leaves of an entry bundle.
///
/// # Errors
/// If the bundle ends within a leaf or has more than 256.
pub fn decode_entries(mut bundle: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut leaves = Vec::new();
    while !bundle.is_empty() {
        if leaves.len() == TILE_WIDTH {
            return Err(BundleError::TooMany);
        }
        let cut_off = BundleError::CutOff(leaves.len());
        let (length, rest) = bundle.split_first_chunk().ok_or(cut_off)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (leaf, rest) = rest.split_at_checked(length).ok_or(cut_off)?;
        leaves.push(leaf);
        bundle = rest;
    }
    Ok(leaves)
}
