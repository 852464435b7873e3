//! The school identification code (学校标识码): ten digits, no check digit.

use std::fmt;

use super::{Province, digits, fold};
use crate::Refusal;

/// A school: class (2), province (2), number (6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchoolCode(u64);

impl SchoolCode {
    /// Parses ten digits with a known province and a class of 1x to 9x.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let code = Self(digits::<10>(&fold(text))?);
        if code.class() < 10 {
            return Err(Refusal::ChoiceUnknown);
        }
        Province::from_number((code.0 / 1_000_000 % 100) as u32)?;
        Ok(code)
    }

    /// The class: 41 普通高校, 42 成人高校, 36 中职, 92 民办其他, 93 培训 …
    #[must_use]
    pub const fn class(self) -> u32 {
        (self.0 / 100_000_000) as u32
    }

    /// Its province.
    pub fn province(self) -> Result<Province, Refusal> {
        Province::from_number((self.0 / 1_000_000 % 100) as u32)
    }
}

impl fmt::Display for SchoolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.0)
    }
}
