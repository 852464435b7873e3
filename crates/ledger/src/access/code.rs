//! Codes that learners show on a phone: signed, in memory, of use once.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_domain::Refusal;
use creditbank_domain::access::{
    CODE_BYTES, CODE_LIFE_MS, CODE_PREFIX, DeskPurpose, LearnerCodeToken,
};
use creditbank_domain::identifier::LearnerCode;
use creditbank_wire::v1;
use ed25519_dalek::{Signature, Signer};

use super::{NotDone, lock};
use crate::bank::Bank;
use crate::clock;
use crate::vault::fill;

/// Most codes that live, or lived a moment ago.
const LIVE_MAX: usize = 100_000;
/// When to try again where there are more.
const RETRY_MS: u64 = 1000;

/// What the holder of a code allows.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
    pub(crate) learner: LearnerCode,
    pub(crate) purpose: DeskPurpose,
    /// Numbers of categories; empty for all.
    pub(crate) categories: Vec<i32>,
}

struct Live {
    allowed: Allowed,
    expires_at_ms: u64,
    is_used: bool,
}

/// Codes that were issued and have not expired.
#[derive(Default)]
pub(super) struct Codes(HashMap<[u8; 16], Live>);

impl Codes {
    fn add(&mut self, id: [u8; 16], live: Live, now_ms: u64) -> Result<(), Refusal> {
        if self.0.len() >= LIVE_MAX {
            self.0.retain(|_, live| live.expires_at_ms > now_ms);
        }
        if self.0.len() >= LIVE_MAX {
            return Err(Refusal::QueueFull { retry_ms: RETRY_MS });
        }
        self.0.insert(id, live);
        Ok(())
    }

    /// Uses a code up, if it serves this purpose.
    fn take(
        &mut self,
        token: &LearnerCodeToken,
        purpose: DeskPurpose,
        now_ms: u64,
    ) -> Result<Allowed, Refusal> {
        if token.expires_at_ms <= now_ms {
            return Err(Refusal::CodeExpired);
        }
        // One that is signed and not known was issued before a restart.
        let live = self.0.get_mut(&token.id).ok_or(Refusal::CodeExpired)?;
        if live.is_used {
            return Err(Refusal::CodeUsed);
        }
        if live.allowed.purpose != purpose {
            return Err(Refusal::PurposeNotAllowed);
        }
        live.is_used = true;
        Ok(live.allowed.clone())
    }
}

impl Bank {
    /// A code for a learner to show.
    pub(crate) fn issue_code(&self, allowed: Allowed) -> Result<v1::IssueCodeResponse, NotDone> {
        let key = self.credential_key().ok_or(Refusal::KeyUnknown)?;
        let learner = self.owner(allowed.learner)?.learner();
        let now = clock::now_ms();
        let mut id = [0; 16];
        fill(&mut id);
        let expires_at_ms = now + CODE_LIFE_MS;
        let input = LearnerCodeToken::signing_input(self.origin(), &id, expires_at_ms);
        let token = LearnerCodeToken {
            id,
            expires_at_ms,
            signature: key.sign(&input).to_bytes(),
        };
        let live = Live {
            allowed: Allowed { learner, ..allowed },
            expires_at_ms,
            is_used: false,
        };
        lock(&self.access().codes).add(id, live, now)?;
        let text = URL_SAFE_NO_PAD.encode(token.to_bytes());
        Ok(v1::IssueCodeResponse {
            code: format!("{CODE_PREFIX}{text}"),
            expires_at_ms,
        })
    }

    /// Uses a code up for a desk. It is noted as a look before anything is shown.
    pub(crate) fn take_code(
        &self,
        text: &str,
        purpose: DeskPurpose,
        who: &str,
    ) -> Result<Allowed, NotDone> {
        self.require_changes()?;
        let token = self.verified_code(text)?;
        let allowed = lock(&self.access().codes).take(&token, purpose, clock::now_ms())?;
        let mut latest = self.access().writing();
        let owner = self.owner(allowed.learner);
        let owner = owner.map_err(|error| error.unknown_as(Refusal::CodeExpired))?;
        let look = v1::Look {
            at_ms: latest.moment(),
            grant_id: bytes::Bytes::new(),
            who: who.to_owned(),
            purpose: purpose as i32,
        };
        let changes = self.look_changes(&owner, owner.learner().as_u64(), look)?;
        self.store().write_access(&changes)?;
        Ok(allowed)
    }

    fn verified_code(&self, text: &str) -> Result<LearnerCodeToken, Refusal> {
        let text = text.trim().strip_prefix(CODE_PREFIX);
        let text = text.ok_or(Refusal::CodeInvalid)?;
        if text.len() > CODE_BYTES * 2 {
            return Err(Refusal::CodeInvalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text);
        let token = LearnerCodeToken::from_bytes(&bytes.map_err(|_| Refusal::CodeInvalid)?)?;
        let key = self.credential_key().ok_or(Refusal::CodeInvalid)?;
        let input = LearnerCodeToken::signing_input(self.origin(), &token.id, token.expires_at_ms);
        let signature = Signature::from_bytes(&token.signature);
        let verified = key.verifying_key().verify_strict(&input, &signature);
        verified.map(|()| token).map_err(|_| Refusal::CodeInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(expires_at_ms: u64) -> Live {
        Live {
            allowed: Allowed {
                learner: LearnerCode::from_random(1).unwrap(),
                purpose: DeskPurpose::Totals,
                categories: Vec::new(),
            },
            expires_at_ms,
            is_used: false,
        }
    }

    #[test]
    fn there_is_room_for_so_many_codes_and_expired_ones_make_way() {
        let id = |i: usize| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&(i as u64).to_be_bytes());
            id
        };
        let mut codes = Codes::default();
        for i in 0..LIVE_MAX {
            let expires = if i == 0 { 50 } else { 100 };
            codes.add(id(i), live(expires), 10).unwrap();
        }
        let full = Err(Refusal::QueueFull { retry_ms: RETRY_MS });
        assert_eq!(codes.add(id(LIVE_MAX), live(100), 49), full);
        assert_eq!(codes.add(id(LIVE_MAX), live(100), 50), Ok(()));
        assert_eq!(codes.add(id(LIVE_MAX + 1), live(100), 50), full);
    }
}
