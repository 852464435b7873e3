//! C2SP tlog-checkpoint: the signed statement of a log's size and root.

use crate::{
    hash::Hash,
    note::{Note, NoteError, NoteSigner, VerifierKey},
    position::TreeSize,
};

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it is refused.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The origin is empty or has a control character.
    #[error("the checkpoint's first line is not an origin")]
    Origin,
    /// The size is no decimal number without leading zeros.
    #[error("the checkpoint's second line is not a tree size")]
    Size,
    /// The root is no base64 of 32 bytes.
    #[error("the checkpoint's third line is not a root hash")]
    Root,
    /// A line after the root is empty, or the text has no end of line.
    #[error("the checkpoint's text does not end after the root or proper extension lines")]
    Extension,
    /// The checkpoint is one of another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    ForeignOrigin {
        /// The log that the key belongs to.
        expected: String,
        /// The log that the checkpoint names.
        found: String,
    },
    /// The key that signed it does not sign checkpoints of that size.
    #[error(
        "the key that signed the checkpoint of {size} leaves was replaced before, or withdrawn because it was stolen: \
         ask the bank for the record's proof again"
    )]
    KeyNotInForce {
        /// Leaves of the checkpoint.
        size: TreeSize,
    },
}

/// The state of a log: who it is, how many leaves it has, and their root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The identity of the log, which is also the name of its key.
    pub origin: String,
    /// The number of leaves.
    pub size: TreeSize,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: three lines.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the text of a checkpoint. Extension lines are tolerated and dropped.
    ///
    /// # Errors
    /// Names the line at fault.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Extension)?
            .split('\n');
        let origin = lines
            .next()
            .filter(|line| !line.is_empty())
            .ok_or(CheckpointError::Origin)?;
        if origin.chars().any(char::is_control) {
            return Err(CheckpointError::Origin);
        }
        let size = lines
            .next()
            .and_then(parse_decimal)
            .ok_or(CheckpointError::Size)?;
        let root = lines
            .next()
            .and_then(|line| line.parse().ok())
            .ok_or(CheckpointError::Root)?;
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: TreeSize::new(size),
            root,
        })
    }

    /// The signed checkpoint.
    ///
    /// # Errors
    /// If the signer's name is not the origin, or the origin cannot stand in a note.
    pub fn sign(&self, signer: &NoteSigner) -> Result<String, CheckpointError> {
        self.expect_origin(signer.name())?;
        Ok(signer.sign(&self.text())?)
    }

    /// Reads a signed checkpoint of the log to which the key belongs.
    ///
    /// # Errors
    /// If the signature does not hold, the text is malformed or the log another.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(Note::parse(note)?.verify(key)?)?;
        checkpoint.expect_origin(key.name())?;
        Ok(checkpoint)
    }

    fn expect_origin(&self, expected: &str) -> Result<(), CheckpointError> {
        if self.origin == expected {
            return Ok(());
        }
        let (expected, found) = (expected.to_owned(), self.origin.clone());
        Err(CheckpointError::ForeignOrigin { expected, found })
    }
}

/// A decimal number in its one spelling: digits only, no leading zero.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| canonical)
}
