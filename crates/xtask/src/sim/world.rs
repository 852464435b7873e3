//! The world: four banks, a network that loses, doubles, delays and reorders, people, mishaps, and the one queue of events
//! in virtual time that drives them all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use creditbank_domain::record::RecordRef;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::Step;
use creditbank_merkle::Hash;

use super::bank::{Bank, Phase};
use super::chance::Chance;
use super::check::{self, Violation};
use super::code::Code;
use super::exchange::Message;
use super::knowledge::DAY;
use super::rows::{Fact, Name};

/// The banks of Shanghai, Jiangsu, Zhejiang and Anhui.
pub(super) const NAMES: [Name; 4] = [
    InstitutionNumber(31),
    InstitutionNumber(32),
    InstitutionNumber(33),
    InstitutionNumber(34),
];

/// A second.
pub(super) const SECOND: u64 = 1000;
/// A minute.
pub(super) const MINUTE: u64 = 60 * SECOND;
/// An hour.
pub(super) const HOUR: u64 = 60 * MINUTE;

/// The time for what is on its way to arrive and for every term to end, once nothing goes wrong any more.
const DRAIN: u64 = 20 * HOUR;
/// Every so many events the rows are folded again and compared.
const FOLD_EVERY: u64 = 64;

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A bank looks for what it has to do.
    Work(usize),
    /// What a bank has written becomes durable.
    Sync(usize),
    /// A bank turns to a peer.
    Contact(usize, Name),
    /// A message arrives.
    Deliver(Message),
    /// A bank starts again.
    Start(usize),
    /// The operator has found the newest copy of a lost disk.
    Recovered(usize),
    /// A partition ends.
    Healed(Name, Name),
    /// A learner, an institution or a reviewer does something.
    People,
    /// A learner applies for a transfer, with a consent.
    Apply {
        origin: usize,
        receiver: Name,
        consent: RecordRef,
        learner: u64,
    },
    /// Something goes wrong.
    Mishap,
}

/// How a world is: some seeds have no crash, others lose every second message.
#[derive(Debug)]
pub(super) struct Climate {
    /// Messages lost, of a hundred.
    pub(super) lost: u64,
    /// Messages that arrive twice, of a hundred.
    pub(super) doubled: u64,
    /// Messages that are late, of a hundred.
    pub(super) late: u64,
    /// How wrong a clock is at most.
    pub(super) skew_ms: u64,
    /// Kinds of mishaps that happen.
    pub(super) mishaps: Vec<super::mishaps::Mishap>,
    /// Kinds of acts that people do.
    pub(super) acts: Vec<super::people::Act>,
}

/// A bank that shows two histories: which, and to whom the second.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) name: Name,
    pub(super) node: usize,
    pub(super) viewers: BTreeSet<Name>,
    /// The second history is gone; its viewers are shown the first one now.
    pub(super) is_over: bool,
}

/// The world.
pub(super) struct World<'a> {
    pub(super) code: &'a Code,
    pub(super) chance: Chance,
    pub(super) now: u64,
    pub(super) climate: Climate,
    /// The four banks, and the second history of one of them.
    pub(super) banks: Vec<Bank>,
    pub(super) split: Option<Split>,
    pub(super) partitions: BTreeSet<(Name, Name)>,
    /// Every root that was cosigned, by log and size; for itself, of a witness that may have been shown two histories.
    pub(super) cosigned: BTreeMap<(Name, u64, Option<Name>), Hash>,
    /// Whether things still go wrong.
    pub(super) is_wild: bool,
    pub(super) trace: Option<Vec<String>>,
    queue: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
    pub(super) events: u64,
}

/// An event with its time; of two at once, the one scheduled first.
struct Scheduled {
    at: u64,
    number: u64,
    event: Event,
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scheduled {}

impl<'a> World<'a> {
    /// The world of a seed.
    pub(super) fn new(code: &'a Code, seed: u64, traces: bool) -> Self {
        let mut chance = Chance::new(seed);
        let climate = Climate::of(&mut chance);
        let banks = NAMES.map(|name| Bank::new(name, climate.skew(&mut chance)));
        let mut world = Self {
            code,
            climate,
            now: DAY + 16 * HOUR,
            banks: banks.into(),
            chance,
            split: None,
            partitions: BTreeSet::new(),
            cosigned: BTreeMap::new(),
            is_wild: true,
            trace: traces.then(Vec::new),
            queue: BinaryHeap::new(),
            scheduled: 0,
            events: 0,
        };
        world.tell(|world| format!("climate {:?}", world.climate));
        for node in 0..NAMES.len() {
            world.begin(node);
        }
        world.after(0, 0, Event::People);
        world.after(HOUR, 2 * HOUR, Event::Mishap);
        world
    }

    /// Lets so many events happen, then nothing go wrong any more, and looks at what is left.
    pub(super) fn run(&mut self, steps: u64) -> Result<(), Violation> {
        while self.events < steps {
            self.step()?;
        }
        self.calm()?;
        let end = self.now + DRAIN;
        while self.now < end {
            self.step()?;
        }
        check::end(self)
    }

    /// Schedules an event at a random time between two delays.
    pub(super) fn after(&mut self, from_ms: u64, to_ms: u64, event: Event) {
        let at = self.now + self.chance.between(from_ms, to_ms);
        self.scheduled += 1;
        self.queue.push(Reverse(Scheduled {
            at,
            number: self.scheduled,
            event,
        }));
    }

