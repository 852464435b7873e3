//! Sign-in at an identity provider that is not ours.

use std::net::{SocketAddr, TcpListener};

use creditbank_wire::v1;

use super::browser::{Answer, Browser};
use super::fixture::Scene;
use super::provider::Provider;

/// A gateway with a provider; nobody is linked yet.
struct World {
    scene: Scene,
    provider: Provider,
}

fn free() -> SocketAddr {
    let held = TcpListener::bind("127.0.0.1:0").expect("a free port");
    held.local_addr().expect("it is bound")
}

fn settings(issuer: &str) -> String {
    format!(
        "client_requests_a_minute = 100000\n[provider]\nissuer = \"{issuer}\"\nclient_id = \"creditbank\"\n\
         client_secret = \"provider.secret\"\n"
    )
}

impl World {
    async fn new() -> Option<Self> {
        let at = free();
        let provider = Provider::start(&format!("http://{at}"))?;
        let mut scene = Scene::before_gateway().await;
        std::fs::create_dir_all(scene.web()).expect("room");
        std::fs::write(
            scene.web().join("provider.secret"),
            "a-secret-of-the-tests\n",
        )
        .expect("room");
        scene.start(&settings(&provider.issuer), &["--listen", &at.to_string()]);
        Some(Self { scene, provider })
    }

    /// Ties an account to a learner, as an operator does after proof of identity.
    async fn link(&self, account: &str, learner: &str) {
        let subject = v1::Subject {
            issuer: self.provider.issuer.clone(),
            subject: account.to_owned(),
        };
        let request = v1::LinkSubjectRequest {
            learner: learner.to_owned(),
            subject: Some(subject),
        };
        let operator = self.scene.bank.operator().await;
        operator
            .line()
            .access()
            .link_subject(request)
            .await
            .expect("linked");
    }

    /// Begins: where the gateway leads to.
    fn begin(&self, browser: &mut Browser, next: &str) -> String {
        let led = browser.get(&format!("/sign-in/start?next={next}")).is(303);
        assert_eq!(led.header("cache-control"), "no-store");
        led.header("location").to_owned()
    }

