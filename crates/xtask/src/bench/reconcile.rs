//! Reconciliation: how long two banks take to close a month of transfers, against how long they take to read it once.
//!
//! Two databases hold the same transfers, as the two banks know them; at the second, ten differ: some are missing, some
//! were recognised at another amount, some are not known at the first. What is measured is everything that the banks do
//! but for signing and sending: reading, hashing and stating on both sides, looking for what differs with questions and
//! answers as they are encoded for the wire, and giving each difference its class. One after the other, on one core.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use creditbank_domain::reconcile::{
    Ask, Class, Comparison, Differing, Facts, Item, Pair, Period, PeriodFold, Ranges, classify,
};
use creditbank_domain::record::RecordRef;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::{
    Purpose, Recognition, Release, Side, Step, Taken, Transfer, TransferId,
};
use creditbank_domain::{Category, Credit, LeafIndex};
use creditbank_ledger::reconcile::{PeriodDigest, Reading, each, find, row};
use creditbank_store::{Go, ShelfKey, Store, StoreOptions, Views};
use creditbank_wire::convert::reconciliation as wire;
use creditbank_wire::v1;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::clock;
use crate::options::Options;
use crate::report::{Entry, Report};

/// Transfers of the month.
const TRANSFERS: u64 = 1_000_000;
const TRANSFERS_QUICK: u64 = 50_000;
/// Of them, those that differ.
const DIFFERENCES: usize = 10;
/// How much longer than reading once it may take.
const TIMES_READING: f64 = 3.0;
/// Bytes of the questions and answers.
const BYTES_MAX: f64 = 1_048_576.0;
/// How much longer the same number of differences may take wherever they are.
const SPREAD: f64 = 1.5;
/// Rows of one write.
const ROWS: u64 = 20_000;
/// The other bank's number in both registries.
const PEER: InstitutionNumber = InstitutionNumber(1);
const ORIGINS: [&str; 2] = ["js.bench/log", "sh.bench/log"];
/// 2026-11-03T00:00 in China.
const START_MS: u64 = 1_793_635_200_000;

/// Measures what of it is asked for.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    if !options.wants_any(&["reconcile"]) {
        return Ok(());
    }
    let count = if options.quick {
        TRANSFERS_QUICK
    } else {
        TRANSFERS
    };
    let folder = tempfile::tempdir().context("no temporary folder")?;
    println!("  reconcile: writing {count} transfers into two databases");
    let banks = [Side::Receiver, Side::Origin].map(|side| Bank::fill(folder.path(), side, count));
    let [js, sh] = banks;
    let (js, sh) = (js?, sh?);
    let (mut reading, mut reconciling) = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..options.runs() {
        reading.push(seconds(|| js.read_once().and_then(|()| sh.read_once()))?.0);
        let (took, found) = seconds(|| reconcile(&js, &sh))?;
        reconciling.push(took);
        last = Some(found);
    }
    let found = last.context("no run")?;
    found.look()?;
    let (reading, reconciling) = (median(reading), median(reconciling));
    report.add_limit(
        Entry::new("reconcile_read", reading, "s")
            .note(&format!("two banks read {count} transfers once, one core")),
    );
    let entry = Entry::new("reconcile", reconciling, "s");
    report.add(
        entry
            .against("reconcile_read", Some(reading))
            .at_most(TIMES_READING)
            .note(&format!(
                "{count} transfers, {DIFFERENCES} differences: stated twice, compared, classified"
            )),
    );
    let entry = Entry::new("reconcile_bytes", found.bytes as f64, "bytes");
    report.add(entry.at_most(BYTES_MAX).note("exchanged to find them"));
    compare(options, &js, report)
}

/// Comparing alone: no differences, ten in one place, ten everywhere.
fn compare(options: &Options, js: &Bank, report: &mut Report) -> Result<()> {
    let own = js.digest(|_| true)?;
    let ids = js.ids()?;
    let step = ids.len() / DIFFERENCES;
    let clustered: Vec<_> = ids.iter().skip(step / 2).take(DIFFERENCES).collect();
    let spread: Vec<_> = ids
        .iter()
        .skip(step / 2)
        .step_by(step)
        .take(DIFFERENCES)
        .collect();
    let mut took = Vec::new();
    for without in [Vec::new(), clustered, spread] {
        let theirs = js.digest(|id| !without.contains(&id))?;
        let mut runs = Vec::new();
        for _ in 0..options.runs() {
            let (run, (found, bytes)) = seconds(|| differing(&own, &theirs))?;
            ensure!(found.len() == without.len(), "not what was left out");
            runs.push((run * 1000.0, bytes));
        }
        runs.sort_by(|one, other| one.0.total_cmp(&other.0));
        took.push(runs[runs.len() / 2]);
    }
    let [none, clustered, spread] = took[..] else {
        unreachable!("three cases");
    };
    let told = |(ms, bytes): (f64, u64)| format!("{ms:.0} ms, {bytes} bytes");
    let (zero, ten) = (told(none), told(clustered));
    report.add(
        Entry::new("reconcile_compare", spread.0, "ms")
            .against("reconcile_compare_clustered", Some(clustered.0))
            .at_most(SPREAD)
            .note(&format!(
                "{DIFFERENCES} spread, {} bytes; all in one place {ten}; none {zero}",
                spread.1
            )),
    );
    Ok(())
}

