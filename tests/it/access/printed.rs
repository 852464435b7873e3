//! Codes on paper: of use only with the identity document, until they are withdrawn or expire.

use creditbank_wire::v1::DeskPurpose::{CheckIn, Totals};
use creditbank_wire::v1::grant::Content;

use super::{Scene, enrol, passport, printed, redeem};
use crate::institution::digits;

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_code_serves_with_the_right_document_alone() {
    let mut scene = Scene::new().await;
    let (grant, secret) = scene
        .grant(scene.learner, 90, printed(CheckIn))
        .await
        .unwrap();
    assert_eq!((secret.len(), secret.matches('-').count()), (24, 4));
    let desk = &scene.fudan.line;
    let (right, wrong) = (Some(passport("E12345678")), Some(passport("E87654321")));
    let unknown = Some(passport("E55555555"));
    let cases = [
        (None, "MISSING"),
        (wrong.clone(), "IDENTITY_MISMATCH"),
        (unknown, "IDENTITY_MISMATCH"),
        (Some(passport("?")), "WRONG_LENGTH"),
    ];
    for (identity, refused) in cases {
        let told = redeem(desk, &secret, CheckIn, identity).await.unwrap_err();
        assert_eq!(told, refused);
    }
    assert_eq!(scene.looks(scene.learner).await, [], "nothing was shown");
    let typed = format!(" {} ", secret.to_lowercase().replace('-', " "));
    for text in [&secret, &typed] {
        let seen = redeem(desk, text, CheckIn, right.clone()).await.unwrap();
        assert_eq!(seen.learner, digits(scene.learner));
    }
    let told = redeem(desk, &secret, Totals, right.clone()).await;
    assert_eq!(told.unwrap_err(), "PURPOSE_NOT_ALLOWED");
    let mistyped = secret.replacen(|c: char| c != '-', "7", 2);
    let told = redeem(desk, &mistyped, CheckIn, right.clone()).await;
    assert!(mistyped == secret || told.unwrap_err() == "CODE_INVALID");

    let now = scene.grants(scene.learner).await;
    assert_eq!(now[0].looks, 2);
    assert!(matches!(now[0].content, Some(Content::PrintedCode(_))));
    let looks = scene.looks(scene.learner).await;
    assert!(
        looks
            .iter()
            .all(|it| it.grant_id == grant.grant_id && it.who == "fudan 学院")
    );

    // It outlives a restart, and ends when it is withdrawn.
    scene.days_later(0).await;
    let desk = &scene.fudan.line;
    redeem(desk, &secret, CheckIn, right.clone()).await.unwrap();
    scene.withdraw(scene.learner, &grant).await.unwrap();
    let told = redeem(desk, &secret, CheckIn, right).await;
    assert_eq!(told.unwrap_err(), "CODE_EXPIRED");
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_documents_and_a_printed_code_rests_for_an_hour() {
    let mut scene = Scene::new().await;
    let (_, secret) = scene
        .grant(scene.learner, 90, printed(CheckIn))
        .await
        .unwrap();
    let (right, wrong) = (Some(passport("E12345678")), Some(passport("E87654321")));
    let desk = &scene.fudan.line;
    for _ in 0..5 {
        let told = redeem(desk, &secret, CheckIn, wrong.clone()).await;
        assert_eq!(told.unwrap_err(), "IDENTITY_MISMATCH");
    }
    for document in [&wrong, &right] {
        let told = redeem(desk, &secret, CheckIn, document.clone()).await;
        assert_eq!(told.unwrap_err(), "TRIES_TOO_MANY");
    }
    // Other codes are not concerned, nor this one later, until it has expired.
    let (_, another) = scene
        .grant(scene.learner, 90, printed(CheckIn))
        .await
        .unwrap();
    redeem(desk, &another, CheckIn, right.clone())
        .await
        .unwrap();
    scene.days_later(1).await;
    let desk = &scene.fudan.line;
    redeem(desk, &secret, CheckIn, right.clone()).await.unwrap();
    scene.days_later(90).await;
    let told = redeem(&scene.fudan.line, &secret, CheckIn, right).await;
    assert_eq!(told.unwrap_err(), "CODE_EXPIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printed_code_of_a_merged_code_serves_with_either_document() {
    let mut scene = Scene::new().await;
    let twice = enrol(&scene.fudan, "E11112222", "").await;
    let (_, secret) = scene.grant(twice, 90, printed(CheckIn)).await.unwrap();
    scene.merge(scene.learner, twice).await;
    for number in ["E11112222", "E12345678"] {
        let document = Some(passport(number));
        let seen = redeem(&scene.fudan.line, &secret, CheckIn, document).await;
        let seen = seen.unwrap();
        assert_eq!(seen.learner, digits(scene.learner), "the code that remains");
        assert_eq!(seen.masked_name, "张**");
    }
    assert_eq!(scene.looks(scene.learner).await.len(), 2);
    assert_eq!(scene.looks(twice).await.len(), 2);
    scene.bank.check_log();
}
