//! Bad input: each is refused with its code and field, leaves no trace, and touches nobody else.

mod batches;
mod failing;
mod identities;
mod rows;
mod targets;

use creditbank_client::{Refused, batch, submit};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::commitment;
use creditbank_wire::v1::{self, payload::Content};
use ed25519_dalek::{Signer, SigningKey};
use prost::Message;

use crate::bank::Bank;
use crate::institution::{Institution, course, digits};

/// A bank with two institutions; `fudan` is the one that errs.
pub(super) struct Scene {
    pub(super) bank: Bank,
    pub(super) fudan: Institution,
    pub(super) other: Institution,
    pub(super) learner: LearnerCode,
    /// Names good records.
    count: u64,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let bank = Bank::new();
        let fudan = Institution::admitted(
            &bank,
            "fudan",
            &[
                v1::Category::DegreeCourse,
                v1::Category::CommunityCourse,
                v1::Category::DualTrack,
            ],
        )
        .await;
        let other = Institution::new(&bank, "other").await;
        let learner = fudan.enrol("1").await;
        Self {
            bank,
            fudan,
            other,
            learner,
            count: 0,
        }
    }

    pub(super) fn good(&mut self) -> v1::SignedRecord {
        self.count += 1;
        self.fudan
            .course(&format!("good/{}", self.count), self.learner)
    }

    /// The one check of a bad row: it is refused between two good rows, which are created.
    pub(super) async fn check_row(
        &mut self,
        case: &str,
        bad: v1::SignedRecord,
        code: &str,
        field: &str,
    ) {
        let batch = vec![self.good(), bad, self.good()];
        let decided = self
            .fudan
            .submit(batch)
            .await
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let [refused] = &decided.response.refused[..] else {
            panic!("{case}: {:?}", decided.response)
        };
        let violation = &refused.violations[0];
        let said = (
            refused.row,
            violation.code.as_str(),
            violation.field.as_str(),
        );
        assert_eq!(said, (1, code, field), "{case}");
        assert!(
            !violation.message_zh.is_empty() && !violation.message_en.is_empty(),
            "{case}"
        );
        assert_eq!(
            decided
                .response
                .created
                .as_ref()
                .map(|created| created.rows.clone()),
            Some(vec![0, 2]),
            "{case}"
        );
        self.fudan.verify(&self.bank, &decided);
    }

    /// The one check of a bad batch: it is refused whole, on a call and in a stream, and the next one is not.
    pub(super) async fn check_batch(
        &mut self,
        case: &str,
        bad: v1::SubmitBatchRequest,
        code: &str,
        field: &str,
    ) {
        let error = submit::submit(&self.fudan.line, bad.clone())
            .await
            .expect_err(case);
        check_refused(
            case,
            error.refused().unwrap_or_else(|| panic!("{case}: {error}")),
            code,
            field,
        );
        let good = vec![self.good()];
        let good = self.fudan.sign(good);
        let (mut sender, mut answers) = submit::open(&self.fudan.line, 4);
        sender.send(bad).await.unwrap();
        sender.send(good).await.unwrap();
        drop(sender);
        match answers.next().await.unwrap() {
            Some(submit::Answer::Refused { refused, .. }) => {
                check_refused(case, &refused, code, field)
            }
            answer => panic!("{case}: {answer:?}"),
        }
        assert!(
            matches!(
                answers.next().await,
                Ok(Some(submit::Answer::Acknowledged(_)))
            ),
            "{case}"
        );
    }

    /// Signs envelopes as they are, whatever they are, under another key or for another ledger.
    pub(super) fn sign(
        &self,
        origin: &str,
        key: &SigningKey,
        records: Vec<v1::SignedRecord>,
    ) -> v1::SubmitBatchRequest {
        let mut request = batch::sign(origin, &self.fudan.keys, records).unwrap();
        let root = request.root[..].try_into().unwrap();
        let size = request.records.len() as u64;
        let input = creditbank_domain::record::batch_signing_input(origin, "fudan", size, &root);
        request.signature = key.sign(&input).to_bytes().to_vec().into();
        request
    }
}

pub(super) fn check_refused(case: &str, refused: &Refused, code: &str, field: &str) {
    assert_eq!(refused.code.as_deref(), Some(code), "{case}: {refused}");
    let fields: Vec<_> = refused
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    let wanted: Vec<_> = [field]
        .into_iter()
        .filter(|field| !field.is_empty())
        .collect();
    assert_eq!(fields, wanted, "{case}");
    assert!(
        !refused.message_zh.is_empty() && !refused.message_en.is_empty(),
        "{case}"
    );
}

/// A record as an issuer without our SDK would make it, right or wrong.
pub(super) struct Raw {
    envelope: v1::Envelope,
    payload: Vec<u8>,
    salt: Vec<u8>,
}

impl Raw {
    pub(super) fn new(scene: &Scene, content: Content) -> Self {
        let kind = match &content {
            Content::Outcome(_) => v1::RecordKind::Outcome,
            Content::Amendment(_) => v1::RecordKind::Amendment,
            Content::Revocation(_) => v1::RecordKind::Revocation,
            Content::Confirmation(_) => v1::RecordKind::Confirmation,
            Content::Merge(_) => v1::RecordKind::Merge,
            _ => unreachable!("steps of applications are refused in their own tests"),
        };
        let payload = v1::Payload {
            version: 1,
            learner: digits(scene.learner),
            content: Some(content),
        };
        let envelope = v1::Envelope {
            version: 1,
            issuer: "fudan".into(),
            record_id: b"raw record's id.".to_vec().into(),
            kind: kind.into(),
            ..Default::default()
        };
        Self {
            envelope,
            payload: payload.encode_to_vec(),
            salt: vec![3; 32],
        }
    }

    pub(super) fn outcome(scene: &Scene) -> Self {
        Self::new(scene, Content::Outcome(course("raw")))
    }

    pub(super) fn payload(mut self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        change(&mut self.payload);
        self
    }

    pub(super) fn learner(self, code: &str) -> Self {
        let mut payload = v1::Payload::decode(&self.payload[..]).unwrap();
        payload.learner = code.to_owned();
        Self {
            payload: payload.encode_to_vec(),
            ..self
        }
    }

    pub(super) fn envelope(mut self, change: impl FnOnce(&mut v1::Envelope)) -> v1::SignedRecord {
        self.envelope.commitment = commitment(&[3; 32], &self.payload).to_vec().into();
        change(&mut self.envelope);
        v1::SignedRecord {
            envelope: self.envelope.encode_to_vec().into(),
            salt: self.salt.into(),
            payload: self.payload.into(),
        }
    }

    pub(super) fn made(self) -> v1::SignedRecord {
        self.envelope(|_| {})
    }

    pub(super) fn envelope_bytes(self, change: impl FnOnce(&mut Vec<u8>)) -> v1::SignedRecord {
        let mut record = self.made();
        let mut bytes = record.envelope.to_vec();
        change(&mut bytes);
        record.envelope = bytes.into();
        record
    }
}