/// A bank's database.
struct Bank {
    store: Store,
    /// What it is in every transfer.
    side: Side,
}

impl Bank {
    fn fill(folder: &Path, side: Side, count: u64) -> Result<Self> {
        let options = StoreOptions::default();
        let store = Store::create(&folder.join(format!("{side:?}")), &options, "bench/log")?;
        for from in (0..count).step_by(ROWS as usize) {
            let mut views = Views::default();
            let numbers = (from..count.min(from + ROWS)).filter(|number| known(side, *number));
            for number in numbers {
                let transfer = transfer(side, number);
                let key = ShelfKey::Transfer(PEER, transfer.id.0);
                views.shelf.insert(key, Some(row(&transfer)));
            }
            store.write_views(&views)?;
        }
        store.flush()?;
        Ok(Self { store, side })
    }

    /// Reads every transfer and does nothing with it.
    fn read_once(&self) -> Result<()> {
        each(&self.store.snapshot(), PEER, |transfer| {
            black_box(transfer);
            Go::Continue(())
        })?;
        Ok(())
    }

    fn ids(&self) -> Result<Vec<TransferId>> {
        let mut ids = Vec::new();
        each(&self.store.snapshot(), PEER, |transfer| {
            ids.push(transfer.id);
            Go::Continue(())
        })?;
        Ok(ids)
    }

    /// Reads, hashes and states, but for what is left out.
    fn digest(&self, take: impl Fn(&TransferId) -> bool) -> Result<PeriodDigest> {
        let pair = Pair::of(ORIGINS[0], ORIGINS[1])?;
        let fold = PeriodFold::new(pair, ORIGINS[self.place()], period()?)?;
        let mut reading = Reading::new(fold);
        let mut taken = Ok(());
        each(&self.store.snapshot(), PEER, |transfer| {
            if take(&transfer.id) {
                taken = reading.take(transfer);
            }
            Go::Continue(())
        })?;
        taken?;
        Ok(reading.finish([0; 32])?)
    }

    const fn place(&self) -> usize {
        match self.side {
            Side::Receiver => 0,
            Side::Origin => 1,
        }
    }

    fn items(&self, ids: &[TransferId]) -> Result<BTreeMap<TransferId, Item>> {
        let snapshot = self.store.snapshot();
        let period = period()?;
        let mut items = BTreeMap::new();
        for id in ids {
            let item = find(&snapshot, PEER, *id)?;
            let item = item.and_then(|it| Item::as_of(&it, self.place(), period));
            items.extend(item.map(|item| (*id, item)));
        }
        Ok(items)
    }
}

/// What a reconciliation found.
struct Found {
    classes: Vec<Class>,
    bytes: u64,
}

impl Found {
    /// Nobody is to measure a comparison that finds nothing.
    fn look(&self) -> Result<()> {
        let of = |class| self.classes.iter().filter(|it| **it == class).count();
        ensure!(
            self.classes.len() == DIFFERENCES
                && of(Class::OriginOnly) == 3
                && of(Class::ReceiverOnly) == 3
                && of(Class::Amount) == 4,
            "other differences than there are: {:?}",
            self.classes
        );
        Ok(())
    }
}

