//! One institution, and a log in memory that acknowledges what it deposits.

use std::convert::Infallible;

use creditbank_client::{InstitutionKeys, RecordMaker, batch};
use creditbank_domain::record::KeyPurpose;
use creditbank_domain::{InstitutionId, LearnerCode};
use creditbank_merkle::{
    BatchTree, Checkpoint, Hash, LeafIndex, Nodes, NoteSigner, TreeSize, VerifierKey,
    inclusion_proof, leaf_hash, range_proof, root_of,
};
use creditbank_wire::convert::leaf::LeafParts;
use creditbank_wire::v1;
use ed25519_dalek::SigningKey;

pub(crate) const ORIGIN: &str = "bank.example/log";
pub(crate) const DEPOSITED_AT_MS: u64 = 1_790_000_000_000;

pub(crate) fn keys() -> InstitutionKeys {
    let id = InstitutionId::parse("fudan").expect("a proper id");
    InstitutionKeys::from_seeds(id, &[1; 32], &[2; 32], &[7; 32])
}

pub(crate) fn sign_key() -> v1::PublicKey {
    let key = keys().public(KeyPurpose::Sign);
    creditbank_wire::convert::record::public_key_message(&key)
}

pub(crate) fn learner() -> LearnerCode {
    LearnerCode::from_random(123_456_789_012_345).expect("15 digits")
}

pub(crate) fn outcome(name: &str) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: "CS101".into(),
            name: name.into(),
        }),
        credits_hundredths: Some(350),
        completed_on: "2026-06-30".into(),
        detail: Some(v1::outcome::Detail::Training(v1::Training {
            certificate: true,
        })),
        ..Default::default()
    }
}

/// A signed batch of `count` outcomes; `name` makes its rows differ from those of other batches.
pub(crate) fn signed(name: &str, count: usize) -> v1::SubmitBatchRequest {
    let keys = keys();
    let maker = RecordMaker::new(&keys);
    let record = |row| maker.outcome(format!("{name}/{row}").as_bytes(), learner(), outcome(name));
    batch::sign(ORIGIN, &keys, (0..count).map(record).collect()).expect("a batch of allowed size")
}

/// A log that keeps its leaves.
pub(crate) struct Log {
    signer: NoteSigner,
    leaves: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
}

impl Log {
    /// With this many foreign leaves in front.
    pub(crate) fn new(before: usize) -> Self {
        let signer =
            NoteSigner::new(ORIGIN, SigningKey::from_bytes(&[9; 32])).expect("a proper name");
        let leaves: Vec<_> = (0..before)
            .map(|i| format!("foreign {i}").into_bytes())
            .collect();
        let hashes = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        Self {
            signer,
            leaves,
            hashes,
        }
    }

    pub(crate) fn key(&self) -> VerifierKey {
        self.signer.verifier().clone()
    }

    pub(crate) fn checkpoint(&self) -> String {
        let size = TreeSize::new(self.hashes.len() as u64);
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size,
            root: root_of(&self.hashes),
        };
        checkpoint.sign(&self.signer).expect("a proper checkpoint")
    }

    /// Creates these rows of a batch, all if none are named, and then has `behind` more foreign leaves.
    pub(crate) fn create(
        &mut self,
        request: &v1::SubmitBatchRequest,
        rows: &[u32],
        behind: usize,
    ) -> v1::CreatedRows {
        let envelopes = request
            .records
            .iter()
            .map(|record| leaf_hash(&record.envelope))
            .collect();
        let tree = BatchTree::new(envelopes);
        let first = self.hashes.len() as u64;
        let all: Vec<u32> = (0..request.records.len() as u32).collect();
        for row in if rows.is_empty() { &all } else { rows } {
            let parts = LeafParts {
                envelope: &request.records[*row as usize].envelope,
                key_id: request.key_id[..].try_into().expect("32 bytes"),
                algorithm: request.algorithm,
                batch_size: all.len() as u32,
                batch_index: *row,
                path: &tree.path(*row as usize),
                signature: &request.signature,
            };
            self.append(parts.encode(DEPOSITED_AT_MS));
        }
        let end = self.hashes.len() as u64;
        (0..behind).for_each(|i| self.append(format!("later {i}").into_bytes()));
        let range = LeafIndex::new(first)..LeafIndex::new(end);
        let Ok(proof) = range_proof(self, range, TreeSize::new(self.hashes.len() as u64));
        v1::CreatedRows {
            first_leaf_index: first,
            rows: rows.to_vec(),
            deposited_at_ms: DEPOSITED_AT_MS,
            range_proof: bytes(&proof),
            checkpoint: self.checkpoint(),
        }
    }

    pub(crate) fn receipt(&self, index: u64) -> v1::Receipt {
        let size = TreeSize::new(self.hashes.len() as u64);
        let Ok(proof) = inclusion_proof(self, LeafIndex::new(index), size);
        v1::Receipt {
            leaf: self.leaves[index as usize].clone().into(),
            leaf_index: index,
            inclusion_proof: bytes(&proof),
            checkpoint: self.checkpoint(),
        }
    }

    fn append(&mut self, leaf: Vec<u8>) {
        self.hashes.push(leaf_hash(&leaf));
        self.leaves.push(leaf);
    }
}

impl Nodes for Log {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let at = |i: u64| usize::try_from(i << level).expect("a small log");
        Ok(root_of(&self.hashes[at(index)..at(index + 1)]))
    }
}

fn bytes(hashes: &[Hash]) -> Vec<bytes::Bytes> {
    hashes.iter().map(|hash| hash.0.to_vec().into()).collect()
}
