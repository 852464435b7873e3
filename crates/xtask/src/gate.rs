//! The one gate, the same here and in CI, and the other things that build everything first.

use std::process::Command;

use anyhow::Result;

use crate::step::{Steps, run as must};
use crate::{cargo, deny, machine, sbom, setup, tidy};

/// Format, tidy, deny, clippy, build, tests, doc tests, browser tests; stops at the first failure.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::start();
    steps.step("format", || {
        cargo::formats().try_for_each(|mut it| must(&mut it))
    })?;
    steps.step("tidy", tidy::run)?;
    steps.step("set-up", || setup::everything(false))?;
    steps.step("deny", deny::run)?;
    steps.step("bill of materials", bill)?;
    steps.step("clippy", || {
        must(cargo::everything("clippy").args(["--", "-D", "warnings"]))?;
        // Not of tests/fuzz: its decoders are a module of tests/it too, and all crates of the bank would be checked again.
        let target = machine::target().join("lossy");
        must(cargo::lossy("clippy", &target).args(["--all-targets", "--", "-D", "warnings"]))
    })?;
    steps.step("build", || must(&mut cargo::everything("build")))?;
    steps.step("test", || must(&mut tests(&[])?))?;
    steps.step("tests of the lossy disk", || {
        must(&mut cargo::lossy("test", &machine::target().join("lossy")))
    })?;
    steps.step("doc tests", || must(&mut cargo::doc_tests()))?;
    steps.step("browser tests", || pages(&[]))?;
    steps.finish();
    Ok(())
}

/// The tests whose names contain one of these, and nothing else.
pub(crate) fn only(names: &[&str]) -> Result<()> {
    let mut steps = Steps::start();
    steps.step("set-up", setup::build)?;
    steps.step("test", || must(&mut tests(names)?))
}

/// Builds, then runs the browser tests whose files are named like one of these; all, if none is named.
pub(crate) fn browser(names: &[&str]) -> Result<()> {
    let mut steps = Steps::start();
    steps.step("set-up", setup::build)?;
    steps.step("build", || must(&mut cargo::programs()))?;
    steps.step("browser tests", || pages(names))
}

/// The bill of materials, held against its schema.
fn bill() -> Result<()> {
    let bill = machine::target().join("creditbank.cdx.json");
    sbom::write(&bill)?;
    let check = machine::root().join("tests/python/bill.py");
    must(Command::new(setup::python()?).arg(check).arg(bill))
}

/// The pages in a real browser; screenshots of each are left in target/browser/screens.
fn pages(names: &[&str]) -> Result<()> {
    let target = machine::target();
    must(
        Command::new("node")
            .arg(machine::root().join("tests/browser/run.mjs"))
            .arg(target.join("debug/creditbank"))
            .arg(setup::browser()?)
            .arg(target.join("browser/screens"))
            .args(names),
    )
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
    command.args(["--no-fail-fast", "--"]).args(names);
    // Tests with a side in Python or Node skip it, saying so, where these are not set.
    command.env("CREDITBANK_PYTHON", setup::python()?);
    setup::transcript()?;
    setup::operation()?;
    command.env("CREDITBANK_NODE_MODULES", setup::verifiers()?);
    command.env("CREDITBANK_OIDC", setup::identity_provider()?);
    setup::strace()?;
    command.env("CREDITBANK_LOSSY", setup::lossy_disk()?);
    command.env("CREDITBANK_SCHEMATHESIS", setup::schemathesis()?);
    Ok(command)
}
