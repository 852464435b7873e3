//! `record.proto`: envelopes, payloads, statements and leaves.
//!
//! Parsing is the admission rule of canonical bytes: decode, encode again, compare. Nothing that was parsed is ever
//! encoded again to be hashed or served.

use creditbank_domain::identifier::{
    InstitutionId, LearnerCode, RecordId, RegionCode, SchoolCode, UnifiedSocialCreditCode,
};
use creditbank_domain::record::{
    Algorithm, Envelope, EnvelopeContent, FORMAT_VERSION, InstitutionProfile, KeyId, KeyPurpose,
    Payload, PayloadContent, PublicKey, RecordKind, RecordRef, Role, Statement,
};
use creditbank_domain::text::Label;
use creditbank_domain::{Category, Digest32, Fault, Faults, LeafIndex, Refusal};
use jiff::civil::Date;
use prost::Message;

use super::{catalogue, outcome, points, recognition, reconciliation, transfer};
use crate::v1;

/// Decodes canonical bytes: whatever would be written differently is refused.
pub fn canonical<M: Message + Default>(bytes: &[u8]) -> Result<M, Refusal> {
    let message = M::decode(bytes).map_err(|_| Refusal::NotCanonical)?;
    if message.encoded_len() != bytes.len() {
        return Err(Refusal::NotCanonical);
    }
    let mut again = Vec::with_capacity(bytes.len());
    message
        .encode(&mut again)
        .map_err(|_| Refusal::NotCanonical)?;
    if again == bytes {
        Ok(message)
    } else {
        Err(Refusal::NotCanonical)
    }
}

/// Parses an envelope of `issuer`.
pub fn envelope(bytes: &[u8], issuer: &str) -> Result<Envelope, Fault> {
    let message: v1::Envelope = canonical(bytes).map_err(|refusal| refusal.at("envelope"))?;
    let at = |field: &str, refusal: Refusal| refusal.at(format!("envelope.{field}"));
    if message.version != FORMAT_VERSION {
        return Err(at(
            "version",
            Refusal::UnknownVersion {
                version: message.version,
            },
        ));
    }
    if message.issuer != issuer {
        return Err(at("issuer", Refusal::IssuerMismatch));
    }
    let record_id =
        RecordId::from_slice(&message.record_id).map_err(|refusal| at("record_id", refusal))?;
    let rule_set_hash =
        optional_digest(&message.rule_set_hash).map_err(|refusal| at("rule_set_hash", refusal))?;
    let kind = u32::try_from(message.kind)
        .ok()
        .and_then(RecordKind::from_number);
    let kind = kind.ok_or_else(|| at("kind", Refusal::KindNotAllowed))?;
    if kind.needs_rule_set() && rule_set_hash.is_none() {
        return Err(at("rule_set_hash", Refusal::Missing));
    }
    let content = content(&message, kind).map_err(|(field, refusal)| at(field, refusal))?;
    Ok(Envelope {
        record_id,
        content,
        rule_set_hash,
    })
}

fn content(
    message: &v1::Envelope,
    kind: RecordKind,
) -> Result<EnvelopeContent, (&'static str, Refusal)> {
    if kind.is_public() {
        if !message.commitment.is_empty() || !message.refs.is_empty() {
            return Err(("commitment", Refusal::KindNotAllowed));
        }
        let statement = canonical(&message.statement)
            .and_then(statement)
            .map_err(|refusal| ("statement", refusal))?;
        return match (kind, statement.declarer()) {
            (RecordKind::Statement, None) => Ok(EnvelopeContent::Public(Box::new(statement))),
            (RecordKind::Declaration, Some(declarer)) if declarer.as_str() == message.issuer => {
                Ok(EnvelopeContent::Public(Box::new(statement)))
            }
            (RecordKind::Declaration, Some(_)) => Err(("statement", Refusal::IssuerMismatch)),
            _ => Err(("kind", Refusal::KindNotAllowed)),
        };
    }
    if !message.statement.is_empty() {
        return Err(("statement", Refusal::KindNotAllowed));
    }
    let commitment = digest(&message.commitment).map_err(|refusal| ("commitment", refusal))?;
    let target = match (message.refs.as_slice(), kind.has_target()) {
        ([], false) => None,
        ([target], true) => {
            Some(reference(target).map_err(|refusal| ("refs[0].leaf_hash", refusal))?)
        }
        ([], true) => return Err(("refs", Refusal::Missing)),
        (_, _) => {
            return Err((
                "refs",
                Refusal::TooMany {
                    max: u32::from(kind.has_target()),
                },
            ));
        }
    };
    Ok(EnvelopeContent::Sealed {
        kind,
        commitment,
        target,
    })
}

