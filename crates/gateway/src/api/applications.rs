//! Applications for recognition (认定申请).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::v1;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use super::extract::{Asked, Leaf, Me, Nothing, Paging, private};
use super::outcome::stated;
use crate::app::App;
use crate::failure::Failure;
use crate::show;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me/applications", get(list_applications))
        .route("/me/applications/{leaf_index}", get(application))
}

/// Where an application stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ApplicationState {
    /// 已提交
    Submitted,
    /// 评审中
    Accepted,
    /// 已退回
    Returned,
    /// 公示中
    Noticed,
    /// 已决定
    Decided,
    /// 申诉中
    Appealed,
    /// 已办结
    Closed,
    /// 已撤销
    Reversed,
    /// 已撤回
    Withdrawn,
}

/// An application and what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Application {
    /// Its place in the log.
    leaf_index: u64,
    /// Hash of the rule set that decides, 64 hexadecimal digits.
    rule_set_hash: String,
    /// Id of the programme there.
    programme: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    uses: Vec<Use>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ApplicationState>,
    applied_on: String,
    /// Last day for the next step; absent when nothing is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_on: Option<String>,
    overdue: bool,
    /// In the order of the log.
    steps: Vec<Step>,
    /// The decision, or while it is noticed the proposed one; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<Evaluation>,
}

/// A use of outcomes under one rule.
#[derive(Serialize, ToSchema)]
pub(super) struct Use {
    /// Id of the rule.
    rule: String,
    /// Leaves of the outcomes.
    outcomes: Vec<u64>,
    /// Codes of the courses chosen.
    courses: Vec<String>,
}

/// One step of an application.
#[derive(Serialize, ToSchema)]
pub(super) struct Step {
    leaf_index: u64,
    /// Such as acceptance, review, notice or decision.
    kind: String,
    /// Resource id of who signed it.
    actor: String,
    deposited_at_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What is granted, and why.
#[derive(Serialize, ToSchema)]
pub(super) struct Evaluation {
    /// Credits granted, in hundredths.
    credits_hundredths: u32,
    /// One sentence a line.
    explanation_zh: Vec<String>,
    /// One sentence a line.
    explanation_en: Vec<String>,
}

impl Application {
    pub(super) fn of(it: v1::ApplicationFile) -> Self {
        let state = state(it.state());
        let form = it.form.unwrap_or_default();
        let one = |it: v1::Use| Use {
            rule: it.rule,
            outcomes: it.outcomes,
            courses: it.courses,
        };
        Self {
            leaf_index: it.application,
            rule_set_hash: show::hex(&it.rule_set_hash),
            programme: form.programme,
            note: stated(form.note),
            uses: form.uses.into_iter().map(one).collect(),
            state,
            applied_on: it.applied_on,
            due_on: stated(it.due_on),
            overdue: it.overdue,
            steps: it.steps.into_iter().map(step).collect(),
            evaluation: it.evaluation.map(|it| Evaluation {
                credits_hundredths: it.credits_hundredths,
                explanation_zh: it.explanation_zh,
                explanation_en: it.explanation_en,
            }),
        }
    }
}

fn state(state: v1::ApplicationState) -> Option<ApplicationState> {
    use v1::ApplicationState as Wire;
    Some(match state {
        Wire::Unspecified => return None,
        Wire::Submitted => ApplicationState::Submitted,
        Wire::Accepted => ApplicationState::Accepted,
        Wire::Returned => ApplicationState::Returned,
        Wire::Noticed => ApplicationState::Noticed,
        Wire::Decided => ApplicationState::Decided,
        Wire::Appealed => ApplicationState::Appealed,
        Wire::Closed => ApplicationState::Closed,
        Wire::Reversed => ApplicationState::Reversed,
        Wire::Withdrawn => ApplicationState::Withdrawn,
    })
}

fn step(it: v1::ApplicationStep) -> Step {
    let kind = it.kind().as_str_name().trim_start_matches("RECORD_KIND_");
    Step {
        leaf_index: it.leaf_index,
        kind: kind.to_lowercase(),
        actor: it.actor,
        deposited_at_ms: it.deposited_at_ms,
        reason: stated(it.reason),
    }
}

/// A page of applications.
#[derive(Serialize, ToSchema)]
pub(super) struct Applications {
    /// Without evaluations.
    applications: Vec<Application>,
    /// For the next page; empty on the last. A page may be short before the last.
    next_page_token: String,
}

/// A page of a learner's applications.
pub(super) async fn page(
    app: &App,
    learner: String,
    page_size: u32,
    page_token: String,
) -> Result<(Vec<Application>, String), Failure> {
    let request = v1::ListApplicationsRequest {
        learner,
        page_size,
        page_token,
        ..Default::default()
    };
    let found = ask!(app, recognition.list_applications, request).await?;
    let applications = found.applications.into_iter().map(Application::of);
    Ok((applications.collect(), found.next_page_token))
}

/// The learner's applications.
#[utoipa::path(get, path = "/v1/me/applications", tag = "recognition", operation_id = "list_applications",
    params(Paging),
    responses((status = 200, description = "A page of applications.", body = Applications)),
    security(("session" = [])))]
pub(super) async fn list_applications(
    State(app): State<Arc<App>>,
    me: Me,
    Asked(paging): Asked<Paging>,
) -> Result<Response, Failure> {
    let size = paging.size()?;
    let (applications, next_page_token) = page(&app, me.learner(), size, paging.page_token).await?;
    Ok(private(&Applications {
        applications,
        next_page_token,
    }))
}

/// One application with its steps and decision.
#[utoipa::path(get, path = "/v1/me/applications/{leaf_index}", tag = "recognition", operation_id = "get_application",
    params(("leaf_index" = u64, Path, description = "Its place in the log.", maximum = 9007199254740991_u64)),
    responses((status = 200, description = "The application.", body = Application)),
    security(("session" = [])))]
pub(super) async fn application(
    State(app): State<Arc<App>>,
    me: Me,
    Leaf(application): Leaf,
    Asked(Nothing {}): Asked<Nothing>,
) -> Result<Response, Failure> {
    let request = v1::GetApplicationRequest { application };
    let found = ask!(app, recognition.get_application, request).await;
    let file = match found {
        // The ledger finds applications by their leaf alone: another's is answered like one that is not.
        Ok(file) if file.learner == own_code(&app, &me).await? => file,
        Ok(_) => return Err(Failure::NotFound),
        Err(error) => return Err(Failure::of_unknown(error)),
    };
    Ok(private(&Application::of(file)))
}

/// The code of the archive that remains after merges, which is what the ledger tells of applications.
async fn own_code(app: &App, me: &Me) -> Result<String, Failure> {
    let learner = me.learner();
    let found = ask!(app, learner.get_learner, v1::GetLearnerRequest { learner }).await?;
    Ok(found.learner)
}
