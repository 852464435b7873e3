//! The steps of verification, each on evidence that the steps before have secured.

use std::collections::HashMap;
use std::sync::Arc;

use creditbank_domain::record::{KeyId, batch_signing_input};
use creditbank_domain::{Digest32, InstitutionId, RecordId, Refusal};
use creditbank_merkle::{
    Checkpoint, Hash, LeafIndex, LogKeys, ProvedRange, TlogProof, leaf_hash, verify_inclusion,
};
use creditbank_wire::convert::record::public_key;
use creditbank_wire::v1::{self, RecordKind};
use ed25519_dalek::{Signature, VerifyingKey};

use super::bundle_of;
use super::evidence::{
    Batch, batch_root, bundle_form, digest_of, each_opens, form, hashes, leaf_form, opens, record,
    sent_root,
};
use super::report::{Reason, Report, Step, StepResult, VerifyError};

/// Checkpoints whose signature was found good are remembered up to this number.
const CHECKPOINTS_MAX: usize = 1024;
const NO_ISSUER_KEY: &str = "issuer key not given";
const NO_PAYLOAD: &str = "payload not given";

/// What opens a commitment.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// 32 bytes.
    pub salt: &'a [u8],
    /// The bytes of a `Payload`.
    pub payload: &'a [u8],
}

/// A record that is proved to be in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedRecord {
    /// Its place.
    pub leaf_index: u64,
    /// The RFC 6962 hash of its leaf; with the index it is what an amendment refers to.
    pub leaf_hash: Digest32,
    /// Who issued it.
    pub issuer: Arc<str>,
    /// The issuer's id of it.
    pub record_id: RecordId,
    /// What it is.
    pub kind: RecordKind,
    /// When the bank took it, in milliseconds since 1970.
    pub deposited_at_ms: u64,
    /// What it commits to; empty for a statement of the bank or a declaration.
    pub commitment: bytes::Bytes,
    /// What it says to everybody; empty for a sealed record.
    pub statement: bytes::Bytes,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Every step: none failed, but some may not have been checked.
    pub report: Report,
    /// The records, in the order of the receipt.
    pub records: Vec<VerifiedRecord>,
}

/// Verifies receipts of one bank.
#[derive(Debug)]
pub struct Verifier {
    bank: LogKeys,
    issuers: HashMap<KeyId, (InstitutionId, VerifyingKey)>,
    /// By the text of the note.
    checkpoints: HashMap<String, Checkpoint>,
}

impl Verifier {
    /// With nothing but the public keys of the bank's log, or the one that it ever had.
    #[must_use]
    pub fn new(bank: impl Into<LogKeys>) -> Self {
        Self {
            bank: bank.into(),
            issuers: HashMap::new(),
            checkpoints: HashMap::new(),
        }
    }

    /// The keys of the bank's log.
    #[must_use]
    pub fn bank(&self) -> &LogKeys {
        &self.bank
    }

    /// From now on the signatures of this key of an institution are checked too.
    ///
    /// # Errors
    /// If it is no signing key, or one of small order.
    pub fn add_issuer(&mut self, issuer: &str, key: &v1::PublicKey) -> Result<(), Refusal> {
        let issuer = InstitutionId::parse(issuer)?;
        let key = public_key(key)?;
        let point = VerifyingKey::from_bytes(&key.bytes).map_err(|_| Refusal::KeySmallOrder)?;
        if point.is_weak() {
            return Err(Refusal::KeySmallOrder);
        }
        self.issuers.insert(key.id(), (issuer, point));
        Ok(())
    }

    /// Verifies the receipt of one leaf.
    ///
    /// # Errors
    /// The step that failed.
    pub fn verify_receipt(
        &mut self,
        receipt: &v1::Receipt,
        opening: Option<Opening<'_>>,
    ) -> Result<Verified, VerifyError> {
        let mut run = Run::new();
        let record = self.receipt(&mut run, receipt)?;
        if let Some(opening) = opening {
            run.step(Step::Opening, opens(opening, &record.commitment))?;
        }
        Ok(Verified {
            report: run.finish(),
            records: vec![record],
        })
    }

    /// Verifies a bundle: every row that its batch created, and every receipt of a duplicate.
    ///
    /// # Errors
    /// The step that failed.
    pub fn verify_bundle(&mut self, bundle: &v1::ReceiptBundle) -> Result<Verified, VerifyError> {
        let mut run = Run::new();
        let records = self.bundle(&mut run, bundle)?;
        Ok(Verified {
            report: run.finish(),
            records,
        })
    }

