//! The resident identity number (公民身份号码, GB 11643): region 6, birth date 8, order 3, check 1.
//!
//! A number is given once and kept for life, so its region may be long abolished. We ask that the code still
//! existed at some time from birth on, since numbers are given at birth or later, or had ended only a few years
//! before, since offices went on with an old code for a while (丽水: 332501, gone in 1995, given until 2000).

use std::fmt;

use jiff::civil::{Date, date};

use super::RegionCode;
use super::eighteen::Eighteen;
use crate::Refusal;

/// For how many years offices may have gone on giving numbers with an abolished code.
const GRACE_YEARS: i16 = 5;

/// Whether numbers of unassigned regions (3199xx, 3299xx) pass: they belong to no real person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TestRegions {
    /// As in service.
    #[default]
    Refuse,
    /// In tests and demonstrations.
    Accept,
}

/// A resident identity number. Its `Debug` shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidentId(Eighteen);

impl ResidentId {
    /// Parses a number as in service.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::parse_with(text, TestRegions::Refuse)
    }

    /// Parses a number, with the caller's word on test regions.
    pub fn parse_with(text: &str, tests: TestRegions) -> Result<Self, Refusal> {
        let number = Eighteen::parse(text)?;
        let is_of_tests = matches!(&number.origin()[..4], "3199" | "3299");
        match tests {
            TestRegions::Accept if is_of_tests => {}
            TestRegions::Refuse if is_of_tests => return Err(Refusal::RegionOfTests),
            _ => check_region(&number)?,
        }
        Ok(Self(number))
    }

    /// The birth date.
    #[must_use]
    pub const fn birth_date(&self) -> Date {
        self.0.birth()
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for ResidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Taiwan, Hong Kong and Macao have codes but give no such numbers: their people hold a residence permit.
fn check_region(number: &Eighteen) -> Result<(), Refusal> {
    let region = RegionCode::parse(number.origin())?;
    if !region.province().is_mainland() {
        return Err(Refusal::RegionUnknown);
    }
    let born = number.birth();
    let since = date(born.year() - GRACE_YEARS, born.month(), 1);
    if region.exists_since(since) {
        Ok(())
    } else {
        Err(Refusal::RegionNotValidThen)
    }
}
