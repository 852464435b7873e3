//! `creditbank doctor`: is everything around the bank as it should be?

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::clock;
use crate::config::Folder;
use crate::connection::block_on;
use crate::doctor::{Line, State, examine};

/// Look at everything around a bank that an operator looks after, and say what to do.
#[derive(clap::Args)]
#[command(after_help = "\
Looks at settings, permissions, keys, certificate, disks, the last backup, format and log of the database, anchor, clock and
peers. Nothing is changed, and the bank may be running; run it as the bank's user. It asks the peers for at most three
seconds. To derive every leaf again is the work of `creditbank check`.

Exit code 0: all is well; 1: there is a finding.

Examples:
  creditbank doctor bank
  creditbank doctor bank --format json")]
pub(crate) struct Doctor {
    /// The bank's folder.
    dir: PathBuf,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Doctor {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let lines = block_on(async { Ok(examine(&folder, clock::seconds()).await) })?;
        let findings = lines.iter().filter(|it| it.state == State::Finding).count();
        match self.format {
            Format::Text => print(&lines, findings),
            Format::Json => crate::print::json(&serde_json::json!({
                "checks": lines,
                "findings": findings,
            })),
        }
        Ok(if findings == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn print(lines: &[Line], findings: usize) {
    for line in lines {
        let state = match line.state {
            State::Good => "good",
            State::Finding => "FINDING",
            State::NotChecked => "not checked",
        };
        println!("{state:<12} {:<15} {}", line.check, line.says);
        if !line.todo.is_empty() {
            println!("{:<28} → {}", "", line.todo);
        }
    }
    match findings {
        0 => println!("all is well"),
        count => println!("{count} findings"),
    }
}
