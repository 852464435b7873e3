//! An attack on published tables: whoever knows a yearbook, and that its figures add up, bounds every suppressed cell by
//! linear programming. No small cell may come out.
#![expect(clippy::float_arithmetic, reason = "a solver works with it")]

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::statistics::{Cell, Cells, Dimension, Row, SMALL, Subject, Table, Yearbook};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use crate::fixture::{bank, cell, yearbook};

/// Sums that everybody knows to hold: a cell, and the cells that add up to it.
type Sums = Vec<(Cell, Vec<Cell>)>;

/// Every sum among the tables of learning that `may_add` lets stand.
fn sums(rows: &[Row], may_add: impl Fn(Dimension) -> bool) -> Sums {
    let total = cell(Subject::Learning, Table::Total, 0, 0);
    let mut sums: BTreeMap<(Table, Cell), Vec<Cell>> = BTreeMap::new();
    let mut add = |table, sum, part| sums.entry((table, sum)).or_default().push(part);
    let margin = |dimension: &Dimension, value| {
        let table = Table::ALL
            .into_iter()
            .find(|it| it.dimensions() == [*dimension]);
        table.map(|table| cell(Subject::Learning, table, value, 0))
    };
    for row in rows
        .iter()
        .filter(|row| row.cell.subject == Subject::Learning)
    {
        let part = row.cell;
        match part.table.dimensions() {
            [one] if may_add(*one) => add(part.table, total, part),
            [first, second] => {
                if may_add(*second) {
                    add(part.table, margin(first, part.a).unwrap(), part);
                }
                if let Some(column) = margin(second, part.b)
                    && may_add(*first)
                {
                    add(part.table, column, part);
                }
            }
            _ => {}
        }
    }
    sums.into_iter()
        .map(|((_, sum), parts)| (sum, parts))
        .collect()
}

/// The least and the most that a suppressed cell can hold of a measure.
fn bounds(rows: &[Row], sums: &Sums, measure: usize, target: Cell) -> (f64, f64) {
    let known: BTreeMap<Cell, Option<i64>> = rows
        .iter()
        .map(|row| (row.cell, row.amounts.map(|amounts| amounts[measure])))
        .collect();
    let solve = |direction| {
        let mut problem = Problem::new(direction);
        let variables: BTreeMap<Cell, Variable> = known
            .iter()
            .filter(|(_, amount)| amount.is_none())
            .map(|(cell, _)| {
                let weight = if *cell == target { 1.0 } else { 0.0 };
                (*cell, problem.add_var(weight, (0.0, 1e6)))
            })
            .collect();
        for (sum, parts) in sums {
            let mut terms = BTreeMap::new();
            let mut constant = 0;
            for (cell, factor) in parts.iter().map(|part| (part, 1)).chain([(sum, -1)]) {
                match known.get(cell).copied().flatten() {
                    Some(amount) => constant += factor * amount,
                    // A sum that is not in the tables is zero.
                    None => {
                        if let Some(variable) = variables.get(cell) {
                            terms.insert(*cell, (*variable, f64::from(factor as i32)));
                        }
                    }
                }
            }
            let terms: Vec<_> = terms.into_values().collect();
            if !terms.is_empty() {
                problem.add_constraint(&terms, ComparisonOp::Eq, -(constant as f64));
            }
        }
        let solution = problem.solve().unwrap().into_solution().unwrap();
        solution.objective()
    };
    (
        solve(OptimizationDirection::Minimize),
        solve(OptimizationDirection::Maximize),
    )
}

/// Small cells of a bank that an attacker can pin to one value of a measure.
fn pinned(cells: &Cells, yearbook: &Yearbook, measure: usize) -> Vec<Cell> {
    // A learner can be in several months, categories and places, but is of one age, sex and tenure.
    let may_add = |dimension| {
        measure > 0
            || matches!(
                dimension,
                Dimension::Age | Dimension::Sex | Dimension::Tenure
            )
    };
    let sums = sums(&yearbook.rows, may_add);
    let in_sums: BTreeSet<Cell> = sums.iter().flat_map(|(_, parts)| parts.clone()).collect();
    let small = yearbook.rows.iter().filter(|row| {
        let learners = cells.amounts(&row.cell)[0];
        row.amounts.is_none() && (1..SMALL).contains(&learners) && in_sums.contains(&row.cell)
    });
    small
        .map(|row| row.cell)
        .filter(|cell| {
            let (least, most) = bounds(&yearbook.rows, &sums, measure, *cell);
            most - least < 0.999
        })
        .collect()
}

fn is_small_one_published(cells: &Cells, yearbook: &Yearbook) -> bool {
    let published = yearbook.rows.iter().filter(|row| row.amounts.is_some());
    published.into_iter().any(|row| {
        let learners = cells.amounts(&row.cell)[0];
        row.cell.year == 2026 && (1..SMALL).contains(&learners)
    })
}

#[test]
fn no_small_cell_of_a_published_yearbook_can_be_pinned() {
    let mut attacked = 0;
    for (seed, learners) in [(1, 60), (2, 120), (3, 200), (4, 300), (5, 90), (6, 150)] {
        let cells = bank(seed, learners);
        let yearbook = yearbook(&cells);
        assert!(!yearbook.rows.is_empty(), "seed {seed}");
        assert!(!is_small_one_published(&cells, &yearbook), "seed {seed}");
        attacked += yearbook
            .rows
            .iter()
            .filter(|row| row.amounts.is_none())
            .count();
        for measure in [0, 1] {
            assert_eq!(
                pinned(&cells, &yearbook, measure),
                [],
                "seed {seed}, measure {measure}"
            );
        }
    }
    assert!(attacked > 200, "there is something to attack: {attacked}");
}

#[test]
fn the_attack_finds_cells_that_nothing_else_covers() {
    let cells = bank(3, 200);
    let mut careless = yearbook(&cells);
    for row in &mut careless.rows {
        let amounts = cells.amounts(&row.cell);
        row.amounts = (amounts[0] == 0 || amounts[0] >= SMALL).then_some(amounts);
    }
    assert!(!pinned(&cells, &careless, 1).is_empty());
}

#[test]
fn most_of_a_large_bank_is_published() {
    let cells = bank(7, 4000);
    let yearbook = yearbook(&cells);
    let learning = yearbook
        .rows
        .iter()
        .filter(|row| row.cell.subject == Subject::Learning);
    let (all, shown) = learning.fold((0, 0), |(all, shown), row| {
        (all + 1, shown + usize::from(row.amounts.is_some()))
    });
    assert!(shown * 10 > all * 8, "{shown} of {all}");
}
