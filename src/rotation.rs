//! The order in which a stopped bank's key is replaced: the new key is made, announced, takes over, and the old one is
//! retired. Every step looks first at what is there, so whatever a crash leaves, the bank starts, and the same command goes
//! on.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use creditbank_domain::record::{Algorithm, KeyId, KeyPurpose, PublicKey};
use creditbank_domain::registry::Registry;
use creditbank_domain::{Fault, LeafIndex};
use creditbank_ledger::peers::guard;
use creditbank_ledger::rotation::{self, in_force};
use creditbank_ledger::{Bank, Step, StepTrap, open_stopped};
use creditbank_merkle::{LogKey, LogKeys};
use creditbank_store::Store;
use creditbank_wire::status::text;

use crate::config::{Folder, OwnKey, Settings};
use crate::print::hex;

/// A bank's folder while its keys are replaced.
pub(crate) struct Rotation {
    folder: Folder,
    settings: Settings,
    trap: Option<StepTrap>,
}

impl Rotation {
    pub(crate) fn new(folder: Folder, trap: Option<StepTrap>) -> Result<Self> {
        Ok(Self {
            settings: folder.settings()?,
            folder,
            trap,
        })
    }

    /// Makes the key that is to replace one, and has the log admit it where the log is to know it.
    pub(crate) async fn announce(&self, key: OwnKey) -> Result<()> {
        let registry = self.registry()?;
        ensure!(
            self.folder.has_next(key) || !self.is_unfinished(key, &registry)?,
            "the key before was not retired yet: run `creditbank keys finish {}` first",
            key.name()
        );
        self.folder.make_next(key)?;
        self.reach(Step::RotationKeyMade);
        if key.is_in_own_log() {
            self.admit(key).await?;
        }
        Ok(())
    }

    /// The announced key takes over, and the log revokes the one before; `since` says from which leaf on that one was in
    /// other hands.
    pub(crate) async fn finish(&self, key: OwnKey, since: Option<LeafIndex>) -> Result<()> {
        if self.folder.has_next(key) {
            if key.is_in_own_log() {
                self.admit(key).await?;
            } else {
                drop(self.registry()?);
            }
            self.folder.take_over(key)?;
            self.reach(Step::RotationSwitched);
        } else if !self.is_unfinished(key, &self.registry()?)? {
            bail!(
                "no {} key is being replaced: `creditbank keys rotate` begins it",
                key.name()
            );
        }
        if key == OwnKey::Bank {
            self.folder.renew_operator()?;
        }
        if key.is_in_own_log() {
            self.retire(key, since).await?;
        }
        Ok(())
    }

    /// Both at once. What a crash left of it is finished first, and then it is enough.
    pub(crate) async fn rotate_at_once(&self, key: OwnKey, since: Option<LeafIndex>) -> Result<()> {
        let is_begun = self.folder.has_next(key) || self.is_unfinished(key, &self.registry()?)?;
        if !is_begun {
            self.announce(key).await?;
        }
        self.finish(key, since).await
    }

    /// Replaces the key of the operator's calls: the log admits one and revokes the other at once, since no server has it.
    pub(crate) async fn operator(&self) -> Result<()> {
        let key = OwnKey::Operator;
        drop(self.registry()?);
        self.folder.make_next(key)?;
        self.reach(Step::RotationKeyMade);
        let (before, next) = (self.public(key, false)?, self.public(key, true)?);
        let replace = async |bank: &Bank| {
            let replaced = bank.replace_key(next, before.id()).await;
            replaced.map_err(refused)
        };
        self.with_bank(replace).await?;
        self.reach(Step::RotationAnnounced);
        self.folder.take_over(key)?;
        self.reach(Step::RotationSwitched);
        Ok(())
    }

    /// Wraps every learner's key anew; gives how many they are.
    pub(crate) fn key_encryption(&self, progress: impl Fn(u64)) -> Result<u64> {
        let key = OwnKey::KeyEncryption;
        let store = self.open()?;
        self.folder.make_next(key)?;
        self.reach(Step::RotationKeyMade);
        // If we crash from here on, the folder holds both keys until every row is wrapped by the new one.
        let both = self.folder.key_encryption()?;
        let both = both.context("the key-encryption key is not there")?;
        let wrapped = rotation::rewrap(&store, &both, |done| {
            self.reach(Step::RotationRewrapped);
            progress(done);
        })?;
        store.close()?;
        self.folder.take_over(key)?;
        self.reach(Step::RotationSwitched);
        Ok(wrapped)
    }

    async fn admit(&self, key: OwnKey) -> Result<()> {
        let next = self.public(key, true)?;
        // No entry names the first key of a log: it says who it is before it hands over.
        let first = (key == OwnKey::Log).then(|| self.public(key, false));
        let keys: Vec<_> = first.transpose()?.into_iter().chain([next]).collect();
        self.with_bank(async |bank| {
            bank.announce_keys(keys).await.map_err(refused)?;
            self.reach(Step::RotationAnnounced);
            self.publish(key, bank)
        })
        .await
    }

