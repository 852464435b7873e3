//! Trying again: after a broken connection or a full queue, with growing, random pauses; after an outlived token once,
//! with a fresh one. Everything else is final.
//!
//! Deposits and enrolments are idempotent. Of the other calls, one that was answered by a broken connection may have
//! happened; the bank then answers the second attempt with a code such as `INSTITUTION_EXISTS`.

use std::time::Duration;

use crate::connection::Line;
use crate::failure::{ClientError, Refused};

/// How often and how patiently to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in a row without success, the first included.
    pub attempts_max: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub pause_min: Duration,
    /// The longest pause of our own; the bank may ask for a longer one.
    pub pause_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: 8,
            pause_min: Duration::from_millis(50),
            pause_max: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Every failure is final.
    pub const NEVER: Self = Self {
        attempts_max: 1,
        pause_min: Duration::ZERO,
        pause_max: Duration::ZERO,
    };

    /// The count of a new series of attempts.
    pub(crate) fn attempts(self) -> Attempts {
        Attempts {
            policy: self,
            failed: 0,
            token_renewed: false,
        }
    }

    /// The pause after this many failures: a random point in the upper half of the backoff, so that many clients of a
    /// bank that comes back do not all knock at once.
    fn pause(self, failed: u32, random: u32) -> Duration {
        let doubled = self
            .pause_min
            .saturating_mul(1 << failed.saturating_sub(1).min(20));
        let half = doubled.min(self.pause_max) / 2;
        half + half / 1000 * (random % 1001)
    }
}

/// Where a series of attempts stands.
pub(crate) struct Attempts {
    policy: RetryPolicy,
    failed: u32,
    token_renewed: bool,
}

impl Attempts {
    /// Starts over after a success.
    pub(crate) fn succeeded(&mut self) {
        *self = self.policy.attempts();
    }

    /// Returns after the pause that is due before the next attempt, or with the error that is final.
    pub(crate) async fn after(
        &mut self,
        refused: Refused,
        line: &mut Line,
    ) -> Result<(), ClientError> {
        if refused.wants_new_token() && !self.token_renewed && line.renew_token() {
            self.token_renewed = true;
            return Ok(());
        }
        self.failed += 1;
        if !refused.transient || self.failed >= self.policy.attempts_max {
            return Err(Box::new(refused).into());
        }
        let mut random = [0; 4];
        // Without randomness the pause is merely not random.
        let _ = getrandom::fill(&mut random);
        let pause = self.policy.pause(self.failed, u32::from_ne_bytes(random));
        tokio::time::sleep(pause.max(refused.retry_after.unwrap_or_default())).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_stay_in_the_upper_half() {
        let policy = RetryPolicy::default();
        for (failed, least, most) in [
            (1, 25, 50),
            (2, 50, 100),
            (3, 100, 200),
            (8, 2500, 5000),
            (99, 2500, 5000),
        ] {
            for random in [0, 1, 500, 1000, u32::MAX] {
                let pause = policy.pause(failed, random);
                let range = Duration::from_millis(least)..=Duration::from_millis(most);
                assert!(range.contains(&pause), "{pause:?} after {failed} failures");
            }
        }
    }
}
