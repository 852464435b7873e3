//! The history of one record: what it amends, and everything that was said of it later.

use std::collections::BTreeSet;

use creditbank_domain::LeafIndex;
use creditbank_domain::record::RecordKind;
use creditbank_store::StoreError;

use crate::archive::{Archive, Found};
use crate::fold::find_state;
use crate::recognition::message_at;

impl Archive {
    /// The records that tell what became of one, itself included, in log order; as far as this reader sees them. A
    /// history is a line: an amended record is not amended again.
    pub(crate) fn history(&self, of: &Found) -> Result<Vec<Found>, StoreError> {
        let mut line = BTreeSet::new();
        let (mut first, mut kind) = (of.index, of.header.kind);
        // Back to what was deposited first…
        while line.insert(first) && speaks_of_another(kind) {
            let message = message_at(&self.head.snapshot, first)?;
            let Some(target) = message.refs.first() else {
                break;
            };
            first = LeafIndex(target.leaf_index);
            kind = self
                .find(first)?
                .map_or(RecordKind::Outcome, |it| it.header.kind);
        }
        // …and forward to the newest.
        let mut next = Some(first);
        while let Some(index) = next {
            line.insert(index);
            let states = self
                .parts
                .iter()
                .map(|part| find_state(&part.states, index));
            let mut amended = None;
            for state in states {
                line.extend(state.confirmed_by);
                line.extend(state.revoked_by);
                amended = amended.or(state.amended_by);
            }
            next = amended.filter(|it| *it > index);
        }
        let mut history = Vec::with_capacity(line.len());
        for index in line {
            history.extend(self.find(index)?);
        }
        Ok(history)
    }
}

const fn speaks_of_another(kind: RecordKind) -> bool {
    matches!(
        kind,
        RecordKind::Amendment | RecordKind::Revocation | RecordKind::Confirmation
    )
}
