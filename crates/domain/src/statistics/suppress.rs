//! Suppression (小格抑制): which cells of a year's tables are not published, so that nobody is found in the others.
//!
//! A cell with fewer than [`SMALL`] learners is suppressed, and with it as many others as it takes that the sums of the
//! tables do not give it away. For every suppressed small cell there is a proof: a change of suppressed cells alone that
//! leaves every published sum as it is and brings the cell to another count.
//!
//! - **A small value of a dimension** (five learners of one category) goes with companions. All rows of these values are
//!   suppressed in every table of the dimension, zeros too, so that learners could have been counted under a companion
//!   instead: the sum of the dimension and all columns stay. Companions are enough when the value could have been
//!   [`SMALL`] and each of them still be one.
//! - **A small cell inside a table**, of a row and a column that are published, goes with a rectangle: one more in the cell
//!   and in the corner opposite, one less in the two others. All rows and columns stay, and tables share nothing else.
//! - **Institutions** are lines of their districts. Where those of a district do not cover each other, the district is
//!   treated like a small one.
//!
//! Where the values of a dimension cannot cover each other, nothing of the subject is published, the total included.
//!
//! **A single figure** of a cell that is published can rest on fewer learners than the cell: one appeal among thirty
//! applicants, or one outcome that was not completed. It is suppressed alone, by the same rules with the learners behind it
//! in the place of all, and so is one of which one learner has most. But where nobody is behind the figure, nobody could be
//! moved to: a rectangle has such learners in all corners, and a table is without the figure where there is no such
//! rectangle, or where a value of its dimensions is without it.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{Cell, Cells, Dimension, MEASURES, Subject, Table, is_dominated};
use super::grid::{Grid, Square};

/// Learners from which on a cell is published.
pub const SMALL: i64 = 5;

/// Which figures of a cell are not published.
pub type Hidden = [bool; MEASURES];

/// Values of a dimension with their learners, and whether those are to be protected.
type Values = BTreeMap<u32, (i64, bool)>;

/// The figures of one subject in one year that are not published; none if nothing of it can be. `cells` holds nothing else.
#[must_use]
pub fn suppressed(year: u16, subject: Subject, cells: &Cells) -> Option<BTreeMap<Cell, Hidden>> {
    let tables = |counts: &'static [usize]| Tables {
        year,
        subject,
        cells,
        counts,
        of: None,
    };
    let whole = tables(&[0]).whole()?;
    let mut hidden: BTreeMap<Cell, Hidden> = BTreeMap::new();
    for (measure, counts) in behind(subject) {
        let tables = Tables {
            of: Some((*measure, &whole)),
            ..tables(counts)
        };
        for cell in tables.figure(&whole) {
            hidden.entry(cell).or_default()[*measure] = true;
        }
    }
    hidden.extend(
        whole
            .hidden
            .into_iter()
            .map(|cell| (cell, [true; MEASURES])),
    );
    Some(hidden)
}

/// Figures that may rest on fewer learners than their cell: which, and where [`Sums`](super::Sums) count those. With two
/// counts the first is protected in tables that have both.
const fn behind(subject: Subject) -> &'static [(usize, &'static [usize])] {
    match subject {
        Subject::Learning => &[(1, &[6]), (2, &[7, 5]), (2, &[5, 7]), (3, &[8]), (4, &[9])],
        Subject::Recognition => &[(1, &[6]), (2, &[7]), (3, &[8, 5]), (3, &[5, 8]), (4, &[9])],
        Subject::Points => &[(1, &[6]), (2, &[7]), (3, &[8]), (4, &[9])],
    }
}

/// The values that are suppressed for the sake of small and `forced` ones, beside those that are `gone` already; none if
/// they cannot be covered.
fn cover(values: &Values, forced: &BTreeSet<u32>, gone: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
    let (mut small, mut others, mut room) = (Vec::new(), Vec::new(), 0);
    for (value, (learners, is_small)) in values {
        if gone.contains(value) {
            room += learners - 1;
        } else if *is_small || forced.contains(value) {
            room += learners - 1;
            small.push((*learners, *value));
        } else {
            others.push((*learners, *value));
        }
    }
    let mut covered: BTreeSet<u32> = small.iter().map(|(_, value)| *value).collect();
    others.sort_unstable();
    let mut others = others.into_iter();
    let lacks_room = |room: i64| {
        small
            .iter()
            .any(|(learners, _)| room - (learners - 1) < SMALL - 1)
    };
    while lacks_room(room) {
        let (learners, value) = others.next()?;
        covered.insert(value);
        room += learners - 1;
    }
    Some(covered)
}

