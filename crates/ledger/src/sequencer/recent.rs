//! Record ids of the latest commits, so that a batch that was looked up a moment ago need not be looked up again.

use std::collections::{HashMap, VecDeque};

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_merkle::Hash;

/// Most ids remembered; about 100 bytes each.
const IDS_MAX: usize = 131_072;

/// An issuer's record id.
pub(crate) type Id = (InstitutionNumber, RecordId);

/// Record ids, their leaves and the hashes of their envelopes. The hasher is seeded at random: callers choose ids.
pub(crate) type Ids = HashMap<Id, (LeafIndex, Hash), foldhash::quality::RandomState>;

/// See the module.
pub(crate) struct Recent {
    /// Everything committed at or after this size is here.
    floor: u64,
    /// Ids in all commits.
    count: usize,
    /// Oldest first: the size before the commit, and its ids.
    commits: VecDeque<(u64, Ids)>,
}

impl Recent {
    pub(crate) fn new(size: u64) -> Self {
        Self {
            floor: size,
            count: 0,
            commits: VecDeque::new(),
        }
    }

    /// Whether everything that was committed since `seen` is here.
    pub(crate) fn reaches(&self, seen: u64) -> bool {
        self.floor <= seen
    }

    /// Finds an id that was committed since `seen`.
    pub(crate) fn find(&self, seen: u64, id: &Id) -> Option<(LeafIndex, Hash)> {
        let since = self
            .commits
            .iter()
            .rev()
            .take_while(|(size, _)| *size >= seen);
        since.filter_map(|(_, ids)| ids.get(id)).next().copied()
    }

    pub(crate) fn add(&mut self, size_before: u64, ids: Ids) {
        self.count += ids.len();
        self.commits.push_back((size_before, ids));
        while self.count > IDS_MAX && self.commits.len() > 1 {
            let Some((_, old)) = self.commits.pop_front() else {
                break;
            };
            self.count -= old.len();
            self.floor = self.commits.front().map_or(self.floor, |(size, _)| *size);
        }
    }
}
