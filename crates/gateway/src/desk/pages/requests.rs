//! What learners ask for outside of recognition: corrections, which the institution of the record answers, and erasure,
//! which an operator carries out.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use creditbank_wire::v1::learner_request::Content;
use serde::Deserialize;

use super::{ListQuery, Place, Tab, here, tabs};
use crate::desk::app::{DeskApp, Office};
use crate::desk::names;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;

/// Requests of a page.
const PAGE: u32 = 20;
/// Pages that are looked through for the request that an erasure carries out.
const LOOKED_MAX: usize = 50;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/requests", get(list))
        .route("/requests/{id}/answer", post(answer))
        .route("/requests/{id}/erase", post(erase))
}

struct Asked {
    id: String,
    state: &'static str,
    is_open: bool,
    asked_at: String,
    learner: String,
    text: String,
    answer: String,
    /// Of a correction.
    record: Option<(u64, String)>,
    /// Of an erasure that is agreed to or open: it can be carried out here.
    can_erase: bool,
}

impl Asked {
    fn of(f: &Frame, office: Office, it: &v1::LearnerRequest) -> Self {
        use v1::RequestState as S;
        let (text, record) = match &it.content {
            Some(Content::Correction(it)) => {
                let record = (it.leaf_index, show::hex(&it.record_id));
                (it.text.clone(), Some(record))
            }
            Some(Content::Erasure(it)) => (it.text.clone(), None),
            None => Default::default(),
        };
        let is_erasure = matches!(it.content, Some(Content::Erasure(_)));
        let can_erase =
            is_erasure && office == Office::Operator && matches!(it.state(), S::Open | S::Agreed);
        Self {
            id: show::hex(&it.request_id),
            state: names::request(f.view.lang, it.state()),
            is_open: it.state() == S::Open,
            asked_at: show::moment(it.created_at_ms),
            learner: show::learner_code(&it.learner),
            answer: it.answer.clone(),
            text,
            record,
            can_erase,
        }
    }
}

#[derive(Template)]
#[template(path = "desk/requests.html")]
struct ListPage {
    f: Frame,
    d: Desk,
    tabs: Vec<Tab>,
    show: &'static str,
    requests: Vec<Asked>,
    next: String,
}

async fn list(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Requests);
    let parts = vec![
        ("open", f.t("desk-requests-open")),
        ("all", f.t("desk-requests-all")),
    ];
    let tabs = tabs(parts, &query.show);
    let show = here(&tabs);
    let states = match show {
        "open" => vec![v1::RequestState::Open as i32],
        _ => Vec::new(),
    };
    let ask = v1::ListRequestsRequest {
        states,
        page_size: PAGE,
        page_token: query.page,
        ..Default::default()
    };
    let found = app.requests(ask).await?;
    let requests = found.requests.iter();
    page(&ListPage {
        requests: requests.map(|it| Asked::of(&f, d.office, it)).collect(),
        next: found.next_page_token,
        f,
        d,
        tabs,
        show,
    })
}

#[derive(Deserialize)]
struct AnswerForm {
    /// `yes` or `no`.
    agree: String,
    answer: String,
}

async fn answer(
    State(app): State<Arc<DeskApp>>,
    Path(id): Path<String>,
    signed: Signed<AnswerForm>,
) -> Result<Redirect, Failure> {
    let id = show::from_hex::<16>(&id).ok_or(Failure::NotFound)?;
    let agree = match &*signed.form.agree {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::Unreadable),
    };
    let ask = v1::AnswerRequestRequest {
        request_id: id.to_vec().into(),
        agree,
        answer: signed.form.answer.trim().to_owned(),
    };
    app.answer(ask).await?;
    Ok(Redirect::to("/requests?show=all"))
}

#[derive(Deserialize)]
struct EraseForm {
    /// The learner code, typed once more.
    learner: String,
    #[serde(default)]
    answer: String,
}

#[derive(Template)]
#[template(path = "desk/erased.html")]
struct ErasedPage {
    f: Frame,
    d: Desk,
    records: u64,
    leaf: Option<u64>,
    purged: bool,
}

/// Agrees and erases. The answer comes first, because the request is gone with the archive; if the erasure then fails, the
/// request stands as agreed and can be carried out again.
async fn erase(
    State(app): State<Arc<DeskApp>>,
    Path(id): Path<String>,
    Signed { staff, form }: Signed<EraseForm>,
) -> Result<Response, Failure> {
    if app.office != Office::Operator {
        return Err(Failure::NotFound);
    }
    let id = show::from_hex::<16>(&id).ok_or(Failure::NotFound)?;
    let typed = LearnerCode::parse(&form.learner).map_err(|refusal| Failure::Refused {
        refusal,
        field: "learner",
    })?;
    let typed = format!("{:016}", typed.as_u64());
    let wish = wish(&app, &id, &typed).await?;
    if wish.state() == v1::RequestState::Open {
        let ask = v1::AnswerRequestRequest {
            request_id: id.to_vec().into(),
            agree: true,
            answer: form.answer.trim().to_owned(),
        };
        app.answer(ask).await?;
    }
    let ask = v1::EraseLearnerRequest { learner: typed };
    let erased = app.erase(ask).await?;
    let Staff { f, d } = staff.at(Place::Requests);
    page(&ErasedPage {
        f,
        d,
        records: erased.records_erased,
        leaf: erased.receipt.map(|it| it.leaf_index),
        purged: erased.purged,
    })
}

/// The erasure wish with this id of this learner; another learner's code finds nothing.
async fn wish(app: &DeskApp, id: &[u8], learner: &str) -> Result<v1::LearnerRequest, Failure> {
    use v1::RequestState as S;
    let mut ask = v1::ListRequestsRequest {
        learner: learner.to_owned(),
        states: [S::Open, S::Agreed].map(|it| it as i32).to_vec(),
        page_size: 200,
        ..Default::default()
    };
    for _ in 0..LOOKED_MAX {
        let found = app.requests(ask.clone()).await?;
        let is_it = |it: &v1::LearnerRequest| {
            it.request_id == id && matches!(it.content, Some(Content::Erasure(_)))
        };
        if let Some(it) = found.requests.into_iter().find(is_it) {
            return Ok(it);
        }
        ask.page_token = found.next_page_token;
        if ask.page_token.is_empty() {
            break;
        }
    }
    Err(Failure::NotFound)
}
