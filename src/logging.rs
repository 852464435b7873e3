//! The log of a process on stderr: text for people, or a JSON object a line for machines. What it shows can be changed while
//! the process runs.

use std::io::IsTerminal as _;

use anyhow::{Context as _, Result};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use crate::settings::environment;
use crate::traces::{self, Collector};

/// What the environment calls the filter; it is stronger than a setting.
const FILTER: &str = "CREDITBANK_LOG";
/// `text` or `json`.
const FORMAT: &str = "CREDITBANK_LOG_FORMAT";
/// Where a command's traces go.
const TRACES: &str = "CREDITBANK_TRACES";
/// What is shown if nobody says otherwise.
pub(crate) const USUAL: &str = "info";

/// The log, once it has begun.
pub(crate) struct Logging(reload::Handle<EnvFilter, Registry>);

/// Begins the log of a command that has no settings: what the environment says, or the usual.
pub(crate) fn start_command() -> Result<Logging> {
    let environment = environment();
    let collector = environment
        .get(TRACES)
        .map(|address| Collector { address, one_in: 1 });
    start(USUAL, collector)
}

/// Begins the log, and traces where there is somebody to collect them. `filter` is what a setting says; the environment is
/// stronger.
pub(crate) fn start(filter: &str, traces: Option<Collector<'_>>) -> Result<Logging> {
    let environment = environment();
    let filter = environment.get(FILTER).map_or(filter, String::as_str);
    // Of two programs' settings in one environment the wrong one must not keep a command from running.
    let usual = |_| EnvFilter::new(USUAL);
    let filter = parse(filter).unwrap_or_else(usual);
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let lines = match environment.get(FORMAT).map(String::as_str) {
        Some("json") => lines.json().flatten_event(true).boxed(),
        _ => lines.boxed(),
    };
    let traces = traces.map(traces::layer).transpose()?;
    let log = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces);
    log.try_init().context("the log begins once")?;
    Ok(Logging(handle))
}

impl Logging {
    /// Shows what this filter says from now on, unless the environment says otherwise.
    pub(crate) fn show(&self, filter: &str) -> Result<()> {
        if environment().contains_key(FILTER) {
            return Ok(());
        }
        Ok(self.0.reload(parse(filter)?)?)
    }
}

/// Reads a filter, such as `info` or `warn,creditbank_ledger=debug`.
pub(crate) fn parse(filter: &str) -> Result<EnvFilter> {
    Ok(EnvFilter::builder().parse(filter)?)
}
