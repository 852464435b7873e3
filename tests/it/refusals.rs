//! Bad input: each is refused with its code and field, leaves no trace, and touches nobody else.

use bytes::Bytes;
use creditbank_client::{ClientError, Refused, batch, submit};
use creditbank_domain::record::{KeyPurpose, RecordRef, commitment};
use creditbank_domain::{LeafIndex, LearnerCode};
use creditbank_wire::v1::{self, payload::Content};
use ed25519_dalek::{Signer, SigningKey};
use prost::Message;

use crate::bank::{Bank, ORIGIN};
use crate::institution::{Institution, course, digits, keys, public_key, seed, visit};

/// A bank with two institutions; `fudan` is the one that errs.
struct Scene {
    bank: Bank,
    fudan: Institution,
    other: Institution,
    learner: LearnerCode,
    /// Names good records.
    count: u64,
}

impl Scene {
    async fn new() -> Self {
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

    fn good(&mut self) -> v1::SignedRecord {
        self.count += 1;
        self.fudan
            .course(&format!("good/{}", self.count), self.learner)
    }

    /// The one check of a bad row: it is refused between two good rows, which are created.
    async fn check_row(&mut self, case: &str, bad: v1::SignedRecord, code: &str, field: &str) {
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
    async fn check_batch(
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
    fn sign(
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

fn check_refused(case: &str, refused: &Refused, code: &str, field: &str) {
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

fn sign_key(id: &str) -> SigningKey {
    SigningKey::from_bytes(&seed(id, "sign"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_batch_is_refused_whole() {
    let mut scene = Scene::new().await;
    let good = scene.fudan.sign(vec![
        scene.fudan.course("a", scene.learner),
        scene.fudan.course("b", scene.learner),
    ]);
    let with = |change: &dyn Fn(&mut v1::SubmitBatchRequest)| {
        let mut request = good.clone();
        change(&mut request);
        request
    };
    let many = vec![good.records[0].clone(); 1025];
    let id = |id: &str, purpose| Bytes::copy_from_slice(&keys(id).key_id(purpose).0);
    let records = good.records.clone();
    let cases = [
        (
            "no record",
            with(&|it| it.records.clear()),
            "BATCH_EMPTY",
            "records",
        ),
        (
            "1,025 records",
            with(&|it| it.records.clone_from(&many)),
            "BATCH_TOO_LARGE",
            "records",
        ),
        (
            "a foreign origin",
            with(&|it| it.origin = "other.test/log".into()),
            "ORIGIN_FOREIGN",
            "origin",
        ),
        (
            "no origin",
            with(&|it| it.origin.clear()),
            "ORIGIN_FOREIGN",
            "origin",
        ),
        (
            "another root",
            with(&|it| it.root = vec![7; 32].into()),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "a short root",
            with(&|it| it.root = it.root.slice(..31)),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "records in another order",
            with(&|it| it.records.reverse()),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "a record left out",
            with(&|it| drop(it.records.pop())),
            "ROOT_MISMATCH",
            "root",
        ),
        (
            "no signature",
            with(&|it| it.signature.clear()),
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "a signature of zeros",
            with(&|it| it.signature = vec![0; 64].into()),
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "another's signature",
            scene.sign(ORIGIN, &sign_key("other"), records.clone()),
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "a signature for another ledger",
            v1::SubmitBatchRequest {
                origin: ORIGIN.into(),
                ..scene.sign("other.test/log", &sign_key("fudan"), records.clone())
            },
            "SIGNATURE_INVALID",
            "signature",
        ),
        (
            "an unknown algorithm",
            with(&|it| it.algorithm = 2),
            "ALGORITHM_UNKNOWN",
            "algorithm",
        ),
        (
            "no algorithm",
            with(&|it| it.algorithm = 0),
            "ALGORITHM_UNKNOWN",
            "algorithm",
        ),
        (
            "an unknown key",
            with(&|it| it.key_id = vec![7; 32].into()),
            "KEY_UNKNOWN",
            "key_id",
        ),
        (
            "half a key id",
            with(&|it| it.key_id = it.key_id.slice(..16)),
            "WRONG_LENGTH",
            "key_id",
        ),
        (
            "another's key",
            with(&|it| it.key_id = id("other", KeyPurpose::Sign)),
            "KEY_UNKNOWN",
            "key_id",
        ),
        (
            "a key for calls",
            with(&|it| it.key_id = id("fudan", KeyPurpose::Authenticate)),
            "KEY_WRONG_PURPOSE",
            "key_id",
        ),
        (
            "another's name",
            with(&|it| it.issuer = "other".into()),
            "ISSUER_MISMATCH",
            "issuer",
        ),
        (
            "nobody's name",
            with(&|it| it.issuer = "nobody".into()),
            "ISSUER_MISMATCH",
            "issuer",
        ),
        (
            "the bank's name",
            with(&|it| it.issuer = "bank".into()),
            "ISSUER_MISMATCH",
            "issuer",
        ),
    ];
    for (case, bad, code, field) in cases {
        scene.check_batch(case, bad, code, field).await;
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_signs_nothing_more_and_what_it_signed_stays() {
    let mut scene = Scene::new().await;
    let before = scene.good();
    scene.fudan.deposit(&scene.bank, vec![before.clone()]).await;
    let fresh = SigningKey::from_bytes(&[9; 32]);
    let key = public_key(fresh.verifying_key().to_bytes(), KeyPurpose::Sign);
    let added = v1::AddKeyRequest {
        institution_id: "fudan".into(),
        key: Some(key),
    };
    scene.fudan.line.registry().add_key(added).await.unwrap();
    let old = scene.fudan.keys.key_id(KeyPurpose::Sign).0.to_vec();
    let revoke = v1::RevokeKeyRequest {
        institution_id: "fudan".into(),
        key_id: old.into(),
        doubtful_from: None,
    };
    scene
        .fudan
        .line
        .registry()
        .revoke_key(revoke.clone())
        .await
        .unwrap();
    let late = vec![scene.good()];
    let late = scene.fudan.sign(late);
    let error = submit::submit(&scene.fudan.line, late.clone())
        .await
        .unwrap_err();
    check_refused(
        "a revoked key",
        error.refused().unwrap(),
        "KEY_REVOKED",
        "key_id",
    );
    // The new key signs the same record, and repeats the old one.
    let key_id = creditbank_domain::record::KeyId::of(
        creditbank_domain::record::Algorithm::Ed25519,
        fresh.verifying_key().as_bytes(),
    );
    let mut again = scene.sign(ORIGIN, &fresh, [late.records, vec![before]].concat());
    again.key_id = key_id.0.to_vec().into();
    let decided = submit::submit(&scene.fudan.line, again)
        .await
        .unwrap()
        .response;
    assert_eq!(
        (decided.created.unwrap().rows, decided.duplicates.len()),
        (vec![0], 1)
    );
    let twice = scene
        .fudan
        .line
        .registry()
        .revoke_key(revoke)
        .await
        .unwrap_err();
    check_refused(
        "revoked twice",
        &Refused::new(twice),
        "KEY_REVOKED",
        "key_id",
    );
    scene.bank.check_log();
}

/// A record as an issuer without our SDK would make it, right or wrong.
struct Raw {
    envelope: v1::Envelope,
    payload: Vec<u8>,
    salt: Vec<u8>,
}

impl Raw {
    fn new(scene: &Scene, content: Content) -> Self {
        let kind = match &content {
            Content::Outcome(_) => v1::RecordKind::Outcome,
            Content::Amendment(_) => v1::RecordKind::Amendment,
            Content::Revocation(_) => v1::RecordKind::Revocation,
            Content::Confirmation(_) => v1::RecordKind::Confirmation,
            Content::Merge(_) => v1::RecordKind::Merge,
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

    fn outcome(scene: &Scene) -> Self {
        Self::new(scene, Content::Outcome(course("raw")))
    }

    fn payload(mut self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        change(&mut self.payload);
        self
    }

    fn learner(self, code: &str) -> Self {
        let mut payload = v1::Payload::decode(&self.payload[..]).unwrap();
        payload.learner = code.to_owned();
        Self {
            payload: payload.encode_to_vec(),
            ..self
        }
    }

    fn envelope(mut self, change: impl FnOnce(&mut v1::Envelope)) -> v1::SignedRecord {
        self.envelope.commitment = commitment(&[3; 32], &self.payload).to_vec().into();
        change(&mut self.envelope);
        v1::SignedRecord {
            envelope: self.envelope.encode_to_vec().into(),
            salt: self.salt.into(),
            payload: self.payload.into(),
        }
    }

    fn made(self) -> v1::SignedRecord {
        self.envelope(|_| {})
    }

    fn envelope_bytes(self, change: impl FnOnce(&mut Vec<u8>)) -> v1::SignedRecord {
        let mut record = self.made();
        let mut bytes = record.envelope.to_vec();
        change(&mut bytes);
        record.envelope = bytes.into();
        record
    }
}

/// Ways to write the same message otherwise; each begins with its field 1 of value 1.
const OTHERWISE: [(&str, fn(&mut Vec<u8>)); 6] = [
    ("an unknown field", |bytes| bytes.extend([0xa0, 0x06, 1])),
    ("fields out of order", |bytes| bytes.rotate_left(2)),
    ("a field twice", |bytes| drop(bytes.splice(0..0, [8, 1]))),
    ("a number longer than it need be", |bytes| {
        drop(bytes.splice(1..2, [0x81, 0]))
    }),
    ("an end too early", |bytes| bytes.truncate(bytes.len() - 1)),
    ("no message at all", |bytes| bytes.fill(0xff)),
];

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_two_readers_could_read_differently_are_refused() {
    let mut scene = Scene::new().await;
    for (case, change) in OTHERWISE {
        let envelope = Raw::outcome(&scene).envelope_bytes(change);
        scene
            .check_row(
                &format!("envelope: {case}"),
                envelope,
                "NOT_CANONICAL",
                "envelope",
            )
            .await;
        let payload = Raw::outcome(&scene).payload(change).made();
        scene
            .check_row(
                &format!("payload: {case}"),
                payload,
                "NOT_CANONICAL",
                "payload",
            )
            .await;
    }
    let default_written = Raw::outcome(&scene).envelope_bytes(|bytes| bytes.extend([0x3a, 0]));
    scene
        .check_row(
            "envelope: a default written",
            default_written,
            "NOT_CANONICAL",
            "envelope",
        )
        .await;
    // The outcome's field 2 is a text; it stands behind the length of field 1, inside field 3.
    let inner = Raw::outcome(&scene).payload(|bytes| {
        let outcome = course("raw").encode_to_vec();
        let mut outcome_otherwise = outcome.clone();
        outcome_otherwise.extend([0xa0, 0x06, 1]);
        let at = bytes.len() - outcome.len() - 1;
        bytes.truncate(at);
        bytes.push(u8::try_from(outcome_otherwise.len()).unwrap());
        bytes.extend(outcome_otherwise);
    });
    scene
        .check_row(
            "payload: an unknown field inside",
            inner.made(),
            "NOT_CANONICAL",
            "payload",
        )
        .await;
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_refused_alone() {
    let mut scene = Scene::new().await;
    let outcome = |change: &dyn Fn(&mut v1::Outcome)| {
        let mut outcome = course("raw");
        change(&mut outcome);
        Content::Outcome(outcome)
    };
    let tomorrow_for_ever = outcome(&|it| it.completed_on = "2999-01-01".into());
    let raw = |content: Content| Raw::new(&scene, content);
    let large = outcome(&|it| it.institution_name = "长".repeat(12_000));
    let merge = Content::Merge(v1::Merge {
        merged_learner: digits(scene.learner),
        reason: "same".into(),
    });
    let mut known = scene.fudan.course("good/1", scene.learner);
    known.payload = Bytes::new();
    let cases = vec![
        (
            "a commitment to something else",
            Raw::outcome(&scene).envelope(|it| it.commitment = vec![1; 32].into()),
            "COMMITMENT_MISMATCH",
            "envelope.commitment",
        ),
        (
            "another salt",
            v1::SignedRecord {
                salt: vec![4; 32].into(),
                ..Raw::outcome(&scene).made()
            },
            "COMMITMENT_MISMATCH",
            "envelope.commitment",
        ),
        (
            "a short salt",
            v1::SignedRecord {
                salt: vec![3; 31].into(),
                ..Raw::outcome(&scene).made()
            },
            "WRONG_LENGTH",
            "salt",
        ),
        (
            "a short commitment",
            Raw::outcome(&scene).envelope(|it| it.commitment = vec![1; 31].into()),
            "WRONG_LENGTH",
            "envelope.commitment",
        ),
        (
            "a short id",
            Raw::outcome(&scene).envelope(|it| it.record_id = vec![1; 15].into()),
            "WRONG_LENGTH",
            "envelope.record_id",
        ),
        (
            "a future version",
            Raw::outcome(&scene).envelope(|it| it.version = 2),
            "UNKNOWN_VERSION",
            "envelope.version",
        ),
        (
            "another issuer",
            Raw::outcome(&scene).envelope(|it| it.issuer = "other".into()),
            "ISSUER_MISMATCH",
            "envelope.issuer",
        ),
        (
            "another kind",
            Raw::outcome(&scene).envelope(|it| it.kind = v1::RecordKind::Revocation.into()),
            "MISSING",
            "envelope.refs",
        ),
        (
            "no kind",
            Raw::outcome(&scene).envelope(|it| it.kind = 0),
            "KIND_NOT_ALLOWED",
            "envelope.kind",
        ),
        (
            "a merge",
            raw(merge).made(),
            "KIND_NOT_ALLOWED",
            "envelope.kind",
        ),
        (
            "too many bytes",
            raw(large).made(),
            "RECORD_TOO_LARGE",
            "payload",
        ),
        (
            "a category that is not admitted",
            raw(Content::Outcome(visit("raw", "2024-05-01"))).made(),
            "CATEGORY_NOT_ADMITTED",
            "payload.outcome.detail",
        ),
        (
            "completed in the future",
            raw(tomorrow_for_ever).made(),
            "COMPLETED_IN_FUTURE",
            "payload.outcome.completed_on",
        ),
        (
            "no date",
            raw(outcome(&|it| it.completed_on = "2023-02-29".into())).made(),
            "NOT_A_DATE",
            "payload.outcome.completed_on",
        ),
        (
            "no name",
            raw(outcome(&|it| it.achievement = None)).made(),
            "MISSING",
            "payload.outcome.achievement.name",
        ),
        (
            "a wrong learner code",
            Raw::outcome(&scene).learner("1234567890123456").made(),
            "BAD_CHECK_DIGIT",
            "payload.learner",
        ),
        (
            "a learner code with blanks",
            Raw::outcome(&scene)
                .learner(&scene.learner.to_string())
                .made(),
            "NOT_CANONICAL",
            "payload.learner",
        ),
        (
            "an unknown learner",
            Raw::outcome(&scene)
                .learner(&digits(LearnerCode::from_random(7).unwrap()))
                .made(),
            "LEARNER_UNKNOWN",
            "payload.learner",
        ),
        (
            "no content",
            Raw::outcome(&scene)
                .payload(|bytes| bytes.truncate(20))
                .made(),
            "MISSING",
            "payload.content",
        ),
        (
            "a region that never was",
            raw(community("999999")).made(),
            "REGION_UNKNOWN",
            "payload.outcome.community_course.region",
        ),
        (
            "an enterprise code with a wrong check digit",
            raw(dual_track("91350100M000100Y44")).made(),
            "BAD_CHECK_DIGIT",
            "payload.outcome.dual_track.enterprise_code",
        ),
    ];
    for (case, bad, code, field) in cases {
        scene.check_row(case, bad, code, field).await;
    }
    scene.bank.check_log();
}

fn community(region: &str) -> Content {
    let attendance = Some(v1::Attendance {
        planned: 16,
        attended: 12,
    });
    let detail = v1::CommunityCourse {
        attendance,
        region: region.into(),
        site: String::new(),
    };
    let detail = Some(v1::outcome::Detail::CommunityCourse(detail));
    Content::Outcome(v1::Outcome {
        detail,
        grade: None,
        ..course("太极拳")
    })
}

fn dual_track(enterprise_code: &str) -> Content {
    let attestor = |institution: &str| {
        Some(v1::Attestor {
            institution: institution.into(),
            mentor: "12".into(),
        })
    };
    let detail = v1::DualTrack {
        enterprise_name: "厂".into(),
        enterprise_code: enterprise_code.into(),
        enterprise_attestor: attestor("factory"),
        college_attestor: attestor("fudan"),
    };
    Content::Outcome(v1::Outcome {
        detail: Some(v1::outcome::Detail::DualTrack(detail)),
        ..course("实训")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_stands_for_one_record() {
    let mut scene = Scene::new().await;
    let fudan = &scene.fudan;
    let (first, second) = (
        fudan.course("good/1", scene.learner),
        course("other content"),
    );
    let same_id = fudan
        .maker
        .outcome(b"good/1", scene.learner, second.clone());
    assert_eq!(first.envelope.len(), same_id.envelope.len());
    // In one batch the first of the two stands: `check_row` puts good/1 in front.
    scene
        .check_row(
            "twice in a batch",
            same_id.clone(),
            "RECORD_ID_REPEATED_IN_BATCH",
            "envelope.record_id",
        )
        .await;
    scene
        .check_row(
            "again in another batch",
            same_id,
            "RECORD_ID_CONFLICT",
            "envelope.record_id",
        )
        .await;
    let target = scene
        .fudan
        .deposit(
            &scene.bank,
            vec![scene.fudan.course("target", scene.learner)],
        )
        .await[0];
    let amended =
        scene
            .fudan
            .maker
            .amendment(b"good/1", scene.learner, target, second, "typing error");
    scene
        .check_row(
            "as another kind",
            amended,
            "RECORD_ID_CONFLICT",
            "envelope.record_id",
        )
        .await;
    // Another institution may use the same id.
    let theirs = Raw::outcome(&scene).envelope(|it| it.issuer = "other".into());
    let mine = Raw::outcome(&scene).made();
    scene.fudan.deposit(&scene.bank, vec![mine]).await;
    scene.other.deposit(&scene.bank, vec![theirs]).await;
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_record_in_force_of_the_same_issuer_and_learner_can_be_changed() {
    let mut scene = Scene::new().await;
    let learner = scene.learner;
    let twin = scene.fudan.enrol("2").await;
    let keys = ["kept", "revoked", "amended"];
    let mine = scene
        .fudan
        .deposit(
            &scene.bank,
            keys.map(|key| scene.fudan.course(key, learner)).to_vec(),
        )
        .await;
    let [kept, revoked, amended] = mine[..] else {
        panic!("three records")
    };
    let theirs = scene
        .other
        .deposit(&scene.bank, vec![scene.other.course("theirs", learner)])
        .await[0];
    let done = scene
        .fudan
        .deposit(
            &scene.bank,
            vec![
                scene
                    .fudan
                    .maker
                    .revocation(b"r", learner, revoked, "error"),
                scene
                    .fudan
                    .maker
                    .amendment(b"a", learner, amended, course("amended"), "error"),
            ],
        )
        .await;
    let beyond = RecordRef {
        leaf_index: LeafIndex(1_000_000),
        ..kept
    };
    let other_hash = RecordRef {
        leaf_hash: [7; 32],
        ..kept
    };
    let statement = RecordRef {
        leaf_index: LeafIndex(0),
        leaf_hash: leaf_hash(&scene.bank, 0).await,
    };
    let cases = [
        ("beyond the log", beyond, learner, "TARGET_MISSING"),
        ("another hash", other_hash, learner, "TARGET_HASH_MISMATCH"),
        ("another's record", theirs, learner, "TARGET_FOREIGN"),
        (
            "a decision of the bank",
            statement,
            learner,
            "TARGET_FOREIGN",
        ),
        ("a revoked record", revoked, learner, "TARGET_REVOKED"),
        (
            "an amended record",
            amended,
            learner,
            "TARGET_NOT_AMENDABLE",
        ),
        ("a revocation", done[0], learner, "TARGET_NOT_AMENDABLE"),
        (
            "another learner's record",
            kept,
            twin,
            "TARGET_LEARNER_DIFFERS",
        ),
    ];
    for (case, target, learner, code) in cases {
        let amendment =
            scene
                .fudan
                .maker
                .amendment(case.as_bytes(), learner, target, course("new"), "error");
        scene
            .check_row(
                &format!("amends {case}"),
                amendment,
                code,
                "envelope.refs[0]",
            )
            .await;
        let revocation = scene
            .fudan
            .maker
            .revocation(case.as_bytes(), learner, target, "error");
        scene
            .check_row(
                &format!("revokes {case}"),
                revocation,
                code,
                "envelope.refs[0]",
            )
            .await;
    }
    let reason = v1::Revocation {
        reason: "error".into(),
    };
    let reference = v1::RecordRef {
        leaf_index: kept.leaf_index.0,
        leaf_hash: kept.leaf_hash.to_vec().into(),
    };
    for (count, code) in [(0, "MISSING"), (2, "TOO_MANY")] {
        let refs = vec![reference.clone(); count];
        let revocation =
            Raw::new(&scene, Content::Revocation(reason.clone())).envelope(|it| it.refs = refs);
        scene
            .check_row(
                &format!("{count} references"),
                revocation,
                code,
                "envelope.refs",
            )
            .await;
    }
    let refs = vec![reference];
    let outcome = Raw::outcome(&scene).envelope(|it| it.refs = refs);
    scene
        .check_row(
            "an outcome with a reference",
            outcome,
            "TOO_MANY",
            "envelope.refs",
        )
        .await;
    // What was refused has left no trace: the record can still be amended, and its amendment again.
    let again =
        scene
            .fudan
            .maker
            .amendment(b"beyond the log", learner, kept, course("new"), "error");
    let again = scene.fudan.deposit(&scene.bank, vec![again]).await[0];
    scene
        .fudan
        .deposit(
            &scene.bank,
            vec![scene.fudan.maker.revocation(b"z", learner, again, "error")],
        )
        .await;
    scene.bank.check_log();
}

async fn leaf_hash(bank: &Bank, leaf_index: u64) -> [u8; 32] {
    let leaf = bank
        .anybody()
        .await
        .log()
        .get_leaf(v1::GetLeafRequest { leaf_index })
        .await
        .unwrap()
        .into_inner()
        .leaf;
    creditbank_merkle::leaf_hash(&leaf).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_too_long_proves_nothing() {
    let mut scene = Scene::new().await;
    let places = scene
        .fudan
        .deposit(
            &scene.bank,
            (0..3)
                .map(|i| scene.fudan.course(&i.to_string(), scene.learner))
                .collect(),
        )
        .await;
    let request = v1::GetReceiptRequest {
        leaf_index: places[0].leaf_index.0,
    };
    let receipt = scene
        .bank
        .anybody()
        .await
        .log()
        .get_receipt(request)
        .await
        .unwrap()
        .into_inner();
    for hashes in [1, 8, 64] {
        let mut leaf = v1::Leaf::decode(&receipt.leaf[..]).unwrap();
        let attestation = leaf.attestation.as_mut().unwrap();
        attestation
            .path
            .extend(vec![Bytes::from(vec![7; 32]); hashes]);
        let longer = v1::Receipt {
            leaf: leaf.encode_to_vec().into(),
            ..receipt.clone()
        };
        assert!(
            scene.bank.verifier().verify_receipt(&longer, None).is_err(),
            "{hashes} more in the batch"
        );
        let mut longer = receipt.clone();
        longer
            .inclusion_proof
            .extend(vec![Bytes::from(vec![7; 32]); hashes]);
        assert!(
            scene.bank.verifier().verify_receipt(&longer, None).is_err(),
            "{hashes} more in the log"
        );
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_are_refused_alone_and_with_their_field() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let _other = Institution::new(&bank, "other").await;
    let row = |kind: v1::IdentityKind, number: &str, issuer: &str| v1::EnrolLearnerRequest {
        identity: Some(v1::Identity {
            kind: kind.into(),
            number: number.into(),
            issuer: issuer.into(),
        }),
        name: "古力·阿依夏木".into(),
    };
    use v1::IdentityKind::{Passport, ResidentId, StudentNumber};
    let cases = [
        (row(ResidentId, "319901194505120011", ""), "", ""),
        (
            row(ResidentId, "319901194505120012", ""),
            "BAD_CHECK_DIGIT",
            "identity.number",
        ),
        (
            row(ResidentId, "339901201002290023", ""),
            "NOT_A_DATE",
            "identity.number",
        ),
        (
            row(ResidentId, "31990119450512001", ""),
            "WRONG_LENGTH",
            "identity.number",
        ),
        (row(ResidentId, "319901201202290040", ""), "", ""),
        (row(Passport, "E12345678", ""), "MISSING", "identity.number"),
        (row(Passport, "E12345678", "CHN"), "", ""),
        (
            row(StudentNumber, "20240001", "other"),
            "PERMISSION_DENIED",
            "identity.issuer",
        ),
        (row(StudentNumber, "20240001", "fudan"), "", ""),
        (row(StudentNumber, "", ""), "MISSING", "identity.number"),
        (v1::EnrolLearnerRequest::default(), "MISSING", "identity"),
        (
            v1::EnrolLearnerRequest {
                name: "长".repeat(101),
                ..row(ResidentId, "329901198810204561", "")
            },
            "TOO_LONG",
            "name",
        ),
        (row(ResidentId, "319901194505120011", ""), "", ""),
    ];
    let rows: Vec<_> = cases.iter().map(|(row, ..)| row.clone()).collect();
    let results = creditbank_client::learners::resolve(&fudan.line, rows, true)
        .await
        .unwrap();
    for (at, ((_, code, field), result)) in cases.iter().zip(&results).enumerate() {
        assert_eq!(
            (result.code.as_str(), result.field.as_str()),
            (*code, *field),
            "row {at}"
        );
        assert_eq!(
            result.learner.len(),
            if code.is_empty() { 16 } else { 0 },
            "row {at}"
        );
    }
    assert_eq!(
        results[0].learner, results[12].learner,
        "one person, one archive"
    );
    assert!(results[0].created && !results[12].created);
    let rows = vec![row(StudentNumber, "1", ""); 1001];
    let request = v1::ResolveLearnersRequest {
        rows,
        enrol_missing: true,
    };
    let mut answers = fudan
        .line
        .learner()
        .resolve_learners(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    check_refused(
        "1,001 rows",
        &Refused::new(answers.message().await.unwrap_err()),
        "TOO_MANY",
        "rows",
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_in_the_middle_of_a_stream_hurts_nobody() {
    let mut scene = Scene::new().await;
    let batches: Vec<_> = (0..40)
        .map(|batch| {
            (0..50)
                .map(|i| scene.fudan.course(&format!("{batch}/{i}"), scene.learner))
                .collect::<Vec<_>>()
        })
        .collect();
    for read in [0, 1, 5] {
        let requests: Vec<_> = batches
            .iter()
            .cloned()
            .map(|records| scene.fudan.sign(records))
            .collect();
        let line = scene.bank.connect(&scene.fudan.keys).await;
        let mut answers = line
            .submission()
            .submit_stream(tokio_stream::iter(requests))
            .await
            .unwrap()
            .into_inner();
        for _ in 0..read {
            answers.message().await.unwrap();
        }
        drop((answers, line));
        let theirs = scene.other.course(&format!("while {read}"), scene.learner);
        scene.other.deposit(&scene.bank, vec![theirs]).await;
    }
    // Sent again, each row is there once, whether the bank had kept it or not.
    let mut indices = std::collections::BTreeSet::new();
    for records in batches {
        let decided = scene.fudan.submit(records).await.unwrap();
        assert!(decided.response.refused.is_empty());
        indices.extend(
            scene
                .fudan
                .verify(&scene.bank, &decided)
                .records
                .iter()
                .map(|record| record.leaf_index),
        );
    }
    assert_eq!(indices.len(), 2000);
    let report = scene.bank.check_log();
    assert_eq!(report["leaves"], 3 + 2000 + 3);
}

/// A file system of its own in memory; `None` where the machine does not let us.
fn small_disk(mib: u32) -> Option<(Mount, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let size = format!("size={mib}m");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
        .arg(folder.path())
        .status();
    let mount = Mount(folder.path().to_owned());
    mounted
        .is_ok_and(|status| status.success())
        .then_some((mount, folder))
}

/// Ends with its file system.
struct Mount(std::path::PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        drop(
            std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.0)
                .status(),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_deposits_and_nothing_else() {
    let Some((_mount, folder)) = small_disk(400) else {
        println!("SKIPPED: this machine lets us mount no file system of our own");
        return;
    };
    let mut bank = Bank::made_in(folder);
    bank.start();
    let mut fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    fudan
        .deposit(&bank, vec![fudan.course("before", learner)])
        .await;
    let full = bank.beside().join("full");
    let mut file = std::fs::File::create(&full).unwrap();
    while std::io::Write::write_all(&mut file, &[1; 1 << 20]).is_ok() {}
    let bytes = file.metadata().unwrap().len();
    file.set_len(bytes - (32 << 20)).unwrap();
    let refused = fudan
        .submit(vec![fudan.course("during", learner)])
        .await
        .unwrap_err();
    check_refused("a full disk", refused.refused().unwrap(), "READ_ONLY", "");
    assert!(matches!(&refused, ClientError::Refused(refused) if refused.transient));
    let totals = v1::GetTotalsRequest {
        learner: digits(learner),
    };
    assert_eq!(
        fudan
            .line
            .archive()
            .get_totals(totals)
            .await
            .unwrap()
            .into_inner()
            .categories[0]
            .records,
        1
    );
    drop(file);
    std::fs::remove_file(&full).unwrap();
    fudan
        .deposit(&bank, vec![fudan.course("during", learner)])
        .await;
    bank.stop();
    bank.start();
    fudan.reconnect(&bank).await;
    fudan
        .deposit(&bank, vec![fudan.course("after", learner)])
        .await;
    bank.check_log();
}
