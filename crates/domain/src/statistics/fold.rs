//! What one archive adds to the figures of a bank, as of a size of the log.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use jiff::civil::Date;

use super::cell::{Cell, Cells, MEASURES, Subject, Sums, Table, square};
use super::person::Person;
use crate::{Category, LeafIndex};

/// One archive, as far as figures need it: all its codes, also those that were merged into it later.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Codes of the archive, and who each was enrolled as.
    pub codes: Vec<(u64, Person)>,
    /// How the codes became one archive, in the order of the log.
    pub merges: Vec<Merged>,
    /// Its records that count, in any order.
    pub facts: Vec<Fact>,
}

/// Two archives became one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The record that says so.
    pub leaf: LeafIndex,
    /// The code that is another name from then on.
    pub gone: u64,
    /// The code that the archive goes by.
    pub kept: u64,
}

/// One record that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its leaf.
    pub leaf: LeafIndex,
    /// The leaf from which on it does not hold any more.
    pub ended: Option<LeafIndex>,
    /// The code that it was deposited under.
    pub code: u64,
    /// The day it counts on.
    pub on: Date,
    /// What it says.
    pub content: Content,
}

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// An outcome.
    Learnt {
        /// Its category.
        category: Category,
        /// Number of the institution.
        institution: u32,
        /// District of the institution; 0 for none.
        district: u32,
        /// Hundredths of hours.
        hours: u32,
        /// Hundredths of credits.
        credits: u32,
        /// Whether it was completed: passed, or with nothing that could fail.
        is_passed: bool,
    },
    /// An application.
    Applied,
    /// A decision that stands.
    Decided {
        /// Days since the application.
        days: u16,
        /// Whether it grants anything: a conversion.
        is_granted: bool,
    },
    /// An appeal.
    Appealed,
    /// Points that moved.
    Points {
        /// Earned.
        earned: u32,
        /// Redeemed.
        redeemed: u32,
        /// Expired or taken back.
        ended: u32,
    },
}

/// What an archive adds to the figures of a log of `size` leaves.
#[must_use]
pub fn figures(history: &History, size: u64) -> Cells {
    let mut cells = Cells::default();
    let is_before = |leaf: LeafIndex| leaf.0 < size;
    let survivor = |mut code: u64| {
        for merged in history.merges.iter().filter(|it| is_before(it.leaf)) {
            if merged.gone == code {
                code = merged.kept;
            }
        }
        code
    };
    for (code, person) in &history.codes {
        if survivor(*code) != *code {
            continue;
        }
        let counted = |fact: &&Fact| {
            is_before(fact.leaf)
                && !fact.ended.is_some_and(is_before)
                && survivor(fact.code) == *code
        };
        let facts: Vec<&Fact> = history.facts.iter().filter(counted).collect();
        add_learner(&mut cells, *person, &facts);
    }
    cells
}

/// Adds one learner: in every cell the learner is counted once, and each record with what it brings.
fn add_learner(cells: &mut Cells, person: Person, facts: &[&Fact]) {
    let learnt = facts.iter().filter(|it| it.subject() == Subject::Learning);
    let first_year = learnt.map(|it| it.on.year()).min();
    let mut own: HashMap<Cell, Sums, RandomState> = HashMap::default();
    for fact in facts {
        let figures = fact.figures();
        for cell in fact.cells(person, first_year) {
            let sums = own.entry(cell).or_default();
            for (sum, more) in sums.iter_mut().zip(figures) {
                *sum += more;
            }
        }
    }
    for (cell, mut sums) in own {
        sums[0] = 1;
        sums[MEASURES] = i64::from(sums[MEASURES] > 0);
        for at in 1..MEASURES {
            sums[MEASURES + at] = i64::from(sums[at] > 0);
            sums[2 * MEASURES + at] = square(sums[at]);
        }
        cells.add(cell, &sums);
    }
}

impl Fact {
    const fn subject(&self) -> Subject {
        match self.content {
            Content::Learnt { .. } => Subject::Learning,
            Content::Applied | Content::Decided { .. } | Content::Appealed => Subject::Recognition,
            Content::Points { .. } => Subject::Points,
        }
    }

    /// What it brings to a cell, learners apart; in the place of those behind the remainder, what it brings to that.
    fn figures(&self) -> Sums {
        let (figures, rest): ([i64; MEASURES], bool) = match self.content {
            Content::Learnt {
                hours,
                credits,
                is_passed,
                ..
            } => (
                [0, 1, is_passed.into(), hours.into(), credits.into()],
                !is_passed,
            ),
            Content::Applied => ([0, 1, 0, 0, 0], false),
            Content::Decided { is_granted, .. } => ([0, 0, 1, is_granted.into(), 0], !is_granted),
            Content::Appealed => ([0, 0, 0, 0, 1], false),
            Content::Points {
                earned,
                redeemed,
                ended,
            } => ([0, 1, earned.into(), redeemed.into(), ended.into()], false),
        };
        let mut sums = Sums::default();
        sums[..MEASURES].copy_from_slice(&figures);
        sums[MEASURES] = rest.into();
        sums
    }

    /// The cells that it counts in.
    fn cells(&self, person: Person, first_year: Option<i16>) -> impl Iterator<Item = Cell> {
        let (subject, year) = (self.subject(), self.on.year());
        let days = match self.content {
            Content::Decided { days, .. } => Some((Table::Days, u32::from(days), 0)),
            _ => None,
        };
        let tables = subject.tables().iter();
        let values = tables.filter_map(move |table| {
            let (a, b) = self.values(*table, person, first_year)?;
            Some((*table, a, b))
        });
        values.chain(days).map(move |(table, a, b)| Cell {
            year: year.unsigned_abs(),
            subject,
            table,
            a,
            b,
        })
    }

    fn values(&self, table: Table, person: Person, first_year: Option<i16>) -> Option<(u32, u32)> {
        let year = self.on.year();
        let month = u32::from(self.on.month().unsigned_abs());
        let (age, sex) = (person.band_in(year) as u32, person.sex as u32);
        match table {
            Table::Total => return Some((0, 0)),
            Table::Month => return Some((month, 0)),
            Table::Age => return Some((age, 0)),
            Table::Sex => return Some((sex, 0)),
            _ => {}
        }
        let Content::Learnt {
            category,
            institution,
            district,
            ..
        } = self.content
        else {
            return None;
        };
        let category = category as u32;
        Some(match table {
            Table::Category => (category, 0),
            Table::District => (district, 0),
            Table::Institution => (district, institution),
            Table::Tenure => (if first_year == Some(year) { 1 } else { 2 }, 0),
            Table::MonthCategory => (month, category),
            Table::CategoryDistrict => (category, district),
            Table::CategoryAge => (category, age),
            Table::AgeSex => (age, sex),
            _ => return None,
        })
    }
}
