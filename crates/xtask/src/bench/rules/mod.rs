//! Recognition: how fast learners are decided and planned for.
//!
//! 48 learners of 40 outcomes each, a third of them with an earlier decision, are decided under a set of a thousand
//! rules, of every form but one, with the limits of real banks; `documents.rs` writes the set, `learners.rs` the
//! learners, both as documents that `rulebook` reads. What is proposed is every use that would be granted alone, so that
//! decisions grant and refuse; each is made from archive to trace, and none is kept from one to the next. Held against
//! what one core verifies of signatures, because a decision is worth about as much work.
//!
//! That rules about something else cost nothing is measured by the same learners under a hundred times as many rules, of
//! which only the first thousand are about anything that they have. Rounds under the one set and the other alternate, so
//! that whatever else the machine does falls on both, and the fastest tenth counts: what a core does when it is ours.

mod documents;
mod learners;

use std::hint::black_box;

use anyhow::{Result, ensure};
use creditbank_domain::rules::{Compiled, RuleSet, evaluate};
use creditbank_planner::{Goal, plan};

use self::learners::{Learner, OUTCOMES, learners};
use crate::clock;
use crate::limits::VERIFY_ONE;
use crate::load::Latency;
use crate::options::Options;
use crate::report::{Entry, Report};

/// Learners a second that one core has to decide.
const LEARNERS_A_SECOND: f64 = 20_000.0;
/// How much longer a decision may take under a hundred times as many rules.
const SLOWER: f64 = 1.5;
/// Milliseconds for a plan.
const PLAN_MS: f64 = 50.0;
/// Rules of the large set.
const RULES_MANY: usize = 100_000;

/// Measures what of it is asked for.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    if !options.wants_any(&["rules"]) {
        return Ok(());
    }
    let few = documents::set()?;
    let many = documents::grown(&few, RULES_MANY);
    if options.wants("rules_compile") {
        compile(options, &many, report);
    }
    let few = Compiled::new(few);
    let learners = learners(&few)?;
    look(&few, &learners)?;
    if options.wants("rules_evaluate") || options.wants("rules_evaluate_slower") {
        decisions(options, (&few, &Compiled::new(many)), &learners, report)?;
    }
    for (name, goal) in [
        ("rules_plan", Goal::MostCredits),
        ("rules_plan_fewest", Goal::FewestOutcomes),
    ] {
        if options.wants(name) {
            plans(options, name, goal, (&few, &learners), report)?;
        }
    }
    Ok(())
}

/// Nobody is to measure an empty loop: learners have what they are said to have, and decisions grant and refuse.
fn look(set: &Compiled, learners: &[Learner]) -> Result<()> {
    let (mut with_a_rule, mut granted, mut refused) = (0, 0, 0);
    for learner in learners {
        let decision = evaluate(set, &learner.case(), &learner.uses);
        ensure!(
            learner.case().held.len() == OUTCOMES,
            "a learner of other outcomes"
        );
        ensure!(
            !decision.lines.is_empty() && !decision.refused.is_empty(),
            "a decision that grants nothing, or refuses nothing"
        );
        ensure!(
            decision.trace.len() > learner.uses.len(),
            "a decision without reasons"
        );
        with_a_rule += learner.outcomes_with_a_rule();
        granted += decision.lines.len();
        refused += decision.refused.len();
    }
    let each = |sum: usize| sum / learners.len();
    let (with_a_rule, granted, refused) = (each(with_a_rule), each(granted), each(refused));
    println!(
        "  rules: of {OUTCOMES} outcomes {with_a_rule} find a rule; {granted} lines granted, {refused} uses refused"
    );
    ensure!(
        (20..=32).contains(&with_a_rule) && granted >= 10 && refused >= 3,
        "learners are not what they were: the numbers of different runs could not be compared"
    );
    Ok(())
}

fn compile(options: &Options, set: &RuleSet, report: &mut Report) {
    let runs = (0..options.runs()).map(|_| {
        let set = set.clone();
        let start = clock::now();
        let compiled = black_box(Compiled::new(set));
        let took = start.elapsed().as_secs_f64();
        drop(compiled);
        took
    });
    let rate = RULES_MANY as f64 / fastest(runs.collect());
    let entry = Entry::new("rules_compile", rate, "rules/s");
    report.add(entry.note(&format!(
        "{RULES_MANY} rules made ready to decide, one core"
    )));
}

/// Decides all learners under both sets in turn, until the time is over.
fn decisions(
    options: &Options,
    (few, many): (&Compiled, &Compiled),
    learners: &[Learner],
    report: &mut Report,
) -> Result<()> {
    for learner in learners {
        let decided = |set| evaluate(set, &learner.case(), &learner.uses);
        ensure!(
            decided(few) == decided(many),
            "rules about something else changed a decision"
        );
    }
    let (mut under_few, mut under_many) = (Vec::new(), Vec::new());
    let start = clock::now();
    while start.elapsed() < options.window() {
        under_few.push(round(few, learners));
        under_many.push(round(many, learners));
    }
    let (few, many) = (fastest(under_few), fastest(under_many));
    let rate = learners.len() as f64 / few;
    let entry = Entry::new("rules_evaluate", rate, "learners/s");
    report.add(
        entry
            .against(VERIFY_ONE, report.value(VERIFY_ONE))
            .value_at_least(LEARNERS_A_SECOND)
            .note(&format!(
                "{OUTCOMES} outcomes each, {} rules, one core",
                documents::RULES
            )),
    );
    let entry = Entry::new("rules_evaluate_slower", many / few, "times");
    report.add(
        entry
            .at_most(SLOWER)
            .note(&format!("with {RULES_MANY} rules")),
    );
    Ok(())
}

/// Seconds for a decision on each learner.
fn round(set: &Compiled, learners: &[Learner]) -> f64 {
    let start = clock::now();
    for learner in learners {
        black_box(evaluate(set, &learner.case(), &learner.uses));
    }
    start.elapsed().as_secs_f64()
}

fn plans(
    options: &Options,
    name: &str,
    goal: Goal,
    (set, learners): (&Compiled, &[Learner]),
    report: &mut Report,
) -> Result<()> {
    let (mut latency, mut proven) = (Latency::default(), 0);
    let start = clock::now();
    while latency.count() < learners.len() as u64 || start.elapsed() < options.window() {
        for learner in learners {
            let begun = clock::now();
            let found = plan(set, &learner.case(), goal);
            latency.add(begun.elapsed());
            ensure!(
                found.decision.refused.is_empty() && !found.decision.lines.is_empty(),
                "a plan that is refused, or is none"
            );
            proven += usize::from(found.proven);
        }
    }
    let latency = latency.sorted();
    let entry = Entry::new(name, latency.percentile_ms(50), "ms");
    let share = 100 * proven as u64 / latency.count();
    report.add(entry.at_most(PLAN_MS).latency(&latency).note(&format!(
        "the median of plans for the same learners; {share}% proved best"
    )));
    Ok(())
}

/// What nine of ten exceed.
fn fastest(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 10]
}
