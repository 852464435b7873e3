//! The steps of a transfer, and why one goes no further.

use super::{Purpose, Side};
use crate::record::RecordRef;
use crate::{Category, Credit, Digest32};

/// A step that one of the two banks takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The receiver asks for the outcome, naming the learner's consent in the origin's log (申请转移).
    Requested {
        /// The consent.
        consent: RecordRef,
    },
    /// The origin does not give it (不予转移).
    Refused(Reason),
    /// The origin holds the outcome for this transfer and this purpose (预留).
    Reserved {
        /// The outcome, in the origin's log.
        outcome: RecordRef,
        /// For what.
        purpose: Purpose,
    },
    /// The origin gives a sealed package (放行).
    Released(Release),
    /// The receiver has opened the package and found all of it right (签收).
    Received,
    /// The receiver has opened the package, or could not, and does not take it (拒收).
    Rejected(Reason),
    /// The receiver has granted credit (认定).
    Recognised(Recognition),
    /// The receiver grants nothing (不予认定).
    Declined(Reason),
    /// The origin wants it back, before it is recognised (撤回).
    Recalled(Reason),
    /// The receiver has given it back unused (退还).
    Returned,
    /// The origin has noted what the receiver has answered (确认).
    Acknowledged {
        /// Up to this step in the sequence of the receiver.
        heard: u64,
    },
    /// The origin asks for a recognition to be reversed (请求冲正).
    ReversalRequested(Reason),
    /// The receiver has reversed its recognition (冲正).
    Reversed(Reason),
}

impl Step {
    /// Who takes it.
    #[must_use]
    pub const fn taker(&self) -> Side {
        match self {
            Self::Requested { .. }
            | Self::Received
            | Self::Rejected(_)
            | Self::Recognised(_)
            | Self::Declined(_)
            | Self::Returned
            | Self::Reversed(_) => Side::Receiver,
            Self::Refused(_)
            | Self::Reserved { .. }
            | Self::Released(_)
            | Self::Recalled(_)
            | Self::Acknowledged { .. }
            | Self::ReversalRequested(_) => Side::Origin,
        }
    }

    /// Whether it is the receiver's and ends its part, for now.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::Rejected(_)
                | Self::Recognised(_)
                | Self::Declined(_)
                | Self::Returned
                | Self::Reversed(_)
        )
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "requested",
            Self::Refused(_) => "refused",
            Self::Reserved { .. } => "reserved",
            Self::Released(_) => "released",
            Self::Received => "received",
            Self::Rejected(_) => "rejected",
            Self::Recognised(_) => "recognised",
            Self::Declined(_) => "declined",
            Self::Recalled(_) => "recalled",
            Self::Returned => "returned",
            Self::Acknowledged { .. } => "acknowledged",
            Self::ReversalRequested(_) => "reversal-requested",
            Self::Reversed(_) => "reversed",
        }
    }

    /// Why, where it is a step that has a reason.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(reason)
            | Self::Rejected(reason)
            | Self::Declined(reason)
            | Self::Recalled(reason)
            | Self::ReversalRequested(reason)
            | Self::Reversed(reason) => Some(*reason),
            _ => None,
        }
    }
}

/// What the origin says of the outcome that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The commitment of the outcome's record.
    pub commitment: Digest32,
    /// Its category.
    pub category: Category,
    /// Its credits; none counts as zero.
    pub source: Credit,
    /// The agreement between the two regions, by id.
    pub agreement: String,
    /// The agreement's version on the day of completion.
    pub agreement_version: String,
}

/// What the receiver has granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// The rule, by id.
    pub rule: String,
    /// The rule set that decided.
    pub rule_set: Digest32,
    /// The agreement's version that the rule was held against.
    pub agreement_version: String,
    /// Credit granted.
    pub credited: Credit,
    /// Credits of the source that it spends; the rest remains.
    pub spent: Credit,
    /// When it was decided, by the receiver's ledger.
    pub decided_at_ms: u64,
}

/// Declares the reasons with their numbers and codes from one table.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $code:literal,)*) => {
        /// Why a transfer goes no further. Numbers and codes are the format's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Reads the number of the format.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

reasons! {
    // What the origin finds.
    /// The record named is no consent in force.
    ConsentMissing = 1 "CONSENT_MISSING",
    /// The consent is for another bank, or says another kind of data.
    ConsentForOther = 2 "CONSENT_FOR_OTHER",
    /// The learner has withdrawn the consent.
    ConsentWithdrawn = 3 "CONSENT_WITHDRAWN",
    /// The outcome is revoked, amended, disputed, or was never there.
    OutcomeNotInForce = 4 "OUTCOME_NOT_IN_FORCE",
    /// The outcome was itself recognised from another: no chains (不得连环认定).
    OutcomeDerived = 5 "OUTCOME_DERIVED",
    /// The outcome is held for another transfer of the same purpose: the earliest reservation holds.
    OutcomeReserved = 6 "OUTCOME_RESERVED",
    /// The outcome was spent at the origin.
    OutcomeSpent = 7 "OUTCOME_SPENT",
    /// The learner was erased.
    LearnerErased = 8 "LEARNER_ERASED",
    /// No agreement covers this pair, direction, category and day.
    AgreementMissing = 9 "AGREEMENT_MISSING",
    /// The receiver has not cosigned a checkpoint that covers the outcome, in time.
    NotCosigned = 10 "NOT_COSIGNED",

    // What the receiver finds.
    /// The package is not there, does not open, or is not of the form.
    PackageUnreadable = 20 "PACKAGE_UNREADABLE",
    /// The outcome's institution did not sign it, or its key was not valid.
    SignatureInvalid = 21 "SIGNATURE_INVALID",
    /// The payload does not open the commitment in the log.
    CommitmentMismatch = 22 "COMMITMENT_MISMATCH",
    /// The record is not in the log that the checkpoint names.
    InclusionInvalid = 23 "INCLUSION_INVALID",
    /// The checkpoint is not signed by the origin's log key.
    CheckpointInvalid = 24 "CHECKPOINT_INVALID",
    /// The checkpoint lacks the receiver's own cosignature.
    CosignatureMissing = 25 "COSIGNATURE_MISSING",
    /// The consent names another learner of the receiver's than the one who asked.
    LearnerDiffers = 26 "LEARNER_DIFFERS",
    /// The institution is not of the origin's region, or goes by the name of another one here.
    InstitutionForeign = 27 "INSTITUTION_FOREIGN",
    /// The package is of another outcome, purpose, amount or agreement than the origin's step says.
    PackageDiffers = 28 "PACKAGE_DIFFERS",
    /// The receiver's learner is gone.
    RequestGone = 29 "REQUEST_GONE",
    /// The rules grant nothing, or the panel has declined.
    NothingGranted = 30 "NOTHING_GRANTED",
    /// The decision was reversed at the receiver.
    DecisionReversed = 31 "DECISION_REVERSED",
    /// The package is more than an archive can keep.
    PackageTooLarge = 32 "PACKAGE_TOO_LARGE",

    // What time brings.
    /// Nobody decided in time.
    Undecided = 40 "UNDECIDED",
    /// Recognised after the recall, when the outcome had been given to another.
    RecognisedLate = 41 "RECOGNISED_LATE",
    /// The learner wants it back.
    LearnersWish = 42 "LEARNERS_WISH",
}
