//! The package that an origin gives: everything that a receiver needs to check an outcome and its consent without
//! believing the origin. Made, and verified, here.

use std::sync::Arc;

use creditbank_client::receipt::{Opening, Step as Checked, StepResult, Verifier};
use creditbank_domain::identifier::{InstitutionId, LearnerCode};
use creditbank_domain::record::{
    FORMAT_VERSION, InstitutionProfile, KeyId, KeyPurpose, PayloadContent, PublicKey, RecordKind,
    RecordRef, Statement,
};
use creditbank_domain::registry::KeyHistory;
use creditbank_domain::transfer::{Consent, Purpose, Reason, Release, Step, Transfer, TransferId};
use creditbank_domain::{Credit, LeafIndex, Outcome};
use creditbank_merkle::{Note, TreeSize, leaf_hash};
use creditbank_store::StoreError;
use creditbank_wire::convert::record::{
    canonical, envelope, payload, public_key_message, statement,
};
use creditbank_wire::convert::{leaf, outcome as outcomes};
use creditbank_wire::v1;
use jiff::civil::Date;
use prost::Message;

use super::origin::{agreement, region as region_of, sets_in_force};
use super::paper::Papers;
use super::row::damaged;
use super::shelf::Shelves;
use crate::bank::Bank;
use crate::head::{Head, hashes};
use crate::peers::seal::seal;
use crate::peers::{Cosigned, Peer};
use crate::recognition::{Evidence, depositor, message_at, purpose};

const CONTEXT: &str = "creditbank/transfer-package/v1\n";
/// Most bytes of a package that is opened: it becomes part of a payload.
const PACKAGE_BYTES_MAX: usize = 24 << 10;
/// Most statements of a package: those that admitted an institution and its key.
const STATEMENTS_MAX: usize = 4;

/// The package of a released transfer, sealed for the peer; none where the learner is gone, or the peer has no key or
/// has cosigned nothing.
pub(super) fn sealed(
    bank: &Bank,
    head: &Arc<Head>,
    peer: &Peer,
    transfer: &Transfer,
) -> Result<Option<v1::SealedPackage>, StoreError> {
    let Some(plain) = make(bank, head, peer, transfer)? else {
        return Ok(None);
    };
    let Some(key) = bank.peers().seal_key(peer) else {
        return Ok(None);
    };
    let info = info(bank.origin(), peer.origin());
    let sealed = seal(&key, info.as_bytes(), &transfer.id.0, &plain);
    Ok(sealed
        .ok()
        .map(|(encapsulated, ciphertext)| v1::SealedPackage {
            encapsulated_key: encapsulated.into(),
            ciphertext: ciphertext.into(),
        }))
}

fn info(origin: &str, receiver: &str) -> String {
    format!("{CONTEXT}{origin}\n{receiver}")
}

fn make(
    bank: &Bank,
    head: &Arc<Head>,
    peer: &Peer,
    transfer: &Transfer,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (Some(consent), Some((outcome, _))) = (transfer.consent(), transfer.reserved()) else {
        return Ok(None);
    };
    let Some(cosigned) = bank.peers().cosigned_by(peer.id()) else {
        return Ok(None);
    };
    let papers = Papers { bank, head };
    let Ok((learner, ..)) = papers.consent(&consent)? else {
        return Ok(None);
    };
    let size = TreeSize::new(cosigned.size);
    let maker = Maker { bank, head, size };
    let (Some(opened), Some(agreed)) = (
        maker.record(outcome.leaf_index)?,
        maker.record(consent.leaf_index)?,
    ) else {
        return Ok(None);
    };
    let Some((depositor, standard)) = maker.depositor(learner, outcome.leaf_index)? else {
        return Ok(None);
    };
    let package = v1::TransferPackage {
        version: FORMAT_VERSION,
        checkpoint: cosigned.note,
        outcome: Some(opened),
        consent: Some(agreed),
        statements: maker.statements(&depositor, outcome.leaf_index, consent.leaf_index)?,
        depositor: depositor.to_string(),
        standard,
    };
    Ok(Some(package.encode_to_vec()))
}

struct Maker<'a> {
    bank: &'a Bank,
    head: &'a Arc<Head>,
    size: TreeSize,
}

