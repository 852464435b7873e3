//! For whoever watches a process: metrics in the text format of Prometheus, whether it lives, and whether it serves. On an
//! address of its own, apart from what callers reach.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::process;

/// How long something may take: from a tenth of a millisecond, a fast sync, to half a minute.
const SECONDS: [f64; 14] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0, 30.0,
];
/// How many batches or records one commit may have.
const COUNTS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0];
/// Between two times at which what was measured is added up, so that it does not gather where nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// What a server tells of itself.
pub(crate) struct Probe {
    /// Measures what is a state.
    pub(crate) sample: Box<dyn Fn() + Send + Sync>,
    /// Whether it can serve now.
    pub(crate) ready: Box<dyn Fn() -> Ready + Send + Sync>,
}

/// An answer that may take a moment.
pub(crate) type Ready = Pin<Box<dyn Future<Output = bool> + Send>>;

/// The watched process.
pub(crate) struct Admin {
    metrics: PrometheusHandle,
    /// Set once there is something to watch.
    probe: OnceLock<Probe>,
}

impl Admin {
    /// Has everything measured from now on. Once a process, before anything is measured.
    pub(crate) fn install() -> Result<Arc<Self>> {
        let ending = |end: &str| Matcher::Suffix(end.to_owned());
        let metrics = PrometheusBuilder::new()
            .set_buckets_for_metric(ending("_seconds"), &SECONDS)?
            .set_buckets_for_metric(ending("_batches"), &COUNTS)?
            .set_buckets_for_metric(ending("_records"), &COUNTS)?
            .install_recorder()?;
        process::describe();
        Ok(Arc::new(Self {
            metrics,
            probe: OnceLock::new(),
        }))
    }

    /// Serves at this address as long as the process lives; from the start, so that a bank that still opens is seen.
    pub(crate) async fn serve(self: &Arc<Self>, address: SocketAddr) -> Result<SocketAddr> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("metrics: cannot listen at {address}"))?;
        let address = listener.local_addr()?;
        let routes = Router::new()
            .route("/metrics", get(told))
            .route("/healthz", get(async || plain(StatusCode::OK, "alive\n")))
            .route("/readyz", get(ready))
            .with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let metrics = self.metrics.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                metrics.run_upkeep();
            }
        });
        Ok(address)
    }

    /// Names what is to be watched.
    pub(crate) fn watch(&self, probe: Probe) {
        // A process serves one thing.
        drop(self.probe.set(probe));
    }
}

async fn told(State(admin): State<Arc<Admin>>) -> Response {
    let render = move || {
        process::sample();
        if let Some(probe) = admin.probe.get() {
            (probe.sample)();
        }
        admin.metrics.render()
    };
    // The database may take its time.
    match tokio::task::spawn_blocking(render).await {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "cannot be measured\n"),
    }
}

async fn ready(State(admin): State<Arc<Admin>>) -> Response {
    let is_ready = match admin.probe.get() {
        Some(probe) => (probe.ready)().await,
        None => false,
    };
    if is_ready {
        plain(StatusCode::OK, "ready\n")
    } else {
        plain(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
