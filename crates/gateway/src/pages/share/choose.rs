//! Choosing records, page by page, without a script: what was chosen on other pages goes along in the address.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use creditbank_domain::Refusal;
use creditbank_wire::v1;
use serde::Deserialize;

use super::own;
use crate::app::App;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::pages::archive::{Asked, List, list};
use crate::session::Learner;

/// Records of a page to choose from.
const CHOICES_PAGE: u32 = 50;
/// Records of a share, as the ledger takes them; and of one CLR.
pub(super) const SHARE_RECORDS_MAX: usize = 200;
const CLR_RECORDS_MAX: usize = 100;

/// What the form of a page to choose from sends.
#[derive(Debug, Deserialize)]
struct Choosing {
    /// Chosen, on this page or another.
    #[serde(default)]
    leaf: Vec<u64>,
    /// Which button: `older`, `newer`, `filter`, `all`; none where a link led here.
    #[serde(default)]
    go: String,
}

#[derive(Template)]
#[template(path = "share-choose.html")]
struct ChoosePage {
    f: Frame,
    /// Where the choice goes: `/sharing/new/terms` or `/archive/clr.json`.
    target: &'static str,
    /// This page.
    path: &'static str,
    is_share: bool,
    most: u64,
    list: List,
    /// Chosen on other pages.
    elsewhere: Vec<u64>,
    elsewhere_count: u64,
    /// Chosen on this page.
    here: BTreeSet<u64>,
}

impl ChoosePage {
    fn is_chosen(&self, leaf_index: &u64) -> bool {
        self.here.contains(leaf_index)
    }
}

/// Chooses what is shared.
pub(super) async fn choose(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    own(&session)?;
    let f = f.at("sharing");
    choices(&app, f, session.subject(), query, true).await
}

/// Chooses what is taken away.
pub(super) async fn choose_to_take(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let f = f.at("archive");
    choices(&app, f, session.subject(), query, false).await
}

async fn choices(
    app: &App,
    f: Frame,
    learner: &str,
    query: Option<String>,
    is_share: bool,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let read = |_| Failure::Unreadable;
    let choosing: Choosing = serde_html_form::from_str(&query).map_err(read)?;
    let asked: Asked = serde_html_form::from_str(&query).map_err(read)?;
    let (target, path, most) = match is_share {
        true => ("/sharing/new/terms", "/sharing/new", SHARE_RECORDS_MAX),
        false => ("/archive/clr.json", "/archive/choose", CLR_RECORDS_MAX),
    };
    let chosen: BTreeSet<u64> = choosing.leaf.into_iter().collect();
    if chosen.len() > most {
        return Err(too_many(most));
    }
    let asked = turn(asked, &choosing.go);
    if choosing.go == "all" {
        let leaves = all(app, learner, &asked, most).await?;
        let query: Vec<_> = leaves.iter().map(|it| format!("leaf={it}")).collect();
        return Ok(Redirect::to(&format!("{target}?{}", query.join("&"))).into_response());
    }
    let list = list(app, &f, learner, asked, CHOICES_PAGE).await?;
    let rows = list.years.iter().flat_map(|(_, rows)| rows);
    let shown: BTreeSet<u64> = rows.map(|it| it.leaf_index).collect();
    let here = chosen.intersection(&shown).copied().collect();
    let elsewhere: Vec<u64> = chosen.difference(&shown).copied().collect();
    page(&ChoosePage {
        f,
        target,
        path,
        is_share,
        most: most as u64,
        list,
        elsewhere_count: elsewhere.len() as u64,
        elsewhere,
        here,
    })
}

/// The page that a button leads to. Filters begin at the first page; only records in force are chosen from.
fn turn(asked: Asked, go: &str) -> Asked {
    let asked = Asked {
        state: "active".to_owned(),
        ..asked
    };
    let first = Asked {
        page: String::new(),
        trail: String::new(),
        n: String::new(),
        ..asked.clone()
    };
    match go.split_once(' ') {
        // The place is a query of ours, as `Ways` writes it.
        Some(("older" | "newer", place)) => serde_html_form::from_str::<Asked>(place)
            .map(|place| Asked {
                page: place.page,
                trail: place.trail,
                n: place.n,
                ..asked
            })
            .unwrap_or(first),
        _ if go == "filter" || go == "all" => first,
        _ => asked,
    }
}

/// Every record in force that the filters let through.
async fn all(app: &App, learner: &str, asked: &Asked, most: usize) -> Result<Vec<u64>, Failure> {
    let names = app.institution_names([].into_iter()).await;
    let issuer = match (&asked.issuers(&names)[..], asked.institution.trim()) {
        (_, "") => "",
        ([(id, _)], _) => id,
        _ => return Err(Failure::NotFound),
    };
    let mut leaves = BTreeSet::new();
    let note = |record: v1::ArchiveRecord| {
        leaves.insert(record.leaf_index);
        leaves.len() > most
    };
    app.each_record(asked.request(learner, issuer, 0), note)
        .await?;
    match leaves.len() {
        0 => Err(Failure::NotFound),
        many if many > most => Err(too_many(most)),
        _ => Ok(leaves.into_iter().collect()),
    }
}

pub(super) fn too_many(most: usize) -> Failure {
    Failure::Refused {
        refusal: Refusal::TooMany { max: most as u32 },
        field: "leaf",
    }
}

#[cfg(test)]
mod tests {
    use super::turn;
    use crate::pages::archive::Asked;

    #[test]
    fn filters_begin_at_the_first_page_and_pages_keep_the_filters() {
        let asked = Asked {
            category: "4".into(),
            page: "t3".into(),
            trail: "t2".into(),
            n: "3".into(),
            ..Asked::default()
        };
        let older = turn(asked.clone(), "older category=4&page=t4&trail=t2.t3&n=4");
        assert_eq!((&*older.page, &*older.n), ("t4", "4"));
        assert_eq!(
            (older.category.as_str(), older.state.as_str()),
            ("4", "active")
        );
        let filtered = turn(asked.clone(), "filter");
        assert_eq!((&*filtered.page, &*filtered.n), ("", ""));
        assert_eq!(turn(asked, "").page, "t3");
    }
}
