//! Rows about who may see what: grants, requests, looks, and what leads to them. They lie beside the log like learners,
//! are not folded from it, and end with an erasure.
//!
//! What is sealed in a row is the ledger's. Its clear header lists the keys that lead to it, so that an erasure finds
//! them without opening anything.

use crate::codec::{Reader, Writer};
use crate::keys::{self, ACCESS, AccessKey};
use crate::{Damage, Go, Store, StoreError};

const FORMAT: u8 = 1;

/// A grant or request of a learner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// What it is, by the ledger's numbers.
    pub kind: u8,
    /// The keys that lead to it.
    pub pointers: Vec<AccessKey>,
    /// Sealed under the learner's data key.
    pub sealed: Vec<u8>,
}

impl GrantRow {
    /// The bytes of the row.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(self.sealed.len() + 64);
        out.u8(FORMAT);
        out.u8(self.kind);
        out.u8(u8::try_from(self.pointers.len()).expect("a handful lead to a row"));
        for pointer in &self.pointers {
            out.short(&pointer.encode());
        }
        out.bytes(&self.sealed);
        out.into_bytes()
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let parse = || {
            let mut input = Reader::new(bytes);
            (input.u8()? == FORMAT).then_some(())?;
            let kind = input.u8()?;
            let pointers = (0..input.u8()?).map(|_| AccessKey::decode(input.short()?));
            let pointers = pointers.collect::<Option<_>>()?;
            let sealed = input.rest().to_vec();
            Some(Self {
                kind,
                pointers,
                sealed,
            })
        };
        parse().ok_or(StoreError::Damaged(Damage::Row("access")))
    }
}

/// A change of one row; none for one that goes.
pub type AccessChange = (AccessKey, Option<Vec<u8>>);

/// Where a pointer leads: learner, and id of the row.
#[must_use]
pub fn pointer(learner: u64, id: &[u8; 16]) -> Vec<u8> {
    [&learner.to_be_bytes()[..], id].concat()
}

/// Reads where a pointer leads.
pub fn pointed(bytes: &[u8]) -> Result<(u64, [u8; 16]), StoreError> {
    let split = || {
        let (learner, id) = bytes.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*learner), id.try_into().ok()?))
    };
    split().ok_or(StoreError::Damaged(Damage::Row("access")))
}

impl Store {
    /// A row, as last written.
    pub fn access_row(&self, key: &AccessKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.database().get_cf(self.family(ACCESS), key.encode())?)
    }

    /// Writes rows as one atomic synced batch. Whoever writes holds on to what it decided by.
    pub fn write_access(&self, changes: &[AccessChange]) -> Result<(), StoreError> {
        let mut batch = rocksdb::WriteBatch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put_cf(self.family(ACCESS), key.encode(), value),
                None => batch.delete_cf(self.family(ACCESS), key.encode()),
            }
        }
        self.write(batch)
    }

    /// Rows of the kind and owner of `from`, from there on, until `visit` breaks.
    pub fn access_rows(
        &self,
        from: &AccessKey,
        mut visit: impl FnMut(AccessKey, &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        let mut damaged = false;
        let start = from.encode();
        let scanned = self.snapshot().range(
            ACCESS,
            &start[..from.owner_bytes()],
            &start,
            |key, value| match AccessKey::decode(key) {
                Some(key) => visit(key, value),
                None => {
                    damaged = true;
                    Go::Break(())
                }
            },
        );
        scanned?;
        if damaged {
            Err(StoreError::Damaged(Damage::Row("access")))
        } else {
            Ok(())
        }
    }

    /// Every key that belongs to a learner or leads there, the grants included that others gave to this learner.
    pub fn access_of(&self, learner: u64) -> Result<Vec<AccessKey>, StoreError> {
        let mut found = Vec::new();
        let mut rows = Vec::new();
        for from in AccessKey::of_learner(learner) {
            self.access_rows(&from, |key, value| {
                rows.push((key, value.to_vec()));
                Go::Continue(())
            })?;
        }
        for (key, value) in rows {
            match key {
                AccessKey::Grant(..) => found.extend(GrantRow::decode(&value)?.pointers),
                // The grant of somebody else, who named this learner in it.
                AccessKey::Delegate(_, id) => {
                    let grantor = value.first_chunk::<8>().map(|it| u64::from_be_bytes(*it));
                    let grantor = grantor.ok_or(StoreError::Damaged(Damage::Row("access")))?;
                    found.push(AccessKey::Grant(grantor, id));
                }
                _ => {}
            }
            found.push(key);
        }
        Ok(found)
    }

    pub(crate) fn delete_access(&self, batch: &mut rocksdb::WriteBatch, gone: &[AccessKey]) {
        for key in gone {
            batch.delete_cf(self.family(ACCESS), key.encode());
        }
    }
}

