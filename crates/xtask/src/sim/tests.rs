//! The simulation as a test: a bounded number of seeds, what they get to see, and mutants that must be found.

use std::collections::BTreeSet;

use creditbank_domain::transfer::Reason;

use super::mutants::mutants;
use super::rows::Fact;
use super::*;

/// Seeds that the gate simulates.
const SEEDS: u64 = 150;
/// Seeds within which every mutant is found.
const SEEDS_FOR_A_MUTANT: u64 = 300;

/// What must happen in the first seeds: a simulation that never gets to the hard places proves nothing of them.
const HARD_PLACES: &[&str] = &[
    // A bank after the loss of its disk, and one that shows two histories.
    "goes on from its backup",
    "lacks what",
    "has its newest copy again",
    "has evidence against",
    // Steps with their reasons.
    "refused CONSENT_MISSING",
    "refused CONSENT_FOR_OTHER",
    "refused CONSENT_WITHDRAWN",
    "refused OUTCOME_NOT_IN_FORCE",
    "refused OUTCOME_RESERVED",
    "refused OUTCOME_SPENT",
    "refused LEARNER_ERASED",
    "refused AGREEMENT_MISSING",
    "refused NOT_COSIGNED",
    "rejected PACKAGE_UNREADABLE",
    "rejected REQUEST_GONE",
    "rejected AGREEMENT_MISSING",
    "recalled OUTCOME_NOT_IN_FORCE",
    "recalled LEARNER_ERASED",
    "recalled LEARNERS_WISH",
    "recalled UNDECIDED",
    "returned",
    "declined NOTHING_GRANTED",
    "declined REQUEST_GONE",
    "declined DECISION_REVERSED",
    "reversal-requested OUTCOME_NOT_IN_FORCE",
    "reversal-requested RECOGNISED_LATE",
    "reversed DECISION_REVERSED",
    "reversed RECOGNISED_LATE",
    // A recognition that crossed a recall and holds in the end, and one that does not.
    "late and recognised",
    "late and reversed",
];

#[test]
fn the_first_seeds_break_no_promise_and_see_every_hard_place() {
    let code = Code::real();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for seed in 1..=SEEDS {
        let mut world = World::new(&code, seed, true);
        assert_eq!(world.run(STEPS_DEFAULT), Ok(()), "seed {seed}");
        seen.extend(
            HARD_PLACES
                .iter()
                .copied()
                .filter(|place| saw(&world, place)),
        );
    }
    let unseen: Vec<_> = HARD_PLACES
        .iter()
        .filter(|it| !seen.contains(*it))
        .collect();
    assert!(unseen.is_empty(), "never seen: {unseen:?}");
}

#[test]
fn a_seed_is_one_world() {
    let code = Code::real();
    let trace = || {
        let mut world = World::new(&code, 7, true);
        assert_eq!(world.run(STEPS_DEFAULT), Ok(()));
        world.trace
    };
    assert!(trace() == trace());
}

#[test]
fn every_mutant_is_found() {
    let mut missed = Vec::new();
    for (name, code) in mutants() {
        let run = |seed| World::new(&code, seed, false).run(STEPS_DEFAULT).err();
        let found = (1..=SEEDS_FOR_A_MUTANT).find_map(|seed| Some((seed, run(seed)?)));
        match found {
            Some((seed, found)) => println!("{name}: seed {seed}: {}", found.invariant),
            None => missed.push(name),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn flags_are_read_and_others_refused() {
    let read = Options::parse(&["--seeds", "7", "--first", "3", "--steps", "90", "--trace"]);
    let expected = Options {
        seeds: 7,
        first: 3,
        steps: 90,
        traces: true,
    };
    assert_eq!(read.unwrap(), expected);
    for wrong in [&["--seed", "1"][..], &["--seeds"], &["--seeds", "many"]] {
        assert!(Options::parse(wrong).is_err(), "{wrong:?}");
    }
}

/// Whether a world has seen a hard place: in its trace, in a bank's log, or in what became of a transfer.
fn saw(world: &World, place: &str) -> bool {
    let told = world
        .trace
        .iter()
        .flatten()
        .any(|line| line.contains(place));
    let took = |fact: &Fact| match fact {
        Fact::Took(entry) => {
            let reason = entry.taken.step.reason().map_or("", Reason::code);
            format!("{} {reason}", entry.taken.step.code()).trim() == place
        }
        _ => false,
    };
    told || world.banks.iter().any(|bank| {
        let mut facts = bank.log.leaves().iter();
        let mut transfers = bank.rows.transfers.values();
        facts.any(|leaf| took(&leaf.fact))
            || transfers.any(|transfer| {
                let is_late = transfer.recalled().is_some() && transfer.recognised().is_some();
                is_late && format!("late and {}", transfer.state().code()) == place
            })
    })
}
