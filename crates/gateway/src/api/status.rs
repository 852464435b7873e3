//! Who signs credentials here, and which of them do not hold any longer. Public.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask;
use super::credentials::VC;
use super::extract::{Asked, Nothing, max_age, number, public};
use crate::app::App;
use crate::failure::Failure;

/// Seconds for which a status list may be kept: as long as it says itself.
const LIST_S: u32 = 300;
/// Seconds for which the issuer may be kept: keys change seldom, and with notice.
const ISSUER_S: u32 = 300;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/issuer", get(issuer))
        .route("/status/{purpose}/{list}", get(status_list))
}

/// Who signs credentials of this bank.
#[derive(Serialize, ToSchema)]
pub(super) struct Issuer {
    /// did:key of the credential key.
    did: String,
    /// The Ed25519 key, base64.
    public_key: String,
    /// Origin of the log.
    origin: String,
    /// Public key that signs the log's checkpoints now (C2SP vkey).
    log_key: String,
    /// Every key of the log, newest first, each with the sizes of the checkpoints that it signs and what announced it under
    /// the key before: `bank.pub`, line by line.
    log_keys: Vec<String>,
    /// did:key of the credential keys before this one.
    earlier_dids: Vec<String>,
    name_zh: String,
    name_en: String,
}

/// Who signs credentials of this bank, and its log.
#[utoipa::path(get, path = "/v1/issuer", tag = "public", operation_id = "get_issuer",
    responses((status = 200, description = "The issuer.", body = Issuer)), security(()))]
pub(super) async fn issuer(
    State(app): State<Arc<App>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Response {
    let it = &app.known().issuer;
    let issuer = Issuer {
        did: it.did.clone(),
        public_key: STANDARD.encode(&it.public_key),
        origin: it.origin.clone(),
        log_key: it.log_key.clone(),
        log_keys: it.log_keys.clone(),
        earlier_dids: it.earlier_dids.clone(),
        name_zh: it.name_zh.clone(),
        name_en: it.name_en.clone(),
    };
    public(&issuer, ISSUER_S)
}

/// What a list says.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusPurpose {
    /// Revoked or amended: the credential does not hold any longer.
    Revocation,
    /// Amended: a newer one can be had.
    Refresh,
}

/// A Bitstring Status List as a credential.
#[utoipa::path(get, path = "/v1/status/{purpose}/{list}", tag = "public", operation_id = "get_status_list",
    params(
        ("purpose" = StatusPurpose, Path, description = "What the list says."),
        ("list" = u64, Path, description = "Leaves are numbered in lists of 131,072.", maximum = 9007199254740991_u64),
    ),
    responses((status = 200, description = "The list, which may be kept for five minutes (JSON-LD).",
        body = Object, content_type = "application/vc")),
    security(()))]
pub(super) async fn status_list(
    State(app): State<Arc<App>>,
    Path((purpose, list)): Path<(String, String)>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let purpose = match purpose.as_str() {
        "revocation" => v1::StatusPurpose::Revocation,
        "refresh" => v1::StatusPurpose::Refresh,
        _ => return Err(Failure::NotFound),
    };
    let request = v1::GetStatusListRequest {
        list: number(&list)?,
        purpose: purpose as i32,
        base_url: app.options.base_url.clone(),
    };
    let found = ask!(app, credentials.get_status_list, request).await?;
    let headers = [
        (header::CONTENT_TYPE, VC.parse().expect("a media type")),
        (header::CACHE_CONTROL, max_age(LIST_S)),
    ];
    Ok((headers, found.credential).into_response())
}