impl Maker<'_> {
    fn leaf(&self, at: LeafIndex) -> Result<v1::ProvedLeaf, StoreError> {
        Ok(v1::ProvedLeaf {
            leaf: self.head.leaf(at)?.into(),
            leaf_index: at.0,
            inclusion_proof: hashes(&self.head.inclusion(at, self.size)?),
        })
    }

    /// A sealed record with salt and payload; none where it cannot be opened any more, or lies behind the checkpoint.
    fn record(&self, at: LeafIndex) -> Result<Option<v1::ProvedRecord>, StoreError> {
        if at.0 >= self.size.value() {
            return Ok(None);
        }
        let (store, key) = (self.bank.store(), self.bank.key_encryption());
        let (snapshot, registry) = (&self.head.snapshot, &self.head.registry);
        let opened = Evidence::new(store, snapshot, registry, key).opened(at)?;
        let Ok((_, opened)) = opened else {
            return Ok(None);
        };
        Ok(Some(v1::ProvedRecord {
            leaf: Some(self.leaf(at)?),
            salt: opened.salt.to_vec().into(),
            payload: opened.payload.into(),
        }))
    }

    /// Who deposited an outcome, and under which standard.
    fn depositor(
        &self,
        learner: LearnerCode,
        at: LeafIndex,
    ) -> Result<Option<(InstitutionId, String)>, StoreError> {
        let (bank, head) = (self.bank, self.head);
        let Some(institution) = depositor(head, at)? else {
            return Ok(None);
        };
        let papers = Papers { bank, head };
        let held = papers.outcome(learner, &papers.reference(at)?)?;
        let id = &institution.profile.id;
        let project = held.ok().and_then(|held| held.outcome.project.clone());
        let standard = project.and_then(|it| head.registry.catalogue().standard_at(id, &it, at));
        let standard = standard.map(ToString::to_string).unwrap_or_default();
        Ok(Some((id.clone(), standard)))
    }

    /// The statements that admitted the depositor and the learner's agent, and the keys that signed the two records.
    fn statements(
        &self,
        depositor: &InstitutionId,
        outcome: LeafIndex,
        consent: LeafIndex,
    ) -> Result<Vec<v1::ProvedLeaf>, StoreError> {
        let registry = &self.head.registry;
        let admitted = registry.institution(depositor.as_str());
        let mut leaves: Vec<_> = admitted.map(|it| it.admitted_at).into_iter().collect();
        let agent = message_at(&self.head.snapshot, consent)?.issuer;
        let agent = registry.institution(&agent).map(|it| it.admitted_at);
        leaves.extend(agent);
        for at in [outcome, consent] {
            let key = KeyId(self.head.snapshot.chunk(at)?.key_id);
            // A key is valid from the leaf behind its statement; the bank's first one from its own.
            let admitted = registry.key(&key).map(|(_, history)| history.valid_from.0);
            leaves.extend(admitted.map(|from| LeafIndex(from.saturating_sub(1))));
        }
        leaves.sort_unstable();
        leaves.dedup();
        leaves.into_iter().map(|at| self.leaf(at)).collect()
    }
}

/// What a package was found to hold.
pub(super) struct Verified {
    pub(super) consent: Consent,
    pub(super) profile: InstitutionProfile,
    pub(super) standard: String,
    pub(super) outcome: v1::Outcome,
    /// As it came, to be kept.
    pub(super) package: Vec<u8>,
}

/// What a package must agree with.
pub(super) struct Expected<'a> {
    pub(super) id: TransferId,
    pub(super) release: &'a Release,
    /// What the origin has reserved.
    pub(super) reserved: (RecordRef, Purpose),
    /// What the learner has named.
    pub(super) consent: &'a RecordRef,
    /// The codes of the learner who asked.
    pub(super) learner: &'a [LearnerCode],
}

