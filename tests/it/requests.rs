//! What learners ask: corrections go to whoever deposited the record, wishes to be erased to the bank, and an answer is
//! given once.

use creditbank_client::Bank as Connection;
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use creditbank_wire::v1::RequestState::{Agreed, Declined, Open, Withdrawn};
use creditbank_wire::v1::create_request_request::Content;

use crate::access::{Scene, enrol, told};
use crate::institution::{Institution, digits};

fn correction(leaf_index: u64, text: &str) -> Content {
    Content::Correction(v1::Correction {
        leaf_index,
        text: text.to_owned(),
        // Filled in by the bank, whatever is said.
        issuer: "somebody".into(),
        ..Default::default()
    })
}

fn erasure(text: &str) -> Content {
    Content::Erasure(v1::ErasureWish {
        text: text.to_owned(),
    })
}

async fn ask(
    line: &Connection,
    learner: LearnerCode,
    id: u8,
    content: Content,
) -> Result<v1::LearnerRequest, String> {
    let request = v1::CreateRequestRequest {
        learner: digits(learner),
        request_id: vec![id; 16].into(),
        content: Some(content),
    };
    told(line.line().requests().create_request(request).await)
}

async fn answer(
    line: &Connection,
    id: u8,
    agree: bool,
    answer: &str,
) -> Result<v1::LearnerRequest, String> {
    let request = v1::AnswerRequestRequest {
        request_id: vec![id; 16].into(),
        agree,
        answer: answer.to_owned(),
    };
    told(line.line().requests().answer_request(request).await)
}

async fn take_back(
    scene: &Scene,
    learner: LearnerCode,
    id: u8,
) -> Result<v1::LearnerRequest, String> {
    let request = v1::WithdrawRequestRequest {
        learner: digits(learner),
        request_id: vec![id; 16].into(),
    };
    told(
        scene
            .gateway
            .line()
            .requests()
            .withdraw_request(request)
            .await,
    )
}

