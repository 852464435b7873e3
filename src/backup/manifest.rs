//! What one backup consists of.

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_ledger::BankKeys;
use creditbank_ledger::backup::{is_sealed, seal};
use creditbank_merkle::Checkpoint;
use serde::{Deserialize, Serialize};

use super::target::{Digest, Target};
use crate::print::{from_hex, hex};

/// Where manifests lie.
pub(crate) const BACKUPS: &str = "backups";
const FORMAT: u32 = 1;
/// Most characters of a file's name.
const NAME_MAX: usize = 64;

/// One backup. Whoever can write to the target can write a manifest, but not seal it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    format: u32,
    /// The program that made it.
    program: String,
    /// Name of the log.
    pub(crate) origin: String,
    /// Seconds since the epoch.
    pub(crate) made_at_s: u64,
    /// Signed checkpoint of exactly the log in the backup.
    pub(crate) checkpoint: String,
    /// Format of the database.
    pub(crate) database_format: u32,
    /// Files of the database, without learners' keys.
    pub(crate) files: Vec<FileEntry>,
    /// Learners' keys; those of the newest backup alone are there.
    pub(crate) keys: KeysEntry,
    /// HMAC-SHA-256 of all else, under a key that only the bank has; hexadecimal.
    seal: String,
}

/// A file of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// The file of learners' keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeysEntry {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl FileEntry {
    pub(crate) fn place(&self) -> String {
        format!("files/{}", self.sha256)
    }

    pub(crate) fn digest(&self) -> Digest {
        digest(self.bytes, &self.sha256)
    }
}

impl KeysEntry {
    pub(crate) fn place(&self) -> String {
        format!("keys/{}", self.sha256)
    }

    pub(crate) fn digest(&self) -> Digest {
        digest(self.bytes, &self.sha256)
    }
}

fn digest(bytes: u64, sha256: &str) -> Digest {
    let sha256 = sha256.to_owned();
    Digest { bytes, sha256 }
}

impl Manifest {
    /// A new one, sealed.
    pub(crate) fn new(
        keys: &BankKeys,
        made_at_s: u64,
        checkpoint: String,
        files: Vec<FileEntry>,
        learner_keys: KeysEntry,
    ) -> Self {
        let mut made = Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            origin: keys.log.name().to_owned(),
            made_at_s,
            checkpoint,
            database_format: creditbank_store::DIRECTORY_FORMAT,
            files,
            keys: learner_keys,
            seal: String::new(),
        };
        made.seal = hex(&seal(keys, &made.sealed()));
        made
    }

    fn sealed(&self) -> Vec<u8> {
        let bare = Self {
            seal: String::new(),
            ..self.clone()
        };
        serde_json::to_vec(&bare).expect("plain data")
    }

    /// Refuses a manifest that this bank has not sealed.
    pub(crate) fn expect_of(&self, keys: &BankKeys) -> Result<()> {
        let (origin, own) = (&self.origin, keys.log.name());
        ensure!(
            origin == own,
            "the backup is one of {origin}, the keys are those of {own}"
        );
        let seal = from_hex(&self.seal).unwrap_or_default();
        ensure!(
            is_sealed(keys, &self.sealed(), &seal),
            "the backup's manifest was not made by this bank, or was changed since"
        );
        Ok(())
    }

    /// Its name at the target: by size of the log, then by time, so that the newest comes last.
    pub(crate) fn name(&self) -> Result<String> {
        let size = self.stated()?.size.value();
        Ok(format!("{BACKUPS}/{size:020}-{:012}.json", self.made_at_s))
    }

    /// What its checkpoint says; whether it is signed is asked when it is restored.
    pub(crate) fn stated(&self) -> Result<Checkpoint> {
        let text = self.checkpoint.split("\n\n").next().unwrap_or_default();
        Checkpoint::parse(&format!("{text}\n")).context("the checkpoint of the backup")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("plain data");
        text.push(b'\n');
        text
    }

    /// Reads one, as anybody may have written it.
    pub(crate) async fn read(target: &Target, name: &str) -> Result<Self> {
        let bytes = target.get(name).await?;
        let parsed = Self::parse(&bytes);
        parsed.with_context(|| format!("{name} is no manifest of a backup"))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Any {
            format: u32,
        }
        let Any { format } = serde_json::from_slice(bytes)?;
        if format != FORMAT {
            bail!("it has format {format}; this program reads format {FORMAT}");
        }
        let manifest: Self = serde_json::from_slice(bytes)?;
        for file in &manifest.files {
            ensure!(is_file_name(&file.name), "it names no plain file");
        }
        let mut hashes = manifest.files.iter().map(|file| &file.sha256);
        ensure!(
            hashes.all(|it| is_hash(it)) && is_hash(&manifest.keys.sha256),
            "a hash is not one"
        );
        manifest.stated()?;
        Ok(manifest)
    }
}

/// Names of a target's backups, the newest last.
pub(crate) async fn names(target: &Target) -> Result<Vec<String>> {
    let mut names = target.list(BACKUPS).await?;
    names.retain(|name| name.ends_with(".json"));
    Ok(names)
}

/// The newest backup of a target.
pub(crate) async fn newest(target: &Target) -> Result<(String, Manifest)> {
    let name = names(target).await?.pop().context("there is no backup")?;
    let manifest = Manifest::read(target, &name).await?;
    Ok((name, manifest))
}

/// What RocksDB calls its files: nothing that leads elsewhere.
fn is_file_name(name: &str) -> bool {
    let plain = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'.';
    (1..=NAME_MAX).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(edit: impl Fn(&mut serde_json::Value)) -> Result<Manifest> {
        let hash = "ab".repeat(32);
        let mut json = serde_json::json!({
            "format": 1, "program": "0.1.0", "origin": "bank.test/log", "made_at_s": 1,
            "checkpoint": format!("bank.test/log\n3\n{}=\n\n— signed\n", "A".repeat(43)),
            "database_format": 1,
            "files": [{"name": "000012.sst", "bytes": 5, "sha256": hash}],
            "keys": {"count": 1, "bytes": 5, "sha256": hash},
            "seal": hash,
        });
        edit(&mut json);
        Manifest::parse(&serde_json::to_vec(&json).unwrap())
    }

    #[test]
    fn no_manifest_ends_in_a_panic() {
        crate::fuzz::replay("files/manifest", |bytes| {
            let Ok(manifest) = Manifest::parse(bytes) else {
                return;
            };
            assert!(manifest.name().is_ok());
            assert_eq!(Manifest::parse(&manifest.to_bytes()).unwrap(), manifest);
            let mut files = manifest.files.iter();
            assert!(files.all(|file| !file.name.contains(['/', '\0']) && file.place().len() == 70));
        });
    }

    #[test]
    fn a_manifest_leads_nowhere_but_to_plain_files() {
        assert_eq!(
            manifest(|_| ()).unwrap().name().unwrap(),
            format!("backups/{:020}-{:012}.json", 3, 1)
        );
        for name in ["", "..", ".hidden", "../x", "a/b", "/etc/passwd", "a\0"] {
            assert!(manifest(|it| it["files"][0]["name"] = name.into()).is_err());
        }
        for hash in ["", "../x", &"AB".repeat(32)] {
            assert!(manifest(|it| it["files"][0]["sha256"] = hash.into()).is_err());
            assert!(manifest(|it| it["keys"]["sha256"] = hash.into()).is_err());
        }
        assert!(manifest(|it| it["more"] = 1.into()).is_err());
        let newer = manifest(|it| it["format"] = 2.into()).unwrap_err();
        assert!(newer.to_string().contains("format 2"), "{newer}");
    }
}
