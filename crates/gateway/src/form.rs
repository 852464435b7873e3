//! Forms of a session: read only where they carry its token, so that no other site can send one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::failure::Failure;
use crate::frame::Frame;
use crate::session::{self, Session};

/// Most bytes of a form.
pub(crate) const FORM_BYTES_MAX: usize = 64 << 10;

/// How long a client may take for a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// A body of at most so many bytes, if it comes in time.
pub(crate) async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, Failure> {
    let body = axum::body::to_bytes(body, bytes_max);
    let body = tokio::time::timeout(BODY_TIME_MAX, body).await;
    let body = body.map_err(|_| Failure::Slow)?;
    body.map_err(|_| Failure::TooLarge)
}

/// A form of somebody who is signed in, with the frame of the page that answers it.
pub(crate) struct Checked<T> {
    pub(crate) session: Session,
    pub(crate) frame: Frame,
    pub(crate) form: T,
}

#[derive(Deserialize)]
struct Token {
    csrf: String,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Checked<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let Some(session) = session::read(&parts, app) else {
            return Err(Failure::SignedOut {
                next: "/".to_owned(),
            });
        };
        let kind = parts.headers.get(header::CONTENT_TYPE);
        if kind.is_none_or(|it| {
            !it.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        }) {
            return Err(Failure::Unreadable);
        }
        let body = read_body(body, FORM_BYTES_MAX).await?;
        let token: Token = serde_html_form::from_bytes(&body).map_err(|_| Failure::ForeignForm)?;
        if !session.is_csrf(app, &token.csrf) {
            return Err(Failure::ForeignForm);
        }
        app.limits.change(&session)?;
        let form = serde_html_form::from_bytes(&body).map_err(|_| Failure::Unreadable)?;
        let frame = Frame::of(&parts, app);
        Ok(Self {
            session,
            frame,
            form,
        })
    }
}
