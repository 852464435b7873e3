//! What both banks state alone.

use creditbank_domain::reconcile::{Direction, Item, Tally, link};
use creditbank_domain::transfer::{Reason, State, Step};
use creditbank_domain::{Digest32, Refusal};
use sha2::{Digest, Sha256};

use crate::fixture::*;

const ZERO: Digest32 = [0; 32];

/// Transfers both ways, one in every state.
fn every_state() -> World {
    let mut world = World::default();
    let way = (SH, JS);
    world.settle(way, 1, 11);
    world.release(way, 2, 11);
    world.release(way, 3, 11);
    world.say(
        JS,
        SH,
        id(3),
        noon(11, 5),
        Step::Declined(Reason::NothingGranted),
    );
    world.acknowledge(way, 3, noon(11, 6));
    world.release(way, 4, 11);
    world.say(
        SH,
        JS,
        id(4),
        noon(11, 7),
        Step::Recalled(Reason::LearnersWish),
    );
    world.say(JS, SH, id(4), noon(11, 8), Step::Returned);
    world.settle(way, 5, 11);
    world.reverse(way, 5, Reason::OutcomeNotInForce, 11);
    world.say(JS, SH, id(6), noon(11, 13), requested(6));
    world.say(
        SH,
        JS,
        id(6),
        noon(11, 13),
        Step::Refused(Reason::ConsentMissing),
    );
    world.say(JS, SH, id(7), noon(11, 14), requested(7));
    world.say(SH, JS, id(7), noon(11, 14), reserved(7));
    world.say(SH, JS, id(7), noon(11, 14), released(7));
    world.say(
        JS,
        SH,
        id(7),
        noon(11, 14),
        Step::Rejected(Reason::PackageUnreadable),
    );
    world.settle((JS, SH), 8, 11);
    world
}

#[test]
fn both_banks_state_the_same_alone() {
    let world = every_state();
    let (one, other) = (
        world.state(SH, JS, NOVEMBER, ZERO),
        world.state(JS, SH, NOVEMBER, ZERO),
    );
    assert_eq!(one.statement, other.statement);
    assert_eq!(one.statement.hash(), other.statement.hash());
    assert_eq!(one.items.0, other.items.0);
    assert_eq!(one.statement.items, 7);
}

#[test]
fn totals_say_where_every_credit_is() {
    let statement = every_state().state(SH, JS, NOVEMBER, ZERO).statement;
    // js is the pair's first bank, so sh to js is back.
    let back = statement.flow(Direction::Back);
    let tally = |count: u64| Tally {
        count,
        source: 400 * count,
    };
    assert_eq!(back.all_released(), Ok(tally(6)));
    assert_eq!(back.pending(), Ok(tally(1)));
    assert_eq!(back.recognised(), Ok(tally(2)));
    assert_eq!(back.declined(), Ok(tally(2)));
    assert_eq!(back.recalled(), Ok(tally(1)));
    assert_eq!(back.in_state(State::Reversed), tally(1));
    assert_eq!(back.in_state(State::Refused).count, 1);
    assert_eq!(back.settled.source, tally(2));
    assert_eq!((back.settled.credited, back.settled.spent), (600, 600));
    assert_eq!(back.reversed.source, tally(1));
    let forth = statement.flow(Direction::Forth);
    assert_eq!(forth.settled.source, tally(1));
    assert_eq!(forth.all_released(), forth.recognised());
}

#[test]
fn what_was_released_is_pending_recognised_declined_or_recalled() {
    let mut statement = every_state().state(SH, JS, NOVEMBER, ZERO).statement;
    assert_eq!(statement.check(), Ok(()));
    let back = &mut statement.flows[1];
    back.released.source += 1;
    let inconsistent = Err(Refusal::Inconsistent { with: "states" });
    assert_eq!(back.check(), inconsistent);
    assert_eq!(statement.check(), inconsistent);
    let mut statement = every_state().state(SH, JS, NOVEMBER, ZERO).statement;
    statement.items += 1;
    assert_eq!(
        statement.check(),
        Err(Refusal::Inconsistent { with: "items" })
    );
    statement.flows[0].opening.source = u64::MAX;
    assert_eq!(statement.check(), Err(Refusal::Overflow));
}

#[test]
fn every_step_of_the_period_is_in_its_sequence() {
    let statement = every_state().state(SH, JS, NOVEMBER, ZERO).statement;
    for sequence in statement.sequences {
        assert!(!sequence.has_gap(), "{sequence:?}");
        assert_eq!((sequence.first, sequence.last), (1, sequence.steps));
    }
    let mut world = every_state();
    // A step that was never taken in: its transfer is not there.
    world.banks[SH].transfers.retain(|(_, it), _| *it != id(2));
    let statement = world.state(SH, JS, NOVEMBER, ZERO).statement;
    assert!(statement.sequences.iter().all(|it| it.has_gap()));
}

