//! Calls of cargo. All select the same packages and features, so that nothing compiles twice.

use std::path::Path;
use std::process::Command;
use std::sync::Once;

use crate::machine;

/// Every workspace: that of the bank, and those of the tests that would compile everything with other features or flags.
pub(crate) const WORKSPACES: [&str; 3] = [
    "Cargo.toml",
    "tests/lossy/Cargo.toml",
    "tests/fuzz/Cargo.toml",
];

/// Features are unified over what is selected: another selection would compile RocksDB again.
const EVERYTHING: [&str; 4] = ["--workspace", "--all-targets", "--features", "xtask/bench"];

/// `cargo VERB` on everything.
pub(crate) fn everything(verb: &str) -> Command {
    let mut command = bare();
    command.arg(verb).args(EVERYTHING);
    command
}

/// Builds the programs alone, for who does not test.
pub(crate) fn programs() -> Command {
    let mut command = bare();
    command.args([
        "build",
        "--workspace",
        "--bins",
        "--features",
        "xtask/bench",
    ]);
    command
}

/// The tests inside the documentation, which `--all-targets` leaves out.
pub(crate) fn doc_tests() -> Command {
    let mut command = bare();
    command.args(["test", "--doc", "--workspace", "--features", "xtask/bench"]);
    command
}

/// `cargo VERB` on the disk of the tests, which is a workspace of its own.
pub(crate) fn lossy(verb: &str, target: &Path) -> Command {
    let mut command = bare();
    command
        .args([verb, "--quiet", "--locked"])
        .args(["--manifest-path", "tests/lossy/Cargo.toml", "--target-dir"])
        .arg(target);
    command
}

/// `cargo fmt` on every workspace, changing nothing.
pub(crate) fn formats() -> impl Iterator<Item = Command> {
    WORKSPACES.iter().map(|manifest| {
        let mut command = bare();
        command.args(["fmt", "--check", "--manifest-path", manifest]);
        // In the others, `--all` would mean what they depend on too.
        if *manifest == WORKSPACES[0] {
            command.arg("--all");
        }
        command
    })
}

/// cargo in the root of the workspace, through sccache if that is here.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(machine::variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(machine::root());
    // Whole crates, compiled in fewer pieces: quicker where most is compiled once, and sccache keeps only those.
    command.env("CARGO_INCREMENTAL", "0");
    if machine::variable("RUSTC_WRAPPER").is_none() && machine::program("sccache").is_some() {
        static SAID: Once = Once::new();
        SAID.call_once(|| println!("sccache is on the PATH: compiling through it."));
        command.env("RUSTC_WRAPPER", "sccache");
    }
    command
}
