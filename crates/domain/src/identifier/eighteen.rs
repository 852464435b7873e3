//! The form that three documents share: 6 digits of origin, 8 of birth date, 3 of order, and a check character.

use std::fmt;

use jiff::civil::{Date, date};

use super::checksum::mod_11_2;
use super::{fold, require_form};
use crate::Refusal;

/// Characters of a number.
const LENGTH: usize = 18;
/// The earliest birth date accepted; it leaves room for every learner who can have a record.
const EARLIEST_BIRTH: Date = date(1900, 1, 1);

/// A number whose check character and birth date are right. Its `Debug` shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Eighteen {
    /// ASCII digits; the last may be `X`.
    text: [u8; LENGTH],
    birth: Date,
}

impl Eighteen {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        require_form(&text, LENGTH, |index, c| {
            c.is_ascii_digit() || (index == LENGTH - 1 && c == 'X')
        })?;
        let text: [u8; LENGTH] = text
            .as_bytes()
            .try_into()
            .map_err(|_| Refusal::WrongLength {
                expected: LENGTH as u32,
            })?;
        if mod_11_2(&text[..LENGTH - 1]) != text[LENGTH - 1] {
            return Err(Refusal::BadCheckDigit);
        }
        let birth = birth_date(&text[6..14])?;
        Ok(Self { text, birth })
    }

    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The six digits before the birth date.
    pub(super) fn origin(&self) -> &str {
        &self.as_str()[..6]
    }

    pub(super) const fn birth(&self) -> Date {
        self.birth
    }
}

impl fmt::Debug for Eighteen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}

fn birth_date(digits: &[u8]) -> Result<Date, Refusal> {
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0, |n: i16, digit| n * 10 + i16::from(digit - b'0'))
    };
    let (year, month, day) = (
        number(&digits[..4]),
        number(&digits[4..6]),
        number(&digits[6..]),
    );
    let birth = Date::new(year, month as i8, day as i8).map_err(|_| Refusal::NotADate)?;
    if birth < EARLIEST_BIRTH {
        Err(Refusal::DateTooEarly {
            earliest: EARLIEST_BIRTH,
        })
    } else {
        Ok(birth)
    }
}
