//! What an operator looks after on a bank's machine, looked at: nothing is changed, and a running bank is not disturbed.

mod certificate;
mod database;
mod files;

use creditbank_ledger::BankKeys;
use creditbank_ledger::peers::guard;
use serde::Serialize;

use crate::config::{Folder, Settings};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Good,
    Finding,
    /// It could not be looked at, because of another finding.
    NotChecked,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) check: &'static str,
    pub(crate) state: State,
    pub(crate) says: String,
    /// What to do about a finding.
    #[serde(rename = "do", skip_serializing_if = "str::is_empty")]
    pub(crate) todo: String,
}

impl Line {
    fn good(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Good,
            says: says.into(),
            todo: String::new(),
        }
    }

    fn finding(check: &'static str, says: impl Into<String>, todo: impl Into<String>) -> Self {
        Self {
            state: State::Finding,
            todo: todo.into(),
            ..Self::good(check, says)
        }
    }

    fn not_checked(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            state: State::NotChecked,
            ..Self::good(check, says)
        }
    }
}

/// Looks at everything; `now_s` is the machine's time.
pub(crate) async fn examine(folder: &Folder, now_s: u64) -> Vec<Line> {
    let settings = match folder.settings() {
        Ok(settings) => settings,
        Err(error) => {
            let todo = "mend bank.toml, or the CREDITBANK_ variables of the environment";
            return vec![Line::finding("settings", format!("{error:#}"), todo)];
        }
    };
    let mut lines = vec![Line::good("settings", "bank.toml is read")];
    lines.extend(files::permissions(folder));
    let (found, keys) = files::keys(folder);
    lines.push(found);
    lines.push(certificate::certificate(folder, &settings, now_s));
    lines.extend(files::disks(folder, &settings));
    lines.push(files::leftovers(folder));
    lines.push(files::backup(&folder.database(), now_s));
    lines.extend(log(folder, &settings, keys, now_s).await);
    lines
}

/// The database, and what peers say of it.
async fn log(
    folder: &Folder,
    settings: &Settings,
    keys: Option<BankKeys>,
    now_s: u64,
) -> Vec<Line> {
    let Some(keys) = keys else {
        return vec![Line::not_checked("log", "the keys come first")];
    };
    let options = match folder.options(settings, None) {
        Ok(options) => options,
        Err(error) => {
            let todo = "mend the [[peer]] table of bank.toml";
            return vec![Line::finding("peers", format!("{error:#}"), todo)];
        }
    };
    if !options.directory.exists() {
        let says = format!("there is no database at {}", options.directory.display());
        let todo = "restore it from a backup (creditbank restore --help)";
        return vec![Line::finding("log", says, todo)];
    }
    let shown = guard::gather(&options.peers, keys.log.name()).await;
    let mut lines = database::database(&options, &keys, &shown, now_s);
    lines.extend(options.peers.iter().map(|peer| {
        let said = shown.iter().find(|it| it.peer == peer.id);
        match said {
            Some(_) => Line::good("peer", format!("{} shows what it has cosigned", peer.id)),
            None => Line::finding(
                "peer",
                format!("{} shows nothing that it has cosigned of this log", peer.id),
                "see whether its public log is reached at the address in bank.toml, and whether its operator has admitted \
                 this bank (creditbank peer list)",
            ),
        }
    }));
    lines
}
