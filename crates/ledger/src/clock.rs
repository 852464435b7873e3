//! The one place of this crate that reads the clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;

/// How far the time of the ledger is from that of the machine.
static SHIFT_MS: AtomicI64 = AtomicI64::new(0);

/// Has the ledger of this process live at another time: for rehearsals and tests, which cannot wait for a month to end.
pub fn shift(seconds: i64) {
    SHIFT_MS.store(seconds.saturating_mul(1000), Ordering::Relaxed);
}

/// Milliseconds since the epoch, by the ledger: what entries are dated with.
pub(crate) fn now_ms() -> u64 {
    machine_ms().saturating_add_signed(SHIFT_MS.load(Ordering::Relaxed))
}

/// Seconds since the epoch, by the machine: what tokens and cosignatures of others are held against.
pub(crate) fn now_s() -> u64 {
    machine_ms() / 1000
}

/// A moment to measure from; it is in no entry and decides nothing.
#[expect(clippy::disallowed_methods, reason = "the home of the clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the home of the clock")]
fn machine_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
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
