//! Statistics: figures folded behind the log, yearbooks made of them, and what erased learners leave behind.
//!
//! The append path does nothing for statistics. Figures are brought up to the head by whoever wants them and by a thread
//! of its own: for each learner with new records, the archive is read once, and the figures gain what it adds now less what
//! it added at the size that was folded before. Both follow from the same records, so nothing of a learner is kept beside
//! them, and figures of any size of the log can be computed again.
//!
//! An erasure takes that away: nobody can read the archive afterwards. What it adds is written as sums in the very write
//! that ends the learner's key, split at the sizes of the yearbooks that were published, so that these can still be
//! computed again. The sums name nobody, and those of all erased learners are added up.

mod follow;
mod read;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use creditbank_domain::registry::Registry;
use creditbank_domain::statistics::{Cells, Population, Yearbook, figures};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Chunk, Go, OPEN, Snapshot, StatisticsChange, Store, StoreError};
use creditbank_wire::convert::record;
use creditbank_wire::v1;

pub(crate) use self::follow::{Stop, start};
use self::read::Reader;
use crate::bank::{Bank, BankError};
use crate::recover;
use crate::vault::KeyEncryptionKey;

/// Leaves that are folded in one go.
const STEP_LEAVES: u64 = 50_000;
/// How often a fold is tried again when an erasure, a merge or another fold came in between.
const TRIES: u32 = 100;

/// What is read with a stopped bank is read to its end.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Held while figures are written; counts how often an erasure changed them.
#[derive(Debug, Default)]
pub(crate) struct Folding(Mutex<u64>);

impl Folding {
    pub(crate) fn hold(&self) -> MutexGuard<'_, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a yearbook was not made.
#[derive(Debug)]
pub(crate) enum NotMade {
    /// For a reason.
    Refused(Refusal),
    /// Because the store failed.
    Store(StoreError),
}

impl From<StoreError> for NotMade {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Bank {
    /// Brings the figures up to the head as it is now, and gives their size.
    pub(crate) fn fold_statistics(&self) -> Result<u64, StoreError> {
        self.fold_to(self.head().row.size, all_cores())
    }

    /// Folds a part of what is new on this thread, and tells whether there is more.
    pub(crate) fn fold_some(&self) -> Result<bool, StoreError> {
        let folded = self.store().snapshot().statistics_folded()?;
        let size = self.head().row.size;
        // The first fold reads all archives, however far it goes.
        let goal = match folded {
            0 => size,
            _ => size.min(folded + STEP_LEAVES),
        };
        Ok(self.fold_to(goal, 1)? < size)
    }

    /// Folds up to a size of the log; what is folded already stays.
    fn fold_to(&self, goal: u64, threads: usize) -> Result<u64, StoreError> {
        let mut tries = 0;
        loop {
            let folded = self.store().snapshot().statistics_folded()?;
            if folded >= goal || tries == TRIES || self.is_stopping() {
                return Ok(folded);
            }
            if !self.fold_step(folded, goal, threads)? {
                tries += 1;
            }
        }
    }

    /// Folds what comes next; false where something came in between.
    fn fold_step(&self, folded: u64, goal: u64, threads: usize) -> Result<bool, StoreError> {
        let (erased, changed) = (*self.folding().hold(), self.erasures());
        let head = self.head();
        let reader = Reader {
            store: self.store(),
            snapshot: &head.snapshot,
            registry: &head.registry,
            key: self.key_encryption(),
            stopping: self.stopping(),
        };
        let change = reader.step(folded, goal, threads)?;
        let held = self.folding().hold();
        let is_other = self.is_stopping()
            || *held != erased
            || self.erasures() != changed
            || self.store().snapshot().statistics_folded()? != folded;
        if is_other {
            return Ok(false);
        }
        self.store().change_statistics(&change)?;
        Ok(true)
    }

