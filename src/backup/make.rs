//! Making a backup of a running bank.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use creditbank_client::Bank;
use creditbank_ledger::backed_up::BackedUp;
use creditbank_ledger::backup::{copy_place, head, remove_copy, small_options};
use creditbank_ledger::{BankKeys, BankOptions};
use creditbank_merkle::Checkpoint;
use creditbank_store::{Go, Store, part_from_keys};
use creditbank_wire::v1;

use super::keys::KeysWriter;
use super::manifest::{FileEntry, KeysEntry, Manifest, names};
use super::target::{Target, digest_of};
use crate::clock;

/// What is asked for.
pub(crate) struct Order<'a> {
    pub(crate) options: &'a BankOptions,
    pub(crate) keys: &'a BankKeys,
    /// Backups that stay, this one included; all of them if none is named.
    pub(crate) keep: Option<usize>,
}

/// What was done.
pub(crate) struct Made {
    pub(crate) name: String,
    /// Leaves in the backup.
    pub(crate) size: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// Files that were not there yet, and their bytes.
    pub(crate) new: (usize, u64),
    pub(crate) removed: usize,
}

/// Sees to it that one backup is made at a time, and notes for whoever watches the bank what became of it, from the first
/// step on: an address that nobody answers at is a failed backup too.
pub(crate) async fn noted(
    database: &Path,
    making: impl Future<Output = Result<Made>>,
) -> Result<Made> {
    let lock = database.with_file_name("backup.lock");
    let lock = File::create(&lock).with_context(|| lock.display().to_string())?;
    lock.try_lock()
        .context("another backup of this bank is being made")?;
    let made = making.await;
    let known = match &made {
        Ok(made) => BackedUp::finished(clock::seconds(), made.size),
        Err(_) => BackedUp::read(database).unwrap_or_default().failed_again(),
    };
    let noted = known.write(database);
    let made = made?;
    noted.context("the backup is made, but the bank cannot be told")?;
    Ok(made)
}

/// Has the running bank make a copy and brings it to the target. Whatever comes of it, the copy does not stay.
pub(crate) async fn make(bank: &Bank, target: &Target, order: &Order<'_>) -> Result<Made> {
    let database = &order.options.directory;
    let made = bring(bank, target, order).await;
    let removed = remove_copy(database);
    let made = made?;
    removed.with_context(|| format!("cannot remove {}", copy_place(database).display()))?;
    Ok(made)
}

async fn bring(bank: &Bank, target: &Target, order: &Order<'_>) -> Result<Made> {
    let copy = bank
        .call(v1::TakeCopyRequest {}, |line, it| async move {
            line.backups().take_copy(it).await
        })
        .await?;
    let place = copy_place(&order.options.directory);
    let stated = expect_copy(&place, &copy.checkpoint, order.keys)?;
    let (files, keys) = divide(&place)?;
    let mut new = (0, 0);
    for entry in &files {
        let path = place.join(&entry.name);
        if target.bytes(&entry.place()).await? != Some(entry.bytes) {
            let (name, digest) = (entry.place(), entry.digest());
            target.put_file(&name, &path, &digest).await?;
            new = (new.0 + 1, new.1 + entry.bytes);
        }
    }
    let (name, digest) = (keys.place(), keys.digest());
    target.put_file(&name, &place.join(KEYS), &digest).await?;
    let bytes = files.iter().map(|file| file.bytes).sum::<u64>() + keys.bytes;
    let manifest = Manifest::new(order.keys, clock::seconds(), copy.checkpoint, files, keys);
    let name = manifest.name()?;
    // From here on the backup is there.
    target.put(&name, manifest.to_bytes()).await?;
    let removed = prune(target, order.keep).await?;
    Ok(Made {
        name,
        size: stated.size.value(),
        files: manifest.files.len(),
        bytes,
        new,
        removed,
    })
}

const KEYS: &str = "learners.keys";

/// Makes sure that the copy in this folder is the one that the bank has just signed for: another bank may have answered.
fn expect_copy(place: &Path, checkpoint: &str, keys: &BankKeys) -> Result<Checkpoint> {
    let stated = Checkpoint::open(checkpoint, keys.log.verifier());
    let stated = stated.context("the bank that answered is not the bank of this folder")?;
    let store = Store::open_read_only(place, &small_options());
    let row = head(&store.context("the copy that the bank made")?)?;
    ensure!(
        (row.size, row.root) == (stated.size.value(), stated.root.0),
        "the copy in {} is not the one that the bank has signed for",
        place.display()
    );
    Ok(stated)
}

/// Takes learners' keys out of the copy, and tells what each part is.
fn divide(place: &Path) -> Result<(Vec<FileEntry>, KeysEntry)> {
    let path = place.join(KEYS);
    let failed = || path.display().to_string();
    let mut writer = KeysWriter::create(&path).with_context(failed)?;
    let mut wrote = Ok(());
    let files = part_from_keys(place, &small_options(), |learner, wrapped| {
        wrote = writer.put(learner, wrapped);
        match wrote {
            Ok(()) => Go::Continue(()),
            Err(_) => Go::Break(()),
        }
    })?;
    wrote.with_context(failed)?;
    let count = writer.finish().with_context(failed)?;
    let entry = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let digest = digest_of(path)?;
        Ok(FileEntry {
            name: name.to_string_lossy().into_owned(),
            bytes: digest.bytes,
            sha256: digest.sha256,
        })
    };
    let files = files.iter().map(entry).collect::<Result<_>>()?;
    let digest = digest_of(&path)?;
    let keys = KeysEntry {
        count,
        bytes: digest.bytes,
        sha256: digest.sha256,
    };
    Ok((files, keys))
}

/// Removes backups that are not to stay, then what none of those that stay needs; learners' keys are needed by the newest
/// alone. Gives how many backups went.
async fn prune(target: &Target, keep: Option<usize>) -> Result<usize> {
    let mut names = names(target).await?;
    let gone = keep.map_or(0, |keep| names.len().saturating_sub(keep.max(1)));
    for name in names.drain(..gone) {
        target.remove(&name).await?;
    }
    let mut needed = std::collections::BTreeSet::new();
    for (number, name) in names.iter().enumerate() {
        let manifest = Manifest::read(target, name).await?;
        needed.extend(manifest.files.iter().map(FileEntry::place));
        if number + 1 == names.len() {
            needed.insert(manifest.keys.place());
        }
    }
    for folder in ["files", "keys"] {
        for name in target.list(folder).await? {
            if !needed.contains(&name) {
                target.remove(&name).await?;
            }
        }
    }
    Ok(gone)
}
