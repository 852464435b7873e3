//! The vault: what a learner did, sealed under a key of that learner.
//!
//! Each learner has a random 256-bit data key, wrapped by the bank's key-encryption key, which never lies in the
//! database. Sealing needs no leaf index, so it runs before the sequencer; only the time of deposit is written into
//! the clear header later.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use creditbank_domain::identifier::RecordId;
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::InstitutionNumber;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 30;
const DEPOSITED_AT: std::ops::Range<usize> = 6..14;
const WRAP_CONTEXT: &[u8] = b"creditbank/key/v1\n";
const WRAP_FORMAT: u8 = 2;
const WRAP_NAMED_CONTEXT: &[u8] = b"creditbank/key/v2\n";
const WRAP_ID_CONTEXT: &[u8] = b"creditbank/key-encryption-key/v1\n";
/// A data key that is wrapped without saying by what: nonce, key, tag.
const WRAPPED_BYTES: usize = NONCE_LEN + 32 + 16;
const RECORD_CONTEXT: &[u8] = b"creditbank/vault/v1\n";
const ACCESS_CONTEXT: &[u8] = b"creditbank/access/v1\n";
const PROFILE_CONTEXT: &[u8] = b"creditbank/profile/v1\n";

/// What was sealed does not open: another key, or damaged bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed bytes do not open")]
pub struct SealError;

/// The key that wraps the learners' keys. Given to the server, never stored in the database. While it takes over from
/// another, it opens what either has wrapped.
pub struct KeyEncryptionKey {
    id: KeyEncryptionId,
    key: LessSafeKey,
    before: Option<Box<KeyEncryptionKey>>,
}

/// Names a key-encryption key: the first 8 bytes of SHA-256(context ‖ key). Every wrapped key says which one wraps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEncryptionId(pub [u8; 8]);

/// A learner's data key.
pub struct DataKey(LessSafeKey);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

impl KeyEncryptionKey {
    /// From 32 secret bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let digest = Sha256::new()
            .chain_update(WRAP_ID_CONTEXT)
            .chain_update(bytes);
        let digest: [u8; 32] = digest.finalize().into();
        let id = *digest.first_chunk().expect("8 of 32 bytes");
        Self {
            id: KeyEncryptionId(id),
            key: key(bytes),
            before: None,
        }
    }

    /// This key, which takes over from another.
    #[must_use]
    pub fn replacing(self, before: Self) -> Self {
        Self {
            before: Some(Box::new(before)),
            ..self
        }
    }

    /// Its name.
    pub fn id(&self) -> KeyEncryptionId {
        self.id
    }

    /// A new data key for a learner, and its wrapped form.
    pub fn new_data_key(&self, learner: u64) -> (Arc<DataKey>, Vec<u8>) {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(&mut bytes[..]);
        (Arc::new(DataKey(key(&bytes))), self.wrap(learner, &bytes))
    }

    /// Unwraps a learner's data key.
    pub fn unwrap(&self, learner: u64, wrapped: &[u8]) -> Result<Arc<DataKey>, SealError> {
        Ok(Arc::new(DataKey(key(&*self.opened(learner, wrapped)?))))
    }

    /// A data key that the key before has wrapped, wrapped by this one; `None` if it is already.
    pub fn rewrap(&self, learner: u64, wrapped: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
        if wrapped_by(wrapped) == Some(self.id) {
            return Ok(None);
        }
        let bytes = self.opened(learner, wrapped)?;
        Ok(Some(self.wrap(learner, &bytes)))
    }

    /// Wraps a data key.
    pub(crate) fn wrap(&self, learner: u64, bytes: &[u8; 32]) -> Vec<u8> {
        let mut out = vec![WRAP_FORMAT];
        out.extend_from_slice(&self.id.0);
        seal_into(&self.key, &self.aad(learner), &[bytes], &mut out);
        out
    }

    /// The bytes of a learner's data key; for a move under another key, outside this module.
    pub(crate) fn opened(
        &self,
        learner: u64,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let opened = match wrapped_by(wrapped) {
            Some(id) if id == self.id => open(&self.key, &self.aad(learner), &wrapped[9..]),
            Some(_) => Err(SealError),
            // By an older program, which did not say by which key.
            None => open(&self.key, &wrap_aad(learner), wrapped),
        };
        match (opened, &self.before) {
            (Ok(bytes), _) => {
                let bytes = Zeroizing::new(bytes);
                let bytes = bytes.as_slice().try_into().map_err(|_| SealError)?;
                Ok(Zeroizing::new(bytes))
            }
            (Err(SealError), Some(before)) => before.opened(learner, wrapped),
            (Err(SealError), None) => Err(SealError),
        }
    }

    fn aad(&self, learner: u64) -> Vec<u8> {
        [WRAP_NAMED_CONTEXT, &self.id.0, &learner.to_be_bytes()].concat()
    }
}

