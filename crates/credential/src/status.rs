//! Which credentials hold no longer: a Bitstring Status List (W3C), one bit a leaf.
//!
//! A list stands for 131,072 leaves, the fewest that a list may have, so that asking for one tells nobody which credential
//! was looked at. The bit is read by the index in the credential; a verifier that only checks the list's signature has
//! checked nothing.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_domain::LeafIndex;
use flate2::{Compression, GzBuilder};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::base_url::BaseUrl;
use crate::context::CREDENTIALS_V2;
use crate::proof::{Credential, Issuer, Signed};
use crate::{CredentialError, time};

/// Bits of one list.
pub const STATUS_LIST_BITS: u64 = 131_072;
/// How long a list may be kept, in milliseconds; also how long before it was made it holds, for clocks that are behind.
pub const TTL_MS: u32 = 300_000;
const HOLDS: SignedDuration = SignedDuration::from_millis(TTL_MS as i64);

const CONTEXT: [&str; 1] = [CREDENTIALS_V2];

/// What a bit that is set means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusPurpose {
    /// Revoked, or amended: the credential does not hold any longer.
    Revocation,
    /// Amended: a newer one can be had.
    Refresh,
}

impl StatusPurpose {
    /// As the standard and the address name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Refresh => "refresh",
        }
    }
}

/// Where a list is read: `{base}/v1/status/{purpose}/{list}`.
#[must_use]
pub fn list_url(base: &BaseUrl, purpose: StatusPurpose, list: u64) -> String {
    format!("{base}/v1/status/{}/{list}", purpose.name())
}

/// `credentialStatus` of a credential.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusEntry {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status_purpose: &'static str,
    status_list_index: String,
    status_list_credential: String,
}

impl StatusEntry {
    /// Where to read whether the credential of `leaf` still holds. The schema of Open Badges admits one entry alone, so
    /// it is that of revocation.
    pub(crate) fn new(base: &BaseUrl, leaf: LeafIndex) -> Self {
        let purpose = StatusPurpose::Revocation;
        let list = list_url(base, purpose, leaf.0 / STATUS_LIST_BITS);
        let index = leaf.0 % STATUS_LIST_BITS;
        Self {
            id: format!("{list}#{index}"),
            kind: "BitstringStatusListEntry",
            status_purpose: purpose.name(),
            status_list_index: index.to_string(),
            status_list_credential: list,
        }
    }
}

/// `BitstringStatusListCredential`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusList {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 2],
    /// The DID alone: the types of Open Badges mean nothing under this context, and would not be signed.
    issuer: String,
    valid_from: String,
    valid_until: String,
    credential_subject: StatusListSubject,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusListSubject {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status_purpose: &'static str,
    ttl: u32,
    encoded_list: String,
}

impl Credential for StatusList {
    fn contexts(&self) -> &'static [&'static str] {
        &CONTEXT
    }
}

/// The bits of a list as it carries them.
#[derive(Clone, Debug)]
pub struct EncodedList(String);

/// Signs list number `list`, whose bits are `bits`.
///
/// # Errors
/// Only faults of this program.
pub fn issue(
    issuer: &Issuer<'_>,
    base: &BaseUrl,
    (purpose, list): (StatusPurpose, u64),
    bits: &EncodedList,
    created: Timestamp,
) -> Result<Signed<StatusList>, CredentialError> {
    let id = list_url(base, purpose, list);
    let credential = StatusList {
        context: CONTEXT,
        id: id.clone(),
        kind: ["VerifiableCredential", "BitstringStatusListCredential"],
        issuer: issuer.did(),
        valid_from: time::utc(created.checked_sub(HOLDS)?)?,
        valid_until: time::utc(created.checked_add(HOLDS)?)?,
        credential_subject: StatusListSubject {
            id: format!("{id}#list"),
            kind: "BitstringStatusList",
            status_purpose: purpose.name(),
            ttl: TTL_MS,
            encoded_list: bits.0.clone(),
        },
    };
    Signed::new(credential, issuer, created)
}

/// Multibase base64url of the compressed bits, of which those of `set` are set, counted from the list's first leaf; bit 0 is
/// the highest of the first byte.
///
/// # Errors
/// A bit outside the list.
pub fn encode(set: impl IntoIterator<Item = u64>) -> Result<EncodedList, CredentialError> {
    let mut bits = vec![0_u8; (STATUS_LIST_BITS / 8) as usize];
    for bit in set {
        let byte = usize::try_from(bit / 8)
            .ok()
            .and_then(|byte| bits.get_mut(byte))
            .ok_or(CredentialError::StatusBit(bit))?;
        *byte |= 0x80 >> (bit % 8);
    }
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    gzip.write_all(&bits)?;
    let text = URL_SAFE_NO_PAD.encode(gzip.finish()?);
    Ok(EncodedList(format!("u{text}")))
}
