//! What a learner could do next for what a programme still needs.

use super::candidates::is_of_one_course;
use super::case::Case;
use super::compile::Compiled;
use super::decision::{Decision, LineTarget, Missing};
use super::evaluate::{Context, conditions, fill, is_nothing, meets_slot};
use super::rule::{Form, Rule, Selector, TargetPlace};
use super::set::Wording;
use crate::LeafIndex;

/// Most ways that are told for one thing that is missing.
pub const WAYS_MAX: usize = 3;

/// A way to get what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    /// What it is for.
    pub missing: Missing,
    /// How.
    pub way: Way,
}

/// How credit can still be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// One more outcome under a rule.
    Outcome {
        /// The rule's id.
        rule: String,
        /// What the rule calls the outcome; may be empty.
        title: Wording,
        /// Which outcomes would do.
        selector: Box<Selector>,
        /// The outcomes that the learner has for the rule already.
        with: Vec<LeafIndex>,
    },
    /// The course itself, or courses of the module.
    Study,
}

/// For each course, module and minimum that a decision leaves missing, the cheapest things still to do: rules that need
/// one more outcome, those first for which the learner has most of the others, and then the course itself.
#[must_use]
pub fn next_steps(set: &Compiled, case: &Case<'_>, decision: &Decision) -> Vec<NextStep> {
    let Some(context) = Context::new(set, case) else {
        return Vec::new();
    };
    let mut goals = Goals::new(&context, decision);
    let free = free(&context, decision);
    for rule in &set.set().rules {
        let served = goals.served_by(&context, rule);
        if served.is_empty() || !could_apply(&context, rule) {
            continue;
        }
        if is_of_one_course(rule) {
            for goal in served {
                let held = goals.0[goal].of_course(&context, &free);
                goals.0[goal].ways.extend(one_more(&context, rule, &held));
            }
        } else if let Some(way) = one_more(&context, rule, &free) {
            for goal in served {
                goals.0[goal].ways.push(way.clone());
            }
        }
    }
    goals.into_steps()
}

/// What is missing, with the ways to get it that are found.
struct Goals<'d>(Vec<Goal<'d>>);

/// A course, module or minimum that is missing.
struct Goal<'d> {
    missing: &'d Missing,
    place: Place,
    /// Each behind the number of outcomes that the learner has for it already.
    ways: Vec<(usize, Way)>,
}

/// A course, module or minimum of the programme.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Course(u32),
    Module(u32),
    Minimum(usize),
}

impl Goal<'_> {
    /// Those outcomes, by their places, that are named like the course.
    fn of_course(&self, context: &Context<'_>, outcomes: &[usize]) -> Vec<usize> {
        let is_of = |at: &usize| {
            let course = context.plan.same_course(&context.archive[*at]);
            course.map(Place::Course) == Some(self.place)
        };
        outcomes.iter().copied().filter(is_of).collect()
    }
}

impl<'d> Goals<'d> {
    fn new(context: &Context<'_>, decision: &'d Decision) -> Self {
        let goals = decision.progress.missing.iter().filter_map(|missing| {
            let place = match missing {
                Missing::Course(code) => Place::Course(context.plan.by_code(code)?),
                Missing::Module { module, .. } => Place::Module(context.plan.module(module)?),
                Missing::Minimum { minimum, .. } => {
                    let mut minima = context.programme.minima.iter();
                    Place::Minimum(minima.position(|it| it.id == *minimum)?)
                }
                Missing::Residency(_) | Missing::AtLevel(_) | Missing::Total(_) => return None,
            };
            let ways = Vec::new();
            Some(Goal {
                missing,
                place,
                ways,
            })
        });
        Self(goals.collect())
    }

    /// The goals that a rule grants credit for, each once.
    fn served_by(&self, context: &Context<'_>, rule: &Rule) -> Vec<usize> {
        let mut served = Vec::new();
        for target in &rule.grant.targets {
            match &target.to {
                TargetPlace::Course(key) => {
                    let course = context.plan.by_key(key).map(Place::Course);
                    served.extend(self.0.iter().position(|goal| Some(goal.place) == course));
                }
                other => served.extend(self.all(|place| could_be(context, other, place))),
            }
        }
        served.extend(self.all(|place| counts_for(context, rule, place)));
        served.retain(|at| match self.0[*at].place {
            Place::Course(course) => conditions::course(context, &rule.conditions, course).is_ok(),
            Place::Module(_) | Place::Minimum(_) => true,
        });
        served.sort_unstable();
        served.dedup();
        served
    }

