//! Public statistics: yearbooks, what a learning city watches, and one institution over the years. Everybody reads them.

mod chart;
mod table;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use creditbank_domain::statistics::{self, Dimension, Lines, Subject, Table};

use self::table::{Shown, shown};
use crate::app::App;
use crate::ask::statistics::Published;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show::hex;
use crate::words::Lang;

/// Years of an institution that are shown.
const YEARS_MAX: usize = 10;

/// The tables of a yearbook, in the order of the page.
const TABLES: [(Subject, Table); 15] = [
    (Subject::Learning, Table::Category),
    (Subject::Learning, Table::Month),
    (Subject::Learning, Table::Age),
    (Subject::Learning, Table::Sex),
    (Subject::Learning, Table::Tenure),
    (Subject::Learning, Table::District),
    (Subject::Learning, Table::Institution),
    (Subject::Learning, Table::CategoryDistrict),
    (Subject::Learning, Table::CategoryAge),
    (Subject::Learning, Table::AgeSex),
    (Subject::Learning, Table::MonthCategory),
    (Subject::Recognition, Table::Total),
    (Subject::Recognition, Table::Month),
    (Subject::Points, Table::Total),
    (Subject::Points, Table::Month),
];

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/statistics", get(years))
        .route("/statistics/{year}", get(yearbook))
        .route("/statistics/{year}/city", get(city))
        .route("/statistics/{year}/yearbook.bin", get(bytes))
        .route("/statistics/{year}/yearbook.csv", get(csv))
        .route("/statistics/institutions/{id}", get(institution))
}

#[derive(Template)]
#[template(path = "statistics.html")]
struct Years {
    f: Frame,
    years: Vec<u16>,
}

async fn years(State(app): State<Arc<App>>, f: Frame) -> Result<Response, Failure> {
    let years = app.yearbook_years().await?;
    page(&Years {
        years,
        f: f.at("statistics"),
    })
}

#[derive(Template)]
#[template(path = "statistics-yearbook.html")]
struct YearbookPage {
    f: Frame,
    of: Arc<Published>,
    hash: String,
    /// Days to a decision, in words; empty where they are suppressed.
    days: String,
    total: Option<Shown>,
    tables: Vec<Shown>,
    institutions: Vec<(String, String)>,
}

async fn yearbook(
    State(app): State<Arc<App>>,
    Path(year): Path<String>,
    f: Frame,
) -> Result<Response, Failure> {
    let of = published(&app, &year).await?;
    let make = |(subject, table)| shown(&of, subject, table, f.view.lang);
    let names = of.institutions.iter();
    page(&YearbookPage {
        hash: hex(&of.hash),
        days: days(&of, &f),
        total: make((Subject::Learning, Table::Total)),
        tables: TABLES.into_iter().filter_map(make).collect(),
        institutions: names
            .map(|it| (it.id.clone(), it.display_name.clone()))
            .collect(),
        of,
        f: f.at("statistics"),
    })
}

/// Participation in a district, or in all.
struct Participation {
    name: String,
    /// None where it is suppressed.
    learners: Option<i64>,
    residents: u64,
    /// Learners in ten thousand residents.
    rate: Option<u64>,
}

#[derive(Template)]
#[template(path = "statistics-city.html")]
struct City {
    f: Frame,
    of: Arc<Published>,
    days: String,
    residents_from: String,
    participation: Vec<Participation>,
    chart: String,
    tables: Vec<Shown>,
}

async fn city(
    State(app): State<Arc<App>>,
    Path(year): Path<String>,
    f: Frame,
) -> Result<Response, Failure> {
    let of = published(&app, &year).await?;
    let participation = participation(&of, &f);
    let bars = participation.iter().filter_map(|it| {
        let rate = i64::try_from(it.rate?).ok()?;
        Some((it.name.clone(), Some(rate), rate.to_string()))
    });
    let tables = [
        (Subject::Learning, Table::Age),
        (Subject::Learning, Table::Tenure),
        (Subject::Recognition, Table::Total),
    ];
    let make = |(subject, table)| shown(&of, subject, table, f.view.lang);
    let population = &of.yearbook.population;
    page(&City {
        days: days(&of, &f),
        residents_from: f.t2(
            "statistics-residents-from",
            ("source", &population.source),
            ("dated", &population.dated),
        ),
        chart: chart::bars(&bars.collect::<Vec<_>>()),
        tables: tables.into_iter().filter_map(make).collect(),
        participation,
        of,
        f: f.at("statistics"),
    })
}

