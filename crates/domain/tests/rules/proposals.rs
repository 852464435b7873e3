//! What a learner's outcomes could be used for.

use creditbank_domain::Category;
use creditbank_domain::rules::{
    Amount, COMBINATIONS_MAX, Compiled, Form, Rule, Selector, TargetPlace, Use, candidates,
    simulate,
};
use jiff::civil::date;

use super::fixture::*;

fn found(rules: Vec<Rule>, learner: &Learner) -> Vec<Use> {
    candidates(&Compiled::new(set(rules, vec![])), &learner.case())
}

#[test]
fn only_uses_that_would_be_granted_are_proposed() {
    let learner = Learner::new([
        outcome(1, "英语"),
        outcome(2, "英语").graded(creditbank_domain::Grade::Percentage(percent("30"))),
        outcome(3, "数学").on(date(2020, 1, 1)),
        outcome(4, "高等数学").of("shou"),
        outcome(5, "电工"),
    ]);
    let rules = vec![
        course_rule("a", "英语", "0001"),
        course_rule("b", "数学", "0003").with(|it| it.conditions.valid_years = Some(5)),
        course_rule("c", "英语", "0002"),
        course_rule("d", "英语", "9999"),
        course_rule("e", "英语", "0003").with(|it| it.conditions.programmes = vec!["law".into()]),
        course_rule("f", "电工", "0003")
            .with(|it| it.effective = days(Some(date(2026, 1, 1)), None)),
        elective_rule("g", "高等数学"),
        elective_rule("h", "电工"),
    ];
    // c is for a course that was studied, g for what shows it.
    assert_eq!(found(rules, &learner), [using("a", &[1]), using("h", &[5])]);
}

#[test]
fn hours_are_proposed_together_and_combinations_one_by_one() {
    let classes = (1..=3).map(|leaf| elder_class(leaf, "书法", "8", 10));
    let courses = [
        outcome(4, "a"),
        outcome(5, "a"),
        outcome(6, "b"),
        outcome(7, "c"),
    ];
    let learner = Learner::new(classes.chain(courses));
    let elder = Selector {
        categories: vec![Category::ElderCourse],
        ..Selector::default()
    };
    let per_hours = target(TargetPlace::Electives, Amount::PerHours(hours("16")));
    let hours = rule("h", Form::HoursToCredits, elder, vec![per_hours]);
    let two_of_three = rule("m", Form::ManyToOne, named("a"), vec![to_course("0002")]).with(|it| {
        it.slots.extend([slot(named("b")), slot(named("c"))]);
        it.need = 2;
    });
    let expected = [
        using("h", &[1, 2, 3]),
        using("m", &[4, 6]),
        using("m", &[4, 7]),
        using("m", &[5, 6]),
        using("m", &[5, 7]),
        using("m", &[6, 7]),
    ];
    assert_eq!(found(vec![two_of_three, hours], &learner), expected);
}

#[test]
fn every_choice_of_courses_is_proposed() {
    let tagged = || target(TargetPlace::Tagged("专业课".into()), Amount::Target);
    let learner = Learner::new([outcome(1, "证书")]);
    let choice = |targets, pick| {
        let rule = rule("r", Form::CertificateToCourses, named("证书"), targets);
        found(vec![rule.with(|it| it.grant.pick = pick)], &learner)
    };
    let one = |code: &str| choosing("r", &[1], &[code]);
    assert_eq!(choice(vec![tagged()], 1), [one("0003"), one("0004")]);
    assert_eq!(
        choice(vec![tagged(), tagged()], 2),
        [choosing("r", &[1], &["0003", "0004"])]
    );
    assert_eq!(
        choice(vec![to_course("0001"), to_course("0002")], 1),
        [one("0001"), one("0002")]
    );
    assert_eq!(
        choice(vec![to_course("0001"), to_course("0002")], 2),
        [using("r", &[1])]
    );
    let electives = target(TargetPlace::Electives, Amount::Source);
    assert_eq!(
        choice(vec![to_course("9999"), electives], 1),
        [using("r", &[1])]
    );
}

#[test]
fn combinations_are_bounded() {
    let learner =
        Learner::new((0..60).map(|leaf| outcome(leaf, if leaf % 2 == 0 { "a" } else { "b" })));
    let rule = rule("m", Form::ManyToOne, named("a"), vec![to_course("0002")]).with(|it| {
        it.slots.push(slot(named("b")));
        it.need = 2;
    });
    assert_eq!(found(vec![rule], &learner).len(), COMBINATIONS_MAX);
}

#[test]
fn a_simulation_is_the_evaluation_of_every_candidate() {
    let rules = vec![
        course_rule("a", "英语", "0001"),
        course_rule("b", "英语", "0003"),
        elective_rule("c", "数学"),
    ];
    let set = Compiled::new(set(rules, vec![]));
    let learner = Learner::new([outcome(1, "英语"), outcome(2, "数学")]);
    let (uses, decision) = simulate(&set, &learner.case());
    assert_eq!(uses, candidates(&set, &learner.case()));
    assert_eq!(
        decision,
        creditbank_domain::rules::evaluate(&set, &learner.case(), &uses)
    );
    assert_eq!(
        short(&decision),
        ["a 0001 4", "c free 4", "b OUTCOME_REPEATED"]
    );
}

#[test]
fn an_outcome_without_hours_does_not_spoil_the_others() {
    let per_hours = target(TargetPlace::Electives, Amount::PerHours(hours("16")));
    let rule = rule(
        "h",
        Form::HoursToCredits,
        Selector::default(),
        vec![per_hours],
    );
    let learner = Learner::new([elder_class(1, "书法", "32", 10), certificate(2, "书法")]);
    assert_eq!(found(vec![rule.clone()], &learner), [using("h", &[1])]);
    assert_eq!(
        found(vec![rule], &Learner::new([certificate(2, "书法")])),
        []
    );
}
