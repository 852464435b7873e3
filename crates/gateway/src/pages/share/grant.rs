//! A grant, and a look, as pages show them.

use creditbank_client::ClientError;
use creditbank_wire::v1;

use crate::failure::Failure;
use crate::frame::Frame;
use crate::{clock, show};

/// What kind of grant it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Share,
    Paper,
    Relative,
}

/// A grant as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// To whom, or what.
    pub(crate) title: String,
    /// What for, or how far.
    pub(crate) purpose: String,
    /// Records of a share; 0 for the others.
    pub(super) records: u64,
    pub(super) with_name: bool,
    pub(crate) created: String,
    pub(crate) expires: String,
    pub(crate) is_open: bool,
    pub(super) withdrawn: Option<String>,
    pub(super) looks: u64,
    pub(super) last_look: Option<String>,
    /// At whose window it was made; empty where the learner made it.
    pub(super) window: String,
}

impl Card {
    /// One of the learner's own; nothing for a kind that is not known here.
    pub(crate) fn of(f: &Frame, grant: &v1::Grant) -> Option<Self> {
        use v1::grant::Content;
        let (kind, title, purpose, records, with_name) = match grant.content.as_ref()? {
            Content::Share(it) => (
                Kind::Share,
                it.recipient.clone(),
                it.purpose.clone(),
                it.leaf_indexes.len() as u64,
                it.with_name,
            ),
            Content::PrintedCode(it) => (
                Kind::Paper,
                f.t("share-paper"),
                purpose(f, it.purpose),
                0,
                false,
            ),
            Content::Delegation(it) => (
                Kind::Relative,
                it.label.clone(),
                scope(f, it.scope),
                0,
                false,
            ),
        };
        Some(Self {
            id: show::hex(&grant.grant_id),
            kind,
            title,
            purpose,
            records,
            with_name,
            created: show::moment(grant.created_at_ms),
            expires: show::moment(grant.expires_at_ms),
            is_open: is_open(grant, clock::now_ms()),
            withdrawn: grant.withdrawn_at_ms.map(show::moment),
            looks: grant.looks,
            last_look: grant.last_look_at_ms.map(show::moment),
            window: grant.window.clone(),
        })
    }
}

/// Whether a grant can still be used.
pub(super) fn is_open(grant: &v1::Grant, now_ms: u64) -> bool {
    grant.withdrawn_at_ms.is_none() && now_ms < grant.expires_at_ms
}

/// What a desk is shown.
fn purpose(f: &Frame, purpose: i32) -> String {
    match v1::DeskPurpose::try_from(purpose).unwrap_or_default() {
        v1::DeskPurpose::CheckIn => f.t("share-desk-check-in"),
        v1::DeskPurpose::Totals => f.t("share-desk-totals"),
        v1::DeskPurpose::Records => f.t("share-desk-records"),
        v1::DeskPurpose::Unspecified => String::new(),
    }
}

/// How far a relative may go, in a word.
pub(super) fn scope(f: &Frame, scope: i32) -> String {
    match v1::DelegationScope::try_from(scope).unwrap_or_default() {
        v1::DelegationScope::Act => f.t("share-scope-act"),
        v1::DelegationScope::View | v1::DelegationScope::Unspecified => f.t("share-scope-view"),
    }
}

/// That somebody looked.
pub(super) struct LookRow {
    pub(super) at: String,
    pub(super) who: String,
    pub(super) purpose: String,
    /// Its grant, 32 hexadecimal digits; empty for a code shown on a phone.
    pub(super) grant: String,
}

impl LookRow {
    pub(super) fn of(f: &Frame, look: &v1::Look) -> Self {
        Self {
            at: show::moment(look.at_ms),
            who: look.who.clone(),
            purpose: purpose(f, look.purpose),
            grant: show::hex(&look.grant_id),
        }
    }
}

/// The id of a grant as addresses have it.
pub(super) fn id(text: &str) -> Result<[u8; 16], Failure> {
    show::from_hex(text).ok_or(Failure::NotFound)
}

/// A grant that there is not and one of somebody else have one answer.
pub(super) fn unknown_is_nothing(error: ClientError) -> Failure {
    match error.code() {
        Some("GRANT_UNKNOWN") => Failure::NotFound,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use creditbank_wire::v1;

    use super::is_open;

    #[test]
    fn a_grant_ends_when_it_is_withdrawn_or_its_time_is_over() {
        let grant = |withdrawn_at_ms| v1::Grant {
            expires_at_ms: 1_000,
            withdrawn_at_ms,
            ..Default::default()
        };
        assert!(is_open(&grant(None), 999));
        assert!(!is_open(&grant(None), 1_000));
        assert!(!is_open(&grant(Some(5)), 999));
    }
}
