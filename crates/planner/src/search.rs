//! The search for the best choice: the solver proposes, the evaluation decides.

use creditbank_domain::rules::{Case, Compiled, Offer, Problem, Use, evaluate, simulate};

use crate::model::{Answer, BLOCK, Question, Scale, Wanted, ask};
use crate::solver::Work;

/// Most calls of the solver for one search.
const CALLS_MAX: u32 = 64;
/// Most work in all of them.
const WORK_MAX: u64 = 50_000_000;

/// What a choice must achieve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// The most credits, then the fewest outcomes.
    Credits,
    /// Completion with the fewest outcomes, then the most credits.
    Complete,
}

/// What a search came to.
pub(crate) struct Found {
    /// By offer whether it is chosen; none if no choice achieves the aim, or none was found.
    pub(crate) chosen: Option<Vec<bool>>,
    /// Whether that is certain.
    pub(crate) proven: bool,
}

/// One search.
pub(crate) struct Search<'s> {
    set: &'s Compiled,
    case: &'s Case<'s>,
    problem: &'s Problem,
    scale: Scale,
    aim: Aim,
    /// Choices that were evaluated and found less than the solver thought, with what they are worth; none is a choice
    /// that the evaluation refuses or that does not achieve the aim.
    tried: Vec<(Vec<bool>, Option<i64>)>,
    /// The offers of which the solver has been told all, because a choice with them was less than it thought.
    exact: Vec<bool>,
    best: Option<(Vec<bool>, i64)>,
    calls: u32,
    work: Work,
}

impl<'s> Search<'s> {
    pub(crate) fn new(
        set: &'s Compiled,
        case: &'s Case<'s>,
        problem: &'s Problem,
        aim: Aim,
    ) -> Self {
        Self {
            set,
            case,
            problem,
            scale: Scale::new(problem),
            aim,
            tried: Vec::new(),
            exact: vec![false; problem.offers.len()],
            best: None,
            calls: 0,
            work: Work(WORK_MAX),
        }
    }

    /// Searches to the end, or to [`CALLS_MAX`] or [`WORK_MAX`].
    pub(crate) fn run(mut self) -> Found {
        self.begin();
        let proven = self.improve() && self.put_in_order();
        Found {
            chosen: self.best.map(|(chosen, _)| chosen),
            proven,
        }
    }

    /// Begins with what a simulation grants, so that there is a plan whatever the solver does.
    fn begin(&mut self) {
        let (_, decision) = simulate(self.set, self.case);
        let mut last: Option<&Use> = None;
        let mut chosen = Vec::with_capacity(self.problem.offers.len());
        for Offer { proposed, .. } in &self.problem.offers {
            // Other courses for the same outcomes come after.
            let is_another = last.is_some_and(|last| {
                last.rule == proposed.rule && last.outcomes == proposed.outcomes
            });
            let is_chosen = decision.grants(proposed) && !is_another;
            if is_chosen {
                last = Some(proposed);
            }
            chosen.push(is_chosen);
        }
        let score = self.worth(&chosen);
        self.best = score.map(|score| (chosen, score));
    }

    /// Finds the best choice; whether it is certain that there is no better one.
    fn improve(&mut self) -> bool {
        loop {
            let excluded: Vec<Vec<bool>> = self.tried.iter().map(|(it, _)| it.clone()).collect();
            let above = self.best.as_ref().map(|(_, best)| *best);
            match self.ask(&excluded, Wanted::Best(above)) {
                Answer::Impossible => return true,
                Answer::Unknown => return false,
                Answer::Some(chosen) => {
                    self.keep_if_better(&chosen);
                    return false;
                }
                Answer::Best(chosen, bound) => {
                    let score = self.keep_if_better(&chosen);
                    if score == Some(bound) {
                        return true;
                    }
                    self.learn(chosen, score);
                }
            }
        }
    }

