//! Every kind of limit: what it counts, what it lets through, and that earlier decisions count.

use creditbank_domain::Category;
use creditbank_domain::outcome::{Detail, SkillLevel};
use creditbank_domain::rules::{
    Base, CourseKind, Dimension, Excess, Finding, Limit, LimitScope, Maximum, Origin, Place,
    Rounding, RoundingMode, RuleSet, Selector,
};
use jiff::civil::date;

use super::fixture::*;

const MARCH: Dimension = Dimension::Year { month: 3, day: 1 };
const HALF: Dimension = Dimension::Semester { month: 3, day: 1 };

/// Four courses of 4, 6, 4 and 3 credits and one of practice, each under a rule of its own; elective credit under `e`.
fn rules() -> Vec<creditbank_domain::rules::Rule> {
    vec![
        course_rule("a", "英语", "0001"),
        course_rule("b", "数学", "0002"),
        course_rule("c", "电工", "0003"),
        course_rule("d", "PLC", "0004"),
        elective_rule("e", "证书"),
        course_rule("p", "实践", "0005"),
    ]
}

fn four() -> [Outcome; 4] {
    [
        outcome(1, "英语").on(date(2024, 2, 29)),
        outcome(2, "数学").on(date(2024, 3, 1)).of("third-college"),
        outcome(3, "电工").on(date(2024, 9, 1)),
        outcome(4, "PLC").on(date(2025, 2, 28)).of("third-college"),
    ]
}

fn four_uses() -> Vec<creditbank_domain::rules::Use> {
    vec![
        using("a", &[1]),
        using("b", &[2]),
        using("c", &[3]),
        using("d", &[4]),
    ]
}

fn scoped(limit: Limit, change: impl FnOnce(&mut LimitScope)) -> Limit {
    limit.with(|it| change(&mut it.scope))
}

#[test]
fn a_course_is_refused_whole_where_a_limit_leaves_too_little() {
    let share = |basis_points, of| Maximum::CreditShare { basis_points, of };
    let courses = |basis_points, of| Maximum::CourseShare { basis_points, of };
    let tagged = |max| {
        scoped(limit("l", vec![], max), |it| {
            it.tags = vec!["专业课".into()]
        })
    };
    let theory = |max| {
        scoped(limit("l", vec![], max), |it| {
            it.except_course_kinds = vec![CourseKind::Practice, CourseKind::Thesis];
        })
    };
    let cases: Vec<(Limit, &str)> = vec![
        (limit("l", vec![], Maximum::Credits(credits("17"))), "abcd"),
        (
            limit("l", vec![], Maximum::Credits(credits("16.99"))),
            "abc",
        ),
        (limit("l", vec![], Maximum::Credits(credits("8"))), "ac"),
        (limit("l", vec![], Maximum::Courses(2)), "ab"),
        (limit("l", vec![], Maximum::Outcomes(3)), "abc"),
        (limit("l", vec![], Maximum::Outcomes(0)), ""),
        // A quarter of 60 is 15; a quarter of 31 credits of courses is 7.75.
        (limit("l", vec![], share(2_500, Base::Programme)), "abc"),
        (limit("l", vec![], share(2_500, Base::Scope)), "ad"),
        // 7 courses: 40 % are 2.8.
        (limit("l", vec![], courses(4_000, Base::Programme)), "ab"),
        (tagged(Maximum::Courses(1)), "abc"),
        (tagged(share(5_000, Base::Scope)), "abd"),
        (tagged(courses(5_000, Base::Scope)), "abc"),
        // Theory courses have 19 credits.
        (theory(share(6_000, Base::Scope)), "ab"),
        (
            limit("l", vec![Dimension::Institution], Maximum::Courses(1)),
            "ab",
        ),
        (
            limit(
                "l",
                vec![Dimension::Institution],
                Maximum::Credits(credits("6")),
            ),
            "ab",
        ),
        (
            limit(
                "l",
                vec![Dimension::Outcome],
                Maximum::Credits(credits("4")),
            ),
            "acd",
        ),
        (limit("l", vec![MARCH], Maximum::Courses(1)), "ab"),
        (limit("l", vec![HALF], Maximum::Courses(1)), "abc"),
        (
            limit("l", vec![Dimension::Day], Maximum::Courses(1)),
            "abcd",
        ),
        (
            limit(
                "l",
                vec![MARCH, Dimension::Institution],
                Maximum::Courses(1),
            ),
            "abc",
        ),
        (
            limit("l", vec![Dimension::Category], Maximum::Courses(3)),
            "abc",
        ),
        (
            scoped(limit("l", vec![], Maximum::Courses(1)), |it| {
                it.rules = vec!["b".into(), "d".into()]
            }),
            "abc",
        ),
        (
            scoped(limit("l", vec![], Maximum::Courses(1)), |it| {
                it.programmes = vec!["law".into()]
            }),
            "abcd",
        ),
        (
            scoped(limit("l", vec![], Maximum::Courses(0)), |it| {
                it.electives_only = true
            }),
            "abcd",
        ),
        (
            scoped(limit("l", vec![], Maximum::Courses(1)), |it| {
                it.selector.institutions = vec![institution("third-college")]
            }),
            "abc",
        ),
        (
            limit("l", vec![], Maximum::Courses(1))
                .with(|it| it.effective = days(None, APPLIED.yesterday().ok())),
            "abcd",
        ),
    ];
    for (limit, granted) in cases {
        let learner = Learner::new(four());
        let decision = learner.decide(&set(rules(), vec![limit.clone()]), &four_uses());
        let got: String = decision
            .lines
            .iter()
            .map(|line| line.rule.as_str())
            .collect();
        assert_eq!(got, granted, "{limit:?}");
        let mut refused = decision.refused.iter();
        assert!(
            refused.all(|it| it.reason.code() == "LIMIT_REACHED"),
            "{limit:?}"
        );
    }
}

