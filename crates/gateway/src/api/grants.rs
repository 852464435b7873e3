//! What a learner allows others to see: shares, printed codes, delegations.

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
use super::code::DeskPurpose;
use super::extract::{Asked, Body, Change, EXACT_MAX, Id, Me, Nothing, Paging, private};
use super::outcome::{Category, stated};
use crate::app::App;
use crate::failure::Failure;
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/grants", get(list_grants).post(create_grant))
        .route("/me/grants/{grant_id}", delete(withdraw_grant))
}

/// What a learner allows.
#[derive(Serialize, ToSchema)]
pub(super) struct Grant {
    /// 32 hexadecimal digits.
    grant_id: String,
    created_at_ms: u64,
    expires_at_ms: u64,
    /// Absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<GrantContent>,
    /// How often it was used.
    looks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_look_at_ms: Option<u64>,
    /// The institution at whose window it was made; absent where the learner made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    window: String,
}

/// To whom something is allowed, and what.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum GrantContent {
    /// Records shown to whoever has the link (分享).
    Share {
        /// To whom.
        #[schema(min_length = 1, max_length = 100)]
        recipient: String,
        /// What for.
        #[schema(min_length = 1, max_length = 200)]
        purpose: String,
        /// Leaves of the records, ascending.
        #[schema(min_items = 1, max_items = 200)]
        leaf_indexes: Vec<u64>,
        /// Whether the learner's name is shown.
        with_name: bool,
    },
    /// A code on paper, of use only together with the identity document (离线码).
    PrintedCode {
        purpose: DeskPurpose,
        /// With the purpose `records`: what is shown; all if empty. Else empty.
        #[serde(default)]
        #[schema(max_items = 9)]
        categories: Vec<Category>,
    },
    /// A relative or carer who may act (亲属代办).
    Delegation {
        /// Learner code of who may act, 16 digits.
        #[schema(pattern = "^[0-9]{16}$")]
        delegate: String,
        scope: DelegationScope,
        /// How the delegate is called.
        #[schema(min_length = 1, max_length = 50)]
        label: String,
    },
}

/// How much a relative or carer may do.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DelegationScope {
    /// Sees the archive.
    View,
    /// Also shows codes, asks for corrections, applies and withdraws.
    Act,
}

impl Grant {
    pub(super) fn of(it: v1::Grant) -> Self {
        Self {
            grant_id: show::hex(&it.grant_id),
            created_at_ms: it.created_at_ms,
            expires_at_ms: it.expires_at_ms,
            withdrawn_at_ms: it.withdrawn_at_ms,
            content: it.content.and_then(content),
            looks: it.looks,
            last_look_at_ms: it.last_look_at_ms,
            window: it.window,
        }
    }
}

fn content(it: v1::grant::Content) -> Option<GrantContent> {
    use v1::grant::Content;
    Some(match it {
        Content::Share(it) => GrantContent::Share {
            recipient: it.recipient,
            purpose: it.purpose,
            leaf_indexes: it.leaf_indexes,
            with_name: it.with_name,
        },
        Content::PrintedCode(it) => GrantContent::PrintedCode {
            purpose: DeskPurpose::of(it.purpose)?,
            categories: it.categories.into_iter().filter_map(Category::of).collect(),
        },
        Content::Delegation(it) => GrantContent::Delegation {
            scope: match it.scope() {
                v1::DelegationScope::Act => DelegationScope::Act,
                v1::DelegationScope::View => DelegationScope::View,
                v1::DelegationScope::Unspecified => return None,
            },
            delegate: it.delegate,
            label: it.label,
        },
    })
}

/// A page of grants.
#[derive(Serialize, ToSchema)]
pub(super) struct Grants {
    /// Newest first: open ones and those that ended.
    grants: Vec<Grant>,
    /// For the next page; empty on the last.
    next_page_token: String,
}

/// What the learner has allowed.
#[utoipa::path(get, path = "/v1/me/grants", tag = "sharing", operation_id = "list_grants",
    params(Paging),
    responses((status = 200, description = "A page of grants.", body = Grants)),
    security(("session" = [])))]
