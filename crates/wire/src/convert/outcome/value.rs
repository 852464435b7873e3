//! Single values of a message: present or not, spelled the one way, in lists.

use std::fmt::{self, Display, Write};
use std::str::FromStr;

use creditbank_domain::{Fault, Faults, Refusal};
use jiff::civil::{Date, DateTime, Time};

/// A value where the default of the wire (empty, 0) means none.
pub(super) fn optional<V: Default + PartialEq, T>(
    value: V,
    parse: impl FnOnce(V) -> Result<T, Refusal>,
) -> Result<Option<T>, Refusal> {
    if value == V::default() {
        Ok(None)
    } else {
        parse(value).map(Some)
    }
}

/// The same, where there must be one.
pub(super) fn required<V: Default + PartialEq, T>(
    value: V,
    parse: impl FnOnce(V) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    optional(value, parse)?.ok_or(Refusal::Missing)
}

/// A message that must be there.
pub(super) fn required_part<M, T>(
    message: Option<M>,
    parse: impl FnOnce(M) -> Result<T, Vec<Fault>>,
) -> Result<T, Vec<Fault>> {
    message.map_or_else(|| Err(vec![Refusal::Missing.at("")]), parse)
}

/// Every item of a list of at most `max`; faults say which.
pub(super) fn list<M, T>(
    messages: Vec<M>,
    max: u32,
    parse: impl Fn(M) -> Result<T, Vec<Fault>>,
) -> Result<Vec<T>, Vec<Fault>> {
    if messages.len() > max as usize {
        return Err(vec![Refusal::TooMany { max }.at("")]);
    }
    let mut faults = Faults::default();
    let mut items = Vec::with_capacity(messages.len());
    for (index, message) in messages.into_iter().enumerate() {
        match parse(message) {
            Ok(item) => items.push(item),
            refused => drop(faults.take_part(&format!("[{index}]"), refused)),
        }
    }
    match faults.into_vec() {
        none if none.is_empty() => Ok(items),
        faults => Err(faults),
    }
}

/// What `build` makes of parts of which none was refused; otherwise what was noted of them.
pub(super) fn whole<T>(faults: Faults, build: impl FnOnce() -> Option<T>) -> Result<T, Vec<Fault>> {
    build().ok_or_else(|| faults.into_vec())
}

/// Every number that the domain keeps in 16 bits has a maximum far below; what saturates is refused by it.
pub(super) fn saturated(number: u32) -> Result<u16, Refusal> {
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

pub(super) fn digest(bytes: &[u8]) -> Result<[u8; 32], Refusal> {
    bytes
        .try_into()
        .map_err(|_| Refusal::WrongLength { expected: 32 })
}

/// A value in the one spelling in which it is written.
pub(super) fn spelled<T: Display>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let value = parse(text)?;
    let mut rest = Rest(text);
    let is_same = write!(rest, "{value}").is_ok() && rest.0.is_empty();
    if is_same {
        Ok(value)
    } else {
        Err(Refusal::NotCanonical)
    }
}

/// What is left of a text once as much was written to it as it starts with; anything else is an error.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

pub(super) fn date(text: &str) -> Result<Date, Refusal> {
    civil(text, Refusal::NotADate)
}

pub(super) fn time(text: &str) -> Result<Time, Refusal> {
    civil(
        text,
        Refusal::Malformed {
            expected: "HH:MM:SS",
        },
    )
}

pub(super) fn date_time(text: &str) -> Result<DateTime, Refusal> {
    civil(
        text,
        Refusal::Malformed {
            expected: "YYYY-MM-DDTHH:MM:SS",
        },
    )
}

fn civil<T: FromStr + Display>(text: &str, refusal: Refusal) -> Result<T, Refusal> {
    spelled(text, |text| text.parse().map_err(|_| Refusal::NotADate)).map_err(|_| refusal)
}

/// The text of a value, or the empty text that stands for none.
pub(super) fn text<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map(T::to_string).unwrap_or_default()
}
