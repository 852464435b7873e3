//! Auditing public logs (第三方核对): one log derived from its leaves, and the logs of several banks held against each other.
//!
//! Pure, like the rest of verification: leaves, checkpoints and cosigned notes come in as bytes. What is found needs no
//! trust in any bank: every leaf was hashed, every batch signature of a bank verified, every statement folded again.

use std::collections::BTreeMap;

use creditbank_domain::LeafIndex;
use creditbank_domain::reconcile::{Direction, Period};
use creditbank_domain::record::{
    KeyId, KeyPurpose, RecordKind, RecordRef, Statement, batch_signing_input,
};
use creditbank_domain::registry::Registry;
use creditbank_merkle::{Edge, Hash, LogKeys, leaf_hash};
use creditbank_wire::convert::record::{canonical, statement};
use creditbank_wire::v1;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::receipt::evidence::{batch_root, hashes, leaf_form};

/// Most findings kept of one log.
const FINDINGS_MAX: usize = 1000;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The log that it is about, by its origin.
    pub origin: String,
    /// The leaf, where it is about one.
    pub leaf: Option<u64>,
    /// A stable code.
    pub code: &'static str,
    /// What it is about: another log, a period.
    pub about: String,
}

/// One log under audit: leaves go in in their order.
#[derive(Debug)]
pub struct LogAudit {
    origin: String,
    registry: Registry,
    edge: Edge,
    /// Roots at the sizes that somebody has cosigned.
    roots: BTreeMap<u64, Option<Hash>>,
    /// Leaf hashes of the statements about periods.
    periods: BTreeMap<LeafIndex, [u8; 32]>,
    transfers: u64,
    last_ms: u64,
    /// The batch whose signature was verified last: signature and root.
    batch: Option<(bytes::Bytes, Hash)>,
    findings: Vec<Finding>,
}

impl LogAudit {
    /// Of the log of this name; `sizes` are those at which its root is wanted.
    #[must_use]
    pub fn new(origin: &str, sizes: impl IntoIterator<Item = u64>) -> Self {
        Self {
            origin: origin.to_owned(),
            registry: Registry::default(),
            edge: Edge::new(),
            roots: sizes.into_iter().map(|size| (size, None)).collect(),
            periods: BTreeMap::new(),
            transfers: 0,
            last_ms: 0,
            batch: None,
            findings: Vec::new(),
        }
    }

