//! The rows of transfers: read from a snapshot, changed by the entries of a plan or of a whole log, written as views.

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_domain::registry::{InstitutionNumber, Registry};
use creditbank_domain::transfer::book::{self, Bound, Change, Pair, Place, Shelf};
use creditbank_domain::transfer::{Purpose, Step, Taken, Transfer, TransferId};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{ShelfKey, Snapshot, StoreError};
use creditbank_wire::convert::leaf;
use creditbank_wire::convert::transfer::Entry;

use super::row::{TransferRow, damaged};

/// See the module. Without a snapshot it begins empty: a fold of the whole log.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    snapshot: Option<Arc<Snapshot>>,
    rows: BTreeMap<ShelfKey, Option<Vec<u8>>>,
}

impl Shelves {
    pub(crate) fn over(snapshot: Arc<Snapshot>) -> Self {
        Self {
            snapshot: Some(snapshot),
            rows: BTreeMap::new(),
        }
    }

    /// What has changed.
    pub(crate) fn into_rows(self) -> BTreeMap<ShelfKey, Option<Vec<u8>>> {
        self.rows
    }

    /// A learner's request waits for the bank.
    pub(crate) fn request(&mut self, index: LeafIndex) {
        self.rows.insert(ShelfKey::Request(index), Some(Vec::new()));
    }

