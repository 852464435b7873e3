//! Codes on phones: once, at one desk, for one purpose, for a minute.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_wire::v1;
use creditbank_wire::v1::DeskPurpose::{CheckIn, Records, Totals};
use prost::Message;

use super::{Scene, issue, redeem};
use crate::institution::digits;

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_sees_exactly_what_the_learner_chose_and_is_seen() {
    let mut scene = Scene::new().await;
    let desk = &scene.fudan.line;
    let code = issue(&scene, CheckIn, &[]).await.unwrap();
    assert!(!code.contains(&digits(scene.learner)));
    let seen = redeem(desk, &code, CheckIn, None).await.unwrap();
    assert_eq!(seen.learner, digits(scene.learner));
    assert_eq!(seen.masked_name, "张**");
    assert!(seen.totals.is_empty() && seen.records.is_empty());

    let code = issue(&scene, Totals, &[]).await.unwrap();
    let seen = redeem(desk, &code, Totals, None).await.unwrap();
    assert!(seen.learner.is_empty() && seen.records.is_empty());
    let totals: Vec<_> = seen
        .totals
        .iter()
        .map(|it| (it.category, it.records))
        .collect();
    assert_eq!(totals, [(1, 2), (7, 1)]);

    // A record that is revoked is not shown.
    let [a, b, visit] = scene.leaves;
    let revoked =
        scene
            .fudan
            .maker
            .revocation(b"z", scene.learner, place(&scene, a).await, "录入有误");
    scene.fudan.deposit(&scene.bank, vec![revoked]).await;
    let cases = [
        (&[][..], vec![visit, b]),
        (&[v1::Category::VenueLearning], vec![visit]),
        (&[v1::Category::Training], vec![]),
    ];
    for (categories, expected) in cases {
        let code = issue(&scene, Records, categories).await.unwrap();
        let seen = redeem(desk, &code, Records, None).await.unwrap();
        let shown: Vec<_> = seen.records.iter().map(|it| it.leaf_index).collect();
        assert_eq!(shown, expected, "{categories:?}");
        assert!(seen.learner.is_empty() && seen.totals.is_empty());
        for record in &seen.records {
            let payload = v1::Payload::decode(&record.payload[..]).unwrap();
            assert!(payload.learner.is_empty() && payload.content.is_some());
            assert!(record.salt.is_empty() && record.used_by.is_empty());
        }
    }
    let looks = scene.looks(scene.learner).await;
    assert_eq!(looks.len(), 5);
    assert!(
        looks
            .iter()
            .all(|it| it.who == "fudan 学院" && it.grant_id.is_empty())
    );
    assert!(looks.is_sorted_by_key(|it| std::cmp::Reverse(it.at_ms)));
    assert_eq!(looks[4].purpose(), CheckIn);
    assert_eq!(scene.looks(scene.other).await, []);
    scene.bank.check_log();
}

async fn place(scene: &Scene, leaf_index: u64) -> creditbank_domain::record::RecordRef {
    let request = v1::GetReceiptRequest { leaf_index };
    let receipt = scene.fudan.line.log().get_receipt(request).await.unwrap();
    creditbank_domain::record::RecordRef {
        leaf_index: creditbank_domain::LeafIndex(leaf_index),
        leaf_hash: creditbank_merkle::leaf_hash(&receipt.into_inner().leaf).0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_tampered_expired_or_foreign_code_shows_nothing() {
    let mut scene = Scene::new().await;
    let desk = &scene.fudan.line;
    let code = issue(&scene, Totals, &[]).await.unwrap();
    // For another purpose it is refused, and still serves for its own.
    for purpose in [CheckIn, Records] {
        let refused = redeem(desk, &code, purpose, None).await.unwrap_err();
        assert_eq!(refused, "PURPOSE_NOT_ALLOWED");
    }
    let unspecified = redeem(desk, &code, v1::DeskPurpose::Unspecified, None).await;
    assert_eq!(unspecified.unwrap_err(), "MISSING");
    for place in 0..88 {
        let mut bytes = URL_SAFE_NO_PAD.decode(&code[4..]).unwrap();
        bytes[place] ^= 1;
        let tampered = format!("CB1.{}", URL_SAFE_NO_PAD.encode(bytes));
        let refused = redeem(desk, &tampered, Totals, None).await.unwrap_err();
        assert_eq!(refused, "CODE_INVALID", "byte {place}");
    }
    let long = format!("CB1.{}", "A".repeat(10_000));
    for text in [
        "",
        "CB1.",
        "CB1.****",
        "张三",
        &code[..code.len() - 1],
        &long,
    ] {
        let refused = redeem(desk, text, Totals, None).await.unwrap_err();
        assert_eq!(refused, "CODE_INVALID");
    }
    // As scanners type it, with a line's end.
    redeem(desk, &format!(" {code}\r\n"), Totals, None)
        .await
        .unwrap();
    for purpose in [Totals, CheckIn] {
        let again = redeem(desk, &code, purpose, None).await.unwrap_err();
        assert_eq!(again, "CODE_USED");
    }
    assert_eq!(scene.looks(scene.learner).await.len(), 1);

    // Another bank's code, and a code of before a restart.
    let elsewhere = Scene::new().await;
    let foreign = issue(&elsewhere, Totals, &[]).await.unwrap();
    let refused = redeem(desk, &foreign, Totals, None).await.unwrap_err();
    assert_eq!(refused, "CODE_INVALID");
    let code = issue(&scene, Totals, &[]).await.unwrap();
    scene.days_later(0).await;
    let refused = redeem(&scene.fudan.line, &code, Totals, None).await;
    assert_eq!(refused.unwrap_err(), "CODE_EXPIRED");
    scene.days_later(1).await;
    let refused = redeem(&scene.fudan.line, &code, Totals, None).await;
    assert_eq!(refused.unwrap_err(), "CODE_EXPIRED");
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn at_one_code_that_many_desks_scan_at_once_one_of_them_looks() {
    let scene = Scene::new().await;
    let code = issue(&scene, CheckIn, &[]).await.unwrap();
    let desks = (0..16).map(|_| {
        let (desk, code) = (scene.fudan.line.clone(), code.clone());
        tokio::spawn(async move { redeem(&desk, &code, CheckIn, None).await })
    });
    let mut seen = Vec::new();
    for desk in desks.collect::<Vec<_>>() {
        seen.push(desk.await.unwrap());
    }
    assert_eq!(seen.iter().filter(|it| it.is_ok()).count(), 1);
    assert!(
        seen.iter()
            .flat_map(|it| it.as_ref().err())
            .all(|it| it == "CODE_USED")
    );
    assert_eq!(scene.looks(scene.learner).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_code_shows_has_a_purpose_and_categories_that_fit() {
    let scene = Scene::new().await;
    let course = v1::Category::DegreeCourse;
    let cases = [
        (v1::DeskPurpose::Unspecified, &[][..], "MISSING"),
        (CheckIn, &[course], "INCONSISTENT"),
        (Totals, &[course], "INCONSISTENT"),
        (Records, &[course, course], "REPEATED"),
        (Records, &[v1::Category::Unspecified], "CATEGORY_UNKNOWN"),
    ];
    for (purpose, categories, refused) in cases {
        let issued = issue(&scene, purpose, categories).await;
        assert_eq!(issued.unwrap_err(), refused, "{purpose:?} {categories:?}");
    }
}
