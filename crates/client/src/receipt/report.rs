//! What a verification did, step by step.

use std::fmt;

use creditbank_domain::Refusal;
use creditbank_merkle::{CheckpointError, Hash, ProofError};

/// The steps, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Everything decodes, in the one canonical way.
    Decoding,
    /// The envelopes lead to the root of the batch.
    BatchRoot,
    /// The issuer signed that root.
    IssuerSignature,
    /// The bank signed the checkpoint, and it is of this bank's log.
    Checkpoint,
    /// The leaves lead to the root in the checkpoint.
    Inclusion,
    /// Payload and salt open the commitment.
    Opening,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Decoding,
        Self::BatchRoot,
        Self::IssuerSignature,
        Self::Checkpoint,
        Self::Inclusion,
        Self::Opening,
    ];

    /// What the step establishes, in Chinese.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Decoding => "格式规范",
            Self::BatchRoot => "批次树根",
            Self::IssuerSignature => "签发机构签名",
            Self::Checkpoint => "学分银行检查点签名",
            Self::Inclusion => "账本包含证明",
            Self::Opening => "内容与承诺相符",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decoding => "canonical form",
            Self::BatchRoot => "root of the batch",
            Self::IssuerSignature => "signature of the issuer",
            Self::Checkpoint => "checkpoint of the bank",
            Self::Inclusion => "inclusion in the log",
            Self::Opening => "payload opens the commitment",
        })
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// It holds.
    Ok,
    /// Not taken, and why.
    NotChecked(&'static str),
    /// It does not hold.
    Failed(Reason),
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::NotChecked(why) => write!(f, "not checked: {why}"),
            Self::Failed(reason) => write!(f, "FAILED: {reason}"),
        }
    }
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A part of it is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A part of it does not have the one form it may have.
    #[error("{part}: {refusal}")]
    Form {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// The rows are not ascending positions in the batch.
    #[error("the rows do not ascend within the batch")]
    Rows,
    /// A row of the request is in none or in several lists of the answer.
    #[error("row {0} of the batch is not decided exactly once")]
    RowUndecided(u32),
    /// The path of an envelope does not fit its place in the batch.
    #[error("the path in the batch: {0}")]
    BatchPath(ProofError),
    /// The root that was sent is not that of the envelopes.
    #[error("the envelopes lead to the root {computed}, not to {stated}")]
    BatchRoot {
        /// Where the envelopes lead.
        computed: Hash,
        /// The root that was to be signed.
        stated: Hash,
    },
    /// The key that the record names is another institution's.
    #[error("the key is another institution's")]
    OtherKey,
    /// The signature does not verify under the strict rule.
    #[error("the signature does not verify")]
    Signature,
    /// The receipt is of another record than the one sent.
    #[error("the receipt is of another record")]
    OtherRecord,
    /// The checkpoint is refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Payload and salt make another commitment.
    #[error("payload and salt make another commitment")]
    Commitment,
}

/// The steps of one verification and how each ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report([StepResult; Step::ALL.len()]);

impl Report {
    pub(super) fn new(result: impl Fn(Step) -> StepResult) -> Self {
        Self(Step::ALL.map(result))
    }

    /// How this step ended.
    #[must_use]
    pub fn of(&self, step: Step) -> &StepResult {
        &self.0[step as usize]
    }

    /// Every step, in order.
    pub fn steps(&self) -> impl Iterator<Item = (Step, &StepResult)> {
        Step::ALL.into_iter().zip(&self.0)
    }
}

/// A line a step.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps()
            .try_for_each(|(step, result)| writeln!(f, "{step}: {result}"))
    }
}

/// A verification that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step} failed: {reason}")]
pub struct VerifyError {
    /// The step that failed.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// All steps.
    pub report: Box<Report>,
}
