//! `creditbank rehearse`: a difference, made on purpose.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_domain::reconcile::Class;
use creditbank_domain::transfer::{Side, TransferId};
use creditbank_ledger::open_stopped;
use creditbank_ledger::rehearse::rehearse;
use serde_json::json;

use crate::config::Folder;
use crate::print;

/// For rehearsals of reconciliation only: make a stopped bank differ from what its log says, in one transfer.
#[derive(clap::Args)]
#[command(after_help = "\
Changes rows of views and nothing else: the log stays as it is, `creditbank check` finds the change, and
`creditbank rebuild` undoes it. The bank must not be running.
The classes two-receivers and revoked are differences that both banks know alike: rehearse them at both,
for the same transfer.

Example:
  creditbank rehearse bank --peer jiangsu --difference amount")]
pub(crate) struct Rehearse {
    /// The bank's folder.
    dir: PathBuf,
    /// The peer bank's id.
    #[arg(long, value_name = "ID")]
    peer: String,
    /// origin-only, receiver-only, amount, version, state, two-receivers or revoked, as reports name it.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    difference: Class,
    /// Which transfer; the first that is suitable, if not given.
    #[arg(long, value_name = "ID", value_parser = id)]
    transfer: Option<TransferId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Rehearse {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let options = folder.options(&folder.settings()?, None)?;
        let store = open_stopped(&options)?;
        let done = rehearse(&store, &self.peer, self.difference, self.transfer);
        store.close()?;
        let done = done?;
        let (id, class) = (done.id.to_string(), self.difference.code());
        let side = match done.side {
            Side::Origin => "origin",
            Side::Receiver => "receiver",
        };
        if self.json {
            print::json(&json!({ "transfer": id, "side": side, "difference": class }));
        } else {
            print::out(&format!(
                "{id}  {class}: this bank, its {side}, now differs from its log"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn class(text: &str) -> Result<Class, String> {
    let mut all = Class::ALL.iter();
    let found = all.find(|class| class.code() == text);
    found
        .copied()
        .ok_or_else(|| "no such class of differences".into())
}

fn id(text: &str) -> Result<TransferId, String> {
    TransferId::parse(text).map_err(|_| "no id of a transfer".into())
}
