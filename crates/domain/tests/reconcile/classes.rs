//! The table of differences: what each is, what it holds, who acts.

use creditbank_domain::reconcile::{
    Action, Actor, Class, Difference, Differences, Facts, Item, Rival, SUSPENSE_AFTER_MS, Stage,
    classify,
};
use creditbank_domain::transfer::{Reason, State};
use creditbank_domain::{Category, Credit};

use crate::fixture::*;

/// An item of sh to js as both know it, recognised and settled; js is the pair's first bank.
fn item() -> Item {
    let mut world = World::default();
    world.settle((SH, JS), 1, 11);
    world.state(SH, JS, NOVEMBER, [0; 32]).items.0.remove(0)
}

fn with(change: impl FnOnce(&mut Item)) -> Item {
    let mut item = item();
    change(&mut item);
    item
}

/// What js knows, an hour after the cut. Its place in the pair is 0, and it is the receiver.
fn facts() -> Facts {
    let november = period(NOVEMBER);
    Facts::new(0, november, november.cut_ms() + 3_600_000)
}

fn later() -> Facts {
    Facts {
        now_ms: period(NOVEMBER).cut_ms() + SUSPENSE_AFTER_MS,
        ..facts()
    }
}

#[track_caller]
fn check(
    own: Option<&Item>,
    theirs: Option<&Item>,
    facts: &Facts,
    expected: Option<(Class, Stage, &str, Action, Actor)>,
) {
    let told = |it: Difference| (it.class, it.stage, it.amount, it.action, it.actor);
    let found = classify(own, theirs, facts);
    let amount =
        |(class, stage, amount, action, actor)| (class, stage, credit(amount), action, actor);
    assert_eq!(found.map(told), expected.map(amount));
    // The other bank finds the same.
    let mirrored = Facts {
        place: 1 - facts.place,
        ..facts.clone()
    };
    assert_eq!(classify(theirs, own, &mirrored), found);
}

#[test]
fn items_that_agree_are_no_difference() {
    check(None, None, &facts(), None);
    check(Some(&item()), Some(&item()), &facts(), None);
}

#[test]
fn what_only_the_origin_has_is_sent_again_and_after_two_days_in_suspense() {
    let expected = |stage, action| Some((Class::OriginOnly, stage, "4", action, Actor::Origin));
    let doubtful = expected(Stage::Doubtful, Action::Resend);
    check(None, Some(&item()), &facts(), doubtful);
    let just_before = Facts {
        now_ms: later().now_ms - 1,
        ..later()
    };
    check(None, Some(&item()), &just_before, doubtful);
    let suspense = expected(Stage::Suspense, Action::ResendAndSuspend);
    check(None, Some(&item()), &later(), suspense);
    let found = |facts| classify(None, Some(&item()), &facts).expect("a difference");
    assert_eq!(found(facts()).suspense(), Credit::ZERO);
    assert_eq!(found(later()).suspense(), credit("4"));
}

#[test]
fn what_only_the_receiver_has_is_frozen_until_its_release_is_shown() {
    let cases = [
        (None, Action::FreezeAndProve, Actor::Receiver),
        (Some(false), Action::ReverseUnsigned, Actor::Receiver),
        (Some(true), Action::RestoreRelease, Actor::Origin),
    ];
    for (is_release_shown, action, actor) in cases {
        let facts = Facts {
            is_release_shown,
            ..facts()
        };
        // What is frozen is what was credited.
        let expected = (Class::ReceiverOnly, Stage::Suspense, "3", action, actor);
        check(Some(&item()), None, &facts, Some(expected));
        let pending = with(|it| it.granted = None);
        let expected = (Class::ReceiverOnly, Stage::Suspense, "4", action, actor);
        check(Some(&pending), None, &facts, Some(expected));
    }
}

#[test]
fn amounts_are_computed_again_and_only_what_differs_is_in_suspense() {
    let granted = |change: fn(&mut creditbank_domain::reconcile::Granted)| {
        with(|it| change(it.granted.as_mut().expect("granted")))
    };
    let cases = [
        (granted(|it| it.credited = credit("2.99")), "0.01"),
        (granted(|it| it.spent = credit("3.5")), "0.5"),
        (with(|it| it.source = credit("5")), "1"),
    ];
    for (theirs, amount) in cases {
        let (action, actor) = (Action::Recompute, Actor::Both);
        let expected = (Class::Amount, Stage::Suspense, amount, action, actor);
        check(Some(&item()), Some(&theirs), &facts(), Some(expected));
    }
}

#[test]
fn another_version_is_decided_again() {
    let granted = |change: fn(&mut creditbank_domain::reconcile::Granted)| {
        with(|it| change(it.granted.as_mut().expect("granted")))
    };
    let cases = [
        granted(|it| it.rule_set = [8; 32]),
        granted(|it| it.rule.push('2')),
        granted(|it| it.agreement_version = "R24".into()),
        with(|it| it.agreement_version = "R24".into()),
    ];
    for theirs in cases {
        let (action, actor) = (Action::Redecide, Actor::Receiver);
        let expected = (Class::Version, Stage::Suspense, "3", action, actor);
        check(Some(&item()), Some(&theirs), &facts(), Some(expected));
    }
}