/// Which key-encryption key has wrapped a data key; `None` where an older program did, which did not say.
pub fn wrapped_by(wrapped: &[u8]) -> Option<KeyEncryptionId> {
    let (format, rest) = wrapped.split_first()?;
    let is_named = *format == WRAP_FORMAT && wrapped.len() == 9 + WRAPPED_BYTES;
    let id = rest.first_chunk().filter(|_| is_named)?;
    Some(KeyEncryptionId(*id))
}

/// What a vault row says about its record without any key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultHeader {
    /// The record's kind.
    pub kind: RecordKind,
    /// Who deposited it.
    pub issuer: InstitutionNumber,
    /// When.
    pub deposited_at_ms: u64,
    /// The issuer's id of it.
    pub record_id: RecordId,
}

/// An opened vault row.
#[derive(Debug, Clone)]
pub struct Opened {
    /// With the payload it opens the commitment.
    pub salt: [u8; 32],
    /// Exactly the bytes that the issuer sent.
    pub payload: Vec<u8>,
}

impl DataKey {
    /// Seals a record into a vault row whose time of deposit is still open.
    pub fn seal_record(
        &self,
        issuer: (InstitutionNumber, &str),
        record_id: &RecordId,
        kind: RecordKind,
        salt: &[u8; 32],
        payload: &[u8],
    ) -> Vec<u8> {
        let mut row = Vec::with_capacity(HEADER_BYTES + NONCE_LEN + 32 + payload.len() + 16);
        row.push(FORMAT);
        row.push(kind as u8);
        row.extend_from_slice(&issuer.0.0.to_be_bytes());
        row.extend_from_slice(&[0; 8]);
        row.extend_from_slice(record_id.as_bytes());
        seal_into(
            &self.0,
            &record_aad(issuer.1, record_id),
            &[salt, payload],
            &mut row,
        );
        row
    }

    /// Opens a vault row of `issuer`.
    pub fn open_record(
        &self,
        issuer: &str,
        record_id: &RecordId,
        row: &[u8],
    ) -> Result<Opened, SealError> {
        let sealed = row.get(HEADER_BYTES..).ok_or(SealError)?;
        let mut plain = open(&self.0, &record_aad(issuer, record_id), sealed)?;
        let salt = *plain.first_chunk::<32>().ok_or(SealError)?;
        plain.drain(..32);
        Ok(Opened {
            salt,
            payload: plain,
        })
    }

    /// Seals what a learner grants or asks, or that somebody looked.
    pub(crate) fn seal_access(&self, learner: u64, id: &[u8], content: &[u8]) -> Vec<u8> {
        seal(&self.0, &access_aad(learner, id), &[content])
    }

    /// Opens it.
    pub(crate) fn open_access(
        &self,
        learner: u64,
        id: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        open(&self.0, &access_aad(learner, id), sealed)
    }

    /// Seals a learner's profile.
    pub fn seal_profile(&self, profile: &[u8]) -> Vec<u8> {
        seal(&self.0, PROFILE_CONTEXT, &[profile])
    }

    /// Opens a learner's profile.
    pub fn open_profile(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        open(&self.0, PROFILE_CONTEXT, sealed)
    }
}

/// Writes the time of deposit into a sealed row.
pub(crate) fn set_deposited_at(row: &mut [u8], deposited_at_ms: u64) {
    row[DEPOSITED_AT].copy_from_slice(&deposited_at_ms.to_be_bytes());
}

