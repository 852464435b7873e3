//! Several outcomes for the course that all of them are named like: study waived elsewhere, examination taken here.

use creditbank_domain::Category;
use creditbank_domain::rules::{
    Amount, COMBINATIONS_MAX, Compiled, CourseKind, Finding, Form, Missing, Reason, Rule, Selector,
    TargetPlace, Way, candidates, next_steps,
};

use creditbank_domain::text::Code;

use super::fixture::*;

/// A course studied elsewhere and a certificate of the same name.
fn waived() -> Rule {
    let of = |category| Selector {
        categories: vec![category],
        ..Selector::default()
    };
    let same = target(TargetPlace::SameCourse, Amount::Target);
    rule("w", Form::ManyToOne, of(Category::DegreeCourse), vec![same]).with(|it| {
        it.slots.push(slot(of(Category::SkillCertificate)));
        it.slots[1].title = wording("本校考试");
        it.need = 2;
        it.conditions.except_course_kinds = vec![CourseKind::Thesis];
    })
}

#[test]
fn all_outcomes_must_be_of_the_one_course() {
    let both = |course: &str, examination: &str| {
        under(
            &waived(),
            &[outcome(1, course), certificate(2, examination)],
        )
    };
    assert_eq!(both("英语(一)", "英语Ⅰ"), ["w 0001 4"]);
    let by_code =
        outcome(1, "大学英语").with(|it| it.draft.achievement.code = Code::parse("0001").ok());
    assert_eq!(
        under(&waived(), &[by_code, certificate(2, "英语（1）")]),
        ["w 0001 4"]
    );
    assert_eq!(both("英语(一)", "高等数学"), ["w NOT_ONE_COURSE"]);
    assert_eq!(both("英语(一)", "书法"), ["w NOT_ONE_COURSE"]);
    assert_eq!(both("书法", "书法"), ["w NOT_ONE_COURSE"]);
    assert_eq!(both("毕业论文", "毕业论文"), ["w TARGET_EXCLUDED"]);
    assert_eq!(
        under(&waived(), &[outcome(1, "英语(一)")]),
        ["w SOURCES_TOO_FEW"]
    );
}

#[test]
fn one_outcome_for_a_course_that_is_missing_says_so_as_before() {
    let same = target(TargetPlace::SameCourse, Amount::Target);
    let rule = rule("s", Form::CourseToCourse, Selector::default(), vec![same]);
    assert_eq!(under(&rule, &[outcome(1, "书法")]), ["s TARGET_MISSING"]);
}

#[test]
fn the_refusal_is_in_the_trace() {
    let learner = Learner::new([outcome(1, "英语(一)"), certificate(2, "高等数学")]);
    let decision = learner.decide(&set(vec![waived()], vec![]), &[using("w", &[1, 2])]);
    let last = decision.trace.last().map(|step| &step.finding);
    assert_eq!(last, Some(&Finding::Refused(Reason::NotOneCourse)));
}

#[test]
fn outcomes_are_proposed_by_course_and_not_each_with_each() {
    // More pairs than are ever proposed, of which only these two are of one course.
    let names = ["英语(一)", "高等数学"];
    let many = (0..20).flat_map(|at| {
        let (name, other) = (names[usize::from(at == 19)], format!("课程{at}"));
        [
            outcome(at * 2, if at < 18 { &other } else { name }),
            certificate(at * 2 + 1, if at < 18 { "书法" } else { name }),
        ]
    });
    let learner = Learner::new(many);
    assert!(learner.held.len().pow(2) / 4 > COMBINATIONS_MAX);
    let set = Compiled::new(set(vec![waived()], vec![]));
    assert_eq!(
        candidates(&set, &learner.case()),
        [using("w", &[36, 37]), using("w", &[38, 39])]
    );
}

#[test]
fn what_is_left_to_do_is_told_for_the_course_that_was_studied() {
    let learner = Learner::new([outcome(1, "高等数学")]);
    let set = Compiled::new(set(vec![waived()], vec![]));
    let decision = learner.decide(set.set(), &[]);
    let steps = next_steps(&set, &learner.case(), &decision);
    let by_rule = steps
        .iter()
        .filter_map(|step| match (&step.missing, &step.way) {
            (Missing::Course(course), Way::Outcome { title, with, .. }) => {
                Some((course.as_str(), title.zh.as_str(), with.len()))
            }
            _ => None,
        });
    assert_eq!(by_rule.collect::<Vec<_>>(), [("0002", "本校考试", 1)]);
}