    /// Notes a line of the trace.
    pub(super) fn tell(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_none() {
            return;
        }
        let (minutes, seconds) = (self.now / MINUTE, self.now / SECOND % 60);
        let clock = format!(
            "{:>6} d{} {:02}:{:02}:{seconds:02}",
            self.events,
            self.now / DAY,
            minutes / 60 % 24,
            minutes % 60
        );
        let line = format!("{clock}  {}", line(self));
        self.trace.get_or_insert_default().push(line);
    }

    /// The banks that a bank deals with, by name, with the node that it finds under each.
    pub(super) fn peers_of(&self, node: usize) -> Vec<(Name, usize)> {
        let own = self.banks[node].name;
        let peers = NAMES.into_iter().filter(|peer| *peer != own);
        let peers = peers.filter(|peer| self.node_of(*peer, own) == Some(node));
        peers
            .filter_map(|peer| Some((peer, self.node_of(own, peer)?)))
            .collect()
    }

    /// The node that a bank finds under a name.
    pub(super) fn node_of(&self, viewer: Name, name: Name) -> Option<usize> {
        match &self.split {
            Some(split)
                if split.name == name && !split.is_over && split.viewers.contains(&viewer) =>
            {
                Some(split.node)
            }
            _ => NAMES.iter().position(|it| *it == name),
        }
    }

    /// Whether one of a pair has shown the other a second history.
    pub(super) fn is_split(&self, one: Name, other: Name) -> bool {
        self.split.as_ref().is_some_and(|split| {
            (split.name == one && split.viewers.contains(&other))
                || (split.name == other && split.viewers.contains(&one))
        })
    }

    /// Sets a bank going.
    pub(super) fn begin(&mut self, node: usize) {
        self.after(0, 10 * MINUTE, Event::Work(node));
        let own = self.banks[node].name;
        for peer in NAMES.into_iter().filter(|peer| *peer != own) {
            self.after(0, 30 * MINUTE, Event::Contact(node, peer));
        }
    }

    /// Writes a fact of a bank that never refuses it.
    pub(super) fn write(&mut self, node: usize, fact: Fact) -> RecordRef {
        let written = self.banks[node].append(self.code, self.now, fact);
        written.expect("a fact is never refused")
    }

    fn step(&mut self) -> Result<(), Violation> {
        let Some(Reverse(next)) = self.queue.pop() else {
            return Err(Violation::new("the world goes on", "no event is left"));
        };
        self.now = next.at;
        self.events += 1;
        self.happen(next.event)?;
        for node in 0..self.banks.len() {
            let bank = &mut self.banks[node];
            let noted = std::mem::replace(&mut bank.noted, bank.log.written());
            if bank.noted > noted {
                self.note(node, noted)?;
            }
        }
        if self.events.is_multiple_of(FOLD_EVERY) {
            let node = self.chance.below(self.banks.len() as u64) as usize;
            check::folds(self.code, &self.banks[node])?;
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Work(node) => self.work(node),
            Event::Sync(node) => {
                if self.banks[node].phase != Phase::Down {
                    self.banks[node].log.sync();
                }
                Ok(())
            }
            Event::Contact(node, peer) => {
                self.contact(node, peer);
                Ok(())
            }
            Event::Deliver(message) => self.deliver(message),
            Event::Start(node) => self.start(node),
            Event::Recovered(node) => self.recovered(node),
            Event::Healed(one, other) => {
                self.partitions.remove(&(one, other));
                Ok(())
            }
            Event::People => {
                self.people();
                Ok(())
            }
            Event::Apply {
                origin,
                receiver,
                consent,
                learner,
            } => {
                self.apply(origin, receiver, consent, learner);
                Ok(())
            }
            Event::Mishap => self.mishap(),
        }
    }

    fn work(&mut self, node: usize) -> Result<(), Violation> {
        if self.banks[node].phase == Phase::Up {
            let peers = self.peers_of(node);
            let peers: Vec<Name> = peers.into_iter().map(|(name, _)| name).collect();
            self.banks[node].work(self.code, self.now, &peers, &mut self.chance)?;
        }
        self.after(5 * MINUTE, 25 * MINUTE, Event::Work(node));
        Ok(())
    }

    /// What a bank has written: told, checked, and durable before long.
    fn note(&mut self, node: usize, before: u64) -> Result<(), Violation> {
        for leaf in before..self.banks[node].log.written() {
            self.tell(|world| {
                let bank = &world.banks[node];
                let fact = &bank.log.leaves()[leaf as usize].fact;
                format!("{} {leaf} {}", world.called(node), told(fact))
            });
        }
        let is_slow = self.is_wild && self.chance.percent(10);
        let delay = if is_slow { HOUR } else { 3 * SECOND };
        self.after(0, delay, Event::Sync(node));
        check::bank(self, node, before)
    }

    /// A node's name in the trace.
    pub(super) fn called(&self, node: usize) -> String {
        let mark = if node < NAMES.len() { "" } else { "'" };
        format!("{}{mark}", self.banks[node].name.0)
    }
}

/// A fact in a few words.
fn told(fact: &Fact) -> String {
    let step = |taken: &creditbank_domain::transfer::Taken| {
        let reason = taken.step.reason().map_or("", |reason| reason.code());
        let heard = match &taken.step {
            Step::Acknowledged { heard } => format!(" {heard}"),
            _ => String::new(),
        };
        format!(
            "#{} {}{heard} {reason} at {}",
            taken.sequence,
            taken.step.code(),
            taken.at_ms
        )
    };
    match fact {
        Fact::Took(entry) => format!(
            "takes {} {} {}",
            entry.place.0.0,
            entry.place.1,
            step(&entry.taken)
        ),
        Fact::Heard(entry) => format!(
            "hears {} {} {}",
            entry.place.0.0,
            entry.place.1,
            step(&entry.taken)
        ),
        other => format!("{other:?}"),
    }
}
