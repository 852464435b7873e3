//! `transfer.proto`: the papers, steps and entries of transfers.

use creditbank_domain::identifier::{InstitutionId, RegionCode};
use creditbank_domain::record::FORMAT_VERSION;
use creditbank_domain::text::{Code, Label};
use creditbank_domain::transfer::{
    Consent, Purpose, Reason, Recognition, Release, Side, Step, TransferId, TransferRequest,
    Transferred,
};
use creditbank_domain::{Category, Credit, Fault, Refusal};
use jiff::civil::Date;

use super::outcome;
use super::record::{canonical, digest, learner_code, reference, reference_message};
use crate::v1;

/// Most characters of a code in a step.
const CODE_CHARS_MAX: usize = 64;

/// Reads a consent; names the field that it refuses.
pub fn consent(message: v1::Consent) -> Result<Consent, Fault> {
    let outcome = message
        .outcome
        .as_ref()
        .ok_or(Refusal::Missing.at("outcome"))?;
    Ok(Consent {
        outcome: reference(outcome).map_err(|refusal| refusal.at("outcome.leaf_hash"))?,
        category: category(message.category).map_err(|refusal| refusal.at("category"))?,
        recipient: Label::parse(&message.recipient).map_err(|refusal| refusal.at("recipient"))?,
        recipient_learner: learner_code(&message.recipient_learner)
            .map_err(|refusal| refusal.at("recipient_learner"))?,
        purpose: purpose(message.purpose).map_err(|refusal| refusal.at("purpose"))?,
        programme: Code::parse(&message.programme).map_err(|refusal| refusal.at("programme"))?,
        notice: digest(&message.notice_sha256).map_err(|refusal| refusal.at("notice_sha256"))?,
    })
}

/// Reads a request; names the field that it refuses.
pub fn request(message: v1::TransferRequest) -> Result<TransferRequest, Fault> {
    let consent = message.consent.as_ref();
    let consent = consent.ok_or(Refusal::Missing.at("consent"))?;
    Ok(TransferRequest {
        origin: Label::parse(&message.origin).map_err(|refusal| refusal.at("origin"))?,
        consent: reference(consent).map_err(|refusal| refusal.at("consent.leaf_hash"))?,
        id: TransferId::from_slice(&message.transfer_id)
            .map_err(|refusal| refusal.at("transfer_id"))?,
    })
}

/// Reads an outcome of another bank. Its day was checked where it was deposited.
pub fn transferred(message: v1::Transferred) -> Result<Transferred, Fault> {
    let inner = message.outcome.ok_or(Refusal::Missing.at("outcome"))?;
    let inner = outcome::parse(inner, Date::MAX).map_err(|faults| {
        let first = faults.into_iter().next();
        first.map_or(Refusal::Internal.at("outcome"), |it| it.within("outcome"))
    })?;
    Ok(Transferred {
        id: TransferId::from_slice(&message.transfer_id)
            .map_err(|refusal| refusal.at("transfer_id"))?,
        origin: Label::parse(&message.origin).map_err(|refusal| refusal.at("origin"))?,
        issuer: InstitutionId::parse(&message.issuer).map_err(|refusal| refusal.at("issuer"))?,
        region: RegionCode::parse(&message.issuer_region)
            .map_err(|refusal| refusal.at("issuer_region"))?,
        standard: Code::parse_optional(&message.standard)
            .map_err(|refusal| refusal.at("standard"))?,
        programme: Code::parse(&message.programme).map_err(|refusal| refusal.at("programme"))?,
        outcome: inner,
    })
}

/// An entry of the book of transfers, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transfer.
    pub id: TransferId,
    /// The other bank, in the registry of the bank whose entry it is.
    pub peer: InstitutionId,
    /// Origin of the other bank's log.
    pub peer_origin: String,
    /// What the bank is in it.
    pub side: Side,
    /// Place in the sequence of the step's taker.
    pub sequence: u64,
    /// The step.
    pub step: Step,
    /// Where the step was heard: leaf and entry of the other bank, as they came.
    pub heard: Option<Box<v1::TransferHeard>>,
    /// The record of this bank that the step rests on.
    pub record: Option<u64>,
}

/// Reads an entry from its canonical bytes.
pub fn entry(bytes: &[u8]) -> Result<Entry, Refusal> {
    use v1::transfer_entry::Content;
    let message: v1::TransferEntry = canonical(bytes)?;
    if message.version != FORMAT_VERSION {
        let version = message.version;
        return Err(Refusal::UnknownVersion { version });
    }
    let (taken, heard) = match message.content.ok_or(Refusal::Missing)? {
        Content::Taken(taken) => (taken, None),
        Content::Heard(heard) => {
            let told: v1::TransferEntry = canonical(&heard.entry)?;
            let Some(Content::Taken(taken)) = told.content else {
                return Err(Refusal::KindNotAllowed);
            };
            (taken, Some(Box::new(heard)))
        }
    };
    let side = u32::try_from(message.side).ok().and_then(Side::from_number);
    Ok(Entry {
        id: TransferId::from_slice(&message.transfer_id)?,
        peer: InstitutionId::parse(&message.peer)?,
        peer_origin: message.peer_origin,
        side: side.ok_or(Refusal::ChoiceUnknown)?,
        sequence: message.sequence,
        step: step(taken)?,
        heard,
        record: message.record,
    })
}

