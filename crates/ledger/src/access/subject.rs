//! Accounts of identity providers, and whose they are. An account is kept as a keyed digest alone.

use creditbank_domain::Refusal;
use creditbank_domain::identifier::LearnerCode;
use creditbank_store::{AccessKey, Damage, GrantRow, StoreError};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::NotDone;
use super::row::SUBJECT;
use crate::bank::Bank;

const SUBJECT_CONTEXT: &[u8] = b"creditbank/subject/v1\n";

impl Bank {
    /// Ties an account to a learner. The same again changes nothing.
    pub(crate) fn link_subject(
        &self,
        learner: LearnerCode,
        issuer: &str,
        subject: &str,
    ) -> Result<(), NotDone> {
        self.require_changes()?;
        let _one_at_a_time = self.access().writing();
        let owner = self.owner(learner)?;
        let key = self.subject_key(issuer, subject);
        if let Some(known) = self.linked(&key)? {
            return match owner.has(known) {
                true => Ok(()),
                false => Err(Refusal::SubjectLinked.into()),
            };
        }
        let code = owner.learner().as_u64();
        let back = GrantRow {
            kind: SUBJECT,
            pointers: vec![key],
            sealed: Vec::new(),
        };
        Ok(self.store().write_access(&[
            (key, Some(code.to_be_bytes().to_vec())),
            (back_key(code, &key), Some(back.encode())),
        ])?)
    }

    /// Unties an account; nothing to do for one that is nobody's.
    pub(crate) fn unlink_subject(&self, issuer: &str, subject: &str) -> Result<(), NotDone> {
        self.require_changes()?;
        let _one_at_a_time = self.access().writing();
        let key = self.subject_key(issuer, subject);
        let Some(code) = self.linked(&key)? else {
            return Ok(());
        };
        let changes = [(key, None), (back_key(code, &key), None)];
        Ok(self.store().write_access(&changes)?)
    }

    /// The learner whose account it is, by the code that remains after merges.
    pub(crate) fn find_subject(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<LearnerCode>, NotDone> {
        let Some(code) = self.linked(&self.subject_key(issuer, subject))? else {
            return Ok(None);
        };
        match self.owner_of(code) {
            Ok(owner) => Ok(Some(owner.learner())),
            Err(NotDone::Refused(fault)) if fault.refusal == Refusal::LearnerUnknown => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn linked(&self, key: &AccessKey) -> Result<Option<u64>, NotDone> {
        let code = |row: Vec<u8>| row.try_into().map(u64::from_be_bytes);
        let damaged = |_| StoreError::Damaged(Damage::Row("access"));
        let row = self.store().access_row(key)?;
        Ok(row.map(code).transpose().map_err(damaged)?)
    }

    fn subject_key(&self, issuer: &str, subject: &str) -> AccessKey {
        let mac = Hmac::<Sha256>::new_from_slice(self.identity_key()).expect("HMAC takes any key");
        let mac = mac
            .chain_update(SUBJECT_CONTEXT)
            .chain_update((issuer.len() as u64).to_be_bytes())
            .chain_update(issuer)
            .chain_update(subject);
        AccessKey::Subject(mac.finalize().into_bytes().into())
    }
}

/// Where an erasure finds the account: under the learner, by the beginning of the digest.
fn back_key(code: u64, key: &AccessKey) -> AccessKey {
    let AccessKey::Subject(digest) = key else {
        unreachable!("made by `subject_key`");
    };
    AccessKey::Grant(code, *digest.first_chunk().expect("32 bytes"))
}
