//! Stage 6, limits: how much of an amount is let through, and the counts behind it.
//!
//! A line counts in full, with all its credit or as a course, in the group of every outcome that it rests on and that
//! the limit is about; outcomes count where they are. What earlier decisions counted is taken from their lines, not
//! worked out again.

use std::sync::Arc;

use super::super::amount::Exact;
use super::super::compile::Compiled;
use super::super::decision::{Counted, Finding, Line, LineTarget};
use super::super::limit::{Base, Excess, Limit, LimitScope, Maximum, SubjectMatch};
use super::super::programme::Course;
use super::super::rule::{Rule, Selector};
use super::context::Context;
use super::groups::{Key, key, name};
use super::trace::Trace;
use crate::LeafIndex;

/// The limits in force, with what is counted under them.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    active: Vec<Active<'a>>,
}

/// A limit in force for the programme.
#[derive(Debug)]
struct Active<'a> {
    limit: &'a Limit,
    id: &'a Arc<str>,
    unit: Unit,
    max: u64,
    /// Whether it is about every outcome.
    is_of_all: bool,
    groups: Vec<Group>,
}

/// What a limit counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Hundredths of credits.
    Credits,
    /// Courses.
    Courses,
    /// Outcomes.
    Outcomes,
}

/// One count.
#[derive(Debug)]
struct Group {
    /// Once an outcome of the archive is in it.
    key: Option<Key>,
    name: Arc<str>,
    /// Hundredths of credits, or courses.
    count: u64,
    /// The outcomes, where they are what is counted.
    outcomes: Vec<LeafIndex>,
}

/// A place where something is counted: limit, group and how many outcomes it had before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    pub(super) limit: usize,
    pub(super) group: usize,
    outcomes_before: usize,
}

/// Credit that asks for room under the limits.
#[derive(Clone, Copy)]
pub(super) struct Asking<'q> {
    pub(super) rule: &'q Rule,
    pub(super) sources: &'q [usize],
    /// The course, or none for credit that no course is tied to.
    pub(super) course: Option<&'q Course>,
    pub(super) amount: Exact,
}

/// What the limits let through.
#[derive(Debug)]
pub(super) struct Clipped<'a> {
    pub(super) amount: Exact,
    /// What the credit may not exceed after rounding either, in hundredths.
    pub(super) most: u64,
    /// The last limit that bit.
    pub(super) bitten: Option<&'a Limit>,
    /// Where the credit is to be counted.
    pub(super) tallies: Vec<Tally>,
}

/// A limit that lets nothing through.
#[derive(Debug)]
pub(super) struct Stopped<'a>(pub(super) &'a Limit);

impl<'a> Limits<'a> {
    /// No limits.
    pub(super) const fn none() -> Self {
        Self { active: Vec::new() }
    }

    /// The limits for a programme on the day of application, with what earlier decisions counted.
    pub(super) fn new(context: &Context<'a>) -> Self {
        let set: &'a Compiled = context.set;
        let applies = |limit: &Limit| {
            let programmes = &limit.scope.programmes;
            limit.effective.contains(context.case.date)
                && (programmes.is_empty() || programmes.contains(&context.programme.id))
        };
        let active = set
            .limits()
            .filter(|(_, it)| applies(it))
            .map(|(id, limit)| {
                let (unit, max) = maximum(context, limit);
                let groups = Vec::new();
                Active {
                    limit,
                    id,
                    unit,
                    max,
                    is_of_all: limit.scope.subject.is_none()
                        && limit.scope.origins.is_empty()
                        && limit.scope.selector == Selector::default(),
                    groups,
                }
            });
        let mut limits = Self {
            active: active.collect(),
        };
        for line in context.earlier_lines() {
            limits.count_earlier(context, line);
        }
        limits
    }

    /// An outcome that is not in the archive any more counts wherever its line did.
    fn count_earlier(&mut self, context: &Context<'_>, line: &Line) {
        for (id, name) in &line.counted.groups {
            let Some(limit) = self.active.iter().position(|it| it.id == id) else {
                continue;
            };
            let active = &mut self.active[limit];
            let group = active
                .find(name)
                .unwrap_or_else(|| active.add(Arc::clone(name)));
            let is_course = matches!(line.to, LineTarget::Course(_));
            let mut outcomes = line.outcomes.clone();
            if active.unit == Unit::Outcomes {
                outcomes.retain(|leaf| {
                    context.find(*leaf).is_none_or(|at| {
                        active.is_of(context, at) && active.group(context, at) == group
                    })
                });
            }
            let outcomes = outcomes.into_iter();
            active.count(group, line.credits.hundredths(), is_course, outcomes);
        }
    }

    /// Holds every limit against an amount, in their order.
    pub(super) fn clip(
        &mut self,
        context: &Context<'a>,
        asking: Asking<'_>,
        trace: &mut Trace,
    ) -> Result<Clipped<'a>, Stopped<'a>> {
        let mut clipped = Clipped {
            amount: asking.amount,
            most: u64::MAX,
            bitten: None,
            tallies: Vec::with_capacity(self.active.len()),
        };
        for (at, active) in self.active.iter_mut().enumerate() {
            if !is_about(&active.limit.scope, asking) {
                continue;
            }
            let first = clipped.tallies.len();
            active.place(context, asking, at, &mut clipped.tallies);
            for tally in first..clipped.tallies.len() {
                let group = clipped.tallies[tally].group;
                active.hold(context, asking, group, &mut clipped, trace)?;
            }
        }
        Ok(clipped)
    }

