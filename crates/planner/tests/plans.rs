//! Plans against brute force, and what holds of every plan.

#[path = "../../domain/tests/rules/arbitrary.rs"]
mod arbitrary;
#[allow(
    dead_code,
    reason = "the fixture of the domain's tests, of which plans need a part"
)]
#[path = "../../domain/tests/rules/fixture.rs"]
mod fixture;

use creditbank_domain::rules::{
    Amount, Base, Compiled, Decision, Dimension, Form, LineTarget, Maximum, Minimum, Problem, Rule,
    RuleSet, Selector, TargetPlace, Use, evaluate, problem, simulate,
};
use creditbank_planner::{Goal, plan};
use jiff::civil::date;
use proptest::prelude::*;

use self::arbitrary::{a_case, an_outcome};
use self::fixture::*;

/// Most offers for which every choice is tried.
const OFFERS_MAX: usize = 11;

fn credits_of(decision: &Decision) -> u32 {
    decision
        .lines
        .iter()
        .map(|line| line.credits.hundredths())
        .sum()
}

fn spent(uses: &[Use]) -> i64 {
    uses.iter().map(|it| it.outcomes.len() as i64).sum()
}

/// How good a choice is; none if it is refused in part. Larger is better.
fn worth(goal: Goal, uses: &[Use], decision: &Decision) -> Option<(i64, i64)> {
    let (credits, spent) = (i64::from(credits_of(decision)), -spent(uses));
    let complete = decision.progress.missing.is_empty();
    let score = match goal {
        Goal::MostCredits => Some((credits, spent)),
        Goal::FewestOutcomes => complete.then_some((spent, credits)),
    };
    score.filter(|_| decision.refused.is_empty())
}

/// The best of all choices: its worth and its uses, of equal ones that which contains the first offer, and so on.
fn brute(
    set: &Compiled,
    learner: &Learner,
    problem: &Problem,
    goal: Goal,
) -> Option<((i64, i64), Vec<Use>)> {
    let count = problem.offers.len();
    let choices = (0_u32..1 << count).rev();
    let choices = choices.map(|mask| {
        (0..count)
            .map(|at| mask >> (count - 1 - at) & 1 == 1)
            .collect::<Vec<_>>()
    });
    let mut best: Option<((i64, i64), Vec<Use>)> = None;
    for choice in choices {
        let uses = problem.chosen(&choice);
        let decision = evaluate(set, &learner.case(), &uses);
        if let Some(worth) = worth(goal, &uses, &decision)
            && best.as_ref().is_none_or(|(other, _)| *other < worth)
        {
            best = Some((worth, uses));
        }
    }
    best
}

/// Sets that can be completed: a programme of little.
fn little(set: RuleSet, total: u32) -> RuleSet {
    set.with(|it| {
        let programme = &mut it.programmes[0];
        programme.modules[0].courses.truncate(2);
        programme.modules[0].min = credits("4");
        programme.modules[2].min = credits("0");
        programme.total = creditbank_domain::Credit::from_hundredths(total);
    })
}

