//! Files of a bank's folder: who may read them, whether they are what they should be, and what room is left.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use creditbank_ledger::BankKeys;
use creditbank_ledger::backed_up::{BACKUP_AGE_MAX_S, BackedUp};
use creditbank_merkle::{LogKeys, VerifierKey};

use super::Line;
use crate::config::{Folder, Settings};
use crate::print::moment;

/// Bits of a mode that let others than the owner in.
const OTHERS: u32 = 0o077;
/// Free bytes below which the bank takes no writes.
const RESERVE_BYTES: u64 = 64 << 20;
/// Free bytes below which there is something to do.
const LOW_BYTES: u64 = 2 << 30;

/// Secrets are their owner's alone, and the bank's user is their owner.
pub(super) fn permissions(folder: &Folder) -> Vec<Line> {
    const CHECK: &str = "permissions";
    let (secrets, owner) = (
        folder.secrets(),
        fs::metadata(folder.path()).map(|it| it.uid()),
    );
    let mut paths: Vec<PathBuf> = vec![secrets.clone(), folder.operator_key()];
    match fs::read_dir(&secrets) {
        Ok(entries) => paths.extend(entries.filter_map(|entry| Some(entry.ok()?.path()))),
        Err(error) => {
            let says = format!("{}: {error}", secrets.display());
            return vec![Line::finding(CHECK, says, "run it as the user of the bank")];
        }
    }
    let mut lines = Vec::new();
    for path in paths {
        let Ok(found) = fs::metadata(&path) else {
            continue;
        };
        let shown = path.display();
        if found.mode() & OTHERS != 0 {
            let (mode, wanted) = (
                found.mode() & 0o777,
                if found.is_dir() { "700" } else { "600" },
            );
            let says = format!("others may use {shown} (mode {mode:o})");
            lines.push(Line::finding(
                CHECK,
                says,
                format!("chmod {wanted} {shown}"),
            ));
        }
        if owner.as_ref().is_ok_and(|owner| *owner != found.uid()) {
            let says = format!("{shown} belongs to another user than the folder");
            lines.push(Line::finding(
                CHECK,
                says,
                "chown it to the user of the bank",
            ));
        }
    }
    lines.extend(owner.ok().and_then(|owner| strangers(folder, owner)));
    if lines.is_empty() {
        lines.push(Line::good(CHECK, "secrets are their owner's alone"));
    }
    lines
}

/// Files of the database that another user than the bank's has made, as whoever runs a command as root does.
fn strangers(folder: &Folder, owner: u32) -> Option<Line> {
    let database = folder.path().join("db");
    let files = fs::read_dir(&database).ok()?;
    let files = files.filter_map(|entry| entry.ok()?.metadata().ok());
    let count = files.filter(|it| it.uid() != owner).count();
    let shown = folder.path().display();
    (count > 0).then(|| {
        Line::finding(
            "permissions",
            format!("{count} files of {} belong to another user than {shown}", database.display()),
            format!("chown -R --reference={shown} {shown}, and run every command as the user of the bank"),
        )
    })
}

/// The keys are read, and the public key that everybody has is that of the log.
pub(super) fn keys(folder: &Folder) -> (Line, Option<BankKeys>) {
    const CHECK: &str = "keys";
    let keys = match folder.keys() {
        Ok(keys) => keys,
        Err(error) => {
            let todo = "bring the file from where you keep a copy of DIR/secrets";
            return (Line::finding(CHECK, format!("{error:#}"), todo), None);
        }
    };
    let public = folder.public_key();
    let line = match fs::read_to_string(&public) {
        Ok(text) if lists(&text, keys.log.verifier()) => Line::good(
            CHECK,
            format!("read; bank.pub is that of {}", keys.log.name()),
        ),
        Ok(_) => Line::finding(
            CHECK,
            "bank.pub does not list the public half of secrets/log.key",
            "find out which of the two is right before the bank signs anything",
        ),
        Err(error) => Line::finding(
            CHECK,
            format!("{}: {error}", public.display()),
            format!(
                "bring it from whoever has it; where the key was never replaced it says {}",
                keys.log.verifier()
            ),
        ),
    };
    (line, Some(keys))
}

