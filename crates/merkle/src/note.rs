//! C2SP signed notes with Ed25519 (signature type 0x01): a text, an empty line, and lines that sign it.
//!
//! Signatures are checked with the strict rule and small-order keys are refused, so that no two verifiers
//! differ over a note. Lines of other signers are passed over, as the format demands.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{
    PUBLIC_KEY_LENGTH, SECRET_KEY_LENGTH, Signature, Signer, SigningKey, VerifyingKey,
};
use sha2::{Digest, Sha256};

/// The longest note that is read.
pub const NOTE_BYTES_MAX: usize = 1 << 20;
/// The most signature lines in a note that is read.
pub const SIGNATURES_MAX: usize = 100;

/// Signature type of plain Ed25519.
pub(crate) const ED25519: u8 = 0x01;
const SIGNATURE_PREFIX: &str = "— ";
const SECRET_PREFIX: &str = "PRIVATE+KEY+";

/// Why a key or a note is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key name is empty or has a space, a plus or a control character.
    #[error("the key name is empty or has a space, a plus sign or a control character")]
    KeyName,
    /// The text of a key does not have the form `name+hash+base64`.
    #[error("the key is not of the form name+hash+base64")]
    KeyForm,
    /// The key has another signature type than the one that is read here.
    #[error("the key has another signature type")]
    KeyType,
    /// The hash in the text of a key is not that of its name and key.
    #[error("the key's hash does not fit its name and key: mistyped or cut off")]
    KeyHash,
    /// The key is no point of the curve, or one of small order, under which signatures mean nothing.
    #[error("the Ed25519 public key is invalid or of small order")]
    WeakKey,
    /// The note is longer than [`NOTE_BYTES_MAX`].
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// The text does not end in a newline or has a control character.
    #[error("the note's text does not end in a newline or has a control character")]
    Text,
    /// There is no empty line with signature lines after it.
    #[error("the note has no signatures")]
    Unsigned,
    /// A signature line does not have the form `— name base64`.
    #[error("a signature line of the note is malformed")]
    SignatureLine,
    /// There are more than [`SIGNATURES_MAX`] signature lines.
    #[error("the note has more than {SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// The key did not sign the note.
    #[error("the note is not signed by this key")]
    NotSignedByKey,
    /// A line names the key but its signature does not hold.
    #[error("the note's signature by this key is wrong")]
    WrongSignature,
}

/// A public key with the name of its owner; written as `name+hash+base64`, the form other tools know as vkey.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl VerifierKey {
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
            id: key_id(name, ED25519, &key),
            key,
        })
    }

    /// The name of the owner.
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
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            self.id,
            encode_key(ED25519, self.key.as_bytes())
        )
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, bytes) = parse_key::<PUBLIC_KEY_LENGTH>(text, ED25519)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| NoteError::WeakKey)?;
        let key = Self::new(name, key)?;
        if key.id == id {
            Ok(key)
        } else {
            Err(NoteError::KeyHash)
        }
    }
}

