//! Admission: from a request to an admitted batch. Everything here runs in parallel, before the sequencer.
//!
//! The batch as a whole is refused for a wrong origin, issuer, key, root or signature; every row is decided alone.
//! What can race (the same record id twice, a key revoked meanwhile, an amendment of an amended record) is decided
//! again by the sequencer.

use std::collections::HashMap;
use std::sync::Arc;

use creditbank_domain::identifier::RecordId;
use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::{
    Algorithm, BATCH_RECORDS_MAX, EnvelopeContent, KeyId, KeyPurpose, LEAF_BYTES_MAX,
    PAYLOAD_BYTES_MAX, PayloadContent, RecordKind, RecordRef, Statement, batch_signing_input,
    commitment,
};
use creditbank_domain::registry::{Institution, Registry};
use creditbank_domain::transfer::book::Bound;
use creditbank_domain::{Category, Digest32, Fault, LeafIndex, Outcome, Refusal};
use creditbank_merkle::{BatchTree, Hash, leaf_hash};
use creditbank_store::StoreError;
use creditbank_wire::convert::leaf::LeafParts;
use creditbank_wire::convert::record;
use creditbank_wire::convert::transfer::Entry;
use creditbank_wire::v1;
use ed25519_dalek::Signature;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::bank::Bank;
use crate::clock;
use crate::head::{Head, envelope};
use crate::measure::{begin, lap, stages};
use crate::recognition;
use crate::transfer;

/// Leaves room in a leaf for attestation and time.
const ENVELOPE_BYTES_MAX: usize = LEAF_BYTES_MAX - 1024;

/// A batch within its limits, made for this ledger.
#[derive(Debug)]
pub struct SignedBatch(v1::SubmitBatchRequest);

impl SignedBatch {
    /// Checks limits and origin.
    pub fn new(request: v1::SubmitBatchRequest, origin: &str) -> Result<Self, Fault> {
        let (count, max) = (request.records.len() as u64, BATCH_RECORDS_MAX as u64);
        if count == 0 {
            return Err(Refusal::BatchEmpty.at("records"));
        }
        if count > max {
            return Err(Refusal::BatchTooLarge { count, max }.at("records"));
        }
        if request.origin != origin {
            return Err(Refusal::OriginForeign.at("origin"));
        }
        Ok(Self(request))
    }

    /// Resource id of the issuer.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Bytes it occupies, roughly.
    pub fn bytes(&self) -> usize {
        let record = |record: &v1::SignedRecord| {
            record.envelope.len() + record.salt.len() + record.payload.len() + 64
        };
        self.0.records.iter().map(record).sum()
    }

    /// How many records it has.
    pub fn records(&self) -> usize {
        self.0.records.len()
    }
}

/// Why a batch was not admitted.
#[derive(Debug)]
pub enum NotAdmitted {
    /// For a reason of the batch.
    Refused(Fault),
    /// Because the store could not be read.
    Store(StoreError),
}

