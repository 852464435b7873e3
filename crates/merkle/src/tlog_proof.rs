//! C2SP tlog-proof: a receipt as a text file. It carries an index, an inclusion proof and a signed checkpoint,
//! and is checked offline with nothing but the leaf and the log's public key.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, parse_decimal},
    hash::{Hash, leaf_hash},
    note::{NOTE_BYTES_MAX, VerifierKey},
    position::LeafIndex,
    proof::{ProofError, verify_inclusion},
};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// No tree is higher.
const PATH_HASHES_MAX: usize = 64;

/// Why a receipt is refused: the step that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// The file is too long.
    #[error("the proof is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// The first line is another.
    #[error("the first line is not {HEADER}")]
    Header,
    /// The `extra` line is no base64.
    #[error("the extra line is not base64")]
    Extra,
    /// There is no `index` line, or it has no decimal number without leading zeros.
    #[error("the index line is missing or malformed")]
    Index,
    /// A line of the inclusion proof is no hash.
    #[error("line {0} of the inclusion proof is not a hash")]
    PathLine(usize),
    /// The inclusion proof has more than 64 lines.
    #[error("the inclusion proof has more than {PATH_HASHES_MAX} hashes")]
    PathTooLong,
    /// The empty line and the checkpoint are missing.
    #[error("the checkpoint is missing")]
    CheckpointMissing,
    /// The checkpoint is refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The inclusion proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data beside the proof that nothing authenticates; here, the leaf.
    pub extra: Option<Vec<u8>>,
    /// The index of the leaf.
    pub index: LeafIndex,
    /// Its inclusion proof, the leaf's sibling first.
    pub path: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl TlogProof {
    /// The text of the receipt.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if let Some(extra) = &self.extra {
            text.push_str("extra ");
            STANDARD.encode_string(extra, &mut text);
            text.push('\n');
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "index {}", self.index);
        for hash in &self.path {
            let _ = writeln!(text, "{hash}");
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Reads a receipt. Only its form is checked.
    ///
    /// # Errors
    /// Names the line at fault.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(TlogProofError::TooLong);
        }
        let (proof, checkpoint) = text
            .split_once("\n\n")
            .ok_or(TlogProofError::CheckpointMissing)?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(TlogProofError::Header);
        }
        let mut line = lines.next().ok_or(TlogProofError::Index)?;
        let mut extra = None;
        if let Some(base64) = line.strip_prefix("extra ") {
            extra = Some(STANDARD.decode(base64).map_err(|_| TlogProofError::Extra)?);
            line = lines.next().ok_or(TlogProofError::Index)?;
        }
        let index = line
            .strip_prefix("index ")
            .and_then(parse_decimal)
            .ok_or(TlogProofError::Index)?;
        Ok(Self {
            extra,
            index: LeafIndex::new(index),
            path: parse_path(lines)?,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that the log of this key contains the leaf, and returns the checkpoint that says so.
    ///
    /// # Errors
    /// The step that failed.
    pub fn verify(&self, leaf: &[u8], key: &VerifierKey) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        verify_inclusion(
            &leaf_hash(leaf),
            self.index,
            checkpoint.size,
            &self.path,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}

fn parse_path<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, TlogProofError> {
    let mut path = Vec::new();
    for (i, line) in lines.enumerate() {
        if i == PATH_HASHES_MAX {
            return Err(TlogProofError::PathTooLong);
        }
        path.push(line.parse().map_err(|_| TlogProofError::PathLine(i + 1))?);
    }
    Ok(path)
}
