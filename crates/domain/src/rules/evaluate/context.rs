//! The case as the stages look at it: outcomes by leaf, what was spent and recognised before, what was studied.

use super::super::archive::Entry;
use super::super::case::{Case, Held, Prior};
use super::super::compile::Compiled;
use super::super::decision::{Line, LineTarget, Reason};
use super::super::plan::Plan;
use super::super::programme::{Course, Programme};
use jiff::civil::Date;

use crate::LeafIndex;
use crate::outcome::ObtainedBy;

/// A case made ready. Nothing in it depends on the order in which its parts came.
#[derive(Debug)]
pub(in crate::rules) struct Context<'a> {
    pub(in crate::rules) set: &'a Compiled,
    pub(in crate::rules) case: &'a Case<'a>,
    pub(in crate::rules) programme: &'a Programme,
    pub(in crate::rules) plan: &'a Plan,
    /// The archive, ascending by leaf. A leaf that stands for two different outcomes is left out.
    pub(in crate::rules) archive: Vec<Entry<'a>>,
    /// The leaves of the archive, which are looked for often.
    leaves: Vec<LeafIndex>,
    /// Earlier uses of outcomes, ascending.
    spent: Vec<Spent>,
    /// By outcome of the archive: the first outcome of the same institution.
    pub(in crate::rules) issuers: Vec<usize>,
    /// By outcome of the archive: why it can be no source whatever the rule, if it cannot.
    pub(in crate::rules) barred: Vec<Option<Reason>>,
    /// By outcome of the archive: the course of the programme that it shows to be studied.
    pub(in crate::rules) studied: Vec<Option<u32>>,
}

/// An outcome that an earlier decision used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) struct Spent {
    /// Which.
    leaf: LeafIndex,
    /// Whether for another programme.
    pub(in crate::rules) elsewhere: bool,
    /// The decision.
    pub(in crate::rules) decision: LeafIndex,
    /// Whether under an exclusive rule.
    pub(in crate::rules) exclusive: bool,
}

impl<'a> Context<'a> {
    /// None if the set has no such programme.
    pub(in crate::rules) fn new(set: &'a Compiled, case: &'a Case<'a>) -> Option<Self> {
        let plan = set.plan(case.programme)?;
        let programme = &set.set().programmes[plan.position as usize];
        let archive = archive(set, case.held);
        let spent = spent(case);
        let mut context = Self {
            set,
            case,
            programme,
            plan,
            leaves: archive.iter().map(|entry| entry.held.leaf).collect(),
            archive,
            spent,
            issuers: Vec::new(),
            barred: Vec::new(),
            studied: Vec::new(),
        };
        context.issuers = issuers(&context.archive);
        let barred = context.archive.iter().map(|entry| barred(entry, case.date));
        context.barred = barred.collect();
        let studied = (0..context.archive.len()).map(|at| context.course_studied(at));
        context.studied = studied.collect();
        Some(context)
    }

    /// An outcome's place in the archive.
    pub(in crate::rules) fn find(&self, leaf: LeafIndex) -> Option<usize> {
        self.leaves.binary_search(&leaf).ok()
    }

    /// Earlier uses of an outcome, those for this programme first.
    pub(in crate::rules) fn spent(&self, leaf: LeafIndex) -> &[Spent] {
        let from = self.spent.partition_point(|it| it.leaf < leaf);
        let rest = &self.spent[from..];
        &rest[..rest.partition_point(|it| it.leaf == leaf)]
    }

    /// A course of the programme.
    pub(in crate::rules) fn course(&self, course: u32) -> &'a Course {
        self.plan.course(self.programme, course)
    }

    /// What credit is rounded to, in hundredths; never zero.
    pub(in crate::rules) fn unit(&self) -> u64 {
        self.set.set().rounding.unit.hundredths().max(1).into()
    }

    /// The modules that take credit without a course, in order.
    pub(in crate::rules) fn electives(&self) -> &'a [u32] {
        self.plan.electives()
    }

    /// Lines of earlier decisions for this programme that grant something.
    pub(in crate::rules) fn earlier_lines(&self) -> impl Iterator<Item = &'a Line> {
        let same = |prior: &&Prior| prior.programme == self.case.programme;
        let lines = self.case.prior.iter().filter(same).flat_map(|it| &it.lines);
        lines.filter(|line| line.to != LineTarget::Nothing)
    }

    /// The course of the programme that an outcome shows to be studied: passed at the programme's own institution, not
    /// itself recognised and not spent on something else in the programme.
    fn course_studied(&self, at: usize) -> Option<u32> {
        let entry = &self.archive[at];
        let counts = entry.held.issuer == self.programme.institution && self.barred[at].is_none();
        let course = counts.then(|| self.plan.same_course(entry))??;
        let used_here = self.spent(entry.held.leaf).iter().any(|it| !it.elsewhere);
        (!used_here).then_some(course)
    }
}

fn issuers(archive: &[Entry<'_>]) -> Vec<usize> {
    let issuer = |at: usize| &archive[at].held.issuer;
    // One of a few: the firsts of all that came before.
    let mut firsts: Vec<usize> = Vec::new();
    let mut first = |at: usize| {
        let known = firsts
            .iter()
            .find(|first| issuer(**first) == issuer(at))
            .copied();
        known.unwrap_or_else(|| {
            firsts.push(at);
            at
        })
    };
    (0..archive.len()).map(&mut first).collect()
}

/// Why an outcome can be no source: not finished, not passed, or itself recognised.
fn barred(entry: &Entry<'_>, applied: Date) -> Option<Reason> {
    let outcome = entry.outcome;
    if outcome.completed_on > applied {
        Some(Reason::CompletedLater)
    } else if !outcome.is_passed() {
        Some(Reason::NotPassed)
    } else if outcome.obtained_by == Some(ObtainedBy::Recognition) {
        Some(Reason::ByRecognition)
    } else {
        None
    }
}

fn archive<'a>(set: &'a Compiled, held: &'a [Held]) -> Vec<Entry<'a>> {
    let mut sorted: Vec<&Held> = held.iter().collect();
    sorted.sort_by_key(|it| it.leaf);
    let same_leaf = sorted.chunk_by(|one, other| one.leaf == other.leaf);
    same_leaf
        .filter(|same| same[1..].iter().all(|it| *it == same[0]))
        .map(|same| Entry::new(set, same[0]))
        .collect()
}

fn spent(case: &Case<'_>) -> Vec<Spent> {
    let lines = case.prior.iter().flat_map(|prior| {
        let elsewhere = prior.programme != case.programme;
        let lines = prior
            .lines
            .iter()
            .filter(|line| line.to != LineTarget::Nothing);
        lines.map(move |line| (prior.decision, elsewhere, line))
    });
    let mut spent: Vec<Spent> = lines
        .flat_map(|(decision, elsewhere, line)| {
            line.outcomes.iter().map(move |leaf| Spent {
                leaf: *leaf,
                elsewhere,
                decision,
                exclusive: line.exclusive,
            })
        })
        .collect();
    spent.sort_unstable();
    spent
}
