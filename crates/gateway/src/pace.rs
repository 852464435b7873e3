//! How often one session may ask for something: a few times at once, then at a steady pace.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Sessions that are remembered; one that has not asked for a while is forgotten.
const SESSIONS_MAX: usize = 20_000;

/// A bounded table of who asked how often.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Times that may be asked at once.
    burst: u64,
    /// One more is allowed after so many milliseconds.
    every_ms: u64,
    /// When each session will have all its times again.
    full_at_ms: Mutex<HashMap<String, u64>>,
}

impl Pace {
    /// `burst` times at once, and one more each `every_ms`.
    pub(crate) fn new(burst: u64, every_ms: u64) -> Self {
        Self {
            burst,
            every_ms,
            full_at_ms: Mutex::default(),
        }
    }

    /// Counts a question of a session at a time. If it comes too soon, after how many seconds it would not.
    pub(crate) fn take(&self, session: &str, now_ms: u64) -> Result<(), u64> {
        let mut table = self
            .full_at_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let full_at = table.get(session).copied().unwrap_or(0).max(now_ms);
        let room_at = (full_at + self.every_ms).saturating_sub(self.burst * self.every_ms);
        if room_at > now_ms {
            return Err((room_at - now_ms).div_ceil(1000));
        }
        if table.len() >= SESSIONS_MAX && !table.contains_key(session) {
            table.retain(|_, full_at| *full_at > now_ms);
            if table.len() >= SESSIONS_MAX {
                return Err(self.every_ms.div_ceil(1000));
            }
        }
        table.insert(session.to_owned(), full_at + self.every_ms);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, SESSIONS_MAX};

    #[test]
    fn a_session_has_a_few_times_and_then_one_each_ten_seconds() {
        let pace = Pace::new(3, 10_000);
        let start = 1_000_000;
        for _ in 0..3 {
            assert_eq!(pace.take("one", start), Ok(()));
        }
        assert_eq!(pace.take("one", start), Err(10));
        assert_eq!(pace.take("one", start + 9_001), Err(1));
        assert_eq!(pace.take("other", start + 9_001), Ok(()));
        assert_eq!(pace.take("one", start + 10_000), Ok(()));
        assert_eq!(pace.take("one", start + 10_000), Err(10));
        // After a pause it has its few times again, and no more than those.
        for _ in 0..3 {
            assert_eq!(pace.take("one", start + 100_000), Ok(()));
        }
        assert_eq!(pace.take("one", start + 100_000), Err(10));
    }

    #[test]
    fn sessions_without_end_fill_no_memory() {
        let pace = Pace::new(1, 10_000);
        for number in 0..SESSIONS_MAX {
            assert_eq!(pace.take(&number.to_string(), 0), Ok(()));
        }
        assert_eq!(pace.take("new", 0), Err(10));
        assert_eq!(pace.take("new", 10_000), Ok(()));
    }
}
