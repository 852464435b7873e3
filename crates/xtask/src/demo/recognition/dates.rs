//! Dates that stay young: results of non-formal learning must be deposited soon after they were achieved, so the files
//! of the demo say what was true on one day, and are moved to the day of the demo.

use anyhow::{Context as _, Result};
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp, tz::Offset};

/// The day on which the files were true.
const WRITTEN: Date = date(2026, 11, 20);
/// Hours ahead of UTC of the bank's days.
const HOURS_AHEAD: i8 = 8;

/// Today, where the bank is.
pub(super) fn today() -> Date {
    #[expect(clippy::disallowed_methods, reason = "the one calendar of xtask")]
    let now = Timestamp::now();
    Offset::constant(HOURS_AHEAD).to_datetime(now).date()
}

/// A file of results with every day (2026-11-20) and month (2026-11) moved by the days since it was written.
pub(super) fn moved(text: &str, today: Date) -> Result<String> {
    let days = WRITTEN.until(today)?.get_days();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].bytes();
        let length = digits
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            .count();
        let (word, after) = rest[start..].split_at(length);
        out.push_str(&rest[..start]);
        out.push_str(&moved_word(word, days)?.unwrap_or_else(|| word.to_owned()));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The word moved, if it begins with a day or is a month.
fn moved_word(word: &str, days: i32) -> Result<Option<String>> {
    let move_by = |day: &str| -> Result<Option<Date>> {
        let Ok(day) = day.parse::<Date>() else {
            return Ok(None);
        };
        let moved = day.checked_add(Span::new().days(days));
        moved.map(Some).context("the clock is far off")
    };
    let is_dated = word.as_bytes().get(4) == Some(&b'-');
    Ok(match (is_dated, word.len()) {
        (true, 7) => move_by(&format!("{word}-01"))?.map(|day| day.strftime("%Y-%m").to_string()),
        (true, 10..) => move_by(&word[..10])?.map(|day| format!("{day}{}", &word[10..])),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_move_and_nothing_else_does() {
        let text = r#""2026-11-20" HF@2026-11-19T09:30:00 "2024-10" 4-10-01-05 319901195203180021 E-26-0101"#;
        assert_eq!(moved(text, WRITTEN).unwrap(), text);
        let later = moved(text, date(2026, 12, 25)).unwrap();
        assert_eq!(
            later,
            r#""2026-12-25" HF@2026-12-24T09:30:00 "2024-11" 4-10-01-05 319901195203180021 E-26-0101"#
        );
    }
}
