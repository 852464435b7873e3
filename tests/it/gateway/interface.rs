//! JSON under `/v1`: what a learner's programs read, and what anybody may.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_client::receipt::{Opening, receipt_from_text};
use serde_json::{Value, json};

use super::fixture::{COURSES, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_reads_and_takes_away_the_whole_archive() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let me = browser.get("/v1/me").is(200).json();
    assert_eq!(me["learner_code"], scene.one.code);
    assert_eq!(me["name"], scene.one.name);

    let mut leaves = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!(
            "/v1/me/records?page_size=2&category=degree_course&state=active&page_token={token}"
        );
        let page = browser.get(&path).is(200).json();
        leaves.extend(
            page["records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["leaf_index"].as_u64().unwrap()),
        );
        token = page["next_page_token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    leaves.reverse();
    assert_eq!(leaves, scene.one.leaves);

    let totals = browser.get("/v1/me/totals").is(200).json();
    assert_eq!(totals["categories"][0]["records"], COURSES);
    assert_eq!(totals["categories"][0]["credits_hundredths"], 300 * COURSES);

    let leaf = leaves[0];
    let one = browser
        .get(&format!("/v1/me/records/{leaf}"))
        .is(200)
        .json();
    assert_eq!(
        one["record"]["outcome"]["grade"],
        json!({ "scheme": "percentage", "hundredths": 8550 })
    );
    let receipt = browser
        .get(&format!("/v1/me/records/{leaf}/receipt"))
        .is(200);
    assert!(receipt.header("content-type").starts_with("text/plain"));
    let receipt = receipt_from_text(&receipt.text()).expect("a receipt");
    let bytes = |name: &str| {
        STANDARD
            .decode(one["record"][name].as_str().unwrap())
            .unwrap()
    };
    let (payload, salt) = (bytes("payload"), bytes("salt"));
    let mut verifier = scene.bank.verifier();
    verifier
        .add_issuer("fudan", &scene.fudan.keys.public_keys()[0])
        .expect("a key");
    let opening = Opening {
        payload: &payload,
        salt: &salt,
    };
    verifier
        .verify_receipt(&receipt, Some(opening))
        .expect("it verifies offline");

    let credential = browser
        .get(&format!("/v1/me/records/{leaf}/credential"))
        .is(200);
    assert_eq!(credential.header("content-type"), "application/vc");
    let issuer = scene.browser().get("/v1/issuer").is(200).json();
    assert_eq!(credential.json()["issuer"]["id"], issuer["did"]);
    let clr = browser
        .send("POST", "/v1/me/clr", &json!({}))
        .is(200)
        .json();
    assert_eq!(clr["next_page_token"], "");
    let inside = &clr["credential"]["credentialSubject"]["verifiableCredential"];
    assert_eq!(inside.as_array().map(Vec::len), Some(COURSES), "{clr}");

    let export = browser.get("/v1/me/export").is(200).json();
    assert_eq!(export["records"].as_array().unwrap().len(), COURSES);
    for list in ["grants", "looks", "requests", "points", "applications"] {
        assert!(export[list].is_array(), "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_many_pages_is_whole() {
    let scene = Scene::new().await;
    let learner = creditbank_domain::LearnerCode::parse(&scene.one.code).unwrap();
    let more = (0..450).map(|at| scene.fudan.course(&format!("more-{at}"), learner));
    scene.fudan.deposit(&scene.bank, more.collect()).await;
    let export = scene
        .signed_in(&scene.one)
        .get("/v1/me/export")
        .is(200)
        .json();
    let records = export["records"].as_array().unwrap();
    let mut leaves: Vec<_> = records.iter().map(|it| it["leaf_index"].as_u64()).collect();
    leaves.sort_unstable();
    leaves.dedup();
    assert_eq!(leaves.len(), COURSES + 450);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_can_be_seen_and_ended() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let expires = jiff::Timestamp::try_from(
        std::fs::metadata(scene.web().join("gateway.toml"))
            .unwrap()
            .modified()
            .unwrap(),
    );
    let expires = expires.unwrap().as_millisecond() + 3_600_000;
    let delegate = scene.other.code.as_str();
    for content in [
        json!({ "kind": "share", "recipient": "甲", "purpose": "应聘", "leaf_indexes": scene.one.leaves, "with_name": false }),
        json!({ "kind": "printed_code", "purpose": "records", "categories": ["degree_course"] }),
        json!({ "kind": "delegation", "delegate": delegate, "scope": "view", "label": "女儿" }),
    ] {
        let asked = json!({ "expires_at_ms": expires, "content": content });
        let made = browser.send("POST", "/v1/me/grants", &asked).is(201).json();
        assert_eq!(made["grant"]["content"]["kind"], content["kind"]);
        assert_eq!(made["secret"].is_string(), content["kind"] != "delegation");
        let path = format!(
            "/v1/me/grants/{}",
            made["grant"]["grant_id"].as_str().unwrap()
        );
        let ended = browser.send("DELETE", &path, &Value::Null).is(200).json();
        assert!(ended["withdrawn_at_ms"].is_u64(), "{ended}");
        browser.send("DELETE", &path, &Value::Null).is(200);
    }
    assert_eq!(
        browser.get("/v1/me/grants").json()["grants"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let id = "00112233445566778899aabbccddeeff";
    let leaf = scene.one.leaves[1];
    let asked = json!({ "request_id": id, "content": { "kind": "correction", "leaf_index": leaf, "text": "学分应为 4" } });
    for _ in 0..2 {
        let made = browser
            .send("POST", "/v1/me/requests", &asked)
            .is(201)
            .json();
        assert_eq!(made["state"], "open");
    }
    let path = format!("/v1/me/requests/{id}");
    assert_eq!(
        browser.send("DELETE", &path, &Value::Null).is(200).json()["state"],
        "withdrawn"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_in_one_form() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    for (path, status) in [
        ("/v1/me/records?page_size=0", 400),
        ("/v1/me/records?page_size=201", 400),
        ("/v1/me/records?page_token=x", 400),
        ("/v1/me/records?unknown=1", 400),
        ("/v1/me/records?category=nonsense", 400),
        ("/v1/me/records/007", 400),
        ("/v1/me/records/-1", 400),
        ("/v1/me/records/18446744073709551615", 400),
        ("/v1/me/records/%00", 400),
        ("/v1/me/records/%ff", 400),
        ("/v1/me?x=1", 400),
        ("/v1/nothing", 404),
        ("/v1/status/other/0", 404),
    ] {
        let answer = browser.get(path).is(status);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{path}");
        for text in ["code", "title", "title_zh"] {
            assert!(
                problem[text].as_str().is_some_and(|it| !it.is_empty()),
                "{path}"
            );
        }
    }
    let answer = browser.ask("PUT", "/v1/me", "", b"").is(405);
    assert!(
        answer.header("allow").contains("GET"),
        "{:?}",
        answer.headers
    );
    for body in [
        json!({ "purpose": "totals", "learner": scene.other.code }),
        json!({ "purpose": "everything" }),
        json!({}),
        json!([]),
    ] {
        browser.send("POST", "/v1/me/code", &body).is(400);
    }
    let token = browser.csrf();
    let mut with_token = browser.with("X-CSRF-Token", &token);
    with_token
        .ask("POST", "/v1/me/code", "application/json", b"{\"purpose\"")
        .is(400);
}
