//! One application with all its steps, read and opened.

use std::sync::Arc;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::recognition::{Application, Ruling};
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::{Digest32, LeafIndex, Refusal};
use creditbank_store::{ApplicationRow, Damage, Go, StoreError};
use creditbank_wire::convert::{recognition, record};
use creditbank_wire::v1;
use creditbank_wire::v1::payload::Content;

use super::holdings::{message_at, target};
use crate::bank::Bank;
use crate::head::Head;
use crate::vault::{self, DataKey, VaultHeader};

/// An application and everything that became of it.
#[derive(Debug)]
pub(crate) struct CaseFile {
    pub(crate) application: LeafIndex,
    pub(crate) learner: LearnerCode,
    /// The agent that applied.
    pub(crate) agent: InstitutionNumber,
    pub(crate) rule_set: Digest32,
    pub(crate) form: Application,
    pub(crate) note: String,
    pub(crate) submitted_at_ms: u64,
    /// In the order of the log.
    pub(crate) steps: Vec<Filed>,
    pub(crate) row: ApplicationRow,
}

/// One step.
#[derive(Debug)]
pub(crate) struct Filed {
    pub(crate) leaf: LeafIndex,
    pub(crate) kind: RecordKind,
    pub(crate) actor: InstitutionNumber,
    pub(crate) at_ms: u64,
    /// For a review.
    pub(crate) approve: bool,
    pub(crate) reason: String,
    /// For a notice or a decision.
    pub(crate) ruling: Option<Ruling>,
}

impl CaseFile {
    /// Reads the application at `index`.
    pub(crate) fn read(
        bank: &Bank,
        head: &Head,
        index: LeafIndex,
    ) -> Result<Result<Self, Refusal>, StoreError> {
        let Some(row) = head.snapshot.application(index)? else {
            return Ok(Err(Refusal::ApplicationUnknown));
        };
        let Ok(learner) = LearnerCode::from_u64(row.learner) else {
            return Ok(Err(Refusal::LearnerErased));
        };
        let key = match bank.learner_key(learner)? {
            Ok(key) => key,
            Err(_) => return Ok(Err(Refusal::LearnerErased)),
        };
        let opener = Opener { head, key: &key };
        let mut steps = Vec::new();
        let mut form = None;
        let mut failed = None;
        head.snapshot.vault(learner.as_u64(), None, |leaf, bytes| {
            let mut each = || -> Result<(), StoreError> {
                let header = vault::header(bytes).map_err(|_| damaged())?;
                if leaf == index {
                    form = Some((header, opener.payload(&header, bytes)?));
                } else if header.kind.is_step() && target(&head.snapshot, leaf)? == index {
                    steps.push(opener.step(leaf, &header, bytes)?);
                }
                Ok(())
            };
            failed = each().err();
            // Steps stand behind their application, and the scan runs backwards.
            match failed.is_some() || leaf <= index {
                true => Go::Break(()),
                false => Go::Continue(()),
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        let (header, content) = form.ok_or_else(damaged)?;
        let Some(Content::Application(message)) = content else {
            return Err(damaged());
        };
        let note = message.note.clone();
        steps.reverse();
        Ok(Ok(Self {
            application: index,
            learner,
            agent: header.issuer,
            rule_set: rule_set(head, index)?,
            form: recognition::application(message).map_err(|_| damaged())?,
            note,
            submitted_at_ms: header.deposited_at_ms,
            steps,
            row,
        }))
    }

    /// The ruling that was decided, or while it is noticed the proposed one.
    pub(crate) fn ruling(&self) -> Option<&Ruling> {
        self.decision().or_else(|| self.noticed())
    }

    /// What was decided.
    pub(crate) fn decision(&self) -> Option<&Ruling> {
        self.last(RecordKind::Decision)
    }

    /// What was noticed last.
    pub(crate) fn noticed(&self) -> Option<&Ruling> {
        self.last(RecordKind::Notice)
    }

    pub(crate) fn is_reversed(&self) -> bool {
        self.row.kind == RecordKind::Reversal as u8
    }

    fn last(&self, kind: RecordKind) -> Option<&Ruling> {
        let mut newest = self.steps.iter().rev();
        newest.find(|step| step.kind == kind)?.ruling.as_ref()
    }
}

struct Opener<'a> {
    head: &'a Head,
    key: &'a Arc<DataKey>,
}

impl Opener<'_> {
    fn payload(&self, header: &VaultHeader, row: &[u8]) -> Result<Option<Content>, StoreError> {
        let institution = self.head.registry.by_number(header.issuer);
        let issuer = institution.ok_or_else(damaged)?.profile.id.as_str();
        let opened = self.key.open_record(issuer, &header.record_id, row);
        let opened = opened.map_err(|_| damaged())?;
        let payload = record::canonical::<v1::Payload>(&opened.payload);
        Ok(payload.map_err(|_| damaged())?.content)
    }

    fn step(&self, leaf: LeafIndex, header: &VaultHeader, row: &[u8]) -> Result<Filed, StoreError> {
        let content = self.payload(header, row)?;
        let (approve, reason, ruling) = match content {
            Some(Content::Review(it)) => (it.approve, it.reason, None),
            Some(Content::Notice(it) | Content::Decision(it)) => {
                let reason = it.reason.clone();
                let ruling = recognition::ruling(it).map_err(|_| damaged())?;
                (false, reason, Some(ruling))
            }
            Some(
                Content::Objection(it)
                | Content::Appeal(it)
                | Content::Withdrawal(it)
                | Content::Acceptance(it)
                | Content::Return(it)
                | Content::Reversal(it)
                | Content::Closing(it),
            ) => (false, it.reason, None),
            _ => return Err(damaged()),
        };
        Ok(Filed {
            leaf,
            kind: header.kind,
            actor: header.issuer,
            at_ms: header.deposited_at_ms,
            approve,
            reason,
            ruling,
        })
    }
}

/// The rule set that a record names.
fn rule_set(head: &Head, index: LeafIndex) -> Result<Digest32, StoreError> {
    let message = message_at(&head.snapshot, index)?;
    record::digest(&message.rule_set_hash).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged(Damage::Row("application"))
}
