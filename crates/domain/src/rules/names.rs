//! Names and codes as keys: what two institutions write differently and mean alike is one key (R12).
//!
//! 英语(一), 英语（1）, 英语Ⅰ and "英语 I" are one course; 高等数学(上) and 高等数学(下) stay two.

/// Particles that do not tell two names apart.
const PARTICLES: [char; 4] = ['的', '与', '和', '及'];
/// Brackets, which end a part of a name; full-width ones are folded before.
const BRACKETS: [char; 14] = [
    '(', ')', '[', ']', '{', '}', '【', '】', '〔', '〕', '《', '》', '〈', '〉',
];
/// Signs that tell names apart although they are no letters: C, C++ and C#.
const SIGNS: [char; 2] = ['+', '#'];
/// Chinese digits by value, from 1.
const DIGITS: [char; 9] = ['一', '二', '三', '四', '五', '六', '七', '八', '九'];
/// Roman numerals that names are numbered with, from 1.
const ROMAN: [&str; 12] = [
    "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii",
];
/// Signs that are a number by themselves, each a range that begins with 1.
const NUMBER_SIGNS: [(char, char); 5] =
    [('Ⅰ', 'Ⅻ'), ('ⅰ', 'ⅻ'), ('①', '⑳'), ('⑴', '⒇'), ('㈠', '㈩')];

/// The key of a name or code: half-width, lower case, without blanks, punctuation and particles, ordinals as digits.
///
/// An ordinal is a Roman or Chinese number at the end of the name or of a part in brackets, or a sign that is a
/// number anywhere. A text that consists of nothing else than what is dropped is its own key, so that only a blank
/// text has an empty one. A key is the key of itself.
#[must_use]
pub fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut part = Part::default();
    for c in text.chars().map(half_width) {
        if BRACKETS.contains(&c) {
            part.finish(&mut key);
        } else {
            part.push(c);
        }
    }
    part.finish(&mut key);
    if key.is_empty() {
        key.extend(text.chars().filter(|c| !c.is_whitespace()));
    }
    key
}

/// The stem of a key and what numbers it: 高数上1 is 高数 and 上1. Abbreviations stand for stems.
pub(super) fn stem(key: &str) -> (&str, &str) {
    let stem = key.trim_end_matches(|c: char| matches!(c, '0'..='9' | '上' | '下'));
    key.split_at(stem.len())
}

/// A part of a name between brackets, as far as it is read.
#[derive(Default)]
struct Part {
    text: String,
    /// Where the last run of Latin letters begins, if nothing but blanks and punctuation followed it, and whether a
    /// digit or sign stands right before it.
    latin: Option<(usize, bool)>,
    /// Whether something that is dropped stood last.
    gap: bool,
}

impl Part {
    fn push(&mut self, c: char) {
        if PARTICLES.contains(&c) || !(c.is_alphanumeric() || SIGNS.contains(&c)) {
            self.gap = true;
            return;
        }
        let joined = !self.gap
            && self
                .text
                .chars()
                .next_back()
                .is_some_and(|last| last.is_ascii_alphanumeric() || SIGNS.contains(&last));
        self.gap = false;
        if let Some(number) = number_of(c) {
            self.latin = None;
            self.text.push_str(&number.to_string());
            return;
        }
        self.latin = match self.latin {
            _ if !c.is_ascii_alphabetic() => None,
            Some(run) if joined => Some(run),
            _ => Some((self.text.len(), joined)),
        };
        self.text.extend(
            c.to_lowercase()
                .filter(|c| c.is_alphanumeric() || SIGNS.contains(c)),
        );
    }

    /// Appends the part to `key` and begins the next.
    fn finish(&mut self, key: &mut String) {
        let part = std::mem::take(self);
        let (name, number) = part
            .roman()
            .or_else(|| chinese(&part.text))
            .unwrap_or((&part.text, None));
        key.push_str(name);
        if let Some(number) = number {
            key.push_str(&number.to_string());
        }
    }

    fn roman(&self) -> Option<(&str, Option<usize>)> {
        let (start, joined) = self.latin?;
        let (name, numeral) = self.text.split_at(start);
        let number = ROMAN.iter().position(|roman| *roman == numeral)? + 1;
        (!joined).then_some((name, Some(number)))
    }
}

/// A Chinese number up to 99 at the end.
fn chinese(text: &str) -> Option<(&str, Option<usize>)> {
    let is_numeral = |c: char| c == '十' || DIGITS.contains(&c);
    let name = text.trim_end_matches(is_numeral);
    let numeral = &text[name.len()..];
    let digit = |text: &str| {
        let mut chars = text.chars();
        let (first, rest) = (chars.next()?, chars.next());
        let value = DIGITS.iter().position(|digit| *digit == first)? + 1;
        rest.is_none().then_some(value)
    };
    let number = match numeral.split_once('十') {
        None => digit(numeral)?,
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { digit(tens)? };
            let ones = if ones.is_empty() { 0 } else { digit(ones)? };
            tens * 10 + ones
        }
    };
    Some((name, Some(number)))
}

fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

fn number_of(c: char) -> Option<u32> {
    let range = NUMBER_SIGNS
        .iter()
        .find(|(first, last)| (*first..=*last).contains(&c));
    range.map(|(first, _)| c as u32 - *first as u32 + 1)
}
