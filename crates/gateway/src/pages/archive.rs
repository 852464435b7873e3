//! The archive: totals, a timeline with filters, one record's page.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1;
use serde::Deserialize;

use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;

/// Records of a page.
const RECORDS_PAGE: u32 = 20;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/archive", get(archive))
}

#[derive(Deserialize)]
struct ArchiveQuery {
    #[serde(default)]
    page: String,
}

#[derive(Template)]
#[template(path = "archive.html")]
struct ArchivePage {
    f: Frame,
    records: Vec<RecordRow>,
    next: String,
}

struct RecordRow {
    leaf_index: u64,
    name: String,
    category: String,
    completed_on: String,
}

async fn archive(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<ArchiveQuery>,
) -> Result<Response, Failure> {
    let request = v1::ListRecordsRequest {
        learner: session.subject().to_owned(),
        page_size: RECORDS_PAGE,
        page_token: query.page,
        ..Default::default()
    };
    let found = app.records(request).await?;
    let lang = f.view.lang;
    let row = |record: &v1::ArchiveRecord| {
        let outcome = show::outcome(&record.payload)?;
        Some(RecordRow {
            leaf_index: record.leaf_index,
            category: show::category(lang, show::category_of(&outcome)),
            name: outcome.achievement.map(|it| it.name).unwrap_or_default(),
            completed_on: outcome.completed_on,
        })
    };
    page(&ArchivePage {
        f: f.at("archive"),
        records: found.records.iter().filter_map(row).collect(),
        next: found.next_page_token,
    })
}
