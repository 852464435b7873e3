//! What is shown of names and numbers where people only have to recognise them.

/// Characters of a number that stay.
const SHOWN: usize = 4;
/// Most stars of a name: a mask does not tell how long a long name is.
const STARS_MAX: usize = 4;

/// A name with all but its first character hidden: 张**. A name of one character is hidden whole.
#[must_use]
pub fn masked_name(name: &str) -> String {
    let mut characters = name.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    match characters.count().min(STARS_MAX) {
        0 => "*".to_owned(),
        hidden => std::iter::once(first)
            .chain(std::iter::repeat_n('*', hidden))
            .collect(),
    }
}

/// A number with all but its last four characters hidden; one of four or fewer is hidden whole.
#[must_use]
pub fn masked_number(number: &str) -> String {
    let characters = number.chars().count();
    let shown = if characters > SHOWN { SHOWN } else { 0 };
    let hidden = characters - shown;
    std::iter::repeat_n('*', hidden)
        .chain(number.chars().skip(hidden))
        .collect()
}
