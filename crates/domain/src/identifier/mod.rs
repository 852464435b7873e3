//! Identifiers: types that cannot hold a wrong value, one file a kind.
//!
//! Parsing is tolerant of how people type (blanks around, full-width characters, small letters) and strict about
//! what is meant; `Display` gives the one canonical form. `Debug` of what names a person shows nothing of it.

mod checksum;
mod document;
mod eighteen;
mod institution;
mod learner_code;
mod occupation;
mod permit;
mod record_id;
mod region;
mod resident_id;
mod school_code;
mod skill_certificate;
mod social_credit;

pub use self::document::{DocumentKind, IdentityDocument, Passport, StudentNumber};
pub use self::institution::InstitutionId;
pub use self::learner_code::LearnerCode;
pub use self::occupation::OccupationCode;
pub use self::permit::{HongKongMacaoPermit, PermanentResidentId, ResidencePermit, TaiwanPermit};
pub use self::record_id::RecordId;
pub use self::region::{Province, RegionCode};
pub use self::resident_id::{ResidentId, TestRegions};
pub use self::school_code::SchoolCode;
pub use self::skill_certificate::SkillCertificateNumber;
pub use self::social_credit::UnifiedSocialCreditCode;

use crate::Refusal;

/// A code as meant: outer blanks gone, full-width characters made plain, letters large.
pub(crate) fn fold(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| narrow(c).to_ascii_uppercase())
        .collect()
}

/// The plain form of a full-width character (全角), any other as it is.
pub(crate) fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from((c as u32 - 0xff01 + 0x21) as u8),
        other => other,
    }
}

/// The number that exactly `N` digits write (`N` ≤ 19).
pub(crate) fn digits<const N: usize>(text: &str) -> Result<u64, Refusal> {
    require_form(text, N, |_, c| c.is_ascii_digit())?;
    Ok(text
        .bytes()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Refuses a text that is empty, has another length than `length`, or a character that `admits` (position from 0,
/// character) does not.
pub(crate) fn require_form(
    text: &str,
    length: usize,
    admits: impl Fn(usize, char) -> bool,
) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::Missing);
    }
    if text.chars().count() != length {
        return Err(Refusal::WrongLength {
            expected: length as u32,
        });
    }
    match text
        .chars()
        .enumerate()
        .find(|(index, c)| !admits(*index, *c))
    {
        Some((index, _)) => Err(Refusal::BadCharacter {
            position: index as u32 + 1,
        }),
        None => Ok(()),
    }
}
