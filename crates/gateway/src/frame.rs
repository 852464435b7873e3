//! The frame of every page: language, size of text, who is signed in, and what they act as.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next as Rest;
use axum::response::{Html, IntoResponse, Redirect, Response};
use fluent_bundle::FluentValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::failure::{Failure, Next, Told};
use crate::session::{self, Acting, Session};
use crate::words::{self, Lang};

/// The cookie of language and text size; it says nothing of a person.
pub(crate) const VIEW_COOKIE: &str = "view";
/// Steps of text size beyond the usual.
pub(crate) const SIZE_MAX: u8 = 3;

/// How a visitor wants to see pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct View {
    pub(crate) lang: Lang,
    /// 长辈版: large text and targets, fewer things on a page.
    pub(crate) elder: bool,
    /// Steps of text size, up to [`SIZE_MAX`].
    pub(crate) size: u8,
}

impl View {
    /// From the cookie; else the language of the browser.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let cookie = cookie(headers, VIEW_COOKIE);
        cookie.and_then(Self::parse).unwrap_or_else(|| Self {
            lang: preferred(headers),
            ..Self::default()
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let lang = match parts.next()? {
            "zh" => Lang::Zh,
            "en" => Lang::En,
            _ => return None,
        };
        let elder = parts.next()? == "elder";
        let size = parts.next()?.parse().ok().filter(|it| *it <= SIZE_MAX)?;
        Some(Self { lang, elder, size })
    }

    /// As the cookie has it.
    pub(crate) fn to_text(self) -> String {
        let elder = if self.elder { "elder" } else { "plain" };
        format!("{}.{elder}.{}", self.lang.pick("zh", "en"), self.size)
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let pairs = all
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split("; "));
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Chinese unless the browser asks for English first.
fn preferred(headers: &HeaderMap) -> Lang {
    let asked = headers.get(header::ACCEPT_LANGUAGE);
    match asked.and_then(|it| it.to_str().ok()) {
        Some(asked) if asked.starts_with("en") => Lang::En,
        _ => Lang::Zh,
    }
}

/// What the layout of a page needs.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) view: View,
    /// Path and query of this page, to come back to.
    pub(crate) here: String,
    /// Where this page belongs in the main navigation, such as `archive`.
    pub(crate) place: &'static str,
    pub(crate) session: Option<Session>,
    /// For every form of a session.
    pub(crate) csrf: String,
    /// Whether anybody may sign in as anybody.
    pub(crate) development: bool,
    /// Name of the bank.
    pub(crate) bank: String,
}

impl Frame {
    /// For a request.
    pub(crate) fn of(parts: &Parts, app: &App) -> Self {
        Self::made(&parts.headers, &parts.uri, session::read(parts, app), app)
    }

    fn made(headers: &HeaderMap, uri: &Uri, session: Option<Session>, app: &App) -> Self {
        let (view, known) = (View::of(headers), app.known());
        let here = uri.path_and_query().map_or("/", |it| it.as_str());
        Self {
            view,
            here: session::local_path(here).to_owned(),
            place: "",
            csrf: session.as_ref().map(|it| it.csrf(app)).unwrap_or_default(),
            session,
            development: app.options.development_login,
            bank: view
                .lang
                .pick(&known.issuer.name_zh, &known.issuer.name_en)
                .clone(),
        }
    }

    /// Of a page without a learner, such as one of a desk.
    pub(crate) fn bare(headers: &HeaderMap, uri: &Uri, csrf: String) -> Self {
        let here = uri.path_and_query().map_or("/", |it| it.as_str());
        Self {
            view: View::of(headers),
            here: session::local_path(here).to_owned(),
            place: "",
            session: None,
            csrf,
            development: false,
            bank: String::new(),
        }
    }

    /// The same, as a page of this place in the navigation.
    pub(crate) fn at(mut self, place: &'static str) -> Self {
        self.place = place;
        self
    }

    /// A text.
    pub(crate) fn t(&self, key: &str) -> String {
        words::text(self.view.lang, key, &[])
    }

    /// A text with one value.
    pub(crate) fn t1(&self, key: &str, name: &str, value: &str) -> String {
        words::text(self.view.lang, key, &[(name, FluentValue::from(value))])
    }

