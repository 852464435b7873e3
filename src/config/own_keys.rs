//! The secret keys of a bank's folder, each with the one that is to replace it, and the public lists of its log's keys and of
//! the keys that signed its records.
//!
//! `secrets/NAME.next.key` lies beside `secrets/NAME.key` while a key is replaced. Every file changes as a whole: written
//! beside, synced, renamed, the folder synced. So a crash leaves one or the other, and the bank starts with either.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result, ensure};
use creditbank_client::InstitutionKeys;
use creditbank_domain::record::{Algorithm, KeyPurpose, PublicKey};
use creditbank_ledger::BankKeys;
use creditbank_ledger::peers::seal::SealKey;
use creditbank_ledger::vault::random_seed;
use creditbank_merkle::{Cosigner, LogKeys, NoteSigner};
use zeroize::Zeroizing;

use super::{Folder, PUBLIC_KEY, SECRETS, ed25519_key, seed_text};
use crate::print::hex;

const FORMER_SIGNERS: &str = "former-signers.pub";

/// A key of the bank that can be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OwnKey {
    /// Signs the checkpoints of the log
    Log,
    /// Signs the bank's own records
    Bank,
    /// Wraps the learners' keys
    KeyEncryption,
    /// Authenticates the operator's calls
    Operator,
    /// Signs credentials and codes
    Credential,
    /// Cosigns the checkpoints of peers
    Cosign,
    /// Opens packages of peers
    Seal,
    /// Authenticates calls at peers
    Peer,
}

impl OwnKey {
    /// Those that the log's own entries admit and revoke.
    pub(crate) fn is_in_own_log(self) -> bool {
        matches!(self, Self::Log | Self::Bank | Self::Credential)
    }

    /// What it is registered for; nothing registers the one that wraps.
    pub(crate) const fn purpose(self) -> Option<KeyPurpose> {
        Some(match self {
            Self::Log => KeyPurpose::Log,
            Self::Bank => KeyPurpose::Sign,
            Self::KeyEncryption => return None,
            Self::Operator | Self::Peer => KeyPurpose::Authenticate,
            Self::Credential => KeyPurpose::Credential,
            Self::Cosign => KeyPurpose::Cosign,
            Self::Seal => KeyPurpose::Seal,
        })
    }

    /// As the command line names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Bank => "bank",
            Self::KeyEncryption => "key-encryption",
            Self::Operator => "operator",
            Self::Credential => "credential",
            Self::Cosign => "cosign",
            Self::Seal => "seal",
            Self::Peer => "peer",
        }
    }

    /// Its file, from the folder.
    pub(crate) fn file(self) -> String {
        self.place(".key")
    }

    /// The file of the key that is to replace it.
    pub(crate) fn next_file(self) -> String {
        self.place(".next.key")
    }

    fn place(self, ending: &str) -> String {
        let name = self.name();
        match self {
            Self::Operator => format!("{name}{ending}"),
            _ => format!("{SECRETS}/{name}{ending}"),
        }
    }
}

impl Folder {
    /// Whether a key is being replaced.
    pub(crate) fn has_next(&self, key: OwnKey) -> bool {
        self.has(&key.next_file())
    }

    /// Makes the key that is to replace another, unless it is there.
    pub(crate) fn make_next(&self, key: OwnKey) -> Result<()> {
        if self.has_next(key) {
            return Ok(());
        }
        ensure!(
            self.has(&key.file()),
            "{} is not there, so nothing can replace it",
            key.file()
        );
        let seed = random_seed();
        let text = match key {
            OwnKey::Log => {
                let name = self.log_signer(&key.file())?.name().to_owned();
                let next = NoteSigner::new(&name, ed25519_key(&seed))?;
                Zeroizing::new(format!("{}\n", next.to_secret_text()))
            }
            OwnKey::Operator => self
                .operator(&key.file())?
                .with_authenticate(&seed)
                .to_file(),
            _ => Zeroizing::new(seed_text(&seed)),
        };
        self.put(&key.next_file(), text.as_bytes())
    }

    /// The next key takes the place of the one that it replaces, whose file is gone with that.
    pub(crate) fn take_over(&self, key: OwnKey) -> Result<()> {
        let [from, to] = [key.next_file(), key.file()].map(|name| self.0.join(name));
        fs::rename(&from, &to).with_context(|| from.display().to_string())?;
        self.sync_parent(&key.file())
    }