/// Opens and verifies a package that a peer has released.
pub(super) fn verify(
    bank: &Bank,
    head: &Head,
    peer: &Peer,
    expected: &Expected<'_>,
    sealed: Option<&v1::SealedPackage>,
) -> Result<Result<Verified, Reason>, StoreError> {
    let Expected { id, release, .. } = expected;
    let opened = sealed.and_then(|sealed| {
        let info = info(peer.origin(), bank.origin());
        let (key, ciphertext) = (&sealed.encapsulated_key, &sealed.ciphertext);
        let small = ciphertext.len() <= PACKAGE_BYTES_MAX;
        let mut own = bank.seal_keys().filter(|_| small);
        own.find_map(|own| own.open(info.as_bytes(), &id.0, key, ciphertext).ok())
    });
    let Some(bytes) = opened else {
        return Ok(Err(Reason::PackageUnreadable));
    };
    let checked = Checker { bank, head, peer }.check(&bytes, expected);
    let (verified, outcome) = match checked {
        Ok(verified) => verified,
        Err(reason) => return Ok(Err(reason)),
    };
    // The learner has consented to one purpose; the programme must be of it.
    let programme = verified.consent.programme.as_str();
    let purposes = purposes(bank, head, programme)?;
    if purposes != [expected.reserved.1] {
        return Ok(Err(Reason::ConsentForOther));
    }
    let regions = (&*region_of(head, peer), &*bank.region());
    let agreed = agreement(bank, head, regions, &outcome)?;
    let is_agreed = agreed == Some((release.agreement.clone(), release.agreement_version.clone()));
    Ok(match is_agreed {
        true => Ok(verified),
        false => Err(Reason::AgreementMissing),
    })
}

/// What a programme is for, by the rule sets in force.
fn purposes(bank: &Bank, head: &Head, programme: &str) -> Result<Vec<Purpose>, StoreError> {
    let mut found = Vec::new();
    for set in sets_in_force(bank, head)? {
        found.extend(purpose(&set, programme).filter(|it| !found.contains(it)));
    }
    Ok(found)
}

struct Checker<'a> {
    bank: &'a Bank,
    head: &'a Head,
    peer: &'a Peer,
}

