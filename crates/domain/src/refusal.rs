//! Why something was not accepted: one flat, stable space of codes.
//!
//! A [`Refusal`] is data. Its code is part of the public contract (`google.rpc.ErrorInfo.reason`), its
//! parameters feed the texts of `wire`, and it holds no text of its own. It is `Copy`, so no variant can
//! ever hold a `String`: what a caller sent (an identity number, a name, a grade) cannot leave in a refusal.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::Hours;
use crate::outcome::{Category, EvidenceKind};
use crate::standard::Share;

/// Declares the variants, their codes and the list of codes from one table, so that they cannot drift apart.
macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })? = $code:literal,)*) => {
        /// A reason to refuse: a stable code and structured parameters, never a personal value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: $type),* })?,)*
        }

        impl Refusal {
            /// Every code, in the order of the table.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// The stable code: `[A-Z][A-Z0-9_]+`, at most 63 characters.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _),* })? => $code,)* }
            }

            /// The parameters by name, for texts and error details.
            #[must_use]
            pub fn params(&self) -> Vec<(&'static str, String)> {
                match self {
                    $(Self::$variant $({ $($field),* })? => vec![$($((stringify!($field), $field.to_string())),*)?],)*
                }
            }
        }
    };
}

refusals! {
    // One value.
    /// A required value is absent or empty.
    Missing = "MISSING",
    /// More characters (Unicode scalar values) than allowed.
    TooLong { /** The most allowed. */ max: u32 } = "TOO_LONG",
    /// Another number of characters than the form has.
    WrongLength { /** What the form has. */ expected: u32 } = "WRONG_LENGTH",
    /// A character that the form does not admit (a control character in a text, a letter in a number …).
    BadCharacter { /** Where it stands, from 1. */ position: u32 } = "BAD_CHARACTER",
    /// Not of the expected form.
    Malformed { /** The form, such as `YYYY-MM`. */ expected: &'static str } = "MALFORMED",
    /// The check digit contradicts the other digits.
    BadCheckDigit = "BAD_CHECK_DIGIT",
    /// No such day in the calendar, or not written as a date.
    NotADate = "NOT_A_DATE",
    /// Outside the closed range.
    OutOfRange { /** Smallest admitted. */ min: i64, /** Largest admitted. */ max: i64 } = "OUT_OF_RANGE",
    /// Below zero.
    Negative = "NEGATIVE",
    /// Not a decimal number.
    NotANumber = "NOT_A_NUMBER",
    /// More decimals than are kept: nothing is rounded silently.
    TooManyDecimals { /** The most kept. */ max: u32 } = "TOO_MANY_DECIMALS",
    /// A sum or a value beyond what the type holds.
    Overflow = "OVERFLOW",
    /// A day that has not come yet.
    DateInFuture = "DATE_IN_FUTURE",
    /// A day before anything the bank records.
    DateTooEarly { /** The first day accepted. */ earliest: Date } = "DATE_TOO_EARLY",
    /// Fewer items than required.
    TooFew { /** The least required. */ min: u32 } = "TOO_FEW",
    /// More items than allowed.
    TooMany { /** The most allowed. */ max: u32 } = "TOO_MANY",
    /// An item that stands in the list already.
    Repeated { /** Position of the first, from 0. */ first: u32 } = "REPEATED",
    /// A name that is reserved.
    Reserved = "RESERVED",

    // Values of closed tables.
    /// No such region code, ever (行政区划代码).
    RegionUnknown = "REGION_UNKNOWN",
    /// The region code exists, but not at the date in question.
    RegionNotValidThen = "REGION_NOT_VALID_THEN",
    /// An unassigned region of the tests, outside test mode.
    RegionOfTests = "REGION_OF_TESTS",
    /// No such occupation (职业分类大典 2022).
    OccupationUnknown = "OCCUPATION_UNKNOWN",
    /// No such level.
    LevelUnknown = "LEVEL_UNKNOWN",
    /// No such category of outcome.
    CategoryUnknown = "CATEGORY_UNKNOWN",
    /// No such scheme of grades, or named scale.
    GradeScaleUnknown = "GRADE_SCALE_UNKNOWN",
    /// A code outside its closed list.
    ChoiceUnknown = "CHOICE_UNKNOWN",

    // Values that contradict each other.
    /// Contradicts another field.
    Inconsistent { /** That field. */ with: &'static str } = "INCONSISTENT",
    /// Ends before it starts.
    EndBeforeStart = "END_BEFORE_START",
    /// Not later than the item before it.
    NotAscending = "NOT_ASCENDING",
    /// An attesting party is absent.
    AttestorMissing = "ATTESTOR_MISSING",
    /// Both attesting parties are the same.
    AttestorRepeated = "ATTESTOR_REPEATED",

    // The outcome as a whole.
    /// Completed after today.
    CompletedInFuture = "COMPLETED_IN_FUTURE",
    /// The issuer may not deposit this category.
    CategoryNotAdmitted { /** The category. */ category: Category } = "CATEGORY_NOT_ADMITTED",

    // The published standard that an outcome is held against.
    /// The standard is not for outcomes of this category.
    CategoryNotOfStandard = "CATEGORY_NOT_OF_STANDARD",
    /// The standard was not in force on the day of completion.
    StandardNotInForce = "STANDARD_NOT_IN_FORCE",
    /// Deposited too long after its completion.
    DepositedTooLate { /** Most years between the two. */ years: u16 } = "DEPOSITED_TOO_LATE",
    /// Fewer hours than the standard asks for.
    HoursBelowStandard { /** The least. */ needed: Hours } = "HOURS_BELOW_STANDARD",
    /// More hours than the standard admits for one outcome, or for one day.
    HoursAboveStandard { /** The most. */ most: Hours } = "HOURS_ABOVE_STANDARD",
    /// Attended less than the standard asks for.
    AttendanceBelowStandard { /** The least. */ needed: Share } = "ATTENDANCE_BELOW_STANDARD",
    /// Evidence of a kind that the standard asks for is not bound.
    EvidenceMissing { /** The kind. */ kind: EvidenceKind } = "EVIDENCE_MISSING",
    /// Not passed, and the standard asks for it.
    NotPassed = "NOT_PASSED",
    /// A walk of too few points.
    WalkPointsTooFew { /** The least. */ min: u16 } = "WALK_POINTS_TOO_FEW",
    /// Two points of a walk too soon after each other.
    WalkPointsTooClose { /** Least minutes between two. */ min_minutes: u16 } = "WALK_POINTS_TOO_CLOSE",
    /// From the first to the last point of a walk too many days.
    WalkTooLong { /** The most. */ days: u16 } = "WALK_TOO_LONG",

    // The batch and its bytes.
    /// A batch without records.
    BatchEmpty = "BATCH_EMPTY",
    /// A batch of too many records.
    BatchTooLarge { /** Records in it. */ count: u64, /** The most allowed. */ max: u64 } = "BATCH_TOO_LARGE",
    /// A record of too many bytes.
    RecordTooLarge { /** Its bytes. */ bytes: u64, /** The most allowed. */ max: u64 } = "RECORD_TOO_LARGE",
    /// Bytes that decode and re-encode differently, or do not decode.
    NotCanonical = "NOT_CANONICAL",
    /// A format version this bank does not know.
    UnknownVersion { /** The version given. */ version: u32 } = "UNKNOWN_VERSION",
    /// Made for another ledger.
    OriginForeign = "ORIGIN_FOREIGN",
    /// Names another issuer than the caller or the batch.
    IssuerMismatch = "ISSUER_MISMATCH",
    /// No such institution.
    IssuerUnknown = "ISSUER_UNKNOWN",
    /// The institution is suspended.
    IssuerSuspended = "ISSUER_SUSPENDED",
    /// No such key.
    KeyUnknown = "KEY_UNKNOWN",
    /// The key was revoked.
    KeyRevoked = "KEY_REVOKED",
    /// The key exists for another purpose.
    KeyWrongPurpose = "KEY_WRONG_PURPOSE",
    /// A public key of small order, with which anything verifies.
    KeySmallOrder = "KEY_SMALL_ORDER",
    /// The key is registered already.
    KeyExists = "KEY_EXISTS",
    /// A signature algorithm this bank does not know.
    AlgorithmUnknown { /** Its number. */ algorithm: u32 } = "ALGORITHM_UNKNOWN",
    /// The signature does not verify.
    SignatureInvalid = "SIGNATURE_INVALID",
    /// The signed root is not that of the envelopes.
    RootMismatch = "ROOT_MISMATCH",
    /// The commitment is not that of salt and payload.
    CommitmentMismatch = "COMMITMENT_MISMATCH",
    /// The record kind does not fit its issuer or its content.
    KindNotAllowed = "KIND_NOT_ALLOWED",
    /// Another record stands under this id.
    RecordIdConflict { /** The field that differs. */ differs: &'static str } = "RECORD_ID_CONFLICT",
    /// The id occurs twice in the batch, with different content.
    RecordIdRepeatedInBatch { /** Row of the first, from 0. */ first_row: u32 } = "RECORD_ID_REPEATED_IN_BATCH",

    // The record that an amendment or a revocation refers to.
    /// No record at that index.
    TargetMissing = "TARGET_MISSING",
    /// The record is another issuer's.
    TargetForeign = "TARGET_FOREIGN",
    /// The leaf hash is not that of the record at that index.
    TargetHashMismatch = "TARGET_HASH_MISMATCH",
    /// The record is revoked.
    TargetRevoked = "TARGET_REVOKED",
    /// A record of a kind that cannot be amended or revoked, or amended already.
    TargetNotAmendable = "TARGET_NOT_AMENDABLE",
    /// The record is another learner's.
    TargetLearnerDiffers = "TARGET_LEARNER_DIFFERS",

    // Learners and institutions.
    /// No such learner.
    LearnerUnknown = "LEARNER_UNKNOWN",
    /// The learner was erased.
    LearnerErased = "LEARNER_ERASED",
    /// The identity document belongs to another learner.
    IdentityTaken = "IDENTITY_TAKEN",
    /// A learner cannot be merged into itself.
    MergeSelf = "MERGE_SELF",
    /// An institution of that name exists.
    InstitutionExists = "INSTITUTION_EXISTS",
    /// The issuer has no such project.
    ProjectUnknown = "PROJECT_UNKNOWN",

    // Rule sets and projects.
    /// An outcome of this category names an admitted project.
    ProjectMissing = "PROJECT_MISSING",
    /// The project is for outcomes of another category.
    ProjectForOtherCategory { /** Its category. */ category: Category } = "PROJECT_FOR_OTHER_CATEGORY",
    /// The project is not admitted.
    ProjectNotAdmitted = "PROJECT_NOT_ADMITTED",
    /// The project is suspended.
    ProjectSuspended = "PROJECT_SUSPENDED",
    /// The outcome was completed after the project's last day.
    ProjectExpired = "PROJECT_EXPIRED",
    /// A project of that code exists.
    ProjectExists = "PROJECT_EXISTS",
    /// The project was decided already.
    ProjectDecided = "PROJECT_DECIDED",
    /// Not more reviewers approved than rejected.
    PanelRejected = "PANEL_REJECTED",
    /// More reviewers approved than rejected.
    PanelApproved = "PANEL_APPROVED",
    /// No such rule set is published.
    RuleSetUnknown = "RULE_SET_UNKNOWN",
    /// The rule set does not decide applications of today: another version does.
    RuleSetNotInForce = "RULE_SET_NOT_IN_FORCE",
    /// This rule set is published already.
    RuleSetExists = "RULE_SET_EXISTS",
    /// The rule set has errors.
    RuleSetInvalid { /** How many. */ errors: u32 } = "RULE_SET_INVALID",
    /// The document is in the log already.
    DocumentExists = "DOCUMENT_EXISTS",
    /// A document of the set is not in the log.
    DocumentMissing = "DOCUMENT_MISSING",
    /// The rule set has no such unit standard.
    StandardUnknown = "STANDARD_UNKNOWN",
    /// The rule set has no such programme, or not for this day.
    ProgrammeUnknown = "PROGRAMME_UNKNOWN",

    // Applications.
    /// No such application of this learner.
    ApplicationUnknown = "APPLICATION_UNKNOWN",
    /// The application is over.
    ApplicationClosed = "APPLICATION_CLOSED",
    /// Not a step that follows from where the application stands.
    StepNotAllowed { /** Where it stands. */ state: &'static str } = "STEP_NOT_ALLOWED",
    /// The reviewer has voted.
    AlreadyVoted = "ALREADY_VOTED",
    /// Reviewers of fewer institutions have voted, or fewer have approved, than the panel needs.
    PanelTooSmall { /** How many it needs. */ needed: u32 } = "PANEL_TOO_SMALL",
    /// Reviewers of the origin alone, or the applicant's own.
    PanelConflict = "PANEL_CONFLICT",
    /// Public notice is not over.
    NoticeRunning { /** Its last day. */ until: Date } = "NOTICE_RUNNING",
    /// Public notice is over.
    NoticeOver { /** Its last day. */ until: Date } = "NOTICE_OVER",
    /// Not what was published for objection.
    DecisionDiffers = "DECISION_DIFFERS",
    /// The time for an appeal is not over.
    AppealRunning { /** Its last day. */ until: Date } = "APPEAL_RUNNING",
    /// The time for an appeal is over.
    AppealTooLate { /** Its last day. */ until: Date } = "APPEAL_TOO_LATE",
    /// Somebody else took a step first: look again.
    ApplicationMoved = "APPLICATION_MOVED",
    /// What was noticed is not what would be decided now.
    NoticeOutdated = "NOTICE_OUTDATED",
    /// Nothing of the application would be granted.
    NothingGranted = "NOTHING_GRANTED",

    // Transfers.
    /// No such transfer.
    TransferUnknown = "TRANSFER_UNKNOWN",
    /// Not the next step of its sequence.
    SequenceGap { /** The next one. */ expected: u64 } = "SEQUENCE_GAP",
    /// Another transfer holds the outcome for the same purpose.
    OutcomeBound = "OUTCOME_BOUND",
    /// The transfer has moved since: look again.
    TransferMoved = "TRANSFER_MOVED",
    /// The outcome is released already: the consent cannot be withdrawn any more.
    ConsentUsed = "CONSENT_USED",
    /// No such peer bank.
    PeerUnknown = "PEER_UNKNOWN",
    /// The peer bank has shown two histories; nothing is done with it until an operator clears it.
    PeerStopped = "PEER_STOPPED",
    /// This bank has no region, or no keys for peers: see its settings.
    PeersNotConfigured = "PEERS_NOT_CONFIGURED",
    /// The period is not over.
    PeriodOpen { /** When it is. */ until_ms: u64 } = "PERIOD_OPEN",
    /// Steps of the other bank have not arrived: the period cannot be stated yet.
    StepsMissing { /** The first of them. */ expected: u64 } = "STEPS_MISSING",
    /// The period before it is not closed.
    PeriodBeforeOpen = "PERIOD_BEFORE_OPEN",
    /// The period is closed, and never changes.
    PeriodClosed = "PERIOD_CLOSED",
    /// The year is not over.
    YearbookOpen = "YEARBOOK_OPEN",
    /// There is nothing of that year.
    YearbookEmpty = "YEARBOOK_EMPTY",
    /// The year was published, and a yearbook never changes.
    YearbookPublished = "YEARBOOK_PUBLISHED",
    /// No yearbook of that year was published.
    YearbookUnknown = "YEARBOOK_UNKNOWN",
    /// The peer bank does not answer.
    PeerUnreachable = "PEER_UNREACHABLE",
    /// What the peer bank says does not verify.
    PeerInvalid { /** Which check. */ check: &'static str } = "PEER_INVALID",

    // Points.
    /// More points than can be redeemed, or none.
    PointsTooFew { /** What can be redeemed. */ available: u64 } = "POINTS_TOO_FEW",
    /// Points were clawed back that had been redeemed; first they are to be earned again.
    PointsOwed { /** How many. */ owed: u64 } = "POINTS_OWED",
    /// A redemption of that id exists.
    RedemptionExists = "REDEMPTION_EXISTS",
    /// The redemption was confirmed or cancelled.
    RedemptionClosed = "REDEMPTION_CLOSED",

    // Who may see what, and what learners ask for.
    /// No such record in this archive.
    RecordUnknown = "RECORD_UNKNOWN",
    /// The account is linked to another learner.
    SubjectLinked = "SUBJECT_LINKED",
    /// Not a code of this bank.
    CodeInvalid = "CODE_INVALID",
    /// The code's time is over, or it was withdrawn.
    CodeExpired = "CODE_EXPIRED",
    /// The code was shown before.
    CodeUsed = "CODE_USED",
    /// The learner has not allowed this purpose.
    PurposeNotAllowed = "PURPOSE_NOT_ALLOWED",
    /// The identity document is not that of the code's learner.
    IdentityMismatch = "IDENTITY_MISMATCH",
    /// The code was tried with wrong documents too often.
    TriesTooMany { /** When it can be tried again. */ minutes: u32 } = "TRIES_TOO_MANY",
    /// More open grants than a learner can have.
    GrantsTooMany { /** The most. */ max: u32 } = "GRANTS_TOO_MANY",
    /// Not in the future, or too far ahead.
    ExpiryInvalid { /** Most days ahead. */ days: u32 } = "EXPIRY_INVALID",
    /// No such grant, or none that is open.
    GrantUnknown = "GRANT_UNKNOWN",
    /// Unknown, expired or withdrawn: one answer for all.
    ShareClosed = "SHARE_CLOSED",
    /// The same was asked before and is not answered yet.
    RequestOpen = "REQUEST_OPEN",
    /// More open requests than a learner can have.
    RequestsTooMany { /** The most. */ max: u32 } = "REQUESTS_TOO_MANY",
    /// No such request.
    RequestUnknown = "REQUEST_UNKNOWN",
    /// The request was answered or taken back.
    RequestAnswered = "REQUEST_ANSWERED",
    /// Another request or grant has this id.
    RequestIdTaken = "REQUEST_ID_TAKEN",

    // Credentials.
    /// The record was amended or revoked, or waits for its confirmation.
    RecordNotInForce = "RECORD_NOT_IN_FORCE",
    /// The log has no leaves of that status list yet.
    StatusListUnknown = "STATUS_LIST_UNKNOWN",
    /// This bank has no key for credentials.
    CredentialsNotConfigured = "CREDENTIALS_NOT_CONFIGURED",

    // The caller.
    /// Not for this caller.
    PermissionDenied = "PERMISSION_DENIED",
    /// No token.
    TokenMissing = "TOKEN_MISSING",
    /// Not a token of the expected form.
    TokenMalformed = "TOKEN_MALFORMED",
    /// The token's time is over or has not come.
    TokenExpired = "TOKEN_EXPIRED",
    /// The token lives longer than allowed.
    TokenTooLong { /** The longest life. */ max_seconds: u64 } = "TOKEN_TOO_LONG",
    /// The token was used before.
    TokenReplayed = "TOKEN_REPLAYED",
    /// The token is for another ledger.
    TokenAudience = "TOKEN_AUDIENCE",

    // The request.
    /// A page token that this bank did not make for this query.
    PageTokenInvalid = "PAGE_TOKEN_INVALID",
    /// What was asked for does not exist.
    NotFound { /** The kind of thing. */ what: &'static str } = "NOT_FOUND",
    /// Beyond the end of the log.
    IndexOutOfRange { /** Leaves in the log. */ size: u64 } = "INDEX_OUT_OF_RANGE",

    // The service.
    /// The queue is full: try again later.
    QueueFull { /** When. */ retry_ms: u64 } = "QUEUE_FULL",
    /// The caller's deadline passed first.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    /// The service takes no writes.
    ReadOnly = "READ_ONLY",
    /// The service is stopping.
    ShuttingDown = "SHUTTING_DOWN",
    /// The store failed; nothing was acknowledged.
    StorageFailed = "STORAGE_FAILED",
    /// A broken invariant of the service itself.
    Internal = "INTERNAL",
}

impl Refusal {
    /// This refusal, said of a field.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Fault {
        Fault {
            field: field.into(),
            refusal: self,
            clause: None,
        }
    }
}

/// The code and its parameters: `TOO_LONG max=64`. For logs; texts for people are made in `wire`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        self.params()
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl std::error::Error for Refusal {}

/// A refusal and the field it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// Dotted path from the message's root, such as `outcome.grade.score` or `detail.points[2].at`.
    pub field: String,
    /// What is wrong with it.
    pub refusal: Refusal,
    /// The clause of the published standard or rule that it does not meet, where it is about one.
    pub clause: Option<Arc<str>>,
}

impl Fault {
    /// The same fault, citing the clause of a published standard or rule; an empty clause cites nothing.
    #[must_use]
    pub fn citing(self, clause: impl Into<Arc<str>>) -> Self {
        Self {
            clause: Some(clause.into()).filter(|clause| !clause.is_empty()),
            ..self
        }
    }

    /// The same fault seen from the message that holds this one under `prefix`.
    #[must_use]
    pub fn within(self, prefix: &str) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') {
            ""
        } else {
            "."
        };
        Self {
            field: format!("{prefix}{dot}{}", self.field),
            ..self
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.refusal)
    }
}

impl std::error::Error for Fault {}

/// Collects the faults of many fields, so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes that `field` is refused.
    pub fn add(&mut self, field: impl Into<String>, refusal: Refusal) {
        self.0.push(refusal.at(field));
    }

    /// The value, or its refusal noted.
    pub fn take<T>(&mut self, field: impl Into<String>, value: Result<T, Refusal>) -> Option<T> {
        value.map_err(|refusal| self.add(field, refusal)).ok()
    }

    /// The value of a part checked on its own, or its faults noted under `prefix`.
    pub fn take_part<T>(&mut self, prefix: &str, part: Result<T, Vec<Fault>>) -> Option<T> {
        part.map_err(|faults| {
            self.0
                .extend(faults.into_iter().map(|fault| fault.within(prefix)))
        })
        .ok()
    }

    /// Notes a refusal unless `holds`.
    pub fn require(&mut self, holds: bool, field: impl Into<String>, refusal: Refusal) {
        if !holds {
            self.add(field, refusal);
        }
    }

    /// Everything noted so far, in order; empty if all was well.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}
