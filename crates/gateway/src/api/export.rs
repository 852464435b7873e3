//! Everything that the bank keeps of a learner, as one JSON document for another program to read.
//!
//! It is written while it is read, a page at a time, so that an archive of any size needs little memory. A document that
//! ends without its last brace was cut off: by a failure, or by a reader who was too slow.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use creditbank_wire::v1;
use serde::Serialize;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use super::applications;
use super::ask;
use super::extract::{Asked, Me, Nothing};
use super::grants::Grant;
use super::looks::Look;
use super::me::profile;
use super::points::purse;
use super::records::{Record, totals_of};
use super::requests::LearnerRequest;
use crate::app::App;
use crate::clock;
use crate::failure::Failure;

/// Documents that are written at once.
pub(crate) const EXPORTS_MAX: usize = 8;
/// Pieces that wait for a slow reader.
const PIECES_MAX: usize = 4;
/// Entries of a page.
const PAGE: u32 = 200;
/// Pages of one list; beyond, the document would be cut off.
const PAGES_MAX: usize = 2_000;
/// How long a document may take.
const TIME_MAX: Duration = Duration::from_secs(5 * 60);
/// What tells a reader which form this is.
const FORM: &str = "creditbank-export/v1";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/me/export", get(export))
}

/// Everything that the bank keeps of the learner.
#[utoipa::path(get, path = "/v1/me/export", tag = "archive", operation_id = "export",
    responses((status = 200, description = "One document with the keys form, exported_at_ms, profile, totals, records, \
        grants, looks, requests, points, applications; each as its own address tells it.", body = Object)),
    security(("session" = [])))]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let busy = Failure::TooMany { retry_s: 10 };
    let permit = Arc::clone(&app.exports).try_acquire_owned();
    let permit = permit.map_err(|_| busy)?;
    // Asked before anything is sent, so that a learner who is not there gets an answer and no broken document.
    let head = head(&app, me.learner()).await?;
    let (sender, pieces) = channel(PIECES_MAX);
    tokio::spawn(async move {
        let mut out = Out(sender);
        let written = tokio::time::timeout(TIME_MAX, write(&mut out, &app, me.learner(), head));
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(Cut::Reader)) => tracing::debug!("the reader of an export left"),
            Ok(Err(Cut::Failure(failure))) => {
                tracing::warn!(code = failure.told().code, "an export was cut off");
                out.cut().await;
            }
            Err(_) => out.cut().await,
        }
        drop(permit);
    });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "private, no-store"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"learning-archive.json\"",
        ),
    ];
    Ok((headers, Body::from_stream(ReceiverStream::new(pieces))).into_response())
}

/// Why a document ends early.
enum Cut {
    /// Nobody reads any more.
    Reader,
    Failure(Failure),
}

impl From<Failure> for Cut {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<creditbank_client::ClientError> for Cut {
    fn from(error: creditbank_client::ClientError) -> Self {
        Self::Failure(error.into())
    }
}

/// Where the document goes.
struct Out(Sender<Result<Bytes, std::io::Error>>);

impl Out {
    async fn text(&mut self, text: String) -> Result<(), Cut> {
        let sent = self.0.send(Ok(text.into())).await;
        sent.map_err(|_| Cut::Reader)
    }

    /// Breaks the connection, so that no reader takes a part for the whole.
    async fn cut(&mut self) {
        let broken = std::io::Error::other("cut off");
        // Whoever left needs not be told.
        drop(self.0.send(Err(broken)).await);
    }

    /// A page of a list.
    async fn page<T: Serialize>(&mut self, is_first: bool, page: &[T]) -> Result<(), Cut> {
        let mut text = String::new();
        for (at, entry) in page.iter().enumerate() {
            if at > 0 || !is_first {
                text.push(',');
            }
            text.push_str(&json(entry));
        }
        self.text(text).await
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

async fn head(app: &App, learner: String) -> Result<String, Failure> {
    let profile = profile(app, learner.clone()).await?;
    let totals = totals_of(app, learner).await?;
    Ok(format!(
        "{{\"form\":{},\"exported_at_ms\":{},\"profile\":{},\"totals\":{}",
        json(&FORM),
        clock::now_ms(),
        json(&profile),
        json(&totals)
    ))
}

/// Writes a list, page after page, as `$ask` gives them: entries and the next token.
macro_rules! list {
    ($out:expr, $name:literal, $token:ident => $page:expr) => {{
        $out.text(format!(",\"{}\":[", $name)).await?;
        let mut $token = String::new();
        let mut is_first = true;
        for at in 0.. {
            if at == PAGES_MAX {
                return Err(Failure::TooLarge.into());
            }
            let (entries, next): (Vec<_>, String) = $page;
            $out.page(is_first, &entries).await?;
            is_first = is_first && entries.is_empty();
            if next.is_empty() {
                break;
            }
            $token = next;
        }
        $out.text("]".to_owned()).await?;
    }};
}

async fn write(out: &mut Out, app: &App, learner: String, head: String) -> Result<(), Cut> {
    out.text(head).await?;
    list!(out, "records", token => {
        let request = v1::ListRecordsRequest {
            learner: learner.clone(),
            page_size: PAGE,
            page_token: token,
            ..Default::default()
        };
        let found = ask!(app, archive.list_records, request).await?;
        (found.records.into_iter().map(Record::of).collect(), found.next_page_token)
    });
    granted(out, app, &learner).await?;
    list!(out, "points", token => {
        let mut found = purse(app, learner.clone(), PAGE, token).await?;
        let next = std::mem::take(&mut found.next_page_token);
        (vec![found], next)
    });
    list!(out, "applications", token => {
        applications::page(app, learner.clone(), PAGE, token).await?
    });
    out.text("}\n".to_owned()).await
}

/// What lies beside the log: grants, looks, requests.
async fn granted(out: &mut Out, app: &App, learner: &str) -> Result<(), Cut> {
    list!(out, "grants", token => {
        let request = v1::ListGrantsRequest {
            learner: learner.to_owned(),
            page_size: PAGE,
            page_token: token,
        };
        let found = ask!(app, access.list_grants, request).await?;
        (found.grants.into_iter().map(Grant::of).collect(), found.next_page_token)
    });
    list!(out, "looks", token => {
        let request = v1::ListLooksRequest {
            learner: learner.to_owned(),
            page_size: PAGE,
            page_token: token,
            ..Default::default()
        };
        let found = ask!(app, access.list_looks, request).await?;
        (found.looks.into_iter().map(Look::of).collect(), found.next_page_token)
    });
    list!(out, "requests", token => {
        let request = v1::ListRequestsRequest {
            learner: learner.to_owned(),
            page_size: PAGE,
            page_token: token,
            ..Default::default()
        };
        let found = ask!(app, requests.list_requests, request).await?;
        (found.requests.into_iter().map(LearnerRequest::of).collect(), found.next_page_token)
    });
    Ok(())
}
