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

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{Cell, Cells, Dimension, Subject, Table};

/// Learners from which on a cell is published.
pub const SMALL: i64 = 5;

/// Values of a dimension with their learners.
type Values = BTreeMap<u32, i64>;

/// The cells of one subject in one year that are not published; none if nothing of it can be. `cells` holds nothing else.
#[must_use]
pub fn suppressed(year: u16, subject: Subject, cells: &Cells) -> Option<BTreeSet<Cell>> {
    let tables = Tables {
        year,
        subject,
        cells,
    };
    let total = tables.learners(Table::Total, 0, 0);
    if (1..SMALL).contains(&total) {
        return None;
    }
    let (mut hidden, districts) = tables.institutions();
    let mut companions: BTreeMap<Dimension, BTreeSet<u32>> = BTreeMap::new();
    for (table, dimension) in tables.margins() {
        let none = BTreeSet::new();
        let forced = match dimension {
            Dimension::District => &districts,
            _ => &none,
        };
        let covered = cover(&tables.values(table), forced)?;
        hidden.extend(covered.iter().map(|value| tables.cell(table, *value, 0)));
        companions.insert(dimension, covered);
    }
    for table in subject.tables() {
        match *table {
            Table::Institution => {
                let gone = &companions[&Dimension::District];
                hidden.extend(tables.of(*table).filter(|cell| gone.contains(&cell.a)));
            }
            table if table.dimensions().len() == 2 => {
                hidden.extend(tables.inside(table, &companions));
            }
            _ => {}
        }
    }
    Some(hidden)
}

/// The values that are suppressed for the sake of small and `forced` ones; none if they cannot be covered.
fn cover(values: &Values, forced: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
    let is_small = |value: &u32, learners: i64| learners < SMALL || forced.contains(value);
    let small: Vec<(u32, i64)> = values
        .iter()
        .filter(|(value, learners)| is_small(value, **learners))
        .map(|(value, learners)| (*value, *learners))
        .collect();
    let mut covered: BTreeSet<u32> = small.iter().map(|(value, _)| *value).collect();
    let mut room: i64 = small.iter().map(|(_, learners)| learners - 1).sum();
    let mut others: Vec<(i64, u32)> = values
        .iter()
        .filter(|(value, learners)| !is_small(value, **learners))
        .map(|(value, learners)| (*learners, *value))
        .collect();
    others.sort_unstable();
    let mut others = others.into_iter();
    let lacks_room = |room: i64| {
        small
            .iter()
            .any(|(_, learners)| room - (learners - 1) < SMALL - 1)
    };
    while lacks_room(room) {
        let (learners, value) = others.next()?;
        covered.insert(value);
        room += learners - 1;
    }
    Some(covered)
}

/// The tables of one subject in one year.
struct Tables<'a> {
    year: u16,
    subject: Subject,
    cells: &'a Cells,
}

impl Tables<'_> {
    const fn cell(&self, table: Table, a: u32, b: u32) -> Cell {
        Cell {
            year: self.year,
            subject: self.subject,
            table,
            a,
            b,
        }
    }

    fn learners(&self, table: Table, a: u32, b: u32) -> i64 {
        self.cells.amounts(&self.cell(table, a, b))[0]
    }

    /// Cells of a table with learners.
    fn of(&self, table: Table) -> impl Iterator<Item = Cell> {
        let cells = self.cells.iter().map(|(cell, _)| *cell);
        cells.filter(move |cell| cell.table == table)
    }

    /// Tables of one dimension.
    fn margins(&self) -> impl Iterator<Item = (Table, Dimension)> {
        let tables = self.subject.tables().iter();
        tables.filter_map(|table| match table.dimensions() {
            [dimension] => Some((*table, *dimension)),
            _ => None,
        })
    }

    fn values(&self, table: Table) -> Values {
        self.of(table)
            .map(|cell| (cell.a, self.learners(table, cell.a, 0)))
            .collect()
    }

    /// Suppressed institutions of districts that cover them, and the districts that do not.
    fn institutions(&self) -> (BTreeSet<Cell>, BTreeSet<u32>) {
        let mut lines: BTreeMap<u32, Values> = BTreeMap::new();
        for cell in self.of(Table::Institution) {
            let learners = self.learners(cell.table, cell.a, cell.b);
            lines.entry(cell.a).or_default().insert(cell.b, learners);
        }
        let (mut hidden, mut uncovered) = (BTreeSet::new(), BTreeSet::new());
        for (district, line) in lines {
            match cover(&line, &BTreeSet::new()) {
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

    /// Suppressed cells of a table with two dimensions.
    fn inside(
        &self,
        table: Table,
        companions: &BTreeMap<Dimension, BTreeSet<u32>>,
    ) -> BTreeSet<Cell> {
        let [rows, columns] = [0, 1].map(|side| {
            let dimension = table.dimensions()[side];
            let margin = self.margins().find(|(_, it)| *it == dimension);
            let values = margin.map(|(margin, _)| self.values(margin));
            (values.unwrap_or_default(), &companions[&dimension])
        });
        let mut hidden = BTreeSet::new();
        for row in rows.0.keys() {
            for column in columns.0.keys() {
                if rows.1.contains(row) || columns.1.contains(column) {
                    hidden.insert(self.cell(table, *row, *column));
                }
            }
        }
        let small: Vec<Cell> = self
            .of(table)
            .filter(|cell| self.learners(table, cell.a, cell.b) < SMALL && !hidden.contains(cell))
            .collect();
        for cell in small {
            match self.rectangle(cell, &rows.0, &columns.0, &hidden) {
                Some(corners) => hidden.extend(corners),
                // Learners of several cells of a line can only be more than those of the line, so this does not happen.
                None => hidden.extend(self.of(table)),
            }
        }
        hidden
    }

    /// The four corners that cover a cell: those that let it grow most, of these the fewest that were published.
    fn rectangle(
        &self,
        cell: Cell,
        rows: &Values,
        columns: &Values,
        hidden: &BTreeSet<Cell>,
    ) -> Option<[Cell; 4]> {
        let (table, own) = (cell.table, self.learners(cell.table, cell.a, cell.b));
        let mut best: Option<((i64, usize, i64), [Cell; 4])> = None;
        for row in rows.keys().filter(|row| **row != cell.a) {
            for column in columns.keys().filter(|column| **column != cell.b) {
                let beside = self.cell(table, cell.a, *column);
                let below = self.cell(table, *row, cell.b);
                let opposite = self.cell(table, *row, *column);
                let learners = |cell: &Cell| self.learners(table, cell.a, cell.b);
                let grows = learners(&beside).min(learners(&below)).min(SMALL - own);
                if grows < 1 {
                    continue;
                }
                let corners = [cell, beside, below, opposite];
                let published = corners.iter().filter(|cell| !hidden.contains(cell));
                let cost = published.clone().map(learners).sum();
                let rank = (-grows, published.count(), cost);
                if best.is_none_or(|(known, _)| rank < known) {
                    best = Some((rank, corners));
                }
            }
        }
        best.map(|(_, corners)| corners)
    }
}
