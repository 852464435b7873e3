//! `creditbank`: the ledger of a credit bank (学分银行). One program for the bank, its institutions and its verifiers.

mod commands;
mod config;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Small allocations of many threads are what the server does all day.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The ledger of a credit bank: institutions deposit signed learning outcomes, every record is proved.
#[derive(Parser)]
#[command(version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("CREDITBANK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    Arguments::parse().command.run().unwrap_or_else(|error| {
        eprintln!("creditbank: {error:#}");
        ExitCode::from(3)
    })
}