impl From<Fault> for NotAdmitted {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl From<StoreError> for NotAdmitted {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A batch whose signature and rows were verified.
#[derive(Debug)]
pub struct Admitted {
    pub(crate) issuer: Arc<Institution>,
    pub(crate) key_id: KeyId,
    pub(crate) algorithm: Algorithm,
    pub(crate) signature: Vec<u8>,
    pub(crate) tree: BatchTree,
    pub(crate) rows: Vec<Row>,
    /// The registry it was admitted under; if it changed since, the sequencer checks key and categories again.
    pub(crate) registry: Arc<Registry>,
    /// Size of the log in which its record ids were looked up.
    pub(crate) seen: u64,
    /// How many erasures had happened when learners were looked up.
    pub(crate) erasures_seen: u64,
    /// Statements of one request: all or none.
    pub(crate) all_or_none: bool,
}

/// A row before the sequencer.
#[derive(Debug)]
pub(crate) enum Row {
    Refused(Vec<Fault>),
    /// In the log already, byte for byte the same.
    Known(LeafIndex),
    Ready(Box<ReadyRow>),
}

/// A row that becomes a leaf unless something races.
#[derive(Debug)]
pub(crate) struct ReadyRow {
    pub(crate) record_id: RecordId,
    pub(crate) envelope: bytes::Bytes,
    /// The leaf's hash, begun with everything but the time of deposit.
    pub(crate) begun: Sha256,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Sealed {
        kind: RecordKind,
        category: Option<Category>,
        learner: u64,
        /// A vault row whose time of deposit is still open.
        vault: Vec<u8>,
        target: Option<RecordRef>,
        /// The learner that a merge makes another name.
        merged: Option<u64>,
        /// For a step of an application: what it was admitted on.
        seen: Option<Seen>,
    },
    Public(Box<Statement>, Vec<u8>),
    /// A step of a transfer.
    Entry {
        entry: Box<Entry>,
        /// Salt and canonical entry.
        bytes: Vec<u8>,
        /// What it rests on, where that can change.
        seen: Option<Seen>,
    },
}

/// What a step of an application was admitted on; the sequencer refuses it when that has changed.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Steps that the application had.
    pub(crate) steps: u32,
    /// Size of the log that was read.
    pub(crate) size: u64,
    /// All codes of the archive, when the step rests on what is in it.
    pub(crate) archive: Vec<u64>,
    /// What it uses, of which no other bank may have the right of use.
    pub(crate) unbound: Vec<Bound>,
}

impl Admitted {
    /// Verifies a batch and prepares its rows.
    pub fn admit(bank: &Bank, batch: SignedBatch) -> Result<Self, NotAdmitted> {
        let SignedBatch(request) = batch;
        let mut began = begin();
        let head = bank.head();
        let erasures_seen = bank.erasures();
        let algorithm = Algorithm::of_signature(request.algorithm)
            .map_err(|refusal| refusal.at("algorithm"))?;
        let key_id =
            KeyId(record::digest(&request.key_id).map_err(|refusal| refusal.at("key_id"))?);
        let index = LeafIndex(head.row.size);
        let registry = Arc::clone(&head.registry);
        let admitted = registry.admit_key(&request.issuer, &key_id, KeyPurpose::Sign, index);
        let (issuer, key) = admitted.map_err(|refusal| match refusal {
            Refusal::IssuerUnknown | Refusal::IssuerSuspended => refusal.at("issuer"),
            _ => refusal.at("key_id"),
        })?;
        let issuer = Arc::clone(issuer);
        let hashes: Vec<Hash> = request
            .records
            .iter()
            .map(|record| leaf_hash(&record.envelope))
            .collect();
        let tree = BatchTree::new(hashes);
        let mut since = begin();
        verify(bank, &request, &key_id, &key.key.bytes, &tree)?;
        lap(&stages().verification, &mut since);
        let mut rows = Rows {
            bank,
            registry: &registry,
            issuer: &issuer,
            tree: &tree,
            request: &request,
            key_id: &key_id,
        }
        .prepare()?;
        look_up(&head, &issuer, &tree, &mut rows)?;
        lap(&stages().admission, &mut began);
        Ok(Self {
            issuer,
            key_id,
            algorithm,
            signature: request.signature.to_vec(),
            tree,
            rows,
            registry,
            seen: head.row.size,
            erasures_seen,
            all_or_none: false,
        })
    }

    /// Records of the signed batch.
    pub fn records(&self) -> usize {
        self.rows.len()
    }
}

fn verify(
    bank: &Bank,
    request: &v1::SubmitBatchRequest,
    key_id: &KeyId,
    key: &[u8; 32],
    tree: &BatchTree,
) -> Result<(), Fault> {
    let root = tree.root();
    if request.root[..] != root.0 {
        return Err(Refusal::RootMismatch.at("root"));
    }
    let input = batch_signing_input(
        &request.origin,
        &request.issuer,
        request.records.len() as u64,
        &root.0,
    );
    let signature = Signature::from_slice(&request.signature)
        .map_err(|_| Refusal::SignatureInvalid.at("signature"))?;
    let verifier = bank
        .verifier(key_id, key)
        .map_err(|refusal| refusal.at("key_id"))?;
    verifier
        .verify_strict(&input, &signature)
        .map_err(|_| Refusal::SignatureInvalid.at("signature"))
}

/// The rows of one batch while they are prepared.
struct Rows<'a> {
    bank: &'a Bank,
    registry: &'a Registry,
    issuer: &'a Institution,
    tree: &'a BatchTree,
    request: &'a v1::SubmitBatchRequest,
    key_id: &'a KeyId,
}

