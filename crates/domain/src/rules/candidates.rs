//! What a learner's outcomes could be used for: every use that would be granted alone.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Use};
use super::compile::Compiled;
use super::evaluate::{Aim, Context, State, aim, conditions, identity, would_grant};
use super::evaluate::{is_nothing, meets_slot};
use super::index::SlotRef;
use super::rule::{Amount, Form, OUTCOMES_PER_USE_MAX, Rule, TargetPlace};

/// Most combinations of outcomes that are proposed for one rule.
pub const COMBINATIONS_MAX: usize = 256;
/// Most choices of courses that are proposed for one combination.
pub const CHOICES_MAX: usize = 64;
/// Most outcomes of which every part is offered to a plan as a pool of hours.
const POOL_OUTCOMES_MAX: usize = 6;
/// Most steps of a search for combinations.
const STEPS_MAX: u32 = 16_384;

/// Every use that would be granted alone, before limits, in canonical order. Rules are found by what they select, never
/// by looking at all of them.
///
/// Hours-to-credits gives one use with all outcomes that match. A rule of several outcomes gives each smallest
/// combination, at most [`COMBINATIONS_MAX`]; one with a choice of courses each choice, at most [`CHOICES_MAX`].
/// `evaluate` of them all is a simulation.
#[must_use]
pub fn candidates(set: &Compiled, case: &Case<'_>) -> Vec<Use> {
    let context = Context::new(set, case);
    context.as_ref().map(candidates_in).unwrap_or_default()
}

/// The same, for a case that is made ready.
pub(super) fn candidates_in(context: &Context<'_>) -> Vec<Use> {
    let mut state = State::unlimited(context);
    let matches = matches(context);
    let mut found = Vec::new();
    for of_rule in matches.chunk_by(|one, other| one.0.rule == other.0.rule) {
        let rule = context.set.rule(of_rule[0].0.rule);
        for_each_combination(context, rule, of_rule, |outcomes| {
            propose(&mut state, rule, outcomes, |proposed| found.push(proposed));
        });
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A use with its version of the rule and the places of its outcomes in the archive.
pub(super) type Found<'a> = (&'a Rule, Vec<usize>, Use);

/// The candidates that grant credit, in canonical order. For hours-to-credits also parts of what matches: with few
/// outcomes each, else what the limits of `limited` count together, and everything else.
pub(super) fn offers_in<'a>(context: &'a Context<'a>, limited: &mut State<'a>) -> Vec<Found<'a>> {
    let mut state = State::unlimited(context);
    let matches = matches(context);
    let mut found: Vec<Found<'a>> = Vec::new();
    for of_rule in matches.chunk_by(|one, other| one.0.rule == other.0.rule) {
        let rule = context.set.rule(of_rule[0].0.rule);
        if is_nothing(rule) {
            continue;
        }
        let mut offer = |outcomes: &[usize]| {
            propose(&mut state, rule, outcomes, |proposed| {
                found.push((rule, outcomes.to_vec(), proposed));
            });
        };
        for_each_combination(context, rule, of_rule, |outcomes| match rule.form {
            Form::HoursToCredits => {
                let pools = pools(limited, rule, outcomes);
                pools.iter().for_each(|pool| offer(pool));
            }
            _ => offer(outcomes),
        });
    }
    found.sort_unstable_by(|one, other| one.2.cmp(&other.2));
    found.dedup_by(|one, other| one.2 == other.2);
    found
}

/// Parts of the outcomes that an hours-to-credits rule matches.
fn pools(limited: &mut State<'_>, rule: &Rule, all: &[usize]) -> Vec<Vec<usize>> {
    if all.len() <= POOL_OUTCOMES_MAX {
        let of_mask = |mask: usize| {
            let chosen = all.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
            chosen.map(|(_, outcome)| *outcome).collect()
        };
        return (1..1 << all.len()).map(of_mask).collect();
    }
    let mut classes: BTreeMap<Vec<(usize, usize)>, Vec<usize>> = BTreeMap::new();
    for at in all {
        let groups = limited.groups(rule, *at);
        classes.entry(groups).or_default().push(*at);
    }
    let without = |class: &Vec<usize>| {
        all.iter()
            .copied()
            .filter(|at| !class.contains(at))
            .collect()
    };
    let others = classes.values().map(without);
    let mut pools: Vec<Vec<usize>> = classes.values().cloned().chain(others).collect();
    pools.truncate(COMBINATIONS_MAX);
    pools.push(all.to_vec());
    pools.retain(|pool| !pool.is_empty());
    pools
}

