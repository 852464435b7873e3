//! Integer programs in whole numbers, and the one place where they become the solver's floating point and come back.

use microlp::{ComparisonOp, Error, OptimizationDirection, Problem, SolutionStatus, SolveOptions};

/// Largest value of a whole variable, the solver's own limit.
const WHOLE_MAX: u64 = i32::MAX as u64;

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

    /// The largest value of a sum, within so many nodes of the search, which are taken from `nodes`.
    pub(crate) fn maximise(&self, objective: &Sum, nodes: &mut u64) -> Solved {
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
        let mut options = SolveOptions::default();
        options.node_limit = Some(*nodes);
        match problem
            .solve_with(options)
            .map(|outcome| outcome.into_solution())
        {
            Ok(Ok(solution)) if solution.status() == SolutionStatus::Optimal => {
                *nodes = nodes.saturating_sub(solution.stats().nodes_solved);
                let values = variables
                    .iter()
                    .map(|it| solution.var_value(*it).round() as i64);
                Solved::Optimum(Optimum(values.collect()))
            }
            Err(Error::Infeasible) => Solved::Impossible,
            _ => Solved::Unknown,
        }
    }
}
