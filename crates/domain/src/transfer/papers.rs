//! The records about a learner that a transfer needs: consent, request, and the outcome as it comes in.

use std::sync::Arc;

use super::{Purpose, TransferId};
use crate::identifier::{InstitutionId, LearnerCode, RegionCode};
use crate::record::RecordRef;
use crate::rules::Held;
use crate::text::{Code, Label};
use crate::{Category, Digest32, LeafIndex, Outcome};

/// The learner's separate consent to give one outcome to another bank (PIPL, article 23: recipient, purpose, kind of
/// data).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The outcome, in the origin's log.
    pub outcome: RecordRef,
    /// Kind of data.
    pub category: Category,
    /// Origin of the recipient's log.
    pub recipient: Label,
    /// The learner's code there.
    pub recipient_learner: LearnerCode,
    /// What for.
    pub purpose: Purpose,
    /// The programme there.
    pub programme: Code,
    /// Digest of the notice that the learner was shown.
    pub notice: Digest32,
}

/// A learner asks for an outcome of another bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferRequest {
    /// Origin of that bank's log.
    pub origin: Label,
    /// The consent in it.
    pub consent: RecordRef,
    /// The transfer that it allows.
    pub id: TransferId,
}

/// An outcome of another bank, received and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Transferred {
    /// The transfer.
    pub id: TransferId,
    /// Origin of the log that holds it.
    pub origin: Label,
    /// Who deposited it there.
    pub issuer: InstitutionId,
    /// Where that institution is.
    pub region: RegionCode,
    /// Unit standard that its project was admitted under there.
    pub standard: Option<Code>,
    /// The programme that it may be used for, and no other.
    pub programme: Code,
    /// What the learner did.
    pub outcome: Outcome,
}

impl Transferred {
    /// The outcome as rules see it, at its leaf in this ledger.
    #[must_use]
    pub fn into_held(self, leaf: LeafIndex) -> Held {
        let standard = self.standard.map(|it| Arc::from(it.as_str()));
        let outcome = Arc::new(self.outcome);
        Held::new(leaf, self.issuer, Some(self.region), outcome, standard)
    }
}
