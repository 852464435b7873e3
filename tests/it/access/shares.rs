//! Shares: the chosen records for whoever has the link, as they are now, until the learner withdraws.

use creditbank_wire::v1;

use super::{NAME, Scene, enrol, open, printed, share, told};
use crate::institution::{course, digits};

#[tokio::test(flavor = "multi_thread")]
async fn a_share_shows_the_chosen_records_as_they_are_now_and_who_looked() {
    let mut scene = Scene::new().await;
    let [a, b, _] = scene.leaves;
    let (grant, secret) = scene
        .grant(scene.learner, 30, share(&[a, b], "华为"))
        .await
        .unwrap();
    assert_eq!(secret.len(), 43);
    let closed = open(&scene, &secret, "").await.unwrap();
    assert_eq!(
        (closed.recipient.as_str(), closed.purpose.as_str()),
        ("华为", "应聘")
    );
    assert_eq!(closed.expires_at_ms, grant.expires_at_ms);
    assert!(closed.name.is_empty() && closed.records.is_empty() && closed.learner.is_empty());
    assert_eq!(
        scene.looks(scene.learner).await,
        [],
        "without a name nothing is shown or noted"
    );

    let opened = open(&scene, &secret, "人事部 王").await.unwrap();
    assert_eq!(
        (opened.name.as_str(), opened.learner.as_str()),
        (NAME, digits(scene.learner).as_str())
    );
    let states = |opened: &v1::OpenedShare| -> Vec<_> {
        let one = |it: &v1::ArchiveRecord| (it.leaf_index, it.state());
        opened.records.iter().map(one).collect()
    };
    use v1::RecordState::{Active, Amended};
    assert_eq!(states(&opened), [(a, Active), (b, Active)]);
    let submission = v1::GetSubmissionRequest {
        issuer: String::new(),
        record_id: scene.fudan.maker.record_id(b"a").as_bytes().to_vec().into(),
    };
    let receipt = scene
        .fudan
        .line
        .submission()
        .get_submission(submission)
        .await
        .unwrap();
    let target = creditbank_domain::record::RecordRef {
        leaf_index: creditbank_domain::LeafIndex(a),
        leaf_hash: creditbank_merkle::leaf_hash(&receipt.into_inner().receipt.unwrap().leaf).0,
    };
    let amended = course("高等数学(上)");
    let amendment = scene
        .fudan
        .maker
        .amendment(b"a2", scene.learner, target, amended, "课名");
    scene.fudan.deposit(&scene.bank, vec![amendment]).await;
    let opened = open(&scene, &secret, "人事部 李").await.unwrap();
    assert_eq!(states(&opened), [(a, Amended), (b, Active)]);
    assert_eq!(
        scene.who_looked(scene.learner).await,
        ["人事部 李", "人事部 王"]
    );
    let now = &scene.grants(scene.learner).await[0];
    assert_eq!(now.looks, 2);
    assert!(now.last_look_at_ms.is_some());
    scene.days_later(0).await;
    assert_eq!(
        open(&scene, &secret, "人事部 王")
            .await
            .unwrap()
            .records
            .len(),
        2
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_an_expired_and_an_unknown_share_have_one_answer() {
    let mut scene = Scene::new().await;
    let leaves = scene.leaves;
    let (withdrawn, first) = scene
        .grant(scene.learner, 30, share(&leaves, "甲"))
        .await
        .unwrap();
    let (_, second) = scene
        .grant(scene.learner, 30, share(&leaves, "乙"))
        .await
        .unwrap();
    let (_, paper) = scene
        .grant(scene.learner, 30, printed(v1::DeskPurpose::Totals))
        .await
        .unwrap();
    let ended = scene.withdraw(scene.learner, &withdrawn).await.unwrap();
    assert!(ended.withdrawn_at_ms.is_some());
    assert_eq!(
        scene.withdraw(scene.learner, &withdrawn).await.unwrap(),
        ended
    );
    open(&scene, &second, "看").await.unwrap();
    scene.days_later(30).await;
    let unknown = "A".repeat(43);
    for secret in [&first, &second, &paper, &unknown, "", "?"] {
        for viewer in ["", "看"] {
            let refused = open(&scene, secret, viewer).await.unwrap_err();
            assert_eq!(refused, "SHARE_CLOSED", "{secret}");
        }
    }
    assert_eq!(scene.looks(scene.learner).await.len(), 1);
    assert_eq!(
        scene.grants(scene.learner).await.len(),
        3,
        "what ended is still listed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_shares_or_ends_what_is_anothers() {
    let scene = Scene::new().await;
    let [a, b, v] = scene.leaves;
    let most: Vec<u64> = (0..201).collect();
    let cases = [
        (vec![], "TOO_FEW"),
        (vec![scene.others_leaf], "RECORD_UNKNOWN"),
        (vec![a, scene.others_leaf], "RECORD_UNKNOWN"),
        (vec![0], "RECORD_UNKNOWN"),
        (vec![u64::MAX], "RECORD_UNKNOWN"),
        (vec![b, a], "NOT_ASCENDING"),
        (vec![a, a], "NOT_ASCENDING"),
        (most, "TOO_MANY"),
    ];
    for (leaves, refused) in cases {
        let made = scene.grant(scene.learner, 30, share(&leaves, "甲")).await;
        assert_eq!(made.unwrap_err(), refused, "{leaves:?}");
    }
    for days in [0, 367] {
        let made = scene.grant(scene.learner, days, share(&[v], "甲")).await;
        assert_eq!(made.unwrap_err(), "EXPIRY_INVALID", "{days} days");
    }
    let (grant, secret) = scene
        .grant(scene.learner, 30, share(&[v], "甲"))
        .await
        .unwrap();
    let ended = scene.withdraw(scene.other, &grant).await;
    assert_eq!(ended.unwrap_err(), "GRANT_UNKNOWN");
    assert_eq!(open(&scene, &secret, "看").await.unwrap().records.len(), 1);
    assert_eq!(scene.grants(scene.other).await, []);
    let looks = v1::ListLooksRequest {
        learner: digits(scene.other),
        grant_id: grant.grant_id.clone(),
        ..Default::default()
    };
    let looks = told(scene.gateway.line().access().list_looks(looks).await).unwrap();
    assert_eq!(looks.looks, []);
    let texts = [
        ("", "MISSING"),
        ("甲\u{7}", "BAD_CHARACTER"),
        (&"甲".repeat(101), "TOO_LONG"),
    ];
    for (recipient, refused) in texts {
        let made = scene.grant(scene.learner, 30, share(&[v], recipient)).await;
        assert_eq!(made.unwrap_err(), refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_of_a_merged_code_stay_and_show_one_archive() {
    let mut scene = Scene::new().await;
    let twice = enrol(&scene.fudan, "E11112222", "").await;
    let places = scene
        .fudan
        .deposit(&scene.bank, vec![scene.fudan.course("t", twice)])
        .await;
    let leaf = places[0].leaf_index.0;
    let (grant, secret) = scene.grant(twice, 30, share(&[leaf], "甲")).await.unwrap();
    scene.merge(scene.learner, twice).await;
    let opened = open(&scene, &secret, "看").await.unwrap();
    assert_eq!(opened.records[0].leaf_index, leaf);
    assert_eq!(
        (opened.name.as_str(), opened.learner),
        (NAME, digits(scene.learner))
    );
    for code in [scene.learner, twice] {
        assert_eq!(scene.grants(code).await[0].grant_id, grant.grant_id);
        assert_eq!(scene.who_looked(code).await, ["看"]);
    }
    // One archive: records of both codes in one share, and the survivor ends what the other began.
    let all = [&scene.leaves[..], &[leaf]].concat();
    let (_, whole) = scene.grant(twice, 30, share(&all, "乙")).await.unwrap();
    assert_eq!(open(&scene, &whole, "看").await.unwrap().records.len(), 4);
    scene.withdraw(scene.learner, &grant).await.unwrap();
    assert_eq!(
        open(&scene, &secret, "看").await.unwrap_err(),
        "SHARE_CLOSED"
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_page_after_page_and_lose_nothing() {
    let scene = Scene::new().await;
    let mut secret = String::new();
    for i in 0..7 {
        let made = scene
            .grant(scene.learner, 30, share(&scene.leaves, &format!("{i}")))
            .await;
        secret = made.unwrap().1;
    }
    for i in 0..7 {
        open(&scene, &secret, &format!("{i}")).await.unwrap();
    }
    let all = scene.grants(scene.learner).await;
    assert!(all.is_sorted_by_key(|it| std::cmp::Reverse(it.created_at_ms)));
    assert_eq!(all.len(), 7);
    let looks = scene.looks(scene.learner).await;
    assert_eq!(looks.len(), 7);
    for page_size in [1, 2, 6, 7, 200] {
        let (mut grants, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListGrantsRequest {
                learner: digits(scene.learner),
                page_size,
                page_token,
            };
            let page = told(scene.gateway.line().access().list_grants(request).await).unwrap();
            assert!(page.grants.len() <= page_size as usize);
            grants.extend(page.grants);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(grants, all, "pages of {page_size}");
        let (mut seen, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListLooksRequest {
                learner: digits(scene.learner),
                grant_id: all[0].grant_id.clone(),
                page_size,
                page_token,
            };
            let page = told(scene.gateway.line().access().list_looks(request).await).unwrap();
            seen.extend(page.looks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, looks, "pages of {page_size}");
    }
    let wrong = v1::ListGrantsRequest {
        learner: digits(scene.learner),
        page_size: 201,
        ..Default::default()
    };
    let refused = told(scene.gateway.line().access().list_grants(wrong).await);
    assert_eq!(refused.unwrap_err(), "OUT_OF_RANGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_has_at_most_a_thousand_open_grants() {
    let scene = Scene::new().await;
    let mut last = None;
    for _ in 0..1000 {
        let made = scene
            .grant(scene.learner, 30, share(&scene.leaves, "甲"))
            .await;
        last = Some(made.unwrap().0);
    }
    let refused = scene
        .grant(scene.learner, 30, share(&scene.leaves, "甲"))
        .await;
    assert_eq!(refused.unwrap_err(), "GRANTS_TOO_MANY");
    scene.withdraw(scene.learner, &last.unwrap()).await.unwrap();
    scene
        .grant(scene.learner, 30, share(&scene.leaves, "甲"))
        .await
        .unwrap();
    // Of others it says nothing.
    let leaf = [scene.others_leaf];
    scene
        .grant(scene.other, 30, share(&leaf, "甲"))
        .await
        .unwrap();
}
