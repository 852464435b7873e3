//! Records as the ledger sees them: what is committed to, what a batch signature covers, what the bank states.
//!
//! Bytes are built here only where `ledger.md` defines them byte by byte; the protobuf shapes live in `wire`.

use std::fmt;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::catalogue::Proposal;
use crate::identifier::{
    InstitutionId, LearnerCode, RecordId, RegionCode, SchoolCode, UnifiedSocialCreditCode,
};
use crate::recognition::{Application, Ruling};
use crate::reconcile::{Closed, PeriodStatement};
use crate::rules::Period;
use crate::text::Code;
use crate::transfer::{Consent, TransferRequest, Transferred};
use crate::{Category, Outcome, Refusal, points};

/// Most records in one signed batch.
pub const BATCH_RECORDS_MAX: usize = 1024;
/// Most bytes of one leaf.
pub const LEAF_BYTES_MAX: usize = 65_535;
/// Most hashes from an envelope to its batch root.
pub const PATH_HASHES_MAX: usize = 10;
/// Most bytes of one payload: leaves room for the envelope's own fields in one request of 1,024 records.
pub const PAYLOAD_BYTES_MAX: usize = 32_768;
/// Version of envelope, payload, leaf and statement written today.
pub const FORMAT_VERSION: u32 = 1;

const COMMITMENT_CONTEXT: &[u8] = b"creditbank/payload/v1\n";
const BATCH_CONTEXT: &[u8] = b"creditbank/batch/v1\n";

/// SHA-256 digest of something that is not a tree node.
pub type Digest32 = [u8; 32];

/// Place of a leaf in the log, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(pub u64);

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The commitment that stands in the log for a payload in the vault.
pub fn commitment(salt: &[u8; 32], payload: &[u8]) -> Digest32 {
    Sha256::new()
        .chain_update(COMMITMENT_CONTEXT)
        .chain_update(salt)
        .chain_update(payload)
        .finalize()
        .into()
}

/// The bytes that an issuer signs for a batch of `size` envelopes with RFC 6962 root `root`.
pub fn batch_signing_input(origin: &str, issuer: &str, size: u64, root: &Digest32) -> Vec<u8> {
    let mut input = Vec::with_capacity(BATCH_CONTEXT.len() + origin.len() + issuer.len() + 44);
    input.extend_from_slice(BATCH_CONTEXT);
    for text in [origin, issuer] {
        let len = u16::try_from(text.len()).expect("origins and issuer ids are short");
        input.extend_from_slice(&len.to_be_bytes());
        input.extend_from_slice(text.as_bytes());
    }
    input.extend_from_slice(&size.to_be_bytes());
    input.extend_from_slice(root);
    input
}

/// What a key computes with, a number of the format from the first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519, verified strictly.
    Ed25519 = 1,
    /// X25519: key agreement. It signs nothing; packages are sealed for it.
    X25519 = 2,
}

impl Algorithm {
    /// Reads the number of the format.
    pub fn from_number(number: u32) -> Result<Self, Refusal> {
        match number {
            1 => Ok(Self::Ed25519),
            2 => Ok(Self::X25519),
            _ => Err(Refusal::AlgorithmUnknown { algorithm: number }),
        }
    }

    /// Reads the number of an algorithm that signs.
    pub fn of_signature(number: u32) -> Result<Self, Refusal> {
        match Self::from_number(number)? {
            Self::X25519 => Err(Refusal::AlgorithmUnknown { algorithm: number }),
            signs @ Self::Ed25519 => Ok(signs),
        }
    }
}

/// SHA-256(algorithm byte ‖ public key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub Digest32);

impl KeyId {
    /// The id of a public key.
    pub fn of(algorithm: Algorithm, public_key: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update([algorithm as u8])
                .chain_update(public_key)
                .finalize()
                .into(),
        )
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a record is. The numbers are the format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// A learning outcome (学习成果).
    Outcome = 1,
    /// Replaces the content of an earlier record (更正).
    Amendment = 2,
    /// Withdraws an earlier record (撤销).
    Revocation = 3,
    /// Stands by a disputed record (重新确认).
    Confirmation = 4,
    /// A learner applies for recognition (认定申请).
    Application = 5,
    /// A reviewer votes on an application (评审意见).
    Review = 6,
    /// An institution objects during public notice (异议).
    Objection = 7,
    /// The learner appeals against a decision (申诉).
    Appeal = 8,
    /// The learner withdraws an application (撤回).
    Withdrawal = 9,
    /// A public declaration of an institution or reviewer.
    Declaration = 10,
    /// The learner consents to give one outcome to another bank (单独同意).
    Consent = 11,
    /// The learner asks for an outcome of another bank (转移申请).
    TransferRequest = 12,
    /// Two archives become one (档案合并).
    Merge = 16,
    /// A public decision of the bank.
    Statement = 17,
    /// The bank takes an application up (受理).
    Acceptance = 18,
    /// The bank returns an application (退回).
    Return = 19,
    /// The bank publishes for objection what it is going to decide (公示).
    Notice = 20,
    /// The bank decides an application (认定决定).
    Decision = 21,
    /// The bank reverses a decision (撤销认定).
    Reversal = 22,
    /// Nothing changes the decision any more but a reversal (终局).
    Closing = 23,
    /// Points of a learner move (积分).
    Points = 24,
    /// A step of a transfer between banks (转移步骤); names nobody.
    Transfer = 25,
    /// An outcome of another bank comes to a learner's archive (转入成果).
    Transferred = 26,
}