impl Rows<'_> {
    fn prepare(&self) -> Result<Vec<Row>, StoreError> {
        let today = clock::today();
        let mut first_rows: HashMap<RecordId, usize, foldhash::quality::RandomState> =
            HashMap::default();
        let mut rows = Vec::with_capacity(self.request.records.len());
        for (number, record) in self.request.records.iter().enumerate() {
            let row = match self.row(number, record, today)? {
                Ok(ready) => match first_rows.entry(ready.record_id) {
                    std::collections::hash_map::Entry::Occupied(first)
                        if self.tree.leaves()[*first.get()] != self.tree.leaves()[number] =>
                    {
                        let first_row = u32::try_from(*first.get()).expect("at most 1,024 rows");
                        let refusal = Refusal::RecordIdRepeatedInBatch { first_row };
                        Row::Refused(vec![refusal.at("envelope.record_id")])
                    }
                    entry => {
                        entry.or_insert(number);
                        Row::Ready(Box::new(ready))
                    }
                },
                Err(faults) => Row::Refused(faults),
            };
            rows.push(row);
        }
        Ok(rows)
    }

    fn row(
        &self,
        number: usize,
        record: &v1::SignedRecord,
        today: jiff::civil::Date,
    ) -> Result<Result<ReadyRow, Vec<Fault>>, StoreError> {
        let parsed = match self.parse(record, today) {
            Ok(Parsed::Sealed(parsed)) => parsed,
            Ok(Parsed::Public(record_id, statement)) => {
                if let Err(fault) = self.proposed(&record_id, &statement)? {
                    return Ok(Err(vec![fault]));
                }
                return Ok(Ok(self.public(number, record, record_id, statement)));
            }
            Err(faults) => return Ok(Err(faults)),
        };
        if let Some(outcome) = parsed.payload.content.outcome() {
            let faults = self.under_standard(parsed.kind, outcome, today)?;
            if !faults.is_empty() && !self.is_known(&parsed.record_id)? {
                return Ok(Err(faults));
            }
        }
        let learner = parsed.payload.learner;
        let key = match self.bank.learner_key(learner)? {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(vec![refusal.at("payload.learner")])),
        };
        let issuer = (self.issuer.number, self.issuer.profile.id.as_str());
        let kind = parsed.kind;
        let seen = match self.seen(&parsed)? {
            Ok(seen) => seen,
            Err(fault) => return Ok(Err(vec![fault])),
        };
        let vault = key.seal_record(
            issuer,
            &parsed.record_id,
            kind,
            &parsed.salt,
            &record.payload,
        );
        let merged = match parsed.payload.content {
            PayloadContent::Merge(merged) => Some(merged.as_u64()),
            _ => None,
        };
        let body = Body::Sealed {
            kind,
            category: parsed
                .payload
                .content
                .outcome()
                .map(|outcome| outcome.category()),
            learner: learner.as_u64(),
            vault,
            target: parsed.target,
            merged,
            seen,
        };
        Ok(Ok(ReadyRow {
            record_id: parsed.record_id,
            envelope: record.envelope.clone(),
            begun: self.begin(number, &record.envelope),
            body,
        }))
    }

    fn parse(
        &self,
        record: &v1::SignedRecord,
        today: jiff::civil::Date,
    ) -> Result<Parsed, Vec<Fault>> {
        let one = |fault: Fault| vec![fault];
        limit("envelope", record.envelope.len(), ENVELOPE_BYTES_MAX).map_err(one)?;
        limit("payload", record.payload.len(), PAYLOAD_BYTES_MAX).map_err(one)?;
        let envelope =
            record::envelope(&record.envelope, self.issuer.profile.id.as_str()).map_err(one)?;
        let (kind, committed, target) = match envelope.content {
            EnvelopeContent::Sealed {
                kind,
                commitment,
                target,
            } => (kind, commitment, target),
            EnvelopeContent::Public(statement) => {
                return self.declaration(record, envelope.record_id, statement);
            }
        };
        let salt = record::digest(&record.salt).map_err(|refusal| one(refusal.at("salt")))?;
        if commitment(&salt, &record.payload) != committed {
            return Err(one(Refusal::CommitmentMismatch.at("envelope.commitment")));
        }
        let payload = record::payload(&record.payload, today)?;
        if payload.content.kind() != kind || !may_make(self.issuer, kind) {
            return Err(one(Refusal::KindNotAllowed.at("envelope.kind")));
        }
        if let Some(outcome) = payload.content.outcome() {
            may_deposit(self.issuer, kind, outcome.category()).map_err(one)?;
        }
        Ok(Parsed::Sealed(Box::new(Sealed {
            record_id: envelope.record_id,
            kind,
            salt,
            payload,
            target,
            rule_set: envelope.rule_set_hash,
        })))
    }

    /// A public declaration has neither salt nor payload.
    fn declaration(
        &self,
        record: &v1::SignedRecord,
        record_id: RecordId,
        statement: Box<Statement>,
    ) -> Result<Parsed, Vec<Fault>> {
        let declared = statement.declarer().is_some();
        if !declared || !may_make(self.issuer, RecordKind::Declaration) {
            return Err(vec![Refusal::KindNotAllowed.at("envelope.kind")]);
        }
        if !record.salt.is_empty() || !record.payload.is_empty() {
            return Err(vec![Refusal::KindNotAllowed.at("payload")]);
        }
        Ok(Parsed::Public(record_id, statement))
    }

    fn public(
        &self,
        number: usize,
        record: &v1::SignedRecord,
        record_id: RecordId,
        statement: Box<Statement>,
    ) -> ReadyRow {
        let bytes = record::statement_message(&statement).encode_to_vec();
        ReadyRow {
            record_id,
            envelope: record.envelope.clone(),
            begun: self.begin(number, &record.envelope),
            body: Body::Public(statement, bytes),
        }
    }

    /// Holds a proposal against the rule set that it names; everything else about a declaration is the registry's.
    fn proposed(
        &self,
        record_id: &RecordId,
        statement: &Statement,
    ) -> Result<Result<(), Fault>, StoreError> {
        let Statement::ProjectProposed(proposal) = statement else {
            return Ok(Ok(()));
        };
        match recognition::check_proposal(self.bank, self.registry, proposal)? {
            Err(_) if self.is_known(record_id)? => Ok(Ok(())),
            checked => Ok(checked),
        }
    }

    /// Holds an outcome against the standard that its project was admitted under. The bank amends what others
    /// deposited, and projects are theirs.
    fn under_standard(
        &self,
        kind: RecordKind,
        outcome: &Outcome,
        today: jiff::civil::Date,
    ) -> Result<Vec<Fault>, StoreError> {
        if self.issuer.profile.id.is_bank() {
            return Ok(Vec::new());
        }
        let within = match kind {
            RecordKind::Amendment => "payload.amendment.outcome",
            _ => "payload.outcome",
        };
        let breaches =
            recognition::breaches(self.bank, self.registry, self.issuer, outcome, today)?;
        Ok(breaches
            .into_iter()
            .map(|fault| fault.within(within))
            .collect())
    }

    /// A step is held against its application as it stands now. What is in the log already stays accepted whatever
    /// has moved since, so a refusal looks there first.
    fn seen(&self, parsed: &Sealed) -> Result<Result<Option<Seen>, Fault>, StoreError> {
        let content = &parsed.payload.content;
        let learner = parsed.payload.learner;
        let seen = match (content, parsed.target.filter(|_| parsed.kind.is_step())) {
            (PayloadContent::Application(application), _) => {
                let rule_set = parsed.rule_set.unwrap_or_default();
                recognition::check_application(self.bank, learner, rule_set, application)?
                    .map(|()| None)
            }
            (PayloadContent::Consent(consent), _) => {
                transfer::check_consent(self.bank, learner, consent)?.map(|()| None)
            }
            (PayloadContent::TransferRequest(request), _) => {
                transfer::check_request(self.bank, request)?.map(|()| None)
            }
            (content, Some(target)) => {
                let step = recognition::Step {
                    kind: parsed.kind,
                    issuer: self.issuer.number,
                    learner,
                    target,
                    approve: matches!(content, PayloadContent::Review(true)),
                    ruling: match content {
                        PayloadContent::Notice(ruling) | PayloadContent::Decision(ruling) => {
                            Some(Ruling::clone(ruling))
                        }
                        _ => None,
                    },
                };
                recognition::admit_step(self.bank, step)?.map(Some)
            }
            _ => Ok(None),
        };
        match seen {
            Err(_) if self.is_known(&parsed.record_id)? => Ok(Ok(None)),
            seen => Ok(seen),
        }
    }

    /// Whether the issuer has a record of this id in the log.
    fn is_known(&self, record_id: &RecordId) -> Result<bool, StoreError> {
        let snapshot = &self.bank.head().snapshot;
        Ok(snapshot.id(self.issuer.number, record_id)?.is_some())
    }

    fn begin(&self, number: usize, envelope: &[u8]) -> Sha256 {
        let mut head = Vec::with_capacity(envelope.len() + 512);
        let parts = LeafParts {
            envelope,
            key_id: &self.key_id.0,
            algorithm: self.request.algorithm,
            batch_size: u32::try_from(self.tree.leaves().len()).expect("at most 1,024"),
            batch_index: u32::try_from(number).expect("at most 1,024"),
            path: &self.tree.path(number),
            signature: &self.request.signature,
        };
        parts.encode_head(&mut head);
        Sha256::new().chain_update([0]).chain_update(&head)
    }
}

