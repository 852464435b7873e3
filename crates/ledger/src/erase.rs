//! Erasure: the learner's key, sealed payloads and every entry that names the learner go; the log stays.
//!
//! The log gets an entry with the learner's random handle first. From then on the erasure is carried out, if need be
//! by the next start, and nothing that was restored from an older backup is served before.

use std::time::Duration;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::Statement;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Erasure, Go, Handle, IdRow, StoreError};

use crate::bank::Bank;
use crate::queue::Decided;
use crate::steps::Step;
use crate::vault;

/// How often, and how many times, to look whether readers have let go of what was erased.
const LET_GO_POLL: Duration = Duration::from_millis(20);
const LET_GO_POLLS_MAX: u32 = 500;

impl Bank {
    /// Erases a learner, with every code that was merged into it; says how many records were emptied. When it
    /// returns, the bytes are gone from the database files.
    pub(crate) async fn erase(
        self: std::sync::Arc<Self>,
        learner: LearnerCode,
    ) -> Result<(Decided, u64), Refusal> {
        let row = self
            .store()
            .learner(learner.as_u64())
            .map_err(failed)?
            .ok_or(Refusal::LearnerUnknown)?;
        let survivor = row.merged_into.unwrap_or(learner.as_u64());
        let row = self
            .store()
            .learner(survivor)
            .map_err(failed)?
            .ok_or(Refusal::LearnerUnknown)?;
        // What it is about to lose must be known now, so that its bytes can be found in the files afterwards.
        let erasure = gather(&self, survivor).map_err(failed)?;
        let records = erasure.ids.len() as u64;
        let decided = self
            .state(vec![Statement::LearnerErased { handle: row.handle }])
            .await
            .map_err(|fault| fault.refusal)?;
        let sequence = self.store().sequence();
        for _ in 0..LET_GO_POLLS_MAX {
            if self.store().is_unread_before(sequence).map_err(failed)? {
                break;
            }
            tokio::time::sleep(LET_GO_POLL).await;
        }
        let purge = tokio::task::spawn_blocking(move || {
            self.store().purge(Some(&erasure), &erasure.handles)
        });
        purge
            .await
            .map_err(|_| Refusal::Internal)?
            .map_err(failed)?;
        Ok((decided, records))
    }
}

/// Carries out an erasure that is in the log; nothing to do if it was carried out before.
pub(crate) fn carry_out(bank: &Bank, handle: &[u8; 16]) -> Result<(), StoreError> {
    bank.reach(Step::ErasureLogged);
    let Handle::Learner(learner) = bank.store().handle(handle)? else {
        return Ok(());
    };
    let mut erasure = gather(bank, learner)?;
    // After a crash the learner's row may be gone already, and with it the handle.
    erasure.handles.push(*handle);
    bank.forget(erasure.learners.iter().copied());
    bank.store()
        .erase(&erasure, || bank.reach(Step::ErasureKeyGone))?;
    bank.forget(erasure.learners.iter().copied());
    bank.reach(Step::ErasureRowsGone);
    Ok(())
}

/// At a start: erasures that a crash interrupted, or that a restored database has not seen yet.
pub(crate) fn catch_up(bank: &Bank, handles: &[[u8; 16]]) -> Result<(), StoreError> {
    let mut open = Vec::new();
    for handle in handles {
        if bank.store().handle(handle)? != Handle::Unknown {
            carry_out(bank, handle)?;
            open.push(*handle);
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    bank.refresh();
    tracing::info!(
        learners = open.len(),
        "carried out erasures that the log holds"
    );
    bank.store().purge(None, &open)
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
        snapshot.vault(code, None, |index: LeafIndex, row| {
            if let Ok(header) = vault::header(row) {
                erasure
                    .ids
                    .push((header.issuer, header.record_id, IdRow { index, learner: 0 }));
            }
            Go::Continue(())
        })?;
    }
    Ok(erasure)
}

fn failed(error: StoreError) -> Refusal {
    tracing::error!(%error, "an erasure could not be carried out");
    Refusal::StorageFailed
}
