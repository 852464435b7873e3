//! Roots, inclusion and consistency.

use creditbank_merkle::{
    BatchTree, EMPTY_ROOT, Hash, LeafIndex, ProofError, TreeSize, consistency_proof,
    inclusion_proof, root, root_of, verify_consistency, verify_inclusion,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::HashReader;

use crate::rfc6962::{self, Perfect, leaf, leaves, mth};

const SIZE_MAX: usize = 600;

fn index(i: usize) -> LeafIndex {
    LeafIndex::new(i as u64)
}

fn size(n: usize) -> TreeSize {
    TreeSize::new(n as u64)
}

#[test]
fn hashes_of_the_standard_are_ours() {
    // From the test vectors of Certificate Transparency.
    let leaf = creditbank_merkle::leaf_hash(b"");
    assert_eq!(
        hex(&leaf),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(mth(&[]), EMPTY_ROOT);
    assert_eq!(root_of(&[]), EMPTY_ROOT);
    assert_eq!(leaf.to_string().parse(), Ok(leaf));
}

#[test]
fn roots_and_proofs_are_those_of_the_rfc() {
    let leaves = leaves(SIZE_MAX);
    let nodes = Perfect::new(&leaves);
    for n in (1..=130).chain([255, 256, 257, 511, 512, 513, SIZE_MAX]) {
        let d = &leaves[..n];
        let tree = BatchTree::new(d.to_vec());
        assert_eq!(tree.root(), mth(d), "root of {n}");
        assert_eq!(root(&nodes, size(n)), Ok(mth(d)), "root of {n} from nodes");
        assert_eq!(root_of(d), mth(d), "root of {n} from leaves");
        for m in 0..n {
            let expected = rfc6962::path(m, d);
            assert_eq!(tree.path(m), expected, "path of {m} in {n}");
            assert_eq!(
                inclusion_proof(&nodes, index(m), size(n)),
                Ok(expected),
                "proof of {m} in {n}"
            );
        }
        for m in 1..=n {
            let proof = consistency_proof(&nodes, size(m), size(n)).unwrap();
            assert_eq!(
                proof,
                rfc6962::subproof(m, d, true),
                "proof from {m} to {n}"
            );
        }
    }
}

#[test]
fn ct_merkle_accepts_every_proof_and_makes_the_same() {
    let leaves = leaves(SIZE_MAX);
    let nodes = Perfect::new(&leaves);
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = Vec::new();
    for n in 1..=SIZE_MAX {
        theirs.push(leaf(n - 1));
        roots.push(theirs.root());
        let root = root(&nodes, size(n)).unwrap();
        assert_eq!(roots[n - 1].as_bytes()[..], root.0, "root of {n}");
        for m in (0..n).step_by(1 + n / 40) {
            let proof = inclusion_proof(&nodes, index(m), size(n)).unwrap();
            let bytes = proof.concat_bytes();
            assert_eq!(theirs.prove_inclusion(m).as_bytes(), bytes, "{m} in {n}");
            let proof_of_theirs = ct_merkle::InclusionProof::try_from_bytes(bytes).unwrap();
            roots[n - 1]
                .verify_inclusion(&leaf(m), m as u64, &proof_of_theirs)
                .unwrap();
            assert_eq!(
                verify_inclusion(&leaves[m], index(m), size(n), &proof, &root),
                Ok(())
            );
        }
        for m in (1..=n).step_by(1 + n / 40) {
            let proof = consistency_proof(&nodes, size(m), size(n)).unwrap();
            let bytes = proof.concat_bytes();
            assert_eq!(
                theirs.prove_consistency(n - m).as_bytes(),
                bytes,
                "{m} to {n}"
            );
            let proof_of_theirs = ct_merkle::ConsistencyProof::try_from_bytes(bytes).unwrap();
            roots[n - 1]
                .verify_consistency(&roots[m - 1], &proof_of_theirs)
                .unwrap();
            let old_root = creditbank_merkle::root(&nodes, size(m)).unwrap();
            assert_eq!(
                verify_consistency(size(m), &old_root, size(n), &root, &proof),
                Ok(())
            );
        }
    }
}

/// The log as the Go checksum database stores it.
#[derive(Default)]
struct GoLog(Vec<tlog_tiles::Hash>);

impl HashReader for GoLog {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|&i| self.0[i as usize]).collect())
    }
}

