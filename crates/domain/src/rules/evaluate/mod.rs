//! The evaluation: from a proposed use to credit, one file a stage.
//!
//! The order is the field's: identity → validity → version by the deciding day → slots, grade, level and the other
//! conditions → what it is worth → limits and duplicates → rounding, once. Uses are decided one after another in
//! canonical order, each against what those before it took; a use that is refused takes nothing. Total: whatever set,
//! archive and uses are given, there is a decision, and the order in which they are given never changes it.

pub(super) mod conditions;
mod context;
mod grade;
mod grant;
mod groups;
pub(super) mod identity;
mod limits;
mod matching;
mod problem;
mod state;
mod targets;
mod trace;
mod validity;

use std::borrow::Cow;

use super::candidates::candidates_in;
use super::case::{Case, Use};
use super::compile::Compiled;
use super::decision::{
    Decision, Finding, Line, LineTarget, Progress, Reason, RecordedGrade, RefusedUse,
};
use super::progress::progress;
use super::rule::{Review, Rule};
pub(super) use context::Context;
pub(super) use grant::is_nothing;
pub(super) use matching::fill;
pub use problem::{Budget, OFFERS_MAX, Offer, Problem, Share, Unit, problem};
pub(super) use state::State;
pub(super) use targets::{Aim, aim};
use trace::Trace;

/// Decides proposed uses of a learner's outcomes under a rule set.
///
/// Where the set has no such programme, every use is refused with [`Reason::ProgrammeUnknown`] and the progress is
/// empty.
#[must_use]
pub fn evaluate(set: &Compiled, case: &Case<'_>, uses: &[Use]) -> Decision {
    let uses = canonical(uses);
    let context = Context::new(set, case);
    decide_all(set, case, context.as_ref(), uses.iter().map(Cow::as_ref))
}

/// Decides every use that would be granted alone: what a learner's outcomes are worth without an application. The uses
/// are those of [`candidates`](super::candidates), decided in canonical order, so the first that needs an outcome or a
/// course has it.
#[must_use]
pub fn simulate(set: &Compiled, case: &Case<'_>) -> (Vec<Use>, Decision) {
    let context = Context::new(set, case);
    let uses = context.as_ref().map(candidates_in).unwrap_or_default();
    let decision = decide_all(set, case, context.as_ref(), uses.iter());
    (uses, decision)
}

/// Decides uses that are in canonical order.
fn decide_all<'u>(
    set: &Compiled,
    case: &Case<'_>,
    context: Option<&Context<'_>>,
    uses: impl ExactSizeIterator<Item = &'u Use>,
) -> Decision {
    let mut decision = Decision {
        rule_set: set.set().hash,
        programme: case.programme.to_owned(),
        date: case.date,
        lines: Vec::new(),
        refused: Vec::new(),
        trace: Vec::new(),
        automatic: false,
        progress: Progress::default(),
    };
    let mut trace = Trace::kept(uses.len());
    let mut state = context.map(State::new);
    let mut automatic = true;
    for proposed in uses {
        trace.begin(proposed);
        let result = match &mut state {
            Some(state) => decide(state, proposed, &mut decision.lines, &mut trace),
            None => Err((None, Reason::ProgrammeUnknown)),
        };
        match result {
            Ok(rule) => automatic &= rule.review == Review::None,
            Err((rule, reason)) => {
                let place = rule.map(|rule| rule.place).unwrap_or_default();
                trace.step(place, || Finding::Refused(reason.clone()));
                decision.refused.push(RefusedUse {
                    rule: proposed.rule.clone(),
                    outcomes: proposed.outcomes.clone(),
                    reason,
                });
            }
        }
    }
    decision.automatic = automatic && !decision.lines.is_empty();
    decision.trace = trace.into_steps();
    if let Some(context) = context {
        decision.progress = progress(context, &decision.lines);
    }
    decision
}

/// Whether an outcome fills a slot of a version of a rule and meets what it asks of each.
pub(super) fn meets_slot(context: &Context<'_>, rule: &Rule, slot: usize, at: usize) -> bool {
    let (entry, slot) = (&context.archive[at], &rule.slots[slot]);
    let trace = &mut Trace::silent();
    entry.is_selected_by(&slot.selector)
        && grade::meets(&slot.min_grade, entry.outcome.grade).is_ok()
        && validity::is_in_force(context, rule, at)
        && validity::check(context, rule, &[at], trace).is_ok()
        && conditions::agreement(context, rule, &[at], trace).is_ok()
        && conditions::outcomes(context, rule, &[at], trace).is_ok()
}

