//! What this bank knows as the receiver of a transfer.

use std::sync::Arc;

use creditbank_domain::identifier::{LearnerCode, RecordId};
use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::duty::{AtReceiver, Decided};
use creditbank_domain::transfer::{Reason, Recognition, TransferId};
use creditbank_domain::{Credit, Digest32, Fault, LeafIndex, Refusal};
use creditbank_store::{Go, StoreError};
use creditbank_wire::convert::record::{digest, reference_message};
use creditbank_wire::v1;
use creditbank_wire::v1::payload::Content;
use sha2::{Digest, Sha256};

use super::paper::Papers;
use super::row::TransferRow;
use crate::archive::Archive;
use crate::bank::Bank;
use crate::fold::find_state;
use crate::head::Head;
use crate::queue::Decision;
use crate::recognition::{message_at, ruling};
use crate::statement::envelope;

/// What was decided about the outcome that a transfer brought.
pub(super) fn known(
    bank: &Bank,
    head: &Arc<Head>,
    row: &TransferRow,
) -> Result<AtReceiver, StoreError> {
    let decision = match row.record {
        None => Decided::Not,
        Some(record) => decided(bank, head, row, record)?,
    };
    Ok(AtReceiver {
        package: None,
        decision,
    })
}

fn decided(
    bank: &Bank,
    head: &Arc<Head>,
    row: &TransferRow,
    record: LeafIndex,
) -> Result<Decided, StoreError> {
    let papers = Papers { bank, head };
    let Some((learner, _)) = papers.transferred(record)? else {
        // What was recognised stays so when its learner leaves.
        return Ok(Decided::Nothing(Reason::RequestGone));
    };
    let Ok(archive) = Archive::open(bank, Arc::clone(head), learner, None)? else {
        return Ok(Decided::Nothing(Reason::RequestGone));
    };
    let rulings = rulings(&archive, record)?;
    let mut decided = Decided::Not;
    for (leaf, at_ms, ruling) in rulings {
        let message = message_at(&head.snapshot, leaf)?;
        let application = message.refs.first().map(|it| LeafIndex(it.leaf_index));
        let stands = match application {
            Some(application) => head.snapshot.application(application)?,
            None => None,
        };
        let is_reversed = stands.is_none_or(|it| it.kind == RecordKind::Reversal as u8);
        let rule_set = digest(&message.rule_set_hash).unwrap_or_default();
        decided = match recognition(row, record, &ruling, rule_set, at_ms) {
            Some(recognition) if !is_reversed => return Ok(Decided::Granted(recognition)),
            Some(_) => Decided::Reversed(Reason::DecisionReversed),
            None if decided == Decided::Not => Decided::Nothing(Reason::NothingGranted),
            None => decided,
        };
    }
    let states = archive.parts.iter().find(|part| part.code == learner);
    let is_revoked =
        states.is_some_and(|part| find_state(&part.states, record).revoked_by.is_some());
    Ok(match decided {
        // Taken back before anybody decided.
        Decided::Not if is_revoked => Decided::Nothing(Reason::DecisionReversed),
        decided => decided,
    })
}

/// Decisions that were asked about an outcome, oldest first: leaf, time, ruling.
fn rulings(
    archive: &Archive,
    record: LeafIndex,
) -> Result<Vec<(LeafIndex, u64, Ruling)>, StoreError> {
    let mut found = Vec::new();
    for part in &archive.parts {
        archive.scan(part, archive.head.row.size, |it| {
            // A decision about the outcome stands behind it.
            if it.index <= record {
                return Go::Break(());
            }
            if it.header.kind == RecordKind::Decision
                && let Some(ruling) = ruling(&it.opened.payload)
                && ruling.uses.iter().any(|it| it.outcomes.contains(&record))
            {
                found.push((it.index, it.header.deposited_at_ms, ruling));
            }
            Go::Continue(())
        })?;
    }
    found.sort_unstable_by_key(|(leaf, ..)| *leaf);
    Ok(found)
}

