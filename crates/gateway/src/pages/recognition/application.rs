//! One application: where it stands in words, its steps, what was decided and why, withdrawing and appealing.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use creditbank_client::recognition::named;
use creditbank_wire::v1;
use serde::Deserialize;

use super::told::Told;
use super::trouble::{Trouble, back, unknown_is_not_found};
use super::uses::text;
use super::{agent, barrier, due, leaf, natural_key, programme_path, state, subject};
use crate::app::App;
use crate::ask::recognition::{Aim, Names, names_of};
use crate::clock;
use crate::failure::Failure;
use crate::form::Checked;
use crate::frame::{Frame, page};
use crate::session::{Learner, Session};
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    const PAGE: &str = "/recognition/applications/{leaf}";
    Router::new()
        .route(PAGE, get(show_application))
        .route(
            &format!("{PAGE}/withdraw"),
            get(to_application).post(withdraw),
        )
        .route(&format!("{PAGE}/appeal"), get(to_application).post(appeal))
        .route("/recognition/applications", get(to_overview))
}

#[derive(Deserialize)]
struct ApplicationQuery {
    #[serde(default)]
    trouble: String,
    /// Right after applying.
    #[serde(default)]
    new: String,
}

#[derive(Template)]
#[template(path = "application.html")]
struct ApplicationPage {
    f: Frame,
    trouble: Option<Trouble>,
    barrier: &'static str,
    is_new: bool,
    leaf: u64,
    title: String,
    /// The page of the programme, while a set of that id is published.
    programme: String,
    applied_on: String,
    note: String,
    state: &'static str,
    means: &'static str,
    class: &'static str,
    due: String,
    overdue: bool,
    steps: Vec<StepRow>,
    result: Option<ResultPart>,
    outcomes: Vec<u64>,
    may_withdraw: bool,
    may_appeal: bool,
    appeal_before: String,
    reason: String,
}

/// What is granted, proposed or to be expected.
struct ResultPart {
    heading: &'static str,
    credits: String,
    told: Told,
    /// Why the bank decided against the evaluation.
    declined: String,
}

struct StepRow {
    at: String,
    words: &'static str,
    reason: String,
}

async fn to_overview() -> Redirect {
    Redirect::to("/recognition")
}

async fn to_application(Path(text): Path<String>) -> Result<Redirect, Failure> {
    Ok(Redirect::to(&application_path(leaf(&text)?)))
}

fn application_path(leaf: u64) -> String {
    format!("/recognition/applications/{leaf}")
}

/// An application of this learner; there is no other.
async fn own(app: &App, session: &Session, text: &str) -> Result<v1::ApplicationFile, Failure> {
    let file = app.application(leaf(text)?).await;
    let file = file.map_err(unknown_is_not_found)?;
    match file.learner == session.subject() {
        true => Ok(file),
        false => Err(Failure::NotFound),
    }
}

async fn show_application(
    State(app): State<Arc<App>>,
    Learner(session): Learner,
    f: Frame,
    Path(text): Path<String>,
    Query(query): Query<ApplicationQuery>,
) -> Result<Response, Failure> {
    let file = own(&app, &session, &text).await?;
    let trouble = Trouble::of(&f, &query.trouble);
    let is_new = query.new == "1";
    render(&app, f, &file, trouble, (is_new, String::new())).await
}

/// The page, with what went wrong and what was written.
async fn render(
    app: &App,
    f: Frame,
    file: &v1::ApplicationFile,
    trouble: Option<Trouble>,
    (is_new, reason): (bool, String),
) -> Result<Response, Failure> {
    let names = names_of(&app.bank, &file.rule_set_hash).await;
    let form = file.form.clone().unwrap_or_default();
    let (state, means, mark) = state::application(file.state());
    let mut outcomes: Vec<_> = form
        .uses
        .iter()
        .flat_map(|it| &it.outcomes)
        .copied()
        .collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    page(&ApplicationPage {
        barrier: barrier(app, &f),
        result: result(app, &f, file).await,
        title: names.programme_title(f.view.lang, &form.programme),
        programme: programme_of(app, file, &names, &form.programme).await,
        applied_on: file.applied_on.clone(),
        note: form.note,
        leaf: file.application,
        class: mark.class(),
        due: due(&f, file),
        overdue: file.overdue,
        steps: file.steps.iter().map(StepRow::of).collect(),
        may_withdraw: state::may_withdraw(file.state()),
        may_appeal: may_appeal(file, &show::day(clock::now_s() * 1000)),
        appeal_before: file.due_on.clone(),
        f: f.at("recognition"),
        trouble,
        is_new,
        state,
        means,
        outcomes,
        reason,
    })
}

impl StepRow {
    fn of(step: &v1::ApplicationStep) -> Self {
        Self {
            at: show::moment(step.deposited_at_ms),
            words: state::step(step.kind(), step.approve),
            reason: step.reason.clone(),
        }
    }
}

/// A decision can be appealed against until the day on which it becomes final.
fn may_appeal(file: &v1::ApplicationFile, today: &str) -> bool {
    let is_decided = file.state() == v1::ApplicationState::Decided && file.due_step == "close";
    // ISO dates compare as text.
    is_decided && today < file.due_on.as_str()
}

