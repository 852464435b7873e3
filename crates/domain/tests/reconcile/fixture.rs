//! Three banks in memory: each takes its own steps and hears those of the others, by the code that the ledger runs.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use creditbank_domain::reconcile::{
    Item, Leaf, Pair, Period, PeriodFold, PeriodStatement, Prefix, Ranges, Summary,
};
use creditbank_domain::record::RecordRef;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::book::{self, Bound, Entry, Place, Shelf};
use creditbank_domain::transfer::{
    Purpose, Reason, Recognition, Release, Step, Taken, Transfer, TransferId,
};
use creditbank_domain::{Category, Credit, Digest32, LeafIndex, Refusal};
use jiff::civil::{Date, date};
use sha2::{Digest, Sha256};

/// Places of the banks, in the order of their origins.
pub(crate) const AH: usize = 0;
pub(crate) const JS: usize = 1;
pub(crate) const SH: usize = 2;
pub(crate) const ORIGINS: [&str; 3] = ["ah.example/log", "js.example/log", "sh.example/log"];

pub(crate) const NOVEMBER: &str = "2026-11";
pub(crate) const DECEMBER: &str = "2026-12";

pub(crate) fn period(text: &str) -> Period {
    Period::parse(text).expect("a period")
}

/// Midnight in China at the beginning of a day.
pub(crate) fn midnight(day: Date) -> u64 {
    let days = i64::from((day - date(1970, 1, 1)).get_days());
    u64::try_from(days * 86_400_000 - 8 * 3_600_000).expect("after 1970")
}

/// Noon in China on a day of 2026.
pub(crate) fn noon(month: i8, day: i8) -> u64 {
    midnight(date(2026, month, day)) + 12 * 3_600_000
}

/// Ids spread like digests.
pub(crate) fn id(number: u64) -> TransferId {
    let digest = Sha256::digest(number.to_be_bytes());
    TransferId(digest[..16].try_into().expect("sixteen bytes"))
}

pub(crate) fn credit(text: &str) -> Credit {
    Credit::parse(text).expect("credit")
}

pub(crate) fn record(leaf: u64) -> RecordRef {
    RecordRef {
        leaf_index: LeafIndex(leaf),
        leaf_hash: Sha256::digest(leaf.to_le_bytes()).into(),
    }
}

pub(crate) fn requested(consent: u64) -> Step {
    Step::Requested {
        consent: record(consent),
    }
}

pub(crate) fn reserved(outcome: u64) -> Step {
    Step::Reserved {
        outcome: record(outcome),
        purpose: Purpose::Degree,
    }
}

pub(crate) fn released(outcome: u64) -> Step {
    Step::Released(Release {
        commitment: Sha256::digest(outcome.to_le_bytes()).into(),
        category: Category::DegreeCourse,
        source: credit("4"),
        agreement: "sh-js".into(),
        agreement_version: "R23".into(),
    })
}

pub(crate) fn recognition(credited: &str) -> Recognition {
    Recognition {
        rule: "english".into(),
        rule_set: [7; 32],
        agreement_version: "R23".into(),
        credited: credit(credited),
        spent: credit(credited),
        decided_at_ms: noon(11, 5),
    }
}

pub(crate) fn recognised(credited: &str) -> Step {
    Step::Recognised(recognition(credited))
}

/// What one bank knows.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    pairs: HashMap<InstitutionNumber, book::Pair>,
    pub(crate) transfers: BTreeMap<Place, Transfer>,
    bindings: HashMap<Bound, Place>,
}

impl Shelf for Rows {
    type Error = Infallible;

    fn pair(&self, peer: InstitutionNumber) -> Result<book::Pair, Infallible> {
        Ok(self.pairs.get(&peer).copied().unwrap_or_default())
    }

    fn transfer(&self, place: Place) -> Result<Option<Transfer>, Infallible> {
        Ok(self.transfers.get(&place).cloned())
    }

    fn binding(&self, bound: Bound) -> Result<Option<Place>, Infallible> {
        Ok(self.bindings.get(&bound).copied())
    }
}

impl Rows {
    fn put(&mut self, change: book::Change) {
        self.pairs.insert(change.place.0, change.pair);
        if let Some(transfer) = change.transfer {
            self.transfers.insert(change.place, transfer);
        }
        match change.binding {
            Some((bound, Some(place))) => drop(self.bindings.insert(bound, place)),
            Some((bound, None)) => drop(self.bindings.remove(&bound)),
            None => {}
        }
    }
}

/// Three banks, and what is on its way between them.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) banks: [Rows; 3],
    outbox: HashMap<(usize, usize), Vec<(TransferId, Taken)>>,
}

impl World {
    /// A bank takes a step towards another, which hears of it later.
    pub(crate) fn take(
        &mut self,
        who: usize,
        with: usize,
        id: TransferId,
        at_ms: u64,
        step: Step,
    ) -> Result<(), Refusal> {
        let place = (number(with), id);
        let rows = &mut self.banks[who];
        let Ok(pair) = rows.pair(place.0);
        let taken = Taken {
            sequence: pair.sent + 1,
            at_ms,
            step,
        };
        let entry = Entry {
            place,
            side: taken.step.taker(),
            taken: taken.clone(),
        };
        let Ok(change) = book::take(rows, &entry);
        rows.put(change?);
        let outbox = self.outbox.entry((who, with)).or_default();
        outbox.push((id, taken));
        Ok(())
    }

