//! What a payload says, as JSON in the words of mapping files: what is printed can be read beside the file it came from.

use creditbank_wire::Message as _;
use creditbank_wire::v1;
use serde_json::{Value, json};

use super::{category, grade, hex, hundredths, word};

/// What a payload says; null where its bytes are none, such as those of an erased learner.
pub(crate) fn payload(bytes: &[u8]) -> Value {
    use v1::payload::Content;
    let Ok(payload) = v1::Payload::decode(bytes) else {
        return Value::Null;
    };
    let content = match &payload.content {
        Some(Content::Outcome(it)) => json!({ "outcome": outcome(it) }),
        Some(Content::Amendment(it)) => {
            json!({ "outcome": it.outcome.as_ref().map(outcome), "reason": it.reason })
        }
        Some(Content::Revocation(it)) => json!({ "reason": it.reason }),
        Some(Content::Confirmation(it)) => json!({ "reason": it.reason }),
        Some(Content::Merge(it)) => {
            json!({ "merged_learner": it.merged_learner, "reason": it.reason })
        }
        Some(Content::Application(it)) => {
            json!({ "programme": it.programme, "uses": uses(&it.uses), "note": it.note })
        }
        Some(Content::Review(it)) => json!({ "approve": it.approve, "reason": it.reason }),
        Some(Content::Notice(it) | Content::Decision(it)) => decision(it),
        Some(
            Content::Objection(it)
            | Content::Appeal(it)
            | Content::Withdrawal(it)
            | Content::Acceptance(it)
            | Content::Return(it)
            | Content::Reversal(it)
            | Content::Closing(it),
        ) => json!({ "reason": it.reason }),
        Some(Content::Points(it)) => {
            json!({ "movements": it.movements.iter().map(movement).collect::<Vec<_>>() })
        }
        Some(Content::Consent(it)) => json!({
            "outcome": it.outcome.as_ref().map(|it| it.leaf_index),
            "category": category(it.category),
            "recipient": it.recipient,
            "recipient_learner": it.recipient_learner,
            "purpose": word(it.purpose().as_str_name(), "TRANSFER_PURPOSE_"),
            "programme": it.programme,
            "notice_sha256": hex(&it.notice_sha256),
        }),
        Some(Content::TransferRequest(it)) => json!({
            "origin": it.origin,
            "consent": it.consent.as_ref().map(|it| it.leaf_index),
        }),
        Some(Content::Transferred(it)) => json!({
            "transfer": hex(&it.transfer_id),
            "origin": it.origin,
            "issuer": it.issuer,
            "issuer_name": it.issuer_name,
            "issuer_region": it.issuer_region,
            "standard": it.standard,
            "programme": it.programme,
            "outcome": it.outcome.as_ref().map(outcome),
        }),
        None => return Value::Null,
    };
    json!({ "learner": payload.learner, "content": content })
}

/// Uses of outcomes.
pub(super) fn uses(uses: &[v1::Use]) -> Value {
    let one =
        |it: &v1::Use| json!({ "rule": it.rule, "outcomes": it.outcomes, "courses": it.courses });
    uses.iter().map(one).collect()
}

/// How points move.
pub(crate) fn movement(movement: &v1::PointsMovement) -> Value {
    use v1::points_movement::Reason;
    let mut said = match &movement.reason {
        Some(Reason::Earned(it)) => {
            json!({ "reason": "earned", "rule": it.rule, "outcome": it.outcome, "expires_on": it.expires_on })
        }
        Some(Reason::Reserved(it)) => {
            json!({ "reason": "reserved", "redemption": hex(&it.redemption), "purpose": it.purpose })
        }
        Some(Reason::Confirmed(id)) => json!({ "reason": "confirmed", "redemption": hex(id) }),
        Some(Reason::Cancelled(id)) => json!({ "reason": "cancelled", "redemption": hex(id) }),
        Some(Reason::Expired(_)) => json!({ "reason": "expired" }),
        Some(Reason::ClawedBack(outcome)) => json!({ "reason": "clawed-back", "outcome": outcome }),
        None => json!({}),
    };
    said["on"] = movement.on.as_str().into();
    said["points"] = movement.points.into();
    said
}

/// What was decided, or is going to be.
pub(super) fn decision(decision: &v1::Decision) -> Value {
    json!({
        "programme": decision.programme,
        "applied_on": decision.applied_on,
        "uses": uses(&decision.uses),
        "lines": decision.lines.iter().map(line_json).collect::<Vec<_>>(),
        "refused": decision.refused.iter().map(refused_json).collect::<Vec<_>>(),
        "automatic": decision.automatic,
        "reason": decision.reason,
    })
}

/// A line of a decision as JSON.
pub(crate) fn line_json(it: &v1::Line) -> Value {
    json!({
        "rule": it.rule,
        "outcomes": it.outcomes,
        "target": word(it.target().as_str_name(), "LINE_TARGET_"),
        "target_id": it.target_id,
        "credits": hundredths(u64::from(it.credits_hundredths)),
    })
}

/// A use that grants nothing as JSON.
pub(crate) fn refused_json(it: &v1::RefusedUse) -> Value {
    json!({ "rule": it.rule, "outcomes": it.outcomes, "code": it.code })
}

