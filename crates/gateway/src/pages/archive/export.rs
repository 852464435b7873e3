//! An archive as JSON: every record with what proves it, in names that need no further document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use creditbank_domain::outcome::Category;
use creditbank_wire::v1::{self, outcome::Detail};
use serde_json::{Map, Value, json};

use super::row::Origin;
use crate::show;

/// An archive under way to a file.
pub(super) struct Export {
    learner: String,
    bank: Value,
    records: Vec<Value>,
    requests: Vec<Value>,
}

impl Export {
    /// Of one learner at one bank.
    pub(super) fn new(learner: &str, bank: &v1::CredentialIssuer) -> Self {
        Self {
            learner: learner.to_owned(),
            bank: json!({
                "name_zh": bank.name_zh,
                "name_en": bank.name_en,
                "log_origin": bank.origin,
                "log_key": bank.log_key,
                "credential_issuer": bank.did,
            }),
            records: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Adds a record of any kind.
    pub(super) fn add(
        &mut self,
        record: &v1::ArchiveRecord,
        institution: &str,
        origin: Option<&Origin>,
    ) {
        let kind = v1::RecordKind::try_from(record.kind).unwrap_or_default();
        let state = v1::RecordState::try_from(record.state).unwrap_or_default();
        let mut value = json!({
            "leaf_index": record.leaf_index,
            "record_id": show::hex(&record.record_id),
            "institution_id": record.issuer,
            "institution": institution,
            "kind": plain(kind.as_str_name(), "RECORD_KIND_"),
            "state": plain(state.as_str_name(), "RECORD_STATE_"),
            "deposited_at": show::moment(record.deposited_at_ms),
            "deposited_at_ms": record.deposited_at_ms,
            "payload": STANDARD.encode(&record.payload),
            "salt": STANDARD.encode(&record.salt),
        });
        let more = value.as_object_mut().expect("an object");
        if let Some(by) = record.changed_by {
            more.insert("changed_by".into(), by.into());
        }
        if !record.used_by.is_empty() {
            more.insert("used_by".into(), record.used_by.clone().into());
        }
        if let Some(origin) = origin {
            more.insert("from_log".into(), origin.log.clone().into());
            more.insert("from_institution".into(), origin.institution.clone().into());
        }
        if let Some(it) = show::outcome(&record.payload) {
            more.insert("outcome".into(), outcome(&it));
        }
        self.records.push(value);
    }

    /// Adds what the learner has asked for.
    pub(super) fn add_requests(&mut self, requests: &[v1::LearnerRequest]) {
        use v1::learner_request::Content;
        for request in requests {
            let state = v1::RequestState::try_from(request.state).unwrap_or_default();
            let (about, text, leaf_index) = match &request.content {
                Some(Content::Correction(it)) => ("correction", &it.text, Some(it.leaf_index)),
                Some(Content::Erasure(it)) => ("erasure", &it.text, None),
                None => continue,
            };
            self.requests.push(json!({
                "about": about,
                "leaf_index": leaf_index,
                "state": plain(state.as_str_name(), "REQUEST_STATE_"),
                "created_at": show::moment(request.created_at_ms),
                "text": text,
                "answer": request.answer,
            }));
        }
    }

    /// The file.
    pub(super) fn finish(self, day: &str) -> String {
        let all = json!({
            "format": "creditbank-archive/1",
            "exported_on": day,
            "times": "UTC+08:00",
            "about": "payload and salt open the commitment in the log entry leaf_index: \
                SHA-256(\"creditbank/payload/v1\\n\" || salt || payload)",
            "learner": self.learner,
            "bank": self.bank,
            "records": self.records,
            "requests": self.requests,
        });
        serde_json::to_string_pretty(&all).expect("plain data")
    }
}

/// The name of an enumeration's value as JSON has it.
fn plain(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}

fn outcome(it: &v1::Outcome) -> Value {
    let number = u32::try_from(show::category_of(it)).unwrap_or_default();
    let category = Category::from_number(number).map_or("", Category::code);
    let achievement = it.achievement.clone().unwrap_or_default();
    let amount = |it: Option<u32>| it.map(|it| show::hundredths(u64::from(it)));
    let evidence = |it: &v1::Evidence| json!({ "uri": it.uri, "sha256": show::hex(&it.sha256) });
    let value = json!({
        "category": category,
        "name": achievement.name,
        "code": achievement.code,
        "project": it.project,
        "credits": amount(it.credits_hundredths),
        "hours": amount(it.hours_hundredths),
        "grade": it.grade.as_ref().and_then(grade),
        "completed_on": it.completed_on,
        "completed_at": it.completed_at,
        "started_on": it.started_on,
        "external_id": it.external_id,
        "institution_name": it.institution_name,
        "evidence": it.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "detail": it.detail.as_ref().map(detail),
    });
    said(value)
}

/// Leaves out what says nothing.
fn said(value: Value) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let is_said = |it: &Value| match it {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let kept: Map<String, Value> = map.into_iter().filter(|(_, it)| is_said(it)).collect();
    Value::Object(kept)
}

fn grade(it: &v1::Grade) -> Option<Value> {
    use v1::grade::Scheme;
    Some(match it.scheme.as_ref()? {
        Scheme::PercentageHundredths(amount) => {
            json!({ "scheme": "percentage", "value": show::hundredths(u64::from(*amount)) })
        }
        Scheme::FiveLevel(level) => {
            let level = v1::FiveLevel::try_from(*level).unwrap_or_default();
            json!({ "scheme": "five-level", "value": plain(level.as_str_name(), "FIVE_LEVEL_") })
        }
        Scheme::PassFail(result) => {
            let result = v1::PassFail::try_from(*result).unwrap_or_default();
            json!({ "scheme": "pass-fail", "value": plain(result.as_str_name(), "PASS_FAIL_") })
        }
        Scheme::Points(it) => {
            let value = show::hundredths(u64::from(it.points_hundredths));
            json!({ "scheme": it.scale, "value": value })
        }
    })
}

fn detail(it: &Detail) -> Value {
    let attended = |it: &Option<v1::Attendance>| {
        it.map(|it| json!({ "planned": it.planned, "attended": it.attended }))
    };
    let value = match it {
        Detail::DegreeCourse(it) => json!({
            "form": it.form, "stage": it.stage, "subject": it.subject, "year": it.year, "term": it.term,
            "result": it.result,
        }),
        Detail::SelfStudyExam(it) => json!({
            "course_code": it.course_code, "session": it.session, "province": it.province,
        }),
        Detail::SkillCertificate(it) => json!({
            "number": it.number, "occupation": it.occupation, "occupation_name": it.occupation_name,
            "level": it.level, "level_printed": it.level_printed, "valid_until": it.valid_until,
            "x_certificate": it.x_certificate,
        }),
        Detail::Training(it) => json!({ "certificate": it.certificate }),
        Detail::CommunityCourse(it) => json!({
            "attendance": attended(&it.attendance), "region": it.region, "site": it.site,
        }),
        Detail::ElderCourse(it) => json!({
            "attendance": attended(&it.attendance), "year": it.year, "term": it.term,
            "region": it.region, "site": it.site,
        }),
        Detail::VenueLearning(it) => json!({
            "venue": it.venue, "activity": it.activity, "minutes": it.minutes,
        }),
        Detail::HumanitiesWalk(it) => {
            let point = |it: &v1::WalkPoint| json!({ "code": it.code, "at": it.at });
            let points: Vec<_> = it.points.iter().map(point).collect();
            json!({ "route": it.route, "points": points })
        }
        Detail::DualTrack(it) => {
            let mentor = |it: &Option<v1::Attestor>| {
                let it = it.clone().unwrap_or_default();
                json!({ "institution": it.institution, "mentor": it.mentor })
            };
            json!({
                "enterprise_name": it.enterprise_name,
                "enterprise_code": it.enterprise_code,
                "enterprise_attestor": mentor(&it.enterprise_attestor),
                "college_attestor": mentor(&it.college_attestor),
            })
        }
    };
    said(value)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use creditbank_wire::Message as _;
    use creditbank_wire::v1;
    use serde_json::Value;

    use super::Export;

    #[test]
    fn an_export_says_what_the_record_says_and_keeps_its_bytes() {
        let outcome = v1::Outcome {
            achievement: Some(v1::Achievement {
                name: "\"国画\"\n入门".into(),
                ..Default::default()
            }),
            hours_hundredths: Some(1_650),
            completed_on: "2026-05-01".into(),
            detail: Some(v1::outcome::Detail::ElderCourse(v1::ElderCourse {
                attendance: Some(v1::Attendance {
                    planned: 16,
                    attended: 14,
                }),
                ..Default::default()
            })),
            ..Default::default()
        };
        let payload = v1::Payload {
            content: Some(v1::payload::Content::Outcome(outcome)),
            ..Default::default()
        };
        let record = v1::ArchiveRecord {
            leaf_index: 7,
            kind: v1::RecordKind::Outcome as i32,
            state: v1::RecordState::Active as i32,
            payload: payload.encode_to_vec().into(),
            ..Default::default()
        };
        let mut export = Export::new("1234567812345678", &v1::CredentialIssuer::default());
        export.add(&record, "老年大学", None);
        let read: Value = serde_json::from_str(&export.finish("2026-05-02")).expect("JSON");
        let first = &read["records"][0];
        assert_eq!(first["outcome"]["name"], "\"国画\"\n入门");
        assert_eq!(first["outcome"]["category"], "elder-course");
        assert_eq!(first["outcome"]["hours"], "16.5");
        assert_eq!(first["outcome"]["detail"]["attendance"]["attended"], 14);
        assert_eq!(
            (&first["kind"], &first["state"]),
            (&"outcome".into(), &"active".into())
        );
        let kept = STANDARD.decode(first["payload"].as_str().expect("text"));
        assert_eq!(kept.expect("base64"), record.payload);
    }
}
