//! What attackers get: nothing that is another's, no change from another site, no way elsewhere, and no word in the log.

use serde_json::{Value, json};

use super::browser::{Answer, Browser};
use super::fixture::Scene;

/// Every operation of the interface that names something of a learner: method, path with `{}` for the id, body.
fn named(scene: &Scene, ids: &Ids) -> Vec<(&'static str, String, Value)> {
    let leaf = ids.leaf;
    let mut all = vec![
        ("GET", format!("/v1/me/records/{leaf}"), Value::Null),
        ("GET", format!("/v1/me/records/{leaf}/receipt"), Value::Null),
        (
            "GET",
            format!("/v1/me/records/{leaf}/credential"),
            Value::Null,
        ),
        ("GET", format!("/v1/me/applications/{leaf}"), Value::Null),
        (
            "POST",
            "/v1/me/clr".to_owned(),
            json!({ "leaf_indexes": [leaf] }),
        ),
        (
            "DELETE",
            format!("/v1/me/grants/{}", ids.grant),
            Value::Null,
        ),
        (
            "DELETE",
            format!("/v1/me/requests/{}", ids.request),
            Value::Null,
        ),
    ];
    let share = json!({
        "expires_at_ms": soon_ms(scene),
        "content": { "kind": "share", "recipient": "甲", "purpose": "乙", "leaf_indexes": [leaf], "with_name": true },
    });
    all.push(("POST", "/v1/me/grants".to_owned(), share));
    let correction = json!({
        "request_id": "00112233445566778899aabbccddeeff",
        "content": { "kind": "correction", "leaf_index": leaf, "text": "错了" },
    });
    all.push(("POST", "/v1/me/requests".to_owned(), correction));
    all
}

/// What is one learner's.
struct Ids {
    leaf: u64,
    grant: String,
    request: String,
}

fn soon_ms(scene: &Scene) -> u64 {
    let made = std::fs::metadata(scene.web().join("gateway.toml")).expect("it is there");
    let made = jiff::Timestamp::try_from(made.modified().unwrap()).unwrap();
    made.as_millisecond().cast_unsigned() + 86_400_000
}

