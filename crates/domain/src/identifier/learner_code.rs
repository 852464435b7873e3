//! The learner code (学分银行账号): a random number with a check digit, never derived from an identity.

use std::fmt;

use super::checksum::damm;
use super::narrow;
use crate::Refusal;

/// Digits of a code, the check digit included.
const DIGITS: usize = 16;

/// An account: 15 random digits and a Damm check digit, which catches every wrong digit and every swap of
/// neighbours. Printed in groups, `1234 5678 9012 3456`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LearnerCode(u64);

impl LearnerCode {
    /// One more than the largest number that can be drawn.
    pub const NUMBERS: u64 = 1_000_000_000_000_000;

    /// The code of a drawn number, 1..[`Self::NUMBERS`].
    pub fn from_random(number: u64) -> Result<Self, Refusal> {
        if !(1..Self::NUMBERS).contains(&number) {
            return Err(Refusal::OutOfRange {
                min: 1,
                max: Self::NUMBERS as i64 - 1,
            });
        }
        Ok(Self(number * 10 + u64::from(damm(digits_of(number)))))
    }

    /// From the number that all sixteen digits write.
    pub fn from_u64(code: u64) -> Result<Self, Refusal> {
        let known = Self::from_random(code / 10)?;
        if known.0 == code {
            Ok(known)
        } else {
            Err(Refusal::BadCheckDigit)
        }
    }

    /// Parses sixteen digits, blanks and hyphens between them allowed, full-width ones too.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut count = 0;
        let mut code: u64 = 0;
        for (position, c) in (1..).zip(text.chars().map(narrow)) {
            match c.to_digit(10) {
                Some(digit) if count < DIGITS => {
                    code = code * 10 + u64::from(digit);
                    count += 1;
                }
                Some(_) => {
                    return Err(Refusal::WrongLength {
                        expected: DIGITS as u32,
                    });
                }
                None if c.is_whitespace() || matches!(c, '-' | '‐' | '–' | '—') => {}
                None => return Err(Refusal::BadCharacter { position }),
            }
        }
        match count {
            0 => Err(Refusal::Missing),
            DIGITS => Self::from_u64(code),
            _ => Err(Refusal::WrongLength {
                expected: DIGITS as u32,
            }),
        }
    }

    /// The number that all sixteen digits write; the form of keys in the store.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LearnerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |divisor: u64| self.0 / divisor % 10_000;
        write!(
            f,
            "{:04} {:04} {:04} {:04}",
            group(1_000_000_000_000),
            group(100_000_000),
            group(10_000),
            group(1)
        )
    }
}

/// Shows the code: it is a pseudonym of the bank, not an identity.
impl fmt::Debug for LearnerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LearnerCode({self})")
    }
}

/// The fifteen digits of a drawn number, first to last.
fn digits_of(number: u64) -> impl Iterator<Item = u8> {
    (0..DIGITS as u32 - 1)
        .rev()
        .map(move |power| (number / 10_u64.pow(power) % 10) as u8)
}