fn both_goals() -> impl Strategy<Value = Goal> {
    prop_oneof![Just(Goal::MostCredits), Just(Goal::FewestOutcomes)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_global_rejects: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_proved_plan_is_the_best_of_all((set, learner, _) in a_case(), goal in both_goals(), total in 400_u32..1_400) {
        let set = Compiled::new(little(set, total));
        let problem = problem(&set, &learner.case());
        if problem.offers.len() > OFFERS_MAX {
            return Ok(());
        }
        let found = plan(&set, &learner.case(), goal);
        let best = brute(&set, &learner, &problem, goal).or_else(|| brute(&set, &learner, &problem, Goal::MostCredits));
        let (score, uses) = best.expect("the empty choice");
        let goal = if goal == Goal::FewestOutcomes && found.decision.progress.missing.is_empty() { goal } else { Goal::MostCredits };
        // Amounts that share no unit can be too much for the solver, but rarely.
        prop_assume!(found.proven);
        prop_assert_eq!(worth(goal, &found.uses, &found.decision), Some(score));
        prop_assert_eq!(found.uses, uses);
    }

    #[test]
    fn no_plan_fails_evaluation((set, learner, _) in a_case(), goal in both_goals()) {
        let set = Compiled::new(set);
        let found = plan(&set, &learner.case(), goal);
        prop_assert_eq!(&evaluate(&set, &learner.case(), &found.uses), &found.decision);
        prop_assert!(found.decision.refused.is_empty());
    }

    #[test]
    fn no_plan_recognises_less_than_a_simulation((set, learner, _) in a_case()) {
        let set = Compiled::new(set);
        let (_, simulated) = simulate(&set, &learner.case());
        let found = plan(&set, &learner.case(), Goal::MostCredits);
        prop_assert!(credits_of(&simulated) <= credits_of(&found.decision));
    }

    #[test]
    fn the_order_of_inputs_never_changes_a_plan((set, learner, _) in a_case(), goal in both_goals(), by in 0_usize..7) {
        let set = Compiled::new(set);
        let found = plan(&set, &learner.case(), goal);
        let mut learner = learner;
        let by = by % learner.held.len().max(1);
        learner.held.rotate_left(by);
        learner.prior.reverse();
        prop_assert_eq!(plan(&set, &learner.case(), goal), found);
    }

    #[test]
    fn one_more_outcome_never_lowers_the_best_plan((set, learner, _) in a_case(), more in an_outcome(9)) {
        // Of more outcomes not every pool of hours is offered.
        let mut learner = learner;
        learner.held.truncate(5);
        let set = Compiled::new(set);
        let few = plan(&set, &learner.case(), Goal::MostCredits);
        // What was studied is not recognised: that is another matter.
        learner.held.push(more.of("other-college").held());
        let more = plan(&set, &learner.case(), Goal::MostCredits);
        prop_assume!(few.proven && more.proven);
        prop_assert!(credits_of(&few.decision) <= credits_of(&more.decision));
    }
}

fn planned(set: RuleSet, learner: &Learner, goal: Goal) -> Vec<String> {
    let found = plan(&Compiled::new(set), &learner.case(), goal);
    assert!(found.proven);
    short(&found.decision)
}

#[test]
fn a_plan_does_what_a_simulation_does_not() {
    // The first rule wastes the outcome that the third needs.
    let rules = vec![
        course_rule("a", "英语", "0001"),
        course_rule("b", "口语", "0001"),
        course_rule("c", "英语", "0002"),
    ];
    let learner = Learner::new([outcome(1, "英语"), outcome(2, "口语")]);
    let granted = planned(set(rules, vec![]), &learner, Goal::MostCredits);
    assert_eq!(granted, ["b 0001 4", "c 0002 6"]);
}

#[test]
fn a_plan_spends_no_outcome_for_nothing() {
    let rules = vec![elective_rule("a", "证书"), course_rule("b", "英语", "0001")];
    let limits = vec![limit("l", vec![], Maximum::Credits(credits("4")))];
    let learner = Learner::new([
        outcome(1, "证书").worth("1"),
        outcome(2, "英语"),
        outcome(3, "证书").worth("3"),
    ]);
    assert_eq!(
        planned(set(rules, limits), &learner, Goal::MostCredits),
        ["b 0001 4"]
    );
}

#[test]
fn completion_takes_the_fewest_outcomes_and_falls_back_to_credits() {
    let rules = || {
        vec![
            elective_rule("a", "证书"),
            course_rule("b", "英语", "0001"),
            course_rule("c", "数学", "0002"),
        ]
    };
    let learner = Learner::new([
        outcome(1, "证书").worth("1"),
        outcome(2, "证书").worth("1"),
        outcome(3, "证书").worth("2"),
        outcome(4, "英语"),
        outcome(5, "数学"),
    ]);
    let complete = little(set(rules(), vec![]), 1_200)
        .with(|it| it.programmes[0].modules[0].min = credits("10"));
    assert_eq!(
        planned(complete, &learner, Goal::FewestOutcomes),
        ["a free 2", "b 0001 4", "c 0002 6"]
    );
    let out_of_reach = set(rules(), vec![]);
    assert_eq!(
        planned(out_of_reach.clone(), &learner, Goal::FewestOutcomes),
        planned(out_of_reach, &learner, Goal::MostCredits),
    );
}

#[test]
fn completion_heeds_what_must_come_from_outcomes_of_some_kind() {
    let rules = vec![elective_rule("a", "证书"), course_rule("b", "英语", "0001")];
    let learner = Learner::new([
        outcome(1, "证书").worth("4"),
        outcome(2, "证书").worth("2").of("third-college"),
        outcome(3, "证书").worth("2").of("third-college"),
        outcome(4, "英语"),
    ]);
    let asks = |least: &str| {
        let third = Selector {
            institutions: vec![institution("third-college")],
            ..Selector::default()
        };
        let minimum = Minimum {
            id: "third".into(),
            title: wording("third"),
            selector: third,
            credits: credits(least),
        };
        little(set(rules.clone(), vec![]), 800).with(|it| {
            it.programmes[0].modules[0].courses.truncate(1);
            it.programmes[0].minima = vec![minimum];
        })
    };
    let complete = |least| planned(asks(least), &learner, Goal::FewestOutcomes);
    assert_eq!(complete("0"), ["a free 4", "b 0001 4"]);
    assert_eq!(complete("2"), ["a free 4", "a free 2", "b 0001 4"]);
    assert_eq!(complete("2.5"), ["a free 2", "a free 2", "b 0001 4"]);
    // Among many that do not count the few that do are found, and not by trying.
    let many = Learner::new((1..=20).map(|leaf| {
        let issuer = if leaf > 16 {
            "third-college"
        } else {
            "other-college"
        };
        outcome(leaf, "证书").worth("1").of(issuer)
    }));
    let set = asks("4").with(|it| {
        it.programmes[0].modules[0].courses.clear();
        it.programmes[0].modules[0].min = credits("0");
        it.programmes[0].total = credits("5");
    });
    let found = plan(&Compiled::new(set), &many.case(), Goal::FewestOutcomes);
    assert!(found.proven);
    assert_eq!(
        found.uses,
        [1, 17, 18, 19, 20].map(|leaf| using("a", &[leaf]))
    );
}

#[test]
fn of_equal_plans_the_first_in_order_is_taken() {
    let rules = vec![elective_rule("a", "证书"), elective_rule("b", "证书")];
    let limits = vec![limit("l", vec![], Maximum::Outcomes(2))];
    let learner = Learner::new((1..=20).map(|leaf| outcome(leaf, "证书").worth("1")));
    let found = plan(
        &Compiled::new(set(rules, limits)),
        &learner.case(),
        Goal::MostCredits,
    );
    assert!(found.proven);
    assert_eq!(found.uses, [using("a", &[1]), using("a", &[2])]);
}

#[test]
fn hours_are_split_where_a_limit_lets_more_of_less_through() {
    let per_hours = target(TargetPlace::Electives, Amount::PerHours(hours("16")));
    let rule = rule("h", Form::HoursToCredits, named("书法"), vec![per_hours]);
    let third = limit("l", vec![], Maximum::Credits(credits("0.5")))
        .with(|it| it.scope.selector.institutions = vec![institution("third-college")]);
    let learner = Learner::new([
        elder_class(1, "书法", "32", 10),
        elder_class(2, "书法", "32", 10).of("third-college"),
    ]);
    let granted = planned(set(vec![rule], vec![third]), &learner, Goal::MostCredits);
    assert_eq!(granted, ["h free 2", "h free 0.5"]);
}

fn by_hours() -> Vec<Rule> {
    let per_hours = target(TargetPlace::Electives, Amount::PerHours(hours("16")));
    vec![rule(
        "h",
        Form::HoursToCredits,
        named("书法"),
        vec![per_hours],
    )]
}

#[test]
fn of_many_hours_only_those_that_count_are_spent() {
    let cap = limit("l", vec![], Maximum::Credits(credits("3")));
    let set = Compiled::new(set(by_hours(), vec![cap]));
    let learner = Learner::new((1..=12).map(|leaf| elder_class(leaf, "书法", "16", 10)));
    for goal in [Goal::MostCredits, Goal::FewestOutcomes] {
        let found = plan(&set, &learner.case(), goal);
        assert_eq!(
            (credits_of(&found.decision), spent(&found.uses)),
            (300, 3),
            "{goal:?}"
        );
    }
}

#[test]
fn a_learner_who_comes_again_plans_with_what_is_left() {
    let set = set(by_hours(), vec![]);
    let learner = Learner::new((1..=9).map(|leaf| elder_class(leaf, "书法", "8", 10)));
    let first = learner.decide(&set, &[using("h", &[1, 2])]);
    let learner = learner.after(100, "business", first.lines);
    let set = Compiled::new(set);
    let found = plan(&set, &learner.case(), Goal::MostCredits);
    assert_eq!(credits_of(&found.decision), 350);
    let (_, simulated) = simulate(&set, &learner.case());
    assert_eq!(credits_of(&simulated), 350);
}

/// Sixty courses of odd credits, of which every outcome may become any two.
fn too_much() -> (RuleSet, Learner) {
    let courses = (0..60).map(|at| {
        let worth = format!("{}.{:02}", 1 + at % 4, at * 37 % 100);
        let mut course = course(&format!("{at:04}"), &format!("课程第{at}号"), &worth);
        course.tags = vec!["任选".to_owned()];
        course
    });
    let tagged = || target(TargetPlace::Tagged("任选".to_owned()), Amount::Target);
    let rule = |at| {
        let targets = vec![tagged(), tagged()];
        rule(&format!("r{at}"), Form::OneToMany, named("证书"), targets)
    };
    let share = Maximum::CreditShare {
        basis_points: 4_500,
        of: Base::Programme,
    };
    let limits = vec![
        limit(
            "day",
            vec![Dimension::Day],
            Maximum::Credits(credits("7.77")),
        ),
        limit("share", vec![], share),
    ];
    let set = set((0..5).map(rule).collect(), limits).with(|it| {
        it.programmes[0].modules[0].courses = courses.collect();
        it.programmes[0].total = credits("150");
    });
    let day = |leaf: i64| date(2024, 1, 1) + jiff::Span::new().days(leaf * 7 % 5);
    let outcomes = (1..=200).map(|leaf| outcome(leaf, "证书").on(day(leaf as i64)));
    (set, Learner::new(outcomes))
}

#[test]
fn what_is_too_much_to_search_ends_and_is_not_said_to_be_proved() {
    let (set, learner) = too_much();
    let set = Compiled::new(set);
    assert!(!problem(&set, &learner.case()).is_whole);
    let (_, simulated) = simulate(&set, &learner.case());
    let found = plan(&set, &learner.case(), Goal::MostCredits);
    assert!(!found.proven);
    assert!(found.decision.refused.is_empty());
    assert!(credits_of(&simulated) > 0 && credits_of(&simulated) <= credits_of(&found.decision));
    assert_eq!(plan(&set, &learner.case(), Goal::MostCredits), found);
}

#[test]
fn what_is_missing_comes_with_what_could_be_done() {
    let two = rule(
        "m",
        Form::ManyToOne,
        named("高数(上)"),
        vec![to_course("0002")],
    )
    .with(|it| {
        it.slots.push(slot(named("高数(下)")));
        it.slots[1].title = wording("高等数学(下)");
        it.need = 2;
    });
    let rules = vec![
        course_rule("a", "数学", "0002"),
        two,
        course_rule("z", "数学", "9999"),
    ];
    let learner = Learner::new([outcome(1, "高数(上)"), outcome(2, "英语(一)").of("shou")]);
    let found = plan(
        &Compiled::new(set(rules, vec![])),
        &learner.case(),
        Goal::MostCredits,
    );
    let of_course = |code: &str| {
        let steps = found.next_steps.iter().filter(
            |it| matches!(&it.missing, creditbank_domain::rules::Missing::Course(it) if it == code),
        );
        let texts = steps.map(|it| match &it.way {
            creditbank_domain::rules::Way::Study => "study".to_owned(),
            creditbank_domain::rules::Way::Outcome {
                rule, title, with, ..
            } => {
                format!("{rule} {} with {}", title.zh, with.len())
            }
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(
        of_course("0002"),
        ["m 高等数学(下) with 1", "a  with 0", "study"]
    );
    assert_eq!(of_course("0003"), ["study"]);
    assert!(of_course("0001").is_empty());
    assert!(
        found
            .decision
            .lines
            .iter()
            .all(|line| line.to != LineTarget::Nothing)
    );
}