    /// A bank hears everything that another has taken.
    pub(crate) fn deliver(&mut self, from: usize, to: usize) {
        for (id, taken) in self.outbox.remove(&(from, to)).unwrap_or_default() {
            let entry = Entry {
                place: (number(from), id),
                side: taken.step.taker().other(),
                taken,
            };
            let Ok(change) = book::hear(&self.banks[to], &entry);
            let change = change.expect("the next of its sequence");
            assert_eq!(change.refused, None, "{entry:?}");
            self.banks[to].put(change);
        }
    }

    /// A step that is heard at once.
    pub(crate) fn say(&mut self, who: usize, with: usize, id: TransferId, at_ms: u64, step: Step) {
        let taken = self.take(who, with, id, at_ms, step);
        taken.expect("a step that follows");
        self.deliver(who, with);
    }

    /// From the request to the release, on three days of a month.
    pub(crate) fn release(&mut self, (from, to): (usize, usize), number: u64, month: i8) {
        self.say(to, from, id(number), noon(month, 1), requested(number));
        self.say(from, to, id(number), noon(month, 2), reserved(number));
        self.say(from, to, id(number), noon(month, 3), released(number));
        self.say(to, from, id(number), noon(month, 4), Step::Received);
    }

    /// From the request to the acknowledged recognition.
    pub(crate) fn settle(&mut self, way: (usize, usize), number: u64, month: i8) {
        self.release(way, number, month);
        let (from, to) = way;
        self.say(to, from, id(number), noon(month, 5), recognised("3"));
        self.acknowledge(way, number, noon(month, 6));
    }

    /// The origin notes what it has heard last.
    pub(crate) fn acknowledge(&mut self, (from, to): (usize, usize), number: u64, at_ms: u64) {
        let transfer = self.transfer(from, to, number);
        let heard = transfer.unacknowledged().expect("an answer");
        self.say(from, to, id(number), at_ms, Step::Acknowledged { heard });
    }

    /// A recognition that was acknowledged is asked back and reversed.
    pub(crate) fn reverse(
        &mut self,
        (from, to): (usize, usize),
        number: u64,
        why: Reason,
        month: i8,
    ) {
        let ask = Step::ReversalRequested(why);
        self.say(from, to, id(number), noon(month, 10), ask);
        let reversed = Step::Reversed(Reason::DecisionReversed);
        self.say(to, from, id(number), noon(month, 11), reversed);
        self.acknowledge((from, to), number, noon(month, 12));
    }

    /// A transfer as a bank knows it.
    pub(crate) fn transfer(&self, who: usize, with: usize, id_number: u64) -> &Transfer {
        &self.banks[who].transfers[&(number(with), id(id_number))]
    }

    /// What a bank states of a period with another.
    pub(crate) fn state(&self, who: usize, with: usize, of: &str, previous: Digest32) -> Stated {
        let pair = Pair::of(ORIGINS[who], ORIGINS[with]).expect("two banks");
        let mut fold = PeriodFold::new(pair, ORIGINS[who], period(of)).expect("one of them");
        let transfers = self.banks[who].transfers.iter();
        let mut stated = Items::default();
        for ((peer, _), transfer) in transfers {
            if *peer == number(with) {
                stated
                    .0
                    .extend(fold.add(transfer).expect("in the order of ids"));
            }
        }
        let root = stated.root_of(&stated.leaves());
        let statement = fold.finish(previous, root).expect("totals that hold");
        Stated {
            statement,
            items: stated,
        }
    }
}

/// A statement with its items.
pub(crate) struct Stated {
    pub(crate) statement: PeriodStatement,
    pub(crate) items: Items,
}

/// Items of one side.
#[derive(Clone, Default)]
pub(crate) struct Items(pub(crate) Vec<Item>);

impl Items {
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let leaf = |item: &Item| (item.id, leaf_hash(&item.to_bytes()));
        self.0.iter().map(leaf).collect()
    }
}

impl Ranges for Items {
    fn summary(&self, prefix: &Prefix) -> Summary {
        let leaves = self.list(prefix);
        Summary {
            count: leaves.len() as u64,
            root: self.root_of(&leaves),
        }
    }

    fn list(&self, prefix: &Prefix) -> Vec<Leaf> {
        let mut leaves = self.leaves();
        leaves.retain(|(id, _)| prefix.contains(id));
        leaves
    }

    fn root_of(&self, leaves: &[Leaf]) -> Digest32 {
        root(leaves)
    }
}

/// RFC 6962, written down once more: these tests need no other crate.
pub(crate) fn root(leaves: &[Leaf]) -> Digest32 {
    match leaves {
        [] => Sha256::digest([]).into(),
        [(_, leaf)] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            let node = Sha256::new().chain_update([1]);
            let node = node.chain_update(root(left)).chain_update(root(right));
            node.finalize().into()
        }
    }
}

pub(crate) fn leaf_hash(bytes: &[u8]) -> Digest32 {
    Sha256::new()
        .chain_update([0])
        .chain_update(bytes)
        .finalize()
        .into()
}

fn number(bank: usize) -> InstitutionNumber {
    InstitutionNumber(u32::try_from(bank).expect("three banks"))
}
