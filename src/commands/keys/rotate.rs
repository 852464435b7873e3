//! Replacing a key, and ending the time in which both are good.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use creditbank_domain::LeafIndex;

use super::Stopped;
use crate::config::{Folder, OwnKey};
use crate::connection::block_on;
use crate::rotation::Rotation;

/// Begin to replace a key of a stopped bank; for keys that nobody else relies on, replace it.
#[derive(clap::Args)]
#[command(after_help = "\
log: from the next start on, two keys sign every checkpoint. bank.pub then lists both, with the proof
that the log itself announced the new one: whoever has the old bank.pub takes the new one over with
`creditbank keys accept`. Old receipts stay good for as long as bank.pub lists their key.
key-encryption: every learner's key is wrapped anew, and no payload is touched. A backup from before
opens with the old key alone, so make a new one at once and destroy the copies of the old key.

A stolen key: --compromised-since LEAF replaces log, bank or credential in one go and has the log say
from which leaf on the old key was in other hands.
  log   bank.pub withdraws the old key, since a thief can date back: receipts under it have to be
        fetched again, and nobody can follow it to the new key. Tell verifiers the new bank.pub over
        another channel. Peers admit the new card and revoke the old key, with
        `creditbank institution revoke-key`, before they cosign again.
  bank  records that the bank signed from that leaf on are shown as disputed. Peers admit the new card
        and revoke the old key.
  credential   what it signed is not known any more; learners take their credentials away anew.
cosign, seal and peer: rotate and finish at once, and have every peer revoke the old key.
A stolen key-encryption key opens what the thief has copied already: rotation ends that for the
future alone.

Examples:
  creditbank keys rotate log bank
  creditbank keys rotate key-encryption bank
  creditbank keys rotate bank bank --compromised-since 51200")]
pub(super) struct Rotate {
    /// Which key
    key: OwnKey,
    #[command(flatten)]
    stopped: Stopped,
    /// First leaf that somebody else may have signed for; for log, bank and credential.
    #[arg(long, value_name = "LEAF")]
    compromised_since: Option<u64>,
}

/// Let the new key sign alone, and have the log revoke the old one.
#[derive(clap::Args)]
#[command(after_help = "\
When: for log, once verifiers have the new bank.pub; for the others, once every peer has admitted the
new card (`creditbank peer admit`). The old secret is gone afterwards.

Example:
  creditbank keys finish log bank")]
pub(super) struct Finish {
    /// Which key
    key: OwnKey,
    #[command(flatten)]
    stopped: Stopped,
}

impl Rotate {
    pub(super) fn run(self) -> Result<ExitCode> {
        let (key, dir) = (self.key, self.stopped.dir.display().to_string());
        let since = self.compromised_since.map(LeafIndex);
        ensure!(
            since.is_none() || key.is_in_own_log(),
            "--compromised-since is for keys that the log admits: log, bank and credential"
        );
        let rotation = Rotation::new(Folder::new(&self.stopped.dir), self.stopped.abort_at)?;
        match key {
            OwnKey::KeyEncryption => {
                let wrapped = rotation.key_encryption(tell)?;
                println!(
                    "{wrapped} learners' keys are wrapped by the new key; the old one is gone"
                );
                println!(
                    "next: a new backup, since those from before open with the old key alone,"
                );
                println!(
                    "      and a new copy of {dir}/secrets off this machine: without it a lost disk is a lost bank"
                );
            }
            OwnKey::Operator => {
                block_on(rotation.operator())?;
                println!("{dir}/operator.key holds a new key; the log has revoked the old one");
            }
            OwnKey::Credential => {
                block_on(rotation.rotate_at_once(key, since))?;
                println!("credentials are signed by a new key; the log has revoked the old one");
                println!("next: restart the gateway");
            }
            _ if since.is_some() => {
                block_on(rotation.rotate_at_once(key, since))?;
                println!(
                    "the {} key is replaced; the log says that the old one was compromised",
                    key.name()
                );
                println!("next: tell peers, and for log everybody who has bank.pub; see --help");
            }
            _ => {
                block_on(rotation.announce(key))?;
                println!(
                    "a new {} key is made, and the old one is still good",
                    key.name()
                );
                println!(
                    "next: creditbank serve {dir}; when others know the new key, stop it and run"
                );
                println!("      creditbank keys finish {} {dir}", key.name());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Finish {
    pub(super) fn run(self) -> Result<ExitCode> {
        let rotation = Rotation::new(Folder::new(&self.stopped.dir), self.stopped.abort_at)?;
        block_on(rotation.finish(self.key, None))?;
        println!(
            "the new {} key is in use alone; the old one is gone",
            self.key.name()
        );
        if self.key == OwnKey::Bank {
            println!("operator.key was written again: its copies hold the old key");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(done: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\rwrapped {done:>12}");
        drop(std::io::stderr().flush());
    }
}
