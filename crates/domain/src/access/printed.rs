//! The code on paper: 19 random characters of Crockford's base32 and one that checks them.
//!
//! The check character is a weighted sum over GF(32), each place with a weight of its own: every single wrong character
//! and every exchange of two is noticed before the bank is asked.

use std::fmt;

use crate::Refusal;

/// Characters of a printed code, the check character included.
pub const PRINTED_CHARACTERS: usize = 20;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters between two hyphens.
const GROUP: usize = 4;

/// The secret of a printed code, in its one spelling. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PrintedSecret([u8; PRINTED_CHARACTERS]);

impl PrintedSecret {
    /// From random bytes, of which five bits each are used.
    #[must_use]
    pub fn from_random(random: &[u8; PRINTED_CHARACTERS - 1]) -> Self {
        let mut digits = [0; PRINTED_CHARACTERS];
        for (digit, byte) in digits.iter_mut().zip(random) {
            *digit = byte & 31;
        }
        digits[PRINTED_CHARACTERS - 1] = sum(&digits[..PRINTED_CHARACTERS - 1]);
        Self(digits)
    }

    /// Reads what somebody typed: blanks, hyphens, case and full-width forms do not matter, O is 0, I and L are 1.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut digits = [0; PRINTED_CHARACTERS];
        let mut count = 0;
        for character in text.chars().filter(|it| !is_separator(*it)) {
            let place = digits.get_mut(count).ok_or(Refusal::CodeInvalid)?;
            *place = digit(character).ok_or(Refusal::CodeInvalid)?;
            count += 1;
        }
        let (check, data) = digits.split_last().ok_or(Refusal::CodeInvalid)?;
        if count == PRINTED_CHARACTERS && *check == sum(data) {
            Ok(Self(digits))
        } else {
            Err(Refusal::CodeInvalid)
        }
    }

    /// The 20 characters without hyphens: what is hashed.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.iter().map(|digit| character(*digit)).collect()
    }
}

/// In groups of four.
impl fmt::Display for PrintedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, digit) in self.0.iter().enumerate() {
            if place > 0 && place % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", character(*digit))?;
        }
        Ok(())
    }
}

impl fmt::Debug for PrintedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrintedSecret(redacted)")
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '‐' | '‑' | '–' | '—' | '－' | '_' | '·')
}

fn character(digit: u8) -> char {
    char::from(ALPHABET[usize::from(digit & 31)])
}

fn digit(character: char) -> Option<u8> {
    // What a Chinese input method types may be full-width.
    let plain = match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0)?,
        other => other,
    };
    let plain = match plain.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|it| char::from(*it) == plain)?;
    u8::try_from(place).ok()
}

/// Σ αⁱ · dᵢ over GF(32), by Horner's rule; the check digit has the weight α⁰.
fn sum(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |sum, digit| times_alpha(sum ^ digit))
}

/// Multiplies by α in GF(32) with x⁵ + x² + 1, which is primitive: the first 31 powers differ.
const fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        (shifted ^ 0b10_0101) & 31
    }
}