impl GoLog {
    fn push(&mut self, n: usize, hash: &Hash) {
        let new =
            tlog_tiles::stored_hashes_for_record_hash(n as u64, tlog_tiles::Hash(hash.0), self)
                .unwrap();
        self.0.extend(new);
    }
}

#[test]
fn tlog_makes_the_same_proofs_at_every_size() {
    let leaves = leaves(SIZE_MAX);
    let nodes = Perfect::new(&leaves);
    let mut theirs = GoLog::default();
    for n in 1..=SIZE_MAX {
        theirs.push(n - 1, &leaves[n - 1]);
        let root = root(&nodes, size(n)).unwrap();
        assert_eq!(
            tlog_tiles::tree_hash(n as u64, &theirs).unwrap().0,
            root.0,
            "root of {n}"
        );
        for m in (0..n).step_by(1 + n / 40) {
            let proof = tlog_tiles::prove_record(n as u64, m as u64, &theirs).unwrap();
            assert_eq!(
                inclusion_proof(&nodes, index(m), size(n)).unwrap(),
                ours(&proof),
                "{m} in {n}"
            );
            let proof = tlog_tiles::prove_tree(n as u64, m as u64 + 1, &theirs).unwrap();
            let consistency = consistency_proof(&nodes, size(m + 1), size(n)).unwrap();
            assert_eq!(consistency, ours(&proof), "{} to {n}", m + 1);
        }
    }
}

#[test]
fn the_subtree_of_an_aligned_range_is_its_own_tree() {
    let leaves = leaves(100);
    let tree = BatchTree::new(leaves.clone());
    for (lo, hi) in [
        (0, 100),
        (0, 64),
        (64, 100),
        (96, 100),
        (96, 99),
        (99, 100),
        (32, 64),
        (64, 96),
        (0, 7),
    ] {
        assert_eq!(
            tree.subtree_root(lo..hi),
            mth(&leaves[lo..hi]),
            "[{lo}, {hi})"
        );
    }
}

#[test]
#[should_panic(expected = "no subtree")]
fn a_range_across_subtrees_has_no_hash() {
    let _ = BatchTree::new(leaves(8)).subtree_root(2..6);
}

#[test]
fn a_refused_proof_names_its_step() {
    let leaves = leaves(11);
    let nodes = Perfect::new(&leaves);
    let (root, old_root) = (
        root(&nodes, size(11)).unwrap(),
        root(&nodes, size(6)).unwrap(),
    );
    let proof = inclusion_proof(&nodes, index(4), size(11)).unwrap();
    let steps = consistency_proof(&nodes, size(6), size(11)).unwrap();
    let include =
        |i, n, proof: &[Hash]| verify_inclusion(&leaves[4], index(i), size(n), proof, &root);
    let consist = |old, new, proof: &[Hash]| {
        verify_consistency(size(old), &old_root, size(new), &root, proof)
    };

    let (i, s) = (index(11), size(11));
    assert_eq!(
        include(11, 11, &proof),
        Err(ProofError::IndexOutsideTree { index: i, size: s })
    );
    assert_eq!(
        include(0, 0, &[]),
        Err(ProofError::IndexOutsideTree {
            index: index(0),
            size: size(0)
        })
    );
    assert_eq!(
        include(4, 11, &proof[1..]),
        Err(ProofError::WrongLength {
            expected: 4,
            found: 3
        })
    );
    assert!(
        matches!(include(5, 11, &proof), Err(ProofError::RootDiffers { stated, .. }) if stated == root)
    );
    assert_eq!(consist(6, 11, &steps), Ok(()));
    assert_eq!(
        consist(12, 11, &steps),
        Err(ProofError::SizesReversed {
            old: size(12),
            new: size(11)
        })
    );
    assert_eq!(
        consist(6, 11, &[]),
        Err(ProofError::WrongLength {
            expected: steps.len(),
            found: 0
        })
    );
    assert_eq!(
        consist(6, 6, &steps),
        Err(ProofError::WrongLength {
            expected: 0,
            found: steps.len()
        })
    );
    assert!(
        matches!(consist(6, 6, &[]), Err(ProofError::OldRootDiffers { .. })),
        "same size, two roots"
    );
    assert!(
        matches!(consist(0, 6, &[]), Err(ProofError::OldRootDiffers { .. })),
        "the empty root is known"
    );
    let cut = consist(4, 11, &steps[..2]);
    assert!(
        matches!(cut, Err(ProofError::RootDiffers { .. })),
        "a tree of 4 is a node, its root not in doubt"
    );
}