#[test]
fn an_item_is_settled_in_the_month_in_which_both_banks_have_it() {
    let mut world = World::default();
    let way = (SH, JS);
    world.release(way, 1, 11);
    world.say(JS, SH, id(1), noon(11, 30), recognised("3"));
    world.acknowledge(way, 1, noon(12, 1));
    let november = world.state(SH, JS, NOVEMBER, ZERO);
    assert_eq!(november.items.0[0].state, State::Recognised);
    assert!(!november.items.0[0].is_settled);
    assert_eq!(november.statement.flows[1].settled.source.count, 0);
    let december = world.state(JS, SH, DECEMBER, ZERO);
    assert!(december.items.0[0].is_settled);
    assert_eq!(december.statement.flows[1].opening.count, 1);
    assert_eq!(december.statement.flows[1].settled.source.count, 1);
    // Nothing is left of it in January.
    assert_eq!(world.state(SH, JS, "2027-01", ZERO).statement.items, 0);
}

#[test]
fn what_happens_after_the_cut_changes_nothing_before_it() {
    let mut world = every_state();
    let before = world.state(SH, JS, NOVEMBER, ZERO);
    world.say(JS, SH, id(2), noon(12, 5), recognised("2"));
    world.acknowledge((SH, JS), 2, noon(12, 6));
    world.reverse((SH, JS), 1, Reason::OutcomeNotInForce, 12);
    let after = world.state(SH, JS, NOVEMBER, ZERO);
    assert_eq!(after.statement, before.statement);
    assert_eq!(after.items.0, before.items.0);
    let december = world.state(SH, JS, DECEMBER, ZERO).statement.flows[1];
    assert_eq!((december.opening.count, december.again.count), (3, 1));
    assert_eq!(december.reversed.source.count, 1);
    assert_eq!(december.check(), Ok(()));
}

#[test]
fn clocks_that_differ_give_the_same_statement() {
    let mut world = World::default();
    let cut = period(NOVEMBER).cut_ms();
    world.say(JS, SH, id(1), cut - 90, requested(1));
    world.say(SH, JS, id(1), cut - 80, reserved(1));
    // The origin's clock runs ahead: by it, the release lies in December, and its receipt by the receiver in November.
    world.say(SH, JS, id(1), cut + 20, released(1));
    world.say(JS, SH, id(1), cut - 10, Step::Received);
    for of in [NOVEMBER, DECEMBER] {
        let one = world.state(SH, JS, of, ZERO);
        let other = world.state(JS, SH, of, ZERO);
        assert_eq!(one.statement, other.statement, "{of}");
        assert_eq!(one.statement.items, u64::from(of == DECEMBER), "{of}");
    }
}

#[test]
fn the_bytes_that_both_hash_are_pinned() {
    let world = every_state();
    let stated = world.state(SH, JS, NOVEMBER, ZERO);
    let bytes = stated.items.0[0].to_bytes();
    assert_eq!(bytes[0], 1);
    let digest: Digest32 = Sha256::digest(
        stated
            .items
            .leaves()
            .iter()
            .flat_map(|it| it.1)
            .collect::<Vec<_>>(),
    )
    .into();
    assert_eq!(hex(&digest), ITEMS);
    assert_eq!(hex(&stated.statement.hash()), STATEMENT);
    assert_eq!(hex(&link([[1; 32], [2; 32]])), LINK);
}

const ITEMS: &str = "4b55f503dd19966e009415058fb699793f3b879863501487a99574b9600e256e";
const STATEMENT: &str = "481a0cca74540b5d56b385f86aebe836df38b52dcd1393666a4023ab546ec58e";
const LINK: &str = "fbc459e26af62e884ea257e217ef7a3737186ef734ffc1fc62c73299ab8ae33e";

#[test]
fn every_field_of_an_item_is_in_its_bytes() {
    let stated = every_state().state(SH, JS, NOVEMBER, ZERO);
    let item = stated.items.0.iter().find(|it| it.id == id(5)).expect("it");
    type Change = fn(&mut Item);
    let changes: [Change; 19] = [
        |it| it.id = id(99),
        |it| it.direction = Direction::Forth,
        |it| it.commitment[31] ^= 1,
        |it| it.category = creditbank_domain::Category::Training,
        |it| it.purpose = creditbank_domain::transfer::Purpose::Vocational,
        |it| it.source = credit("4.01"),
        |it| it.agreement.push('x'),
        |it| it.agreement_version.push('x'),
        |it| it.reserved_at_ms += 1,
        |it| it.released_at_ms += 1,
        |it| it.granted = None,
        |it| it.granted.as_mut().expect("granted").spent = credit("0.01"),
        |it| it.granted.as_mut().expect("granted").rule_set[0] ^= 1,
        |it| it.state = State::Recognised,
        |it| it.reason = None,
        |it| it.recalled = Some(Reason::Undecided),
        |it| it.reversal_asked = None,
        |it| it.is_reversal_settled = false,
        |it| it.last[1] += 1,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = item.clone();
        change(&mut changed);
        assert_ne!(changed.to_bytes(), item.to_bytes(), "change {number}");
    }
    // Two texts cannot run into each other.
    let mut shifted = item.clone();
    shifted.agreement = "sh-jsR".into();
    shifted.agreement_version = "23".into();
    assert_ne!(shifted.to_bytes(), item.to_bytes());
}

#[test]
fn the_next_statement_names_both_of_this_one() {
    assert_ne!(link([[1; 32], [2; 32]]), link([[2; 32], [1; 32]]));
    let world = every_state();
    let plain = world.state(SH, JS, DECEMBER, ZERO).statement;
    let linked = world
        .state(SH, JS, DECEMBER, link([[1; 32], [1; 32]]))
        .statement;
    assert_ne!(plain.hash(), linked.hash());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
