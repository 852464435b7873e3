//! Recognition: programmes, what outcomes are worth, the plan, applications, transfers to other regions, points.
//!
//! Nothing is decided here: the bank evaluates, and a page shows its sentences. What a learner does becomes a record that
//! the learner's agent of this gateway signs; without an agent these pages only show.

mod application;
mod consent;
mod notice;
mod points;
mod programme;
mod request;
mod state;
mod ticket;
mod told;
mod transfer;
mod trouble;
mod uses;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use creditbank_client::Bank;
use creditbank_domain::{LearnerCode, Refusal};
use creditbank_wire::v1;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use self::trouble::Trouble;
use crate::app::App;
use crate::ask::recognition::{Names, names_of, wording};
use crate::clock;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::session::Learner;
use crate::show;
use crate::words::Lang;

/// What stays as it is in a part of an address.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// Applications on the first page; all others fold.
const RECENT: usize = 5;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/recognition", get(overview))
        .merge(programme::routes())
        .merge(application::routes())
        .merge(transfer::routes())
        .merge(consent::routes())
        .merge(request::routes())
        .merge(points::routes())
}

/// Where a refused step leads back to.
#[derive(Debug, Default, Deserialize)]
struct Back {
    #[serde(default)]
    trouble: String,
}

#[derive(Template)]
#[template(path = "recognition.html")]
struct Overview {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    available: u64,
    owed: u64,
    open: Vec<ApplicationRow>,
    over: Vec<ApplicationRow>,
    sets: Vec<SetRow>,
}

/// A rule set in force with its programmes.
struct SetRow {
    title: String,
    programmes: Vec<ProgrammeRow>,
}

struct ProgrammeRow {
    title: String,
    path: String,
    is_degree: bool,
}

/// An application in a list.
struct ApplicationRow {
    leaf: u64,
    programme: String,
    applied_on: String,
    state: &'static str,
    class: &'static str,
    due: String,
}

impl ApplicationRow {
    fn of(f: &Frame, file: &v1::ApplicationFile, names: &Names) -> Self {
        let id = file.form.as_ref().map_or("", |it| &it.programme);
        let (state, _, mark) = state::application(file.state());
        Self {
            leaf: file.application,
            programme: names.programme_title(f.view.lang, id),
            applied_on: file.applied_on.clone(),
            state,
            class: mark.class(),
            due: due(f, file),
        }
    }
}

async fn overview(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Query(query): Query<Back>,
) -> Result<Response, Failure> {
    let learner = session.subject();
    let (sets, files, purse) = tokio::try_join!(
        app.rule_sets(),
        app.applications(learner),
        app.purse(learner, 1, String::new()),
    )?;
    let today = show::day(clock::now_s() * 1000);
    let mut rows = Vec::new();
    for set in in_force(&sets, &today) {
        let names = names_of(&app.bank, &set.hash).await;
        rows.push(SetRow::of(f.view.lang, set, &names));
    }
    let mut applications = Vec::with_capacity(files.len());
    for file in files.iter().rev().filter(|it| it.learner == learner) {
        let names = names_of(&app.bank, &file.rule_set_hash).await;
        let is_over = state::is_over(file.state());
        applications.push((is_over, ApplicationRow::of(&f, file, &names)));
    }
    let (mut open, mut over) = (Vec::new(), Vec::new());
    for (is_over, row) in applications {
        match is_over || open.len() >= RECENT {
            true => over.push(row),
            false => open.push(row),
        }
    }
    let trouble = Trouble::of(&f, &query.trouble);
    let barrier = barrier(&app, &f);
    page(&Overview {
        f: f.at("recognition"),
        trouble,
        barrier,
        available: purse.available,
        owed: purse.owed,
        open,
        over,
        sets: rows,
    })
}

impl SetRow {
    fn of(lang: Lang, set: &v1::RuleSet, names: &Names) -> Self {
        let programmes = set.programmes.iter().map(|id| ProgrammeRow {
            title: names.programme_title(lang, id),
            path: programme_path(&set.set_id, id),
            is_degree: names.programme(id).is_some_and(|it| it.kind == "degree"),
        });
        Self {
            title: wording(lang, &set.title_zh, &set.title_en, &set.set_id),
            programmes: programmes.collect(),
        }
    }
}

/// Of each set with programmes the version that decides applications of `today`: the last published that is for that day.
fn in_force<'a>(sets: &'a [v1::RuleSet], today: &str) -> Vec<&'a v1::RuleSet> {
    let mut found: BTreeMap<&str, &v1::RuleSet> = BTreeMap::new();
    for set in sets {
        // ISO dates compare as text.
        let from = set.effective_from.is_empty() || set.effective_from.as_str() <= today;
        let to = set.effective_to.is_empty() || set.effective_to.as_str() >= today;
        if from && to {
            found.entry(&set.set_id).or_insert(set);
        }
    }
    let sets = found.into_values();
    sets.filter(|it| !it.programmes.is_empty()).collect()
}

