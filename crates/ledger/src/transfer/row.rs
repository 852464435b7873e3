//! A transfer as it lies in its row: the steps with the leaves of this bank's entries about them. Internal to the database.

use creditbank_domain::transfer::{Side, Taken, Transfer, TransferId};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Damage, StoreError};
use creditbank_wire::convert::transfer::{step, step_message};
use creditbank_wire::v1;
use prost::Message;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransferRow {
    pub(crate) transfer: Transfer,
    /// This bank's entry about each step.
    pub(crate) entries: Vec<LeafIndex>,
    /// At the receiver: the learner's request.
    pub(crate) request: Option<LeafIndex>,
    /// At the receiver: the outcome in the learner's archive.
    pub(crate) record: Option<LeafIndex>,
}

#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(uint32)]
    side: u32,
    #[prost(message, repeated)]
    steps: Vec<StoredStep>,
    #[prost(uint64, optional)]
    request: Option<u64>,
    #[prost(uint64, optional)]
    record: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredStep {
    #[prost(uint64)]
    sequence: u64,
    #[prost(uint64)]
    at_ms: u64,
    #[prost(uint64)]
    leaf: u64,
    #[prost(message)]
    step: Option<v1::TransferStep>,
}

impl TransferRow {
    pub(crate) fn new(id: TransferId, side: Side) -> Self {
        Self {
            transfer: Transfer::new(id, side),
            entries: Vec::new(),
            request: None,
            record: None,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let steps = self.transfer.steps.iter().zip(&self.entries);
        Stored {
            side: self.transfer.side as u32,
            steps: steps
                .map(|(taken, leaf)| StoredStep {
                    sequence: taken.sequence,
                    at_ms: taken.at_ms,
                    leaf: leaf.0,
                    step: Some(step_message(&taken.step)),
                })
                .collect(),
            request: self.request.map(|leaf| leaf.0),
            record: self.record.map(|leaf| leaf.0),
        }
        .encode_to_vec()
    }

    pub(crate) fn decode(id: TransferId, bytes: &[u8]) -> Result<Self, StoreError> {
        let stored = Stored::decode(bytes).map_err(|_| damaged())?;
        let mut row = Self::new(id, Side::from_number(stored.side).ok_or_else(damaged)?);
        row.request = stored.request.map(LeafIndex);
        row.record = stored.record.map(LeafIndex);
        for it in stored.steps {
            let message = it.step.ok_or(Refusal::Missing);
            row.entries.push(LeafIndex(it.leaf));
            row.transfer.steps.push(Taken {
                sequence: it.sequence,
                at_ms: it.at_ms,
                step: message.and_then(step).map_err(|_| damaged())?,
            });
        }
        Ok(row)
    }
}

pub(crate) const fn damaged() -> StoreError {
    StoreError::Damaged(Damage::Row("transfers"))
}
