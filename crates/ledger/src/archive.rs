//! Reading one archive: every record of a learner, under all codes, opened, with its state. All from one head.

use std::sync::Arc;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::KeyId;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Damage, Go, StateRow, StoreError};
use creditbank_wire::v1;

use crate::bank::Bank;
use crate::fold::find_state;
use crate::head::Head;
use crate::vault::{self, DataKey, Opened, VaultHeader};

/// One code of an archive.
pub(crate) struct Part {
    pub(crate) code: LearnerCode,
    pub(crate) key: Arc<DataKey>,
    /// Of its changed records, by leaf index.
    pub(crate) states: Vec<(LeafIndex, StateRow)>,
}

/// An archive as it was at one head.
pub(crate) struct Archive {
    pub(crate) head: Arc<Head>,
    pub(crate) parts: Vec<Part>,
    /// An institution sees what it deposited itself.
    pub(crate) only: Option<InstitutionNumber>,
}

/// One record, opened.
pub(crate) struct Found {
    pub(crate) index: LeafIndex,
    pub(crate) header: VaultHeader,
    pub(crate) issuer: String,
    pub(crate) state: v1::RecordState,
    pub(crate) changed_by: Option<LeafIndex>,
    pub(crate) opened: Opened,
}

impl Archive {
    /// Opens the archive that `learner` belongs to, for a reader who sees everything or only its own deposits.
    pub(crate) fn open(
        bank: &Bank,
        head: Arc<Head>,
        learner: LearnerCode,
        only: Option<InstitutionNumber>,
    ) -> Result<Result<Self, Refusal>, StoreError> {
        let codes = match bank.archive_codes(learner)? {
            Ok(codes) => codes,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut parts = Vec::with_capacity(codes.len());
        for code in codes {
            let key = match bank.learner_key(code)? {
                Ok(key) => key,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let states = head.snapshot.states(code.as_u64())?;
            parts.push(Part { code, key, states });
        }
        Ok(Ok(Self { head, parts, only }))
    }

    /// Records of one code below `before`, newest first, until `visit` breaks.
    pub(crate) fn scan(
        &self,
        part: &Part,
        before: u64,
        mut visit: impl FnMut(Found) -> Go,
    ) -> Result<(), StoreError> {
        let mut broken = None;
        let mut each = |index: LeafIndex, row: &[u8]| -> Result<Go, StoreError> {
            let found = self.opened(part, index, row)?;
            Ok(found.map_or(Go::Continue(()), &mut visit))
        };
        self.head
            .snapshot
            .vault(part.code.as_u64(), Some(LeafIndex(before)), |index, row| {
                each(index, row).unwrap_or_else(|error| {
                    broken = Some(error);
                    Go::Break(())
                })
            })?;
        broken.map_or(Ok(()), Err)
    }

    /// One record of the archive, if the reader sees it.
    pub(crate) fn find(&self, index: LeafIndex) -> Result<Option<Found>, StoreError> {
        for part in &self.parts {
            let row = self.head.snapshot.vault_row(part.code.as_u64(), index)?;
            if let Some(row) = row {
                return self.opened(part, index, &row);
            }
        }
        Ok(None)
    }

    /// The learner code that a record was deposited under.
    pub(crate) fn code_of(&self, index: LeafIndex) -> Result<Option<LearnerCode>, StoreError> {
        for part in &self.parts {
            let snapshot = &self.head.snapshot;
            if snapshot.vault_row(part.code.as_u64(), index)?.is_some() {
                return Ok(Some(part.code));
            }
        }
        Ok(None)
    }

    /// A row, opened; nothing if it is not for this reader.
    fn opened(
        &self,
        part: &Part,
        index: LeafIndex,
        row: &[u8],
    ) -> Result<Option<Found>, StoreError> {
        let damaged = || StoreError::Damaged(Damage::Row("vault"));
        let header = vault::header(row).map_err(|_| damaged())?;
        if self.only.is_some_and(|only| only != header.issuer) {
            return Ok(None);
        }
        let institution = self.head.registry.by_number(header.issuer);
        let institution = institution.ok_or_else(damaged)?;
        let issuer = institution.profile.id.as_str();
        let opened = part.key.open_record(issuer, &header.record_id, row);
        let opened = opened.map_err(|_| damaged())?;
        let row = find_state(&part.states, index);
        let (state, changed_by) = self.state(index, row, institution.has_doubtful_key())?;
        Ok(Some(Found {
            index,
            header,
            issuer: issuer.to_owned(),
            state,
            changed_by,
            opened,
        }))
    }

    /// The state of one record, by what was done to it.
    pub(crate) fn state(
        &self,
        index: LeafIndex,
        row: StateRow,
        doubtful: bool,
    ) -> Result<(v1::RecordState, Option<LeafIndex>), StoreError> {
        if row.revoked_by.is_some() {
            return Ok((v1::RecordState::Revoked, row.revoked_by));
        }
        if row.amended_by.is_some() {
            return Ok((v1::RecordState::Amended, row.amended_by));
        }
        if doubtful && row.confirmed_by.is_none() {
            let key = KeyId(self.head.snapshot.chunk(index)?.key_id);
            if self
                .head
                .registry
                .key(&key)
                .is_some_and(|(_, history)| history.is_doubtful_at(index))
            {
                return Ok((v1::RecordState::Disputed, None));
            }
        }
        Ok((v1::RecordState::Active, row.confirmed_by))
    }
}

impl From<Found> for v1::ArchiveRecord {
    fn from(record: Found) -> Self {
        Self {
            leaf_index: record.index.0,
            issuer: record.issuer,
            record_id: record.header.record_id.as_bytes().to_vec().into(),
            kind: record.header.kind as i32,
            state: record.state as i32,
            deposited_at_ms: record.header.deposited_at_ms,
            payload: record.opened.payload.into(),
            salt: record.opened.salt.to_vec().into(),
            changed_by: record.changed_by.map(|index| index.0),
            used_by: Vec::new(),
        }
    }
}
