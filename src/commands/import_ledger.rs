//! `creditbank import-ledger`: an exported ledger into an empty database.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_ledger::BankKeys;
use creditbank_ledger::check::check;
use creditbank_ledger::export::import;
use creditbank_ledger::peers::guard;
use creditbank_ledger::restore::{Restored, Returned, anchor};
use creditbank_store::Store;

use crate::backup::Beside;
use crate::config::Folder;
use crate::connection::block_on;

/// Make a bank's database out of an exported ledger.
#[derive(clap::Args)]
#[command(after_help = "\
DIR holds bank.toml and secrets of the bank that was exported, and no database. Two secrets may be new ones: seal.key must be
the one that the file was sealed for, and learners' keys are wrapped under this folder's key-encryption.key. Every leaf is
hashed again, and tree, views, payloads and decisions are derived from nothing else; the log must be the one that the bank has
signed for the export, and contain what anchor and peers say. DIR/db appears in the end, whole, or not at all.

Example:
  creditbank import-ledger bank.ledger bank-2")]
pub(crate) struct ImportLedger {
    /// The file that `creditbank export` wrote.
    file: PathBuf,
    /// The bank's folder.
    dir: PathBuf,
}

impl ImportLedger {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let settings = folder.settings()?;
        let options = folder.options(&settings, None)?;
        let place = options.directory.clone();
        let beside = Beside::new(&place)?;
        let keys = folder.keys()?;
        let cosigned =
            block_on(async { Ok(guard::gather(&options.peers, keys.log.name()).await) })?;
        let note = self.brought(&folder, &beside, &keys)?;
        let mut options = options;
        options.directory = beside.path().to_owned();
        let anchor_path = options.anchor.clone();
        let returned = Returned::open(options, keys, &note)?;
        let log = returned.finish(&cosigned)?;
        let view_rows = derived(&folder, &beside, &log)?;
        beside.settle(&place, &anchor_path, &log)?;
        println!("leaves          {}", log.size);
        println!("root            {}", log.root);
        println!("rows of views   {view_rows}");
        println!("everything agrees");
        Ok(ExitCode::SUCCESS)
    }

    /// Brings all rows into the folder beside.
    fn brought(&self, folder: &Folder, beside: &Beside, keys: &BankKeys) -> Result<String> {
        let receiver = keys.seal.as_ref().context("secrets/seal.key is not here")?;
        let file = File::open(&self.file).with_context(|| self.file.display().to_string())?;
        let mut options = folder.options(&folder.settings()?, None)?;
        options.directory = beside.path().to_owned();
        let imported = import(&options, keys, receiver, BufReader::new(file));
        imported.with_context(|| self.file.display().to_string())
    }
}

/// Derives everything again before it gets its place.
fn derived(folder: &Folder, beside: &Beside, log: &Restored) -> Result<u64> {
    let own_anchor = beside.path().join("anchor");
    anchor(&own_anchor, log)?;
    let options = folder.options(&folder.settings()?, None)?;
    let store = Store::open_read_only(beside.path(), &options.store)?;
    let report = check(
        &store,
        &own_anchor,
        folder.key_encryption()?.as_ref(),
        |_| (),
    )?;
    fs::remove_file(&own_anchor)?;
    if let Some(found) = report.findings.first() {
        bail!(
            "{}: {}, and {} more findings",
            found.part,
            found.what,
            report.findings.len() - 1
        );
    }
    ensure!(report.payloads_checked, "no payload was opened");
    Ok(report.view_rows)
}