impl Checker<'_> {
    fn check(&self, bytes: &[u8], expected: &Expected<'_>) -> Result<(Verified, Outcome), Reason> {
        let Expected { release, .. } = expected;
        let package: v1::TransferPackage =
            canonical(bytes).map_err(|_| Reason::PackageUnreadable)?;
        if package.version != FORMAT_VERSION || package.statements.len() > STATEMENTS_MAX {
            return Err(Reason::PackageUnreadable);
        }
        let mut verifier = self.verifier(&package.checkpoint)?;
        let admitted = self.admitted(&mut verifier, &package)?;
        let agreed = part(package.consent.as_ref())?;
        let agreed_at = self.record(&mut verifier, &package, agreed, &admitted)?;
        let given = part(package.outcome.as_ref())?;
        let given_at = self.record(&mut verifier, &package, given, &admitted)?;
        let read = |record: &v1::ProvedRecord| payload(&record.payload, Date::MAX);
        let told = read(agreed).map_err(|_| Reason::PackageUnreadable)?;
        let PayloadContent::Consent(told) = told.content else {
            return Err(Reason::ConsentMissing);
        };
        let reserved = (told.outcome, told.purpose);
        if agreed_at != *expected.consent
            || given_at != told.outcome
            || reserved != expected.reserved
        {
            return Err(Reason::PackageDiffers);
        }
        is_agents(&admitted, agreed)?;
        if told.recipient.as_str() != self.bank.origin() {
            return Err(Reason::ConsentForOther);
        }
        if !expected.learner.contains(&told.recipient_learner) {
            return Err(Reason::LearnerDiffers);
        }
        let (message, outcome) = outcome_in(&given.payload)?;
        let is_released = release.commitment == committed(given)?
            && release.category == outcome.category()
            && release.category == told.category
            && release.source == outcome.credits.unwrap_or(Credit::ZERO);
        if !is_released {
            return Err(Reason::PackageDiffers);
        }
        if outcome.obtained_by.is_some() {
            return Err(Reason::OutcomeDerived);
        }
        let issuer = issuer_of(given)?;
        if issuer != package.depositor && issuer != InstitutionId::BANK {
            return Err(Reason::InstitutionForeign);
        }
        let profile = self.profile(&admitted, &package.depositor)?;
        let verified = Verified {
            consent: *told,
            profile,
            standard: package.standard,
            outcome: message,
            package: bytes.to_vec(),
        };
        Ok((verified, outcome))
    }

    /// A verifier under the log key that signed the checkpoint, which must bear this bank's own cosignature: then it is
    /// consistent with every other checkpoint of that log that this bank has cosigned.
    fn verifier(&self, checkpoint: &str) -> Result<Verifier, Reason> {
        let note = Note::parse(checkpoint).map_err(|_| Reason::CheckpointInvalid)?;
        let mut keys = self.bank.peers().accepted(self.peer).into_iter();
        let key = keys.find(|key| note.verify(key).is_ok());
        let key = key.ok_or(Reason::CheckpointInvalid)?;
        let own = self
            .bank
            .peers()
            .cosigner()
            .ok_or(Reason::CosignatureMissing)?;
        own.public()
            .verify(&note)
            .map_err(|_| Reason::CosignatureMissing)?;
        Ok(Verifier::new(key))
    }

    /// What the statements of a package admit, once each is proved to be the peer bank's and in its log. The bank's own
    /// keys are those that this bank's registry knows.
    fn admitted(
        &self,
        verifier: &mut Verifier,
        package: &v1::TransferPackage,
    ) -> Result<Vec<(LeafIndex, Statement)>, Reason> {
        let peer = self.head.registry.institution(self.peer.id());
        let peer = peer.ok_or(Reason::SignatureInvalid)?;
        for key in signing(&peer.keys) {
            let added = verifier.add_issuer(InstitutionId::BANK, &public_key_message(key));
            added.map_err(|_| Reason::SignatureInvalid)?;
        }
        let mut admitted = Vec::new();
        for proved in &package.statements {
            let receipt = receipt(proved, &package.checkpoint);
            check(verifier, &receipt, None)?;
            let leaf = leaf::decode(&proved.leaf).map_err(|_| Reason::PackageUnreadable)?;
            let envelope: v1::Envelope =
                canonical(&leaf.envelope).map_err(|_| Reason::PackageUnreadable)?;
            if envelope.issuer != InstitutionId::BANK {
                return Err(Reason::SignatureInvalid);
            }
            let stated = canonical(&envelope.statement).and_then(statement);
            let stated = stated.map_err(|_| Reason::PackageUnreadable)?;
            admitted.push((LeafIndex(proved.leaf_index), stated));
        }
        Ok(admitted)
    }

    /// A record with its payload: in the log, signed by a key of its institution that was admitted before, and opened.
    fn record(
        &self,
        verifier: &mut Verifier,
        package: &v1::TransferPackage,
        record: &v1::ProvedRecord,
        admitted: &[(LeafIndex, Statement)],
    ) -> Result<RecordRef, Reason> {
        let proved = part(record.leaf.as_ref())?;
        let leaf = leaf::decode(&proved.leaf).map_err(|_| Reason::PackageUnreadable)?;
        let message: v1::Envelope =
            canonical(&leaf.envelope).map_err(|_| Reason::PackageUnreadable)?;
        envelope(&leaf.envelope, &message.issuer).map_err(|_| Reason::PackageUnreadable)?;
        if message.issuer != InstitutionId::BANK {
            let attestation = leaf.attestation.as_ref();
            let key_id = attestation.map(|it| it.key_id.to_vec()).unwrap_or_default();
            let before = admitted.iter().filter(|(at, _)| at.0 < proved.leaf_index);
            let key = before.flat_map(|(_, stated)| keys_of(stated, &message.issuer));
            let key = key.into_iter().find(|key| key.id().0[..] == key_id[..]);
            let key = public_key_message(key.ok_or(Reason::SignatureInvalid)?);
            let added = verifier.add_issuer(&message.issuer, &key);
            added.map_err(|_| Reason::SignatureInvalid)?;
        }
        let receipt = receipt(proved, &package.checkpoint);
        let (salt, payload) = (&record.salt[..], &record.payload[..]);
        check(verifier, &receipt, Some(Opening { salt, payload }))?;
        Ok(RecordRef {
            leaf_index: LeafIndex(proved.leaf_index),
            leaf_hash: leaf_hash(&proved.leaf).0,
        })
    }

    /// The depositor's profile. It must be of the origin's region, and no institution of this bank may go by its id
    /// unless it is the same body.
    fn profile(
        &self,
        admitted: &[(LeafIndex, Statement)],
        depositor: &str,
    ) -> Result<InstitutionProfile, Reason> {
        let profile = admitted.iter().find_map(|(_, stated)| match stated {
            Statement::InstitutionAdmitted { profile, .. } if profile.id.as_str() == depositor => {
                Some(profile)
            }
            _ => None,
        });
        let profile = profile.ok_or(Reason::InstitutionForeign)?;
        let region = profile.region.map(|region| region.province().to_string());
        let is_there = region == Some(region_of(self.head, self.peer));
        let namesake = self.head.registry.institution(depositor);
        let is_same =
            namesake.is_none_or(|it| it.profile.uscc.is_some() && it.profile.uscc == profile.uscc);
        match is_there && is_same {
            true => Ok(profile.clone()),
            false => Err(Reason::InstitutionForeign),
        }
    }
}