/// The page of a programme.
fn programme_path(set_id: &str, programme: &str) -> String {
    let part = |text| utf8_percent_encode(text, &PLAIN);
    format!("/recognition/{}/{}", part(set_id), part(programme))
}

/// What is awaited and until when; empty where nothing is.
fn due(f: &Frame, file: &v1::ApplicationFile) -> String {
    if file.due_on.is_empty() {
        return String::new();
    }
    f.t1(state::due(&file.due_step), "day", &file.due_on)
}

/// Why nothing can be done here now, as the key of a message; empty where it can.
fn barrier(app: &App, f: &Frame) -> &'static str {
    match (f.may_act(), app.agent.is_some()) {
        (false, _) => "recognition-only-look",
        (true, false) => "recognition-no-agent",
        (true, true) => "",
    }
}

/// The agent that signs for whoever may act.
fn agent<'a>(app: &'a App, f: &Frame) -> Result<&'a Bank, Failure> {
    if !f.may_act() {
        return Err(Failure::NotYours);
    }
    app.agent.as_ref().ok_or(Failure::Refused {
        refusal: Refusal::PermissionDenied,
        field: "agent",
    })
}

/// The learner whose archive is shown.
fn subject(session: &crate::session::Session) -> Result<LearnerCode, Failure> {
    let code = LearnerCode::parse(session.subject());
    code.map_err(|refusal| Failure::Refused {
        refusal,
        field: "learner",
    })
}

/// A leaf in an address; there is nothing at anything else.
fn leaf(text: &str) -> Result<u64, Failure> {
    let leaf = text.parse::<u64>().map_err(|_| Failure::NotFound)?;
    match leaf.to_string() == text {
        true => Ok(leaf),
        false => Err(Failure::NotFound),
    }
}

/// What names a record among all of its issuer: parts that cannot run into each other.
fn natural_key(parts: &[&[u8]]) -> Vec<u8> {
    let part = |part: &&[u8]| [&(part.len() as u64).to_be_bytes()[..], part].concat();
    parts.iter().flat_map(part).collect()
}

/// The token of a form, by which what is sent twice is done once: as [`crate::session::random_text`] makes it.
fn form_token(token: &str) -> Result<&[u8], Failure> {
    let is_token = token.len() == 22
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match is_token {
        true => Ok(token.as_bytes()),
        false => Err(Failure::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_force_is_the_newest_for_the_day() {
        let set = |id: &str, version: &str, from: &str, to: &str| v1::RuleSet {
            set_id: id.to_owned(),
            version: version.to_owned(),
            effective_from: from.to_owned(),
            effective_to: to.to_owned(),
            programmes: vec!["p".to_owned()],
            ..Default::default()
        };
        let mut sets = vec![
            set("b", "3", "2027-01-01", ""),
            set("b", "2", "2026-01-01", ""),
            set("b", "1", "", ""),
            set("a", "1", "", "2026-11-25"),
            set("c", "1", "2026-11-26", "2026-11-26"),
            set("points", "1", "", ""),
        ];
        sets[5].programmes.clear();
        let found: Vec<_> = in_force(&sets, "2026-11-26")
            .into_iter()
            .map(|it| (it.set_id.as_str(), it.version.as_str()))
            .collect();
        assert_eq!(found, [("b", "2"), ("c", "1")]);
    }

    #[test]
    fn no_two_pages_have_one_address() {
        // The router panics on addresses that it cannot tell apart.
        let _ = routes();
    }

    #[test]
    fn addresses_and_tokens_are_read_strictly() {
        assert_eq!(leaf("17").ok(), Some(17));
        for wrong in ["", "017", "+17", "-1", "1.0", "99999999999999999999"] {
            assert!(leaf(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            programme_path("a/b", "市 场"),
            "/recognition/a%2Fb/%E5%B8%82%20%E5%9C%BA"
        );
        let token = crate::session::random_text();
        assert_eq!(form_token(&token).ok(), Some(token.as_bytes()));
        for wrong in [
            "",
            "short",
            "0123456789012345678901",
            "012345678901234567890%",
        ] {
            assert_eq!(
                form_token(wrong).is_ok(),
                wrong.len() == 22 && !wrong.contains('%')
            );
        }
    }

    #[test]
    fn a_form_sent_twice_names_one_record_and_another_form_another() {
        let key = |learner: &str, token: &str| {
            natural_key(&[b"application form", learner.as_bytes(), token.as_bytes()])
        };
        assert_eq!(key("1", "ab"), key("1", "ab"));
        assert_ne!(key("1", "ab"), key("1a", "b"));
        assert_ne!(key("1", "ab"), key("1", "ac"));
    }
}