/// A row whose bytes are right.
enum Parsed {
    Sealed(Box<Sealed>),
    Public(RecordId, Box<Statement>),
}

struct Sealed {
    record_id: RecordId,
    kind: RecordKind,
    salt: [u8; 32],
    payload: creditbank_domain::record::Payload,
    target: Option<RecordRef>,
    rule_set: Option<Digest32>,
}

/// Which kinds an issuer may make. Which outcomes is a matter of categories too, see [`may_deposit`].
fn may_make(issuer: &Institution, kind: RecordKind) -> bool {
    if issuer.profile.id.is_bank() {
        return kind.is_of_the_bank() || kind.changes_outcome();
    }
    issuer.profile.role.may_sign(kind)
}

/// An institution deposits in its admitted categories; the bank deposits none, but may amend any.
pub(crate) fn may_deposit(
    issuer: &Institution,
    kind: RecordKind,
    category: Category,
) -> Result<(), Fault> {
    let by_bank = kind == RecordKind::Amendment && issuer.profile.id.is_bank();
    if by_bank || issuer.may_deposit(category) {
        return Ok(());
    }
    Err(Refusal::CategoryNotAdmitted { category }.at("payload.outcome.detail"))
}

fn limit(field: &str, bytes: usize, max: usize) -> Result<(), Fault> {
    if bytes <= max {
        return Ok(());
    }
    Err(Refusal::RecordTooLarge {
        bytes: bytes as u64,
        max: max as u64,
    }
    .at(field))
}

