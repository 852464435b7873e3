//! What a learner takes away proves itself without the bank: its signatures, the payload behind it, its place in the log. And
//! what was taken away of a record that is over is shown to be over.

use creditbank_client::Refused;
use creditbank_client::receipt::{Opening, receipt_from_text};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::{KeyPurpose, RecordRef};
use creditbank_wire::v1;
use serde_json::{Value, json};

use crate::archive::gateway;
use crate::bank::Bank;
use crate::institution::{Institution, course, digits};

#[path = "../../crates/credential/tests/it/verifiers.rs"]
mod verifiers;

const BASE_URL: &str = "https://bank.example";

/// A bank with an institution, a gateway, and a learner who has `courses` courses.
struct Scene {
    bank: Bank,
    fudan: Institution,
    gateway: Institution,
    learner: LearnerCode,
    courses: Vec<RecordRef>,
}

impl Scene {
    async fn new(courses: usize) -> Self {
        let bank = Bank::new();
        let fudan = Institution::new(&bank, "fudan").await;
        let gateway = gateway(&bank).await;
        let learner = fudan.enrol("1").await;
        let records = (0..courses).map(|i| fudan.course(&i.to_string(), learner));
        let courses = fudan.deposit(&bank, records.collect()).await;
        Self {
            bank,
            fudan,
            gateway,
            learner,
            courses,
        }
    }

    fn leaves(&self) -> Vec<u64> {
        self.courses.iter().map(|it| it.leaf_index.0).collect()
    }

    fn badge(&self, leaf: u64) -> v1::IssueCredentialRequest {
        v1::IssueCredentialRequest {
            learner: digits(self.learner),
            form: v1::CredentialForm::OpenBadge as i32,
            leaf_indexes: vec![leaf],
            base_url: BASE_URL.into(),
        }
    }

    fn clr(&self, leaves: &[u64]) -> v1::IssueCredentialRequest {
        v1::IssueCredentialRequest {
            form: v1::CredentialForm::Clr as i32,
            leaf_indexes: leaves.to_vec(),
            ..self.badge(0)
        }
    }

    async fn list(&self, purpose: v1::StatusPurpose) -> Value {
        let request = v1::GetStatusListRequest {
            list: 0,
            purpose: purpose as i32,
            base_url: BASE_URL.into(),
        };
        // Public: anybody asks.
        let mut credentials = self.bank.anybody().await.line().credentials();
        let list = credentials.get_status_list(request).await.unwrap();
        serde_json::from_str(&list.into_inner().credential).unwrap()
    }
}

/// A credential, or the code of its refusal.
async fn issue(caller: &Institution, request: v1::IssueCredentialRequest) -> Result<Value, String> {
    let answer = caller
        .line
        .line()
        .credentials()
        .issue_credential(request)
        .await;
    let answer = answer.map_err(|status| Refused::new(status).code.unwrap_or_default())?;
    Ok(serde_json::from_str(&answer.into_inner().credential).unwrap())
}

/// Has every verifier that is not ours look at the signatures.
fn verify(credentials: &[Value]) {
    let verifiers = [verifiers::node(), verifiers::python()];
    for mut verifier in verifiers.into_iter().flatten() {
        let cases = credentials.iter();
        let cases = cases.map(|it| json!({"name": it["id"], "what": "verify", "credential": it}));
        for verdict in verifier.ask(cases.collect()) {
            assert_eq!(verdict["rdfc"], true, "{}: {verdict}", verifier.name());
            assert_eq!(verdict["jcs"], true, "{}: {verdict}", verifier.name());
        }
    }
}

/// Whether each of the badges holds by a list, as a reader of lists that is not ours sees it.
fn hold(node: &mut verifiers::Verifier, badges: &[Value], list: &Value) -> Vec<bool> {
    let case = |badge| json!({"name": "", "what": "status", "credential": badge, "list": list});
    let verdicts = node.ask(badges.iter().map(case).collect());
    verdicts.iter().map(|it| it["status"] == true).collect()
}

