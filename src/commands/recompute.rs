//! `creditbank recompute`: evaluate every decision again.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_ledger::check::decisions;
use creditbank_ledger::recognition::recompute::Recomputed;
use creditbank_store::Store;

use crate::config::Folder;

/// Evaluate every decision of a bank again, from the published rule sets and the records it names.
#[derive(clap::Args)]
#[command(after_help = "\
重算全部认定决定：凭已公布的规则集和决定所列的成果重新评定，结果须与原决定逐分一致。
Whoever has the log, the vault and its key gets the same hundredth of a credit, years later. The bank must not be
running; nothing is written. `creditbank check` does this too, among all else.

Exit code 0: every decision comes out as it was recorded; 1: one does not.

Examples:
  creditbank recompute bank
  creditbank recompute bank --json > decisions.json")]
pub(crate) struct Recompute {
    /// The bank's folder.
    dir: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// No progress on stderr.
    #[arg(long)]
    quiet: bool,
}

impl Recompute {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let options = folder.options(&folder.settings()?, None)?;
        let key = folder.key_encryption()?;
        let key =
            key.context("decisions are sealed, and secrets/key-encryption.key is not here")?;
        let store = Store::open_read_only(&options.directory, &options.store)?;
        let show = !self.quiet && std::io::stderr().is_terminal();
        let recomputed = decisions(&store, &key, |done| {
            if show && done.is_multiple_of(256) {
                eprint!("\rdecisions {done:>12}");
                drop(std::io::stderr().flush());
            }
        })?;
        if show {
            eprintln!();
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&recomputed)?);
        } else {
            print(&recomputed);
        }
        Ok(if recomputed.differences.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn print(recomputed: &Recomputed) {
    // A notice is what is going to be decided, and is computed like a decision.
    println!("decisions, notices  {}", recomputed.decisions);
    println!("equal lines         {}", recomputed.lines);
    println!("of erased           {}", recomputed.gone);
    for (leaf, what) in &recomputed.differences {
        println!("DIFFERENCE leaf {leaf}: {what}");
    }
    match recomputed.differences.len() {
        0 => println!("every decision comes out as it was recorded"),
        count => println!("{count} differences"),
    }
}
