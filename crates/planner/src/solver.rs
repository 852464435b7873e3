//! Integer programs in whole numbers, and the one place where they become the solver's floating point and come back.

use microlp::{
    ComparisonOp, Error, OptimizationDirection, Problem, ResumeOptions, SolveOptions, SolveOutcome,
};

/// Largest value of a whole variable, the solver's own limit.
const WHOLE_MAX: u64 = i32::MAX as u64;
/// Nodes of a search between two looks at the work that is left.
const NODES_AT_ONCE: u64 = 16;

/// What may still be done, in steps of the simplex method times the terms of the program. It bounds a search without a
/// clock, so that a plan is the same on a slow machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work(pub(crate) u64);

/// A sum of variables with whole coefficients, and a constant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    terms: Vec<(usize, i64)>,
    constant: i64,
}

impl Sum {
    /// A constant.
    pub(crate) const fn constant(constant: i64) -> Self {
        Self {
            terms: Vec::new(),
            constant,
        }
    }

    /// Adds another sum so many times.
    pub(crate) fn add(&mut self, times: i64, other: &Self) {
        let terms = other.terms.iter();
        self.terms
            .extend(terms.map(|(variable, factor)| (*variable, times * factor)));
        self.constant += times * other.constant;
    }

    /// It with another added so many times.
    pub(crate) fn plus(mut self, times: i64, other: &Self) -> Self {
        self.add(times, other);
        self
    }

    /// So many times it.
    pub(crate) fn times(&self, times: i64) -> Self {
        Self::default().plus(times, self)
    }

    /// Its value, where every variable in it is whole.
    fn value(&self, values: &[i64]) -> i64 {
        let terms = self.terms.iter();
        let sum: i64 = terms
            .map(|(variable, factor)| factor * values[*variable])
            .sum();
        sum + self.constant
    }
}

impl<'s> std::iter::Sum<&'s Sum> for Sum {
    fn sum<I: Iterator<Item = &'s Self>>(sums: I) -> Self {
        sums.fold(Self::default(), |all, sum| all.plus(1, sum))
    }
}

/// A program: variables and what must hold of them.
#[derive(Debug, Default)]
pub(crate) struct Program {
    variables: Vec<Variable>,
    rules: Vec<(Sum, ComparisonOp)>,
}

/// Least and largest value of a variable.
#[derive(Clone, Copy, Debug)]
struct Variable {
    is_whole: bool,
    least: u64,
    most: u64,
}

/// What the solver found.
pub(crate) enum Solved {
    /// The values of sums, at the optimum.
    Optimum(Optimum),
    /// The values of sums, at the best that was found before it gave up.
    Feasible(Optimum),
    /// Nothing meets all the rules.
    Impossible,
    /// It gave up.
    Unknown,
}

/// An optimum.
pub(crate) struct Optimum(Vec<i64>);

impl Optimum {
    /// The value of a sum of whole variables.
    pub(crate) fn value(&self, sum: &Sum) -> i64 {
        sum.value(&self.0)
    }
}

impl Program {
    /// A variable of 0 or 1.
    pub(crate) fn choice(&mut self) -> Sum {
        self.whole(1)
    }

    /// A whole variable from 0.
    pub(crate) fn whole(&mut self, most: u64) -> Sum {
        let most = most.min(WHOLE_MAX);
        self.variable(Variable {
            is_whole: true,
            least: 0,
            most,
        })
    }

    /// A variable that need not be whole.
    pub(crate) fn real(&mut self, least: u64, most: u64) -> Sum {
        self.variable(Variable {
            is_whole: false,
            least,
            most,
        })
    }

    fn variable(&mut self, variable: Variable) -> Sum {
        self.variables.push(variable);
        Sum {
            terms: vec![(self.variables.len() - 1, 1)],
            constant: 0,
        }
    }

    /// `sum` is at most `other`.
    pub(crate) fn at_most(&mut self, sum: &Sum, other: &Sum) {
        self.rules
            .push((sum.clone().plus(-1, other), ComparisonOp::Le));
    }

    /// `sum` is at least `other`.
    pub(crate) fn at_least(&mut self, sum: &Sum, other: &Sum) {
        self.at_most(other, sum);
    }

    /// Both are the same.
    pub(crate) fn equal(&mut self, sum: &Sum, other: &Sum) {
        self.rules
            .push((sum.clone().plus(-1, other), ComparisonOp::Eq));
    }

    /// The largest value of a sum; what that costs is taken from `work`.
    pub(crate) fn maximise(&self, objective: &Sum, work: &mut Work) -> Solved {
        let (problem, variables) = self.problem(objective);
        let outcome = match search(&problem, self.terms(), work) {
            Ok(outcome) => outcome,
            Err(Error::Infeasible) => return Solved::Impossible,
            Err(_) => return Solved::Unknown,
        };
        let Some(solution) = outcome.solution() else {
            return Solved::Unknown;
        };
        let values = variables.iter();
        let values = values.map(|it| solution.var_value(*it).round() as i64);
        let optimum = Optimum(values.collect());
        if outcome.is_optimal() {
            Solved::Optimum(optimum)
        } else {
            Solved::Feasible(optimum)
        }
    }

    fn terms(&self) -> u64 {
        let terms = self.rules.iter().map(|(sum, _)| sum.terms.len() + 1);
        (terms.sum::<usize>() + self.variables.len()) as u64
    }

    fn problem(&self, objective: &Sum) -> (Problem, Vec<microlp::Variable>) {
        let mut weights = vec![0; self.variables.len()];
        for (variable, factor) in &objective.terms {
            weights[*variable] += factor;
        }
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let variables = self.variables.iter().zip(&weights).map(|(it, weight)| {
            if it.is_whole {
                problem.add_integer_var(*weight as f64, (it.least as i32, it.most as i32))
            } else {
                problem.add_var(*weight as f64, (it.least as f64, it.most as f64))
            }
        });
        let variables: Vec<microlp::Variable> = variables.collect();
        for (sum, comparison) in &self.rules {
            let mut factors = std::collections::BTreeMap::<usize, i64>::new();
            for (variable, factor) in &sum.terms {
                *factors.entry(*variable).or_default() += factor;
            }
            let terms = factors.iter().filter(|(_, factor)| **factor != 0);
            let terms = terms.map(|(variable, factor)| (variables[*variable], *factor as f64));
            let terms: Vec<_> = terms.collect();
            problem.add_constraint(&terms, *comparison, -sum.constant as f64);
        }
        (problem, variables)
    }
}

/// Searches to the end, or until no work is left.
fn search(problem: &Problem, terms: u64, work: &mut Work) -> Result<SolveOutcome, Error> {
    let mut options = SolveOptions::default();
    options.node_limit = Some(NODES_AT_ONCE);
    let mut outcome = problem.solve_with(options)?;
    let mut steps = 0;
    loop {
        let so_far = outcome.stats().lp_iterations;
        work.0 = work.0.saturating_sub((so_far - steps) * terms);
        if outcome.is_optimal() || work.0 == 0 {
            return Ok(outcome);
        }
        steps = so_far;
        let mut options = ResumeOptions::default();
        options.node_limit = Some(NODES_AT_ONCE);
        outcome = outcome.resume_with(options)?;
    }
}
