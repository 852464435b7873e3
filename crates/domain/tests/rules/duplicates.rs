//! Nothing counts twice: outcomes, courses, wholes and their parts, purposes.

use creditbank_domain::LeafIndex;
use creditbank_domain::outcome::ObtainedBy;
use creditbank_domain::rules::{Place, Reason, RuleSet, Whole, names};

use super::fixture::*;

fn rules() -> Vec<creditbank_domain::rules::Rule> {
    vec![
        course_rule("a", "英语", "0001"),
        course_rule("b", "外语", "0001"),
        course_rule("c", "英语", "0002"),
        elective_rule("e", "证书"),
    ]
}

#[test]
fn an_outcome_is_used_once_in_a_proposal() {
    let learner = Learner::new([outcome(1, "英语")]);
    let set = set(rules(), vec![]);
    let decide = |uses: &[_]| short(&learner.decide(&set, uses));
    assert_eq!(
        decide(&[using("a", &[1]), using("c", &[1])]),
        ["a 0001 4", "c OUTCOME_REPEATED"]
    );
    assert_eq!(
        decide(&[using("a", &[1]), using("a", &[1])]),
        ["a 0001 4", "a OUTCOME_REPEATED"]
    );
    assert_eq!(decide(&[using("a", &[1, 1])]), ["a OUTCOME_REPEATED"]);
}

#[test]
fn unknown_things_are_refused_by_name() {
    let learner = Learner::new([outcome(1, "英语")]);
    let set = set(rules(), vec![]);
    let decide = |uses: &[_]| short(&learner.decide(&set, uses));
    assert_eq!(decide(&[using("none", &[1])]), ["none RULE_UNKNOWN"]);
    assert_eq!(decide(&[using("a", &[7])]), ["a OUTCOME_UNKNOWN"]);
    let many: Vec<u64> = (1..=257).collect();
    assert_eq!(decide(&[using("a", &many)]), ["a SOURCES_TOO_MANY"]);
    let set = set.with(|it: &mut RuleSet| it.programmes.clear());
    let decision = learner.decide(&set, &[using("a", &[1])]);
    assert_eq!(short(&decision), ["a PROGRAMME_UNKNOWN"]);
    assert_eq!(decision.progress, Default::default());
}

#[test]
fn a_leaf_that_stands_for_two_outcomes_is_neither() {
    let twice = Learner::new([outcome(1, "英语"), outcome(1, "英语")]);
    let both = Learner::new([outcome(1, "英语"), outcome(1, "外语")]);
    let set = set(rules(), vec![]);
    assert_eq!(
        short(&twice.decide(&set, &[using("a", &[1])])),
        ["a 0001 4"]
    );
    assert_eq!(
        short(&both.decide(&set, &[using("a", &[1])])),
        ["a OUTCOME_UNKNOWN"]
    );
}

#[test]
fn a_course_is_recognised_once() {
    let learner = Learner::new([outcome(1, "英语"), outcome(2, "外语")]);
    let set = set(rules(), vec![]);
    let first = learner.decide(&set, &[using("a", &[1])]);
    let both = learner.decide(&set, &[using("b", &[2]), using("a", &[1])]);
    assert_eq!(short(&both), ["a 0001 4", "b ALREADY_RECOGNISED"]);
    let learner = learner.after(900, "business", first.lines);
    assert_eq!(
        short(&learner.decide(&set, &[using("b", &[2])])),
        ["b ALREADY_RECOGNISED"]
    );
}

#[test]
fn a_course_that_was_studied_is_not_recognised() {
    let studied = |change: fn(&mut Outcome)| outcome(2, "英语(一)").of("shou").with(change);
    let fail = creditbank_domain::Grade::Percentage(percent("10"));
    let cases: Vec<(Outcome, &str)> = vec![
        (studied(|_| ()), "a ALREADY_STUDIED"),
        (studied(|_| ()).of("other-college"), "a 0001 4"),
        (studied(|_| ()).graded(fail), "a 0001 4"),
        (
            studied(|_| ()).on(APPLIED.tomorrow().expect("a day")),
            "a 0001 4",
        ),
        (
            studied(|it| it.draft.obtained_by = Some(ObtainedBy::Recognition)),
            "a 0001 4",
        ),
    ];
    for (other, expected) in cases {
        let learner = Learner::new([outcome(1, "英语"), other]);
        assert_eq!(
            short(&learner.decide(&set(rules(), vec![]), &[using("a", &[1])])),
            [expected]
        );
    }
}

