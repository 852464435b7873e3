//! Receipt files.

use creditbank_merkle::{
    BatchTree, Checkpoint, CheckpointError, LeafIndex, NoteError, ProofError, TlogProof,
    TlogProofError, TreeSize,
};
use proptest::prelude::*;

use crate::{
    notes::signer,
    rfc6962::{leaf, leaves},
};

/// The receipt of leaf 5 in a log of eleven, with the leaf as `extra`.
fn receipt() -> TlogProof {
    let tree = BatchTree::new(leaves(11));
    let checkpoint = Checkpoint {
        origin: "bank.example/log".into(),
        size: TreeSize::new(11),
        root: tree.root(),
    };
    TlogProof {
        extra: Some(leaf(5)),
        index: LeafIndex::new(5),
        path: tree.path(5),
        checkpoint: checkpoint.sign(&signer("bank.example/log")).unwrap(),
    }
}

#[test]
fn a_receipt_has_the_published_form() {
    let receipt = receipt();
    let path: String = receipt
        .path
        .iter()
        .map(|hash| format!("{hash}\n"))
        .collect();
    let expected = format!(
        "c2sp.org/tlog-proof@v1\nextra bGVhZiA1\nindex 5\n{path}\n{}",
        receipt.checkpoint
    );
    assert_eq!(receipt.encode(), expected);
    assert_eq!(TlogProof::parse(&expected), Ok(receipt.clone()));
    let bare = TlogProof {
        extra: None,
        path: vec![],
        index: LeafIndex::ZERO,
        ..receipt
    };
    assert!(
        bare.encode()
            .starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nbank.example/log\n11\n")
    );
    assert_eq!(TlogProof::parse(&bare.encode()), Ok(bare));
}

#[test]
fn a_receipt_proves_its_leaf_and_no_other() {
    let receipt = receipt();
    let (bank, stranger) = (signer("bank.example/log"), signer("stranger.example/log"));
    assert_eq!(
        receipt.verify(&leaf(5), bank.verifier()).unwrap().size,
        TreeSize::new(11)
    );
    let wrong_leaf = receipt.verify(&leaf(6), bank.verifier());
    assert!(matches!(
        wrong_leaf,
        Err(TlogProofError::Proof(ProofError::RootDiffers { .. }))
    ));
    let wrong_key = receipt.verify(&leaf(5), stranger.verifier());
    assert_eq!(
        wrong_key,
        Err(CheckpointError::Note(NoteError::NotSignedByKey).into())
    );
    let outside = TlogProof {
        index: LeafIndex::new(11),
        ..receipt
    }
    .verify(&leaf(5), bank.verifier());
    assert!(matches!(
        outside,
        Err(TlogProofError::Proof(ProofError::IndexOutsideTree { .. }))
    ));
}

#[test]
fn receipts_out_of_form_name_their_line() {
    let text = receipt().encode();
    let hash = receipt().path[0].to_string();
    let change = |from: &str, to: &str| text.replacen(from, to, 1);
    let cases = [
        (String::new(), TlogProofError::CheckpointMissing),
        (
            change("\n\nbank", "\nbank")
                .split_once("\n\n")
                .unwrap()
                .0
                .to_owned(),
            TlogProofError::CheckpointMissing,
        ),
        (change("@v1", "@v2"), TlogProofError::Header),
        (
            change("extra bGVhZiA1", "extra bGVhZiA"),
            TlogProofError::Extra,
        ),
        (change("extra", "Extra"), TlogProofError::Index),
        (change("index 5", "index 05"), TlogProofError::Index),
        (change("index 5\n", ""), TlogProofError::Index),
        (
            change("index 5\n", "index 5\nextra AAAA\n"),
            TlogProofError::PathLine(1),
        ),
        (change(&hash, &hash[..43]), TlogProofError::PathLine(1)),
        (
            change(&hash, &[hash.as_str(); 65].join("\n")),
            TlogProofError::PathTooLong,
        ),
        (
            text.replace('\n', "\r\n"),
            TlogProofError::CheckpointMissing,
        ),
        (
            change("bGVhZiA1", &"AAAA".repeat(300_000)),
            TlogProofError::TooLong,
        ),
    ];
    for (text, error) in cases {
        assert_eq!(
            TlogProof::parse(&text),
            Err(error),
            "{}",
            &text[..text.len().min(300)]
        );
    }
}

proptest! {
    #[test]
    fn any_receipt_is_read_as_written(extra: Option<Vec<u8>>, index: u64, count in 0..=64_usize) {
        let receipt = TlogProof { extra, index: LeafIndex::new(index), path: leaves(count), ..receipt() };
        prop_assert_eq!(TlogProof::parse(&receipt.encode()), Ok(receipt));
    }

    #[test]
    fn a_changed_receipt_never_proves_a_changed_leaf(at: prop::sample::Index, bit in 0..7_u8) {
        let mut text = receipt().encode().into_bytes();
        let at = at.index(text.len());
        text[at] ^= 1 << bit;
        let read = String::from_utf8(text).ok().and_then(|text| TlogProof::parse(&text).ok());
        if let Some(receipt) = read {
            let proved = receipt.verify(receipt.extra.as_deref().unwrap_or_default(), signer("bank.example/log").verifier());
            prop_assert!(proved.is_err());
        }
    }
}
