//! `creditbank init`: a new bank.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_ledger::Bank;

use crate::config::{Folder, Settings};

/// Make a new bank: keys, settings and an empty log.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  creditbank init bank --origin sh.creditbank.example/log --region 31

The origin is the log's name for ever: it stands in every checkpoint and every signature. Give DIR/bank.pub to
everybody who verifies; keep DIR/secrets and DIR/operator.key to yourself, with a copy off this machine: without
secrets/key-encryption.key no payload can ever be opened again. Where it was cut off, run it again: it begins anew.")]
pub(crate) struct Init {
    /// Folder to make.
    dir: PathBuf,
    /// Name of the log: a host name with a path, no spaces and no plus sign.
    #[arg(long)]
    origin: String,
    /// The province that this is the bank of, two digits: 31 上海, 32 江苏, 33 浙江, 34 安徽. Needed for transfers
    /// between banks.
    #[arg(long, value_name = "DIGITS")]
    region: Option<String>,
    /// Take identity numbers of unassigned regions (3199…, 3299…), as `creditbank sample` writes them. Never in
    /// production.
    #[arg(long)]
    test_regions: bool,
}

impl Init {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let settings = Settings {
            test_regions: self.test_regions,
            region: self.region,
            ..Settings::default()
        };
        let operator = folder.create(&self.origin, &settings)?;
        Bank::create(folder.options(&settings, None)?, folder.keys()?, operator)?;
        folder.made()?;
        let dir = self.dir.display();
        println!("bank {} made in {dir}", self.origin);
        println!("public key of its log: {dir}/bank.pub");
        println!("next: creditbank serve {dir}");
        Ok(ExitCode::SUCCESS)
    }
}
