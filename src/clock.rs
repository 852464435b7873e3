//! The one clock of the command line: today's date, the time, and how long something took.

use std::time::{Instant, SystemTime};

use jiff::civil::Date;
use jiff::tz::Offset;

/// Hours that the institutions of this bank are ahead of UTC; China has one time zone and no summer time.
const HOURS_AHEAD: i8 = 8;

/// Today's date where the institutions are.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the command line"
)]
pub(crate) fn today() -> Date {
    let now =
        jiff::Timestamp::try_from(SystemTime::now()).expect("the clock shows a year before 9999");
    Offset::constant(HOURS_AHEAD).to_datetime(now).date()
}

/// A moment to measure from.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the command line"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since the epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of the command line"
)]
pub(crate) fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