/// Reads the clear header of a vault row.
pub fn header(row: &[u8]) -> Result<VaultHeader, SealError> {
    let header = row
        .get(..HEADER_BYTES)
        .filter(|header| header[0] == FORMAT)
        .ok_or(SealError)?;
    let number = |range: std::ops::Range<usize>| {
        header[range]
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    Ok(VaultHeader {
        kind: RecordKind::from_number(u32::from(header[1])).ok_or(SealError)?,
        issuer: InstitutionNumber(u32::try_from(number(2..6)).map_err(|_| SealError)?),
        deposited_at_ms: number(DEPOSITED_AT),
        record_id: RecordId::from_slice(&header[14..]).map_err(|_| SealError)?,
    })
}

/// A fresh secret of 32 bytes.
pub fn random_seed() -> Zeroizing<[u8; 32]> {
    let mut seed = Zeroizing::new([0; 32]);
    fill(&mut seed[..]);
    seed
}

/// Fills a buffer with random bytes of the operating system's strength.
pub(crate) fn fill(buffer: &mut [u8]) {
    SystemRandom::new()
        .fill(buffer)
        .expect("the random source of the process never fails");
}

fn key(bytes: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).expect("32 bytes"))
}

fn wrap_aad(learner: u64) -> Vec<u8> {
    [WRAP_CONTEXT, &learner.to_be_bytes()].concat()
}

fn record_aad(issuer: &str, record_id: &RecordId) -> Vec<u8> {
    [RECORD_CONTEXT, issuer.as_bytes(), record_id.as_bytes()].concat()
}

fn access_aad(learner: u64, id: &[u8]) -> Vec<u8> {
    [ACCESS_CONTEXT, &learner.to_be_bytes(), id].concat()
}

fn seal(key: &LessSafeKey, aad: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    seal_into(key, aad, parts, &mut out);
    out
}

/// Appends nonce ‖ ciphertext ‖ tag. A random nonce is safe: one key seals one learner's few thousand records.
fn seal_into(key: &LessSafeKey, aad: &[u8], parts: &[&[u8]], out: &mut Vec<u8>) {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce);
    out.extend_from_slice(&nonce);
    let start = out.len();
    parts.iter().for_each(|part| out.extend_from_slice(part));
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut out[start..])
        .expect("far below the limits");
    out.extend_from_slice(tag.as_ref());
}

fn open(key: &LessSafeKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
    let mut buffer = ciphertext.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key
        .open_in_place(nonce, Aad::from(aad), &mut buffer)
        .map_err(|_| SealError)?
        .len();
    buffer.truncate(plain);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::{KeyEncryptionKey, SealError, open, seal, wrap_aad, wrapped_by};

    const LEARNER: u64 = 7;

    #[test]
    fn a_key_is_opened_by_who_wrapped_it_and_by_who_takes_over() {
        let [old, new, other] = [1, 2, 3].map(|seed| KeyEncryptionKey::new(&[seed; 32]));
        // As older programs wrote it.
        let unnamed = seal(&old.key, &wrap_aad(LEARNER), &[&[9; 32]]);
        let (_, named) = old.new_data_key(LEARNER);
        assert_eq!(
            (wrapped_by(&unnamed), wrapped_by(&named)),
            (None, Some(old.id()))
        );
        let opens = |key: &KeyEncryptionKey, wrapped: &[u8]| key.unwrap(LEARNER, wrapped).is_ok();
        let both = new.replacing(old);
        for wrapped in [&unnamed, &named] {
            assert!(opens(&both, wrapped) && !opens(&other, wrapped));
            let again = both
                .rewrap(LEARNER, wrapped)
                .unwrap()
                .expect("by the old key");
            assert_eq!(both.rewrap(LEARNER, &again), Ok(None));
            assert_eq!(wrapped_by(&again), Some(both.id()));
            let (old, new) = (
                KeyEncryptionKey::new(&[1; 32]),
                KeyEncryptionKey::new(&[2; 32]),
            );
            assert!(opens(&new, &again) && !opens(&old, &again));
            let bytes = [new.opened(LEARNER, &again), old.opened(LEARNER, wrapped)];
            assert_eq!(bytes[0], bytes[1], "the same key within");
            assert!(
                new.unwrap(LEARNER + 1, &again).is_err(),
                "of another learner"
            );
        }
        assert_eq!(other.rewrap(LEARNER, &named), Err(SealError));
        assert!(open(&other.key, &wrap_aad(LEARNER), &unnamed).is_err());
    }
}
