//! Figures of archives.

use creditbank_domain::statistics::{
    AgeBand, Cells, Content, Fact, History, Merged, Person, Sex, Subject, Table, figures,
};
use creditbank_domain::{Category, LeafIndex};
use jiff::civil::date;

use crate::fixture::{ALL, archive, cell, learnt};

const ELDER: Person = Person {
    born: Some(1956),
    sex: Sex::Female,
};

fn learning(cells: &Cells, table: Table, a: u32, b: u32) -> [i64; 5] {
    cells.amounts(&cell(Subject::Learning, table, a, b))
}

#[test]
fn a_learner_is_counted_once_and_every_attendance() {
    let facts = vec![
        learnt(1, 7, Category::ElderCourse, 3),
        learnt(2, 7, Category::ElderCourse, 4),
        learnt(3, 7, Category::HumanitiesWalk, 4),
    ];
    let cells = figures(&archive(7, ELDER, facts), ALL);
    for (table, a, b, expected) in [
        (Table::Total, 0, 0, [1, 3, 3, 3000, 300]),
        (Table::Month, 3, 0, [1, 1, 1, 1000, 100]),
        (Table::Month, 4, 0, [1, 2, 2, 2000, 200]),
        (Table::Category, 6, 0, [1, 2, 2, 2000, 200]),
        (Table::Category, 8, 0, [1, 1, 1, 1000, 100]),
        (Table::District, 310_101, 0, [1, 3, 3, 3000, 300]),
        (Table::Institution, 310_101, 1, [1, 3, 3, 3000, 300]),
        (
            Table::Age,
            AgeBand::Seventies as u32,
            0,
            [1, 3, 3, 3000, 300],
        ),
        (Table::Sex, 2, 0, [1, 3, 3, 3000, 300]),
        (Table::Tenure, 1, 0, [1, 3, 3, 3000, 300]),
        (Table::AgeSex, 6, 2, [1, 3, 3, 3000, 300]),
        (Table::CategoryDistrict, 6, 310_101, [1, 2, 2, 2000, 200]),
    ] {
        assert_eq!(learning(&cells, table, a, b), expected, "{table:?} {a} {b}");
    }
}

#[test]
fn figures_go_down_again_when_a_record_is_revoked() {
    let kept = learnt(1, 7, Category::Training, 3);
    let revoked = Fact {
        ended: Some(LeafIndex(9)),
        ..learnt(2, 7, Category::ElderCourse, 5)
    };
    let history = archive(7, ELDER, vec![kept, revoked]);
    let (before, after) = (figures(&history, 9), figures(&history, 10));
    assert_eq!(
        learning(&before, Table::Category, 6, 0),
        [1, 1, 1, 1000, 100]
    );
    assert_eq!(after, figures(&archive(7, ELDER, vec![kept]), ALL));
    // What is kept incrementally is the same map.
    let mut cells = before.clone();
    cells.subtract_all(&before);
    assert!(cells.is_empty());
    cells.add_all(&after);
    assert_eq!(cells, after);
}

#[test]
fn a_late_record_makes_a_new_learner_a_returning_one() {
    let now = learnt(1, 7, Category::Training, 3);
    let late = Fact {
        on: date(2025, 6, 1),
        ..learnt(5, 7, Category::Training, 6)
    };
    let history = archive(7, ELDER, vec![now, late]);
    let (before, after) = (figures(&history, 5), figures(&history, 6));
    assert_eq!(learning(&before, Table::Tenure, 1, 0)[0], 1);
    assert_eq!(learning(&after, Table::Tenure, 1, 0)[0], 0);
    assert_eq!(learning(&after, Table::Tenure, 2, 0)[0], 1);
}

#[test]
fn two_archives_that_are_merged_are_one_learner_from_then_on() {
    let history = History {
        codes: vec![(7, ELDER), (8, Person::default())],
        merges: vec![Merged {
            leaf: LeafIndex(5),
            gone: 8,
            kept: 7,
        }],
        facts: vec![
            learnt(1, 7, Category::Training, 3),
            learnt(2, 8, Category::Training, 3),
        ],
    };
    let (before, after) = (figures(&history, 5), figures(&history, 6));
    assert_eq!(learning(&before, Table::Total, 0, 0)[..2], [2, 2]);
    assert_eq!(learning(&after, Table::Total, 0, 0)[..2], [1, 2]);
    assert_eq!(learning(&before, Table::Sex, 0, 0)[0], 1);
    assert_eq!(learning(&after, Table::Sex, 0, 0)[0], 0);
    assert_eq!(learning(&after, Table::Sex, 2, 0)[..2], [1, 2]);
}

#[test]
fn decisions_are_counted_with_their_days() {
    let fact = |leaf, content| Fact {
        leaf: LeafIndex(leaf),
        ended: None,
        code: 7,
        on: date(2026, 9, 1),
        content,
    };
    let history = archive(
        7,
        ELDER,
        vec![
            fact(1, Content::Applied),
            fact(
                2,
                Content::Decided {
                    days: 12,
                    is_granted: true,
                },
            ),
            fact(3, Content::Appealed),
        ],
    );
    let cells = figures(&history, ALL);
    let of = |table, a| cells.amounts(&cell(Subject::Recognition, table, a, 0));
    assert_eq!(of(Table::Total, 0), [1, 1, 1, 1, 1]);
    assert_eq!(of(Table::Days, 12), [1, 0, 1, 1, 0]);
    assert_eq!(learning(&cells, Table::Total, 0, 0), [0; 5]);
}

#[test]
fn a_person_is_read_from_the_number_of_a_document() {
    for (number, born, sex) in [
        ("319901195603150021", Some(1956), Sex::Female),
        ("319901200102290013", Some(2001), Sex::Male),
        ("E12345678", None, Sex::Unknown),
        ("", None, Sex::Unknown),
    ] {
        assert_eq!(Person::of_number(number), Person { born, sex });
    }
    for (age, band) in [
        (0, AgeBand::Minor),
        (17, AgeBand::Minor),
        (18, AgeBand::Young),
        (59, AgeBand::Fifties),
        (60, AgeBand::Sixties),
        (80, AgeBand::Eighties),
        (-1, AgeBand::Unknown),
    ] {
        assert_eq!(AgeBand::of(age), band, "{age}");
    }
}
