//! The yearbook (年鉴): the tables of one year as they are published, with canonical bytes that name them.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::cell::{Cell, Cells, MEASURES, Subject, Table};
use super::suppress::{SMALL, suppressed};
use crate::Digest32;

/// Stands before the bytes of a yearbook.
const CONTEXT: &[u8] = b"creditbank/yearbook/v1\n";
/// Most rows of a yearbook.
pub const ROWS_MAX: u32 = 1 << 20;

/// A row of a yearbook: a cell with its figures, each none where it is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The cell.
    pub cell: Cell,
    /// Its figures.
    pub amounts: [Option<i64>; MEASURES],
}

impl Row {
    /// Whether nothing of it is published.
    #[must_use]
    pub fn is_suppressed(&self) -> bool {
        self.amounts.iter().all(Option::is_none)
    }
}

/// Days from application to decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionDays {
    /// Half of the decisions took no longer.
    pub median: u32,
    /// Nine of ten took no longer; none where too few decisions took longer.
    pub p90: Option<u32>,
}

/// Residents, to hold learners against: a table that somebody published, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// What it is and whose, as it is to be printed.
    pub source: String,
    /// The day that it is about, as it is to be printed.
    pub dated: String,
    /// Residents by district code; 0 for all of the region.
    pub residents: BTreeMap<u32, u64>,
}

impl Population {
    /// Learners in ten thousand residents (参与率); none where no residents are known.
    #[must_use]
    pub fn rate(&self, district: u32, learners: i64) -> Option<u64> {
        let residents = self.residents.get(&district).filter(|it| **it > 0)?;
        let learners = u64::try_from(learners).ok()?;
        learners.checked_mul(10_000)?.checked_div(*residents)
    }
}

/// Participation in a district.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Participation {
    /// Its code; 0 for the whole region.
    pub district: u32,
    /// None where they are suppressed.
    pub learners: Option<i64>,
    /// Residents.
    pub residents: u64,
    /// Learners in ten thousand residents.
    pub rate: Option<u64>,
}

/// One year, as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yearbook {
    /// The log's name.
    pub origin: String,
    /// The year.
    pub year: u16,
    /// Leaves of the log that it was made from.
    pub size: u64,
    /// The root of the log at that size.
    pub root: Digest32,
    /// Residents.
    pub population: Population,
    /// Days of decisions; none where there are too few.
    pub days: Option<DecisionDays>,
    /// The rows, by cell. A subject without rows has none, or has too few to be published.
    pub rows: Vec<Row>,
}

impl Yearbook {
    /// The tables of a year, without what would give somebody away. `cells` may hold other years too.
    #[must_use]
    pub fn new(
        (origin, year): (&str, u16),
        (size, root): (u64, Digest32),
        population: Population,
        cells: &Cells,
    ) -> Self {
        let mut rows = Vec::new();
        let mut days = None;
        for subject in Subject::ALL {
            let is_here = |cell: &&Cell| cell.year == year && cell.subject == subject;
            let of_subject = || cells.iter().filter(|(cell, _)| is_here(cell));
            let tables = of_subject().filter(|(cell, _)| cell.table != Table::Days);
            let tables: Cells = tables.map(|(cell, sums)| (*cell, *sums)).collect();
            let Some(hidden) = suppressed(year, subject, &tables) else {
                continue;
            };
            let named = tables.iter().map(|(cell, _)| *cell);
            let named: BTreeSet<Cell> = named.chain(hidden.keys().copied()).collect();
            rows.extend(named.into_iter().map(|cell| {
                let (amounts, hidden) = (tables.amounts(&cell), hidden.get(&cell));
                let is_shown = |at: usize| hidden.is_none_or(|hidden| !hidden[at]);
                let amounts = std::array::from_fn(|at| is_shown(at).then_some(amounts[at]));
                Row { cell, amounts }
            }));
            if subject == Subject::Recognition {
                let decisions = of_subject().filter(|(cell, _)| cell.table == Table::Days);
                days = decision_days(
                    behind_decisions(year, &tables),
                    decisions.map(|(cell, sums)| (cell.a, sums[DECISIONS])),
                );
            }
        }
        rows.sort_unstable_by_key(|row| row.cell);
        Self {
            origin: origin.to_owned(),
            year,
            size,
            root,
            population,
            days,
            rows,
        }
    }

    /// The rows of a table, in order.
    pub fn table(&self, subject: Subject, table: Table) -> impl Iterator<Item = &Row> {
        let is_of = move |row: &&Row| row.cell.subject == subject && row.cell.table == table;
        self.rows.iter().filter(is_of)
    }

    /// Participation in the whole region and in the districts whose residents are known.
    #[must_use]
    pub fn participation(&self) -> Vec<Participation> {
        let residents = self.population.residents.iter();
        let row = |(district, residents): (&u32, &u64)| {
            let table = match district {
                0 => Table::Total,
                _ => Table::District,
            };
            let mut rows = self.table(Subject::Learning, table);
            let found = rows.find(|row| row.cell.a == *district)?;
            let learners = found.amounts[0];
            Some(Participation {
                district: *district,
                learners,
                residents: *residents,
                rate: learners.and_then(|learners| self.population.rate(*district, learners)),
            })
        };
        residents.filter_map(row).collect()
    }

