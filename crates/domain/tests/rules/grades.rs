//! Grade floors, and the grade that is recorded.

use creditbank_domain::Grade;
use creditbank_domain::grade::{FiveLevel, PassFail, Points, Scale};
use creditbank_domain::rules::{Form, GradeFloor, GradeRecord, GradeRule};

use super::fixture::*;

fn per_cent(text: &str) -> Grade {
    Grade::Percentage(percent(text))
}

fn points(scale: Scale, text: &str) -> Grade {
    Grade::Points(Points::parse(scale, text).expect("points"))
}

#[test]
fn a_grade_is_held_against_the_floor_of_its_own_scheme() {
    let floors = vec![
        GradeFloor::Percentage(percent("70")),
        GradeFloor::FiveLevel(FiveLevel::Good),
        GradeFloor::Pass,
        GradeFloor::Points(Scale::Cet, 42_500),
    ];
    let rule = course_rule("r", "英语", "0001").with(|it| it.conditions.min_grade = floors);
    let cases = [
        (per_cent("70"), "r 0001 4"),
        (per_cent("69.99"), "r GRADE_TOO_LOW"),
        (Grade::FiveLevel(FiveLevel::Excellent), "r 0001 4"),
        (Grade::FiveLevel(FiveLevel::Good), "r 0001 4"),
        (Grade::FiveLevel(FiveLevel::Medium), "r GRADE_TOO_LOW"),
        (Grade::PassFail(PassFail::Pass), "r 0001 4"),
        (points(Scale::Cet, "425"), "r 0001 4"),
        (points(Scale::Cet, "424.99"), "r GRADE_TOO_LOW"),
        (points(Scale::Gpa4, "4"), "r GRADE_NOT_COMPARABLE"),
    ];
    for (grade, expected) in cases {
        assert_eq!(
            under(&rule, &[outcome(1, "英语").graded(grade)]),
            [expected],
            "{grade}"
        );
    }
    assert_eq!(
        under(&rule, &[certificate(1, "英语")]),
        ["r GRADE_NOT_COMPARABLE"]
    );
    let only_pass = rule.with(|it| it.conditions.min_grade = vec![GradeFloor::Pass]);
    let source = outcome(1, "英语").graded(per_cent("100"));
    assert_eq!(under(&only_pass, &[source]), ["r GRADE_NOT_COMPARABLE"]);
}

#[test]
fn a_slot_has_a_floor_of_its_own() {
    let rule = rule("r", Form::ManyToOne, named("a"), vec![to_course("0002")]).with(|it| {
        it.slots.push(slot(named("b")));
        it.slots[1].min_grade = vec![GradeFloor::Percentage(percent("80"))];
        it.need = 2;
    });
    let both = |a: &str, b: &str| {
        [
            outcome(1, "a").graded(per_cent(a)),
            outcome(2, "b").graded(per_cent(b)),
        ]
    };
    assert_eq!(under(&rule, &both("60", "80")), ["r 0002 6"]);
    assert_eq!(under(&rule, &both("99", "79")), ["r GRADE_TOO_LOW"]);
}

#[test]
fn the_recorded_grade_is_what_the_rule_says() {
    let table = || {
        GradeRecord::Table(vec![
            (GradeFloor::FiveLevel(FiveLevel::Excellent), percent("95")),
            (GradeFloor::FiveLevel(FiveLevel::Good), percent("85")),
            (GradeFloor::Percentage(percent("90")), percent("90")),
        ])
    };
    let five = Grade::FiveLevel;
    let cases = [
        (GradeRecord::None, None, per_cent("88"), "r 0001 4"),
        (
            GradeRecord::Exempt,
            Some("70"),
            per_cent("88"),
            "r 0001 4 免考",
        ),
        (GradeRecord::Source, None, per_cent("88"), "r 0001 4 (88)"),
        (
            GradeRecord::Source,
            Some("70"),
            per_cent("88"),
            "r 0001 4 (70)",
        ),
        (
            GradeRecord::Source,
            Some("70"),
            per_cent("66"),
            "r 0001 4 (66)",
        ),
        (
            GradeRecord::Source,
            Some("70"),
            five(FiveLevel::Good),
            "r 0001 4 (良好)",
        ),
        (table(), None, five(FiveLevel::Excellent), "r 0001 4 (95)"),
        (table(), None, five(FiveLevel::Good), "r 0001 4 (85)"),
        (table(), Some("80"), five(FiveLevel::Good), "r 0001 4 (80)"),
        (table(), None, five(FiveLevel::Pass), "r 0001 4"),
        (table(), None, per_cent("91"), "r 0001 4 (90)"),
    ];
    for (record, ceiling, grade, expected) in cases {
        let rule = course_rule("r", "英语", "0001").with(|it| {
            it.grade = GradeRule {
                record: record.clone(),
                ceiling: ceiling.map(percent),
            };
        });
        let source = outcome(1, "英语").graded(grade);
        assert_eq!(under(&rule, &[source]), [expected], "{record:?} {grade}");
    }
}

#[test]
fn of_several_grades_the_lowest_is_recorded() {
    let rule = rule("r", Form::ManyToOne, named("a"), vec![to_course("0002")]).with(|it| {
        it.slots.push(slot(named("b")));
        it.need = 2;
        it.grade.record = GradeRecord::Source;
    });
    let cases = [
        (per_cent("90"), per_cent("71"), "r 0002 6 (71)"),
        (
            per_cent("65"),
            Grade::FiveLevel(FiveLevel::Medium),
            "r 0002 6 (65)",
        ),
        (
            per_cent("75"),
            Grade::FiveLevel(FiveLevel::Medium),
            "r 0002 6 (中等)",
        ),
        (
            per_cent("61"),
            Grade::PassFail(PassFail::Pass),
            "r 0002 6 (合格)",
        ),
        (
            per_cent("61"),
            points(Scale::Cet, "400"),
            "r 0002 6 (400 (cet-710))",
        ),
    ];
    for (a, b, expected) in cases {
        let both = [outcome(1, "a").graded(a), outcome(2, "b").graded(b)];
        assert_eq!(under(&rule, &both), [expected], "{a} and {b}");
    }
}