    /// Takes in the entry at `index`, deposited at `at_ms`.
    pub(crate) fn enter(
        &mut self,
        registry: &Registry,
        index: LeafIndex,
        at_ms: u64,
        entry: &Entry,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let Some(peer) = registry.institution(entry.peer.as_str()) else {
            return Ok(Err(Refusal::PeerUnknown));
        };
        let at_ms = match heard_at(entry) {
            Ok(heard) => heard.unwrap_or(at_ms),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let taken = book::Entry {
            place: (peer.number, entry.id),
            side: entry.side,
            taken: Taken {
                sequence: entry.sequence,
                at_ms,
                step: entry.step.clone(),
            },
        };
        let change = match entry.heard {
            None => book::take(self, &taken)?,
            Some(_) => book::hear(self, &taken)?,
        };
        match change {
            Ok(change) => self.put(change, index, entry).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn put(&mut self, change: Change, index: LeafIndex, entry: &Entry) -> Result<(), StoreError> {
        let (peer, id) = change.place;
        let pair = encode_pair(change.pair);
        self.rows.insert(ShelfKey::Pair(peer), Some(pair));
        if entry.heard.is_none() {
            let leaf = index.0.to_be_bytes().to_vec();
            let sent = ShelfKey::Sent(peer, entry.sequence);
            self.rows.insert(sent, Some(leaf));
        }
        let Some(transfer) = change.transfer else {
            return Ok(());
        };
        let known = self.row(change.place)?;
        let mut row = known.unwrap_or_else(|| TransferRow::new(id, transfer.side));
        row.transfer = transfer;
        row.entries.push(index);
        match (&entry.step, entry.heard.is_none(), entry.record) {
            (Step::Requested { .. }, true, Some(request)) => {
                row.request = Some(LeafIndex(request));
                let waits = ShelfKey::Request(LeafIndex(request));
                self.rows.insert(waits, None);
            }
            (Step::Received, true, Some(record)) => row.record = Some(LeafIndex(record)),
            (Step::Released(_), true, _) => {
                let consent = row.transfer.consent().map(|consent| consent.leaf_index);
                let used = consent.map(|leaf| (ShelfKey::Used(leaf), Some(Vec::new())));
                self.rows.extend(used);
            }
            _ => {}
        }
        let open = (!row.transfer.is_settled()).then(Vec::new);
        self.rows.insert(ShelfKey::Open(peer, id.0), open);
        let key = ShelfKey::Transfer(peer, id.0);
        self.rows.insert(key, Some(row.encode()));
        if let Some(((outcome, purpose), holder)) = change.binding {
            let key = ShelfKey::Binding(outcome, purpose as u8);
            self.rows.insert(key, holder.map(encode_place));
        }
        Ok(())
    }

    /// Whether a consent of this log has led to a release.
    pub(crate) fn is_used(&self, consent: LeafIndex) -> Result<bool, StoreError> {
        Ok(self.read(&ShelfKey::Used(consent))?.is_some())
    }

    fn read(&self, key: &ShelfKey) -> Result<Option<Vec<u8>>, StoreError> {
        match (self.rows.get(key), &self.snapshot) {
            (Some(row), _) => Ok(row.clone()),
            (None, Some(snapshot)) => snapshot.shelf(key),
            (None, None) => Ok(None),
        }
    }

    /// A transfer's whole row.
    pub(crate) fn row(&self, (peer, id): Place) -> Result<Option<TransferRow>, StoreError> {
        let bytes = self.read(&ShelfKey::Transfer(peer, id.0))?;
        bytes
            .map(|bytes| TransferRow::decode(id, &bytes))
            .transpose()
    }
}

impl Shelf for Shelves {
    type Error = StoreError;

    fn pair(&self, peer: InstitutionNumber) -> Result<Pair, StoreError> {
        let bytes = self.read(&ShelfKey::Pair(peer))?;
        bytes.map_or(Ok(Pair::default()), |bytes| decode_pair(&bytes))
    }

    fn transfer(&self, place: Place) -> Result<Option<Transfer>, StoreError> {
        Ok(self.row(place)?.map(|row| row.transfer))
    }

    fn binding(&self, (outcome, purpose): Bound) -> Result<Option<Place>, StoreError> {
        let bytes = self.read(&ShelfKey::Binding(outcome, purpose as u8))?;
        bytes.map(|bytes| decode_place(&bytes)).transpose()
    }
}

/// Whether a transfer binds an outcome for a purpose.
pub(crate) fn is_bound(snapshot: &Snapshot, (outcome, purpose): Bound) -> Result<bool, StoreError> {
    let key = ShelfKey::Binding(outcome, purpose as u8);
    Ok(snapshot.shelf(&key)?.is_some())
}

/// The transfers that bind an outcome, for any purpose.
pub(crate) fn bound(snapshot: &Snapshot, outcome: LeafIndex) -> Result<Vec<Place>, StoreError> {
    let mut places = Vec::new();
    for purpose in [Purpose::Degree, Purpose::NonDegree, Purpose::Vocational] {
        let key = ShelfKey::Binding(outcome, purpose as u8);
        if let Some(bytes) = snapshot.shelf(&key)? {
            places.push(decode_place(&bytes)?);
        }
    }
    Ok(places)
}

/// When a step was taken that was heard of another bank, by its ledger.
fn heard_at(entry: &Entry) -> Result<Option<u64>, Refusal> {
    let Some(heard) = &entry.heard else {
        return Ok(None);
    };
    leaf::decode(&heard.leaf).map(|leaf| Some(leaf.deposited_at_ms))
}

fn encode_pair(pair: Pair) -> Vec<u8> {
    [pair.sent.to_be_bytes(), pair.heard.to_be_bytes()].concat()
}

fn decode_pair(bytes: &[u8]) -> Result<Pair, StoreError> {
    let (sent, heard) = bytes.split_first_chunk::<8>().ok_or(damaged())?;
    Ok(Pair {
        sent: u64::from_be_bytes(*sent),
        heard: u64::from_be_bytes(heard.try_into().map_err(|_| damaged())?),
    })
}

fn encode_place((peer, id): Place) -> Vec<u8> {
    [&peer.0.to_be_bytes()[..], &id.0].concat()
}

fn decode_place(bytes: &[u8]) -> Result<Place, StoreError> {
    let (peer, id) = bytes.split_first_chunk::<4>().ok_or(damaged())?;
    let id = TransferId::from_slice(id).map_err(|_| damaged())?;
    Ok((InstitutionNumber(u32::from_be_bytes(*peer)), id))
}