/// A consent is recorded by a learner's agent, as the origin has admitted it.
fn is_agents(
    admitted: &[(LeafIndex, Statement)],
    consent: &v1::ProvedRecord,
) -> Result<(), Reason> {
    let issuer = issuer_of(consent)?;
    let role = admitted.iter().find_map(|(_, stated)| match stated {
        Statement::InstitutionAdmitted { profile, .. } if profile.id.as_str() == issuer => {
            Some(profile.role)
        }
        _ => None,
    });
    match role.is_some_and(|role| role.may_sign(RecordKind::Consent)) {
        true => Ok(()),
        false => Err(Reason::ConsentMissing),
    }
}

/// A verifier of what a peer bank has put into its log under this checkpoint; else the check that failed.
pub(crate) fn verifier(
    bank: &Bank,
    head: &Head,
    peer: &Peer,
    note: &Note<'_>,
) -> Result<Verifier, &'static str> {
    let mut keys = bank.peers().accepted(peer).into_iter();
    let key = keys.find(|key| note.verify(key).is_ok());
    let mut verifier = Verifier::new(key.ok_or("checkpoint signature")?);
    let institution = head.registry.institution(peer.id()).ok_or("peer")?;
    for key in signing(&institution.keys) {
        let added = verifier.add_issuer(InstitutionId::BANK, &public_key_message(key));
        added.map_err(|_| "bank key")?;
    }
    Ok(verifier)
}

/// The keys that sign a peer's records, or did: not those that were ever in doubt.
fn signing(keys: &[KeyHistory]) -> impl Iterator<Item = &PublicKey> {
    let sound = keys.iter().filter(|history| {
        history.key.purpose == KeyPurpose::Sign && history.doubtful_from.is_none()
    });
    sound.map(|history| &history.key)
}

/// The signing keys that a statement admits for an institution.
fn keys_of<'a>(stated: &'a Statement, issuer: &str) -> Vec<&'a PublicKey> {
    let keys = match stated {
        Statement::InstitutionAdmitted { profile, keys, .. } if profile.id.as_str() == issuer => {
            &keys[..]
        }
        Statement::KeyAdmitted { institution, key } if institution.as_str() == issuer => {
            std::slice::from_ref(key)
        }
        _ => &[],
    };
    let signs = |key: &&PublicKey| key.purpose == KeyPurpose::Sign;
    keys.iter().filter(signs).collect()
}

fn receipt(proved: &v1::ProvedLeaf, checkpoint: &str) -> v1::Receipt {
    v1::Receipt {
        leaf: proved.leaf.clone(),
        leaf_index: proved.leaf_index,
        inclusion_proof: proved.inclusion_proof.clone(),
        checkpoint: checkpoint.to_owned(),
    }
}

/// Every step of a receipt's verification must have been taken.
fn check(
    verifier: &mut Verifier,
    receipt: &v1::Receipt,
    opening: Option<Opening<'_>>,
) -> Result<(), Reason> {
    let needs_opening = opening.is_some();
    let report = match verifier.verify_receipt(receipt, opening) {
        Ok(verified) => verified.report,
        Err(error) => return Err(reason(error.step)),
    };
    let skipped = report.steps().find(|(step, result)| {
        let is_needed = needs_opening || *step != Checked::Opening;
        is_needed && !matches!(result, StepResult::Ok)
    });
    skipped.map_or(Ok(()), |(step, _)| Err(reason(step)))
}

const fn reason(step: Checked) -> Reason {
    match step {
        Checked::Decoding => Reason::PackageUnreadable,
        Checked::BatchRoot | Checked::IssuerSignature => Reason::SignatureInvalid,
        Checked::Checkpoint => Reason::CheckpointInvalid,
        Checked::Inclusion => Reason::InclusionInvalid,
        Checked::Opening => Reason::CommitmentMismatch,
    }
}