    /// Comes back with what the provider said.
    fn come_back(&self, browser: &mut Browser, address: &str) -> Answer {
        let base = format!("http://{}", self.scene.address());
        browser.get(
            address
                .strip_prefix(&base)
                .expect("an address of the gateway"),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_account_signs_its_learner_in() {
    let Some(world) = World::new().await else {
        return;
    };
    world.link("alice", &world.scene.one.code).await;
    let mut browser = world.scene.browser();
    let authorize = world.begin(&mut browser, "%2Farchive");
    assert!(authorize.starts_with(&world.provider.issuer), "{authorize}");
    for word in [
        "code_challenge_method=S256",
        "response_type=code",
        "state=",
        "nonce=",
        "scope=openid",
    ] {
        assert!(authorize.contains(word), "{authorize}");
    }
    let back = world.provider.sign_in(&authorize, "alice");
    let led = world.come_back(&mut browser, &back).is(303);
    assert_eq!(led.header("location"), "/archive");
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["session"]);
    assert_eq!(
        browser.get("/v1/me").is(200).json()["learner_code"],
        world.scene.one.code
    );
    browser.get("/archive").is(200);

    let token = browser.csrf();
    let led = browser.post("/sign-out", &[("csrf", &token)]).is(303);
    assert_eq!(led.header("location"), "/signed-out");
    let page = browser.get("/signed-out").is(200).text();
    assert!(
        page.contains(&format!("{}/session/end?", world.provider.issuer)),
        "{page}"
    );
    browser.get("/v1/me").is(401);
    let said = world.scene.said();
    for text in ["alice", world.scene.one.code.as_str(), back.as_str()] {
        assert!(!said.contains(text), "{text} is in the log:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_not_asked_for_signs_nobody_in() {
    let Some(world) = World::new().await else {
        return;
    };
    world.link("alice", &world.scene.one.code).await;
    let back_of = |browser: &mut Browser| {
        let authorize = world.begin(browser, "%2F");
        world.provider.sign_in(&authorize, "alice")
    };
    let refused = |browser: &mut Browser, address: &str, why: &str| {
        let answer = world.come_back(browser, address);
        assert_eq!(answer.status, 400, "{why}: {}", answer.text());
        assert!(answer.text().contains("SIGN_IN_FAILED"), "{why}");
        assert!(!browser.cookies.contains_key("session"), "{why}");
        browser.get("/v1/me").is(401);
    };

    let mut browser = world.scene.browser();
    let back = back_of(&mut browser);
    refused(
        &mut world.scene.browser(),
        &back,
        "begun by another browser",
    );
    let mut victim = world.scene.browser();
    world.begin(&mut victim, "%2F");
    refused(
        &mut victim,
        &back,
        "another's answer, while a sign-in is open",
    );
    let state = back
        .split("state=")
        .nth(1)
        .and_then(|it| it.split('&').next())
        .unwrap();
    refused(
        &mut browser.clone(),
        &back.replace(state, "AAAAAAAAAAAAAAAAAAAAAA"),
        "wrong state",
    );
    let elsewhere = back.replace("iss=", "iss=http%3A%2F%2Fevil.example&x=");
    refused(&mut browser.clone(), &elsewhere, "from another issuer");

    // A fresh answer, seen twice: once in time, then by somebody who has copied cookie and address.
    let mut copied = browser.clone();
    let mut again = world.scene.browser();
    let fresh = back_of(&mut again);
    copied.cookies.clone_from(&again.cookies);
    world.come_back(&mut again, &fresh).is(303);
    refused(&mut copied, &fresh, "replayed");

    // The same code under a sign-in of the attacker's own: the provider knows it as used, and PKCE binds it.
    let code = fresh
        .split("code=")
        .nth(1)
        .and_then(|it| it.split('&').next())
        .unwrap();
    let mut attacker = world.scene.browser();
    let own = back_of(&mut attacker);
    let own_code = own
        .split("code=")
        .nth(1)
        .and_then(|it| it.split('&').next())
        .unwrap();
    refused(
        &mut attacker,
        &own.replace(own_code, code),
        "a used code under another state",
    );

    // The nonce that comes back is not the one that was sent.
    let mut browser = world.scene.browser();
    let authorize = world.begin(&mut browser, "%2F");
    let nonce = authorize
        .split("nonce=")
        .nth(1)
        .and_then(|it| it.split('&').next())
        .unwrap();
    let other = authorize.replace(nonce, "BBBBBBBBBBBBBBBBBBBBBB");
    let back = world.provider.sign_in(&other, "alice");
    refused(&mut browser, &back, "wrong nonce");

    let mut browser = world.scene.browser();
    let authorize = world.begin(&mut browser, "%2F");
    let state = authorize
        .split("state=")
        .nth(1)
        .and_then(|it| it.split('&').next())
        .unwrap();
    let denied = format!(
        "http://{}/sign-in/return?error=access_denied&error_description=%3Cscript%3E&state={state}",
        world.scene.address()
    );
    refused(&mut browser, &denied, "denied at the provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_nobodys_is_told_how_to_link_it() {
    let Some(world) = World::new().await else {
        return;
    };
    world.link("alice", &world.scene.one.code).await;
    let mut pages = Vec::new();
    // The second is named like a learner that exists; nothing tells so.
    for account in ["mallory", world.scene.other.code.as_str()] {
        let mut browser = world.scene.browser();
        let authorize = world.begin(&mut browser, "%2Farchive");
        let back = world.provider.sign_in(&authorize, account);
        let page = world.come_back(&mut browser, &back).is(200).text();
        assert!(
            !browser.cookies.contains_key("session"),
            "{:?}",
            browser.cookies
        );
        let path = back.split("/sign-in").nth(1).expect("it leads back");
        pages.push(
            page.replace(account, "ACCOUNT")
                .replace(&path.replace('&', "&#38;"), "BACK"),
        );
    }
    assert_eq!(pages[0], pages[1]);
    assert!(pages[0].contains("窗口"), "{}", pages[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_starts_and_serves_while_its_provider_is_down() {
    let mut scene = Scene::before_gateway().await;
    let at = free();
    std::fs::create_dir_all(scene.web()).expect("room");
    std::fs::write(scene.web().join("provider.secret"), "x\n").expect("room");
    scene.start(
        &settings(&format!("http://{}", free())),
        &["--listen", &at.to_string()],
    );
    let mut browser = scene.browser();
    browser.get("/sign-in").is(200);
    let answer = browser.get("/sign-in/start").is(503);
    assert!(
        answer.text().contains("PROVIDER_UNAVAILABLE"),
        "{}",
        answer.text()
    );
    assert_ne!(answer.header("retry-after"), "");
    browser.get("/checkpoint").is(200);
    scene.stop();
}