/// Finds the rows that are in the log already. What is found is final, because the log only grows.
fn look_up(
    head: &Head,
    issuer: &Institution,
    tree: &BatchTree,
    rows: &mut [Row],
) -> Result<(), StoreError> {
    let mut ids: Vec<_> = rows
        .iter()
        .enumerate()
        .filter_map(|(number, row)| match row {
            Row::Ready(ready) => Some(((issuer.number, ready.record_id), number)),
            _ => None,
        })
        .collect();
    ids.sort_unstable();
    let keys: Vec<_> = ids.iter().map(|(id, _)| *id).collect();
    for ((_, number), found) in ids.iter().zip(head.snapshot.ids(&keys)?) {
        let (Some(found), Row::Ready(ready)) = (found, &rows[*number]) else {
            continue;
        };
        let chunk = head.snapshot.chunk(found.index)?;
        let stored = envelope(&chunk, found.index)?;
        rows[*number] = if leaf_hash(stored) == tree.leaves()[*number] {
            Row::Known(found.index)
        } else {
            Row::Refused(vec![conflict(stored, &ready.envelope)])
        };
    }
    Ok(())
}

/// Another record stands under this id: names the field that differs.
pub(crate) fn conflict(stored: &[u8], sent: &[u8]) -> Fault {
    let decode = |bytes: &[u8]| record::canonical::<v1::Envelope>(bytes).unwrap_or_default();
    let (stored, sent) = (decode(stored), decode(sent));
    let differs = if stored.kind != sent.kind {
        "kind"
    } else if stored.refs != sent.refs {
        "refs"
    } else if stored.rule_set_hash != sent.rule_set_hash {
        "rule_set_hash"
    } else {
        "payload"
    };
    Refusal::RecordIdConflict { differs }.at("envelope.record_id")
}
