//! Erasure: the learner's key, sealed payloads and every entry that names the learner go; the log stays.
//!
//! The log gets an entry with the learner's random handle first. From then on the erasure is carried out, if need be
//! by the next start, and nothing that was restored from an older backup is served before.

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::Statement;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Erasure, Go, IdRow, StoreError};

use crate::bank::Bank;
use crate::queue::Decided;
use crate::steps::Step;
use crate::vault;

impl Bank {
    /// Erases a learner, with every code that was merged into it; says how many records were emptied.
    pub(crate) async fn erase(&self, learner: LearnerCode) -> Result<(Decided, u64), Refusal> {
        let failed = |error: StoreError| {
            tracing::error!(%error, "reading a learner failed");
            Refusal::StorageFailed
        };
        let row = self.store().learner(learner.as_u64()).map_err(failed)?.ok_or(Refusal::LearnerUnknown)?;
        let survivor = row.merged_into.unwrap_or(learner.as_u64());
        let row = self.store().learner(survivor).map_err(failed)?.ok_or(Refusal::LearnerUnknown)?;
        let records = gather(self, survivor).map_err(failed)?.ids.len() as u64;
        let decided = self.state(vec![Statement::LearnerErased { handle: row.handle }]).await?;
        Ok((decided, records))
    }
}

/// Carries out an erasure that is in the log; nothing to do if it was carried out before.
pub(crate) fn finish(bank: &Bank, handle: &[u8; 16]) -> Result<(), StoreError> {
    bank.reach(Step::ErasureLogged);
    let Some(learner) = bank.store().learner_by_handle(handle)? else { return Ok(()) };
    let mut erasure = gather(bank, learner)?;
    erasure.handles.push(*handle);
    bank.forget(&erasure.learners);
    bank.store().erase(&erasure, || bank.reach(Step::ErasureKeyGone))?;
    bank.forget(&erasure.learners);
    Ok(())
}

/// Everything that names a learner.
fn gather(bank: &Bank, learner: u64) -> Result<Erasure, StoreError> {
    let mut erasure = Erasure::default();
    let merged = bank.store().learner(learner)?.map(|row| row.merged).unwrap_or_default();
    let snapshot = bank.store().snapshot();
    for code in std::iter::once(learner).chain(merged) {
        erasure.learners.push(code);
        if let Some(row) = bank.store().learner(code)? {
            erasure.identities.extend(row.identities);
            erasure.handles.push(row.handle);
        }
        snapshot.vault(code, None, |index: LeafIndex, row| {
            if let Ok(header) = vault::header(row) {
                erasure.ids.push((header.issuer, header.record_id, IdRow { index, learner: 0 }));
            }
            Go::Continue(())
        })?;
    }
    Ok(erasure)
}
