//! What a receipt consists of, read strictly: each function secures one thing and says why it does not hold.

use std::sync::Arc;

use bytes::Bytes;
use creditbank_domain::record::{
    Algorithm, BATCH_RECORDS_MAX, FORMAT_VERSION, LEAF_BYTES_MAX, PATH_HASHES_MAX, commitment,
};
use creditbank_domain::{Digest32, RecordId, Refusal};
use creditbank_merkle::{
    BatchTree, Checkpoint, Hash, LeafIndex, ProofError, ProvedRange, TreeSize, leaf_hash,
    root_from_inclusion, root_of,
};
use creditbank_wire::convert::leaf::{LeafParts, encode_tail};
use creditbank_wire::convert::record::canonical;
use creditbank_wire::v1::{self, RecordKind};

use super::report::Reason;
use super::verifier::{Opening, VerifiedRecord};

/// The batch of a bundle and the rows of it that were created.
pub(super) struct Batch<'a> {
    bundle: &'a v1::ReceiptBundle,
    created: &'a v1::CreatedRows,
    /// Rows from 0 on, or those that `created` names: ascending, all within the batch.
    rows: usize,
    pub(super) key_id: &'a Digest32,
    /// Over all envelopes.
    pub(super) tree: BatchTree,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        bundle: &'a v1::ReceiptBundle,
        created: &'a v1::CreatedRows,
    ) -> Result<Self, Reason> {
        let envelopes = bundle.envelopes.len();
        batch_size_form(envelopes as u64)?;
        Algorithm::of_signature(bundle.algorithm).map_err(form("algorithm"))?;
        let ascending = created.rows.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending
            || created
                .rows
                .last()
                .is_some_and(|last| *last as usize >= envelopes)
        {
            return Err(Reason::Rows);
        }
        let rows = if created.rows.is_empty() {
            envelopes
        } else {
            created.rows.len()
        };
        // So that no index of the range overflows.
        created
            .first_leaf_index
            .checked_add(rows as u64)
            .ok_or(Reason::Rows)?;
        let leaves = bundle
            .envelopes
            .iter()
            .map(|envelope| leaf_hash(envelope))
            .collect();
        let key_id = digest_of("key_id", &bundle.key_id)?;
        Ok(Self {
            bundle,
            created,
            rows,
            key_id,
            tree: BatchTree::new(leaves),
        })
    }

    /// The records of the created rows, their leaf hashes still to be filled in.
    pub(super) fn records(&self) -> Result<Vec<VerifiedRecord>, Reason> {
        let issuer: Arc<str> = Arc::from(self.bundle.issuer.as_str());
        let record = |i| {
            let envelope = envelope_form(&self.bundle.envelopes[self.row(i)])?;
            if envelope.issuer != self.bundle.issuer {
                return Err(form("issuer")(Refusal::IssuerMismatch));
            }
            let index = self.created.first_leaf_index + i as u64;
            record(
                envelope,
                issuer.clone(),
                index,
                self.created.deposited_at_ms,
            )
        };
        (0..self.rows).map(record).collect()
    }

    /// The leaf of the `i`-th created row, exactly as the bank logged it.
    pub(super) fn leaf(&self, i: usize) -> Vec<u8> {
        let mut leaf = Vec::new();
        self.encode_leaf(i, &mut leaf);
        leaf
    }

    pub(super) fn leaf_hashes(&self) -> Result<Vec<Hash>, Reason> {
        let mut leaf = Vec::new();
        let hash = |i| {
            leaf.clear();
            self.encode_leaf(i, &mut leaf);
            leaf_size_form(leaf.len())?;
            Ok(leaf_hash(&leaf))
        };
        (0..self.rows).map(hash).collect()
    }

    /// The leaves of the created rows in the log, if they lead to the root of the checkpoint.
    pub(super) fn range(
        &self,
        leaves: Vec<Hash>,
        checkpoint: &Checkpoint,
    ) -> Result<ProvedRange, Reason> {
        let first = LeafIndex::new(self.created.first_leaf_index);
        let proof = hashes(&self.created.range_proof)?;
        let range = ProvedRange::new(first, leaves, checkpoint.size, &proof)?;
        let (computed, stated) = (range.root(), checkpoint.root);
        if computed == stated {
            Ok(range)
        } else {
            Err(ProofError::RootDiffers { computed, stated }.into())
        }
    }

    fn row(&self, i: usize) -> usize {
        self.created.rows.get(i).map_or(i, |row| *row as usize)
    }

    fn encode_leaf(&self, i: usize, out: &mut Vec<u8>) {
        let row = self.row(i);
        let parts = LeafParts {
            envelope: &self.bundle.envelopes[row],
            key_id: self.key_id,
            algorithm: self.bundle.algorithm,
            batch_size: self.bundle.envelopes.len() as u32,
            batch_index: row as u32,
            path: &self.tree.path(row),
            signature: &self.bundle.signature,
        };
        parts.encode_head(out);
        encode_tail(self.created.deposited_at_ms, out);
    }
}

/// The version of a bundle is known, and it proves something.
pub(super) fn bundle_form(bundle: &v1::ReceiptBundle) -> Result<(), Reason> {
    version_form(bundle.version, "bundle")?;
    if bundle.created.is_none() && bundle.receipts.is_empty() {
        return Err(Reason::Missing("a receipt"));
    }
    Ok(())
}

