//! What the institution deposited, newest first, and one record of it in words.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1;

use super::{ListQuery, Place};
use crate::desk::app::DeskApp;
use crate::desk::facts::{Fact, payload};
use crate::desk::names;
use crate::desk::staff::{Desk, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;

/// Records of a page.
const PAGE: u32 = 50;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/submissions", get(list))
        .route("/submissions/{record_id}", get(one))
}

struct Deposit {
    record_id: String,
    leaf_index: u64,
    kind: &'static str,
    deposited_at: String,
}

impl Deposit {
    fn of(f: &Frame, it: &v1::Submission) -> Self {
        Self {
            record_id: show::hex(&it.record_id),
            leaf_index: it.leaf_index,
            kind: names::kind(f.view.lang, it.kind),
            deposited_at: show::moment(it.deposited_at_ms),
        }
    }
}

#[derive(Template)]
#[template(path = "desk/submissions.html")]
struct ListPage {
    f: Frame,
    d: Desk,
    deposits: Vec<Deposit>,
    next: String,
}

async fn list(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Submissions);
    let ask = v1::ListSubmissionsRequest {
        issuer: String::new(),
        page_size: PAGE,
        page_token: query.page,
    };
    let found = app.submissions(ask).await?;
    let deposits = found.submissions.iter();
    page(&ListPage {
        deposits: deposits.map(|it| Deposit::of(&f, it)).collect(),
        next: found.next_page_token,
        f,
        d,
    })
}

#[derive(Template)]
#[template(path = "desk/submission.html")]
struct OnePage {
    f: Frame,
    d: Desk,
    it: Deposit,
    facts: Vec<Fact>,
}

async fn one(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Path(record_id): Path<String>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Submissions);
    let record_id = show::from_hex::<16>(&record_id).ok_or(Failure::NotFound)?;
    let ask = v1::GetSubmissionRequest {
        issuer: String::new(),
        record_id: record_id.to_vec().into(),
    };
    let found = app.submission(ask).await?;
    let names = app.institution_names([].into_iter()).await;
    page(&OnePage {
        it: Deposit::of(&f, &found),
        facts: payload(f.view.lang, &names, &found.payload),
        f,
        d,
    })
}