#[test]
fn what_was_studied_in_the_programme_is_no_source_for_it() {
    let rules = vec![elective_rule("e", "英语(一)"), elective_rule("f", "口语")];
    let learner = Learner::new([
        outcome(1, "英语(一)").of("shou"),
        outcome(2, "口语").of("shou"),
    ]);
    let decision = learner.decide(&set(rules, vec![]), &[using("e", &[1]), using("f", &[2])]);
    assert_eq!(short(&decision), ["f free 4", "e ALREADY_STUDIED"]);
}

#[test]
fn an_outcome_is_used_once_for_a_purpose_and_an_exclusive_one_for_one_purpose_at_all() {
    let exclusive = |exclusive| {
        vec![
            elective_rule("e", "证书").with(|it| it.exclusive = exclusive),
            elective_rule("f", "证书"),
        ]
    };
    let decide = |first: &str, second: &str, programme: &str| {
        let set = set(exclusive(true), vec![]);
        let learner = Learner::new([outcome(1, "证书")]);
        let earlier = learner.decide(&set, &[using(first, &[1])]).lines;
        let decision = learner
            .after(900, programme, earlier)
            .decide(&set, &[using(second, &[1])]);
        decision.refused.first().map(|it| it.reason.clone())
    };
    let decision = LeafIndex(900);
    let here = Some(Reason::AlreadyUsed { decision });
    let elsewhere = Some(Reason::UsedElsewhere { decision });
    assert_eq!(decide("f", "f", "business"), here);
    assert_eq!(decide("f", "f", "law"), None);
    assert_eq!(decide("f", "e", "law"), elsewhere);
    assert_eq!(decide("e", "f", "law"), elsewhere);
    assert_eq!(decide("e", "e", "business"), here);
}

/// 专科 contains 电工 and 英语, 电工 contains 电路.
fn wholes(it: &mut RuleSet) {
    let whole = |whole: &str, parts: &[&str]| Whole {
        whole: names::key(whole),
        parts: parts.iter().map(|part| names::key(part)).collect(),
        clause: String::new(),
        place: Place::default(),
    };
    it.wholes = vec![
        whole("专科", &["电工", "英语"]),
        whole("电工", &["电路", "专科"]),
    ];
}

#[test]
fn credit_on_a_whole_excludes_credit_on_its_parts_however_far() {
    let rules: Vec<_> = ["专科", "电工", "电路", "英语", "语文"]
        .into_iter()
        .map(|name| elective_rule(name, name))
        .collect();
    let set = set(rules, vec![]).with(wholes);
    let cases = [
        ("专科", "电工", true),
        ("专科", "电路", true),
        ("电路", "专科", true),
        ("英语", "专科", true),
        ("电工", "英语", true),
        ("专科", "专科", false),
        ("语文", "专科", false),
    ];
    for (one, other, related) in cases {
        let outcomes = [outcome(1, one).worth("1"), outcome(2, other).worth("1")];
        let learner = Learner::new(outcomes.clone());
        let together = learner.decide(&set, &[using(one, &[1]), using(other, &[2])]);
        assert_eq!(
            together.lines.len(),
            if related { 1 } else { 2 },
            "{one} and {other}"
        );
        let first = learner.decide(&set, &[using(one, &[1])]).lines;
        let later = learner
            .after(900, "business", first)
            .decide(&set, &[using(other, &[2])]);
        let reason = later.refused.first().map(|it| it.reason.clone());
        let expected = related.then_some(Reason::WholeAndPart {
            other: LeafIndex(1),
        });
        assert_eq!(reason, expected, "{one}, then {other}");
    }
}

#[test]
fn a_whole_and_its_part_are_not_two_sources_of_one_use() {
    let rule = rule(
        "m",
        creditbank_domain::rules::Form::ManyToOne,
        named("专科"),
        vec![to_course("0002")],
    )
    .with(|it| {
        it.slots.push(slot(named("电路")));
        it.need = 2;
    });
    let set = set(vec![rule], vec![]).with(wholes);
    let learner = Learner::new([outcome(1, "专科"), outcome(2, "电路")]);
    assert_eq!(
        short(&learner.decide(&set, &[using("m", &[1, 2])])),
        ["m WHOLE_AND_PART"]
    );
}

#[test]
fn a_part_that_was_studied_excludes_the_whole() {
    let rules = vec![elective_rule("e", "专科")];
    let whole = Whole {
        whole: names::key("专科"),
        parts: vec![names::key("英语(一)")],
        clause: String::new(),
        place: Place::default(),
    };
    let set = set(rules, vec![]).with(|it| it.wholes = vec![whole]);
    let learner = Learner::new([outcome(1, "专科"), outcome(2, "英语(一)").of("shou")]);
    assert_eq!(
        short(&learner.decide(&set, &[using("e", &[1])])),
        ["e WHOLE_AND_PART"]
    );
}