/// The message of an entry.
pub fn entry_message(entry: &Entry) -> v1::TransferEntry {
    use v1::transfer_entry::Content;
    let content = match &entry.heard {
        None => Content::Taken(step_message(&entry.step)),
        Some(heard) => Content::Heard(v1::TransferHeard::clone(heard)),
    };
    v1::TransferEntry {
        version: FORMAT_VERSION,
        transfer_id: entry.id.0.to_vec().into(),
        peer: entry.peer.to_string(),
        peer_origin: entry.peer_origin.clone(),
        side: entry.side as i32,
        sequence: entry.sequence,
        content: Some(content),
        record: entry.record,
    }
}

/// Reads a step.
pub fn step(message: v1::TransferStep) -> Result<Step, Refusal> {
    use v1::transfer_step::Step as Told;
    Ok(match message.step.ok_or(Refusal::Missing)? {
        Told::Requested(consent) => Step::Requested {
            consent: reference(&consent)?,
        },
        Told::Refused(why) => Step::Refused(reason(why)?),
        Told::Reserved(it) => Step::Reserved {
            outcome: reference(it.outcome.as_ref().ok_or(Refusal::Missing)?)?,
            purpose: purpose(it.purpose)?,
        },
        Told::Released(it) => Step::Released(Release {
            commitment: digest(&it.commitment)?,
            category: category(it.category)?,
            source: Credit::from_hundredths(it.source_credits_hundredths),
            agreement: code(it.agreement)?,
            agreement_version: code(it.agreement_version)?,
        }),
        Told::Received(true) => Step::Received,
        Told::Rejected(why) => Step::Rejected(reason(why)?),
        Told::Recognised(it) => Step::Recognised(Recognition {
            rule: code(it.rule)?,
            rule_set: digest(&it.rule_set_hash)?,
            agreement_version: code(it.agreement_version)?,
            credited: Credit::from_hundredths(it.credits_hundredths),
            spent: Credit::from_hundredths(it.spent_hundredths),
            decided_at_ms: it.decided_at_ms,
        }),
        Told::Declined(why) => Step::Declined(reason(why)?),
        Told::Recalled(why) => Step::Recalled(reason(why)?),
        Told::Returned(true) => Step::Returned,
        Told::Acknowledged(heard) => Step::Acknowledged { heard },
        Told::ReversalRequested(why) => Step::ReversalRequested(reason(why)?),
        Told::Reversed(why) => Step::Reversed(reason(why)?),
        Told::Received(false) | Told::Returned(false) => return Err(Refusal::NotCanonical),
    })
}

/// The inverse of [`step`].
pub fn step_message(step: &Step) -> v1::TransferStep {
    use v1::transfer_step::Step as Told;
    let told = match step {
        Step::Requested { consent } => Told::Requested(reference_message(consent)),
        Step::Refused(why) => Told::Refused(*why as u32),
        Step::Reserved { outcome, purpose } => Told::Reserved(v1::TransferReserved {
            outcome: Some(reference_message(outcome)),
            purpose: *purpose as i32,
        }),
        Step::Released(it) => Told::Released(v1::TransferReleased {
            commitment: it.commitment.to_vec().into(),
            category: it.category as i32,
            source_credits_hundredths: it.source.hundredths(),
            agreement: it.agreement.clone(),
            agreement_version: it.agreement_version.clone(),
        }),
        Step::Received => Told::Received(true),
        Step::Rejected(why) => Told::Rejected(*why as u32),
        Step::Recognised(it) => Told::Recognised(v1::TransferRecognised {
            rule: it.rule.clone(),
            rule_set_hash: it.rule_set.to_vec().into(),
            agreement_version: it.agreement_version.clone(),
            credits_hundredths: it.credited.hundredths(),
            spent_hundredths: it.spent.hundredths(),
            decided_at_ms: it.decided_at_ms,
        }),
        Step::Declined(why) => Told::Declined(*why as u32),
        Step::Recalled(why) => Told::Recalled(*why as u32),
        Step::Returned => Told::Returned(true),
        Step::Acknowledged { heard } => Told::Acknowledged(*heard),
        Step::ReversalRequested(why) => Told::ReversalRequested(*why as u32),
        Step::Reversed(why) => Told::Reversed(*why as u32),
    };
    v1::TransferStep { step: Some(told) }
}

fn reason(number: u32) -> Result<Reason, Refusal> {
    Reason::from_number(number).ok_or(Refusal::ChoiceUnknown)
}

/// Reads a purpose.
pub fn purpose(number: i32) -> Result<Purpose, Refusal> {
    let number = u32::try_from(number).ok();
    let purpose = number.and_then(Purpose::from_number);
    purpose.ok_or(Refusal::ChoiceUnknown)
}

fn category(number: i32) -> Result<Category, Refusal> {
    Category::from_number(number.cast_unsigned())
}

fn code(text: String) -> Result<String, Refusal> {
    match text.chars().count() > CODE_CHARS_MAX || text.chars().any(char::is_control) {
        true => Err(Refusal::TooLong {
            max: CODE_CHARS_MAX as u32,
        }),
        false => Ok(text),
    }
}
