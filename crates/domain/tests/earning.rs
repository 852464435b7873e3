//! Points: what outcomes earn, and why they do not.

use std::slice::from_ref;
use std::sync::Arc;

use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::outcome::{
    Achievement, Attendance, Detail, ElderCourse, HumanitiesWalk, ObtainedBy, OutcomeDraft, Term,
    Training, VenueLearning, WalkPoint,
};
use creditbank_domain::points::{
    EarningRule, Earns, Entry, Purse, Reason, WALK_GAP_MINUTES, Why, Withheld, earn,
};
use creditbank_domain::rules::{Held, Period, Place, Selector, Wording};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Category, Hours, LeafIndex};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, date, time};
use proptest::prelude::*;

const DAY: Date = date(2026, 3, 1);

fn text(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn rule(earns: Earns) -> EarningRule {
    EarningRule {
        id: "r".into(),
        title: Wording::default(),
        clause: String::new(),
        effective: Period::default(),
        selector: Selector::default(),
        earns,
        day_max: None,
        expires_months: None,
        place: Place::default(),
    }
}

fn per_hour() -> EarningRule {
    rule(Earns::PerHours {
        hours: Hours::parse("1").unwrap(),
        points: 1,
    })
}

/// A change to the outcome of a leaf.
fn held(leaf: u64, detail: Detail, change: impl Fn(&mut OutcomeDraft)) -> Held {
    let mut draft = OutcomeDraft {
        achievement: Achievement {
            code: None,
            name: text("书法"),
        },
        project: None,
        credits: None,
        hours: None,
        grade: None,
        completed_on: DAY,
        completed_at: None,
        obtained_by: None,
        started_on: None,
        external_id: None,
        institution_name: Some(text("上海开放大学")),
        evidence: vec![],
        detail,
    };
    change(&mut draft);
    let issuer = InstitutionId::parse("shou").unwrap();
    let outcome = Arc::new(draft.check(date(2030, 1, 1)).expect("a sound outcome"));
    Held::new(LeafIndex(leaf), issuer, None, outcome, None)
}

fn training(leaf: u64, hours: &str) -> Held {
    let hours = Hours::parse(hours).unwrap();
    held(
        leaf,
        Detail::Training(Training { certificate: true }),
        |it| it.hours = Some(hours),
    )
}

fn elder(leaf: u64, attended: u16) -> Held {
    let detail = Detail::ElderCourse(ElderCourse {
        attendance: Attendance {
            planned: 16,
            attended,
        },
        year: 2026,
        term: Term::Spring,
        region: None,
        site: None,
    });
    held(leaf, detail, |it| it.hours = Some(Hours::ZERO))
}

fn visit(leaf: u64, minutes: u16, until: Option<Time>) -> Held {
    let detail = Detail::VenueLearning(VenueLearning {
        venue: text("上海博物馆"),
        activity: text("导览"),
        minutes,
    });
    held(leaf, detail, |it| it.completed_at = until)
}

fn walk(leaf: u64, points: &[(&str, DateTime)]) -> Held {
    let point = |(code, at): &(&str, DateTime)| WalkPoint {
        code: Code::parse(code).unwrap(),
        at: *at,
    };
    let detail = Detail::HumanitiesWalk(HumanitiesWalk {
        route: Code::parse("SH-07").unwrap(),
        points: points.iter().map(point).collect(),
    });
    held(leaf, detail, |_| {})
}

/// What is earned, and what is withheld, by leaf.
type Told = (Vec<(u64, u32)>, Vec<(u64, Why)>);

/// What these outcomes come to on a purse without entries.
fn outcome_of(rules: &[EarningRule], held: &[Held]) -> Told {
    let selects = |selector: &Selector, held: &Held| {
        selector.categories.is_empty() || selector.categories.contains(&held.outcome.category())
    };
    let it = earn(rules, held, selects, &Purse::default(), DAY);
    Purse::fold(&it.entries).expect("entries that follow each other");
    let entry = |entry: &Entry| match &entry.reason {
        Reason::Earned { outcome, .. } => (outcome.0, entry.points),
        other => unreachable!("{other:?}"),
    };
    let withheld = |it: &Withheld| (it.outcome.0, it.why);
    (
        it.entries.iter().map(entry).collect(),
        it.withheld.iter().map(withheld).collect(),
    )
}

#[test]
fn outcomes_earn_by_hours_attendance_or_the_piece() {
    let two_hours = rule(Earns::PerHours {
        hours: Hours::parse("2").unwrap(),
        points: 3,
    });
    let table = [
        (per_hour(), training(1, "7.99"), vec![(1, 7)], vec![]),
        (two_hours.clone(), training(1, "7.99"), vec![(1, 9)], vec![]),
        (
            two_hours,
            training(1, "1.99"),
            vec![],
            vec![(1, Why::NotEnough)],
        ),
        (per_hour(), visit(1, 119, None), vec![(1, 1)], vec![]),
        (
            per_hour(),
            visit(1, 59, None),
            vec![],
            vec![(1, Why::NotEnough)],
        ),
        (
            rule(Earns::PerAttendance(2)),
            elder(1, 12),
            vec![(1, 24)],
            vec![],
        ),
        (
            rule(Earns::PerAttendance(2)),
            training(1, "9"),
            vec![],
            vec![(1, Why::NotEnough)],
        ),
        (
            rule(Earns::PerOutcome(10)),
            training(1, "0"),
            vec![(1, 10)],
            vec![],
        ),
    ];
    for (rule, held, earned, withheld) in table {
        let shown = format!("{:?} {:?}", rule.earns, held.outcome.detail);
        assert_eq!(outcome_of(&[rule], &[held]), (earned, withheld), "{shown}");
    }
}

#[test]
fn the_first_rule_in_force_that_selects_an_outcome_decides() {
    let mut elders = rule(Earns::PerOutcome(5));
    elders.selector.categories = vec![Category::ElderCourse];
    let mut later = rule(Earns::PerOutcome(7));
    later.effective.from = Some(DAY.tomorrow().unwrap());
    let rules = [elders, later, rule(Earns::PerOutcome(1))];
    assert_eq!(
        outcome_of(&rules, &[elder(1, 1), training(2, "1")]).0,
        [(1, 5), (2, 1)]
    );
    assert_eq!(
        outcome_of(&rules[..2], &[training(2, "1")]),
        (vec![], vec![])
    );
}

#[test]
fn a_recognised_credit_earns_nothing() {
    let detail = Detail::Training(Training { certificate: true });
    let by = |by| held(1, detail.clone(), move |it| it.obtained_by = Some(by));
    let rules = [rule(Earns::PerOutcome(1))];
    assert_eq!(outcome_of(&rules, &[by(ObtainedBy::Recognition)]).0, []);
    assert_eq!(
        outcome_of(&rules, &[by(ObtainedBy::Assessment)]).0,
        [(1, 1)]
    );
}

#[test]
fn a_day_under_a_rule_gives_so_much_and_no_more() {
    let capped = EarningRule {
        day_max: Some(10),
        ..per_hour()
    };
    let mut next_day = training(4, "5");
    let mut draft = next_day.outcome.as_ref().clone().into_draft();
    draft.completed_on = DAY.tomorrow().unwrap();
    next_day.outcome = Arc::new(draft.check(date(2030, 1, 1)).unwrap());
    let held = [
        training(3, "3"),
        next_day,
        training(1, "6"),
        training(2, "6"),
    ];
    let (earned, withheld) = outcome_of(&[capped], &held);
    assert_eq!(earned, [(1, 6), (2, 4), (4, 5)]);
    assert_eq!(
        withheld,
        [
            (2, Why::DayMax { points: 2 }),
            (3, Why::DayMax { points: 3 })
        ]
    );
}

#[test]
fn nobody_is_at_two_places_at_once() {
    let at = |hour, minute| DAY.at(hour, minute, 0, 0);
    let rules = [rule(Earns::PerOutcome(1))];
    let route = |leaf, from, to| walk(leaf, &[("A", from), ("B", to)]);
    let overlaps = |leaf, with| {
        vec![(
            leaf,
            Why::Overlaps {
                with: LeafIndex(with),
            },
        )]
    };
    let table = [
        // A visit until 11:00 that took 90 minutes, and a walk that begins as it ends.
        (
            visit(1, 90, Some(time(11, 0, 0, 0))),
            route(2, at(11, 0), at(12, 0)),
            vec![],
        ),
        (
            visit(1, 90, Some(time(11, 0, 0, 0))),
            route(2, at(10, 59), at(12, 0)),
            overlaps(2, 1),
        ),
        (
            visit(1, 90, Some(time(11, 0, 0, 0))),
            route(2, at(9, 0), at(9, 30)),
            vec![],
        ),
        // The earlier one earns, whatever its leaf.
        (
            visit(1, 90, Some(time(11, 0, 0, 0))),
            route(2, at(9, 0), at(9, 31)),
            overlaps(1, 2),
        ),
        (visit(1, 90, None), route(2, at(9, 0), at(23, 0)), vec![]),
        (
            route(1, at(9, 0), at(12, 0)),
            route(2, at(10, 0), at(11, 0)),
            overlaps(2, 1),
        ),
        // The same single point at the same time.
        (
            walk(1, &[("A", at(9, 0))]),
            walk(2, &[("A", at(9, 0))]),
            overlaps(2, 1),
        ),
    ];
    for (row, (one, other, expected)) in table.into_iter().enumerate() {
        let (earned, withheld) = outcome_of(&rules, &[one, other]);
        assert_eq!(withheld, expected, "row {row}");
        assert_eq!(earned.len(), 2 - expected.len(), "row {row}");
    }
}

#[test]
fn nobody_walks_from_point_to_point_in_no_time() {
    let at = |minutes: i64| DAY.at(9, 0, 0, 0) + minutes.minutes();
    let rules = [rule(Earns::PerOutcome(1))];
    let gap = WALK_GAP_MINUTES;
    let too_fast = |leaf, with| {
        vec![(
            leaf,
            Why::TooFast {
                with: LeafIndex(with),
            },
        )]
    };
    let table = [
        (vec![walk(1, &[("A", at(0)), ("B", at(gap))])], vec![]),
        (
            vec![walk(1, &[("A", at(0)), ("B", at(gap - 1))])],
            too_fast(1, 1),
        ),
        (
            vec![walk(1, &[("A", at(0)), ("A", at(1)), ("B", at(gap + 1))])],
            vec![],
        ),
        // From the end of one walk to the start of the next, in either order of their leaves.
        (
            vec![
                walk(1, &[("A", at(0)), ("B", at(60))]),
                walk(2, &[("C", at(60 + gap)), ("D", at(120))]),
            ],
            vec![],
        ),
        (
            vec![
                walk(1, &[("A", at(0)), ("B", at(60))]),
                walk(2, &[("C", at(59 + gap)), ("D", at(120))]),
            ],
            too_fast(2, 1),
        ),
        (
            vec![
                walk(1, &[("A", at(0)), ("B", at(60))]),
                walk(2, &[("B", at(61)), ("D", at(120))]),
            ],
            vec![],
        ),
    ];
    for (row, (held, expected)) in table.into_iter().enumerate() {
        assert_eq!(outcome_of(&rules, &held).1, expected, "row {row}");
    }
}

#[test]
fn what_has_earned_keeps_its_time_and_its_share_of_the_day() {
    let rules = [EarningRule {
        day_max: Some(3),
        ..rule(Earns::PerOutcome(2))
    }];
    let at = |hour| DAY.at(hour, 0, 0, 0);
    let late = walk(1, &[("A", at(10)), ("B", at(12))]);
    let first = earn(&rules, from_ref(&late), |_, _| true, &Purse::default(), DAY);
    let purse = Purse::fold(&first.entries).unwrap();
    assert_eq!(
        earn(&rules, from_ref(&late), |_, _| true, &purse, DAY),
        Default::default()
    );

    let overlapping = walk(2, &[("A", at(9)), ("B", at(11))]);
    let apart = walk(3, &[("A", at(14)), ("B", at(15))]);
    let held = [apart, overlapping, late];
    let second = earn(&rules, &held, |_, _| true, &purse, DAY);
    let withheld: Vec<_> = second
        .withheld
        .iter()
        .map(|it| (it.outcome.0, it.why))
        .collect();
    let overlaps = Why::Overlaps { with: LeafIndex(1) };
    assert_eq!(withheld, [(2, overlaps), (3, Why::DayMax { points: 1 })]);
    assert_eq!(second.entries.len(), 1);
    assert_eq!(second.entries[0].points, 1);
}

#[test]
fn what_was_clawed_back_leaves_its_time_and_its_share_but_earns_nothing_again() {
    let rules = [EarningRule {
        day_max: Some(2),
        ..rule(Earns::PerOutcome(2))
    }];
    let at = |hour| DAY.at(hour, 0, 0, 0);
    let one = walk(1, &[("A", at(10)), ("B", at(12))]);
    let other = walk(2, &[("A", at(11)), ("B", at(13))]);
    let first = earn(
        &rules,
        &[one.clone(), other.clone()],
        |_, _| true,
        &Purse::default(),
        DAY,
    );
    let mut purse = Purse::fold(&first.entries).unwrap();
    let entry = purse.claw_back(LeafIndex(1), DAY).unwrap();
    purse.apply(&entry).unwrap();
    let again = earn(&rules, &[one, other], |_, _| true, &purse, DAY);
    let earned: Vec<_> = again.entries.iter().map(|it| it.reason.clone()).collect();
    let expected = Reason::Earned {
        rule: "r".into(),
        outcome: LeafIndex(2),
        expires_on: None,
    };
    assert_eq!((earned, again.withheld), (vec![expected], vec![]));
}

#[test]
fn a_lot_expires_so_many_months_after_its_entry() {
    let rules = [EarningRule {
        expires_months: Some(12),
        ..rule(Earns::PerOutcome(1))
    }];
    for (on, last) in [
        (date(2027, 5, 6), date(2028, 5, 6)),
        (date(2028, 2, 29), date(2029, 2, 28)),
    ] {
        let it = earn(
            &rules,
            &[training(1, "1")],
            |_, _| true,
            &Purse::default(),
            on,
        );
        let purse = Purse::fold(&it.entries).unwrap();
        assert_eq!(purse.remaining(), [(1, Some(last))]);
    }
}

proptest! {
    #[test]
    fn the_order_of_outcomes_changes_nothing(
        walks in prop::collection::vec((0..600_i64, 0..120_i64), 1..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let held: Vec<_> = (0..).zip(&walks).map(|(leaf, (start, length))| {
            let start = DAY.at(8, 0, 0, 0) + start.minutes();
            let first = walk(leaf, &[("A", start)]);
            if *length == 0 { first } else { walk(leaf, &[("A", start), ("B", start + length.minutes())]) }
        }).collect();
        let mut turned = held.clone();
        turned.rotate_left(seed.index(walks.len()));
        turned.reverse();
        let rules = [EarningRule { day_max: Some(9), ..rule(Earns::PerOutcome(2)) }];
        prop_assert_eq!(outcome_of(&rules, &held), outcome_of(&rules, &turned));
    }
}
