//! Bringing a bank's database back from a backup.
//!
//! Everything is done in a folder beside the place of the database, which gets its name at the very end, after the
//! anchor: whatever breaks before, no bank starts from it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_ledger::peers::guard::PeerCosigned;
use creditbank_ledger::restore::{Restored, Returned, anchor};
use creditbank_ledger::{BankKeys, BankOptions};
use creditbank_store::DIRECTORY_FORMAT;

use super::keys;
use super::manifest::{Manifest, newest};
use super::target::Target;
use crate::mirror::{BUNDLE, PublicLog};

/// The file of learners' keys while it is brought.
const KEYS: &str = "learners.keys";

/// Which backup, and whose.
pub(crate) struct Source<'a> {
    pub(crate) target: &'a Target,
    /// Its name; the newest one if none is given.
    pub(crate) name: Option<&'a str>,
    /// A copy of the public log, which may have leaves that the backup has not.
    pub(crate) mirror: Option<&'a PublicLog>,
    /// What peers show of this bank's log.
    pub(crate) cosigned: &'a [PeerCosigned],
}

/// What was done.
pub(crate) struct Done {
    pub(crate) name: String,
    pub(crate) made_at_s: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// Learners' keys that were put back.
    pub(crate) keys: u64,
    /// Whether they are those of a newer backup than the database.
    pub(crate) newer_keys: bool,
    /// Whether an anchor was there, which says how far the log went.
    pub(crate) anchored: bool,
    pub(crate) log: Restored,
}

/// Restores into the place that the options name, where no database may be.
pub(crate) async fn restore(
    source: &Source<'_>,
    mut options: BankOptions,
    bank_keys: BankKeys,
) -> Result<Done> {
    let place = options.directory.clone();
    let beside = Beside::new(&place)?;
    let (newest_name, newest) = newest(source.target).await?;
    newest.expect_of(&bank_keys)?;
    let (name, manifest) = match source.name {
        Some(name) if name != newest_name => {
            let manifest = Manifest::read(source.target, name).await?;
            manifest.expect_of(&bank_keys)?;
            (name.to_owned(), manifest)
        }
        _ => (newest_name.clone(), newest.clone()),
    };
    let (found, known) = (manifest.database_format, DIRECTORY_FORMAT);
    ensure!(
        found <= known,
        "the backup holds a database of format {found}, and this program reads format {known}: use the program that made \
         it, or a newer one"
    );
    let bytes = bring(source.target, &manifest, &newest, &beside.0).await?;
    options.directory = beside.0.clone();
    let mut returned = Returned::open(options, bank_keys, &manifest.checkpoint)?;
    let learner_keys = beside.0.join(KEYS);
    let read = keys::read(&learner_keys).with_context(|| learner_keys.display().to_string())?;
    let put = returned.store().put_keys(read)?;
    fs::remove_file(&learner_keys)?;
    if let Some(mirror) = source.mirror {
        refill(&mut returned, mirror).await?;
    }
    let anchor_path = returned.anchor().to_owned();
    let anchored = anchor_path.exists();
    let log = returned.finish(source.cosigned)?;
    beside.settle(&place, &anchor_path, &log)?;
    Ok(Done {
        newer_keys: name != newest_name,
        anchored,
        name,
        made_at_s: manifest.made_at_s,
        files: manifest.files.len(),
        bytes,
        keys: put,
        log,
    })
}

/// Puts the leaves behind the log that a copy of it has beyond the backup.
async fn refill(returned: &mut Returned, mirror: &PublicLog) -> Result<()> {
    let note = mirror.checkpoint().await?;
    let signed = returned.signed(&note);
    let signed =
        signed.with_context(|| format!("the checkpoint at {mirror} is not of this bank"))?;
    let end = signed.size.value();
    if end <= returned.size() {
        return Ok(());
    }
    while returned.size() < end {
        let at = returned.size();
        let first = at - at % BUNDLE;
        let leaves = mirror
            .entries(first / BUNDLE, (end - first).min(BUNDLE))
            .await?;
        let new = leaves
            .get(usize::try_from(at - first)?..)
            .unwrap_or_default();
        ensure!(!new.is_empty(), "{mirror} has no leaf {at}");
        returned.refill(new)?;
    }
    Ok(returned.refilled(&note)?)
}