    fn all(&self, is_it: impl Fn(Place) -> bool) -> impl Iterator<Item = usize> {
        let goals = self.0.iter().enumerate();
        goals
            .filter(move |(_, goal)| is_it(goal.place))
            .map(|(at, _)| at)
    }

    fn into_steps(self) -> Vec<NextStep> {
        let steps = self.0.into_iter().flat_map(|mut goal| {
            goal.ways.sort_by_key(|(held, _)| std::cmp::Reverse(*held));
            goal.ways.truncate(WAYS_MAX);
            // What is to be studied for a minimum, nothing says.
            let study = match goal.place {
                Place::Course(_) | Place::Module(_) => Some(Way::Study),
                Place::Minimum(_) => None,
            };
            let ways = goal.ways.into_iter().map(|(_, way)| way).chain(study);
            ways.map(move |way| NextStep {
                missing: goal.missing.clone(),
                way,
            })
        });
        steps.collect()
    }
}

/// Whether a target that is no course by name can be this course or module.
fn could_be(context: &Context<'_>, target: &TargetPlace, place: Place) -> bool {
    match (target, place) {
        (TargetPlace::SameCourse, Place::Course(_)) => true,
        (TargetPlace::Tagged(tag), Place::Course(course)) => {
            context.plan.tagged(tag).contains(&course)
        }
        (TargetPlace::Electives, Place::Module(module)) => {
            context.programme.modules[module as usize].unassigned
        }
        (TargetPlace::Module(id), Place::Module(module)) => context.plan.module(id) == Some(module),
        _ => false,
    }
}

/// Whether all credit that a rule grants counts for this minimum.
fn counts_for(context: &Context<'_>, rule: &Rule, place: Place) -> bool {
    let Place::Minimum(at) = place else {
        return false;
    };
    let of_minimum = &context.programme.minima[at].selector;
    let mut slots = rule.slots.iter();
    slots.all(|slot| of_minimum.covers(&slot.selector))
}

/// Whether an outcome of today could be used under a rule for the programme.
fn could_apply(context: &Context<'_>, rule: &Rule) -> bool {
    let today = context.case.date;
    !is_nothing(rule)
        && rule.effective.contains(today)
        && rule.conditions.completed.contains(today)
        && conditions::programme(context, &rule.conditions).is_ok()
}

/// Outcomes, by their places, that may be a source and that nothing has used.
fn free(context: &Context<'_>, decision: &Decision) -> Vec<usize> {
    let lines = decision
        .lines
        .iter()
        .filter(|line| line.to != LineTarget::Nothing);
    let used: Vec<LeafIndex> = lines
        .flat_map(|line| line.outcomes.iter().copied())
        .collect();
    let is_free = |at: &usize| {
        let leaf = context.archive[*at].held.leaf;
        context.barred[*at].is_none()
            && context.studied[*at].is_none()
            && context.spent(leaf).iter().all(|it| it.elsewhere)
            && !used.contains(&leaf)
    };
    (0..context.archive.len()).filter(is_free).collect()
}

/// The outcome that a rule needs beside what is free, if it is one. Hours can always be more.
fn one_more(context: &Context<'_>, rule: &Rule, free: &[usize]) -> Option<(usize, Way)> {
    let fits = |at: usize, slot: usize| meets_slot(context, rule, slot, free[at]);
    let filled = match rule.form {
        Form::HoursToCredits => vec![None; rule.slots.len()],
        _ => fill(free.len(), rule.slots.len(), fits),
    };
    let held = filled.iter().flatten().count();
    if held + 1 != usize::from(rule.need.max(1)) {
        return None;
    }
    let slot = filled.iter().position(Option::is_none)?;
    let with = filled.iter().flatten();
    let way = Way::Outcome {
        rule: rule.id.clone(),
        title: rule.slots[slot].title.clone(),
        selector: Box::new(rule.slots[slot].selector.clone()),
        with: with
            .map(|at| context.archive[free[*at]].held.leaf)
            .collect(),
    };
    Some((held, way))
}
