//! Outcomes across regions: with the learner's consent, verified, recognised once, and taken back by both sides.

use creditbank_client::transfer::recall;
use creditbank_domain::transfer::{State, Step, TransferId};
use creditbank_wire::convert::transfer::step;
use creditbank_wire::v1;

use crate::delta::{Region, regions, run, until};
use crate::institution::digits;

/// The codes of a transfer's steps, as a bank knows them.
fn codes(view: &v1::TransferView) -> Vec<&'static str> {
    let steps = view.steps.iter();
    steps
        .map(|it| {
            step(it.step.clone().expect("a step"))
                .expect("a step")
                .code()
        })
        .collect()
}

/// Derives everything of the banks again.
fn check(regions: Vec<Region>) {
    for mut region in regions {
        let report = region.bank.check_log();
        assert!(report["entries"].as_u64() > Some(0), "{report}");
    }
}

/// An outcome of Shanghai, received in Jiangsu: the transfer and its leaf there.
pub(crate) async fn received(sh: &Region, js: &Region, name: &str) -> (TransferId, u64) {
    let (here, there) = (sh.college.enrol(name).await, js.college.enrol(name).await);
    let outcome = sh.deposit(name, here).await;
    let (consent, id) = sh.consent(here, outcome, js, there).await;
    js.request(there, sh, (consent, id)).await;
    let view = js.reaches(id, "under-review", false).await;
    (id, view.record.expect("the outcome is in the archive"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_recognised_in_another_region_and_both_banks_say_the_same() {
    let regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let (id, record) = received(sh, js, "1").await;
    let there = js.college.enrol("1").await;
    js.apply(there, record).await;
    let at_js = js.reaches(id, "recognised", true).await;
    let at_sh = sh.reaches(id, "recognised", true).await;
    let taken = [
        "requested",
        "reserved",
        "released",
        "received",
        "recognised",
        "acknowledged",
    ];
    assert_eq!(codes(&at_js), taken);
    assert_eq!(codes(&at_sh), taken);
    let told = |view: &v1::TransferView| -> Vec<_> {
        let steps = view.steps.iter();
        steps
            .map(|it| (it.by, it.sequence, it.at_ms, it.step.clone()))
            .collect()
    };
    assert_eq!(told(&at_js), told(&at_sh), "times and contents too");
    let granted = at_sh.steps[4].step.clone().expect("a step");
    let Step::Recognised(granted) = step(granted).expect("a step") else {
        panic!("the fifth step is the recognition");
    };
    assert_eq!(granted.credited.hundredths(), 400);
    assert_eq!(granted.spent.hundredths(), 400);
    assert_eq!(granted.agreement_version, "2023.1");
    check(regions);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_outcome_serves_one_purpose_once_however_often_it_is_asked_for() {
    let regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let (here, there) = (sh.college.enrol("1").await, js.college.enrol("1").await);
    let outcome = sh.deposit("one", here).await;
    let (first, held) = sh.consent(here, outcome, js, there).await;
    js.request(there, sh, (first, held)).await;
    js.reaches(held, "under-review", false).await;

    let other = js.college.enrol("2").await;
    let again = v1::Consent {
        recipient_learner: digits(other),
        ..consent_in(sh, here, first.leaf_index.0).await
    };
    let record = sh.window.maker.consent(b"again", here, again);
    let (second, refused) = sh.consented(record).await;
    js.request(other, sh, (second, refused)).await;
    let view = js.reaches(refused, "refused", false).await;
    assert_eq!(view.reason, "OUTCOME_RESERVED");
    let still = sh.reaches(held, "under-review", false).await;
    assert_eq!(still.state, State::UnderReview.code());
    check(regions);
}

/// What a learner has consented to, by its leaf.
async fn consent_in(
    region: &Region,
    learner: creditbank_domain::LearnerCode,
    leaf: u64,
) -> v1::Consent {
    let request = v1::ListRecordsRequest {
        learner: digits(learner),
        ..Default::default()
    };
    let mut archive = region.window.line.archive();
    let page = archive.list_records(request).await.expect("an agent reads");
    let mut records = page.into_inner().records.into_iter();
    let record = records.find(|it| it.leaf_index == leaf).expect("there");
    let payload: v1::Payload =
        creditbank_wire::Message::decode(&record.payload[..]).expect("a payload");
    match payload.content {
        Some(v1::payload::Content::Consent(consent)) => consent,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_withdrawn_until_the_outcome_is_released_and_not_after() {
    let regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let (here, there) = (sh.college.enrol("1").await, js.college.enrol("1").await);
    let outcome = sh.deposit("one", here).await;
    let (consent, id) = sh.consent(here, outcome, js, there).await;
    let withdrawn = sh.window.maker.revocation(b"no", here, consent, "不同意了");
    sh.window.deposit(&sh.bank, vec![withdrawn]).await;
    js.request(there, sh, (consent, id)).await;
    let view = js.reaches(id, "refused", false).await;
    assert_eq!(view.reason, "CONSENT_WITHDRAWN");

    let (id, _) = received(sh, js, "2").await;
    let used = sh.reaches(id, "under-review", false).await;
    let here = sh.college.enrol("2").await;
    let consent = match step(used.steps[0].step.clone().expect("a step")) {
        Ok(Step::Requested { consent }) => consent,
        other => panic!("{other:?}"),
    };
    let late = sh.window.maker.revocation(b"late", here, consent, "太迟");
    let answer = sh
        .window
        .submit(vec![late])
        .await
        .expect("a row is refused alone");
    let violation = &answer.response.refused[0].violations[0];
    assert_eq!(violation.code, "CONSENT_USED");
    check(regions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_outcome_is_recalled_until_it_is_recognised() {
    let regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let (id, record) = received(sh, js, "1").await;
    recall(&sh.window.line, id).await.expect("an agent asks");
    js.reaches(id, "recalled", true).await;
    sh.reaches(id, "recalled", true).await;
    let there = js.college.enrol("1").await;
    // What was given back cannot be used any more.
    let state = state_of(js, there, record).await;
    assert_eq!(state, v1::RecordState::Revoked);
    check(regions);
}

async fn state_of(
    region: &Region,
    learner: creditbank_domain::LearnerCode,
    leaf: u64,
) -> v1::RecordState {
    let request = v1::ListRecordsRequest {
        learner: digits(learner),
        ..Default::default()
    };
    let mut last = String::new();
    until("the record", &mut last, async |_| {
        let mut archive = region.window.line.archive();
        let page = archive.list_records(request.clone()).await.ok()?;
        let mut records = page.into_inner().records.into_iter();
        let record = records.find(|it| it.leaf_index == leaf)?;
        let state = record.state();
        (state != v1::RecordState::Active).then_some(state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_is_revoked_after_settlement_is_reversed_by_both_banks() {
    let regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let here = sh.college.enrol("1").await;
    let (id, record) = received(sh, js, "1").await;
    let there = js.college.enrol("1").await;
    let application = js.apply(there, record).await;
    sh.reaches(id, "recognised", true).await;
    let settled = sh.reaches(id, "recognised", true).await;
    let outcome = match step(settled.steps[1].step.clone().expect("a step")) {
        Ok(Step::Reserved { outcome, .. }) => outcome,
        other => panic!("{other:?}"),
    };
    let wrong = sh
        .college
        .maker
        .revocation(b"wrong", here, outcome, "成绩有误");
    sh.college.deposit(&sh.bank, vec![wrong]).await;
    let at_js = js.reaches(id, "reversed", true).await;
    let at_sh = sh.reaches(id, "reversed", true).await;
    assert_eq!(
        codes(&at_sh)[5..],
        [
            "acknowledged",
            "reversal-requested",
            "reversed",
            "acknowledged"
        ]
    );
    assert_eq!(codes(&at_js), codes(&at_sh));
    let request = v1::GetApplicationRequest { application };
    let mut recognition = js.window.line.recognition();
    let file = recognition
        .get_application(request)
        .await
        .expect("an agent reads");
    assert_eq!(file.into_inner().state(), v1::ApplicationState::Reversed);
    check(regions);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_learner_amid_a_transfer_takes_the_outcome_back_and_leaves_both_logs_whole() {
    let regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let here = sh.college.enrol("1").await;
    let (id, _) = received(sh, js, "1").await;
    let request = v1::EraseLearnerRequest {
        learner: digits(here),
    };
    let mut learners = sh.bank.operator().await.learner();
    learners
        .erase_learner(request)
        .await
        .expect("an operator erases");
    let at_js = js.reaches(id, "recalled", true).await;
    let codes = codes(&at_js);
    assert_eq!(codes[4..], ["recalled", "returned", "acknowledged"]);
    sh.reaches(id, "recalled", true).await;

    // And at the other side: who asked is gone before anything is decided.
    let (id, _) = received(sh, js, "2").await;
    let there = js.college.enrol("2").await;
    let request = v1::EraseLearnerRequest {
        learner: digits(there),
    };
    let mut learners = js.bank.operator().await.learner();
    learners
        .erase_learner(request)
        .await
        .expect("an operator erases");
    let view = sh.reaches(id, "declined", true).await;
    assert_eq!(view.steps.len(), 6, "{:?}", self::codes(&view));
    check(regions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_was_down_catches_up_by_itself() {
    let mut regions = regions(2).await;
    let names: Vec<_> = (0..12).map(|number| format!("{number}")).collect();
    let mut asked = Vec::new();
    {
        let [sh, js] = &regions[..] else { panic!() };
        for name in &names {
            let (here, there) = (sh.college.enrol(name).await, js.college.enrol(name).await);
            let outcome = sh.deposit(name, here).await;
            let (consent, id) = sh.consent(here, outcome, js, there).await;
            asked.push((there, consent, id));
        }
    }
    // The origin is down while the receiver asks, and the receiver when the origin answers.
    regions[0].bank.stop();
    for (there, consent, id) in &asked {
        let [sh, js] = &regions[..] else { panic!() };
        js.request(*there, sh, (*consent, *id)).await;
    }
    regions[1].bank.kill();
    regions[0].bank.start();
    regions[0].reconnect().await;
    regions[1].bank.start();
    regions[1].reconnect().await;
    for (_, _, id) in &asked {
        regions[1].reaches(*id, "under-review", false).await;
        regions[0].reaches(*id, "under-review", false).await;
    }
    check(regions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsed_difference_is_found_by_check_and_undone_by_rebuild() {
    let mut regions = regions(2).await;
    let [sh, js] = &regions[..] else { panic!() };
    let (id, record) = received(sh, js, "1").await;
    let there = js.college.enrol("1").await;
    js.apply(there, record).await;
    sh.reaches(id, "recognised", true).await;
    js.reaches(id, "recognised", true).await;
    for region in &mut regions {
        region.bank.stop();
    }
    let js = &regions[1].bank;
    // Jiangsu has not given anything that Shanghai could have alone.
    let wrong = js.run(&[
        "rehearse",
        "{dir}",
        "--peer",
        "shanghai",
        "--difference",
        "state",
    ]);
    assert_eq!(wrong.status.code(), Some(2));
    let amount = [
        "rehearse",
        "{dir}",
        "--peer",
        "shanghai",
        "--difference",
        "amount",
    ];
    assert!(run(js, &amount).contains(&id.to_string()));
    // What was changed once is not changed again.
    assert_eq!(js.run(&amount).status.code(), Some(2));
    let found = js.run(&["check", "{dir}", "--quiet"]);
    assert_eq!(found.status.code(), Some(1));
    run(js, &["rebuild", "{dir}"]);
    run(js, &["check", "{dir}", "--quiet"]);
}
