//! Mutants: what somebody could get wrong, in the domain and in the ledger around it. The simulation must find each.

use creditbank_domain::Refusal;
use creditbank_domain::transfer::book::{self, Bound, Change, Entry, Pair, Place, Shelf};
use creditbank_domain::transfer::duty::{self, AtOrigin};
use creditbank_domain::transfer::{State, Step, Transfer};

use super::code::Code;
use super::rows::{Name, Rows};
use super::witness::Verdict;

/// Every mutant with its name.
pub(super) fn mutants() -> Vec<(&'static str, Code)> {
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
            "steps from the future are heard",
            Code {
                may_hear: |_, _| true,
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

fn take_unbound(rows: &Rows, entry: &Entry) -> Result<Change, Refusal> {
    let Ok(change) = book::take(&Unbound(rows), entry);
    change
}
