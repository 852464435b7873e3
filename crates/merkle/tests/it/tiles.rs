//! Paths, bundles, and a third-party reader that audits the log through its tiles.

use std::num::NonZeroU8;

use creditbank_merkle::{
    Hash, LeafIndex, Resource, TileId, TreeSize, inclusion_proof, root_of,
    tile::{BundleError, PathError, TILE_WIDTH, decode_entries, encode_entries, served},
};
use proptest::prelude::*;
use tlog_tiles::{Tile, TileHashReader, TileReader};

use crate::{edge::Log, rfc6962::leaves};

fn tile(level: u8, index: u64, partial: u8) -> Resource {
    Resource::Tile {
        id: TileId { level, index },
        partial: NonZeroU8::new(partial),
    }
}

fn entries(index: u64, partial: u8) -> Resource {
    Resource::Entries {
        index,
        partial: NonZeroU8::new(partial),
    }
}

#[test]
fn each_resource_has_exactly_one_path() {
    let cases = [
        ("checkpoint", Resource::Checkpoint),
        ("tile/0/000", tile(0, 0, 0)),
        ("tile/0/x001/234", tile(0, 1_234, 0)),
        ("tile/3/x001/x234/067.p/255", tile(3, 1_234_067, 255)),
        ("tile/63/999.p/1", tile(63, 999, 1)),
        (
            "tile/0/x018/x446/x744/x073/x709/x551/615",
            tile(0, u64::MAX, 0),
        ),
        ("tile/entries/000.p/7", entries(0, 7)),
        ("tile/entries/x001/234.p/17", entries(1_234, 17)),
        ("tile/entries/x001/000", entries(1_000, 0)),
    ];
    for (path, resource) in cases {
        assert_eq!(path.parse(), Ok(resource), "{path}");
        assert_eq!(resource.to_string(), path);
    }
}

#[test]
fn other_spellings_are_refused() {
    let paths = [
        "",
        "/checkpoint",
        "checkpoint/",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/+1/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/234",
        "tile/0/xx01/234",
        "tile/0/x1/234",
        "tile/0/+01",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "tile/0/001.p/1/",
        "tile/0/001.p/1.p/1",
        "tile/data/000",
        "tile/8/0/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x001/x018/x446/x744/x073/x709/x551/615",
        "tile/entries/",
        "tile/entries/٠٠٠",
        "tile/entries/000?x",
    ];
    for path in paths {
        assert_eq!(path.parse::<Resource>(), Err(PathError), "{path}");
    }
    assert_eq!("9".repeat(1 << 20).parse::<Resource>(), Err(PathError));
}

#[test]
fn widths_of_tiles_follow_the_size_of_the_log() {
    // The example of the specification: 70,000 leaves.
    let size = TreeSize::new(70_000);
    let widths = [
        (0, 272, 256),
        (0, 273, 112),
        (0, 274, 0),
        (1, 0, 256),
        (1, 1, 17),
        (2, 0, 1),
        (2, 1, 0),
        (3, 0, 0),
    ];
    for (level, index, width) in widths {
        assert_eq!(
            TileId { level, index }.width(size),
            width,
            "{level}/{index}"
        );
    }
    assert_eq!(
        [0, 1, 2, 3, 255].map(|level| TileId::partial_width(size, level)),
        [112, 17, 1, 0, 0]
    );
    assert_eq!(
        TileId {
            level: 255,
            index: u64::MAX
        }
        .width(TreeSize::new(u64::MAX)),
        0
    );
}

#[test]
fn bundles_give_back_their_leaves() {
    let leaves: Vec<Vec<u8>> = vec![vec![], vec![1], vec![2; 65_535]];
    let bundle = encode_entries(leaves.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(bundle[..5], [0, 0, 0, 1, 1]);
    assert_eq!(decode_entries(&bundle).unwrap(), leaves);
    assert_eq!(decode_entries(&[]), Ok(vec![]));
}

#[test]
fn bundles_out_of_form_are_refused() {
    let cases: [(&[u8], BundleError); 4] = [
        (&[0], BundleError::CutOff(0)),
        (&[0, 2, 7], BundleError::CutOff(0)),
        (&[0, 1, 7, 0], BundleError::CutOff(1)),
        (&[0; 2 * 257], BundleError::TooMany),
    ];
    for (bundle, error) in cases {
        assert_eq!(decode_entries(bundle), Err(error));
    }
    assert_eq!(
        encode_entries([&[0; 65_536][..]]),
        Err(BundleError::LeafTooLong(65_536))
    );
    assert_eq!(encode_entries([&[][..]; 257]), Err(BundleError::TooMany));
}

/// The public side of the log: finds each tile by the path under which it is served.
struct Server(Log);

impl Server {
    fn get(&self, path: &str) -> Vec<u8> {
        let Ok(Resource::Tile { id, partial }) = path.parse() else {
            panic!("no tile: {path}")
        };
        let width = partial.map_or(TILE_WIDTH, |width| usize::from(width.get()));
        match self.0.tiles.get(&id) {
            Some(stored) => served(stored, width).unwrap().to_vec(),
            None => self.0.edge.partial_tile(id.level)[..width]
                .iter()
                .flat_map(|hash| hash.0)
                .collect(),
        }
    }
}

impl TileReader for Server {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Go's paths name the height first; C2SP drops it.
        Ok(tiles
            .iter()
            .map(|tile| self.get(&tile.path().replacen("tile/8/", "tile/", 1)))
            .collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

#[test]
fn a_foreign_reader_audits_the_log_through_its_tiles() {
    let leaves = leaves(70_000);
    for n in [
        1, 2, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, 70_000,
    ] {
        let server = Server(Log::of(&leaves[..n]));
        let root = root_of(&leaves[..n]);
        let reader = TileHashReader::new(n as u64, tlog_tiles::Hash(root.0), &server);
        assert_eq!(tlog_tiles::tree_hash(n as u64, &reader).unwrap().0, root.0);
        for i in (0..n as u64).step_by(1 + n / 7) {
            let theirs = tlog_tiles::prove_record(n as u64, i, &reader).unwrap();
            let ours =
                inclusion_proof(&server.0, LeafIndex::new(i), TreeSize::new(n as u64)).unwrap();
            assert_eq!(
                ours,
                theirs.iter().map(|hash| Hash(hash.0)).collect::<Vec<_>>(),
                "{i} of {n}"
            );
        }
    }
}

proptest! {
    #[test]
    fn paths_are_read_as_written(level in 0..64_u8, index: u64, shift in 0..64_u32, partial: u8) {
        let index = index >> shift;
        for resource in [tile(level, index, partial), entries(index, partial)] {
            prop_assert_eq!(resource.to_string().parse(), Ok(resource));
        }
    }

    #[test]
    fn tile_paths_are_those_of_tlog(level in 0..64_u8, index: u64, shift in 0..64_u32, width in 1..=256_u32) {
        let index = index >> shift;
        let theirs = Tile::new(8, level, index, width, false).path().replacen("tile/8/", "tile/", 1);
        let partial = u8::try_from(width).unwrap_or(0);
        prop_assert_eq!(tile(level, index, partial).to_string(), theirs);
    }

    #[test]
    fn hostile_paths_and_bundles_get_an_answer(path in "(tile/(entries|[0-9]{1,3})/)?[x/0-9.p+]{0,60}", bytes: Vec<u8>) {
        if let Ok(resource) = path.parse::<Resource>() {
            prop_assert_eq!(resource.to_string(), path);
        }
        if let Ok(leaves) = decode_entries(&bytes) {
            prop_assert_eq!(encode_entries(leaves), Ok(bytes));
        }
    }
}
