//! The port of a desk: loopback alone, one browser, the pages of one role.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::app::{DeskApp, DeskOptions};
use super::staff::{Desk, Signed, Staff, inside};
use crate::app::GatewayError;
use crate::failure::{Failure, Told};
use crate::frame::{Frame, View, page, retry_after};
use crate::guard::{HEADERS, is_same_site};
use crate::pages::account::ViewForm;
use crate::{assets, clock};

/// Most bytes of a request.
const REQUEST_BYTES_MAX: usize = 128 << 10;
/// How long a request may take in all.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(40);

/// Serves a desk until `stop` resolves. `tell` is told an address that opens it once, and another one for each message of
/// `again`: the newest is the one that works.
///
/// # Errors
/// If it should listen beyond loopback, the key's role has no desk, the ledger is not reached, or the port cannot be had.
pub async fn serve_desk(
    options: DeskOptions,
    tell: impl Fn(&str) + Send + 'static,
    mut again: mpsc::Receiver<()>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), GatewayError> {
    let listen = options.listen;
    if !listen.ip().is_loopback() {
        let why = "whoever reaches a desk acts with its key, so it listens on loopback alone; \
            to use it from elsewhere, lead an SSH tunnel to it";
        return Err(GatewayError::Option(format!("{listen}: {why}")));
    }
    let port = |error| GatewayError::Port {
        address: listen,
        error,
    };
    let listener = TcpListener::bind(listen).await.map_err(port)?;
    let address = listener.local_addr().map_err(port)?;
    let app = Arc::new(DeskApp::connect(options, address).await?);
    tell(&ticket(&app));
    let asked = Arc::clone(&app);
    let telling = tokio::spawn(async move {
        while again.recv().await.is_some() {
            tell(&ticket(&asked));
        }
    });
    let served = axum::serve(listener, routes(&app))
        .with_graceful_shutdown(stop)
        .await;
    telling.abort();
    served.map_err(port)
}

/// An address that opens the desk once.
fn ticket(app: &DeskApp) -> String {
    format!("{}/?token={}", app.base_url(), app.door.ticket())
}

pub(super) fn routes(app: &Arc<DeskApp>) -> Router {
    let mut router = Router::new()
        .route("/", get(enter))
        .route("/view", post(change_view))
        .route("/leave", post(leave));
    for place in app.office.places() {
        router = router.merge(place.routes());
    }
    router
        .merge(assets::routes())
        .fallback(async || Failure::NotFound)
        .method_not_allowed_fallback(async || Failure::NotFound)
        .layer(middleware::from_fn_with_state(Arc::clone(app), around))
        .layer(RequestBodyLimitLayer::new(REQUEST_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIME_MAX,
        ))
        .with_state(Arc::clone(app))
}

#[derive(Deserialize)]
struct Ticket {
    #[serde(default)]
    token: String,
}

/// With a ticket: in. Inside: to where the work is.
async fn enter(
    State(app): State<Arc<DeskApp>>,
    headers: HeaderMap,
    Query(ticket): Query<Ticket>,
) -> Result<Response, Failure> {
    if let Some(secret) = app.door.open(&ticket.token, clock::now_s()) {
        let cookie = Cookie::build((app.cookie_name(), secret))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict);
        let jar = CookieJar::new().add(cookie);
        return Ok((jar, Redirect::to("/")).into_response());
    }
    match inside(&headers, &app) {
        Some(_) => Ok(Redirect::to(app.office.places()[0].path()).into_response()),
        None => Err(Failure::SignedOut {
            next: String::new(),
        }),
    }
}

async fn change_view(headers: HeaderMap, jar: CookieJar, Form(form): Form<ViewForm>) -> Response {
    form.switch(View::of(&headers), jar, false)
}

#[derive(Deserialize)]
struct Nothing {}

/// Closes the desk for this browser.
async fn leave(State(app): State<Arc<DeskApp>>, signed: Signed<Nothing>) -> Redirect {
    let Nothing {} = signed.form;
    app.door.close();
    Redirect::to("/")
}

/// Stands around every handler: who asks, and how failures and headers are written.
async fn around(State(app): State<Arc<DeskApp>>, request: Request, next: Next) -> Response {
    let (headers, uri) = (request.headers().clone(), request.uri().clone());
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_ours = is_host(&headers, &app) && (is_read || is_same_site(&headers, &app.base_url()));
    let answered = match is_ours {
        true => next.run(request).await,
        false => Failure::ForeignForm.into_response(),
    };
    let told = answered.extensions().get::<Told>().cloned();
    let told = told.or_else(|| is_bare(&answered).then(|| Failure::Unreadable.told()));
    let mut response = match told {
        Some(told) => failed(&app, &headers, &uri, told),
        None => answered,
    };
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// What an extractor of the framework refused: its own words may repeat what was sent.
fn is_bare(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_some_and(|it| it.as_bytes().starts_with(b"text/plain"));
    response.status().is_client_error() && is_text
}

/// Whether a browser means this machine: a name of somebody else's that leads here is no way in.
fn is_host(headers: &HeaderMap, app: &DeskApp) -> bool {
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let local = format!("localhost:{}", app.address.port());
    host.is_some_and(|it| it == app.address.to_string() || it == local)
}

#[derive(Template)]
#[template(path = "desk/failure.html")]
struct FailurePage {
    f: Frame,
    d: Desk,
    told: Told,
    /// Nobody is inside.
    is_outside: bool,
}

fn failed(app: &DeskApp, headers: &HeaderMap, uri: &Uri, told: Told) -> Response {
    let Staff { f, d } = Staff::made(headers, uri, inside(headers, app), app);
    let (status, retry_s) = (told.status, told.retry_s);
    let is_outside = status == StatusCode::UNAUTHORIZED;
    match page(&FailurePage {
        f,
        d,
        told,
        is_outside,
    }) {
        Ok(mut response) => {
            *response.status_mut() = status;
            retry_after(&mut response, retry_s);
            response
        }
        Err(_) => status.into_response(),
    }
}
