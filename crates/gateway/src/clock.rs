//! The one clock of the gateway.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "sessions and cookies live by the wall clock"
)]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
}

/// A moment to measure from.
#[expect(clippy::disallowed_methods, reason = "how long requests take")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Seconds since the epoch.
pub(crate) fn now_s() -> u64 {
    now_ms() / 1000
}
