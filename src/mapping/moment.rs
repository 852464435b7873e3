//! Dates and times as files write them.
//!
//! Without a format: 2025-07-01, 2025/7/1, 2025.7.1, 2025年7月1日, 20250701, and behind a blank or T, or in a field of
//! its own, 09:30 or 09:30:05. The year always stands first, so that no day is taken for a month.

use creditbank_domain::Refusal;
use jiff::civil::{Date, DateTime, Time};

/// A date and, where the text goes on, the time of that day.
pub(super) fn moment(text: &str, format: Option<&str>) -> Result<(Date, Option<Time>), Refusal> {
    let Some(format) = format else {
        return plain(text);
    };
    let parsed = jiff::fmt::strtime::parse(format, text).map_err(|_| Refusal::NotADate)?;
    let date = parsed.to_date().map_err(|_| Refusal::NotADate)?;
    Ok((date, parsed.hour().and_then(|_| parsed.to_time().ok())))
}

/// A time of day, or that of a date and time.
pub(super) fn time(text: &str, format: Option<&str>) -> Result<Option<Time>, Refusal> {
    match format {
        Some(_) => moment(text, format).map(|(_, time)| time),
        None => clock(text)
            .or_else(|_| moment(text, None)?.1.ok_or(Refusal::NotADate))
            .map(Some),
    }
}

/// A date and time, both needed.
pub(super) fn date_time(text: &str) -> Result<DateTime, Refusal> {
    let (date, time) = plain(text)?;
    Ok(date.to_datetime(time.ok_or(Refusal::Malformed {
        expected: "YYYY-MM-DDTHH:MM:SS",
    })?))
}

fn plain(text: &str) -> Result<(Date, Option<Time>), Refusal> {
    let text = text.trim();
    let (day, rest) = match text.find([' ', 'T', '日']) {
        Some(at) => {
            let separator = text[at..].chars().next().map_or(0, char::len_utf8);
            (&text[..at], text[at + separator..].trim())
        }
        None => (text, ""),
    };
    let time = if rest.is_empty() {
        None
    } else {
        Some(clock(rest)?)
    };
    Ok((date(day)?, time))
}

fn date(text: &str) -> Result<Date, Refusal> {
    let mut parts = text.split(['-', '/', '.', '年', '月']);
    let (year, month, day) = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day), None) if year.len() == 4 => (year, month, day),
        (Some(all), None, None, None) if all.len() == 8 && all.is_ascii() => {
            (&all[..4], &all[4..6], &all[6..])
        }
        _ => return Err(Refusal::NotADate),
    };
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    Date::new(year, month as i8, day as i8).map_err(|_| Refusal::NotADate)
}

fn clock(text: &str) -> Result<Time, Refusal> {
    let mut parts = text.split(':');
    let (hour, minute) = (
        parts.next().unwrap_or_default(),
        parts.next().ok_or(Refusal::NotADate)?,
    );
    let second = parts.next().unwrap_or("00");
    // Databases print fractions of a second; only those that lose nothing are dropped.
    let second = second.split_once('.').map_or(second, |(whole, part)| {
        if part.bytes().all(|digit| digit == b'0') {
            whole
        } else {
            second
        }
    });
    if parts.next().is_some() {
        return Err(Refusal::NotADate);
    }
    Time::new(
        number(hour)? as i8,
        number(minute)? as i8,
        number(second)? as i8,
        0,
    )
    .map_err(|_| Refusal::NotADate)
}

/// A number of one, two or four digits.
fn number(digits: &str) -> Result<i16, Refusal> {
    let is_number =
        matches!(digits.len(), 1 | 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { digits.parse().ok() } else { None };
    // Four digits are a year; as month, day or hour they would not fit and must not wrap around.
    number
        .filter(|number| digits.len() == 4 || *number < 100)
        .ok_or(Refusal::NotADate)
}
