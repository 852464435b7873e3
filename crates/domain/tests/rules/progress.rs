//! Where a learner stands, and what is missing.

use creditbank_domain::outcome::{LearningStage, SkillLevel};
use creditbank_domain::rules::{
    Amount, Compiled, Form, Language, LevelFloor, Minimum, Missing, Progress, Review, Rule,
    RuleSet, Selector, TargetPlace, Way, explain, explain_next, next_steps,
};

use super::fixture::*;

fn missing(progress: &Progress) -> Vec<String> {
    let text = |missing: &Missing| match missing {
        Missing::Course(code) => code.clone(),
        Missing::Module { module, credits } => format!("{module} {credits}"),
        Missing::Residency(credits) => format!("residency {credits}"),
        Missing::AtLevel(credits) => format!("level {credits}"),
        Missing::Minimum { minimum, credits } => format!("{minimum} {credits}"),
        Missing::Total(credits) => format!("total {credits}"),
    };
    progress.missing.iter().map(text).collect()
}

fn rules() -> Vec<Rule> {
    let block = target(TargetPlace::Module("more".into()), Amount::Source);
    vec![
        course_rule("a", "英语", "0001"),
        elective_rule("e", "证书"),
        rule("m", Form::BlockTransfer, named("专科"), vec![block]),
    ]
}

#[test]
fn studied_and_recognised_credit_add_up_and_the_rest_is_missing() {
    let learner = Learner::new([
        outcome(1, "英语"),
        outcome(2, "高等数学").of("shou"),
        outcome(3, "高等数学").of("shou"),
        outcome(4, "艺术欣赏").of("shou"),
        outcome(5, "专科").worth("3"),
    ]);
    let set = set(rules(), vec![]).with(|it| it.programmes[0].residency = credits("10"));
    let first = learner.decide(&set, &[using("a", &[1])]);
    assert_eq!(
        missing(&first.progress),
        [
            "0003",
            "0004",
            "0005",
            "0006",
            "required 19",
            "more 4",
            "residency 2",
            "total 48",
        ]
    );
    let learner = learner.after(900, "business", first.lines);
    let second = learner.decide(&set, &[using("m", &[5])]);
    let progress = &second.progress;
    assert_eq!(
        (progress.studied, progress.recognised),
        (credits("8"), credits("7"))
    );
    let modules = progress
        .modules
        .iter()
        .map(|it| (it.module.as_str(), it.credits));
    let expected = [
        ("required", credits("10")),
        ("free", credits("2")),
        ("more", credits("3")),
    ];
    assert_eq!(modules.collect::<Vec<_>>(), expected);
    assert_eq!(
        missing(progress),
        [
            "0003",
            "0004",
            "0005",
            "0006",
            "required 19",
            "more 1",
            "residency 2",
            "total 45",
        ]
    );
}

#[test]
fn studied_wins_over_recognised_and_both_count_once() {
    let set = set(rules(), vec![]);
    let learner = Learner::new([outcome(1, "英语")]);
    let first = learner.decide(&set, &[using("a", &[1])]).lines;
    let both = [outcome(1, "英语"), outcome(2, "英语(一)").of("shou")];
    let progress = Learner::new(both)
        .after(900, "business", first)
        .decide(&set, &[])
        .progress;
    assert_eq!(
        (progress.studied, progress.recognised),
        (credits("4"), credits("0"))
    );
    assert_eq!(progress.modules[0].credits, credits("4"));
}

#[test]
fn a_module_counts_up_to_its_maximum_only() {
    let set = set(rules(), vec![]).with(|it| it.programmes[0].modules[0].max = Some(credits("3")));
    let progress = Learner::new([outcome(1, "英语")])
        .decide(&set, &[using("a", &[1])])
        .progress;
    assert_eq!(progress.modules[0].credits, credits("3"));
    assert_eq!(
        missing(&progress).last().map(String::as_str),
        Some("total 57")
    );
}

#[test]
fn credit_at_a_level_is_that_of_the_lowest_outcome() {
    let levels = |it: &mut RuleSet| {
        it.framework.stages = vec![(LearningStage::JuniorCollege, level(5))];
        it.framework.skills = vec![(SkillLevel::Intermediate, level(3))];
        it.programmes[0].at_level = Some((level(5), credits("20")));
    };
    let many = rule("n", Form::ManyToOne, named("英语"), vec![to_course("0001")]).with(|it| {
        it.slots.push(slot(named("口语")));
        it.need = 2;
        it.conditions.min_level = LevelFloor::Any;
    });
    let set = set(vec![rules().remove(0), many], vec![]).with(levels);
    let lack = |learner: Learner, uses: &[_]| {
        let progress = learner.decide(&set, uses).progress;
        missing(&progress)
            .into_iter()
            .find(|it| it.starts_with("level"))
    };
    let high = || {
        Learner::new([
            outcome(1, "英语"),
            certificate(2, "口语"),
            outcome(3, "高等数学").of("shou"),
        ])
    };
    assert_eq!(lack(high(), &[]), Some("level 14".to_owned()));
    assert_eq!(
        lack(high(), &[using("a", &[1])]),
        Some("level 10".to_owned())
    );
    assert_eq!(
        lack(high(), &[using("n", &[1, 2])]),
        Some("level 14".to_owned())
    );
}

