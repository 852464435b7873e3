//! The closed loop: so many calls in flight, each followed by the next; and what they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::clock;
use crate::process::{Used, UsedEach};

/// Connections of every case with unary calls.
pub(crate) const CONNECTIONS: usize = 4;
/// Calls in flight, over all connections.
pub(crate) const IN_FLIGHT: usize = 256;

/// When a loop ends.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Count(u64),
    Passed(Duration),
}

/// What a loop found.
pub(crate) struct Measured {
    pub(crate) count: u64,
    pub(crate) elapsed: Duration,
    pub(crate) latency: Latency,
    pub(crate) used: Option<UsedEach>,
}

impl Measured {
    pub(crate) fn rate(&self) -> f64 {
        clock::rate(self.count, self.elapsed)
    }

    /// Adds what it cost since `before`, for each that it counts.
    pub(crate) fn with_used(mut self, before: &Used) -> Self {
        self.used = Some(before.each(self.count));
        self
    }
}

/// Calls `call` with ascending numbers, `in_flight` at a time.
pub(crate) async fn calls<F>(
    in_flight: usize,
    until: Until,
    call: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<Measured>
where
    F: Future<Output = Result<()>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let start = clock::now();
    let mut lanes = JoinSet::new();
    for _ in 0..in_flight {
        let (next, call) = (Arc::clone(&next), call.clone());
        lanes.spawn(async move {
            let mut latency = Latency::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let ended = match until {
                    Until::Count(count) => number >= count,
                    Until::Passed(window) => start.elapsed() >= window,
                };
                if ended {
                    return Ok::<_, anyhow::Error>(latency);
                }
                let begun = clock::now();
                call(number).await?;
                latency.add(begun.elapsed());
            }
        });
    }
    let mut latency = Latency::default();
    while let Some(lane) = lanes.join_next().await {
        latency.merge(lane??);
    }
    let elapsed = start.elapsed();
    Ok(Measured {
        count: latency.count(),
        elapsed,
        latency: latency.sorted(),
        used: None,
    })
}

/// The run whose rate is the median.
pub(crate) fn median(mut runs: Vec<Measured>) -> Measured {
    runs.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    runs.swap_remove(runs.len() / 2)
}

/// Durations, in microseconds.
#[derive(Default)]
pub(crate) struct Latency(Vec<u32>);

impl Latency {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        self
    }

    /// Of sorted durations.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0
            .get(last * percent / 100)
            .map_or(0.0, |us| f64::from(*us) / 1000.0)
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
pub(crate) fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
