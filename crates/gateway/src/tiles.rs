//! The public log (C2SP tlog-tiles), passed on from the ledger: checkpoint, tiles, entries, and nothing else.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use creditbank_merkle::Resource;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sha2::{Digest as _, Sha256};

use crate::app::{App, GatewayError};
use crate::failure::Failure;
use crate::show;

/// What never changes may be kept for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The newest checkpoint changes with every commit.
const NEWEST: &str = "public, max-age=5";
/// Most bytes of an answer: 256 of the largest leaves.
const ANSWER_BYTES_MAX: usize = 17 << 20;
/// How long the ledger may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Connections that are kept open.
const IDLE_MAX: usize = 16;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/checkpoint", get(pass_on))
        .route("/tile/{*path}", get(pass_on))
}

/// The ledger's public log over HTTP.
pub(crate) struct Log {
    client: Client<HttpConnector, Empty<Bytes>>,
    /// Without a slash at its end; empty where there is none.
    url: String,
}

impl Log {
    pub(crate) fn new(url: &str) -> Result<Self, GatewayError> {
        let is_plain = url.is_empty()
            || Uri::from_str(url).is_ok_and(|it| {
                it.scheme_str() == Some("http") && it.host().is_some() && it.query().is_none()
            });
        if !is_plain {
            return Err(GatewayError::Option(format!(
                "log_url {url:?} is not http://HOST[:PORT]"
            )));
        }
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_MAX)
            .build_http();
        Ok(Self {
            client,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// What the ledger has there; `None` if nothing.
    async fn read(&self, resource: Resource) -> Result<Option<Bytes>, Failure> {
        if self.url.is_empty() {
            return Ok(None);
        }
        let uri = Uri::try_from(format!("{}/{resource}", self.url));
        let uri = uri.map_err(|_| Failure::NotFound)?;
        let asked = async {
            let answer = self
                .client
                .get(uri)
                .await
                .map_err(|error| error.to_string())?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
            let body = body.await.map_err(|error| error.to_string())?;
            Ok::<_, String>((status, body.to_bytes()))
        };
        match tokio::time::timeout(WITHIN, asked).await {
            Ok(Ok((StatusCode::OK, body))) => Ok(Some(body)),
            Ok(Ok((StatusCode::NOT_FOUND, _))) => Ok(None),
            Ok(Ok((status, _))) => Err(silent(&format!("the public log answered {status}"))),
            Ok(Err(error)) => Err(silent(&error)),
            Err(_) => Err(silent("the public log did not answer in time")),
        }
    }
}

fn silent(why: &str) -> Failure {
    tracing::error!(why, "the public log could not be passed on");
    Failure::Late
}

async fn pass_on(
    State(app): State<Arc<App>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let path = uri.path().trim_start_matches('/');
    let resource = Resource::from_str(path).map_err(|_| Failure::NotFound)?;
    let body = app.log.read(resource).await?.ok_or(Failure::NotFound)?;
    if let (Resource::Checkpoint, Ok(note)) = (resource, std::str::from_utf8(&body)) {
        // Whoever verifies it in the browser has the keys from here.
        app.log_keys_for(note).await;
    }
    let (kind, kept) = match resource {
        Resource::Checkpoint => ("text/plain; charset=utf-8", NEWEST),
        Resource::Tile { .. } | Resource::Entries { .. } => ("application/octet-stream", FOR_EVER),
    };
    // Weak, because the answer may be compressed on its way.
    let tag = format!("W/\"{}\"", show::hex(&Sha256::digest(&body)[..16]));
    let is_known = is_among(&headers, &tag);
    let tag = HeaderValue::try_from(tag).expect("hexadecimal digits in quotes");
    let about = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    Ok((about, [(header::CONTENT_TYPE, kind)], body).into_response())
}

/// Whether the reader has it already.
fn is_among(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known.and_then(|it| it.to_str().ok()).unwrap_or_default();
    known
        .split(',')
        .map(str::trim)
        .any(|it| it == "*" || it == tag || Some(it) == tag.strip_prefix("W/"))
}
