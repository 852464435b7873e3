//! The hard cases of the field, as far as they concern transfers and their reconciliation. What is a matter of the rules
//! alone is tested with the rules, and named here.

use creditbank_domain::Refusal;
use creditbank_domain::reconcile::{Action, Class, Facts, classify};
use creditbank_domain::transfer::duty::{
    AtOrigin, AtReceiver, Consented, Decided, Terms, of_origin, of_receiver,
};
use creditbank_domain::transfer::{Purpose, Reason, Release, State, Step};
use jiff::civil::date;

use crate::fixture::*;

const ZERO: [u8; 32] = [0; 32];

/// What the origin knows where nothing stands in the way.
fn willing(outcome: u64) -> AtOrigin {
    let Step::Released(release) = released(outcome) else {
        unreachable!("a release");
    };
    AtOrigin {
        consent: Ok(Consented {
            outcome: record(outcome),
            purpose: Purpose::Degree,
        }),
        outcome: Ok(release),
        free: Ok(()),
        is_cosigned: true,
        is_wanted_back: false,
    }
}

fn unwilling(reason: Reason) -> AtOrigin {
    AtOrigin {
        outcome: Err(reason),
        ..willing(1)
    }
}

/// Both banks of a pair state the same for both months.
fn agree(world: &World, one: usize, other: usize) {
    for of in [NOVEMBER, DECEMBER] {
        let (own, theirs) = (
            world.state(one, other, of, ZERO),
            world.state(other, one, of, ZERO),
        );
        assert_eq!(own.statement, theirs.statement, "{of}");
    }
}

/// A new version of an agreement holds from 1 March on, by the day of completion; the rules' own change of version on a
/// day is `rules/versions.rs`. An origin that released under the old one and a receiver that decided under the new one
/// do not settle it silently: the difference names the version, and the receiver decides again.
#[test]
fn a_version_change_on_1_march_is_a_difference_of_versions_and_not_of_amounts() {
    let mut world = World::default();
    let (of, way) = ("2027-02", (SH, JS));
    let last_minute = midnight(date(2027, 3, 1)) - 60_000;
    world.say(JS, SH, id(1), last_minute - 4, requested(1));
    world.say(SH, JS, id(1), last_minute - 3, reserved(1));
    world.say(SH, JS, id(1), last_minute - 2, released(1));
    world.say(JS, SH, id(1), last_minute - 1, Step::Received);
    let mut recognition = recognition("3");
    recognition.decided_at_ms = last_minute;
    world.say(JS, SH, id(1), last_minute, Step::Recognised(recognition));
    world.acknowledge(way, 1, midnight(date(2027, 3, 1)));
    let own = world.state(SH, JS, of, ZERO).items.0.remove(0);
    assert_eq!((own.state, own.is_settled), (State::Recognised, false));
    assert!(world.state(JS, SH, "2027-03", ZERO).items.0[0].is_settled);

    let mut theirs = own.clone();
    theirs.granted.as_mut().expect("granted").agreement_version = "R24".into();
    let march = period("2027-03");
    let facts = Facts::new(1, march, march.cut_ms());
    let difference = classify(Some(&own), Some(&theirs), &facts).expect("a difference");
    assert_eq!(
        (difference.class, difference.action),
        (Class::Version, Action::Redecide)
    );
}

/// What an outcome of 29 February is worth, and until when, is `rules/versions.rs`; the period is a matter of days here.
#[test]
fn a_leap_day_belongs_to_february_at_both_banks() {
    let mut world = World::default();
    let leap_day = midnight(date(2028, 2, 29));
    let last = midnight(date(2028, 3, 1)) - 1;
    world.say(JS, SH, id(1), leap_day, requested(1));
    world.say(SH, JS, id(1), leap_day, reserved(1));
    world.say(SH, JS, id(1), last, released(1));
    for (who, with) in [(SH, JS), (JS, SH)] {
        let items = |of| world.state(who, with, of, ZERO).statement.items;
        assert_eq!((items("2028-01"), items("2028-02")), (0, 1));
        // Still open when March begins.
        assert_eq!(items("2028-03"), 1);
    }
}

