//! Codes that learners show: scan, see what was allowed, clear.
//!
//! What a learner allowed is the answer to the form itself: it has no address, is kept by nobody, and is gone when the page
//! is left.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use creditbank_domain::access::PrintedSecret;
use creditbank_wire::v1;
use serde::Deserialize;

use super::Place;
use crate::ask::institutions::Names;
use crate::desk::app::DeskApp;
use crate::desk::facts::{Row, row};
use crate::desk::names;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;

/// A code on a phone begins with this; one without is printed, and needs a document.
const PHONE: &str = "CB1.";

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new().route("/scan", get(scan).post(redeem))
}

#[derive(Template)]
#[template(path = "desk/scan.html")]
struct ScanPage {
    f: Frame,
    d: Desk,
    /// The purpose that is chosen.
    purpose: i32,
    purposes: Vec<(i32, &'static str)>,
    documents: Vec<(i32, &'static str)>,
    /// A printed code that still needs its document.
    printed: String,
    /// Why the last code showed nothing.
    error: String,
}

impl ScanPage {
    fn of(Staff { f, d }: Staff, purpose: i32) -> Self {
        use v1::DeskPurpose as P;
        let lang = f.view.lang;
        let all = [P::CheckIn, P::Totals, P::Records];
        let known = all.iter().any(|it| *it as i32 == purpose);
        Self {
            f,
            d,
            purpose: if known { purpose } else { P::CheckIn as i32 },
            purposes: all.map(|it| (it as i32, names::purpose(lang, it))).to_vec(),
            documents: names::documents(lang),
            printed: String::new(),
            error: String::new(),
        }
    }
}

#[derive(Deserialize)]
struct ScanQuery {
    #[serde(default)]
    purpose: i32,
}

async fn scan(staff: Staff, Query(query): Query<ScanQuery>) -> Result<Response, Failure> {
    page(&ScanPage::of(staff.at(Place::Scan), query.purpose))
}

#[derive(Deserialize)]
struct CodeForm {
    purpose: i32,
    code: String,
    #[serde(default)]
    document: i32,
    #[serde(default)]
    number: String,
    #[serde(default)]
    issuer: String,
}

#[derive(Template)]
#[template(path = "desk/presented.html")]
struct PresentedPage {
    f: Frame,
    d: Desk,
    purpose: i32,
    purpose_name: &'static str,
    masked_name: String,
    learner: String,
    totals: Vec<Total>,
    records: Vec<Row>,
}

struct Total {
    category: String,
    records: u64,
    credits: String,
    hours: String,
}

async fn redeem(
    State(app): State<Arc<DeskApp>>,
    Signed { staff, form }: Signed<CodeForm>,
) -> Result<Response, Failure> {
    let staff = staff.at(Place::Scan);
    let code = form.code.trim().to_owned();
    let number = form.number.trim();
    let is_phone = code.starts_with(PHONE);
    if !is_phone && PrintedSecret::parse(&code).is_err() {
        let mut again = ScanPage::of(staff, form.purpose);
        again.error = again.f.t("desk-scan-no-code");
        return refused(&again, StatusCode::BAD_REQUEST);
    }
    if !is_phone && number.is_empty() {
        let mut again = ScanPage::of(staff, form.purpose);
        again.error = again.f.t("desk-scan-document");
        again.printed = code;
        return refused(&again, StatusCode::BAD_REQUEST);
    }
    let identity = (!number.is_empty()).then(|| v1::Identity {
        kind: form.document,
        number: number.to_owned(),
        issuer: form.issuer.trim().to_owned(),
    });
    let request = v1::RedeemCodeRequest {
        code,
        purpose: form.purpose,
        identity,
    };
    match app.redeem(request).await {
        Ok(presented) => {
            let issuers = presented.records.iter().map(|it| &*it.issuer);
            let names = app.institution_names(issuers).await;
            page(&presented_page(staff, &names, presented))
        }
        Err(error) => {
            let told = Failure::from(error).told();
            let mut again = ScanPage::of(staff, form.purpose);
            again.error = again.f.pick(&told.zh, &told.en).to_owned();
            refused(&again, told.status)
        }
    }
}

fn refused(again: &ScanPage, status: StatusCode) -> Result<Response, Failure> {
    let mut response = page(again)?;
    *response.status_mut() = status;
    Ok(response)
}

/// What was allowed, and nothing else.
fn presented_page(Staff { f, d }: Staff, names: &Names, presented: v1::Presented) -> PresentedPage {
    let lang = f.view.lang;
    let total = |it: &v1::CategoryTotal| Total {
        category: show::category(lang, it.category),
        records: it.records,
        credits: show::hundredths(it.credits_hundredths),
        hours: show::hundredths(it.hours_hundredths),
    };
    let records = presented.records.iter();
    PresentedPage {
        purpose: presented.purpose,
        purpose_name: names::purpose(lang, presented.purpose()),
        learner: show::learner_code(&presented.learner),
        totals: presented.totals.iter().map(total).collect(),
        records: records.filter_map(|it| row(lang, names, it)).collect(),
        masked_name: presented.masked_name,
        f,
        d,
    }
}
