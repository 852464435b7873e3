//! Accounts of identity providers: one learner each, found under the code that remains, gone with an erasure.

use creditbank_client::Bank as Connection;
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;

use super::{Scene, enrol, told};
use crate::institution::digits;

fn subject(issuer: &str, subject: &str) -> Option<v1::Subject> {
    Some(v1::Subject {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    })
}

async fn link(
    line: &Connection,
    learner: LearnerCode,
    account: (&str, &str),
) -> Result<(), String> {
    let request = v1::LinkSubjectRequest {
        learner: digits(learner),
        subject: subject(account.0, account.1),
    };
    told(line.line().access().link_subject(request).await).map(drop)
}

async fn find(scene: &Scene, account: (&str, &str)) -> String {
    let request = v1::FindSubjectRequest {
        subject: subject(account.0, account.1),
    };
    told(scene.gateway.line().access().find_subject(request).await)
        .unwrap()
        .learner
}

const PROVIDER: &str = "https://id.example";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_one_learners_until_it_is_unlinked() {
    let mut scene = Scene::new().await;
    let (learner, other) = (scene.learner, scene.other);
    let account = (PROVIDER, "u-1");
    assert_eq!(find(&scene, account).await, "");
    link(&scene.window, learner, account).await.unwrap();
    link(&scene.window, learner, account).await.unwrap();
    let taken = link(&scene.window, other, account).await;
    assert_eq!(taken.unwrap_err(), "SUBJECT_LINKED");
    let operator = scene.bank.operator().await;
    link(&operator, learner, (PROVIDER, "u-2")).await.unwrap();
    // Where issuer ends and subject begins is told apart.
    link(&operator, other, ("https://id.exampl", "eu-1"))
        .await
        .unwrap();
    scene.days_later(0).await;
    let cases = [
        (account, digits(learner)),
        ((PROVIDER, "u-2"), digits(learner)),
        ((PROVIDER, "u-3"), String::new()),
        (("https://id.exampl", "eu-1"), digits(other)),
        (("https://other.example", "u-1"), String::new()),
    ];
    for (account, expected) in cases {
        assert_eq!(find(&scene, account).await, expected, "{account:?}");
    }
    let unlink = v1::UnlinkSubjectRequest {
        subject: subject(PROVIDER, "u-1"),
    };
    for _ in 0..2 {
        told(
            scene
                .window
                .line()
                .access()
                .unlink_subject(unlink.clone())
                .await,
        )
        .unwrap();
    }
    assert_eq!(find(&scene, account).await, "");
    link(&scene.window, other, account).await.unwrap();
    assert_eq!(find(&scene, account).await, digits(other));
    for (issuer, name) in [("", "u"), (PROVIDER, ""), (PROVIDER, &"u".repeat(256))] {
        let refused = link(&scene.window, other, (issuer, name))
            .await
            .unwrap_err();
        assert!(
            ["MISSING", "TOO_LONG"].contains(&refused.as_str()),
            "{refused}"
        );
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_leads_to_what_remains_after_a_merge_and_to_nobody_after_an_erasure() {
    let mut scene = Scene::new().await;
    let twice = enrol(&scene.fudan, "E11112222", "").await;
    let account = (PROVIDER, "u-1");
    link(&scene.window, twice, account).await.unwrap();
    scene.merge(scene.learner, twice).await;
    assert_eq!(find(&scene, account).await, digits(scene.learner));
    for code in [scene.learner, twice] {
        link(&scene.window, code, account).await.unwrap();
    }
    let erase = v1::EraseLearnerRequest {
        learner: digits(scene.learner),
    };
    scene
        .bank
        .operator()
        .await
        .learner()
        .erase_learner(erase)
        .await
        .unwrap();
    assert_eq!(find(&scene, account).await, "");
    let gone = link(&scene.window, scene.learner, account).await;
    assert_eq!(gone.unwrap_err(), "LEARNER_UNKNOWN");
    link(&scene.window, scene.other, account).await.unwrap();
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_shows_a_name_and_the_ends_of_numbers() {
    let scene = Scene::new().await;
    let twice = scene.fudan.enrol("20240017").await;
    scene.merge(scene.learner, twice).await;
    for code in [scene.learner, twice] {
        let request = v1::GetLearnerRequest {
            learner: digits(code),
        };
        let profile = told(scene.gateway.learner().get_learner(request.clone()).await).unwrap();
        assert_eq!(
            (profile.name.as_str(), profile.learner),
            (super::NAME, digits(scene.learner))
        );
        let shown: Vec<_> = profile
            .identities
            .iter()
            .map(|it| &*it.masked_number)
            .collect();
        assert_eq!(shown, ["*****5678", "****0017"]);
        let refused = told(scene.fudan.line.learner().get_learner(request).await);
        assert_eq!(refused.unwrap_err(), "PERMISSION_DENIED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_comes_with_its_history_and_only_to_whom_it_concerns() {
    let mut scene = Scene::new().await;
    let [a, b, _] = scene.leaves;
    let get = |learner, leaf_index| v1::GetRecordRequest {
        learner: digits(learner),
        leaf_index,
    };
    let maker = &scene.fudan.maker;
    let place = |receipt: v1::Receipt| creditbank_domain::record::RecordRef {
        leaf_index: creditbank_domain::LeafIndex(receipt.leaf_index),
        leaf_hash: creditbank_merkle::leaf_hash(&receipt.leaf).0,
    };
    let receipt = v1::GetReceiptRequest { leaf_index: a };
    let target = scene
        .fudan
        .line
        .log()
        .get_receipt(receipt)
        .await
        .unwrap()
        .into_inner();
    let better = crate::institution::course("高等数学(上)");
    let amendment = maker.amendment(b"a2", scene.learner, place(target), better, "课名");
    let amended = scene.fudan.deposit(&scene.bank, vec![amendment]).await[0];
    let revocation = maker.revocation(b"a3", scene.learner, amended, "重复");
    let revoked = scene.fudan.deposit(&scene.bank, vec![revocation]).await[0];
    let line = [a, amended.leaf_index.0, revoked.leaf_index.0];
    for asked in line {
        let found = told(
            scene
                .gateway
                .archive()
                .get_record(get(scene.learner, asked))
                .await,
        );
        let found = found.unwrap();
        assert_eq!(found.record.unwrap().leaf_index, asked);
        let history: Vec<_> = found.history.iter().map(|it| it.leaf_index).collect();
        assert_eq!(history, line);
        use v1::RecordState::{Active, Amended, Revoked};
        let states: Vec<_> = found.history.iter().map(|it| it.state()).collect();
        assert_eq!(states, [Amended, Revoked, Active]);
    }
    let alone = told(
        scene
            .gateway
            .archive()
            .get_record(get(scene.learner, b))
            .await,
    )
    .unwrap();
    assert_eq!(alone.history.len(), 1);
    let museum = crate::institution::Institution::new(&scene.bank, "museum").await;
    let cases = [
        (&scene.gateway, scene.other, a),
        (&scene.gateway, scene.learner, scene.others_leaf),
        (&scene.gateway, scene.learner, 0),
        (&scene.gateway, scene.learner, u64::MAX),
        (&museum.line, scene.learner, a),
    ];
    for (line, learner, leaf) in cases {
        let refused = told(line.archive().get_record(get(learner, leaf)).await);
        assert_eq!(refused.unwrap_err(), "RECORD_UNKNOWN");
    }
    told(
        scene
            .fudan
            .line
            .archive()
            .get_record(get(scene.learner, a))
            .await,
    )
    .unwrap();
    scene.bank.check_log();
}
