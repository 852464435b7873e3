//! Records: from a row of the institution to the bytes that are signed.
//!
//! Id and salt are derived under the import secret, so that the same row makes the same record, byte for byte, on
//! every import, and neither says anything about the learner to who lacks the secret:
//!
//! - `record_id` = first 16 bytes of HMAC-SHA-256(secret, `"creditbank/record-id/v1\n"` ‖ natural key)
//! - `salt` = HMAC-SHA-256(secret, `"creditbank/salt/v1\n"` ‖ record id ‖ payload)

use bytes::Bytes;
use creditbank_domain::record::{FORMAT_VERSION, RecordKind, RecordRef, commitment};
use creditbank_domain::{Digest32, InstitutionId, LearnerCode, RecordId};
use creditbank_wire::v1::{self, payload::Content};
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::Sha256;

use crate::keys::InstitutionKeys;

const RECORD_ID_CONTEXT: &[u8] = b"creditbank/record-id/v1\n";
const SALT_CONTEXT: &[u8] = b"creditbank/salt/v1\n";

/// The id of the record with this natural key, whatever names the row among all rows of the institution.
#[must_use]
pub fn record_id(import_secret: &[u8; 32], natural_key: &[u8]) -> RecordId {
    Secret::new(import_secret).record_id(natural_key)
}

/// The salt of a record.
#[must_use]
pub fn salt(import_secret: &[u8; 32], record_id: RecordId, payload: &[u8]) -> [u8; 32] {
    Secret::new(import_secret).salt(record_id, payload)
}

/// What names a record among all of its issuer, of parts that cannot run into each other.
#[must_use]
pub fn natural_key(parts: &[&[u8]]) -> Vec<u8> {
    let part = |part: &&[u8]| [&(part.len() as u64).to_be_bytes()[..], part].concat();
    parts.iter().flat_map(part).collect()
}

/// Makes the records of one institution.
pub struct RecordMaker {
    issuer: InstitutionId,
    secret: Secret,
}

impl RecordMaker {
    /// For the institution that holds the keys.
    #[must_use]
    pub fn new(keys: &InstitutionKeys) -> Self {
        Self {
            issuer: keys.institution().clone(),
            secret: Secret::new(keys.import_secret()),
        }
    }

    /// The id that a row with this natural key gets.
    #[must_use]
    pub fn record_id(&self, natural_key: &[u8]) -> RecordId {
        self.secret.record_id(natural_key)
    }

    /// A learning outcome (学习成果).
    #[must_use]
    pub fn outcome(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        outcome: v1::Outcome,
    ) -> v1::SignedRecord {
        self.make(
            natural_key,
            RecordKind::Outcome,
            learner,
            Content::Outcome(outcome),
            None,
            None,
        )
    }

    /// What the outcome of `target` should have been, and why (更正).
    #[must_use]
    pub fn amendment(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        target: RecordRef,
        outcome: v1::Outcome,
        reason: &str,
    ) -> v1::SignedRecord {
        let content = v1::Amendment {
            outcome: Some(outcome),
            reason: reason.to_owned(),
        };
        let content = Content::Amendment(content);
        self.make(
            natural_key,
            RecordKind::Amendment,
            learner,
            content,
            Some(target),
            None,
        )
    }

    /// `target` no longer holds, and why (撤销).
    #[must_use]
    pub fn revocation(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        target: RecordRef,
        reason: &str,
    ) -> v1::SignedRecord {
        let content = Content::Revocation(v1::Revocation {
            reason: reason.to_owned(),
        });
        self.make(
            natural_key,
            RecordKind::Revocation,
            learner,
            content,
            Some(target),
            None,
        )
    }

    /// The institution stands by the disputed `target`, and why (重新确认).
    #[must_use]
    pub fn confirmation(
        &self,
        natural_key: &[u8],
        learner: LearnerCode,
        target: RecordRef,
        reason: &str,
    ) -> v1::SignedRecord {
        let content = Content::Confirmation(v1::Confirmation {
            reason: reason.to_owned(),
        });
        self.make(
            natural_key,
            RecordKind::Confirmation,
            learner,
            content,
            Some(target),
            None,
        )
    }

    /// A record about a learner: `target` is what it is about, `rule_set` what it was made under.
    pub(crate) fn make(
        &self,
        natural_key: &[u8],
        kind: RecordKind,
        learner: LearnerCode,
        content: Content,
        target: Option<RecordRef>,
        rule_set: Option<&Digest32>,
    ) -> v1::SignedRecord {
        let record_id = self.secret.record_id(natural_key);
        // A learner code is printed in groups for people; in signed bytes it has one spelling.
        let learner = format!("{:016}", learner.as_u64());
        let payload = v1::Payload {
            version: FORMAT_VERSION,
            learner,
            content: Some(content),
        };
        let payload = payload.encode_to_vec();
        let salt = self.secret.salt(record_id, &payload);
        let envelope = v1::Envelope {
            version: FORMAT_VERSION,
            issuer: self.issuer.as_str().to_owned(),
            record_id: Bytes::copy_from_slice(record_id.as_bytes()),
            kind: kind as i32,
            commitment: Bytes::copy_from_slice(&commitment(&salt, &payload)),
            refs: target.iter().map(reference).collect(),
            rule_set_hash: rule_set.map_or_else(Bytes::new, |hash| Bytes::copy_from_slice(hash)),
            statement: Bytes::new(),
        };
        v1::SignedRecord {
            envelope: envelope.encode_to_vec().into(),
            salt: Bytes::copy_from_slice(&salt),
            payload: payload.into(),
        }
    }

    /// Who issues the records.
    pub(crate) fn issuer(&self) -> &InstitutionId {
        &self.issuer
    }
}

pub(crate) fn reference(target: &RecordRef) -> v1::RecordRef {
    v1::RecordRef {
        leaf_index: target.leaf_index.0,
        leaf_hash: Bytes::copy_from_slice(&target.leaf_hash),
    }
}

/// The import secret, keyed once for many rows.
struct Secret(Hmac<Sha256>);

impl Secret {
    fn new(secret: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"))
    }

    fn record_id(&self, natural_key: &[u8]) -> RecordId {
        let full = self.mac(&[RECORD_ID_CONTEXT, natural_key]);
        RecordId::from_slice(&full[..16]).expect("16 bytes")
    }

    fn salt(&self, record_id: RecordId, payload: &[u8]) -> [u8; 32] {
        self.mac(&[SALT_CONTEXT, record_id.as_bytes(), payload])
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}
