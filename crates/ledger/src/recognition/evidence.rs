//! What a ruling rests on, read again by the leaves that it names: outcomes and earlier decisions as they were looked at,
//! whatever has become of them since.

use std::collections::HashMap;
use std::sync::Arc;

use creditbank_domain::identifier::{LearnerCode, RecordId};
use creditbank_domain::recognition::Ruling;
use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Snapshot, Store, StoreError};
use creditbank_wire::convert::record::canonical;
use creditbank_wire::v1;

use super::holdings::{Holdings, held_of, message_at, prior, ruling};
use crate::vault::{DataKey, KeyEncryptionKey, Opened};

/// Why a record cannot be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Its learner was erased, and it with them.
    Erased,
    /// Its learner is here, and it is not, or does not open.
    Unreadable(LeafIndex),
}

impl Lost {
    /// What a caller is told.
    pub(crate) const fn refusal(self) -> Refusal {
        match self {
            Self::Erased => Refusal::LearnerErased,
            Self::Unreadable(_) => Refusal::StorageFailed,
        }
    }
}

/// Reads sealed records by their leaves. Keys of learners are unwrapped once.
pub(crate) struct Evidence<'a> {
    pub(crate) store: &'a Store,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) registry: &'a Registry,
    key: &'a KeyEncryptionKey,
    keys: HashMap<u64, Arc<DataKey>>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(
        store: &'a Store,
        snapshot: &'a Snapshot,
        registry: &'a Registry,
        key: &'a KeyEncryptionKey,
    ) -> Self {
        Self {
            store,
            snapshot,
            registry,
            key,
            keys: HashMap::new(),
        }
    }

    /// What a ruling looked at.
    pub(crate) fn holdings(
        &mut self,
        ruled: &Ruling,
    ) -> Result<Result<Holdings, Lost>, StoreError> {
        let mut holdings = Holdings::default();
        for index in &ruled.held {
            let (issuer, payload) = match self.record(*index)? {
                Ok(record) => record,
                Err(lost) => return Ok(Err(lost)),
            };
            let held = held_of(self.snapshot, self.registry, *index, issuer, &payload)?;
            holdings.held.extend(held);
        }
        for index in &ruled.prior {
            match self.ruling(*index)? {
                Ok(earlier) => holdings.prior.push(prior(*index, earlier)),
                Err(lost) => return Ok(Err(lost)),
            }
        }
        Ok(Ok(holdings))
    }

    /// The ruling of a decision or a notice.
    pub(crate) fn ruling(&mut self, index: LeafIndex) -> Result<Result<Ruling, Lost>, StoreError> {
        let record = self.record(index)?;
        Ok(record.and_then(|(_, payload)| ruling(&payload).ok_or(Lost::Unreadable(index))))
    }

    /// The code that a merge makes another name of its learner; none if it cannot be read.
    pub(crate) fn merged(&mut self, index: LeafIndex) -> Result<Option<u64>, StoreError> {
        use v1::payload::Content;
        let record = self.record(index)?.ok();
        let content =
            record.and_then(|(_, payload)| canonical::<v1::Payload>(&payload).ok()?.content);
        Ok(match content {
            Some(Content::Merge(it)) => LearnerCode::parse(&it.merged_learner)
                .ok()
                .map(|code| code.as_u64()),
            _ => None,
        })
    }

    /// The code that a record is about; 0 once its learner is erased.
    pub(crate) fn learner(&self, index: LeafIndex) -> Result<u64, StoreError> {
        let message = message_at(self.snapshot, index)?;
        let place = self.place(&message)?;
        Ok(place.map_or(0, |(.., learner)| learner))
    }

    /// Issuer, id and learner of a sealed record; none where the database does not know it.
    fn place(
        &self,
        message: &v1::Envelope,
    ) -> Result<Option<(InstitutionNumber, RecordId, u64)>, StoreError> {
        let issuer = self.registry.institution(&message.issuer);
        let record_id = RecordId::from_slice(&message.record_id).ok();
        let Some((issuer, record_id)) = issuer.zip(record_id) else {
            return Ok(None);
        };
        let row = self.snapshot.id(issuer.number, &record_id)?;
        Ok(row.map(|row| (issuer.number, record_id, row.learner)))
    }

    /// Issuer and payload of a sealed record.
    pub(crate) fn record(
        &mut self,
        index: LeafIndex,
    ) -> Result<Result<(InstitutionNumber, Vec<u8>), Lost>, StoreError> {
        let opened = self.opened(index)?;
        Ok(opened.map(|(issuer, opened)| (issuer, opened.payload)))
    }

    /// Issuer, salt and payload of a sealed record.
    pub(crate) fn opened(
        &mut self,
        index: LeafIndex,
    ) -> Result<Result<(InstitutionNumber, Opened), Lost>, StoreError> {
        let unreadable = Ok(Err(Lost::Unreadable(index)));
        let message = message_at(self.snapshot, index)?;
        let Some((issuer, record_id, learner)) = self.place(&message)? else {
            return unreadable;
        };
        let Some(wrapped) = self.store.wrapped_key(learner)? else {
            return Ok(Err(Lost::Erased));
        };
        let Some(key) = self.data_key(learner, &wrapped) else {
            return unreadable;
        };
        let sealed = self.snapshot.vault_row(learner, index)?;
        let opened = sealed.and_then(|row| key.open_record(&message.issuer, &record_id, &row).ok());
        match opened {
            Some(opened) => Ok(Ok((issuer, opened))),
            None => unreadable,
        }
    }

    fn data_key(&mut self, learner: u64, wrapped: &[u8]) -> Option<Arc<DataKey>> {
        if let Some(key) = self.keys.get(&learner) {
            return Some(Arc::clone(key));
        }
        let key = self.key.unwrap(learner, wrapped).ok()?;
        self.keys.insert(learner, Arc::clone(&key));
        Some(key)
    }
}
