//! Who looked.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask;
use super::code::DeskPurpose;
use super::extract::{Asked, Me, id, page_size, page_usual, private};
use super::outcome::stated;
use crate::app::App;
use crate::failure::Failure;
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/me/looks", get(list_looks))
}

/// Size and token of a page, and whose looks.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LooksAsked {
    /// Only of this grant.
    #[param(pattern = "^[0-9a-f]{32}$")]
    grant_id: Option<String>,
    /// Most entries of the answer.
    #[serde(default = "page_usual")]
    #[param(minimum = 1, maximum = 200, default = 50)]
    page_size: u32,
    /// From the answer before, with the other parameters unchanged.
    #[serde(default)]
    #[param(max_length = 500, pattern = "^[A-Za-z0-9_-]*$")]
    page_token: String,
}

/// That somebody looked.
#[derive(Serialize, ToSchema)]
pub(super) struct Look {
    at_ms: u64,
    /// The share, printed code or delegation; absent for a code shown on a phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<String>,
    /// The institution's name, or what the viewer of a share said.
    who: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<DeskPurpose>,
}

impl Look {
    pub(super) fn of(it: v1::Look) -> Self {
        Self {
            at_ms: it.at_ms,
            grant_id: stated(show::hex(&it.grant_id)),
            who: it.who,
            purpose: DeskPurpose::of(it.purpose),
        }
    }
}

/// A page of looks.
#[derive(Serialize, ToSchema)]
pub(super) struct Looks {
    /// Newest first.
    looks: Vec<Look>,
    /// For the next page; empty on the last.
    next_page_token: String,
}

/// Who looked at what the learner allows.
#[utoipa::path(get, path = "/v1/me/looks", tag = "sharing", operation_id = "list_looks",
    params(LooksAsked),
    responses((status = 200, description = "A page of looks.", body = Looks)),
    security(("session" = [])))]
pub(super) async fn list_looks(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(asked): Asked<LooksAsked>,
) -> Result<Response, Failure> {
    let grant = asked.grant_id.as_deref().map(id).transpose()?;
    let request = v1::ListLooksRequest {
        learner: me.learner(),
        grant_id: grant.map(|it| it.to_vec()).unwrap_or_default().into(),
        page_size: page_size(asked.page_size)?,
        page_token: asked.page_token,
    };
    let found = ask!(app, access.list_looks, request).await?;
    Ok(private(&Looks {
        looks: found.looks.into_iter().map(Look::of).collect(),
        next_page_token: found.next_page_token,
    }))
}
