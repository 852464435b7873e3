//! The archive: totals, a timeline with filters, one record's page, corrections, and what a learner takes away.

mod away;
mod correction;
mod details;
mod filter;
mod proof;
mod record;
mod row;

pub(crate) use self::away::{attachment, may_take};
pub(crate) use self::correction::{Request, fresh_id, id as request_id};
pub(crate) use self::details::Fact;
pub(crate) use self::filter::{Asked, Ways};
pub(crate) use self::record::{leaf_index, public_facts};
pub(crate) use self::row::{Origin, Row};

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use creditbank_domain::outcome::Category;
use creditbank_wire::v1;

use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;

/// Records of a page.
const RECORDS_PAGE: u32 = 20;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/archive", get(archive))
        .route("/archive/{leaf}", get(record::record))
        .route("/archive/{leaf}/receipt.txt", get(record::receipt))
        .route("/archive/{leaf}/credential.json", get(away::badge))
        .route(
            "/archive/{leaf}/correction",
            get(correction::ask).post(correction::create),
        )
        .route("/archive/requests", get(correction::list))
        .route("/archive/requests/withdraw", post(correction::withdraw))
        .route("/archive/take-away", get(away::take_away))
        .route("/archive/clr.json", get(away::clr))
}

#[derive(Template)]
#[template(path = "archive.html")]
struct ArchivePage {
    f: Frame,
    code: String,
    /// Name, and totals; on the page of all newest records alone.
    head: Option<Head>,
    list: List,
}

/// Who it is, and sums by category.
struct Head {
    name: String,
    records: u64,
    totals: Vec<Total>,
}

struct Total {
    category: String,
    records: u64,
    credits: String,
    hours: String,
}

/// A page of records with its filters, for whatever is done with them.
pub(crate) struct List {
    pub(crate) asked: Asked,
    pub(crate) categories: Vec<(String, String)>,
    /// Institutions that may have been meant, where it is not one.
    pub(crate) meant: Vec<(String, String)>,
    /// Whether an institution was asked for that there is not.
    pub(crate) is_unknown: bool,
    pub(crate) years: Vec<(String, Vec<Row>)>,
    pub(crate) ways: Ways,
}

impl List {
    /// Whether there is nothing on this page.
    pub(crate) fn is_empty(&self) -> bool {
        self.years.is_empty()
    }

    /// All filters but the institution, which is chosen instead.
    pub(crate) fn with_institution(&self, id: &str) -> String {
        Asked {
            institution: id.to_owned(),
            ..self.asked.clone()
        }
        .filters()
    }
}

/// Reads the page of records that was asked for.
pub(crate) async fn list(
    app: &App,
    f: &Frame,
    learner: &str,
    asked: Asked,
    size: u32,
) -> Result<List, Failure> {
    let (list, _) = read(app, f, learner, asked, size, |_| ()).await?;
    Ok(list)
}

/// The same with what else `also` asks for, in one answer of the ledger, which comes without its records.
async fn read(
    app: &App,
    f: &Frame,
    learner: &str,
    asked: Asked,
    size: u32,
    also: impl FnOnce(&mut v1::ListRecordsRequest),
) -> Result<(List, v1::ListRecordsResponse), Failure> {
    let mut meant = Vec::new();
    let mut issuer = String::new();
    let mut is_unknown = false;
    if !asked.institution.trim().is_empty() {
        let names = app.institution_names([].into_iter()).await;
        match &asked.issuers(&names)[..] {
            [] => is_unknown = true,
            [(id, _)] => (*id).clone_into(&mut issuer),
            several => {
                let pair = |(id, name): &(&str, &str)| ((*id).to_owned(), (*name).to_owned());
                meant = several.iter().map(pair).collect();
            }
        }
    }
    let is_asked = meant.is_empty() && !is_unknown;
    let mut found = v1::ListRecordsResponse::default();
    if is_asked {
        let mut request = asked.request(learner, &issuer, size);
        also(&mut request);
        found = app.records(request).await?;
    }
    let records = std::mem::take(&mut found.records);
    let issuers = records.iter().map(|it| it.issuer.as_str());
    let names = app.institution_names(issuers).await;
    let rows = records.iter().filter_map(|it| Row::of(f, &names, it));
    let label = |it: Category| f.pick(it.label_zh(), it.label_en()).to_owned();
    let list = List {
        categories: Category::ALL
            .map(|it| (it.number().to_string(), label(it)))
            .into(),
        meant,
        is_unknown,
        years: row::by_year(rows.collect()),
        ways: asked.ways(&found.next_page_token),
        asked,
    };
    Ok((list, found))
}

async fn archive(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let learner = session.subject();
    let with_head = asked.is_first() && !asked.is_filtered();
    let acting = session.acting.as_ref();
    let also = |request: &mut v1::ListRecordsRequest| {
        request.with_totals = with_head;
        // Whoever acts for somebody sees the name as the grant shows it.
        request.with_name = with_head && acting.is_none();
    };
    let (list, found) = read(&app, &f, learner, asked, RECORDS_PAGE, also).await?;
    let name = acting.map_or(found.name, |it| it.masked_name.clone());
    page(&ArchivePage {
        code: show::learner_code(learner),
        head: with_head.then(|| Head::of(&f, name, &found.totals)),
        list,
        f: f.at("archive"),
    })
}

impl Head {
    fn of(f: &Frame, name: String, totals: &[v1::CategoryTotal]) -> Self {
        let amount = |it: u64| match it {
            0 => "—".to_owned(),
            it => show::hundredths(it),
        };
        let total = |it: &v1::CategoryTotal| Total {
            category: show::category(f.view.lang, it.category),
            records: it.records,
            credits: amount(it.credits_hundredths),
            hours: amount(it.hours_hundredths),
        };
        Self {
            name,
            records: totals.iter().map(|it| it.records).sum(),
            totals: totals.iter().map(total).collect(),
        }
    }
}
