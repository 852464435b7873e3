//! C2SP tlog-witness: what a log sends to have a checkpoint cosigned, and whether a witness may do so.
//!
//! The decision is pure: it is given the keys that are trusted for the log and what was cosigned last. Whoever acts on
//! it must hold that last state from before the decision until the new one is durable, or two requests could both be
//! right.

use crate::{
    checkpoint::{Checkpoint, CheckpointError, parse_decimal},
    hash::{EMPTY_ROOT, Hash},
    note::{Note, NoteError, VerifierKey},
    position::TreeSize,
    proof::{ProofError, verify_consistency},
};

/// No consistency proof is longer.
pub const PROOF_LINES_MAX: usize = 63;
/// The longest request that is read: a full proof, a checkpoint and many signatures.
pub const REQUEST_BYTES_MAX: usize = 32 << 10;

/// Why a request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request is longer than [`REQUEST_BYTES_MAX`].
    #[error("the request is longer than {REQUEST_BYTES_MAX} bytes")]
    TooLong,
    /// The first line is not `old N`.
    #[error("the first line is not `old` and a size")]
    OldSize,
    /// A line of the proof is no hash.
    #[error("line {0} of the consistency proof is not a hash")]
    ProofLine(usize),
    /// The proof has too many lines.
    #[error("the consistency proof has more than {PROOF_LINES_MAX} lines")]
    ProofTooLong,
    /// There is no empty line before a checkpoint.
    #[error("there is no empty line with a checkpoint after it")]
    CheckpointMissing,
    /// The checkpoint is no note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// A request to cosign a checkpoint. Only its form is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness has cosigned last, as the log believes.
    pub old: TreeSize,
    /// That the checkpoint continues the tree of that size.
    pub proof: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub note: String,
}

/// What a witness has cosigned last, or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The tree's size.
    pub size: TreeSize,
    /// Its root.
    pub root: Hash,
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// No trusted key of the log signed the checkpoint, or one of its signatures is wrong.
    #[error("the checkpoint is not signed by a key that is trusted for this log")]
    Signature,
    /// What is signed is no checkpoint of this log.
    #[error(transparent)]
    Checkpoint(CheckpointError),
    /// The old size is larger than the checkpoint's.
    #[error("the old size {old} is larger than the checkpoint's {new}")]
    OldSize {
        /// What the request says.
        old: TreeSize,
        /// The checkpoint's.
        new: TreeSize,
    },
    /// Another size was cosigned last.
    #[error("the size that was cosigned last is {last}")]
    Conflict {
        /// That size, or 0.
        last: TreeSize,
    },
    /// The proof does not hold.
    #[error(transparent)]
    Proof(ProofError),
    /// The log has signed two histories: this checkpoint does not continue the one that was cosigned, and the request
    /// itself proves it to anybody.
    #[error("the log has forked: it signed another root at size {size}")]
    Fork {
        /// The size at which both histories are told apart.
        size: TreeSize,
        /// Whether it is the checkpoint's own size; otherwise the consistency proof shows it.
        same_size: bool,
    },
}

impl NotCosigned {
    /// The HTTP status that the protocol prescribes.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Signature => 403,
            Self::Checkpoint(_) | Self::OldSize { .. } => 400,
            Self::Conflict { .. }
            | Self::Fork {
                same_size: true, ..
            } => 409,
            Self::Proof(_) | Self::Fork { .. } => 422,
        }
    }
}

impl AddCheckpoint {
    /// The body of the request.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut body = format!("old {}\n", self.old);
        for hash in &self.proof {
            body.push_str(&hash.to_string());
            body.push('\n');
        }
        body.push('\n');
        body.push_str(&self.note);
        body
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// Names the line at fault.
    pub fn parse(body: &str) -> Result<Self, RequestError> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLong);
        }
        let (head, note) = body
            .split_once("\n\n")
            .ok_or(RequestError::CheckpointMissing)?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(parse_decimal)
            .ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        for (number, line) in lines.enumerate() {
            if number == PROOF_LINES_MAX {
                return Err(RequestError::ProofTooLong);
            }
            let hash = line
                .parse()
                .map_err(|_| RequestError::ProofLine(number + 1))?;
            proof.push(hash);
        }
        Note::parse(note)?;
        Ok(Self {
            old: TreeSize::new(old),
            proof,
            note: note.to_owned(),
        })
    }

    /// The log that the checkpoint claims to be of: says whose keys and state to bring, and nothing more.
    #[must_use]
    pub fn claimed_origin(&self) -> &str {
        self.note.split('\n').next().unwrap_or_default()
    }

    /// Whether a witness may cosign: given the keys trusted for the log and what was cosigned last, if anything.
    /// Gives the checkpoint, and the note under the first trusted key that signed it.
    ///
    /// # Errors
    /// The first check that failed, in the order of the protocol; a fork before all that depends on the old size.
    pub fn decide(
        &self,
        keys: &[VerifierKey],
        last: Option<&Cosigned>,
    ) -> Result<(Cosigned, String), NotCosigned> {
        let (checkpoint, note) = open(&self.note, keys)?;
        let new = Cosigned {
            size: checkpoint.size,
            root: checkpoint.root,
        };
        let none = Cosigned {
            size: TreeSize::EMPTY,
            root: EMPTY_ROOT,
        };
        let last = last.unwrap_or(&none);
        let fork = |same_size| NotCosigned::Fork {
            size: last.size,
            same_size,
        };
        if new.size == TreeSize::EMPTY && new.root != EMPTY_ROOT {
            let (computed, stated) = (EMPTY_ROOT, new.root);
            return Err(NotCosigned::Proof(ProofError::RootDiffers {
                computed,
                stated,
            }));
        }
        if new.size == last.size && new.root != last.root {
            return Err(fork(true));
        }
        if self.old > new.size {
            let (old, new) = (self.old, new.size);
            return Err(NotCosigned::OldSize { old, new });
        }
        if self.old != last.size {
            return Err(NotCosigned::Conflict { last: last.size });
        }
        match verify_consistency(last.size, &last.root, new.size, &new.root, &self.proof) {
            Ok(()) => Ok((new, note)),
            Err(ProofError::OldRootDiffers { .. }) => Err(fork(false)),
            Err(error) => Err(NotCosigned::Proof(error)),
        }
    }
}

/// A checkpoint that one of several keys signed, and the note under the first of them that did. A line that names one
/// of them and does not hold spoils the note.
///
/// # Errors
/// If none signed it, or what is signed is no checkpoint of the log that the key belongs to.
pub fn open(note: &str, keys: &[VerifierKey]) -> Result<(Checkpoint, String), NotCosigned> {
    let parsed = Note::parse(note).map_err(|_| NotCosigned::Signature)?;
    let mut signed = None;
    for key in keys {
        match parsed.under(key) {
            Ok(note) => drop(signed.get_or_insert((key, note))),
            Err(NoteError::NotSignedByKey) => {}
            Err(_) => return Err(NotCosigned::Signature),
        }
    }
    let (key, note) = signed.ok_or(NotCosigned::Signature)?;
    let checkpoint = Checkpoint::open(&note, key).map_err(NotCosigned::Checkpoint)?;
    Ok((checkpoint, note))
}
