//! Verification: a credential or receipt checked in the visitor's own browser.
//!
//! The page brings what it trusts: who the bank is, its credential key and its log's key. Everything else is done by
//! `assets/verify.js` and shown by `assets/verify-page.js`; nothing of what is verified comes here. The offline page is the
//! same in one file, to be kept and opened from a disk.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use askama::Template;
use askama::filters::HtmlSafe;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use creditbank_wire::v1;
use fluent_bundle::FluentValue;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::words::{self, Lang};

/// The words that scripts say are the messages that begin so.
const SAID: &str = "verify-say-";
/// What scripts put into them.
const VALUES: [&str; 12] = [
    "bad", "count", "did", "digits", "id", "index", "key", "last", "name", "origin", "size", "time",
];
const FILE: HeaderValue =
    HeaderValue::from_static("attachment; filename=\"creditbank-verify.html\"");

/// What stands inside a page as it is: compiled in, and never anything that came from outside.
struct Inline(&'static str);

impl fmt::Display for Inline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl HtmlSafe for Inline {}

impl Inline {
    /// As a content security policy names it.
    fn source(&self) -> String {
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(self.0)))
    }
}

const SCRIPT: Inline = Inline(concat!(
    include_str!("../../assets/verify.js"),
    include_str!("../../assets/verify-page.js"),
));
const STYLE: Inline = Inline(concat!(
    include_str!("../../assets/base.css"),
    include_str!("../../assets/verify.css"),
));

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/verify", get(verify))
        .route("/verify/offline.html", get(offline))
}

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage {
    f: Frame,
    bank: String,
    words: &'static str,
    did: String,
    vkey: String,
}

async fn verify(State(app): State<Arc<App>>, f: Frame) -> Result<Response, Failure> {
    let issuer = &app.known().issuer;
    page(&VerifyPage {
        bank: bank(&app, issuer, f.view.lang),
        words: said(f.view.lang),
        did: issuer.did.clone(),
        vkey: issuer.log_key.clone(),
        f: f.at("verify"),
    })
}

#[derive(Template)]
#[template(path = "verify-offline.html")]
struct OfflinePage {
    f: Frame,
    bank: String,
    words: &'static str,
    did: String,
    vkey: String,
    base: String,
    policy: String,
    script: Inline,
    style: Inline,
}

/// A page of its own, which may run nothing but its one script and reach nothing but this site.
async fn offline(State(app): State<Arc<App>>, f: Frame) -> Result<Response, Failure> {
    let base = app.options.base_url.clone();
    let issuer = &app.known().issuer;
    let mut response = page(&OfflinePage {
        bank: bank(&app, issuer, f.view.lang),
        words: said(f.view.lang),
        did: issuer.did.clone(),
        vkey: issuer.log_key.clone(),
        policy: format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src {base}; form-action 'none'; base-uri 'none'",
            SCRIPT.source(),
            STYLE.source(),
        ),
        base,
        script: SCRIPT,
        style: STYLE,
        f,
    })?;
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, FILE);
    Ok(response)
}

/// The bank as the script knows it, JSON.
fn bank(app: &App, issuer: &v1::CredentialIssuer, lang: Lang) -> String {
    serde_json::json!({
        "name": lang.pick(&issuer.name_zh, &issuer.name_en),
        "did": issuer.did,
        "vkey": issuer.log_key,
        "vkeys": issuer.log_keys,
        "dids": issuer.earlier_dids,
        "base": app.options.base_url,
    })
    .to_string()
}

/// The words that scripts say, JSON; a value is written as its name in braces.
fn said(lang: Lang) -> &'static str {
    static SAID: LazyLock<[String; 2]> = LazyLock::new(|| [Lang::Zh, Lang::En].map(words_of));
    lang.pick(&SAID[0], &SAID[1])
}

fn words_of(lang: Lang) -> String {
    let names = VALUES.map(|name| (name, FluentValue::from(format!("{{{name}}}"))));
    let said: BTreeMap<&str, String> = keys()
        .map(|key| (key, words::text(lang, &format!("{SAID}{key}"), &names)))
        .collect();
    serde_json::to_string(&said).expect("texts by name are JSON")
}

/// Both languages have the same keys, as a test of the words holds.
fn keys() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../locales/zh/verify.ftl").lines();
    lines.filter_map(|line| line.strip_prefix(SAID)?.split_once(" =").map(|it| it.0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Inline, SCRIPT, STYLE, keys, said};
    use crate::words::Lang;

    /// Whole families are named by a part that only the script knows.
    const FAMILIES: [&str; 6] = ["state-", "step-", "fact-", "verdict-", "kind-", "content-"];

    /// What stands in quotes behind one of the calls that name a word.
    fn named(script: &str) -> BTreeSet<&str> {
        let calls = [
            "say(\"",
            "complain(\"",
            "Refused(\"",
            "Unknown(\"",
            "return [\"",
        ];
        let behind = |call: &'static str| script.split(call).skip(1);
        let mut found: BTreeSet<&str> = calls
            .into_iter()
            .flat_map(behind)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        for line in script.lines().filter(|it| it.contains("need(")) {
            let words = line.split('"').skip(1).step_by(2);
            found.extend(words.filter(|it| line.contains(&format!(", \"{it}\""))));
        }
        found
    }

    #[test]
    fn every_word_that_a_script_says_is_there_and_none_is_left_over() {
        let known: BTreeSet<&str> = keys().collect();
        let named = named(SCRIPT.0);
        for key in &known {
            let is_said = named.contains(key) || SCRIPT.0.contains(&format!("\"{key}\""));
            let is_family = FAMILIES.iter().any(|it| key.starts_with(it));
            assert!(is_said || is_family, "nobody says {key}");
        }
        let missing: Vec<_> = named
            .iter()
            .filter(|it| it.contains('-') && !known.contains(*it))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(said(Lang::Zh).contains("{did}") && said(Lang::En).contains("{did}"));
    }

    #[test]
    fn what_stands_inside_the_offline_page_does_not_end_it() {
        for Inline(text) in [SCRIPT, STYLE] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }
}
