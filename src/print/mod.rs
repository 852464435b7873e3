//! What commands print: tables for people, JSON for programs, names of what the wire has as numbers.

mod payload;
mod recognition;

use std::fmt::Display;
use std::io::Write as _;

use creditbank_domain::outcome::Category;
use creditbank_domain::rules::Wording;
use creditbank_wire::v1;
use jiff::Timestamp;
use jiff::tz::Offset;

pub(crate) use self::payload::{line_json, movement, payload, refused_json};
pub(crate) use self::recognition::{
    application, application_json, applications, applications_json, evaluation, evaluation_json,
    plan, plan_json,
};

/// Hours ahead of UTC of the times that are printed.
const HOURS_AHEAD: i8 = 8;

/// The language of messages and explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// 中文.
    Zh,
    /// English.
    En,
}

impl Language {
    /// The text in this language.
    pub(crate) fn pick(self, wording: &Wording) -> &str {
        match self {
            Self::Zh => &wording.zh,
            Self::En => &wording.en,
        }
    }

    /// One of two texts.
    pub(crate) fn say(self, zh: String, en: String) -> String {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// Prints rows in columns as wide as they need. Chinese characters take two places.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) {
    let mut widths = header.map(width);
    for row in rows {
        for (width_max, cell) in widths.iter_mut().zip(row) {
            *width_max = (*width_max).max(width(cell));
        }
    }
    line(&header.map(str::to_owned), &widths);
    rows.iter().for_each(|row| line(row, &widths));
}

fn line<const N: usize>(cells: &[String; N], widths: &[usize; N]) {
    let mut text = String::new();
    for (cell, width_max) in cells.iter().zip(widths) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', width_max - width(cell) + 2));
    }
    out(text.trim_end());
}

fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if u32::from(c) >= 0x1100 { 2 } else { 1 })
        .sum()
}

/// Prints a line of a list. Who closes the pipe early, as `head` does, has read enough: that ends the program, and is no
/// fault.
pub(crate) fn out(line: &str) {
    if !is_read(format_args!("{line}\n")) {
        std::process::exit(0);
    }
}

/// Prints what `print!` and `println!` are given, and goes on where nobody reads any more.
pub(crate) fn tell(text: std::fmt::Arguments<'_>) {
    is_read(text);
}

/// Says what `eprint!` and `eprintln!` are given. Where it cannot be said, there is nobody to be told so.
pub(crate) fn say(text: std::fmt::Arguments<'_>) {
    drop(std::io::stderr().lock().write_fmt(text));
}

/// Whether somebody still reads. Any other fault of the output ends the program: what was to be read is lost.
fn is_read(text: std::fmt::Arguments<'_>) -> bool {
    match std::io::stdout().lock().write_fmt(text) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => false,
        Err(error) => {
            eprintln!("creditbank: cannot write the output: {error}");
            std::process::exit(2);
        }
    }
}

/// Prints a value as JSON.
pub(crate) fn json(value: &serde_json::Value) {
    out(&format!("{value:#}"));
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits as bytes.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
    if is_hex {
        (0..text.len()).step_by(2).map(byte).collect()
    } else {
        None
    }
}

/// A moment of the log, at the time of China.
pub(crate) fn moment(ms: u64) -> String {
    let moment = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let local = moment.map(|moment| Offset::constant(HOURS_AHEAD).to_datetime(moment));
    local.map_or_else(
        || "?".to_owned(),
        |local| local.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// Hundredths as a decimal: 2.5.
pub(crate) fn hundredths(amount: u64) -> String {
    match (amount / 100, amount % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

/// The code of a category.
pub(crate) fn category(number: i32) -> String {
    let known = u32::try_from(number)
        .ok()
        .and_then(|number| Category::from_number(number).ok());
    known.map_or_else(
        || format!("category {number}"),
        |category| category.code().to_owned(),
    )
}

/// The name of a number of the wire, in the words of the command line: RECORD_STATE_ACTIVE is active.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix)
        .unwrap_or(name)
        .to_ascii_lowercase()
        .replace('_', "-")
}

/// The name of a record's kind.
pub(crate) fn kind(number: i32) -> String {
    let kind = v1::RecordKind::try_from(number).unwrap_or_default();
    word(kind.as_str_name(), "RECORD_KIND_")
}

/// The grade as a transcript prints it.
pub(crate) fn grade(grade: Option<&v1::Grade>) -> String {
    use v1::grade::Scheme;
    match grade.and_then(|grade| grade.scheme.as_ref()) {
        None => String::new(),
        Some(Scheme::PercentageHundredths(amount)) => hundredths(u64::from(*amount)),
        Some(Scheme::FiveLevel(level)) => match v1::FiveLevel::try_from(*level).unwrap_or_default()
        {
            v1::FiveLevel::Unspecified => "?",
            v1::FiveLevel::Excellent => "优秀",
            v1::FiveLevel::Good => "良好",
            v1::FiveLevel::Medium => "中等",
            v1::FiveLevel::Pass => "及格",
            v1::FiveLevel::Fail => "不及格",
        }
        .to_owned(),
        Some(Scheme::PassFail(result)) => match v1::PassFail::try_from(*result).unwrap_or_default()
        {
            v1::PassFail::Unspecified => "?",
            v1::PassFail::Pass => "合格",
            v1::PassFail::Fail => "不合格",
        }
        .to_owned(),
        Some(Scheme::Points(points)) => format!(
            "{} ({})",
            hundredths(u64::from(points.points_hundredths)),
            points.scale
        ),
    }
}

/// The outcome that a payload shows, if any.
pub(crate) fn outcome_of(payload: &[u8]) -> Option<v1::Outcome> {
    let payload = <v1::Payload as creditbank_wire::Message>::decode(payload).ok()?;
    payload.deposited_outcome()
}

/// A text of a value that may be absent.
pub(crate) fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
pub(crate) use self::recognition::use_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_as_people_write_them() {
        assert_eq!(
            [250, 1, 70, 300].map(hundredths),
            ["2.5", "0.01", "0.7", "3"]
        );
        assert_eq!(moment(1_782_867_600_000), "2026-07-01 09:00:00");
        assert_eq!(word("RECORD_STATE_ACTIVE", "RECORD_STATE_"), "active");
        assert_eq!(from_hex(&hex(&[0, 0xab, 0xff])), Some(vec![0, 0xab, 0xff]));
        for wrong in ["0", "zz", "０0"] {
            assert_eq!(from_hex(wrong), None);
        }
        assert_eq!(width("成绩 a"), 6);
    }
}