#[test]
fn credit_that_no_course_is_tied_to_is_cut_to_what_is_left() {
    let max = |text| Maximum::Credits(credits(text));
    let refuse = |limit: Limit| limit.with(|it| it.excess = Excess::Refuse);
    let electives = |limit| scoped(limit, |it| it.electives_only = true);
    let tagged = |limit| scoped(limit, |it| it.tags = vec!["专业课".into()]);
    let cases: Vec<(Vec<Limit>, &[&str])> = vec![
        (vec![limit("l", vec![], max("5"))], &["e free 5"]),
        (vec![electives(limit("l", vec![], max("3")))], &["e free 3"]),
        (
            vec![tagged(limit("l", vec![], max("3")))],
            &["e free 6", "e more 2"],
        ),
        (
            vec![refuse(limit("l", vec![], max("5")))],
            &["e LIMIT_REACHED"],
        ),
        (
            vec![refuse(limit("l", vec![], max("7")))],
            &["e LIMIT_REACHED"],
        ),
        (
            vec![refuse(limit("l", vec![], max("8")))],
            &["e free 6", "e more 2"],
        ),
        (vec![limit("l", vec![], max("0"))], &["e LIMIT_REACHED"]),
        (
            vec![
                limit("k", vec![Dimension::Outcome], max("4")),
                limit("l", vec![], max("3")),
            ],
            &["e free 3"],
        ),
        (
            vec![limit("l", vec![], Maximum::Courses(0))],
            &["e free 6", "e more 2"],
        ),
        (
            vec![limit("l", vec![], Maximum::Outcomes(0))],
            &["e LIMIT_REACHED"],
        ),
    ];
    for (limits, expected) in cases {
        let learner = Learner::new([outcome(1, "证书").worth("8")]);
        let decision = learner.decide(&set(rules(), limits.clone()), &[using("e", &[1])]);
        assert_eq!(short(&decision), expected, "{limits:?}");
    }
}

#[test]
fn limits_bite_in_the_order_of_the_field() {
    let max = |text| Maximum::Credits(credits(text));
    let limits = vec![
        limit("a-programme", vec![], max("2")),
        limit("b-year", vec![MARCH], max("3")),
        limit("c-certificate", vec![Dimension::Outcome], max("4")),
    ];
    let learner = Learner::new([outcome(1, "证书").worth("6")]);
    let decision = learner.decide(&set(rules(), limits), &[using("e", &[1])]);
    let bitten = decision
        .trace
        .iter()
        .filter_map(|step| match &step.finding {
            Finding::Limited {
                limit,
                asked,
                granted,
                ..
            } => Some((limit.as_str(), *asked, *granted)),
            _ => None,
        });
    let expected = [
        ("c-certificate", 600, 400),
        ("b-year", 400, 300),
        ("a-programme", 300, 200),
    ];
    assert_eq!(bitten.collect::<Vec<_>>(), expected);
}

