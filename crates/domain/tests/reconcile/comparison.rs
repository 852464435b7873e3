//! Finding what differs without moving what does not.

use std::cell::Cell;

use creditbank_domain::reconcile::{
    Ask, Comparison, Differing, LIST_MAX, Leaf, Prefix, RANGES_MAX, Ranges, Summary,
};
use creditbank_domain::transfer::TransferId;
use creditbank_domain::{Digest32, Refusal};

use crate::fixture::{id, root};

/// One side: leaves in the order of their ids.
struct Leaves(Vec<Leaf>);

impl Leaves {
    fn new(count: u64) -> Self {
        let mut leaves: Vec<Leaf> = (0..count).map(|number| (id(number), [1; 32])).collect();
        leaves.sort_unstable();
        Self(leaves)
    }

    fn without(&self, number: u64) -> Self {
        let kept = self.0.iter().filter(|(it, _)| *it != id(number));
        Self(kept.copied().collect())
    }

    fn changed(&self, number: u64) -> Self {
        let change = |(it, hash): &Leaf| match *it == id(number) {
            true => (*it, [2; 32]),
            false => (*it, *hash),
        };
        Self(self.0.iter().map(change).collect())
    }
}

impl Ranges for Leaves {
    fn summary(&self, prefix: &Prefix) -> Summary {
        let leaves = self.list(prefix);
        Summary {
            count: leaves.len() as u64,
            root: root(&leaves),
        }
    }

    fn list(&self, prefix: &Prefix) -> Vec<Leaf> {
        let (first, last) = prefix.bounds();
        let from = self.0.partition_point(|(it, _)| *it < first);
        let to = self.0.partition_point(|(it, _)| *it <= last);
        self.0[from..to].to_vec()
    }

    fn root_of(&self, leaves: &[Leaf]) -> Digest32 {
        root(leaves)
    }
}

/// What was found, and how many summaries and leaves were moved for it.
fn compare(own: &Leaves, theirs: &Leaves) -> (Vec<Differing>, usize) {
    let moved = Cell::new(0);
    let mut comparison = Comparison::new(own);
    while let Some(ask) = comparison.next() {
        match ask {
            Ask::Summaries(ranges) => {
                assert!(ranges.len() <= RANGES_MAX);
                let answer: Vec<_> = ranges.iter().map(|it| theirs.summary(it)).collect();
                moved.set(moved.get() + answer.len());
                comparison.summaries(&answer).expect("an answer");
            }
            Ask::Lists(ranges) => {
                let answer: Vec<_> = ranges.iter().map(|it| theirs.list(it)).collect();
                assert!(answer.iter().all(|it| it.len() as u64 <= LIST_MAX));
                moved.set(moved.get() + answer.iter().map(Vec::len).sum::<usize>());
                comparison.lists(&answer).expect("an answer");
            }
        }
    }
    let (found, is_all) = comparison.finish();
    assert!(is_all);
    (found, moved.get())
}

#[test]
fn every_difference_is_found_and_nothing_else() {
    for count in [0, 1, 2, 16, 33, 500, 5000] {
        let own = Leaves::new(count);
        assert_eq!(compare(&own, &own).0, [], "{count}");
        for number in [0, count / 2, count.saturating_sub(1)] {
            if number >= count {
                continue;
            }
            let here_only = Differing {
                id: id(number),
                own: Some([1; 32]),
                theirs: None,
            };
            let there_only = Differing {
                own: None,
                theirs: Some([1; 32]),
                ..here_only
            };
            let changed = Differing {
                theirs: Some([2; 32]),
                ..here_only
            };
            let cases = [
                (&own, own.without(number), here_only),
                (&own.without(number), Leaves::new(count), there_only),
                (&own, own.changed(number), changed),
            ];
            for (one, other, expected) in cases {
                assert_eq!(compare(one, &other).0, [expected], "{number} of {count}");
            }
        }
    }
}

#[test]
fn one_side_may_have_nothing_at_all() {
    let (all, none) = (Leaves::new(300), Leaves::new(0));
    assert_eq!(compare(&all, &none).0.len(), 300);
    assert_eq!(compare(&none, &all).0.len(), 300);
}

#[test]
fn what_is_moved_grows_with_the_differences_and_not_with_the_items() {
    let moved = |count: u64, differences: u64| {
        let own = Leaves::new(count);
        let theirs = (0..differences).fold(Leaves(own.0.clone()), |it, number| it.without(number));
        let (found, moved) = compare(&own, &theirs);
        assert_eq!(found.len() as u64, differences);
        moved
    };
    assert_eq!(moved(20_000, 0), 1);
    let one = moved(20_000, 1);
    assert!(one < 400, "{one}");
    assert!(moved(20_000, 10) < 10 * one);
    // Sixteen times the items are one more split.
    assert!(moved(40_000, 1) <= one + 256, "{one}");
}

#[test]
fn a_side_that_lists_something_else_than_it_summed_is_found_out() {
    let own = Leaves::new(10);
    let theirs = own.without(3);
    let lists: [fn(&mut Vec<Leaf>); 4] = [
        |list| list.truncate(list.len() - 1),
        |list| list.swap(0, 1),
        |list| list[0].1 = [9; 32],
        |list| list[0].0 = TransferId([0xff; 16]),
    ];
    for change in lists {
        let mut comparison = Comparison::new(&own);
        assert_eq!(comparison.next(), Some(Ask::Summaries(vec![Prefix::ALL])));
        let answer = [theirs.summary(&Prefix::ALL)];
        comparison.summaries(&answer).expect("an answer");
        assert_eq!(comparison.next(), Some(Ask::Lists(vec![Prefix::ALL])));
        let mut list = theirs.list(&Prefix::ALL);
        change(&mut list);
        let check = "items of a range";
        assert_eq!(
            comparison.lists(&[list]),
            Err(Refusal::PeerInvalid { check })
        );
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let own = Leaves::new(10);
    let mut comparison = Comparison::new(&own);
    let check = "number of ranges";
    assert_eq!(
        comparison.summaries(&[]),
        Err(Refusal::PeerInvalid { check })
    );
}

#[test]
fn whoever_says_that_everything_differs_is_not_believed_for_ever() {
    let own = Leaves::new(10);
    let mut comparison = Comparison::new(&own);
    let mut questions = 0;
    while let Some(ask) = comparison.next() {
        let Ask::Summaries(ranges) = ask else {
            panic!("too many items for a list");
        };
        questions += 1;
        assert!(questions < 5_000, "it never ends");
        let lie = Summary {
            count: u64::MAX,
            root: [9; 32],
        };
        comparison
            .summaries(&vec![lie; ranges.len()])
            .expect("an answer");
    }
    assert!(!comparison.finish().1, "it does not say that this is all");
}

#[test]
fn a_prefix_names_a_range_of_ids() {
    let first = Prefix::new([0xab; 16], 32).expect("a whole id");
    assert_eq!(first.bounds().0, first.bounds().1);
    let mut bytes = [0; 16];
    bytes[0] = 0xa0;
    let half = Prefix::new(bytes, 1).expect("a nibble");
    assert!(half.contains(&TransferId([0xab; 16])) && !half.contains(&TransferId([0xbb; 16])));
    assert_eq!(Prefix::new([1; 16], 1), Err(Refusal::NotCanonical));
    assert_eq!(Prefix::new([0; 16], 33), Err(Refusal::NotCanonical));
    assert_eq!(Prefix::new([0; 16], 0), Ok(Prefix::ALL));
}