/// A secret key with the name of its owner. Debug never shows the secret; dropping it wipes it.
#[derive(Clone)]
pub struct NoteSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// The key under this name.
    ///
    /// # Errors
    /// If the name is not allowed.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// Reads the form `PRIVATE+KEY+name+hash+base64`, which other tools know as skey.
    ///
    /// # Errors
    /// If the text has another form, or its hash does not fit.
    pub fn from_secret_text(text: &str) -> Result<Self, NoteError> {
        let text = text.strip_prefix(SECRET_PREFIX).ok_or(NoteError::KeyForm)?;
        let (name, id, seed) = parse_key::<SECRET_KEY_LENGTH>(text, ED25519)?;
        let signer = Self::new(name, SigningKey::from_bytes(&seed))?;
        if signer.verifier.id == id {
            Ok(signer)
        } else {
            Err(NoteError::KeyHash)
        }
    }

    /// The secret as text, for the key file and nothing else.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        let VerifierKey { name, id, .. } = &self.verifier;
        format!(
            "{SECRET_PREFIX}{name}+{id:08x}+{}",
            encode_key(ED25519, self.key.as_bytes())
        )
    }

    /// The name of the owner.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.verifier.name
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The note of this text under this signature alone.
    ///
    /// # Errors
    /// If the text does not end in a newline or has a control character.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let line = signature_line(self.name(), self.verifier.id, &signature);
        Ok(format!("{text}\n{line}"))
    }

    /// The note with this signature beside those that it has: while one key takes over from another, both sign.
    ///
    /// # Errors
    /// If it is no note.
    pub fn also_sign(&self, note: &str) -> Result<String, NoteError> {
        let text = Note::parse(note)?.text;
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let line = signature_line(self.name(), self.verifier.id, &signature);
        Ok(format!("{note}{line}"))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// A note of proper form, of which nothing has been verified yet: hence it gives its text only to who brings
/// the key.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

/// One line of signature, as it came and as it reads.
#[derive(Clone, Debug)]
pub(crate) struct SignatureLine<'a> {
    pub(crate) line: &'a str,
    name: &'a str,
    id: u32,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Splits a note into its text and its signature lines.
    ///
    /// # Errors
    /// If the note does not have that form, or passes a limit.
    pub fn parse(note: &'a str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        check_text(note)?;
        let blank = note.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, lines) = (&note[..=blank], &note[blank + 2..]);
        if lines.is_empty() {
            return Err(NoteError::Unsigned);
        }
        if lines.lines().nth(SIGNATURES_MAX).is_some() {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines
            .lines()
            .map(SignatureLine::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { text, signatures })
    }

    /// The text, if the key signed it. Every line that names the key must hold; all others are passed over.
    ///
    /// # Errors
    /// If the key did not sign the note or a signature is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<&'a str, NoteError> {
        for line in self.lines_of(&key.name, key.id)? {
            let signature =
                Signature::from_slice(&line.signature).map_err(|_| NoteError::WrongSignature)?;
            key.key
                .verify_strict(self.text.as_bytes(), &signature)
                .map_err(|_| NoteError::WrongSignature)?;
        }
        Ok(self.text)
    }

    /// The note under this key's signature alone: what others have signed is left out.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn under(&self, key: &VerifierKey) -> Result<String, NoteError> {
        let text = self.verify(key)?;
        let line = self.lines_of(&key.name, key.id)?.next();
        let line = line.ok_or(NoteError::NotSignedByKey)?.line;
        Ok(format!("{text}\n{line}\n"))
    }

    /// The text, for a key of another signature type.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The lines that name a key: at least one.
    pub(crate) fn lines_of(
        &self,
        name: &str,
        id: u32,
    ) -> Result<impl Iterator<Item = &SignatureLine<'a>>, NoteError> {
        let mut lines = self
            .signatures
            .iter()
            .filter(move |line| line.id == id && line.name == name);
        let first = lines.next().ok_or(NoteError::NotSignedByKey)?;
        Ok(std::iter::once(first).chain(lines))
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Result<Self, NoteError> {
        let rest = line
            .strip_prefix(SIGNATURE_PREFIX)
            .ok_or(NoteError::SignatureLine)?;
        let (name, signature) = rest.split_once(' ').ok_or(NoteError::SignatureLine)?;
        check_name(name).map_err(|_| NoteError::SignatureLine)?;
        let bytes = STANDARD
            .decode(signature)
            .map_err(|_| NoteError::SignatureLine)?;
        match bytes.split_first_chunk() {
            Some((id, signature)) if !signature.is_empty() => Ok(Self {
                line,
                name,
                id: u32::from_be_bytes(*id),
                signature: signature.to_vec(),
            }),
            _ => Err(NoteError::SignatureLine),
        }
    }
}

/// `— name base64(key ID ‖ signature)` with its end of line.
pub(crate) fn signature_line(name: &str, id: u32, signature: &[u8]) -> String {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend_from_slice(signature);
    format!("{SIGNATURE_PREFIX}{name} {}\n", STANDARD.encode(bytes))
}

/// SHA-256(name ‖ newline ‖ type ‖ public key), cut to 32 bits.
pub(crate) fn key_id(name: &str, kind: u8, key: &VerifyingKey) -> u32 {
    let mut sha = Sha256::new();
    sha.update(name);
    sha.update([b'\n', kind]);
    sha.update(key.as_bytes());
    let digest: [u8; 32] = sha.finalize().into();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

pub(crate) fn encode_key(kind: u8, key: &[u8; 32]) -> String {
    let mut bytes = [kind; 33];
    bytes[1..].copy_from_slice(key);
    STANDARD.encode(bytes)
}

/// Name, key ID and key bytes out of `name+hash+base64`.
pub(crate) fn parse_key<const N: usize>(
    text: &str,
    kind: u8,
) -> Result<(&str, u32, [u8; N]), NoteError> {
    let (name, rest) = text.split_once('+').ok_or(NoteError::KeyForm)?;
    let (id, key) = rest.split_once('+').ok_or(NoteError::KeyForm)?;
    if id.len() != 8 || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(NoteError::KeyForm);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| NoteError::KeyForm)?;
    let bytes = STANDARD.decode(key).map_err(|_| NoteError::KeyForm)?;
    match bytes.split_first() {
        Some((found, key)) if *found == kind => {
            Ok((name, id, key.try_into().map_err(|_| NoteError::KeyForm)?))
        }
        Some(_) => Err(NoteError::KeyType),
        None => Err(NoteError::KeyForm),
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), NoteError> {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    if !name.is_empty() && name.chars().all(allowed) {
        Ok(())
    } else {
        Err(NoteError::KeyName)
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let control = |b: u8| b < b' ' && b != b'\n';
    if text.ends_with('\n') && !text.bytes().any(control) {
        Ok(())
    } else {
        Err(NoteError::Text)
    }
}
