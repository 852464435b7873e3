//! Rows of grants and requests: found, opened, sealed, written.

use std::sync::Arc;

use creditbank_domain::Refusal;
use creditbank_domain::identifier::LearnerCode;
use creditbank_store::{AccessChange, AccessKey, Damage, Go, GrantRow, StoreError};
use prost::Message;

use super::NotDone;
use crate::bank::Bank;
use crate::vault::DataKey;

/// A share, printed code or delegation.
pub(super) const GRANT: u8 = 1;
/// A correction or a wish to be erased.
pub(super) const REQUEST: u8 = 2;
/// An account; nothing is sealed, the row leads an erasure to the account's digest.
pub(super) const SUBJECT: u8 = 3;

/// A learner with all codes of the archive, the surviving one first, and their keys.
pub(crate) struct Owner {
    codes: Vec<(LearnerCode, Arc<DataKey>)>,
}

impl Owner {
    /// The code that remains after merges.
    pub(crate) fn learner(&self) -> LearnerCode {
        self.codes[0].0
    }

    /// Whether a code belongs to this archive.
    pub(crate) fn has(&self, code: u64) -> bool {
        self.codes.iter().any(|(own, _)| own.as_u64() == code)
    }

    pub(super) fn codes(&self) -> impl Iterator<Item = u64> {
        self.codes.iter().map(|(code, _)| code.as_u64())
    }

    pub(super) fn key(&self, code: u64) -> Result<&DataKey, NotDone> {
        let own = self.codes.iter().find(|(own, _)| own.as_u64() == code);
        own.map(|(_, key)| &**key)
            .ok_or_else(|| Refusal::Internal.into())
    }
}

/// A row and what is sealed in it.
pub(super) struct Kept<M> {
    /// The code that it lies under.
    pub(super) code: u64,
    pub(super) id: [u8; 16],
    pub(super) kind: u8,
    pub(super) pointers: Vec<AccessKey>,
    pub(super) content: M,
}

impl<M: Message> Kept<M> {
    /// The row as it is to be written.
    pub(super) fn change(&self, owner: &Owner) -> Result<AccessChange, NotDone> {
        let content = self.content.encode_to_vec();
        let row = GrantRow {
            kind: self.kind,
            pointers: self.pointers.clone(),
            sealed: owner
                .key(self.code)?
                .seal_access(self.code, &self.id, &content),
        };
        Ok((AccessKey::Grant(self.code, self.id), Some(row.encode())))
    }

    /// Takes the row away, with everything that leads to it.
    pub(super) fn removal(&self) -> impl Iterator<Item = AccessChange> {
        let own = AccessKey::Grant(self.code, self.id);
        self.pointers
            .iter()
            .copied()
            .chain([own])
            .map(|key| (key, None))
    }
}

/// Where a page begins: the moment and the id of its first item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at_ms: u64,
    pub(crate) id: [u8; 16],
}

impl Place {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [&self.at_ms.to_be_bytes()[..], &self.id].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let (at, id) = bytes
            .split_first_chunk::<8>()
            .ok_or(Refusal::PageTokenInvalid)?;
        Ok(Self {
            at_ms: u64::from_be_bytes(*at),
            id: id.try_into().map_err(|_| Refusal::PageTokenInvalid)?,
        })
    }
}

/// A page of `items`, newest first and then by id, from `from` on; and where the next one begins.
pub(crate) fn newest_first<T>(
    mut items: Vec<(Place, T)>,
    from: Option<Place>,
    size: usize,
) -> (Vec<T>, Option<Place>) {
    let order = |place: &Place| (std::cmp::Reverse(place.at_ms), place.id);
    items.sort_unstable_by_key(|(place, _)| order(place));
    let start = from.map_or(0, |from| {
        items.partition_point(|(place, _)| order(place) < order(&from))
    });
    let next = items.get(start + size).map(|(place, _)| *place);
    let page = items.into_iter().skip(start).take(size);
    (page.map(|(_, item)| item).collect(), next)
}

impl Bank {
    /// A learner, looked up as the database is now: nothing is granted by or shown of one who is being erased.
    pub(crate) fn owner(&self, learner: LearnerCode) -> Result<Owner, NotDone> {
        let mut codes = Vec::new();
        for code in self.archive_codes(learner)?? {
            let there = self.store().learner(code.as_u64())?;
            there.ok_or(Refusal::LearnerUnknown)?;
            codes.push((code, self.learner_key(code)??));
        }
        if codes.is_empty() {
            return Err(Refusal::LearnerUnknown.into());
        }
        Ok(Owner { codes })
    }

    /// The learner whose number stands in a row.
    pub(super) fn owner_of(&self, code: u64) -> Result<Owner, NotDone> {
        let damaged = |_| StoreError::Damaged(Damage::Row("access"));
        self.owner(LearnerCode::from_u64(code).map_err(damaged)?)
    }

    /// All rows of a kind that a learner has.
    pub(super) fn kept<M: Message + Default>(
        &self,
        owner: &Owner,
        kind: u8,
    ) -> Result<Vec<Kept<M>>, NotDone> {
        let mut rows = Vec::new();
        for code in owner.codes() {
            let from = AccessKey::Grant(code, [0; 16]);
            self.store().access_rows(&from, |key, value| {
                if let AccessKey::Grant(code, id) = key {
                    rows.push((code, id, value.to_vec()));
                }
                Go::Continue(())
            })?;
        }
        let opened = rows
            .into_iter()
            .map(|(code, id, row)| open(owner, code, id, &row, kind));
        opened.filter_map(Result::transpose).collect()
    }

    /// One row of a kind that a learner has.
    pub(super) fn kept_one<M: Message + Default>(
        &self,
        owner: &Owner,
        kind: u8,
        id: [u8; 16],
    ) -> Result<Option<Kept<M>>, NotDone> {
        for code in owner.codes() {
            if let Some(row) = self.store().access_row(&AccessKey::Grant(code, id))? {
                return open(owner, code, id, &row, kind);
            }
        }
        Ok(None)
    }
}

/// Opens a row, if it is of this kind.
fn open<M: Message + Default>(
    owner: &Owner,
    code: u64,
    id: [u8; 16],
    row: &[u8],
    kind: u8,
) -> Result<Option<Kept<M>>, NotDone> {
    let row = GrantRow::decode(row)?;
    if row.kind != kind {
        return Ok(None);
    }
    let damaged = || StoreError::Damaged(Damage::Row("access"));
    let opened = owner.key(code)?.open_access(code, &id, &row.sealed);
    let content = M::decode(&opened.map_err(|_| damaged())?[..]).map_err(|_| damaged())?;
    Ok(Some(Kept {
        code,
        id,
        kind,
        pointers: row.pointers,
        content,
    }))
}
