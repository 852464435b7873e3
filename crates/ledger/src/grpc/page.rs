//! Page sizes and page tokens. A token names a place in the log, so it stays right while new records come.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_domain::Refusal;
use sha2::{Digest, Sha256};

/// Most items of any page.
pub(crate) const PAGE_MAX: u32 = 1000;

/// The page size that was asked for: 0 means `default`, more than the most is refused.
pub(crate) fn size(asked: u32, default: u32) -> Result<usize, Refusal> {
    size_up_to(asked, default, PAGE_MAX)
}

/// The same, where the most is less.
pub(crate) fn size_up_to(asked: u32, default: u32, max: u32) -> Result<usize, Refusal> {
    match asked {
        0 => Ok(default as usize),
        asked if asked <= max => Ok(asked as usize),
        _ => Err(Refusal::OutOfRange {
            min: 0,
            max: i64::from(max),
        }),
    }
}

/// What a token is good for: the same question again.
pub(crate) struct Query([u8; 8]);

impl Query {
    /// Everything of the question but page size and token.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
        let digest: [u8; 32] = sha.finalize().into();
        Self(*digest.first_chunk().expect("32 bytes"))
    }

    /// A token for going on at `place`.
    pub(crate) fn token(&self, place: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode([&self.0, place].concat())
    }

    /// The place that a token names; `None` for the first page.
    pub(crate) fn place(&self, token: &str) -> Result<Option<Vec<u8>>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Refusal::PageTokenInvalid)?;
        match bytes.split_first_chunk::<8>() {
            Some((query, place)) if *query == self.0 => Ok(Some(place.to_vec())),
            _ => Err(Refusal::PageTokenInvalid),
        }
    }

    /// A place that is a number.
    pub(crate) fn number(&self, token: &str) -> Result<Option<u64>, Refusal> {
        let number = |place: Vec<u8>| {
            place
                .try_into()
                .map(u64::from_be_bytes)
                .map_err(|_| Refusal::PageTokenInvalid)
        };
        self.place(token)?.map(number).transpose()
    }
}
