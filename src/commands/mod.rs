//! One file a command.

mod check;
mod init;
mod rebuild;
mod serve;

use std::process::ExitCode;

/// All commands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Check(check::Check),
    Rebuild(rebuild::Rebuild),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Init(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Rebuild(command) => command.run(),
        }
    }
}
