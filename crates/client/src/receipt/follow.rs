//! From the keys of a log that somebody knows to those that took over since, without asking anybody but the log.
//!
//! A bank announces each key of its log by a statement in that log, under a checkpoint that the key before has signed; the
//! list that it publishes carries the receipts. So who trusts one key comes to trust the next. That way is only as good as
//! the key it starts from: a thief of it announces what he likes, and a key that was withdrawn vouches for nothing.

use creditbank_domain::InstitutionId;
use creditbank_domain::record::{KeyPurpose, Statement};
use creditbank_merkle::{LogKey, LogKeys, LogKeysError};
use creditbank_wire::convert::record::{canonical, statement};
use creditbank_wire::v1::{self, RecordKind};
use prost::Message as _;

use super::Verifier;

/// Why a list of keys is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// The lists are of two logs.
    #[error("these are the keys of the log {shown}, not of {known}")]
    OtherLog {
        /// The log of the known keys.
        known: String,
        /// The log of the list.
        shown: String,
    },
    /// No known key is in the list, or all of them are withdrawn there.
    #[error("none of the known keys still stands in the list")]
    Unrelated,
    /// A key that no key before it announces.
    #[error(
        "no known key announces {0}: get it over another channel, such as a call to the bank's operator"
    )]
    NotAnnounced(String),
    /// Too many keys.
    #[error(transparent)]
    Keys(#[from] LogKeysError),
}

/// The list that is shown, once every key of it is known or announced by one that is. What is known of the sizes that a key
/// signs can only become less; a known key that the list leaves out stays.
///
/// # Errors
/// The first key that nothing leads to.
pub fn follow(known: &LogKeys, shown: &LogKeys) -> Result<LogKeys, NotFollowed> {
    if known.name() != shown.name() {
        let [known, shown] = [known, shown].map(|it| it.name().to_owned());
        return Err(NotFollowed::OtherLog { known, shown });
    }
    let mut trusted: Vec<LogKey> = known.all().to_vec();
    for key in &mut trusted {
        if let Some(found) = shown.find(&key.key) {
            narrow(key, found);
        }
    }
    let stands = |key: &LogKey| key.sizes.is_some() && shown.find(&key.key).is_some();
    if !trusted.iter().any(stands) {
        return Err(NotFollowed::Unrelated);
    }
    for key in shown.all().iter().rev() {
        if known.find(&key.key).is_some() {
            continue;
        }
        if !is_announced(key, &LogKeys::new(trusted.clone())?) {
            return Err(NotFollowed::NotAnnounced(key.key.to_string()));
        }
        trusted.insert(0, key.clone());
    }
    Ok(LogKeys::new(trusted)?)
}

fn narrow(known: &mut LogKey, shown: &LogKey) {
    known.sizes = known.sizes.take().and_then(|known| {
        let shown = shown.sizes.as_ref()?;
        let both = *known.start().max(shown.start())..=*known.end().min(shown.end());
        (!both.is_empty()).then_some(both)
    });
}

/// Whether the receipt of a key is that of the bank's statement which admits just this key to its log, and holds under keys
/// that are trusted already.
fn is_announced(key: &LogKey, trusted: &LogKeys) -> bool {
    let Ok(receipt) = v1::Receipt::decode(&key.announced[..]) else {
        return false;
    };
    let verified = Verifier::new(trusted.clone()).verify_receipt(&receipt, None);
    let Some(record) = verified.ok().and_then(|it| it.records.into_iter().next()) else {
        return false;
    };
    let stated = canonical(&record.statement).and_then(statement);
    let is_it = matches!(
        stated,
        Ok(Statement::KeyAdmitted { institution, key: admitted })
            if institution.is_bank()
                && admitted.purpose == KeyPurpose::Log
                && admitted.bytes == key.key.key().to_bytes()
    );
    let first = key.sizes.as_ref().map(|sizes| *sizes.start());
    is_it
        && record.kind == RecordKind::Statement
        && *record.issuer == *InstitutionId::BANK
        && first.is_none_or(|first| first > record.leaf_index)
}