/// The first key of each kind that a learner owns.
impl AccessKey {
    fn of_learner(learner: u64) -> [Self; 3] {
        [
            Self::Grant(learner, [0; 16]),
            Self::Look(learner, u64::MAX, [0; 4]),
            Self::Delegate(learner, [0; 16]),
        ]
    }

    /// Bytes of the key's kind and owner, which a scan keeps to.
    const fn owner_bytes(&self) -> usize {
        match self {
            Self::Queue(..) => 1 + 4,
            _ => 1 + keys::LEARNER_BYTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use creditbank_domain::registry::InstitutionNumber;

    use super::*;

    fn every_kind() -> [AccessKey; 7] {
        let (learner, id) = (1_234_567_890_123_456, [7; 16]);
        [
            AccessKey::Grant(learner, id),
            AccessKey::Look(learner, 1_795_000_000_000, [9; 4]),
            AccessKey::Secret([3; 32]),
            AccessKey::Subject([4; 32]),
            AccessKey::Delegate(learner, id),
            AccessKey::Queue(InstitutionNumber(17), 1_795_000_000_000, id),
            AccessKey::Asked(id),
        ]
    }

    #[test]
    fn keys_come_back_and_cut_ones_do_not() {
        for key in every_kind() {
            let bytes = key.encode();
            assert_eq!(AccessKey::decode(&bytes), Some(key));
            for cut in 0..bytes.len() {
                assert_eq!(AccessKey::decode(&bytes[..cut]), None, "{key:?} at {cut}");
            }
            assert_eq!(AccessKey::decode(&[&bytes[..], &[0]].concat()), None);
        }
        assert_eq!(AccessKey::decode(b"?234567890123456"), None);
    }

    #[test]
    fn newer_looks_and_requests_come_first() {
        let (number, id) = (InstitutionNumber(17), [7; 16]);
        let look = |at_ms| AccessKey::Look(5, at_ms, [0; 4]).encode();
        let queue = |at_ms| AccessKey::Queue(number, at_ms, id).encode();
        assert!(look(2) < look(1) && queue(2) < queue(1));
        assert!(look(u64::MAX) < look(0) && queue(u64::MAX) < queue(0));
    }

    #[test]
    fn a_row_comes_back_with_the_keys_that_lead_to_it_and_damage_is_noticed() {
        let row = GrantRow {
            kind: 2,
            pointers: every_kind().to_vec(),
            sealed: vec![1, 2, 3],
        };
        let bytes = row.encode();
        assert_eq!(GrantRow::decode(&bytes).unwrap(), row);
        let sealed_at = bytes.len() - row.sealed.len();
        for cut in 0..sealed_at {
            assert!(GrantRow::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let other_format = [&[9], &bytes[1..]].concat();
        assert!(GrantRow::decode(&other_format).is_err());
        let lead = pointer(5, &[7; 16]);
        assert_eq!(pointed(&lead).unwrap(), (5, [7; 16]));
        assert!(pointed(&lead[1..]).is_err());
    }
}
