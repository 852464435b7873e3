//! How the log keeps a batch: once, in chunks of up to 32 envelopes.
//!
//! A batch of 1,000 leaves repeats one signature and shares its path nodes. A chunk holds the signature, the envelopes
//! of one aligned group of 32 rows and the path from the group's root to the batch root: one read rebuilds any leaf's
//! attestation, and a leaf costs about 8 bytes beyond its envelope. Rows that were not created leave their hash behind,
//! because the paths of the others need it.

use bytes::Bytes;
use creditbank_domain::{Digest32, LeafIndex};
use creditbank_merkle::{BatchTree, Hash, leaf_hash};

use crate::codec::{Reader, Writer};
use crate::{Damage, StoreError};

/// Rows in one chunk: a subtree of the batch tree.
pub const CHUNK_ROWS: usize = 32;

/// One aligned group of rows of a signed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Leaf index of its first created row.
    pub first: LeafIndex,
    /// Milliseconds since the epoch, the same for the whole batch.
    pub deposited_at_ms: u64,
    /// Signature algorithm number.
    pub algorithm: u8,
    /// The key that signed the batch.
    pub key_id: Digest32,
    /// The signature over the batch root.
    pub signature: Vec<u8>,
    /// Rows in the whole batch.
    pub batch_size: u16,
    /// Row number of `rows[0]`; a multiple of [`CHUNK_ROWS`], or that of a row that stands alone with its whole path.
    pub first_row: u16,
    /// 1 to 32 rows; at least one was created.
    pub rows: Vec<ChunkRow>,
    /// From the root of this group to the batch root, bottom up.
    pub upper_path: Vec<Hash>,
}

/// A row of a signed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkRow {
    /// It became a leaf; the envelope as the issuer sent it.
    Created(Bytes),
    /// It was a duplicate or refused; the hash of its envelope.
    Other(Hash),
}

/// A leaf as the log keeps it: everything but its encoding.
#[derive(Debug, Clone)]
pub struct StoredLeaf<'a> {
    /// Signature, key and time.
    pub chunk: &'a Chunk,
    /// Exactly the bytes that the issuer sent.
    pub envelope: &'a Bytes,
    /// Row number in the batch.
    pub batch_index: u16,
    /// From the envelope to the batch root, bottom up.
    pub path: Vec<Hash>,
}

impl Chunk {
    /// How many leaves it holds.
    pub fn leaves(&self) -> u64 {
        self.created().count() as u64
    }

    /// The created rows: leaf index, row number, envelope.
    pub fn created(&self) -> impl Iterator<Item = (LeafIndex, u16, &Bytes)> {
        let rows = self
            .rows
            .iter()
            .zip(self.first_row..)
            .filter_map(|(row, number)| match row {
                ChunkRow::Created(envelope) => Some((number, envelope)),
                ChunkRow::Other(_) => None,
            });
        rows.zip(self.first.0..)
            .map(|((number, envelope), index)| (LeafIndex(index), number, envelope))
    }

    /// The leaf at `index`, if this chunk holds it.
    pub fn leaf(&self, index: LeafIndex) -> Option<StoredLeaf<'_>> {
        let (_, row, envelope) = self.created().find(|(at, ..)| *at == index)?;
        Some(self.stored(&self.tree(), row, envelope))
    }

    /// All its leaves, in log order.
    pub fn leaves_in_order(&self) -> impl Iterator<Item = (LeafIndex, StoredLeaf<'_>)> {
        let tree = self.tree();
        self.created()
            .map(move |(index, row, envelope)| (index, self.stored(&tree, row, envelope)))
    }

    fn tree(&self) -> BatchTree {
        let hashes = self.rows.iter().map(|row| match row {
            ChunkRow::Created(envelope) => leaf_hash(envelope),
            ChunkRow::Other(hash) => *hash,
        });
        BatchTree::new(hashes.collect())
    }

    fn stored<'a>(
        &'a self,
        tree: &BatchTree,
        batch_index: u16,
        envelope: &'a Bytes,
    ) -> StoredLeaf<'a> {
        let mut path = tree.path(usize::from(batch_index - self.first_row));
        path.extend_from_slice(&self.upper_path);
        StoredLeaf {
            chunk: self,
            envelope,
            batch_index,
            path,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(256 + self.rows.len() * 96);
        out.u64(self.deposited_at_ms);
        out.u8(self.algorithm);
        out.bytes(&self.key_id);
        out.short(&self.signature);
        out.u16(self.batch_size);
        out.u16(self.first_row);
        out.u8(u8::try_from(self.rows.len()).expect("at most 32"));
        for row in &self.rows {
            match row {
                ChunkRow::Created(envelope) => out.short(envelope),
                ChunkRow::Other(hash) => {
                    out.u16(0);
                    out.bytes(&hash.0);
                }
            }
        }
        out.u8(u8::try_from(self.upper_path.len()).expect("at most 5"));
        for hash in &self.upper_path {
            out.bytes(&hash.0);
        }
        out.into_bytes()
    }

    pub(crate) fn decode(first: LeafIndex, bytes: &[u8]) -> Result<Self, StoreError> {
        Self::read(first, bytes).ok_or(StoreError::Damaged(Damage::Chunk { first }))
    }

    fn read(first: LeafIndex, bytes: &[u8]) -> Option<Self> {
        // One copy for all envelopes of the chunk.
        let all = Bytes::copy_from_slice(bytes);
        let mut input = Reader::new(&all);
        let deposited_at_ms = input.u64()?;
        let algorithm = input.u8()?;
        let key_id = input.array()?;
        let signature = input.short()?.to_vec();
        let batch_size = input.u16()?;
        let first_row = input.u16()?;
        let count = usize::from(input.u8()?);
        if count == 0
            || count > CHUNK_ROWS
            || usize::from(first_row) + count > usize::from(batch_size)
        {
            return None;
        }
        let mut rows = Vec::with_capacity(count);
        for _ in 0..count {
            let envelope = input.short()?;
            rows.push(match envelope {
                [] => ChunkRow::Other(Hash(input.array()?)),
                _ => ChunkRow::Created(all.slice_ref(envelope)),
            });
        }
        let upper = usize::from(input.u8()?);
        let upper_path = (0..upper)
            .map(|_| input.array().map(Hash))
            .collect::<Option<_>>()?;
        input.end()?;
        Some(Self {
            first,
            deposited_at_ms,
            algorithm,
            key_id,
            signature,
            batch_size,
            first_row,
            rows,
            upper_path,
        })
    }
}
