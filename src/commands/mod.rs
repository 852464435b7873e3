//! One file a command.

mod anchor;
mod apply;
mod archive;
mod audit;
mod backup;
mod check;
mod config;
mod desk;
mod doctor;
mod export;
mod gateway;
mod import;
mod import_ledger;
mod init;
mod institution;
mod keygen;
mod keys;
mod learner;
mod mirror;
mod peer;
mod points;
mod rebuild;
mod receipt;
mod recompute;
mod reconcile;
mod rehearse;
mod requests;
mod restore;
mod review;
mod rules;
mod sample;
mod serve;
mod standard;
mod stats;
mod submission;
mod transfer;
mod verify;

use std::process::ExitCode;

/// All commands: those of the bank's operator first, then those of institutions, then those of anybody.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Gateway(gateway::Gateway),
    Config(config::Config),
    Keys(keys::Keys),
    Check(check::Check),
    Recompute(recompute::Recompute),
    Reconcile(reconcile::Reconcile),
    Rebuild(rebuild::Rebuild),
    Backup(backup::Backup),
    Doctor(doctor::Doctor),
    Restore(restore::Restore),
    Anchor(anchor::Anchor),
    Export(export::Export),
    ImportLedger(import_ledger::ImportLedger),
    #[command(hide = true)]
    Rehearse(rehearse::Rehearse),
    Institution(institution::Institution),
    Peer(peer::Peer),
    Rules(rules::Rules),
    Standard(standard::Standard),
    Review(review::Review),
    Stats(stats::Stats),
    Requests(requests::Requests),
    Keygen(keygen::Keygen),
    Import(import::Import),
    Submission(submission::Submission),
    Learner(learner::Learner),
    Archive(archive::Archive),
    Desk(desk::Desk),
    Apply(apply::Apply),
    Points(points::Points),
    Transfer(transfer::Transfer),
    Receipt(receipt::Receipt),
    Verify(verify::Verify),
    Audit(audit::Audit),
    Mirror(mirror::Mirror),
    Sample(sample::Sample),
}

impl Command {
    /// Whether it is a server, which has settings of its own for the log.
    pub(crate) const fn serves(&self) -> bool {
        matches!(self, Self::Serve(_) | Self::Gateway(_))
    }

    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Init(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Gateway(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::Keys(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Recompute(command) => command.run(),
            Self::Reconcile(command) => command.run(),
            Self::Rebuild(command) => command.run(),
            Self::Backup(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Restore(command) => command.run(),
            Self::Anchor(command) => command.run(),
            Self::Export(command) => command.run(),
            Self::ImportLedger(command) => command.run(),
            Self::Rehearse(command) => command.run(),
            Self::Institution(command) => command.run(),
            Self::Peer(command) => command.run(),
            Self::Rules(command) => command.run(),
            Self::Standard(command) => command.run(),
            Self::Review(command) => command.run(),
            Self::Stats(command) => command.run(),
            Self::Requests(command) => command.run(),
            Self::Keygen(command) => command.run(),
            Self::Import(command) => command.run(),
            Self::Submission(command) => command.run(),
            Self::Learner(command) => command.run(),
            Self::Archive(command) => command.run(),
            Self::Desk(command) => command.run(),
            Self::Apply(command) => command.run(),
            Self::Points(command) => command.run(),
            Self::Transfer(command) => command.run(),
            Self::Receipt(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Audit(command) => command.run(),
            Self::Mirror(command) => command.run(),
            Self::Sample(command) => command.run(),
        }
    }
}
