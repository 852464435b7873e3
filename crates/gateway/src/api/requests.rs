//! What a learner asks for: corrections, and to be erased.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask;
use super::extract::{Asked, Body, Change, EXACT_MAX, Id, Me, Nothing, Paging, id, private};
use super::outcome::stated;
use crate::app::App;
use crate::failure::Failure;
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/requests", get(list_requests).post(create_request))
        .route("/me/requests/{request_id}", delete(withdraw_request))
}

/// What a learner asks for.
#[derive(Serialize, ToSchema)]
pub(super) struct LearnerRequest {
    /// 32 hexadecimal digits.
    request_id: String,
    created_at_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<RequestState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<RequestContent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at_ms: Option<u64>,
}

/// Where a request stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RequestState {
    /// 待答复
    Open,
    /// 已同意
    Agreed,
    /// 不同意
    Declined,
    /// 已撤回
    Withdrawn,
}

/// What is asked for.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RequestContent {
    /// A record is wrong (更正申请).
    Correction {
        /// Which record.
        #[schema(maximum = 9007199254740991_u64)]
        leaf_index: u64,
        /// What is wrong and what is right.
        #[schema(min_length = 1, max_length = 500)]
        text: String,
    },
    /// The learner wishes to be erased (注销申请).
    Erasure {
        /// What the learner adds.
        #[serde(default)]
        #[schema(max_length = 500)]
        text: String,
    },
}

impl LearnerRequest {
    pub(super) fn of(it: v1::LearnerRequest) -> Self {
        use v1::learner_request::Content;
        let state = match it.state() {
            v1::RequestState::Unspecified => None,
            v1::RequestState::Open => Some(RequestState::Open),
            v1::RequestState::Agreed => Some(RequestState::Agreed),
            v1::RequestState::Declined => Some(RequestState::Declined),
            v1::RequestState::Withdrawn => Some(RequestState::Withdrawn),
        };
        let content = it.content.map(|it| match it {
            Content::Correction(it) => RequestContent::Correction {
                leaf_index: it.leaf_index,
                text: it.text,
            },
            Content::Erasure(it) => RequestContent::Erasure { text: it.text },
        });
        Self {
            request_id: show::hex(&it.request_id),
            created_at_ms: it.created_at_ms,
            state,
            content,
            answer: stated(it.answer),
            answered_at_ms: it.answered_at_ms,
        }
    }
}

/// A page of requests.
#[derive(Serialize, ToSchema)]
pub(super) struct LearnerRequests {
    /// Newest first.
    requests: Vec<LearnerRequest>,
    /// For the next page; empty on the last.
    next_page_token: String,
}

/// What the learner has asked for.
#[utoipa::path(get, path = "/v1/me/requests", tag = "requests", operation_id = "list_requests",
    params(Paging),
    responses((status = 200, description = "A page of requests.", body = LearnerRequests)),
    security(("session" = [])))]
pub(super) async fn list_requests(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Failure> {
    let request = v1::ListRequestsRequest {
        learner: me.learner(),
        states: Vec::new(),
        page_size: paging.size()?,
        page_token: paging.page_token,
    };
    let found = ask!(app, requests.list_requests, request).await?;
    Ok(private(&LearnerRequests {
        requests: found.requests.into_iter().map(LearnerRequest::of).collect(),
        next_page_token: found.next_page_token,
    }))
}

/// A request as it is made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestAsked {
    /// 32 random hexadecimal digits; the same again changes nothing.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    request_id: String,
    content: RequestContent,
}

/// Asks for a correction, or to be erased.
#[utoipa::path(post, path = "/v1/me/requests", tag = "requests", operation_id = "create_request",
    request_body = RequestAsked,
    responses(
        (status = 201, description = "The request.", body = LearnerRequest),
    ),
    security(("session" = [], "csrf" = [])))]
pub(super) async fn create_request(
    State(app): State<Arc<App>>,
    change: Change,
    Asked(Nothing {}): Asked<Nothing>,
    Body(asked): Body<RequestAsked>,
) -> Result<Response, Failure> {
    use v1::create_request_request::Content;
    let content = match asked.content {
        RequestContent::Correction { leaf_index, text } if leaf_index <= EXACT_MAX => {
            Content::Correction(v1::Correction {
                leaf_index,
                text,
                ..Default::default()
            })
        }
        RequestContent::Correction { .. } => return Err(Failure::Unreadable),
        RequestContent::Erasure { text } => Content::Erasure(v1::ErasureWish { text }),
    };
    let request = v1::CreateRequestRequest {
        learner: change.learner(),
        request_id: id(&asked.request_id)?.to_vec().into(),
        content: Some(content),
    };
    let made = ask!(app, requests.create_request, request).await?;
    Ok((StatusCode::CREATED, private(&LearnerRequest::of(made))).into_response())
}

/// Takes a request back.
#[utoipa::path(delete, path = "/v1/me/requests/{request_id}", tag = "requests", operation_id = "withdraw_request",
    params(("request_id" = String, Path, description = "32 hexadecimal digits.", pattern = "^[0-9a-f]{32}$")),
    responses(
        (status = 200, description = "The request, taken back.", body = LearnerRequest),
    ),
    security(("session" = [], "csrf" = [])))]
pub(super) async fn withdraw_request(
    State(app): State<Arc<App>>,
    change: Change,
    Id(request_id): Id,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let request = v1::WithdrawRequestRequest {
        learner: change.learner(),
        request_id: request_id.to_vec().into(),
    };
    let found = ask!(app, requests.withdraw_request, request).await?;
    Ok(private(&LearnerRequest::of(found)))
}