/// Reads a reference to a record.
pub fn reference(message: &v1::RecordRef) -> Result<RecordRef, Refusal> {
    Ok(RecordRef {
        leaf_index: LeafIndex(message.leaf_index),
        leaf_hash: digest(&message.leaf_hash)?,
    })
}

/// The inverse of [`reference`].
pub fn reference_message(reference: &RecordRef) -> v1::RecordRef {
    v1::RecordRef {
        leaf_index: reference.leaf_index.0,
        leaf_hash: reference.leaf_hash.to_vec().into(),
    }
}

/// Parses a payload; reports everything that is wrong with it.
pub fn payload(bytes: &[u8], today: Date) -> Result<Payload, Vec<Fault>> {
    let one = |field: &str, refusal: Refusal| vec![refusal.at(field)];
    let message: v1::Payload = canonical(bytes).map_err(|refusal| one("payload", refusal))?;
    let mut faults = Faults::default();
    if message.version != FORMAT_VERSION {
        faults.add(
            "payload.version",
            Refusal::UnknownVersion {
                version: message.version,
            },
        );
    }
    let learner = faults.take("payload.learner", learner_code(&message.learner));
    let content = faults.take_part("payload", payload_content(message.content, today));
    match (learner, content, faults.into_vec()) {
        (Some(learner), Some(content), faults) if faults.is_empty() => {
            Ok(Payload { learner, content })
        }
        (_, _, faults) => Err(faults),
    }
}

fn payload_content(
    content: Option<v1::payload::Content>,
    today: Date,
) -> Result<PayloadContent, Vec<Fault>> {
    use v1::payload::Content;
    let outcome = |message: v1::Outcome, within: &str| {
        let parsed = outcome::parse(message, today).map(Box::new);
        parsed.map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| fault.within(within))
                .collect::<Vec<_>>()
        })
    };
    let reason = |text: &str, within: &str| match Label::parse(text) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(vec![refusal.at(format!("{within}.reason"))]),
    };
    let step = |message: &v1::Step, kind: RecordKind, within: &str| {
        reason(&message.reason, within).map(|()| PayloadContent::Step(kind))
    };
    match content.ok_or_else(|| vec![Refusal::Missing.at("content")])? {
        Content::Outcome(message) => outcome(message, "outcome").map(PayloadContent::Outcome),
        Content::Amendment(message) => {
            reason(&message.reason, "amendment")?;
            let changed = message
                .outcome
                .ok_or_else(|| vec![Refusal::Missing.at("amendment.outcome")])?;
            outcome(changed, "amendment.outcome").map(PayloadContent::Amendment)
        }
        Content::Revocation(message) => {
            reason(&message.reason, "revocation").map(|()| PayloadContent::Revocation)
        }
        Content::Confirmation(message) => {
            reason(&message.reason, "confirmation").map(|()| PayloadContent::Confirmation)
        }
        Content::Merge(message) => {
            reason(&message.reason, "merge")?;
            let merged = learner_code(&message.merged_learner);
            merged
                .map(PayloadContent::Merge)
                .map_err(|refusal| vec![refusal.at("merge.merged_learner")])
        }
        Content::Application(message) => recognition::application(message)
            .map(|it| PayloadContent::Application(Box::new(it)))
            .map_err(|fault| vec![fault.within("application")]),
        Content::Review(message) => {
            reason(&message.reason, "review").map(|()| PayloadContent::Review(message.approve))
        }
        Content::Objection(it) => step(&it, RecordKind::Objection, "objection"),
        Content::Appeal(it) => step(&it, RecordKind::Appeal, "appeal"),
        Content::Withdrawal(it) => step(&it, RecordKind::Withdrawal, "withdrawal"),
        Content::Acceptance(it) => step(&it, RecordKind::Acceptance, "acceptance"),
        Content::Return(it) => step(&it, RecordKind::Return, "return"),
        Content::Reversal(it) => step(&it, RecordKind::Reversal, "reversal"),
        Content::Closing(it) => step(&it, RecordKind::Closing, "closing"),
        Content::Notice(message) => recognition::ruling(message)
            .map(|it| PayloadContent::Notice(Box::new(it)))
            .map_err(|fault| vec![fault.within("notice")]),
        Content::Decision(message) => recognition::ruling(message)
            .map(|it| PayloadContent::Decision(Box::new(it)))
            .map_err(|fault| vec![fault.within("decision")]),
        Content::Points(message) => points::entries(message)
            .map(PayloadContent::Points)
            .map_err(|fault| vec![fault.within("points")]),
        Content::Consent(message) => transfer::consent(message)
            .map(|it| PayloadContent::Consent(Box::new(it)))
            .map_err(|fault| vec![fault.within("consent")]),
        Content::TransferRequest(message) => transfer::request(message)
            .map(|it| PayloadContent::TransferRequest(Box::new(it)))
            .map_err(|fault| vec![fault.within("transfer_request")]),
        Content::Transferred(message) => transfer::transferred(message)
            .map(|it| PayloadContent::Transferred(Box::new(it)))
            .map_err(|fault| vec![fault.within("transferred")]),
    }
}

