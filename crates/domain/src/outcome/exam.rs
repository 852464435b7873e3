//! Course codes and sessions of the self-study examinations (自学考试).

use std::fmt;

use crate::Refusal;
use crate::identifier::{digits, fold};

/// A national course code of the self-study examinations (课程代码): five digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExamCourseCode(u32);

impl ExamCourseCode {
    /// Parses five digits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        digits::<5>(&fold(text)).map(|code| Self(code as u32))
    }
}

impl fmt::Display for ExamCourseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
    }
}

/// A session of examinations (考期): a month, written `2025-04`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    year: u16,
    month: u8,
}

impl Session {
    /// The year of the first session ever, in Beijing (1981).
    pub const YEAR_MIN: u16 = 1981;
    /// The last year the form can hold.
    pub const YEAR_MAX: u16 = 9999;

    /// From year and month.
    pub fn new(year: u16, month: u8) -> Result<Self, Refusal> {
        if !(Self::YEAR_MIN..=Self::YEAR_MAX).contains(&year) {
            return Err(Refusal::OutOfRange {
                min: Self::YEAR_MIN.into(),
                max: Self::YEAR_MAX.into(),
            });
        }
        if !(1..=12).contains(&month) {
            return Err(Refusal::NotADate);
        }
        Ok(Self { year, month })
    }

    /// Parses `YYYY-MM`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        if text.is_empty() {
            return Err(Refusal::Missing);
        }
        let malformed = Refusal::Malformed {
            expected: "YYYY-MM",
        };
        let (year, month) = text.split_once('-').ok_or(malformed)?;
        let year = digits::<4>(year).map_err(|_| malformed)?;
        let month = digits::<2>(month).map_err(|_| malformed)?;
        Self::new(year as u16, month as u8)
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1..=12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
