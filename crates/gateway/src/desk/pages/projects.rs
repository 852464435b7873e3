//! What institutions have admitted under unit standards: reviewers vote, operators decide and suspend.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use creditbank_wire::v1;
use serde::Deserialize;

use super::{ListQuery, Place, Tab, here, tabs};
use crate::ask::institutions::Names;
use crate::ask::recognition::SetNames;
use crate::desk::app::{DeskApp, Office};
use crate::desk::named::Named;
use crate::desk::names;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;

/// Projects of a page.
const PAGE: u32 = 20;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/projects", get(list))
        .route("/projects/step", post(step))
}

struct Proposed {
    institution_id: String,
    institution: Named,
    project: String,
    title: String,
    category: String,
    standard: Named,
    state: &'static str,
    /// For and against, and how many are needed.
    votes: String,
    expires_on: String,
    /// The steps that can be taken here: value and name.
    steps: Vec<(&'static str, String)>,
    can_admit: bool,
}

fn votes_text(f: &Frame, it: &v1::Project) -> String {
    let [approvals, rejections] = [&it.approvals, &it.rejections].map(|it| it.len().to_string());
    let votes = f.t2(
        "desk-votes-count",
        ("for", &approvals),
        ("against", &rejections),
    );
    let needed = f.t1("desk-panel", "n", &it.panel.to_string());
    format!("{votes} · {needed}")
}

fn proposed(
    app: &DeskApp,
    f: &Frame,
    (who, sets): (&Names, &SetNames),
    it: &v1::Project,
) -> Proposed {
    use v1::ProjectState as S;
    let proposal = it.proposal.clone().unwrap_or_default();
    let mut votes = it.approvals.iter().chain(&it.rejections);
    let has_voted = votes.any(|id| *id == app.id);
    let steps = match (app.office, it.state()) {
        (Office::Reviewer, S::Proposed) if !has_voted => vec![
            ("approve", f.t("desk-vote-yes")),
            ("reject", f.t("desk-vote-no")),
        ],
        (Office::Operator, S::Proposed) => vec![
            ("admit", f.t("desk-project-admit")),
            ("refuse", f.t("desk-project-refuse")),
        ],
        (Office::Operator, S::Admitted) => vec![("suspend", f.t("desk-project-suspend"))],
        (Office::Operator, S::Suspended) => vec![("resume", f.t("desk-project-resume"))],
        _ => Vec::new(),
    };
    let set = sets.of(&proposal.rule_set_hash);
    let standard = Named::new(
        set.standard_title(f.view.lang, &proposal.standard),
        format!("{} {}", proposal.standard, proposal.standard_version),
    );
    Proposed {
        category: show::category(f.view.lang, proposal.category),
        institution: Named::institution(who, &proposal.institution),
        institution_id: proposal.institution,
        project: proposal.project,
        title: proposal.title,
        standard,
        state: names::project(f.view.lang, it.state()),
        votes: votes_text(f, it),
        can_admit: steps.iter().any(|(step, _)| *step == "admit"),
        expires_on: it.expires_on.clone(),
        steps,
    }
}

#[derive(Template)]
#[template(path = "desk/projects.html")]
struct ListPage {
    f: Frame,
    d: Desk,
    tabs: Vec<Tab>,
    show: &'static str,
    projects: Vec<Proposed>,
    next: String,
}

async fn list(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Projects);
    let parts = vec![
        ("proposed", f.t("desk-projects-proposed")),
        ("all", f.t("desk-projects-all")),
    ];
    let tabs = tabs(parts, &query.show);
    let show = here(&tabs);
    let states = match show {
        "proposed" => vec![v1::ProjectState::Proposed as i32],
        _ => Vec::new(),
    };
    let ask = v1::ListProjectsRequest {
        states,
        page_size: PAGE,
        page_token: query.page,
        ..Default::default()
    };
    let found = app.projects(ask).await?;
    let projects = found.projects.iter();
    let proposals = projects.clone().filter_map(|it| it.proposal.as_ref());
    let who = proposals.clone().map(|it| &*it.institution);
    let who = app.institution_names(who).await;
    let sets = app.set_names(proposals.map(|it| &*it.rule_set_hash)).await;
    page(&ListPage {
        projects: projects
            .map(|it| proposed(&app, &f, (&who, &sets), it))
            .collect(),
        next: found.next_page_token,
        f,
        d,
        tabs,
        show,
    })
}

#[derive(Deserialize)]
struct StepForm {
    institution: String,
    project: String,
    step: String,
    #[serde(default)]
    expires_on: String,
}

async fn step(
    State(app): State<Arc<DeskApp>>,
    Signed { form, .. }: Signed<StepForm>,
) -> Result<Redirect, Failure> {
    let (institution, project) = (form.institution, form.project);
    match (app.office, &*form.step) {
        (Office::Reviewer, step @ ("approve" | "reject")) => {
            let ask = v1::GetProjectRequest {
                institution,
                project,
            };
            let found = app.project(ask).await?;
            app.vote_on_project(&found, step == "approve").await?;
        }
        (Office::Operator, step @ ("admit" | "refuse")) => {
            let admit = step == "admit";
            let expires_on = form.expires_on.trim();
            let expires_on = if admit { expires_on } else { "" }.to_owned();
            let ask = v1::DecideProjectRequest {
                institution,
                project,
                admit,
                expires_on,
            };
            app.decide_project(ask).await?;
        }
        (Office::Operator, step @ ("suspend" | "resume")) => {
            let ask = v1::SuspendProjectRequest {
                institution,
                project,
                suspended: step == "suspend",
            };
            app.suspend_project(ask).await?;
        }
        _ => return Err(Failure::Unreadable),
    }
    Ok(Redirect::to("/projects?show=all"))
}