fn days(of: &Published, f: &Frame) -> String {
    of.yearbook.days.map_or_else(String::new, |days| {
        let median = days.median.to_string();
        match days.p90.map(|p90| p90.to_string()) {
            None => f.t1("statistics-days-median", "median", &median),
            Some(p90) => f.t2("statistics-days", ("median", &median), ("p90", &p90)),
        }
    })
}

/// The whole region first, then the districts whose residents are known.
fn participation(of: &Published, f: &Frame) -> Vec<Participation> {
    let rows = of.yearbook.participation().into_iter();
    let row = |it: statistics::Participation| {
        let label = Dimension::District.value_label(it.district, of.yearbook.year);
        Participation {
            name: match it.district {
                0 => f.t("statistics-region"),
                _ => f.pick(&label.zh, &label.en).to_owned(),
            },
            learners: it.learners,
            residents: it.residents,
            rate: it.rate,
        }
    };
    rows.map(row).collect()
}

/// One year of an institution.
struct YearRow {
    year: u16,
    figures: table::Figures,
}

#[derive(Template)]
#[template(path = "statistics-institution.html")]
struct InstitutionPage {
    f: Frame,
    name: String,
    measures: Vec<String>,
    rows: Vec<YearRow>,
    chart: String,
}

async fn institution(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    f: Frame,
) -> Result<Response, Failure> {
    let mut name = None;
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for year in app.yearbook_years().await?.into_iter().take(YEARS_MAX) {
        let Some(of) = app.yearbook(year).await? else {
            continue;
        };
        let Some(known) = of.institutions.iter().find(|it| it.id == id) else {
            continue;
        };
        name.get_or_insert_with(|| known.display_name.clone());
        let mut found = of.yearbook.table(Subject::Learning, Table::Institution);
        if let Some(row) = found.find(|row| row.cell.b == known.number) {
            let (figures, learners) = (table::figures(row), row.amounts[0]);
            let said = learners.map_or_else(|| f.t("statistics-suppressed"), |it| it.to_string());
            bars.push((year.to_string(), learners, said));
            rows.push(YearRow { year, figures });
        }
    }
    let name = name.ok_or(Failure::NotFound)?;
    page(&InstitutionPage {
        name,
        measures: table::measures(Subject::Learning, f.view.lang),
        rows,
        chart: chart::bars(&bars),
        f: f.at("statistics"),
    })
}

/// The canonical bytes, which the hash names.
async fn bytes(
    State(app): State<Arc<App>>,
    Path(year): Path<String>,
) -> Result<impl axum::response::IntoResponse, Failure> {
    let of = published(&app, &year).await?;
    let kind = [(axum::http::header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, of.yearbook.encode()))
}

/// The tables as CSV, in the language of the page.
async fn csv(
    State(app): State<Arc<App>>,
    Path(year): Path<String>,
    f: Frame,
) -> Result<impl axum::response::IntoResponse, Failure> {
    let of = published(&app, &year).await?;
    let institutions = of.institutions.iter();
    let named = institutions.map(|it| (it.number, it.display_name.as_str()));
    let lines = Lines {
        is_zh: f.view.lang == Lang::Zh,
        institutions: named.collect(),
    };
    let kind = [(axum::http::header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    Ok((kind, lines.csv(&lines.yearbook(&of.yearbook))))
}

/// The yearbook of a year as it stands in an address.
async fn published(app: &App, year: &str) -> Result<Arc<Published>, Failure> {
    let year = year.parse().map_err(|_| Failure::NotFound)?;
    app.yearbook(year).await?.ok_or(Failure::NotFound)
}
