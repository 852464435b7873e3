//! libFuzzer on the decoders of foreign bytes, on the stable toolchain: what it needs is the compiler's coverage alone.
//! The gate does without; there the kept corpus is replayed and mutated by ordinary tests.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::step::run as must;
use crate::{cargo, machine, setup};

/// What cargo-fuzz gives the compiler, without sanitizers: these are for memory that only unsafe code can hurt.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";
/// Most bytes of an input.
const BYTES_MAX: u32 = 16 << 10;

/// Which decoders, and how long each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    names: Vec<String>,
    seconds: u64,
}

impl Options {
    /// Reads `[NAME…] [--seconds N]`.
    pub(crate) fn parse(mut arguments: &[&str]) -> Result<Self> {
        let mut options = Self {
            names: Vec::new(),
            seconds: 60,
        };
        loop {
            match arguments {
                ["--seconds", seconds, rest @ ..] => {
                    options.seconds = seconds.parse().context("--seconds takes a number")?;
                    arguments = rest;
                }
                [flag, ..] if flag.starts_with('-') => bail!("fuzz has no such flag: {flag}"),
                [name, rest @ ..] => {
                    options.names.push((*name).to_owned());
                    arguments = rest;
                }
                [] => return Ok(options),
            }
        }
    }
}

/// Runs libFuzzer on each decoder in turn; stops at the first input that breaks one, and keeps that in the corpus.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::build()?;
    let target = machine::target().join("fuzz");
    let mut build = cargo::bare();
    build
        .args(["build", "--manifest-path", "tests/fuzz/Cargo.toml"])
        .arg("--target-dir")
        .arg(&target)
        // With a target of its own, build scripts and macros are spared the instrumentation.
        .args(["--target", &host()?])
        .env("RUSTFLAGS", COVERAGE);
    must(&mut build)?;
    let program = target.join(host()?).join("debug/fuzz");
    for name in names(options)? {
        decode(&program, &target, &name, options.seconds)?;
    }
    Ok(())
}

fn decode(program: &Path, target: &Path, name: &str, seconds: u64) -> Result<()> {
    println!("\n== {name}");
    let (found, kept) = (target.join("found").join(name), corpus().join(name));
    std::fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
    let mut fuzz = Command::new(program);
    fuzz.env("CREDITBANK_FUZZ", name)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={BYTES_MAX}"))
        .args(["-timeout=10", "-print_final_stats=1", "-verbosity=0"])
        .arg(format!("-artifact_prefix={}/", kept.display()))
        .args([&found, &kept]);
    must(&mut fuzz).with_context(|| {
        format!("{name} is broken by the newest input in tests/fuzz/corpus/{name}; keep it there")
    })
}

fn names(options: &Options) -> Result<Vec<String>> {
    if !options.names.is_empty() {
        return Ok(options.names.clone());
    }
    let mut names = Vec::new();
    for entry in corpus().read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

fn corpus() -> std::path::PathBuf {
    machine::root().join("tests/fuzz/corpus")
}

fn host() -> Result<String> {
    let told = crate::step::output(Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names its host")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seconds_are_read_in_any_order() {
        let options = Options::parse(&["note", "--seconds", "5", "leaf"]).unwrap();
        let wanted = Options {
            names: vec!["note".to_owned(), "leaf".to_owned()],
            seconds: 5,
        };
        assert_eq!(options, wanted);
        assert!(Options::parse(&["--seconds"]).is_err());
    }
}
