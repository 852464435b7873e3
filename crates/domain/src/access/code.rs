//! The code that a learner shows on a phone: random, short-lived, signed by the bank, and it names no one.

use crate::Refusal;

/// What the text of a code begins with; base64url of [`CODE_BYTES`] bytes follows.
pub const CODE_PREFIX: &str = "CB1.";
/// How long a code lives.
pub const CODE_LIFE_MS: u64 = 60_000;
/// Bytes of a code: id, expiry, signature.
pub const CODE_BYTES: usize = 16 + 8 + 64;

const CONTEXT: &[u8] = b"creditbank/code/v1\n";

/// A code, not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnerCodeToken {
    /// Random.
    pub id: [u8; 16],
    /// Milliseconds since the epoch, by the ledger's clock.
    pub expires_at_ms: u64,
    /// By the bank's credential key over [`signing_input`](Self::signing_input).
    pub signature: [u8; 64],
}

impl LearnerCodeToken {
    /// What is signed: the log's name ties a code to one bank.
    #[must_use]
    pub fn signing_input(origin: &str, id: &[u8; 16], expires_at_ms: u64) -> Vec<u8> {
        let length = u16::try_from(origin.len()).unwrap_or(u16::MAX);
        [
            CONTEXT,
            &length.to_be_bytes(),
            origin.as_bytes(),
            id,
            &expires_at_ms.to_be_bytes(),
        ]
        .concat()
    }

    /// The bytes of the code.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            &self.id[..],
            &self.expires_at_ms.to_be_bytes(),
            &self.signature,
        ]
        .concat()
    }

    /// Reads the bytes of a code.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let split = || {
            let (id, rest) = bytes.split_first_chunk::<16>()?;
            let (expires, signature) = rest.split_first_chunk::<8>()?;
            Some((*id, *expires, signature.try_into().ok()?))
        };
        let (id, expires, signature) = split().ok_or(Refusal::CodeInvalid)?;
        Ok(Self {
            id,
            expires_at_ms: u64::from_be_bytes(expires),
            signature,
        })
    }
}