impl RecordKind {
    /// Reads the number of the format.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Outcome,
            2 => Self::Amendment,
            3 => Self::Revocation,
            4 => Self::Confirmation,
            5 => Self::Application,
            6 => Self::Review,
            7 => Self::Objection,
            8 => Self::Appeal,
            9 => Self::Withdrawal,
            10 => Self::Declaration,
            11 => Self::Consent,
            12 => Self::TransferRequest,
            16 => Self::Merge,
            17 => Self::Statement,
            18 => Self::Acceptance,
            19 => Self::Return,
            20 => Self::Notice,
            21 => Self::Decision,
            22 => Self::Reversal,
            23 => Self::Closing,
            24 => Self::Points,
            25 => Self::Transfer,
            26 => Self::Transferred,
            _ => return None,
        })
    }

    /// Whether the record refers to one other.
    pub fn has_target(self) -> bool {
        self.changes_outcome() || self.is_step()
    }

    /// Whether the record changes the state of the outcome it refers to.
    pub fn changes_outcome(self) -> bool {
        matches!(
            self,
            Self::Amendment | Self::Revocation | Self::Confirmation
        )
    }

    /// Whether the record is a step of the application it refers to.
    pub fn is_step(self) -> bool {
        matches!(
            self,
            Self::Review
                | Self::Objection
                | Self::Appeal
                | Self::Withdrawal
                | Self::Acceptance
                | Self::Return
                | Self::Notice
                | Self::Decision
                | Self::Reversal
                | Self::Closing
        )
    }

    /// Whether only the bank makes such records.
    pub fn is_of_the_bank(self) -> bool {
        self as u8 >= Self::Merge as u8
    }

    /// Whether the record carries a statement in place of a commitment.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Statement | Self::Declaration)
    }

    /// Whether the record must name the rule set that it was made under.
    pub fn needs_rule_set(self) -> bool {
        matches!(self, Self::Application | Self::Notice | Self::Decision)
    }

    /// Whether the record shows an outcome that was deposited in this ledger.
    pub fn shows_outcome(self) -> bool {
        matches!(self, Self::Outcome | Self::Amendment)
    }

    /// Whether a record of kind `change` may refer to it: outcomes are amended, revoked and confirmed; a consent is
    /// withdrawn, and what came from another bank is taken back, by revoking it.
    pub fn is_changed_by(self, change: Self) -> bool {
        match self {
            Self::Outcome | Self::Amendment => change.changes_outcome(),
            Self::Consent | Self::Transferred => change == Self::Revocation,
            _ => false,
        }
    }
}

/// Names one leaf, by place and by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef {
    /// Where it stands.
    pub leaf_index: LeafIndex,
    /// Its RFC 6962 leaf hash.
    pub leaf_hash: Digest32,
}

/// The public part of a record, once it has been parsed. The issuer is the batch's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The issuer's idempotency key.
    pub record_id: RecordId,
    /// What it carries.
    pub content: EnvelopeContent,
    /// The rule set it was made under.
    pub rule_set_hash: Option<Digest32>,
}

/// What an envelope carries: exactly one of a commitment (with a target, where the kind has one) and a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvelopeContent {
    /// A learner's record; the payload lies in the vault.
    Sealed {
        /// Never a public one.
        kind: RecordKind,
        /// See [`commitment`].
        commitment: Digest32,
        /// Set exactly when [`RecordKind::has_target`].
        target: Option<RecordRef>,
    },
    /// A public decision of the bank, or a declaration of the issuer.
    Public(Box<Statement>),
}

impl Envelope {
    /// The record's kind.
    pub fn kind(&self) -> RecordKind {
        match &self.content {
            EnvelopeContent::Sealed { kind, .. } => *kind,
            EnvelopeContent::Public(statement) => match statement.declarer() {
                Some(_) => RecordKind::Declaration,
                None => RecordKind::Statement,
            },
        }
    }
}