fn issuer_of(record: &v1::ProvedRecord) -> Result<String, Reason> {
    let proved = part(record.leaf.as_ref())?;
    let leaf = leaf::decode(&proved.leaf).map_err(|_| Reason::PackageUnreadable)?;
    let message: v1::Envelope = canonical(&leaf.envelope).map_err(|_| Reason::PackageUnreadable)?;
    Ok(message.issuer)
}

fn committed(record: &v1::ProvedRecord) -> Result<[u8; 32], Reason> {
    let proved = part(record.leaf.as_ref())?;
    let leaf = leaf::decode(&proved.leaf).map_err(|_| Reason::PackageUnreadable)?;
    let message: v1::Envelope = canonical(&leaf.envelope).map_err(|_| Reason::PackageUnreadable)?;
    message.commitment[..]
        .try_into()
        .map_err(|_| Reason::PackageUnreadable)
}

/// The outcome of a payload, as message and as value.
fn outcome_in(bytes: &[u8]) -> Result<(v1::Outcome, Outcome), Reason> {
    use v1::payload::Content;
    let message: v1::Payload = canonical(bytes).map_err(|_| Reason::PackageUnreadable)?;
    let message = match message.content {
        Some(Content::Outcome(message)) => message,
        Some(Content::Amendment(amendment)) => part(amendment.outcome)?,
        Some(Content::Transferred(_)) => return Err(Reason::OutcomeDerived),
        _ => return Err(Reason::PackageUnreadable),
    };
    let outcome = outcomes::parse(message.clone(), Date::MAX);
    Ok((message, outcome.map_err(|_| Reason::PackageUnreadable)?))
}

fn part<T>(part: Option<T>) -> Result<T, Reason> {
    part.ok_or(Reason::PackageUnreadable)
}

/// What is kept of a verified package: the outcome in the learner's archive.
pub(super) fn kept(peer: &Peer, id: TransferId, verified: Verified) -> v1::Transferred {
    let region = verified.profile.region;
    v1::Transferred {
        transfer_id: id.0.to_vec().into(),
        origin: peer.origin().to_owned(),
        issuer: verified.profile.id.to_string(),
        issuer_name: verified.profile.display_name,
        issuer_region: region.map(|it| it.to_string()).unwrap_or_default(),
        standard: verified.standard,
        programme: verified.consent.programme.to_string(),
        outcome: Some(verified.outcome),
        package: verified.package.into(),
    }
}

/// A step as the peer reads it, proved under a checkpoint that the peer has cosigned, and, of a release, its package. None
/// for one behind that checkpoint: what a peer has heard, its witness has cosigned, so no copy that this bank is ever
/// restored from can tell it otherwise.
pub(crate) fn told(
    bank: &Bank,
    head: &Arc<Head>,
    peer: &Peer,
    cosigned: &Cosigned,
    (sequence, at): (u64, LeafIndex),
) -> Result<Option<v1::SentStep>, StoreError> {
    if at.0 >= cosigned.size {
        return Ok(None);
    }
    let bytes = head.snapshot.book(at)?.ok_or(damaged())?;
    let (salt, entry) = bytes.split_first_chunk::<32>().ok_or(damaged())?;
    let read = creditbank_wire::convert::transfer::entry(entry).map_err(|_| damaged())?;
    let number = head.registry.institution(peer.id()).map(|it| it.number);
    let package = match (&read.step, number) {
        (Step::Released(_), Some(number)) => {
            let row = Shelves::over(Arc::clone(&head.snapshot)).row((number, read.id))?;
            row.map_or(Ok(None), |row| sealed(bank, head, peer, &row.transfer))?
        }
        _ => None,
    };
    let size = TreeSize::new(cosigned.size);
    Ok(Some(v1::SentStep {
        sequence,
        receipt: Some(v1::Receipt {
            leaf: head.leaf(at)?.into(),
            leaf_index: at.0,
            inclusion_proof: hashes(&head.inclusion(at, size)?),
            checkpoint: cosigned.note.clone(),
        }),
        salt: salt.to_vec().into(),
        entry: entry.to_vec().into(),
        package,
    }))
}
