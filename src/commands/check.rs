//! `creditbank check`: derive everything again.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_ledger::check::{Progress, Report, check};
use creditbank_store::Store;

use crate::config::Folder;

/// Derive everything in a bank's database again and report what does not agree.
#[derive(clap::Args)]
#[command(after_help = "\
Reads every row that is stored; checks every leaf, batch signature, tree node, checkpoint, payload commitment, view row and
way to a learner, and evaluates every decision again from the published rule sets. Points of all learners must fold, and
their sum be zero. The bank must not be running. Progress goes to stderr, the report to stdout. Exit code 0: everything
agrees; 1: it does not.

Examples:
  creditbank check bank
  creditbank check bank --json > report.json")]
pub(crate) struct Check {
    /// The bank's folder.
    dir: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// No progress on stderr.
    #[arg(long)]
    quiet: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let settings = folder.settings()?;
        let options = folder.options(&settings, None)?;
        let store = Store::open_read_only(&options.directory, &options.store)?;
        let key = folder.key_encryption()?;
        let show = !self.quiet && std::io::stderr().is_terminal();
        let report = check(&store, &options.anchor, key.as_ref(), |progress| {
            if show {
                tell(progress);
            }
        })?;
        if show {
            eprintln!();
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print(&report);
        }
        Ok(if report.findings.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn tell(progress: Progress) {
    if progress.done.is_multiple_of(4096) || progress.done == progress.total {
        eprint!(
            "\r{:<9} {:>12} / {}",
            progress.part, progress.done, progress.total
        );
        drop(std::io::stderr().flush());
    }
}

fn print(report: &Report) {
    println!("leaves          {}", report.leaves);
    println!("root            {}", report.root);
    println!("signatures      {}", report.signatures);
    if report.payloads_checked {
        println!("payloads        {}", report.payloads);
    } else {
        println!("payloads        not opened: secrets/key-encryption.key is not here");
    }
    println!("entries         {}", report.entries);
    println!("erased          {}", report.erased);
    println!("rows of views   {}", report.view_rows);
    match (report.payloads_checked, report.decisions_gone) {
        (false, _) => {}
        (true, 0) => println!("decisions       {}", report.decisions),
        (true, gone) => println!(
            "decisions       {}, {gone} of them of erased learners",
            report.decisions
        ),
    }
    if report.payloads_checked {
        println!("points          {}", report.points);
    }
    for finding in &report.findings {
        let leaf = finding
            .leaf
            .map(|leaf| format!(" leaf {leaf}"))
            .unwrap_or_default();
        println!("FINDING {}{leaf}: {}", finding.part, finding.what);
    }
    match (report.findings.len() as u64) + report.findings_left_out {
        0 => println!("everything agrees"),
        count => println!("{count} findings"),
    }
}