/// Suppressed values by dimension.
type Companions = BTreeMap<Dimension, BTreeSet<u32>>;

/// Of what nothing is published.
struct Whole {
    hidden: BTreeSet<Cell>,
    companions: Companions,
}

/// The tables of one subject in one year, as far as some learners are in them.
struct Tables<'a> {
    year: u16,
    subject: Subject,
    cells: &'a Cells,
    /// Where the learners are counted that are to be protected, and whoever else must be in a corner of a rectangle.
    counts: &'static [usize],
    /// The figure that they are behind, and what is not published anyhow; none for all of a cell.
    of: Option<(usize, &'a Whole)>,
}

impl Tables<'_> {
    /// Cells of which nothing is published; none if nothing of the subject can be.
    fn whole(&self) -> Option<Whole> {
        let (mut hidden, companions) = self.values_hidden()?;
        for table in self.subject.tables() {
            if *table != Table::Institution && table.dimensions().len() == 2 {
                hidden.extend(self.inside(*table, &companions));
            }
        }
        Some(Whole { hidden, companions })
    }

    /// Cells of which a figure is not published, beside those of which nothing is. A value that is gone needs no cover: who
    /// is counted there could have been counted under another that is gone, figures and all. In a rectangle that does not
    /// hold, since those in the other corners may have nothing of the figure.
    fn figure(&self, whole: &Whole) -> BTreeSet<Cell> {
        let Some((mut hidden, companions)) = self.values_hidden() else {
            return self.cells.iter().map(|(cell, _)| *cell).collect();
        };
        for table in self.subject.tables() {
            let [first, second] = *table.dimensions() else {
                continue;
            };
            if *table == Table::Institution {
                continue;
            }
            let is_whole = companions[&first].is_empty() && companions[&second].is_empty();
            let gone = match self.is_of_all() {
                true => whole.hidden.clone(),
                false => self.lines(*table, &whole.companions),
            };
            let covered = is_whole.then(|| self.rectangles(*table, &gone));
            let all = || self.all_of(*table).collect();
            hidden.extend(covered.flatten().unwrap_or_else(all));
        }
        hidden
    }

    /// Whether every learner of a cell is behind the figure: then few are only where nothing is published.
    fn is_of_all(&self) -> bool {
        self.of.is_some_and(|(measure, _)| measure == 1) && self.subject != Subject::Recognition
    }

    const fn cell(&self, table: Table, a: u32, b: u32) -> Cell {
        Cell {
            year: self.year,
            subject: self.subject,
            table,
            a,
            b,
        }
    }

    /// Cells of a table.
    fn all_of(&self, table: Table) -> impl Iterator<Item = Cell> {
        let cells = self.cells.iter().map(|(cell, _)| *cell);
        cells.filter(move |cell| cell.table == table)
    }

    /// Cells of a table with such learners.
    fn of(&self, table: Table) -> impl Iterator<Item = Cell> {
        let is_there = |cell: &Cell| self.cells.sums(cell)[self.counts[0]] > 0;
        self.all_of(table).filter(is_there)
    }

    /// Tables of one dimension.
    fn margins(&self) -> impl Iterator<Item = (Table, Dimension)> {
        let tables = self.subject.tables().iter();
        tables.filter_map(|table| match table.dimensions() {
            [dimension] => Some((*table, *dimension)),
            _ => None,
        })
    }

    /// Whether the learners of a cell are few, or one of them has most of the figure.
    fn is_small(&self, cell: &Cell) -> bool {
        let sums = self.cells.sums(cell);
        let learners = sums[self.counts[0]];
        let is_few = learners < SMALL && !self.is_of_all();
        let is_dominated = self
            .of
            .is_some_and(|(measure, _)| is_dominated(&sums, measure));
        learners > 0 && (is_few || is_dominated)
    }

    /// What a value of a dimension is worth as a cover.
    fn worth(&self, cell: &Cell) -> (i64, bool) {
        (self.cells.sums(cell)[self.counts[0]], self.is_small(cell))
    }

    fn values(&self, table: Table) -> Values {
        let cells = self.of(table);
        cells.map(|cell| (cell.a, self.worth(&cell))).collect()
    }

    /// Suppressed values of all dimensions and institutions; none where the values of one cannot cover each other.
    fn values_hidden(&self) -> Option<(BTreeSet<Cell>, Companions)> {
        if self.is_small(&self.cell(Table::Total, 0, 0)) {
            return None;
        }
        let (mut hidden, districts) = self.institutions();
        let mut companions = Companions::new();
        for (table, dimension) in self.margins() {
            let none = BTreeSet::new();
            let forced = match dimension {
                Dimension::District => &districts,
                _ => &none,
            };
            let gone = self.of.map(|(_, whole)| &whole.companions[&dimension]);
            let covered = cover(&self.values(table), forced, gone.unwrap_or(&none))?;
            hidden.extend(covered.iter().map(|value| self.cell(table, *value, 0)));
            companions.insert(dimension, covered);
        }
        if let Some(gone) = companions.get(&Dimension::District) {
            let lines = self.of(Table::Institution);
            hidden.extend(lines.filter(|cell| gone.contains(&cell.a)));
        }
        Some((hidden, companions))
    }

    /// Suppressed institutions of districts that cover them, and the districts that do not.
    fn institutions(&self) -> (BTreeSet<Cell>, BTreeSet<u32>) {
        let mut lines: BTreeMap<u32, Values> = BTreeMap::new();
        for cell in self.of(Table::Institution) {
            let line = lines.entry(cell.a).or_default();
            line.insert(cell.b, self.worth(&cell));
        }
        let (mut hidden, mut uncovered) = (BTreeSet::new(), BTreeSet::new());
        for (district, line) in lines {
            let is_gone = |number: &&u32| {
                let cell = self.cell(Table::Institution, district, **number);
                self.of
                    .is_some_and(|(_, whole)| whole.hidden.contains(&cell))
            };
            let gone = line.keys().filter(is_gone).copied().collect();
            match cover(&line, &BTreeSet::new(), &gone) {
                Some(covered) => hidden.extend(
                    covered
                        .into_iter()
                        .map(|number| self.cell(Table::Institution, district, number)),
                ),
                None => drop(uncovered.insert(district)),
            }
        }
        (hidden, uncovered)
    }

    /// The values of both dimensions of a table.
    fn sides(&self, table: Table) -> [Values; 2] {
        [0, 1].map(|side| {
            let dimension = table.dimensions()[side];
            let margin = self.margins().find(|(_, it)| *it == dimension);
            let values = margin.map(|(margin, _)| self.values(margin));
            values.unwrap_or_default()
        })
    }

    /// Cells of suppressed values in a table with two dimensions, zeros too.
    fn lines(&self, table: Table, companions: &Companions) -> BTreeSet<Cell> {
        let [rows, columns] = self.sides(table);
        let is_gone = |side: usize, value| companions[&table.dimensions()[side]].contains(value);
        let mut hidden = BTreeSet::new();
        for row in rows.keys() {
            for column in columns.keys() {
                if is_gone(0, row) || is_gone(1, column) {
                    hidden.insert(self.cell(table, *row, *column));
                }
            }
        }
        hidden
    }

    /// Suppressed cells of a table with two dimensions.
    fn inside(&self, table: Table, companions: &Companions) -> BTreeSet<Cell> {
        let mut hidden = self.lines(table, companions);
        match self.rectangles(table, &hidden) {
            Some(covered) => hidden.extend(covered),
            // Learners of several cells of a line can only be more than those of the line, so this does not happen.
            None => hidden.extend(self.all_of(table)),
        }
        hidden
    }

    /// Small cells of a table that are not `gone`, with corners that cover them; none where there are no such corners.
    fn rectangles(&self, table: Table, gone: &BTreeSet<Cell>) -> Option<BTreeSet<Cell>> {
        let [mut rows, mut columns] = self.sides(table).map(|values| {
            let values = values.into_keys();
            values.collect::<BTreeSet<u32>>()
        });
        for cell in self.of(table) {
            rows.insert(cell.a);
            columns.insert(cell.b);
        }
        let cells = rows.iter().flat_map(|a| columns.iter().map(|b| (*a, *b)));
        let cells: Vec<Cell> = cells.map(|(a, b)| self.cell(table, a, b)).collect();
        let squares = cells.iter().map(|cell| {
            let sums = self.cells.sums(cell);
            Square {
                learners: sums[self.counts[0]],
                is_small: self.is_small(cell),
                // Whole learners can be in any cell.
                can_move: self.counts == [0] || self.counts.iter().all(|at| sums[*at] > 0),
                is_gone: gone.contains(cell),
            }
        });
        let covered = Grid::new(squares.collect(), columns.len()).covered()?;
        Some(covered.into_iter().map(|at| cells[at]).collect())
    }
}
