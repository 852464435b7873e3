//! Points: what a learner has and until when, honours, rewards that are set aside, the history.
//!
//! Setting points aside and handing out a reward are a counter's business: these pages only show them.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1::{self, points_movement::Reason};
use serde::Deserialize;

use super::state;
use crate::app::App;
use crate::ask::recognition::{Names, names_of, wording};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::words::Lang;

/// Records of the history a page.
const HISTORY_PAGE: u32 = 20;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/recognition/points", get(show_points))
}

#[derive(Deserialize)]
struct PointsQuery {
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "points.html")]
struct PointsPage {
    f: Frame,
    first: bool,
    available: u64,
    owed: u64,
    lifetime: u64,
    honour: String,
    /// The next honour, and what is missing for it.
    next_honour: String,
    accounts: Vec<(&'static str, i64)>,
    lots: Vec<v1::PointsLot>,
    open: Vec<RedemptionRow>,
    history: Vec<MovementRow>,
    next: String,
}

struct RedemptionRow {
    purpose: String,
    points: u32,
    state: &'static str,
}

struct MovementRow {
    on: String,
    words: &'static str,
    sign: &'static str,
    points: u32,
    /// Which rule, or what for.
    about: String,
    /// Leaf of the outcome, if it is about one.
    outcome: Option<u64>,
}

async fn show_points(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<PointsQuery>,
) -> Result<Response, Failure> {
    let first = query.page.is_empty();
    let purse = app
        .purse(session.subject(), HISTORY_PAGE, query.page)
        .await?;
    let names = match purse.rule_set_hash.is_empty() {
        true => Arc::default(),
        false => names_of(&app.bank, &purse.rule_set_hash).await,
    };
    let lang = f.view.lang;
    let honour = |it: Option<&v1::Honour>| {
        it.map(|it| wording(lang, &it.title_zh, &it.title_en, &it.id))
            .unwrap_or_default()
    };
    let accounts = purse.balances.iter();
    let accounts = accounts.filter_map(|it| Some((state::account(it.account())?, it.points)));
    let history = purse.history.iter().flat_map(|it| &it.movements);
    page(&PointsPage {
        first,
        available: purse.available,
        owed: purse.owed,
        lifetime: purse.lifetime,
        honour: honour(purse.honour.as_ref()),
        next_honour: next_honour(&f, &purse),
        accounts: accounts.collect(),
        open: purse
            .open_redemptions
            .iter()
            .map(RedemptionRow::of)
            .collect(),
        history: history
            .map(|it| MovementRow::of(it, &names, lang))
            .collect(),
        lots: purse.lots,
        next: purse.next_page_token,
        f: f.at("recognition"),
    })
}

fn next_honour(f: &Frame, purse: &v1::Purse) -> String {
    let Some(next) = &purse.next_honour else {
        return String::new();
    };
    let missing = u64::from(next.min_points).saturating_sub(purse.lifetime);
    let title = wording(f.view.lang, &next.title_zh, &next.title_en, &next.id);
    let missing = missing.to_string();
    let key = "recognition-honour-next";
    f.t2(key, ("n", &missing), ("honour", &title))
}

impl RedemptionRow {
    fn of(it: &v1::Redemption) -> Self {
        Self {
            purpose: it.purpose.clone(),
            points: it.points,
            state: state::redemption(it.state()),
        }
    }
}

impl MovementRow {
    fn of(it: &v1::PointsMovement, names: &Names, lang: Lang) -> Self {
        let (words, sign) = state::movement(it.reason.as_ref());
        let (about, outcome) = match &it.reason {
            Some(Reason::Earned(earned)) => {
                let title = names.earning_title(lang, &earned.rule);
                (title, Some(earned.outcome))
            }
            Some(Reason::Reserved(reserved)) => (reserved.purpose.clone(), None),
            Some(Reason::ClawedBack(outcome)) => (String::new(), Some(*outcome)),
            _ => (String::new(), None),
        };
        Self {
            on: it.on.clone(),
            points: it.points,
            words,
            sign,
            about,
            outcome,
        }
    }
}
