//! Running an example: the domain decides, and what comes out is held against what is expected.

use creditbank_domain::points::{Purse, earn};
use creditbank_domain::rules::{Case, Compiled, Decision, Prior, Use, Wording, evaluate, simulate};
use jiff::civil::Date;

use super::compare;
use super::{Breach, Example};

/// What came of an example.
#[derive(Clone, Debug)]
pub struct ExampleResult {
    /// What it shows.
    pub title: Wording,
    /// The document it stands in.
    pub document: String,
    /// Its line.
    pub line: u32,
    /// What differs from what is expected, each in words; none where it passed.
    pub differences: Vec<Wording>,
    /// The decision, where the example is for a programme.
    pub decision: Option<Decision>,
}

impl ExampleResult {
    /// Whether everything is as expected.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs an example against the set it belongs to.
#[must_use]
pub fn run(set: &Compiled, example: &Example) -> ExampleResult {
    let mut differences = Vec::new();
    let decision = example.programme.as_deref().map(|programme| {
        let mut prior: Vec<Prior> = Vec::new();
        for before in &example.before {
            let decided = decide(
                set,
                example,
                (&before.programme, before.date),
                before.uses.as_deref(),
                &prior,
            );
            prior.push(Prior {
                decision: before.decision,
                programme: before.programme.clone(),
                lines: decided.lines,
            });
        }
        decide(
            set,
            example,
            (programme, example.date),
            example.uses.as_deref(),
            &prior,
        )
    });
    if let Some(decision) = &decision {
        compare::decision(&example.expect, decision, &mut differences);
    }
    compare::breaches(&example.expect, || breaches(set, example), &mut differences);
    compare::points(&example.expect, || points(set, example), &mut differences);
    ExampleResult {
        title: example.title.clone(),
        document: example.document.clone(),
        line: example.line,
        differences,
        decision,
    }
}

fn decide(
    set: &Compiled,
    example: &Example,
    (programme, date): (&str, Date),
    uses: Option<&[Use]>,
    prior: &[Prior],
) -> Decision {
    let case = Case {
        programme,
        date,
        held: &example.held,
        prior,
    };
    match uses {
        Some(uses) => evaluate(set, &case, uses),
        None => simulate(set, &case).1,
    }
}

/// What the archive's outcomes fall short of, each of the version of its standard that its day of completion asks for.
fn breaches(set: &Compiled, example: &Example) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for held in &example.held {
        let Some(id) = held.standard.as_deref() else {
            continue;
        };
        let of_id = || set.set().standards.iter().filter(|it| it.id == id);
        let on = held.outcome.completed_on;
        let in_force = of_id().find(|it| it.effective.contains(on));
        let Some(standard) = in_force.or_else(|| of_id().next_back()) else {
            continue;
        };
        for fault in standard.check(&held.outcome, example.date) {
            breaches.push(Breach {
                outcome: held.leaf,
                reason: fault.refusal.code().to_owned(),
            });
        }
    }
    breaches
}

fn points(set: &Compiled, example: &Example) -> u64 {
    let earned = earn(
        &set.set().earning,
        &example.held,
        |selector, held| set.selects(selector, held),
        &Purse::default(),
        example.date,
    );
    earned
        .entries
        .iter()
        .map(|entry| u64::from(entry.points))
        .sum()
}
