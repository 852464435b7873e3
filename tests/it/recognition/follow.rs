//! What follows from a commit by itself: decisions that need no panel, and the reversal of what stands on an outcome that
//! does not hold any longer. A crash in between loses nothing and does nothing twice.

use v1::ApplicationAction as A;
use v1::ApplicationState as S;
use v1::RecordKind as K;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn revoking_or_amending_an_outcome_reverses_every_decision_that_stands_on_it_and_no_other() {
    let mut scene = Scene::new(0, 15).await;
    let (painting, singing) = (scene.elder("国画", 16).await, scene.elder("合唱", 16).await);
    let dancing = scene.elder("舞蹈", 16).await;
    let one = scene.granted("one", vec![used("elder-hours", &[painting])]);
    let one = one.await.application;
    let two = scene.granted("two", vec![used("elder-hours", &[singing])]);
    let two = two.await.application;
    let three = scene.granted("three", vec![used("elder-hours", &[dancing])]);
    let three = three.await.application;
    scene.appeal(two).await.unwrap();
    scene.advanced(two, &[A::Close]).await;

    scene.revoke(painting).await;
    let maker = &scene.college.maker;
    let amendment = maker.amendment(
        b"amend",
        scene.learner,
        singing,
        elder("合唱", 32),
        "学时有误",
    );
    let amended = scene.college.deposit(&scene.bank, vec![amendment]).await[0];
    for application in [one, two] {
        let file = scene.becomes(application, S::Reversed).await;
        assert_eq!(kinds(&file).last(), Some(&K::Reversal));
        assert_eq!(file.steps.last().unwrap().actor, "bank");
        assert_eq!(
            credits(&file),
            100,
            "the record of what was decided stays readable"
        );
    }
    assert_eq!(scene.file(three).await.state(), S::Decided);
    assert_eq!(
        scene
            .apply("four", vec![used("elder-hours", &[painting])])
            .await,
        Err("NOTHING_GRANTED".into())
    );
    let again = scene.granted("five", vec![used("elder-hours", &[amended])]);
    assert_eq!(credits(&again.await), 200);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_a_crash_left_undecided_is_decided_once_after_the_start() {
    let mut scene = Scene::new(0, 0).await;
    let painting = scene.elder("国画", 32).await;
    // The sequencer ends right after the application's acknowledgement: the decision cannot be in the log.
    scene.restart(&["--abort-at", "answered:1"]).await;
    let record = scene.application("one", vec![used("elder-hours", &[painting])]);
    let batch = scene.window.sign(vec![record]);
    let answer = scene.window.line.recognition().apply(batch.clone()).await;
    drop(answer);
    scene.bank.ended();
    scene.bank.check_log();
    for start in 0..2 {
        scene.bank.start();
        scene.reconnect().await;
        let again = scene.window.line.recognition().apply(batch.clone()).await;
        let application = placed(again).unwrap();
        let file = scene.becomes(application, S::Decided).await;
        assert_eq!(
            (credits(&file), kinds(&file)),
            (200, vec![K::Decision]),
            "start {start}"
        );
        scene.bank.check_log();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_a_crash_left_without_consequence_reverses_once_after_the_start() {
    let mut scene = Scene::new(0, 0).await;
    let painting = scene.elder("国画", 32).await;
    let file = scene.granted("one", vec![used("elder-hours", &[painting])]);
    let application = file.await.application;
    scene.restart(&["--abort-at", "answered:1"]).await;
    let maker = &scene.college.maker;
    let record = maker.revocation(b"revoke", scene.learner, painting, "登记有误");
    drop(scene.college.submit(vec![record]).await);
    scene.bank.ended();
    scene.bank.check_log();
    for start in 0..2 {
        scene.bank.start();
        scene.reconnect().await;
        let file = scene.becomes(application, S::Reversed).await;
        assert_eq!(kinds(&file), [K::Decision, K::Reversal], "start {start}");
        scene.bank.check_log();
    }
}
