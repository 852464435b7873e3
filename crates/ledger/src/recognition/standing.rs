//! Which decisions of each archive stood at every entry of the log, so that nobody can decide as if an earlier decision
//! had not been made.

use std::collections::{BTreeMap, HashMap};

use creditbank_domain::LeafIndex;

/// A sealed record that makes decisions stand or fall.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// An application is decided; whether anything is granted.
    Decided {
        application: LeafIndex,
        grants: bool,
    },
    /// The decision of an application is taken back.
    Reversed { application: LeafIndex },
    /// This code is from now on another name of the learner.
    Merged { code: u64 },
}

/// The decisions that stand, folded in the order of the log: application and decision by archive.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    archives: HashMap<u64, BTreeMap<LeafIndex, LeafIndex>>,
    survivors: HashMap<u64, u64>,
}

impl Standing {
    /// The decisions that stand for a learner, but for that of `application`, ascending.
    pub(crate) fn of(&self, learner: u64, application: LeafIndex) -> Vec<LeafIndex> {
        let archive = self.archives.get(&self.survivor(learner));
        let others = archive.into_iter().flatten();
        let others = others.filter(|(other, _)| **other != application);
        let mut decisions: Vec<_> = others.map(|(_, decision)| *decision).collect();
        decisions.sort_unstable();
        decisions
    }

    /// Folds the record at `index`.
    pub(crate) fn apply(&mut self, index: LeafIndex, learner: u64, event: Event) {
        let archive = self.survivor(learner);
        match event {
            Event::Decided {
                application,
                grants: true,
            } => {
                let decisions = self.archives.entry(archive).or_default();
                decisions.insert(application, index);
            }
            Event::Decided { .. } => {}
            Event::Reversed { application } => {
                let decisions = self.archives.entry(archive).or_default();
                decisions.remove(&application);
            }
            Event::Merged { code } => {
                let gone = self.survivor(code);
                if gone != archive {
                    let absorbed = self.archives.remove(&gone).unwrap_or_default();
                    self.archives.entry(archive).or_default().extend(absorbed);
                    self.survivors.insert(gone, archive);
                }
            }
        }
    }

    fn survivor(&self, mut code: u64) -> u64 {
        while let Some(survivor) = self.survivors.get(&code) {
            code = *survivor;
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn leaf(index: u64) -> LeafIndex {
        LeafIndex(index)
    }

    const fn decided(application: u64, grants: bool) -> Event {
        let application = leaf(application);
        Event::Decided {
            application,
            grants,
        }
    }

    #[test]
    fn a_decision_stands_until_it_is_reversed_under_every_code_of_its_archive() {
        let mut standing = Standing::default();
        standing.apply(leaf(10), 1, decided(5, true));
        standing.apply(leaf(11), 2, decided(6, true));
        standing.apply(leaf(12), 1, decided(7, false));
        assert_eq!(standing.of(1, leaf(8)), [leaf(10)]);
        assert_eq!(standing.of(1, leaf(5)), [], "its own is no earlier one");
        standing.apply(leaf(13), 1, Event::Merged { code: 2 });
        assert_eq!(standing.of(2, leaf(8)), [leaf(10), leaf(11)]);
        let application = leaf(5);
        standing.apply(leaf(14), 1, Event::Reversed { application });
        assert_eq!(standing.of(1, leaf(8)), [leaf(11)]);
    }
}
