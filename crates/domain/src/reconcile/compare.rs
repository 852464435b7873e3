//! Finding the items that differ, by asking about ever smaller ranges of transfer ids.
//!
//! A range is all ids that begin with some nibbles; its root is the RFC 6962 root over the items in it. Ranges of ids are
//! compared, and not subtrees of the statement's own tree: one missing item moves everything behind it to another place
//! of that tree, and every subtree from there on would differ. A range of ids holds the same items wherever it stands.
//!
//! Only ranges that differ are split, into 16, or into 256 while they are large; where few items are left they are listed.
//! So what is asked and answered grows with the differences, and not with the period. Ids are digests, so they spread
//! evenly; whoever makes them cluster makes no more than 32 rounds.
//!
//! No I/O: [`Comparison::next`] says what to ask, and its answers are put in.

use crate::transfer::TransferId;
use crate::{Digest32, Refusal};

/// Most ranges of one question.
pub const RANGES_MAX: usize = 1024;
/// Ranges of up to so many items, on both sides, are listed.
pub const LIST_MAX: u64 = 32;
/// Most differences that are looked for: two banks of which more is different have another problem.
pub const DIFFERENCES_MAX: usize = 10_000;
/// Ranges of more items are split into 256.
const WIDE: u64 = 4096;
/// Lists of one question.
const LISTS_MAX: usize = 32;

/// All ids that begin with some nibbles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    id: [u8; 16],
    nibbles: u8,
}

impl Prefix {
    /// Every id.
    pub const ALL: Self = Self {
        id: [0; 16],
        nibbles: 0,
    };
    /// Nibbles of a whole id.
    const NIBBLES_MAX: u8 = 32;

    /// The first `nibbles` of sixteen bytes; the others must be zero.
    pub fn new(id: [u8; 16], nibbles: u8) -> Result<Self, Refusal> {
        let prefix = Self { id, nibbles };
        let is_cut = nibbles <= Self::NIBBLES_MAX && u128::from_be_bytes(id) & prefix.free() == 0;
        is_cut.then_some(prefix).ok_or(Refusal::NotCanonical)
    }

    /// The nibbles, in sixteen bytes, and how many they are.
    #[must_use]
    pub const fn parts(&self) -> ([u8; 16], u8) {
        (self.id, self.nibbles)
    }

    /// The first and the last id that begin so.
    #[must_use]
    pub fn bounds(&self) -> (TransferId, TransferId) {
        let first = u128::from_be_bytes(self.id);
        (
            TransferId(self.id),
            TransferId((first | self.free()).to_be_bytes()),
        )
    }

    /// Whether an id begins so.
    #[must_use]
    pub fn contains(&self, id: &TransferId) -> bool {
        let (first, last) = self.bounds();
        (first..=last).contains(id)
    }

    /// The bits that it leaves open.
    const fn free(&self) -> u128 {
        match self.nibbles {
            0 => u128::MAX,
            nibbles => match u128::MAX.checked_shr(4 * nibbles as u32) {
                Some(free) => free,
                None => 0,
            },
        }
    }

    /// All prefixes that are `more` nibbles longer.
    fn split(self, more: u8) -> impl Iterator<Item = Self> {
        let nibbles = (self.nibbles + more).min(Self::NIBBLES_MAX);
        let shift = 4 * u32::from(Self::NIBBLES_MAX - nibbles);
        let count = 1u128 << (4 * (nibbles - self.nibbles));
        let first = u128::from_be_bytes(self.id);
        (0..count).map(move |child| Self {
            id: (first | child << shift).to_be_bytes(),
            nibbles,
        })
    }
}

/// How many items a range holds, and the RFC 6962 root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// Root over their leaf hashes; that of the empty tree if there are none.
    pub root: Digest32,
}

/// An item by its id and its leaf hash.
pub type Leaf = (TransferId, Digest32);

/// The items of one side of a period. Hashes are made elsewhere: this crate knows no tree.
pub trait Ranges {
    /// Count and root of a range.
    fn summary(&self, prefix: &Prefix) -> Summary;

    /// The items of a range, in the order of their ids.
    fn list(&self, prefix: &Prefix) -> Vec<Leaf>;

    /// The RFC 6962 root over these hashes.
    fn root_of(&self, leaves: &[Leaf]) -> Digest32;
}

/// An id whose items differ; none where a side has no such item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Differing {
    /// Which transfer.
    pub id: TransferId,
    /// The leaf hash here.
    pub own: Option<Digest32>,
    /// The leaf hash there.
    pub theirs: Option<Digest32>,
}

/// What to ask the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Count and root of each of these ranges.
    Summaries(Vec<Prefix>),
    /// The items of each of these ranges.
    Lists(Vec<Prefix>),
}

