//! Record ids of the latest commits, so that a batch that was looked up a moment ago need not be looked up again.

use std::collections::{HashMap, VecDeque};

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_merkle::Hash;

/// Most ids remembered; about 100 bytes each.
const IDS_MAX: usize = 131_072;

/// An id, its leaf and the hash of its envelope.
pub(crate) type Id = ((InstitutionNumber, RecordId), (LeafIndex, Hash));

/// See the module.
pub(crate) struct Recent {
    /// Everything committed at or after this size is in `ids`.
    floor: u64,
    ids: HashMap<(InstitutionNumber, RecordId), (LeafIndex, Hash)>,
    /// Oldest first: the size before the commit, and its ids.
    commits: VecDeque<(u64, Vec<(InstitutionNumber, RecordId)>)>,
}

impl Recent {
    pub(crate) fn new(size: u64) -> Self {
        Self {
            floor: size,
            ids: HashMap::new(),
            commits: VecDeque::new(),
        }
    }

    /// Whether everything that was committed since `seen` is here.
    pub(crate) fn reaches(&self, seen: u64) -> bool {
        self.floor <= seen
    }

    pub(crate) fn find(&self, id: &(InstitutionNumber, RecordId)) -> Option<(LeafIndex, Hash)> {
        self.ids.get(id).copied()
    }

    pub(crate) fn add(&mut self, size_before: u64, ids: Vec<Id>) {
        self.commits
            .push_back((size_before, ids.iter().map(|(id, _)| *id).collect()));
        self.ids.extend(ids);
        while self.ids.len() > IDS_MAX && self.commits.len() > 1 {
            let Some((_, old)) = self.commits.pop_front() else {
                break;
            };
            for id in &old {
                self.ids.remove(id);
            }
            self.floor = self.commits.front().map_or(self.floor, |(size, _)| *size);
        }
    }
}
