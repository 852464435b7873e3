//! Limits that look at majors and at units: who is in another major, and what is the same achievement again.

use creditbank_domain::outcome::{DegreeCourse, Detail};
use creditbank_domain::rules::{Dimension, Excess, Maximum, RuleSet, SubjectMatch};
use creditbank_domain::text::Label;
use jiff::civil::date;

use super::fixture::*;

/// A degree course that was studied in a major.
fn studied_in(leaf: u64, name: &str, subject: &str) -> Outcome {
    outcome(leaf, name).with(|it| match &mut it.draft.detail {
        Detail::DegreeCourse(DegreeCourse { subject: major, .. }) => {
            *major = Label::parse(subject).ok();
        }
        _ => unreachable!("an outcome is a degree course"),
    })
}

/// At most one course of those in the same or in another major than 工商管理, which is also called 企业管理.
fn one_course(subject: SubjectMatch) -> RuleSet {
    let rules = vec![
        course_rule("a", "英语", "0001"),
        course_rule("b", "数学", "0002"),
        course_rule("c", "电工", "0003"),
    ];
    let limit = limit("l", vec![], Maximum::Courses(1)).with(|it| it.scope.subject = Some(subject));
    set(rules, vec![limit]).with(|it| {
        it.programmes[0].subject_names = vec!["工商管理".into(), "企业管理".into()];
        it.abbreviations = vec![("工管".into(), "工商管理".into())];
    })
}

/// The rules that grant something where all three courses were studied in these majors.
fn granted(set: &RuleSet, subjects: [&str; 3]) -> String {
    let names = ["英语", "数学", "电工"];
    let outcomes = (1..).zip(names).zip(subjects);
    let learner =
        Learner::new(outcomes.map(|((leaf, name), subject)| studied_in(leaf, name, subject)));
    let uses = [using("a", &[1]), using("b", &[2]), using("c", &[3])];
    let decision = learner.decide(set, &uses);
    decision.lines.iter().map(|it| it.rule.as_str()).collect()
}

#[test]
fn a_limit_may_be_for_another_major_or_for_the_same_one_only() {
    let (other, same) = (
        one_course(SubjectMatch::Other),
        one_course(SubjectMatch::Same),
    );
    // By name in any spelling, by another name, by a short name, by code.
    for subject in ["工商管理", "工 商 管 理", "企业管理", "工管", "1202"] {
        assert_eq!(granted(&other, [subject; 3]), "abc", "{subject}");
        assert_eq!(granted(&same, [subject; 3]), "a", "{subject}");
    }
    for subject in ["历史学", "工商管理(物流)", "120", "12021"] {
        assert_eq!(granted(&other, [subject; 3]), "a", "{subject}");
        assert_eq!(granted(&same, [subject; 3]), "abc", "{subject}");
    }
    assert_eq!(granted(&other, ["历史学", "企业管理", "法学"]), "ab");
}

#[test]
fn a_major_that_is_not_known_counts_as_another() {
    let other = one_course(SubjectMatch::Other);
    assert_eq!(granted(&other, ["", "", ""]), "a");
    assert_eq!(
        granted(&one_course(SubjectMatch::Same), ["", "", ""]),
        "abc"
    );
    // A programme that does not say what its major is called has no course of it.
    let nameless = other.with(|it| {
        it.programmes[0].subject_names.clear();
        it.programmes[0].subject.clear();
    });
    assert_eq!(granted(&nameless, ["工商管理", "", "企业管理"]), "a");
}

/// Elective credit of certificates, each achievement once.
fn once() -> RuleSet {
    let rules = vec![elective_rule("e", "单元甲"), elective_rule("f", "单元乙")];
    let limit = limit("once", vec![Dimension::Achievement], Maximum::Outcomes(1))
        .with(|it| it.excess = Excess::Refuse);
    set(rules, vec![limit]).with(|it| it.abbreviations = vec![("甲".into(), "单元甲".into())])
}

#[test]
fn an_achievement_counts_once_however_it_is_written() {
    let learner = Learner::new([
        certificate(1, "单元甲").worth("1"),
        certificate(2, "“单元 甲”").worth("2").of("third-college"),
        certificate(3, "甲").worth("1").on(date(2025, 1, 1)),
        certificate(4, "单元乙").worth("1"),
    ]);
    let uses = [
        using("e", &[1]),
        using("e", &[2]),
        using("e", &[3]),
        using("f", &[4]),
    ];
    let decision = learner.decide(&once(), &uses);
    assert_eq!(
        short(&decision),
        ["e free 1", "f free 1", "e LIMIT_REACHED", "e LIMIT_REACHED"]
    );
    let groups = decision.lines.iter().flat_map(|it| &it.counted.groups);
    let groups: Vec<&str> = groups.map(|(_, group)| &**group).collect();
    assert_eq!(groups, ["单元甲", "单元乙"]);
}

#[test]
fn an_achievement_that_an_earlier_decision_counted_counts_no_more() {
    let both = || {
        [
            certificate(1, "单元甲").worth("1"),
            certificate(2, "单元甲").worth("2"),
        ]
    };
    let first = Learner::new(both()).decide(&once(), &[using("e", &[2])]);
    // Even where the outcome that it counted has left the archive.
    for held in [both().to_vec(), both()[..1].to_vec()] {
        let later = Learner::new(held).after(900, "business", first.lines.clone());
        let decision = later.decide(&once(), &[using("e", &[1])]);
        assert_eq!(short(&decision), ["e LIMIT_REACHED"]);
    }
}