pub(super) async fn list_grants(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Failure> {
    let request = v1::ListGrantsRequest {
        learner: me.learner(),
        page_size: paging.size()?,
        page_token: paging.page_token,
    };
    let found = ask!(app, access.list_grants, request).await?;
    Ok(private(&Grants {
        grants: found.grants.into_iter().map(Grant::of).collect(),
        next_page_token: found.next_page_token,
    }))
}

/// What is to be allowed, and how long.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantAsked {
    /// A share at most a year ahead, a printed code 180 days, a delegation three years.
    #[schema(maximum = 9007199254740991_u64)]
    expires_at_ms: u64,
    content: GrantContent,
}

/// A grant as it was made.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeGrant {
    grant: Grant,
    /// Of a share for its link, of a printed code to be printed; told this once. Absent for a delegation.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Address of a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

/// Makes a share, a printed code or a delegation.
#[utoipa::path(post, path = "/v1/me/grants", tag = "sharing", operation_id = "create_grant",
    request_body = GrantAsked,
    responses(
        (status = 201, description = "The grant.", body = MadeGrant),
    ),
    security(("session" = [], "csrf" = [])))]
pub(super) async fn create_grant(
    State(app): State<Arc<App>>,
    change: Change,
    Asked(Nothing {}): Asked<Nothing>,
    Body(asked): Body<GrantAsked>,
) -> Result<Response, Failure> {
    let is_share = matches!(asked.content, GrantContent::Share { .. });
    let request = v1::CreateGrantRequest {
        learner: change.learner(),
        expires_at_ms: asked.expires_at_ms,
        content: Some(wished(asked.content)?),
    };
    let made = ask!(app, access.create_grant, request).await?;
    let link = |secret: &String| format!("{}/s/{secret}", app.options.base_url);
    let secret = stated(made.secret);
    let answer = MadeGrant {
        grant: Grant::of(made.grant.unwrap_or_default()),
        link: secret.as_ref().filter(|_| is_share).map(link),
        secret,
    };
    Ok((StatusCode::CREATED, private(&answer)).into_response())
}

fn wished(content: GrantContent) -> Result<v1::create_grant_request::Content, Failure> {
    use v1::create_grant_request::Content;
    Ok(match content {
        GrantContent::Share {
            recipient,
            purpose,
            leaf_indexes,
            with_name,
        } => {
            if leaf_indexes.iter().any(|it| *it > EXACT_MAX) {
                return Err(Failure::Unreadable);
            }
            Content::Share(v1::Share {
                recipient,
                purpose,
                leaf_indexes,
                with_name,
            })
        }
        GrantContent::PrintedCode {
            purpose,
            categories,
        } => Content::PrintedCode(v1::PrintedCode {
            purpose: purpose.number(),
            categories: categories.iter().map(|it| it.number()).collect(),
        }),
        GrantContent::Delegation {
            delegate,
            scope,
            label,
        } => {
            let scope = match scope {
                DelegationScope::View => v1::DelegationScope::View,
                DelegationScope::Act => v1::DelegationScope::Act,
            };
            Content::Delegation(v1::Delegation {
                delegate,
                scope: scope as i32,
                label,
                ..Default::default()
            })
        }
    })
}

/// Ends a grant at once; again it changes nothing.
#[utoipa::path(delete, path = "/v1/me/grants/{grant_id}", tag = "sharing", operation_id = "withdraw_grant",
    params(("grant_id" = String, Path, description = "32 hexadecimal digits.", pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, description = "The grant, ended.", body = Grant)),
    security(("session" = [], "csrf" = [])))]
pub(super) async fn withdraw_grant(
    State(app): State<Arc<App>>,
    change: Change,
    Id(grant_id): Id,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let request = v1::WithdrawGrantRequest {
        learner: change.learner(),
        grant_id: grant_id.to_vec().into(),
    };
    let grant = ask!(app, access.withdraw_grant, request).await?;
    Ok(private(&Grant::of(grant)))
}
