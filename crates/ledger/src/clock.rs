//! The one place of this crate that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::Date;

/// Milliseconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "the home of the clock")]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since the epoch.
pub(crate) fn now_s() -> u64 {
    now_ms() / 1000
}

/// Today in China Standard Time, in which all four regions live.
pub(crate) fn today() -> Date {
    day_of(now_ms())
}

/// The day of a time in China Standard Time.
pub(crate) fn day_of(ms: u64) -> Date {
    let offset_s = 8 * 3600;
    let days = i64::try_from((ms / 1000 + offset_s) / 86_400).unwrap_or(0);
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch
        .checked_add(jiff::Span::new().days(days))
        .unwrap_or(epoch)
}