#[test]
fn the_later_signed_step_holds_and_whoever_lacks_it_acts() {
    let earlier = with(|it| {
        it.state = State::UnderReview;
        it.granted = None;
        it.is_settled = false;
        it.last[1] -= 1;
        it.last[0] -= 1;
    });
    let expected = |action, actor| Some((Class::State, Stage::Suspense, "4", action, actor));
    // js is the receiver: what it lacks, it takes in; what sh lacks, the origin does.
    let receiver = expected(Action::TakeLaterStep, Actor::Receiver);
    check(Some(&earlier), Some(&item()), &facts(), receiver);
    let origin = expected(Action::TakeLaterStep, Actor::Origin);
    check(Some(&item()), Some(&earlier), &facts(), origin);
    // Each has what the other lacks, or both have all of it: something is missing in between.
    let crossed = with(|it| {
        it.last[0] += 1;
        it.last[1] -= 1;
    });
    let both = expected(Action::FillSequence, Actor::Both);
    check(Some(&item()), Some(&crossed), &facts(), both);
    let same_steps = with(|it| it.state = State::Reversed);
    check(Some(&item()), Some(&same_steps), &facts(), both);
}

#[test]
fn of_two_receivers_the_one_reserved_later_reverses() {
    let rival = |reserved_at_ms, number| Facts {
        rival: Some(Rival {
            reserved_at_ms,
            id: id(number),
        }),
        ..facts()
    };
    let (action, actor) = (Action::ReverseLaterReservation, Actor::Receiver);
    let expected = Some((Class::TwoReceivers, Stage::Suspense, "3", action, actor));
    let item = item();
    let at_ms = item.reserved_at_ms;
    check(Some(&item), Some(&item), &rival(at_ms - 1, 2), expected);
    check(Some(&item), Some(&item), &rival(at_ms + 1, 2), None);
    // Reserved in the same millisecond: one of the two, and not both.
    let smaller = id(2) < item.id;
    let same = rival(at_ms, 2);
    check(
        Some(&item),
        Some(&item),
        &same,
        expected.filter(|_| smaller),
    );
    let asked = with(|it| it.reversal_asked = Some(Reason::RecognisedLate));
    check(Some(&asked), Some(&asked), &facts(), expected);
    // Once it is reversed, nothing is left of it.
    let reversed = with(|it| {
        it.reversal_asked = Some(Reason::RecognisedLate);
        it.state = State::Reversed;
    });
    check(Some(&reversed), Some(&reversed), &rival(at_ms - 1, 2), None);
}

#[test]
fn what_was_revoked_after_settlement_is_reversed_with_notice() {
    let (action, actor) = (Action::ReverseAndNotify, Actor::Receiver);
    let expected = Some((Class::Revoked, Stage::Suspense, "3", action, actor));
    let asked = with(|it| it.reversal_asked = Some(Reason::OutcomeNotInForce));
    check(Some(&asked), Some(&asked), &facts(), expected);
    let revoked = Facts {
        is_revoked: true,
        ..facts()
    };
    check(Some(&item()), Some(&item()), &revoked, expected);
    // What was never recognised needs no reversal.
    let recalled = with(|it| it.state = State::Recalled);
    check(Some(&recalled), Some(&recalled), &revoked, None);
}

#[test]
fn two_outcomes_under_one_transfer_are_held_to_the_release() {
    let changes: [fn(&mut Item); 3] = [
        |it| it.commitment[0] ^= 1,
        |it| it.category = Category::Training,
        |it| it.purpose = creditbank_domain::transfer::Purpose::Vocational,
    ];
    for change in changes {
        let theirs = with(change);
        let (action, actor) = (Action::HoldToRelease, Actor::Both);
        let expected = (Class::Outcome, Stage::Suspense, "4", action, actor);
        check(Some(&item()), Some(&theirs), &facts(), Some(expected));
    }
}

#[test]
fn numbers_and_codes_lead_back_to_what_they_name() {
    for class in Class::ALL {
        assert_eq!(Class::from_number(*class as u32), Some(*class));
    }
    for action in Action::ALL {
        assert_eq!(Action::from_number(*action as u32), Some(*action));
    }
    let mut codes: Vec<_> = Class::ALL.iter().map(|it| it.code()).collect();
    codes.extend(Action::ALL.iter().map(|it| it.code()));
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

#[test]
fn a_late_match_clears_a_difference_in_a_later_period() {
    let (november, december) = (period(NOVEMBER), period(DECEMBER));
    let found = classify(None, Some(&item()), &later()).expect("a difference");
    let other = Difference { id: id(2), ..found };
    let mut differences = Differences::default();
    let closing = differences.close(november, &[found, other], |_| None);
    assert_eq!((closing.opened.len(), closing.open()), (2, 2));
    assert_eq!(closing.suspense(), 800);

    // In December the one has come, and the other is still nowhere; a third is new.
    let third = Difference { id: id(3), ..found };
    let again = |it: &creditbank_domain::reconcile::OpenDifference| {
        (it.difference.id == id(2)).then_some(it.difference)
    };
    let closing = differences.close(december, &[third], again);
    assert_eq!(closing.cleared.len(), 1);
    assert_eq!(
        (closing.cleared[0].difference.id, closing.cleared[0].since),
        (found.id, november)
    );
    assert_eq!(
        (closing.still_open[0].since, closing.opened[0].since),
        (november, december)
    );
    assert_eq!((closing.open(), closing.suspense()), (2, 800));

    // What is found again in its own period keeps the day on which it was found first.
    let closing = differences.close(december.next(), &[other, third], |_| None);
    assert_eq!((closing.opened.len(), closing.still_open.len()), (0, 2));
    assert_eq!(
        closing.still_open.iter().map(|it| it.since).max(),
        Some(december)
    );
    let closing = differences.close(december.next().next(), &[], |_| None);
    assert_eq!(
        (closing.cleared.len(), closing.open(), closing.suspense()),
        (2, 0, 0)
    );
    assert_eq!(differences, Differences::default());
}