fn share(scene: &Scene, browser: &mut Browser, leaf: u64, recipient: &str) -> Value {
    let asked = json!({
        "expires_at_ms": soon_ms(scene),
        "content": {
            "kind": "share", "recipient": recipient, "purpose": "应聘", "leaf_indexes": [leaf], "with_name": true,
        },
    });
    browser.send("POST", "/v1/me/grants", &asked).is(201).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_and_what_is_not_have_one_answer() {
    let scene = Scene::new().await;
    let mut owner = scene.signed_in(&scene.other);
    let leaf = scene.other.leaves[0];
    let made = share(&scene, &mut owner, leaf, "甲公司");
    let wish = json!({ "request_id": "ffeeddccbbaa99887766554433221100", "content": { "kind": "erasure", "text": "" } });
    owner.send("POST", "/v1/me/requests", &wish).is(201);
    let theirs = Ids {
        leaf,
        grant: made["grant"]["grant_id"].as_str().unwrap().to_owned(),
        request: "ffeeddccbbaa99887766554433221100".to_owned(),
    };
    let nothing = Ids {
        leaf: 1_000_000,
        grant: "0123456789abcdef0123456789abcdef".to_owned(),
        request: "fedcba9876543210fedcba9876543210".to_owned(),
    };
    let mut attacker = scene.signed_in(&scene.one);
    let (theirs, nothing) = (named(&scene, &theirs), named(&scene, &nothing));
    for ((method, path, body), (_, unknown, nobodys)) in theirs.into_iter().zip(nothing) {
        let got = attacker.send(method, &path, &body);
        assert!(
            (400..500).contains(&got.status),
            "{method} {path}: {}",
            got.text()
        );
        let other = attacker.send(method, &unknown, &nobodys);
        assert_eq!(told(&got), told(&other), "{method} {path}");
        assert!(!got.text().contains(&scene.other.code) && !got.text().contains(scene.other.name));
    }
    // Nothing of it has changed anything.
    let grants = owner.get("/v1/me/grants").is(200).json();
    assert_eq!(grants["grants"].as_array().unwrap().len(), 1);
    assert!(grants["grants"][0]["withdrawn_at_ms"].is_null());
    assert_eq!(
        owner.get("/v1/me/requests").json()["requests"][0]["state"],
        "open"
    );
    for list in ["records", "grants", "requests", "looks", "applications"] {
        let path = format!("/v1/me/{list}");
        let mine = attacker.get(&path).is(200).text();
        assert!(
            !mine.contains("甲公司") && !mine.contains(&scene.other.code),
            "{mine}"
        );
    }
}

/// Every page that names something of a learner.
fn pages(ids: &Ids) -> Vec<String> {
    let (leaf, grant) = (ids.leaf, &ids.grant);
    vec![
        format!("/archive/{leaf}"),
        format!("/archive/{leaf}/receipt.txt"),
        format!("/archive/{leaf}/credential.json"),
        format!("/archive/{leaf}/correction"),
        format!("/archive/clr.json?leaf={leaf}"),
        format!("/archive/transcript.pdf?leaf={leaf}"),
        format!("/sharing/{grant}"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_shows_what_is_anothers() {
    let scene = Scene::new().await;
    let mut owner = scene.signed_in(&scene.other);
    let leaf = scene.other.leaves[0];
    let made = share(&scene, &mut owner, leaf, "甲公司");
    let theirs = Ids {
        leaf,
        grant: made["grant"]["grant_id"].as_str().unwrap().to_owned(),
        request: String::new(),
    };
    let nothing = Ids {
        leaf: 1_000_000,
        grant: "0123456789abcdef0123456789abcdef".to_owned(),
        request: String::new(),
    };
    let mut attacker = scene.signed_in(&scene.one);
    for (path, unknown) in pages(&theirs).iter().zip(pages(&nothing)) {
        owner.get(path).is(200);
        let (got, other) = (attacker.get(path), attacker.get(&unknown));
        assert_eq!(got.status, other.status, "{path}");
        let text = got.text();
        for word in [scene.other.code.as_str(), scene.other.name, "甲公司"] {
            assert!(!text.contains(word), "{path} shows {word}: {text}");
        }
        let anybody = scene.browser().get(path).status;
        assert!([303, 404].contains(&anybody), "{path}: {anybody}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_of_another_session_is_taken() {
    let scene = Scene::new().await;
    let foreign = scene.signed_in(&scene.other).csrf();
    let leaf = scene.one.leaves[0];
    for path in [
        "/sign-out".to_owned(),
        format!("/archive/{leaf}/correction"),
        "/archive/requests/withdraw".to_owned(),
        "/sharing".to_owned(),
        "/sharing/erasure".to_owned(),
        "/sharing/erasure/withdraw".to_owned(),
        "/acting/begin".to_owned(),
        "/acting/end".to_owned(),
        "/code/fresh".to_owned(),
        "/code/print".to_owned(),
        "/sharing/relatives".to_owned(),
        format!("/recognition/applications/{leaf}/appeal"),
        format!("/recognition/applications/{leaf}/withdraw"),
        "/recognition/transfers/request".to_owned(),
    ] {
        for fields in [vec![], vec![("csrf", foreign.as_str())], vec![("csrf", "")]] {
            let mut browser = scene.signed_in(&scene.one);
            let status = browser.post(&path, &fields).status;
            assert_eq!(status, 403, "{path} {fields:?}");
            browser.get("/v1/me").is(200);
        }
    }
}

/// Status and stable code.
fn told(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_learner_is_told_to_who_is_not_signed_in() {
    let scene = Scene::new().await;
    let document = scene.browser().get("/v1/openapi.json").is(200).json();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let own = path.starts_with("/v1/me");
        for method in item.as_object().unwrap().keys().filter(|_| own) {
            let path = path
                .replace("{leaf_index}", &scene.one.leaves[0].to_string())
                .replace("{grant_id}", "0123456789abcdef0123456789abcdef")
                .replace("{request_id}", "0123456789abcdef0123456789abcdef");
            let answer =
                scene
                    .browser()
                    .ask(&method.to_uppercase(), &path, "application/json", b"{}");
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            asked += 1;
        }
    }
    assert!(asked >= 15, "{asked}");
    let page = scene.browser().get("/archive").is(303);
    assert_eq!(page.header("location"), "/sign-in?next=%2Farchive");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_changes_anything() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let own = format!("http://{}", scene.address());
    let token = browser.csrf();
    let foreign_token = scene.signed_in(&scene.other).csrf();
    let body = json!({ "purpose": "totals" }).to_string();
    let ask = |token: Option<&str>, header: (&str, &str)| {
        let mut it = browser.with(header.0, header.1);
        if let Some(token) = token {
            it = it.with("X-CSRF-Token", token);
        }
        it.ask("POST", "/v1/me/code", "application/json", body.as_bytes())
            .status
    };
    let same = ("Sec-Fetch-Site", "same-origin");
    assert_eq!(ask(None, same), 403);
    assert_eq!(ask(Some(""), same), 403);
    assert_eq!(ask(Some(&foreign_token), same), 403);
    assert_eq!(ask(Some(&token[..token.len() - 4]), same), 403);
    assert_eq!(ask(Some(&token), ("Sec-Fetch-Site", "cross-site")), 403);
    assert_eq!(ask(Some(&token), ("Sec-Fetch-Site", "same-site")), 403);
    assert_eq!(ask(Some(&token), ("Origin", "https://evil.example")), 403);
    assert_eq!(ask(Some(&token), ("Origin", "null")), 403);
    assert_eq!(ask(Some(&token), ("Origin", &own)), 200);
    assert_eq!(ask(Some(&token), same), 200);

    for (path, fields) in [
        ("/sign-out", vec![]),
        ("/sign-out", vec![("csrf", foreign_token.as_str())]),
        ("/sign-out", vec![("csrf", "x")]),
    ] {
        scene.signed_in(&scene.one).post(path, &fields).is(403);
    }
    let mut elsewhere = scene.browser().with("Origin", "https://evil.example");
    let login = elsewhere.post("/sign-in/development", &[("learner", &scene.one.code)]);
    assert_eq!(
        login.status, 403,
        "a foreign form would sign a victim in as somebody else"
    );
    // A form cannot be sent as JSON, nor as text that happens to be a form.
    let mut browser = scene.signed_in(&scene.one);
    let token = browser.csrf();
    let form = format!("csrf={token}");
    browser
        .ask("POST", "/sign-out", "text/plain", form.as_bytes())
        .is(400);
    browser
        .with("X-CSRF-Token", &token)
        .ask("POST", "/v1/me/code", "text/plain", body.as_bytes())
        .is(415);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_another_site() {
    let scene = Scene::new().await;
    for target in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\/evil.example/",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "/x\r\nLocation: https://evil.example/",
        "http:evil.example",
    ] {
        let mut browser = scene.browser();
        let fields = [("learner", scene.one.code.as_str()), ("next", target)];
        let led = browser.post("/sign-in/development", &fields).is(303);
        assert_eq!(led.header("location"), "/", "{target:?}");
        let led = browser
            .post("/view", &[("lang", "en"), ("back", target)])
            .is(303);
        assert_eq!(led.header("location"), "/", "{target:?}");
        let escaped = super::browser::escaped(target);
        let page = scene
            .browser()
            .get(&format!("/sign-in?next={escaped}"))
            .is(200);
        assert!(!page.text().contains("evil.example"), "{target:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_text_wherever_they_are_shown_and_in_no_log() {
    let mut scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let hostile = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "甲\r\nSet-Cookie: session=stolen",
        "乙\u{1b}[31m红\u{7}",
        "丙\u{202e}gnp.exe",
        "{{ f.t(\"x\") }} ${7*7} %0d%0aX-Injected: 1",
    ];
    for text in hostile {
        let asked = json!({
            "expires_at_ms": soon_ms(&scene),
            "content": {
                "kind": "share", "recipient": text, "purpose": text, "leaf_indexes": [scene.one.leaves[0]],
                "with_name": true,
            },
        });
        let answer = browser.send("POST", "/v1/me/grants", &asked);
        assert!(
            [201, 400].contains(&answer.status),
            "{text:?}: {}",
            answer.text()
        );
        for (name, value) in &answer.headers {
            assert!(
                name != "x-injected" && !value.contains("stolen"),
                "{name}: {value}"
            );
        }
        for path in ["/v1/me/grants", "/archive", "/sharing", "/sign-in?next=/a"] {
            let page = browser.get(path);
            if page.header("content-type").starts_with("text/html") {
                let page = page.text();
                assert!(
                    !page.contains("<script>alert") && !page.contains("<img src=x"),
                    "{path}"
                );
            }
            assert_eq!(page.header("set-cookie"), "", "{path}");
        }
    }
    let course = "课程<script>alert(2)</script>\"'>";
    let learner = creditbank_domain::LearnerCode::parse(&scene.one.code).unwrap();
    let record = scene
        .fudan
        .maker
        .outcome(b"hostile", learner, crate::institution::course(course));
    scene.fudan.deposit(&scene.bank, vec![record]).await;
    let page = browser.get("/archive").is(200).text();
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(
        page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"),
        "{page}"
    );
    scene.stop();
    let said = scene.said();
    for text in ["alert(1)", "alert(2)", "stolen", "红", "X-Injected"] {
        assert!(!said.contains(text), "{text:?} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_and_no_secret_is_in_the_log() {
    let mut scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let token = browser.csrf();
    let made = share(&scene, &mut browser, scene.one.leaves[0], "某某公司");
    let secret = made["secret"].as_str().unwrap().to_owned();
    browser.get(&format!("/s/{secret}"));
    browser.get("/v1/me/export").is(200);
    browser
        .get(&format!("/v1/me/records/{}", scene.other.leaves[0]))
        .is(404);
    browser.get("/archive?page=nonsense");
    let code = browser
        .send("POST", "/v1/me/code", &json!({ "purpose": "check_in" }))
        .is(200);
    let code = code.json()["code"].as_str().unwrap().to_owned();
    let cookie = browser.cookies["session"].clone();
    scene.bank.stop();
    browser.get("/archive").is(503);
    scene.stop();
    let said = scene.said();
    let personal = [
        &scene.one.code,
        scene.one.name,
        "某某公司",
        &secret,
        &token,
        &code,
        &cookie,
    ];
    for text in personal {
        assert!(!said.contains(text), "{text:?} is in the log:\n{said}");
    }
    let whole: Vec<_> = said.lines().filter(|it| it.contains("ERROR")).collect();
    assert!(!whole.is_empty(), "that the ledger is gone is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    for path in [
        "/",
        "/archive",
        "/v1/me",
        "/nothing",
        "/v1/nothing",
        "/checkpoint",
        "/healthz",
        "/sign-in",
        "/v1/issuer",
    ] {
        let answer = browser.get(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            !answer.header("cache-control").is_empty() || answer.status == 303,
            "{path}"
        );
        let page = answer.text();
        if answer.header("content-type").starts_with("text/html") {
            assert!(
                !page.contains("<style")
                    && !page.contains(" style=")
                    && !page.contains(" onclick=")
            );
            assert!(
                !page.contains("//cdn") && !page.contains("src=\"http"),
                "{path}"
            );
        }
    }
    for path in [
        "/checkpoint",
        "/v1/issuer",
        "/v1/log/checkpoint",
        "/v1/status/revocation/0",
    ] {
        let answer = browser.get(path).is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    assert_eq!(
        browser.get("/v1/me").header("access-control-allow-origin"),
        ""
    );
}
