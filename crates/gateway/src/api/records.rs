//! The records of an archive, and sums over them.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_domain::Refusal;
use creditbank_wire::Message as _;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask;
use super::extract::{Asked, Leaf, Me, Nothing, page_usual, private, refused};
use super::outcome::{Category, Outcome};
use crate::app::App;
use crate::failure::Failure;
use crate::show;

/// Most records of a page.
const PAGE_MAX: u32 = 200;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/records", get(list_records))
        .route("/me/records/{leaf_index}", get(record))
        .route("/me/totals", get(totals))
}

/// What a record is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecordState {
    /// 有效
    Active,
    /// 已更正
    Amended,
    /// 已撤销
    Revoked,
    /// 存疑
    Disputed,
}

impl RecordState {
    fn number(self) -> i32 {
        let wire = match self {
            Self::Active => v1::RecordState::Active,
            Self::Amended => v1::RecordState::Amended,
            Self::Revoked => v1::RecordState::Revoked,
            Self::Disputed => v1::RecordState::Disputed,
        };
        wire as i32
    }

    fn of(number: i32) -> Option<Self> {
        match v1::RecordState::try_from(number).unwrap_or_default() {
            v1::RecordState::Unspecified => None,
            v1::RecordState::Active => Some(Self::Active),
            v1::RecordState::Amended => Some(Self::Amended),
            v1::RecordState::Revoked => Some(Self::Revoked),
            v1::RecordState::Disputed => Some(Self::Disputed),
        }
    }
}

/// One record of an archive.
#[derive(Serialize, ToSchema)]
pub(super) struct Record {
    /// Its place in the log.
    pub(super) leaf_index: u64,
    /// Resource id of the institution that deposited it.
    issuer: String,
    /// Its id there, 32 hexadecimal digits.
    record_id: String,
    /// Such as outcome, amendment or revocation.
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<RecordState>,
    deposited_at_ms: u64,
    /// What was achieved.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// Why it was amended, revoked or confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The bytes as deposited, base64; with `salt` they open the commitment in the log.
    payload: String,
    /// 32 bytes, base64.
    salt: String,
    /// The leaf that changed its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_by: Option<u64>,
    /// Leaves of the applications whose decision stands on it.
    used_by: Vec<u64>,
}

impl Record {
    pub(super) fn of(it: v1::ArchiveRecord) -> Self {
        let kind = v1::RecordKind::try_from(it.kind).unwrap_or_default();
        let kind = kind.as_str_name().trim_start_matches("RECORD_KIND_");
        Self {
            leaf_index: it.leaf_index,
            issuer: it.issuer,
            record_id: show::hex(&it.record_id),
            kind: kind.to_lowercase(),
            state: RecordState::of(it.state),
            deposited_at_ms: it.deposited_at_ms,
            outcome: show::outcome(&it.payload).map(Outcome::of),
            reason: reason(&it.payload),
            payload: STANDARD.encode(&it.payload),
            salt: STANDARD.encode(&it.salt),
            changed_by: it.changed_by,
            used_by: it.used_by,
        }
    }
}

fn reason(payload: &[u8]) -> Option<String> {
    use v1::payload::Content;
    match v1::Payload::decode(payload).ok()?.content? {
        Content::Amendment(it) => Some(it.reason),
        Content::Revocation(it) => Some(it.reason),
        Content::Confirmation(it) => Some(it.reason),
        Content::Merge(it) => Some(it.reason),
        _ => None,
    }
}

/// Filters, size and token of a page. All that are set must match.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordsAsked {
    /// Only of this category; may be repeated.
    #[serde(default)]
    category: Vec<Category>,
    /// Only in this state; may be repeated.
    #[serde(default)]
    state: Vec<RecordState>,
    /// Only of this institution, by its resource id.
    #[serde(default)]
    #[param(pattern = "^[a-z][a-z0-9-]{2,31}$")]
    issuer: String,
    /// Completed on this day or later.
    #[serde(default)]
    #[param(format = Date)]
    completed_from: String,
    /// Completed on this day or earlier.
    #[serde(default)]
    #[param(format = Date)]
    completed_to: String,
    /// Most records of the answer.
    #[serde(default = "page_usual")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    page_size: u32,
    /// From the answer before, with the other parameters unchanged.
    #[serde(default)]
    #[param(max_length = 500, pattern = "^[A-Za-z0-9_-]*$")]
    page_token: String,
}

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(super) struct Records {
    /// Newest first.
    records: Vec<Record>,
    /// For the next page; empty on the last.
    next_page_token: String,
    /// Size of the log that this answer was read at.
    tree_size: u64,
}

