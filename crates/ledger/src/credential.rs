//! Credentials: records of an archive as a learner takes them away, and the lists that say which hold no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use creditbank_client::receipt::receipt_text;
use creditbank_credential::status::{self, EncodedList};
use creditbank_credential::{
    BaseUrl, CredentialError, Institution, Issuer, Record, STATUS_LIST_BITS, StatusPurpose, badge,
    clr,
};
use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::RecordKind;
use creditbank_domain::text::Label;
use creditbank_domain::{Fault, InstitutionId, LeafIndex, Outcome, Refusal};
use creditbank_store::{Damage, StoreError};
use creditbank_wire::v1;
use jiff::Timestamp;
use quick_cache::sync::Cache;

use crate::archive::{Archive, Found};
use crate::bank::Bank;
use crate::clock;
use crate::recognition::outcome_in;

/// Encoded lists kept: 131,072 leaves each, for either purpose.
const LISTS_CACHED: usize = 256;
/// Signed lists kept: one for each list, purpose and address of the public pages.
const SIGNED_CACHED: usize = 1024;
/// How long a signed list is given out, in milliseconds; it holds for five minutes.
const SIGNED_MS_MAX: u64 = 60_000;

/// Why no credential was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something is refused.
    #[error(transparent)]
    Refused(#[from] Fault),
    /// A fault of this program.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

/// What a bank is called in credentials.
#[derive(Debug, Clone, Default)]
pub struct Names {
    zh: Option<Label>,
    en: Option<Label>,
}

impl Names {
    /// From settings; none where a bank has no name in that language.
    ///
    /// # Errors
    /// A name is too long, blank or holds control characters.
    pub fn new(zh: Option<&str>, en: Option<&str>) -> Result<Self, Refusal> {
        Ok(Self {
            zh: zh.map(Label::parse).transpose()?,
            en: en.map(Label::parse).transpose()?,
        })
    }
}

impl Bank {
    /// The bank's Chinese and English name; where it has one, that stands for both, and else its log's origin.
    pub(crate) fn name(&self) -> (&str, &str) {
        let names = self.names();
        let (zh, en) = (names.zh.as_ref(), names.en.as_ref());
        (
            zh.or(en).map_or(self.origin(), Label::as_str),
            en.or(zh).map_or(self.origin(), Label::as_str),
        )
    }

    fn issuer(&self) -> Result<Issuer<'_>, Fault> {
        let key = self.credential_key();
        Ok(Issuer {
            key: key.ok_or_else(|| Refusal::CredentialsNotConfigured.at(""))?,
            origin: self.origin(),
            name: self.name().0,
        })
    }
}

/// What credentials are asked for.
pub(crate) struct Order<'a> {
    pub(crate) learner: LearnerCode,
    pub(crate) form: Form,
    /// Ascending; one for an Open Badge.
    pub(crate) leaves: &'a [u64],
    pub(crate) base: &'a BaseUrl,
}

/// The form of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    OpenBadge,
    Clr,
}

/// Makes a credential of records of one learner, all from one head.
pub(crate) fn issue(bank: &Bank, order: &Order<'_>) -> Result<String, IssueError> {
    let issuer = bank.issuer()?;
    let archive = Archive::open(bank, bank.head(), order.learner, None)?;
    let archive = archive.map_err(|refusal| refusal.at("learner"))?;
    let proved = order.leaves.iter().enumerate().map(|(place, leaf)| {
        let field = || format!("leaf_indexes[{place}]");
        prove(&archive, LeafIndex(*leaf))?.map_err(|refusal| IssueError::from(refusal.at(field())))
    });
    let proved = proved.collect::<Result<Vec<_>, IssueError>>()?;
    let records: Vec<_> = proved
        .iter()
        .map(|proved| proved.record(order.learner))
        .collect();
    let created = now();
    let json = match (order.form, records.as_slice()) {
        (Form::OpenBadge, [record]) => {
            badge::issue(&issuer, order.base, record, created)?.to_json()?
        }
        _ => clr::issue(&issuer, order.base, order.learner, &records, created)?.to_json()?,
    };
    Ok(json)
}

fn now() -> Timestamp {
    at(clock::now_ms())
}

fn at(ms: u64) -> Timestamp {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// A record in force, with what proves it.
struct Proved {
    found: Found,
    issuer: InstitutionId,
    issuer_name: String,
    outcome: Outcome,
    receipt: String,
}

impl Proved {
    fn record(&self, learner: LearnerCode) -> Record<'_> {
        Record {
            learner,
            leaf: self.found.index,
            institution: Institution {
                id: &self.issuer,
                name: &self.issuer_name,
            },
            deposited_at: at(self.found.header.deposited_at_ms),
            outcome: &self.outcome,
            receipt: &self.receipt,
            salt: &self.found.opened.salt,
            payload: &self.found.opened.payload,
        }
    }
}

