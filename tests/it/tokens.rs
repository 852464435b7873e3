//! Who calls: tokens that are missing, forged, stale, replayed or for somebody else, and what each role may do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_client::{Refused, submit};
use creditbank_domain::record::KeyPurpose;
use creditbank_wire::v1;
use creditbank_wire::v1::submission_service_client::SubmissionServiceClient;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::bank::{Bank, ORIGIN};
use crate::institution::{Institution, admission, digits, keys, public_key, seed, student};

#[expect(
    clippy::disallowed_methods,
    reason = "the life of a token is wall-clock time"
)]
fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

/// A compact JWT of these parts.
fn jwt(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}

fn header(id: &str, purpose: KeyPurpose) -> Value {
    json!({ "alg": "EdDSA", "typ": "JWT", "kid": keys(id).key_id(purpose).to_string() })
}

fn claims(jti: &str) -> Value {
    let now = now_s();
    json!({ "iss": "fudan", "aud": ORIGIN, "iat": now, "exp": now + 300, "jti": jti })
}

fn with(mut value: Value, key: &str, to: Value) -> Value {
    value[key] = to;
    value
}

fn authenticate_key(id: &str) -> SigningKey {
    SigningKey::from_bytes(&seed(id, "authenticate"))
}

/// A right token of `fudan`.
fn token(jti: &str) -> String {
    token_of("fudan", jti)
}

/// A right token of somebody.
pub(crate) fn token_of(id: &str, jti: &str) -> String {
    jwt(
        &header(id, KeyPurpose::Authenticate),
        &with(claims(jti), "iss", json!(id)),
        &authenticate_key(id),
    )
}

