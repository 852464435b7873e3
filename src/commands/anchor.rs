//! `creditbank anchor`: the anchor of a bank that has lost it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use creditbank_ledger::peers::guard::{self, PeerCosigned};
use creditbank_ledger::restore::anchor_anew;

use crate::config::Folder;
use crate::connection::block_on;
use crate::mirror::PublicLog;

/// Make the anchor of a stopped bank anew, where the file is lost and the database is not.
#[derive(clap::Args)]
#[command(after_help = "\
The anchor says how far the bank has signed its log; without it a bank does not start. If the disk that held it is gone, others
know it too: the log is held against what every reachable peer has cosigned, and against the checkpoint of each copy of the public
log that is named: what `creditbank mirror` keeps, or a URL. Name the newest there is: what was acknowledged after it is not
looked for. A log that falls short is not anchored; restore it instead. Where the file is damaged, move it away first.

Exit code 0: the anchor is made; 2: it is not.

Examples:
  creditbank anchor bank --mirror /mnt/mirror/bank
  creditbank anchor bank --mirror https://mirror.example --mirror /mnt/mirror/bank
  creditbank check bank")]
pub(crate) struct Anchor {
    /// The bank's folder.
    dir: PathBuf,
    /// A copy of the public log, a directory or a URL.
    #[arg(long, value_name = "DIR|URL")]
    mirror: Vec<String>,
}

impl Anchor {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let (options, keys) = (folder.options(&folder.settings()?, None)?, folder.keys()?);
        let path = options.anchor.display().to_string();
        ensure!(!options.anchor.exists(), "{path} is there");
        let known = folder.log_keys()?;
        let shown = block_on(async {
            let mut shown = guard::gather(&options.peers, keys.log.name()).await;
            for place in &self.mirror {
                let note = PublicLog::open(place, None)?.checkpoint().await?;
                let opened = known.open(&note);
                opened.with_context(|| format!("the checkpoint at {place} is not of this bank"))?;
                let peer = place.clone();
                shown.push(PeerCosigned { peer, note });
            }
            anyhow::Ok(shown)
        })?;
        ensure!(
            !shown.is_empty(),
            "nobody says how far this log went: name a copy of it with --mirror, the newest there is"
        );
        let size = anchor_anew(&options, &keys, &shown)?;
        println!("leaves          {size}");
        println!("held against    {} checkpoints of others", shown.len());
        println!("anchor          {path}");
        println!("next: creditbank check {}", self.dir.display());
        Ok(ExitCode::SUCCESS)
    }
}
