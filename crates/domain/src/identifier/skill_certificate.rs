//! Numbers of skill certificates (职业技能等级证书编号), in the three forms met.
//!
//! | form | layout |
//! |---|---|
//! | before the reform, 16 digits (国家职业资格证书) | year 2, province or trade 2, city 2, kind of body 1, body 3, level 1, serial 5 |
//! | 1 letter and 21 digits | Y employer or S third party, body 4, province 2, site 6, year 2, level 1, serial 6 |
//! | 2 letters and 20 digits (特级技师 and above) | the same, with a letter for the level |

use std::fmt;

use super::{Province, fold, require_form};
use crate::Refusal;
use crate::outcome::SkillLevel;

/// Length of the form before the reform.
const LENGTH_OLD: usize = 16;
/// Length of the present forms.
const LENGTH: usize = 22;
/// Where the level stands, from 0, in the present forms.
const LEVEL_AT: usize = 15;

/// The number of a skill certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillCertificateNumber(Box<str>);

impl SkillCertificateNumber {
    /// Parses any of the forms.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let number = Self(fold(text).into());
        if number.0.chars().count() == LENGTH_OLD {
            require_form(&number.0, LENGTH_OLD, |_, c| c.is_ascii_digit())?;
        } else {
            require_form(&number.0, LENGTH, |index, c| match index {
                0 => matches!(c, 'Y' | 'S'),
                LEVEL_AT => c.is_ascii_digit() || c.is_ascii_uppercase(),
                _ => c.is_ascii_digit(),
            })?;
            Province::parse(number.part(5, 2))?;
        }
        if matches!(number.level_mark(), b'1'..=b'5' | b'A'..=b'Z') {
            Ok(number)
        } else {
            Err(Refusal::LevelUnknown)
        }
    }

    /// The level, where a digit states it.
    #[must_use]
    pub fn level(&self) -> Option<SkillLevel> {
        let digit = char::from(self.level_mark()).to_digit(10)?;
        SkillLevel::from_number(digit).ok()
    }

    /// Whether a certificate of this number can be of `level`.
    #[must_use]
    pub fn admits_level(&self, level: SkillLevel) -> bool {
        match self.level() {
            Some(stated) => stated == level,
            None => level.rank() >= SkillLevel::SpecialTechnician.rank(),
        }
    }

    /// The last two digits of the year of issue.
    #[must_use]
    pub fn year_of_century(&self) -> u8 {
        let start = if self.is_old() { 0 } else { 13 };
        self.part(start, 2).parse().unwrap_or_default()
    }

    /// The province of the body, where the form states one for certain.
    #[must_use]
    pub fn province(&self) -> Option<Province> {
        let start = if self.is_old() { 2 } else { 5 };
        Province::parse(self.part(start, 2)).ok()
    }

    /// Whether it is of the form before the reform.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.0.len() == LENGTH_OLD
    }

    fn level_mark(&self) -> u8 {
        self.0.as_bytes()[if self.is_old() { 10 } else { LEVEL_AT }]
    }

    fn part(&self, start: usize, length: usize) -> &str {
        &self.0[start..start + length]
    }
}

impl fmt::Display for SkillCertificateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
