//! Erasure: the learner's key, sealed payloads and every entry that names the learner go; the log stays.
//!
//! The log gets an entry with the learner's random handle first. From then on the erasure is carried out, if need be
//! by the next start, and nothing that was restored from an older backup is served before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::{RecordKind, Statement};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{ApplicationRow, Erasure, Go, Handle, IdRow, Store, StoreError};

use crate::bank::Bank;
use crate::queue::{Decided, Decision};
use crate::steps::Step;
use crate::vault;

/// How often to look whether readers have let go of what was erased.
const LET_GO_POLL: Duration = Duration::from_millis(20);
/// How many times, before it is left to the next start.
const LET_GO_POLLS_MAX: u32 = 180_000;
/// How many times a caller looks whether the bytes are gone.
const PURGED_POLLS_MAX: u32 = 1500;
/// How often an erasure is tried again when a merge came in between.
const TRIES: u32 = 3;

/// An erasure that was carried out, and the last write of it.
#[derive(Debug)]
pub(crate) struct Gone {
    erasure: Erasure,
    sequence: u64,
}

/// What an erasure did.
pub(crate) struct Erased {
    pub(crate) decided: Decided,
    /// How many records were emptied.
    pub(crate) records: u64,
    /// Whether the bytes are gone from the database files.
    pub(crate) purged: bool,
}

impl Bank {
    /// Erases a learner, with every code that was merged into it. Once it is in the log it is carried out, whether
    /// the caller waits or not.
    pub(crate) async fn erase(&self, learner: LearnerCode) -> Result<Erased, Refusal> {
        for _ in 0..TRIES {
            let known = |code| {
                self.store()
                    .learner(code)
                    .map_err(failed)?
                    .ok_or(Refusal::LearnerUnknown)
            };
            let survivor = known(learner.as_u64())?
                .merged_into
                .unwrap_or(learner.as_u64());
            let handle = known(survivor)?.handle;
            let records = gather(self, survivor).map_err(failed)?.ids.len() as u64;
            let stated = self.state(vec![Statement::LearnerErased { handle }]).await;
            let decided = stated.map_err(|fault| fault.refusal)?;
            if matches!(decided.rows.first(), Some(Decision::Created(_))) {
                let purged = self.is_purged(&handle).await.map_err(failed)?;
                return Ok(Erased {
                    decided,
                    records,
                    purged,
                });
            }
        }
        Err(Refusal::LearnerUnknown)
    }

    async fn is_purged(&self, handle: &[u8; 16]) -> Result<bool, StoreError> {
        for _ in 0..PURGED_POLLS_MAX {
            if self.store().handle(handle)? == Handle::Unknown {
                return Ok(true);
            }
            tokio::time::sleep(LET_GO_POLL).await;
        }
        Ok(false)
    }
}

/// Carries out an erasure that is in the log; nothing to do if it was carried out before.
pub(crate) fn carry_out(bank: &Bank, handle: &[u8; 16]) -> Result<Option<Gone>, StoreError> {
    bank.reach(Step::ErasureLogged);
    let Handle::Learner(learner) = bank.store().handle(handle)? else {
        return Ok(None);
    };
    // From here on nobody writes what the learner grants or asks; afterwards nobody finds the learner.
    let _no_grants = bank.access().writing();
    let mut erasure = gather(bank, learner)?;
    // The figures stay. They change with the end of the key, so that both happened or neither.
    let mut folding = bank.folding().hold();
    *folding += 1;
    erasure.statistics = bank.left_behind(learner)?;
    // After a crash the learner's row may be gone already, and with it the handle.
    erasure.handles.push(*handle);
    bank.forget(erasure.learners.iter().copied());
    bank.store()
        .erase(&erasure, || bank.reach(Step::ErasureKeyGone))?;
    drop(folding);
    bank.forget(erasure.learners.iter().copied());
    bank.reach(Step::ErasureRowsGone);
    let sequence = bank.store().sequence();
    Ok(Some(Gone { erasure, sequence }))
}

/// Purges what was erased, one after the other, each when no reader holds it any more. What it does not come to is
/// purged at the next start: the handle stays until then.
pub(crate) fn purge(store: &Store, gone: Receiver<Gone>, stopping: &AtomicBool) {
    for Gone { erasure, sequence } in gone {
        let mut polls = 0;
        while polls < LET_GO_POLLS_MAX && !store.is_unread_before(sequence).unwrap_or(true) {
            if stopping.load(Ordering::Acquire) {
                return;
            }
            std::thread::sleep(LET_GO_POLL);
            polls += 1;
        }
        if polls == LET_GO_POLLS_MAX {
            tracing::warn!("erased bytes are still being read; they are purged at the next start");
        } else if let Err(error) = store.purge(Some(&erasure), &erasure.handles) {
            tracing::error!(%error, "erased bytes could not be purged; the next start tries again");
        }
    }
}

/// At a start: erasures that a crash interrupted, or that a restored database has not seen yet. Gives how many.
pub(crate) fn catch_up(bank: &Bank, handles: &[[u8; 16]]) -> Result<usize, StoreError> {
    let mut open = Vec::new();
    for handle in handles {
        if bank.store().handle(handle)? != Handle::Unknown {
            carry_out(bank, handle)?;
            open.push(*handle);
        }
    }
    if open.is_empty() {
        return Ok(0);
    }
    bank.refresh();
    tracing::info!(
        learners = open.len(),
        "carried out erasures that the log holds"
    );
    bank.store().purge(None, &open)?;
    Ok(open.len())
}

/// Everything that names a learner.
fn gather(bank: &Bank, learner: u64) -> Result<Erasure, StoreError> {
    let merged = bank
        .store()
        .learner(learner)?
        .map(|row| row.merged)
        .unwrap_or_default();
    let mut erasure = Erasure::default();
    let snapshot = bank.store().snapshot();
    for code in std::iter::once(learner).chain(merged) {
        erasure.learners.push(code);
        if let Some(row) = bank.store().learner(code)? {
            erasure.identities.extend(row.identities);
            erasure.handles.push(row.handle);
        }
        erasure.access.extend(bank.store().access_of(code)?);
        let mut applications = Vec::new();
        snapshot.vault(code, None, |index: LeafIndex, row| {
            if let Ok(header) = vault::header(row) {
                erasure
                    .ids
                    .push((header.issuer, header.record_id, IdRow { index, learner: 0 }));
                if header.kind == RecordKind::Application {
                    applications.push(index);
                }
            }
            Go::Continue(())
        })?;
        for index in applications {
            if let Some(row) = snapshot.application(index)? {
                let nobodys = ApplicationRow { learner: 0, ..row };
                erasure.applications.push((index, nobodys));
            }
        }
    }
    Ok(erasure)
}

fn failed(error: StoreError) -> Refusal {
    tracing::error!(%error, "an erasure could not be carried out");
    Refusal::StorageFailed
}