    /// Verifies the bank's answer to a batch: that it decides each row exactly once, that the receipts hold and are of
    /// the records that were sent, and that payload and salt of each accepted record open its commitment. Gives the
    /// accepted records: created ones, then duplicates.
    ///
    /// # Errors
    /// The step that failed.
    pub fn verify_acknowledgement(
        &mut self,
        request: &v1::SubmitBatchRequest,
        response: &v1::SubmitBatchResponse,
    ) -> Result<Verified, VerifyError> {
        let mut run = Run::new();
        let accepted = run.step(Step::Decoding, self.decided(request, response))?;
        run.step(Step::BatchRoot, sent_root(request))?;
        let mut records = Vec::new();
        if let Some(bundle) = bundle_of(request, response) {
            records = self.bundle(&mut run, &bundle)?;
            run.step(Step::Opening, each_opens(&accepted, &records))?;
        }
        Ok(Verified {
            report: run.finish(),
            records,
        })
    }

    /// The receipt of one record of a bundle as a C2SP tlog-proof, once it is verified; `None` if the bundle has no such
    /// record.
    ///
    /// # Errors
    /// The step that failed.
    pub fn extract(
        &mut self,
        bundle: &v1::ReceiptBundle,
        record_id: RecordId,
    ) -> Result<Option<TlogProof>, VerifyError> {
        let mut run = Run::new();
        if let Some(created) = &bundle.created {
            let proved = self.created(&mut run, bundle, created)?;
            if let Some(i) = proved
                .records
                .iter()
                .position(|it| it.record_id == record_id)
            {
                let index = LeafIndex::new(proved.records[i].leaf_index);
                return Ok(Some(TlogProof {
                    extra: Some(proved.batch.leaf(i)),
                    index,
                    path: proved.range.inclusion(index).expect("a leaf of the range"),
                    checkpoint: created.checkpoint.clone(),
                }));
            }
        }
        for receipt in &bundle.receipts {
            if self.receipt(&mut run, receipt)?.record_id == record_id {
                return Ok(Some(TlogProof {
                    extra: Some(receipt.leaf.to_vec()),
                    index: LeafIndex::new(receipt.leaf_index),
                    path: hashes(&receipt.inclusion_proof).expect("just verified"),
                    checkpoint: receipt.checkpoint.clone(),
                }));
            }
        }
        Ok(None)
    }

    fn bundle(
        &mut self,
        run: &mut Run,
        bundle: &v1::ReceiptBundle,
    ) -> Result<Vec<VerifiedRecord>, VerifyError> {
        run.step(Step::Decoding, bundle_form(bundle))?;
        let mut records = match &bundle.created {
            Some(created) => self.created(run, bundle, created)?.records,
            None => Vec::new(),
        };
        for receipt in &bundle.receipts {
            let record = self.receipt(run, receipt)?;
            let ours = *record.issuer == *bundle.issuer;
            run.step(
                Step::Decoding,
                ours.then_some(()).ok_or(Reason::OtherRecord),
            )?;
            records.push(record);
        }
        Ok(records)
    }

