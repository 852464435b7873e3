//! The public log through the gateway: the same bytes, kept as long as they may be; and whether the gateway is well.

use creditbank_merkle::Hash;
use serde_json::Value;

use super::browser::raw;
use super::fixture::Scene;
use crate::http;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_passed_on_as_it_is_and_nothing_else_is() {
    let mut scene = Scene::new().await;
    let mut browser = scene.browser();
    for path in ["/checkpoint", "/tile/0/000.p/8", "/tile/entries/000.p/8"] {
        let passed = browser.get(path).is(200);
        let own = http::get(scene.bank.http(), path);
        assert_eq!((own.status, &own.body), (200, &passed.body), "{path}");
        let kept = passed.header("cache-control");
        assert_eq!(
            kept.contains("immutable"),
            path != "/checkpoint",
            "{path}: {kept}"
        );
        let tag = passed.header("etag");
        let again = browser.with("If-None-Match", tag).get(path).is(304);
        assert!(again.body.is_empty(), "{path}");
        browser.with("If-None-Match", "\"other\"").get(path).is(200);
    }
    for path in [
        "/tile/0/999",
        "/tile/9/000",
        "/tile/0/0",
        "/tile/0/000.p/0",
        "/tile/../checkpoint",
        "/tile/%2e%2e/peers",
        "/tile/entries/000.p/8?x=http://evil.example/",
        "/peers",
        "/cosigned",
        "/evidence",
        "/tile/",
        "/checkpoint/",
    ] {
        let answer = browser.get(path);
        assert!(
            answer.status == 404 || path.contains('?'),
            "{path}: {}",
            answer.status
        );
    }
    assert_eq!(browser.post("/add-checkpoint", &[]).status, 404);
    scene.bank.stop();
    assert_eq!(browser.get("/checkpoint").status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_the_interface_lead_to_the_signed_root() {
    let scene = Scene::new().await;
    let mut browser = scene.browser();
    let checkpoint = browser.get("/v1/log/checkpoint").is(200).json();
    let note = checkpoint["note"].as_str().unwrap();
    assert_eq!(note.as_bytes(), browser.get("/checkpoint").body);
    let size = checkpoint["tree_size"].as_u64().unwrap();
    let leaf = scene.one.leaves[0];
    let proof = browser
        .get(&format!("/v1/log/leaves/{leaf}/proof?tree_size={size}"))
        .is(200)
        .json();
    assert_eq!(proof["tree_size"], size);
    let hashes = |value: &Value| {
        let all = value.as_array().unwrap().iter();
        all.map(|it| it.as_str().unwrap().parse::<Hash>().unwrap())
            .collect::<Vec<_>>()
    };
    assert!(!hashes(&proof["hashes"]).is_empty());
    let consistency = browser.get("/v1/log/consistency?old_size=1").is(200).json();
    assert_eq!(consistency["new_size"], size);
    browser
        .get(&format!("/v1/log/leaves/{leaf}/receipt"))
        .is(200);
    browser.get("/v1/log/leaves/1000000/proof").is(400);
    browser.get("/v1/log/consistency?old_size=0").is(400);
    for purpose in ["revocation", "refresh"] {
        let list = browser.get(&format!("/v1/status/{purpose}/0")).is(200);
        assert_eq!(list.header("content-type"), "application/vc");
        assert_eq!(list.header("cache-control"), "public, max-age=300");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_learns_whether_it_is_well_and_no_more() {
    let mut scene = Scene::new().await;
    let mut browser = scene.browser();
    assert_eq!(browser.get("/healthz").is(200).text(), "alive\n");
    assert_eq!(browser.get("/readyz").is(200).text(), "ready\n");
    scene.bank.stop();
    assert_eq!(browser.get("/healthz").is(200).text(), "alive\n");
    assert_eq!(browser.get("/readyz").is(503).text(), "not ready\n");
    let head = format!("GET /sign-in HTTP/1.0\r\nHost: {}\r\n\r\n", scene.address());
    let sign_in = raw(scene.address(), head.as_bytes());
    assert_eq!(sign_in.status, 200);
    scene.stop();
}
