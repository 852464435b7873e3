//! Points over the whole log: every purse folds, and at every entry of the log the sum over all accounts of all
//! learners is zero.

use std::sync::Arc;

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::points::{Account, Posting, Purse};
use creditbank_store::{Go, Snapshot, Store, StoreError};

use super::{Event, Purses, event, moves_points};
use crate::vault::{self, DataKey, KeyEncryptionKey};

/// Points by account.
type Sums = [i64; Account::ALL.len()];

/// What is wrong with points, and where.
pub(crate) type Wrong = (LeafIndex, String);

/// Folds the points of all learners in the order of the log. Gives how many records there are, and what is wrong.
pub(crate) fn check_points(
    store: &Store,
    snapshot: &Snapshot,
    key: &KeyEncryptionKey,
) -> Result<(u64, Vec<Wrong>), StoreError> {
    let mut events = Vec::new();
    let mut unreadable = Vec::new();
    let mut opened_key: (u64, Option<Arc<DataKey>>) = (0, None);
    snapshot.whole_vault(|learner, index, row| {
        let Ok(header) = vault::header(row) else {
            return Go::Continue(());
        };
        if !moves_points(header.kind) {
            return Go::Continue(());
        }
        if opened_key.0 != learner {
            let wrapped = store.wrapped_key(learner).ok().flatten();
            let unwrapped = wrapped.and_then(|wrapped| key.unwrap(learner, &wrapped).ok());
            opened_key = (learner, unwrapped);
        }
        let data_key = opened_key.1.as_ref();
        let opened = data_key.and_then(|key| {
            let opened = key.open_record(InstitutionId::BANK, &header.record_id, row);
            event(&opened.ok()?.payload)
        });
        match opened {
            Some(event) => events.push((index, learner, event)),
            None => unreadable.push((index, "what it says of points cannot be read".to_owned())),
        }
        Go::Continue(())
    })?;
    events.sort_unstable_by_key(|(index, ..)| *index);
    let records = events
        .iter()
        .filter(|(.., event)| matches!(event, Event::Moved(_)))
        .count();
    unreadable.extend(walk(&events));
    Ok((records as u64, unreadable))
}

/// Folds events in the order of the log, and counts their postings beside the purses.
fn walk(events: &[(LeafIndex, u64, Event)]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut purses = Purses::default();
    let (mut posted, mut held): (Sums, Sums) = Default::default();
    for (index, learner, event) in events {
        let before = with_other(&mut purses, *learner, event);
        if let Err(refusal) = purses.apply(*learner, event) {
            let what = format!("the entry does not follow from those before it: {refusal}");
            wrong.push((*index, what));
            // What the purse did not take is in no account.
            held = add(held, difference(balances(purses.purse(*learner)), before));
            posted = held;
            continue;
        }
        if let Event::Moved(entries) = event {
            entries
                .iter()
                .for_each(|entry| post(&mut posted, entry.posting()));
        }
        held = add(held, difference(balances(purses.purse(*learner)), before));
        let (sum, entered) = (held.iter().sum::<i64>(), posted.iter().sum::<i64>());
        if sum != 0 || entered != 0 {
            wrong.push((
                *index,
                format!("the sum over all accounts is {sum} here, not zero"),
            ));
        } else if held != posted {
            wrong.push((
                *index,
                "the accounts are not what the entries add up to".into(),
            ));
        }
    }
    wrong
}

/// What a learner's accounts hold before an event, with those that a merge brings to them.
fn with_other(purses: &mut Purses, learner: u64, event: &Event) -> Sums {
    let own = balances(purses.purse(learner));
    match event {
        Event::Merged(gone) if purses.survivor(*gone) != purses.survivor(learner) => {
            add(own, balances(purses.purse(*gone)))
        }
        _ => own,
    }
}

fn balances(purse: &Purse) -> Sums {
    Account::ALL.map(|account| purse.balance(account))
}

fn post(sums: &mut Sums, posting: Posting) {
    sums[posting.debit as usize] -= i64::from(posting.points);
    sums[posting.credit as usize] += i64::from(posting.points);
}

fn add(mut sums: Sums, added: Sums) -> Sums {
    for (sum, added) in sums.iter_mut().zip(added) {
        *sum += added;
    }
    sums
}

fn difference(after: Sums, before: Sums) -> Sums {
    add(after, before.map(|sum| -sum))
}

#[cfg(test)]
mod tests {
    use creditbank_domain::points::{Entry, Reason};
    use creditbank_domain::text::Label;
    use jiff::civil::{Date, date};

    use super::*;

    const DAY: Date = date(2026, 3, 1);

    fn moved(index: u64, learner: u64, points: u32, reason: Reason) -> (LeafIndex, u64, Event) {
        let entry = Entry {
            on: DAY,
            points,
            reason,
        };
        (LeafIndex(index), learner, Event::Moved(vec![entry]))
    }

    fn earned(outcome: u64, expires_on: Option<Date>) -> Reason {
        Reason::Earned {
            rule: "hours".into(),
            outcome: LeafIndex(outcome),
            expires_on,
        }
    }

    fn reserved() -> Reason {
        Reason::Reserved {
            redemption: [7; 16],
            purpose: Label::parse("图书").expect("a label"),
        }
    }

    fn places(wrong: &[Wrong]) -> Vec<u64> {
        wrong.iter().map(|(index, _)| index.0).collect()
    }

    #[test]
    fn what_purses_make_is_right_whoever_it_is_about() {
        let events = [
            moved(3, 1, 10, earned(1, None)),
            moved(5, 2, 4, earned(2, None)),
            moved(6, 1, 7, reserved()),
            moved(
                9,
                1,
                7,
                Reason::Confirmed {
                    redemption: [7; 16],
                },
            ),
            moved(
                11,
                1,
                10,
                Reason::ClawedBack {
                    outcome: LeafIndex(1),
                },
            ),
        ];
        assert_eq!(walk(&events), []);
    }

    #[test]
    fn a_record_that_no_purse_would_make_is_found_where_it_stands() {
        let table = [
            ("more than there is", moved(4, 1, 11, reserved())),
            ("somebody else's", moved(4, 2, 5, reserved())),
            ("the same outcome again", moved(4, 1, 5, earned(1, None))),
            ("nothing has expired", moved(4, 1, 10, Reason::Expired)),
            (
                "no such redemption",
                moved(
                    4,
                    1,
                    5,
                    Reason::Cancelled {
                        redemption: [7; 16],
                    },
                ),
            ),
            (
                "not what was earned",
                moved(
                    4,
                    1,
                    9,
                    Reason::ClawedBack {
                        outcome: LeafIndex(1),
                    },
                ),
            ),
        ];
        for (what, event) in table {
            let events = [
                moved(3, 1, 10, earned(1, None)),
                event,
                moved(5, 1, 3, reserved()),
            ];
            assert_eq!(places(&walk(&events)), [4], "{what}");
        }
    }

    #[test]
    fn after_a_merge_both_purses_are_one_and_before_it_they_are_two() {
        let last_day = Some(date(2026, 2, 1));
        let mut events = vec![
            moved(1, 1, 3, earned(10, last_day)),
            moved(2, 2, 8, earned(20, last_day)),
            // Made without the other purse, which holds expired points too.
            moved(3, 1, 3, Reason::Expired),
            (LeafIndex(4), 1, Event::Merged(2)),
            moved(5, 1, 8, Reason::Expired),
        ];
        assert_eq!(walk(&events), []);
        events.swap_remove(3);
        assert_eq!(places(&walk(&events)), [5]);
    }
}
