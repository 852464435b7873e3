//! The first page, signing in and out, language and size of text.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, PrivateCookieJar, SameSite};
use cookie::time::Duration;
use creditbank_domain::identifier::LearnerCode;
use serde::Deserialize;

use crate::app::App;
use crate::clock;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, SIZE_MAX, VIEW_COOKIE, View, page};
use crate::session::{self, Session, local_path};
use crate::sign_in::{BEGUN_S, Begun, SignIn};
use crate::words::Lang;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/sign-in/start", get(start))
        .route("/sign-in/return", get(come_back))
        .route("/sign-in/development", post(sign_in_development))
        .route("/sign-out", post(sign_out))
        .route("/signed-out", get(signed_out))
        .route("/view", post(change_view))
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    f: Frame,
}

async fn home(f: Frame) -> Result<Response, Failure> {
    if f.session.is_some() {
        return Ok(Redirect::to("/archive").into_response());
    }
    page(&Home { f })
}

#[derive(Deserialize)]
struct SignInQuery {
    #[serde(default)]
    next: String,
    /// Filled in for the development login, where a demonstration leads here.
    #[serde(default)]
    learner: String,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    f: Frame,
    next: String,
    learner: String,
    has_provider: bool,
}

async fn sign_in(
    State(app): State<Arc<App>>,
    f: Frame,
    Query(query): Query<SignInQuery>,
) -> Result<Response, Failure> {
    page(&SignInPage {
        f,
        next: local_path(&query.next).to_owned(),
        learner: query.learner,
        has_provider: app.options.provider.is_some(),
    })
}

/// Leads to the provider. A GET, because the policy of these pages lets no form end elsewhere.
async fn start(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<SignInQuery>,
) -> Result<Response, Failure> {
    let sign_in = app.sign_in.as_ref().ok_or(Failure::NotFound)?;
    let next = local_path(&query.next).to_owned();
    let (url, begun) = sign_in.begin(next).await?;
    let value = serde_json::to_string(&begun).expect("plain data");
    let cookie = Cookie::build((begun_name(&app), value))
        .path("/")
        .http_only(true)
        .secure(app.is_secure())
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(BEGUN_S.cast_signed()))
        .build();
    let jar = session::jar(&app, &headers).add(cookie);
    Ok((jar, no_store(Redirect::to(&url))).into_response())
}

/// What the provider sends the browser back with.
#[derive(Deserialize)]
struct ReturnQuery {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    /// RFC 9207
    iss: Option<String>,
}

#[derive(Template)]
#[template(path = "unlinked.html")]
struct Unlinked {
    f: Frame,
    subject: String,
}

/// The way back from the provider.
async fn come_back(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    f: Frame,
    Query(query): Query<ReturnQuery>,
) -> Result<Response, Failure> {
    let sign_in = app.sign_in.as_ref().ok_or(Failure::NotFound)?;
    let jar = session::jar(&app, &headers);
    let begun = begun(&app, &jar, &query)?;
    let is_ours = query.iss.as_deref().is_none_or(|it| sign_in.is_issuer(it));
    if !is_ours || query.code.is_empty() {
        return Err(Failure::SignInFailed);
    }
    let next = begun.next.clone();
    let account = sign_in.end(begun, query.code).await?;
    let learner = app.learner_of(&account).await?;
    let gone = Cookie::build(begun_name(&app)).path("/").build();
    let jar = jar.remove(gone);
    if learner.is_empty() {
        // The address of this page serves once: another language is chosen from the page before.
        let here = "/sign-in".to_owned();
        let f = Frame { here, ..f };
        let subject = account.subject;
        return Ok((jar, page(&Unlinked { f, subject })?).into_response());
    }
    Ok(signed_in(
        &app,
        f.session.as_ref(),
        jar,
        learner,
        &next,
        false,
    ))
}

