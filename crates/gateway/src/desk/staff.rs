//! Who is at the desk: the browser that came in through the door, its frame, its forms.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::app::{DeskApp, Office};
use super::pages::Place;
use crate::clock;
use crate::failure::Failure;
use crate::form::FORM_BYTES_MAX;
use crate::frame::{self, Frame};

/// What the layout of a desk's page needs beside the frame.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) office: Office,
    /// Whose desk it is.
    pub(crate) name: String,
    /// Empty outside.
    pub(crate) places: &'static [Place],
}

/// Whoever is inside; nobody else gets to a handler that asks for it.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    pub(crate) f: Frame,
    pub(crate) d: Desk,
}

impl Staff {
    /// Of a request, inside or outside.
    pub(crate) fn made(
        headers: &HeaderMap,
        uri: &Uri,
        csrf: Option<String>,
        app: &DeskApp,
    ) -> Self {
        let is_inside = csrf.is_some();
        let mut f = Frame::bare(headers, uri, csrf.unwrap_or_default());
        let (zh, en) = &app.bank_names;
        f.bank = f.pick(zh, en).to_owned();
        let places = if is_inside { app.office.places() } else { &[] };
        let name = if is_inside {
            app.name.clone()
        } else {
            String::new()
        };
        let office = app.office;
        let d = Desk {
            office,
            name,
            places,
        };
        Self { f, d }
    }

    /// The same, as a page of this place.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.f.place = place.path();
        self
    }
}

/// What forms of this browser carry, if it is the one inside.
pub(crate) fn inside(headers: &HeaderMap, app: &DeskApp) -> Option<String> {
    let secret = frame::cookie(headers, &app.cookie_name())?;
    app.door.csrf(secret, clock::now_s())
}

impl FromRequestParts<Arc<DeskApp>> for Staff {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<DeskApp>) -> Result<Self, Failure> {
        let csrf = inside(&parts.headers, app).ok_or_else(outside)?;
        Ok(Self::made(&parts.headers, &parts.uri, Some(csrf), app))
    }
}

/// A form of whoever is inside.
#[derive(Debug)]
pub(crate) struct Signed<T> {
    pub(crate) staff: Staff,
    pub(crate) form: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<DeskApp>> for Signed<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<DeskApp>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let csrf = inside(&parts.headers, app).ok_or_else(outside)?;
        let form = read(&parts, body, &csrf).await?;
        let staff = Staff::made(&parts.headers, &parts.uri, Some(csrf), app);
        Ok(Self { staff, form })
    }
}

#[derive(Deserialize)]
struct Token {
    csrf: String,
}

/// Reads a form that carries the token of whoever is inside.
async fn read<T: DeserializeOwned>(parts: &Parts, body: Body, csrf: &str) -> Result<T, Failure> {
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let kind = kind.map(axum::http::HeaderValue::as_bytes);
    if !kind.is_some_and(|it| it.starts_with(b"application/x-www-form-urlencoded")) {
        return Err(Failure::Unreadable);
    }
    let body = axum::body::to_bytes(body, FORM_BYTES_MAX).await;
    let body = body.map_err(|_| Failure::Unreadable)?;
    let token: Token = serde_html_form::from_bytes(&body).map_err(|_| Failure::ForeignForm)?;
    if token.csrf != csrf {
        return Err(Failure::ForeignForm);
    }
    serde_html_form::from_bytes(&body).map_err(|_| Failure::Unreadable)
}

fn outside() -> Failure {
    Failure::SignedOut {
        next: String::new(),
    }
}
