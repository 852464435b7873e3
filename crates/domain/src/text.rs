//! Texts as people and institutions write them: kept exactly, bounded, never truncated or normalised.
//!
//! "·" in names and characters outside the basic plane are ordinary characters here. Length counts Unicode
//! scalar values, not bytes. Control characters are refused: they hide content from a reader.

use std::fmt;

use crate::Refusal;

/// The most characters of a person's name (姓名).
pub const PERSON_NAME_MAX: u32 = 100;

/// A text of 1..=`MAX` characters without control characters, not blank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: u32>(String);

impl<const MAX: u32> Text<MAX> {
    /// Takes the text as it is.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check(text, MAX)?;
        Ok(Self(text.to_owned()))
    }

    /// The same, where an empty text means none.
    pub fn parse_optional(text: &str) -> Result<Option<Self>, Refusal> {
        if text.is_empty() {
            Ok(None)
        } else {
            Self::parse(text).map(Some)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: u32> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short code or number that an institution gives (课程代码, 证书编号 …).
pub type Code = Text<64>;
/// A name of a course, a project, an institution, a place.
pub type Label = Text<200>;
/// An address on the network.
pub type Uri = Text<500>;

/// A person's name (姓名). Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// Takes the name as it is: 1..=[`PERSON_NAME_MAX`] characters.
    pub fn parse(name: &str) -> Result<Self, Refusal> {
        check(name, PERSON_NAME_MAX)?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(redacted)")
    }
}

fn check(text: &str, max: u32) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::Missing);
    }
    if text.chars().count() > max as usize {
        return Err(Refusal::TooLong { max });
    }
    match (1..).zip(text.chars()).find(|(_, c)| is_unfit(*c)) {
        Some((position, _)) => Err(Refusal::BadCharacter { position }),
        None => Ok(()),
    }
}

/// Control characters, and those that are not seen and change how what stands beside them is read: marks that turn the
/// direction of writing, and characters without width. The joiners of some scripts' names stay.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2060}' | '\u{FEFF}'
        )
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