/// A leaf with its attestation, and its envelope.
pub(crate) fn leaf_form(bytes: &[u8]) -> Result<(v1::Leaf, v1::Envelope), Reason> {
    leaf_size_form(bytes.len())?;
    let leaf: v1::Leaf = canonical(bytes).map_err(form("leaf"))?;
    version_form(leaf.version, "leaf")?;
    let attestation = leaf
        .attestation
        .as_ref()
        .ok_or(Reason::Missing("the attestation"))?;
    batch_size_form(u64::from(attestation.batch_size))?;
    Algorithm::of_signature(attestation.algorithm).map_err(form("algorithm"))?;
    if attestation.path.len() > PATH_HASHES_MAX {
        return Err(form("path")(Refusal::TooMany {
            max: PATH_HASHES_MAX as u32,
        }));
    }
    let envelope = envelope_form(&leaf.envelope)?;
    Ok((leaf, envelope))
}

/// The root of the batch, to which the path of an envelope leads.
pub(crate) fn batch_root(
    envelope: &[u8],
    attestation: &v1::Attestation,
    path: &[Hash],
) -> Result<Hash, Reason> {
    let index = LeafIndex::new(u64::from(attestation.batch_index));
    let size = TreeSize::new(u64::from(attestation.batch_size));
    root_from_inclusion(&leaf_hash(envelope), index, size, path).map_err(Reason::BatchPath)
}

/// The root that was sent is that of the envelopes.
pub(super) fn sent_root(request: &v1::SubmitBatchRequest) -> Result<(), Reason> {
    let stated = Hash(*digest_of("root", &request.root)?);
    let leaves: Vec<_> = request
        .records
        .iter()
        .map(|it| leaf_hash(&it.envelope))
        .collect();
    let computed = root_of(&leaves);
    if computed == stated {
        Ok(())
    } else {
        Err(Reason::BatchRoot { computed, stated })
    }
}

/// What a proved envelope says.
pub(super) fn record(
    envelope: v1::Envelope,
    issuer: Arc<str>,
    leaf_index: u64,
    deposited_at_ms: u64,
) -> Result<VerifiedRecord, Reason> {
    Ok(VerifiedRecord {
        leaf_index,
        leaf_hash: Digest32::default(),
        issuer,
        record_id: RecordId::from_slice(&envelope.record_id).map_err(form("record_id"))?,
        kind: RecordKind::try_from(envelope.kind)
            .map_err(|_| form("kind")(Refusal::KindNotAllowed))?,
        deposited_at_ms,
        commitment: envelope.commitment,
        statement: envelope.statement,
    })
}

/// Payload and salt open the commitment.
pub(super) fn opens(opening: Opening<'_>, expected: &[u8]) -> Result<(), Reason> {
    let salt = digest_of("salt", opening.salt)?;
    if commitment(salt, opening.payload)[..] == *expected {
        Ok(())
    } else {
        Err(Reason::Commitment)
    }
}

/// The proved records are the ones that were sent, and each opens.
pub(super) fn each_opens(
    sent: &[&v1::SignedRecord],
    proved: &[VerifiedRecord],
) -> Result<(), Reason> {
    for (sent, proved) in sent.iter().zip(proved) {
        let envelope = envelope_form(&sent.envelope)?;
        if envelope.record_id != proved.record_id.as_bytes()[..]
            || envelope.kind != proved.kind as i32
            || envelope.commitment != proved.commitment
            || envelope.statement != proved.statement
        {
            return Err(Reason::OtherRecord);
        }
        // Statements of the bank and declarations are public and commit to nothing.
        let is_public = matches!(proved.kind, RecordKind::Statement | RecordKind::Declaration);
        if !is_public {
            opens(
                Opening {
                    salt: &sent.salt,
                    payload: &sent.payload,
                },
                &proved.commitment,
            )?;
        }
    }
    Ok(())
}

/// Hashes of 32 bytes each.
pub(crate) fn hashes(all: &[Bytes]) -> Result<Vec<Hash>, Reason> {
    all.iter()
        .map(|bytes| digest_of("a hash", bytes).map(|hash| Hash(*hash)))
        .collect()
}

/// Exactly 32 bytes.
pub(super) fn digest_of<'a>(part: &'static str, bytes: &'a [u8]) -> Result<&'a Digest32, Reason> {
    bytes
        .try_into()
        .map_err(|_| form(part)(Refusal::WrongLength { expected: 32 }))
}

/// Names the part that a refusal is about.
pub(super) fn form(part: &'static str) -> impl Fn(Refusal) -> Reason {
    move |refusal| Reason::Form { part, refusal }
}

fn envelope_form(bytes: &[u8]) -> Result<v1::Envelope, Reason> {
    let envelope: v1::Envelope = canonical(bytes).map_err(form("envelope"))?;
    version_form(envelope.version, "envelope")?;
    Ok(envelope)
}

fn version_form(version: u32, part: &'static str) -> Result<(), Reason> {
    if version == FORMAT_VERSION {
        Ok(())
    } else {
        Err(form(part)(Refusal::UnknownVersion { version }))
    }
}

fn batch_size_form(count: u64) -> Result<(), Reason> {
    match count {
        0 => Err(form("batch")(Refusal::BatchEmpty)),
        count if count > BATCH_RECORDS_MAX as u64 => Err(form("batch")(Refusal::BatchTooLarge {
            count,
            max: BATCH_RECORDS_MAX as u64,
        })),
        _ => Ok(()),
    }
}

fn leaf_size_form(bytes: usize) -> Result<(), Reason> {
    if bytes <= LEAF_BYTES_MAX {
        return Ok(());
    }
    let (bytes, max) = (bytes as u64, LEAF_BYTES_MAX as u64);
    Err(form("leaf")(Refusal::RecordTooLarge { bytes, max }))
}
