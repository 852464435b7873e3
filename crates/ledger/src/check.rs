//! `creditbank check`: derives everything again and says what does not agree.
//!
//! Every leaf, batch signature, tree node, checkpoint, commitment, view row and decision. A check that only walked the hashes
//! would find nothing wrong with a log of wrong values.

use std::collections::BTreeMap;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::{
    Algorithm, EnvelopeContent, KeyId, KeyPurpose, RecordKind, Statement, batch_signing_input,
    commitment,
};
use creditbank_domain::registry::Registry;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_merkle::{Edge, Hash, TileId, leaf_hash, root_of};
use creditbank_store::{
    Anchor, AnchorFile, CHUNK_ROWS, Chunk, ChunkRow, Go, Handle, HeadRow, LearnerRow, Snapshot,
    Store, StoreError, Views,
};
use creditbank_wire::convert::{leaf, record};
use creditbank_wire::v1;
use ed25519_dalek::Signature;

use crate::bank::{BankError, usable_key};
use crate::head::encode;
use crate::points::check_points;
use crate::rebuild;
use crate::recognition::recompute::{Recomputed, recompute};
use crate::recover;
use crate::statistics;
use crate::vault::{self, KeyEncryptionKey};

/// Most findings kept; the rest is only counted.
const FINDINGS_MAX: usize = 1000;

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Which part was checked: store, log, tree, signature, vault, learners, transfer, view, anchor, decision, points,
    /// statistics.
    pub part: &'static str,
    /// The leaf, where it is about one.
    pub leaf: Option<u64>,
    /// What does not agree.
    pub what: String,
}

/// The outcome of a check.
#[derive(Debug, Default, serde::Serialize)]
pub struct Report {
    /// Leaves derived again.
    pub leaves: u64,
    /// Batch signatures verified.
    pub signatures: u64,
    /// Payloads opened and held against their commitment.
    pub payloads: u64,
    /// Entries of transfers held against their commitment.
    pub entries: u64,
    /// Records whose learner was erased: nothing to hold against the commitment.
    pub erased: u64,
    /// Rows of the views compared.
    pub view_rows: u64,
    /// Decisions and notices evaluated again from published rule sets; needs the key-encryption key.
    pub decisions: u64,
    /// Those of them that rest on what an erasure took.
    pub decisions_gone: u64,
    /// Records of points folded; needs the key-encryption key.
    pub points: u64,
    /// Figures computed again from all archives; needs the key-encryption key.
    pub figures: u64,
    /// Root that the log gives.
    pub root: String,
    /// What does not agree; empty when all is well.
    pub findings: Vec<Finding>,
    /// Findings beyond those listed.
    pub findings_left_out: u64,
    /// Whether payloads were opened: that needs the key-encryption key.
    pub payloads_checked: bool,
}

impl Report {
    fn add(&mut self, part: &'static str, leaf: Option<LeafIndex>, what: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                part,
                leaf: leaf.map(|index| index.0),
                what: what.into(),
            });
        } else {
            self.findings_left_out += 1;
        }
    }
}

/// How far a check has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// What is being checked.
    pub part: &'static str,
    /// How many leaves or rows are done.
    pub done: u64,
    /// Of how many, where known.
    pub total: u64,
}