/// In signed bytes a learner code has one spelling: 16 digits.
pub(super) fn learner_code(text: &str) -> Result<LearnerCode, Refusal> {
    let code = LearnerCode::parse(text)?;
    if text.len() == 16 {
        Ok(code)
    } else {
        Err(Refusal::NotCanonical)
    }
}

/// Reads a statement; its values were checked when the bank made it, and are checked again.
pub fn statement(message: v1::Statement) -> Result<Statement, Refusal> {
    use v1::statement::Content;
    if message.version != FORMAT_VERSION {
        return Err(Refusal::UnknownVersion {
            version: message.version,
        });
    }
    let keys =
        |keys: Vec<v1::PublicKey>| keys.iter().map(public_key).collect::<Result<Vec<_>, _>>();
    Ok(match message.content.ok_or(Refusal::Missing)? {
        Content::LogOpened(it) => Statement::LogOpened {
            origin: it.origin,
            keys: keys(it.keys)?,
        },
        Content::InstitutionAdmitted(it) => Statement::InstitutionAdmitted {
            profile: profile(it.profile.ok_or(Refusal::Missing)?).map_err(|fault| fault.refusal)?,
            keys: keys(it.keys)?,
            categories: categories(&it.categories)?,
        },
        Content::KeyAdmitted(it) => Statement::KeyAdmitted {
            institution: InstitutionId::parse(&it.institution)?,
            key: public_key(&it.key.ok_or(Refusal::Missing)?)?,
        },
        Content::KeyRevoked(it) => Statement::KeyRevoked {
            institution: InstitutionId::parse(&it.institution)?,
            key_id: KeyId(digest(&it.key_id)?),
            doubtful_from: it.doubtful_from.map(LeafIndex),
        },
        Content::CategoriesPermitted(it) => Statement::CategoriesPermitted {
            institution: InstitutionId::parse(&it.institution)?,
            categories: categories(&it.categories)?,
        },
        Content::InstitutionSuspended(it) => Statement::InstitutionSuspended {
            institution: InstitutionId::parse(&it.institution)?,
            suspended: it.suspended,
        },
        Content::LearnerErased(it) => {
            let handle = it.handle[..]
                .try_into()
                .map_err(|_| Refusal::WrongLength { expected: 16 })?;
            Statement::LearnerErased { handle }
        }
        other => match reconciliation::statement(&other) {
            Some(statement) => return statement,
            None => return catalogue::statement(other),
        },
    })
}

/// The inverse of [`statement`].
pub fn statement_message(statement: &Statement) -> v1::Statement {
    use v1::statement::Content;
    let keys = |keys: &[PublicKey]| keys.iter().map(public_key_message).collect();
    let content = match statement {
        Statement::LogOpened { origin, keys: all } => Content::LogOpened(v1::LogOpened {
            origin: origin.clone(),
            keys: keys(all),
        }),
        Statement::InstitutionAdmitted {
            profile,
            keys: all,
            categories,
        } => Content::InstitutionAdmitted(v1::InstitutionAdmitted {
            profile: Some(profile_message(profile)),
            keys: keys(all),
            categories: category_numbers(categories),
        }),
        Statement::KeyAdmitted { institution, key } => Content::KeyAdmitted(v1::KeyAdmitted {
            institution: institution.to_string(),
            key: Some(public_key_message(key)),
        }),
        Statement::KeyRevoked {
            institution,
            key_id,
            doubtful_from,
        } => Content::KeyRevoked(v1::KeyRevoked {
            institution: institution.to_string(),
            key_id: key_id.0.to_vec().into(),
            doubtful_from: doubtful_from.map(|index| index.0),
        }),
        Statement::CategoriesPermitted {
            institution,
            categories,
        } => Content::CategoriesPermitted(v1::CategoriesPermitted {
            institution: institution.to_string(),
            categories: category_numbers(categories),
        }),
        Statement::InstitutionSuspended {
            institution,
            suspended,
        } => {
            let institution = institution.to_string();
            Content::InstitutionSuspended(v1::InstitutionSuspended {
                institution,
                suspended: *suspended,
            })
        }
        Statement::LearnerErased { handle } => Content::LearnerErased(v1::LearnerErased {
            handle: handle.to_vec().into(),
        }),
        other => reconciliation::content(other).unwrap_or_else(|| catalogue::content(other)),
    };
    v1::Statement {
        version: FORMAT_VERSION,
        content: Some(content),
    }
}

