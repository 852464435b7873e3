//! A bank as whoever operates it sees it: what it tells of itself, its settings, its certificate, its end, and the files of
//! `deploy/`.

mod backups;
mod deploy;
pub(crate) mod metrics;
mod notify;
mod reload;
mod runbook;
mod settings;
mod stop;
mod traces;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A moment to measure a bound from.
#[expect(
    clippy::disallowed_methods,
    reason = "tests hold what takes too long against the machine's clock"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A file or folder of `deploy/`.
fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

/// Runs a program of the system that `cargo xtask` installs; `None`, said aloud, where it is missing.
#[expect(clippy::disallowed_methods, reason = "in CI nothing may be missing")]
fn system(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "CI has no {program}: {error}");
            println!("SKIPPED: there is no {program}; `cargo xtask setup` installs it");
            None
        }
    }
}
