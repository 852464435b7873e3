//! The yearbook (年鉴): the tables of one year as they are published, with canonical bytes that name them.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::cell::{Amounts, Cell, Cells, MEASURES, Subject, Table};
use super::suppress::{SMALL, suppressed};
use crate::Digest32;

/// Stands before the bytes of a yearbook.
const CONTEXT: &[u8] = b"creditbank/yearbook/v1\n";
/// Most rows of a yearbook.
pub const ROWS_MAX: u32 = 1 << 20;

/// A row of a yearbook: a cell with its figures, or none where they are suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The cell.
    pub cell: Cell,
    /// Its figures.
    pub amounts: Option<Amounts>,
}

/// Days from application to decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionDays {
    /// Half of the decisions took no longer.
    pub median: u32,
    /// Nine of ten took no longer.
    pub p90: u32,
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
    /// Days of decisions; none where they are suppressed.
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
            let tables: Cells = tables.map(|(cell, amounts)| (*cell, *amounts)).collect();
            let Some(hidden) = suppressed(year, subject, &tables) else {
                continue;
            };
            let shown = tables.iter().filter(|(cell, _)| !hidden.contains(cell));
            rows.extend(shown.map(|(cell, amounts)| Row {
                cell: *cell,
                amounts: Some(*amounts),
            }));
            rows.extend(hidden.iter().map(|cell| Row {
                cell: *cell,
                amounts: None,
            }));
            let total = rows.iter().find(|row| row.cell.subject == subject);
            let is_told = total.is_some_and(|row| row.cell.table == Table::Total);
            if subject == Subject::Recognition && is_told {
                let decisions = of_subject().filter(|(cell, _)| cell.table == Table::Days);
                days = decision_days(decisions.map(|(cell, amounts)| (cell.a, amounts[2])));
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

    /// What names it: SHA-256 of its canonical bytes.
    #[must_use]
    pub fn hash(&self) -> Digest32 {
        Sha256::digest(self.encode()).into()
    }

    /// Canonical bytes: integers big-endian, texts behind a u16 length. Origin, u16 year, u64 size, 32 root; source, dated,
    /// u32 count of u32 district and u64 residents; u8 whether days follow, u32 median, u32 p90; u32 count of rows of 12
    /// bytes of the cell, u8 whether figures follow, five i64.
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
        out.push(self.days.is_some().into());
        for days in self.days.iter().flat_map(|days| [days.median, days.p90]) {
            out.extend_from_slice(&days.to_be_bytes());
        }
        put_count(&mut out, self.rows.len());
        for row in &self.rows {
            out.extend_from_slice(&row.cell.encode());
            out.push(row.amounts.is_some().into());
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
        let mut days = None;
        if input.flag()? {
            days = Some(DecisionDays {
                median: u32::from_be_bytes(input.array()?),
                p90: u32::from_be_bytes(input.array()?),
            });
        }
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

/// Median and ninth decile by nearest rank, of days with their counts in ascending order.
fn decision_days(counts: impl Iterator<Item = (u32, i64)>) -> Option<DecisionDays> {
    let counts: Vec<(u32, i64)> = counts.collect();
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    if all < SMALL {
        return None;
    }
    let at = |rank: i64| {
        let mut sum = 0;
        let reached = counts.iter().find(|(_, count)| {
            sum += count;
            sum >= rank
        });
        reached.map_or(0, |(days, _)| *days)
    };
    Some(DecisionDays {
        median: at((all + 1) / 2),
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

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn row(&mut self) -> Option<Row> {
        let cell = Cell::decode(&self.array::<12>()?)?;
        let mut amounts = None;
        if self.flag()? {
            let mut read = [0; MEASURES];
            for amount in &mut read {
                *amount = i64::from_be_bytes(self.array()?);
            }
            amounts = Some(read);
        }
        Some(Row { cell, amounts })
    }
}
