//! The school identification code (学校标识码): ten digits, no check digit.

use std::fmt;

use super::{Province, digits, fold};
use crate::Refusal;

/// A school: class (2), province (2), number (6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchoolCode {
    number: u64,
    /// That of the third and fourth digit.
    province: Province,
}

impl SchoolCode {
    /// Parses ten digits with a known province and a class of 10 to 99.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let number = digits::<10>(&fold(text))?;
        let province = Province::from_number((number / 1_000_000 % 100) as u32)?;
        let code = Self { number, province };
        if code.class() < 10 {
            Err(Refusal::ChoiceUnknown)
        } else {
            Ok(code)
        }
    }

    /// The class: 41 普通高校, 42 成人高校, 36 中职, 92 民办其他, 93 培训 …
    #[must_use]
    pub const fn class(self) -> u32 {
        (self.number / 100_000_000) as u32
    }

    /// Its province.
    #[must_use]
    pub const fn province(self) -> Province {
        self.province
    }
}

impl fmt::Display for SchoolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.number)
    }
}
