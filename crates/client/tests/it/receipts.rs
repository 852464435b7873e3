//! Receipts: what holds is accepted, and what was touched is refused at the step that it touches.

use bytes::Bytes;
use creditbank_client::receipt::{
    BundleError, BundleReader, BundleWriter, Opening, Step, StepResult, Verifier, VerifyError,
    bundle_of, receipt_from_text, receipt_text,
};
use creditbank_client::{RecordMaker, batch};
use creditbank_domain::RecordId;
use creditbank_merkle::VerifierKey;
use creditbank_wire::v1;
use prost::Message;

use crate::fixture::{DEPOSITED_AT_MS, Log, ORIGIN, keys, sign_key, signed};

/// A batch of five, of which the third was refused, in the midst of a log; and a duplicate of an older batch.
struct Deposit {
    key: VerifierKey,
    request: v1::SubmitBatchRequest,
    response: v1::SubmitBatchResponse,
}

impl Deposit {
    fn new() -> Self {
        let mut log = Log::new(37);
        let request = signed("new", 5);
        // The fourth row was there before, deposited by another batch.
        let first = v1::SubmitBatchRequest {
            records: vec![request.records[3].clone()],
            ..signed("new", 1)
        };
        let first = resigned(first);
        let index = log.create(&first, &[], 9).first_leaf_index;
        let created = log.create(&request, &[0, 1, 4], 20);
        let receipt = Some(log.receipt(index));
        let response = v1::SubmitBatchResponse {
            sequence: 0,
            created: Some(created),
            duplicates: vec![v1::DuplicateRow { row: 3, receipt }],
            refused: vec![v1::RefusedRow {
                row: 2,
                violations: vec![],
            }],
            refusal: Bytes::new(),
        };
        Self {
            key: log.key(),
            request,
            response,
        }
    }

    fn bundle(&self) -> v1::ReceiptBundle {
        bundle_of(&self.request, &self.response).expect("rows were accepted")
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(self.key.clone())
    }

    fn verifier_with_issuer(&self) -> Verifier {
        let mut verifier = self.verifier();
        verifier
            .add_issuer("fudan", &sign_key())
            .expect("a good key");
        verifier
    }

    fn receipt(&self) -> v1::Receipt {
        self.response.duplicates[0]
            .receipt
            .clone()
            .expect("a receipt")
    }
}

fn resigned(request: v1::SubmitBatchRequest) -> v1::SubmitBatchRequest {
    let keys = crate::fixture::keys();
    creditbank_client::batch::sign(crate::fixture::ORIGIN, &keys, request.records).expect("a batch")
}

fn record_id(request: &v1::SubmitBatchRequest, row: usize) -> RecordId {
    let envelope = v1::Envelope::decode(&request.records[row].envelope[..]).expect("an envelope");
    RecordId::from_slice(&envelope.record_id).expect("16 bytes")
}

fn flip(bytes: &mut Bytes, at: usize) {
    let mut changed = bytes.to_vec();
    changed[at] ^= 1;
    *bytes = changed.into();
}

fn failed_at<T: std::fmt::Debug>(result: Result<T, VerifyError>) -> Step {
    let error = result.expect_err("tampered");
    assert_eq!(
        error.report.of(error.step),
        &StepResult::Failed(error.reason.clone())
    );
    error.step
}

#[test]
fn an_honest_acknowledgement_proves_every_accepted_row() {
    let it = Deposit::new();
    let verified = it
        .verifier_with_issuer()
        .verify_acknowledgement(&it.request, &it.response)
        .expect("honest");
    assert!(
        verified
            .report
            .steps()
            .all(|(_, result)| *result == StepResult::Ok),
        "{}",
        verified.report
    );
    let records: Vec<_> = verified
        .records
        .iter()
        .map(|it| (it.record_id, it.leaf_index))
        .collect();
    let id = |row| record_id(&it.request, row);
    assert_eq!(
        records,
        [(id(0), 47), (id(1), 48), (id(4), 49), (id(3), 37)]
    );
    assert!(
        verified
            .records
            .iter()
            .all(|it| it.deposited_at_ms == DEPOSITED_AT_MS && &*it.issuer == "fudan")
    );
}

