//! Plans: the use of a learner's outcomes that recognises the most credits, or completes a programme with the fewest.
//!
//! A plan is a proposal. It is found by integer programming, in a solver that this crate alone names and whose floating
//! point `solver.rs` alone touches; it is worth what [`evaluate`] says and nothing else. Every plan has been evaluated
//! before it leaves here, none has a use that would be refused, and nothing of the solver reaches a decision.
//!
//! The solver sees a [`Problem`](creditbank_domain::rules::Problem) of necessary conditions. Its optimum is therefore a
//! bound: if the evaluation of what it chose reaches the bound, the plan is proved best. If not, the solver is told more
//! of the offers in that choice, or that it is not one, and asked again.
//!
//! A plan ends. What is offered, how often the solver is asked and how much work it may do have named maxima, none of
//! them a time, so that a plan is the same on every machine; where one is reached, [`Plan::proven`] says so.

mod model;
mod search;
mod solver;

use std::cmp::Reverse;

use creditbank_domain::rules::{
    Case, Compiled, Decision, Form, NextStep, Use, evaluate, next_steps, problem,
};
use creditbank_domain::{Hours, LeafIndex};

use self::search::{Aim, Search};

/// What a plan is to achieve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// The most credits recognised; of those the fewest outcomes spent.
    MostCredits,
    /// The programme completed with the fewest outcomes; of those the most credits. Where it cannot be completed, as
    /// [`Goal::MostCredits`].
    FewestOutcomes,
}

/// The best use of a learner's outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The uses, in canonical order. None of them is refused.
    pub uses: Vec<Use>,
    /// What they are worth, by [`evaluate`] alone.
    pub decision: Decision,
    /// Whether no plan is better, and of equal ones none comes before it: the first candidate that a best plan can
    /// contain is in it, then the next, and so on. Otherwise the search was given up with the best plan so far.
    pub proven: bool,
    /// What could be done next for what is still missing.
    pub next_steps: Vec<NextStep>,
}

/// Plans for a case. The order of its parts never changes the plan.
#[must_use]
pub fn plan(set: &Compiled, case: &Case<'_>, goal: Goal) -> Plan {
    let problem = problem(set, case);
    let search = |aim| Search::new(set, case, &problem, aim).run();
    let complete = match goal {
        Goal::MostCredits => None,
        Goal::FewestOutcomes => Some(search(Aim::Complete)),
    };
    // That no plan completes the programme is only sure if the search came to its end.
    let came_to_end = complete.as_ref().is_none_or(|found| found.proven);
    let found = match complete {
        Some(found) if found.chosen.is_some() => found,
        _ => search(Aim::Credits),
    };
    let chosen = found.chosen.unwrap_or_default();
    let (uses, decision) = spared(set, case, problem.chosen(&chosen));
    Plan {
        next_steps: next_steps(set, case, &decision),
        uses,
        decision,
        proven: found.proven && came_to_end && problem.is_whole,
    }
}

/// The uses without the hours that they do not need: outcomes whose leaving out changes nothing of what is granted are
/// kept for another day, those of the fewest hours first.
fn spared(set: &Compiled, case: &Case<'_>, mut uses: Vec<Use>) -> (Vec<Use>, Decision) {
    let mut decision = evaluate(set, case, &uses);
    for at in 0..uses.len() {
        if !sums_hours(set, &uses[at].rule) {
            continue;
        }
        let mut outcomes = uses[at].outcomes.clone();
        outcomes.sort_by_key(|leaf| (hours(case, *leaf), Reverse(*leaf)));
        for leaf in outcomes {
            let mut fewer = uses.clone();
            fewer[at].outcomes.retain(|it| *it != leaf);
            if fewer[at].outcomes.is_empty() {
                continue;
            }
            let without = evaluate(set, case, &fewer);
            if grants_the_same(&without, &decision) {
                (uses, decision) = (fewer, without);
            }
        }
    }
    (uses, decision)
}

fn sums_hours(set: &Compiled, rule: &str) -> bool {
    let mut rules = set.set().rules.iter();
    rules.any(|it| it.id == rule && it.form == Form::HoursToCredits)
}

fn hours(case: &Case<'_>, leaf: LeafIndex) -> Option<Hours> {
    let found = case.held.iter().find(|it| it.leaf == leaf);
    found.and_then(|it| it.outcome.hours)
}

/// Whether two decisions grant the same credit for the same, whatever it rests on, and leave the same to be done.
fn grants_the_same(one: &Decision, other: &Decision) -> bool {
    let granted = |decision: &Decision| {
        let lines = decision.lines.iter();
        let granted = lines.map(|it| (it.rule.clone(), it.to.clone(), it.credits, it.grade));
        granted.collect::<Vec<_>>()
    };
    granted(one) == granted(other) && one.progress == other.progress
}
