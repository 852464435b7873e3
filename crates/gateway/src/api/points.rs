//! Points (激励积分) of a learner.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use super::extract::{Asked, Me, Paging, private};
use super::outcome::stated;
use crate::app::App;
use crate::failure::Failure;
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/me/points", get(points))
}

/// The points of a learner.
#[derive(Serialize, ToSchema)]
pub(super) struct Purse {
    /// What can be redeemed today, if nothing is owed.
    available: u64,
    /// What must be earned before anything can be redeemed.
    owed: u64,
    /// Everything ever earned by outcomes that still hold.
    lifetime: u64,
    /// What is left, in the order in which it will be used up.
    lots: Vec<Lot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    honour: Option<Honour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_honour: Option<Honour>,
    /// Newest first.
    history: Vec<Movement>,
    /// For the next page of the history; empty on the last.
    pub(super) next_page_token: String,
    /// Size of the log that this answer was read at.
    tree_size: u64,
}

/// What one outcome earned, as far as it is left.
#[derive(Serialize, ToSchema)]
pub(super) struct Lot {
    points: u32,
    /// Last day; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<String>,
}

/// A level or honour (荣誉).
#[derive(Serialize, ToSchema)]
pub(super) struct Honour {
    id: String,
    title_zh: String,
    title_en: String,
    /// Points from which on it is held.
    min_points: u32,
}

/// How points moved.
#[derive(Serialize, ToSchema)]
pub(super) struct Movement {
    /// Leaf of the record that says so.
    leaf_index: u64,
    deposited_at_ms: u64,
    /// Its day.
    on: String,
    points: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

/// Why points moved.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Reason {
    /// By an outcome, under a rule.
    Earned { rule: String, outcome: u64 },
    /// Set aside for a redemption.
    Reserved { redemption: String, purpose: String },
    /// Redeemed.
    Confirmed { redemption: String },
    /// Not redeemed.
    Cancelled { redemption: String },
    /// Their last day was over.
    Expired,
    /// The outcome does not hold any longer.
    ClawedBack { outcome: u64 },
}

fn reason(it: v1::points_movement::Reason) -> Reason {
    use v1::points_movement::Reason as Wire;
    match it {
        Wire::Earned(it) => Reason::Earned {
            rule: it.rule,
            outcome: it.outcome,
        },
        Wire::Reserved(it) => Reason::Reserved {
            redemption: show::hex(&it.redemption),
            purpose: it.purpose,
        },
        Wire::Confirmed(id) => Reason::Confirmed {
            redemption: show::hex(&id),
        },
        Wire::Cancelled(id) => Reason::Cancelled {
            redemption: show::hex(&id),
        },
        Wire::Expired(_) => Reason::Expired,
        Wire::ClawedBack(outcome) => Reason::ClawedBack { outcome },
    }
}

fn movements(it: v1::PointsRecord) -> impl Iterator<Item = Movement> {
    let (leaf_index, deposited_at_ms) = (it.leaf_index, it.deposited_at_ms);
    it.movements.into_iter().map(move |it| Movement {
        leaf_index,
        deposited_at_ms,
        on: it.on,
        points: it.points,
        reason: it.reason.map(reason),
    })
}

fn honour(it: v1::Honour) -> Honour {
    Honour {
        id: it.id,
        title_zh: it.title_zh,
        title_en: it.title_en,
        min_points: it.min_points,
    }
}

/// The points of a learner, and a page of the history.
pub(super) async fn purse(
    app: &App,
    learner: String,
    page_size: u32,
    page_token: String,
) -> Result<Purse, Failure> {
    let request = v1::GetPointsRequest {
        learner,
        page_size,
        page_token,
        ..Default::default()
    };
    let found = ask!(app, points.get_points, request).await?;
    let lot = |it: v1::PointsLot| Lot {
        points: it.points,
        expires_on: stated(it.expires_on),
    };
    Ok(Purse {
        available: found.available,
        owed: found.owed,
        lifetime: found.lifetime,
        lots: found.lots.into_iter().map(lot).collect(),
        honour: found.honour.map(honour),
        next_honour: found.next_honour.map(honour),
        history: found.history.into_iter().flat_map(movements).collect(),
        next_page_token: found.next_page_token,
        tree_size: found.tree_size,
    })
}

/// The points of the learner; `page_size` counts records of the history.
#[utoipa::path(get, path = "/v1/me/points", tag = "archive", operation_id = "get_points",
    params(Paging),
    responses((status = 200, description = "The points.", body = Purse)),
    security(("session" = [])))]
pub(super) async fn points(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Failure> {
    let size = paging.size()?;
    let purse = purse(&app, me.learner(), size, paging.page_token).await?;
    Ok(private(&purse))
}