/// The search.
#[derive(Debug)]
pub struct Comparison<'a, R> {
    own: &'a R,
    /// Ranges to be asked about.
    ranges: Vec<Prefix>,
    /// Ranges to be listed, with what the other side said of them.
    lists: Vec<(Prefix, Summary)>,
    found: Vec<Differing>,
    is_cut_short: bool,
}

impl<'a, R: Ranges> Comparison<'a, R> {
    /// Begins with everything.
    #[must_use]
    pub fn new(own: &'a R) -> Self {
        Self {
            own,
            ranges: vec![Prefix::ALL],
            lists: Vec::new(),
            found: Vec::new(),
            is_cut_short: false,
        }
    }

    /// What to ask next; none where everything is found.
    #[must_use]
    pub fn next(&self) -> Option<Ask> {
        if self.is_cut_short {
            return None;
        }
        if !self.ranges.is_empty() {
            let first = self.ranges.len().min(RANGES_MAX);
            return Some(Ask::Summaries(self.ranges[..first].to_vec()));
        }
        let lists = self.lists.iter().take(LISTS_MAX);
        let lists: Vec<_> = lists.map(|(prefix, _)| *prefix).collect();
        (!lists.is_empty()).then_some(Ask::Lists(lists))
    }

    /// Takes the answer to [`Ask::Summaries`], in the order of the question.
    pub fn summaries(&mut self, theirs: &[Summary]) -> Result<(), Refusal> {
        let asked = self.ranges.len().min(RANGES_MAX);
        if theirs.len() != asked {
            return Err(invalid("number of ranges"));
        }
        let asked: Vec<Prefix> = self.ranges.drain(..asked).collect();
        for (prefix, theirs) in asked.into_iter().zip(theirs) {
            let own = self.own.summary(&prefix);
            if own != *theirs {
                self.split(prefix, own.count, *theirs);
            }
        }
        self.stop_if_enough();
        Ok(())
    }

    /// Takes the answer to [`Ask::Lists`], in the order of the question. A list must be what its summary said.
    pub fn lists(&mut self, theirs: &[Vec<Leaf>]) -> Result<(), Refusal> {
        let asked = self.lists.len().min(LISTS_MAX);
        if theirs.len() != asked {
            return Err(invalid("number of lists"));
        }
        let asked: Vec<_> = self.lists.drain(..asked).collect();
        for ((prefix, said), theirs) in asked.iter().zip(theirs) {
            let is_ascending = theirs.is_sorted_by(|(one, _), (next, _)| one < next);
            let is_inside = theirs.iter().all(|(id, _)| prefix.contains(id));
            let is_said =
                theirs.len() as u64 == said.count && self.own.root_of(theirs) == said.root;
            if !(is_ascending && is_inside && is_said) {
                return Err(invalid("items of a range"));
            }
            let own = self.own.list(prefix);
            self.merge(&own, theirs);
        }
        self.stop_if_enough();
        Ok(())
    }

    /// What differs, in the order of ids, and whether that is all.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Differing>, bool) {
        self.found.sort_unstable();
        (self.found, !self.is_cut_short)
    }

    /// What to do about a range that differs.
    fn split(&mut self, prefix: Prefix, own: u64, theirs: Summary) {
        let most = own.max(theirs.count);
        if theirs.count == 0 && own <= LIST_MAX {
            let own = self.own.list(&prefix);
            self.merge(&own, &[]);
        } else if most <= LIST_MAX || prefix.nibbles == Prefix::NIBBLES_MAX {
            self.lists.push((prefix, theirs));
        } else {
            let more = if most > WIDE { 2 } else { 1 };
            self.ranges.extend(prefix.split(more));
        }
    }

    /// Notes what differs between two lists in the order of ids.
    fn merge(&mut self, own: &[Leaf], theirs: &[Leaf]) {
        let (mut own, mut theirs) = (own.iter().peekable(), theirs.iter().peekable());
        while let Some(id) = smaller(own.peek(), theirs.peek()) {
            let mine = own.next_if(|(it, _)| *it == id).map(|(_, hash)| *hash);
            let other = theirs.next_if(|(it, _)| *it == id).map(|(_, hash)| *hash);
            if mine != other {
                self.found.push(Differing {
                    id,
                    own: mine,
                    theirs: other,
                });
            }
        }
    }

    fn stop_if_enough(&mut self) {
        let is_over = self.ranges.is_empty() && self.lists.is_empty();
        let waiting = self.ranges.len() / 16 + self.lists.len();
        self.is_cut_short = !is_over && self.found.len() + waiting > DIFFERENCES_MAX;
    }
}

fn smaller(one: Option<&&Leaf>, other: Option<&&Leaf>) -> Option<TransferId> {
    let ids = [one, other].into_iter().flatten().map(|(id, _)| *id);
    ids.min()
}

const fn invalid(check: &'static str) -> Refusal {
    Refusal::PeerInvalid { check }
}