    /// The public half of a key, or of the one that is to replace it; `None` where there is none.
    pub(crate) fn public_half(&self, key: OwnKey, next: bool) -> Result<Option<PublicKey>> {
        let name = if next { key.next_file() } else { key.file() };
        let (Some(purpose), true) = (key.purpose(), self.has(&name)) else {
            return Ok(None);
        };
        let bytes = match key {
            OwnKey::Log => self.log_signer(&name)?.verifier().key().to_bytes(),
            OwnKey::Operator => self.operator(&name)?.public(purpose).bytes,
            OwnKey::Seal => *SealKey::new(&*self.seed(&name)?)?.public(),
            _ => ed25519_key(&*self.seed(&name)?).verifying_key().to_bytes(),
        };
        let algorithm = match purpose {
            KeyPurpose::Seal => Algorithm::X25519,
            _ => Algorithm::Ed25519,
        };
        Ok(Some(PublicKey {
            algorithm,
            bytes,
            purpose,
        }))
    }

    /// The keys of which others are to learn: where one is being replaced, the next.
    pub(crate) fn newest_keys(&self) -> Result<BankKeys> {
        let mut keys = self.keys()?;
        let next = |key: OwnKey| self.seed_if_any(&key.next_file());
        if let Some(seed) = next(OwnKey::Cosign)? {
            keys.cosign = Some(Cosigner::new(keys.log.name(), ed25519_key(&seed))?);
        }
        if let Some(seed) = next(OwnKey::Bank)? {
            keys.bank = ed25519_key(&seed);
        }
        if let Some(seed) = next(OwnKey::Peer)? {
            keys.peer = Some(ed25519_key(&seed));
        }
        keys.seal = keys.seal_next.take().or(keys.seal);
        keys.log = keys.log_next.take().unwrap_or(keys.log);
        Ok(keys)
    }

    /// The operator's file holds the bank's key too: brings the two together.
    pub(crate) fn renew_operator(&self) -> Result<()> {
        for name in [OwnKey::Operator.file(), OwnKey::Operator.next_file()] {
            if self.has(&name) {
                let bank = self.seed(&OwnKey::Bank.file())?;
                let renewed = self.operator(&name)?.with_sign(&bank);
                self.put(&name, renewed.to_file().as_bytes())?;
            }
        }
        Ok(())
    }

    /// The public keys of the log, as everybody is given them.
    pub(crate) fn log_keys(&self) -> Result<LogKeys> {
        crate::connection::read_log_keys(&self.0.join(PUBLIC_KEY))
    }

    /// Writes them.
    pub(crate) fn write_log_keys(&self, keys: &LogKeys) -> Result<()> {
        put(&self.0.join(PUBLIC_KEY), keys.to_string().as_bytes(), 0o644)
    }

    /// Public keys that signed the bank's records before, in hexadecimal: a peer that comes later needs them too.
    pub(crate) fn former_signers(&self) -> Result<Vec<String>> {
        if !self.has(FORMER_SIGNERS) {
            return Ok(Vec::new());
        }
        let text = self.secret(FORMER_SIGNERS)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Public keys beside the newest under which the bank's records are read: the former ones, and the one that still signs
    /// while it is being replaced.
    pub(crate) fn other_signers(&self) -> Result<Vec<String>> {
        let mut keys = self.former_signers()?;
        if self.has_next(OwnKey::Bank) {
            let now = self.public_half(OwnKey::Bank, false)?;
            keys.extend(now.map(|key| hex(&key.bytes)));
        }
        Ok(keys)
    }

    /// Writes them.
    pub(crate) fn write_former_signers(&self, keys: &[String]) -> Result<()> {
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        put(&self.0.join(FORMER_SIGNERS), text.as_bytes(), 0o644)
    }

    fn operator(&self, name: &str) -> Result<InstitutionKeys> {
        let text = Zeroizing::new(self.secret(name)?);
        InstitutionKeys::parse(&text).with_context(|| name.to_owned())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        put(&self.0.join(name), bytes, 0o600)
    }

    fn sync_parent(&self, name: &str) -> Result<()> {
        sync_parent(&self.0.join(name))
    }
}

/// Writes a file as a whole.
pub(crate) fn put(path: &std::path::Path, bytes: &[u8], mode: u32) -> Result<()> {
    let beside = path.with_added_extension("new");
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file = options.open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().with_context(|| path.display().to_string())?;
    sync_parent(path)
}

fn sync_parent(path: &std::path::Path) -> Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| folder.display().to_string())
}
