//! Credit (学分) and hours (学时): whole hundredths with checked arithmetic. No floating point anywhere.

use std::fmt;

use crate::Refusal;

/// The most decimals an amount keeps.
pub const DECIMALS_MAX: u32 = 2;

/// Defines an amount in hundredths. Two types, so that credit and hours are never added to each other.
macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0);

            /// From whole hundredths: 250 is 2.5.
            #[must_use]
            pub const fn from_hundredths(hundredths: u32) -> Self {
                Self(hundredths)
            }

            /// From a whole number, as the older interfaces carry it.
            pub fn from_whole(whole: i64) -> Result<Self, Refusal> {
                if whole < 0 {
                    return Err(Refusal::Negative);
                }
                let hundredths = whole.checked_mul(100).and_then(|h| u32::try_from(h).ok());
                hundredths.map(Self).ok_or(Refusal::Overflow)
            }

            /// Parses "3", "2.5", "0.25", exactly.
            pub fn parse(text: &str) -> Result<Self, Refusal> {
                parse_hundredths(text).map(Self)
            }

            /// In whole hundredths.
            #[must_use]
            pub const fn hundredths(self) -> u32 {
                self.0
            }

            /// The sum.
            pub fn checked_add(self, other: Self) -> Result<Self, Refusal> {
                self.0.checked_add(other.0).map(Self).ok_or(Refusal::Overflow)
            }

            /// The difference; it cannot be negative.
            pub fn checked_sub(self, other: Self) -> Result<Self, Refusal> {
                self.0.checked_sub(other.0).map(Self).ok_or(Refusal::Negative)
            }
        }

        /// The shortest decimal: "3", "2.5", "0.25".
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hundredths(f, self.0)
            }
        }
    };
}

amount! {
    /// Credit (学分) in hundredths.
    Credit
}
amount! {
    /// Hours of learning (学时) in hundredths.
    Hours
}

/// Parses an unsigned decimal of at most two decimals into hundredths. Zeros beyond them lose nothing and pass.
pub(crate) fn parse_hundredths(text: &str) -> Result<u32, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::Missing);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) {
        return Err(Refusal::NotANumber);
    }
    if negative {
        return Err(Refusal::Negative);
    }
    let kept = decimals.trim_end_matches('0');
    if kept.len() > DECIMALS_MAX as usize {
        return Err(Refusal::TooManyDecimals { max: DECIMALS_MAX });
    }
    format!("{whole}{kept:0<2}")
        .parse()
        .map_err(|_| Refusal::Overflow)
}

/// Writes hundredths as the shortest decimal.
pub(crate) fn write_hundredths(f: &mut fmt::Formatter<'_>, hundredths: u32) -> fmt::Result {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => write!(f, "{whole}"),
        (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
        (whole, part) => write!(f, "{whole}.{part:02}"),
    }
}