/// What a ruling grants for one outcome. A line that rests on several outcomes counts with the first of them, so that
/// no credit is counted twice.
fn recognition(
    row: &TransferRow,
    record: LeafIndex,
    ruling: &Ruling,
    rule_set: Digest32,
    decided_at_ms: u64,
) -> Option<Recognition> {
    let release = row.transfer.released()?;
    let lines = ruling.lines.iter();
    let of_it: Vec<_> = lines
        .filter(|line| line.outcomes.contains(&record))
        .collect();
    let rule = of_it.first()?.rule.clone();
    let sum = |of: fn(&creditbank_domain::rules::Line) -> Credit| {
        let own = of_it
            .iter()
            .filter(|line| line.outcomes.first() == Some(&record));
        let hundredths: u64 = own.map(|line| u64::from(of(line).hundredths())).sum();
        Credit::from_hundredths(u32::try_from(hundredths).unwrap_or(u32::MAX))
    };
    let (credited, spent) = (sum(|line| line.credits), sum(|line| line.source_credits));
    Some(Recognition {
        rule,
        rule_set,
        agreement_version: release.agreement_version.clone(),
        credited,
        spent: spent.min(release.source),
        decided_at_ms,
    })
}

impl Bank {
    /// Puts an outcome of another bank into a learner's archive; once, however often it is asked.
    pub(super) async fn keep(
        &self,
        learner: LearnerCode,
        id: TransferId,
        outcome: v1::Transferred,
    ) -> Result<LeafIndex, Vec<Fault>> {
        let record_id = record_id(id);
        let known = self.head().snapshot.id(InstitutionNumber(0), &record_id);
        if let Some(row) = known.map_err(failed)?.filter(|row| row.learner != 0) {
            return Ok(row.index);
        }
        let record = v1::Envelope {
            record_id: record_id.as_bytes().to_vec().into(),
            ..envelope(RecordKind::Transferred)
        };
        let learner = format!("{:016}", learner.as_u64());
        let content = Content::Transferred(outcome);
        let kept = self.record(&learner, record, content).await?;
        match kept.rows.first() {
            Some(Decision::Created(leaf) | Decision::Duplicate(leaf)) => Ok(*leaf),
            Some(Decision::Refused(faults)) => Err(faults.clone()),
            None => Err(vec![Refusal::Internal.at("")]),
        }
    }

    /// Takes back what a void transfer brought: every decision that rests on it is reversed by what follows.
    pub(super) async fn give_back(
        &self,
        head: &Arc<Head>,
        row: &TransferRow,
    ) -> Result<(), Vec<Fault>> {
        let Some(record) = row.record.filter(|_| row.transfer.is_void()) else {
            return Ok(());
        };
        let papers = Papers { bank: self, head };
        let Some((learner, _)) = papers.transferred(record).map_err(failed)? else {
            return Ok(());
        };
        let states = head.snapshot.states(learner.as_u64()).map_err(failed)?;
        if find_state(&states, record).revoked_by.is_some() {
            return Ok(());
        }
        let reference = papers.reference(record).map_err(failed)?;
        let revocation = v1::Envelope {
            refs: vec![reference_message(&reference)],
            ..envelope(RecordKind::Revocation)
        };
        let reason = row.transfer.last_step_of(row.transfer.side);
        let reason = reason.map_or("void", |taken| taken.step.code());
        let content = Content::Revocation(v1::Revocation {
            reason: format!("transfer {}: {reason}", row.transfer.id),
        });
        let learner = format!("{:016}", learner.as_u64());
        let revoked = self.record(&learner, revocation, content).await?;
        match revoked.rows.first() {
            Some(Decision::Refused(faults)) => Err(faults.clone()),
            _ => Ok(()),
        }
    }
}

/// The id of the one record that a transfer brings.
fn record_id(id: TransferId) -> RecordId {
    let digest = Sha256::new()
        .chain_update(b"creditbank/transferred/v1\n")
        .chain_update(id.0)
        .finalize();
    RecordId(digest[..16].try_into().expect("a digest has 32 bytes"))
}

fn failed(error: StoreError) -> Vec<Fault> {
    tracing::error!(%error, "a transfer could not be read");
    vec![Refusal::StorageFailed.at("")]
}