#[test]
fn one_certificate_claimed_in_two_regions_at_once_is_reserved_for_the_first() {
    let mut world = World::default();
    world.say(JS, SH, id(1), noon(11, 1), requested(1));
    world.say(AH, SH, id(2), noon(11, 1), requested(2));
    world.say(SH, JS, id(1), noon(11, 2), reserved(7));
    let second = world.take(SH, AH, id(2), noon(11, 2), reserved(7));
    assert_eq!(second, Err(Refusal::OutcomeBound));
    let bound = AtOrigin {
        free: Err(Reason::OutcomeReserved),
        ..willing(7)
    };
    let transfer = world.transfer(SH, AH, 2);
    let duty = of_origin(transfer, &bound, &Terms::default(), noon(11, 2));
    assert_eq!(duty, Some(Step::Refused(Reason::OutcomeReserved)));
    world.say(SH, AH, id(2), noon(11, 2), duty.expect("a step"));
    agree(&world, SH, AH);
    // Another purpose is another use.
    world.say(AH, SH, id(3), noon(11, 3), requested(3));
    let other = Step::Reserved {
        outcome: record(7),
        purpose: Purpose::Vocational,
    };
    assert_eq!(world.take(SH, AH, id(3), noon(11, 3), other), Ok(()));
}

/// The same certificate, where the first receiver decided too late: it had been given to the second by then.
#[test]
fn a_recognition_that_crossed_a_recall_is_reversed_where_another_has_the_certificate() {
    let mut world = World::default();
    world.release((SH, JS), 1, 10);
    world
        .take(JS, SH, id(1), noon(11, 4), recognised("3"))
        .expect("a step");
    let recall = Step::Recalled(Reason::Undecided);
    world
        .take(SH, JS, id(1), noon(11, 4), recall)
        .expect("a step");
    world.say(AH, SH, id(2), noon(11, 5), requested(2));
    world.say(SH, AH, id(2), noon(11, 5), reserved(1));
    world.deliver(SH, JS);
    world.deliver(JS, SH);
    let taken = AtOrigin {
        free: Err(Reason::OutcomeReserved),
        ..willing(1)
    };
    let duty = of_origin(
        world.transfer(SH, JS, 1),
        &taken,
        &Terms::default(),
        noon(11, 6),
    );
    assert_eq!(duty, Some(Step::ReversalRequested(Reason::RecognisedLate)));
    world.say(SH, JS, id(1), noon(11, 6), duty.expect("a step"));
    agree(&world, SH, JS);

    // Both banks agree, and both know that something is left to do.
    let facts = Facts::new(0, period(NOVEMBER), period(NOVEMBER).cut_ms());
    let item = world.state(JS, SH, NOVEMBER, ZERO).items.0.remove(0);
    let difference = classify(Some(&item), Some(&item), &facts).expect("a difference");
    assert_eq!(difference.class, Class::TwoReceivers);
    assert!(!item.is_settled, "what is not acknowledged is not settled");
    let reversed = Step::Reversed(Reason::DecisionReversed);
    world.say(JS, SH, id(1), noon(12, 7), reversed);
    let item = world.state(JS, SH, DECEMBER, ZERO).items.0.remove(0);
    assert_eq!(classify(Some(&item), Some(&item), &facts), None);
}

/// A transfer names an outcome by its leaf and its commitment, and no person. So a learner with a new document, or with two
/// archives that become one, changes nothing of it: the outcome is bound once, whatever code asks for it. That both
/// codes lead to one archive is `people.rs` and `archive.rs` of the integration tests.
#[test]
fn an_outcome_of_merged_archives_is_bound_once_whichever_code_consents() {
    let mut world = World::default();
    world.settle((SH, JS), 1, 11);
    // The same outcome, consented to again under the other code: another consent, another transfer.
    world.say(JS, SH, id(2), noon(11, 7), requested(2));
    let again = world.take(SH, JS, id(2), noon(11, 8), reserved(1));
    assert_eq!(again, Err(Refusal::OutcomeBound));
    assert_eq!(world.state(SH, JS, NOVEMBER, ZERO).statement.items, 1);
    agree(&world, SH, JS);
}

