//! How requests of programs are read: strictly, with one problem for whatever cannot be read.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use creditbank_domain::Refusal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::failure::Failure;
use crate::form::read_body;
use crate::session::{self, Session};
use crate::show;

/// What a change carries so that no other site can ask for it.
pub(super) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The largest whole number that every reader of JSON reads exactly.
pub(super) const EXACT_MAX: u64 = (1 << 53) - 1;
/// Most bytes of a body.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Most entries of a page, as the ledger has it.
const PAGE_MAX: u32 = 200;

/// Whoever is signed in, for their own archive.
pub(super) struct Me(pub(super) Session);

impl Me {
    pub(super) fn learner(&self) -> String {
        self.0.learner.clone()
    }
}

impl FromRequestParts<Arc<App>> for Me {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let next = String::new();
        let session = session::read(parts, app);
        session.map(Self).ok_or(Failure::SignedOut { next })
    }
}

/// Whoever is signed in and changes something: the request carries the session's token.
pub(super) struct Change(pub(super) Session);

impl Change {
    pub(super) fn learner(&self) -> String {
        self.0.learner.clone()
    }
}

impl FromRequestParts<Arc<App>> for Change {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Me(session) = Me::from_request_parts(parts, app).await?;
        let token = parts.headers.get(CSRF_HEADER);
        let token = token.and_then(|it| it.to_str().ok());
        if !token.is_some_and(|it| session.is_csrf(app, it)) {
            return Err(Failure::ForeignForm);
        }
        app.limits.change(&session)?;
        Ok(Self(session))
    }
}

/// A body of JSON without a key that nobody knows.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_json = kind.is_some_and(|it| {
            let kind = it.as_bytes().split(|byte| *byte == b';').next();
            kind.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"application/json"))
        });
        if !is_json {
            return Err(Failure::NotJson);
        }
        let body = read_body(request.into_body(), BODY_BYTES_MAX).await?;
        let read = serde_json::from_slice(&body);
        read.map(Self).map_err(|_| Failure::Unreadable)
    }
}

/// What stands behind the question mark, without a key that nobody knows.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let read = serde_html_form::from_str(query);
        read.map(Self).map_err(|_| Failure::Unreadable)
    }
}

/// Nothing behind the question mark.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A leaf named by the path.
pub(super) struct Leaf(pub(super) u64);

impl FromRequestParts<Arc<App>> for Leaf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let Path(text) = path.map_err(|_| Failure::Unreadable)?;
        number(&text).map(Self)
    }
}

/// An id of 32 hexadecimal digits named by the path.
pub(super) struct Id(pub(super) [u8; 16]);

impl FromRequestParts<Arc<App>> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        let Path(text) = path.map_err(|_| Failure::Unreadable)?;
        id(&text).map(Self)
    }
}

/// 32 hexadecimal digits, small ones.
pub(super) fn id(text: &str) -> Result<[u8; 16], Failure> {
    let is_small = !text.bytes().any(|it| it.is_ascii_uppercase());
    let id = show::from_hex(text).filter(|_| is_small);
    id.ok_or(Failure::Unreadable)
}

/// A whole number in its one spelling, which every reader of JSON reads exactly.
pub(super) fn number(text: &str) -> Result<u64, Failure> {
    let number = text.parse().ok().filter(|it: &u64| it.to_string() == text);
    let number = number.filter(|it| *it <= EXACT_MAX);
    number.ok_or(Failure::Unreadable)
}

/// Size and token of a page.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Most entries of the answer.
    #[serde(default = "page_usual")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(super) page_size: u32,
    /// From the answer before, with the other parameters unchanged.
    #[serde(default)]
    #[param(max_length = 500, pattern = "^[A-Za-z0-9_-]*$")]
    pub(super) page_token: String,
}

/// Entries of a page where no size is said.
pub(super) fn page_usual() -> u32 {
    50
}

impl Paging {
    /// A size that the ledger takes.
    pub(super) fn size(&self) -> Result<u32, Failure> {
        page_size(self.page_size)
    }
}

/// A size of pages that the ledger takes.
pub(super) fn page_size(size: u32) -> Result<u32, Failure> {
    if (1..=PAGE_MAX).contains(&size) {
        return Ok(size);
    }
    Err(refused(
        Refusal::OutOfRange {
            min: 1,
            max: PAGE_MAX.into(),
        },
        "page_size",
    ))
}

/// A value that breaks a rule of this interface.
pub(super) fn refused(refusal: Refusal, field: &'static str) -> Failure {
    Failure::Refused { refusal, field }
}

/// JSON of one person: kept by no cache.
pub(super) fn private<T: Serialize>(value: &T) -> Response {
    let headers = [(header::CACHE_CONTROL, "private, no-store")];
    (headers, Json(value)).into_response()
}

/// JSON for everybody, which may be kept for so many seconds.
pub(super) fn public<T: Serialize>(value: &T, seconds: u32) -> Response {
    let headers = [(header::CACHE_CONTROL, max_age(seconds))];
    (headers, Json(value)).into_response()
}

/// `public, max-age=…`
pub(super) fn max_age(seconds: u32) -> HeaderValue {
    let value = HeaderValue::try_from(format!("public, max-age={seconds}"));
    value.expect("letters and digits")
}