    /// Leaves taken so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge.size().value()
    }

    /// Takes the next leaf.
    pub fn take(&mut self, leaf: &[u8]) {
        let index = self.size();
        if let Err(code) = self.read(LeafIndex(index), leaf) {
            self.find(Some(index), code, "");
        }
        self.edge.append(&[leaf_hash(leaf)]);
        let (size, root) = (self.size(), self.edge.root());
        if let Some(wanted) = self.roots.get_mut(&size) {
            *wanted = Some(root);
        }
    }

    /// Holds the leaves against the checkpoint that the bank shows of them, under the keys of its log.
    pub fn close(&mut self, checkpoint: &str, keys: &LogKeys) {
        match keys.open(checkpoint) {
            Err(_) => self.find(None, "CHECKPOINT_INVALID", ""),
            Ok(it) if it.size.value() != self.size() => {
                self.find(None, "LEAVES_MISSING", &it.size.to_string());
            }
            Ok(it) if it.root != self.edge.root() => self.find(None, "ROOT_DIFFERS", ""),
            Ok(_) => {}
        }
    }

    /// Holds a checkpoint of this log that `by` shows as cosigned against the leaves.
    pub fn cosigned(&mut self, by: &str, note: &str, keys: &LogKeys) {
        let Ok(shown) = keys.open(note) else {
            return self.find(None, "COSIGNED_INVALID", by);
        };
        let size = shown.size.value();
        let own = match size {
            0 => Some(creditbank_merkle::EMPTY_ROOT),
            size => self.roots.get(&size).copied().flatten(),
        };
        match own {
            Some(root) if root == shown.root => {}
            Some(_) => self.find(None, "FORKED", by),
            None => self.find(None, "SHORTER_THAN_COSIGNED", by),
        }
    }

    /// Notes something that was found by reading the log from outside.
    pub fn find(&mut self, leaf: Option<u64>, code: &'static str, about: &str) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                origin: self.origin.clone(),
                leaf,
                code,
                about: about.to_owned(),
            });
        }
    }

    fn read(&mut self, index: LeafIndex, bytes: &[u8]) -> Result<(), &'static str> {
        let (leaf, envelope) = leaf_form(bytes).map_err(|_| "LEAF_MALFORMED")?;
        if leaf.deposited_at_ms < self.last_ms {
            return Err("TIME_RUNS_BACK");
        }
        self.last_ms = leaf.deposited_at_ms;
        let kind = RecordKind::from_number(envelope.kind.cast_unsigned()).ok_or("KIND_UNKNOWN")?;
        self.transfers += u64::from(kind == RecordKind::Transfer);
        let stated = match kind.is_public() {
            true => Some(
                canonical(&envelope.statement)
                    .and_then(statement)
                    .map_err(|_| "STATEMENT_MALFORMED")?,
            ),
            false => None,
        };
        // The first entry brings the key that it is signed with.
        let mut opening = Registry::default();
        let registry = match &stated {
            Some(opened @ Statement::LogOpened { origin, .. }) if index.0 == 0 => {
                if *origin != self.origin {
                    return Err("ORIGIN_FOREIGN");
                }
                opening.apply(index, opened);
                &opening
            }
            _ => &self.registry,
        };
        let root = self.signed(registry, index, &leaf, &envelope)?;
        self.batch = Some((
            leaf.attestation.map(|it| it.signature).unwrap_or_default(),
            root,
        ));
        let Some(stated) = stated else {
            return Ok(());
        };
        let checked = self.registry.check(index, &stated);
        checked.map_err(|_| "STATEMENT_REFUSED")?;
        if matches!(
            stated,
            Statement::PeriodStated(_) | Statement::PeriodClosed(_)
        ) {
            self.periods.insert(index, leaf_hash(bytes).0);
        }
        self.registry.apply(index, &stated);
        Ok(())
    }

    /// Verifies that a leaf's issuer signed it, with a key that was valid there; gives the root of its batch.
    fn signed(
        &self,
        registry: &Registry,
        index: LeafIndex,
        leaf: &v1::Leaf,
        envelope: &v1::Envelope,
    ) -> Result<Hash, &'static str> {
        const WRONG: &str = "SIGNATURE_INVALID";
        let attestation = leaf.attestation.as_ref().ok_or(WRONG)?;
        let path = hashes(&attestation.path).map_err(|_| WRONG)?;
        let root = batch_root(&leaf.envelope, attestation, &path).map_err(|_| WRONG)?;
        if self.batch.as_ref() == Some(&(attestation.signature.clone(), root)) {
            return Ok(root);
        }
        let key_id = KeyId(attestation.key_id[..].try_into().map_err(|_| WRONG)?);
        let (owner, history) = registry.key(&key_id).ok_or("KEY_UNKNOWN")?;
        let may_sign = owner.profile.id.as_str() == envelope.issuer
            && history.key.purpose == KeyPurpose::Sign
            && history.is_valid_at(index);
        if !may_sign {
            return Err("KEY_NOT_VALID");
        }
        let input = batch_signing_input(
            &self.origin,
            &envelope.issuer,
            u64::from(attestation.batch_size),
            &root.0,
        );
        let key = VerifyingKey::from_bytes(&history.key.bytes).map_err(|_| WRONG)?;
        let signature = Signature::from_slice(&attestation.signature).map_err(|_| WRONG)?;
        let verified = key.verify_strict(&input, &signature);
        verified.map(|()| root).map_err(|_| WRONG)
    }
}

/// A month of two banks, as both have closed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodView {
    /// Which month.
    pub period: Period,
    /// Origins of both logs, ascending.
    pub origins: [String; 2],
    /// Whether both state the same.
    pub is_agreed: bool,
    /// Whether both have closed a later month with nothing open: what differed was cleared since. A closed month stays as
    /// it is.
    pub is_cleared: bool,
    /// Items of the statement; of the first bank's, where they differ.
    pub items: u64,
    /// Source credits settled from the first bank to the second, and back; in hundredths.
    pub settled: [u64; 2],
    /// Source credits reversed, likewise.
    pub reversed: [u64; 2],
    /// Differences that each bank has open, and what they hold in suspense; none where it has not closed the month.
    pub open: [Option<(u64, u64)>; 2],
}

/// What an audit of several logs found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Every month that somebody has stated, oldest first.
    pub periods: Vec<PeriodView>,
    /// Size and entries of transfers, by origin.
    pub logs: BTreeMap<String, (u64, u64)>,
    /// What does not hold, sorted.
    pub findings: Vec<Finding>,
}