/// Records of the archive, newest first.
#[utoipa::path(get, path = "/v1/me/records", tag = "archive", operation_id = "list_records",
    params(RecordsAsked),
    responses((status = 200, description = "A page of records.", body = Records)),
    security(("session" = [])))]
pub(super) async fn list_records(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(asked): Asked<RecordsAsked>,
) -> Result<Response, Failure> {
    if !(1..=PAGE_MAX).contains(&asked.page_size) {
        let range = Refusal::OutOfRange {
            min: 1,
            max: PAGE_MAX.into(),
        };
        return Err(refused(range, "page_size"));
    }
    let request = v1::ListRecordsRequest {
        learner: me.learner(),
        page_size: asked.page_size,
        page_token: asked.page_token,
        categories: asked.category.iter().map(|it| it.number()).collect(),
        states: asked.state.iter().map(|it| it.number()).collect(),
        issuer: asked.issuer,
        completed_from: asked.completed_from,
        completed_to: asked.completed_to,
        ..Default::default()
    };
    let found = ask!(app, archive.list_records, request).await?;
    Ok(private(&Records {
        records: found.records.into_iter().map(Record::of).collect(),
        next_page_token: found.next_page_token,
        tree_size: found.tree_size,
    }))
}

/// One record and everything that was said of it.
#[derive(Serialize, ToSchema)]
pub(super) struct RecordWithHistory {
    record: Record,
    /// In the order of the log: what it amends, amendments, revocation, confirmation.
    history: Vec<Record>,
    /// Size of the log that this answer was read at.
    tree_size: u64,
}

/// One record of the archive with its history.
#[utoipa::path(get, path = "/v1/me/records/{leaf_index}", tag = "archive", operation_id = "get_record",
    params(("leaf_index" = u64, Path, description = "Its place in the log.", maximum = 9007199254740991_u64)),
    responses((status = 200, description = "The record.", body = RecordWithHistory)),
    security(("session" = [])))]
pub(super) async fn record(
    State(app): State<Arc<App>>,
    me: Me,
    Leaf(leaf_index): Leaf,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let found = own_record(&app, &me, leaf_index).await?;
    let record = found.record.ok_or(Failure::NotFound)?;
    Ok(private(&RecordWithHistory {
        record: Record::of(record),
        history: found.history.into_iter().map(Record::of).collect(),
        tree_size: found.tree_size,
    }))
}

/// A record of whoever is signed in; there is one answer for what is not and what is somebody else's.
pub(super) async fn own_record(
    app: &App,
    me: &Me,
    leaf_index: u64,
) -> Result<v1::GetRecordResponse, Failure> {
    let request = v1::GetRecordRequest {
        learner: me.learner(),
        leaf_index,
    };
    Ok(ask!(app, archive.get_record, request).await?)
}

/// Sums over the records in force.
#[derive(Serialize, ToSchema)]
pub(super) struct Totals {
    /// One a category that has records in force.
    categories: Vec<CategoryTotal>,
    /// Size of the log that this answer was read at.
    tree_size: u64,
}

/// Sums of one category.
#[derive(Serialize, ToSchema)]
pub(super) struct CategoryTotal {
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    /// Records in force.
    records: u64,
    /// Credits in hundredths.
    credits_hundredths: u64,
    /// Hours in hundredths.
    hours_hundredths: u64,
}

/// Sums of an archive.
pub(super) async fn totals_of(app: &App, learner: String) -> Result<Totals, Failure> {
    let found = ask!(app, archive.get_totals, v1::GetTotalsRequest { learner }).await?;
    let one = |it: v1::CategoryTotal| CategoryTotal {
        category: Category::of(it.category),
        records: it.records,
        credits_hundredths: it.credits_hundredths,
        hours_hundredths: it.hours_hundredths,
    };
    Ok(Totals {
        categories: found.categories.into_iter().map(one).collect(),
        tree_size: found.tree_size,
    })
}

/// Sums by category over the records in force.
#[utoipa::path(get, path = "/v1/me/totals", tag = "archive", operation_id = "get_totals",
    responses((status = 200, description = "Sums by category.", body = Totals)),
    security(("session" = [])))]
pub(super) async fn totals(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    Ok(private(&totals_of(&app, me.learner()).await?))
}
