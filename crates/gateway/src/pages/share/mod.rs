//! Who may see what: shares, printed codes, relatives and carers, who looked; erasure.
//!
//! All of it is the learner's own: a relative who acts for a learner sees none of these pages.

mod acting;
mod choose;
mod erasure;
pub(crate) mod grant;
mod make;
mod open;
mod relatives;
pub(crate) mod term;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use creditbank_wire::v1;
use serde::Deserialize;

pub(crate) use self::acting::still_acts;
use self::grant::{Card, Kind, LookRow, id, unknown_is_nothing};
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::{Learner, Session};

/// Grants of a page, and looks of a page.
const GRANTS_PAGE: u32 = 50;
const LOOKS_PAGE: u32 = 50;
/// Answers that are read to find one grant: the ledger bounds grants well below.
const ANSWERS_MAX: usize = 10;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sharing", get(sharing).post(make::create))
        .route("/sharing/new", get(choose::choose))
        .route("/sharing/new/terms", get(make::terms))
        .route("/sharing/looks", get(all_looks))
        .route("/sharing/{grant}", get(one))
        .route(
            "/sharing/{grant}/withdraw",
            get(ask_withdraw).post(withdraw),
        )
        .route(
            "/sharing/relatives",
            get(relatives::list).post(relatives::create),
        )
        .route("/sharing/relatives/new", get(relatives::ask))
        .route("/sharing/erasure", get(erasure::ask).post(erasure::create))
        .route("/sharing/erasure/withdraw", post(erasure::withdraw))
        .route("/acting/begin", post(acting::begin))
        .route("/acting/end", post(acting::end))
        .route("/acting/ended", get(acting::ended))
        .route("/archive/choose", get(choose::choose_to_take))
        .route("/s/{secret}", get(open::ask).post(open::open))
        .route("/s/{secret}/{leaf}/credential.json", get(open::credential))
}

/// Only the learner gets past this.
fn own(session: &Session) -> Result<&str, Failure> {
    match session.acting {
        None => Ok(&session.learner),
        Some(_) => Err(Failure::NotYours),
    }
}

#[derive(Deserialize)]
struct PageQuery {
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "share.html")]
struct SharingPage {
    f: Frame,
    shares: Vec<Card>,
    papers: Vec<Card>,
    relatives: Vec<Card>,
    ended: Vec<Card>,
    /// Token of the older ones.
    next: String,
    is_first: bool,
}

async fn sharing(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, Failure> {
    let ask = v1::ListGrantsRequest {
        learner: own(&session)?.to_owned(),
        page_size: GRANTS_PAGE,
        page_token: query.page.clone(),
    };
    let found = app.grants(ask).await?;
    let cards = found.grants.iter().filter_map(|it| Card::of(&f, it));
    let (open, ended): (Vec<_>, Vec<_>) = cards.partition(|it| it.is_open);
    let of = |kind: Kind| open.iter().filter(|it| it.kind == kind).cloned().collect();
    page(&SharingPage {
        shares: of(Kind::Share),
        papers: of(Kind::Paper),
        relatives: of(Kind::Relative),
        ended,
        next: found.next_page_token,
        is_first: query.page.is_empty(),
        f: f.at("sharing"),
    })
}

/// One of the learner's grants.
async fn find(app: &App, learner: &str, grant: &str) -> Result<v1::Grant, Failure> {
    let wanted = id(grant)?;
    let mut ask = v1::ListGrantsRequest {
        learner: learner.to_owned(),
        page_size: 200,
        page_token: String::new(),
    };
    for _ in 0..ANSWERS_MAX {
        let answer = app.grants(ask.clone()).await?;
        let found = answer
            .grants
            .into_iter()
            .find(|it| it.grant_id == wanted[..]);
        if let Some(found) = found {
            return Ok(found);
        }
        if answer.next_page_token.is_empty() {
            break;
        }
        ask.page_token = answer.next_page_token;
    }
    Err(Failure::NotFound)
}

#[derive(Template)]
#[template(path = "share-one.html")]
struct OnePage {
    f: Frame,
    card: Card,
    looks: Vec<LookRow>,
    next: String,
}

async fn one(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(grant): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Response, Failure> {
    let learner = own(&session)?;
    let found = find(&app, learner, &grant).await?;
    let looks = looks(&app, learner, found.grant_id.to_vec(), query.page).await?;
    page(&OnePage {
        card: Card::of(&f, &found).ok_or(Failure::NotFound)?,
        looks: looks.looks.iter().map(|it| LookRow::of(&f, it)).collect(),
        next: looks.next_page_token,
        f: f.at("sharing"),
    })
}

async fn looks(
    app: &App,
    learner: &str,
    grant_id: Vec<u8>,
    page_token: String,
) -> Result<v1::ListLooksResponse, Failure> {
    let ask = v1::ListLooksRequest {
        learner: learner.to_owned(),
        grant_id: grant_id.into(),
        page_size: LOOKS_PAGE,
        page_token,
    };
    Ok(app.looks(ask).await?)
}

#[derive(Template)]
#[template(path = "looks.html")]
struct LooksPage {
    f: Frame,
    looks: Vec<LookRow>,
    next: String,
    is_first: bool,
}

async fn all_looks(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<PageQuery>,
) -> Result<Response, Failure> {
    let is_first = query.page.is_empty();
    let found = looks(&app, own(&session)?, Vec::new(), query.page).await?;
    page(&LooksPage {
        looks: found.looks.iter().map(|it| LookRow::of(&f, it)).collect(),
        next: found.next_page_token,
        is_first,
        f: f.at("sharing"),
    })
}

#[derive(Template)]
#[template(path = "share-withdraw.html")]
struct WithdrawPage {
    f: Frame,
    card: Card,
}

async fn ask_withdraw(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(grant): Path<String>,
) -> Result<Response, Failure> {
    let found = find(&app, own(&session)?, &grant).await?;
    page(&WithdrawPage {
        card: Card::of(&f, &found).ok_or(Failure::NotFound)?,
        f: f.at("sharing"),
    })
}

#[derive(Deserialize)]
struct Nothing {}

async fn withdraw(
    State(app): State<Arc<App>>,
    Path(grant): Path<String>,
    checked: Checked<Nothing>,
) -> Result<Response, Failure> {
    let Nothing {} = checked.form;
    let learner = own(&checked.session)?;
    let ended = app.withdraw_grant(learner, id(&grant)?).await;
    let ended = ended.map_err(unknown_is_nothing)?;
    let back = match ended.content {
        Some(v1::grant::Content::Delegation(_)) => "/sharing/relatives",
        _ => "/sharing",
    };
    Ok(Redirect::to(back).into_response())
}