pub(crate) async fn channel(bank: &Bank) -> Channel {
    Channel::from_shared(format!("http://{}", bank.grpc()))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// A call that needs a caller, with this header.
async fn call(channel: &Channel, authorization: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(v1::ListSubmissionsRequest::default());
    if let Some(authorization) = authorization {
        request
            .metadata_mut()
            .insert("authorization", authorization.parse().unwrap());
    }
    SubmissionServiceClient::new(channel.clone())
        .list_submissions(request)
        .await
        .map(drop)
}

fn code(status: Status) -> String {
    Refused::new(status).code.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_needs_a_fresh_token_of_its_caller() {
    let mut bank = Bank::new();
    let _fudan = Institution::new(&bank, "fudan").await;
    let _other = Institution::new(&bank, "other").await;
    let line = channel(&bank).await;
    let right = header("fudan", KeyPurpose::Authenticate);
    let key = authenticate_key("fudan");
    let signed = |claims: Value| jwt(&right, &claims, &key);
    let now = now_s();
    let cases: Vec<(&str, Option<String>, &str)> = vec![
        ("no token", None, "TOKEN_MISSING"),
        (
            "another scheme",
            Some("Basic ZnVkYW46".into()),
            "TOKEN_MALFORMED",
        ),
        ("no parts", Some("Bearer token".into()), "TOKEN_MALFORMED"),
        (
            "too long",
            Some(format!("Bearer {}", "a".repeat(5000))),
            "TOKEN_MALFORMED",
        ),
        (
            "algorithm none",
            Some(jwt(
                &with(right.clone(), "alg", json!("none")),
                &claims("1"),
                &key,
            )),
            "TOKEN_MALFORMED",
        ),
        (
            "algorithm HS256",
            Some(jwt(
                &with(right.clone(), "alg", json!("HS256")),
                &claims("2"),
                &key,
            )),
            "TOKEN_MALFORMED",
        ),
        (
            "another's signature",
            Some(jwt(&right, &claims("3"), &authenticate_key("other"))),
            "SIGNATURE_INVALID",
        ),
        (
            "another's key",
            Some(jwt(
                &header("other", KeyPurpose::Authenticate),
                &claims("4"),
                &authenticate_key("other"),
            )),
            "KEY_UNKNOWN",
        ),
        (
            "a key for records",
            Some(jwt(
                &header("fudan", KeyPurpose::Sign),
                &claims("5"),
                &SigningKey::from_bytes(&seed("fudan", "sign")),
            )),
            "KEY_WRONG_PURPOSE",
        ),
        (
            "nobody's",
            Some(signed(with(claims("6"), "iss", json!("nobody")))),
            "ISSUER_UNKNOWN",
        ),
        (
            "another ledger's",
            Some(signed(with(claims("7"), "aud", json!("other.test/log")))),
            "TOKEN_AUDIENCE",
        ),
        (
            "expired",
            Some(signed(with(
                with(claims("8"), "iat", json!(now - 400)),
                "exp",
                json!(now - 100),
            ))),
            "TOKEN_EXPIRED",
        ),
        (
            "of the future",
            Some(signed(with(
                with(claims("9"), "iat", json!(now + 3600)),
                "exp",
                json!(now + 3700),
            ))),
            "TOKEN_EXPIRED",
        ),
        (
            "ends before it begins",
            Some(signed(with(claims("10"), "exp", json!(now - 1)))),
            "TOKEN_EXPIRED",
        ),
        (
            "a life of an hour",
            Some(signed(with(claims("11"), "exp", json!(now + 3600)))),
            "TOKEN_TOO_LONG",
        ),
        (
            "a life without end",
            Some(signed(with(claims("12"), "exp", json!(u64::MAX)))),
            "TOKEN_TOO_LONG",
        ),
        (
            "no id",
            Some(signed(with(claims(""), "jti", json!("")))),
            "TOKEN_MALFORMED",
        ),
        (
            "made before the bank was started",
            Some(signed(with(
                with(claims("13"), "iat", json!(now - 290)),
                "exp",
                json!(now + 5),
            ))),
            "TOKEN_REPLAYED",
        ),
    ];
    for (case, authorization, expected) in cases {
        let authorization = authorization.map(|token| {
            if token.contains(' ') {
                token
            } else {
                format!("Bearer {token}")
            }
        });
        let status = call(&line, authorization.as_deref()).await.expect_err(case);
        assert_eq!(
            status.code(),
            if expected == "ISSUER_UNKNOWN" {
                Code::NotFound
            } else {
                Code::Unauthenticated
            },
            "{case}"
        );
        assert_eq!(code(status), expected, "{case}");
    }
    assert!(
        call(&line, Some(&format!("Bearer {}", token("good"))))
            .await
            .is_ok()
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_worth_nothing_on_another_connection_or_after_a_restart() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (mine, thief) = (channel(&bank).await, channel(&bank).await);
    let token_of_mine = format!("Bearer {}", token("mine"));
    for _ in 0..3 {
        assert!(call(&mine, Some(&token_of_mine)).await.is_ok());
        assert_eq!(
            code(call(&thief, Some(&token_of_mine)).await.unwrap_err()),
            "TOKEN_REPLAYED"
        );
    }
    // The same id in another token is the same token.
    let other = with(claims("mine"), "exp", json!(now_s() + 200));
    let other = jwt(
        &header("fudan", KeyPurpose::Authenticate),
        &other,
        &authenticate_key("fudan"),
    );
    assert_eq!(
        code(
            call(&thief, Some(&format!("Bearer {other}")))
                .await
                .unwrap_err()
        ),
        "TOKEN_REPLAYED"
    );
    assert!(
        call(&mine, Some(&token_of_mine)).await.is_ok(),
        "the thief has not hurt its owner"
    );
    drop(fudan);
    bank.stop();
    bank.start();
    let issued_before = with(claims("fresh"), "iat", json!(now_s() - 60));
    let issued_before = jwt(
        &header("fudan", KeyPurpose::Authenticate),
        &with(issued_before, "exp", json!(now_s() + 60)),
        &authenticate_key("fudan"),
    );
    let line = channel(&bank).await;
    assert_eq!(
        code(
            call(&line, Some(&format!("Bearer {issued_before}")))
                .await
                .unwrap_err()
        ),
        "TOKEN_REPLAYED"
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_and_a_suspended_institution_are_shut_out_at_once() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let mut registry = bank.operator().await.registry();
    let suspend = |suspended| v1::SuspendInstitutionRequest {
        institution_id: "fudan".into(),
        suspended,
    };
    registry.suspend_institution(suspend(true)).await.unwrap();
    let refused = fudan
        .submit(vec![fudan.course("1", learner)])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("ISSUER_SUSPENDED"));
    registry.suspend_institution(suspend(false)).await.unwrap();
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    let key_id = fudan
        .keys
        .key_id(KeyPurpose::Authenticate)
        .0
        .to_vec()
        .into();
    let revoke = v1::RevokeKeyRequest {
        institution_id: "fudan".into(),
        key_id,
        doubtful_from: None,
    };
    registry.revoke_key(revoke).await.unwrap();
    let refused = fudan
        .submit(vec![fudan.course("2", learner)])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("KEY_REVOKED"));
    bank.check_log();
}

/// Registers a caller of a role.
async fn of_role(bank: &Bank, id: &str, role: v1::Role) -> Institution {
    let keys = std::sync::Arc::new(keys(id));
    let request = admission(&keys, role, &[v1::Category::DegreeCourse]);
    bank.operator()
        .await
        .registry()
        .create_institution(request)
        .await
        .unwrap();
    Institution::known(bank, keys).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_its_own_and_nothing_else() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    let record_id = fudan.maker.record_id(b"1").as_bytes().to_vec();
    let callers = [
        ("institution", Institution::new(&bank, "other").await),
        (
            "gateway",
            of_role(&bank, "gateway", v1::Role::Gateway).await,
        ),
        ("peer", of_role(&bank, "peer", v1::Role::PeerBank).await),
        (
            "auditor",
            of_role(&bank, "auditor", v1::Role::Auditor).await,
        ),
        (
            "reviewer",
            of_role(&bank, "reviewer", v1::Role::Reviewer).await,
        ),
        (
            "agent",
            of_role(&bank, "agent", v1::Role::LearnerAgent).await,
        ),
    ];
    for (role, caller) in &callers {
        let line = &caller.line;
        let is = |roles: &[&str]| {
            if roles.contains(role) {
                ""
            } else {
                "PERMISSION_DENIED"
            }
        };
        let said = |result: Result<(), Status>| result.err().map(code).unwrap_or_default();
        let create = admission(&keys("new"), v1::Role::Institution, &[]);
        let batch = v1::BatchCreateInstitutionsRequest {
            requests: vec![create.clone()],
        };
        let suspend = v1::SuspendInstitutionRequest {
            institution_id: "fudan".into(),
            suspended: true,
        };
        let permit = v1::SetPermittedCategoriesRequest {
            institution_id: "fudan".into(),
            categories: vec![],
        };
        let key = Some(public_key([5; 32], KeyPurpose::Sign));
        let add = v1::AddKeyRequest {
            institution_id: "fudan".into(),
            key,
        };
        let key_id = fudan.keys.key_id(KeyPurpose::Sign).0.to_vec().into();
        let revoke = v1::RevokeKeyRequest {
            institution_id: "fudan".into(),
            key_id,
            doubtful_from: None,
        };
        let merge = v1::MergeLearnersRequest {
            learner: digits(learner),
            merged_learner: digits(learner),
            reason: "x".into(),
        };
        let erase = v1::EraseLearnerRequest {
            learner: digits(learner),
        };
        let list = v1::ListSubmissionsRequest {
            issuer: "fudan".into(),
            ..Default::default()
        };
        let get = v1::GetSubmissionRequest {
            issuer: "fudan".into(),
            record_id: record_id.clone().into(),
        };
        let totals = v1::GetTotalsRequest {
            learner: digits(learner),
        };
        let records = v1::ListRecordsRequest {
            learner: digits(learner),
            ..Default::default()
        };
        let answers = [
            (
                "create",
                said(line.registry().create_institution(create).await.map(drop)),
                is(&[]),
            ),
            (
                "create many",
                said(
                    line.registry()
                        .batch_create_institutions(batch)
                        .await
                        .map(drop),
                ),
                is(&[]),
            ),
            (
                "suspend",
                said(line.registry().suspend_institution(suspend).await.map(drop)),
                is(&[]),
            ),
            (
                "permit",
                said(
                    line.registry()
                        .set_permitted_categories(permit)
                        .await
                        .map(drop),
                ),
                is(&[]),
            ),
            (
                "add another's key",
                said(line.registry().add_key(add).await.map(drop)),
                is(&[]),
            ),
            (
                "revoke another's key",
                said(line.registry().revoke_key(revoke).await.map(drop)),
                is(&[]),
            ),
            (
                "merge",
                said(line.learner().merge_learners(merge).await.map(drop)),
                is(&[]),
            ),
            (
                "erase",
                said(line.learner().erase_learner(erase).await.map(drop)),
                is(&[]),
            ),
            (
                "enrol",
                said(line.learner().enrol_learner(student("9")).await.map(drop)),
                is(&["institution", "gateway", "agent"]),
            ),
            (
                "another's submissions",
                said(line.submission().list_submissions(list).await.map(drop)),
                is(&["auditor"]),
            ),
            (
                "another's submission",
                said(line.submission().get_submission(get).await.map(drop)),
                is(&["auditor"]),
            ),
            (
                "totals",
                said(line.archive().get_totals(totals).await.map(drop)),
                is(&["institution", "gateway", "agent"]),
            ),
            (
                "records",
                said(line.archive().list_records(records).await.map(drop)),
                is(&["institution", "gateway", "agent"]),
            ),
        ];
        for (what, said, expected) in answers {
            assert_eq!(said, expected, "{role}: {what}");
        }
        // Whoever signs records of other kinds may call, and deposits nothing.
        let deposit = submit::submit_one(line, caller.course("x", learner)).await;
        let refusal = deposit.err().and_then(|it| it.code().map(str::to_owned));
        let expected = match *role {
            "institution" => None,
            "peer" | "auditor" => Some("PERMISSION_DENIED"),
            _ => Some("KIND_NOT_ALLOWED"),
        };
        assert_eq!(refusal.as_deref(), expected, "{role}: deposit");
    }
    // An auditor sees that a record is there, and not what it says.
    let get = v1::GetSubmissionRequest {
        issuer: "fudan".into(),
        record_id: record_id.into(),
    };
    let seen = callers[3]
        .1
        .line
        .submission()
        .get_submission(get.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(seen.payload.is_empty() && seen.salt.is_empty() && seen.receipt.is_some());
    let own = fudan
        .line
        .submission()
        .get_submission(get)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(own.payload, fudan.course("1", learner).payload);
    bank.check_log();
}
