//! What somebody at a window allows: a relative or carer who may act is recorded, and that or a printed code is withdrawn.
//!
//! A list is the answer to a form, like everything of a window: no address holds a learner code.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{Redirect, Response};
use axum::routing::post;
use creditbank_wire::v1;
use serde::Deserialize;

use super::Place;
use super::window::learner;
use crate::desk::app::DeskApp;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::share::grant::Card;
use crate::pages::share::term;
use crate::show;

/// Grants of an answer, and answers that are read: the ledger bounds grants well below.
const AT_ONCE: u32 = 200;
const ANSWERS_MAX: usize = 10;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/window/relative", post(relative))
        .route("/window/allowed", post(allowed))
        .route("/window/withdraw", post(withdraw))
}

#[derive(Deserialize)]
struct RelativeForm {
    learner: String,
    delegate: String,
    label: String,
    /// `view` or `act`.
    scope: String,
    term: String,
}

/// Records who may act, as the learner who is at the window says.
async fn relative(
    State(app): State<Arc<DeskApp>>,
    Signed { form, .. }: Signed<RelativeForm>,
) -> Result<Redirect, Failure> {
    let scope = match &*form.scope {
        "view" => v1::DelegationScope::View,
        "act" => v1::DelegationScope::Act,
        _ => return Err(Failure::Unreadable),
    };
    let delegation = v1::Delegation {
        delegate: learner(&form.delegate, "delegate")?,
        scope: scope as i32,
        label: form.label.trim().to_owned(),
        ..Default::default()
    };
    let ask = v1::CreateGrantRequest {
        learner: learner(&form.learner, "learner")?,
        expires_at_ms: term::expires_at_ms(&term::RELATIVE, &form.term)?,
        content: Some(v1::create_grant_request::Content::Delegation(delegation)),
    };
    app.grant(ask).await?;
    Ok(Redirect::to("/window?done=relative"))
}

#[derive(Template)]
#[template(path = "desk/allowed.html")]
struct AllowedPage {
    f: Frame,
    d: Desk,
    learner: String,
    /// That hold now.
    cards: Vec<Card>,
    /// Whether one of them was just withdrawn.
    is_done: bool,
}

#[derive(Deserialize)]
struct AllowedForm {
    learner: String,
}

async fn allowed(
    State(app): State<Arc<DeskApp>>,
    Signed { staff, form }: Signed<AllowedForm>,
) -> Result<Response, Failure> {
    list(&app, staff, learner(&form.learner, "learner")?, false).await
}

#[derive(Deserialize)]
struct WithdrawForm {
    learner: String,
    grant_id: String,
}

async fn withdraw(
    State(app): State<Arc<DeskApp>>,
    Signed { staff, form }: Signed<WithdrawForm>,
) -> Result<Response, Failure> {
    let learner = learner(&form.learner, "learner")?;
    let id = show::from_hex::<16>(&form.grant_id).ok_or(Failure::Unreadable)?;
    let ask = v1::WithdrawGrantRequest {
        learner: learner.clone(),
        grant_id: id.to_vec().into(),
    };
    app.withdraw(ask).await?;
    list(&app, staff, learner, true).await
}

async fn list(
    app: &DeskApp,
    staff: Staff,
    learner: String,
    is_done: bool,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Window);
    let mut ask = v1::ListGrantsRequest {
        learner,
        page_size: AT_ONCE,
        page_token: String::new(),
    };
    let mut cards = Vec::new();
    for _ in 0..ANSWERS_MAX {
        let found = app.grants(ask.clone()).await?;
        let found_cards = found.grants.iter().filter_map(|it| Card::of(&f, it));
        cards.extend(found_cards.filter(|it| it.is_open));
        ask.page_token = found.next_page_token;
        if ask.page_token.is_empty() {
            break;
        }
    }
    page(&AllowedPage {
        learner: show::learner_code(&ask.learner),
        cards,
        is_done,
        f,
        d,
    })
}
