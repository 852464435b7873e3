//! What a record may not be: a second one under an id, or a change of what its issuer cannot change.

use creditbank_domain::LeafIndex;
use creditbank_domain::record::RecordRef;
use creditbank_wire::v1::{self, payload::Content};

use super::{Raw, Scene};
use crate::bank::Bank;
use crate::institution::course;

#[tokio::test(flavor = "multi_thread")]
async fn an_id_stands_for_one_record() {
    let mut scene = Scene::new().await;
    let fudan = &scene.fudan;
    let (first, second) = (
        fudan.course("good/1", scene.learner),
        course("other content"),
    );
    let same_id = fudan
        .maker
        .outcome(b"good/1", scene.learner, second.clone());
    assert_eq!(first.envelope.len(), same_id.envelope.len());
    // In one batch the first of the two stands: `check_row` puts good/1 in front.
    scene
        .check_row(
            "twice in a batch",
            same_id.clone(),
            "RECORD_ID_REPEATED_IN_BATCH",
            "envelope.record_id",
        )
        .await;
    scene
        .check_row(
            "again in another batch",
            same_id,
            "RECORD_ID_CONFLICT",
            "envelope.record_id",
        )
        .await;
    let target = scene
        .fudan
        .deposit(
            &scene.bank,
            vec![scene.fudan.course("target", scene.learner)],
        )
        .await[0];
    let amended =
        scene
            .fudan
            .maker
            .amendment(b"good/1", scene.learner, target, second, "typing error");
    scene
        .check_row(
            "as another kind",
            amended,
            "RECORD_ID_CONFLICT",
            "envelope.record_id",
        )
        .await;
    // Another institution may use the same id.
    let theirs = Raw::outcome(&scene).envelope(|it| it.issuer = "other".into());
    let mine = Raw::outcome(&scene).made();
    scene.fudan.deposit(&scene.bank, vec![mine]).await;
    scene.other.deposit(&scene.bank, vec![theirs]).await;
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_record_in_force_of_the_same_issuer_and_learner_can_be_changed() {
    let mut scene = Scene::new().await;
    let learner = scene.learner;
    let twin = scene.fudan.enrol("2").await;
    let keys = ["kept", "revoked", "amended"];
    let mine = scene
        .fudan
        .deposit(
            &scene.bank,
            keys.map(|key| scene.fudan.course(key, learner)).to_vec(),
        )
        .await;
    let [kept, revoked, amended] = mine[..] else {
        panic!("three records")
    };
    let theirs = scene
        .other
        .deposit(&scene.bank, vec![scene.other.course("theirs", learner)])
        .await[0];
    let done = scene
        .fudan
        .deposit(
            &scene.bank,
            vec![
                scene
                    .fudan
                    .maker
                    .revocation(b"r", learner, revoked, "error"),
                scene
                    .fudan
                    .maker
                    .amendment(b"a", learner, amended, course("amended"), "error"),
            ],
        )
        .await;
    let beyond = RecordRef {
        leaf_index: LeafIndex(1_000_000),
        ..kept
    };
    let other_hash = RecordRef {
        leaf_hash: [7; 32],
        ..kept
    };
    let statement = RecordRef {
        leaf_index: LeafIndex(0),
        leaf_hash: leaf_hash(&scene.bank, 0).await,
    };
    let cases = [
        ("beyond the log", beyond, learner, "TARGET_MISSING"),
        ("another hash", other_hash, learner, "TARGET_HASH_MISMATCH"),
        ("another's record", theirs, learner, "TARGET_FOREIGN"),
        (
            "a decision of the bank",
            statement,
            learner,
            "TARGET_FOREIGN",
        ),
        ("a revoked record", revoked, learner, "TARGET_REVOKED"),
        (
            "an amended record",
            amended,
            learner,
            "TARGET_NOT_AMENDABLE",
        ),
        ("a revocation", done[0], learner, "TARGET_NOT_AMENDABLE"),
        (
            "another learner's record",
            kept,
            twin,
            "TARGET_LEARNER_DIFFERS",
        ),
    ];
    for (case, target, learner, code) in cases {
        let amendment =
            scene
                .fudan
                .maker
                .amendment(case.as_bytes(), learner, target, course("new"), "error");
        scene
            .check_row(
                &format!("amends {case}"),
                amendment,
                code,
                "envelope.refs[0]",
            )
            .await;
        let revocation = scene
            .fudan
            .maker
            .revocation(case.as_bytes(), learner, target, "error");
        scene
            .check_row(
                &format!("revokes {case}"),
                revocation,
                code,
                "envelope.refs[0]",
            )
            .await;
    }
    let reason = v1::Revocation {
        reason: "error".into(),
    };
    let reference = v1::RecordRef {
        leaf_index: kept.leaf_index.0,
        leaf_hash: kept.leaf_hash.to_vec().into(),
    };
    for (count, code) in [(0, "MISSING"), (2, "TOO_MANY")] {
        let refs = vec![reference.clone(); count];
        let revocation =
            Raw::new(&scene, Content::Revocation(reason.clone())).envelope(|it| it.refs = refs);
        scene
            .check_row(
                &format!("{count} references"),
                revocation,
                code,
                "envelope.refs",
            )
            .await;
    }
    let refs = vec![reference];
    let outcome = Raw::outcome(&scene).envelope(|it| it.refs = refs);
    scene
        .check_row(
            "an outcome with a reference",
            outcome,
            "TOO_MANY",
            "envelope.refs",
        )
        .await;
    // What was refused has left no trace: the record can still be amended, and its amendment again.
    let again =
        scene
            .fudan
            .maker
            .amendment(b"beyond the log", learner, kept, course("new"), "error");
    let again = scene.fudan.deposit(&scene.bank, vec![again]).await[0];
    scene
        .fudan
        .deposit(
            &scene.bank,
            vec![scene.fudan.maker.revocation(b"z", learner, again, "error")],
        )
        .await;
    scene.bank.check_log();
}

async fn leaf_hash(bank: &Bank, leaf_index: u64) -> [u8; 32] {
    let leaf = bank
        .anybody()
        .await
        .log()
        .get_leaf(v1::GetLeafRequest { leaf_index })
        .await
        .unwrap()
        .into_inner()
        .leaf;
    creditbank_merkle::leaf_hash(&leaf).0
}
