//! Arbitrary sets, learners and uses, small enough that everything in them meets.

use creditbank_domain::outcome::Detail;
use creditbank_domain::rules::{
    Amount, Base, Compiled, Dimension, Excess, Form, Limit, Maximum, Minimum, Rounding,
    RoundingMode, Rule, RuleSet, Selector, SubjectMatch, Target, TargetPlace, Use, candidates,
};
use creditbank_domain::text::Label;
use creditbank_domain::{Credit, Hours};
use jiff::civil::date;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::fixture::*;

const NAMES: [&str; 6] = ["英语", "数学", "电工", "PLC", "书法", "英语(一)"];
const RULES: [&str; 6] = ["r0", "r1", "r2", "r3", "r4", "r5"];

pub(crate) fn an_outcome(leaf: u64) -> impl Strategy<Value = Outcome> {
    let issuer = prop_oneof![Just("other-college"), Just("third-college"), Just("shou")];
    let amounts = (option::of(0_u32..1_000), option::of(0_u32..9_000));
    let of = (issuer, any::<bool>());
    (0..NAMES.len(), of, amounts, 0_i64..900, 50_u32..=100).prop_map(
        move |(name, (issuer, is_same_major), (credit, hour), day, grade)| {
            outcome(leaf, NAMES[name]).of(issuer).with(|it| {
                if let Detail::DegreeCourse(course) = &mut it.draft.detail
                    && is_same_major
                {
                    course.subject = Label::parse("工商管理").ok();
                }
                it.draft.credits = credit.map(Credit::from_hundredths);
                it.draft.hours = hour.map(Hours::from_hundredths);
                it.draft.completed_on = date(2024, 1, 1) + jiff::Span::new().days(day);
                it.draft.grade = Some(creditbank_domain::Grade::Percentage(percent(
                    &grade.to_string(),
                )));
            })
        },
    )
}

fn an_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        Just(Amount::Target),
        Just(Amount::Source),
        (0_u32..900).prop_map(|it| Amount::Fixed(Credit::from_hundredths(it))),
        (0_u32..3_000).prop_map(|it| Amount::PerHours(Hours::from_hundredths(it))),
        (0_u16..5, 0_u16..5).prop_map(|(numerator, denominator)| Amount::Ratio {
            numerator,
            denominator
        }),
    ]
}

