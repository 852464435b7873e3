//! Who a credential is about, without naming them: a salted hash of the learner code, as Open Badges has it.
//!
//! Whoever is shown the code can check that it fits. The salt stands beside the hash and the code has fifteen digits, so
//! this keeps a code from being read and from being searched for, not from being found by trying all; the payload that the
//! evidence opens names the code anyway. A credential is private to whom the learner gives it.

use std::fmt::Write;

use creditbank_domain::LearnerCode;
use serde::Serialize;
use sha2::{Digest, Sha256};

const SALT_CONTEXT: &[u8] = b"creditbank/credential-identity/v1\n";
/// Bytes of the salt.
const SALT_BYTES: usize = 16;

/// `IdentityObject` of Open Badges.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    #[serde(rename = "type")]
    kind: &'static str,
    hashed: bool,
    /// `sha256$` and the hash, in hexadecimal, of the sixteen digits followed by the salt.
    identity_hash: String,
    identity_type: &'static str,
    salt: String,
}

impl Identity {
    /// The learner's identity in one credential. The salt follows from `secrets`, the salts of the credential's records,
    /// so the same credential is made twice alike and two credentials do not tell that they are of one learner.
    #[must_use]
    pub fn of(learner: LearnerCode, secrets: &[[u8; 32]]) -> Self {
        let mut hasher = Sha256::new().chain_update(SALT_CONTEXT);
        secrets.iter().for_each(|secret| hasher.update(secret));
        let salt = hex(&hasher.finalize()[..SALT_BYTES]);
        let hash = Sha256::new()
            .chain_update(format!("{:016}", learner.as_u64()))
            .chain_update(&salt)
            .finalize();
        Self {
            kind: "IdentityObject",
            hashed: true,
            identity_hash: format!("sha256${}", hex(&hash)),
            identity_type: "accountId",
            salt,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