/// What this browser began, if the answer belongs to it; once.
fn begun(app: &App, jar: &PrivateCookieJar, query: &ReturnQuery) -> Result<Begun, Failure> {
    let cookie = jar.get(begun_name(app)).ok_or(Failure::SignInFailed)?;
    let begun = serde_json::from_str::<Begun>(cookie.value());
    let begun = begun.map_err(|_| Failure::SignInFailed)?;
    let until_s = begun.began_s + BEGUN_S;
    // Both are random and of one browser: their comparison tells nobody anything.
    if query.state != begun.state
        || clock::now_s() >= until_s
        || !app.ended.end(&begun.state, until_s)
    {
        return Err(Failure::SignInFailed);
    }
    Ok(begun)
}

fn begun_name(app: &App) -> &'static str {
    if app.is_secure() {
        "__Host-sign-in"
    } else {
        "sign-in"
    }
}

/// A new session, with a new id; the one before it ends.
fn signed_in(
    app: &App,
    before: Option<&Session>,
    jar: PrivateCookieJar,
    learner: String,
    next: &str,
    development: bool,
) -> Response {
    if let Some(before) = before {
        app.end(before);
    }
    let session = session::cookie(app, &Session::begin(learner, development));
    (jar.add(session), no_store(Redirect::to(local_path(next)))).into_response()
}

/// What carries a cookie or a secret is kept by no cache.
fn no_store(redirect: Redirect) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], redirect)
}

#[derive(Deserialize)]
struct DevelopmentForm {
    learner: String,
    #[serde(default)]
    next: String,
}

/// Signs in as anybody: only where whoever runs the gateway has said so, on loopback.
async fn sign_in_development(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    f: Frame,
    Form(form): Form<DevelopmentForm>,
) -> Result<Response, Failure> {
    if !app.options.development_login {
        return Err(Failure::NotFound);
    }
    let code = LearnerCode::parse(&form.learner);
    let code = code.map_err(|refusal| Failure::Refused {
        refusal,
        field: "learner",
    })?;
    let learner = format!("{:016}", code.as_u64());
    app.learner_profile(&learner).await?;
    let jar = session::jar(&app, &headers);
    let before = f.session.as_ref();
    Ok(signed_in(&app, before, jar, learner, &form.next, true))
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    checked: Checked<Nothing>,
) -> Response {
    let Nothing {} = checked.form;
    app.end(&checked.session);
    let gone = Cookie::build(session::name(&app)).path("/").build();
    let jar = session::jar(&app, &headers).remove(gone);
    let at = if checked.session.development {
        "/"
    } else {
        "/signed-out"
    };
    (jar, no_store(Redirect::to(at))).into_response()
}

#[derive(Template)]
#[template(path = "signed-out.html")]
struct SignedOut {
    f: Frame,
    /// Where to sign out of the provider too.
    provider: Option<String>,
}

/// Tells that the provider may still know the browser: the next person at this machine would be signed in as this one.
async fn signed_out(State(app): State<Arc<App>>, f: Frame) -> Result<Response, Failure> {
    let provider = app.sign_in.as_ref().and_then(SignIn::end_session);
    page(&SignedOut { f, provider })
}

/// One of the switches; what is absent stays.
#[derive(Deserialize)]
pub(crate) struct ViewForm {
    lang: Option<String>,
    elder: Option<String>,
    size: Option<u8>,
    #[serde(default)]
    back: String,
}

impl ViewForm {
    /// Remembers what was switched, and goes back.
    pub(crate) fn switch(self, mut view: View, jar: CookieJar, is_secure: bool) -> Response {
        match self.lang.as_deref() {
            Some("zh") => view.lang = Lang::Zh,
            Some("en") => view.lang = Lang::En,
            _ => {}
        }
        if let Some(elder) = self.elder {
            view.elder = elder == "1";
            view.size = u8::from(view.elder);
        }
        if let Some(size) = self.size {
            view.size = size.min(SIZE_MAX);
        }
        let cookie = Cookie::build((VIEW_COOKIE, view.to_text()))
            .path("/")
            .permanent()
            .same_site(SameSite::Lax)
            .secure(is_secure)
            .http_only(true)
            .build();
        (jar.add(cookie), Redirect::to(local_path(&self.back))).into_response()
    }
}

async fn change_view(
    State(app): State<Arc<App>>,
    jar: CookieJar,
    f: Frame,
    Form(form): Form<ViewForm>,
) -> Response {
    form.switch(f.view, jar, app.is_secure())
}
