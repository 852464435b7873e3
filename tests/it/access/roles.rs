//! Who may call what: a table of every call and every role.

use creditbank_client::Bank as Connection;
use creditbank_wire::v1;

use super::{Scene, delegation, now_ms, printed, registered, share, told};
use crate::institution::digits;

/// Calls, and who may: gateway, operator, agent, institution, reviewer.
const MAY: [(&str, [bool; 5]); 17] = [
    ("link", [false, true, true, false, false]),
    ("unlink", [false, true, true, false, false]),
    ("find", [true, false, false, false, false]),
    ("issue", [true, false, false, false, false]),
    ("redeem", [false, true, true, true, false]),
    ("share", [true, false, false, false, false]),
    ("print", [true, true, true, false, false]),
    ("delegate", [true, true, true, false, false]),
    ("grants", [true, true, true, false, false]),
    ("withdraw", [true, true, true, false, false]),
    ("open", [true, false, false, false, false]),
    ("delegations", [true, false, false, false, false]),
    ("use", [true, false, false, false, false]),
    ("looks", [true, false, false, false, false]),
    ("ask", [true, true, true, false, false]),
    ("answer", [false, true, false, true, false]),
    ("take back", [true, false, false, false, false]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_for_some_roles_and_no_others() {
    let scene = Scene::new().await;
    let operator = scene.bank.operator().await;
    let reviewer = registered(&scene.bank, "expert", v1::Role::Reviewer).await;
    let lines = [
        &scene.gateway,
        &operator,
        &scene.window,
        &scene.fudan.line,
        &reviewer,
    ];
    for (name, may) in MAY {
        for (number, line) in lines.iter().enumerate() {
            let refused = call(&scene, line, name).await.err().unwrap_or_default();
            let is_denied = refused == "PERMISSION_DENIED";
            assert_eq!(
                !is_denied, may[number],
                "{name} by role {number}: {refused:?}"
            );
        }
    }
    // Nobody's token opens nothing at all.
    let anybody = scene.bank.anybody().await;
    for (name, _) in MAY {
        let refused = call(&scene, &anybody, name).await.unwrap_err();
        assert_eq!(refused, "TOKEN_MISSING", "{name}");
    }
}

async fn call(scene: &Scene, line: &Connection, name: &str) -> Result<(), String> {
    let learner = digits(scene.learner);
    let grant_id = bytes::Bytes::from_static(&[7; 16]);
    let subject = Some(v1::Subject {
        issuer: "https://id.example".into(),
        subject: "u".into(),
    });
    let make = |content| v1::CreateGrantRequest {
        learner: digits(scene.learner),
        expires_at_ms: now_ms() + 60_000,
        content: Some(content),
    };
    let (mut access, mut requests) = (line.line().access(), line.line().requests());
    macro_rules! call {
        ($service:ident.$method:ident($message:expr)) => {
            told($service.$method($message).await).map(drop)
        };
    }
    match name {
        "link" => call!(access.link_subject(v1::LinkSubjectRequest { learner, subject })),
        "unlink" => call!(access.unlink_subject(v1::UnlinkSubjectRequest { subject })),
        "find" => call!(access.find_subject(v1::FindSubjectRequest { subject })),
        "issue" => call!(access.issue_code(v1::IssueCodeRequest {
            learner,
            purpose: 1,
            categories: Vec::new(),
        })),
        "redeem" => call!(access.redeem_code(v1::RedeemCodeRequest {
            code: "CB1.".into(),
            purpose: 1,
            identity: None,
        })),
        "share" => call!(access.create_grant(make(share(&scene.leaves, "甲")))),
        "print" => call!(access.create_grant(make(printed(v1::DeskPurpose::Totals)))),
        "delegate" => call!(access.create_grant(make(delegation(scene.other, "女儿")))),
        "grants" => call!(access.list_grants(v1::ListGrantsRequest {
            learner,
            ..Default::default()
        })),
        "withdraw" => call!(access.withdraw_grant(v1::WithdrawGrantRequest { learner, grant_id })),
        "open" => call!(access.open_share(v1::OpenShareRequest {
            secret: "?".into(),
            viewer: String::new(),
        })),
        "delegations" => {
            call!(access.list_delegations(v1::ListDelegationsRequest { delegate: learner }))
        }
        "use" => call!(access.use_delegation(v1::UseDelegationRequest {
            delegate: learner,
            grant_id,
            begin: false,
        })),
        "looks" => call!(access.list_looks(v1::ListLooksRequest {
            learner,
            ..Default::default()
        })),
        "ask" => call!(requests.create_request(v1::CreateRequestRequest {
            learner,
            request_id: grant_id,
            content: None,
        })),
        "answer" => call!(requests.answer_request(v1::AnswerRequestRequest {
            request_id: grant_id,
            agree: true,
            answer: "好".into(),
        })),
        "take back" => call!(requests.withdraw_request(v1::WithdrawRequestRequest {
            learner,
            request_id: grant_id,
        })),
        other => panic!("no call {other}"),
    }
}
