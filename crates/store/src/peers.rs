//! Rows about other banks: what was cosigned, and what was shown. They lie beside the log and are not folded from it.

use creditbank_domain::reconcile::Period;
use rocksdb::WriteBatch;

use crate::keys::{self, KIND_COSIGNED, KIND_EVIDENCE, KIND_OWN_COSIGNED, PEERS};
use crate::{Store, StoreError};

/// What a row about another bank says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerRow {
    /// The newest checkpoint of that bank that this one has cosigned.
    Cosigned,
    /// The newest own checkpoint that that bank has cosigned.
    OwnCosigned,
    /// What proves that that bank has forked its log.
    Evidence,
    /// The report of a period that was closed with that bank.
    Report(Period),
}

impl PeerRow {
    fn key(self, origin: &str) -> Vec<u8> {
        let kind = match self {
            Self::Cosigned => KIND_COSIGNED,
            Self::OwnCosigned => KIND_OWN_COSIGNED,
            Self::Evidence => KIND_EVIDENCE,
            Self::Report(period) => return keys::report(period, origin),
        };
        keys::peer(kind, origin)
    }
}

impl Store {
    /// A row about the bank whose log has this name, as last written.
    pub fn peer_row(&self, row: PeerRow, origin: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let family = self.family(PEERS);
        Ok(self.database().get_cf(family, row.key(origin))?)
    }

    /// Writes a row, synced: what rests on it may leave the bank once this returns. Whoever writes holds on to what it
    /// decided by, because the last writer wins.
    pub fn write_peer_row(
        &self,
        row: PeerRow,
        origin: &str,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let (family, key) = (self.family(PEERS), row.key(origin));
        let mut batch = WriteBatch::default();
        batch.put_cf(family, key, value);
        self.write(batch)
    }

    /// Removes a row, synced.
    pub fn remove_peer_row(&self, row: PeerRow, origin: &str) -> Result<(), StoreError> {
        let (family, key) = (self.family(PEERS), row.key(origin));
        let mut batch = WriteBatch::default();
        batch.delete_cf(family, key);
        self.write(batch)
    }
}
