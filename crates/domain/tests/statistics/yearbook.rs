//! Yearbooks as bytes, and what is in them.

use creditbank_domain::Category;
use creditbank_domain::statistics::{
    AgeBand, Cells, DecisionDays, Person, Population, Sex, Subject, Table, Yearbook, figures,
    suppressed,
};

use crate::fixture::{ALL, archive, bank, cell, learnt, shared, yearbook};

#[test]
fn a_yearbook_is_read_back_from_its_bytes_and_from_no_others() {
    let yearbook = yearbook(&bank(1, 200));
    let bytes = yearbook.encode();
    assert_eq!(Yearbook::decode(&bytes), Some(yearbook));
    assert_eq!(Yearbook::decode(&bytes[..bytes.len() - 1]), None);
    assert_eq!(Yearbook::decode(&[&bytes[..], &[0]].concat()), None);
    for at in 0..bytes.len().min(400) {
        let mut other = bytes.clone();
        other[at] ^= 0xff;
        // Whatever else can be read is another yearbook.
        if let Some(read) = Yearbook::decode(&other) {
            assert_eq!(read.encode(), other);
        }
    }
}

#[test]
fn a_small_value_goes_with_a_companion() {
    let row = |table, a, learners: i64| {
        (
            cell(Subject::Points, table, a, 0),
            shared([learners, learners, 0, 0, 0]),
        )
    };
    let cells: Cells = [
        row(Table::Total, 0, 63),
        row(Table::Sex, 1, 3),
        row(Table::Sex, 2, 60),
        row(Table::Month, 1, 20),
        row(Table::Month, 2, 30),
        row(Table::Month, 3, 1),
        row(Table::Month, 4, 12),
    ]
    .into_iter()
    .collect();
    let hidden = suppressed(2026, Subject::Points, &cells).unwrap();
    let expected = [
        row(Table::Month, 3, 0),
        row(Table::Month, 4, 0),
        row(Table::Sex, 1, 0),
        row(Table::Sex, 2, 0),
    ];
    assert_eq!(hidden, expected.map(|(cell, _)| (cell, [true; 5])).into());
}

#[test]
fn a_small_value_takes_no_figures_of_others_along() {
    let mut cells = Cells::default();
    for (code, born) in [(2, 1980), (5, 1961), (6, 1951)]
        .into_iter()
        .flat_map(of_age)
    {
        let person = Person {
            born: Some(born),
            sex: Sex::Female,
        };
        let facts = vec![learnt(code, code, Category::Training, 3)];
        cells.add_all(&figures(&archive(code, person, facts), ALL));
    }
    let yearbook = yearbook(&cells);
    let shown: Vec<_> = yearbook
        .table(Subject::Learning, Table::CategoryAge)
        .map(|row| (row.cell.b, row.amounts[0], row.amounts[4]))
        .collect();
    let expected = [
        (AgeBand::Middle as u32, None, None),
        (AgeBand::Sixties as u32, None, None),
        (AgeBand::Seventies as u32, Some(6), Some(600)),
    ];
    assert_eq!(shown, expected);
}

/// So many learners who were born in a year.
fn of_age((count, born): (u64, i16)) -> impl Iterator<Item = (u64, i16)> {
    (0..count).map(move |at| (u64::from(born.unsigned_abs()) * 10 + at, born))
}

#[test]
fn nothing_is_published_of_so_few_that_they_cannot_cover_each_other() {
    let row = |table, a, learners: i64| {
        (
            cell(Subject::Points, table, a, 0),
            shared([learners, learners, 0, 0, 0]),
        )
    };
    for cells in [
        vec![row(Table::Total, 0, 4)],
        vec![
            row(Table::Total, 0, 6),
            row(Table::Sex, 1, 3),
            row(Table::Sex, 2, 3),
        ],
    ] {
        let cells: Cells = cells.into_iter().collect();
        assert_eq!(suppressed(2026, Subject::Points, &cells), None);
        assert_eq!(yearbook(&cells).rows, []);
    }
}

#[test]
fn a_figure_of_few_goes_with_others_and_alone() {
    let row = |table, a, appeals: i64| {
        let mut sums = shared([40, 40, 30, 30, appeals]);
        (sums[9], sums[14]) = (appeals, appeals);
        (cell(Subject::Recognition, table, a, 0), sums)
    };
    let cells: Cells = [
        row(Table::Total, 0, 15),
        row(Table::Month, 1, 1),
        row(Table::Month, 2, 8),
        row(Table::Month, 3, 6),
        row(Table::Month, 4, 0),
        row(Table::Sex, 1, 8),
        row(Table::Sex, 2, 7),
    ]
    .into_iter()
    .collect();
    let hidden = suppressed(2026, Subject::Recognition, &cells).unwrap();
    let appeals = [false, false, false, false, true];
    let expected = [1, 3].map(|month| (row(Table::Month, month, 0).0, appeals));
    assert_eq!(hidden, expected.into());
    // One refusal among the decisions of the year: there is nothing to hide it behind.
    let mut total = row(Table::Total, 0, 15);
    total.1[3..=5].copy_from_slice(&[29, 15, 1]);
    let mut month = row(Table::Month, 1, 15);
    month.1[3..=5].copy_from_slice(&[29, 15, 1]);
    let hidden = suppressed(
        2026,
        Subject::Recognition,
        &[total, month].into_iter().collect(),
    );
    let conversions = [false, false, false, true, false];
    let expected = [total.0, month.0].map(|cell| (cell, conversions));
    assert_eq!(hidden, Some(expected.into()));
}

#[test]
fn days_of_decisions_are_nearest_ranks_among_others() {
    let days = |learners: i64, counts: &[(u32, i64)]| {
        let total: i64 = counts.iter().map(|(_, count)| count).sum();
        let mut sums = shared([learners, total, total, 0, 0]);
        sums[5] = learners;
        let total = (cell(Subject::Recognition, Table::Total, 0, 0), sums);
        let counts = counts.iter().map(|(days, count)| {
            (
                cell(Subject::Recognition, Table::Days, *days, 0),
                shared([*count, 0, *count, 0, 0]),
            )
        });
        yearbook(&std::iter::once(total).chain(counts).collect()).days
    };
    let found = |median, p90| Some(DecisionDays { median, p90 });
    for (learners, counts, expected) in [
        (8, &[(3, 4), (5, 4)][..], None),
        (9, &[(3, 5), (5, 4)], found(3, None)),
        (9, &[(3, 4), (5, 5)], found(5, None)),
        (39, &[(1, 30), (30, 9)], found(1, None)),
        (41, &[(1, 36), (30, 5)], found(1, Some(30))),
        (41, &[(1, 37), (30, 4)], found(1, Some(1))),
        (4, &[(9, 100)], None),
        (60, &[(9, 100)], found(9, Some(9))),
    ] {
        assert_eq!(days(learners, counts), expected, "{counts:?}");
    }
}

#[test]
fn participation_is_per_ten_thousand_residents() {
    let population = Population {
        residents: [(0, 24_870_895), (310_101, 0)].into(),
        ..Population::default()
    };
    assert_eq!(population.rate(0, 1_000_000), Some(402));
    assert_eq!(population.rate(310_101, 10), None);
    assert_eq!(population.rate(310_104, 10), None);
}