/// The private part of a record, once it has been parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// Whom it is about.
    pub learner: LearnerCode,
    /// What it says.
    pub content: PayloadContent,
}

/// What a payload says.
#[derive(Debug, Clone, PartialEq)]
pub enum PayloadContent {
    /// A learning outcome.
    Outcome(Box<Outcome>),
    /// The outcome as it should have been.
    Amendment(Box<Outcome>),
    /// The target no longer holds.
    Revocation,
    /// The issuer stands by the target.
    Confirmation,
    /// This learner code is from now on another name of the payload's learner.
    Merge(LearnerCode),
    /// What the learner applies for.
    Application(Box<Application>),
    /// A reviewer's vote: whether to approve.
    Review(bool),
    /// A step that needs nothing but its reason.
    Step(RecordKind),
    /// What the bank is going to decide.
    Notice(Box<Ruling>),
    /// What the bank decides.
    Decision(Box<Ruling>),
    /// How points of the learner move, in this order.
    Points(Vec<points::Entry>),
    /// What the learner consents to.
    Consent(Box<Consent>),
    /// Which outcome of another bank the learner asks for.
    TransferRequest(Box<TransferRequest>),
    /// An outcome of another bank.
    Transferred(Box<Transferred>),
}

impl PayloadContent {
    /// The kind that the envelope must have.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Outcome(_) => RecordKind::Outcome,
            Self::Amendment(_) => RecordKind::Amendment,
            Self::Revocation => RecordKind::Revocation,
            Self::Confirmation => RecordKind::Confirmation,
            Self::Merge(_) => RecordKind::Merge,
            Self::Application(_) => RecordKind::Application,
            Self::Review(_) => RecordKind::Review,
            Self::Step(kind) => *kind,
            Self::Notice(_) => RecordKind::Notice,
            Self::Decision(_) => RecordKind::Decision,
            Self::Points(_) => RecordKind::Points,
            Self::Consent(_) => RecordKind::Consent,
            Self::TransferRequest(_) => RecordKind::TransferRequest,
            Self::Transferred(_) => RecordKind::Transferred,
        }
    }

    /// The outcome it shows, if any.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Outcome(outcome) | Self::Amendment(outcome) => Some(outcome),
            _ => None,
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Deposits and reads its own records (机构).
    Institution = 1,
    /// Runs the bank (运营方).
    Operator = 2,
    /// Reads archives for signed-in learners (网关).
    Gateway = 3,
    /// Another region's bank (对等银行).
    PeerBank = 4,
    /// Reads everything public and every history (审计).
    Auditor = 5,
    /// Votes on projects and applications (评审专家).
    Reviewer = 6,
    /// Applies, appeals and withdraws on behalf of learners (代办窗口).
    LearnerAgent = 7,
    /// Has the bank copied for its backups (备份).
    BackupAgent = 8,
}

impl Role {
    /// Whether an issuer of this role may sign records of a kind. The bank's own kinds are not a matter of roles.
    pub fn may_sign(self, kind: RecordKind) -> bool {
        use RecordKind::{
            Amendment, Appeal, Application, Confirmation, Consent, Declaration, Objection, Outcome,
            Review, Revocation, TransferRequest, Withdrawal,
        };
        match kind {
            Outcome | Amendment | Confirmation | Objection => self == Self::Institution,
            // An agent withdraws a consent by revoking it; outcomes are not an agent's.
            Revocation => matches!(self, Self::Institution | Self::LearnerAgent | Self::Gateway),
            Application | Appeal | Withdrawal | Consent | TransferRequest => {
                matches!(self, Self::LearnerAgent | Self::Gateway)
            }
            Review => self == Self::Reviewer,
            Declaration => matches!(self, Self::Institution | Self::Reviewer),
            _ => false,
        }
    }
}

/// What a key is for; a key has one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyPurpose {
    /// Signs the tokens that calls carry.
    Authenticate = 1,
    /// Signs batches of records.
    Sign = 2,
    /// Signs the checkpoints of a bank's log.
    Log = 3,
    /// Cosigns the checkpoints of other banks' logs.
    Cosign = 4,
    /// Others seal packages for it.
    Seal = 5,
    /// Signs credentials and codes that learners carry.
    Credential = 6,
}

impl KeyPurpose {
    /// What a key of this purpose computes with: what opens packages signs nothing, and the reverse.
    pub fn admits(self, algorithm: Algorithm) -> bool {
        (self == Self::Seal) == (algorithm == Algorithm::X25519)
    }

