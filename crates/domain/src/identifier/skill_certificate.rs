//! Numbers of skill certificates (职业技能等级证书编号), in the three forms met.
//!
//! | form | layout |
//! |---|---|
//! | before the reform, 16 digits (国家职业资格证书) | year 2, province or trade 2, city 2, kind of body 1, body 3, level 1, serial 5 |
//! | 1 letter and 21 digits | Y employer or S third party, body 4, province 2, site 6, year 2, level 1, serial 6 |
//! | 2 letters and 20 digits (特级技师 and above) | the same, with a letter for the level |
//!
//! Shanghai's older numbers have 13 digits and are looked up with 000 before them; they state neither year nor level.

use std::fmt;

use super::{Province, fold, require_form};
use crate::Refusal;
use crate::outcome::SkillLevel;

/// Length of the form before the reform.
const LENGTH_OLD: usize = 16;
/// Length of Shanghai's older numbers, and what completes them.
const LENGTH_SHANGHAI: usize = 13;
const SHANGHAI: &str = "000";
/// Length of the present forms.
const LENGTH: usize = 22;
/// Where the level stands, from 0, in the present forms.
const LEVEL_AT: usize = 15;
/// The same in the form before the reform.
const LEVEL_AT_OLD: usize = 10;

/// The number of a skill certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillCertificateNumber(Box<str>);

impl SkillCertificateNumber {
    /// Parses any of the forms.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        match text.chars().count() {
            LENGTH_SHANGHAI => Self::parse_old(format!("{SHANGHAI}{text}")),
            LENGTH_OLD => Self::parse_old(text),
            _ => Self::parse_present(text),
        }
    }

    fn parse_old(text: String) -> Result<Self, Refusal> {
        require_form(&text, LENGTH_OLD, |_, c| c.is_ascii_digit())?;
        Self(text.into()).with_known_level()
    }

    fn parse_present(text: String) -> Result<Self, Refusal> {
        require_form(&text, LENGTH, |index, c| match index {
            0 => matches!(c, 'Y' | 'S'),
            LEVEL_AT => c.is_ascii_digit() || c.is_ascii_uppercase(),
            _ => c.is_ascii_digit(),
        })?;
        Province::parse(&text[5..7])?;
        Self(text.into()).with_known_level()
    }

    fn with_known_level(self) -> Result<Self, Refusal> {
        let is_known = self
            .level_mark()
            .is_none_or(|mark| matches!(mark, b'1'..=b'5' | b'A'..=b'Z'));
        if is_known {
            Ok(self)
        } else {
            Err(Refusal::LevelUnknown)
        }
    }

    /// The level, where a digit states it.
    #[must_use]
    pub fn level(&self) -> Option<SkillLevel> {
        let digit = char::from(self.level_mark()?).to_digit(10)?;
        SkillLevel::from_number(digit).ok()
    }

    /// Whether a certificate of this number can be of `level`.
    #[must_use]
    pub fn admits_level(&self, level: SkillLevel) -> bool {
        match (self.level(), self.level_mark()) {
            (Some(stated), _) => stated == level,
            (None, Some(_)) => level.rank() >= SkillLevel::SpecialTechnician.rank(),
            (None, None) => true,
        }
    }

    /// The last two digits of the year of issue, where the form states it.
    #[must_use]
    pub fn year_of_century(&self) -> Option<u8> {
        let start = if self.is_old() { 0 } else { 13 };
        if self.is_shanghais() {
            None
        } else {
            self.0[start..start + 2].parse().ok()
        }
    }

    /// Whether a certificate of this number can be of `year`: numbers are drawn up to a year before or after the award.
    #[must_use]
    pub fn admits_year(&self, year: i16) -> bool {
        let Some(stated) = self.year_of_century() else {
            return true;
        };
        let apart = (year - i16::from(stated)).rem_euclid(100);
        matches!(apart, 0 | 1 | 99)
    }

    /// The province of the body, where the form states one for certain.
    #[must_use]
    pub fn province(&self) -> Option<Province> {
        let start = if self.is_old() { 2 } else { 5 };
        Province::parse(&self.0[start..start + 2]).ok()
    }

    /// Whether it is of the form before the reform.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.0.len() == LENGTH_OLD
    }

    fn is_shanghais(&self) -> bool {
        self.is_old() && self.0.starts_with(SHANGHAI)
    }

    fn level_mark(&self) -> Option<u8> {
        let at = if self.is_old() {
            LEVEL_AT_OLD
        } else {
            LEVEL_AT
        };
        if self.is_shanghais() {
            None
        } else {
            Some(self.0.as_bytes()[at])
        }
    }
}

impl fmt::Display for SkillCertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
