//! `creditbank`: the ledger of a credit bank (学分银行). One program for the bank, its institutions and its verifiers.

/// Prints, and goes on where nobody reads any more: what a command does, and how it ends, is no matter of who reads it.
macro_rules! print {
    ($($text:tt)*) => { $crate::print::tell(format_args!($($text)*)) };
}

/// Prints a line, as `print!` does.
macro_rules! println {
    ($($text:tt)*) => { print!("{}\n", format_args!($($text)*)) };
}

/// Says something on stderr, and goes on where nobody hears it.
macro_rules! eprint {
    ($($text:tt)*) => { $crate::print::say(format_args!($($text)*)) };
}

/// Says a line, as `eprint!` does.
macro_rules! eprintln {
    () => { eprint!("\n") };
    ($($text:tt)*) => { eprint!("{}\n", format_args!($($text)*)) };
}

mod admin;
mod backup;
mod certificate;
mod clock;
mod commands;
mod config;
mod connection;
mod doctor;
#[cfg(test)]
mod fuzz;
mod gateway_config;
mod import;
mod logging;
mod mapping;
mod mirror;
mod notify;
mod peer_card;
mod print;
mod process;
mod public_keys;
mod recognition;
mod reload;
mod rotation;
mod rule_documents;
mod sample;
mod settings;
mod stop;
mod table;
mod traces;

use std::process::ExitCode;

use clap::Parser;

/// Small allocations of many threads are what the server does all day.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The ledger of a credit bank: institutions deposit signed learning outcomes, every record is proved.
#[derive(Parser)]
#[command(version, max_term_width = 110)]
#[command(after_help = "\
Results go to stdout, progress and messages to stderr. Exit codes: 0 done; 1 a finding, refused
rows, or a refusal of the bank; 2 wrong usage or an unusable file; 3 the bank could not be
reached.

An institution begins with `creditbank keygen --help` and `creditbank import --help`, an
operator with `creditbank init --help`, whoever holds a receipt with `creditbank verify --help`.")]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    // Two providers are compiled in, by libraries; rustls wants one to be chosen before it is used.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let command = Arguments::parse().command;
    let begun = if command.serves() {
        // It knows settings of the log, and begins it.
        Ok(())
    } else {
        logging::start_command().map(drop)
    };
    let ended = begun
        .and_then(|()| command.run())
        .unwrap_or_else(|error| connection::fail(&error));
    traces::finish();
    ended
}