/// Brings all files, each read against its hash as it comes.
async fn bring(target: &Target, manifest: &Manifest, newest: &Manifest, to: &Path) -> Result<u64> {
    let files = manifest.files.iter();
    let files = files.map(|it| (it.place(), it.digest(), it.name.as_str()));
    let learner_keys = (newest.keys.place(), newest.keys.digest(), KEYS);
    let mut bytes = 0;
    for (place, digest, name) in files.chain([learner_keys]) {
        match target.fetch(&place, &to.join(name)).await? {
            Some(found) if found == digest => bytes += found.bytes,
            Some(_) => bail!("{place} ({name}) is damaged; restore another backup"),
            None => bail!("{place} ({name}) is missing; restore another backup"),
        }
    }
    Ok(bytes)
}

/// The folder in which a database is put together. It goes again unless it is settled.
pub(crate) struct Beside(PathBuf);

impl Beside {
    pub(crate) fn new(place: &Path) -> Result<Self> {
        ensure!(
            !place.exists(),
            "{} is there already; move it away first, with its anchor left where it is",
            place.display()
        );
        let path = place.with_added_extension("restoring");
        if path.exists() {
            // Of a restore that was cut off.
            fs::remove_dir_all(&path).with_context(|| path.display().to_string())?;
        }
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the folder its name, durably, once the anchor says what it holds. If we crash in between, there is an anchor and
    /// no database: a bank does not start, and a restore begins again.
    pub(crate) fn settle(mut self, place: &Path, anchor_path: &Path, log: &Restored) -> Result<()> {
        sync_folder(&self.0)?;
        anchor(anchor_path, log)?;
        fs::rename(&self.0, place).with_context(|| place.display().to_string())?;
        self.0 = PathBuf::new();
        sync_folder(place.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            drop(fs::remove_dir_all(&self.0));
        }
    }
}

fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use creditbank_merkle::{Checkpoint, Hash, TreeSize};

    use super::*;
    use crate::config::Folder;
    use crate::connection::block_on;

    /// The manifest is sealed, the files are whole, the bank has signed the checkpoint: but not for this log.
    #[test]
    fn a_log_that_is_not_the_one_of_its_checkpoint_is_not_restored() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1");
        let bank = Folder::new(&golden.join("bank"));
        let place = tempfile::tempdir().unwrap();
        let (keys, target) = (bank.keys().unwrap(), place.path().join("target"));
        for folder in ["files", "keys"] {
            fs::create_dir_all(target.join(folder)).unwrap();
            for entry in fs::read_dir(golden.join("backup").join(folder)).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), target.join(folder).join(entry.file_name())).unwrap();
            }
        }
        let restored = |change: fn(&mut Checkpoint)| {
            block_on(async {
                let from = golden.join("backup");
                let whole = Target::open(from.to_str().unwrap(), None, false)?;
                let (_, whole) = newest(&whole).await?;
                let mut stated = whole.stated()?;
                change(&mut stated);
                let note = stated.sign(&keys.log)?;
                let made = Manifest::new(&keys, 1, note, whole.files, whole.keys);
                let name = target.join("backups/made.json");
                fs::create_dir_all(target.join("backups"))?;
                fs::write(name, made.to_bytes())?;
                let target = Target::open(target.to_str().unwrap(), None, false)?;
                let mut options = bank.options(&bank.settings()?, None)?;
                options.directory = place.path().join("db");
                options.anchor = place.path().join("anchor");
                let source = Source {
                    target: &target,
                    name: None,
                    mirror: None,
                    cosigned: &[],
                };
                restore(&source, options, bank.keys()?).await
            })
        };
        for change in [
            (|it| it.size = TreeSize::new(122)) as fn(&mut Checkpoint),
            |it| it.size = TreeSize::new(124),
            |it| it.root = Hash([7; 32]),
        ] {
            let refused = restored(change).err().expect("it is another log");
            assert!(!place.path().join("db").exists(), "{refused:#}");
        }
        assert_eq!(restored(|_| ()).unwrap().log.size, 123);
    }
}
