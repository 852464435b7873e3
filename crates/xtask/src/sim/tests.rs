//! The simulation as a test: a bounded number of seeds, mutants that must be found, and what the worlds get to see.

use std::collections::BTreeSet;

use creditbank_domain::transfer::book::{self, Bound, Entry, Pair, Place, Shelf};
use creditbank_domain::transfer::duty::{self, AtOrigin};
use creditbank_domain::transfer::{Reason, State, Step, Transfer};

use super::rows::{Fact, Name, Rows};
use super::witness::Verdict;
use super::*;

/// Seeds that the gate simulates.
const SEEDS: u64 = 100;
/// Seeds within which every mutant is found.
const SEEDS_FOR_A_MUTANT: u64 = 300;

#[test]
fn no_promise_is_broken_in_the_first_seeds() {
    let code = Code::real();
    for seed in 1..=SEEDS {
        let result = World::new(&code, seed, false).run(STEPS_DEFAULT);
        assert_eq!(result, Ok(()), "seed {seed}");
    }
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

/// Rows that say of every outcome that nothing binds it.
struct Unbound<'a>(&'a Rows);

impl Shelf for Unbound<'_> {
    type Error = std::convert::Infallible;

    fn pair(&self, peer: Name) -> Result<Pair, Self::Error> {
        self.0.pair(peer)
    }

    fn transfer(&self, place: Place) -> Result<Option<Transfer>, Self::Error> {
        self.0.transfer(place)
    }

    fn binding(&self, _: Bound) -> Result<Option<Place>, Self::Error> {
        Ok(None)
    }
}

fn take_unbound(rows: &Rows, entry: &Entry) -> Result<book::Change, creditbank_domain::Refusal> {
    let Ok(change) = book::take(&Unbound(rows), entry);
    change
}

/// What somebody could get wrong, in the domain and in the ledger around it.
fn mutants() -> Vec<(&'static str, Code)> {
    let real = Code::real();
    vec![
        (
            "the reservation is not checked",
            Code {
                free: |_, _, _| Ok(()),
                take: take_unbound,
                ..real
            },
        ),
        (
            "only the book checks the reservation",
            Code {
                free: |_, _, _| Ok(()),
                ..real
            },
        ),
        (
            "a late recognition is acknowledged though another has the outcome",
            Code {
                of_origin: |transfer, known, terms, now_ms| match transfer.unacknowledged() {
                    Some(heard) if transfer.state() == State::Recognised => {
                        Some(Step::Acknowledged { heard })
                    }
                    _ => duty::of_origin(transfer, known, terms, now_ms),
                },
                take: take_unbound,
                ..real
            },
        ),
        (
            "a step is heard twice",
            Code {
                hear: |rows, entry| {
                    let mut entry = entry.clone();
                    entry.taken.sequence = rows.pair_with(entry.place.0).heard + 1;
                    let Ok(change) = book::hear(rows, &entry);
                    change
                },
                ..real
            },
        ),
        (
            "what is recognised counts as settled",
            Code {
                settled_at: |transfer, is| transfer.when(is),
                ..real
            },
        ),
        (
            "the state at a cut is the present one",
            Code {
                state_at: |transfer, _| transfer.state(),
                ..real
            },
        ),
        (
            "a period is closed before everything was heard",
            Code {
                may_close: |_, _| true,
                ..real
            },
        ),
        (
            "bindings are forgotten at a start",
            Code {
                refolded: |mut rows| {
                    rows.bindings.clear();
                    rows
                },
                ..real
            },
        ),
        (
            "a withdrawn consent does not stop a release",
            Code {
                of_origin: |transfer, known, terms, now_ms| {
                    let consented = transfer
                        .reserved()
                        .map(|(outcome, purpose)| duty::Consented { outcome, purpose });
                    let consent = consented.map_or(known.consent, Ok);
                    let known = AtOrigin {
                        consent,
                        ..known.clone()
                    };
                    duty::of_origin(transfer, &known, terms, now_ms)
                },
                ..real
            },
        ),
        (
            "an outcome is released before the receiver has cosigned it",
            Code {
                of_origin: |transfer, known, terms, now_ms| {
                    let known = AtOrigin {
                        is_cosigned: true,
                        ..known.clone()
                    };
                    duty::of_origin(transfer, &known, terms, now_ms)
                },
                ..real
            },
        ),
        (
            "a receiver does not reverse what it is asked to",
            Code {
                obeys: |_| false,
                ..real
            },
        ),
        (
            "a recall of time waits for no answer",
            Code {
                of_receiver: |transfer, known| {
                    let step = duty::of_receiver(transfer, known);
                    step.filter(|step| *step != Step::Returned)
                },
                ..real
            },
        ),
        (
            "steps are told before they are durable",
            Code {
                told: |_, written, _| written,
                ..real
            },
        ),
        (
            "steps are told before they are cosigned",
            Code {
                told: |durable, _, _| durable,
                ..real
            },
        ),
        (
            "a restored bank signs on",
            Code {
                may_run: |_, _| true,
                ..real
            },
        ),
        (
            "a restored witness forgets what it has cosigned",
            Code {
                relearns: false,
                ..real
            },
        ),
        (
            "a witness cosigns whatever it is shown",
            Code {
                judge: |_, _| Verdict::Cosign,
                ..real
            },
        ),
    ]
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

/// A simulation that never gets to the hard places proves nothing of them.
#[test]
fn the_worlds_see_every_state_and_every_reason() {
    let mut seen = BTreeSet::new();
    let code = Code::real();
    for seed in 1..=SEEDS {
        let mut world = World::new(&code, seed, true);
        assert_eq!(world.run(STEPS_DEFAULT), Ok(()));
        let told = world.trace.iter().flatten();
        for mark in ["lacks what", "goes on from", "newest copy", "evidence"] {
            if told.clone().any(|line| line.contains(mark)) {
                seen.insert(mark.to_owned());
            }
        }
        for bank in &world.banks {
            for leaf in bank.log.leaves() {
                if let Fact::Took(entry) = &leaf.fact {
                    let reason = entry.taken.step.reason().map_or("", Reason::code);
                    seen.insert(format!("{} {reason}", entry.taken.step.code()));
                }
            }
            for transfer in bank.rows.transfers.values() {
                let is_late = transfer.recalled().is_some() && transfer.recognised().is_some();
                seen.insert(format!("{} late {is_late}", transfer.state().code()));
            }
        }
    }
    for one in &seen {
        println!("{one}");
    }
}
