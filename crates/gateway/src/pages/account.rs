//! The first page, signing in and out, language and size of text.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use creditbank_domain::identifier::LearnerCode;
use serde::Deserialize;

use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, SIZE_MAX, VIEW_COOKIE, View, page};
use crate::session::{self, Session, local_path};
use crate::words::Lang;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/sign-in/development", post(sign_in_development))
        .route("/sign-out", post(sign_out))
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
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignIn {
    f: Frame,
    next: String,
    has_provider: bool,
}

async fn sign_in(
    State(app): State<Arc<App>>,
    f: Frame,
    Query(query): Query<SignInQuery>,
) -> Result<Response, Failure> {
    page(&SignIn {
        f,
        next: local_path(&query.next).to_owned(),
        has_provider: app.options.provider.is_some(),
    })
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
    app.totals(&learner).await?;
    let session = session::cookie(&app, &Session::begin(learner, true));
    let jar = session::jar(&app, &headers).add(session);
    Ok((jar, Redirect::to(local_path(&form.next))).into_response())
}

#[derive(Deserialize)]
struct Nothing {}

async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    checked: Checked<Nothing>,
) -> Response {
    let Nothing {} = checked.form;
    let until_s = checked.session.began_s + app.options.session_max.as_secs();
    app.ended.end(&checked.session.id, until_s);
    let gone = Cookie::build(session::name(&app)).path("/").build();
    let jar = session::jar(&app, &headers).remove(gone);
    (jar, Redirect::to("/")).into_response()
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