/// A profile; names the field that it refuses.
pub fn profile(message: v1::InstitutionProfile) -> Result<InstitutionProfile, Fault> {
    let id = InstitutionId::parse(&message.institution_id)
        .map_err(|refusal| refusal.at("profile.institution_id"))?;
    let name = Label::parse(&message.display_name)
        .map_err(|refusal| refusal.at("profile.display_name"))?;
    fn given<T>(
        text: &str,
        field: &str,
        parse: impl Fn(&str) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Fault> {
        let value = (!text.is_empty()).then(|| parse(text)).transpose();
        value.map_err(|refusal| refusal.at(format!("profile.{field}")))
    }
    Ok(InstitutionProfile {
        id,
        display_name: name.to_string(),
        role: role(message.role).map_err(|refusal| refusal.at("profile.role"))?,
        uscc: given(&message.uscc, "uscc", UnifiedSocialCreditCode::parse)?,
        school_code: given(&message.school_code, "school_code", SchoolCode::parse)?,
        region: given(&message.region, "region", RegionCode::parse)?,
    })
}

/// The inverse of [`profile`].
pub fn profile_message(profile: &InstitutionProfile) -> v1::InstitutionProfile {
    v1::InstitutionProfile {
        institution_id: profile.id.to_string(),
        display_name: profile.display_name.clone(),
        role: profile.role as i32,
        uscc: profile
            .uscc
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        school_code: profile
            .school_code
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        region: profile
            .region
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

fn role(number: i32) -> Result<Role, Refusal> {
    Ok(
        match v1::Role::try_from(number).map_err(|_| Refusal::ChoiceUnknown)? {
            v1::Role::Unspecified => return Err(Refusal::Missing),
            v1::Role::Institution => Role::Institution,
            v1::Role::Operator => Role::Operator,
            v1::Role::Gateway => Role::Gateway,
            v1::Role::PeerBank => Role::PeerBank,
            v1::Role::Auditor => Role::Auditor,
            v1::Role::Reviewer => Role::Reviewer,
            v1::Role::LearnerAgent => Role::LearnerAgent,
            v1::Role::BackupAgent => Role::BackupAgent,
        },
    )
}

/// A public key. Whether its point is of small order is for the holder of the curve to say.
pub fn public_key(message: &v1::PublicKey) -> Result<PublicKey, Refusal> {
    let purpose =
        match v1::KeyPurpose::try_from(message.purpose).map_err(|_| Refusal::ChoiceUnknown)? {
            v1::KeyPurpose::Unspecified => return Err(Refusal::Missing),
            v1::KeyPurpose::Authenticate => KeyPurpose::Authenticate,
            v1::KeyPurpose::Sign => KeyPurpose::Sign,
            v1::KeyPurpose::Log => KeyPurpose::Log,
            v1::KeyPurpose::Cosign => KeyPurpose::Cosign,
            v1::KeyPurpose::Seal => KeyPurpose::Seal,
            v1::KeyPurpose::Credential => KeyPurpose::Credential,
        };
    let algorithm = Algorithm::from_number(message.algorithm)?;
    if !purpose.admits(algorithm) {
        return Err(Refusal::Inconsistent { with: "algorithm" });
    }
    Ok(PublicKey {
        algorithm,
        bytes: digest(&message.public_key)?,
        purpose,
    })
}

/// The inverse of [`public_key`].
pub fn public_key_message(key: &PublicKey) -> v1::PublicKey {
    v1::PublicKey {
        algorithm: key.algorithm as u32,
        public_key: key.bytes.to_vec().into(),
        purpose: key.purpose as i32,
    }
}

/// A set of categories: ascending, each once.
pub fn categories(numbers: &[i32]) -> Result<Vec<Category>, Refusal> {
    let parse = |number: &i32| {
        u32::try_from(*number)
            .map_err(|_| Refusal::CategoryUnknown)
            .and_then(Category::from_number)
    };
    let mut set = numbers.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    set.sort_unstable();
    set.dedup();
    Ok(set)
}

/// The inverse of [`categories`].
pub fn category_numbers(categories: &[Category]) -> Vec<i32> {
    categories
        .iter()
        .map(|category| category.number() as i32)
        .collect()
}

/// Exactly 32 bytes.
pub fn digest(bytes: &[u8]) -> Result<Digest32, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Missing);
    }
    bytes
        .try_into()
        .map_err(|_| Refusal::WrongLength { expected: 32 })
}

fn optional_digest(bytes: &[u8]) -> Result<Option<Digest32>, Refusal> {
    if bytes.is_empty() {
        Ok(None)
    } else {
        digest(bytes).map(Some)
    }
}
