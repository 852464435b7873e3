//! Who is signed in: a cookie that only this gateway can open, with a life of its own.
//!
//! The cookie holds the learner code and is encrypted, so a gateway keeps no table of sessions and any gateway with the same
//! key serves it. What a cookie cannot do is end early everywhere: ids of sessions that were signed out are remembered here
//! until they would have ended by themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum_extra::extract::cookie::{Cookie, PrivateCookieJar, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::CookieJar;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::app::App;
use crate::clock;
use crate::failure::Failure;

/// A cookie is sealed again when it was last so many seconds ago.
const RENEW_S: u64 = 60;
/// Signed-out sessions remembered; the oldest are the first that end by themselves.
const ENDED_MAX: usize = 100_000;
/// Bytes of a tag of HMAC-SHA-256.
const TAG_BYTES: usize = 32;
const CSRF_CONTEXT: &[u8] = b"creditbank/csrf/v1\n";

/// Somebody who is signed in.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Session {
    /// Random; names the session, never the learner.
    pub(crate) id: String,
    /// Learner code of who signed in.
    pub(crate) learner: String,
    /// For whom this person acts now.
    pub(crate) acting: Option<Acting>,
    pub(crate) began_s: u64,
    pub(crate) seen_s: u64,
    /// By the development login.
    pub(crate) development: bool,
}

/// A relative or carer acts for somebody, by that learner's grant.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Acting {
    /// 32 hexadecimal digits.
    pub(crate) grant_id: String,
    /// Learner code of whom it is about.
    pub(crate) learner: String,
    /// Whether more than looking is allowed.
    pub(crate) may_act: bool,
    /// As the page shows it.
    pub(crate) masked_name: String,
}

impl Session {
    /// A session that begins now.
    pub(crate) fn begin(learner: String, development: bool) -> Self {
        let now_s = clock::now_s();
        Self {
            id: random_text(),
            learner,
            acting: None,
            began_s: now_s,
            seen_s: now_s,
            development,
        }
    }

    /// Learner code of whose archive is shown.
    pub(crate) fn subject(&self) -> &str {
        self.acting.as_ref().map_or(&self.learner, |it| &it.learner)
    }

    /// What every form of this session carries: masked anew each time, so that compressed pages do not give it away
    /// byte by byte.
    pub(crate) fn csrf(&self, app: &App) -> String {
        let mut token = [0; 2 * TAG_BYTES];
        let (pad, masked) = token.split_at_mut(TAG_BYTES);
        getrandom::fill(pad).expect("the random source of the process never fails");
        let tag = self.csrf_mac(app).finalize().into_bytes();
        for ((masked, pad), tag) in masked.iter_mut().zip(pad).zip(tag) {
            *masked = *pad ^ tag;
        }
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whether a form is of this session.
    pub(crate) fn is_csrf(&self, app: &App, token: &str) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        if token.len() != 2 * TAG_BYTES {
            return false;
        }
        let (pad, masked) = token.split_at(TAG_BYTES);
        let tag: Vec<u8> = pad.iter().zip(masked).map(|(a, b)| a ^ b).collect();
        self.csrf_mac(app).verify_slice(&tag).is_ok()
    }

    fn csrf_mac(&self, app: &App) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&*app.options.session_key);
        let mac = mac.expect("HMAC takes any key").chain_update(CSRF_CONTEXT);
        mac.chain_update(&self.id)
    }

    fn is_alive(&self, app: &App, now_s: u64) -> bool {
        let options = &app.options;
        now_s < self.seen_s.saturating_add(options.session_idle.as_secs())
            && now_s < self.began_s.saturating_add(options.session_max.as_secs())
            && !app.ended.contains(&self.id)
    }
}

/// Sessions that were signed out before their time.
#[derive(Debug, Default)]
pub(crate) struct Ended(Mutex<HashMap<String, u64>>);

impl Ended {
    fn contains(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    /// Ends what would have ended at `until_s`; `false` if it has ended already.
    pub(crate) fn end(&self, id: &str, until_s: u64) -> bool {
        let now_s = clock::now_s();
        let mut ended = self.lock();
        if ended.len() >= ENDED_MAX {
            ended.retain(|_, until_s| *until_s > now_s);
        }
        if ended.len() >= ENDED_MAX {
            let soonest = ended.iter().min_by_key(|(_, until_s)| **until_s);
            if let Some(soonest) = soonest.map(|(id, _)| id.clone()) {
                ended.remove(&soonest);
            }
        }
        ended.insert(id.to_owned(), until_s).is_none()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session of a request: as it was read first.
pub(crate) fn read(parts: &Parts, app: &App) -> Option<Session> {
    if let Some(found) = parts.extensions.get::<Session>() {
        return Some(found.clone());
    }
    let cookie = opened(app, &parts.headers)?;
    let session = serde_json::from_str::<Session>(cookie.value()).ok()?;
    session.is_alive(app, clock::now_s()).then_some(session)
}

/// The session's cookie, opened; of several the last.
fn opened(app: &App, headers: &HeaderMap) -> Option<Cookie<'static>> {
    let jar = CookieJar::new();
    let seal = jar.private(&app.cookie_key);
    let lines = headers.get_all(header::COOKIE).into_iter();
    let cookies = lines
        .filter_map(|it| it.to_str().ok())
        .flat_map(Cookie::split_parse_encoded)
        .filter_map(Result::ok);
    cookies
        .filter(|it| it.name() == name(app))
        .filter_map(|it| seal.decrypt(it.into_owned()))
        .last()
}

/// The sealed cookies of a request.
pub(crate) fn jar(app: &App, headers: &HeaderMap) -> PrivateCookieJar {
    PrivateCookieJar::from_headers(headers, app.cookie_key.clone())
}

/// The cookie of a session.
pub(crate) fn cookie(app: &App, session: &Session) -> Cookie<'static> {
    let value = serde_json::to_string(session).expect("plain data");
    Cookie::build((name(app), value))
        .path("/")
        .http_only(true)
        .secure(app.is_secure())
        .same_site(SameSite::Lax)
        .build()
}

/// The cookie again, seen now, when it is time to renew it.
pub(crate) fn renewed(app: &App, session: &Session) -> Option<Session> {
    let now_s = clock::now_s();
    (now_s >= session.seen_s + RENEW_S)
        .then(|| Session {
            seen_s: now_s,
            ..session.clone()
        })
        .filter(|it| it.is_alive(app, now_s))
}

/// What the cookie is called; browsers keep the first for this host and TLS alone.
pub(crate) fn name(app: &App) -> &'static str {
    if app.is_secure() {
        "__Host-session"
    } else {
        "session"
    }
}

/// 128 random bits as text.
pub(crate) fn random_text() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the random source of the process never fails");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Somebody who is signed in; nobody else gets to a handler that asks for it.
#[derive(Debug, Clone)]
pub(crate) struct Learner(pub(crate) Session);

impl FromRequestParts<Arc<App>> for Learner {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        match read(parts, app) {
            Some(session) => Ok(Self(session)),
            None => Err(Failure::SignedOut {
                next: local_path(parts.uri.path_and_query().map_or("/", |it| it.as_str()))
                    .to_owned(),
            }),
        }
    }
}

/// A path of this site, or the archive: nobody is led elsewhere.
pub(crate) fn local_path(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn nobody_is_led_to_another_site() {
        for (asked, led) in [
            ("/archive?page=2", "/archive?page=2"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/a\r\nset-cookie: x", "/"),
            ("/\t/evil.example", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(asked), led);
        }
    }
}
