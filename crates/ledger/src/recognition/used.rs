//! What an archive's outcomes are used for: they stay in the archive, shown as used, until the decision is reversed.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::RecordKind;
use creditbank_store::{Damage, Go, StoreError};

use super::holdings::{ruling, target};
use crate::archive::Archive;
use crate::vault;

/// Applications by outcome whose decision stands and grants something for it, for outcomes from `oldest` on: a decision
/// is younger than what it uses. Only headers are read of what is no decision.
pub(crate) fn used(
    archive: &Archive,
    oldest: LeafIndex,
) -> Result<BTreeMap<LeafIndex, BTreeSet<LeafIndex>>, StoreError> {
    let snapshot = &archive.head.snapshot;
    let mut decisions = Vec::new();
    let mut is_whole = true;
    for part in &archive.parts {
        snapshot.vault(part.code.as_u64(), None, |index, row| {
            if index <= oldest {
                return Go::Break(());
            }
            let header = match vault::header(row) {
                Ok(header) if header.kind != RecordKind::Decision => return Go::Continue(()),
                Ok(header) => Some(header),
                Err(_) => None,
            };
            let opened = header.and_then(|header| {
                let id = &header.record_id;
                let opened = part.key.open_record(InstitutionId::BANK, id, row).ok()?;
                ruling(&opened.payload)
            });
            is_whole &= opened.is_some();
            decisions.extend(opened.map(|ruling| (index, ruling)));
            Go::Continue(())
        })?;
    }
    if !is_whole {
        return Err(StoreError::Damaged(Damage::Row("vault")));
    }
    let mut used: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (index, ruling) in decisions {
        let application = target(snapshot, index)?;
        let row = snapshot.application(application)?;
        if row.is_some_and(|row| row.kind == RecordKind::Reversal as u8) {
            continue;
        }
        for outcome in ruling.lines.iter().flat_map(|line| &line.outcomes) {
            used.entry(*outcome).or_default().insert(application);
        }
    }
    Ok(used)
}
