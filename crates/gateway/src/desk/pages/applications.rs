//! Recognition: what is noticed (institutions object), what waits for a vote (reviewers), what the bank does next
//! (operators). One queue, one page of an application; whose desk it is decides what can be done there.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use creditbank_domain::LearnerCode;
use creditbank_wire::v1;
use serde::Deserialize;

use super::{ListQuery, Place, Tab, here, tabs};
use crate::ask::institutions::Names;
use crate::ask::recognition::{Names as SetOf, SetNames};
use crate::desk::app::{DeskApp, Office};
use crate::desk::facts::{Fact, outcome};
use crate::desk::named::Named;
use crate::desk::names;
use crate::desk::staff::{Desk, Signed, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;
use crate::words::Lang;

/// Applications of a page.
const PAGE: u32 = 20;

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new()
        .route("/applications", get(list))
        .route("/applications/{leaf}", get(one))
        .route("/applications/{leaf}/vote", post(vote))
        .route("/applications/{leaf}/object", post(object))
        .route("/applications/{leaf}/advance", post(advance))
}

/// An application in one row.
struct Waiting {
    leaf: u64,
    programme: Named,
    state: &'static str,
    applied_on: String,
    due_on: String,
    due: &'static str,
    is_late: bool,
}

impl Waiting {
    fn of(f: &Frame, set: &SetNames, it: &v1::ApplicationFile) -> Self {
        let programme = it.form.as_ref().map_or("", |it| &it.programme);
        let set = set.of(&it.rule_set_hash);
        Self {
            leaf: it.application,
            programme: Named::new(set.programme_title(f.view.lang, programme), programme),
            state: names::application(f.view.lang, it.state()),
            applied_on: it.applied_on.clone(),
            due_on: it.due_on.clone(),
            due: names::due(f.view.lang, &it.due_step),
            is_late: it.overdue,
        }
    }
}

#[derive(Template)]
#[template(path = "desk/applications.html")]
struct ListPage {
    f: Frame,
    d: Desk,
    tabs: Vec<Tab>,
    show: &'static str,
    applications: Vec<Waiting>,
    next: String,
}

/// The parts of the queue at a desk.
fn parts(f: &Frame, office: Office) -> Vec<(&'static str, String)> {
    match office {
        Office::Institution => vec![("noticed", f.t("desk-applications-noticed"))],
        Office::Reviewer => vec![
            ("review", f.t("desk-applications-review")),
            ("late", f.t("desk-applications-late")),
            ("all", f.t("desk-applications-all")),
        ],
        Office::Operator | Office::Agent => vec![
            ("open", f.t("desk-applications-open")),
            ("late", f.t("desk-applications-late")),
            ("all", f.t("desk-applications-all")),
        ],
    }
}

async fn list(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    use v1::ApplicationState as S;
    let Staff { f, d } = staff.at(Place::Applications);
    let tabs = tabs(parts(&f, d.office), &query.show);
    let show = here(&tabs);
    let states: &[S] = match show {
        "noticed" => &[S::Noticed],
        "review" => &[S::Accepted],
        "all" => &[],
        _ => &[
            S::Submitted,
            S::Accepted,
            S::Noticed,
            S::Decided,
            S::Appealed,
        ],
    };
    let ask = v1::ListApplicationsRequest {
        states: states.iter().map(|it| *it as i32).collect(),
        overdue: show == "late",
        page_size: PAGE,
        page_token: query.page,
        ..Default::default()
    };
    let found = app.applications(ask).await?;
    let applications = found.applications.iter();
    let sets = applications.clone().map(|it| &*it.rule_set_hash);
    let sets = app.set_names(sets).await;
    page(&ListPage {
        applications: applications.map(|it| Waiting::of(&f, &sets, it)).collect(),
        next: found.next_page_token,
        f,
        d,
        tabs,
        show,
    })
}

/// What an application claims.
struct Claim {
    rule: Named,
    outcomes: Vec<u64>,
    courses: String,
}

/// An outcome that it claims.
struct Proof {
    leaf_index: u64,
    state: &'static str,
    issuer: Named,
    facts: Vec<Fact>,
}

struct Taken {
    kind: &'static str,
    actor: Named,
    at: String,
    reason: String,
    /// Of a vote.
    vote: Option<bool>,
}

