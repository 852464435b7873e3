//! What a learner takes away of a record, and of the archive: receipt, Open Badge, Comprehensive Learner Record.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use creditbank_client::receipt::receipt_text;
use creditbank_domain::Refusal;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::ask;
use super::extract::{Asked, Body, Change, EXACT_MAX, Leaf, Me, Nothing, private, refused};
use super::records::own_record;
use crate::app::App;
use crate::failure::Failure;

/// Records of one Comprehensive Learner Record.
const MEMBERS_MAX: u32 = 100;
/// The type of credentials.
pub(super) const VC: &str = "application/vc";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/records/{leaf_index}/receipt", get(receipt))
        .route("/me/records/{leaf_index}/credential", get(credential))
        .route("/me/clr", post(clr))
}

/// What proves a record offline (C2SP tlog-proof; its extra line is the leaf).
#[utoipa::path(get, path = "/v1/me/records/{leaf_index}/receipt", tag = "archive", operation_id = "get_receipt",
    params(("leaf_index" = u64, Path, description = "Its place in the log.", maximum = 9007199254740991_u64)),
    responses((status = 200, description = "The receipt.", body = String, content_type = "text/plain; charset=utf-8")),
    security(("session" = [])))]
pub(super) async fn receipt(
    State(app): State<Arc<App>>,
    me: Me,
    Leaf(leaf_index): Leaf,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    own_record(&app, &me, leaf_index).await?;
    let text = receipt_of(&app, leaf_index).await?;
    Ok(([(header::CACHE_CONTROL, "private, no-store")], text).into_response())
}

/// The receipt of any leaf, as text.
pub(super) async fn receipt_of(app: &App, leaf_index: u64) -> Result<String, Failure> {
    let found = ask!(app, log.get_receipt, v1::GetReceiptRequest { leaf_index }).await?;
    receipt_text(&found).map_err(|_| Failure::NotFound)
}

/// The record as an Open Badge 3.0, signed by the bank.
#[utoipa::path(get, path = "/v1/me/records/{leaf_index}/credential", tag = "archive", operation_id = "get_credential",
    params(("leaf_index" = u64, Path, description = "Its place in the log.", maximum = 9007199254740991_u64)),
    responses(
        (status = 200, description = "A verifiable credential (JSON-LD).", body = Object, content_type = "application/vc"),
    ),
    security(("session" = [])))]
pub(super) async fn credential(
    State(app): State<Arc<App>>,
    me: Me,
    Leaf(leaf_index): Leaf,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let form = v1::CredentialForm::OpenBadge;
    let text = issue(&app, me.learner(), form, vec![leaf_index]).await?;
    let headers = [
        (header::CONTENT_TYPE, VC),
        (header::CACHE_CONTROL, "private, no-store"),
    ];
    Ok((headers, text).into_response())
}

async fn issue(
    app: &App,
    learner: String,
    form: v1::CredentialForm,
    leaf_indexes: Vec<u64>,
) -> Result<String, Failure> {
    let request = v1::IssueCredentialRequest {
        learner,
        form: form as i32,
        leaf_indexes,
        base_url: app.options.base_url.clone(),
    };
    let issued = ask!(app, credentials.issue_credential, request).await?;
    Ok(issued.credential)
}

/// Which records to put together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClrAsked {
    /// Leaves of the records, ascending; all records in force if not given.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100, value_type = Option<Vec<u64>>)]
    leaf_indexes: Option<Vec<u64>>,
    /// Without `leaf_indexes`: from the answer before.
    #[serde(default)]
    #[schema(max_length = 500, pattern = "^[A-Za-z0-9_-]*$")]
    page_token: String,
}

/// A Comprehensive Learner Record of at most 100 records.
#[derive(Serialize, ToSchema)]
pub(super) struct Clr {
    /// A verifiable credential (JSON-LD), to be kept as it is; absent where there are no records in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    credential: Option<Box<RawValue>>,
    /// For the next 100 records in force; empty when there are no more.
    next_page_token: String,
}

/// Records together as one Comprehensive Learner Record 2.0: those that are named, or all in force, 100 an answer.
#[utoipa::path(post, path = "/v1/me/clr", tag = "archive", operation_id = "issue_clr",
    request_body = ClrAsked,
    responses(
        (status = 200, description = "The record.", body = Clr),
    ),
    security(("session" = [], "csrf" = [])))]
pub(super) async fn clr(
    State(app): State<Arc<App>>,
    change: Change,
    Asked(Nothing {}): Asked<Nothing>,
    Body(asked): Body<ClrAsked>,
) -> Result<Response, Failure> {
    let (leaves, next_page_token) = match asked.leaf_indexes {
        Some(leaves) => {
            check(&leaves)?;
            (leaves, String::new())
        }
        None => in_force(&app, change.learner(), asked.page_token).await?,
    };
    let credential = if leaves.is_empty() {
        None
    } else {
        let form = v1::CredentialForm::Clr;
        let text = issue(&app, change.learner(), form, leaves).await?;
        Some(RawValue::from_string(text).map_err(|_| Failure::NotFound)?)
    };
    Ok(private(&Clr {
        credential,
        next_page_token,
    }))
}

fn check(leaves: &[u64]) -> Result<(), Failure> {
    let refusal = if leaves.is_empty() {
        Refusal::Missing
    } else if leaves.len() > MEMBERS_MAX as usize {
        Refusal::TooMany { max: MEMBERS_MAX }
    } else if leaves.iter().any(|it| *it > EXACT_MAX) {
        return Err(Failure::Unreadable);
    } else if !leaves.is_sorted_by(|a, b| a < b) {
        Refusal::NotAscending
    } else {
        return Ok(());
    };
    Err(refused(refusal, "leaf_indexes"))
}

/// A page of outcomes in force, ascending.
async fn in_force(
    app: &App,
    learner: String,
    page_token: String,
) -> Result<(Vec<u64>, String), Failure> {
    let request = v1::ListRecordsRequest {
        learner,
        page_size: MEMBERS_MAX,
        page_token,
        states: vec![v1::RecordState::Active as i32],
        ..Default::default()
    };
    let found = ask!(app, archive.list_records, request).await?;
    let mut leaves: Vec<u64> = found.records.iter().map(|it| it.leaf_index).collect();
    leaves.sort_unstable();
    Ok((leaves, found.next_page_token))
}