proptest! {
    #[test]
    fn every_bit_of_an_inclusion_proof_counts(n in 1..400_usize, m: prop::sample::Index, bit: prop::sample::Index) {
        let leaves = leaves(n);
        let m = m.index(n);
        let nodes = Perfect::new(&leaves);
        let mut parts = inclusion_proof(&nodes, index(m), size(n)).unwrap();
        parts.extend([leaves[m], root(&nodes, size(n)).unwrap()]);
        let check = |parts: &[Hash]| {
            let [proof @ .., leaf, root] = parts else { unreachable!() };
            verify_inclusion(leaf, index(m), size(n), proof, root)
        };
        prop_assert_eq!(check(&parts), Ok(()));
        flip(&mut parts, bit);
        let refused = matches!(check(&parts), Err(ProofError::RootDiffers { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn every_bit_of_a_consistency_proof_counts(n in 2..400_usize, m: prop::sample::Index, bit: prop::sample::Index) {
        let leaves = leaves(n);
        let m = 1 + m.index(n - 1);
        let nodes = Perfect::new(&leaves);
        let mut parts = consistency_proof(&nodes, size(m), size(n)).unwrap();
        parts.extend([root(&nodes, size(m)).unwrap(), root(&nodes, size(n)).unwrap()]);
        let check = |parts: &[Hash]| {
            let [proof @ .., old_root, new_root] = parts else { unreachable!() };
            verify_consistency(size(m), old_root, size(n), new_root, proof)
        };
        prop_assert_eq!(check(&parts), Ok(()));
        flip(&mut parts, bit);
        prop_assert!(check(&parts).is_err());
    }

    #[test]
    fn hostile_proofs_get_an_answer(a: u64, b: u64, near in 0..3_u64, count in 0..130_usize) {
        let proof = leaves(count);
        let hash = EMPTY_ROOT;
        for (a, b) in [(a, b), (b - b.min(near), b), (u64::MAX - near, u64::MAX), (1 << 63, u64::MAX), (near, a)] {
            let _ = verify_inclusion(&hash, a.into(), b.into(), &proof, &hash);
            let _ = verify_consistency(a.into(), &hash, b.into(), &hash, &proof);
        }
    }

    #[test]
    fn a_proof_of_the_right_length_for_any_size_gets_an_answer(a: u64, b: u64) {
        let (a, b) = (a.min(b), a.max(b).max(1));
        let answer = |answer: Result<(), ProofError>| match answer {
            Err(ProofError::WrongLength { expected, .. }) => Some(expected),
            _ => None,
        };
        let hash = EMPTY_ROOT;
        let include = |proof: &[Hash]| verify_inclusion(&hash, a.min(b - 1).into(), b.into(), proof, &hash);
        let consist = |proof: &[Hash]| verify_consistency(a.into(), &hash, b.into(), &hash, proof);
        for check in [&include as &dyn Fn(&[Hash]) -> _, &consist] {
            if let Some(expected) = answer(check(&leaves(200))) {
                prop_assert!(expected <= 64 + 1);
                prop_assert_eq!(answer(check(&leaves(expected))), None);
            }
        }
    }
}

/// Flips one bit somewhere in the hashes.
pub(crate) fn flip(hashes: &mut [Hash], bit: prop::sample::Index) {
    let bit = bit.index(hashes.len() * 256);
    hashes[bit / 256].0[bit % 256 / 8] ^= 1 << (bit % 8);
}

fn ours(proof: &[tlog_tiles::Hash]) -> Vec<Hash> {
    proof.iter().map(|hash| Hash(hash.0)).collect()
}

fn hex(hash: &Hash) -> String {
    hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

trait ConcatBytes {
    fn concat_bytes(&self) -> Vec<u8>;
}

impl ConcatBytes for Vec<Hash> {
    fn concat_bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|hash| hash.0).collect()
    }
}