/// The decision or what is noticed; before, what the rules would give.
async fn result(app: &App, f: &Frame, file: &v1::ApplicationFile) -> Option<ResultPart> {
    let form = file.form.clone().unwrap_or_default();
    let (heading, evaluation) = match &file.evaluation {
        Some(evaluation) => (result_heading(file.state()), evaluation.clone()),
        None if state::may_withdraw(file.state()) => {
            let aim = Aim {
                learner: file.learner.clone(),
                hash: file.rule_set_hash.to_vec(),
                rule_set: String::new(),
                programme: form.programme,
            };
            let expected = app.simulate(&aim, form.uses).await.ok()?;
            ("recognition-result-expected", expected)
        }
        None => return None,
    };
    let decision = evaluation.decision.clone().unwrap_or_default();
    let declined = if decision.lines.is_empty() {
        decision.reason
    } else {
        String::new()
    };
    Some(ResultPart {
        heading,
        credits: show::hundredths(u64::from(evaluation.credits_hundredths)),
        told: Told::of(&evaluation, f.view.lang),
        declined,
    })
}

fn result_heading(state: v1::ApplicationState) -> &'static str {
    use v1::ApplicationState as S;
    match state {
        S::Noticed => "recognition-result-proposed",
        S::Reversed => "recognition-result-reversed",
        S::Withdrawn | S::Returned => "recognition-result-not-any-more",
        _ => "recognition-result-decided",
    }
}

/// Where one could apply anew; empty where the set is not published any more.
async fn programme_of(
    app: &App,
    file: &v1::ApplicationFile,
    names: &Names,
    programme: &str,
) -> String {
    if names.programme(programme).is_none() {
        return String::new();
    }
    let sets = app.rule_sets().await.unwrap_or_default();
    let set = sets.iter().find(|it| it.hash == file.rule_set_hash);
    set.map(|it| programme_path(&it.set_id, programme))
        .unwrap_or_default()
}

#[derive(Deserialize)]
struct StepForm {
    #[serde(default)]
    reason: String,
}

async fn withdraw(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    checked: Checked<StepForm>,
) -> Result<Response, Failure> {
    step(&app, &text, checked, v1::RecordKind::Withdrawal).await
}

async fn appeal(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
    checked: Checked<StepForm>,
) -> Result<Response, Failure> {
    step(&app, &text, checked, v1::RecordKind::Appeal).await
}

/// Withdraws, which needs no reason, or appeals, which does. What was written wrongly is shown again; what the bank refuses is said above the page.
async fn step(
    app: &App,
    leaf: &str,
    checked: Checked<StepForm>,
    kind: v1::RecordKind,
) -> Result<Response, Failure> {
    let file = own(app, &checked.session, leaf).await?;
    let f = checked.frame;
    let needed = kind == v1::RecordKind::Appeal;
    let reason = match text(&checked.form.reason, "reason", needed) {
        Ok(reason) if reason.is_empty() => f.t("recognition-withdraw-default"),
        Ok(reason) => reason,
        Err(failure) => {
            let trouble = Trouble::of_failure(&f, failure)?;
            return render(app, f, &file, Some(trouble), (false, checked.form.reason)).await;
        }
    };
    let page = application_path(file.application);
    match taken(app, &f, &checked.session, &file, kind, &reason).await {
        Ok(()) => Ok(Redirect::to(&page).into_response()),
        Err(failure) => back(failure, &page),
    }
}

/// The step as a record. The same step with the same reason is the same record, however often the form is sent.
async fn taken(
    app: &App,
    f: &Frame,
    session: &Session,
    file: &v1::ApplicationFile,
    kind: v1::RecordKind,
    reason: &str,
) -> Result<(), Failure> {
    let agent = agent(app, f)?;
    let learner = subject(session)?;
    let target = named(&app.bank, file.application).await?;
    let leaf = file.application.to_be_bytes();
    let is_appeal = kind == v1::RecordKind::Appeal;
    let name: &[u8] = if is_appeal { b"appeal" } else { b"withdrawal" };
    let key = natural_key(&[name, &leaf, reason.as_bytes()]);
    app.deposit(agent, |maker| match is_appeal {
        true => maker.appeal(&key, learner, target, reason),
        false => maker.withdrawal(&key, learner, target, reason),
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_can_be_appealed_against_until_it_becomes_final() {
        use v1::ApplicationState as S;
        for (state, due, today, may) in [
            (S::Decided, "close", "2026-11-26", true),
            (S::Decided, "close", "2026-12-01", false),
            (S::Decided, "", "2026-11-26", false),
            (S::Appealed, "resolve-appeal", "2026-11-26", false),
            (S::Closed, "close", "2026-11-26", false),
        ] {
            let file = v1::ApplicationFile {
                state: state.into(),
                due_step: due.to_owned(),
                due_on: "2026-12-01".to_owned(),
                ..Default::default()
            };
            assert_eq!(may_appeal(&file, today), may, "{state:?} {due} {today}");
        }
    }
}
