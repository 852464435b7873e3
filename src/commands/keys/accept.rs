//! From a `bank.pub` that somebody has to a newer one.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::receipt::follow;

use crate::config::put;
use crate::connection::read_log_keys;

/// Take over a newer bank.pub, if the keys that are known announce every new one.
#[derive(clap::Args)]
#[command(after_help = "\
A bank announces each key of its log in the log, under the key before; its bank.pub carries the proof,
so nobody has to be asked. Exit code 1: nothing leads to the new keys, and the known file is left as
it was. Then the key was replaced after a theft, or the file is not the bank's: call its operator.

Example:
  creditbank keys accept downloaded.pub --bank bank.pub")]
pub(super) struct Accept {
    /// The newer file, from wherever it comes.
    newer: PathBuf,
    /// The known file; it is replaced.
    #[arg(long, env = "CREDITBANK_BANK", value_name = "FILE")]
    bank: PathBuf,
}

impl Accept {
    pub(super) fn run(self) -> Result<ExitCode> {
        let (known, shown) = (read_log_keys(&self.bank)?, read_log_keys(&self.newer)?);
        let followed = match follow(&known, &shown) {
            Ok(followed) => followed,
            Err(refused) => {
                eprintln!("creditbank: {refused}");
                return Ok(ExitCode::FAILURE);
            }
        };
        put(&self.bank, followed.to_string().as_bytes(), 0o644)?;
        for key in followed.all() {
            let is_new = known.find(&key.key).is_none();
            let state = match (&key.sizes, is_new) {
                (None, _) => "withdrawn",
                (Some(_), true) => "new, announced by the log",
                (Some(sizes), false) if *sizes.end() < u64::MAX => "known, replaced",
                (Some(_), false) => "known",
            };
            println!("{}  {state}", key.key);
        }
        Ok(ExitCode::SUCCESS)
    }
}
