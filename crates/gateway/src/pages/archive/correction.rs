//! Corrections: a learner says what is wrong with a record, and reads what was answered.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use creditbank_wire::v1;
use serde::Deserialize;
use v1::learner_request::Content;

use super::record::{leaf_index, outcome_record, unknown_is_nothing};
use super::row::Row;
use crate::app::App;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;

/// A request as a page shows it.
pub(crate) struct Request {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) word: String,
    pub(crate) look: &'static str,
    pub(crate) is_open: bool,
    pub(crate) created: String,
    pub(crate) text: String,
    pub(crate) answer: String,
    pub(crate) answered: String,
    /// The record it is about; none for an erasure.
    pub(crate) leaf_index: Option<u64>,
}

impl Request {
    pub(crate) fn of(f: &Frame, request: &v1::LearnerRequest) -> Self {
        let state = v1::RequestState::try_from(request.state).unwrap_or_default();
        let (word, look) = match state {
            v1::RequestState::Agreed => (f.t("archive-request-agreed"), "good"),
            v1::RequestState::Declined => (f.t("archive-request-declined"), "bad"),
            v1::RequestState::Withdrawn => (f.t("archive-request-withdrawn"), "calm"),
            v1::RequestState::Open | v1::RequestState::Unspecified => {
                (f.t("archive-request-open"), "warn")
            }
        };
        let (text, leaf_index) = match &request.content {
            Some(Content::Correction(it)) => (it.text.clone(), Some(it.leaf_index)),
            Some(Content::Erasure(it)) => (it.text.clone(), None),
            None => (String::new(), None),
        };
        Self {
            id: show::hex(&request.request_id),
            word,
            look,
            is_open: state == v1::RequestState::Open,
            created: show::moment(request.created_at_ms),
            text,
            answer: request.answer.clone(),
            answered: request.answered_at_ms.map(show::moment).unwrap_or_default(),
            leaf_index,
        }
    }
}

/// Whether a correction of this record waits for its answer.
pub(super) fn is_open_about(request: &v1::LearnerRequest, leaf: u64) -> bool {
    request.state == v1::RequestState::Open as i32
        && matches!(&request.content, Some(Content::Correction(it)) if it.leaf_index == leaf)
}

#[derive(Template)]
#[template(path = "record-correction.html")]
struct AskPage {
    f: Frame,
    row: Row,
    /// So that sending twice asks once.
    request_id: String,
}

pub(super) async fn ask(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(leaf): Path<String>,
) -> Result<Response, Failure> {
    if !f.may_act() {
        return Err(Failure::NotYours);
    }
    let (_, record, _) = outcome_record(&app, session.subject(), leaf_index(&leaf)?).await?;
    let issuer = [record.issuer.as_str()].into_iter();
    let names = app.institution_names(issuer).await;
    page(&AskPage {
        row: Row::of(&f, &names, &record).ok_or(Failure::NotFound)?,
        request_id: fresh_id(),
        f: f.at("archive"),
    })
}

/// 128 random bits as hexadecimal digits.
pub(crate) fn fresh_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the random source of the process never fails");
    show::hex(&bytes)
}

/// The id that a form carries.
pub(crate) fn id(text: &str) -> Result<[u8; 16], Failure> {
    show::from_hex(text).ok_or(Failure::Unreadable)
}

#[derive(Deserialize)]
pub(super) struct CorrectionForm {
    request_id: String,
    text: String,
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(leaf): Path<String>,
    checked: Checked<CorrectionForm>,
) -> Result<Response, Failure> {
    if !checked.frame.may_act() {
        return Err(Failure::NotYours);
    }
    let form = checked.form;
    let correction = v1::Correction {
        leaf_index: leaf_index(&leaf)?,
        text: form.text.trim().replace("\r\n", "\n"),
        ..Default::default()
    };
    let ask = v1::CreateRequestRequest {
        learner: checked.session.subject().to_owned(),
        request_id: id(&form.request_id)?.to_vec().into(),
        content: Some(v1::create_request_request::Content::Correction(correction)),
    };
    app.create_request(ask).await.map_err(unknown_is_nothing)?;
    Ok(Redirect::to("/archive/requests").into_response())
}

#[derive(Template)]
#[template(path = "archive-requests.html")]
struct ListPage {
    f: Frame,
    requests: Vec<Request>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
) -> Result<Response, Failure> {
    let requests = app.requests(session.subject()).await?;
    let corrections = requests
        .iter()
        .filter(|it| matches!(it.content, Some(Content::Correction(_))));
    page(&ListPage {
        requests: corrections.map(|it| Request::of(&f, it)).collect(),
        f: f.at("archive"),
    })
}

#[derive(Deserialize)]
pub(super) struct WithdrawForm {
    request_id: String,
}

/// Takes a correction back; an erasure is taken back where it was asked for, by the learner alone.
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    checked: Checked<WithdrawForm>,
) -> Result<Response, Failure> {
    if !checked.frame.may_act() {
        return Err(Failure::NotYours);
    }
    let request_id = id(&checked.form.request_id)?;
    let learner = checked.session.subject();
    let is_correction = app.requests(learner).await?.iter().any(|it| {
        it.request_id == request_id[..] && matches!(it.content, Some(Content::Correction(_)))
    });
    if !is_correction {
        return Err(Failure::NotFound);
    }
    app.withdraw_request(learner, request_id).await?;
    Ok(Redirect::to("/archive/requests").into_response())
}