/// 20 credits of what Nanjing or the institution itself deposited.
fn accredited() -> Minimum {
    Minimum {
        id: "accredited".into(),
        title: wording("评价认定课程"),
        selector: Selector {
            institutions: vec![institution("other-college"), institution("shou")],
            ..Selector::default()
        },
        credits: credits("20"),
    }
}

#[test]
fn a_minimum_counts_credit_whose_outcomes_are_all_of_its_kind() {
    let many = rule("n", Form::ManyToOne, named("英语"), vec![to_course("0001")]).with(|it| {
        it.slots.push(slot(named("口语")));
        it.need = 2;
    });
    let set = set(vec![rules().remove(0), many], vec![])
        .with(|it| it.programmes[0].minima = vec![accredited()]);
    let lack = |learner: &Learner, uses: &[_]| {
        let missing = missing(&learner.decide(&set, uses).progress);
        let mut missing = missing.into_iter();
        missing.find(|it| it.starts_with("accredited"))
    };
    let mixed = Learner::new([
        outcome(1, "英语"),
        outcome(2, "口语").of("third-college"),
        outcome(3, "高等数学").of("shou"),
        outcome(4, "英语").of("third-college"),
    ]);
    let is = |credits: &str| Some(format!("accredited {credits}"));
    // What was studied counts by who deposited it.
    assert_eq!(lack(&mixed, &[]), is("14"));
    assert_eq!(lack(&mixed, &[using("a", &[1])]), is("10"));
    assert_eq!(lack(&mixed, &[using("a", &[4])]), is("14"));
    assert_eq!(lack(&mixed, &[using("n", &[1, 2])]), is("14"));
    // An earlier decision counts as long as its outcomes are in the archive.
    let lines = mixed.decide(&set, &[using("a", &[1])]).lines;
    let later = mixed.clone().after(900, "business", lines.clone());
    assert_eq!(lack(&later, &[]), is("10"));
    let gone = Learner::new([outcome(3, "高等数学").of("shou")]).after(900, "business", lines);
    assert_eq!(lack(&gone, &[]), is("14"));
}

#[test]
fn a_minimum_is_met_to_the_hundredth() {
    let lacks = |least: &str| {
        let set = set(rules(), vec![]).with(|it| {
            it.programmes[0].minima = vec![Minimum {
                credits: credits(least),
                ..accredited()
            }];
        });
        let learner = Learner::new([outcome(1, "英语")]);
        let progress = learner.decide(&set, &[using("a", &[1])]).progress;
        missing(&progress)
            .iter()
            .any(|it| it.starts_with("accredited"))
    };
    assert!(!lacks("4"));
    assert!(lacks("4.01"));
}

#[test]
fn what_a_minimum_lacks_is_said_with_the_rules_that_serve_it() {
    let from = |name: &str, issuer: &str| {
        let mut selector = named(name);
        selector.institutions = vec![institution(issuer)];
        selector
    };
    let electives = || target(TargetPlace::Electives, Amount::Source);
    let rule = |id, selector| rule(id, Form::CertificateToCredits, selector, vec![electives()]);
    let set = set(
        vec![
            rule("本校课程", from("英语", "shou")),
            rule("外校课程", from("英语", "third-college")),
            rule("随便", named("英语")),
        ],
        vec![],
    );
    let set = Compiled::new(set.with(|it| it.programmes[0].minima = vec![accredited()]));
    let learner = Learner::new([]);
    let decision = learner.decide(set.set(), &[]);
    let said = explain(&set, &decision, &[], Language::Chinese);
    assert!(
        said.contains(&"“评价认定课程”还差 20 学分。".to_owned()),
        "{said:?}"
    );
    let steps = next_steps(&set, &learner.case(), &decision);
    let of_minimum: Vec<_> = steps
        .into_iter()
        .filter(|it| matches!(it.missing, Missing::Minimum { .. }))
        .collect();
    assert!(of_minimum.iter().all(|it| it.way != Way::Study));
    assert_eq!(
        explain_next(&set, &decision, &of_minimum, Language::English),
        [
            "Still missing: 20 credits of “评价认定课程”. One more outcome under the rule “本校课程” would do."
        ]
    );
}

#[test]
fn nothing_is_missing_from_a_complete_programme() {
    let set = set(rules(), vec![]).with(|it| {
        it.programmes[0].modules.remove(0);
        it.programmes[0].total = credits("4");
    });
    let decision = Learner::new([outcome(1, "专科")]).decide(&set, &[using("m", &[1])]);
    assert_eq!(decision.progress.missing, []);
}

#[test]
fn a_decision_is_automatic_if_every_rule_that_grants_asks_for_nobody() {
    let with = |a, e| {
        let mut rules = rules();
        rules[0].review = a;
        rules[1].review = e;
        let learner = Learner::new([outcome(1, "英语"), outcome(2, "证书"), outcome(3, "语文")]);
        let set = set(rules, vec![]);
        let automatic = |uses: &[_]| learner.decide(&set, uses).automatic;
        (
            automatic(&[using("a", &[1])]),
            automatic(&[using("a", &[1]), using("e", &[2])]),
            automatic(&[using("a", &[1]), using("e", &[3])]),
            automatic(&[using("a", &[3])]),
        )
    };
    assert_eq!(with(Review::None, Review::None), (true, true, true, false));
    assert_eq!(
        with(Review::None, Review::Catalogued),
        (true, false, true, false)
    );
    assert_eq!(
        with(Review::Uncatalogued, Review::None),
        (false, false, false, false)
    );
}
