//! Stage 5, first half: which targets a use takes, and where they lie in the programme.

use super::super::decision::{LineTarget, Reason};
use super::super::rule::{Rule, Target, TargetPlace};
use super::context::Context;
use super::matching::fill;

/// A target that a use may take, in the order of the rule.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct Wanted<'r> {
    pub(in crate::rules) target: &'r Target,
    /// Where it lies; none where the programme does not have it.
    pub(in crate::rules) aim: Option<Aim>,
}

/// Where a target lies in the programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Aim {
    Course(u32),
    Module(u32),
    Electives,
}

/// The targets of a use that names no courses: everything that needs no choice, in the order of the rule.
pub(super) fn unnamed<'r>(
    context: &'r Context<'_>,
    rule: &'r Rule,
    sources: &'r [usize],
) -> impl ExactSizeIterator<Item = Wanted<'r>> {
    rule.grant.targets.iter().map(|target| Wanted {
        target,
        aim: aim(context, &target.to, sources),
    })
}

/// The targets of a use that names courses: each is assigned to a target that admits it.
pub(super) fn named<'r>(
    context: &Context<'_>,
    rule: &'r Rule,
    sources: &[usize],
    named: &[String],
) -> Result<Vec<Wanted<'r>>, Reason> {
    let targets = &rule.grant.targets;
    let courses: Option<Vec<u32>> = named
        .iter()
        .map(|code| context.plan.by_code(code))
        .collect();
    let courses = courses.ok_or(Reason::TargetMissing)?;
    if courses.len() > usize::from(rule.grant.pick) {
        return Err(Reason::TargetMissing);
    }
    let fits = |course: usize, target: usize| {
        admits(context, &targets[target].to, sources, courses[course])
    };
    let assigned = fill(courses.len(), targets.len(), fits);
    if assigned.iter().flatten().count() < courses.len() {
        return Err(Reason::TargetMissing);
    }
    let pairs = targets.iter().zip(assigned);
    let wanted = pairs.filter_map(|(target, course)| {
        let aim = match course {
            Some(course) => Some(Aim::Course(courses[course])),
            None => aim(context, &target.to, sources).filter(|aim| !matches!(aim, Aim::Course(_))),
        };
        aim.map(|aim| Wanted {
            target,
            aim: Some(aim),
        })
    });
    Ok(wanted.collect())
}

/// Where a target lies that needs no choice.
pub(in crate::rules) fn aim(
    context: &Context<'_>,
    place: &TargetPlace,
    sources: &[usize],
) -> Option<Aim> {
    match place {
        TargetPlace::Course(key) => context.plan.by_key(key).map(Aim::Course),
        TargetPlace::SameCourse => same_course(context, sources).map(Aim::Course),
        TargetPlace::Tagged(_) => None,
        TargetPlace::Electives => {
            let has_electives = context.programme.modules.iter().any(|it| it.unassigned);
            has_electives.then_some(Aim::Electives)
        }
        TargetPlace::Module(id) => context.plan.module(id).map(Aim::Module),
    }
}

/// The course of the programme that every source is named like.
fn same_course(context: &Context<'_>, sources: &[usize]) -> Option<u32> {
    let course_of = |at: &usize| context.plan.same_course(&context.archive[*at]);
    let (first, others) = sources.split_first()?;
    let course = course_of(first)?;
    let is_same = others.iter().all(|at| course_of(at) == Some(course));
    is_same.then_some(course)
}

/// Why a target that the programme does not have is missing.
pub(super) fn missing(place: &TargetPlace, sources: &[usize]) -> Reason {
    match place {
        TargetPlace::SameCourse if sources.len() > 1 => Reason::NotOneCourse,
        _ => Reason::TargetMissing,
    }
}

/// Whether a target can be this course.
fn admits(context: &Context<'_>, place: &TargetPlace, sources: &[usize], course: u32) -> bool {
    match place {
        TargetPlace::Tagged(tag) => context.plan.tagged(tag).contains(&course),
        place => aim(context, place, sources) == Some(Aim::Course(course)),
    }
}

/// How a target reads that the programme does not have.
pub(super) fn as_written(place: &TargetPlace) -> LineTarget {
    match place {
        TargetPlace::Course(key) => LineTarget::Course(key.clone()),
        TargetPlace::Module(id) => LineTarget::Module(id.clone()),
        TargetPlace::Tagged(_) | TargetPlace::SameCourse => LineTarget::Course(String::new()),
        TargetPlace::Electives => LineTarget::Module(String::new()),
    }
}
