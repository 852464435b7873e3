//! The clock of the bench.

use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How often a second, if it happened `count` times since `start`.
pub(crate) fn rate_since(start: Instant, count: u64) -> f64 {
    rate(count, start.elapsed())
}

/// How often a second.
pub(crate) fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(1e-9)
}