fn outcome(outcome: &v1::Outcome) -> Value {
    let achievement = outcome.achievement.clone().unwrap_or_default();
    let decimal = |amount: Option<u32>| amount.map(|amount| hundredths(u64::from(amount)));
    let mut object = json!({
        "category": category(outcome.category() as i32),
        "achievement_code": achievement.code,
        "achievement_name": achievement.name,
        "project": outcome.project,
        "credits": decimal(outcome.credits_hundredths),
        "hours": decimal(outcome.hours_hundredths),
        "grade": grade(outcome.grade.as_ref()),
        "completed_on": outcome.completed_on,
        "completed_at": outcome.completed_at,
        "started_on": outcome.started_on,
        "external_id": outcome.external_id,
        "institution_name": outcome.institution_name,
        "evidence": outcome.evidence.iter().map(evidence).collect::<Vec<_>>(),
    });
    if let (Some(object), Some(it)) = (object.as_object_mut(), &outcome.detail) {
        object.extend(detail(it).as_object().cloned().unwrap_or_default());
        // What is absent is not told.
        object.retain(|_, value| !(value.is_null() || *value == "" || *value == json!([])));
    }
    object
}

fn evidence(evidence: &v1::Evidence) -> Value {
    let kind = v1::EvidenceKind::try_from(evidence.kind).unwrap_or_default();
    json!({ "kind": word(kind.as_str_name(), "EVIDENCE_KIND_"), "uri": evidence.uri, "sha256": hex(&evidence.sha256) })
}

/// The fields of a category, under the names that mapping files have for them.
fn detail(detail: &v1::outcome::Detail) -> Value {
    use v1::outcome::Detail;
    let number = |number: u32| (number > 0).then_some(number);
    let sessions = |it: Option<v1::Attendance>| it.map_or((0, 0), |it| (it.planned, it.attended));
    match detail {
        Detail::DegreeCourse(it) => json!({
            "form": it.form, "stage": it.stage, "subject": it.subject, "year": it.year,
            "term": number(it.term), "result": number(it.result),
        }),
        Detail::SelfStudyExam(it) => {
            json!({ "course_code": it.course_code, "session": it.session, "province": it.province })
        }
        Detail::SkillCertificate(it) => json!({
            "certificate_number": it.number, "occupation": it.occupation, "occupation_name": it.occupation_name,
            "level": number(it.level), "level_printed": it.level_printed, "valid_until": it.valid_until,
            "x_certificate": it.x_certificate,
        }),
        Detail::Training(it) => json!({ "has_certificate": it.certificate }),
        Detail::CommunityCourse(it) => {
            let (planned, attended) = sessions(it.attendance);
            json!({
                "sessions_planned": planned, "sessions_attended": attended, "region": it.region, "site": it.site,
            })
        }
        Detail::ElderCourse(it) => {
            let (planned, attended) = sessions(it.attendance);
            json!({
                "sessions_planned": planned, "sessions_attended": attended, "year": it.year, "term": number(it.term),
                "region": it.region, "site": it.site,
            })
        }
        Detail::VenueLearning(it) => {
            json!({ "venue": it.venue, "activity": it.activity, "minutes": it.minutes })
        }
        Detail::HumanitiesWalk(it) => {
            let points = it
                .points
                .iter()
                .map(|point| format!("{}@{}", point.code, point.at))
                .collect::<Vec<_>>();
            json!({ "route": it.route, "points": points.join(";") })
        }
        Detail::DualTrack(it) => {
            let (enterprise, college) = (
                attestor(&it.enterprise_attestor),
                attestor(&it.college_attestor),
            );
            json!({
                "enterprise_name": it.enterprise_name, "enterprise_code": it.enterprise_code,
                "enterprise_institution": enterprise.institution, "enterprise_mentor": enterprise.mentor,
                "college_institution": college.institution, "college_mentor": college.mentor,
            })
        }
    }
}

fn attestor(attestor: &Option<v1::Attestor>) -> v1::Attestor {
    attestor.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use creditbank_wire::convert;
    use jiff::civil::date;

    use super::*;
    use crate::mapping::{BUILT_IN, Mapping};
    use crate::table::{Options, Table};

    #[test]
    fn what_is_printed_has_the_names_and_texts_of_the_file() {
        let line = r#"{"category":"elder-course","identity_number":"319901194505120011","achievement_name":"钢琴","hours":"24.5",
            "completed_on":"2025-06-30","sessions_planned":"16","sessions_attended":"12","year":"2025","term":"50",
            "region":"310101","site":"外滩街道老年学校","grade":"良好"}"#;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.ndjson");
        std::fs::write(&path, line.replace('\n', "")).unwrap();
        let mapping = Mapping::load(BUILT_IN[0].0).unwrap();
        let table = Table::open(
            &path,
            &Options::default(),
            &mapping.columns(),
            &Default::default(),
        )
        .unwrap();
        let mut mapper = mapping.bind(&table.header, None).unwrap();
        table
            .for_each(&mut |row| {
                let mapped = mapper.read(&row, date(2026, 1, 1)).unwrap();
                let content =
                    v1::payload::Content::Outcome(convert::outcome::to_message(&mapped.outcome));
                let said = v1::Payload {
                    version: 1,
                    learner: "1".into(),
                    content: Some(content),
                };
                let printed = payload(&said.encode_to_vec());
                let file: Value = serde_json::from_str(line).unwrap();
                for (name, expected) in file
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(name, _)| *name != "identity_number")
                {
                    let found = &printed["content"]["outcome"][name];
                    let found = found
                        .as_str()
                        .map_or_else(|| found.to_string(), str::to_owned);
                    assert_eq!(Some(found.as_str()), expected.as_str(), "{name}");
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(payload(b"\xff"), Value::Null);
    }
}
