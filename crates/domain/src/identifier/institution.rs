//! The identifier of an institution in the bank, chosen at registration: `shou`, `ecnu-continuing`.

use std::fmt;

use crate::Refusal;

/// The fewest characters.
const LENGTH_MIN: usize = 3;
/// The most characters.
const LENGTH_MAX: usize = 32;

/// An institution: `[a-z][a-z0-9-]{2,31}`, not ending in a hyphen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstitutionId(Box<str>);

impl InstitutionId {
    /// The bank itself, which is an issuer like any other.
    pub const BANK: &'static str = "bank";

    /// Parses an identifier; nothing is folded, since it stands in signed bytes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::Missing);
        }
        let admits = |(index, c): &(usize, char)| match c {
            'a'..='z' => true,
            '0'..='9' => *index > 0,
            '-' => *index > 0 && *index + 1 < text.len(),
            _ => false,
        };
        if let Some((index, _)) = text.chars().enumerate().find(|at| !admits(at)) {
            return Err(Refusal::BadCharacter {
                position: index as u32 + 1,
            });
        }
        if !(LENGTH_MIN..=LENGTH_MAX).contains(&text.len()) {
            return Err(Refusal::Malformed {
                expected: "[a-z][a-z0-9-]{2,31}",
            });
        }
        Ok(Self(text.into()))
    }

    /// The bank itself.
    #[must_use]
    pub fn bank() -> Self {
        Self(Self::BANK.into())
    }

    /// Whether it is the bank itself.
    #[must_use]
    pub fn is_bank(&self) -> bool {
        &*self.0 == Self::BANK
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstitutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Looked up by the text it is, so that a search allocates nothing.
impl std::borrow::Borrow<str> for InstitutionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}
