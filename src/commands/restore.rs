//! `creditbank restore`: a bank's database out of a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_ledger::peers::guard;

use crate::backup::{Done, Source, Target, restore};
use crate::config::Folder;
use crate::connection::block_on;
use crate::mirror::PublicLog;
use crate::print::moment;

/// Restore a bank's database from a backup.
#[derive(clap::Args)]
#[command(after_help = "\
First bring DIR/bank.toml, DIR/bank.pub, DIR/secrets and DIR/operator.key from where you keep them apart from the backups. Where
DIR/db is there still, move it away; leave DIR/anchor where it is, or bring it, if the old disk has it: it knows what this bank
has signed. Where there is neither an anchor nor a peer, nothing knows, and you are warned.

The backup must be one that this bank has made; every file is held against its hash; the log must be exactly that of the
checkpoint that was signed for the backup, contain what the anchor says, and what every reachable peer has cosigned. If it
falls short, nothing is restored: a bank that signed on from there would sign a second history. Take a newer backup; or name
a copy of the public log that has more (--mirror: what `creditbank mirror` keeps, or a URL), and the leaves behind the backup
are put back from there, each verified. Their payloads are in no public log: learners' archives lack them, institutions have
them, and `creditbank check` counts them with those of erased learners. Peers keep checkpoints, not leaves. A
step of a transfer is not put back: what it says, and the salt that it is committed to under, are in no public log and with no
peer, so a bank that has peers makes backups often.

Whoever the log says is erased is erased again before anything is served. DIR/db appears in the end, whole, or not at all.

Examples:
  creditbank restore /mnt/backup/bank bank
  creditbank restore s3://backups/bank bank --s3 s3.toml
  creditbank restore /mnt/backup/bank bank --mirror /mnt/mirror/bank
  creditbank restore /mnt/backup/bank bank --backup backups/00000000000000001337-001795000000.json
  creditbank check bank")]
pub(crate) struct Restore {
    /// Where backups lie: a directory, or s3://BUCKET/PREFIX.
    from: String,
    /// The bank's folder.
    dir: PathBuf,
    /// Which backup, as `creditbank backup list` names it; the newest if none is given.
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
    /// A copy of the public log, a directory or a URL, to put back leaves that the backup has not.
    #[arg(long, value_name = "DIR|URL")]
    mirror: Option<String>,
    /// What the S3 store needs to know, as TOML.
    #[arg(long, value_name = "FILE")]
    s3: Option<PathBuf>,
}

impl Restore {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let (options, keys) = (folder.options(&folder.settings()?, None)?, folder.keys()?);
        let target = Target::open(&self.from, self.s3.as_deref(), false)?;
        let done = block_on(async {
            let cosigned = guard::gather(&options.peers, keys.log.name()).await;
            let mirror = self
                .mirror
                .as_deref()
                .map(|place| PublicLog::open(place, None));
            let mirror = mirror.transpose()?;
            let source = Source {
                mirror: mirror.as_ref(),
                target: &target,
                name: self.backup.as_deref(),
                cosigned: &cosigned,
            };
            let asked = options.peers.len();
            let done = restore(&source, options, keys).await?;
            tell(&done);
            if asked > 0 {
                println!(
                    "peers           {} of {asked} show what they have cosigned; the log contains it",
                    cosigned.len()
                );
            }
            if !done.anchored && cosigned.is_empty() && mirror.is_none() {
                warn(&done);
            }
            anyhow::Ok(())
        });
        done?;
        println!(
            "next: creditbank check {dir}; creditbank serve {dir}",
            dir = self.dir.display()
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Nothing could be held against the backup.
fn warn(done: &Done) {
    let made = moment(done.made_at_s.saturating_mul(1000));
    println!(
        "WARNING         neither an anchor nor a peer says how far this log went. If the bank served after {made}, what it"
    );
    println!(
        "                acknowledged then is missing, and it would sign a second history: do not start it. Move its db away,"
    );
    println!(
        "                bring the anchor, or name a copy of its public log with --mirror, and restore again."
    );
}

fn tell(done: &Done) {
    let made = moment(done.made_at_s.saturating_mul(1000));
    println!("backup          {}, made {made}", done.name);
    println!(
        "files           {}, {} bytes, every one as it was written",
        done.files, done.bytes
    );
    println!("leaves          {}", done.log.size);
    println!("root            {}", done.log.root);
    println!(
        "learners' keys  {}{}",
        done.keys,
        if done.newer_keys {
            ", of the newest backup"
        } else {
            ""
        }
    );
    if done.log.refilled > 0 {
        let (leaves, missing) = (done.log.refilled, done.log.payloads_missing);
        println!(
            "refilled        {leaves} leaves from the mirror, {missing} of them without payload"
        );
    }
    println!("erased again    {}", done.log.erased);
}
