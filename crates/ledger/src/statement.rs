//! The bank's own records: public decisions, and merges of archives. The bank is an issuer like any other.

use std::sync::Arc;

use creditbank_domain::identifier::{InstitutionId, RecordId};
use creditbank_domain::record::{
    Algorithm, FORMAT_VERSION, KeyPurpose, PublicKey, RecordKind, Statement, batch_signing_input,
    commitment,
};
use creditbank_domain::registry::Institution;
use creditbank_domain::{Fault, Refusal};
use creditbank_merkle::{BatchTree, Hash, leaf_hash};
use creditbank_wire::convert::leaf::LeafParts;
use creditbank_wire::convert::record::statement_message;
use creditbank_wire::convert::transfer::{Entry, entry_message};
use creditbank_wire::v1;
use ed25519_dalek::Signer;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::admission::{Admitted, Body, NotAdmitted, ReadyRow, Row, Seen, SignedBatch};
use crate::bank::Bank;
use crate::queue::Decided;
use crate::vault::fill;

/// A step of a transfer that the bank takes or has heard.
pub(crate) struct Stepping {
    pub(crate) entry: Entry,
    /// What it rests on, where that can change.
    pub(crate) seen: Option<Seen>,
}

impl Bank {
    /// Puts statements into the log: all or none.
    pub(crate) async fn state(&self, statements: Vec<Statement>) -> Result<Decided, Fault> {
        let head = self.head();
        let issuer = head.registry.institution(InstitutionId::BANK);
        let issuer = issuer.ok_or_else(|| Refusal::IssuerUnknown.at(""))?;
        self.put(self.admit_statements(Arc::clone(issuer), statements))
            .await
    }