    async fn retire(&self, key: OwnKey, since: Option<LeafIndex>) -> Result<()> {
        let own = self.public(key, false)?;
        self.with_bank(async |bank| {
            let retired = bank.retire_keys(own.purpose, &own.id(), since).await;
            retired.map_err(refused)?;
            self.reach(Step::RotationRetired);
            self.publish(key, bank)
        })
        .await
    }

    /// Writes what others are to know of keys that the log has admitted or revoked.
    fn publish(&self, key: OwnKey, bank: &Bank) -> Result<()> {
        match key {
            OwnKey::Log => self.publish_log_keys(bank),
            OwnKey::Bank => {
                let former = former_signers(&bank.head().registry);
                self.folder.write_former_signers(&former)
            }
            _ => Ok(()),
        }
    }

    /// Writes `bank.pub`. What announces a key is the receipt under the key before, as it was when the two signed together.
    fn publish_log_keys(&self, bank: &Bank) -> Result<()> {
        let written = self.folder.log_keys()?;
        let now = bank.log_keys();
        let oldest = now.all().len() - 1;
        let with_receipt = |(place, it): (usize, &LogKey)| {
            let known = written.find(&it.key).map(|known| known.announced.clone());
            let known = known.filter(|known| !known.is_empty());
            let announced = match known {
                Some(known) => known,
                None if place == oldest => Vec::new(),
                None => bank.announcement(&log_key_id(it))?,
            };
            Ok(LogKey {
                announced,
                ..it.clone()
            })
        };
        let keys = now.all().iter().enumerate().map(with_receipt);
        let keys = LogKeys::new(keys.collect::<Result<_>>()?)?;
        self.folder.write_log_keys(&keys)
    }

    /// Whether a key took over, and the one before was not revoked, or others were not told of it.
    fn is_unfinished(&self, key: OwnKey, registry: &Registry) -> Result<bool> {
        let own = self.folder.public_half(key, false)?;
        let Some(own) = own.filter(|_| key.is_in_own_log()) else {
            return Ok(false);
        };
        let mut others = in_force(registry, own.purpose).filter(|it| it.id != own.id());
        let is_behind = registry.key(&own.id()).is_some() && others.next().is_some();
        Ok(is_behind || !self.is_published(key, registry)?)
    }

    fn is_published(&self, key: OwnKey, registry: &Registry) -> Result<bool> {
        match key {
            OwnKey::Log => {
                let lines = |keys: &LogKeys| {
                    let lines = keys.all().iter();
                    let lines = lines.map(|it| (it.key.to_string(), it.sizes.clone()));
                    lines.collect::<Vec<_>>()
                };
                let keys = rotation::log_keys(registry, self.folder.keys()?.log.verifier());
                Ok(lines(&self.folder.log_keys()?) == lines(&keys))
            }
            OwnKey::Bank => Ok(self.folder.former_signers()? == former_signers(registry)),
            _ => Ok(true),
        }
    }

    fn public(&self, key: OwnKey, next: bool) -> Result<PublicKey> {
        let public = self.folder.public_half(key, next)?;
        public.with_context(|| format!("the {} key is not there", key.name()))
    }

    /// What the log says; refuses while the bank runs.
    fn registry(&self) -> Result<Registry> {
        let store = self.open()?;
        let registry = rotation::registered(&store)?;
        store.close()?;
        Ok(registry)
    }

    fn open(&self) -> Result<Store> {
        let options = self.folder.options(&self.settings, None)?;
        Ok(open_stopped(&options)?)
    }

    /// Opens the bank as a server does, without serving.
    async fn with_bank(&self, work: impl AsyncFnOnce(&Bank) -> Result<()>) -> Result<()> {
        let options = self.folder.options(&self.settings, self.trap.clone())?;
        let keys = self.folder.keys()?;
        let cosigned = guard::gather(&options.peers, keys.log.name()).await;
        let (bank, sequencer) = Bank::open(options, keys, &cosigned)?;
        let done = work(&bank).await;
        bank.stop().await;
        let ended = tokio::task::block_in_place(|| sequencer.join());
        ended
            .ok()
            .context("the sequencer ended by a broken invariant; see the log")?;
        bank.store().close()?;
        drop::<Arc<Bank>>(bank);
        done
    }

    fn reach(&self, step: Step) {
        if let Some(trap) = &self.trap {
            trap.reach(step);
        }
    }
}

/// A refusal of the ledger, as people are told one.
fn refused(fault: Fault) -> anyhow::Error {
    let (zh, en) = text(&fault.refusal);
    anyhow!("{}: {en} {zh}", fault.refusal.code())
}

/// Public keys that signed the bank's records before, in hexadecimal, but for those that were stolen.
fn former_signers(registry: &Registry) -> Vec<String> {
    let keys = rotation::of_bank(registry, KeyPurpose::Sign);
    let former = keys.filter(|it| it.valid_until.is_some() && it.doubtful_from.is_none());
    former.map(|it| hex(&it.key.bytes)).collect()
}

fn log_key_id(key: &LogKey) -> KeyId {
    KeyId::of(Algorithm::Ed25519, key.key.key().as_bytes())
}
