//! C2SP tlog-cosignature, the Ed25519 kind (signature type 0x04): a cosigner says that, at a time, this was the
//! largest tree of the log that it had seen, and that it continues everything it had seen before.
//!
//! What is signed is two lines, `cosignature/v1` and `time N`, and then the text of the checkpoint. The message does
//! not name the cosigner, so a cosigner's key is used under one name only.

use std::{fmt, str::FromStr};

use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature, Signer, SigningKey, VerifyingKey};

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    note::{
        Note, NoteError, VerifierKey, check_name, encode_key, key_id, parse_key, signature_line,
    },
};

/// Signature type of timestamped Ed25519 cosignatures.
const COSIGNATURE: u8 = 0x04;
/// The format has no later time.
const TIME_MAX: u64 = i64::MAX as u64;

/// A cosigner's public key with its name; written as `name+hash+base64` like any vkey.
#[derive(Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl CosignerKey {
    /// The key under this name.
    ///
    /// # Errors
    /// If the name is not allowed or the key is of small order.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        check_name(name)?;
        if key.is_weak() {
            return Err(NoteError::WeakKey);
        }
        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, COSIGNATURE, &key),
            key,
        })
    }

    /// The name of the cosigner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32-bit key ID that signature lines carry.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The key itself.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// When the cosigner said so, if it cosigned the checkpoint; of several lines, the newest. Every line that names
    /// the key must hold. That the log itself signed is another question.
    ///
    /// # Errors
    /// If the key did not cosign the note or a cosignature is wrong.
    pub fn verify(&self, note: &Note<'_>) -> Result<u64, NoteError> {
        let mut newest = 0;
        for line in note.lines_of(&self.name, self.id)? {
            let (time, signature) = line
                .signature
                .split_first_chunk()
                .ok_or(NoteError::WrongSignature)?;
            let time = u64::from_be_bytes(*time);
            let signature =
                Signature::from_slice(signature).map_err(|_| NoteError::WrongSignature)?;
            if time > TIME_MAX {
                return Err(NoteError::WrongSignature);
            }
            self.key
                .verify_strict(&message(time, note.text()), &signature)
                .map_err(|_| NoteError::WrongSignature)?;
            newest = newest.max(time);
        }
        Ok(newest)
    }

    /// The note under the log's signature and this cosigner's, both verified, and no other.
    ///
    /// # Errors
    /// If either did not sign or a signature is wrong.
    pub fn under(&self, note: &Note<'_>, log: &VerifierKey) -> Result<String, NoteError> {
        self.verify(note)?;
        let lines = note.lines_of(&self.name, self.id)?;
        let lines: String = lines.map(|line| format!("{}\n", line.line)).collect();
        Ok(note.under(log)? + &lines)
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = encode_key(COSIGNATURE, self.key.as_bytes());
        write!(f, "{}+{:08x}+{key}", self.name, self.id)
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CosignerKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, bytes) = parse_key::<PUBLIC_KEY_LENGTH>(text, COSIGNATURE)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| NoteError::WeakKey)?;
        let key = Self::new(name, key)?;
        if key.id == id {
            Ok(key)
        } else {
            Err(NoteError::KeyHash)
        }
    }
}

/// A cosigner's secret key with its name. Debug never shows the secret; dropping it wipes it.
#[derive(Clone)]
pub struct Cosigner {
    key: SigningKey,
    public: CosignerKey,
}

impl Cosigner {
    /// The key under this name.
    ///
    /// # Errors
    /// If the name is not allowed.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        let public = CosignerKey::new(name, key.verifying_key())?;
        Ok(Self { key, public })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &CosignerKey {
        &self.public
    }

    /// The signature line that says that, at `time` (seconds since the epoch), this was the largest tree seen of that
    /// log. The text is the checkpoint's, with any extension lines it has.
    ///
    /// # Errors
    /// If the text is no checkpoint.
    pub fn cosign(&self, text: &str, time: u64) -> Result<String, CheckpointError> {
        Checkpoint::parse(text)?;
        let time = time.min(TIME_MAX);
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend_from_slice(&self.key.sign(&message(time, text)).to_bytes());
        Ok(signature_line(
            &self.public.name,
            self.public.id,
            &signature,
        ))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.public)
    }
}

fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}