    /// Where credit would be counted, whatever is left there.
    pub(super) fn tallies(&mut self, context: &Context<'a>, asking: Asking<'_>) -> Vec<Tally> {
        let mut tallies = Vec::new();
        for (at, active) in self.active.iter_mut().enumerate() {
            if is_about(&active.limit.scope, asking) {
                active.place(context, asking, at, &mut tallies);
            }
        }
        tallies
    }

    /// What a tally counts, how much is left there, and whether credit beyond it is cut.
    pub(super) fn left(&self, tally: Tally) -> (Unit, u64, bool) {
        let active = &self.active[tally.limit];
        let group = &active.groups[tally.group];
        let used = match active.unit {
            Unit::Credits | Unit::Courses => group.count,
            Unit::Outcomes => group.outcomes.len() as u64,
        };
        let cuts = active.limit.excess == Excess::Trim;
        (active.unit, active.max.saturating_sub(used), cuts)
    }

    /// How many of these outcomes a tally does not count yet.
    pub(super) fn new_outcomes(
        &self,
        context: &Context<'_>,
        tally: Tally,
        sources: &[usize],
    ) -> u64 {
        let active = &self.active[tally.limit];
        let counted = &active.groups[tally.group].outcomes;
        let leaves = active.members(context, sources, tally.group);
        leaves.filter(|leaf| !counted.contains(leaf)).count() as u64
    }

    /// Counts credit that was granted.
    pub(super) fn count(
        &mut self,
        context: &Context<'a>,
        asking: Asking<'_>,
        credits: u32,
        tallies: &[Tally],
    ) {
        for tally in tallies {
            let active = &mut self.active[tally.limit];
            let leaves: Vec<_> = match active.unit {
                Unit::Outcomes => active
                    .members(context, asking.sources, tally.group)
                    .collect(),
                Unit::Credits | Unit::Courses => Vec::new(),
            };
            active.count(
                tally.group,
                credits,
                asking.course.is_some(),
                leaves.into_iter(),
            );
        }
    }

    /// Takes back what [`Self::count`] counted last.
    pub(super) fn uncount(&mut self, credits: u32, is_course: bool, tallies: &[Tally]) {
        for tally in tallies {
            let active = &mut self.active[tally.limit];
            let group = &mut active.groups[tally.group];
            group.count -= active.unit.of(credits, is_course);
            group.outcomes.truncate(tally.outcomes_before);
        }
    }

    /// What a line says about where it was counted.
    pub(super) fn counted(&self, tallies: &[Tally]) -> Counted {
        let group = |tally: &Tally| {
            let active = &self.active[tally.limit];
            let name = &active.groups[tally.group].name;
            (Arc::clone(active.id), Arc::clone(name))
        };
        let mut groups: Vec<_> = tallies.iter().map(group).collect();
        groups.sort_unstable();
        Counted { groups }
    }
}

impl Active<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| *group.name == *name)
    }

    fn add(&mut self, name: Arc<str>) -> usize {
        self.groups.push(Group {
            key: None,
            name,
            count: 0,
            outcomes: Vec::new(),
        });
        self.groups.len() - 1
    }

    /// Whether the limit is about an outcome.
    fn is_of(&self, context: &Context<'_>, at: usize) -> bool {
        if self.is_of_all {
            return true;
        }
        let (entry, scope) = (&context.archive[at], &self.limit.scope);
        let of_origin = scope.origins.is_empty()
            || entry.origin().is_some_and(|origin| {
                let origin = &context.set.set().origins[origin];
                scope.origins.contains(&origin.id)
            });
        let of_subject = scope.subject.is_none_or(|subject| {
            let is_same = entry
                .subject()
                .is_some_and(|key| context.plan.is_subject(key));
            is_same == (subject == SubjectMatch::Same)
        });
        of_origin && of_subject && entry.is_selected_by(&scope.selector)
    }

    /// The outcomes of a use that one group counts.
    fn members<'m>(
        &'m self,
        context: &'m Context<'_>,
        sources: &'m [usize],
        group: usize,
    ) -> impl Iterator<Item = LeafIndex> + use<'m> {
        let members = sources.iter().filter(move |at| {
            self.is_of(context, **at)
                && Some(key(context, &self.limit.per, **at)) == self.groups[group].key
        });
        members.map(|at| context.archive[*at].held.leaf)
    }

    /// The groups that credit from these outcomes counts in: none if the limit is not about them.
    fn place(
        &mut self,
        context: &Context<'_>,
        asking: Asking<'_>,
        limit: usize,
        tallies: &mut Vec<Tally>,
    ) {
        let first = tallies.len();
        for at in asking.sources {
            if !self.is_of(context, *at) {
                continue;
            }
            let group = self.group(context, *at);
            if tallies[first..].iter().all(|tally| tally.group != group) {
                tallies.push(Tally {
                    limit,
                    group,
                    outcomes_before: self.groups[group].outcomes.len(),
                });
            }
        }
    }

    /// The group of an outcome: one that is known by its key, or by its name from an earlier decision, or a new one.
    fn group(&mut self, context: &Context<'_>, at: usize) -> usize {
        let key = key(context, &self.limit.per, at);
        let known = self.groups.iter().position(|group| group.key == Some(key));
        known.unwrap_or_else(|| {
            let name = name(context, &self.limit.per, at);
            let is_it = |group: &Group| group.key.is_none() && *group.name == *name;
            let earlier = self.groups.iter().position(is_it);
            let group = earlier.unwrap_or_else(|| self.add(name.into()));
            self.groups[group].key = Some(key);
            group
        })
    }
}