    /// What names it: SHA-256 of its canonical bytes.
    #[must_use]
    pub fn hash(&self) -> Digest32 {
        Sha256::digest(self.encode()).into()
    }

    /// Canonical bytes: integers big-endian, texts behind a u16 length. Origin, u16 year, u64 size, 32 root; source, dated,
    /// u32 count of u32 district and u64 residents; u8 how many of u32 median and u32 p90 follow; u32 count of rows of 12
    /// bytes of the cell, u8 with a bit for each figure that follows, the first in the lowest, and these as i64.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.rows.len() * 53);
        out.extend_from_slice(CONTEXT);
        put_text(&mut out, &self.origin);
        out.extend_from_slice(&self.year.to_be_bytes());
        out.extend_from_slice(&self.size.to_be_bytes());
        out.extend_from_slice(&self.root);
        put_text(&mut out, &self.population.source);
        put_text(&mut out, &self.population.dated);
        put_count(&mut out, self.population.residents.len());
        for (district, residents) in &self.population.residents {
            out.extend_from_slice(&district.to_be_bytes());
            out.extend_from_slice(&residents.to_be_bytes());
        }
        let days = self.days.iter();
        let days: Vec<u32> = days
            .flat_map(|it| [Some(it.median), it.p90])
            .flatten()
            .collect();
        out.push(days.len() as u8);
        for days in days {
            out.extend_from_slice(&days.to_be_bytes());
        }
        put_count(&mut out, self.rows.len());
        for row in &self.rows {
            out.extend_from_slice(&row.cell.encode());
            let shown = row.amounts.iter().enumerate();
            out.push(shown.fold(0, |bits, (at, it)| bits | u8::from(it.is_some()) << at));
            for amount in row.amounts.iter().flatten() {
                out.extend_from_slice(&amount.to_be_bytes());
            }
        }
        out
    }

    /// Reads canonical bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes.strip_prefix(CONTEXT)?);
        let origin = input.text()?;
        let (year, size, root) = (
            u16::from_be_bytes(input.array()?),
            u64::from_be_bytes(input.array()?),
            input.array()?,
        );
        let mut population = Population {
            source: input.text()?,
            dated: input.text()?,
            residents: BTreeMap::new(),
        };
        for _ in 0..input.count()? {
            let district = u32::from_be_bytes(input.array()?);
            let residents = u64::from_be_bytes(input.array()?);
            population.residents.insert(district, residents);
        }
        let days = match input.array()? {
            [0] => None,
            [which @ 1..=2] => Some(DecisionDays {
                median: u32::from_be_bytes(input.array()?),
                p90: match which {
                    1 => None,
                    _ => Some(u32::from_be_bytes(input.array()?)),
                },
            }),
            _ => return None,
        };
        let rows = (0..input.count()?).map(|_| input.row());
        let rows = rows.collect::<Option<Vec<_>>>()?;
        let yearbook = Self {
            origin,
            year,
            size,
            root,
            population,
            days,
            rows,
        };
        // One yearbook has one spelling.
        (input.0.is_empty() && yearbook.encode() == bytes).then_some(yearbook)
    }
}

/// Where the decisions are among the figures of recognition.
const DECISIONS: usize = 2;

/// How many learners had a decision in a year.
fn behind_decisions(year: u16, tables: &Cells) -> i64 {
    let total = Cell {
        year,
        subject: Subject::Recognition,
        table: Table::Total,
        a: 0,
        b: 0,
    };
    tables.sums(&total)[MEASURES + DECISIONS]
}

/// Median and ninth decile by nearest rank, of days with their counts in ascending order. A rank is told when [`SMALL`]
/// decisions are on either side, itself included: the longest of a few would be somebody's own.
fn decision_days(learners: i64, counts: impl Iterator<Item = (u32, i64)>) -> Option<DecisionDays> {
    let counts: Vec<(u32, i64)> = counts.collect();
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let at = |rank: i64| {
        let is_among_others = learners >= SMALL && rank >= SMALL && all - rank + 1 >= SMALL;
        let mut sum = 0;
        let reached = counts.iter().find(|(_, count)| {
            sum += count;
            sum >= rank
        });
        reached.filter(|_| is_among_others).map(|(days, _)| *days)
    };
    Some(DecisionDays {
        median: at((all + 1) / 2)?,
        p90: at((all * 9 + 9) / 10),
    })
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let len =
        u16::try_from(text.len()).expect("texts of a yearbook are bounded where they come in");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("a yearbook has bounded tables");
    out.extend_from_slice(&count.to_be_bytes());
}

/// Bytes that are still to be read.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<String> {
        let len = u16::from_be_bytes(self.array()?);
        let (text, rest) = self.0.split_at_checked(len.into())?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn count(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.array()?)).filter(|count| *count <= ROWS_MAX)
    }

    fn row(&mut self) -> Option<Row> {
        let cell = Cell::decode(&self.array::<12>()?)?;
        let [shown] = self.array()?;
        let mut amounts = [None; MEASURES];
        for (at, amount) in amounts.iter_mut().enumerate() {
            if shown & 1 << at != 0 {
                *amount = Some(i64::from_be_bytes(self.array()?));
            }
        }
        Some(Row { cell, amounts })
    }
}
