//! What goes wrong: crashes, lost disks, partitions, a bank that shows two histories. And how it ends.

use std::collections::BTreeSet;

use super::bank::{Disk, Phase};
use super::chance::Chance;
use super::check::{self, Violation};
use super::people::Act;
use super::rows::Name;
use super::world::{Climate, Event, HOUR, MINUTE, NAMES, SECOND, Split, World};

/// A kind of mishap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// A bank stops; what it has not made durable is lost.
    Crash,
    /// Two banks do not reach each other.
    Partition,
    /// A bank's disk is lost, and it comes back from its last backup.
    LostDisk,
    /// Somebody runs a copy of a bank's disk.
    Fork,
}

impl Climate {
    /// The climate of a world. Few worlds have everything: what is rare among others is found alone.
    pub(super) fn of(chance: &mut Chance) -> Self {
        let kinds = [
            Mishap::Crash,
            Mishap::Crash,
            Mishap::Partition,
            Mishap::LostDisk,
            Mishap::Fork,
        ];
        let mut mishaps: Vec<Mishap> = kinds.into_iter().filter(|_| chance.percent(50)).collect();
        // A lost disk loses what the bank has cosigned of others, and a fork may go unnoticed then.
        if mishaps.contains(&Mishap::LostDisk) {
            mishaps.retain(|kind| *kind != Mishap::Fork);
        }
        let rare = |chance: &mut Chance| chance.pick(&[0, 0, 5, 20, 40]).unwrap_or_default();
        Self {
            lost: rare(chance),
            doubled: rare(chance),
            late: rare(chance),
            mishaps,
            acts: Act::some(chance),
            skew_ms: chance
                .pick(&[0, SECOND, 20 * MINUTE, 3 * HOUR])
                .unwrap_or_default(),
        }
    }

    /// How wrong a clock is.
    pub(super) fn skew(&self, chance: &mut Chance) -> i64 {
        chance.between(0, 2 * self.skew_ms).cast_signed() - self.skew_ms.cast_signed()
    }
}