/// Holds the logs of several banks against each other: every statement of a period against that of the other bank, every
/// closing against the statement that it names, and the number of steps against the entries of the log.
#[must_use]
pub fn compare(logs: Vec<LogAudit>) -> Audit {
    let mut audit = Audit::default();
    let mut seen = BTreeMap::new();
    for (number, log) in logs.iter().enumerate() {
        audit
            .logs
            .insert(log.origin.clone(), (log.size(), log.transfers));
        audit.findings.extend(log.findings.iter().cloned());
        if log.size() > 0 && log.registry.origin() != log.origin {
            audit.findings.push(found(log, "ORIGIN_FOREIGN", ""));
        }
        let mut steps = 0;
        for peer in log.registry.periods().peers() {
            for stated in log.registry.periods().with(peer) {
                let at = (
                    stated.statement.period,
                    stated.statement.pair.origins().map(str::to_owned),
                );
                seen.entry(at).or_insert_with(Vec::new).push(number);
                let sequences = stated.statement.sequences.iter();
                steps += sequences.map(|it| it.steps).sum::<u64>();
            }
        }
        // Each step of either bank is an entry here, taken or heard.
        if steps > log.transfers {
            let about = format!("{steps} > {}", log.transfers);
            audit.findings.push(found(log, "STEPS_MISSING", &about));
        }
    }
    for ((period, origins), numbers) in seen {
        let both = origins.each_ref().map(|origin| {
            logs.iter()
                .find(|log| log.origin == **origin)
                .filter(|_| !numbers.is_empty())
        });
        audit.period(period, origins.clone(), both);
    }
    audit.findings.sort();
    audit.findings.dedup();
    audit
}

/// Whether the last month that both banks have closed lies behind `period`, and left nothing open at either.
fn is_cleared(period: Period, origins: &[String; 2], both: [Option<&LogAudit>; 2]) -> bool {
    [0, 1].into_iter().all(|place| {
        let periods = both[place].map(|log| log.registry.periods().with(&origins[1 - place]));
        let mut closed = periods.into_iter().flatten().rev();
        let last = closed.find_map(|it| Some((it.statement.period, &it.closed.as_ref()?.0)));
        last.is_some_and(|(last, closed)| last > period && closed.differences == 0)
    })
}

fn found(log: &LogAudit, code: &'static str, about: &str) -> Finding {
    Finding {
        origin: log.origin.clone(),
        leaf: None,
        code,
        about: about.to_owned(),
    }
}

impl Audit {
    fn period(&mut self, period: Period, origins: [String; 2], both: [Option<&LogAudit>; 2]) {
        let stated = [0, 1].map(|place| {
            let log = both[place]?;
            log.registry.periods().find(&origins[1 - place], period)
        });
        let is_cleared = is_cleared(period, &origins, both);
        for place in [0, 1] {
            let (Some(log), other) = (both[place], both[1 - place]) else {
                continue;
            };
            let about = format!("{period} {}", origins[1 - place]);
            match (stated[place], stated[1 - place]) {
                (None, Some(_)) => self.findings.push(found(log, "PERIOD_NOT_STATED", &about)),
                (Some(own), Some(theirs)) => {
                    if let Some((closed, _)) = &own.closed {
                        let is_theirs = closed.theirs == theirs.statement.hash();
                        let other = other.expect("it has stated the period");
                        let named = RecordRef {
                            leaf_index: theirs.at,
                            leaf_hash: other.periods.get(&theirs.at).copied().unwrap_or_default(),
                        };
                        if !is_theirs || closed.their_leaf != named {
                            self.findings
                                .push(found(log, "CLOSED_ON_ANOTHER_STATEMENT", &about));
                        }
                        if !closed.is_agreed() && closed.differences == 0 {
                            self.findings
                                .push(found(log, "DIFFERENCE_NOT_NAMED", &about));
                        }
                    }
                    let differs = own.statement.hash() != theirs.statement.hash();
                    if place == 0 && differs && !is_cleared {
                        self.findings.push(found(log, "STATEMENTS_DIFFER", &about));
                    }
                }
                _ => {}
            }
        }
        let first = stated[0].or(stated[1]);
        let Some(first) = first else { return };
        let flow = |direction: Direction| first.statement.flow(direction);
        let directions = Direction::ALL;
        let open = stated.map(|it| {
            let (closed, _) = it?.closed.as_ref()?;
            Some((closed.differences, closed.suspense))
        });
        self.periods.push(PeriodView {
            period,
            is_agreed: match stated {
                [Some(one), Some(other)] => one.statement.hash() == other.statement.hash(),
                _ => false,
            },
            is_cleared,
            origins,
            items: first.statement.items,
            settled: directions.map(|it| flow(it).settled.source.source),
            reversed: directions.map(|it| flow(it).reversed.source.source),
            open,
        });
    }
}