    /// What an erasure leaves behind. Whoever asks holds [`Bank::folding`] until it is written.
    pub(crate) fn left_behind(&self, learner: u64) -> Result<StatisticsChange, StoreError> {
        let snapshot = self.store().snapshot();
        let size = snapshot.head()?.map_or(0, |head| head.size);
        let head = self.head();
        let reader = Reader {
            store: self.store(),
            snapshot: &snapshot,
            registry: &head.registry,
            key: self.key_encryption(),
            stopping: &NEVER,
        };
        let history = match reader.history(learner) {
            Ok(history) => history,
            Err(StoreError::Damaged(_)) => None,
            Err(error) => return Err(error),
        };
        let Some(history) = history else {
            // The key went before: with it what is left behind was written, or it is not known. The same where rows are
            // damaged: an erasure is carried out whatever is in them. Folded afresh, figures are right in any case.
            return Ok(StatisticsChange {
                afresh: true,
                ..StatisticsChange::default()
            });
        };
        let mut gone = Vec::new();
        let mut before = Cells::default();
        for until in yearbook_sizes(&snapshot)?.into_iter().chain([OPEN]) {
            let now = figures(&history, until.min(size));
            let mut gain = now.clone();
            gain.subtract_all(&before);
            gone.push((until, gain));
            before = now;
        }
        let folded = snapshot.statistics_folded()?;
        // Where nothing is folded yet, what is left behind comes with the first fold.
        let mut gain = if folded == 0 {
            Cells::default()
        } else {
            before
        };
        gain.subtract_all(&figures(&history, folded));
        Ok(StatisticsChange {
            figures: gain,
            gone,
            ..StatisticsChange::default()
        })
    }

    /// Publishes the yearbook of a year, once.
    pub(crate) fn publish_yearbook(
        &self,
        year: u16,
        population: Population,
    ) -> Result<Yearbook, NotMade> {
        for _ in 0..TRIES {
            let (changed, head) = (self.erasures(), self.head());
            self.fold_to(head.row.size, all_cores())?;
            let _held = self.folding().hold();
            let snapshot = self.store().snapshot();
            if snapshot.yearbooks()?.iter().any(|(it, _)| *it == year) {
                return Err(NotMade::Refused(Refusal::YearbookPublished));
            }
            // Who is erased meanwhile counts with records behind this size.
            if snapshot.statistics_folded()? != head.row.size || self.erasures() != changed {
                continue;
            }
            let cells = snapshot.figures(Some(year))?;
            if cells.is_empty() {
                return Err(NotMade::Refused(Refusal::YearbookEmpty));
            }
            let at = (head.row.size, head.row.root);
            let yearbook = Yearbook::new((self.origin(), year), at, population, &cells);
            self.store()
                .add_yearbook(year, yearbook.size, &yearbook.encode())?;
            return Ok(yearbook);
        }
        Err(NotMade::Refused(Refusal::Internal))
    }
}

impl Reader<'_> {
    /// Nobody needs what is being read any more.
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What the figures gain by the leaves after `folded`, up to `size` at most.
    fn step(&self, folded: u64, size: u64, threads: usize) -> Result<StatisticsChange, StoreError> {
        // An archive is read whole at every step that touches it: whoever wants all of a log that is mostly new reads all once.
        let is_all = self.snapshot.head()?.is_some_and(|head| head.size == size);
        if folded == 0 || is_all && size - folded > folded {
            let mut figures = self.all(size, threads)?;
            figures.add_all(&self.snapshot.gone_figures(OPEN)?);
            return Ok(StatisticsChange {
                figures,
                folded: Some(size),
                afresh: true,
                ..StatisticsChange::default()
            });
        }
        let upto = size.min(folded + STEP_LEAVES);
        let mut gain = Cells::default();
        for learner in self.touched(folded, upto)? {
            if self.is_stopping() {
                break;
            }
            if let Some(history) = self.history(learner)? {
                gain.add_all(&figures(&history, upto));
                gain.subtract_all(&figures(&history, folded));
            }
        }
        Ok(StatisticsChange {
            figures: gain,
            folded: Some(upto),
            ..StatisticsChange::default()
        })
    }

