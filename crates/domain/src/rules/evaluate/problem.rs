//! The choice that a plan makes, as whole numbers: what each candidate could be granted, and what that spends.
//!
//! Whoever chooses sees every condition that a set of uses must meet to be granted, but not every one is enough: which
//! use comes first decides who is cut by a limit. So a choice is a proposal, and [`evaluate`](super::evaluate) decides.

use super::super::candidates::{Found, candidates_in, offers_in};
use super::super::case::{Case, Use};
use super::super::compile::Compiled;
use super::super::decision::{Decision, Progress};
use super::super::programme::Minimum;
use super::super::progress::progress;
use super::super::rule::Rule;
use super::context::Context;
use super::grant::{Part, parts};
use super::identity::is_related;
use super::limits::Tally;
pub use super::limits::Unit;
use super::state::State;

/// Most offers of a problem: what a search can still look through.
pub const OFFERS_MAX: usize = 400;

/// The candidates of a case as whole numbers. All amounts of credit in hundredths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// What can be used for what, in canonical order.
    pub offers: Vec<Offer>,
    /// Whether all that could be offered is; else it is what a simulation grants and, up to [`OFFERS_MAX`], some of what
    /// else each rule admits.
    pub is_whole: bool,
    /// Pairs of offers of which one at most is granted, beside those that share an outcome.
    pub exclusions: Vec<(usize, usize)>,
    /// What the limits leave.
    pub budgets: Vec<Budget>,
    /// By module: room for credit that no course is tied to.
    pub rooms: Vec<u64>,
    /// By module: most credit that counts.
    pub most: Vec<Option<u64>>,
    /// Credit that no course is tied to is granted in multiples of this.
    pub unit: u64,
    /// Where the learner stands before.
    pub progress: Progress,
}

impl Problem {
    /// The uses that a choice names, one value an offer.
    #[must_use]
    pub fn chosen(&self, choice: &[bool]) -> Vec<Use> {
        let offers = self.offers.iter().zip(choice);
        let chosen = offers.filter(|(_, chosen)| **chosen);
        chosen.map(|(offer, _)| offer.proposed.clone()).collect()
    }
}

/// A use that can be proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The use.
    pub proposed: Use,
    /// What it may be granted, each at most once; at least one of them if it is granted.
    pub parts: Vec<Share>,
    /// Most credit of all parts together.
    pub most: u64,
    /// How many parts may be granted beside a remainder.
    pub pick: usize,
    /// Whether each part is granted that nothing but limits, room and earlier uses stops.
    pub is_firm: bool,
}

/// Credit of an offer for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The course by code, and its module; none for credit without a course.
    pub course: Option<(String, usize)>,
    /// The modules for credit without a course, in order.
    pub modules: Vec<usize>,
    /// What it is at least, if nothing stops it.
    pub least: u64,
    /// What it is at most.
    pub most: u64,
    /// For a course, what limits are asked for.
    pub asked: u64,
    /// For what is left of the source's credits, all of these: every course of the offer that has credit, from it or
    /// from an earlier use, takes as much of them. Nothing where that is not so, and for any other part.
    pub rest: u64,
    /// Whether it counts at the level that the programme asks for.
    pub at_level: bool,
    /// The minima of the programme that it counts for, by id.
    pub minima: Vec<String>,
    /// The budgets that it is counted in, each with the outcomes that are new to it.
    pub budgets: Vec<(usize, u64)>,
}

/// What a limit leaves in one of its groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What is counted.
    pub unit: Unit,
    /// How much is left.
    pub left: u64,
    /// Whether credit beyond it is cut; else the whole use is refused.
    pub cuts: bool,
}

/// The choice that a learner has.
///
/// Offers are the [`candidates`](super::super::candidates()) that grant credit, and for hours-to-credits also parts of
/// what matches, since limits may let through more of less.
#[must_use]
pub fn problem(set: &Compiled, case: &Case<'_>) -> Problem {
    let Some(context) = Context::new(set, case) else {
        return Problem::default();
    };
    let mut state = State::new(&context);
    let mut builder = Builder::default();
    let mut found = offers_in(&context, &mut state);
    builder.is_whole = found.len() <= OFFERS_MAX;
    if !builder.is_whole {
        let uses = candidates_in(&context);
        let simulated = super::decide_all(set, case, Some(&context), uses.iter());
        found = few(found, &simulated);
    }
    for (rule, sources, proposed) in found {
        builder.offer(&mut state, rule, &sources, proposed);
    }
    builder.finish(&state)
}

