//! Permits of people who hold no resident identity number.

use std::fmt;

use jiff::civil::Date;

use super::eighteen::Eighteen;
use super::{Province, fold, require_form};
use crate::Refusal;

/// Defines a permit that is a plain text of a checked form. Its `Debug` shows nothing.
macro_rules! permit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The number.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

/// A residence permit of a Hong Kong, Macao or Taiwan resident (港澳台居民居住证): as a resident identity number,
/// with 810000, 820000 or 830000 for the region. Its `Debug` shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidencePermit(Eighteen);

impl ResidencePermit {
    /// Parses a number.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let number = Eighteen::parse(text)?;
        match number.origin() {
            "810000" | "820000" | "830000" => Ok(Self(number)),
            _ => Err(Refusal::RegionUnknown),
        }
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

impl fmt::Display for ResidencePermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

permit! {
    /// A permanent residence card of a foreigner (外国人永久居留身份证): since 2023-12 eighteen characters that begin
    /// with 9 and check as a resident identity number does, before that three letters and twelve digits.
    PermanentResidentId
}

impl PermanentResidentId {
    /// Parses either form.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let number = Eighteen::parse(&text)?;
            let place = number
                .origin()
                .strip_prefix('9')
                .ok_or(Refusal::BadCharacter { position: 1 })?;
            Province::parse(&place[..2])?;
        } else {
            require_form(&text, 15, |index, c| {
                if index < 3 {
                    c.is_ascii_uppercase()
                } else {
                    c.is_ascii_digit()
                }
            })?;
        }
        Ok(Self(text.into()))
    }
}

permit! {
    /// A mainland travel permit of a Hong Kong or Macao resident (港澳居民来往内地通行证): H or M and eight digits, which
    /// name the person for life; two more, met on older cards, count its renewals and are left out.
    HongKongMacaoPermit
}

impl HongKongMacaoPermit {
    /// Parses a number, with or without the count of renewals.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        let length = if text.len() == 11 { 11 } else { 9 };
        require_form(&text, length, |index, c| {
            if index == 0 {
                matches!(c, 'H' | 'M')
            } else {
                c.is_ascii_digit()
            }
        })?;
        Ok(Self(text[..9].into()))
    }
}

permit! {
    /// A mainland travel permit of a Taiwan resident (台湾居民来往大陆通行证): eight digits.
    TaiwanPermit
}

impl TaiwanPermit {
    /// Parses a number.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        require_form(&text, 8, |_, c| c.is_ascii_digit())?;
        Ok(Self(text.into()))
    }
}
