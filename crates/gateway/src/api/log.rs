//! The public log, for thin clients: checkpoint, proofs, receipts. The log as tiles is passed on beside `/v1`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask;
use super::credentials::receipt_of;
use super::extract::{Asked, EXACT_MAX, Leaf, Nothing, public};
use crate::app::App;
use crate::failure::Failure;

/// Seconds for which what the newest checkpoint says may be kept.
const NEWEST_S: u32 = 5;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/leaves/{leaf_index}/proof", get(inclusion))
        .route("/log/leaves/{leaf_index}/receipt", get(leaf_receipt))
        .route("/log/consistency", get(consistency))
}

/// A signed statement of the log's size and root.
#[derive(Serialize, ToSchema)]
pub(super) struct Checkpoint {
    origin: String,
    tree_size: u64,
    /// 32 bytes, base64.
    root: String,
    /// All of it as signed (C2SP tlog-checkpoint in a signed note): trust nothing else.
    note: String,
}

/// The newest signed checkpoint.
#[utoipa::path(get, path = "/v1/log/checkpoint", tag = "public", operation_id = "get_checkpoint",
    responses((status = 200, description = "The checkpoint.", body = Checkpoint)), security(()))]
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let found = ask!(app, log.get_checkpoint, v1::GetCheckpointRequest {}).await?;
    let mut lines = found.note.lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (origin, size, root) = (line(), line(), line());
    let checkpoint = Checkpoint {
        origin,
        tree_size: size.parse().map_err(|_| Failure::NotFound)?,
        root,
        note: found.note,
    };
    Ok(public(&checkpoint, NEWEST_S))
}

/// The tree to prove against.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TreeAsked {
    /// Its size; the newest checkpoint's if not given.
    #[param(minimum = 1, maximum = 9007199254740991_u64)]
    tree_size: Option<u64>,
}

/// RFC 6962 inclusion proof of one leaf.
#[derive(Serialize, ToSchema)]
pub(super) struct InclusionProof {
    leaf_index: u64,
    tree_size: u64,
    /// The leaf as it is hashed, base64.
    leaf: String,
    /// Bottom up, base64 of 32 bytes each.
    hashes: Vec<String>,
}

/// Proves that a leaf is in the log.
#[utoipa::path(get, path = "/v1/log/leaves/{leaf_index}/proof", tag = "public", operation_id = "get_inclusion_proof",
    params(
        ("leaf_index" = u64, Path, description = "Its place in the log.", maximum = 9007199254740991_u64),
        TreeAsked,
    ),
    responses((status = 200, description = "The proof.", body = InclusionProof)), security(()))]
pub(super) async fn inclusion(
    State(app): State<Arc<App>>,
    Leaf(leaf_index): Leaf,
    Asked(asked): Asked<TreeAsked>,
) -> Result<Response, Failure> {
    let request = v1::GetInclusionProofRequest {
        leaf_index,
        tree_size: size(asked.tree_size)?,
    };
    let found = ask!(app, log.get_inclusion_proof, request).await?;
    let proof = InclusionProof {
        leaf_index: found.leaf_index,
        tree_size: found.tree_size,
        leaf: STANDARD.encode(&found.leaf),
        hashes: found.hashes.iter().map(|it| STANDARD.encode(it)).collect(),
    };
    Ok(public(&proof, NEWEST_S))
}

/// 0, which the ledger takes for the newest, is no size here.
fn size(asked: Option<u64>) -> Result<u64, Failure> {
    match asked {
        Some(size) if size == 0 || size > EXACT_MAX => Err(Failure::Unreadable),
        asked => Ok(asked.unwrap_or_default()),
    }
}

/// What proves a leaf offline, with nothing but the bank's public key (C2SP tlog-proof).
#[utoipa::path(get, path = "/v1/log/leaves/{leaf_index}/receipt", tag = "public", operation_id = "get_leaf_receipt",
    params(("leaf_index" = u64, Path, description = "Its place in the log.", maximum = 9007199254740991_u64)),
    responses((status = 200, description = "The receipt.", body = String, content_type = "text/plain; charset=utf-8")),
    security(()))]
pub(super) async fn leaf_receipt(
    State(app): State<Arc<App>>,
    Leaf(leaf_index): Leaf,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let text = receipt_of(&app, leaf_index).await?;
    let headers = [(header::CACHE_CONTROL, super::extract::max_age(NEWEST_S))];
    Ok((headers, text).into_response())
}

/// Two sizes of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SizesAsked {
    /// The older size.
    #[param(minimum = 1, maximum = 9007199254740991_u64)]
    old_size: u64,
    /// The newer size; the newest checkpoint's if not given.
    #[param(minimum = 1, maximum = 9007199254740991_u64)]
    new_size: Option<u64>,
}

/// RFC 6962 consistency proof.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsistencyProof {
    old_size: u64,
    new_size: u64,
    /// Base64 of 32 bytes each.
    hashes: Vec<String>,
}

/// Proves that the log only grew between two sizes.
#[utoipa::path(get, path = "/v1/log/consistency", tag = "public", operation_id = "get_consistency_proof",
    params(SizesAsked),
    responses((status = 200, description = "The proof.", body = ConsistencyProof)), security(()))]
pub(super) async fn consistency(
    State(app): State<Arc<App>>,
    Asked(asked): Asked<SizesAsked>,
) -> Result<Response, Failure> {
    let request = v1::GetConsistencyProofRequest {
        old_size: size(Some(asked.old_size))?,
        new_size: size(asked.new_size)?,
    };
    let found = ask!(app, log.get_consistency_proof, request).await?;
    let proof = ConsistencyProof {
        old_size: found.old_size,
        new_size: found.new_size,
        hashes: found.hashes.iter().map(|it| STANDARD.encode(it)).collect(),
    };
    Ok(public(&proof, NEWEST_S))
}
