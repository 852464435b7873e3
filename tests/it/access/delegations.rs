//! Delegations: somebody acts for a learner, as long as both are there and the learner wishes it.

use creditbank_wire::v1;
use creditbank_wire::v1::grant::Content;

use super::{Scene, delegation, enrol, told};
use crate::institution::digits;

async fn acts(
    scene: &Scene,
    delegate: creditbank_domain::LearnerCode,
    grant: &v1::Grant,
    begin: bool,
) -> Result<v1::Delegation, String> {
    let request = v1::UseDelegationRequest {
        delegate: digits(delegate),
        grant_id: grant.grant_id.clone(),
        begin,
    };
    told(scene.gateway.line().access().use_delegation(request).await)
}

async fn delegations(scene: &Scene, delegate: creditbank_domain::LearnerCode) -> Vec<v1::Grant> {
    let request = v1::ListDelegationsRequest {
        delegate: digits(delegate),
    };
    told(
        scene
            .gateway
            .line()
            .access()
            .list_delegations(request)
            .await,
    )
    .unwrap()
    .grants
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_acts_until_the_learner_withdraws_and_is_seen() {
    let mut scene = Scene::new().await;
    let (learner, other) = (scene.learner, scene.other);
    let third = enrol(&scene.fudan, "E11112222", "王五").await;
    let (grant, secret) = scene
        .grant(learner, 365, delegation(other, "女儿"))
        .await
        .unwrap();
    assert_eq!(secret, "");
    let told = acts(&scene, other, &grant, false).await.unwrap();
    assert_eq!(
        (told.learner.as_str(), told.masked_name.as_str()),
        (digits(learner).as_str(), "张**")
    );
    assert_eq!(
        (told.delegate.as_str(), told.scope()),
        ("", v1::DelegationScope::View)
    );
    assert_eq!(scene.looks(learner).await, []);
    acts(&scene, other, &grant, true).await.unwrap();
    assert_eq!(scene.who_looked(learner).await, ["女儿"]);
    let list = delegations(&scene, other).await;
    let Some(Content::Delegation(one)) = &list[0].content else {
        panic!("a delegation");
    };
    assert_eq!(
        (&one.learner, &one.delegate),
        (&digits(learner), &String::new())
    );
    let Some(Content::Delegation(own)) = &scene.grants(learner).await[0].content else {
        panic!("a delegation");
    };
    assert_eq!(own.delegate, digits(other));
    // Nobody else, and not the other way round.
    for somebody in [third, learner] {
        let refused = acts(&scene, somebody, &grant, true).await;
        assert_eq!(refused.unwrap_err(), "GRANT_UNKNOWN");
        assert_eq!(delegations(&scene, somebody).await, []);
    }
    let refused = scene.withdraw(other, &grant).await;
    assert_eq!(refused.unwrap_err(), "GRANT_UNKNOWN");
    scene.days_later(0).await;
    acts(&scene, other, &grant, false).await.unwrap();
    scene.withdraw(learner, &grant).await.unwrap();
    let refused = acts(&scene, other, &grant, false).await;
    assert_eq!(refused.unwrap_err(), "GRANT_UNKNOWN");
    assert_eq!(delegations(&scene, other).await, []);
    let (later, _) = scene
        .grant(learner, 365, delegation(other, "女儿"))
        .await
        .unwrap();
    scene.days_later(365).await;
    let refused = acts(&scene, other, &later, false).await;
    assert_eq!(refused.unwrap_err(), "GRANT_UNKNOWN");
    assert_eq!(delegations(&scene, other).await, []);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_names_another_learner_and_there_are_two_hundred_at_most() {
    let scene = Scene::new().await;
    let (learner, other) = (scene.learner, scene.other);
    let itself = scene.grant(learner, 30, delegation(learner, "我")).await;
    assert_eq!(itself.unwrap_err(), "INCONSISTENT");
    let nobody = creditbank_domain::LearnerCode::from_random(7).unwrap();
    let unknown = scene.grant(other, 30, delegation(nobody, "谁")).await;
    unknown.expect("nobody is told who has an archive");
    let long = scene.grant(learner, 1097, delegation(other, "女儿")).await;
    assert_eq!(long.unwrap_err(), "EXPIRY_INVALID");
    for _ in 0..200 {
        scene
            .grant(learner, 30, delegation(other, "女儿"))
            .await
            .unwrap();
    }
    let refused = scene.grant(learner, 30, delegation(other, "女儿")).await;
    assert_eq!(refused.unwrap_err(), "GRANTS_TOO_MANY");
    // Nor can somebody be made to act for more.
    let third = enrol(&scene.fudan, "E11112222", "王五").await;
    let refused = scene.grant(third, 30, delegation(other, "友")).await;
    assert_eq!(refused.unwrap_err(), "GRANTS_TOO_MANY");
    scene
        .grant(third, 30, delegation(learner, "友"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn merged_codes_of_either_side_keep_a_delegation() {
    let mut scene = Scene::new().await;
    let learner_twice = enrol(&scene.fudan, "E11112222", "").await;
    let other_twice = enrol(&scene.fudan, "E33334444", "").await;
    let made = scene
        .grant(learner_twice, 30, delegation(other_twice, "女儿"))
        .await;
    let (grant, _) = made.unwrap();
    scene.merge(scene.learner, learner_twice).await;
    scene.merge(scene.other, other_twice).await;
    for code in [scene.other, other_twice] {
        let told = acts(&scene, code, &grant, false).await.unwrap();
        assert_eq!(told.learner, digits(scene.learner));
        assert_eq!(delegations(&scene, code).await.len(), 1);
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_delegate_leaves_no_delegation_and_an_erased_learner_none_either() {
    let mut scene = Scene::new().await;
    let (learner, other) = (scene.learner, scene.other);
    let third = enrol(&scene.fudan, "E11112222", "王五").await;
    scene
        .grant(learner, 30, delegation(other, "女儿"))
        .await
        .unwrap();
    let (kept, _) = scene
        .grant(learner, 30, delegation(third, "友"))
        .await
        .unwrap();
    scene
        .grant(third, 30, delegation(other, "友"))
        .await
        .unwrap();
    let erase = |code| v1::EraseLearnerRequest {
        learner: digits(code),
    };
    let mut learners = scene.bank.operator().await.learner();
    learners.erase_learner(erase(other)).await.unwrap();
    let left = scene.grants(learner).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].grant_id, kept.grant_id);
    assert_eq!(scene.grants(third).await, []);
    learners.erase_learner(erase(learner)).await.unwrap();
    assert_eq!(delegations(&scene, third).await, []);
    let refused = acts(&scene, third, &kept, true).await;
    assert_eq!(refused.unwrap_err(), "GRANT_UNKNOWN");
    scene.bank.check_log();
}
