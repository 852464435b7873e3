//! A learner code (申学码) to show at a desk.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask;
use super::extract::{Asked, Body, Change, Nothing, private};
use super::outcome::Category;
use crate::app::App;
use crate::failure::Failure;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/me/code", post(code))
}

/// What a learner shows a desk for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeskPurpose {
    /// 签到办理: the learner code, so that the desk can deposit what is learned there.
    CheckIn,
    /// 出示累计: totals by category.
    Totals,
    /// 出示记录: the newest records in force of the chosen categories.
    Records,
}

impl DeskPurpose {
    pub(super) fn number(self) -> i32 {
        let wire = match self {
            Self::CheckIn => v1::DeskPurpose::CheckIn,
            Self::Totals => v1::DeskPurpose::Totals,
            Self::Records => v1::DeskPurpose::Records,
        };
        wire as i32
    }

    pub(super) fn of(number: i32) -> Option<Self> {
        match v1::DeskPurpose::try_from(number).unwrap_or_default() {
            v1::DeskPurpose::Unspecified => None,
            v1::DeskPurpose::CheckIn => Some(Self::CheckIn),
            v1::DeskPurpose::Totals => Some(Self::Totals),
            v1::DeskPurpose::Records => Some(Self::Records),
        }
    }
}

/// What the code is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeAsked {
    purpose: DeskPurpose,
    /// With the purpose `records`: what is shown; all if empty. Else empty.
    #[serde(default)]
    #[schema(max_items = 9)]
    categories: Vec<Category>,
}

/// A code that lives for a minute, serves once and names no one.
#[derive(Serialize, ToSchema)]
pub(super) struct Code {
    /// What the desk scans.
    code: String,
    expires_at_ms: u64,
}

/// Makes a code to show at a desk.
#[utoipa::path(post, path = "/v1/me/code", tag = "sharing", operation_id = "issue_code",
    request_body = CodeAsked,
    responses((status = 200, description = "The code.", body = Code)),
    security(("session" = [], "csrf" = [])))]
pub(super) async fn code(
    State(app): State<Arc<App>>,
    change: Change,
    Asked(Nothing {}): Asked<Nothing>,
    Body(asked): Body<CodeAsked>,
) -> Result<Response, Failure> {
    let request = v1::IssueCodeRequest {
        learner: change.learner(),
        purpose: asked.purpose.number(),
        categories: asked.categories.iter().map(|it| it.number()).collect(),
    };
    let made = ask!(app, access.issue_code, request).await?;
    Ok(private(&Code {
        code: made.code,
        expires_at_ms: made.expires_at_ms,
    }))
}
