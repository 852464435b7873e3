//! Traces for whoever collects them: OpenTelemetry over OTLP, to a collector on this machine or a trusted network. Off unless
//! an address is given.

use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::{Builder, Runtime};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Most calls of which one is traced.
pub(crate) const ONE_IN_MAX: i64 = 1_000_000_000;

/// Where traces go, and which of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collector<'a> {
    /// Such as `http://127.0.0.1:4317`.
    pub(crate) address: &'a str,
    /// One in so many calls is traced; a caller that is traced already always is.
    pub(crate) one_in: u32,
}

/// Sends what is collected; apart from the program's own runtime, so that what is left can be sent at its end.
static SENDING: OnceLock<(Runtime, SdkTracerProvider)> = OnceLock::new();

/// The part of the log that makes traces; once a process.
pub(crate) fn layer<S>(collector: Collector<'_>) -> Result<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    check(collector.address)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("traces")
        .enable_all()
        .build()?;
    let guard = runtime.enter();
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(collector.address)
        .build()?;
    let share = f64::from(collector.one_in.max(1)).recip();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            share,
        ))))
        .with_resource(Resource::builder().with_service_name("creditbank").build())
        .build();
    drop(guard);
    let tracer = provider.tracer("creditbank");
    ensure!(
        SENDING.set((runtime, provider)).is_ok(),
        "traces begin once"
    );
    let ours = Targets::new().with_target(creditbank_client::trace::TARGET, LevelFilter::TRACE);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    Ok(layer.with_filter(ours))
}

/// Whether an address can be one of a collector.
pub(crate) fn check(address: &str) -> Result<()> {
    let rest = address.strip_prefix("http://");
    let rest = rest.context("traces go to http://HOST:PORT, a collector that is near")?;
    ensure!(!rest.is_empty(), "traces go to http://HOST:PORT");
    Ok(())
}

/// Sends what has not been sent yet, within the exporter's own bound.
pub(crate) fn finish() {
    if let Some((_, provider)) = SENDING.get() {
        // Whoever collects may have gone; nothing depends on it.
        drop(provider.shutdown());
    }
}
