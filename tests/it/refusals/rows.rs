//! What is refused a row: its bytes, its form, its content.

use creditbank_domain::LearnerCode;
use creditbank_wire::v1::{self, payload::Content};
use prost::Message;

use super::{Raw, Scene};
use crate::institution::{course, digits, visit};
use crate::standards::project;

/// A change of a message's bytes.
type Change = fn(&mut Vec<u8>);

/// Ways to write the same message otherwise; each begins with its field 1 of value 1.
const OTHERWISE: [(&str, Change); 6] = [
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
        project: project(v1::Category::CommunityCourse),
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
        project: project(v1::Category::DualTrack),
        ..course("实训")
    })
}