#[test]
fn a_declaration_is_acknowledged_though_it_commits_to_nothing() {
    let keys = keys();
    let review = v1::ProjectReviewed {
        institution: "xuhui".into(),
        project: "xm-1".into(),
        approve: true,
        ..Default::default()
    };
    let declared = RecordMaker::new(&keys).project_review(b"k", review);
    let request = batch::sign(ORIGIN, &keys, vec![declared]).expect("a batch of allowed size");
    let mut log = Log::new(3);
    let response = v1::SubmitBatchResponse {
        created: Some(log.create(&request, &[], 0)),
        ..Default::default()
    };
    let verified = Verifier::new(log.key()).verify_acknowledgement(&request, &response);
    assert_eq!(verified.expect("honest").records.len(), 1);
}

#[test]
fn without_the_issuers_key_its_signature_is_reported_as_not_checked() {
    let it = Deposit::new();
    let verified = it.verifier().verify_bundle(&it.bundle()).expect("honest");
    for (step, result) in verified.report.steps() {
        let expected = match step {
            Step::IssuerSignature => StepResult::NotChecked("issuer key not given"),
            Step::Opening => StepResult::NotChecked("payload not given"),
            _ => StepResult::Ok,
        };
        assert_eq!(*result, expected, "{step}");
    }
}

#[test]
fn whole_batches_of_every_size_verify() {
    for (before, count, behind) in [(0, 1, 0), (0, 2, 1), (1, 1, 0), (255, 3, 300), (5, 1024, 7)] {
        let mut log = Log::new(before);
        let request = signed("whole", count);
        let created = Some(log.create(&request, &[], behind));
        let response = v1::SubmitBatchResponse {
            created,
            ..Default::default()
        };
        let verified = Verifier::new(log.key())
            .verify_acknowledgement(&request, &response)
            .expect("honest");
        assert_eq!(verified.records.len(), count);
    }
}

