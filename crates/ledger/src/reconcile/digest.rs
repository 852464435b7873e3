//! One bank's half of a period: its statement, and ids and hashes of its items.

use creditbank_domain::reconcile::{
    Item, Leaf, PeriodFold, PeriodStatement, Prefix, Ranges, Summary,
};
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::{State, Transfer, TransferId};
use creditbank_domain::{Digest32, LeafIndex, Refusal};
use creditbank_merkle::{Hash, leaf_hash, root_of};
use creditbank_store::{Go, ShelfKey, Snapshot, StoreError};

use crate::transfer::{self, TransferRow};

/// See the module. A month of a million transfers takes 48 MB.
#[derive(Debug)]
pub struct PeriodDigest {
    /// What this bank states.
    pub statement: PeriodStatement,
    /// Items in which both banks may agree and that are differences all the same: recognised, and asked back.
    pub asked_back: Vec<TransferId>,
    ids: Vec<TransferId>,
    hashes: Vec<Hash>,
}

/// A period that is being read.
#[derive(Debug)]
pub struct Reading {
    fold: PeriodFold,
    asked_back: Vec<TransferId>,
    ids: Vec<TransferId>,
    hashes: Vec<Hash>,
}

impl Reading {
    /// Nothing was read yet.
    #[must_use]
    pub const fn new(fold: PeriodFold) -> Self {
        Self {
            fold,
            asked_back: Vec::new(),
            ids: Vec::new(),
            hashes: Vec::new(),
        }
    }

    /// Reads all transfers with a peer; `told` hears how many items there are by now.
    pub fn read(
        &mut self,
        snapshot: &Snapshot,
        peer: InstitutionNumber,
        mut told: impl FnMut(u64),
    ) -> Result<Result<(), Refusal>, StoreError> {
        let mut taken = Ok(());
        each(snapshot, peer, |transfer| {
            taken = self.take(transfer);
            told(self.ids.len() as u64);
            match taken {
                Ok(()) => Go::Continue(()),
                Err(_) => Go::Break(()),
            }
        })?;
        Ok(taken)
    }

    /// Takes the next transfer, in the order of ids.
    pub fn take(&mut self, transfer: &Transfer) -> Result<(), Refusal> {
        let Some(item) = self.fold.add(transfer)? else {
            return Ok(());
        };
        if item.state == State::Recognised && item.reversal_asked.is_some() {
            self.asked_back.push(item.id);
        }
        self.ids.push(item.id);
        self.hashes.push(leaf_hash(&item.to_bytes()));
        Ok(())
    }

    /// Whether anything of the pair is older than the period.
    #[must_use]
    pub const fn has_earlier(&self) -> bool {
        self.fold.has_earlier()
    }

    /// Whether the pair has begun only after the period.
    #[must_use]
    pub fn is_before_all(&self) -> bool {
        self.fold.is_before_all()
    }

    /// The statement, behind that of the period before.
    pub fn finish(self, previous: Digest32) -> Result<PeriodDigest, Refusal> {
        let root = root_of(&self.hashes).0;
        Ok(PeriodDigest {
            statement: self.fold.finish(previous, root)?,
            asked_back: self.asked_back,
            ids: self.ids,
            hashes: self.hashes,
        })
    }
}

/// Every transfer with a peer, in the order of ids, until `visit` breaks.
pub fn each(
    snapshot: &Snapshot,
    peer: InstitutionNumber,
    mut visit: impl FnMut(&Transfer) -> Go,
) -> Result<(), StoreError> {
    let first = TransferId([0; 16]);
    transfer::each(snapshot, peer, first, |row| visit(&row.transfer))
}

/// One transfer with a peer.
pub fn find(
    snapshot: &Snapshot,
    peer: InstitutionNumber,
    id: TransferId,
) -> Result<Option<Transfer>, StoreError> {
    let row = snapshot.shelf(&ShelfKey::Transfer(peer, id.0))?;
    let row = row
        .map(|bytes| TransferRow::decode(id, &bytes))
        .transpose()?;
    Ok(row.map(|row| row.transfer))
}

/// A transfer as a row of the database, as if every step of it were this bank's first entry: for rehearsals and benches,
/// which put transfers into a database that no log tells of.
#[must_use]
pub fn row(transfer: &Transfer) -> Vec<u8> {
    let mut row = TransferRow::new(transfer.id, transfer.side);
    row.entries = vec![LeafIndex(0); transfer.steps.len()];
    row.transfer = transfer.clone();
    row.encode()
}

impl PeriodDigest {
    /// How many items a range holds.
    #[must_use]
    pub fn count(&self, prefix: &Prefix) -> u64 {
        self.range(prefix).len() as u64
    }

    fn range(&self, prefix: &Prefix) -> std::ops::Range<usize> {
        let (first, last) = prefix.bounds();
        let from = self.ids.partition_point(|id| *id < first);
        from..self.ids.partition_point(|id| *id <= last)
    }
}

impl Ranges for PeriodDigest {
    fn summary(&self, prefix: &Prefix) -> Summary {
        let hashes = &self.hashes[self.range(prefix)];
        Summary {
            count: hashes.len() as u64,
            root: root_of(hashes).0,
        }
    }

    fn list(&self, prefix: &Prefix) -> Vec<Leaf> {
        let range = self.range(prefix);
        let ids = self.ids[range.clone()].iter().copied();
        ids.zip(self.hashes[range].iter().map(|hash| hash.0))
            .collect()
    }

    fn root_of(&self, leaves: &[Leaf]) -> Digest32 {
        let hashes: Vec<Hash> = leaves.iter().map(|(_, hash)| Hash(*hash)).collect();
        root_of(&hashes).0
    }
}

/// The leaf hash of an item.
pub(super) fn hash_of(item: &Item) -> Digest32 {
    leaf_hash(&item.to_bytes()).0
}