    /// Learners of whom there is a record in the leaves from `from` to below `upto`, by the codes that their archives go by.
    fn touched(&self, from: u64, upto: u64) -> Result<BTreeSet<u64>, StoreError> {
        let mut touched = BTreeSet::new();
        let mut failed = None;
        self.snapshot.chunks(LeafIndex(from), |chunk| {
            if chunk.first.0 >= upto {
                return Go::Break(());
            }
            match self.learners_of(&chunk, from..upto) {
                Ok(learners) => touched.extend(learners),
                Err(error) => failed = Some(error),
            }
            match failed {
                None => Go::Continue(()),
                Some(_) => Go::Break(()),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        let mut survivors = BTreeSet::new();
        for code in touched {
            let row = self.snapshot.learner(code)?;
            survivors.insert(row.and_then(|row| row.merged_into).unwrap_or(code));
        }
        Ok(survivors)
    }

    fn learners_of(
        &self,
        chunk: &Chunk,
        leaves: std::ops::Range<u64>,
    ) -> Result<Vec<u64>, StoreError> {
        let mut ids = Vec::new();
        for (_, _, envelope) in chunk.created().filter(|(at, ..)| leaves.contains(&at.0)) {
            let message: v1::Envelope = record::canonical(envelope).unwrap_or_default();
            let issuer = self.registry.institution(&message.issuer);
            let id = creditbank_domain::RecordId::from_slice(&message.record_id).ok();
            ids.extend(issuer.map(|it| it.number).zip(id));
        }
        ids.sort_unstable();
        let found = self.snapshot.ids(&ids)?.into_iter().flatten();
        Ok(found
            .map(|row| row.learner)
            .filter(|learner| *learner != 0)
            .collect())
    }

    /// The figures of all archives that can be read, as of a size of the log, read by so many threads.
    fn all(&self, size: u64, threads: usize) -> Result<Cells, StoreError> {
        let mut learners = Vec::new();
        self.snapshot.learners(|code, row| {
            if row.merged_into.is_none() {
                learners.push(code);
            }
        })?;
        let sum = |part: &[u64]| -> Result<Cells, StoreError> {
            let mut cells = Cells::default();
            for learner in part {
                if self.is_stopping() {
                    break;
                }
                if let Some(history) = self.history(*learner)? {
                    cells.add_all(&figures(&history, size));
                }
            }
            Ok(cells)
        };
        if threads == 1 {
            return sum(&learners);
        }
        std::thread::scope(|scope| {
            let parts = learners.chunks(learners.len().div_ceil(threads).max(1));
            let running: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
            let mut cells = Cells::default();
            for part in running {
                cells.add_all(&part.join().expect("no panic in a fold")?);
            }
            Ok(cells)
        })
    }
}

/// Threads of whoever waits for figures.
fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Drops the figures and folds them again; gives how many leaves were folded.
pub fn rebuild(store: &Store, key: &KeyEncryptionKey) -> Result<u64, BankError> {
    let snapshot = store.snapshot();
    let (registry, _) = recover::registry(&snapshot)?;
    let size = snapshot.head()?.map_or(0, |head| head.size);
    let mut figures = reader(store, &snapshot, &registry, key).all(size, all_cores())?;
    figures.add_all(&snapshot.gone_figures(OPEN)?);
    store.change_statistics(&StatisticsChange {
        figures,
        folded: Some(size),
        afresh: true,
        ..StatisticsChange::default()
    })?;
    Ok(size)
}

/// The figures as they are stored, and as all archives give them.
pub(crate) fn compare(
    store: &Store,
    snapshot: &Snapshot,
    registry: &Registry,
    key: &KeyEncryptionKey,
) -> Result<(Cells, Cells), StoreError> {
    let folded = snapshot.statistics_folded()?;
    let mut again = Cells::default();
    if folded > 0 {
        again = reader(store, snapshot, registry, key).all(folded, all_cores())?;
        again.add_all(&snapshot.gone_figures(OPEN)?);
    }
    Ok((snapshot.figures(None)?, again))
}

/// The yearbook that the database gives for the size of the log that a published one was made from.
pub fn recompute(
    store: &Store,
    key: &KeyEncryptionKey,
    published: &Yearbook,
) -> Result<Yearbook, BankError> {
    let snapshot = store.snapshot();
    let (registry, _) = recover::registry(&snapshot)?;
    let mut cells = reader(store, &snapshot, &registry, key).all(published.size, all_cores())?;
    cells.add_all(&snapshot.gone_figures(published.size)?);
    Ok(Yearbook::new(
        (&published.origin, published.year),
        (published.size, published.root),
        published.population.clone(),
        &cells,
    ))
}

/// The yearbooks that were published, by year.
pub fn yearbooks(snapshot: &Snapshot) -> Result<Vec<Yearbook>, StoreError> {
    let damaged = StoreError::Damaged(creditbank_store::Damage::Row("yearbook"));
    let found = snapshot.yearbooks()?.into_iter();
    let read = found.map(|(_, bytes)| Yearbook::decode(&bytes));
    read.collect::<Option<_>>().ok_or(damaged)
}

fn yearbook_sizes(snapshot: &Snapshot) -> Result<BTreeSet<u64>, StoreError> {
    Ok(yearbooks(snapshot)?.iter().map(|it| it.size).collect())
}

const fn reader<'a>(
    store: &'a Store,
    snapshot: &'a Snapshot,
    registry: &'a Registry,
    key: &'a KeyEncryptionKey,
) -> Reader<'a> {
    Reader {
        store,
        snapshot,
        registry,
        key,
        stopping: &NEVER,
    }
}
