//! Periods on the wire: what is signed comes back as it was, and what is not of the form is refused.

use creditbank_domain::reconcile::{
    Closed, Direction, Flow, Granted, Item, Pair, Period, PeriodStatement, Prefix, Sequence,
    Settled, Summary, Tally,
};
use creditbank_domain::record::{RecordRef, Statement};
use creditbank_domain::transfer::{Purpose, Reason, State, TransferId};
use creditbank_domain::{Category, Credit, LeafIndex, Refusal};
use creditbank_merkle::EMPTY_ROOT;
use creditbank_wire::convert::reconciliation::{
    item, item_message, leaves, leaves_message, period_statement, period_statement_message, range,
    range_message, summary, summary_message,
};
use creditbank_wire::convert::record::{statement, statement_message};
use creditbank_wire::{Message as _, v1};

/// Every number is another.
fn stated() -> PeriodStatement {
    let mut next = 0;
    let mut number = || {
        next += 1;
        next
    };
    let mut tally = || Tally {
        count: number(),
        source: number(),
    };
    let mut flow = || Flow {
        opening: tally(),
        released: tally(),
        again: tally(),
        states: std::array::from_fn(|_| tally()),
        settled: settled(tally()),
        reversed: settled(tally()),
    };
    PeriodStatement {
        pair: Pair::of("sh.test/log", "js.test/log").expect("a pair"),
        period: Period::parse("2026-11").expect("a month"),
        previous: [1; 32],
        flows: [flow(), flow()],
        sequences: [sequence(3, 9), sequence(0, 0)],
        items: 77,
        root: [2; 32],
    }
}

fn settled(source: Tally) -> Settled {
    Settled {
        source,
        credited: source.source + 1000,
        spent: source.source + 2000,
    }
}

fn sequence(first: u64, last: u64) -> Sequence {
    let steps = last - first;
    Sequence { first, last, steps }
}

fn an_item() -> Item {
    Item {
        id: TransferId([3; 16]),
        direction: Direction::Back,
        commitment: [4; 32],
        category: Category::Training,
        purpose: Purpose::Vocational,
        source: Credit::from_hundredths(401),
        agreement: "sh-js".into(),
        agreement_version: "R23".into(),
        reserved_at_ms: 5,
        released_at_ms: 6,
        granted: Some(Granted {
            rule: "english".into(),
            rule_set: [7; 32],
            agreement_version: "R24".into(),
            credited: Credit::from_hundredths(302),
            spent: Credit::from_hundredths(303),
            decided_at_ms: 8,
        }),
        state: State::Reversed,
        reason: Some(Reason::DecisionReversed),
        recalled: Some(Reason::Undecided),
        reversal_asked: Some(Reason::RecognisedLate),
        is_settled: true,
        is_reversal_settled: true,
        last: [9, 10],
    }
}

#[test]
fn statements_about_periods_come_back_as_they_were() {
    let closed = Closed {
        peer: "js.test/log".into(),
        period: stated().period,
        own: [1; 32],
        theirs: [2; 32],
        their_leaf: RecordRef {
            leaf_index: LeafIndex(3),
            leaf_hash: [4; 32],
        },
        differences: 5,
        suspense: 6,
    };
    for said in [
        Statement::PeriodStated(Box::new(stated())),
        Statement::PeriodClosed(Box::new(closed)),
    ] {
        let bytes = statement_message(&said).encode_to_vec();
        let message = v1::Statement::decode(&bytes[..]).expect("a message");
        assert_eq!(message.encode_to_vec(), bytes);
        assert_eq!(statement(message), Ok(said));
    }
}

#[test]
fn a_statement_that_is_not_of_the_form_is_refused() {
    type Change = fn(&mut v1::PeriodStated);
    let cases: [(Change, Refusal); 8] = [
        (|it| it.origins.swap(0, 1), Refusal::NotAscending),
        (
            |it| drop(it.origins.pop()),
            Refusal::WrongLength { expected: 2 },
        ),
        (
            |it| it.cut_ms += 1,
            Refusal::Inconsistent { with: "period" },
        ),
        (|it| it.period = "2026-13".into(), Refusal::NotADate),
        (|it| it.previous.clear(), Refusal::Missing),
        (
            |it| drop(it.flows.pop()),
            Refusal::WrongLength { expected: 2 },
        ),
        (
            |it| it.flows[0].states.truncate(10),
            Refusal::WrongLength { expected: 11 },
        ),
        (|it| it.flows[1].settled = None, Refusal::Missing),
    ];
    for (change, expected) in cases {
        let mut message = period_statement_message(&stated());
        change(&mut message);
        assert_eq!(period_statement(&message), Err(expected), "{message:?}");
    }
}

#[test]
fn an_item_comes_back_with_the_bytes_that_both_banks_hash() {
    for state in State::ALL {
        let said = Item { state, ..an_item() };
        let back = item(&item_message(&said)).expect("an item");
        assert_eq!(back.to_bytes(), said.to_bytes());
        assert_eq!(back, said);
    }
    let mut bare = an_item();
    bare.granted = None;
    (bare.reason, bare.recalled, bare.reversal_asked) = (None, None, None);
    assert_eq!(item(&item_message(&bare)), Ok(bare));
    type Change = fn(&mut v1::PeriodItem);
    let cases: [(Change, Refusal); 5] = [
        (|it| it.state = 0, Refusal::ChoiceUnknown),
        (|it| it.state = 12, Refusal::ChoiceUnknown),
        (|it| it.direction = 3, Refusal::ChoiceUnknown),
        (|it| it.reason = 255, Refusal::ChoiceUnknown),
        (
            |it| it.agreement = "x".repeat(256),
            Refusal::TooLong { max: 255 },
        ),
    ];
    for (change, expected) in cases {
        let mut message = item_message(&an_item());
        change(&mut message);
        assert_eq!(item(&message), Err(expected));
    }
}

#[test]
fn ranges_are_as_long_as_they_say() {
    let prefix = |first: u8, nibbles: u8| {
        let mut id = [0; 16];
        id[0] = first;
        Prefix::new(id, nibbles).expect("a prefix")
    };
    for prefix in [
        Prefix::ALL,
        prefix(0xa0, 1),
        prefix(0xab, 2),
        prefix(0xab, 3),
    ] {
        assert_eq!(range(&range_message(&prefix)), Ok(prefix));
    }
    let wrong = [
        (vec![0xab], 1),
        (vec![0xab, 0], 2),
        (vec![], 1),
        (vec![0; 17], 34),
    ];
    for (prefix, nibbles) in wrong {
        let message = v1::IdRange {
            prefix: prefix.into(),
            nibbles,
        };
        assert_eq!(range(&message), Err(Refusal::NotCanonical), "{message:?}");
    }
}

#[test]
fn summaries_and_lists_come_back_as_they_were() {
    let some = Summary {
        count: 3,
        root: [9; 32],
    };
    let none = Summary {
        count: 0,
        root: EMPTY_ROOT.0,
    };
    for said in [some, none] {
        assert_eq!(summary(&summary_message(&said)), Ok(said));
    }
    let list = vec![
        (TransferId([1; 16]), [2; 32]),
        (TransferId([3; 16]), [4; 32]),
    ];
    let message = leaves_message(&list);
    assert_eq!(leaves(&message), Ok(list));
    let cut = v1::ItemList {
        items: message.items.slice(..95),
    };
    assert_eq!(leaves(&cut), Err(Refusal::NotCanonical));
}