/// That credit on a whole excludes credit on its parts is `rules/duplicates.rs`. A degree that comes after its courses does
/// not undo what was settled: the courses stay settled in their month, and the degree is declined at the receiver.
#[test]
fn a_degree_that_comes_after_its_courses_is_declined_and_leaves_them_settled() {
    let mut world = World::default();
    world.settle((SH, JS), 1, 11);
    let before = world.state(SH, JS, NOVEMBER, ZERO).statement;
    world.release((SH, JS), 2, 12);
    let decided = AtReceiver {
        package: Some(Ok(())),
        decision: Decided::Nothing(Reason::NothingGranted),
    };
    let duty = of_receiver(world.transfer(JS, SH, 2), &decided).expect("a step");
    assert_eq!(duty, Step::Declined(Reason::NothingGranted));
    world.say(JS, SH, id(2), noon(12, 5), duty);
    world.acknowledge((SH, JS), 2, noon(12, 6));
    assert_eq!(world.state(SH, JS, NOVEMBER, ZERO).statement, before);
    let flow = world.state(SH, JS, DECEMBER, ZERO).statement.flows[1];
    assert_eq!(flow.settled.source.count, 0);
    assert_eq!(flow.declined().expect("a sum").count, 1);
    agree(&world, SH, JS);
}

/// 不得连环认定: what was itself recognised goes no further. A course that was exempted is no source either
/// (`rules/conditions.rs`, an_outcome_must_be_passed_finished_and_no_recognition).
#[test]
fn a_chain_of_exemptions_ends_at_the_first_origin() {
    let mut world = World::default();
    world.settle((SH, JS), 1, 11);
    // js recognised it; ah asks js for what js has recognised.
    world.say(AH, JS, id(2), noon(11, 7), requested(2));
    let derived = unwilling(Reason::OutcomeDerived);
    let duty = of_origin(
        world.transfer(JS, AH, 2),
        &derived,
        &Terms::default(),
        noon(11, 8),
    );
    assert_eq!(duty, Some(Step::Refused(Reason::OutcomeDerived)));
    world.say(JS, AH, id(2), noon(11, 8), duty.expect("a step"));
    assert_eq!(world.state(JS, AH, NOVEMBER, ZERO).statement.items, 0);
    agree(&world, JS, AH);
}

#[test]
fn an_erasure_amid_a_transfer_takes_it_back_and_both_banks_still_agree() {
    let mut world = World::default();
    world.release((SH, JS), 1, 11);
    let gone = unwilling(Reason::LearnerErased);
    let duty = of_origin(
        world.transfer(SH, JS, 1),
        &gone,
        &Terms::default(),
        noon(11, 5),
    );
    assert_eq!(duty, Some(Step::Recalled(Reason::LearnerErased)));
    world.say(SH, JS, id(1), noon(11, 5), duty.expect("a step"));
    let undecided = AtReceiver {
        package: Some(Ok(())),
        decision: Decided::Not,
    };
    let duty = of_receiver(world.transfer(JS, SH, 1), &undecided);
    assert_eq!(duty, Some(Step::Returned));
    world.say(JS, SH, id(1), noon(11, 6), Step::Returned);
    world.acknowledge((SH, JS), 1, noon(11, 7));
    agree(&world, SH, JS);
    let flow = world.state(SH, JS, NOVEMBER, ZERO).statement.flows[1];
    assert_eq!(flow.recalled().expect("a sum").count, 1);
}

/// What was recognised before its learner left stays: nothing is undone because somebody died or was erased.
#[test]
fn a_deceased_learners_recognition_stays_and_what_was_pending_goes_back() {
    let mut world = World::default();
    world.release((SH, JS), 1, 11);
    world.say(JS, SH, id(1), noon(11, 5), recognised("3"));
    let gone = unwilling(Reason::LearnerErased);
    let duty = of_origin(
        world.transfer(SH, JS, 1),
        &gone,
        &Terms::default(),
        noon(11, 6),
    );
    assert!(matches!(duty, Some(Step::Acknowledged { .. })), "{duty:?}");
    world.say(SH, JS, id(1), noon(11, 6), duty.expect("a step"));
    let duty = of_origin(
        world.transfer(SH, JS, 1),
        &gone,
        &Terms::default(),
        noon(11, 7),
    );
    assert_eq!(duty, None);
    // A request that was still open is refused, and one that the receiver's learner made goes back unopened.
    world.say(JS, SH, id(2), noon(11, 8), requested(2));
    let duty = of_origin(
        world.transfer(SH, JS, 2),
        &gone,
        &Terms::default(),
        noon(11, 9),
    );
    assert_eq!(duty, Some(Step::Refused(Reason::LearnerErased)));
    world.release((SH, JS), 3, 12);
    let left = AtReceiver {
        package: Some(Ok(())),
        decision: Decided::Nothing(Reason::RequestGone),
    };
    let duty = of_receiver(world.transfer(JS, SH, 3), &left);
    assert_eq!(duty, Some(Step::Declined(Reason::RequestGone)));
    let facts = Facts::new(0, period(NOVEMBER), period(NOVEMBER).cut_ms());
    let settled = world.state(JS, SH, NOVEMBER, ZERO).items.0;
    let settled = settled.iter().find(|it| it.id == id(1)).expect("an item");
    assert_eq!(classify(Some(settled), Some(settled), &facts), None);
}

