//! Replacing the bank's own keys: what the log says of it, and learners' keys wrapped anew.
//!
//! A new key is admitted by an entry that the key before still signs, so whoever knows the old one is led to the new. Then
//! the new one takes over, and the old one is revoked by an entry. `src/rotation.rs` orders these steps around the files of
//! a bank's folder; each of them looks first at what is there, so that it can be repeated after a crash.

use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{KeyId, KeyPurpose, LeafIndex, PublicKey, Statement};
use creditbank_domain::registry::{KeyHistory, Registry};
use creditbank_domain::{Fault, Refusal};
use creditbank_merkle::{LogKey, LogKeys, VerifierKey};
use creditbank_store::{Store, StoreError};
use ed25519_dalek::VerifyingKey;
use prost::Message;

use crate::bank::{Bank, BankError};
use crate::recover;
use crate::vault::{KeyEncryptionId, KeyEncryptionKey, wrapped_by};

/// Learners' keys wrapped anew by one write.
const REWRAPPED_MAX: usize = 4096;

/// Why learners' keys were not all wrapped anew.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A wrapped key that neither key opens.
    #[error(
        "a learner's key was wrapped by another key-encryption key than the two that are here: nothing more is changed"
    )]
    Foreign,
}

impl Bank {
    /// Admits keys of this bank by entries of its log, all or none; those that it knows are left as they are.
    ///
    /// # Errors
    /// If the bank does not take the entries.
    pub async fn announce_keys(&self, keys: Vec<PublicKey>) -> Result<(), Fault> {
        let head = self.head();
        let unknown = |key: &PublicKey| head.registry.key(&key.id()).is_none();
        let stated = keys.into_iter().filter(unknown).map(|key| {
            let institution = InstitutionId::bank();
            Statement::KeyAdmitted { institution, key }
        });
        match stated.collect::<Vec<_>>() {
            none if none.is_empty() => Ok(()),
            stated => self.state(stated).await.map(drop),
        }
    }

    /// Admits a key of this bank and revokes the one that it replaces, by one batch; nothing, if it is admitted.
    ///
    /// # Errors
    /// As [`announce_keys`](Self::announce_keys).
    pub async fn replace_key(&self, key: PublicKey, before: KeyId) -> Result<(), Fault> {
        let head = self.head();
        if head.registry.key(&key.id()).is_some() {
            return Ok(());
        }
        let institution = InstitutionId::bank();
        let admitted = Statement::KeyAdmitted { institution, key };
        let gone = head.registry.key(&before).map(|(_, history)| history);
        let gone = gone.filter(|history| history.valid_until.is_none());
        let gone = gone.map(|history| revoked(history.id, None));
        let stated = std::iter::once(admitted).chain(gone).collect();
        self.state(stated).await.map(drop)
    }

    /// Revokes every key of this bank for `purpose` but `kept`, which must be admitted; gives how many they were.
    ///
    /// # Errors
    /// As [`announce_keys`](Self::announce_keys).
    pub async fn retire_keys(
        &self,
        purpose: KeyPurpose,
        kept: &KeyId,
        doubtful_from: Option<LeafIndex>,
    ) -> Result<usize, Fault> {
        let head = self.head();
        let keys: Vec<_> = in_force(&head.registry, purpose).collect();
        if keys.iter().all(|history| history.id != *kept) {
            return Err(Refusal::KeyUnknown.at(""));
        }
        let gone = keys.iter().filter(|history| history.id != *kept);
        let gone: Vec<_> = gone.map(|it| revoked(it.id, doubtful_from)).collect();
        let count = gone.len();
        if count > 0 {
            self.state(gone).await?;
        }
        Ok(count)
    }

    /// The receipt of the entry that admits a key of this bank, as bytes of a `Receipt`.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn announcement(&self, key: &KeyId) -> Result<Vec<u8>, StoreError> {
        let head = self.head();
        let found = head.registry.key(key);
        // A key is valid from behind the entry that admits it.
        let entry = found.and_then(|(_, history)| history.valid_from.0.checked_sub(1));
        let receipt = entry.map(|at| head.receipt(LeafIndex(at))).transpose()?;
        Ok(receipt.unwrap_or_default().encode_to_vec())
    }
}

