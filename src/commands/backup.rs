//! `creditbank backup`: backups of a running bank.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::{Bank, Options};
use creditbank_ledger::BankOptions;

use crate::backup::{Made, Manifest, Order, Target, make, names, noted, verify};
use crate::config::{Folder, Settings};
use crate::connection::{block_on, read, read_keys};
use crate::print::{moment, table};

/// Back up a running bank, and look after its backups.
#[derive(clap::Args)]
#[command(after_help = "\
TARGET is a directory, on another disk, or s3://BUCKET/PREFIX of any store that speaks S3. What the store needs to know is
taken from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT, AWS_ALLOW_HTTP) or from a
TOML file with the same names in lower case, given with --s3.

Run it from a timer as the user of the bank (deploy/systemd/creditbank-backup.timer). The bank takes deposits meanwhile, and
tells in its metrics when the last backup was finished and how many have failed since; so does `creditbank doctor`.
A backup costs what is new since the one before; every file is read back once it is written. Learners' keys lie apart,
and those of the newest backup alone: with daily backups nobody who was erased a day ago can be opened from any of them.
The key that it needs can do nothing else: admit an institution with the role backup-agent, and give its key with --key.
Secrets are in no backup: keep copies of DIR/secrets, DIR/operator.key and DIR/bank.toml apart from it, because whoever
has both opens every payload.

Examples:
  creditbank keygen backup-1
  creditbank institution register backup-1 --name 备份 --role backup-agent --public-keys backup-1.key.pub \\
    --key bank/operator.key --bank bank/bank.pub
  creditbank backup make bank /mnt/backup/bank --keep 30 --key backup-1.key
  creditbank backup make bank s3://backups/bank --s3 s3.toml --keep 30
  creditbank backup verify /mnt/backup/bank
  creditbank backup list /mnt/backup/bank
  creditbank restore /mnt/backup/bank bank")]
pub(crate) struct Backup {
    #[command(subcommand)]
    action: Action,
    /// What the S3 store needs to know, as TOML.
    #[arg(long, global = true, value_name = "FILE")]
    s3: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Action {
    Make(Make),
    /// Read every file of every backup, and hold it against its hash. Exit code 1: something is damaged or missing.
    Verify {
        /// Where backups lie.
        target: String,
    },
    /// List the backups.
    List {
        /// Where backups lie.
        target: String,
    },
}

/// Make a backup of the bank that runs from DIR on this machine.
#[derive(clap::Args)]
struct Make {
    /// The bank's folder.
    dir: PathBuf,
    /// Where backups lie.
    target: String,
    /// Keep so many backups, this one included, and remove those before; all are kept if it is not given.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Key file of an institution with the role backup-agent; DIR/operator.key if not given.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Address of the bank, if not that of bank.toml: https://bank.example:7300, or http://127.0.0.1:7300.
    #[arg(long, env = "CREDITBANK_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Certificate authority that vouches for an https address, as PEM.
    #[arg(long, env = "CREDITBANK_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Backup {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let s3 = self.s3.as_deref();
        block_on(async {
            match self.action {
                Action::Make(make) => make.run(s3).await,
                Action::Verify { target } => all(&Target::open(&target, s3, false)?).await,
                Action::List { target } => list(&Target::open(&target, s3, false)?).await,
            }
        })
    }
}

impl Make {
    /// Makes one backup, and tells what it cost.
    async fn run(self, s3: Option<&Path>) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let settings = folder.settings()?;
        let options = folder.options(&settings, None)?;
        let making = self.make(&folder, &settings, &options, s3);
        let made = noted(&options.directory, making).await?;
        println!("backup          {}", made.name);
        println!("leaves          {}", made.size);
        println!("files           {}, {} bytes", made.files, made.bytes);
        println!("new             {}, {} bytes", made.new.0, made.new.1);
        println!("removed         {} older backups", made.removed);
        Ok(ExitCode::SUCCESS)
    }

    async fn make(
        &self,
        folder: &Folder,
        settings: &Settings,
        options: &BankOptions,
        s3: Option<&Path>,
    ) -> Result<Made> {
        let target = Target::open(&self.target, s3, true)?;
        let keys = folder.keys()?;
        let scheme = settings
            .tls_certificate
            .as_ref()
            .map_or("http", |_| "https");
        let own = || format!("{scheme}://{}", settings.grpc);
        let server = self.server.clone().unwrap_or_else(own);
        let mut line = Options::new(server, keys.log.name());
        line.ca_pem = self.ca.as_deref().map(read).transpose()?;
        let key = self.key.clone().unwrap_or_else(|| folder.operator_key());
        let bank = Bank::connect(line, Some(read_keys(&key)?.into())).await?;
        let order = Order {
            options,
            keys: &keys,
            keep: self.keep.map(|keep| keep as usize),
        };
        make(&bank, &target, &order).await
    }
}

async fn all(target: &Target) -> Result<ExitCode> {
    let verified = verify(target).await?;
    println!("backups         {}", verified.backups);
    println!(
        "files           {}, {} bytes",
        verified.files, verified.bytes
    );
    for finding in &verified.findings {
        println!("FINDING {finding}");
    }
    Ok(match verified.findings.len() {
        0 => {
            println!("every file is as it was written");
            ExitCode::SUCCESS
        }
        count => {
            println!("{count} findings");
            ExitCode::FAILURE
        }
    })
}

async fn list(target: &Target) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for name in names(target).await? {
        let manifest = Manifest::read(target, &name).await?;
        let bytes = manifest.files.iter().map(|file| file.bytes).sum::<u64>();
        rows.push([
            moment(manifest.made_at_s.saturating_mul(1000)),
            manifest.stated()?.size.value().to_string(),
            bytes.to_string(),
            name,
        ]);
    }
    table(["made", "leaves", "bytes", "name"], &rows);
    Ok(ExitCode::SUCCESS)
}
