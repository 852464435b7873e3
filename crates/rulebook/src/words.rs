//! Sentences in both languages.

use creditbank_domain::rules::Wording;

/// A [`Wording`] of two formatted sentences, Chinese first. Names in braces are variables of the caller.
macro_rules! words {
    ($zh:literal, $en:literal $(,)?) => {
        creditbank_domain::rules::Wording {
            zh: format!($zh),
            en: format!($en),
        }
    };
}
pub(crate) use words;

/// The same text in both languages: a name, a code, a number.
pub(crate) fn same(text: impl Into<String>) -> Wording {
    let text = text.into();
    Wording {
        zh: text.clone(),
        en: text,
    }
}
