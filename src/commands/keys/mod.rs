//! `creditbank keys`: the bank's own keys.

mod accept;
mod list;
mod rotate;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use self::accept::Accept;
use self::list::List;
use self::rotate::{Finish, Rotate};

/// List and replace the bank's own keys, and follow those of another bank's log.
#[derive(clap::Args)]
#[command(after_help = "\
A key is replaced while the bank is stopped. Those that others rely on change in two steps, so that
nobody is cut off in between:

  creditbank keys rotate log bank      a new key is made, the log admits it, and both sign
  creditbank serve bank                bank.pub goes to verifiers, `peer card` to peers
  creditbank keys finish log bank      the new key signs alone, the log revokes the old one

KEY               REPLACED BY                  WHO MUST SEE IT, AND WHERE
log               rotate, then finish          everybody: bank.pub; peers: `peer admit` of a new card;
                                               after `finish` the gateway: restart it
bank, cosign,     rotate, then finish          peers: `peer admit` of a new card, before `finish`
seal, peer
credential        rotate                       verifiers ask the gateway; restart it
operator          rotate                       whoever holds a copy of operator.key
key-encryption    rotate                       nobody

After a crash run the same command again: it goes on where it was. secrets/identity.key, which finds
learners by their documents, is not replaced: the bank keeps only what it computed from them.")]
pub(crate) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    List(List),
    Rotate(Rotate),
    Finish(Finish),
    Accept(Accept),
}

impl Keys {
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::List(list) => list.run(),
            Action::Rotate(rotate) => rotate.run(),
            Action::Finish(finish) => finish.run(),
            Action::Accept(accept) => accept.run(),
        }
    }
}

/// The folder of a stopped bank.
#[derive(clap::Args)]
struct Stopped {
    /// The bank's folder; the bank must not be running.
    dir: PathBuf,
    /// Abort at a step, such as rotation-announced (tests only).
    #[arg(long, hide = true)]
    abort_at: Option<creditbank_ledger::StepTrap>,
}
