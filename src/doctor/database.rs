//! The database: its format, its log against anchor and peers, its keys, and the clock against its last entry.

use creditbank_ledger::backup::{Inspected, inspect, small_options};
use creditbank_ledger::peers::guard::PeerCosigned;
use creditbank_ledger::{BankError, BankKeys, BankOptions};
use creditbank_store::{DIRECTORY_FORMAT, StoreError};

use super::Line;
use crate::print::moment;

/// How far the clock may be behind the last entry.
const CLOCK_BEHIND_S: u64 = 60;
/// How often to look again where a running bank has just changed its files.
const TRIES: u32 = 3;

pub(super) fn database(
    options: &BankOptions,
    keys: &BankKeys,
    shown: &[PeerCosigned],
    now_s: u64,
) -> Vec<Line> {
    let mut looked = look(options, keys, shown);
    for _ in 1..TRIES {
        if !matches!(looked, Err(BankError::Store(_))) {
            break;
        }
        looked = look(options, keys, shown);
    }
    match looked {
        Ok(found) => sound(&found, now_s),
        Err(error) => vec![unsound(&error)],
    }
}

fn look(
    options: &BankOptions,
    keys: &BankKeys,
    shown: &[PeerCosigned],
) -> Result<Inspected, BankError> {
    inspect(
        (&options.directory, &options.anchor),
        &small_options(),
        keys,
        shown,
    )
}

fn sound(found: &Inspected, now_s: u64) -> Vec<Line> {
    let mut lines = vec![
        Line::good(
            "format",
            format!("the database has format {DIRECTORY_FORMAT}"),
        ),
        Line::good(
            "log",
            format!("{} leaves; anchor and peers agree", found.row.size),
        ),
    ];
    lines.push(match found.keys_unwrap {
        Some(false) => Line::finding(
            "learners' keys",
            "secrets/key-encryption.key does not open them",
            "bring the right one from where you keep a copy: without it no payload can be opened",
        ),
        Some(true) => Line::good("learners' keys", "secrets/key-encryption.key opens them"),
        None => Line::good("learners' keys", "there is none yet"),
    });
    lines.push(if found.bank_key_registered {
        Line::good("bank key", "secrets/bank.key is registered and in force")
    } else {
        Line::finding(
            "bank key",
            "secrets/bank.key is not a key that the log names for this bank, or was revoked",
            "bring the right one; the bank's own entries would be refused",
        )
    });
    let last_s = found.row.deposited_at_ms / 1000;
    lines.push(if now_s + CLOCK_BEHIND_S < last_s {
        let (now, last) = (moment(now_s * 1000), moment(found.row.deposited_at_ms));
        Line::finding(
            "clock",
            format!("it says {now}, and the last entry was made at {last}"),
            "set it, and have it kept by NTP: entries are never dated before those before them",
        )
    } else {
        Line::good(
            "clock",
            format!("it says {}, after the last entry", moment(now_s * 1000)),
        )
    });
    lines
}

fn unsound(error: &BankError) -> Line {
    let (check, todo) = match error {
        BankError::Store(StoreError::UnknownFormat { .. }) => (
            "format",
            "never run an older program on the database of a newer one",
        ),
        BankError::Store(StoreError::File { .. }) => (
            "anchor",
            "see whether the setting anchor names the right file; one that is lost is made anew (creditbank anchor --help)",
        ),
        BankError::Store(StoreError::Place(_)) => (
            "log",
            "restore it from a backup (creditbank restore --help)",
        ),
        BankError::Behind { .. } | BankError::ForkedFrom { .. } => (
            "peers",
            "restore the newest backup; a peer has cosigned more than this log holds",
        ),
        _ => (
            "log",
            "restore the newest backup (creditbank restore --help), and keep this folder",
        ),
    };
    Line::finding(check, error.to_string(), todo)
}
