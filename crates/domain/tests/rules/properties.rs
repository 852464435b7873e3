//! Properties that hold of whatever set, archive and uses are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_domain::outcome::Detail;
use creditbank_domain::rules::{
    Amount, Compiled, Decision, Dimension, Finding, Form, LineTarget, Maximum, Rounding,
    RoundingMode, Rule, RuleSet, SubjectMatch, TargetPlace, Use, candidates, evaluate, simulate,
};
use creditbank_domain::{Credit, Hours, LeafIndex};
use proptest::collection::vec;
use proptest::prelude::*;

use super::arbitrary::a_case;
use super::fixture::*;

/// Whether an outcome's major is what a limit asks for; arbitrary ones name the programme's or none.
fn is_of_subject(learner: &Learner, leaf: LeafIndex, subject: Option<SubjectMatch>) -> bool {
    let mut held = learner.held.iter();
    let found = held.find(|it| it.leaf == leaf).map(|it| &it.outcome.detail);
    let is_same = matches!(found, Some(Detail::DegreeCourse(course)) if course.subject.is_some());
    subject.is_none_or(|subject| is_same == (subject == SubjectMatch::Same))
}

/// Hundredths of credits, courses, outcomes.
type Count = (u64, u64, u64);

/// Everything that a limit counts, now and before, by limit and group.
fn counts(
    set: &RuleSet,
    learner: &Learner,
    decision: &Decision,
) -> BTreeMap<(Arc<str>, Arc<str>), Count> {
    let here = learner.prior.iter().filter(|it| it.programme == "business");
    let earlier = here.flat_map(|it| &it.lines);
    let mut counts = BTreeMap::new();
    let mut outcomes =
        std::collections::BTreeMap::<_, std::collections::BTreeSet<LeafIndex>>::new();
    for line in earlier.chain(&decision.lines) {
        for key in &line.counted.groups {
            let count: &mut (u64, u64, u64) = counts.entry(key.clone()).or_default();
            count.0 += u64::from(line.credits.hundredths());
            count.1 += u64::from(matches!(line.to, LineTarget::Course(_)));
            // An outcome counts where it is: all of a line's are there if the line counts there alone.
            if line
                .counted
                .groups
                .iter()
                .filter(|(id, _)| *id == key.0)
                .count()
                == 1
            {
                let used = outcomes.entry(key.clone()).or_default();
                let limit = set.limits.iter().find(|it| *it.id == *key.0);
                let subject = limit.and_then(|it| it.scope.subject);
                let outcomes = line.outcomes.iter();
                used.extend(outcomes.filter(|leaf| is_of_subject(learner, **leaf, subject)));
                count.2 = used.len() as u64;
            }
        }
    }
    counts
}

