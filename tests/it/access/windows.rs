//! What a window does for people without a phone: it records who may act, and withdraws that and printed codes.

use creditbank_wire::v1;
use creditbank_wire::v1::DeskPurpose::CheckIn;

use super::{Scene, delegation, grant_by, grants_told, passport, printed, redeem, share, told};
use crate::institution::digits;

#[tokio::test(flavor = "multi_thread")]
async fn a_window_records_who_may_act_and_the_learner_sees_where() {
    let mut scene = Scene::new().await;
    let (learner, other) = (scene.learner, scene.other);
    let made = grant_by(&scene.window, learner, 365, delegation(other, "女儿")).await;
    let (grant, _) = made.unwrap();
    let (own, _) = scene
        .grant(learner, 365, delegation(other, "友"))
        .await
        .unwrap();
    let windows = |all: Vec<v1::Grant>| -> Vec<String> {
        let mut of: Vec<_> = all.into_iter().map(|it| it.window).collect();
        of.sort_unstable();
        of
    };
    assert_eq!(own.window, "");
    assert_eq!(windows(scene.grants(learner).await), ["", "window 学院"]);
    scene.days_later(0).await;
    assert_eq!(windows(scene.grants(learner).await), ["", "window 学院"]);
    let acts = v1::UseDelegationRequest {
        delegate: digits(other),
        grant_id: grant.grant_id.clone(),
        begin: true,
    };
    let used = scene.gateway.line().access().use_delegation(acts).await;
    assert_eq!(told(used).unwrap().learner, digits(learner));
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_told_what_it_may_withdraw_and_nothing_of_shares_and_looks() {
    let mut scene = Scene::new().await;
    let learner = scene.learner;
    scene
        .grant(learner, 30, share(&scene.leaves, "某公司"))
        .await
        .unwrap();
    let (code, secret) = scene.grant(learner, 90, printed(CheckIn)).await.unwrap();
    scene
        .grant(learner, 90, delegation(scene.other, "女儿"))
        .await
        .unwrap();
    let document = || Some(passport("E12345678"));
    let desk = &scene.fudan.line;
    redeem(desk, &secret, CheckIn, document()).await.unwrap();

    assert_eq!(scene.grants(learner).await.len(), 3);
    let told_window = grants_told(&scene.window, learner).await;
    assert_eq!(told_window.len(), 2);
    for it in &told_window {
        let is_share = matches!(it.content, Some(v1::grant::Content::Share(_)));
        assert!(!is_share && it.looks == 0 && it.last_look_at_ms.is_none());
    }
    let paper = told_window.iter().find(|it| it.grant_id == code.grant_id);
    let withdraw = v1::WithdrawGrantRequest {
        learner: digits(learner),
        grant_id: paper.expect("the printed code").grant_id.clone(),
    };
    told(scene.window.line().access().withdraw_grant(withdraw).await).unwrap();
    let refused = redeem(desk, &secret, CheckIn, document()).await;
    assert_eq!(refused.unwrap_err(), "CODE_EXPIRED");
    scene.bank.check_log();
}