fn a_target() -> impl Strategy<Value = Target> {
    let course = prop_oneof![
        Just("0001"),
        Just("0002"),
        Just("0003"),
        Just("0004"),
        Just("9")
    ];
    let place = prop_oneof![
        4 => course.prop_map(|key| TargetPlace::Course(key.to_owned())),
        1 => Just(TargetPlace::SameCourse),
        1 => Just(TargetPlace::Tagged("专业课".to_owned())),
        3 => Just(TargetPlace::Electives),
        1 => Just(TargetPlace::Module("more".to_owned())),
    ];
    (place, an_amount()).prop_map(|(to, amount)| target(to, amount))
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let form = prop_oneof![
        Just(Form::CourseToCourse),
        Just(Form::OneToMany),
        Just(Form::ManyToOne),
        Just(Form::HoursToCredits),
        Just(Form::CertificateToCredits),
        Just(Form::NoCredit),
    ];
    let slots = vec(vec(0..NAMES.len(), 0..3), 1..3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let parts = (0..RULES.len(), form, slots, vec(a_target(), 0..4));
    (parts, 0_u8..4, 0_u8..3, flags, option::of(0_u16..4)).prop_map(
        |((id, form, slots, targets), pick, need, (remainder, not_above, exclusive), years)| {
            let selector = |names: Vec<usize>| Selector {
                achievements: names
                    .into_iter()
                    .map(|it| creditbank_domain::rules::names::key(NAMES[it]))
                    .collect(),
                ..Selector::default()
            };
            rule(RULES[id], form, Selector::default(), targets).with(|it| {
                it.slots = slots
                    .into_iter()
                    .map(|names| slot(selector(names)))
                    .collect();
                (it.grant.pick, it.need, it.exclusive) = (pick, need, exclusive);
                it.grant.remainder_to_electives = remainder;
                it.grant.not_above_source = not_above;
                it.conditions.valid_years = years;
            })
        },
    )
}

fn a_limit(id: usize) -> impl Strategy<Value = Limit> {
    let dimension = prop_oneof![
        Just(Dimension::Outcome),
        Just(Dimension::Achievement),
        Just(Dimension::Institution),
        Just(Dimension::Day),
        Just(Dimension::Category),
        Just(Dimension::Origin),
        (1_i8..=12, 1_i8..=31).prop_map(|(month, day)| Dimension::Year { month, day }),
        (1_i8..=12, 1_i8..=31).prop_map(|(month, day)| Dimension::Semester { month, day }),
    ];
    let max = prop_oneof![
        (0_u32..1_500).prop_map(|it| Maximum::Credits(Credit::from_hundredths(it))),
        (0_u16..4).prop_map(Maximum::Courses),
        (0_u16..4).prop_map(Maximum::Outcomes),
        (0_u16..10_000).prop_map(|basis_points| Maximum::CreditShare {
            basis_points,
            of: Base::Programme
        }),
        (0_u16..10_000).prop_map(|basis_points| Maximum::CourseShare {
            basis_points,
            of: Base::Scope
        }),
    ];
    let subject = prop_oneof![
        4 => Just(None),
        1 => Just(Some(SubjectMatch::Same)),
        1 => Just(Some(SubjectMatch::Other)),
    ];
    let flags = (any::<bool>(), any::<bool>(), subject);
    (vec(dimension, 0..3), max, flags).prop_map(move |(per, max, (refuse, electives, subject))| {
        limit(&format!("l{id}"), per, max).with(|it| {
            it.excess = if refuse { Excess::Refuse } else { Excess::Trim };
            it.scope.electives_only = electives;
            it.scope.subject = subject;
        })
    })
}

/// Credit that must come from one of the institutions.
fn a_minimum() -> impl Strategy<Value = Minimum> {
    let issuer = prop_oneof![Just("other-college"), Just("third-college")];
    (issuer, 0_u32..800).prop_map(|(issuer, credits)| Minimum {
        id: "minimum".to_owned(),
        title: wording("minimum"),
        selector: Selector {
            institutions: vec![institution(issuer)],
            ..Selector::default()
        },
        credits: Credit::from_hundredths(credits),
    })
}

pub(crate) fn a_set() -> impl Strategy<Value = RuleSet> {
    let mode = prop_oneof![
        Just(RoundingMode::Floor),
        Just(RoundingMode::HalfUp),
        Just(RoundingMode::HalfEven)
    ];
    let limits = (
        option::of(a_limit(0)),
        option::of(a_limit(1)),
        option::of(a_limit(2)),
    );
    let parts = (vec(a_rule(), 1..7), limits, option::of(a_minimum()));
    (parts, 0_u32..150, mode).prop_map(|((rules, (a, b, c), minimum), unit, mode)| {
        set(rules, [a, b, c].into_iter().flatten().collect()).with(|it| {
            it.rounding = Rounding {
                unit: Credit::from_hundredths(unit),
                mode,
            };
            it.programmes[0].subject_names = vec!["工商管理".to_owned()];
            it.programmes[0].minima.extend(minimum);
        })
    })
}

pub(crate) fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    (0_usize..7).prop_flat_map(|count| (1..=count as u64).map(an_outcome).collect::<Vec<_>>())
}

fn a_use() -> impl Strategy<Value = Use> {
    let courses = prop_oneof![Just("0001"), Just("0003"), Just("0004"), Just("9")];
    (0..RULES.len(), vec(0_u64..8, 0..4), vec(courses, 0..3))
        .prop_map(|(rule, outcomes, courses)| choosing(RULES[rule], &outcomes, &courses))
}

/// A case with an earlier decision about the first half of what was proposed.
pub(crate) fn a_case() -> impl Strategy<Value = (RuleSet, Learner, Vec<Use>)> {
    (
        a_set(),
        outcomes(),
        vec(a_use(), 0..6),
        vec(a_use(), 0..4),
        any::<bool>(),
    )
        .prop_map(|(set, outcomes, uses, earlier, here)| {
            let mut learner = Learner::new(outcomes);
            let lines = learner.decide(&set, &earlier).lines;
            if !lines.is_empty() {
                learner = learner.after(900, if here { "business" } else { "law" }, lines);
            }
            let compiled = Compiled::new(set.clone());
            let found = candidates(&compiled, &learner.case());
            (
                set,
                learner,
                if here { [uses, found].concat() } else { uses },
            )
        })
}