/// Uses in the order in which they are decided.
fn canonical(uses: &[Use]) -> Vec<Use> {
    let mut uses = uses.to_vec();
    for it in &mut uses {
        it.outcomes.sort_unstable();
        it.courses.sort_unstable();
        it.courses.dedup();
    }
    uses.sort_unstable();
    uses
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_order_of_inputs_never_changes_a_decision((set, learner, uses) in a_case(), seed in any::<u64>()) {
        let compiled = Compiled::new(set);
        let decision = evaluate(&compiled, &learner.case(), &uses);
        let (mut learner, mut uses) = (learner, uses);
        let turn = |len: usize| seed as usize % len.max(1);
        let by = turn(learner.held.len());
        learner.held.rotate_left(by);
        learner.held.reverse();
        let by = turn(uses.len());
        uses.rotate_left(by);
        for it in &mut uses {
            it.outcomes.reverse();
            it.courses.reverse();
        }
        learner.prior.reverse();
        prop_assert_eq!(evaluate(&compiled, &learner.case(), &uses), decision);
    }

    #[test]
    fn limits_are_never_exceeded((set, learner, uses) in a_case()) {
        let decision = learner.decide(&set, &uses);
        let total = u64::from(set.programmes[0].total.hundredths());
        for ((id, group), (credits, courses, outcomes)) in counts(&set, &learner, &decision) {
            let limit = set.limits.iter().find(|it| *it.id == *id).expect("a limit of the set");
            let share = |whole: u64, basis_points: u16| whole * u64::from(basis_points) / 10_000;
            let (count, max) = match limit.max {
                Maximum::Credits(max) => (credits, max.hundredths().into()),
                Maximum::Courses(max) => (courses, max.into()),
                Maximum::Outcomes(max) => (outcomes, max.into()),
                Maximum::CreditShare { basis_points, .. } => (credits, share(total, basis_points)),
                Maximum::CourseShare { basis_points, .. } => (courses, share(7, basis_points)),
            };
            prop_assert!(count <= max, "{id} {group}: {count} of {max}");
        }
    }

    #[test]
    fn credit_is_conserved((set, learner, uses) in a_case()) {
        let decision = learner.decide(&set, &uses);
        let by_use = decision.lines.chunk_by(|one, other| (&one.rule, &one.outcomes) == (&other.rule, &other.outcomes));
        for lines in by_use.filter(|lines| lines[0].to != LineTarget::Nothing) {
            let of = |leaf: &LeafIndex| learner.held.iter().find(|it| it.leaf == *leaf);
            let sources = lines[0].outcomes.iter().map(|leaf| of(leaf)?.outcome.credits);
            let Some(source) = sources.map(|it| it.map(|it| it.hundredths())).sum::<Option<u32>>() else {
                continue;
            };
            let spent: u32 = lines.iter().map(|it| it.source_credits.hundredths()).sum();
            let unused: u32 = decision.trace.iter()
                .filter(|step| *step.rule == *lines[0].rule && *step.outcomes == *lines[0].outcomes)
                .filter_map(|step| match step.finding {
                    Finding::Remainder { credits, to_electives: false } => Some(credits.hundredths()),
                    _ => None,
                })
                .sum();
            prop_assert!(spent + unused <= source, "{spent} and {unused} of {source}");
            let rules: Vec<&Rule> = set.rules.iter().filter(|it| it.id == lines[0].rule).collect();
            if let [rule] = rules.as_slice()
                && (rule.grant.not_above_source || rule.grant.remainder_to_electives)
            {
                prop_assert_eq!(spent + unused, source);
                let granted: u32 = lines.iter().map(|it| it.credits.hundredths()).sum();
                prop_assert!(!rule.grant.not_above_source || granted <= source);
            }
        }
    }

    #[test]
    fn a_refused_use_takes_nothing((set, learner, uses) in a_case()) {
        // A refusal does not tell courses: of uses that differ in nothing else one is enough.
        let mut uses = canonical(&uses);
        uses.dedup_by(|next, one| (&next.rule, &next.outcomes) == (&one.rule, &one.outcomes));
        let decision = learner.decide(&set, &uses);
        for (at, refused) in decision.refused.iter().enumerate() {
            let mut others = uses.clone();
            others.retain(|it| (&it.rule, &it.outcomes) != (&refused.rule, &refused.outcomes));
            let without = learner.decide(&set, &others);
            prop_assert_eq!(&without.lines, &decision.lines);
            prop_assert_eq!(&without.progress, &decision.progress);
            let mut still = decision.refused.clone();
            still.remove(at);
            prop_assert_eq!(without.refused, still);
        }
    }

    #[test]
    fn lines_tell_a_later_decision_all_that_an_earlier_one_took((set, learner, uses) in a_case(), at in 0_usize..8) {
        let uses = canonical(&uses);
        let (first, second) = uses.split_at(at.min(uses.len()));
        let at_once = learner.decide(&set, &uses);
        let first = learner.decide(&set, first);
        let second = learner.after(901, "business", first.lines.clone()).decide(&set, second);
        prop_assert_eq!([first.lines, second.lines].concat(), at_once.lines);
        prop_assert_eq!(second.progress, at_once.progress);
    }

    #[test]
    fn a_reversal_restores_what_was_before((set, learner, uses) in a_case()) {
        let before = learner.decide(&set, &uses);
        let after = learner.clone().after(901, "business", before.lines.clone());
        let mut reversed = after;
        reversed.prior.retain(|it| it.decision != LeafIndex(901));
        prop_assert_eq!(reversed.decide(&set, &uses), before);
    }

    #[test]
    fn what_was_decided_is_not_decided_again((set, learner, uses) in a_case()) {
        let first = learner.decide(&set, &uses);
        let again = learner.after(901, "business", first.lines.clone()).decide(&set, &uses);
        let used = |line: &creditbank_domain::rules::Line| line.to != LineTarget::Nothing;
        let leaves: std::collections::BTreeSet<_> = first.lines.iter().filter(|it| used(it)).flat_map(|it| &it.outcomes).collect();
        let mut lines = again.lines.iter().filter(|it| used(it));
        prop_assert!(lines.all(|line| line.outcomes.iter().all(|leaf| !leaves.contains(leaf))));
        let mut courses: Vec<_> = first.lines.iter().chain(&again.lines).map(|it| &it.to).filter(|to| matches!(to, LineTarget::Course(_))).collect();
        let count = courses.len();
        courses.sort();
        courses.dedup();
        prop_assert_eq!(courses.len(), count, "a course twice");
    }

    #[test]
    fn every_candidate_is_granted_alone_without_limits((set, learner, _) in a_case()) {
        let set = set.with(|it| it.limits.clear());
        let compiled = Compiled::new(set);
        for candidate in candidates(&compiled, &learner.case()) {
            let decision = evaluate(&compiled, &learner.case(), std::slice::from_ref(&candidate));
            prop_assert!(decision.refused.is_empty() && !decision.lines.is_empty(), "{candidate:?}");
        }
    }

    #[test]
    fn a_simulation_is_an_evaluation((set, learner, _) in a_case()) {
        let compiled = Compiled::new(set);
        let (uses, decision) = simulate(&compiled, &learner.case());
        prop_assert_eq!(evaluate(&compiled, &learner.case(), &uses), decision);
    }

    #[test]
    fn no_numbers_overflow(worth in vec(any::<u32>(), 1..40), ratio in any::<(u16, u16)>(), per in any::<u32>(), unit in any::<u32>(), max in any::<u32>()) {
        let outcomes = (1..).zip(&worth).map(|(leaf, worth)| outcome(leaf, "证书").with(|it| {
            it.draft.credits = Some(Credit::from_hundredths(*worth));
            it.draft.hours = Some(Hours::from_hundredths(*worth));
        }));
        let learner = Learner::new(outcomes);
        let leaves: Vec<u64> = (1..).take(worth.len()).collect();
        let (numerator, denominator) = ratio;
        let amounts = [Amount::Source, Amount::PerHours(Hours::from_hundredths(per)), Amount::Ratio { numerator, denominator }];
        for amount in amounts {
            let rule = rule("r", Form::HoursToCredits, named("证书"), vec![target(TargetPlace::Electives, amount)]);
            let limits = vec![limit("l", vec![Dimension::Outcome], Maximum::Credits(Credit::from_hundredths(max)))];
            let set = set(vec![rule], limits).with(|it| {
                it.rounding = Rounding { unit: Credit::from_hundredths(unit), mode: RoundingMode::HalfUp };
                it.programmes[0].modules[1].max = None;
                it.programmes[0].total = Credit::from_hundredths(u32::MAX);
            });
            let decision = learner.decide(&set, &[using("r", &leaves)]);
            let granted: u64 = decision.lines.iter().map(|it| u64::from(it.credits.hundredths())).sum();
            prop_assert!(granted <= u64::from(max));
        }
    }
}
