//! The unified social credit code (统一社会信用代码, GB 32100): 18 symbols.

use std::fmt;

use super::checksum::{ALPHABET_32100, gb_11714, gb_32100};
use super::{RegionCode, fold, require_form};
use crate::Refusal;

/// A unified social credit code: registrar, kind, region, organisation code, check symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnifiedSocialCreditCode([u8; 18]);

impl UnifiedSocialCreditCode {
    /// Parses 18 symbols; the organisation code within (9–17) must bear its own check (GB 11714).
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        require_form(&text, 18, |index, c| match index {
            2..=7 => c.is_ascii_digit(),
            _ => u8::try_from(c).is_ok_and(|symbol| ALPHABET_32100.contains(&symbol)),
        })?;
        let symbols: [u8; 18] = text
            .as_bytes()
            .try_into()
            .map_err(|_| Refusal::WrongLength { expected: 18 })?;
        let is_checked = gb_32100(&symbols[..17]) == Some(symbols[17])
            && gb_11714(&symbols[8..16]) == Some(symbols[16]);
        if is_checked {
            Ok(Self(symbols))
        } else {
            Err(Refusal::BadCheckDigit)
        }
    }

    /// The symbols.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Where it was registered; none if we do not know the region (100000 stands for the state itself).
    #[must_use]
    pub fn region(&self) -> Option<RegionCode> {
        RegionCode::parse(&self.as_str()[2..8]).ok()
    }
}

impl fmt::Display for UnifiedSocialCreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
