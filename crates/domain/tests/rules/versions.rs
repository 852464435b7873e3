//! Which version of a rule decides, and how long an outcome counts.

use creditbank_domain::outcome::Detail;
use creditbank_domain::rules::{DatedBy, Form, Period, Reason};
use jiff::civil::{Date, date};

use super::fixture::*;

#[test]
fn an_outcome_counts_until_the_anniversary_of_its_completion() {
    let years =
        |years| course_rule("r", "英语", "0001").with(|it| it.conditions.valid_years = Some(years));
    let cases = [
        (2, date(2024, 6, 30), date(2026, 6, 30), Ok(())),
        (
            2,
            date(2024, 6, 29),
            date(2026, 6, 30),
            Err(date(2026, 6, 29)),
        ),
        // From a leap day the years end on 28 February, unless the last year is a leap year too.
        (1, date(2024, 2, 29), date(2025, 2, 28), Ok(())),
        (
            1,
            date(2024, 2, 29),
            date(2025, 3, 1),
            Err(date(2025, 2, 28)),
        ),
        (4, date(2024, 2, 29), date(2028, 2, 29), Ok(())),
        (
            4,
            date(2024, 2, 29),
            date(2028, 3, 1),
            Err(date(2028, 2, 29)),
        ),
        (
            1,
            date(2024, 2, 28),
            date(2025, 3, 1),
            Err(date(2025, 2, 28)),
        ),
        (0, date(2024, 2, 28), date(2024, 2, 28), Ok(())),
        (
            0,
            date(2024, 2, 28),
            date(2024, 2, 29),
            Err(date(2024, 2, 28)),
        ),
        (u16::MAX, date(2024, 2, 28), date(2026, 2, 28), Ok(())),
    ];
    for (number, completed, applied, expected) in cases {
        let set = creditbank_domain::rules::Compiled::new(set(vec![years(number)], vec![]));
        let learner = Learner::new([outcome(1, "英语").on(completed)]);
        let case = creditbank_domain::rules::Case {
            date: applied,
            ..learner.case()
        };
        let decision = creditbank_domain::rules::evaluate(&set, &case, &[using("r", &[1])]);
        let refused = decision.refused.first().map(|it| it.reason.clone());
        let expected = expected.err().map(|until| Reason::TooOld { until });
        assert_eq!(
            refused, expected,
            "{number} years from {completed} on {applied}"
        );
    }
}

#[test]
fn a_certificate_counts_through_its_own_last_day() {
    let rule = course_rule("r", "英语", "0001");
    let until = |day| {
        certificate(1, "英语").with(|it| {
            if let Detail::SkillCertificate(it) = &mut it.draft.detail {
                it.valid_until = Some(day);
            }
        })
    };
    assert_eq!(under(&rule, &[until(APPLIED)]), ["r 0001 4"]);
    let yesterday = APPLIED.yesterday().expect("a day");
    assert_eq!(under(&rule, &[until(yesterday)]), ["r CERTIFICATE_EXPIRED"]);
}

#[test]
fn completion_must_lie_in_the_window() {
    let rule = course_rule("r", "英语", "0001").with(|it| {
        it.conditions.completed = days(Some(date(2024, 1, 1)), Some(date(2024, 12, 31)));
    });
    let cases = [
        (date(2023, 12, 31), "r OUTSIDE_WINDOW"),
        (date(2024, 1, 1), "r 0001 4"),
        (date(2024, 12, 31), "r 0001 4"),
        (date(2025, 1, 1), "r OUTSIDE_WINDOW"),
    ];
    for (day, expected) in cases {
        assert_eq!(
            under(&rule, &[outcome(1, "英语").on(day)]),
            [expected],
            "{day}"
        );
    }
}

/// Two versions that change on 1 March: the older grants 英语(一), the newer 高等数学.
fn versions(dated_by: DatedBy) -> Vec<creditbank_domain::rules::Rule> {
    let version = |to: &str, effective: Period| {
        course_rule("r", "英语", to).with(|it| {
            it.effective = effective;
            it.dated_by = dated_by;
        })
    };
    vec![
        version(
            "0001",
            days(Some(date(2022, 3, 1)), Some(date(2024, 2, 29))),
        ),
        version("0002", days(Some(date(2024, 3, 1)), None)),
    ]
}

#[test]
fn the_version_of_the_deciding_day_decides() {
    let cases: [(DatedBy, Date, &str); 6] = [
        (DatedBy::Completion, date(2022, 2, 28), "r NOT_IN_FORCE"),
        (DatedBy::Completion, date(2022, 3, 1), "r 0001 4"),
        (DatedBy::Completion, date(2024, 2, 29), "r 0001 4"),
        (DatedBy::Completion, date(2024, 3, 1), "r 0002 6"),
        (DatedBy::Application, date(2022, 2, 28), "r 0002 6"),
        (DatedBy::Application, date(2024, 2, 29), "r 0002 6"),
    ];
    for (dated_by, day, expected) in cases {
        let learner = Learner::new([outcome(1, "英语").on(day)]);
        let decision = learner.decide(&set(versions(dated_by), vec![]), &[using("r", &[1])]);
        assert_eq!(short(&decision), [expected], "{dated_by:?} {day}");
    }
}

#[test]
fn all_outcomes_of_a_use_must_fall_under_one_version() {
    let both = versions(DatedBy::Completion).into_iter().map(|rule| {
        rule.with(|it| {
            it.form = Form::ManyToOne;
            it.slots.push(slot(named("口语")));
            it.need = 2;
        })
    });
    let set = set(both.collect(), vec![]);
    let decide = |one, other| {
        let learner = Learner::new([outcome(1, "英语").on(one), outcome(2, "口语").on(other)]);
        learner.decide(&set, &[using("r", &[1, 2])])
    };
    assert_eq!(
        short(&decide(date(2023, 1, 1), date(2024, 2, 29))),
        ["r 0001 4"]
    );
    let apart = decide(date(2024, 2, 29), date(2024, 3, 1));
    assert_eq!(
        apart.refused[0].reason,
        Reason::NotInForce {
            on: date(2024, 3, 1)
        }
    );
}

#[test]
fn a_set_and_a_programme_decide_on_their_own_days_only() {
    let rules = || vec![course_rule("r", "英语", "0001")];
    let learner = Learner::new([outcome(1, "英语")]);
    let (before, after) = (
        days(None, APPLIED.yesterday().ok()),
        days(Some(APPLIED), None),
    );
    let cases = [
        (before, after, false),
        (after, before, false),
        (after, after, true),
    ];
    for (set_days, programme_days, decides) in cases {
        let set = set(rules(), vec![]).with(|it| {
            it.effective = set_days;
            it.programmes[0].effective = programme_days;
        });
        let expected = if decides {
            "r 0001 4"
        } else {
            "r NOT_IN_FORCE"
        };
        assert_eq!(
            short(&learner.decide(&set, &[using("r", &[1])])),
            [expected]
        );
    }
}