/// What a simulation grants of all that is found and, so that no rule is left out, as many others of each rule, evenly
/// spaced; of a rule that has fewer all of them.
fn few<'a>(found: Vec<Found<'a>>, simulated: &Decision) -> Vec<Found<'a>> {
    let is_granted: Vec<bool> = found.iter().map(|it| simulated.grants(&it.2)).collect();
    let of_rule = |one: &Found<'_>, next: &Found<'_>| one.2.rule == next.2.rule;
    let mut sizes: Vec<usize> = found.chunk_by(of_rule).map(<[_]>::len).collect();
    sizes.sort_unstable();
    let (mut left, mut each) = (OFFERS_MAX, 0);
    for (at, size) in sizes.iter().enumerate() {
        each = left / (sizes.len() - at);
        left -= each.min(*size);
    }
    let spaced = found.chunk_by(of_rule).flat_map(|rule| {
        let (size, most) = (rule.len(), each.min(rule.len()));
        (0..size).map(move |at| at * most / size != (at + 1) * most / size)
    });
    let is_kept: Vec<bool> = spaced
        .zip(&is_granted)
        .map(|(one, other)| one || *other)
        .collect();
    let kept = found.into_iter().zip(is_kept);
    kept.filter(|(_, is_kept)| *is_kept)
        .map(|(it, _)| it)
        .collect()
}

#[derive(Default)]
struct Builder {
    offers: Vec<Offer>,
    is_whole: bool,
    sources: Vec<Vec<usize>>,
    budgets: Vec<Budget>,
    tallies: Vec<(usize, usize)>,
}

impl Builder {
    fn offer(&mut self, state: &mut State<'_>, rule: &Rule, sources: &[usize], proposed: Use) {
        let (parts, most) = parts(state, rule, sources, &proposed.courses);
        if parts.is_empty() {
            return;
        }
        let shares = parts
            .into_iter()
            .map(|part| self.share(state, part, sources));
        let shares = shares.collect();
        self.sources.push(sources.to_vec());
        let grant = &rule.grant;
        self.offers.push(Offer {
            proposed,
            parts: shares,
            most,
            pick: grant.pick.into(),
            is_firm: !grant.not_above_source && usize::from(grant.pick) >= grant.targets.len(),
        });
    }

    fn share(&mut self, state: &State<'_>, part: Part, sources: &[usize]) -> Share {
        let context = state.context;
        let course = part.course.map(|course| {
            let code = context.course(course).code.clone();
            (code, context.plan.module_of(course) as usize)
        });
        let budgets = part.tallies.iter().map(|tally| {
            let new = state.limits.new_outcomes(context, *tally, sources);
            (self.budget(state, *tally), new)
        });
        Share {
            course,
            modules: part.modules.iter().map(|module| *module as usize).collect(),
            least: part.least,
            most: part.most,
            asked: part.asked,
            rest: part.rest,
            at_level: at_level(context, sources),
            minima: minima(context, sources),
            budgets: budgets.collect(),
        }
    }

    fn budget(&mut self, state: &State<'_>, tally: Tally) -> usize {
        let key = (tally.limit, tally.group);
        if let Some(known) = self.tallies.iter().position(|it| *it == key) {
            return known;
        }
        let (unit, left, cuts) = state.limits.left(tally);
        self.tallies.push(key);
        self.budgets.push(Budget { unit, left, cuts });
        self.budgets.len() - 1
    }

    fn finish(self, state: &State<'_>) -> Problem {
        let context = state.context;
        let modules = &context.programme.modules;
        let pairs = (0..self.offers.len()).flat_map(|one| (0..one).map(move |other| (other, one)));
        let apart = |(one, other): &(usize, usize)| {
            let (one, other) = (&self.sources[*one], &self.sources[*other]);
            one.iter().any(|one| {
                let one = &context.archive[*one];
                other
                    .iter()
                    .any(|other| is_related(context, one, &context.archive[*other]))
            })
        };
        Problem {
            exclusions: pairs.filter(apart).collect(),
            offers: self.offers,
            is_whole: self.is_whole,
            budgets: self.budgets,
            rooms: (0..)
                .take(modules.len())
                .map(|module| state.room(module))
                .collect(),
            most: modules
                .iter()
                .map(|it| it.max.map(|max| max.hundredths().into()))
                .collect(),
            unit: context.unit(),
            progress: progress(context, &[]),
        }
    }
}

fn at_level(context: &Context<'_>, sources: &[usize]) -> bool {
    let Some((needed, _)) = context.programme.at_level else {
        return false;
    };
    let mut levels = sources.iter().map(|at| context.archive[*at].level());
    levels.all(|level| level.is_some_and(|level| level >= needed))
}

fn minima(context: &Context<'_>, sources: &[usize]) -> Vec<String> {
    let takes_all = |minimum: &&Minimum| {
        let mut entries = sources.iter().map(|at| &context.archive[*at]);
        entries.all(|entry| entry.is_selected_by(&minimum.selector))
    };
    let minima = context.programme.minima.iter().filter(takes_all);
    minima.map(|minimum| minimum.id.clone()).collect()
}
