//! The witness: cosigns what peers bring, over HTTP as C2SP tlog-witness says, and shows what it has cosigned.
//!
//! | path | answer |
//! |---|---|
//! | `POST /add-checkpoint` | a cosignature, or the status of tlog-witness |
//! | `GET /cosigned?origin=O` | the newest checkpoint of the log O that was cosigned here |
//! | `GET /evidence?origin=O` | what proves that the log O has forked, as JSON |
//! | `GET /peers` | all peers, with the sizes that were cosigned both ways, as JSON |

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use creditbank_merkle::witness::{REQUEST_BYTES_MAX, RequestError};
use creditbank_merkle::{AddCheckpoint, NotCosigned};
use creditbank_store::{PeerRow, StoreError};
use percent_encoding::percent_decode_str;

use super::{Peer, Peers, Witnessed, lock};
use crate::bank::Bank;
use crate::clock;

/// How long a caller may take to send its request.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Requests that are decided at once; each may wait for the disk.
const DECIDING_MAX: usize = 16;
/// The type of a size in an answer, by tlog-witness.
const SIZE: &str = "text/x.tlog.size";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// Why a checkpoint is not cosigned, whoever is to blame.
#[derive(Debug, thiserror::Error)]
enum NotAdded {
    #[error("the request is malformed: {0}")]
    Request(#[from] RequestError),
    #[error("{0:?} is the log of no peer of this bank")]
    UnknownOrigin(String),
    #[error("that log has two histories: its bank is dealt with no more; see /evidence")]
    Stopped,
    #[error("this bank has no key for cosigning; `creditbank peer card` makes one")]
    NoKey,
    #[error(transparent)]
    Not(#[from] NotCosigned),
    #[error("what is cosigned cannot be kept now")]
    Store(#[from] StoreError),
}

/// The routes of the witness.
pub(crate) fn routes(bank: Arc<Bank>) -> Router {
    let room = Arc::new(tokio::sync::Semaphore::new(DECIDING_MAX));
    let add = move |state, request| add_checkpoint(state, request, room);
    Router::new()
        .route("/add-checkpoint", post(add))
        .route("/cosigned", get(cosigned))
        .route("/evidence", get(evidence))
        .route("/peers", get(peers))
        .with_state(bank)
}

async fn add_checkpoint(
    State(bank): State<Arc<Bank>>,
    request: Request,
    room: Arc<tokio::sync::Semaphore>,
) -> Response {
    let body = to_bytes(request.into_body(), REQUEST_BYTES_MAX);
    let body = match tokio::time::timeout(BODY_WITHIN, body).await {
        Err(_) => return told(408, "the request did not come in time"),
        Ok(Err(_)) => return told(413, "the request is too long, or broke off"),
        Ok(Ok(body)) => body,
    };
    let Ok(body) = String::from_utf8(body.into()) else {
        return told(400, "the request is not UTF-8");
    };
    let Ok(_room) = room.acquire().await else {
        return told(503, "stopping");
    };
    let add = move || bank.peers().add_checkpoint(&body, clock::now_s());
    match tokio::task::spawn_blocking(add).await {
        Ok(Ok(lines)) => ([(header::CONTENT_TYPE, TEXT)], lines).into_response(),
        Ok(Err(refused)) => refused.into_response(),
        Err(_) => told(500, "a defect of this bank"),
    }
}

async fn cosigned(State(bank): State<Arc<Bank>>, RawQuery(query): RawQuery) -> Response {
    let found = peer(&bank, query.as_deref()).and_then(Peer::cosigned);
    match found {
        Some(cosigned) => shown(TEXT, cosigned.note),
        None => told(404, "nothing of that log was cosigned here"),
    }
}

async fn evidence(State(bank): State<Arc<Bank>>, RawQuery(query): RawQuery) -> Response {
    let Some(peer) = peer(&bank, query.as_deref()) else {
        return told(404, "that is the log of no peer of this bank");
    };
    match bank.peers().evidence(peer) {
        Ok(Some(evidence)) => shown(JSON, evidence),
        Ok(None) => told(404, "nothing is known against that log"),
        Err(error) => NotAdded::Store(error).into_response(),
    }
}

async fn peers(State(bank): State<Arc<Bank>>) -> Response {
    let size = |it: Option<super::Cosigned>| it.map(|it| it.size);
    let row = |peer: &Peer| {
        serde_json::json!({
            "id": peer.options().id,
            "origin": peer.origin(),
            "cosigned": size(peer.cosigned()),
            "cosigned_by": size(peer.cosigned_ours()),
            "stopped": peer.is_stopped(),
        })
    };
    let rows: Vec<_> = bank.peers().all().iter().map(row).collect();
    shown(JSON, serde_json::Value::from(rows).to_string())
}

impl Peers {
    /// Cosigns a checkpoint, or says why not. Waits for the disk.
    fn add_checkpoint(&self, body: &str, now_s: u64) -> Result<String, NotAdded> {
        let request = AddCheckpoint::parse(body)?;
        let origin = request.claimed_origin();
        let unknown = || NotAdded::UnknownOrigin(origin.to_owned());
        let peer = self.of_origin(origin).ok_or_else(unknown)?;
        let cosigner = self.cosigner.as_ref().ok_or(NotAdded::NoKey)?;
        let mut cosigned = lock(&peer.cosigned);
        // Asked under the lock: whoever found the fork held it.
        if peer.is_stopped() {
            return Err(NotAdded::Stopped);
        }
        let keys = self.log_keys(peer, cosigned.as_ref());
        let last = cosigned.as_ref().map(|it| &it.state);
        let (state, note) = match request.decide(&keys, last) {
            Err(fork @ NotCosigned::Fork { size, same_size }) => {
                let proof = if same_size { &[][..] } else { &request.proof };
                if let Some(last) = &*cosigned {
                    self.stop(peer, last, &request.note, size, proof);
                }
                return Err(fork.into());
            }
            decided => decided?,
        };
        let end = note.find("\n\n").map_or(note.len(), |end| end + 1);
        let line = cosigner.cosign(&note[..end], now_s);
        let line = line.map_err(NotCosigned::Checkpoint)?;
        let note = note + &line;
        // If we crash before this returns, nothing was cosigned; afterwards nobody else gets another root of this size.
        let row = PeerRow::Cosigned;
        self.store.write_peer_row(row, origin, note.as_bytes())?;
        *cosigned = Some(Witnessed { state, note });
        Ok(line)
    }
}

impl IntoResponse for NotAdded {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Request(_) => 400,
            Self::UnknownOrigin(_) | Self::NoKey => 404,
            Self::Stopped => 403,
            Self::Not(NotCosigned::Conflict { last: size })
            | Self::Not(NotCosigned::Fork {
                size,
                same_size: true,
            }) => {
                let headers = [(header::CONTENT_TYPE, SIZE)];
                return (StatusCode::CONFLICT, headers, format!("{size}\n")).into_response();
            }
            Self::Not(refused) => refused.status(),
            Self::Store(error) => {
                tracing::error!(%error, "what is cosigned could not be read or kept");
                500
            }
        };
        told(status, &self.to_string())
    }
}

fn told(status: u16, text: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, TEXT)];
    (status, headers, format!("{text}\n")).into_response()
}

fn shown(kind: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body.into()).into_response()
}

/// The peer that `origin=…` of a query names.
fn peer<'a>(bank: &'a Bank, query: Option<&str>) -> Option<&'a Peer> {
    let mut parts = query?.split('&');
    let origin = parts.find_map(|part| part.strip_prefix("origin="))?;
    let origin = percent_decode_str(origin).decode_utf8().ok()?;
    bank.peers().of_origin(&origin)
}