/// Everything that two banks do.
fn reconcile(js: &Bank, sh: &Bank) -> Result<Found> {
    let (own, theirs) = (js.digest(|_| true)?, sh.digest(|_| true)?);
    ensure!(
        own.statement.hash() != theirs.statement.hash(),
        "no difference"
    );
    let (differing, mut bytes) = differing(&own, &theirs)?;
    let ids: Vec<_> = differing.iter().map(|it| it.id).collect();
    let (own, theirs) = (js.items(&ids)?, sh.items(&ids)?);
    let answer = v1::ListItemsResponse {
        lists: Vec::new(),
        items: theirs.values().map(wire::item_message).collect(),
    };
    bytes += answer.encoded_len() as u64;
    let period = period()?;
    let facts = Facts::new(js.place(), period, period.cut_ms());
    let class = |id: &TransferId| classify(own.get(id), theirs.get(id), &facts);
    let classes = ids.iter().filter_map(class).map(|it| it.class).collect();
    Ok(Found { classes, bytes })
}

/// Asks and answers as over the wire; also the bytes of it.
fn differing(own: &PeriodDigest, theirs: &PeriodDigest) -> Result<(Vec<Differing>, u64)> {
    let mut comparison = Comparison::new(own);
    let mut bytes = 0;
    while let Some(ask) = comparison.next() {
        match ask {
            Ask::Summaries(ranges) => {
                let request = v1::CompareRangesRequest {
                    period: String::new(),
                    ranges: ranges.iter().map(wire::range_message).collect(),
                };
                let answer = v1::CompareRangesResponse {
                    ranges: ranges
                        .iter()
                        .map(|it| wire::summary_message(&theirs.summary(it)))
                        .collect(),
                };
                bytes += request.encoded_len() + answer.encoded_len();
                let summaries = answer.ranges.iter().map(wire::summary);
                comparison.summaries(&summaries.collect::<Result<Vec<_>, _>>()?)?;
            }
            Ask::Lists(ranges) => {
                let request = v1::ListItemsRequest {
                    ranges: ranges.iter().map(wire::range_message).collect(),
                    ..Default::default()
                };
                let answer = v1::ListItemsResponse {
                    lists: ranges
                        .iter()
                        .map(|it| wire::leaves_message(&theirs.list(it)))
                        .collect(),
                    items: Vec::new(),
                };
                bytes += request.encoded_len() + answer.encoded_len();
                let lists = answer.lists.iter().map(wire::leaves);
                comparison.lists(&lists.collect::<Result<Vec<_>, _>>()?)?;
            }
        }
    }
    Ok((comparison.finish().0, bytes as u64))
}

/// The first three are unknown at the receiver, the next three at the origin.
fn known(side: Side, number: u64) -> bool {
    match number {
        0..3 => side == Side::Origin,
        3..6 => side == Side::Receiver,
        _ => true,
    }
}

/// A transfer that was settled in the month, with the steps that such a one has.
fn transfer(side: Side, number: u64) -> Transfer {
    // Four were recognised at another amount by what the origin has.
    let is_other = side == Side::Origin && (6..10).contains(&number);
    let spent = Credit::from_hundredths(if is_other { 299 } else { 300 });
    let at_ms = START_MS + number;
    let record = RecordRef {
        leaf_index: LeafIndex(number),
        leaf_hash: Sha256::digest(number.to_be_bytes()).into(),
    };
    let own = number * 4;
    let steps = [
        (own + 1, Step::Requested { consent: record }),
        (
            number * 3 + 1,
            Step::Reserved {
                outcome: record,
                purpose: Purpose::Degree,
            },
        ),
        (
            number * 3 + 2,
            Step::Released(Release {
                commitment: record.leaf_hash,
                category: Category::DegreeCourse,
                source: Credit::from_hundredths(400),
                agreement: "sh-js".into(),
                agreement_version: "R23".into(),
            }),
        ),
        (own + 2, Step::Received),
        (
            own + 3,
            Step::Recognised(Recognition {
                rule: "marketing-english".into(),
                rule_set: [7; 32],
                agreement_version: "R23".into(),
                credited: spent,
                spent,
                decided_at_ms: at_ms + 5,
            }),
        ),
        (number * 3 + 3, Step::Acknowledged { heard: own + 3 }),
    ];
    let mut transfer = Transfer::new(id(number), side);
    transfer.steps = steps
        .into_iter()
        .zip(at_ms..)
        .map(|((sequence, step), at_ms)| Taken {
            sequence,
            at_ms,
            step,
        })
        .collect();
    transfer
}

/// Ids spread like digests.
fn id(number: u64) -> TransferId {
    let digest = Sha256::digest(number.to_be_bytes());
    TransferId(digest[..16].try_into().expect("sixteen bytes"))
}

fn period() -> Result<Period> {
    Ok(Period::parse("2026-11")?)
}

fn seconds<T>(work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
    let start = clock::now();
    let done = work()?;
    Ok((start.elapsed().as_secs_f64(), done))
}

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}
