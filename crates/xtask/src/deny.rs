//! cargo-deny: licences, bans, sources and, where their database can be had, advisories.

use std::path::PathBuf;

use anyhow::Result;

use crate::{cargo, machine, setup, step};

const NAME: &str = "cargo-deny";
/// The version in tools.txt, for machines that its binaries do not fit.
const VERSION: &str = "0.20.2";

/// Checks the dependencies of every workspace against .cargo/deny.toml.
pub(crate) fn run() -> Result<()> {
    let tool = install()?;
    let call = |manifest: &str, arguments: &[&str]| {
        let mut command = cargo::bare();
        // cargo finds the subcommand by its name on the PATH.
        let path = machine::variable("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", tool.display()));
        command
            .args(["deny", "--all-features", "--log-level", "error"])
            .args(["--config", ".cargo/deny.toml", "--manifest-path", manifest])
            .args(arguments);
        command
    };
    let check = |arguments: &[&str]| {
        let mut workspaces = cargo::WORKSPACES.iter();
        workspaces.try_for_each(|it| step::run(call(it, &["check"]).args(arguments)))
    };
    check(&["--hide-inclusion-graph", "licenses", "bans", "sources"])?;
    // The advisory database is a git repository, which a closed network does not reach.
    let fetched = call(cargo::WORKSPACES[0], &["fetch", "db"]).output()?;
    if !fetched.status.success() && !has_database() {
        println!("advisories SKIPPED: their database cannot be fetched here and no copy is kept.");
        return Ok(());
    }
    check(&["--disable-fetch", "advisories"])
}

/// Makes sure that cargo-deny is here; returns its folder.
pub(crate) fn install() -> Result<PathBuf> {
    let fits = cfg!(all(target_os = "linux", target_env = "gnu"))
        && cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    if !fits {
        return setup::cargo_tool(NAME, VERSION);
    }
    let list = machine::root().join("crates/xtask/tools.txt");
    setup::pip(&list, "the check of licences and advisories")
}

fn has_database() -> bool {
    let home = machine::variable("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(machine::variable("HOME")?).join(".cargo")));
    let folder = home
        .map(|home| home.join("advisory-dbs"))
        .and_then(|dbs| dbs.read_dir().ok());
    folder.is_some_and(|databases| databases.flatten().any(|entry| entry.path().is_dir()))
}
