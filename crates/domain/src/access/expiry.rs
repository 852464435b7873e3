//! How far ahead a grant may end, and whether it still holds.

use crate::Refusal;

const DAY_MS: u64 = 86_400_000;

/// How long looks are kept.
pub const LOOKS_KEPT_MS: u64 = 1096 * DAY_MS;

/// What a grant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantKind {
    /// Records for whoever has the link (分享).
    Share,
    /// A code on paper (离线码).
    PrintedCode,
    /// Somebody acts for the learner (亲属代办).
    Delegation,
}

impl GrantKind {
    /// Most days that it may hold: a year, 180 days, three years.
    #[must_use]
    pub const fn days_max(self) -> u32 {
        match self {
            Self::Share => 366,
            Self::PrintedCode => 180,
            Self::Delegation => 1096,
        }
    }

    /// Whether a grant that is made now may end then.
    pub fn check_expiry(self, now_ms: u64, expires_at_ms: u64) -> Result<(), Refusal> {
        let days = self.days_max();
        let latest = now_ms.saturating_add(u64::from(days) * DAY_MS);
        if expires_at_ms > now_ms && expires_at_ms <= latest {
            Ok(())
        } else {
            Err(Refusal::ExpiryInvalid { days })
        }
    }
}

/// Whether a grant holds now: an expired one is as good as a withdrawn one.
#[must_use]
pub const fn is_open(now_ms: u64, expires_at_ms: u64, withdrawn_at_ms: Option<u64>) -> bool {
    withdrawn_at_ms.is_none() && now_ms < expires_at_ms
}

/// Whether a look of then is still told.
#[must_use]
pub const fn is_look_kept(now_ms: u64, at_ms: u64) -> bool {
    at_ms.saturating_add(LOOKS_KEPT_MS) > now_ms
}
