//! The records that transfers rest on, read by their leaves: consents, requests, outcomes of this bank and of others.

use std::sync::Arc;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::{Payload, PayloadContent, RecordKind, RecordRef};
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::{Consent, Reason, TransferId, TransferRequest, Transferred};
use creditbank_domain::{LeafIndex, Outcome};
use creditbank_merkle::leaf_hash;
use creditbank_store::StoreError;
use creditbank_wire::convert::record;
use creditbank_wire::v1;
use jiff::civil::Date;

use crate::archive::Archive;
use crate::bank::Bank;
use crate::fold::find_state;
use crate::head::Head;
use crate::recognition::{Evidence, Lost, message_at};

/// An outcome with what a release needs to know of its record.
pub(crate) struct HeldOutcome {
    pub(crate) outcome: Outcome,
    pub(crate) commitment: [u8; 32],
    /// All codes of its learner's archive.
    pub(crate) archive: Vec<u64>,
}

/// Issuer, salt and payload of a record.
type Read = (InstitutionNumber, [u8; 32], Payload);

/// Reads records of one head.
pub(crate) struct Papers<'a> {
    pub(crate) bank: &'a Bank,
    pub(crate) head: &'a Arc<Head>,
}

impl Papers<'_> {
    /// A consent in force, its learner, and the transfer that it allows.
    pub(crate) fn consent(
        &self,
        at: &RecordRef,
    ) -> Result<Result<(LearnerCode, Consent, TransferId), Reason>, StoreError> {
        let (salt, payload) = match self.named(at)? {
            Ok((_, salt, payload)) => (salt, payload),
            Err(reason) => return Ok(Err(reason.unwrap_or(Reason::ConsentMissing))),
        };
        let PayloadContent::Consent(consent) = payload.content else {
            return Ok(Err(Reason::ConsentMissing));
        };
        let states = self.head.snapshot.states(payload.learner.as_u64())?;
        Ok(
            match find_state(&states, at.leaf_index).revoked_by.is_some() {
                true => Err(Reason::ConsentWithdrawn),
                false => {
                    let id = TransferId::of(self.bank.origin(), at, &salt);
                    Ok((payload.learner, *consent, id))
                }
            },
        )
    }

    /// An outcome in force of a learner's archive.
    pub(crate) fn outcome(
        &self,
        learner: LearnerCode,
        at: &RecordRef,
    ) -> Result<Result<HeldOutcome, Reason>, StoreError> {
        let (issuer, _, payload) = match self.named(at)? {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason.unwrap_or(Reason::OutcomeNotInForce))),
        };
        let outcome = match payload.content {
            PayloadContent::Outcome(outcome) | PayloadContent::Amendment(outcome) => *outcome,
            PayloadContent::Transferred(_) => return Ok(Err(Reason::OutcomeDerived)),
            _ => return Ok(Err(Reason::OutcomeNotInForce)),
        };
        let head = Arc::clone(self.head);
        let Ok(archive) = Archive::open(self.bank, head, learner, None)? else {
            return Ok(Err(Reason::LearnerErased));
        };
        let mut parts = archive.parts.iter();
        let Some(part) = parts.find(|part| part.code == payload.learner) else {
            return Ok(Err(Reason::OutcomeNotInForce));
        };
        let row = find_state(&part.states, at.leaf_index);
        let institution = self.head.registry.by_number(issuer);
        let doubtful = institution.is_some_and(|it| it.has_doubtful_key());
        let (state, _) = archive.state(at.leaf_index, row, doubtful)?;
        if state != v1::RecordState::Active {
            return Ok(Err(Reason::OutcomeNotInForce));
        }
        let message = message_at(&self.head.snapshot, at.leaf_index)?;
        Ok(Ok(HeldOutcome {
            outcome,
            commitment: record::digest(&message.commitment).unwrap_or_default(),
            archive: archive.parts.iter().map(|it| it.code.as_u64()).collect(),
        }))
    }

    /// A learner's request to this bank; none once the learner is gone.
    pub(crate) fn request(
        &self,
        at: LeafIndex,
    ) -> Result<Option<(LearnerCode, TransferRequest)>, StoreError> {
        Ok(self.payload(at)?.ok().and_then(|(.., payload)| {
            let learner = payload.learner;
            match payload.content {
                PayloadContent::TransferRequest(request) => Some((learner, *request)),
                _ => None,
            }
        }))
    }

    /// What came from another bank; none once the learner is gone.
    pub(crate) fn transferred(
        &self,
        at: LeafIndex,
    ) -> Result<Option<(LearnerCode, Transferred)>, StoreError> {
        Ok(self.payload(at)?.ok().and_then(|(.., payload)| {
            let learner = payload.learner;
            match payload.content {
                PayloadContent::Transferred(it) => Some((learner, *it)),
                _ => None,
            }
        }))
    }

    /// The reference to a record of this log.
    pub(crate) fn reference(&self, at: LeafIndex) -> Result<RecordRef, StoreError> {
        Ok(RecordRef {
            leaf_index: at,
            leaf_hash: leaf_hash(&self.head.leaf(at)?).0,
        })
    }

    /// A record that is named by place and content. The reason is that of an erasure; none where there is no such
    /// record.
    fn named(&self, at: &RecordRef) -> Result<Result<Read, Option<Reason>>, StoreError> {
        if !self.head.contains(at.leaf_index) || self.reference(at.leaf_index)? != *at {
            return Ok(Err(None));
        }
        self.payload(at.leaf_index)
    }

    fn payload(&self, at: LeafIndex) -> Result<Result<Read, Option<Reason>>, StoreError> {
        let (store, key) = (self.bank.store(), self.bank.key_encryption());
        let Head {
            snapshot, registry, ..
        } = &**self.head;
        let message = message_at(snapshot, at)?;
        let kind = RecordKind::from_number(message.kind.cast_unsigned());
        if kind.is_none_or(|kind| kind.is_public() || kind == RecordKind::Transfer) {
            return Ok(Err(None));
        }
        let mut evidence = Evidence::new(store, snapshot, registry, key);
        Ok(match evidence.opened(at)? {
            // It was admitted once, so the day of admission does not matter any more.
            Ok((issuer, opened)) => match record::payload(&opened.payload, Date::MAX) {
                Ok(payload) => Ok((issuer, opened.salt, payload)),
                Err(_) => Err(None),
            },
            Err(lost) => Err(match lost {
                Lost::Erased => Some(Reason::LearnerErased),
                Lost::Unreadable(_) => None,
            }),
        })
    }
}
