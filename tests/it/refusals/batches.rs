//! What is refused as a whole: the signature, its root, its key and its place.

use bytes::Bytes;
use creditbank_client::{Refused, submit};
use creditbank_domain::record::{Algorithm, KeyId, KeyPurpose};
use creditbank_wire::v1;
use ed25519_dalek::SigningKey;
use prost::Message;

use super::{Scene, check_refused};
use crate::bank::ORIGIN;
use crate::institution::{keys, public_key, seed};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_batch_is_refused_whole() {
    let mut scene = Scene::new().await;
    let good = scene.fudan.sign(vec![
        scene.fudan.course("a", scene.learner),
        scene.fudan.course("b", scene.learner),
    ]);
    let with = |change: &dyn Fn(&mut v1::SubmitBatchRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let many = vec![good.records[0].clone(); 1025];
    let id = |id: &str, purpose| Bytes::copy_from_slice(&keys(id).key_id(purpose).0);
    let records = good.records.clone();
    let cases = [
        (
            "no record",
            with(&|it| it.records.clear()),
            "BATCH_EMPTY",
            "records",
        ),
        (
            "1,025 records",
            with(&|it| it.records.clone_from(&many)),
            "BATCH_TOO_LARGE",
            "records",
        ),
        (
            "a foreign origin",
            with(&|it| it.origin = "other.test/log".into()),
            "ORIGIN_FOREIGN",
            "origin",
        ),
        (
            "no origin",
            with(&|it| it.origin.clear()),
            "ORIGIN_FOREIGN",
            "origin",
        ),
        (
            "another root",
            with(&|it| it.root = vec![7; 32].into()),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "a short root",
            with(&|it| it.root = it.root.slice(..31)),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "records in another order",
            with(&|it| it.records.reverse()),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "a record left out",
            with(&|it| drop(it.records.pop())),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "no signature",
            with(&|it| it.signature.clear()),
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "a signature of zeros",
            with(&|it| it.signature = vec![0; 64].into()),
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "another's signature",
            scene.sign(ORIGIN, &sign_key("other"), records.clone()),
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "a signature for another ledger",
            v1::SubmitBatchRequest {
                origin: ORIGIN.into(),
                ..scene.sign("other.test/log", &sign_key("fudan"), records.clone())
            },
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "an unknown algorithm",
            with(&|it| it.algorithm = 2),
            "ALGORITHM_UNKNOWN",
            "algorithm",
        ),
        (
            "no algorithm",
            with(&|it| it.algorithm = 0),
            "ALGORITHM_UNKNOWN",
            "algorithm",
        ),
        (
            "an unknown key",
            with(&|it| it.key_id = vec![7; 32].into()),
            "KEY_UNKNOWN",
            "key_id",
        ),
        (
            "half a key id",
            with(&|it| it.key_id = it.key_id.slice(..16)),
            "WRONG_LENGTH",
            "key_id",
        ),
        (
            "another's key",
            with(&|it| it.key_id = id("other", KeyPurpose::Sign)),
            "KEY_UNKNOWN",
            "key_id",
        ),
        (
            "a key for calls",
            with(&|it| it.key_id = id("fudan", KeyPurpose::Authenticate)),
            "KEY_WRONG_PURPOSE",
            "key_id",
        ),
        (
            "another's name",
            with(&|it| it.issuer = "other".into()),
            "ISSUER_MISMATCH",
            "issuer",
        ),
        (
            "nobody's name",
            with(&|it| it.issuer = "nobody".into()),
            "ISSUER_MISMATCH",
            "issuer",
        ),
        (
            "the bank's name",
            with(&|it| it.issuer = "bank".into()),
            "ISSUER_MISMATCH",
            "issuer",
        ),
    ];
    for (case, bad, code, field) in cases {
        scene.check_batch(case, bad, code, field).await;
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_signs_nothing_more_and_what_it_signed_stays() {
    let mut scene = Scene::new().await;
    let before = scene.good();
    scene.fudan.deposit(&scene.bank, vec![before.clone()]).await;
    let fresh = SigningKey::from_bytes(&[9; 32]);
    let key = public_key(fresh.verifying_key().to_bytes(), KeyPurpose::Sign);
    let added = v1::AddKeyRequest {
        institution_id: "fudan".into(),
        key: Some(key),
    };
    scene.fudan.line.registry().add_key(added).await.unwrap();
    let old = scene.fudan.keys.key_id(KeyPurpose::Sign).0.to_vec();
    let revoke = v1::RevokeKeyRequest {
        institution_id: "fudan".into(),
        key_id: old.into(),
        doubtful_from: None,
    };
    scene
        .fudan
        .line
        .registry()
        .revoke_key(revoke.clone())
        .await
        .unwrap();
    let late = vec![scene.good()];
    let late = scene.fudan.sign(late);
    let error = submit::submit(&scene.fudan.line, late.clone())
        .await
        .unwrap_err();
    check_refused(
        "a revoked key",
        error.refused().unwrap(),
        "KEY_REVOKED",
        "key_id",
    );
    // The new key signs the same record, and repeats the old one.
    let key_id = KeyId::of(Algorithm::Ed25519, fresh.verifying_key().as_bytes());
    let mut again = scene.sign(ORIGIN, &fresh, [late.records, vec![before]].concat());
    again.key_id = key_id.0.to_vec().into();
    let decided = submit::submit(&scene.fudan.line, again)
        .await
        .unwrap()
        .response;
    assert_eq!(
        (decided.created.unwrap().rows, decided.duplicates.len()),
        (vec![0], 1)
    );
    let twice = scene
        .fudan
        .line
        .registry()
        .revoke_key(revoke)
        .await
        .unwrap_err();
    check_refused(
        "revoked twice",
        &Refused::new(twice),
        "KEY_REVOKED",
        "key_id",
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_too_long_proves_nothing() {
    let mut scene = Scene::new().await;
    let places = scene
        .fudan
        .deposit(
            &scene.bank,
            (0..3)
                .map(|i| scene.fudan.course(&i.to_string(), scene.learner))
                .collect(),
        )
        .await;
    let request = v1::GetReceiptRequest {
        leaf_index: places[0].leaf_index.0,
    };
    let receipt = scene
        .bank
        .anybody()
        .await
        .log()
        .get_receipt(request)
        .await
        .unwrap()
        .into_inner();
    for hashes in [1, 8, 64] {
        let mut leaf = v1::Leaf::decode(&receipt.leaf[..]).unwrap();
        let attestation = leaf.attestation.as_mut().unwrap();
        attestation
            .path
            .extend(vec![Bytes::from(vec![7; 32]); hashes]);
        let longer = v1::Receipt {
            leaf: leaf.encode_to_vec().into(),
            ..receipt.clone()
        };
        assert!(
            scene.bank.verifier().verify_receipt(&longer, None).is_err(),
            "{hashes} more in the batch"
        );
        let mut longer = receipt.clone();
        longer
            .inclusion_proof
            .extend(vec![Bytes::from(vec![7; 32]); hashes]);
        assert!(
            scene.bank.verifier().verify_receipt(&longer, None).is_err(),
            "{hashes} more in the log"
        );
    }
    scene.bank.check_log();
}

fn sign_key(id: &str) -> SigningKey {
    SigningKey::from_bytes(&seed(id, "sign"))
}
