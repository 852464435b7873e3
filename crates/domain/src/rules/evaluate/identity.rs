//! Stage 1, identity: are these outcomes of the archive, finished and passed, and free for this purpose?

use super::super::archive::Entry;
use super::super::case::Use;
use super::super::decision::Reason;
use super::super::rule::{OUTCOMES_PER_USE_MAX, Rule};
use super::context::Context;
use super::state::State;

/// The outcomes of a use, by their places in the archive; each may be a source as far as it is not about the rule.
pub(super) fn sources(context: &Context<'_>, proposed: &Use) -> Result<Vec<usize>, Reason> {
    let outcomes = &proposed.outcomes;
    if outcomes.len() > OUTCOMES_PER_USE_MAX {
        return Err(Reason::SourcesTooMany);
    }
    if outcomes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Reason::OutcomeRepeated);
    }
    let find = |leaf| context.find(leaf).ok_or(Reason::OutcomeUnknown);
    let sources: Vec<usize> = outcomes
        .iter()
        .copied()
        .map(find)
        .collect::<Result<_, _>>()?;
    let mut barred = sources.iter().filter_map(|at| context.barred[*at].as_ref());
    match barred.next() {
        Some(reason) => Err(reason.clone()),
        None => Ok(sources),
    }
}

/// Whether an outcome is free to be used under a rule: not spent before, not studied in the programme, not used by an
/// earlier use of the proposal, and neither whole nor part of what is.
pub(in crate::rules) fn is_free(state: &State<'_>, rule: &Rule, at: usize) -> Result<(), Reason> {
    let context = state.context;
    let entry = &context.archive[at];
    let spent = context.spent(entry.held.leaf);
    let here = spent.iter().find(|it| !it.elsewhere);
    if let Some(it) = here {
        return Err(Reason::AlreadyUsed {
            decision: it.decision,
        });
    }
    if let Some(it) = spent.iter().find(|it| it.exclusive || rule.exclusive) {
        return Err(Reason::UsedElsewhere {
            decision: it.decision,
        });
    }
    if context.studied[at].is_some() {
        return Err(Reason::AlreadyStudied);
    }
    if state.is_used(at) {
        return Err(Reason::OutcomeRepeated);
    }
    match state.related(entry) {
        Some(other) => Err(Reason::WholeAndPart { other }),
        None => Ok(()),
    }
}

/// Whether no outcome of a use contains another.
pub(in crate::rules) fn are_apart(context: &Context<'_>, sources: &[usize]) -> Result<(), Reason> {
    let in_tree = |at: &&usize| context.archive[**at].nodes != [None, None];
    let mut entries = sources
        .iter()
        .filter(in_tree)
        .map(|at| &context.archive[*at]);
    while let Some(entry) = entries.next() {
        let contains = |other: &&Entry<'_>| is_related(context, entry, other);
        if let Some(other) = entries.clone().find(contains) {
            let other = other.held.leaf;
            return Err(Reason::WholeAndPart { other });
        }
    }
    Ok(())
}

pub(super) fn is_related(context: &Context<'_>, one: &Entry<'_>, other: &Entry<'_>) -> bool {
    let wholes = &context.set.wholes;
    one.nodes.iter().flatten().any(|one| {
        let mut others = other.nodes.iter().flatten();
        others.any(|other| wholes.is_related(*one, *other))
    })
}