    /// Registers the key that signs credentials and codes, where the log does not know it: a bank that an older program
    /// made has it from its first start with this one. A key that was revoked is not registered again.
    pub async fn register_credential_key(&self) -> Result<(), Fault> {
        let Some(key) = self.credential_key() else {
            return Ok(());
        };
        let key = PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes: key.verifying_key().to_bytes(),
            purpose: KeyPurpose::Credential,
        };
        if self.head().registry.key(&key.id()).is_some() {
            return Ok(());
        }
        let institution = InstitutionId::bank();
        let admitted = Statement::KeyAdmitted { institution, key };
        self.state(vec![admitted]).await.map(drop)
    }

    /// Puts steps of transfers into the log, in this order.
    pub(crate) async fn enter_steps(&self, steps: Vec<Stepping>) -> Result<Decided, Fault> {
        let head = self.head();
        let issuer = head.registry.institution(InstitutionId::BANK);
        let issuer = issuer.ok_or_else(|| Refusal::IssuerUnknown.at(""))?;
        let records = steps.into_iter().map(|Stepping { entry, seen }| {
            let mut bytes = vec![0; 32];
            fill(&mut bytes);
            let encoded = entry_message(&entry).encode_to_vec();
            let salt = bytes[..].try_into().expect("32 bytes");
            let envelope = v1::Envelope {
                commitment: commitment(&salt, &encoded).to_vec().into(),
                ..envelope(RecordKind::Transfer)
            };
            bytes.extend_from_slice(&encoded);
            let entry = Box::new(entry);
            (envelope, Body::Entry { entry, bytes, seen })
        });
        self.put(self.admit_own(Arc::clone(issuer), records.collect()))
            .await
    }

    async fn put(&self, admitted: Admitted) -> Result<Decided, Fault> {
        let whole = |refusal: Refusal| refusal.at("");
        let room = self.queue().room_now(admitted.records() * 1024);
        let room = room.map_err(whole)?;
        let answer = self.queue().send(admitted, room).map_err(whole)?;
        answer.await.map_err(|_| whole(Refusal::ShuttingDown))?
    }

    /// Makes one archive of two.
    pub(crate) async fn merge(
        &self,
        learner: &str,
        merged: &str,
        reason: &str,
    ) -> Result<Decided, Vec<Fault>> {
        let merge = v1::Merge {
            merged_learner: merged.to_owned(),
            reason: reason.to_owned(),
        };
        let content = v1::payload::Content::Merge(merge);
        // Two purses become one: nobody changes either meanwhile.
        let _one_at_a_time = self.deciding.lock().await;
        self.record(learner, envelope(RecordKind::Merge), content)
            .await
    }

    /// Puts a sealed record of the bank about a learner into the log; `envelope` says everything but the commitment.
    pub(crate) async fn record(
        &self,
        learner: &str,
        envelope: v1::Envelope,
        content: v1::payload::Content,
    ) -> Result<Decided, Vec<Fault>> {
        let payload = v1::Payload {
            version: FORMAT_VERSION,
            learner: learner.to_owned(),
            content: Some(content),
        }
        .encode_to_vec();
        let mut salt = [0; 32];
        fill(&mut salt);
        let envelope = v1::Envelope {
            commitment: commitment(&salt, &payload).to_vec().into(),
            ..envelope
        };
        let record = v1::SignedRecord {
            envelope: envelope.encode_to_vec().into(),
            salt: salt.to_vec().into(),
            payload: payload.into(),
        };
        let batch = SignedBatch::new(self.sign(vec![record]), self.origin())
            .map_err(|fault| vec![fault])?;
        let one = |refusal: Refusal| vec![refusal.at("")];
        let admitted = Admitted::admit(self, batch).map_err(|error| match error {
            NotAdmitted::Refused(fault) => vec![fault],
            NotAdmitted::Store(_) => one(Refusal::StorageFailed),
        })?;
        let room = self.queue().room_now(1024).map_err(one)?;
        let answer = self.queue().send(admitted, room).map_err(one)?;
        let decided = answer.await.map_err(|_| one(Refusal::ShuttingDown))?;
        decided.map_err(|fault| vec![fault])
    }

    fn sign(&self, records: Vec<v1::SignedRecord>) -> v1::SubmitBatchRequest {
        let tree = BatchTree::new(
            records
                .iter()
                .map(|record| leaf_hash(&record.envelope))
                .collect(),
        );
        let (key_id, signature) = self.sign_root(tree.root(), records.len());
        v1::SubmitBatchRequest {
            sequence: 0,
            origin: self.origin().to_owned(),
            issuer: InstitutionId::BANK.to_owned(),
            key_id: key_id.to_vec().into(),
            algorithm: Algorithm::Ed25519 as u32,
            root: tree.root().0.to_vec().into(),
            signature: signature.into(),
            records,
        }
    }

    fn sign_root(&self, root: Hash, records: usize) -> ([u8; 32], Vec<u8>) {
        let (key, id) = self.bank_key();
        let input =
            batch_signing_input(self.origin(), InstitutionId::BANK, records as u64, &root.0);
        (id.0, key.sign(&input).to_bytes().to_vec())
    }

    /// Statements are made here and not by a caller, so they are admitted without being parsed again.
    pub(crate) fn admit_statements(
        &self,
        issuer: Arc<Institution>,
        statements: Vec<Statement>,
    ) -> Admitted {
        let stated = statements.into_iter().map(|statement| {
            let bytes = statement_message(&statement).encode_to_vec();
            let envelope = v1::Envelope {
                statement: bytes.clone().into(),
                ..envelope(RecordKind::Statement)
            };
            (envelope, Body::Public(Box::new(statement), bytes))
        });
        let admitted = self.admit_own(issuer, stated.collect());
        Admitted {
            all_or_none: true,
            ..admitted
        }
    }

    /// Signs records of the bank's own making as one batch.
    pub(crate) fn admit_own(
        &self,
        issuer: Arc<Institution>,
        records: Vec<(v1::Envelope, Body)>,
    ) -> Admitted {
        let head = self.head();
        let encoded: Vec<bytes::Bytes> = records
            .iter()
            .map(|(envelope, _)| envelope.encode_to_vec().into())
            .collect();
        let tree = BatchTree::new(encoded.iter().map(|bytes| leaf_hash(bytes)).collect());
        let (key_id, signature) = self.sign_root(tree.root(), encoded.len());
        let rows = records.into_iter().zip(encoded).enumerate().map(
            |(number, ((message, body), encoded))| {
                let mut leaf = Vec::new();
                let parts = LeafParts {
                    envelope: &encoded,
                    key_id: &key_id,
                    algorithm: Algorithm::Ed25519 as u32,
                    batch_size: u32::try_from(tree.leaves().len()).expect("at most 1,024"),
                    batch_index: u32::try_from(number).expect("at most 1,024"),
                    path: &tree.path(number),
                    signature: &signature,
                };
                parts.encode_head(&mut leaf);
                Row::Ready(Box::new(ReadyRow {
                    record_id: RecordId::from_slice(&message.record_id).expect("16 bytes"),
                    envelope: encoded,
                    begun: Sha256::new().chain_update([0]).chain_update(&leaf),
                    body,
                }))
            },
        );
        Admitted {
            issuer,
            key_id: creditbank_domain::record::KeyId(key_id),
            algorithm: Algorithm::Ed25519,
            rows: rows.collect(),
            signature,
            tree,
            registry: Arc::clone(&head.registry),
            seen: head.row.size,
            erasures_seen: self.erasures(),
            all_or_none: false,
        }
    }
}

/// A bank's envelope with a random record id: what makes a decision unique is its content, which the registry checks.
pub(crate) fn envelope(kind: RecordKind) -> v1::Envelope {
    let mut record_id = [0; 16];
    fill(&mut record_id);
    v1::Envelope {
        version: FORMAT_VERSION,
        issuer: InstitutionId::BANK.to_owned(),
        record_id: record_id.to_vec().into(),
        kind: kind as i32,
        ..v1::Envelope::default()
    }
}