/// A key that is revoked from a leaf in the past makes its records disputed, which is not in force. What was settled under
/// it is asked back and reversed in a later period; the closed one does not change.
#[test]
fn a_school_key_that_is_revoked_retroactively_reverses_in_a_later_period() {
    let mut world = World::default();
    world.settle((SH, JS), 1, 11);
    let closed = world.state(SH, JS, NOVEMBER, ZERO).statement;
    let disputed = unwilling(Reason::OutcomeNotInForce);
    let duty = of_origin(
        world.transfer(SH, JS, 1),
        &disputed,
        &Terms::default(),
        noon(12, 1),
    );
    assert_eq!(
        duty,
        Some(Step::ReversalRequested(Reason::OutcomeNotInForce))
    );
    world.say(SH, JS, id(1), noon(12, 1), duty.expect("a step"));
    let facts = Facts::new(1, period(DECEMBER), period(DECEMBER).cut_ms());
    let open = world.state(SH, JS, DECEMBER, ZERO).items.0.remove(0);
    let difference = classify(Some(&open), Some(&open), &facts).expect("a difference");
    assert_eq!(
        (difference.class, difference.action),
        (Class::Revoked, Action::ReverseAndNotify)
    );
    let reversal = AtReceiver {
        package: Some(Ok(())),
        decision: Decided::Reversed(Reason::DecisionReversed),
    };
    let duty = of_receiver(world.transfer(JS, SH, 1), &reversal).expect("a step");
    assert_eq!(duty, Step::Reversed(Reason::DecisionReversed));
    world.say(JS, SH, id(1), noon(12, 3), duty);
    world.acknowledge((SH, JS), 1, noon(12, 4));
    assert_eq!(world.state(SH, JS, NOVEMBER, ZERO).statement, closed);
    let flow = world.state(JS, SH, DECEMBER, ZERO).statement.flows[1];
    assert_eq!((flow.again.count, flow.reversed.source.count), (1, 1));
    agree(&world, SH, JS);
}

/// A code on paper that was lost is issued again: the same certificate, deposited a second time under another leaf. The
/// ledger sees two outcomes, so both may be released; the receiver grants the second nothing (an achievement counts
/// once: `rules/scopes.rs`), and the two transfers never share an item.
#[test]
fn an_offline_code_that_was_issued_again_is_granted_nothing_the_second_time() {
    let mut world = World::default();
    world.settle((SH, JS), 1, 11);
    world.release((SH, JS), 2, 11);
    let decided = AtReceiver {
        package: Some(Ok(())),
        decision: Decided::Nothing(Reason::NothingGranted),
    };
    let duty = of_receiver(world.transfer(JS, SH, 2), &decided).expect("a step");
    world.say(JS, SH, id(2), noon(11, 8), duty);
    world.acknowledge((SH, JS), 2, noon(11, 9));
    let stated = world.state(SH, JS, NOVEMBER, ZERO);
    let credited = stated.statement.flows[1].settled.credited;
    assert_eq!((stated.statement.items, credited), (2, 300));
    let commitments: Vec<_> = stated.items.0.iter().map(|it| it.commitment).collect();
    assert_ne!(commitments[0], commitments[1]);
    agree(&world, SH, JS);
}

/// A release that is not what the consent is about never leaves: consent and outcome are looked at again before it.
#[test]
fn a_consent_that_is_withdrawn_before_the_release_stops_it() {
    let mut world = World::default();
    world.say(JS, SH, id(1), noon(11, 1), requested(1));
    world.say(SH, JS, id(1), noon(11, 2), reserved(1));
    let withdrawn = AtOrigin {
        consent: Err(Reason::ConsentWithdrawn),
        ..willing(1)
    };
    let duty = of_origin(
        world.transfer(SH, JS, 1),
        &withdrawn,
        &Terms::default(),
        noon(11, 3),
    );
    assert_eq!(duty, Some(Step::Refused(Reason::ConsentWithdrawn)));
    let Ok(Release { source, .. }) = willing(1).outcome else {
        unreachable!("a release");
    };
    assert_eq!(source, credit("4"));
}
