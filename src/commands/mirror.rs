//! `creditbank mirror`: a copy of a public log.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::connection::{block_on, read, read_log_keys};
use crate::mirror::{PublicLog, mirror};

/// Keep a copy of a bank's public log, as files that any web server serves.
#[derive(clap::Args)]
#[command(after_help = "\
The copy is C2SP tlog-tiles, as the bank serves it: checkpoint, tiles and entries. Each run fetches what is new, hashes
every leaf, and holds the root against the bank's signed checkpoint before it is written. Anybody may keep one: an auditor,
a peer bank, or the bank itself off its machine, from a timer. If the bank loses its disk, `creditbank restore --mirror` puts
back from it what was signed since the last backup. A bank that shows another history than its copy is refused, and the copy
is what proves it.

Examples:
  creditbank mirror https://sh.example /srv/mirror/sh --bank sh.pub
  creditbank mirror http://127.0.0.1:7301 /mnt/mirror/bank --bank bank/bank.pub")]
pub(crate) struct Mirror {
    /// URL of the public log, or a directory that is a copy of it.
    from: String,
    /// The folder of the copy; made if it is not there.
    dir: PathBuf,
    /// The public keys of the bank's log (bank.pub).
    #[arg(long, env = "CREDITBANK_BANK", value_name = "FILE")]
    bank: PathBuf,
    /// Certificate authority that vouches for an https address, as PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Mirror {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let ca = self.ca.as_deref().map(read).transpose()?;
        let (log, keys) = (
            PublicLog::open(&self.from, ca.as_deref())?,
            read_log_keys(&self.bank)?,
        );
        let mirrored = block_on(mirror(&log, &keys, &self.dir))?;
        println!("leaves          {}", mirrored.size);
        println!("new             {}", mirrored.new);
        Ok(ExitCode::SUCCESS)
    }
}
