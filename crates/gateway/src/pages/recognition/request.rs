//! Asking for an outcome of another bank, with the ticket that the learner brings from there.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::ticket::Ticket;
use super::transfer::transfer_path;
use super::trouble::Trouble;
use super::{agent, barrier, natural_key, subject};
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/recognition/transfers/request", get(enter).post(request))
}

#[derive(Template)]
#[template(path = "transfer-request.html")]
struct RequestPage {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    /// The learner's code here, which the consent at the other bank has to name.
    learner: String,
    ticket: String,
}

async fn enter(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
) -> Result<Response, Failure> {
    request_page(&app, f, session.subject(), String::new(), None)
}

fn request_page(
    app: &App,
    f: Frame,
    learner: &str,
    ticket: String,
    trouble: Option<Trouble>,
) -> Result<Response, Failure> {
    page(&RequestPage {
        barrier: barrier(app, &f),
        f: f.at("recognition"),
        learner: show::learner_code(learner),
        ticket,
        trouble,
    })
}

#[derive(Deserialize)]
struct RequestForm {
    #[serde(default)]
    ticket: String,
}

async fn request(
    State(app): State<Arc<App>>,
    checked: Checked<RequestForm>,
) -> Result<Response, Failure> {
    let Ok(ticket) = checked.form.ticket.parse::<Ticket>() else {
        let f = checked.frame;
        let trouble = Trouble {
            code: "MALFORMED",
            text: f.t("recognition-trouble-ticket"),
        };
        let (learner, written) = (checked.session.subject(), checked.form.ticket);
        return request_page(&app, f, learner, written, Some(trouble));
    };
    match requested(&app, &checked, &ticket).await {
        Ok(leaf) => Ok(Redirect::to(&transfer_path(leaf)).into_response()),
        Err(failure) => {
            let f = checked.frame;
            let trouble = Trouble::of_failure(&f, failure)?;
            let (learner, written) = (checked.session.subject(), checked.form.ticket);
            request_page(&app, f, learner, written, Some(trouble))
        }
    }
}

/// The request as a record: a ticket is asked with once, however often the form is sent.
async fn requested(
    app: &App,
    checked: &Checked<RequestForm>,
    ticket: &Ticket,
) -> Result<u64, Failure> {
    let agent = agent(app, &checked.frame)?;
    let learner = subject(&checked.session)?;
    let leaf = ticket.consent.leaf_index.0.to_be_bytes();
    let key = natural_key(&[
        b"transfer request",
        checked.session.subject().as_bytes(),
        ticket.origin.as_bytes(),
        &leaf,
        &ticket.consent.leaf_hash,
    ]);
    let placed = app
        .deposit(agent, |maker| {
            maker.transfer_request(&key, learner, &ticket.origin, &ticket.consent, ticket.id)
        })
        .await?;
    Ok(placed.leaf_index)
}
