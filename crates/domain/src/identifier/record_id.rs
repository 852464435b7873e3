//! The issuer's idempotency key of a record.

use std::fmt;

use super::require_form;
use crate::Refusal;

/// Sixteen bytes that the issuer derives under a secret, so that they say nothing about the learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub [u8; 16]);

impl RecordId {
    /// From exactly sixteen bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Refusal> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| Refusal::WrongLength { expected: 16 })
    }

    /// Parses 32 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        require_form(text, 32, |_, c| c.is_ascii_hexdigit())?;
        u128::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| Refusal::Malformed {
                expected: "hexadecimal",
            })
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