/// Slots and the outcomes that fill them, by rule, slot and outcome, where rule and outcome meet.
fn matches(context: &Context<'_>) -> Vec<(SlotRef, usize)> {
    let mut matches = Vec::new();
    let state = State::unlimited(context);
    for (at, entry) in context.archive.iter().enumerate() {
        if context.barred[at].is_some() {
            continue;
        }
        let slots = context.set.index.slots(entry);
        let fits = |slot: &SlotRef| {
            let rule = context.set.rule(slot.rule);
            // What is spent already would spoil whatever it is used with.
            conditions::programme(context, &rule.conditions).is_ok()
                && (is_nothing(rule) || identity::is_free(&state, rule, at).is_ok())
                && meets_slot(context, rule, slot.slot as usize, at)
        };
        matches.extend(slots.filter(fits).map(|slot| (slot, at)));
    }
    matches.sort_unstable();
    matches.dedup();
    matches
}

/// The outcomes of each use of a rule, by their places. `matches` are in order of slot and outcome.
fn for_each_combination(
    context: &Context<'_>,
    rule: &Rule,
    matches: &[(SlotRef, usize)],
    mut use_them: impl FnMut(&[usize]),
) {
    if rule.form == Form::HoursToCredits {
        let pool = pool(context, rule, matches);
        if !pool.is_empty() {
            use_them(&pool);
        }
    } else if rule.need <= 1 {
        // An outcome that fills two slots comes twice; its uses are the same.
        matches.iter().for_each(|(_, at)| use_them(&[*at]));
    } else if is_of_one_course(rule) {
        let courses = by_course(context, matches);
        let sets = courses.values().flat_map(|matches| sets(rule, matches));
        sets.for_each(|set| use_them(&set));
    } else {
        sets(rule, matches).iter().for_each(|set| use_them(set));
    }
}

/// The combinations of matches that fill as many slots as a rule needs.
fn sets(rule: &Rule, matches: &[(SlotRef, usize)]) -> Vec<Vec<usize>> {
    let by_slot = matches.chunk_by(|one, other| one.0.slot == other.0.slot);
    let lists: Vec<Vec<usize>> = by_slot
        .map(|slot| slot.iter().map(|(_, at)| *at).collect())
        .collect();
    combinations(&lists, usize::from(rule.need), COMBINATIONS_MAX)
}

/// Matches by the course that their outcomes are named like; the others give no credit for one.
fn by_course(
    context: &Context<'_>,
    matches: &[(SlotRef, usize)],
) -> BTreeMap<u32, Vec<(SlotRef, usize)>> {
    let mut courses: BTreeMap<u32, Vec<(SlotRef, usize)>> = BTreeMap::new();
    for found in matches {
        if let Some(course) = context.plan.same_course(&context.archive[found.1]) {
            courses.entry(course).or_default().push(*found);
        }
    }
    courses
}

/// Whether several outcomes give credit for the one course that all of them are named like, and for nothing else.
pub(super) fn is_of_one_course(rule: &Rule) -> bool {
    let mut targets = rule.grant.targets.iter();
    rule.need > 1
        && !rule.grant.targets.is_empty()
        && targets.all(|target| target.to == TargetPlace::SameCourse)
}

/// All outcomes that an hours-to-credits rule can take together.
fn pool(context: &Context<'_>, rule: &Rule, matches: &[(SlotRef, usize)]) -> Vec<usize> {
    let mut outcomes: Vec<usize> = matches.iter().map(|(_, at)| *at).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    let mut pool = Vec::with_capacity(outcomes.len());
    for at in outcomes
        .into_iter()
        .filter(|at| carries(context, rule, *at))
    {
        pool.push(at);
        if identity::are_apart(context, &pool).is_err() || pool.len() > OUTCOMES_PER_USE_MAX {
            pool.pop();
        }
    }
    pool
}