/// A step that the operator may take.
struct Action {
    slug: &'static str,
    name: String,
    /// What is said where nothing else is typed; empty where a reason is needed.
    says: &'static str,
}

#[derive(Template)]
#[template(path = "desk/application.html")]
struct OnePage {
    f: Frame,
    d: Desk,
    it: Waiting,
    learner: String,
    note: String,
    /// Its id is the hash.
    rule_set: Named,
    claims: Vec<Claim>,
    proofs: Vec<Proof>,
    /// Hundredths as a decimal, once there is an evaluation.
    credits: Option<String>,
    explanation: Vec<String>,
    steps: Vec<Taken>,
    can_vote: bool,
    can_object: bool,
    actions: Vec<Action>,
}

async fn one(
    State(app): State<Arc<DeskApp>>,
    staff: Staff,
    Path(leaf): Path<u64>,
) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Applications);
    let ask = v1::GetApplicationRequest { application: leaf };
    let file = app.application(ask).await?;
    let lang = f.view.lang;
    let form = file.form.clone().unwrap_or_default();
    let has_voted = file
        .steps
        .iter()
        .any(|it| it.kind() == v1::RecordKind::Review && it.actor == app.id);
    let state = file.state();
    let evaluation = file.evaluation.as_ref().or(file.expected.as_ref());
    let actors = file.steps.iter().map(|it| &*it.actor);
    let issuers = file.outcomes.iter().map(|it| &*it.issuer);
    let who = app.institution_names(actors.chain(issuers)).await;
    let sets = app.set_names([&*file.rule_set_hash].into_iter()).await;
    let set = sets.of(&file.rule_set_hash);
    page(&OnePage {
        it: Waiting::of(&f, &sets, &file),
        learner: show::learner_code(&file.learner),
        rule_set: rule_set(lang, &set, &file.rule_set_hash),
        claims: form.uses.iter().map(|it| claim(lang, &set, it)).collect(),
        proofs: file
            .outcomes
            .iter()
            .filter_map(|it| proof(&f, &who, it))
            .collect(),
        credits: evaluation.map(|it| show::hundredths(u64::from(it.credits_hundredths))),
        explanation: evaluation.map_or_else(Vec::new, |it| {
            lang.pick(&it.explanation_zh, &it.explanation_en).clone()
        }),
        steps: file.steps.iter().map(|it| taken(&f, &who, it)).collect(),
        can_vote: d.office == Office::Reviewer
            && state == v1::ApplicationState::Accepted
            && !has_voted,
        can_object: d.office == Office::Institution
            && state == v1::ApplicationState::Noticed
            && !file.learner.is_empty(),
        actions: match d.office {
            Office::Operator => actions(&f, state, &file.due_step),
            _ => Vec::new(),
        },
        note: form.note,
        f,
        d,
    })
}

/// A set by its title and version; one without a title by its hash alone.
fn rule_set(lang: Lang, set: &SetOf, hash: &[u8]) -> Named {
    let title = match set.title.pick(lang, "") {
        title if title.is_empty() => title,
        title => format!("{title} {}", set.version),
    };
    Named::new(title, show::hex(hash))
}

fn claim(lang: Lang, set: &SetOf, it: &v1::Use) -> Claim {
    Claim {
        rule: Named::new(set.rule_title(lang, &it.rule), &*it.rule),
        outcomes: it.outcomes.clone(),
        courses: it.courses.join(", "),
    }
}

fn proof(f: &Frame, who: &Names, it: &v1::ArchiveRecord) -> Option<Proof> {
    Some(Proof {
        leaf_index: it.leaf_index,
        state: names::record(f.view.lang, it.state()),
        issuer: Named::institution(who, &it.issuer),
        facts: outcome(f.view.lang, who, &show::outcome(&it.payload)?),
    })
}

fn taken(f: &Frame, who: &Names, it: &v1::ApplicationStep) -> Taken {
    let is_vote = it.kind() == v1::RecordKind::Review;
    Taken {
        kind: names::kind(f.view.lang, it.kind),
        actor: Named::institution(who, &it.actor),
        at: show::moment(it.deposited_at_ms),
        reason: it.reason.clone(),
        vote: is_vote.then_some(it.approve),
    }
}

