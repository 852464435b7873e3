//! The life of an application, step after step; what is out of order is refused with its code and leaves no trace.

use v1::ApplicationAction as A;
use v1::ApplicationState as S;
use v1::RecordKind as K;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn simulating_and_planning_write_nothing() {
    let mut scene = Scene::new(0, 15).await;
    scene.elder("国画", 32).await;
    scene.course("英语").await;
    let before = scene.leaves().await;
    let simulated = scene.simulate(Vec::new()).await;
    assert_eq!(simulated.credits_hundredths, 500);
    assert_eq!(simulated.total_hundredths, 7500);
    assert_eq!(simulated.recognised_hundredths, 500);
    let said = simulated.explanation_zh.join("\n");
    assert!(said.contains("第五条") && said.contains("第六条"), "{said}");
    assert!(!simulated.explanation_en.is_empty());
    let json: serde_json::Value = serde_json::from_str(&simulated.explanation_json).unwrap();
    assert!(json["lines"].is_array(), "{json}");
    let is_missing = |part: &v1::missing_part::Part| {
        let mut parts = simulated.missing.iter();
        parts.any(|it| it.part.as_ref() == Some(part))
    };
    assert!(is_missing(&v1::missing_part::Part::Course("0002".into())));
    let request = v1::PlanRequest {
        learner: digits(scene.learner),
        rule_set: "works".into(),
        programme: "nursing".into(),
        ..Default::default()
    };
    let plan = scene.window.line.recognition().plan(request).await;
    let plan = plan.unwrap().into_inner();
    assert_eq!(plan.evaluation.unwrap().credits_hundredths, 500);
    assert!(plan.proven);
    assert_eq!(plan.uses.len(), 2);
    assert!(!plan.next_steps_zh.is_empty());
    // What a plan proposes is what a simulation grants.
    assert_eq!(scene.simulate(plan.uses).await.credits_hundredths, 500);
    assert_eq!(scene.leaves().await, before);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_rule_asks_for_a_panel_the_bank_decides_by_itself_and_once() {
    let mut scene = Scene::new(5, 15).await;
    let painting = scene.elder("国画", 32).await;
    let uses = vec![used("elder-hours", &[painting])];
    let before = scene.leaves().await;
    let file = scene.granted("one", uses.clone()).await;
    assert_eq!((credits(&file), kinds(&file)), (200, vec![K::Decision]));
    let evaluation = file.evaluation.clone().unwrap();
    let decision = evaluation.decision.unwrap();
    assert!(decision.automatic);
    assert_eq!(decision.held, [painting.leaf_index.0]);
    assert_eq!(
        decision.lines[0].counted[0].limit, "elder-cap",
        "the limit that counts it"
    );
    assert!(evaluation.explanation_zh.join("").contains("第五条"));
    assert_eq!(file.due_step, "close");
    assert_eq!(scene.leaves().await, before + 2);
    // The same application again is the same record, with the receipt of the first.
    let again = scene.apply("one", uses.clone()).await;
    assert_eq!(again, Ok(file.application));
    // What was decided consumes the outcome: another application has nothing to be granted.
    assert_eq!(
        scene.apply("two", uses.clone()).await,
        Err("NOTHING_GRANTED".into())
    );
    let simulated = scene.simulate(uses).await;
    let refused = &simulated.decision.unwrap().refused;
    assert_eq!(refused[0].code, "ALREADY_USED");
    assert_eq!(scene.leaves().await, before + 2);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewed_application_goes_from_hand_to_hand_until_it_is_closed() {
    let mut scene = Scene::new(0, 0).await;
    let english = scene.course("英语").await;
    let application = scene
        .apply("one", vec![used("same-course", &[english])])
        .await
        .unwrap();
    let submitted = scene.file(application).await;
    assert_eq!(submitted.state(), S::Submitted);
    assert_eq!(submitted.due_step, "accept");
    assert_eq!(submitted.form.unwrap().note, "请予认定");
    assert_eq!(submitted.learner, digits(scene.learner));
    assert!(submitted.evaluation.is_none());
    for (action, refusal) in [
        (A::Decide, "STEP_NOT_ALLOWED"),
        (A::Notice, "STEP_NOT_ALLOWED"),
        (A::Decline, "STEP_NOT_ALLOWED"),
        (A::Close, "STEP_NOT_ALLOWED"),
        (A::Reverse, "STEP_NOT_ALLOWED"),
        (A::Unspecified, "MISSING"),
    ] {
        let taken = scene.advance(application, action).await;
        assert_eq!(taken.unwrap_err(), refusal, "{action:?}");
    }
    assert_eq!(
        scene.vote(0, application, true).await.unwrap_err(),
        "STEP_NOT_ALLOWED"
    );
    scene.advanced(application, &[A::Accept]).await;
    assert_eq!(scene.file(application).await.due_step, "review");
    let accepted_again = scene.advance(application, A::Accept).await;
    assert_eq!(accepted_again.unwrap_err(), "STEP_NOT_ALLOWED");
    let too_soon = scene.advance(application, A::Notice).await;
    assert_eq!(too_soon.unwrap_err(), "PANEL_TOO_SMALL");
    scene.vote(0, application, true).await.unwrap();
    assert_eq!(scene.file(application).await.due_step, "notice");
    scene.advanced(application, &[A::Notice]).await;
    let noticed = scene.file(application).await;
    assert_eq!((noticed.state(), credits(&noticed)), (S::Noticed, 300));
    scene.advanced(application, &[A::Decide]).await;
    let decided = scene.file(application).await;
    assert_eq!((decided.state(), credits(&decided)), (S::Decided, 300));
    // There is no time for an appeal.
    assert_eq!(
        scene.appeal(application).await.unwrap_err(),
        "APPEAL_TOO_LATE"
    );
    scene.advanced(application, &[A::Close]).await;
    let closed = scene.file(application).await;
    assert_eq!(closed.state(), S::Closed);
    assert_eq!(
        kinds(&closed),
        [K::Acceptance, K::Review, K::Notice, K::Decision, K::Closing]
    );
    assert_eq!(closed.steps[1].actor, "expert-1");
    assert!(closed.steps[1].approve);
    assert!(closed.due_step.is_empty() && !closed.overdue);
    for action in [A::Accept, A::Decide, A::Close] {
        let taken = scene.advance(application, action).await;
        assert_eq!(taken.unwrap_err(), "APPLICATION_CLOSED");
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_returned_or_withdrawn_is_over_and_may_be_asked_for_again() {
    let mut scene = Scene::new(5, 15).await;
    let english = scene.course("英语").await;
    let uses = || vec![used("same-course", &[english])];
    let returned = scene.apply("one", uses()).await.unwrap();
    scene.advanced(returned, &[A::Return]).await;
    let withdrawn = scene.apply("two", uses()).await.unwrap();
    scene.advanced(withdrawn, &[A::Accept]).await;
    scene.withdraw(withdrawn).await.unwrap();
    assert_eq!(scene.file(returned).await.state(), S::Returned);
    assert_eq!(scene.file(withdrawn).await.state(), S::Withdrawn);
    for over in [returned, withdrawn] {
        let accepted = scene.advance(over, A::Accept).await;
        assert_eq!(accepted.unwrap_err(), "APPLICATION_CLOSED");
        assert_eq!(
            scene.vote(0, over, true).await.unwrap_err(),
            "APPLICATION_CLOSED"
        );
    }
    assert_eq!(scene.simulate(uses()).await.credits_hundredths, 300);
    let decided = scene.elder("国画", 16).await;
    let decided = scene.granted("three", vec![used("elder-hours", &[decided])]);
    let decided = decided.await.application;
    assert_eq!(
        scene.withdraw(decided).await.unwrap_err(),
        "STEP_NOT_ALLOWED"
    );
    let unknown = scene.advance(english.leaf_index.0, A::Accept).await;
    assert_eq!(unknown.unwrap_err(), "APPLICATION_UNKNOWN");
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_comes_while_the_notice_runs_and_an_appeal_after_the_decision() {
    let mut scene = Scene::new(5, 15).await;
    let english = scene.course("英语").await;
    let application = scene
        .apply("one", vec![used("same-course", &[english])])
        .await
        .unwrap();
    let early = scene.object(&scene.other, application).await;
    assert_eq!(early.unwrap_err(), "STEP_NOT_ALLOWED");
    scene.advanced(application, &[A::Accept]).await;
    scene.vote(0, application, true).await.unwrap();
    scene.advanced(application, &[A::Notice]).await;
    for action in [A::Decide, A::Decline] {
        let taken = scene.advance(application, action).await;
        assert_eq!(taken.unwrap_err(), "NOTICE_RUNNING", "{action:?}");
    }
    scene.object(&scene.other, application).await.unwrap();
    let file = scene.file(application).await;
    assert_eq!(file.state(), S::Noticed);
    assert_eq!(kinds(&file).last(), Some(&K::Objection));
    assert_eq!(file.due_step, "decide");

    let painting = scene.elder("国画", 32).await;
    let painted = scene.granted("two", vec![used("elder-hours", &[painting])]);
    let painted = painted.await.application;
    let closed = scene.advance(painted, A::Close).await;
    assert_eq!(closed.unwrap_err(), "APPEAL_RUNNING");
    scene.appeal(painted).await.unwrap();
    let file = scene.file(painted).await;
    assert_eq!(
        (file.state(), file.due_step.as_str()),
        (S::Appealed, "resolve-appeal")
    );
    assert_eq!(scene.appeal(painted).await, Ok(file.steps[1].leaf_index));
    // A rejected appeal closes the application; a won one reverses the decision, and it can be asked for anew.
    scene.advanced(painted, &[A::Close]).await;
    assert_eq!(
        credits(&scene.file(painted).await),
        200,
        "the decision stands"
    );
    let singing = scene.elder("合唱", 16).await;
    let sung = scene.granted("three", vec![used("elder-hours", &[singing])]);
    let sung = sung.await.application;
    scene.appeal(sung).await.unwrap();
    scene.advanced(sung, &[A::Reverse]).await;
    assert_eq!(scene.file(sung).await.state(), S::Reversed);
    let again = scene.granted("four", vec![used("elder-hours", &[singing])]);
    assert_eq!(credits(&again.await), 100);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_frees_the_outcomes_and_their_share_of_every_limit() {
    let mut scene = Scene::new(0, 0).await;
    let (painting, singing) = (scene.elder("国画", 32).await, scene.elder("合唱", 32).await);
    let one = vec![used("elder-hours", &[painting])];
    let two = vec![used("elder-hours", &[singing])];
    let first = scene.granted("one", one.clone()).await;
    let second = scene.granted("two", two.clone()).await;
    assert_eq!(
        (credits(&first), credits(&second)),
        (200, 100),
        "three at most"
    );
    scene.advanced(first.application, &[A::Reverse]).await;
    let reversed = scene.file(first.application).await;
    assert_eq!(reversed.state(), S::Reversed);
    // What was decided and why is told as it was then.
    let evaluation = reversed.evaluation.as_ref().unwrap();
    assert_eq!(evaluation.credits_hundredths, 200);
    assert_eq!(
        evaluation.explanation_zh,
        first.evaluation.as_ref().unwrap().explanation_zh
    );
    scene.advanced(second.application, &[A::Reverse]).await;
    let again = scene.granted("three", two).await;
    assert_eq!(credits(&again), 200, "the limit has room again");
    let last = scene.granted("four", one).await;
    assert_eq!(credits(&last), 100);
    assert_eq!(
        last.evaluation.unwrap().recognised_hundredths,
        300,
        "as before"
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_version_in_force_takes_applications() {
    let mut scene = Scene::new(0, 0).await;
    let painting = scene.elder("国画", 32).await;
    let uses = || vec![used("elder-hours", &[painting])];
    let first = scene.granted("one", uses()).await;
    scene.advanced(first.application, &[A::Reverse]).await;
    let newer = rules("2", 0, 0, "").replace("per_hours = \"16\"", "per_hours = \"32\"");
    let newer = standards::publish(&scene.bank, &newer).await;
    assert_eq!(
        scene.apply("two", uses()).await.unwrap_err(),
        "RULE_SET_NOT_IN_FORCE"
    );
    let older = std::mem::replace(&mut scene.set, newer.try_into().unwrap());
    let second = scene.granted("two", uses()).await;
    assert_eq!(credits(&second), 100);
    // What was decided under the older set is still told under it.
    let first = scene.file(first.application).await;
    assert_eq!(
        (credits(&first), &first.rule_set_hash[..]),
        (200, &older[..])
    );
    scene.set = [7; 32];
    assert_eq!(
        scene.apply("three", uses()).await.unwrap_err(),
        "RULE_SET_UNKNOWN"
    );
    scene.bank.check_log();
}
