//! `creditbank export`: the whole ledger in one sealed file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_ledger::export::export;

use crate::config::Folder;
use crate::print::from_hex;

/// Write the whole ledger of a stopped bank into one file, sealed for one receiver.
#[derive(clap::Args)]
#[command(after_help = "\
Log, vault, learners and what lies beside them, sealed by HPKE; only the holder of the receiver's key opens it. It depends on
no engine and on no key-encryption key: learners' keys move under that of the receiving folder. The receiver's public key is
the line `seal` of its card (`creditbank peer card`), or DIR's own, if none is given. The public log alone, for any web server:
`creditbank mirror`.

Example:
  creditbank export bank bank.ledger
  creditbank import-ledger bank.ledger bank-2      (bank-2 holds bank.toml and secrets, and no database)")]
pub(crate) struct Export {
    /// The bank's folder.
    dir: PathBuf,
    /// The file to write; never over another.
    file: PathBuf,
    /// Public key of the receiver, 64 hexadecimal digits.
    #[arg(long = "for", value_name = "HEX")]
    receiver: Option<String>,
}

impl Export {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let (options, keys) = (folder.options(&folder.settings()?, None)?, folder.keys()?);
        let receiver: [u8; 32] = match (&self.receiver, &keys.seal) {
            (Some(text), _) => from_hex(text)
                .and_then(|bytes| bytes.try_into().ok())
                .context("--for takes 64 hexadecimal digits")?,
            (None, Some(own)) => *own.public(),
            (None, None) => {
                anyhow::bail!("secrets/seal.key is not here; name a receiver with --for")
            }
        };
        let failed = || format!("cannot write {}", self.file.display());
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file);
        let mut out = BufWriter::new(file.with_context(failed)?);
        let size = export(&options, &keys, &receiver, &mut out);
        let size = size.inspect_err(|_| drop(std::fs::remove_file(&self.file)))?;
        out.flush().with_context(failed)?;
        out.get_ref().sync_all().with_context(failed)?;
        println!("leaves          {size}");
        Ok(ExitCode::SUCCESS)
    }
}
