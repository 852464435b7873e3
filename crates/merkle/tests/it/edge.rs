//! The growing edge together with the tiles it hands out.

use std::{collections::BTreeMap, convert::Infallible};

use creditbank_merkle::{
    Edge, EdgeError, FullTile, Hash, LeafIndex, Nodes, TileId, TreeSize, inclusion_proof, root_of,
    tile, verify_inclusion,
};
use proptest::prelude::*;

use crate::rfc6962::{Perfect, leaves, mth};

/// A log as a store keeps it: the edge in memory, full tiles beside it.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) edge: Edge,
    pub(crate) tiles: BTreeMap<TileId, Vec<u8>>,
}

impl Log {
    pub(crate) fn of(leaves: &[Hash]) -> Self {
        let mut log = Self::default();
        log.append(leaves);
        log
    }

    fn append(&mut self, leaves: &[Hash]) -> Vec<TileId> {
        let full = self.edge.append(leaves);
        let ids = full.iter().map(|tile| tile.id).collect();
        self.tiles.extend(
            full.into_iter()
                .map(|tile| (tile.id, FullTile::into_bytes(tile))),
        );
        ids
    }

    /// What the edge of this log is rebuilt from.
    fn parts(&self) -> Vec<Vec<Hash>> {
        (0..8)
            .map(|level| self.edge.partial_tile(level).to_vec())
            .collect()
    }
}

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.edge.node(level, index).unwrap_or_else(|| {
            let (id, offset) = TileId::of_node(level, index);
            tile::hash_in(&self.tiles[&id], offset).unwrap()
        }))
    }
}

#[test]
fn one_leaf_at_a_time_gives_the_root_of_every_size() {
    let leaves = leaves(600);
    let mut edge = Edge::new();
    assert_eq!(edge.root(), mth(&[]));
    for n in 1..=leaves.len() {
        let full = edge.append(&leaves[n - 1..n]);
        assert_eq!(full.len(), usize::from(n % 256 == 0), "tiles at {n}");
        assert_eq!(
            (edge.size(), edge.root()),
            (TreeSize::new(n as u64), mth(&leaves[..n]))
        );
    }
}

#[test]
fn tiles_of_every_level_come_out_once_in_order_and_hold_all_nodes() {
    let leaves = leaves(140_000); // 546 tiles at level 0, 2 at level 1
    let nodes = Perfect::new(&leaves);
    let mut log = Log::default();
    let mut ids = log.append(&leaves[..65_535]);
    ids.extend(log.append(&leaves[65_535..65_536]));
    ids.extend(log.append(&leaves[65_536..]));
    let expected: Vec<_> = (0..546)
        .flat_map(|i| {
            let above = (i % 256 == 255).then_some(TileId {
                level: 1,
                index: i / 256,
            });
            [Some(TileId { level: 0, index: i }), above]
                .into_iter()
                .flatten()
        })
        .collect();
    assert_eq!(ids, expected);
    assert!(
        log.tiles
            .values()
            .all(|bytes| bytes.len() == tile::TILE_STORED_BYTES)
    );
    for (level, index, hash) in nodes.all() {
        assert_eq!(
            log.node(level, index),
            Ok(hash),
            "node {index} of level {level}"
        );
    }
    let (root, size) = (root_of(&leaves), log.edge.size());
    assert_eq!(log.edge.root(), root);
    for i in (0..leaves.len()).step_by(997) {
        let proof = inclusion_proof(&log, LeafIndex::new(i as u64), size).unwrap();
        assert_eq!(
            verify_inclusion(&leaves[i], LeafIndex::new(i as u64), size, &proof, &root),
            Ok(())
        );
    }
}

#[test]
fn the_last_hash_of_a_tile_is_the_one_above_it() {
    let log = Log::of(&leaves(65_536));
    let above = &log.tiles[&TileId { level: 1, index: 0 }];
    for index in 0..256 {
        let below = &log.tiles[&TileId { level: 0, index }];
        assert_eq!(
            tile::root_in(below),
            tile::hash_in(above, 32 * index as usize)
        );
    }
}

#[test]
fn a_copy_keeps_its_state_while_the_log_grows() {
    let leaves = leaves(1_000);
    let mut edge = Edge::new();
    edge.append(&leaves[..200]);
    let snapshot = edge.clone();
    edge.append(&leaves[200..]);
    assert_eq!(snapshot.root(), mth(&leaves[..200]));
    assert_eq!(snapshot.node(0, 199), Some(leaves[199]));
    assert_eq!(snapshot.node(0, 200), None);
    assert_eq!(edge.root(), mth(&leaves));
}

#[test]
fn nodes_beyond_the_log_are_not_there() {
    let edge = Log::of(&leaves(300)).edge;
    for (level, index) in [
        (0, 300),
        (1, 150),
        (8, 1),
        (9, 0),
        (63, 0),
        (64, 0),
        (255, 0),
        (0, u64::MAX),
    ] {
        assert_eq!(
            edge.node(level, index),
            None,
            "node {index} of level {level}"
        );
    }
}

#[test]
fn parts_that_do_not_fit_the_size_are_refused() {
    let log = Log::of(&leaves(600));
    let size = log.edge.size();
    let refused = |parts: &[Vec<Hash>]| Edge::from_parts(size, parts).map(|_| ()).unwrap_err();
    let mut parts = log.parts();
    let hash = parts[0].pop().unwrap();
    assert_eq!(
        refused(&parts),
        EdgeError {
            size,
            level: 0,
            expected: 88,
            found: 87
        }
    );
    parts[0].push(hash);
    assert_eq!(
        refused(&parts[..1]),
        EdgeError {
            size,
            level: 1,
            expected: 2,
            found: 0
        }
    );
    parts.push(vec![hash]);
    assert_eq!(
        refused(&parts),
        EdgeError {
            size,
            level: 8,
            expected: 0,
            found: 1
        }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_history_equals_the_naive_tree(steps in prop::collection::vec(0..700_usize, 1..12)) {
        let leaves = leaves(steps.iter().sum());
        let mut log = Log::default();
        let mut end = 0;
        for step in steps {
            // One time out of some the log has been restarted in between.
            if step % 3 == 0 {
                log.edge = Edge::from_parts(log.edge.size(), &log.parts()).unwrap();
            }
            log.append(&leaves[end..end + step]);
            end += step;
            prop_assert_eq!(log.edge.root(), mth(&leaves[..end]));
        }
        for (level, index, hash) in Perfect::new(&leaves).all() {
            prop_assert_eq!(log.node(level, index), Ok(hash));
        }
    }
}
