//! How the ledger is: what its health service says, and the newest checkpoint with its age.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use creditbank_wire::Message as _;
use creditbank_wire::v1;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Place;
use crate::clock;
use crate::desk::app::DeskApp;
use crate::desk::staff::{Desk, Staff};
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::show;

/// What is asked about: the whole, and the services that pages stand on.
const SERVICES: [&str; 6] = [
    "",
    "creditbank.v1.SubmissionService",
    "creditbank.v1.ArchiveService",
    "creditbank.v1.RecognitionService",
    "creditbank.v1.AccessService",
    "creditbank.v1.CredentialService",
];

pub(super) fn routes() -> Router<Arc<DeskApp>> {
    Router::new().route("/health", get(health))
}

#[derive(Template)]
#[template(path = "desk/health.html")]
struct HealthPage {
    f: Frame,
    d: Desk,
    services: Vec<(&'static str, bool)>,
    origin: String,
    size: String,
    newest_at: String,
    age_minutes: Option<u64>,
    note: String,
}

async fn health(State(app): State<Arc<DeskApp>>, staff: Staff) -> Result<Response, Failure> {
    let Staff { f, d } = staff.at(Place::Health);
    let mut services = Vec::new();
    for service in SERVICES {
        services.push((service, is_serving(&app, service).await));
    }
    let note = app.checkpoint(v1::GetCheckpointRequest {}).await?.note;
    let mut lines = note.lines();
    let origin = lines.next().unwrap_or_default().to_owned();
    let size = lines.next().unwrap_or_default().to_owned();
    let newest = newest(&app, &size).await?;
    page(&HealthPage {
        services,
        origin,
        size,
        newest_at: newest.map_or_else(String::new, show::moment),
        age_minutes: newest.map(|it| clock::now_ms().saturating_sub(it) / 60_000),
        note,
        f,
        d,
    })
}

async fn is_serving(app: &DeskApp, service: &str) -> bool {
    let ask = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(app.bank.line().channel())
        .check(ask)
        .await;
    answer.is_ok_and(|it| it.into_inner().status() == ServingStatus::Serving)
}

/// When the last leaf under a checkpoint was deposited: a checkpoint itself states no time.
async fn newest(app: &DeskApp, size: &str) -> Result<Option<u64>, Failure> {
    let last = size.parse::<u64>().ok().and_then(|it| it.checked_sub(1));
    let Some(leaf_index) = last else {
        return Ok(None);
    };
    let leaf = app.leaf(v1::GetLeafRequest { leaf_index }).await?.leaf;
    let leaf = v1::Leaf::decode(&*leaf).ok();
    Ok(leaf.map(|it| it.deposited_at_ms))
}
