//! A programme: what the learner's outcomes are worth for it, the plan, what is missing, and applying.
//!
//! Simulating and planning write nothing. Applying goes over a page that says what is applied for; its form carries a
//! token that names the record, so that a double click or a reload applies once.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use creditbank_client::ClientError;
use creditbank_wire::v1;
use serde::Deserialize;

use super::told::Told;
use super::trouble::{Trouble, back, unknown_is_not_found};
use super::uses::{from_values, text, to_value};
use super::{Back, agent, barrier, form_token, natural_key, programme_path, state, subject};
use crate::app::App;
use crate::ask::recognition::{Aim, Names, names_of};
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::{self, Learner, Session};
use crate::show;
use crate::words::Lang;

/// How often, and how many times, it is asked whether the bank has decided what needs no panel.
const WAIT: Duration = Duration::from_millis(150);
const WAITS_MAX: usize = 10;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/recognition/{rule_set}/{programme}", get(show_programme))
        .route(
            "/recognition/{rule_set}/{programme}/confirm",
            get(to_programme).post(confirm),
        )
        .route("/recognition/{rule_set}/{programme}/apply", post(apply))
}

#[derive(Template)]
#[template(path = "programme.html")]
struct ProgrammePage {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    title: String,
    id: String,
    path: String,
    /// Hash of the set, hexadecimal.
    set: String,
    /// Best that can be had now.
    credits: String,
    worth: Told,
    plan: Option<PlanPart>,
    open: Vec<OpenRow>,
    studied: String,
    recognised: String,
    total: String,
}

/// What to apply for.
struct PlanPart {
    choices: Vec<Choice>,
    told: Told,
    proven: bool,
}

/// A use that can be chosen.
struct Choice {
    value: String,
    says: Vec<String>,
}

/// An application for this programme that is under way.
struct OpenRow {
    leaf: u64,
    state: &'static str,
}

async fn show_programme(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path((rule_set, programme)): Path<(String, String)>,
    Query(query): Query<Back>,
) -> Result<Response, Failure> {
    let aim = aim(&session, Vec::new(), rule_set, programme);
    let (worth, plan, files) = tokio::join!(
        app.simulate(&aim, Vec::new()),
        app.plan(&aim),
        app.applications(&aim.learner),
    );
    let worth = worth.map_err(unknown_is_not_found)?;
    let plan = in_time(plan)?;
    let names = names_of(&app.bank, &worth.rule_set_hash).await;
    let lang = f.view.lang;
    let best = plan.as_ref().and_then(|it| it.evaluation.as_ref());
    let credits = best.unwrap_or(&worth).credits_hundredths;
    let open = files?;
    let open = open.iter().filter(|it| is_open(it, &aim));
    let open = open.map(|it| OpenRow {
        leaf: it.application,
        state: state::application(it.state()).0,
    });
    let amount = |it: u32| show::hundredths(u64::from(it));
    page(&ProgrammePage {
        trouble: Trouble::of(&f, &query.trouble),
        barrier: barrier(&app, &f),
        title: names.programme_title(lang, &aim.programme),
        path: programme_path(&aim.rule_set, &aim.programme),
        set: show::hex(&worth.rule_set_hash),
        credits: amount(credits),
        plan: plan.map(|it| PlanPart::of(&it, &names, lang)),
        open: open.collect(),
        studied: amount(worth.studied_hundredths),
        recognised: amount(already(&worth)),
        total: amount(worth.total_hundredths),
        worth: Told::of(&worth, lang),
        id: aim.programme,
        f: f.at("recognition"),
    })
}

/// What was recognised before: without what this evaluation would add.
fn already(worth: &v1::Evaluation) -> u32 {
    worth
        .recognised_hundredths
        .saturating_sub(worth.credits_hundredths)
}

fn is_open(file: &v1::ApplicationFile, aim: &Aim) -> bool {
    let programme = file.form.as_ref().map(|it| it.programme.as_str());
    file.learner == aim.learner
        && programme == Some(aim.programme.as_str())
        && state::may_withdraw(file.state())
}

/// A plan that takes too long is left out: what outcomes are worth is shown all the same.
fn in_time(
    plan: Result<v1::PlanResponse, ClientError>,
) -> Result<Option<v1::PlanResponse>, Failure> {
    match plan {
        Ok(plan) => Ok(Some(plan)),
        Err(ClientError::Silent(_)) => Ok(None),
        Err(error) if error.code() == Some("DEADLINE_EXCEEDED") => Ok(None),
        Err(error) => Err(unknown_is_not_found(error)),
    }
}

impl PlanPart {
    fn of(plan: &v1::PlanResponse, names: &Names, lang: Lang) -> Self {
        let evaluation = plan.evaluation.clone().unwrap_or_default();
        let next = lang.pick(&plan.next_steps_zh, &plan.next_steps_en);
        let told = Told::of(&evaluation, lang).with_next_steps(next);
        let choices = plan.uses.iter().map(|it| Choice {
            value: to_value(it),
            says: said(it, &told, names, lang),
        });
        Self {
            choices: choices.collect(),
            proven: plan.proven,
            told,
        }
    }
}

/// A use in words: what it is granted, else the rule that it falls under.
fn said(it: &v1::Use, told: &Told, names: &Names, lang: Lang) -> Vec<String> {
    let says = told.of_use(it);
    match says.is_empty() {
        true => vec![names.rule_title(lang, &it.rule)],
        false => says,
    }
}

fn aim(session: &Session, hash: Vec<u8>, rule_set: String, programme: String) -> Aim {
    Aim {
        learner: session.subject().to_owned(),
        hash,
        rule_set,
        programme,
    }
}

