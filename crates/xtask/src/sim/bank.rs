//! One bank: a durable log, the rows folded from it, what it has cosigned of others, and what it does by itself.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::book::{Entry, Place};
use creditbank_domain::transfer::duty::{Decided, Terms};
use creditbank_domain::transfer::{Reason, Recognition, Side, Step, Taken, Transfer};
use creditbank_domain::{Credit, LeafIndex, Refusal};
use creditbank_merkle::Hash;

use super::chance::Chance;
use super::check::Violation;
use super::code::Code;
use super::knowledge::{self, DAY, version_on};
use super::log::{Leaf, Log};
use super::rows::{Fact, Name, Rows};
use super::statement::Statement;
use super::witness::NOTHING;

/// Short terms, so that they end while messages are on their way.
const TERMS: Terms = Terms {
    release_ms: DAY / 6,
    decide_ms: DAY / 4,
};

/// What a bank has cosigned, by peer: a size and the root.
pub(super) type Witness = BTreeMap<Name, (u64, Hash)>;

/// Whether a bank runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is down.
    Down,
    /// It was restored, and waits for what these peers have cosigned of it.
    Asking(BTreeSet<Name>),
    /// A peer has cosigned more of it than it has. It takes no step.
    Behind,
    /// It runs.
    Up,
}

/// What a disk holds.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) log: Log,
    pub(super) witness: Witness,
}

/// A bank.
#[derive(Clone, Debug)]
pub(super) struct Bank {
    pub(super) name: Name,
    pub(super) log: Log,
    pub(super) rows: Rows,
    pub(super) phase: Phase,
    /// Counts its starts. An answer to an earlier run finds nobody.
    pub(super) run: u64,
    pub(super) skew_ms: i64,
    /// Durable before a cosignature leaves.
    pub(super) witness: Witness,
    /// The sizes at which peers have cosigned its log.
    pub(super) cosigned_by: BTreeMap<Name, u64>,
    /// Peers that it does not deal with any more: it was shown two histories.
    pub(super) stopped: BTreeSet<Name>,
    /// The last steps that peers have stated, by period. Volatile.
    pub(super) told: BTreeMap<(Name, u64), u64>,
    /// The last backup: a size of the log, and the witness.
    pub(super) backup: (u64, Witness),
    /// Leaves that the world has looked at.
    pub(super) noted: u64,
    /// After a loss of the disk: the newest copy that the operator can find.
    pub(super) newest: Option<Disk>,
}

impl Bank {
    /// A new bank.
    pub(super) fn new(name: Name, skew_ms: i64) -> Self {
        Self {
            name,
            log: Log::new(),
            rows: Rows::default(),
            phase: Phase::Up,
            run: 0,
            skew_ms,
            witness: Witness::new(),
            cosigned_by: BTreeMap::new(),
            stopped: BTreeSet::new(),
            told: BTreeMap::new(),
            backup: (0, Witness::new()),
            noted: 0,
            newest: None,
        }
    }

    /// Puts another log in the place of its own.
    pub(super) fn put(&mut self, log: Log) {
        self.noted = log.written();
        self.log = log;
    }

