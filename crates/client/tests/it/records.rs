//! The bytes of records and batches, against answers computed elsewhere (Python's hmac and hashlib).

use creditbank_client::batch::{self, Batcher};
use creditbank_client::record::{RecordMaker, record_id, salt};
use creditbank_domain::Refusal;
use creditbank_domain::record::{
    KeyPurpose, LeafIndex, RecordRef, batch_signing_input, commitment,
};
use creditbank_merkle::{leaf_hash, root_of};
use creditbank_wire::convert::record::canonical;
use creditbank_wire::v1::{self, RecordKind, payload::Content};
use ed25519_dalek::{Signature, VerifyingKey};
use prost::Message;

use crate::fixture::{ORIGIN, keys, learner, outcome, signed};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn id_salt_and_commitment_are_the_documented_hmacs() {
    let id = record_id(&[7; 32], b"row 1");
    assert_eq!(id.to_string(), "ac259d743059fc50583b0a1c1768e9cf");
    let salt = salt(&[7; 32], id, b"payload");
    assert_eq!(
        hex(&salt),
        "0797d7994378ad5012c21b1faef811aa07a659401a1c82de7f75ef686199306f"
    );
    assert_eq!(
        hex(&commitment(&salt, b"payload")),
        "5213d56a2bcc2fbf132f73b269ebe792c28dfe2e489bace1e96a3a3839824a73"
    );
}

#[test]
fn the_signing_input_is_laid_out_as_documented() {
    let input = batch_signing_input(ORIGIN, "fudan", 3, &[5; 32]);
    let expected = [
        b"creditbank/batch/v1\n\x00\x10bank.example/log\x00\x05fudan".as_slice(),
        &[0, 0, 0, 0, 0, 0, 0, 3],
        &[5; 32],
    ];
    assert_eq!(input, expected.concat());
}

#[test]
fn the_same_row_makes_the_same_bytes_and_another_row_does_not() {
    let keys = keys();
    let maker = RecordMaker::new(&keys);
    let make = |key: &[u8], name| maker.outcome(key, learner(), outcome(name));
    let first = make(b"1", "课程");
    assert_eq!(first, make(b"1", "课程"));
    let envelope = |record: &v1::SignedRecord| {
        v1::Envelope::decode(&record.envelope[..]).expect("an envelope")
    };
    let corrected = make(b"1", "课程 二");
    assert_eq!(envelope(&first).record_id, envelope(&corrected).record_id);
    assert_ne!(envelope(&first).commitment, envelope(&corrected).commitment);
    assert_ne!(first.salt, corrected.salt);
    assert_ne!(
        envelope(&first).record_id,
        envelope(&make(b"2", "课程")).record_id
    );
}

#[test]
fn every_kind_of_record_is_canonical_and_opens_its_commitment() {
    let keys = keys();
    let maker = RecordMaker::new(&keys);
    let target = RecordRef {
        leaf_index: LeafIndex(41),
        leaf_hash: [3; 32],
    };
    for (kind, record) in [
        (
            RecordKind::Outcome,
            maker.outcome(b"k", learner(), outcome("课程")),
        ),
        (
            RecordKind::Amendment,
            maker.amendment(b"k", learner(), target, outcome("课程"), "录入错误"),
        ),
        (
            RecordKind::Revocation,
            maker.revocation(b"k", learner(), target, "录入错误"),
        ),
        (
            RecordKind::Confirmation,
            maker.confirmation(b"k", learner(), target, "复核无误"),
        ),
    ] {
        let envelope: v1::Envelope = canonical(&record.envelope).expect("canonical");
        let payload: v1::Payload = canonical(&record.payload).expect("canonical");
        assert_eq!((envelope.version, envelope.kind()), (1, kind));
        assert_eq!(envelope.issuer, "fudan");
        assert_eq!(payload.learner.len(), 16);
        let content = payload.content.expect("a content");
        assert_eq!(
            matches!(content, Content::Outcome(_)),
            kind == RecordKind::Outcome
        );
        let refs = if kind == RecordKind::Outcome { 0 } else { 1 };
        assert_eq!(envelope.refs.len(), refs);
        let salt = record.salt[..].try_into().expect("32 bytes");
        assert_eq!(envelope.commitment[..], commitment(salt, &record.payload));
    }
}

#[test]
fn one_signature_covers_every_envelope_of_the_batch() {
    for count in [1, 2, 3, 1000, 1024] {
        let request = signed("课程", count);
        let leaves: Vec<_> = request
            .records
            .iter()
            .map(|it| leaf_hash(&it.envelope))
            .collect();
        let root = root_of(&leaves);
        assert_eq!(request.root[..], root.0);
        let input = batch_signing_input(ORIGIN, "fudan", count as u64, &root.0);
        let key =
            VerifyingKey::from_bytes(&keys().public(KeyPurpose::Sign).bytes).expect("a point");
        let signature = Signature::from_slice(&request.signature).expect("64 bytes");
        key.verify_strict(&input, &signature).expect("signed");
    }
}

#[test]
fn a_batch_has_1_to_1024_records() {
    let record = v1::SignedRecord::default();
    let count = |count| batch::sign(ORIGIN, &keys(), vec![record.clone(); count]).err();
    assert_eq!(count(0), Some(Refusal::BatchEmpty));
    assert_eq!(count(1), None);
    assert_eq!(count(1024), None);
    assert_eq!(
        count(1025),
        Some(Refusal::BatchTooLarge {
            count: 1025,
            max: 1024
        })
    );
}

#[test]
fn a_batcher_stops_at_records_and_at_bytes() {
    let record = |bytes: usize| v1::SignedRecord {
        payload: vec![1; bytes].into(),
        ..Default::default()
    };
    for (records_max, bytes, pushed, expected) in [
        (1000, 100, 2500, vec![1000, 1000, 500]),
        (9999, 100, 1500, vec![1024, 476]),
        (0, 100, 3, vec![1, 1, 1]),
        (1024, 32_768, 300, vec![255, 45]),
        (1024, 100, 0, vec![]),
    ] {
        let mut batcher = Batcher::new(records_max);
        let mut batches: Vec<_> = (0..pushed)
            .filter_map(|_| batcher.push(record(bytes)))
            .collect();
        batches.extend(batcher.take());
        let sizes: Vec<_> = batches.iter().map(Vec::len).collect();
        assert_eq!(sizes, expected, "{records_max} records of {bytes} bytes");
        for records in batches {
            let request = batch::sign(ORIGIN, &keys(), records).expect("a batch");
            assert!(request.encoded_len() <= 8 << 20);
        }
    }
}