/// The page before a form that was sent: for a reload, or a change of language.
async fn to_programme(Path((rule_set, programme)): Path<(String, String)>) -> Redirect {
    Redirect::to(&programme_path(&rule_set, &programme))
}

/// What is applied for, and once more with its token when it is confirmed.
#[derive(Deserialize)]
struct ApplyForm {
    #[serde(default, rename = "use")]
    uses: Vec<String>,
    #[serde(default)]
    note: String,
    /// Hash of the set that the learner was shown, hexadecimal.
    set: String,
    #[serde(default)]
    token: String,
}

#[derive(Template)]
#[template(path = "application-confirm.html")]
struct ConfirmPage {
    f: Frame,
    title: String,
    path: String,
    set: String,
    credits: String,
    told: Told,
    values: Vec<String>,
    note: String,
    token: String,
    barrier: &'static str,
}

async fn confirm(
    State(app): State<Arc<App>>,
    Path((rule_set, programme)): Path<(String, String)>,
    checked: Checked<ApplyForm>,
) -> Result<Response, Failure> {
    let (f, form) = (checked.frame, checked.form);
    let path = programme_path(&rule_set, &programme);
    let hash = show::from_hex::<32>(&form.set).ok_or(Failure::Unreadable)?;
    let uses = from_values(&form.uses)?;
    if uses.is_empty() {
        return Ok(Redirect::to(&format!("{path}?trouble=MISSING")).into_response());
    }
    let note = match text(&form.note, "note", false) {
        Ok(note) => note,
        Err(failure) => return back(failure, &path),
    };
    let values = uses.iter().map(to_value).collect();
    // The version that the learner was shown, whatever is in force by now.
    let aim = aim(&checked.session, hash.to_vec(), String::new(), programme);
    let evaluation = match app.simulate(&aim, uses).await {
        Ok(evaluation) => evaluation,
        Err(error) => return back(error, &path),
    };
    let names = names_of(&app.bank, &hash).await;
    let lang = f.view.lang;
    page(&ConfirmPage {
        title: names.programme_title(lang, &aim.programme),
        path,
        set: form.set,
        credits: show::hundredths(u64::from(evaluation.credits_hundredths)),
        told: Told::of(&evaluation, lang),
        values,
        note,
        token: session::random_text(),
        barrier: barrier(&app, &f),
        f: f.at("recognition"),
    })
}

async fn apply(
    State(app): State<Arc<App>>,
    Path((rule_set, programme)): Path<(String, String)>,
    checked: Checked<ApplyForm>,
) -> Result<Response, Failure> {
    let path = programme_path(&rule_set, &programme);
    match applied(&app, &checked, programme).await {
        Ok(leaf) => {
            let page = format!("/recognition/applications/{leaf}?new=1");
            Ok(Redirect::to(&page).into_response())
        }
        Err(failure) => back(failure, &path),
    }
}

/// Applies, or finds that the same was applied for and is under way; waits a moment for a decision that needs no panel.
async fn applied(
    app: &App,
    checked: &Checked<ApplyForm>,
    programme: String,
) -> Result<u64, Failure> {
    let agent = agent(app, &checked.frame)?;
    let form = &checked.form;
    let learner = subject(&checked.session)?;
    let hash = show::from_hex::<32>(&form.set).ok_or(Failure::Unreadable)?;
    let token = form_token(&form.token)?;
    let application = v1::Application {
        programme,
        uses: from_values(&form.uses)?,
        note: text(&form.note, "note", false)?,
    };
    let files = app.applications(checked.session.subject()).await?;
    let under_way = |it: &&v1::ApplicationFile| is_same(it, &hash, &application);
    if let Some(file) = files.iter().find(under_way) {
        return Ok(file.application);
    }
    let named = checked.session.subject().as_bytes();
    let key = natural_key(&[b"application form", named, token]);
    let placed = app
        .deposit(agent, |maker| {
            maker.application(&key, learner, &hash, application)
        })
        .await?;
    for _ in 0..WAITS_MAX {
        let file = app.application(placed.leaf_index).await?;
        if file.state() != v1::ApplicationState::Submitted || file.due_step != "decide" {
            break;
        }
        tokio::time::sleep(WAIT).await;
    }
    Ok(placed.leaf_index)
}

/// Whether this application is for the same, and nothing is decided about it yet.
fn is_same(file: &v1::ApplicationFile, hash: &[u8; 32], form: &v1::Application) -> bool {
    state::may_withdraw(file.state())
        && file.rule_set_hash[..] == hash[..]
        && file
            .form
            .as_ref()
            .is_some_and(|it| it.programme == form.programme && it.uses == form.uses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_not_applied_for_again() {
        let form = v1::Application {
            programme: "p".to_owned(),
            uses: vec![v1::Use {
                rule: "r".to_owned(),
                outcomes: vec![1],
                courses: Vec::new(),
            }],
            note: "one".to_owned(),
        };
        let mut file = v1::ApplicationFile {
            rule_set_hash: vec![7; 32].into(),
            form: Some(v1::Application {
                note: "another".to_owned(),
                ..form.clone()
            }),
            state: v1::ApplicationState::Accepted.into(),
            ..Default::default()
        };
        assert!(is_same(&file, &[7; 32], &form));
        assert!(!is_same(&file, &[8; 32], &form));
        let mut other = form.clone();
        other.uses[0].outcomes = vec![2];
        assert!(!is_same(&file, &[7; 32], &other));
        for over in [
            v1::ApplicationState::Decided,
            v1::ApplicationState::Withdrawn,
        ] {
            file.state = over.into();
            assert!(!is_same(&file, &[7; 32], &form));
        }
    }
}
