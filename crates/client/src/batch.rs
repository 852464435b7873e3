//! Batches: many records under one signature.

use bytes::Bytes;
use creditbank_domain::Refusal;
use creditbank_domain::record::{Algorithm, BATCH_RECORDS_MAX, KeyPurpose, batch_signing_input};
use creditbank_merkle::{leaf_hash, root_of};
use creditbank_wire::v1;
use ed25519_dalek::Signer;
use prost::Message;

use crate::keys::InstitutionKeys;

/// Most bytes of records in a batch: what a bank takes in one request, less room for the batch's own fields.
pub const BATCH_BYTES_MAX: usize = (8 << 20) - 4096;

/// Signs 1 to 1,024 records for the ledger of this origin. The caller's order is kept; `sequence` is 0.
///
/// # Errors
/// If there are no records or too many.
pub fn sign(
    origin: &str,
    keys: &InstitutionKeys,
    records: Vec<v1::SignedRecord>,
) -> Result<v1::SubmitBatchRequest, Refusal> {
    match records.len() {
        0 => return Err(Refusal::BatchEmpty),
        1..=BATCH_RECORDS_MAX => {}
        count => {
            let (count, max) = (count as u64, BATCH_RECORDS_MAX as u64);
            return Err(Refusal::BatchTooLarge { count, max });
        }
    }
    let leaves: Vec<_> = records
        .iter()
        .map(|record| leaf_hash(&record.envelope))
        .collect();
    let (issuer, root) = (keys.institution().as_str(), root_of(&leaves));
    let input = batch_signing_input(origin, issuer, leaves.len() as u64, &root.0);
    Ok(v1::SubmitBatchRequest {
        sequence: 0,
        origin: origin.to_owned(),
        issuer: issuer.to_owned(),
        key_id: Bytes::copy_from_slice(&keys.key_id(KeyPurpose::Sign).0),
        algorithm: Algorithm::Ed25519 as u32,
        root: Bytes::copy_from_slice(&root.0),
        signature: Bytes::copy_from_slice(&keys.key(KeyPurpose::Sign).sign(&input).to_bytes()),
        records,
    })
}

/// Collects records until a batch is full, by count or by bytes.
#[derive(Debug)]
pub struct Batcher {
    records_max: usize,
    bytes: usize,
    records: Vec<v1::SignedRecord>,
}

impl Batcher {
    /// For batches of at most `records_max` records, which is held between 1 and 1,024.
    #[must_use]
    pub fn new(records_max: usize) -> Self {
        let records_max = records_max.clamp(1, BATCH_RECORDS_MAX);
        Self {
            records_max,
            bytes: 0,
            records: Vec::new(),
        }
    }

    /// Adds a record; gives the batch before it, if that is full with it.
    pub fn push(&mut self, record: v1::SignedRecord) -> Option<Vec<v1::SignedRecord>> {
        let bytes = record.encoded_len() + 8;
        let full = self.records.len() == self.records_max || self.bytes + bytes > BATCH_BYTES_MAX;
        let batch = if full { self.take() } else { None };
        if self.records.is_empty() {
            self.records.reserve_exact(self.records_max);
        }
        self.records.push(record);
        self.bytes += bytes;
        batch
    }

    /// What has been collected, if anything.
    pub fn take(&mut self) -> Option<Vec<v1::SignedRecord>> {
        self.bytes = 0;
        (!self.records.is_empty()).then(|| std::mem::take(&mut self.records))
    }
}