    /// A text with two values.
    pub(crate) fn t2(&self, key: &str, one: (&str, &str), two: (&str, &str)) -> String {
        let values = [one, two].map(|(name, value)| (name, FluentValue::from(value)));
        words::text(self.view.lang, key, &values)
    }

    /// A text with a number `n`, which English may need for its plural.
    pub(crate) fn count(&self, key: &str, n: &u64) -> String {
        words::text(self.view.lang, key, &[("n", FluentValue::from(*n))])
    }

    /// The value of `lang`.
    pub(crate) fn lang(&self) -> &'static str {
        self.view.lang.tag()
    }

    /// One of two texts.
    pub(crate) fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.view.lang.pick(zh, en)
    }

    /// The next smaller step of text.
    pub(crate) fn smaller(&self) -> u8 {
        self.view.size.saturating_sub(1)
    }

    /// The next larger step of text.
    pub(crate) fn larger(&self) -> u8 {
        (self.view.size + 1).min(SIZE_MAX)
    }

    /// For whom a relative or carer acts.
    pub(crate) fn acting(&self) -> Option<&Acting> {
        self.session.as_ref()?.acting.as_ref()
    }

    /// Whether the person signed in may act in this archive, and not only look.
    pub(crate) fn may_act(&self) -> bool {
        self.session.is_some() && self.acting().is_none_or(|it| it.may_act)
    }

    /// Whether it is the learner.
    pub(crate) fn is_own(&self) -> bool {
        self.session.is_some() && self.acting().is_none()
    }
}

impl FromRequestParts<Arc<App>> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

/// A page as a response. What is private is kept by no cache.
pub(crate) fn page(template: &impl Template) -> Result<Response, Failure> {
    let mut response = Html(template.render()?).into_response();
    let private = HeaderValue::from_static("private, no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, private);
    Ok(response)
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    f: Frame,
    told: Told,
}

/// Writes failures as this visitor reads them: JSON under `/v1`, else a page; who must sign in first is led there.
pub(crate) async fn tell(State(app): State<Arc<App>>, request: Request, rest: Rest) -> Response {
    let (headers, uri) = (request.headers().clone(), request.uri().clone());
    let (mut parts, body) = request.into_parts();
    let session = session::read(&parts, &app);
    // Opened once: everything within takes it from here.
    if let Some(session) = &session {
        parts.extensions.insert(session.clone());
    }
    let response = rest.run(Request::from_parts(parts, body)).await;
    let told = response.extensions().get::<Told>().cloned();
    let Some(told) = told.or_else(|| unread(&response)) else {
        return response;
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let allowed = |mut response: Response| {
        if let Some(allow) = &allow {
            let allow = allow.clone();
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    };
    if uri.path().starts_with("/v1/") {
        return allowed(problem(&told));
    }
    if let Some(Next(next)) = response.extensions().get() {
        let next = utf8_percent_encode(next, NON_ALPHANUMERIC);
        return Redirect::to(&format!("/sign-in?next={next}")).into_response();
    }
    let f = Frame::made(&headers, &uri, session, &app);
    let status = told.status;
    let retry_s = told.retry_s;
    match page(&FailurePage { f, told }) {
        Ok(mut response) => {
            *response.status_mut() = status;
            retry_after(&mut response, retry_s);
            allowed(response)
        }
        Err(_) => status.into_response(),
    }
}

/// What an extractor of the framework refused: its own words may repeat what was sent.
fn unread(response: &Response) -> Option<Told> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|it| it.as_bytes().starts_with(b"text/plain"));
    let failure = match response.status() {
        status if !status.is_client_error() || !is_text => return None,
        StatusCode::NOT_FOUND => Failure::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Failure::Method,
        StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge,
        _ => Failure::Unreadable,
    };
    Some(failure.told())
}

/// RFC 9457.
fn problem(told: &Told) -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "status": told.status.as_u16(),
        "code": told.code,
        "title": told.en,
        "title_zh": told.zh,
        "field": told.field,
    });
    let mut response = (told.status, Json(body)).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    let private = HeaderValue::from_static("private, no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, private);
    retry_after(&mut response, told.retry_s);
    response
}

pub(crate) fn retry_after(response: &mut Response, retry_s: Option<u64>) {
    if let Some(retry_s) = retry_s {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, retry_s.into());
    }
}