/// What an operator may do next, the usual step first.
fn actions(f: &Frame, state: v1::ApplicationState, due: &str) -> Vec<Action> {
    use v1::ApplicationState as S;
    let action = |slug, name, says| Action { slug, name, says };
    let decide = || action("decide", f.t("desk-do-decide"), "予以认定");
    let decline = || action("decline", f.t("desk-do-decline"), "");
    let close = || action("close", f.t("desk-do-close"), "办结");
    let reverse = || action("reverse", f.t("desk-do-reverse"), "");
    match state {
        S::Submitted if due == "decide" => vec![decide()],
        S::Submitted => vec![
            action("accept", f.t("desk-do-accept"), "受理"),
            action("return", f.t("desk-do-return"), ""),
        ],
        S::Accepted if due == "decide" => vec![decide()],
        S::Accepted => vec![action("notice", f.t("desk-do-notice"), "公示"), decline()],
        S::Noticed => vec![decide(), decline()],
        S::Decided => vec![close(), reverse()],
        S::Appealed => vec![close(), reverse()],
        S::Closed => vec![reverse()],
        S::Unspecified | S::Returned | S::Reversed | S::Withdrawn => Vec::new(),
    }
}

#[derive(Deserialize)]
struct VoteForm {
    /// `yes` or `no`.
    approve: String,
    reason: String,
}

/// Signs a vote with the reviewer's key.
async fn vote(
    State(app): State<Arc<DeskApp>>,
    Path(leaf): Path<u64>,
    signed: Signed<VoteForm>,
) -> Result<Redirect, Failure> {
    if app.office != Office::Reviewer {
        return Err(Failure::NotFound);
    }
    let approve = match &*signed.form.approve {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::Unreadable),
    };
    let learner = applicant(&app, leaf).await?;
    app.vote(leaf, learner, approve, signed.form.reason.trim())
        .await?;
    Ok(Redirect::to(&format!("/applications/{leaf}")))
}

#[derive(Deserialize)]
struct ObjectForm {
    reason: String,
}

/// Signs an objection with the institution's key.
async fn object(
    State(app): State<Arc<DeskApp>>,
    Path(leaf): Path<u64>,
    signed: Signed<ObjectForm>,
) -> Result<Redirect, Failure> {
    if app.office != Office::Institution {
        return Err(Failure::NotFound);
    }
    let learner = applicant(&app, leaf).await?;
    app.object(leaf, learner, signed.form.reason.trim()).await?;
    Ok(Redirect::to(&format!("/applications/{leaf}")))
}

/// Whose application it is; not every institution is told.
async fn applicant(app: &DeskApp, application: u64) -> Result<LearnerCode, Failure> {
    let file = app
        .application(v1::GetApplicationRequest { application })
        .await?;
    LearnerCode::parse(&file.learner).map_err(|_| Failure::NotFound)
}

#[derive(Deserialize)]
struct AdvanceForm {
    action: String,
    #[serde(default)]
    reason: String,
}

async fn advance(
    State(app): State<Arc<DeskApp>>,
    Path(leaf): Path<u64>,
    Signed { staff, form }: Signed<AdvanceForm>,
) -> Result<Redirect, Failure> {
    use v1::ApplicationAction as A;
    if app.office != Office::Operator {
        return Err(Failure::NotFound);
    }
    let file = app
        .application(v1::GetApplicationRequest { application: leaf })
        .await?;
    let offered = actions(&staff.f, file.state(), &file.due_step);
    let action = offered.iter().find(|it| it.slug == form.action);
    let action = action.ok_or(Failure::Unreadable)?;
    let reason = match form.reason.trim() {
        "" => action.says,
        reason => reason,
    };
    let ask = v1::AdvanceRequest {
        learner: file.learner,
        application: leaf,
        action: match action.slug {
            "accept" => A::Accept,
            "return" => A::Return,
            "notice" => A::Notice,
            "decide" => A::Decide,
            "decline" => A::Decline,
            "close" => A::Close,
            _ => A::Reverse,
        } as i32,
        reason: reason.to_owned(),
    };
    app.advance(ask).await?;
    Ok(Redirect::to(&format!("/applications/{leaf}")))
}
