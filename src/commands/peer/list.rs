//! What is known of the peers of a running bank.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use creditbank_ledger::peers::http::Line;
use serde::{Deserialize, Serialize};

use crate::config::Folder;
use crate::connection::block_on;
use crate::print;

/// How long the bank may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Print the peers of a running bank: the sizes that were cosigned both ways, and whether it deals with them.
#[derive(clap::Args)]
#[command(after_help = "\
COSIGNED is how many leaves of the peer's log this bank has cosigned, BY IT how many of this bank's
log the peer has. A peer that is stopped has signed two histories; the proof is under
/evidence?origin=ORIGIN of the public log. Exit code 1 if any is stopped.

Example:
  creditbank peer list bank")]
pub(super) struct List {
    /// This bank's folder.
    dir: PathBuf,
    /// Where its public log is; by its settings, if not given.
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    origin: String,
    cosigned: Option<u64>,
    cosigned_by: Option<u64>,
    stopped: bool,
}

impl List {
    pub(super) fn run(self) -> Result<ExitCode> {
        let settings = Folder::new(&self.dir).settings()?;
        let url = self
            .http
            .unwrap_or_else(|| format!("http://{}", settings.http));
        let line = Line::new(&url, None)?;
        let answer = block_on(async { Ok(line.get("/peers", ANSWER_WITHIN).await) })?;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                eprintln!("creditbank: the bank at {url}: {error}");
                return Ok(ExitCode::from(3));
            }
        };
        let rows: Vec<Row> = serde_json::from_slice(&answer.body)
            .with_context(|| format!("{url} is not the public log of a bank"))?;
        if self.json {
            print::json(&serde_json::to_value(&rows)?);
        } else {
            show(&rows);
        }
        let stopped = rows.iter().any(|row| row.stopped);
        Ok(ExitCode::from(u8::from(stopped)))
    }
}

fn show(rows: &[Row]) {
    let row = |row: &Row| {
        [
            row.id.clone(),
            row.origin.clone(),
            print::or_dash(row.cosigned),
            print::or_dash(row.cosigned_by),
            if row.stopped { "stopped" } else { "dealt with" }.to_owned(),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    print::table(["PEER", "LOG", "COSIGNED", "BY IT", "STATE"], &rows);
}
