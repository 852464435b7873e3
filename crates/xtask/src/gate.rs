//! The one gate, the same here and in CI, and the other things that build everything first.

use std::process::Command;

use anyhow::Result;

use crate::step::{Steps, run as must};
use crate::{cargo, deny, machine, setup, tidy};

/// Format, tidy, deny, clippy, build, tests, doc tests; stops at the first failure.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::start();
    steps.step("format", || {
        must(cargo::bare().args(["fmt", "--all", "--check"]))
    })?;
    steps.step("tidy", tidy::run)?;
    steps.step("set-up", || setup::everything(false))?;
    steps.step("deny", deny::run)?;
    steps.step("clippy", || {
        must(cargo::everything("clippy").args(["--", "-D", "warnings"]))
    })?;
    steps.step("build", || must(&mut cargo::everything("build")))?;
    steps.step("test", || must(&mut tests(&[])?))?;
    steps.step("doc tests", || must(&mut cargo::doc_tests()))?;
    steps.finish();
    Ok(())
}

/// The tests whose names contain one of these, and nothing else.
pub(crate) fn only(names: &[&str]) -> Result<()> {
    let mut steps = Steps::start();
    steps.step("set-up", setup::build)?;
    steps.step("test", || must(&mut tests(names)?))
}

/// Builds, then runs the bench with these flags.
pub(crate) fn bench(flags: &[&str]) -> Result<()> {
    setup::build()?;
    if flags.contains(&"--peers") {
        setup::peers()?;
    }
    must(&mut cargo::everything("build"))?;
    must(
        Command::new(machine::target().join("debug/bench"))
            .args(flags)
            .current_dir(machine::root()),
    )
}

fn tests(names: &[&str]) -> Result<Command> {
    let mut command = cargo::everything("test");
    command.arg("--").args(names);
    // Tests with a side in Python or Node skip it, saying so, where these are not set.
    command.env("CREDITBANK_PYTHON", setup::python()?);
    setup::transcript()?;
    command.env("CREDITBANK_NODE_MODULES", setup::verifiers()?);
    Ok(command)
}
