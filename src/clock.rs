//! The one clock of the command line: today's date, the time, how long something took, and the service manager's clock.

use std::time::{Instant, SystemTime};

use jiff::civil::Date;
use jiff::tz::Offset;
use rustix::time::{ClockId, clock_gettime};

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

/// Microseconds of the clock that the service manager measures by.
pub(crate) fn monotonic_us() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
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
