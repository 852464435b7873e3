//! Points in the ledger: purses folded from the sealed records of archives, changed under one lock, and checked over
//! the whole log.
//!
//! A purse is the fold of every points record of an archive, oldest first, under all its codes; where two archives were
//! merged, their purses are one from the merge on. Whoever changes a purse, or merges two, holds `Bank::deciding` from
//! the reading to the commit and is carried through when its caller goes away, so that no two writers ever make entries
//! on the same state, and everything in the log folds.

mod change;
mod check;

use std::collections::HashMap;
use std::sync::Arc;

use creditbank_domain::identifier::{InstitutionId, LearnerCode};
use creditbank_domain::points::{Entry, Purse};
use creditbank_domain::record::RecordKind;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Damage, Go, StoreError};
use creditbank_wire::convert::{points, record};
use creditbank_wire::v1;

pub(crate) use self::change::{Awarded, Redeem};
pub(crate) use self::check::check_points;
use crate::archive::{Archive, Part};
use crate::bank::Bank;
use crate::head::Head;
use crate::vault::{self, VaultHeader};

/// What a record means for purses.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Points of its learner move.
    Moved(Vec<Entry>),
    /// This code is from now on another name of its learner.
    Merged(u64),
}

/// The purses of some learners, folded in the order of the log.
#[derive(Debug, Default)]
struct Purses {
    of: HashMap<u64, Purse>,
    survivors: HashMap<u64, u64>,
}

impl Purses {
    /// The code that a code goes by now.
    fn survivor(&self, mut code: u64) -> u64 {
        while let Some(survivor) = self.survivors.get(&code) {
            code = *survivor;
        }
        code
    }

    /// The purse of a code.
    fn purse(&mut self, code: u64) -> &mut Purse {
        let survivor = self.survivor(code);
        self.of.entry(survivor).or_default()
    }

    /// Folds the next record. An entry that the purse would not have made is refused.
    fn apply(&mut self, code: u64, event: &Event) -> Result<(), Refusal> {
        match event {
            Event::Moved(entries) => {
                let purse = self.purse(code);
                entries.iter().try_for_each(|entry| purse.apply(entry))
            }
            Event::Merged(gone) => {
                let (code, gone) = (self.survivor(code), self.survivor(*gone));
                if code != gone {
                    let absorbed = self.of.remove(&gone).unwrap_or_default();
                    self.purse(code).absorb(absorbed);
                    self.survivors.insert(gone, code);
                }
                Ok(())
            }
        }
    }
}

/// What a sealed record means for purses; none if its bytes are not one that does.
fn event(payload: &[u8]) -> Option<Event> {
    use v1::payload::Content;
    match record::canonical::<v1::Payload>(payload).ok()?.content? {
        Content::Points(it) => points::entries(it).ok().map(Event::Moved),
        Content::Merge(it) => {
            let merged = LearnerCode::parse(&it.merged_learner).ok()?;
            Some(Event::Merged(merged.as_u64()))
        }
        _ => None,
    }
}

/// Whether records of a kind change purses.
const fn moves_points(kind: RecordKind) -> bool {
    matches!(kind, RecordKind::Points | RecordKind::Merge)
}

/// One record of points.
pub(crate) struct Moved {
    pub(crate) index: LeafIndex,
    pub(crate) at_ms: u64,
    pub(crate) entries: Vec<Entry>,
}

/// An archive with its purse, as it was at one head.
pub(crate) struct Wallet {
    pub(crate) archive: Archive,
    pub(crate) purse: Purse,
    /// Every record of points, oldest first.
    pub(crate) records: Vec<Moved>,
}

impl Wallet {
    /// The wallet of the archive that `learner` belongs to.
    pub(crate) fn open(
        bank: &Bank,
        head: Arc<Head>,
        learner: LearnerCode,
    ) -> Result<Result<Self, Refusal>, StoreError> {
        let archive = match Archive::open(bank, head, learner, None)? {
            Ok(archive) => archive,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut found = Vec::new();
        for part in &archive.parts {
            read(&archive, part, |index, header, event| {
                found.push((index, part.code.as_u64(), header.deposited_at_ms, event));
            })?;
        }
        found.sort_unstable_by_key(|(index, ..)| *index);
        let mut purses = Purses::default();
        let mut records = Vec::with_capacity(found.len());
        for (index, code, at_ms, event) in found {
            purses.apply(code, &event).map_err(|_| damaged())?;
            if let Event::Moved(entries) = event {
                records.push(Moved {
                    index,
                    at_ms,
                    entries,
                });
            }
        }
        let purse = std::mem::take(purses.purse(archive.parts[0].code.as_u64()));
        Ok(Ok(Self {
            archive,
            purse,
            records,
        }))
    }

    /// The code that new records of points go to.
    pub(crate) fn code(&self) -> LearnerCode {
        self.archive.parts[0].code
    }
}

/// Every record of one code that changes purses, newest first.
fn read(
    archive: &Archive,
    part: &Part,
    mut visit: impl FnMut(LeafIndex, VaultHeader, Event),
) -> Result<(), StoreError> {
    let mut failed = false;
    let snapshot = &archive.head.snapshot;
    snapshot.vault(part.code.as_u64(), None, |index, row| {
        let header = match vault::header(row) {
            Ok(header) if !moves_points(header.kind) => return Go::Continue(()),
            Ok(header) => Some(header),
            Err(_) => None,
        };
        let found = header.and_then(|header| {
            let opened = part
                .key
                .open_record(InstitutionId::BANK, &header.record_id, row);
            Some((header, event(&opened.ok()?.payload)?))
        });
        let Some((header, event)) = found else {
            failed = true;
            return Go::Break(());
        };
        visit(index, header, event);
        Go::Continue(())
    })?;
    match failed {
        true => Err(damaged()),
        false => Ok(()),
    }
}

const fn damaged() -> StoreError {
    StoreError::Damaged(Damage::Row("points"))
}