/// The record of an outcome at `leaf`, if it is of this archive and in force.
fn prove(archive: &Archive, leaf: LeafIndex) -> Result<Result<Proved, Refusal>, StoreError> {
    let Some(found) = archive.find(leaf)? else {
        return Ok(Err(Refusal::RecordUnknown));
    };
    if !found.header.kind.shows_outcome() {
        return Ok(Err(Refusal::RecordUnknown));
    }
    if found.state != v1::RecordState::Active {
        return Ok(Err(Refusal::RecordNotInForce));
    }
    let damaged = || StoreError::Damaged(Damage::Row("vault"));
    let outcome = outcome_in(&found.opened.payload).ok_or_else(damaged)?;
    let issuer = archive.head.registry.by_number(found.header.issuer);
    let profile = &issuer.ok_or_else(damaged)?.profile;
    let receipt = archive.head.receipt(leaf)?;
    Ok(Ok(Proved {
        issuer: profile.id.clone(),
        issuer_name: profile.display_name.clone(),
        outcome,
        receipt: receipt_text(&receipt).map_err(|_| damaged())?,
        found,
    }))
}

/// Which list is asked for.
pub(crate) type ListKey = (bool, u64);

/// Status lists that were made, so that asking for them costs the bank next to nothing: bits are encoded again only after a
/// record was amended or revoked, and signed again only then or after a minute.
pub(crate) struct Lists {
    /// Grows with every commit that ends a record, once it can be read.
    changes: AtomicU64,
    encoded: Cache<ListKey, (u64, Arc<EncodedList>)>,
    signed: Cache<(ListKey, BaseUrl), Made>,
}

#[derive(Clone)]
struct Made {
    changes: u64,
    at_ms: u64,
    json: Arc<str>,
}

impl Lists {
    pub(crate) fn new() -> Self {
        Self {
            changes: AtomicU64::new(0),
            encoded: Cache::new(LISTS_CACHED),
            signed: Cache::new(SIGNED_CACHED),
        }
    }

    /// A record was amended or revoked, and the published head shows it.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// The signed status list number `list`.
pub(crate) fn status_list(
    bank: &Bank,
    purpose: StatusPurpose,
    list: u64,
    base: &BaseUrl,
) -> Result<Arc<str>, IssueError> {
    let issuer = bank.issuer()?;
    let lists = bank.lists();
    // Read before the head: what is made of a newer head than it says is only made again once more.
    let changes = lists.changes.load(Ordering::Acquire);
    let now_ms = clock::now_ms();
    let which = (purpose == StatusPurpose::Refresh, list);
    let place = (which, base.clone());
    let is_fresh =
        |made: &Made| made.changes == changes && now_ms.saturating_sub(made.at_ms) < SIGNED_MS_MAX;
    if let Some(made) = lists.signed.get(&place).filter(is_fresh) {
        return Ok(made.json);
    }
    let bits = encoded(bank, which, changes)?;
    let signed = status::issue(&issuer, base, (purpose, list), &bits, at(now_ms))?;
    let json: Arc<str> = signed.to_json()?.into();
    let made = Made {
        changes,
        at_ms: now_ms,
        json: Arc::clone(&json),
    };
    lists.signed.insert(place, made);
    Ok(json)
}

fn encoded(bank: &Bank, which: ListKey, changes: u64) -> Result<Arc<EncodedList>, IssueError> {
    let cached = bank.lists().encoded.get(&which);
    if let Some((_, bits)) = cached.filter(|(made, _)| *made == changes) {
        return Ok(bits);
    }
    let (refresh_only, list) = which;
    let head = bank.head();
    let first = list.checked_mul(STATUS_LIST_BITS);
    let first = first.filter(|first| *first < head.row.size);
    let first = first.ok_or_else(|| Refusal::StatusListUnknown.at("list"))?;
    let ended = head.snapshot.ended(first..first + STATUS_LIST_BITS)?;
    let set = ended
        .into_iter()
        .filter(|(_, kind)| !refresh_only || *kind == RecordKind::Amendment as u8)
        .map(|(leaf, _)| leaf.0 - first);
    let bits = Arc::new(status::encode(set)?);
    let made = (changes, Arc::clone(&bits));
    bank.lists().encoded.insert(which, made);
    Ok(bits)
}
