//! Panels: how many have to vote, who counts, and what the bank may make of their votes.

use v1::ApplicationAction as A;
use v1::ApplicationState as S;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_no_catalogue_lists_needs_three_who_vote_once_each() {
    let mut scene = Scene::new(0, 0).await;
    let sociology = scene.course("社会学").await;
    let application = scene
        .apply("one", vec![used("uncatalogued", &[sociology])])
        .await
        .unwrap();
    scene.advanced(application, &[A::Accept]).await;
    for expert in 0..2 {
        scene.vote(expert, application, true).await.unwrap();
        let noticed = scene.advance(application, A::Notice).await;
        assert_eq!(noticed.unwrap_err(), "PANEL_TOO_SMALL");
    }
    let voter = &scene.experts[0];
    let target = scene.named(application).await;
    let second = voter
        .maker
        .review(b"again", scene.learner, target, false, "改变主意");
    let second = voter
        .line
        .recognition()
        .review(voter.sign(vec![second]))
        .await;
    assert_eq!(placed(second).unwrap_err(), "ALREADY_VOTED");
    scene.vote(2, application, false).await.unwrap();
    let declined = scene.advance(application, A::Decline).await;
    assert_eq!(declined.unwrap_err(), "PANEL_APPROVED");
    scene
        .advanced(application, &[A::Notice, A::Decide, A::Close])
        .await;
    assert_eq!(credits(&scene.file(application).await), 300);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_panel_declines_is_noticed_and_decided_without_credit_and_consumes_nothing() {
    let mut scene = Scene::new(0, 15).await;
    let english = scene.course("英语").await;
    let uses = || vec![used("same-course", &[english])];
    let application = scene.apply("one", uses()).await.unwrap();
    scene.advanced(application, &[A::Accept]).await;
    scene.vote(0, application, false).await.unwrap();
    let granted = scene.advance(application, A::Notice).await;
    assert_eq!(granted.unwrap_err(), "PANEL_REJECTED");
    scene.advanced(application, &[A::Decline]).await;
    let noticed = scene.file(application).await;
    assert_eq!((noticed.state(), credits(&noticed)), (S::Noticed, 0));
    let granted = scene.advance(application, A::Decide).await;
    assert_eq!(granted.unwrap_err(), "DECISION_DIFFERS");
    scene.advanced(application, &[A::Decline]).await;
    let declined = scene.file(application).await;
    assert_eq!((declined.state(), credits(&declined)), (S::Decided, 0));
    let told = declined.evaluation.unwrap();
    assert_eq!(told.decision.unwrap().reason, "依规则");
    // Nor does its explanation say that anything was.
    assert!(told.explanation_zh[0].ends_with("本次没有认定学分。"));
    assert_eq!(told.recognised_hundredths, 0);
    // There is nothing to take back, but something to appeal against.
    let reversed = scene.advance(application, A::Reverse).await;
    assert_eq!(reversed.unwrap_err(), "STEP_NOT_ALLOWED");
    scene.appeal(application).await.unwrap();
    scene.advanced(application, &[A::Reverse]).await;
    assert_eq!(scene.simulate(uses()).await.credits_hundredths, 300);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn experts_of_the_origin_vote_but_never_carry_an_approval_alone() {
    let mut scene = Scene::new(0, 0).await;
    let (school, own) = with_expert(&scene.bank, "school", "91350100M000100Y43").await;
    let record = school
        .maker
        .outcome(b"english", scene.learner, course("英语"));
    let english = school.deposit(&scene.bank, vec![record]).await[0];
    let application = scene
        .apply("one", vec![used("same-course", &[english])])
        .await
        .unwrap();
    scene.advanced(application, &[A::Accept]).await;
    scene.experts.push(own);
    scene.vote(4, application, true).await.unwrap();
    let noticed = scene.advance(application, A::Notice).await;
    assert_eq!(noticed.unwrap_err(), "PANEL_CONFLICT");
    scene.vote(0, application, true).await.unwrap();
    scene.advanced(application, &[A::Notice, A::Decide]).await;
    assert_eq!(credits(&scene.file(application).await), 300);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_no_longer_holds_is_published_again_before_it_is_decided() {
    let mut scene = Scene::new(0, 0).await;
    let (painting, singing) = (scene.elder("国画", 32).await, scene.elder("合唱", 32).await);
    let english = scene.course("英语").await;
    let reviewed = vec![
        used("elder-hours", &[painting]),
        used("same-course", &[english]),
    ];
    let application = scene.apply("one", reviewed).await.unwrap();
    scene.advanced(application, &[A::Accept]).await;
    scene.vote(0, application, true).await.unwrap();
    scene.advanced(application, &[A::Notice]).await;
    assert_eq!(credits(&scene.file(application).await), 500);
    let again = scene.advance(application, A::Notice).await;
    assert_eq!(again.unwrap_err(), "STEP_NOT_ALLOWED", "it still holds");
    // Meanwhile two of the three credits of the limit are spent.
    scene
        .granted("two", vec![used("elder-hours", &[singing])])
        .await;
    let decided = scene.advance(application, A::Decide).await;
    assert_eq!(decided.unwrap_err(), "NOTICE_OUTDATED");
    scene.advanced(application, &[A::Notice]).await;
    assert_eq!(credits(&scene.file(application).await), 400);
    scene.advanced(application, &[A::Decide]).await;
    assert_eq!(credits(&scene.file(application).await), 400);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_panel_approved_and_nothing_is_left_of_can_be_declined() {
    let mut scene = Scene::new(0, 0).await;
    let mut applications = Vec::new();
    let mut courses = Vec::new();
    for (number, is_noticed) in [true, false].into_iter().enumerate() {
        let maker = &scene.college.maker;
        let key = format!("english/{number}");
        let record = maker.outcome(key.as_bytes(), scene.learner, course("英语"));
        let english = scene.college.deposit(&scene.bank, vec![record]).await[0];
        let uses = vec![used("same-course", &[english])];
        let application = scene.apply(&key, uses).await.unwrap();
        scene.advanced(application, &[A::Accept]).await;
        scene.vote(number, application, true).await.unwrap();
        if is_noticed {
            scene.advanced(application, &[A::Notice]).await;
        }
        applications.push(application);
        courses.push(english);
    }
    for course in courses {
        scene.revoke(course).await;
    }
    let decided = scene.advance(applications[0], A::Decide).await;
    assert_eq!(decided.unwrap_err(), "NOTICE_OUTDATED");
    for application in applications {
        scene.advanced(application, &[A::Notice, A::Decide]).await;
        let file = scene.file(application).await;
        assert_eq!((file.state(), credits(&file)), (S::Decided, 0));
        let refused = file.evaluation.unwrap().decision.unwrap().refused;
        assert_eq!(refused[0].code, "OUTCOME_UNKNOWN");
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_steps_made_on_the_same_state_the_later_one_looks_again() {
    let mut scene = Scene::new(0, 0).await;
    let sociology = scene.course("社会学").await;
    let application = scene
        .apply("one", vec![used("uncatalogued", &[sociology])])
        .await
        .unwrap();
    scene.advanced(application, &[A::Accept]).await;
    // One batch is admitted as a whole before any row of it is in the log.
    let voter = &scene.experts[0];
    let target = scene.named(application).await;
    let votes = [true, false].map(|approve| {
        let key = [u8::from(approve)];
        voter
            .maker
            .review(&key, scene.learner, target, approve, "已审")
    });
    let batch = voter.sign(votes.to_vec());
    let answer = voter.line.recognition().review(batch.clone()).await;
    let answer = answer.unwrap().into_inner();
    assert!(answer.created.is_some());
    assert_eq!(answer.refused[0].violations[0].code, "APPLICATION_MOVED");
    let again = voter.line.recognition().review(batch).await;
    let again = again.unwrap().into_inner();
    assert_eq!(again.duplicates.len(), 1);
    assert_eq!(again.refused[0].violations[0].code, "ALREADY_VOTED");
    scene.bank.check_log();
}