/// Checks a database that no server has open.
pub fn check(
    store: &Store,
    anchor: &std::path::Path,
    key: Option<&KeyEncryptionKey>,
    mut progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    let snapshot = store.snapshot();
    let head = snapshot.head()?.unwrap_or(HeadRow {
        size: 0,
        root: creditbank_merkle::EMPTY_ROOT.0,
        deposited_at_ms: 0,
    });
    let (anchored, no_anchor) = match AnchorFile::read(anchor) {
        Ok(anchored) => (Some(anchored), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut log = LogCheck {
        report: Report {
            payloads_checked: key.is_some(),
            ..Report::default()
        },
        snapshot: &snapshot,
        registry: Registry::default(),
        edge: Edge::new(),
        last_ms: 0,
        anchored,
        anchor_seen: None,
        batch: None,
        commitments: BTreeMap::new(),
        origin: store.origin()?,
    };
    if let Some(what) = no_anchor {
        log.report.add("anchor", None, what);
    }
    let unreadable = snapshot.unreadable();
    for (family, error) in &unreadable {
        let what = format!("{family} cannot be read: {error}; restore a backup");
        log.report.add("store", None, what);
    }
    log.walk(head, &mut progress)?;
    let LogCheck {
        mut report,
        commitments,
        registry,
        ..
    } = log;
    // What follows folds whole families.
    if !unreadable.is_empty() {
        return Ok(report);
    }
    check_learners(store, &snapshot, &mut report)?;
    check_vault(
        store,
        &snapshot,
        key,
        &registry,
        &commitments,
        &mut report,
        &mut progress,
    )?;
    check_views(&snapshot, &mut report, &mut progress)?;
    if let Some(key) = key {
        check_decisions(store, &snapshot, key, &registry, &mut report, &mut progress);
        let (records, wrong) = check_points(store, &snapshot, key)?;
        report.points = records;
        for (leaf, what) in wrong {
            report.add("points", Some(leaf), what);
        }
        check_statistics(store, &snapshot, &registry, key, &mut report)?;
    }
    Ok(report)
}

/// Evaluates every decision of a database again, and nothing else.
pub fn decisions(
    store: &Store,
    key: &KeyEncryptionKey,
    progress: impl FnMut(u64),
) -> Result<Recomputed, BankError> {
    let snapshot = store.snapshot();
    let (registry, _) = recover::registry(&snapshot)?;
    Ok(recompute(store, &snapshot, &registry, key, progress)?)
}

/// What the log says of a sealed record: kind and commitment.
type Commitments = BTreeMap<u64, (RecordKind, [u8; 32])>;

struct LogCheck<'a> {
    report: Report,
    snapshot: &'a Snapshot,
    registry: Registry,
    edge: Edge,
    last_ms: u64,
    anchored: Option<Anchor>,
    anchor_seen: Option<Hash>,
    /// The batch whose chunks are being read: signature and the root it was verified for.
    batch: Option<(Vec<u8>, Hash)>,
    commitments: Commitments,
    origin: String,
}

impl LogCheck<'_> {
    fn walk(
        &mut self,
        head: HeadRow,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), StoreError> {
        let mut next = 0;
        let snapshot = self.snapshot;
        let walked = snapshot.chunks(LeafIndex(0), |chunk| {
            if chunk.first.0 != next {
                self.report.add(
                    "log",
                    Some(LeafIndex(next)),
                    format!("leaves {next} to {} are missing", chunk.first.0),
                );
            }
            next = chunk.first.0 + chunk.leaves();
            self.chunk(&chunk);
            progress(Progress {
                part: "log",
                done: next,
                total: head.size,
            });
            Go::Continue(())
        });
        if let Err(error) = walked {
            self.report.add(
                "log",
                Some(LeafIndex(next)),
                format!("cannot be read: {error}"),
            );
        }
        self.report.leaves = self.edge.size().value();
        self.report.root = self.edge.root().to_string();
        if next != head.size {
            self.report.add(
                "log",
                None,
                format!("{next} leaves, but {} were committed", head.size),
            );
        } else if self.edge.root().0 != head.root {
            self.report
                .add("tree", None, "the leaves do not give the committed root");
        }
        match self.anchored {
            Some(anchor) if anchor.size > next => {
                let missing = anchor.size - next;
                self.report.add(
                    "anchor",
                    None,
                    format!("{missing} leaves that were signed are missing"),
                );
            }
            Some(anchor) if self.anchor_seen.is_some_and(|root| root != anchor.root) => {
                self.report.add(
                    "anchor",
                    None,
                    format!("another root at size {}", anchor.size),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk) {
        if chunk.deposited_at_ms < self.last_ms {
            self.report.add(
                "log",
                Some(chunk.first),
                "deposited before the leaf in front of it",
            );
        }
        self.last_ms = chunk.deposited_at_ms;
        self.signature(chunk);
        for (index, stored) in chunk.leaves_in_order() {
            let bytes = encode(&stored);
            if let Err(refusal) = leaf::decode(&bytes) {
                self.report
                    .add("log", Some(index), format!("leaf: {refusal}"));
            }
            self.envelope(index, stored.envelope);
            self.append(leaf_hash(&bytes));
        }
    }

    /// Verifies the batch signature once for all chunks of a batch that follow each other.
    fn signature(&mut self, chunk: &Chunk) {
        let first = chunk.first;
        let Some((_, _, envelope)) = chunk.created().next() else {
            return;
        };
        let Ok(message) = record::canonical::<v1::Envelope>(envelope) else {
            return self
                .report
                .add("log", Some(first), "the envelope is not canonical");
        };
        let Some(root) = batch_root(chunk) else {
            return self.report.add(
                "signature",
                Some(first),
                "the path does not lead to a batch root",
            );
        };
        if self
            .batch
            .as_ref()
            .is_some_and(|(signature, known)| *signature == chunk.signature && *known == root)
        {
            return;
        }
        // The first entry of the log brings the key that it is signed with.
        if first.0 == 0
            && let Ok(statement) = record::canonical(&message.statement).and_then(record::statement)
        {
            let mut opening = Registry::default();
            opening.apply(first, &statement);
            return self.verify(chunk, &message.issuer, root, &opening);
        }
        let registry = self.registry.clone();
        self.verify(chunk, &message.issuer, root, &registry);
    }

    fn verify(&mut self, chunk: &Chunk, issuer: &str, root: Hash, registry: &Registry) {
        let first = chunk.first;
        let key = registry.key(&KeyId(chunk.key_id));
        let Some((owner, history)) = key.filter(|(owner, _)| owner.profile.id.as_str() == issuer)
        else {
            return self.report.add(
                "signature",
                Some(first),
                format!("no key of {issuer} has this id"),
            );
        };
        if history.key.purpose != KeyPurpose::Sign || !history.is_valid_at(first) {
            let id = owner.profile.id.clone();
            self.report.add(
                "signature",
                Some(first),
                format!("the key of {id} was not valid for signing here"),
            );
        }
        let input = batch_signing_input(&self.origin, issuer, u64::from(chunk.batch_size), &root.0);
        let verified = Algorithm::of_signature(u32::from(chunk.algorithm))
            .and_then(|_| usable_key(&history.key.bytes))
            .and_then(|key| {
                let signature = Signature::from_slice(&chunk.signature)
                    .map_err(|_| Refusal::SignatureInvalid)?;
                key.verify_strict(&input, &signature)
                    .map_err(|_| Refusal::SignatureInvalid)
            });
        match verified {
            Ok(()) => {
                self.report.signatures += 1;
                self.batch = Some((chunk.signature.clone(), root));
            }
            Err(refusal) => self.report.add(
                "signature",
                Some(first),
                format!("batch of {issuer}: {refusal}"),
            ),
        }
    }

    fn envelope(&mut self, index: LeafIndex, bytes: &[u8]) {
        let issuer = record::canonical::<v1::Envelope>(bytes)
            .map(|message| message.issuer)
            .unwrap_or_default();
        match record::envelope(bytes, &issuer) {
            Err(fault) => self
                .report
                .add("log", Some(index), format!("envelope: {fault}")),
            Ok(envelope) => match envelope.content {
                EnvelopeContent::Sealed {
                    kind: RecordKind::Transfer,
                    commitment,
                    ..
                } => self.entry(index, &commitment),
                EnvelopeContent::Sealed {
                    kind, commitment, ..
                } => {
                    self.commitments.insert(index.0, (kind, commitment));
                }
                EnvelopeContent::Public(statement) => self.statement(index, &statement),
            },
        }
    }

    /// Holds an entry of a transfer against its commitment; no erasure takes it.
    fn entry(&mut self, index: LeafIndex, committed: &[u8; 32]) {
        let bytes = self.snapshot.book(index).ok().flatten();
        let opens = bytes.as_deref().and_then(|bytes| {
            let (salt, entry) = bytes.split_first_chunk::<32>()?;
            Some(commitment(salt, entry) == *committed)
        });
        match opens {
            Some(true) => self.report.entries += 1,
            Some(false) => {
                let what = "the entry does not open the commitment in the log";
                self.report.add("transfer", Some(index), what);
            }
            None => {
                let what = "the entry of a transfer is missing";
                self.report.add("transfer", Some(index), what);
            }
        }
    }

    fn statement(&mut self, index: LeafIndex, statement: &Statement) {
        match self.registry.check(index, statement) {
            Ok(()) => self.registry.apply(index, statement),
            Err(refusal) => self
                .report
                .add("log", Some(index), format!("statement: {refusal}")),
        }
    }

    /// Grows the tree by one leaf and holds every tile that it completes against the stored one.
    fn append(&mut self, hash: Hash) {
        for tile in self.edge.append(&[hash]) {
            let TileId { level, index } = tile.id;
            match self.snapshot.tile(tile.id) {
                Ok(stored) if *stored == *tile.bytes() => {}
                Ok(_) => self.report.add(
                    "tree",
                    None,
                    format!("tile {index} of level {level} has another hash"),
                ),
                Err(error) => self.report.add(
                    "tree",
                    None,
                    format!("tile {index} of level {level}: {error}"),
                ),
            }
        }
        if self
            .anchored
            .is_some_and(|anchor| anchor.size == self.edge.size().value())
        {
            self.anchor_seen = Some(self.edge.root());
        }
    }
}

/// The batch root that a chunk's rows and upper path give.
fn batch_root(chunk: &Chunk) -> Option<Hash> {
    let hashes: Vec<Hash> = chunk
        .rows
        .iter()
        .map(|row| match row {
            ChunkRow::Created(envelope) => leaf_hash(envelope),
            ChunkRow::Other(hash) => *hash,
        })
        .collect();
    let rows = CHUNK_ROWS as u64;
    let group = u64::from(chunk.first_row) / rows;
    let groups = u64::from(chunk.batch_size).div_ceil(rows);
    let grouped = creditbank_merkle::root_from_inclusion(
        &root_of(&hashes),
        group.into(),
        groups.into(),
        &chunk.upper_path,
    );
    // A row that was put back from a copy of the public log stands alone, with its whole path.
    let alone = || match &hashes[..] {
        [row] => creditbank_merkle::root_from_inclusion(
            row,
            u64::from(chunk.first_row).into(),
            u64::from(chunk.batch_size).into(),
            &chunk.upper_path,
        )
        .ok(),
        _ => None,
    };
    grouped.ok().or_else(alone)
}

fn check_vault(
    store: &Store,
    snapshot: &Snapshot,
    key: Option<&KeyEncryptionKey>,
    registry: &Registry,
    commitments: &Commitments,
    report: &mut Report,
    progress: &mut impl FnMut(Progress),
) -> Result<(), StoreError> {
    let total = commitments.len() as u64;
    let mut seen = 0;
    let mut opened_key = (0, None);
    let mut sealed = std::collections::HashSet::new();
    snapshot.whole_vault(|learner, index, row| {
        seen += 1;
        progress(Progress {
            part: "vault",
            done: seen,
            total,
        });
        sealed.insert(index.0);
        if opened_key.0 != learner {
            opened_key = (learner, key.and_then(|key| unwrap(store, key, learner)));
        }
        let data_key = opened_key.1.as_deref();
        match open(
            registry,
            commitments,
            learner,
            index,
            row,
            data_key,
            key.is_some(),
        ) {
            Ok(opened) => report.payloads += u64::from(opened),
            Err(what) => report.add("vault", Some(index), what),
        }
        Go::Continue(())
    })?;
    report.erased = commitments
        .keys()
        .filter(|index| !sealed.contains(index))
        .count() as u64;
    check_erased(registry, report);
    Ok(())
}

/// Identities and handles lead to the learner whose row names them. Nobody is named: how many is enough to act on.
fn check_learners(
    store: &Store,
    snapshot: &Snapshot,
    report: &mut Report,
) -> Result<(), StoreError> {
    let (mut astray, mut failed) = (0_u64, None);
    snapshot.learners(|code, row| match is_found(store, code, &row) {
        Ok(found) => astray += u64::from(!found),
        Err(error) => failed = Some(error),
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if astray > 0 {
        let what = format!("{astray} learners are not found by their handle or an identity");
        report.add("learners", None, what);
    }
    Ok(())
}

fn is_found(store: &Store, code: u64, row: &LearnerRow) -> Result<bool, StoreError> {
    for digest in &row.identities {
        if store.learner_by_identity(digest)? != Some(code) {
            return Ok(false);
        }
    }
    Ok(store.handle(&row.handle)? == Handle::Learner(code))
}

/// Payloads may be missing only after an erasure.
fn check_erased(registry: &Registry, report: &mut Report) {
    if report.erased > 0 && registry.erasures() == 0 {
        let missing = report.erased;
        report.add(
            "vault",
            None,
            format!(
                "{missing} payloads are missing, and no learner was ever erased; a restore that put leaves back from a mirror \
                 has said how many it left without one"
            ),
        );
    }
}

fn unwrap(
    store: &Store,
    key: &KeyEncryptionKey,
    learner: u64,
) -> Option<std::sync::Arc<vault::DataKey>> {
    let wrapped = store.wrapped_key(learner).ok()??;
    key.unwrap(learner, &wrapped).ok()
}

fn open(
    registry: &Registry,
    commitments: &Commitments,
    learner: u64,
    index: LeafIndex,
    row: &[u8],
    key: Option<&vault::DataKey>,
    keys_given: bool,
) -> Result<bool, String> {
    let header = vault::header(row).map_err(|_| "the row's header cannot be read")?;
    let (kind, committed) = commitments
        .get(&index.0)
        .ok_or("no leaf of the log belongs to this payload")?;
    if header.kind != *kind {
        return Err("the row's kind is not the leaf's".into());
    }
    if !keys_given {
        return Ok(false);
    }
    let key = key.ok_or("the learner's key is missing or does not unwrap")?;
    let issuer = registry
        .by_number(header.issuer)
        .ok_or("the row's issuer is unknown")?;
    let opened = key.open_record(issuer.profile.id.as_str(), &header.record_id, row);
    let opened = opened.map_err(|_| "the sealed payload does not open")?;
    if commitment(&opened.salt, &opened.payload) != *committed {
        return Err("the payload does not open the commitment in the log".into());
    }
    let payload: v1::Payload =
        record::canonical(&opened.payload).map_err(|_| "the payload is not canonical")?;
    let named = LearnerCode::parse(&payload.learner).map(LearnerCode::as_u64);
    if named == Ok(learner) {
        Ok(true)
    } else {
        Err("the payload names another learner than its row".into())
    }
}

/// Folds the views again and compares them with the stored ones, both as ordered rows.
fn check_views(
    snapshot: &Snapshot,
    report: &mut Report,
    progress: &mut impl FnMut(Progress),
) -> Result<(), StoreError> {
    let mut expected = Views::default();
    let folded = rebuild::fold(snapshot, |part, leaves| {
        progress(Progress {
            part: "views",
            done: leaves,
            total: leaves,
        });
        expected.ids.extend(part.ids);
        expected.submissions.extend(part.submissions);
        expected.statements.extend(part.statements);
        expected.states.extend(part.states);
        expected.applications.extend(part.applications);
        expected.ended.extend(part.ended);
        expected.shelf.extend(part.shelf);
        Ok(())
    });
    if let Err(error) = folded {
        report.add("view", None, format!("cannot be folded: {error}"));
        return Ok(());
    }
    let expected = creditbank_store::view_rows(&expected);
    let mut expected = expected.iter().peekable();
    let mut differ = Differences::default();
    snapshot.view_rows(|family, key, value| {
        report.view_rows += 1;
        while let Some(row) = expected.next_if(|row| (row.0, row.1.as_slice()) < (family, key)) {
            differ.add(row.0, &row.1);
        }
        match expected.next_if(|row| (row.0, row.1.as_slice()) == (family, key)) {
            Some(row) if row.2 == value => {}
            _ => differ.add(family, key),
        }
    })?;
    expected.for_each(|row| differ.add(row.0, &row.1));
    if let Some((family, key)) = differ.first {
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let count = differ.count;
        let what = format!(
            "{count} rows differ from a fold of log and vault, the first in {family} at {key}; run `creditbank rebuild`"
        );
        report.add("view", None, what);
    }
    Ok(())
}

/// Evaluates every decision again; what the log cannot give any more is a finding too.
fn check_decisions(
    store: &Store,
    snapshot: &Snapshot,
    key: &KeyEncryptionKey,
    registry: &Registry,
    report: &mut Report,
    progress: &mut impl FnMut(Progress),
) {
    let tell = |done| {
        progress(Progress {
            part: "decisions",
            done,
            total: done,
        });
    };
    match recompute(store, snapshot, registry, key, tell) {
        Ok(recomputed) => {
            report.decisions = recomputed.decisions;
            report.decisions_gone = recomputed.gone;
            for (leaf, what) in recomputed.differences {
                report.add("decision", Some(LeafIndex(leaf)), what);
            }
        }
        Err(error) => report.add("decision", None, format!("cannot be recomputed: {error}")),
    }
}

/// Computes every figure again from the archives, as of the size that was folded.
fn check_statistics(
    store: &Store,
    snapshot: &Snapshot,
    registry: &Registry,
    key: &KeyEncryptionKey,
    report: &mut Report,
) -> Result<(), StoreError> {
    match statistics::compare(store, snapshot, registry, key) {
        Ok((stored, again)) => {
            report.figures = again.len() as u64;
            if stored != again {
                let what = "figures are not what the archives give; run `creditbank rebuild`";
                report.add("statistics", None, what);
            }
            Ok(())
        }
        // What cannot be read was found where the vault was checked.
        Err(StoreError::Damaged(damage)) => {
            report.add("statistics", None, damage.to_string());
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Rows of views that differ.
#[derive(Default)]
struct Differences {
    count: u64,
    first: Option<(&'static str, Vec<u8>)>,
}

impl Differences {
    fn add(&mut self, family: &'static str, key: &[u8]) {
        self.count += 1;
        self.first.get_or_insert_with(|| (family, key.to_vec()));
    }
}