/// Whether outcomes that meet a version of a rule one by one would be granted something under it; nothing of it stays.
pub(super) fn would_grant(
    state: &mut State<'_>,
    rule: &Rule,
    sources: &[usize],
    courses: &[String],
) -> bool {
    let context = state.context;
    let trace = &mut Trace::silent();
    let versions = context.set.versions(&rule.id);
    let is_decided_by = validity::version(context, versions, sources);
    let is_decided_by = is_decided_by.is_ok_and(|version| std::ptr::eq(version, rule));
    if !is_decided_by
        || validity::takes_applications(context).is_err()
        || conditions::agreement(context, rule, sources, trace).is_err()
    {
        return false;
    }
    if !is_nothing(rule) {
        let are_free = sources
            .iter()
            .all(|at| identity::is_free(state, rule, *at).is_ok());
        if !are_free || identity::are_apart(context, sources).is_err() {
            return false;
        }
    }
    let granted = grant::grant(state, rule, sources, courses, trace);
    granted.is_ok_and(|granted| {
        state.give_back(&granted);
        true
    })
}

/// A use that is granted, before it is written down.
struct GrantedUse<'a> {
    rule: &'a Rule,
    sources: Vec<usize>,
    granted: Vec<state::Granted>,
}

/// A refusal, with the version of the rule as far as it was found.
type Refused<'a> = (Option<&'a Rule>, Reason);

/// The stages of one use. Credit that is granted stays taken.
fn stages<'a>(
    state: &mut State<'a>,
    proposed: &Use,
    trace: &mut Trace,
) -> Result<GrantedUse<'a>, Refused<'a>> {
    let context = state.context;
    let versions = context.set.versions(&proposed.rule);
    let first = versions.clone().next();
    let none = |reason| (first, reason);
    if first.is_none() {
        return Err(none(Reason::RuleUnknown));
    }
    let sources = identity::sources(context, proposed).map_err(none)?;
    let rule = validity::version(context, versions, &sources).map_err(none)?;
    validity::takes_applications(context).map_err(none)?;
    let courses = proposed.courses.as_slice();
    match conditions_and_grant(state, rule, &sources, courses, trace) {
        Ok(granted) => Ok(GrantedUse {
            rule,
            sources,
            granted,
        }),
        Err(reason) => Err((Some(rule), reason)),
    }
}

fn conditions_and_grant(
    state: &mut State<'_>,
    rule: &Rule,
    sources: &[usize],
    courses: &[String],
    trace: &mut Trace,
) -> Result<Vec<state::Granted>, Reason> {
    let context = state.context;
    if !is_nothing(rule) {
        sources
            .iter()
            .try_for_each(|at| identity::is_free(state, rule, *at))?;
        identity::are_apart(context, sources)?;
    }
    validity::check(context, rule, sources, trace)?;
    conditions::check(context, rule, sources, trace)?;
    grant::grant(state, rule, sources, courses, trace)
}

/// Decides one use, keeps what it takes and writes down what it is granted.
fn decide<'a>(
    state: &mut State<'a>,
    proposed: &Use,
    lines: &mut Vec<Line>,
    trace: &mut Trace,
) -> Result<&'a Rule, Refused<'a>> {
    let GrantedUse {
        rule,
        sources,
        granted,
    } = stages(state, proposed, trace)?;
    if !is_nothing(rule) {
        state.occupy(&sources);
    }
    let entries = sources.iter().map(|at| &state.context.archive[*at]);
    let grade = grade::recorded(&rule.grade, entries);
    lines.extend(granted.iter().map(|it| {
        let to = state.target(it.spot);
        let grade = if to == LineTarget::Nothing {
            RecordedGrade::None
        } else {
            grade
        };
        Line {
            rule: rule.id.clone(),
            outcomes: proposed.outcomes.clone(),
            to,
            credits: it.credits,
            source_credits: crate::Credit::from_hundredths(it.spent.min(u32::MAX.into()) as u32),
            grade,
            exclusive: rule.exclusive,
            counted: state.counted(it),
        }
    }));
    Ok(rule)
}

/// Uses in canonical order: by rule, then outcomes, then courses, each of them ascending. What is in order is not copied.
fn canonical(uses: &[Use]) -> Vec<Cow<'_, Use>> {
    let ascending = |it: &Use| {
        let is_in_order =
            it.outcomes.is_sorted() && it.courses.is_sorted_by(|one, next| one < next);
        if is_in_order {
            return None;
        }
        let mut it = it.clone();
        it.outcomes.sort_unstable();
        it.courses.sort_unstable();
        it.courses.dedup();
        Some(it)
    };
    let uses = uses.iter();
    let mut uses: Vec<Cow<'_, Use>> = uses
        .map(|it| ascending(it).map_or(Cow::Borrowed(it), Cow::Owned))
        .collect();
    uses.sort_unstable();
    uses
}
