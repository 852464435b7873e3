//! Enrolling and finding learners. Learners are written beside the log, because a log that kept their keys would undo
//! an erasure.

use creditbank_domain::Refusal;
use creditbank_domain::identifier::{DocumentKind, IdentityDocument, LearnerCode};
use creditbank_domain::text::PersonName;
use creditbank_store::{Damage, Enrolment, LearnerRow, StoreError};
use creditbank_wire::v1;
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::Sha256;

use crate::bank::Bank;
use crate::vault::fill;

const IDENTITY_CONTEXT: &[u8] = b"creditbank/identity/v1\n";

/// An identity to be resolved or enrolled.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) document: IdentityDocument,
    pub(crate) name: Option<PersonName>,
}

/// A learner, and whether this call opened the archive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolved {
    pub(crate) learner: LearnerCode,
    pub(crate) created: bool,
}

/// Who a learner is, opened.
pub(crate) struct Profile {
    /// The code that remains after merges.
    pub(crate) learner: LearnerCode,
    /// As in the document; may be empty.
    pub(crate) name: String,
    pub(crate) documents: Vec<Document>,
}

/// An identity document: kind on the wire, and number as it is printed.
pub(crate) struct Document {
    pub(crate) kind: i32,
    pub(crate) number: String,
}

impl Bank {
    /// Name and documents of a learner, of all codes of the archive.
    pub(crate) fn profile(
        &self,
        learner: LearnerCode,
    ) -> Result<Result<Profile, Refusal>, StoreError> {
        let codes = match self.archive_codes(learner)? {
            Ok(codes) => codes,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let damaged = || StoreError::Damaged(Damage::Row("learners"));
        let mut profile = Profile {
            learner: codes.first().copied().unwrap_or(learner),
            name: String::new(),
            documents: Vec::new(),
        };
        for code in codes {
            let (row, key) = (
                self.store().learner(code.as_u64())?,
                self.learner_key(code)?,
            );
            let (Some(row), Ok(key)) = (row, key) else {
                return Ok(Err(Refusal::LearnerUnknown));
            };
            let opened = key.open_profile(&row.sealed_profile);
            let opened = opened.map_err(|_| damaged())?;
            let opened = v1::EnrolLearnerRequest::decode(&opened[..]).map_err(|_| damaged())?;
            if profile.name.is_empty() {
                profile.name = opened.name;
            }
            profile.documents.extend(opened.identity.map(|it| Document {
                kind: it.kind,
                number: printed(it.kind, &it.number).to_owned(),
            }));
        }
        Ok(Ok(profile))
    }

    /// Resolves identities in order; enrols those that are not known, if asked. One synced write for all of them.
    pub(crate) fn resolve(
        &self,
        rows: Vec<Result<Identified, Refusal>>,
        enrol_missing: bool,
    ) -> Result<Vec<Result<Resolved, Refusal>>, StoreError> {
        let _one_at_a_time = self
            .enrolling
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut enrolments: Vec<Enrolment> = Vec::new();
        let mut keys = Vec::new();
        let mut results = Vec::with_capacity(rows.len());
        let mut fresh = std::collections::HashMap::new();
        for row in rows {
            let row = match row {
                Ok(row) => row,
                Err(refusal) => {
                    results.push(Err(refusal));
                    continue;
                }
            };
            let digest = self.digest(&row.document);
            if let Some(learner) = fresh.get(&digest) {
                results.push(Ok(Resolved {
                    learner: *learner,
                    created: false,
                }));
                continue;
            }
            results.push(match self.store().learner_by_identity(&digest)? {
                // The document's own code, merged or not: the same file imported again makes the same records.
                Some(code) => LearnerCode::from_u64(code).map(|learner| Resolved {
                    learner,
                    created: false,
                }),
                None if !enrol_missing => Err(Refusal::LearnerUnknown),
                None => {
                    let learner = self.new_code()?;
                    let (key, enrolment) = self.enrolment(learner, digest, &row);
                    fresh.insert(digest, learner);
                    keys.push((learner.as_u64(), key));
                    enrolments.push(enrolment);
                    Ok(Resolved {
                        learner,
                        created: true,
                    })
                }
            });
        }
        if !enrolments.is_empty() {
            self.store().enrol(&enrolments)?;
            keys.into_iter()
                .for_each(|(learner, key)| self.remember(learner, key));
        }
        Ok(results)
    }

    /// All codes of the archive that a code belongs to, the surviving one first.
    pub(crate) fn archive_codes(
        &self,
        learner: LearnerCode,
    ) -> Result<Result<Vec<LearnerCode>, Refusal>, StoreError> {
        let account = match self.account(learner)? {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(codes) = account.codes.get() {
            return Ok(Ok(codes.clone()));
        }
        let codes = self.read_codes(learner)?;
        Ok(codes.map(|codes| account.codes.get_or_init(|| codes).clone()))
    }

    fn read_codes(
        &self,
        learner: LearnerCode,
    ) -> Result<Result<Vec<LearnerCode>, Refusal>, StoreError> {
        let Some(row) = self.store().learner(learner.as_u64())? else {
            return Ok(Err(Refusal::LearnerUnknown));
        };
        let (survivor, row) = match row.merged_into {
            Some(survivor) => (survivor, self.store().learner(survivor)?),
            None => (learner.as_u64(), Some(row)),
        };
        let Some(row) = row else {
            return Ok(Err(Refusal::LearnerUnknown));
        };
        Ok(std::iter::once(survivor)
            .chain(row.merged)
            .map(LearnerCode::from_u64)
            .collect())
    }

    /// A document is found only under the bank's key: an 18-digit number hashed without one can be guessed.
    pub(crate) fn digest(&self, document: &IdentityDocument) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(self.identity_key()).expect("HMAC takes any key");
        let mac = mac
            .chain_update(IDENTITY_CONTEXT)
            .chain_update(document.canonical());
        mac.finalize().into_bytes().into()
    }

    fn new_code(&self) -> Result<LearnerCode, StoreError> {
        loop {
            let mut bytes = [0; 8];
            fill(&mut bytes);
            let number = u64::from_be_bytes(bytes) % LearnerCode::NUMBERS;
            let Ok(code) = LearnerCode::from_random(number) else {
                continue;
            };
            if self.store().learner(code.as_u64())?.is_none() {
                return Ok(code);
            }
        }
    }

    fn enrolment(
        &self,
        learner: LearnerCode,
        digest: [u8; 32],
        row: &Identified,
    ) -> (std::sync::Arc<crate::vault::DataKey>, Enrolment) {
        let (key, wrapped_key) = self.key_encryption().new_data_key(learner.as_u64());
        let mut handle = [0; 16];
        fill(&mut handle);
        let profile = v1::EnrolLearnerRequest {
            identity: Some(v1::Identity {
                kind: row.document.kind().number() as i32,
                number: row.document.canonical(),
                issuer: String::new(),
            }),
            name: row
                .name
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        };
        let sealed_profile = key.seal_profile(&profile.encode_to_vec());
        let learner_row = LearnerRow {
            handle,
            merged_into: None,
            merged: Vec::new(),
            identities: vec![digest],
            sealed_profile,
        };
        (
            key,
            Enrolment {
                learner: learner.as_u64(),
                row: learner_row,
                wrapped_key,
            },
        )
    }
}

/// The number in the canonical form of a document: the kind stands before it, and of a passport or a student number also
/// the country or institution.
pub(crate) fn printed(kind: i32, canonical: &str) -> &str {
    let kinds = [DocumentKind::Passport, DocumentKind::StudentNumber];
    let parts = 2 + usize::from(kinds.iter().any(|it| it.number().cast_signed() == kind));
    canonical.splitn(parts, ':').last().unwrap_or(canonical)
}