    /// Whether it takes steps.
    pub(super) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// The time of its next leaf: its own clock, never before the last leaf.
    pub(super) fn clock(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.skew_ms)
            .max(self.log.last_at())
    }

    /// What it has cosigned of a peer.
    pub(super) fn seen(&self, peer: Name) -> (u64, Hash) {
        self.witness.get(&peer).copied().unwrap_or(NOTHING)
    }

    /// Writes a fact.
    pub(super) fn append(
        &mut self,
        code: &Code,
        now: u64,
        fact: Fact,
    ) -> Result<RecordRef, Refusal> {
        let at_ms = self.clock(now);
        let hash = self.log.hash_of(at_ms, &fact);
        let at = RecordRef {
            leaf_index: LeafIndex(self.log.written()),
            leaf_hash: hash.0,
        };
        self.rows.apply(code, at, &fact)?;
        self.log.push(Leaf { at_ms, fact, hash });
        Ok(at)
    }

    /// What the log gives.
    pub(super) fn folded(&self, code: &Code) -> Result<Rows, Violation> {
        let mut rows = Rows::default();
        for (index, leaf) in (0..).zip(self.log.leaves()) {
            let at = RecordRef {
                leaf_index: LeafIndex(index),
                leaf_hash: leaf.hash.0,
            };
            let applied = rows.apply(code, at, &leaf.fact);
            applied.map_err(|refusal| {
                let what = format!("{}: leaf {index} is refused: {refusal:?}", self.name.0);
                Violation::new("what was taken can be folded", what)
            })?;
        }
        Ok(rows)
    }

    /// Starts it: what is not on the disk is gone.
    pub(super) fn start(&mut self, code: &Code, skew_ms: i64) -> Result<(), Violation> {
        self.run += 1;
        self.skew_ms = skew_ms;
        self.told.clear();
        self.rows = (code.refolded)(self.folded(code)?);
        Ok(())
    }

    /// Takes a step.
    pub(super) fn take(
        &mut self,
        code: &Code,
        now: u64,
        place: Place,
        step: Step,
    ) -> Result<RecordRef, Refusal> {
        let taken = Taken {
            sequence: self.rows.pair_with(place.0).sent + 1,
            at_ms: self.clock(now),
            step,
        };
        let side = taken.step.taker();
        self.append(code, now, Fact::Took(Entry { place, side, taken }))
    }

    /// What a bank does by itself, a few things at a time.
    pub(super) fn work(
        &mut self,
        code: &Code,
        now: u64,
        peers: &[Name],
        chance: &mut Chance,
    ) -> Result<(), Violation> {
        let must = |done: Result<RecordRef, Refusal>| done.expect("a fact is never refused");
        let version = version_on(self.clock(now) / DAY);
        // Some publish them late.
        if version > self.rows.version && chance.percent(15) {
            must(self.append(code, now, Fact::Agreed { version }));
        }
        for fact in self.periods(code, now, peers) {
            must(self.append(code, now, fact));
        }
        for fact in self.reviews(code, now, chance) {
            must(self.append(code, now, fact));
        }
        self.duties(code, now, chance)
    }

    /// States the periods that are over; closes those of which everything was heard.
    fn periods(&self, code: &Code, now: u64, peers: &[Name]) -> Vec<Fact> {
        let mut facts = Vec::new();
        let over = self.clock(now) / DAY;
        let open = |peer: &&Name| !self.stopped.contains(peer);
        for peer in peers.iter().copied().filter(|peer| open(&peer)) {
            for period in 0..over {
                let cut = (period + 1) * DAY;
                if !self.rows.stated.contains_key(&(peer, period)) {
                    let sent = self.rows.sent.get(&peer).into_iter().flatten();
                    let last = sent.filter(|it| it.taken.at_ms < cut).count() as u64;
                    facts.push(Fact::Stated { peer, period, last });
                } else if !self.rows.closed.contains_key(&(peer, period)) {
                    let heard = self.rows.pair_with(peer).heard;
                    let stated = self.told.get(&(peer, period));
                    if stated.is_some_and(|last| (code.may_close)(*last, heard)) {
                        let statement = Statement::of(code, &self.rows, self.name, peer, cut);
                        facts.push(Fact::Closed {
                            peer,
                            period,
                            statement,
                        });
                    }
                }
            }
        }
        facts
    }

    /// What reviewers and panels decide; what is reversed because the origin asks for it.
    fn reviews(&self, code: &Code, now: u64, chance: &mut Chance) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (place, transfer) in &self.rows.transfers {
            if transfer.side == Side::Origin || self.stopped.contains(&place.0) {
                continue;
            }
            let asked = |step: &Step| matches!(step, Step::ReversalRequested(_));
            let decided = match self.rows.decided.get(place) {
                None if knowledge::is_reviewable(transfer) => self.review(now, *place, chance),
                Some(Decided::Granted(_))
                    if transfer.when(asked).is_some() && (code.obeys)(transfer) =>
                {
                    Some(Decided::Reversed(Reason::RecognisedLate))
                }
                _ => None,
            };
            facts.extend(decided.map(|decided| Fact::Decided(*place, decided)));
        }
        facts
    }

    fn review(&self, now: u64, place: Place, chance: &mut Chance) -> Option<Decided> {
        let release = self.rows.transfers[&place].released()?;
        if knowledge::is_gone(self, place) {
            return Some(Decided::Nothing(Reason::RequestGone));
        }
        match chance.below(32) {
            0..=25 => None,
            26 => Some(Decided::Nothing(Reason::NothingGranted)),
            _ => {
                let source = u64::from(release.source.hundredths());
                let spent = chance.between(1, source);
                let credited = chance.between(0, spent);
                let credit = |it| Credit::from_hundredths(u32::try_from(it).unwrap_or(u32::MAX));
                let at_ms = self.clock(now);
                Some(Decided::Granted(Recognition {
                    rule: "r".into(),
                    rule_set: [version_on(at_ms / DAY) as u8; 32],
                    agreement_version: release.agreement_version.clone(),
                    credited: credit(credited),
                    spent: credit(spent),
                    decided_at_ms: at_ms,
                }))
            }
        }
    }

    /// Takes a few of the steps that are due, from any transfer on.
    fn duties(&mut self, code: &Code, now: u64, chance: &mut Chance) -> Result<(), Violation> {
        let mut places: Vec<Place> = self.rows.transfers.keys().copied().collect();
        let first = chance.below(places.len().max(1) as u64) as usize;
        places.rotate_left(first);
        let mut left = chance.between(0, 4);
        for place in places {
            if left == 0 || self.stopped.contains(&place.0) {
                continue;
            }
            if let Some(step) = self.duty(code, now, place, &self.rows.transfers[&place]) {
                left -= 1;
                let told = format!("{}: {step:?}", self.name.0);
                let taken = self.take(code, now, place, step);
                taken.map_err(|refusal| {
                    Violation::new(
                        "what a bank has to do, it may do",
                        format!("{told}: {refusal:?}"),
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The next step about a transfer.
    pub(super) fn duty(
        &self,
        code: &Code,
        now: u64,
        place: Place,
        transfer: &Transfer,
    ) -> Option<Step> {
        match transfer.side {
            Side::Origin => {
                let known = knowledge::at_origin(code, self, place, transfer);
                (code.of_origin)(transfer, &known, &TERMS, self.clock(now))
            }
            Side::Receiver => {
                let known = knowledge::at_receiver(self, place, transfer);
                (code.of_receiver)(transfer, &known)
            }
        }
    }
}