fn revoked(key_id: KeyId, doubtful_from: Option<LeafIndex>) -> Statement {
    Statement::KeyRevoked {
        institution: InstitutionId::bank(),
        key_id,
        doubtful_from,
    }
}

/// What the log of a database says: institutions and keys.
///
/// # Errors
/// If it cannot be read.
pub fn registered(store: &Store) -> Result<Registry, BankError> {
    Ok(recover::registry(&store.snapshot())?.0)
}

/// Keys of the bank itself that were not revoked, oldest first.
pub fn in_force(registry: &Registry, purpose: KeyPurpose) -> impl Iterator<Item = &KeyHistory> {
    of_bank(registry, purpose).filter(|history| history.valid_until.is_none())
}

/// Every key that the bank ever had for a purpose, oldest first, as far as its log says.
pub fn of_bank(registry: &Registry, purpose: KeyPurpose) -> impl Iterator<Item = &KeyHistory> {
    let bank = registry.institution(InstitutionId::BANK);
    let keys = bank.into_iter().flat_map(|bank| &bank.keys);
    keys.filter(move |history| history.key.purpose == purpose)
}

/// The keys of this bank's log with the sizes that each signs: those that its log names, and the one in use. The first was
/// in use before any entry named it. One that was compromised signs nothing, since who has it can date back.
pub fn log_keys(registry: &Registry, in_use: &VerifierKey) -> LogKeys {
    let stated = of_bank(registry, KeyPurpose::Log).enumerate();
    let stated = stated.filter_map(|(number, history)| {
        let key = VerifyingKey::from_bytes(&history.key.bytes).ok()?;
        let first = if number == 0 { 0 } else { history.valid_from.0 };
        let last = history.valid_until.map_or(u64::MAX, |until| until.0);
        Some(LogKey {
            key: VerifierKey::new(in_use.name(), key).ok()?,
            sizes: history.doubtful_from.is_none().then_some(first..=last),
            announced: Vec::new(),
        })
    });
    let mut keys: Vec<_> = stated.collect();
    if keys.iter().all(|it| it.key != *in_use) {
        keys.push(LogKey::of_all_sizes(in_use.clone()));
    }
    keys.reverse();
    LogKeys::new(keys)
        .expect("a registry has at most 256 keys of the bank, and at least one is in use")
}

/// Wraps every learner's key by `key`, which must replace the one that has wrapped them, and forces the old bytes out of the
/// files. `written` is told how many are done after every write: if we crash anywhere, both keys are still needed, every row
/// says which one opens it, and a repetition goes on. The bank must not run.
///
/// # Errors
/// If a row is wrapped by a third key, or the store fails.
pub fn rewrap(
    store: &Store,
    key: &KeyEncryptionKey,
    mut written: impl FnMut(u64),
) -> Result<u64, RewrapError> {
    let (mut after, mut done) = (None, 0);
    loop {
        let rows = store.wrapped_keys(after, REWRAPPED_MAX)?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(*last);
        let mut renewed = Vec::with_capacity(rows.len());
        for (learner, wrapped) in &rows {
            let again = key.rewrap(*learner, wrapped);
            let again = again.map_err(|_| RewrapError::Foreign)?;
            renewed.extend(again.map(|again| (*learner, again)));
        }
        store.replace_wrapped_keys(&renewed)?;
        done += rows.len() as u64;
        written(done);
    }
    store.compact_wrapped_keys()?;
    Ok(done)
}

/// How many learners' keys there are, and how many of them `key` has wrapped.
///
/// # Errors
/// If the store fails.
pub fn wrapped(store: &Store, key: KeyEncryptionId) -> Result<(u64, u64), StoreError> {
    let (mut after, mut all, mut by_it) = (None, 0, 0);
    loop {
        let rows = store.wrapped_keys(after, REWRAPPED_MAX)?;
        let Some((last, _)) = rows.last() else {
            return Ok((all, by_it));
        };
        after = Some(*last);
        all += rows.len() as u64;
        let by = rows.iter().filter(|(_, row)| wrapped_by(row) == Some(key));
        by_it += by.count() as u64;
    }
}