    /// Takes note that a choice is less than the solver thought: it is told all of the offers in it, or, where it was
    /// already, that this is not one.
    fn learn(&mut self, chosen: Vec<bool>, score: Option<i64>) {
        let mut is_told = true;
        for (exact, chosen) in self.exact.iter_mut().zip(&chosen) {
            is_told &= *exact || !chosen;
            *exact |= chosen;
        }
        if is_told {
            self.tried.push((chosen, score));
        }
    }

    /// What a choice is worth; if it is the best so far, it is kept.
    fn keep_if_better(&mut self, chosen: &[bool]) -> Option<i64> {
        let score = self.worth(chosen);
        if score.is_some_and(|score| self.best.as_ref().is_none_or(|it| it.1 < score)) {
            self.best = score.map(|score| (chosen.to_vec(), score));
        }
        score
    }

    /// Of equally good choices takes the one that contains the first candidate that one of them can contain, then the
    /// next, and so on; whether that is certain.
    fn put_in_order(&mut self) -> bool {
        let Some((mut chosen, best)) = self.best.clone() else {
            return true;
        };
        self.tried
            .retain(|(_, score)| score.is_none_or(|score| score < best));
        let mut fixed = 0;
        loop {
            while fixed < chosen.len() && self.is_decided(&chosen, fixed) {
                fixed += 1;
            }
            if fixed == chosen.len() {
                return true;
            }
            let excluded: Vec<Vec<bool>> = self.tried.iter().map(|(it, _)| it.clone()).collect();
            match self.ask(&excluded, Wanted::Order(best, &chosen[..fixed])) {
                Answer::Impossible | Answer::Some(_) | Answer::Unknown => return false,
                Answer::Best(proposed, _) => match self.worth(&proposed) {
                    Some(score) if score == best => {
                        chosen = proposed;
                        self.best = Some((chosen.clone(), best));
                        fixed = (fixed + BLOCK).min(chosen.len());
                    }
                    score => self.learn(proposed, score),
                },
            }
        }
    }

    /// Whether nothing need be asked about an offer, once those before it are decided: it is chosen, or one of those
    /// that are chosen before it excludes it.
    fn is_decided(&self, chosen: &[bool], at: usize) -> bool {
        let offers = &self.problem.offers;
        let excludes = |other: usize| {
            let (one, other_offer) = (&offers[at], &offers[other]);
            let mut leaves = one.proposed.outcomes.iter();
            leaves.any(|leaf| other_offer.proposed.outcomes.contains(leaf))
                || self.problem.exclusions.contains(&(other, at))
                || single_course(one).is_some_and(|it| single_course(other_offer) == Some(it))
        };
        chosen[at] || (0..at).any(|other| chosen[other] && excludes(other))
    }

    fn ask(&mut self, excluded: &[Vec<bool>], wanted: Wanted<'_>) -> Answer {
        if self.calls == CALLS_MAX {
            return Answer::Unknown;
        }
        self.calls += 1;
        let aim = self.aim;
        let question = Question {
            aim,
            exact: &self.exact,
            excluded,
            wanted,
        };
        ask(self.problem, self.scale, &question, &mut self.work)
    }

    /// What a choice is worth by evaluation; none if a use of it is refused or the aim is not achieved.
    fn worth(&self, chosen: &[bool]) -> Option<i64> {
        let uses = self.problem.chosen(chosen);
        let decision = evaluate(self.set, self.case, &uses);
        let is_achieved = match self.aim {
            Aim::Credits => true,
            Aim::Complete => decision.progress.missing.is_empty(),
        };
        let credits = decision
            .lines
            .iter()
            .map(|it| u64::from(it.credits.hundredths()))
            .sum();
        let outcomes = uses.iter().map(|it| it.outcomes.len()).sum();
        let is_granted = decision.refused.is_empty();
        (is_granted && is_achieved).then(|| self.scale.score(self.aim, credits, outcomes))
    }
}

/// The course of an offer that has nothing else.
fn single_course(offer: &Offer) -> Option<&str> {
    match offer.parts.as_slice() {
        [part] => part.course.as_ref().map(|(code, _)| code.as_str()),
        _ => None,
    }
}