    /// The rows that the bundle's own batch created, all at once.
    fn created<'a>(
        &mut self,
        run: &mut Run,
        bundle: &'a v1::ReceiptBundle,
        created: &'a v1::CreatedRows,
    ) -> Result<Proved<'a>, VerifyError> {
        let batch = run.step(Step::Decoding, Batch::new(bundle, created))?;
        let mut records = run.step(Step::Decoding, batch.records())?;
        run.step(Step::BatchRoot, Ok(()))?;
        let attested = Attested {
            issuer: &bundle.issuer,
            key_id: batch.key_id,
            size: bundle.envelopes.len() as u64,
            root: batch.tree.root(),
            signature: &bundle.signature,
        };
        self.issuer_signature(run, &attested)?;
        let checkpoint = run.step(Step::Checkpoint, self.checkpoint(&created.checkpoint))?;
        let leaves = run.step(Step::Decoding, batch.leaf_hashes())?;
        for (record, hash) in records.iter_mut().zip(&leaves) {
            record.leaf_hash = hash.0;
        }
        let range = run.step(Step::Inclusion, batch.range(leaves, &checkpoint))?;
        Ok(Proved {
            batch,
            range,
            records,
        })
    }

    fn receipt(
        &mut self,
        run: &mut Run,
        receipt: &v1::Receipt,
    ) -> Result<VerifiedRecord, VerifyError> {
        let (leaf, envelope) = run.step(Step::Decoding, leaf_form(&receipt.leaf))?;
        let attestation = leaf.attestation.as_ref().expect("of the proper form");
        let path = run.step(Step::Decoding, hashes(&attestation.path))?;
        let key_id = run.step(Step::Decoding, digest_of("key_id", &attestation.key_id))?;
        let root = run.step(
            Step::BatchRoot,
            batch_root(&leaf.envelope, attestation, &path),
        )?;
        let attested = Attested {
            issuer: &envelope.issuer,
            key_id,
            size: u64::from(attestation.batch_size),
            root,
            signature: &attestation.signature,
        };
        self.issuer_signature(run, &attested)?;
        let checkpoint = run.step(Step::Checkpoint, self.checkpoint(&receipt.checkpoint))?;
        let proof = run.step(Step::Decoding, hashes(&receipt.inclusion_proof))?;
        let (hash, index) = (leaf_hash(&receipt.leaf), LeafIndex::new(receipt.leaf_index));
        let included = verify_inclusion(&hash, index, checkpoint.size, &proof, &checkpoint.root);
        run.step(Step::Inclusion, included.map_err(Reason::from))?;
        let issuer = Arc::from(envelope.issuer.as_str());
        let mut record = run.step(
            Step::Decoding,
            record(envelope, issuer, receipt.leaf_index, leaf.deposited_at_ms),
        )?;
        record.leaf_hash = hash.0;
        Ok(record)
    }

    fn issuer_signature(&self, run: &mut Run, it: &Attested<'_>) -> Result<(), VerifyError> {
        let Some((issuer, key)) = self.issuers.get(&KeyId(*it.key_id)) else {
            run.not_checked(Step::IssuerSignature, NO_ISSUER_KEY);
            return Ok(());
        };
        let checked = if issuer.as_str() == it.issuer {
            let input = batch_signing_input(self.bank.name(), it.issuer, it.size, &it.root.0);
            Signature::from_slice(it.signature)
                .and_then(|signature| key.verify_strict(&input, &signature))
                .map_err(|_| Reason::Signature)
        } else {
            Err(Reason::OtherKey)
        };
        run.step(Step::IssuerSignature, checked)
    }

    fn checkpoint(&mut self, note: &str) -> Result<Checkpoint, Reason> {
        if let Some(known) = self.checkpoints.get(note) {
            return Ok(known.clone());
        }
        let checkpoint = self.bank.open(note)?;
        if self.checkpoints.len() == CHECKPOINTS_MAX {
            self.checkpoints.clear();
        }
        self.checkpoints.insert(note.to_owned(), checkpoint.clone());
        Ok(checkpoint)
    }

    /// The records that the bank accepted, in the order of their bundle, if each row is decided exactly once.
    fn decided<'a>(
        &self,
        request: &'a v1::SubmitBatchRequest,
        response: &v1::SubmitBatchResponse,
    ) -> Result<Vec<&'a v1::SignedRecord>, Reason> {
        if request.origin != self.bank.name() {
            return Err(form("origin")(Refusal::OriginForeign));
        }
        let all = 0..request.records.len() as u32;
        let created = response.created.as_ref().map_or(Vec::new(), |created| {
            if created.rows.is_empty() {
                all.clone().collect()
            } else {
                created.rows.clone()
            }
        });
        let accepted: Vec<_> = created
            .into_iter()
            .chain(response.duplicates.iter().map(|it| it.row))
            .collect();
        let mut decided = vec![0u32; request.records.len()];
        for row in accepted
            .iter()
            .copied()
            .chain(response.refused.iter().map(|it| it.row))
        {
            *decided
                .get_mut(row as usize)
                .ok_or(Reason::RowUndecided(row))? += 1;
        }
        if let Some(row) = decided.iter().position(|times| *times != 1) {
            return Err(Reason::RowUndecided(row as u32));
        }
        if response.duplicates.iter().any(|row| row.receipt.is_none()) {
            return Err(Reason::Missing("the receipt of a duplicate"));
        }
        Ok(accepted
            .into_iter()
            .map(|row| &request.records[row as usize])
            .collect())
    }
}

/// A batch signature and what it is said to cover.
struct Attested<'a> {
    issuer: &'a str,
    key_id: &'a Digest32,
    size: u64,
    root: Hash,
    signature: &'a [u8],
}

/// The created rows of a bundle, verified.
struct Proved<'a> {
    batch: Batch<'a>,
    range: ProvedRange,
    records: Vec<VerifiedRecord>,
}

/// The report under way.
struct Run([Option<StepResult>; Step::ALL.len()]);

impl Run {
    fn new() -> Self {
        Self([const { None }; Step::ALL.len()])
    }

    /// Notes how a step ended; one that was taken many times holds if it always held.
    fn step<T>(&mut self, step: Step, result: Result<T, Reason>) -> Result<T, VerifyError> {
        result
            .inspect(|_| {
                self.0[step as usize].get_or_insert(StepResult::Ok);
            })
            .map_err(|reason| {
                self.0[step as usize] = Some(StepResult::Failed(reason.clone()));
                VerifyError {
                    step,
                    reason,
                    report: Box::new(self.report("a step before it failed")),
                }
            })
    }

    fn not_checked(&mut self, step: Step, why: &'static str) {
        self.0[step as usize] = Some(StepResult::NotChecked(why));
    }

    fn finish(self) -> Report {
        self.report(NO_PAYLOAD)
    }

    fn report(&self, untaken: &'static str) -> Report {
        let result = |step: Step| self.0[step as usize].clone();
        Report::new(|step| result(step).unwrap_or(StepResult::NotChecked(untaken)))
    }
}