/// The bytes of a piece of evidence.
fn evidence(credential: &Value, genre: &str) -> Vec<u8> {
    use base64::Engine;
    let pieces = credential["evidence"].as_array().expect("evidence");
    let piece = pieces.iter().find(|piece| piece["genre"] == genre);
    let id = piece.expect("a piece of that genre")["id"].as_str();
    let (_, text) = id
        .and_then(|id| id.split_once(";base64,"))
        .expect("a data address");
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .expect("base64")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_proves_signature_payload_and_place_without_the_bank() {
    let scene = Scene::new(3).await;
    let leaf = scene.leaves()[1];
    let badge = issue(&scene.gateway, scene.badge(leaf)).await.unwrap();
    let clr = issue(&scene.gateway, scene.clr(&scene.leaves()))
        .await
        .unwrap();
    let mut anybody = scene.bank.anybody().await.line().credentials();
    let issuer = anybody.get_issuer(v1::GetIssuerRequest {}).await;
    let issuer = issuer.unwrap().into_inner();
    let (mut bank, fudan) = (scene.bank, scene.fudan);
    let mut verifier = bank.verifier();
    bank.check_log();
    // The bank is stopped from here on.
    assert_eq!(badge["issuer"]["id"], issuer.did);
    assert_eq!(issuer.log_key, bank.public_key().to_string());
    assert_eq!(badge["issuer"]["name"], issuer.name_zh);
    assert_eq!(badge["credentialSubject"]["creditsEarned"], 3);
    let key = &fudan.keys.public_keys()[0];
    verifier.add_issuer("fudan", key).unwrap();
    let members = clr["credentialSubject"]["verifiableCredential"].as_array();
    let members = members.expect("members");
    assert_eq!(members.len(), 3);
    for credential in members.iter().chain([&badge]) {
        let receipt = String::from_utf8(evidence(credential, "creditbank-receipt")).unwrap();
        let receipt = receipt_from_text(&receipt).unwrap();
        let opening = evidence(credential, "creditbank-opening");
        let (salt, payload) = opening.split_first_chunk::<32>().unwrap();
        let opening = Some(Opening { salt, payload });
        let verified = verifier.verify_receipt(&receipt, opening);
        verified.unwrap_or_else(|error| panic!("{error}\n{}", error.report));
        let index = receipt.leaf_index.to_string();
        assert_eq!(credential["credentialStatus"]["statusListIndex"], index);
        let mut other = payload.to_vec();
        *other.last_mut().unwrap() ^= 1;
        let opening = Some(Opening {
            salt,
            payload: &other,
        });
        assert!(verifier.verify_receipt(&receipt, opening).is_err());
    }
    verify(&[badge, clr]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_of_a_record_that_is_over_is_shown_to_be_over() {
    let mut scene = Scene::new(3).await;
    let mut badges = Vec::new();
    for leaf in scene.leaves() {
        badges.push(issue(&scene.gateway, scene.badge(leaf)).await.unwrap());
    }
    let before = scene.list(v1::StatusPurpose::Revocation).await;
    let smaller = v1::Outcome {
        credits_hundredths: Some(100),
        ..course("b")
    };
    let (maker, learner) = (&scene.fudan.maker, scene.learner);
    let changes = vec![
        maker.revocation(b"revoke", learner, scene.courses[0], "error"),
        maker.amendment(b"amend", learner, scene.courses[1], smaller, "error"),
    ];
    let changed = scene.fudan.deposit(&scene.bank, changes).await;
    let after = scene.list(v1::StatusPurpose::Revocation).await;
    let refresh = scene.list(v1::StatusPurpose::Refresh).await;
    assert_ne!(before["credentialSubject"], after["credentialSubject"]);
    if let Some(mut node) = verifiers::node() {
        assert_eq!(hold(&mut node, &badges, &before), [true, true, true]);
        assert_eq!(hold(&mut node, &badges, &after), [false, false, true]);
        // Open Badges admit one status, so whether there is a newer one is asked by hand.
        for badge in &mut badges {
            let text = badge["credentialStatus"].to_string();
            let text = text.replace("revocation", "refresh");
            badge["credentialStatus"] = serde_json::from_str(&text).unwrap();
        }
        assert_eq!(hold(&mut node, &badges, &refresh), [true, false, true]);
    }
    let [revoked, amended, holds] = scene.leaves()[..] else {
        panic!("three courses");
    };
    let over = Err("RECORD_NOT_IN_FORCE".to_owned());
    assert_eq!(issue(&scene.gateway, scene.badge(revoked)).await, over);
    assert_eq!(
        issue(&scene.gateway, scene.clr(&[amended, holds])).await,
        over
    );
    // The amendment is the record now; a revocation is none.
    let [revocation, amendment] = [0, 1].map(|i| changed[i].leaf_index.0);
    let newer = issue(&scene.gateway, scene.badge(amendment)).await.unwrap();
    assert_eq!(newer["credentialSubject"]["creditsEarned"], 1);
    let unknown = Err("RECORD_UNKNOWN".to_owned());
    assert_eq!(
        issue(&scene.gateway, scene.badge(revocation)).await,
        unknown
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_records_of_that_learner_in_force_become_credentials() {
    let mut scene = Scene::new(2).await;
    let other = scene.fudan.enrol("2").await;
    let foreign = scene.fudan.course("foreign", other);
    let foreign = scene.fudan.deposit(&scene.bank, vec![foreign]).await[0]
        .leaf_index
        .0;
    let [first, second] = scene.leaves()[..] else {
        panic!("two courses");
    };
    let changed = |change: fn(&mut v1::IssueCredentialRequest)| {
        let mut request = scene.badge(first);
        change(&mut request);
        request
    };
    let cases = [
        (scene.badge(foreign), "RECORD_UNKNOWN"),
        (scene.badge(0), "RECORD_UNKNOWN"),
        (scene.badge(1 << 40), "RECORD_UNKNOWN"),
        (scene.clr(&[first, second, foreign]), "RECORD_UNKNOWN"),
        (scene.clr(&[]), "MISSING"),
        (scene.clr(&[second, first]), "NOT_ASCENDING"),
        (scene.clr(&[first, first]), "NOT_ASCENDING"),
        (scene.clr(&(0..101).collect::<Vec<_>>()), "TOO_MANY"),
        (changed(|it| it.leaf_indexes.push(1 << 30)), "TOO_MANY"),
        (changed(|it| it.form = 0), "CHOICE_UNKNOWN"),
        (
            changed(|it| it.base_url = "http://bank.example".into()),
            "MALFORMED",
        ),
        (
            changed(|it| it.base_url = format!("{BASE_URL}/x")),
            "MALFORMED",
        ),
        (changed(|it| it.base_url = "h".repeat(201)), "TOO_LONG"),
        (changed(|it| it.base_url.clear()), "MISSING"),
        (
            changed(|it| it.learner = "1234567890123456".into()),
            "BAD_CHECK_DIGIT",
        ),
    ];
    for (request, code) in cases {
        let refused = issue(&scene.gateway, request.clone()).await;
        assert_eq!(refused, Err(code.to_owned()), "{request:?}");
    }
    let denied = Err("PERMISSION_DENIED".to_owned());
    assert_eq!(issue(&scene.fudan, scene.badge(first)).await, denied);
    let mut anybody = scene.bank.anybody().await.line().credentials();
    let status = anybody
        .issue_credential(scene.badge(first))
        .await
        .unwrap_err();
    assert_eq!(Refused::new(status).code.as_deref(), Some("TOKEN_MISSING"));
    for (list, code) in [
        (1, "STATUS_LIST_UNKNOWN"),
        (u64::MAX, "STATUS_LIST_UNKNOWN"),
    ] {
        let purpose = v1::StatusPurpose::Revocation as i32;
        let base_url = BASE_URL.into();
        let request = v1::GetStatusListRequest {
            list,
            purpose,
            base_url,
        };
        let status = anybody.get_status_list(request).await.unwrap_err();
        assert_eq!(Refused::new(status).code.as_deref(), Some(code));
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_record_becomes_no_credential() {
    let mut scene = Scene::new(2).await;
    let leaves = scene.leaves();
    let revoke = v1::RevokeKeyRequest {
        institution_id: "fudan".into(),
        key_id: scene.fudan.keys.key_id(KeyPurpose::Sign).0.to_vec().into(),
        doubtful_from: Some(leaves[1]),
    };
    let mut registry = scene.bank.operator().await.registry();
    registry.revoke_key(revoke).await.unwrap();
    let badge = issue(&scene.gateway, scene.badge(leaves[0])).await.unwrap();
    let refused = issue(&scene.gateway, scene.badge(leaves[1])).await;
    assert_eq!(refused, Err("RECORD_NOT_IN_FORCE".to_owned()));
    scene.bank.check_log();
    verify(&[badge]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_records_are_one_clr() {
    let mut scene = Scene::new(100).await;
    let clr = issue(&scene.gateway, scene.clr(&scene.leaves()))
        .await
        .unwrap();
    let members = clr["credentialSubject"]["verifiableCredential"].as_array();
    assert_eq!(members.map(Vec::len), Some(100));
    println!("{} bytes", clr.to_string().len());
    scene.bank.check_log();
    if let Some(mut node) = verifiers::node() {
        let case = json!({"name": "", "what": "verify", "credential": clr});
        let verdict = node.ask_one(case);
        assert_eq!(
            (&verdict["rdfc"], &verdict["jcs"]),
            (&json!(true), &json!(true)),
            "{verdict}"
        );
    }
}
