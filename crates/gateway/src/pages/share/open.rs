//! The public page of a share: it asks who looks, then shows the records as they are now.
//!
//! Whoever has the link may look, so the link stays between them and the learner: these pages send no address along, are
//! kept nowhere, and a closed share has one answer, whatever closed it. What was opened is remembered for an hour in a
//! sealed cookie of these pages alone, so that the credential of each record can be fetched without a further look.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};
use creditbank_client::ClientError;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::archive::{Fact, Origin, Row, attachment, leaf_index, public_facts};
use crate::{clock, session, show};

/// Characters of the secret in a link.
const SECRET_CHARS: usize = 43;
/// Most characters of who looks.
const VIEWER_CHARS_MAX: usize = 100;
/// How long after it was opened credentials can be fetched.
const OPENED_S: u64 = 3600;

#[derive(Template)]
#[template(path = "share-ask.html")]
struct AskPage {
    f: Frame,
    secret: String,
    recipient: String,
    purpose: String,
    expires: String,
    is_nameless: bool,
}

#[derive(Template)]
#[template(path = "share-closed.html")]
struct ClosedPage {
    f: Frame,
}

#[derive(Template)]
#[template(path = "share-open.html")]
struct OpenPage {
    f: Frame,
    secret: String,
    recipient: String,
    purpose: String,
    expires: String,
    name: String,
    records: Vec<Shown>,
}

/// A record of a share.
struct Shown {
    row: Row,
    facts: Vec<Fact>,
    /// Whether there is a credential of it to have: it is in force, of this bank, and the learner is named; the evidence of
    /// a credential holds the learner code, by which somebody can be found.
    has_credential: bool,
}

/// What a browser remembers of a share that it opened.
#[derive(Serialize, Deserialize)]
struct Opened {
    /// Of the secret, hexadecimal.
    digest: String,
    learner: String,
    leaves: Vec<u64>,
    until_s: u64,
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    f: Frame,
    Path(secret): Path<String>,
) -> Result<Response, Failure> {
    ask_again(&app, f, secret, false).await
}

async fn ask_again(
    app: &App,
    f: Frame,
    secret: String,
    is_nameless: bool,
) -> Result<Response, Failure> {
    match look(app, &secret, "").await? {
        Some(share) => Ok(discreet(page(&AskPage {
            f: hidden(f),
            secret,
            recipient: share.recipient,
            purpose: share.purpose,
            expires: show::moment(share.expires_at_ms),
            is_nameless,
        })?)),
        None => closed(f),
    }
}

#[derive(Deserialize)]
pub(super) struct ViewerForm {
    #[serde(default)]
    viewer: String,
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    f: Frame,
    Path(secret): Path<String>,
    Form(form): Form<ViewerForm>,
) -> Result<Response, Failure> {
    let viewer = form.viewer.trim();
    if viewer.is_empty() || viewer.chars().count() > VIEWER_CHARS_MAX {
        return ask_again(&app, f, secret, true).await;
    }
    let Some(share) = look(&app, &secret, viewer).await? else {
        return closed(f);
    };
    let issuers = share.records.iter().map(|it| it.issuer.as_str());
    let names = app.institution_names(issuers).await;
    let shown = |record: &v1::ArchiveRecord| {
        let (row, facts) = public_facts(&f, &names, record)?;
        Some(Shown {
            has_credential: !share.name.is_empty()
                && row.state.is_active()
                && Origin::of(&record.payload).is_none(),
            row,
            facts,
        })
    };
    let records: Vec<_> = share.records.iter().filter_map(shown).collect();
    let cookie = remember(&app, &secret, &share);
    let response = discreet(page(&OpenPage {
        recipient: share.recipient,
        purpose: share.purpose,
        expires: show::moment(share.expires_at_ms),
        name: share.name,
        records,
        secret,
        f: hidden(f),
    })?);
    let jar = session::jar(&app, &headers).add(cookie);
    Ok((jar, response).into_response())
}

/// The credential of one record, while the share is open and for whoever has just opened it.
pub(super) async fn credential(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    f: Frame,
    Path((secret, leaf)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let leaf = leaf_index(&leaf)?;
    let jar = session::jar(&app, &headers);
    let cookie = jar.get(&cookie_name(&secret));
    let opened = cookie.and_then(|it| serde_json::from_str::<Opened>(it.value()).ok());
    let opened = opened.filter(|it| {
        it.digest == digest(&secret) && it.leaves.contains(&leaf) && clock::now_s() < it.until_s
    });
    let Some(opened) = opened else {
        return ask_again(&app, f, secret, false).await;
    };
    if look(&app, &secret, "").await?.is_none() {
        return closed(f);
    }
    let form = v1::CredentialForm::OpenBadge;
    let made = app.credential_of(&opened.learner, form, vec![leaf]).await;
    let name = format!("credential-{leaf}.json");
    Ok(discreet(attachment(&name, "application/vc+ld+json", made?)))
}

/// What a share shows; nothing where it is closed, or the link is none.
async fn look(app: &App, secret: &str, viewer: &str) -> Result<Option<v1::OpenedShare>, Failure> {
    let is_secret = secret.len() == SECRET_CHARS
        && secret
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !is_secret {
        return Ok(None);
    }
    match app.open_share(secret, viewer).await {
        Ok(share) => Ok(Some(share)),
        Err(error) if is_closed(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_closed(error: &ClientError) -> bool {
    error.code() == Some("SHARE_CLOSED")
}

fn closed(f: Frame) -> Result<Response, Failure> {
    let mut response = discreet(page(&ClosedPage { f: hidden(f) })?);
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}

/// A frame whose forms do not hold the link.
fn hidden(f: Frame) -> Frame {
    Frame {
        here: "/".to_owned(),
        ..f
    }
}

/// Neither the address goes along nor does a search engine keep it.
fn discreet(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin"),
    );
    headers.insert(
        header::HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    response
}

fn digest(secret: &str) -> String {
    show::hex(&Sha256::digest(secret)[..16])
}

/// Several shares can be open in one browser.
fn cookie_name(secret: &str) -> String {
    format!("opened-{}", &digest(secret)[..8])
}

fn remember(app: &App, secret: &str, share: &v1::OpenedShare) -> Cookie<'static> {
    let opened = Opened {
        digest: digest(secret),
        learner: share.learner.clone(),
        leaves: match &*share.name {
            // Of a learner who is not named, no credential can be had.
            "" => Vec::new(),
            _ => share.records.iter().map(|it| it.leaf_index).collect(),
        },
        until_s: clock::now_s() + OPENED_S,
    };
    let value = serde_json::to_string(&opened).expect("plain data");
    Cookie::build((cookie_name(secret), value))
        .path("/s/")
        .http_only(true)
        .secure(app.is_secure())
        .same_site(SameSite::Strict)
        .build()
}