/// First bytes of the ids that are listed, over all pages.
async fn listed(
    line: &Connection,
    learner: &str,
    states: &[v1::RequestState],
    page_size: u32,
) -> Result<Vec<u8>, String> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListRequestsRequest {
            learner: learner.to_owned(),
            states: states.iter().map(|it| i32::from(*it)).collect(),
            page_size,
            page_token,
        };
        let page = told(line.line().requests().list_requests(request).await)?;
        ids.extend(page.requests.iter().map(|it| it.request_id[0]));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(ids);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_reaches_the_institution_of_the_record_and_nobody_else() {
    let mut scene = Scene::new().await;
    let museum = Institution::new(&scene.bank, "museum").await;
    let operator = scene.bank.operator().await;
    let learner = scene.learner;
    let [a, b, _] = scene.leaves;
    let asked = ask(&scene.gateway, learner, 1, correction(a, "分数应为 90"))
        .await
        .unwrap();
    let Some(v1::learner_request::Content::Correction(told)) = &asked.content else {
        panic!("a correction");
    };
    let id = scene.fudan.maker.record_id(b"a");
    assert_eq!(
        (told.issuer.as_str(), &told.record_id[..]),
        ("fudan", &id.as_bytes()[..])
    );
    assert_eq!(
        (asked.state(), asked.learner.as_str()),
        (Open, digits(learner).as_str())
    );
    // The same again is the same; another content under its id, or the record again, is not.
    let again = ask(&scene.gateway, learner, 1, correction(a, "分数应为 90")).await;
    assert_eq!(again.unwrap(), asked);
    let cases = [
        (learner, 1, correction(a, "别的"), "REQUEST_ID_TAKEN"),
        (
            scene.other,
            1,
            correction(scene.others_leaf, "别的"),
            "REQUEST_ID_TAKEN",
        ),
        (learner, 2, correction(a, "又错了"), "REQUEST_OPEN"),
        (
            learner,
            2,
            correction(scene.others_leaf, "不是我的"),
            "RECORD_UNKNOWN",
        ),
        (learner, 2, correction(u64::MAX, "没有"), "RECORD_UNKNOWN"),
        (learner, 2, correction(b, ""), "MISSING"),
        (learner, 2, correction(b, &"长".repeat(501)), "TOO_LONG"),
    ];
    for (learner, id, content, refused) in cases {
        assert_eq!(
            ask(&scene.gateway, learner, id, content).await.unwrap_err(),
            refused
        );
    }
    ask(&scene.window, learner, 2, correction(b, "学时不对"))
        .await
        .unwrap();
    ask(&scene.gateway, learner, 3, erasure("不想再用"))
        .await
        .unwrap();
    let twice = ask(&scene.gateway, learner, 4, erasure("")).await;
    assert_eq!(twice.unwrap_err(), "REQUEST_OPEN");

    for page_size in [0, 1, 2] {
        let list = async |line, learner: &str| listed(line, learner, &[], page_size).await;
        assert_eq!(list(&scene.fudan.line, "").await.unwrap(), [2, 1]);
        assert_eq!(list(&museum.line, "").await.unwrap(), Vec::<u8>::new());
        assert_eq!(list(&operator, "").await.unwrap(), [3, 2, 1]);
        assert_eq!(list(&operator, &digits(learner)).await.unwrap(), [3, 2, 1]);
        assert_eq!(
            list(&scene.gateway, &digits(learner)).await.unwrap(),
            [3, 2, 1]
        );
        assert_eq!(
            list(&scene.gateway, &digits(scene.other)).await.unwrap(),
            Vec::<u8>::new()
        );
    }
    let everybody = listed(&scene.gateway, "", &[], 0).await;
    assert!(everybody.is_err(), "a gateway says whose");
    let by_learner = listed(&scene.fudan.line, &digits(learner), &[], 0).await;
    assert_eq!(by_learner.unwrap_err(), "PERMISSION_DENIED");

    // Answers: by the institution, or the bank; once.
    assert_eq!(
        answer(&museum.line, 1, true, "好").await.unwrap_err(),
        "REQUEST_UNKNOWN"
    );
    assert_eq!(
        answer(&scene.fudan.line, 3, true, "好").await.unwrap_err(),
        "REQUEST_UNKNOWN"
    );
    assert_eq!(
        answer(&scene.fudan.line, 9, true, "好").await.unwrap_err(),
        "REQUEST_UNKNOWN"
    );
    assert_eq!(
        answer(&scene.fudan.line, 1, true, "").await.unwrap_err(),
        "MISSING"
    );
    let agreed = answer(&scene.fudan.line, 1, true, "已更正").await.unwrap();
    assert_eq!((agreed.state(), agreed.answer.as_str()), (Agreed, "已更正"));
    assert!(agreed.answered_at_ms.is_some());
    let again = answer(&operator, 1, false, "不").await;
    assert_eq!(again.unwrap_err(), "REQUEST_ANSWERED");
    assert_eq!(
        answer(&operator, 2, false, "学时无误")
            .await
            .unwrap()
            .state(),
        Declined
    );
    assert_eq!(
        take_back(&scene, learner, 1).await.unwrap_err(),
        "REQUEST_ANSWERED"
    );
    assert_eq!(
        take_back(&scene, scene.other, 3).await.unwrap_err(),
        "REQUEST_UNKNOWN"
    );
    for _ in 0..2 {
        assert_eq!(
            take_back(&scene, learner, 3).await.unwrap().state(),
            Withdrawn
        );
    }
    assert_eq!(
        answer(&operator, 3, true, "好").await.unwrap_err(),
        "REQUEST_ANSWERED"
    );
    // What is over can be asked again.
    ask(&scene.gateway, learner, 5, correction(a, "还是不对"))
        .await
        .unwrap();
    scene.days_later(0).await;
    let line = &scene.fudan.line;
    assert_eq!(listed(line, "", &[Open], 1).await.unwrap(), [5]);
    assert_eq!(
        listed(line, "", &[Agreed, Declined], 1).await.unwrap(),
        [2, 1]
    );
    let own = listed(&scene.gateway, &digits(learner), &[Withdrawn], 1).await;
    assert_eq!(own.unwrap(), [3]);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_merged_code_are_one_list_and_an_erasure_takes_them() {
    let mut scene = Scene::new().await;
    let twice = enrol(&scene.fudan, "E11112222", "").await;
    let places = scene
        .fudan
        .deposit(&scene.bank, vec![scene.fudan.course("t", twice)])
        .await;
    let leaf = places[0].leaf_index.0;
    ask(&scene.gateway, twice, 1, correction(leaf, "错"))
        .await
        .unwrap();
    scene.merge(scene.learner, twice).await;
    // Of the record that lies under the merged code the institution is told that code.
    let second = ask(&scene.gateway, scene.learner, 2, erasure(""))
        .await
        .unwrap();
    assert_eq!(second.learner, digits(scene.learner));
    let open = ask(&scene.gateway, scene.learner, 3, correction(leaf, "又错")).await;
    assert_eq!(open.unwrap_err(), "REQUEST_OPEN");
    for code in [scene.learner, twice] {
        assert_eq!(
            listed(&scene.gateway, &digits(code), &[], 0).await.unwrap(),
            [2, 1]
        );
    }
    take_back(&scene, scene.learner, 1).await.unwrap();
    let third = ask(&scene.gateway, scene.learner, 3, correction(leaf, "又错"))
        .await
        .unwrap();
    assert_eq!(third.learner, digits(twice));
    let erase = v1::EraseLearnerRequest {
        learner: digits(twice),
    };
    let operator = scene.bank.operator().await;
    operator.learner().erase_learner(erase).await.unwrap();
    assert_eq!(
        listed(&operator, "", &[], 0).await.unwrap(),
        Vec::<u8>::new()
    );
    assert_eq!(
        listed(&scene.fudan.line, "", &[], 0).await.unwrap(),
        Vec::<u8>::new()
    );
    assert_eq!(
        answer(&operator, 3, true, "好").await.unwrap_err(),
        "REQUEST_UNKNOWN"
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_has_at_most_a_hundred_open_requests() {
    let scene = Scene::new().await;
    let keys: Vec<_> = (0..101).map(|i| format!("r{i}")).collect();
    let records = keys
        .iter()
        .map(|key| scene.fudan.course(key, scene.learner));
    let places = scene.fudan.deposit(&scene.bank, records.collect()).await;
    let asking = async |i: u8| {
        let leaf = places[usize::from(i)].leaf_index.0;
        ask(&scene.gateway, scene.learner, i, correction(leaf, "错")).await
    };
    for i in 0..100 {
        asking(i).await.unwrap();
    }
    assert_eq!(asking(100).await.unwrap_err(), "REQUESTS_TOO_MANY");
    take_back(&scene, scene.learner, 42).await.unwrap();
    asking(100).await.unwrap();
}
