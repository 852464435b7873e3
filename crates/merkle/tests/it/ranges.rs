//! The range proof: one proof for a whole batch.

use creditbank_merkle::{
    EMPTY_ROOT, Hash, LeafIndex, ProofError, ProvedRange, TreeSize, inclusion_from_range,
    inclusion_proof, range_proof, root_from_range,
};
use proptest::prelude::*;

use crate::{
    proofs::flip,
    rfc6962::{self, Perfect, leaves, mth, ranges},
};

fn index(i: usize) -> LeafIndex {
    LeafIndex::new(i as u64)
}

fn size(n: usize) -> TreeSize {
    TreeSize::new(n as u64)
}

#[test]
fn every_range_of_small_trees_proves_the_root_and_opens_into_inclusion_proofs() {
    let leaves = leaves(40);
    let nodes = Perfect::new(&leaves);
    for n in 1..=leaves.len() {
        let root = mth(&leaves[..n]);
        for range in ranges(n) {
            let (a, b, d) = (range.start, range.end, &leaves[range.clone()]);
            let proof = range_proof(&nodes, index(a)..index(b), size(n)).unwrap();
            assert_eq!(
                proof,
                rfc6962::range(a, b, 0, n, &leaves),
                "{range:?} of {n}"
            );
            assert_eq!(
                root_from_range(index(a), d, size(n), &proof),
                Ok(root),
                "{range:?} of {n}"
            );
            let proved = ProvedRange::new(index(a), d.to_vec(), size(n), &proof).unwrap();
            for i in range {
                let expected = inclusion_proof(&nodes, index(i), size(n));
                assert_eq!(
                    proved.inclusion(index(i)).ok(),
                    expected.ok(),
                    "{i} of [{a}, {b}) of {n}"
                );
            }
        }
    }
}

#[test]
fn a_range_of_one_leaf_is_its_inclusion_proof_in_another_order() {
    let leaves = leaves(77);
    let nodes = Perfect::new(&leaves);
    for i in 0..77 {
        let mut range = range_proof(&nodes, index(i)..index(i + 1), size(77)).unwrap();
        let mut inclusion = inclusion_proof(&nodes, index(i), size(77)).unwrap();
        range.sort();
        inclusion.sort();
        assert_eq!(range, inclusion);
    }
}

#[test]
fn a_refused_range_names_its_step() {
    let leaves = leaves(20);
    let proof = range_proof(&Perfect::new(&leaves), index(5)..index(9), size(20)).unwrap();
    let outside = |first, count| {
        Err(ProofError::RangeOutsideTree {
            first: LeafIndex::new(first),
            count,
            size: size(20),
        })
    };
    let length = Err(ProofError::WrongLength {
        expected: proof.len(),
        found: proof.len() - 1,
    });
    let cases = [
        (5, &leaves[5..9], &proof[..], Ok(mth(&leaves))),
        (5, &[], &proof, Err(ProofError::EmptyRange)),
        (17, &leaves[5..9], &proof, outside(17, 4)),
        (u64::MAX, &leaves[5..9], &proof, outside(u64::MAX, 4)),
        (5, &leaves[5..9], &proof[1..], length),
        (5, &leaves, &proof, outside(5, 20)),
    ];
    for (first, leaves, proof, expected) in cases {
        assert_eq!(
            root_from_range(first.into(), leaves, size(20), proof),
            expected
        );
    }
    for i in [0, 4, 9, 19, usize::MAX] {
        let found = inclusion_from_range(index(5), &leaves[5..9], size(20), &proof, index(i));
        assert_eq!(
            found,
            Err(ProofError::IndexOutsideRange { index: index(i) })
        );
    }
}

proptest! {
    #[test]
    fn every_bit_of_a_range_proof_counts(
        n in 1..3_000_usize, a: prop::sample::Index, count in 1..1_100_usize, bit: prop::sample::Index
    ) {
        let leaves = leaves(n);
        let a = a.index(n);
        let b = n.min(a + count);
        let proof = range_proof(&Perfect::new(&leaves), index(a)..index(b), size(n)).unwrap();
        let mut parts = [&leaves[a..b], &proof].concat();
        let check = |parts: &[Hash]| root_from_range(index(a), &parts[..b - a], size(n), &parts[b - a..]).unwrap();
        prop_assert_eq!(check(&parts), mth(&leaves));
        flip(&mut parts, bit);
        prop_assert_ne!(check(&parts), mth(&leaves));
    }

    #[test]
    fn ranges_of_large_trees_open_into_inclusion_proofs(
        n in 1..20_000_usize, a: prop::sample::Index, count in 1..1_100_usize, i: prop::sample::Index
    ) {
        let leaves = leaves(n);
        let nodes = Perfect::new(&leaves);
        let a = a.index(n);
        let b = n.min(a + count);
        let i = a + i.index(b - a);
        let proof = range_proof(&nodes, index(a)..index(b), size(n)).unwrap();
        let opened = inclusion_from_range(index(a), &leaves[a..b], size(n), &proof, index(i)).unwrap();
        prop_assert_eq!(opened, inclusion_proof(&nodes, index(i), size(n)).unwrap());
    }

    #[test]
    fn hostile_ranges_get_an_answer(a: u64, n: u64, near in 0..20_u64, count in 0..10_usize, fit: bool) {
        let leaves = leaves(count);
        for (a, n) in [(a, n), (n - n.min(near), n), (u64::MAX - near, u64::MAX), (0, n), (1 << 63, u64::MAX)] {
            let mut proof = vec![EMPTY_ROOT; 150];
            if let (true, Err(ProofError::WrongLength { expected, .. })) =
                (fit, root_from_range(a.into(), &leaves, n.into(), &proof))
            {
                proof.truncate(expected);
            }
            if let Ok(proved) = ProvedRange::new(a.into(), leaves.clone(), n.into(), &proof) {
                let _ = proved.root();
                prop_assert!(proved.inclusion(a.into()).unwrap().len() <= 64);
                prop_assert!(proved.inclusion((a + (count as u64 - 1)).into()).is_ok());
            }
        }
    }
}
