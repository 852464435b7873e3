//! `cargo xtask bench`: measures this machine, then the bank against it, then PostgreSQL beside it.
//!
//! Rates of a shared machine say little; the ratio of two rates of one run says a lot. So every result is held against
//! a limit of the same run: what the processor verifies, empty calls cost, the disk syncs. The server is a process apart.
//!
//! It speaks gRPC through the SDK and runs the program; only `rules/`, `reconcile.rs` and `statistics.rs` call the bank's
//! own crates.
#![allow(
    clippy::float_arithmetic,
    reason = "rates and ratios of a report; nothing is decided by them"
)]

mod bank;
mod clock;
mod disk;
mod empty;
mod gateway;
mod import;
mod limits;
mod load;
mod machine;
mod options;
mod peers;
mod process;
mod read;
mod reconcile;
mod records;
mod report;
mod restart;
mod rules;
mod soak;
mod statistics;
mod submit;

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::bank::Bank;
use crate::options::{Mode, Options};
use crate::report::{Entry, Report};

/// As in the program: what is measured in this process is to cost what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match options::parse(&arguments) {
        Ok(Mode::Help) => {
            print!("{}", options::HELP);
            Ok(true)
        }
        Ok(Mode::EmptyServer) => {
            runtime().and_then(|it| it.block_on(empty::serve()).map(|()| true))
        }
        Ok(Mode::Bench(options)) => bench(&options),
        Err(error) => Err(error),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.context("no asynchronous runtime")
}

/// Runs everything that was asked for; false if a target was missed.
fn bench(options: &Options) -> Result<bool> {
    let (mut report, runtime) = (Report::start(options), runtime()?);
    limits::measure(options, &mut report)?;
    runtime.block_on(limits::empty_calls(options, &mut report))?;
    rules::measure(options, &mut report)?;
    reconcile::measure(options, &mut report)?;
    if options.wants_any(&["submit"]) || options.wants_any(&options::OF_A_FULL_BANK) {
        runtime.block_on(main_bank(options, &mut report))?;
    }
    if options.wants("import_csv") {
        runtime.block_on(import::measure(options, &mut report))?;
    }
    runtime.block_on(soak::measure(options, &mut report))?;
    if options.peers {
        runtime.block_on(peers::measure(options, &mut report))?;
    }
    report.write()?;
    print!("\n{}", report.table());
    Ok(report.all_passed())
}

/// One bank, from empty to the full number of records.
async fn main_bank(options: &Options, report: &mut Report) -> Result<()> {
    let mut bank = Bank::start(options.records_in_all()).await?;
    let small = options.records_small();
    bank.fill(small).await?;
    let at_small = read::measure(options, &mut bank, report, "small").await?;
    submit::measure(options, &mut bank, report).await?;
    if options.wants_any(&options::OF_A_FULL_BANK) {
        if let Some((records, rate)) = bank.fill(options.records).await? {
            let note = format!("{records} records in batches of 1,000, on and on");
            report.add(Entry::new("fill", rate, "records/s").note(&note));
        }
        report.add(bank.memory()?);
        bank.settle().await;
        let at_large = read::measure(options, &mut bank, report, "large").await?;
        read::compare(report, &at_small, &at_large, (small, bank.deposited()));
        gateway::measure(options, &bank, report).await?;
    }
    restart::measure(options, &mut bank, report).await?;
    statistics::measure(options, &mut bank, report)?;
    disk::measure(options, &mut bank, report)
}
