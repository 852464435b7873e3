//! What keys a bank has.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_domain::record::KeyPurpose;
use creditbank_domain::registry::{KeyHistory, Registry};
use creditbank_ledger::rotation::{of_bank, registered, wrapped};
use creditbank_store::Store;

use crate::config::{Folder, OwnKey};
use crate::print::{self, hex};

/// List the bank's keys: those of its folder, and every one that its log has ever admitted for the bank.
#[derive(clap::Args)]
#[command(after_help = "\
ID is the first half of the key's id as signatures name it. SINCE and UNTIL are leaves: the entry that
admitted the key, and the one that revoked it. A key without SINCE is one that the log does not name:
the first key of a log, until it is replaced, and those that only peers register. The secrets themselves
are never printed.

Example:
  creditbank keys list bank")]
pub(super) struct List {
    /// The bank's folder.
    dir: PathBuf,
}

impl List {
    pub(super) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let options = folder.options(&folder.settings()?, None)?;
        let store = Store::open_read_only(&options.directory, &options.store)?;
        let registry = registered(&store)?;
        let mut rows = Vec::new();
        for key in [
            OwnKey::Log,
            OwnKey::Bank,
            OwnKey::Operator,
            OwnKey::Credential,
        ] {
            of_the_log(&folder, &registry, key, &mut rows)?;
        }
        for key in [OwnKey::Cosign, OwnKey::Seal, OwnKey::Peer] {
            for (next, state) in [(false, "in use"), (true, "next")] {
                if let Some(public) = folder.public_half(key, next)? {
                    rows.push(row(key, &public.id().0, [None, None], state));
                }
            }
        }
        if let Some(encryption) = folder.key_encryption()? {
            let (all, by_it) = wrapped(&store, encryption.id())?;
            let state = match folder.has_next(OwnKey::KeyEncryption) {
                true => format!("taking over: wraps {by_it} of {all} learners' keys"),
                false => format!("in use, wraps {all} learners' keys"),
            };
            rows.push(row(
                OwnKey::KeyEncryption,
                &encryption.id().0,
                [None, None],
                &state,
            ));
        }
        print::table(["KEY", "ID", "SINCE", "UNTIL", "STATE"], &rows);
        Ok(ExitCode::SUCCESS)
    }
}

/// Every key that the log names, and those of the folder that it does not name yet.
fn of_the_log(
    folder: &Folder,
    registry: &Registry,
    key: OwnKey,
    rows: &mut Vec<[String; 5]>,
) -> Result<()> {
    let purpose = key.purpose().context("a registered key")?;
    let [own, next] = [false, true].map(|next| folder.public_half(key, next));
    let (own, next) = (own?.map(|it| it.id()), next?.map(|it| it.id()));
    for history in of_bank(registry, purpose) {
        let since = history.valid_from.0.saturating_sub(1);
        let state = state(
            history,
            purpose,
            own == Some(history.id),
            next == Some(history.id),
        );
        let leaves = [Some(since), history.valid_until.map(|it| it.0)];
        rows.push(row(key, &history.id.0, leaves, &state));
    }
    for (id, state) in [(own, "in use"), (next, "next, not announced")] {
        if let Some(id) = id.filter(|id| registry.key(id).is_none()) {
            rows.push(row(key, &id.0, [None, None], state));
        }
    }
    Ok(())
}

fn state(history: &KeyHistory, purpose: KeyPurpose, is_own: bool, is_next: bool) -> String {
    let revoked = history.valid_until.is_some();
    match (history.doubtful_from, is_own, is_next) {
        (Some(from), ..) => format!("compromised since leaf {from}"),
        _ if revoked && is_own => "REVOKED, but in the folder: run `keys rotate` again".to_owned(),
        _ if revoked => "replaced".to_owned(),
        (_, true, _) => "in use".to_owned(),
        (_, _, true) => "next, announced".to_owned(),
        _ if purpose == KeyPurpose::Authenticate => "of another operator".to_owned(),
        _ => "taken over from: run `keys finish`".to_owned(),
    }
}

fn row(key: OwnKey, id: &[u8], leaves: [Option<u64>; 2], state: &str) -> [String; 5] {
    let [since, until] = leaves.map(|it| it.map_or("-".to_owned(), |it| it.to_string()));
    let id = &id[..id.len().min(8)];
    [
        key.name().to_owned(),
        hex(id),
        since,
        until,
        state.to_owned(),
    ]
}
