//! When the answers of a transfer are settled, and how long the outcome stays bound.

use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::{
    Purpose, Reason, Recognition, Release, Side, Step, Taken, Transfer, TransferId,
};
use creditbank_domain::{Category, Credit, LeafIndex};

const RECORD: RecordRef = RecordRef {
    leaf_index: LeafIndex(1),
    leaf_hash: [1; 32],
};

/// A transfer of these steps: sequence and time of each, by its taker.
fn transfer(steps: Vec<(u64, u64, Step)>) -> Transfer {
    let mut transfer = Transfer::new(TransferId([7; 16]), Side::Origin);
    for (sequence, at_ms, step) in steps {
        let taken = Taken {
            sequence,
            at_ms,
            step,
        };
        transfer.apply(taken).expect("the step follows");
    }
    transfer
}

/// Up to a recognition at 60, recalled before or not.
fn recognised(recall: Option<Reason>) -> Vec<(u64, u64, Step)> {
    let reserved = Step::Reserved {
        outcome: RECORD,
        purpose: Purpose::Degree,
    };
    let released = Step::Released(Release {
        commitment: [2; 32],
        category: Category::DegreeCourse,
        source: Credit::from_hundredths(300),
        agreement: "R23".into(),
        agreement_version: "1".into(),
    });
    let recognition = Step::Recognised(Recognition {
        rule: "r".into(),
        rule_set: [3; 32],
        agreement_version: "1".into(),
        credited: Credit::from_hundredths(200),
        spent: Credit::from_hundredths(300),
        decided_at_ms: 60,
    });
    let mut steps = vec![
        (1, 10, Step::Requested { consent: RECORD }),
        (1, 20, reserved),
        (2, 30, released),
        (2, 40, Step::Received),
    ];
    steps.extend(recall.map(|reason| (3, 50, Step::Recalled(reason))));
    steps.push((3, 60, recognition));
    steps
}

const fn is_recognised(step: &Step) -> bool {
    matches!(step, Step::Recognised(_))
}

const fn is_reversed(step: &Step) -> bool {
    matches!(step, Step::Reversed(_))
}

#[test]
fn a_recognition_is_settled_when_both_banks_have_it() {
    let mut steps = recognised(None);
    steps.push((3, 70, Step::Acknowledged { heard: 3 }));
    assert_eq!(transfer(steps).settled_at(is_recognised), Some(70));
    assert_eq!(transfer(recognised(None)).settled_at(is_recognised), None);
}

/// The receiver's clock is ahead: without this, the recognition would be settled at 95 and its reversal only at 100, and
/// a cut between them would find an outcome in use that another bank has by now.
#[test]
fn what_was_reversed_before_it_was_noted_is_never_settled_alone() {
    let mut steps = recognised(Some(Reason::Undecided));
    steps.extend([
        (4, 70, Step::ReversalRequested(Reason::RecognisedLate)),
        (4, 100, Step::Reversed(Reason::RecognisedLate)),
        (5, 95, Step::Acknowledged { heard: 4 }),
    ]);
    let transfer = transfer(steps);
    assert_eq!(transfer.settled_at(is_recognised), Some(100));
    assert_eq!(transfer.settled_at(is_reversed), Some(100));
}

#[test]
fn what_was_settled_stays_bound_until_its_reversal_is_settled() {
    let acknowledged = (3, 70, Step::Acknowledged { heard: 3 });
    let reversed = (4, 80, Step::Reversed(Reason::DecisionReversed));
    let noted = (4, 90, Step::Acknowledged { heard: 4 });
    let mut steps = recognised(None);
    steps.extend([acknowledged, reversed]);
    assert!(transfer(steps.clone()).binds());
    steps.push(noted);
    assert!(!transfer(steps).binds());
}

#[test]
fn what_was_never_settled_is_free_once_it_is_reversed() {
    let reversed = (4, 80, Step::Reversed(Reason::RecognisedLate));
    for recall in [None, Some(Reason::Undecided)] {
        let mut steps = recognised(recall);
        steps.push(reversed.clone());
        assert!(!transfer(steps).binds(), "{recall:?}");
    }
}