impl<'a> Active<'a> {
    /// Holds one group of the limit against the amount.
    fn hold(
        &self,
        context: &Context<'_>,
        asking: Asking<'_>,
        group: usize,
        clipped: &mut Clipped<'a>,
        trace: &mut Trace,
    ) -> Result<(), Stopped<'a>> {
        let number = group;
        let group = &self.groups[number];
        let (used, asked) = match self.unit {
            Unit::Credits => (group.count, clipped.amount.ceil()),
            Unit::Courses => (group.count, u64::from(asking.course.is_some())),
            Unit::Outcomes => {
                let members = self.members(context, asking.sources, number);
                let new = members
                    .filter(|leaf| !group.outcomes.contains(leaf))
                    .count();
                (group.outcomes.len() as u64, new as u64)
            }
        };
        let left = self.max.saturating_sub(used);
        let is_cut = asked > left;
        let is_cuttable = self.unit == Unit::Credits
            && asking.course.is_none()
            && self.limit.excess == Excess::Trim
            && left > 0;
        if self.unit == Unit::Credits {
            clipped.most = clipped.most.min(left);
        }
        if !is_cut {
            return Ok(());
        }
        trace.step(self.limit.place, || Finding::Limited {
            limit: self.limit.id.clone(),
            group: group.name.as_ref().to_owned(),
            used,
            max: self.max,
            asked,
            granted: if is_cuttable { left } else { 0 },
        });
        if !is_cuttable {
            return Err(Stopped(self.limit));
        }
        clipped.amount = Exact::whole(left);
        clipped.bitten = Some(self.limit);
        Ok(())
    }

    fn count(
        &mut self,
        group: usize,
        credits: u32,
        is_course: bool,
        leaves: impl Iterator<Item = LeafIndex>,
    ) {
        let counted = self.unit.of(credits, is_course);
        let group = &mut self.groups[group];
        group.count += counted;
        if self.unit == Unit::Outcomes {
            for leaf in leaves {
                if !group.outcomes.contains(&leaf) {
                    group.outcomes.push(leaf);
                }
            }
        }
    }
}

impl Unit {
    fn of(self, credits: u32, is_course: bool) -> u64 {
        match self {
            Self::Credits => credits.into(),
            Self::Courses => is_course.into(),
            Self::Outcomes => 0,
        }
    }
}

/// Whether a limit is about the rule and the course; which outcomes it is about is another matter.
fn is_about(scope: &LimitScope, asking: Asking<'_>) -> bool {
    (scope.rules.is_empty() || scope.rules.contains(&asking.rule.id))
        && match asking.course {
            None => scope.tags.is_empty(),
            Some(course) => !scope.electives_only && takes_in(scope, course),
        }
}

fn takes_in(scope: &LimitScope, course: &Course) -> bool {
    let tagged = scope.tags.is_empty() || scope.tags.iter().any(|tag| course.tags.contains(tag));
    tagged && !scope.except_course_kinds.contains(&course.kind)
}

/// Unit and number of a maximum. A share is cut down to whole hundredths or courses.
fn maximum(context: &Context<'_>, limit: &Limit) -> (Unit, u64) {
    let courses = |of: Base| {
        let all = context
            .programme
            .modules
            .iter()
            .flat_map(|module| &module.courses);
        all.filter(move |course| of == Base::Programme || takes_in(&limit.scope, course))
    };
    let share = |whole: u64, basis_points: u16| whole * u64::from(basis_points) / 10_000;
    match limit.max {
        Maximum::Credits(credits) => (Unit::Credits, credits.hundredths().into()),
        Maximum::Courses(count) => (Unit::Courses, count.into()),
        Maximum::Outcomes(count) => (Unit::Outcomes, count.into()),
        Maximum::CreditShare { basis_points, of } => {
            let whole = match of {
                Base::Programme => context.programme.total.hundredths().into(),
                Base::Scope => courses(of)
                    .map(|it| u64::from(it.credits.hundredths()))
                    .sum(),
            };
            (Unit::Credits, share(whole, basis_points))
        }
        Maximum::CourseShare { basis_points, of } => (
            Unit::Courses,
            share(courses(of).count() as u64, basis_points),
        ),
    }
}
