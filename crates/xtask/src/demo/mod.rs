//! The demo: a bank in a temporary folder, real results imported, every receipt verified offline, and four learners
//! who apply for recognition and are decided. With `--delta`, four banks ([`delta`]).
//!
//! It does what an operator and its partner institutions would do, with the same commands, and
//! prints each of them.

mod bank;
mod delta;
mod gateway;
mod printed;
mod recognition;
mod results;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::{self, Steps};
use crate::{cargo, machine, setup};
use bank::Bank;
use gateway::Gateway;
use results::Results;

/// Rows made up where no file is given.
const ROWS_DEFAULT: u64 = 20_000;

/// How to run the demo.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    data: Option<PathBuf>,
    rows: u64,
    exit: bool,
    /// Four banks instead of one.
    delta: bool,
}

impl Options {
    /// Reads `[--data FILE] [--rows N] [--exit]` or `--delta [--exit]`.
    pub(crate) fn parse(mut flags: &[&str]) -> Result<Self> {
        let mut options = Self {
            data: None,
            rows: ROWS_DEFAULT,
            exit: false,
            delta: false,
        };
        let is_delta = flags.contains(&"--delta");
        while let [first, rest @ ..] = flags {
            flags = match (*first, rest) {
                ("--exit", rest) => {
                    options.exit = true;
                    rest
                }
                ("--delta", rest) => {
                    options.delta = true;
                    rest
                }
                (flag, _) if is_delta => bail!("demo --delta has no flag {flag}"),
                ("--data", [file, rest @ ..]) => {
                    options.data = Some(std::path::absolute(file)?);
                    rest
                }
                ("--rows", [rows, rest @ ..]) => {
                    options.rows = rows.parse().context("--rows takes a number")?;
                    rest
                }
                (other, _) => bail!("demo has no such flag, or its value is absent: {other}"),
            };
        }
        Ok(options)
    }
}

/// Builds, starts the bank, imports, verifies, recognises; leaves it running unless told otherwise.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.delta {
        return delta::run(options.exit);
    }
    // Read before the long build, so that a wrong file is told at once.
    let results = match &options.data {
        Some(file) => Results::read(file)?,
        None => Results::Sample { rows: options.rows },
    };
    let mut steps = Steps::start();
    steps.step("set-up", setup::build)?;
    steps.step("build", || step::run(&mut cargo::programs()))?;
    let folder = temporary()?;
    let bank = steps.step("start a bank", || Bank::start(&folder))?;
    deposit(&mut steps, &bank, &results, &folder)?;
    let learner = results.learner(&folder)?;
    let decided = recognition::run(&mut steps, &bank, learner, &folder)?;
    let gateway = steps.step("start the gateway", || Gateway::start(&bank, &folder))?;
    steps.finish();
    println!();
    decided.print();
    println!("\n网页 / pages:\n");
    for (name, code) in decided.learners() {
        println!("  {}  {name}", gateway.sign_in(code));
    }
    println!("  {}  核验凭证 / verify a record", gateway.verify());
    if options.exit {
        gateway.stop()?;
        return bank.stop(|bank| bank.run("recompute bank --quiet"));
    }
    println!("\nThe bank is running. Try next, in another terminal:\n");
    let path = binary();
    let path = path.parent().unwrap_or(Path::new("/"));
    println!("  cd {}", folder.display());
    println!("  export PATH={}:$PATH", path.display());
    println!("  {}", bank.export());
    for command in decided.next() {
        println!("  creditbank {command}");
    }
    println!("\nCtrl-C ends it and removes the folder.");
    bank.wait()
}

/// What the operator and its institutions do with a file of results.
fn deposit(steps: &mut Steps, bank: &Bank, results: &Results, folder: &Path) -> Result<()> {
    let (institutions, rows) = (results.institutions(), results.rows());
    steps.step("prepare the files", || {
        results.write(folder)?;
        match results {
            Results::Scores(_) => Ok(()),
            Results::Sample { rows } => bank.run(&format!("{SAMPLE} --rows {rows}")),
        }
    })?;
    println!("{}", results.describe());
    let elapsed = steps.step("register the institutions", || timed(|| bank.run(REGISTER)))?;
    println!(
        "{institutions} registered with their keys, {} a second",
        rate(institutions, elapsed)
    );
    let mapping = match results {
        Results::Scores(_) => " --mapping mapping.toml",
        Results::Sample { .. } => "",
    };
    let import = format!("import results.csv{mapping} --keys keys --receipts receipts.bin");
    let elapsed = steps.step("enrol the learners and import their results", || {
        timed(|| bank.run(&import))
    })?;
    println!(
        "{rows} acknowledged durably, {} a second",
        rate(rows, elapsed)
    );
    steps.step("verify one receipt offline", || {
        bank.run("receipt 0 --output receipt.txt")?;
        bank.run("verify receipt.txt")
    })?;
    let elapsed = steps.step("verify every receipt offline", || {
        timed(|| bank.run("verify receipts.bin"))
    })?;
    println!("{rows} receipts verified, {} a second", rate(rows, elapsed));
    Ok(())
}

// Files are relative to the folder of the demo.
const SAMPLE: &str =
    "sample --category degree-course --institution college-1 --seed 1 --output results.csv";
const REGISTER: &str =
    "institution register --file institutions.csv --keys keys --key bank/operator.key";

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// A fresh folder that nothing else uses.
fn temporary() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("creditbank-demo-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// The binary that was built.
fn binary() -> PathBuf {
    machine::target().join("debug/creditbank")
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = step::now();
    work()?;
    Ok(started.elapsed())
}

/// How many a second, rounded down.
fn rate(count: u64, elapsed: Duration) -> u128 {
    u128::from(count) * 1000 / elapsed.as_millis().max(1)
}

/// A call of the bank's binary in the demo's folder.
fn call(folder: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(folder).args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_wrong_ones_refused() {
        let read = |flags: &[&str]| Options::parse(flags);
        assert_eq!(
            read(&[]).unwrap(),
            Options {
                data: None,
                rows: ROWS_DEFAULT,
                exit: false,
                delta: false
            }
        );
        let all = read(&["--data", "/a.csv", "--rows", "7", "--exit"]).unwrap();
        assert_eq!(
            all,
            Options {
                data: Some("/a.csv".into()),
                rows: 7,
                exit: true,
                delta: false
            }
        );
        let delta = read(&["--exit", "--delta"]).unwrap();
        assert!(delta.delta && delta.exit);
        for wrong in [
            &["--data"][..],
            &["--rows", "x"],
            &["--quick"],
            &["--delta", "--rows", "7"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn rates_are_whole_numbers_a_second() {
        assert_eq!(rate(31_022, Duration::from_millis(500)), 62_044);
        assert_eq!(rate(5, Duration::ZERO), 5_000);
    }
}
