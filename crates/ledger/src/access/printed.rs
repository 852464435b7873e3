//! Codes on paper: of use only together with the identity document, which is not to be guessed.

use std::collections::HashMap;

use creditbank_domain::Refusal;
use creditbank_domain::access::{DeskPurpose, PrintedSecret, WRONG_TRIES_MAX};
use creditbank_domain::identifier::IdentityDocument;
use creditbank_wire::v1;

use super::code::Allowed;
use super::grant::{is_grant_open, secret_key};
use super::{NotDone, lock};
use crate::bank::Bank;

const HOUR_MS: u64 = 3_600_000;
/// Most printed codes that are being tried with wrong documents.
const TRIED_MAX: usize = 100_000;

/// Printed codes that were presented with wrong documents.
#[derive(Default)]
pub(super) struct Tries(HashMap<[u8; 16], Tried>);

struct Tried {
    since_ms: u64,
    wrong: u32,
}

impl Tries {
    /// Counts a try as wrong, until [`right`](Self::right) says otherwise: tries at the same moment count as well.
    fn begin(&mut self, grant: [u8; 16], now_ms: u64) -> Result<(), Refusal> {
        let is_over = |tried: &Tried| tried.since_ms.saturating_add(HOUR_MS) <= now_ms;
        if self.0.len() >= TRIED_MAX {
            self.0.retain(|_, tried| !is_over(tried));
        }
        if self.0.len() >= TRIED_MAX && !self.0.contains_key(&grant) {
            return Err(Refusal::QueueFull { retry_ms: 60_000 });
        }
        let fresh = || Tried {
            since_ms: now_ms,
            wrong: 0,
        };
        let tried = self.0.entry(grant).or_insert_with(fresh);
        if is_over(tried) {
            *tried = fresh();
        }
        if tried.wrong >= WRONG_TRIES_MAX {
            let left_ms = (tried.since_ms + HOUR_MS).saturating_sub(now_ms);
            let minutes = u32::try_from(left_ms.div_ceil(60_000)).unwrap_or(60);
            return Err(Refusal::TriesTooMany { minutes });
        }
        tried.wrong += 1;
        Ok(())
    }

    fn right(&mut self, grant: &[u8; 16]) {
        if let Some(tried) = self.0.get_mut(grant) {
            tried.wrong = tried.wrong.saturating_sub(1);
            if tried.wrong == 0 {
                self.0.remove(grant);
            }
        }
    }
}

impl Bank {
    /// What a printed code allows a desk, if the document is that of its learner. It is noted as a look before
    /// anything is shown.
    pub(crate) fn take_printed(
        &self,
        text: &str,
        document: Option<&IdentityDocument>,
        purpose: DeskPurpose,
        who: &str,
    ) -> Result<Allowed, NotDone> {
        self.require_changes()?;
        let secret = PrintedSecret::parse(text)?.canonical();
        let mut latest = self.access().writing();
        let found = self.by_secret(&secret_key(&secret))?;
        let (owner, mut kept) = found.ok_or(Refusal::CodeInvalid)?;
        let Some(v1::grant::Content::PrintedCode(printed)) = kept.content.content.clone() else {
            return Err(Refusal::CodeInvalid.into());
        };
        let now = latest.moment();
        if !is_grant_open(&kept.content, now) {
            return Err(Refusal::CodeExpired.into());
        }
        let document = document.ok_or_else(|| Refusal::Missing.at("identity"))?;
        lock(&self.access().tries).begin(kept.id, now)?;
        let presented = self.store().learner_by_identity(&self.digest(document))?;
        if !presented.is_some_and(|code| owner.has(code)) {
            return Err(Refusal::IdentityMismatch.at("identity").into());
        }
        lock(&self.access().tries).right(&kept.id);
        if printed.purpose != purpose as i32 {
            return Err(Refusal::PurposeNotAllowed.at("purpose").into());
        }
        self.note_use(&owner, &mut kept, who, purpose as i32, now)?;
        Ok(Allowed {
            learner: owner.learner(),
            purpose,
            categories: printed.categories,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_documents_an_hour_and_no_more() {
        let (code, other) = ([1; 16], [2; 16]);
        let mut tries = Tries::default();
        for minute in 0..5 {
            assert_eq!(tries.begin(code, minute * 60_000), Ok(()));
        }
        let refused = Err(Refusal::TriesTooMany { minutes: 55 });
        assert_eq!(tries.begin(code, 5 * 60_000), refused);
        assert_eq!(tries.begin(other, 5 * 60_000), Ok(()));
        let last = tries.begin(code, HOUR_MS - 1);
        assert_eq!(last, Err(Refusal::TriesTooMany { minutes: 1 }));
        assert_eq!(tries.begin(code, HOUR_MS), Ok(()));
    }

    #[test]
    fn right_documents_do_not_count() {
        let code = [1; 16];
        let mut tries = Tries::default();
        for _ in 0..50 {
            assert_eq!(tries.begin(code, 0), Ok(()));
            tries.right(&code);
        }
        assert!(tries.0.is_empty());
    }
}