#[test]
fn rounding_up_never_exceeds_a_limit_the_source_or_the_room() {
    let rounding = |it: &mut RuleSet| {
        it.rounding = Rounding {
            unit: credits("1"),
            mode: RoundingMode::HalfUp,
        };
    };
    let decide = |worth: &str, max: &str| {
        let limits = vec![limit("l", vec![], Maximum::Credits(credits(max)))];
        let set = set(rules(), limits).with(rounding);
        short(&Learner::new([outcome(1, "证书").worth(worth)]).decide(&set, &[using("e", &[1])]))
    };
    assert_eq!(decide("2.6", "9"), ["e free 3"]);
    assert_eq!(decide("2.6", "2.7"), ["e free 2"]);
    assert_eq!(decide("2.6", "0.9"), ["e LIMIT_REACHED"]);
    assert_eq!(decide("0.4", "9"), ["e ROUNDS_TO_NOTHING"]);
    let not_above = set(rules(), vec![])
        .with(rounding)
        .with(|it| it.rules[4].grant.not_above_source = true);
    let learner = Learner::new([outcome(1, "证书").worth("2.6")]);
    assert_eq!(
        short(&learner.decide(&not_above, &[using("e", &[1])])),
        ["e free 2"]
    );
    let full = set(rules(), vec![])
        .with(rounding)
        .with(|it| it.programmes[0].modules[1].max = Some(credits("2.6")));
    let learner = Learner::new([outcome(1, "证书").worth("2.6")]);
    assert_eq!(
        short(&learner.decide(&full, &[using("e", &[1])])),
        ["e free 2"]
    );
}

#[test]
fn earlier_decisions_count_under_their_limits_and_groups() {
    let limits = vec![
        limit("credits", vec![], Maximum::Credits(credits("11"))),
        limit(
            "outcomes",
            vec![Dimension::Institution],
            Maximum::Outcomes(2),
        ),
        limit("year", vec![MARCH], Maximum::Courses(2)),
    ];
    let set = set(rules(), limits);
    let first = Learner::new(four()).decide(&set, &[using("a", &[1]), using("c", &[3])]);
    assert_eq!(short(&first), ["a 0001 4", "c 0003 4"]);
    let later = Learner::new(four()).after(900, "business", first.lines.clone());
    let decide = |uses: &[_]| short(&later.decide(&set, uses));
    assert_eq!(
        decide(&[using("b", &[2])]),
        ["b LIMIT_REACHED"],
        "8 of 11 credits"
    );
    assert_eq!(
        decide(&[using("d", &[4])]),
        ["d 0004 3"],
        "one course of the year"
    );
    let of_other = four().map(|it| it.of("other-college"));
    let later = Learner::new(of_other).after(900, "business", first.lines.clone());
    assert_eq!(
        short(&later.decide(&set, &[using("d", &[4])])),
        ["d LIMIT_REACHED"],
        "two outcomes"
    );
    let elsewhere = Learner::new(four()).after(900, "law", first.lines);
    assert_eq!(
        short(&elsewhere.decide(&set, &[using("b", &[2])])),
        ["b 0002 6"]
    );
}

#[test]
fn a_line_counts_in_full_in_the_group_of_each_of_its_outcomes() {
    let both = creditbank_domain::rules::Form::ManyToOne;
    let rule = rule("m", both, named("英语"), vec![to_course("0003")]).with(|it| {
        it.slots.push(slot(named("数学")));
        it.need = 2;
    });
    let limits = vec![limit("year", vec![MARCH], Maximum::Credits(credits("4")))];
    let decision = Learner::new(four()).decide(&set(vec![rule], limits), &[using("m", &[1, 2])]);
    let groups = &decision.lines[0].counted.groups;
    let group = |day: &str| ("year".into(), day.into());
    assert_eq!(*groups, [group("2023-03-01"), group("2024-03-01")]);
}