/// Whether an outcome carries the hours and credits that a rule reckons with; without them it would spoil a pool.
fn carries(context: &Context<'_>, rule: &Rule, at: usize) -> bool {
    let outcome = context.archive[at].outcome;
    let grant = &rule.grant;
    let amounts = || grant.targets.iter().map(|target| target.amount);
    let by_hours = amounts().any(|it| matches!(it, Amount::PerHours(_)));
    let by_credits = grant.remainder_to_electives
        || grant.not_above_source
        || amounts().any(|it| matches!(it, Amount::Source | Amount::Ratio { .. }));
    (outcome.hours.is_some() || !by_hours) && (outcome.credits.is_some() || !by_credits)
}

/// Adds the uses of these outcomes under a rule that would be granted.
fn propose(state: &mut State<'_>, rule: &Rule, outcomes: &[usize], mut found: impl FnMut(Use)) {
    let context = state.context;
    let leaf = |at: &usize| context.archive[*at].held.leaf;
    let mut choose = |courses: Vec<String>| {
        if would_grant(state, rule, outcomes, &courses) {
            found(Use {
                rule: rule.id.clone(),
                outcomes: outcomes.iter().map(leaf).collect(),
                courses,
            });
        }
    };
    if has_choice(rule) {
        choices(context, rule, outcomes)
            .into_iter()
            .for_each(choose);
    } else {
        choose(Vec::new());
    }
}

fn has_choice(rule: &Rule) -> bool {
    let mut targets = rule.grant.targets.iter();
    usize::from(rule.grant.pick) < rule.grant.targets.len()
        || targets.any(|target| matches!(target.to, TargetPlace::Tagged(_)))
}

/// The courses that an applicant may name: as many as the rule lets them take, or as there are.
fn choices(context: &Context<'_>, rule: &Rule, outcomes: &[usize]) -> Vec<Vec<String>> {
    let lists: Vec<Vec<u32>> = rule
        .grant
        .targets
        .iter()
        .map(
            |target| match (&target.to, aim(context, &target.to, outcomes)) {
                (TargetPlace::Tagged(tag), _) => context.plan.tagged(tag).to_vec(),
                (_, Some(Aim::Course(course))) => vec![course],
                _ => Vec::new(),
            },
        )
        .collect();
    let sizes = (1..=usize::from(rule.grant.pick)).rev();
    let mut sets = sizes.map(|size| combinations(&lists, size, CHOICES_MAX));
    let sets = sets
        .find(|sets| !sets.is_empty())
        .unwrap_or_else(|| vec![Vec::new()]);
    let codes = |set: Vec<u32>| {
        let courses = set.into_iter().map(|course| context.course(course));
        let mut codes: Vec<String> = courses.map(|course| course.code.clone()).collect();
        codes.sort_unstable();
        codes
    };
    sets.into_iter().map(codes).collect()
}

/// Sets of `size` different items, at most one of each list; each set once, at most `most` of them.
fn combinations<T: Copy + Ord>(lists: &[Vec<T>], size: usize, most: usize) -> Vec<Vec<T>> {
    let mut search = Search {
        size,
        most,
        steps: STEPS_MAX,
        found: BTreeSet::new(),
    };
    search.go(lists, &mut Vec::new());
    search.found.into_iter().collect()
}

struct Search<T> {
    size: usize,
    most: usize,
    steps: u32,
    found: BTreeSet<Vec<T>>,
}

impl<T: Copy + Ord> Search<T> {
    fn go(&mut self, lists: &[Vec<T>], chosen: &mut Vec<T>) {
        if chosen.len() == self.size {
            let mut set = chosen.clone();
            set.sort_unstable();
            self.found.insert(set);
            return;
        }
        let Some((list, rest)) = lists.split_first() else {
            return;
        };
        if lists.len() < self.size - chosen.len() {
            return;
        }
        for item in list {
            if self.found.len() >= self.most || self.steps == 0 {
                return;
            }
            self.steps -= 1;
            if !chosen.contains(item) {
                chosen.push(*item);
                self.go(rest, chosen);
                chosen.pop();
            }
        }
        self.go(rest, chosen);
    }
}
