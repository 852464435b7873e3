//! `creditbank rebuild`: fold the views again.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_ledger::rebuild::rebuild;
use creditbank_ledger::{open_stopped, statistics};

use crate::config::Folder;

/// Drop the views and figures of a bank's database and fold them again from log and vault.
#[derive(clap::Args)]
#[command(after_help = "\
Needed only when `creditbank check` found rows of views that differ. The bank must not be running. The same log gives
the same bytes; if it is interrupted, run it again.")]
pub(crate) struct Rebuild {
    /// The bank's folder.
    dir: PathBuf,
}

impl Rebuild {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let options = folder.options(&folder.settings()?, None)?;
        let store = open_stopped(&options)?;
        let mut folded = 0;
        rebuild(&store, |leaves| folded = leaves)?;
        println!("views folded again from {folded} leaves");
        match folder.key_encryption()? {
            Some(key) => {
                statistics::rebuild(&store, &key)?;
                println!("statistics folded again");
            }
            None => println!("statistics are as they were: secrets/key-encryption.key is not here"),
        }
        store.close()?;
        Ok(ExitCode::SUCCESS)
    }
}
