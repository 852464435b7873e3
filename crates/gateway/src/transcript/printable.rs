//! Texts as they can be printed: no box stands for a character, and none turns the line around.

use typst::text::is_default_ignorable;

use super::fonts::Fonts;

/// Some text, and whether a character of it is written as its code.
pub(super) struct Printable {
    pub(super) text: String,
    pub(super) has_codes: bool,
}

/// A text in which a character that no font has is written as its code, 〔U+1F600〕: an institution's slip must not keep a
/// learner from a transcript, nor go unseen.
pub(super) fn printable(text: &str, fonts: &Fonts) -> Printable {
    let mut printable = Printable {
        text: String::with_capacity(text.len()),
        has_codes: false,
    };
    for character in text.chars().filter(|it| !is_hidden(*it)) {
        if character.is_whitespace() {
            printable.text.push(' ');
        } else if has_glyph(character, fonts) {
            printable.text.push(character);
        } else {
            let code = format!("〔U+{:04X}〕", u32::from(character));
            printable.text.push_str(&code);
            printable.has_codes = true;
        }
    }
    printable
}

fn has_glyph(character: char, fonts: &Fonts) -> bool {
    !is_private(character) && (is_default_ignorable(character) || fonts.has(character))
}

/// What changes the direction of the text after it, so that a page would read otherwise than it is written; and marks that
/// have no place in a text.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{fff9}'..='\u{fffb}' | '\u{e0001}'..='\u{e007f}')
}

/// What has no agreed meaning, whatever a font shows for it.
fn is_private(character: char) -> bool {
    matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}
