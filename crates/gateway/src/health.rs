//! For whoever watches this process: whether it lives, and whether its ledger answers. No details.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use creditbank_client::Line;
use creditbank_wire::v1;

use crate::app::App;

/// How long the ledger may take.
const READY_WITHIN: Duration = Duration::from_secs(3);

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(async || told(StatusCode::OK, "alive\n")))
        .route("/readyz", get(ready))
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if Probe(app).is_ready().await {
        told(StatusCode::OK, "ready\n")
    } else {
        told(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// Asks a gateway how it is.
#[derive(Clone)]
pub struct Probe(pub(crate) Arc<App>);

impl Probe {
    /// Whether its ledger answers.
    pub async fn is_ready(&self) -> bool {
        let send = |line: Line, it| async move { line.log().get_checkpoint(it).await };
        let asked = self.0.bank.call(v1::GetCheckpointRequest {}, send);
        let answered = tokio::time::timeout(READY_WITHIN, asked).await;
        matches!(answered, Ok(Ok(_)))
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}

fn told(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