#[test]
fn origins_are_counted_apart_and_the_first_that_selects_is_the_origin() {
    let origin = |id: &str, selector| Origin {
        id: id.to_owned(),
        title: wording(id),
        selector,
        place: Place::default(),
    };
    let third = Selector {
        institutions: vec![institution("third-college")],
        ..Selector::default()
    };
    let origins = vec![origin("third", third), origin("any", Selector::default())];
    let cases: Vec<(Limit, &str)> = vec![
        (
            limit("l", vec![Dimension::Origin], Maximum::Courses(1)),
            "ab",
        ),
        (
            scoped(limit("l", vec![], Maximum::Courses(1)), |it| {
                it.origins = vec!["third".into()]
            }),
            "abc",
        ),
        (
            scoped(limit("l", vec![], Maximum::Courses(0)), |it| {
                it.origins = vec!["none".into()]
            }),
            "abcd",
        ),
    ];
    for (limit, granted) in cases {
        let set = set(rules(), vec![limit.clone()]).with(|it| it.origins = origins.clone());
        let decision = Learner::new(four()).decide(&set, &four_uses());
        let got: String = decision
            .lines
            .iter()
            .map(|line| line.rule.as_str())
            .collect();
        assert_eq!(got, granted, "{limit:?}");
    }
}

#[test]
fn a_use_that_a_limit_refuses_leaves_nothing_behind() {
    let refuse =
        limit("l", vec![], Maximum::Credits(credits("5"))).with(|it| it.excess = Excess::Refuse);
    let both = rule(
        "a",
        creditbank_domain::rules::Form::OneToMany,
        named("证书"),
        vec![to_course("0003"), to_course("0004")],
    );
    let set = set(vec![both, course_rule("b", "电工", "0003")], vec![refuse]);
    let learner = Learner::new([outcome(1, "证书"), outcome(2, "电工")]);
    let decision = learner.decide(&set, &[using("a", &[1]), using("b", &[2])]);
    assert_eq!(short(&decision), ["b 0003 4", "a LIMIT_REACHED"]);
}

#[test]
fn categories_of_certificates_are_limited_by_number() {
    let selector = Selector {
        categories: vec![Category::SkillCertificate],
        skill_levels: vec![SkillLevel::Intermediate],
        ..Selector::default()
    };
    let limit = scoped(limit("l", vec![], Maximum::Outcomes(1)), |it| {
        it.selector = selector
    });
    let advanced = certificate(2, "数学").with(|it| {
        if let Detail::SkillCertificate(it) = &mut it.draft.detail {
            it.level = Some(SkillLevel::Advanced);
        }
    });
    let learner = Learner::new([certificate(1, "英语"), advanced, certificate(3, "电工")]);
    let uses = [using("a", &[1]), using("b", &[2]), using("c", &[3])];
    let decision = learner.decide(&set(rules(), vec![limit]), &uses);
    assert_eq!(
        short(&decision),
        ["a 0001 4", "b 0002 6", "c LIMIT_REACHED"]
    );
}

#[test]
fn outcomes_are_counted_where_they_are() {
    let rule = rule(
        "m",
        creditbank_domain::rules::Form::ManyToOne,
        named("英语"),
        vec![to_course("0003")],
    )
    .with(|it| {
        it.slots.push(slot(named("数学")));
        it.need = 2;
    });
    let each_year = |max| vec![limit("l", vec![MARCH], Maximum::Outcomes(max))];
    let of_third = |max| {
        let limit = limit("l", vec![], Maximum::Outcomes(max));
        vec![scoped(limit, |it| {
            it.selector.institutions = vec![institution("third-college")]
        })]
    };
    let cases = [
        (each_year(1), "m 0003 4"),
        (each_year(0), "m LIMIT_REACHED"),
        (of_third(1), "m 0003 4"),
        (of_third(0), "m LIMIT_REACHED"),
    ];
    for (limits, expected) in cases {
        let set = set(
            vec![rule.clone(), course_rule("d", "PLC", "0004")],
            limits.clone(),
        );
        let decision = Learner::new(four()).decide(&set, &[using("m", &[1, 2])]);
        assert_eq!(short(&decision), [expected], "{limits:?}");
        // The year of 数学 is full afterwards; PLC is of the same year and institution.
        let later = Learner::new(four()).after(900, "business", decision.lines.clone());
        let is_full = expected == "m 0003 4";
        let expected = if is_full { "d LIMIT_REACHED" } else { continue };
        assert_eq!(
            short(&later.decide(&set, &[using("d", &[4])])),
            [expected],
            "{limits:?}"
        );
    }
}