    /// Whether only a bank has keys of this purpose.
    pub fn is_of_banks(self) -> bool {
        matches!(
            self,
            Self::Log | Self::Cosign | Self::Seal | Self::Credential
        )
    }
}

/// A public key as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// How it verifies.
    pub algorithm: Algorithm,
    /// The key's 32 bytes; never a small-order point.
    pub bytes: [u8; 32],
    /// What it is for.
    pub purpose: KeyPurpose,
}

impl PublicKey {
    /// The id that signatures name it by.
    pub fn id(&self) -> KeyId {
        KeyId::of(self.algorithm, &self.bytes)
    }
}

/// Who an institution is. Public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionProfile {
    /// Chosen once, never changed.
    pub id: InstitutionId,
    /// As printed on its certificates.
    pub display_name: String,
    /// What it may do.
    pub role: Role,
    /// 统一社会信用代码.
    pub uscc: Option<UnifiedSocialCreditCode>,
    /// 学校标识码.
    pub school_code: Option<SchoolCode>,
    /// GB/T 2260 region.
    pub region: Option<RegionCode>,
}

/// A public decision of the bank, or a declaration of an institution or reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// The first entry of every log.
    LogOpened {
        /// The log's name, for ever.
        origin: String,
        /// The bank's own keys.
        keys: Vec<PublicKey>,
    },
    /// An institution with its first keys and categories.
    InstitutionAdmitted {
        /// Who it is.
        profile: InstitutionProfile,
        /// At least one.
        keys: Vec<PublicKey>,
        /// What it may deposit.
        categories: Vec<Category>,
    },
    /// A further key.
    KeyAdmitted {
        /// Whose.
        institution: InstitutionId,
        /// The key.
        key: PublicKey,
    },
    /// A key signs nothing from here on.
    KeyRevoked {
        /// Whose.
        institution: InstitutionId,
        /// Which.
        key_id: KeyId,
        /// First doubtful leaf, when the key was compromised.
        doubtful_from: Option<LeafIndex>,
    },
    /// Replaces the permitted categories.
    CategoriesPermitted {
        /// Whose.
        institution: InstitutionId,
        /// All of them.
        categories: Vec<Category>,
    },
    /// Suspends an institution, or lets it act again.
    InstitutionSuspended {
        /// Whom.
        institution: InstitutionId,
        /// Which of the two.
        suspended: bool,
    },
    /// A learner was erased; the handle names no one.
    LearnerErased {
        /// Random, known only inside the vault.
        handle: [u8; 16],
    },
    /// A document of a rule set, as it was written.
    RuleDocument {
        /// UTF-8.
        text: String,
    },
    /// A rule set; its documents are in the log already.
    RuleSetPublished {
        /// The same for all versions.
        set_id: String,
        /// Its version.
        version: String,
        /// By name, ascending, with their SHA-256.
        documents: Vec<(String, Digest32)>,
        /// Days of application on which it decides.
        effective: Period,
    },
    /// An institution applies for a project to be admitted.
    ProjectProposed(Box<Proposal>),
    /// A reviewer votes on a project.
    ProjectReviewed {
        /// Who votes.
        reviewer: InstitutionId,
        /// Whose project.
        institution: InstitutionId,
        /// Which.
        project: Code,
        /// The vote.
        approve: bool,
    },
    /// A project is admitted under the standard it was proposed under.
    ProjectAdmitted {
        /// Whose.
        institution: InstitutionId,
        /// Which.
        project: Code,
        /// How many approving reviewers were needed.
        panel: u8,
        /// Last day of completion of its outcomes.
        expires_on: Option<Date>,
    },
    /// A project is not admitted.
    ProjectRefused {
        /// Whose.
        institution: InstitutionId,
        /// Which.
        project: Code,
    },
    /// An admitted project is suspended, or taken up again.
    ProjectSuspended {
        /// Whose.
        institution: InstitutionId,
        /// Which.
        project: Code,
        /// Which of the two.
        suspended: bool,
    },
    /// What this bank says of a period with another (对账单).
    PeriodStated(Box<PeriodStatement>),
    /// A period with another bank is closed, and never changes (关账).
    PeriodClosed(Box<Closed>),
}

impl Statement {
    /// The institution or reviewer whose declaration it is; none for a decision of the bank.
    #[must_use]
    pub fn declarer(&self) -> Option<&InstitutionId> {
        match self {
            Self::ProjectProposed(proposal) => Some(&proposal.institution),
            Self::ProjectReviewed { reviewer, .. } => Some(reviewer),
            _ => None,
        }
    }
}
