//! Erasure: what it means, the wish, and taking it back. An operator carries it out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use creditbank_wire::v1;
use serde::Deserialize;
use v1::learner_request::Content;

use super::own;
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::pages::archive::{Request, fresh_id, request_id};
use crate::session::Learner;

#[derive(Template)]
#[template(path = "erasure.html")]
struct ErasurePage {
    f: Frame,
    /// Wishes so far, newest first.
    wishes: Vec<Request>,
    is_open: bool,
    request_id: String,
    /// Whether it was sent without saying that it was understood.
    is_unconfirmed: bool,
}

async fn shown(
    app: &App,
    f: Frame,
    learner: &str,
    is_unconfirmed: bool,
) -> Result<Response, Failure> {
    let requests = app.requests(learner).await?;
    let wishes: Vec<_> = requests
        .iter()
        .filter(|it| matches!(it.content, Some(Content::Erasure(_))))
        .map(|it| Request::of(&f, it))
        .collect();
    page(&ErasurePage {
        is_open: wishes.iter().any(|it| it.is_open),
        wishes,
        request_id: fresh_id(),
        is_unconfirmed,
        f: f.at("sharing"),
    })
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
) -> Result<Response, Failure> {
    shown(&app, f, own(&session)?, false).await
}

#[derive(Deserialize)]
pub(super) struct ErasureForm {
    request_id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    understood: String,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    checked: Checked<ErasureForm>,
) -> Result<Response, Failure> {
    let learner = own(&checked.session)?;
    let form = checked.form;
    if form.understood.is_empty() {
        return shown(&app, checked.frame, learner, true).await;
    }
    let wish = v1::ErasureWish {
        text: form.text.trim().replace("\r\n", "\n"),
    };
    let ask = v1::CreateRequestRequest {
        learner: learner.to_owned(),
        request_id: request_id(&form.request_id)?.to_vec().into(),
        content: Some(v1::create_request_request::Content::Erasure(wish)),
    };
    app.create_request(ask).await?;
    Ok(Redirect::to("/sharing/erasure").into_response())
}

#[derive(Deserialize)]
pub(super) struct WithdrawForm {
    request_id: String,
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    checked: Checked<WithdrawForm>,
) -> Result<Response, Failure> {
    let learner = own(&checked.session)?;
    let request_id = request_id(&checked.form.request_id)?;
    app.withdraw_request(learner, request_id).await?;
    Ok(Redirect::to("/sharing/erasure").into_response())
}
