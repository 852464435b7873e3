//! The keys of one log, as they took over from each other, and the file that lists them.
//!
//! A key signs checkpoints of a range of sizes. Its line is `vkey first-last`, the newest key first; a key that still signs
//! has no last size, a key that was stolen says `withdrawn` and signs nothing, and a line of a vkey alone signs all sizes:
//! the file of a log whose key was never replaced. Behind the range stands in base64 what announced the key: a receipt of
//! the leaf that admits it, under a checkpoint of the key before. It is opaque here. Lines that begin with `#` are remarks.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, parse_decimal},
    note::{NoteError, VerifierKey},
    position::TreeSize,
};

/// Most keys of one log.
pub const LOG_KEYS_MAX: usize = 256;

const WITHDRAWN: &str = "withdrawn";

/// Why a list of a log's keys is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogKeysError {
    /// A vkey is refused.
    #[error("line {line}: {error}")]
    Key {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        error: NoteError,
    },
    /// Behind the vkey stand no sizes or no base64.
    #[error(
        "line {line}: behind the key stand its sizes, such as 0-5120, and what announced it in base64"
    )]
    Form {
        /// The line, from 1.
        line: usize,
    },
    /// Keys of two logs.
    #[error("the keys have different names, so they are not of one log")]
    Names,
    /// No key, or more than [`LOG_KEYS_MAX`].
    #[error("a log has 1 to {LOG_KEYS_MAX} keys")]
    Count,
}

/// One key and what it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    /// The key.
    pub key: VerifierKey,
    /// Sizes of the checkpoints that it signs; none when it was withdrawn. Open to the end while it signs.
    pub sizes: Option<RangeInclusive<u64>>,
    /// What announced it under the key before; empty where nothing did.
    pub announced: Vec<u8>,
}

/// The keys of one log, newest first: at least one, all of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKeys(Vec<LogKey>);

impl LogKey {
    /// A key that signs all sizes.
    #[must_use]
    pub fn of_all_sizes(key: VerifierKey) -> Self {
        Self {
            key,
            sizes: Some(0..=u64::MAX),
            announced: Vec::new(),
        }
    }

    /// Whether it signs checkpoints of this size.
    #[must_use]
    pub fn signs(&self, size: TreeSize) -> bool {
        let sizes = self.sizes.as_ref();
        sizes.is_some_and(|sizes| sizes.contains(&size.value()))
    }

    fn parse(line: &str, number: usize) -> Result<Self, LogKeysError> {
        let form = LogKeysError::Form { line: number };
        let mut words = line.split_ascii_whitespace();
        let vkey = words.next().unwrap_or_default().parse();
        let key = vkey.map_err(|error| LogKeysError::Key {
            line: number,
            error,
        })?;
        let sizes = words.next().map_or(Some(Some(0..=u64::MAX)), sizes_of);
        let announced = STANDARD.decode(words.next().unwrap_or_default());
        match (sizes, announced, words.next()) {
            (Some(sizes), Ok(announced), None) => Ok(Self {
                key,
                sizes,
                announced,
            }),
            _ => Err(form),
        }
    }
}

/// The range behind a key; the inner option is none for a key that was withdrawn.
fn sizes_of(text: &str) -> Option<Option<RangeInclusive<u64>>> {
    if text == WITHDRAWN {
        return Some(None);
    }
    let (first, last) = text.split_once('-')?;
    let last = match last {
        "" => u64::MAX,
        last => parse_decimal(last)?,
    };
    Some(Some(parse_decimal(first)?..=last))
}

impl LogKeys {
    /// These keys, newest first.
    ///
    /// # Errors
    /// If there are none, too many, or of different names.
    pub fn new(keys: Vec<LogKey>) -> Result<Self, LogKeysError> {
        if keys.is_empty() || keys.len() > LOG_KEYS_MAX {
            return Err(LogKeysError::Count);
        }
        if keys.iter().any(|it| it.key.name() != keys[0].key.name()) {
            return Err(LogKeysError::Names);
        }
        Ok(Self(keys))
    }

    /// The log's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0[0].key.name()
    }

    /// All of them, newest first.
    #[must_use]
    pub fn all(&self) -> &[LogKey] {
        &self.0
    }

    /// One of them.
    #[must_use]
    pub fn find(&self, key: &VerifierKey) -> Option<&LogKey> {
        self.0.iter().find(|it| it.key == *key)
    }

    /// The same keys, each announced as in another list.
    #[must_use]
    pub fn announced_as_in(mut self, other: &Self) -> Self {
        for key in &mut self.0 {
            if let Some(found) = other.find(&key.key) {
                key.announced.clone_from(&found.announced);
            }
        }
        self
    }

    /// Reads a signed checkpoint of this log: one of its keys signed it, and signs that size.
    ///
    /// # Errors
    /// As [`Checkpoint::open`], and where the only keys that signed it do not sign that size.
    pub fn open(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        let mut refused = CheckpointError::Note(NoteError::NotSignedByKey);
        for key in &self.0 {
            match Checkpoint::open(note, &key.key) {
                Ok(checkpoint) if key.signs(checkpoint.size) => return Ok(checkpoint),
                Ok(checkpoint) => {
                    let size = checkpoint.size;
                    refused = CheckpointError::KeyNotInForce { size };
                }
                Err(CheckpointError::Note(NoteError::NotSignedByKey)) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

impl From<VerifierKey> for LogKeys {
    fn from(key: VerifierKey) -> Self {
        Self(vec![LogKey::of_all_sizes(key)])
    }
}

impl FromStr for LogKeys {
    type Err = LogKeysError;

    fn from_str(text: &str) -> Result<Self, LogKeysError> {
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let keys = lines.map(|(number, line)| LogKey::parse(line, number + 1));
        Self::new(keys.collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        match &self.sizes {
            Some(sizes) if *sizes == (0..=u64::MAX) && self.announced.is_empty() => {}
            Some(sizes) if *sizes.end() == u64::MAX => write!(f, " {}-", sizes.start())?,
            Some(sizes) => write!(f, " {}-{}", sizes.start(), sizes.end())?,
            None => write!(f, " {WITHDRAWN}")?,
        }
        if self.announced.is_empty() {
            return Ok(());
        }
        write!(f, " {}", STANDARD.encode(&self.announced))
    }
}

impl fmt::Display for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|key| writeln!(f, "{key}"))
    }
}
