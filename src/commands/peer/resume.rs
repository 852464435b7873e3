//! Dealing again with a peer that was stopped.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_ledger::open_stopped;
use creditbank_store::PeerRow;

use crate::config::Folder;

/// Deal again with a peer that has signed two histories, once both operators have settled which one holds.
#[derive(clap::Args)]
#[command(after_help = "\
The bank must not be running. The evidence is printed and then forgotten: keep it. What was cosigned
stays: only a log that continues that history is cosigned again.

Example:
  creditbank peer resume bank jiangsu > jiangsu-fork.json")]
pub(super) struct Resume {
    /// This bank's folder.
    dir: PathBuf,
    /// The peer's id.
    id: String,
}

impl Resume {
    pub(super) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let options = folder.options(&folder.settings()?, None)?;
        let peer = options.peers.iter().find(|peer| peer.id == self.id);
        let origin = peer.and_then(|peer| peer.log_keys.first());
        let origin = origin.with_context(|| format!("bank.toml pins no peer {:?}", self.id))?;
        let store = open_stopped(&options)?;
        let (row, origin) = (PeerRow::Evidence, origin.name());
        let evidence = store.peer_row(row, origin)?;
        let evidence = evidence.with_context(|| format!("peer {} is not stopped", self.id))?;
        println!("{}", String::from_utf8_lossy(&evidence));
        store.remove_peer_row(row, origin)?;
        store.close()?;
        Ok(ExitCode::SUCCESS)
    }
}
