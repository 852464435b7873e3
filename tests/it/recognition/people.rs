//! Who may do and see what, and what becomes of applications when learners are erased or merged.

use v1::ApplicationAction as A;
use v1::ApplicationState as S;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_a_decision_impossible_by_depositing() {
    let mut scene = Scene::new(0, 0).await;
    let english = scene.course("英语").await;
    let uses = vec![used("same-course", &[english])];
    let application = scene.apply("one", uses.clone()).await.unwrap();
    scene.advanced(application, &[A::Accept]).await;
    scene.vote(0, application, true).await.unwrap();
    // More than a decision looks at, and none of it is asked for.
    for batch in 0..3 {
        let one = |at: u32| {
            let key = format!("{batch} {at}");
            let maker = &scene.college.maker;
            maker.outcome(key.as_bytes(), scene.learner, course(&key))
        };
        let records = (0..700).map(one).collect();
        scene.college.deposit(&scene.bank, records).await;
    }
    scene
        .advanced(application, &[A::Notice, A::Decide, A::Close])
        .await;
    assert_eq!(credits(&scene.file(application).await), 300);
    assert_eq!(scene.simulate(uses).await.credits_hundredths, 0);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_takes_their_own_steps_and_nobody_elses() {
    let mut scene = Scene::new(5, 15).await;
    let english = scene.course("英语").await;
    let uses = vec![used("same-course", &[english])];
    let application = scene.apply("one", uses.clone()).await.unwrap();
    let auditor = registered(&scene.bank, "auditor", v1::Role::Auditor).await;

    // A school applies for nobody, an agent does not review, and each call takes its own kind of record.
    let (set, learner) = (scene.set, scene.learner);
    let form = v1::Application {
        programme: "nursing".into(),
        uses: uses.clone(),
        note: String::new(),
    };
    let of_school = scene
        .college
        .maker
        .application(b"mine", learner, &set, form);
    let batch = scene.college.sign(vec![of_school]);
    let sent = placed(scene.college.line.recognition().apply(batch).await);
    assert_eq!(sent.unwrap_err(), "KIND_NOT_ALLOWED");
    let target = scene.named(application).await;
    let vote = scene
        .window
        .maker
        .review(b"mine", learner, target, true, "我审");
    let batch = scene.window.sign(vec![vote]);
    let sent = placed(scene.window.line.recognition().review(batch.clone()).await);
    assert_eq!(sent.unwrap_err(), "KIND_NOT_ALLOWED");
    let sent = placed(scene.window.line.recognition().appeal(batch).await);
    assert_eq!(sent.unwrap_err(), "KIND_NOT_ALLOWED");

    let advance = v1::AdvanceRequest {
        learner: digits(learner),
        application,
        action: A::Accept.into(),
        reason: "我受理".into(),
    };
    for caller in [&scene.college, &scene.window, &scene.experts[0], &auditor] {
        let taken = caller.line.recognition().advance(advance.clone()).await;
        assert_eq!(
            code(taken.unwrap_err()),
            "PERMISSION_DENIED",
            "{}",
            caller.id()
        );
    }
    let simulate = v1::SimulateRequest {
        learner: digits(learner),
        rule_set: "works".into(),
        programme: "nursing".into(),
        ..Default::default()
    };
    for caller in [&scene.college, &scene.experts[0], &auditor] {
        let asked = caller.line.recognition().simulate(simulate.clone()).await;
        assert_eq!(
            code(asked.unwrap_err()),
            "PERMISSION_DENIED",
            "{}",
            caller.id()
        );
    }
    let nobody = scene.bank.anybody().await;
    assert_eq!(
        file(&nobody, application).await.unwrap_err(),
        "TOKEN_MISSING"
    );
    for caller in [&scene.window, &scene.experts[0], &auditor] {
        assert!(
            file(&caller.line, application).await.is_ok(),
            "{}",
            caller.id()
        );
    }
    // Of another learner there is no such application.
    let stranger = scene.college.enrol("2").await;
    let wrong = v1::AdvanceRequest {
        learner: digits(stranger),
        ..advance
    };
    let taken = scene.operator.recognition().advance(wrong).await;
    assert_eq!(code(taken.unwrap_err()), "APPLICATION_UNKNOWN");
    let foreign = scene
        .window
        .maker
        .withdrawal(b"foreign", stranger, target, "不是我");
    let batch = scene.window.sign(vec![foreign]);
    let sent = placed(scene.window.line.recognition().withdraw(batch).await);
    assert_eq!(sent.unwrap_err(), "TARGET_LEARNER_DIFFERS");
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_sees_what_stands_on_its_own_outcomes_and_of_others_only_what_is_noticed() {
    let mut scene = Scene::new(5, 15).await;
    let (english, painting) = (scene.course("英语").await, scene.elder("国画", 16).await);
    let of_other = scene
        .apply("one", vec![used("same-course", &[english])])
        .await
        .unwrap();
    let of_college = scene.granted("two", vec![used("elder-hours", &[painting])]);
    let of_college = of_college.await.application;
    let all = || v1::ListApplicationsRequest {
        page_size: 1,
        ..Default::default()
    };
    let seen =
        |files: Vec<v1::ApplicationFile>| files.iter().map(|it| it.application).collect::<Vec<_>>();
    assert_eq!(
        seen(queue(&scene.operator, all()).await.unwrap()),
        [of_other, of_college],
        "oldest first"
    );
    let college = &scene.college.line;
    assert_eq!(seen(queue(college, all()).await.unwrap()), [of_college]);
    assert_eq!(
        seen(queue(&scene.other.line, all()).await.unwrap()),
        [of_other]
    );
    assert_eq!(
        file(college, of_other).await.unwrap_err(),
        "APPLICATION_UNKNOWN"
    );

    scene.advanced(of_other, &[A::Accept]).await;
    scene.vote(0, of_other, true).await.unwrap();
    scene.advanced(of_other, &[A::Notice]).await;
    let noticed = file(college, of_other).await.unwrap();
    assert_eq!(noticed.state(), S::Noticed);
    assert!(noticed.learner.is_empty() && noticed.evaluation.is_none());
    assert!(noticed.form.unwrap().note.is_empty());
    assert!(
        file(&scene.other.line, of_other)
            .await
            .unwrap()
            .evaluation
            .is_some()
    );
    // A notice names nobody, so asking by the learner's code must not find it either.
    let of_learner = || v1::ListApplicationsRequest {
        learner: digits(scene.learner),
        ..Default::default()
    };
    assert_eq!(
        seen(queue(college, of_learner()).await.unwrap()),
        [of_college]
    );
    assert_eq!(
        seen(queue(&scene.window.line, of_learner()).await.unwrap()),
        [of_other, of_college]
    );
    let in_state = |state: S| v1::ListApplicationsRequest {
        states: vec![state.into()],
        ..Default::default()
    };
    assert_eq!(
        seen(queue(college, in_state(S::Noticed)).await.unwrap()),
        [of_other]
    );
    assert_eq!(
        seen(queue(college, in_state(S::Decided)).await.unwrap()),
        [of_college]
    );
    assert!(
        queue(college, in_state(S::Closed))
            .await
            .unwrap()
            .is_empty()
    );
    let overdue = v1::ListApplicationsRequest {
        overdue: true,
        ..Default::default()
    };
    assert!(queue(&scene.operator, overdue).await.unwrap().is_empty());
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_decision_used_is_shown_as_used_in_the_archive() {
    let mut scene = Scene::new(0, 0).await;
    let (painting, singing) = (scene.elder("国画", 16).await, scene.elder("合唱", 16).await);
    let file = scene.granted("one", vec![used("elder-hours", &[painting])]);
    let application = file.await.application;
    let records = |line: Connection, learner| async move {
        let request = v1::ListRecordsRequest {
            learner: digits(learner),
            ..Default::default()
        };
        let page = line.archive().list_records(request).await.unwrap();
        page.into_inner().records
    };
    let uses = |records: &[v1::ArchiveRecord], place: RecordRef| {
        let mut records = records.iter();
        let found = records.find(|it| it.leaf_index == place.leaf_index.0);
        found.expect("it is in the archive").used_by.clone()
    };
    let shown = records(scene.window.line.clone(), scene.learner).await;
    assert_eq!(uses(&shown, painting), [application]);
    assert!(uses(&shown, singing).is_empty());
    scene.advanced(application, &[A::Reverse]).await;
    let shown = records(scene.window.line.clone(), scene.learner).await;
    assert!(uses(&shown, painting).is_empty(), "a reversal frees it");
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_learner_leaves_no_application_behind() {
    let mut scene = Scene::new(0, 0).await;
    let painting = scene.elder("国画", 32).await;
    let decided = scene.granted("one", vec![used("elder-hours", &[painting])]);
    let decided = decided.await.application;
    let english = scene.course("英语").await;
    let open = scene
        .apply("two", vec![used("same-course", &[english])])
        .await
        .unwrap();
    let (kept, erased) = (scene.college.enrol("2").await, scene.learner);
    let singing = scene.elder_of(kept, "合唱", 32).await;
    let other = scene.application_of(kept, "three", vec![used("elder-hours", &[singing])]);
    let batch = scene.window.sign(vec![other]);
    let other = placed(scene.window.line.recognition().apply(batch).await).unwrap();
    scene.becomes(other, S::Decided).await;
    let mut learners = scene.operator.learner();
    let erasure = v1::EraseLearnerRequest {
        learner: digits(erased),
    };
    learners.erase_learner(erasure).await.unwrap();
    for application in [decided, open] {
        let gone = file(&scene.operator, application).await;
        assert_eq!(gone.unwrap_err(), "APPLICATION_UNKNOWN");
        let target = scene.named(application).await;
        let vote = scene.experts[0]
            .maker
            .review(b"late", erased, target, true, "已审");
        let batch = scene.experts[0].sign(vec![vote]);
        let voted = scene.experts[0].line.recognition().review(batch).await;
        assert!(
            ["LEARNER_ERASED", "LEARNER_UNKNOWN"].contains(&placed(voted).unwrap_err().as_str())
        );
    }
    let left = queue(&scene.operator, v1::ListApplicationsRequest::default()).await;
    let left: Vec<_> = left.unwrap().iter().map(|it| it.application).collect();
    assert_eq!(left, [other]);
    scene.bank.check_log();
    let views = crate::views::rows(&scene.bank);
    assert!(scene.bank.run(&["rebuild", "{dir}"]).status.success());
    assert!(crate::views::rows(&scene.bank) == views);
    let told = recomputed::recompute(&scene.bank);
    assert_eq!((&told["decisions"], &told["gone"]), (&2.into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_merge_both_codes_have_one_set_of_outcomes_and_decisions() {
    let mut scene = Scene::new(0, 0).await;
    let (kept, gone) = (scene.learner, scene.college.enrol("2").await);
    let painting = scene.elder("国画", 32).await;
    let singing = scene.elder_of(gone, "合唱", 32).await;
    let first = scene.granted("one", vec![used("elder-hours", &[painting])]);
    assert_eq!(credits(&first.await), 200);
    let old = scene.application_of(gone, "two", vec![used("elder-hours", &[singing])]);
    let batch = scene.window.sign(vec![old]);
    let old = placed(scene.window.line.recognition().apply(batch).await).unwrap();
    assert_eq!(credits(&scene.becomes(old, S::Decided).await), 200);
    let merge = v1::MergeLearnersRequest {
        learner: digits(kept),
        merged_learner: digits(gone),
        reason: "同一人".into(),
    };
    scene
        .operator
        .learner()
        .merge_learners(merge)
        .await
        .unwrap();
    // Both decisions stand, and their share of the limit is spent under either code.
    let dancing = scene.elder("舞蹈", 32).await;
    for code in [kept, gone] {
        let late = scene.application_of(code, "late", vec![used("elder-hours", &[dancing])]);
        let batch = scene.window.sign(vec![late]);
        let sent = placed(scene.window.line.recognition().apply(batch).await);
        assert_eq!(sent.unwrap_err(), "NOTHING_GRANTED");
    }
    for code in [kept, gone] {
        let query = v1::ListApplicationsRequest {
            learner: digits(code),
            ..Default::default()
        };
        assert_eq!(queue(&scene.operator, query).await.unwrap().len(), 2);
    }
    // Revoked under the surviving code, the outcome of the other one takes its decision along.
    let maker = &scene.college.maker;
    let revocation = maker.revocation(b"revoke", kept, singing, "登记有误");
    scene.college.deposit(&scene.bank, vec![revocation]).await;
    scene.becomes(old, S::Reversed).await;
    let again = scene.granted("again", vec![used("elder-hours", &[dancing])]);
    assert_eq!(credits(&again.await), 100, "one of three is left");
    scene.bank.check_log();
}
