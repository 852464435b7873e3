//! Many records as one Comprehensive Learner Record: Open Badges inside, each with its own proofs, and proofs around all.

use creditbank_domain::LearnerCode;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::CredentialError;
use crate::badge::{self, Badge, Record};
use crate::base_url::BaseUrl;
use crate::context::{CLR, CREDENTIALS_V2, OPEN_BADGES};
use crate::identity::{self, Identity};
use crate::proof::{Credential, Issuer, Profile, Signed};

/// Most Open Badges in one CLR.
pub const CLR_MEMBERS_MAX: usize = 100;

const CONTEXT: [&str; 3] = [CREDENTIALS_V2, CLR, OPEN_BADGES];
const ID_CONTEXT: &[u8] = b"creditbank/clr/v1\n";

/// `ClrCredential`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Clr {
    #[serde(rename = "@context")]
    context: [&'static str; 3],
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 2],
    name: &'static str,
    issuer: Profile,
    valid_from: String,
    awarded_date: String,
    credential_subject: ClrSubject,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClrSubject {
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    identifier: [Identity; 1],
    verifiable_credential: Vec<Signed<Badge>>,
}

impl Credential for Clr {
    fn contexts(&self) -> &'static [&'static str] {
        &CONTEXT
    }
}

/// Signs records of one learner, 1 to [`CLR_MEMBERS_MAX`], as a CLR.
///
/// It does not say whether the archive has more: our processor drops the term `partial`, which is declared with a data type
/// that is no address, and what is dropped is not signed. It holds from the deposit of its youngest record. It has no status of its own: that of each member counts.
///
/// # Errors
/// [`CredentialError::Members`]; otherwise faults of this program.
pub fn issue(
    issuer: &Issuer<'_>,
    base: &BaseUrl,
    learner: LearnerCode,
    records: &[Record<'_>],
    created: Timestamp,
) -> Result<Signed<Clr>, CredentialError> {
    if !(1..=CLR_MEMBERS_MAX).contains(&records.len()) {
        return Err(CredentialError::Members);
    }
    let members = records
        .iter()
        .map(|record| badge::issue(issuer, base, record, created))
        .collect::<Result<Vec<_>, _>>()?;
    let valid_from = members
        .iter()
        .map(|member| member.credential().valid_from())
        .max()
        .unwrap_or_default()
        .to_owned();
    let salts: Vec<[u8; 32]> = records.iter().map(|record| *record.salt).collect();
    let clr = Clr {
        context: CONTEXT,
        id: issuer.urn(&["clr", &id(records)]),
        kind: ["VerifiableCredential", "ClrCredential"],
        name: "学习成果记录 Comprehensive Learner Record",
        issuer: issuer.profile(),
        awarded_date: valid_from.clone(),
        valid_from,
        credential_subject: ClrSubject {
            kind: ["ClrSubject"],
            identifier: [Identity::of(learner, &salts)],
            verifiable_credential: members,
        },
    };
    Signed::new(clr, issuer, created)
}

/// A name for these records together that tells nothing about them.
fn id(records: &[Record<'_>]) -> String {
    let mut hasher = Sha256::new().chain_update(ID_CONTEXT);
    for record in records {
        hasher.update(record.leaf.0.to_be_bytes());
        hasher.update(record.salt);
    }
    identity::hex(&hasher.finalize()[..16])
}