impl World<'_> {
    /// Something goes wrong.
    pub(super) fn mishap(&mut self) -> Result<(), Violation> {
        if !self.is_wild {
            return Ok(());
        }
        self.after(20 * MINUTE, 3 * HOUR, Event::Mishap);
        // Backups are made, whatever happens.
        let node = self.chance.below(NAMES.len() as u64) as usize;
        let bank = &mut self.banks[node];
        if bank.is_up() {
            bank.backup = (bank.log.durable(), bank.witness.clone());
        }
        let node = self.chance.below(NAMES.len() as u64) as usize;
        match self.chance.pick(&self.climate.mishaps) {
            Some(Mishap::Crash) => self.crash(node),
            Some(Mishap::LostDisk) => self.lose(node),
            Some(Mishap::Partition) => {
                let other = (node + 1 + self.chance.below(3) as usize) % NAMES.len();
                let pair = (NAMES[node.min(other)], NAMES[node.max(other)]);
                self.partition(pair);
                Ok(())
            }
            Some(Mishap::Fork) => {
                match &self.split {
                    None => self.fork(node),
                    Some(_) => self.merge(),
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A bank starts: it folds its log, and runs unless it was restored.
    pub(super) fn start(&mut self, node: usize) -> Result<(), Violation> {
        let code = self.code;
        let skew_ms = self.climate.skew(&mut self.chance);
        let bank = &mut self.banks[node];
        if bank.phase == Phase::Down {
            bank.start(code, skew_ms)?;
            bank.phase = match bank.newest {
                Some(_) => Phase::Asking(BTreeSet::new()),
                None => Phase::Up,
            };
            self.tell(|world| format!("{} starts", world.called(node)));
            check::folds(code, &self.banks[node])?;
        }
        Ok(())
    }

    /// The newest copy of a lost disk is there. A bank that went on from its backup needs it no more.
    pub(super) fn recovered(&mut self, node: usize) -> Result<(), Violation> {
        let bank = &mut self.banks[node];
        let newest = bank.newest.take();
        let (Some(disk), false) = (newest, bank.is_up()) else {
            return Ok(());
        };
        bank.put(disk.log);
        bank.witness = disk.witness;
        bank.phase = Phase::Down;
        self.tell(|world| format!("{} has its newest copy again", world.called(node)));
        self.start(node)
    }

    /// Nothing goes wrong any more: whole disks, banks that run, one history, a network that carries.
    pub(super) fn calm(&mut self) -> Result<(), Violation> {
        self.tell(|_| "from here on nothing goes wrong".into());
        self.is_wild = false;
        self.partitions.clear();
        self.merge();
        for node in 0..NAMES.len() {
            self.recovered(node)?;
            self.start(node)?;
        }
        Ok(())
    }

    fn crash(&mut self, node: usize) -> Result<(), Violation> {
        let bank = &mut self.banks[node];
        if !bank.is_up() {
            return Ok(());
        }
        check::folds(self.code, bank)?;
        bank.put(bank.log.prefix(bank.log.durable()));
        bank.phase = Phase::Down;
        self.tell(|world| format!("{} crashes", world.called(node)));
        self.after(MINUTE, 6 * HOUR, Event::Start(node));
        Ok(())
    }

    /// The disk is lost. The bank starts from its backup later than any message is on its way; later still, somebody
    /// finds a newer copy.
    fn lose(&mut self, node: usize) -> Result<(), Violation> {
        if !self.banks[node].is_up() || self.banks.iter().any(|bank| bank.newest.is_some()) {
            return Ok(());
        }
        self.tell(|world| format!("{} loses its disk", world.called(node)));
        let bank = &mut self.banks[node];
        let (size, witness) = bank.backup.clone();
        bank.newest = Some(Disk {
            log: bank.log.prefix(bank.log.durable()),
            witness: std::mem::replace(&mut bank.witness, witness),
        });
        bank.put(bank.log.prefix(size));
        bank.cosigned_by.clear();
        bank.phase = Phase::Down;
        self.after(HOUR, 3 * HOUR, Event::Start(node));
        self.after(6 * HOUR, 12 * HOUR, Event::Recovered(node));
        Ok(())
    }

    fn partition(&mut self, (one, other): (Name, Name)) {
        if self.partitions.insert((one, other)) {
            self.tell(|_| format!("{} and {} are cut off", one.0, other.0));
            self.after(10 * MINUTE, 10 * HOUR, Event::Healed(one, other));
        }
    }

    /// A copy of a bank's disk runs beside it, for some of its peers.
    fn fork(&mut self, node: usize) {
        let bank = &self.banks[node];
        if !bank.is_up() {
            return;
        }
        let mut twin = bank.clone();
        twin.put(bank.log.prefix(bank.log.durable()));
        twin.run += 1000;
        twin.phase = Phase::Down;
        let own = bank.name;
        let mut viewers = BTreeSet::new();
        for peer in NAMES.into_iter().filter(|peer| *peer != own) {
            if viewers.is_empty() || self.chance.percent(30) {
                viewers.insert(peer);
            }
        }
        let split = Split {
            name: own,
            node: self.banks.len(),
            viewers,
            is_over: false,
        };
        self.tell(|_| format!("a copy of {} runs for {:?}", own.0, split.viewers));
        let twin_node = split.node;
        self.split = Some(split);
        self.banks.push(twin);
        self.begin(twin_node);
        self.after(0, MINUTE, Event::Start(twin_node));
    }

    /// The copy stops; its peers are shown the first history.
    fn merge(&mut self) {
        let Some(split) = &mut self.split else {
            return;
        };
        if !split.is_over {
            split.is_over = true;
            self.banks[split.node].phase = Phase::Down;
            self.tell(|_| "the copy stops".into());
        }
    }
}