type Change<T> = (&'static str, fn(&mut T), Step, Step);

#[test]
fn a_touched_bundle_is_refused_at_the_step_that_it_touches() {
    // The steps that fail with and without the issuer's key.
    let table: &[Change<v1::ReceiptBundle>] = &[
        (
            "version",
            |it| it.version = 2,
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "nothing in it",
            |it| {
                *it = v1::ReceiptBundle {
                    version: 1,
                    ..Default::default()
                }
            },
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "issuer",
            |it| it.issuer = "other".into(),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "algorithm",
            |it| it.algorithm = 2,
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "key id cut off",
            |it| it.key_id.truncate(31),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "key id",
            |it| flip(&mut it.key_id, 0),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "envelope",
            |it| flip(&mut it.envelopes[0], 20),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "envelope of a refused row",
            |it| flip(&mut it.envelopes[2], 20),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "envelope not canonical",
            |it| flip(&mut it.envelopes[0], 0),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "envelopes swapped",
            |it| it.envelopes.swap(0, 1),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "envelope added",
            |it| it.envelopes.push(it.envelopes[0].clone()),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "no envelopes",
            |it| it.envelopes.clear(),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "signature",
            |it| flip(&mut it.signature, 5),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "signature cut off",
            |it| it.signature.truncate(63),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "row not in order",
            |it| created(it).rows.swap(0, 1),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "row beyond",
            |it| created(it).rows[2] = 5,
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "another row",
            |it| created(it).rows[2] = 3,
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "a row more",
            |it| created(it).rows.insert(2, 2),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "index",
            |it| created(it).first_leaf_index += 1,
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "index beyond",
            |it| created(it).first_leaf_index = u64::MAX,
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "time",
            |it| created(it).deposited_at_ms += 1,
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "range proof",
            |it| flip(&mut created(it).range_proof[0], 0),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "range proof too short",
            |it| drop(created(it).range_proof.pop()),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "range proof hash cut off",
            |it| created(it).range_proof[0].truncate(31),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "checkpoint size",
            |it| replace(created(it), "\n70\n", "\n71\n"),
            Step::Checkpoint,
            Step::Checkpoint,
        ),
        (
            "checkpoint origin",
            |it| replace(created(it), "bank.example", "bank.exemple"),
            Step::Checkpoint,
            Step::Checkpoint,
        ),
        (
            "checkpoint unsigned",
            |it| replace(created(it), "\u{2014} ", ""),
            Step::Checkpoint,
            Step::Checkpoint,
        ),
        (
            "receipt of another leaf",
            |it| it.receipts[0].leaf_index += 1,
            Step::Inclusion,
            Step::Inclusion,
        ),
    ];
    let it = Deposit::new();
    for (what, change, with_issuer, without) in table {
        let mut bundle = it.bundle();
        change(&mut bundle);
        assert_ne!(bundle, it.bundle(), "{what} changes something");
        assert_eq!(
            failed_at(it.verifier_with_issuer().verify_bundle(&bundle)),
            *with_issuer,
            "{what}"
        );
        assert_eq!(
            failed_at(it.verifier().verify_bundle(&bundle)),
            *without,
            "{what}"
        );
    }
}

fn created(bundle: &mut v1::ReceiptBundle) -> &mut v1::CreatedRows {
    bundle.created.as_mut().expect("rows were created")
}

fn replace(created: &mut v1::CreatedRows, from: &str, to: &str) {
    created.checkpoint = created.checkpoint.replace(from, to);
}

fn change_leaf(receipt: &mut v1::Receipt, change: impl Fn(&mut v1::Leaf, &mut v1::Attestation)) {
    let mut leaf = v1::Leaf::decode(&receipt.leaf[..]).expect("a leaf");
    let mut attestation = leaf.attestation.take().expect("an attestation");
    change(&mut leaf, &mut attestation);
    leaf.attestation = Some(attestation);
    receipt.leaf = leaf.encode_to_vec().into();
}

#[test]
fn a_touched_receipt_is_refused_at_the_step_that_it_touches() {
    let table: &[Change<v1::Receipt>] = &[
        (
            "no leaf",
            |it| it.leaf.clear(),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "leaf torn",
            |it| it.leaf.truncate(50),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "leaf with an unknown field",
            |it| it.leaf = [&it.leaf[..], &[0x28, 1]].concat().into(),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "leaf too long",
            |it| it.leaf = vec![0; 65_536].into(),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "version",
            |it| change_leaf(it, |leaf, _| leaf.version = 2),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "time",
            |it| change_leaf(it, |leaf, _| leaf.deposited_at_ms += 1),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "batch size",
            |it| change_leaf(it, |_, it| it.batch_size = 2),
            Step::BatchRoot,
            Step::BatchRoot,
        ),
        (
            "no batch size",
            |it| change_leaf(it, |_, it| it.batch_size = 0),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "batch too large",
            |it| change_leaf(it, |_, it| it.batch_size = 1025),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "batch index",
            |it| change_leaf(it, |_, it| it.batch_index = 1),
            Step::BatchRoot,
            Step::BatchRoot,
        ),
        (
            "path",
            |it| change_leaf(it, |_, it| it.path.push(vec![1; 32].into())),
            Step::BatchRoot,
            Step::BatchRoot,
        ),
        (
            "path too long",
            |it| change_leaf(it, |_, it| it.path = vec![vec![1; 32].into(); 11]),
            Step::Decoding,
            Step::Decoding,
        ),
        (
            "signature",
            |it| change_leaf(it, |_, it| flip(&mut it.signature, 9)),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "envelope",
            |it| change_leaf(it, |leaf, _| flip(&mut leaf.envelope, 20)),
            Step::IssuerSignature,
            Step::Inclusion,
        ),
        (
            "index",
            |it| it.leaf_index += 1,
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "index beyond",
            |it| it.leaf_index = u64::MAX,
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "proof",
            |it| flip(&mut it.inclusion_proof[2], 3),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "proof too long",
            |it| it.inclusion_proof.push(vec![1; 32].into()),
            Step::Inclusion,
            Step::Inclusion,
        ),
        (
            "checkpoint",
            |it| it.checkpoint.push('x'),
            Step::Checkpoint,
            Step::Checkpoint,
        ),
        (
            "no checkpoint",
            |it| it.checkpoint.clear(),
            Step::Checkpoint,
            Step::Checkpoint,
        ),
    ];
    let it = Deposit::new();
    for (what, change, with_issuer, without) in table {
        let mut receipt = it.receipt();
        change(&mut receipt);
        assert_eq!(
            failed_at(it.verifier_with_issuer().verify_receipt(&receipt, None)),
            *with_issuer,
            "{what}"
        );
        assert_eq!(
            failed_at(it.verifier().verify_receipt(&receipt, None)),
            *without,
            "{what}"
        );
    }
}

#[test]
fn a_wrong_acknowledgement_is_refused_even_if_its_receipts_hold() {
    type Touch = fn(&mut v1::SubmitBatchRequest, &mut v1::SubmitBatchResponse);
    let table: &[(&str, Touch, Step)] = &[
        (
            "foreign origin",
            |it, _| it.origin = "other.example/log".into(),
            Step::Decoding,
        ),
        (
            "row not decided",
            |_, it| it.refused.clear(),
            Step::Decoding,
        ),
        (
            "row decided twice",
            |_, it| it.refused[0].row = 1,
            Step::Decoding,
        ),
        ("row beyond", |_, it| it.refused[0].row = 5, Step::Decoding),
        (
            "duplicate without receipt",
            |_, it| it.duplicates[0].receipt = None,
            Step::Decoding,
        ),
        (
            "receipts of other rows",
            |_, it| {
                it.duplicates[0].row = 2;
                it.refused[0].row = 3;
            },
            Step::Opening,
        ),
        ("root", |it, _| flip(&mut it.root, 0), Step::BatchRoot),
        (
            "payload",
            |it, _| flip(&mut it.records[0].payload, 9),
            Step::Opening,
        ),
        (
            "salt",
            |it, _| flip(&mut it.records[3].salt, 9),
            Step::Opening,
        ),
    ];
    let it = Deposit::new();
    for (what, touch, step) in table {
        let (mut request, mut response) = (it.request.clone(), it.response.clone());
        touch(&mut request, &mut response);
        let result = it
            .verifier_with_issuer()
            .verify_acknowledgement(&request, &response);
        assert_eq!(failed_at(result), *step, "{what}");
    }
}

#[test]
fn the_key_of_another_bank_or_institution_proves_nothing() {
    let it = Deposit::new();
    let other = creditbank_merkle::NoteSigner::new(
        crate::fixture::ORIGIN,
        ed25519_dalek::SigningKey::from_bytes(&[8; 32]),
    );
    let mut other = Verifier::new(other.expect("a proper name").verifier().clone());
    assert_eq!(
        failed_at(other.verify_bundle(&it.bundle())),
        Step::Checkpoint
    );

    let mut verifier = it.verifier();
    verifier
        .add_issuer("another-school", &sign_key())
        .expect("a good key");
    assert_eq!(
        failed_at(verifier.verify_bundle(&it.bundle())),
        Step::IssuerSignature
    );

    let small_order = v1::PublicKey {
        public_key: vec![0; 32].into(),
        ..sign_key()
    };
    assert!(verifier.add_issuer("fudan", &small_order).is_err());
}

#[test]
fn payload_and_salt_open_a_receipt_and_others_do_not() {
    let it = Deposit::new();
    let sent = &it.request.records[3];
    let opening = Opening {
        salt: &sent.salt,
        payload: &sent.payload,
    };
    let verified = it
        .verifier()
        .verify_receipt(&it.receipt(), Some(opening))
        .expect("honest");
    assert_eq!(verified.report.of(Step::Opening), &StepResult::Ok);
    for opening in [
        Opening {
            salt: &it.request.records[0].salt,
            ..opening
        },
        Opening {
            payload: b"another payload",
            ..opening
        },
        Opening {
            salt: b"short",
            ..opening
        },
    ] {
        assert_eq!(
            failed_at(it.verifier().verify_receipt(&it.receipt(), Some(opening))),
            Step::Opening
        );
    }
}

#[test]
fn a_single_receipt_comes_out_of_a_bundle_as_a_tlog_proof() {
    let it = Deposit::new();
    for (row, index) in [(0, 47), (1, 48), (4, 49), (3, 37)] {
        let proof = it
            .verifier()
            .extract(&it.bundle(), record_id(&it.request, row))
            .expect("honest");
        let text = proof.expect("it is in there").encode();
        let receipt = receipt_from_text(&text).expect("a proper text");
        assert_eq!(receipt.leaf_index, index);
        assert_eq!(receipt_text(&receipt).expect("a proper receipt"), text);
        let sent = &it.request.records[row];
        let opening = Opening {
            salt: &sent.salt,
            payload: &sent.payload,
        };
        let verified = it
            .verifier_with_issuer()
            .verify_receipt(&receipt, Some(opening))
            .expect("honest");
        assert_eq!(verified.records[0].record_id, record_id(&it.request, row));
    }
    let refused = it
        .verifier()
        .extract(&it.bundle(), record_id(&it.request, 2));
    assert_eq!(refused, Ok(None));
}

#[test]
fn a_receipts_file_gives_back_its_bundles_and_says_where_it_is_torn() {
    let it = Deposit::new();
    let mut writer = BundleWriter::new(Vec::new());
    let mut ends = vec![0];
    for _ in 0..3 {
        let written = writer.write(&it.bundle()).expect("memory takes everything");
        ends.push(ends[ends.len() - 1] + written);
    }
    let file = writer.into_inner();
    for cut in (0..=file.len())
        .filter(|cut| cut % 97 == 0 || ends.contains(cut) || ends.contains(&(cut - cut % 2 + 1)))
    {
        let mut reader = BundleReader::new(&file[..cut]);
        let whole = ends.iter().filter(|end| **end > 0 && **end <= cut).count();
        for _ in 0..whole {
            assert_eq!(reader.next().expect("whole").expect("whole"), it.bundle());
        }
        match reader.next() {
            None => assert!(ends.contains(&cut)),
            Some(Err(BundleError::Torn { good_bytes })) => {
                assert_eq!(good_bytes, ends[whole] as u64)
            }
            other => panic!("cut at {cut}: {other:?}"),
        }
        assert!(reader.next().is_none());
        assert_eq!(reader.good_bytes(), ends[whole] as u64);
    }
}

#[test]
fn a_file_that_is_no_receipts_file_is_refused_without_reading_what_it_claims() {
    for bytes in [
        &[0x00][..],
        &[0xff; 64],
        &[0xff, 0xff, 0xff, 0x7f],
        &[3, 0xff, 0xff, 0xff],
        b"c2sp.org/tlog-proof@v1\n",
    ] {
        let first = BundleReader::new(bytes).next().expect("something");
        assert!(
            matches!(
                first,
                Err(BundleError::Malformed { at: 0 } | BundleError::Torn { good_bytes: 0 })
            ),
            "{bytes:?}: {first:?}"
        );
    }
}
