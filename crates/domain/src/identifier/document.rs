//! Identity documents: what a learner is found by. A passport needs its country, a student number its institution.

use std::fmt;

use super::{
    HongKongMacaoPermit, InstitutionId, PermanentResidentId, ResidencePermit, ResidentId,
    TaiwanPermit, TestRegions, fold, require_form,
};
use crate::Refusal;
use crate::text::Code;

/// The fewest and the most characters of a passport number.
const PASSPORT_LENGTH: std::ops::RangeInclusive<usize> = 5..=17;

/// A passport (护照) of a country. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Passport {
    country: [u8; 3],
    number: Box<str>,
}

impl Passport {
    /// Parses the issuing country, three letters as on the passport (`CHN`), and the number.
    pub fn parse(country: &str, number: &str) -> Result<Self, Refusal> {
        let country = fold(country);
        require_form(&country, 3, |_, c| c.is_ascii_uppercase())?;
        let country = country
            .as_bytes()
            .try_into()
            .map_err(|_| Refusal::WrongLength { expected: 3 })?;
        let number = fold(number);
        let (min, max) = (*PASSPORT_LENGTH.start(), *PASSPORT_LENGTH.end());
        require_form(&number, number.chars().count().clamp(min, max), |_, c| {
            c.is_ascii_alphanumeric()
        })?;
        Ok(Self {
            country,
            number: number.into(),
        })
    }

    /// The issuing country.
    #[must_use]
    pub fn country(&self) -> &str {
        str::from_utf8(&self.country).unwrap_or_default()
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Display for Passport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.country(), self.number)
    }
}

impl fmt::Debug for Passport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passport(redacted)")
    }
}

/// An institution's own number of a student (学号): an identity that nobody but the institution vouches for.
/// Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudentNumber {
    institution: InstitutionId,
    number: Code,
}

impl StudentNumber {
    /// The number as the institution writes it, outer blanks apart.
    pub fn parse(institution: InstitutionId, number: &str) -> Result<Self, Refusal> {
        Code::parse(number.trim()).map(|number| Self {
            institution,
            number,
        })
    }

    /// The institution.
    #[must_use]
    pub const fn institution(&self) -> &InstitutionId {
        &self.institution
    }

    /// The number.
    #[must_use]
    pub fn number(&self) -> &str {
        self.number.as_str()
    }
}

impl fmt::Display for StudentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.institution, self.number)
    }
}

impl fmt::Debug for StudentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StudentNumber(redacted)")
    }
}

/// A kind of identity document, with a stable number and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// 居民身份证.
    ResidentId = 1,
    /// 护照.
    Passport = 2,
    /// 港澳台居民居住证.
    ResidencePermit = 3,
    /// 港澳居民来往内地通行证.
    HongKongMacaoPermit = 4,
    /// 台湾居民来往大陆通行证.
    TaiwanPermit = 5,
    /// 外国人永久居留身份证.
    PermanentResidentId = 6,
    /// 学号.
    StudentNumber = 7,
}

impl DocumentKind {
    /// All of them, by number.
    pub const ALL: [Self; 7] = [
        Self::ResidentId,
        Self::Passport,
        Self::ResidencePermit,
        Self::HongKongMacaoPermit,
        Self::TaiwanPermit,
        Self::PermanentResidentId,
        Self::StudentNumber,
    ];

    /// The stable number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// From its stable number.
    pub fn from_number(number: u32) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.number() == number)
            .ok_or(Refusal::ChoiceUnknown)
    }

    /// From its stable code.
    pub fn parse(code: &str) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code() == code.trim())
            .ok_or(Refusal::ChoiceUnknown)
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ResidentId => "resident-id",
            Self::Passport => "passport",
            Self::ResidencePermit => "residence-permit",
            Self::HongKongMacaoPermit => "hong-kong-macao-permit",
            Self::TaiwanPermit => "taiwan-permit",
            Self::PermanentResidentId => "permanent-resident-id",
            Self::StudentNumber => "student-number",
        }
    }
}

/// An identity document of any kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityDocument {
    /// 居民身份证.
    ResidentId(ResidentId),
    /// 护照.
    Passport(Passport),
    /// 港澳台居民居住证.
    ResidencePermit(ResidencePermit),
    /// 港澳居民来往内地通行证.
    HongKongMacaoPermit(HongKongMacaoPermit),
    /// 台湾居民来往大陆通行证.
    TaiwanPermit(TaiwanPermit),
    /// 外国人永久居留身份证.
    PermanentResidentId(PermanentResidentId),
    /// 学号.
    StudentNumber(StudentNumber),
}

impl IdentityDocument {
    /// Parses a number of a kind. `issuer` is the country of a passport, the institution of a student number, and
    /// not looked at otherwise.
    pub fn parse(
        kind: DocumentKind,
        issuer: &str,
        number: &str,
        tests: TestRegions,
    ) -> Result<Self, Refusal> {
        Ok(match kind {
            DocumentKind::ResidentId => Self::ResidentId(ResidentId::parse_with(number, tests)?),
            DocumentKind::Passport => Self::Passport(Passport::parse(issuer, number)?),
            DocumentKind::ResidencePermit => Self::ResidencePermit(ResidencePermit::parse(number)?),
            DocumentKind::HongKongMacaoPermit => {
                Self::HongKongMacaoPermit(HongKongMacaoPermit::parse(number)?)
            }
            DocumentKind::TaiwanPermit => Self::TaiwanPermit(TaiwanPermit::parse(number)?),
            DocumentKind::PermanentResidentId => {
                Self::PermanentResidentId(PermanentResidentId::parse(number)?)
            }
            DocumentKind::StudentNumber => {
                Self::StudentNumber(StudentNumber::parse(InstitutionId::parse(issuer)?, number)?)
            }
        })
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> DocumentKind {
        match self {
            Self::ResidentId(_) => DocumentKind::ResidentId,
            Self::Passport(_) => DocumentKind::Passport,
            Self::ResidencePermit(_) => DocumentKind::ResidencePermit,
            Self::HongKongMacaoPermit(_) => DocumentKind::HongKongMacaoPermit,
            Self::TaiwanPermit(_) => DocumentKind::TaiwanPermit,
            Self::PermanentResidentId(_) => DocumentKind::PermanentResidentId,
            Self::StudentNumber(_) => DocumentKind::StudentNumber,
        }
    }

    /// The one string of this document, equal only for the same document: what is indexed, under a keyed hash alone.
    #[must_use]
    pub fn canonical(&self) -> String {
        let kind = self.kind().code();
        match self {
            Self::ResidentId(id) => format!("{kind}:{id}"),
            Self::Passport(passport) => format!("{kind}:{passport}"),
            Self::ResidencePermit(permit) => format!("{kind}:{permit}"),
            Self::HongKongMacaoPermit(permit) => format!("{kind}:{permit}"),
            Self::TaiwanPermit(permit) => format!("{kind}:{permit}"),
            Self::PermanentResidentId(id) => format!("{kind}:{id}"),
            Self::StudentNumber(number) => format!("{kind}:{number}"),
        }
    }

    /// Whether a state vouches for it; a student number is vouched for by its institution alone.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        !matches!(self, Self::StudentNumber(_))
    }
}
