//! Rows of statistics. Figures are folded from the log and can be folded again; yearbooks are kept as they were published;
//! the figures of erased learners cannot be folded any more and are kept as sums.

use creditbank_domain::statistics::{Cell, Cells, MEASURES, SUMS, Sums, square};
use rocksdb::WriteBatch;

use crate::keys::{
    self, KIND_FIGURES, KIND_FOLDED, KIND_GONE, KIND_YEARBOOK, KINDS_RETIRED, STATISTICS,
};
use crate::{Damage, Go, Snapshot, Store, StoreError};

/// A change of the figures, as one write.
#[derive(Debug, Clone, Default)]
pub struct StatisticsChange {
    /// What the figures gain; negative where they lose.
    pub figures: Cells,
    /// How many leaves are folded then.
    pub folded: Option<u64>,
    /// What learners that are erased leave behind: for each size of the log up to which it counts, the gain over the size
    /// before. [`OPEN`] is the size of the next yearbook.
    pub gone: Vec<(u64, Cells)>,
    /// Drops all figures first: they are to be folded again.
    pub afresh: bool,
}

/// The size of a yearbook that is still to come.
pub const OPEN: u64 = u64::MAX;

impl Snapshot {
    /// How many leaves are folded into the figures.
    pub fn statistics_folded(&self) -> Result<u64, StoreError> {
        let mut folded = 0;
        self.statistics(&[KIND_FOLDED], |_, value| {
            folded = value.try_into().map_or(0, u64::from_be_bytes);
            Go::Break(())
        })?;
        Ok(folded)
    }

    /// The figures of a year, or of all years.
    pub fn figures(&self, year: Option<u16>) -> Result<Cells, StoreError> {
        let mut prefix = vec![KIND_FIGURES];
        prefix.extend(year.iter().flat_map(|year| year.to_be_bytes()));
        self.cells(&prefix, 1, |_| true)
    }

    /// What erased learners left behind, as far as it counts in a log of `size` leaves that a yearbook was made from;
    /// [`OPEN`] for all of it.
    pub fn gone_figures(&self, size: u64) -> Result<Cells, StoreError> {
        let counts = |key: &[u8]| {
            let until = key.get(1..9).and_then(|it| it.try_into().ok());
            until.is_some_and(|until| u64::from_be_bytes(until) <= size)
        };
        self.cells(&[KIND_GONE], 9, counts)
    }

    fn cells(
        &self,
        prefix: &[u8],
        cell_at: usize,
        counts: impl Fn(&[u8]) -> bool,
    ) -> Result<Cells, StoreError> {
        let mut cells = Cells::default();
        let mut damaged = false;
        self.statistics(prefix, |key, value| {
            let cell = key.get(cell_at..).and_then(Cell::decode);
            match cell.zip(decode_sums(value)) {
                Some((cell, sums)) if counts(key) => cells.add(cell, &sums),
                Some(_) => {}
                None => damaged = true,
            }
            Go::Continue(())
        })?;
        match damaged {
            true => Err(StoreError::Damaged(Damage::Row("statistics"))),
            false => Ok(cells),
        }
    }

    /// The bytes of every yearbook, by year.
    pub fn yearbooks(&self) -> Result<Vec<(u16, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        self.statistics(&[KIND_YEARBOOK], |key, value| {
            if let Ok(year) = key[1..].try_into() {
                found.push((u16::from_be_bytes(year), value.to_vec()));
            }
            Go::Continue(())
        })?;
        Ok(found)
    }

    fn statistics(
        &self,
        prefix: &[u8],
        visit: impl FnMut(&[u8], &[u8]) -> Go,
    ) -> Result<(), StoreError> {
        match self.has_family(STATISTICS) {
            true => self.range(STATISTICS, prefix, prefix, visit),
            false => Ok(()),
        }
    }
}

impl Store {
    /// Writes a change of the figures. Whoever writes holds on to what it decided by.
    pub fn change_statistics(&self, change: &StatisticsChange) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_statistics(&mut batch, change)?;
        self.write(batch)
    }

    pub(crate) fn put_statistics(
        &self,
        batch: &mut WriteBatch,
        change: &StatisticsChange,
    ) -> Result<(), StoreError> {
        let family = self.family(STATISTICS);
        if change.afresh {
            for kind in [KIND_FIGURES, KIND_FOLDED].into_iter().chain(KINDS_RETIRED) {
                for key in self.snapshot().keys_with_prefix(STATISTICS, &[kind])? {
                    batch.delete_cf(family, key);
                }
            }
        }
        let figures = change.figures.iter();
        let figures = figures.map(|(cell, gain)| (keys::figures(cell), gain, change.afresh));
        let gone = change.gone.iter().flat_map(|(until, cells)| {
            let cells = cells.iter();
            cells.map(|(cell, gain)| (keys::gone(*until, cell), gain, false))
        });
        for (key, gain, is_first) in figures.chain(gone) {
            let before = match is_first {
                true => None,
                false => self.database().get_cf(family, &key)?,
            };
            let mut sums: Sums = match before {
                Some(bytes) => {
                    decode_sums(&bytes).ok_or(StoreError::Damaged(Damage::Row("statistics")))?
                }
                None => Sums::default(),
            };
            sums.iter_mut()
                .zip(gain)
                .for_each(|(sum, more)| *sum += more);
            match sums == Sums::default() {
                true => batch.delete_cf(family, key),
                false => batch.put_cf(family, key, sums.map(i64::to_be_bytes).concat()),
            }
        }
        if let Some(folded) = change.folded {
            batch.put_cf(family, [KIND_FOLDED], folded.to_be_bytes());
        }
        Ok(())
    }

    /// Keeps a yearbook for ever, and has what was left behind so far count from its size on.
    pub fn add_yearbook(&self, year: u16, size: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let family = self.family(STATISTICS);
        let mut batch = WriteBatch::default();
        batch.put_cf(family, keys::yearbook(year), bytes);
        let open = keys::gone_until(OPEN);
        self.snapshot()
            .range(STATISTICS, &open, &open, |key, value| {
                let moved = [&keys::gone_until(size)[..], &key[open.len()..]].concat();
                batch.put_cf(family, moved, value);
                batch.delete_cf(family, key);
                Go::Continue(())
            })?;
        self.write(batch)
    }
}

/// Rows of an earlier build are without the learners behind figures: one is taken to have all of each, which suppresses more.
fn decode_sums(bytes: &[u8]) -> Option<Sums> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    let is_whole = rest.is_empty() && [MEASURES, SUMS].contains(&numbers.len());
    let mut sums = Sums::default();
    for (sum, number) in sums.iter_mut().zip(numbers) {
        *sum = i64::from_be_bytes(*number);
    }
    if numbers.len() == MEASURES {
        for at in 1..MEASURES {
            sums[MEASURES + at] = i64::from(sums[at] > 0);
            sums[2 * MEASURES + at] = square(sums[at]);
        }
    }
    is_whole.then_some(sums)
}
