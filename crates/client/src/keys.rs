//! The keys of an institution, and their file.
//!
//! Two signing keys, because a key has one purpose: `sign` signs records and may live on another machine than
//! `authenticate`, which signs the tokens of calls. The import secret makes record ids and salts: it never leaves the
//! institution, and losing it only means that an old file imported again would be deposited twice.
//!
//! The file is TOML; writing it with mode 0600 is the caller's part:
//!
//! ```toml
//! version = 1
//! institution = "fudan"
//! sign = "base64 of the 32-byte Ed25519 seed"
//! authenticate = "base64 of another seed"
//! import_secret = "base64 of 32 random bytes"
//! ```

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use creditbank_domain::InstitutionId;
use creditbank_domain::record::{Algorithm, KeyId, KeyPurpose, PublicKey};
use creditbank_wire::{convert, v1};
use ed25519_dalek::SigningKey;
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

const FILE_VERSION: u32 = 1;

/// Why a key file is not usable. Never quotes the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Not TOML with the expected fields.
    #[error(
        "the key file is not TOML with version, institution, sign, authenticate and import_secret"
    )]
    Form,
    /// Of a version that this program does not know.
    #[error("the key file has version {0}; this program knows {FILE_VERSION}")]
    Version(u32),
    /// No institution id.
    #[error("the institution in the key file: {0}")]
    Institution(creditbank_domain::Refusal),
    /// A key that is not base64 of 32 bytes.
    #[error("`{0}` in the key file is not base64 of 32 bytes")]
    Secret(&'static str),
    /// Both keys are the same, though a key has one purpose.
    #[error("`sign` and `authenticate` in the key file are the same key")]
    OneKeyForBoth,
}

/// All secrets of one institution. Wiped when dropped; `Debug` shows public halves only.
#[derive(Clone)]
pub struct InstitutionKeys {
    institution: InstitutionId,
    sign: SigningKey,
    authenticate: SigningKey,
    import_secret: Zeroizing<[u8; 32]>,
}

impl InstitutionKeys {
    /// Fresh keys from the operating system's randomness.
    ///
    /// # Errors
    /// If the operating system has none to give.
    pub fn generate(institution: InstitutionId) -> Result<Self, getrandom::Error> {
        let mut seeds = Zeroizing::new([[0; 32]; 3]);
        for seed in seeds.iter_mut() {
            getrandom::fill(seed)?;
        }
        let [sign, authenticate, import_secret] = &*seeds;
        Ok(Self::from_seeds(
            institution,
            sign,
            authenticate,
            import_secret,
        ))
    }

    /// Keys made elsewhere.
    #[must_use]
    pub fn from_seeds(
        institution: InstitutionId,
        sign: &[u8; 32],
        authenticate: &[u8; 32],
        import_secret: &[u8; 32],
    ) -> Self {
        Self {
            institution,
            sign: SigningKey::from_bytes(sign),
            authenticate: SigningKey::from_bytes(authenticate),
            import_secret: Zeroizing::new(*import_secret),
        }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// Names what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut file: KeyFile = toml::from_str(text).map_err(|_| KeyFileError::Form)?;
        if file.version != FILE_VERSION {
            return Err(KeyFileError::Version(file.version));
        }
        let institution =
            InstitutionId::parse(&file.institution).map_err(KeyFileError::Institution)?;
        let sign = secret("sign", &mut file.sign)?;
        let authenticate = secret("authenticate", &mut file.authenticate)?;
        let import_secret = secret("import_secret", &mut file.import_secret)?;
        if sign == authenticate {
            return Err(KeyFileError::OneKeyForBoth);
        }
        Ok(Self::from_seeds(
            institution,
            &sign,
            &authenticate,
            &import_secret,
        ))
    }

    /// These keys with another one that signs.
    #[must_use]
    pub fn with_sign(self, seed: &[u8; 32]) -> Self {
        let sign = SigningKey::from_bytes(seed);
        Self { sign, ..self }
    }

    /// These keys with another one that authenticates.
    #[must_use]
    pub fn with_authenticate(self, seed: &[u8; 32]) -> Self {
        let authenticate = SigningKey::from_bytes(seed);
        Self {
            authenticate,
            ..self
        }
    }

    /// The key file: the secrets themselves.
    #[must_use]
    pub fn to_file(&self) -> Zeroizing<String> {
        let sign = Zeroizing::new(STANDARD.encode(self.sign.as_bytes()));
        let authenticate = Zeroizing::new(STANDARD.encode(self.authenticate.as_bytes()));
        let import_secret = Zeroizing::new(STANDARD.encode(*self.import_secret));
        Zeroizing::new(format!(
            "# The secret keys of an institution of the credit bank. Who reads them can deposit in its name: mode 0600.\n\
             version = {FILE_VERSION}\ninstitution = \"{}\"\nsign = \"{}\"\nauthenticate = \"{}\"\nimport_secret = \"{}\"\n",
            self.institution, *sign, *authenticate, *import_secret
        ))
    }

    /// Whose keys they are.
    #[must_use]
    pub fn institution(&self) -> &InstitutionId {
        &self.institution
    }

    /// The public halves, as the registry takes them: `sign`, then `authenticate`.
    #[must_use]
    pub fn public_keys(&self) -> Vec<v1::PublicKey> {
        let keys = [
            self.public(KeyPurpose::Sign),
            self.public(KeyPurpose::Authenticate),
        ];
        keys.iter()
            .map(convert::record::public_key_message)
            .collect()
    }

    /// The public half of the key with this purpose.
    ///
    /// # Panics
    /// If it is a purpose of banks, of which an institution has no key.
    #[must_use]
    pub fn public(&self, purpose: KeyPurpose) -> PublicKey {
        let bytes = self.key(purpose).verifying_key().to_bytes();
        PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes,
            purpose,
        }
    }

    /// The id of the key with this purpose.
    ///
    /// # Panics
    /// As [`public`](Self::public).
    #[must_use]
    pub fn key_id(&self, purpose: KeyPurpose) -> KeyId {
        self.public(purpose).id()
    }

    pub(crate) fn key(&self, purpose: KeyPurpose) -> &SigningKey {
        match purpose {
            KeyPurpose::Sign => &self.sign,
            KeyPurpose::Authenticate => &self.authenticate,
            KeyPurpose::Log | KeyPurpose::Cosign | KeyPurpose::Seal | KeyPurpose::Credential => {
                panic!("an institution has no key for what banks do")
            }
        }
    }

    pub(crate) fn import_secret(&self) -> &[u8; 32] {
        &self.import_secret
    }
}

impl fmt::Debug for InstitutionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstitutionKeys")
            .field("institution", &self.institution)
            .field("sign", &self.key_id(KeyPurpose::Sign))
            .field("authenticate", &self.key_id(KeyPurpose::Authenticate))
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: u32,
    institution: String,
    sign: String,
    authenticate: String,
    import_secret: String,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        self.sign.zeroize();
        self.authenticate.zeroize();
        self.import_secret.zeroize();
    }
}

fn secret(name: &'static str, text: &mut String) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let bytes = Zeroizing::new(
        STANDARD
            .decode(&*text)
            .map_err(|_| KeyFileError::Secret(name))?,
    );
    text.zeroize();
    let bytes: [u8; 32] = bytes[..]
        .try_into()
        .map_err(|_| KeyFileError::Secret(name))?;
    Ok(Zeroizing::new(bytes))
}
