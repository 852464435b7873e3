//! How long a session lives, and who can make one.

use cookie::{Cookie, CookieJar, Key};
use serde_json::{Value, json};

use super::browser::Browser;
use super::fixture::Scene;

/// Seals a session as the gateway does, with the key in its folder.
fn sealed(scene: &Scene, session: &Value) -> String {
    use base64::Engine as _;
    let text = std::fs::read_to_string(scene.web().join("session.key")).expect("made at start");
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim());
    let mut jar = CookieJar::new();
    let key = Key::from(&bytes.expect("base64"));
    jar.private_mut(&key)
        .add(Cookie::new("session", session.to_string()));
    jar.get("session").expect("sealed").value().to_owned()
}

fn now_s() -> u64 {
    let now =
        jiff::Timestamp::try_from(std::fs::metadata("/proc/self").unwrap().modified().unwrap());
    now.unwrap().as_second().cast_unsigned()
}

fn with_cookie(scene: &Scene, value: &str) -> Browser {
    let mut browser = scene.browser();
    // The jar writes what browsers send back as it is.
    browser
        .cookies
        .insert("session".into(), value.replace('=', "%3D"));
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_unused_in_time_or_when_it_is_signed_out() {
    let scene = Scene::new().await;
    let now_s = now_s();
    let session = |began_s: u64, seen_s: u64| {
        json!({
            "id": "A5bQ8n3-wRk1yT7uVx2z4A", "learner": scene.one.code, "acting": null,
            "began_s": began_s, "seen_s": seen_s, "development": true,
        })
    };
    for (began_s, seen_s, status) in [
        (now_s - 60, now_s - 60, 200),
        (now_s - 3_700, now_s - 3_650, 401),
        (now_s - 43_300, now_s - 10, 401),
        (now_s - 43_000, now_s - 10, 200),
    ] {
        let mut browser = with_cookie(&scene, &sealed(&scene, &session(began_s, seen_s)));
        let answer = browser.get("/v1/me");
        assert_eq!(
            answer.status,
            status,
            "{began_s} {seen_s}: {}",
            answer.text()
        );
    }

    let mut browser = scene.signed_in(&scene.one);
    let stolen = browser.clone();
    let token = browser.csrf();
    browser.post("/sign-out", &[("csrf", &token)]).is(303);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    let mut stolen = stolen;
    stolen.get("/v1/me").is(401);
    assert_eq!(
        stolen.get("/archive").is(303).header("location"),
        "/sign-in?next=%2Farchive"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_was_touched_signs_nobody_in() {
    let scene = Scene::new().await;
    let browser = scene.signed_in(&scene.one);
    let cookie = &browser.cookies["session"];
    for at in (0..cookie.len()).step_by(7) {
        let mut bytes = cookie.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let touched = String::from_utf8(bytes).expect("letters");
        // The last letters of base64 may say nothing.
        if at + 4 < cookie.len() {
            let mut other = browser.clone();
            other.cookies.insert("session".into(), touched);
            other.get("/v1/me").is(401);
        }
    }
    for nonsense in ["", "x", "%00", "{\"learner\":\"1\"}", &"A".repeat(4000)] {
        with_cookie(&scene, nonsense).get("/v1/me").is(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sign_in_makes_a_new_session_and_ends_the_one_before() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let mut before = browser.clone();
    browser.sign_in(&scene.one.code);
    assert_ne!(before.cookies["session"], browser.cookies["session"]);
    before.get("/v1/me").is(401);
    browser.get("/v1/me").is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_this_site_and_no_script() {
    let scene = Scene::new().await;
    let answer = scene
        .browser()
        .post("/sign-in/development", &[("learner", &scene.one.code)])
        .is(303);
    let cookie = answer.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(
        !cookie.contains(&scene.one.code) && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}