/// Whether these keys of a log are well written, and have one of them.
fn lists(text: &str, key: &VerifierKey) -> bool {
    let keys = text.parse::<LogKeys>();
    keys.is_ok_and(|keys| keys.find(key).is_some())
}

/// Room on the disks of database and anchor.
pub(super) fn disks(folder: &Folder, settings: &Settings) -> Vec<Line> {
    let database = folder.path().to_owned();
    let anchor = settings.anchor.is_some().then(|| folder.anchor(settings));
    let anchor = anchor.and_then(|it| Some(it.parent()?.to_owned()));
    std::iter::once(database)
        .chain(anchor)
        .map(|path| disk(&path))
        .collect()
}

fn disk(path: &Path) -> Line {
    const CHECK: &str = "disk";
    let shown = path.display();
    let room = match rustix::fs::statvfs(path) {
        Ok(room) => room,
        Err(error) => {
            let says = format!("{shown}: {error}");
            return Line::finding(CHECK, says, "see whether the disk is mounted");
        }
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let says = format!("{shown} has {} MiB free", free >> 20);
    match free {
        ..RESERVE_BYTES => Line::finding(CHECK, says, "make room: the bank takes no changes"),
        RESERVE_BYTES..LOW_BYTES => Line::finding(
            CHECK,
            says,
            "make room: below 64 MiB the bank takes no changes",
        ),
        _ => Line::good(CHECK, says),
    }
}

/// When the last backup was finished, as the program that makes them has noted.
pub(super) fn backup(database: &Path, now_s: u64) -> Line {
    const CHECK: &str = "backup";
    let todo = "see why: systemctl status creditbank-backup.timer creditbank-backup (RUNBOOK.md, BackupIsOld)";
    let known = match BackedUp::read(database) {
        Ok(known) => known,
        Err(error) => {
            let says = format!("what was noted of the last one cannot be read: {error}");
            return Line::finding(CHECK, says, "make one (creditbank backup --help)");
        }
    };
    let failed = match known.failed {
        0 => String::new(),
        count => format!("; {count} attempts have failed since"),
    };
    if known.finished_at_s == 0 {
        let says = format!("none was ever finished{failed}");
        return Line::finding(CHECK, says, "make one, and enable its timer (RUNBOOK.md)");
    }
    let age_s = now_s.saturating_sub(known.finished_at_s);
    let says = format!(
        "the last was finished at {}, {} hours ago, with {} leaves{failed}",
        moment(known.finished_at_s.saturating_mul(1000)),
        age_s / 3_600,
        known.leaves
    );
    if known.failed > 0 || age_s > BACKUP_AGE_MAX_S {
        Line::finding(CHECK, says, todo)
    } else {
        Line::good(CHECK, says)
    }
}

/// What an interrupted restore or backup has left. While a backup is made, its copy is there and its lock is held.
pub(super) fn leftovers(folder: &Folder) -> Line {
    const CHECK: &str = "leftovers";
    let restoring = folder.path().join("db.restoring");
    if restoring.exists() {
        let says = format!("{} is of a restore that was cut off", restoring.display());
        return Line::finding(CHECK, says, "restore again, or remove it");
    }
    let lock = fs::File::open(folder.path().join("backup.lock"));
    let is_made = lock.is_ok_and(|lock| lock.try_lock_shared().is_err());
    let copy = folder.path().join("copy");
    if copy.exists() && !is_made {
        let says = format!(
            "{} is of a backup that was cut off, and keeps what an erasure takes from the database",
            copy.display()
        );
        return Line::finding(CHECK, says, "make a backup, or start the bank again");
    }
    Line::good(CHECK, "none of an interrupted restore or backup")
}
