//! `outcome.proto` to and from [`Outcome`].
//!
//! Reading tells every refused field at once, by its path in the message. In signed bytes a value has one spelling, so
//! messages that are accepted and outcomes correspond one to one: [`to_message`] is the exact inverse of [`parse`].
//! Lists are measured before they are read, so that a small message cannot cause a large refusal.

mod detail;
mod value;

use creditbank_domain::grade::{FiveLevel, PassFail, Percentage, Points, Scale};
use creditbank_domain::outcome::{Achievement, EVIDENCE_MAX, Evidence, EvidenceKind, ObtainedBy};
use creditbank_domain::text::{Code, Label, Uri};
use creditbank_domain::{
    Category, Credit, Fault, Faults, Grade, Hours, Outcome, OutcomeDraft, Refusal,
};
use jiff::civil::Date;

use self::value::{date, digest, list, optional, required, required_part, text, time, whole};
use crate::v1;

impl v1::Outcome {
    /// The category, which is that of the detail.
    #[must_use]
    pub fn category(&self) -> v1::Category {
        use v1::outcome::Detail;
        match self.detail {
            None => v1::Category::Unspecified,
            Some(Detail::DegreeCourse(_)) => v1::Category::DegreeCourse,
            Some(Detail::SelfStudyExam(_)) => v1::Category::SelfStudyExam,
            Some(Detail::SkillCertificate(_)) => v1::Category::SkillCertificate,
            Some(Detail::Training(_)) => v1::Category::Training,
            Some(Detail::CommunityCourse(_)) => v1::Category::CommunityCourse,
            Some(Detail::ElderCourse(_)) => v1::Category::ElderCourse,
            Some(Detail::VenueLearning(_)) => v1::Category::VenueLearning,
            Some(Detail::HumanitiesWalk(_)) => v1::Category::HumanitiesWalk,
            Some(Detail::DualTrack(_)) => v1::Category::DualTrack,
        }
    }
}

impl v1::Payload {
    /// The outcome that was deposited, as it is or as it was amended; nothing in a payload of another kind.
    #[must_use]
    pub fn deposited_outcome(self) -> Option<v1::Outcome> {
        match self.content? {
            v1::payload::Content::Outcome(outcome) => Some(outcome),
            v1::payload::Content::Amendment(amendment) => amendment.outcome,
            _ => None,
        }
    }
}

/// The outcome that a message states, or every fault with its field, such as `grade.percentage_hundredths`; `today`
/// is the local date of the issuer.
///
/// Rules between fields are looked at only once every single field is right.
pub fn parse(message: v1::Outcome, today: Date) -> Result<Outcome, Vec<Fault>> {
    let detail_field = message.detail.as_ref().map_or("detail", detail::field_of);
    let mut faults = Faults::default();
    let achievement = faults.take_part(
        "achievement",
        achievement(message.achievement.unwrap_or_default()),
    );
    let project = faults.take("project", Code::parse_optional(&message.project));
    let grade = faults.take_part("grade", message.grade.map(grade).transpose());
    let completed_on = faults.take("completed_on", required(&*message.completed_on, date));
    let completed_at = faults.take("completed_at", optional(&*message.completed_at, time));
    let obtained_by = faults.take("obtained_by", obtained_by(message.obtained_by));
    let started_on = faults.take("started_on", optional(&*message.started_on, date));
    let external_id = faults.take("external_id", Code::parse_optional(&message.external_id));
    let institution_name = faults.take(
        "institution_name",
        Label::parse_optional(&message.institution_name),
    );
    let evidence = faults.take_part("evidence", list(message.evidence, EVIDENCE_MAX, evidence));
    let detail = faults.take_part(detail_field, required_part(message.detail, detail::parse));
    let draft = whole(faults, || {
        Some(OutcomeDraft {
            achievement: achievement?,
            project: project?,
            credits: message.credits_hundredths.map(Credit::from_hundredths),
            hours: message.hours_hundredths.map(Hours::from_hundredths),
            grade: grade?,
            completed_on: completed_on?,
            completed_at: completed_at?,
            obtained_by: obtained_by?,
            started_on: started_on?,
            external_id: external_id?,
            institution_name: institution_name?,
            evidence: evidence?,
            detail: detail?,
        })
    })?;
    draft.check(today).map_err(|faults| {
        faults
            .into_iter()
            .map(|fault| renamed(fault, detail_field))
            .collect()
    })
}

/// A fault that was found in an outcome, said of the fields of its message.
#[must_use]
pub fn fault_in_message(fault: Fault, outcome: &Outcome) -> Fault {
    renamed(
        fault,
        detail::field_of(&detail::to_message(&outcome.detail)),
    )
}

/// The message that states an outcome.
#[must_use]
pub fn to_message(outcome: &Outcome) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: text(&outcome.achievement.code),
            name: outcome.achievement.name.to_string(),
        }),
        project: text(&outcome.project),
        credits_hundredths: outcome.credits.map(Credit::hundredths),
        hours_hundredths: outcome.hours.map(Hours::hundredths),
        grade: outcome.grade.map(grade_to_message),
        completed_on: outcome.completed_on.to_string(),
        started_on: text(&outcome.started_on),
        external_id: text(&outcome.external_id),
        institution_name: text(&outcome.institution_name),
        evidence: outcome.evidence.iter().map(evidence_to_message).collect(),
        completed_at: text(&outcome.completed_at),
        obtained_by: outcome.obtained_by.map_or(0, |by| by.number() as i32),
        detail: Some(detail::to_message(&outcome.detail)),
    }
}

/// 0 states nothing: by study or examination.
fn obtained_by(number: i32) -> Result<Option<ObtainedBy>, Refusal> {
    match number {
        0 => Ok(None),
        other => ObtainedBy::from_number(other.cast_unsigned()).map(Some),
    }
}

/// The category of a number of the wire.
pub fn parse_category(number: i32) -> Result<Category, Refusal> {
    Category::from_number(number.cast_unsigned())
}

/// The number of a category on the wire.
#[must_use]
pub const fn category_to_message(category: Category) -> v1::Category {
    match category {
        Category::DegreeCourse => v1::Category::DegreeCourse,
        Category::SelfStudyExam => v1::Category::SelfStudyExam,
        Category::SkillCertificate => v1::Category::SkillCertificate,
        Category::Training => v1::Category::Training,
        Category::CommunityCourse => v1::Category::CommunityCourse,
        Category::ElderCourse => v1::Category::ElderCourse,
        Category::VenueLearning => v1::Category::VenueLearning,
        Category::HumanitiesWalk => v1::Category::HumanitiesWalk,
        Category::DualTrack => v1::Category::DualTrack,
    }
}

fn achievement(message: v1::Achievement) -> Result<Achievement, Vec<Fault>> {
    let mut faults = Faults::default();
    let code = faults.take("code", Code::parse_optional(&message.code));
    let name = faults.take("name", Label::parse(&message.name));
    whole(faults, || {
        Some(Achievement {
            code: code?,
            name: name?,
        })
    })
}

pub(super) fn grade(message: v1::Grade) -> Result<Grade, Vec<Fault>> {
    use v1::grade::Scheme;
    match message.scheme {
        Some(Scheme::PercentageHundredths(hundredths)) => Percentage::from_hundredths(hundredths)
            .map(Grade::Percentage)
            .map_err(at("percentage_hundredths")),
        Some(Scheme::FiveLevel(number)) => required(number.cast_unsigned(), FiveLevel::from_number)
            .map(Grade::FiveLevel)
            .map_err(at("five_level")),
        Some(Scheme::PassFail(number)) => required(number, pass_fail)
            .map(Grade::PassFail)
            .map_err(at("pass_fail")),
        Some(Scheme::Points(message)) => {
            let scale = required(&*message.scale, scale).map_err(at("points.scale"))?;
            let points = Points::from_hundredths(scale, message.points_hundredths);
            points
                .map(Grade::Points)
                .map_err(at("points.points_hundredths"))
        }
        None => Err(vec![Refusal::GradeScaleUnknown.at("")]),
    }
}

fn pass_fail(number: i32) -> Result<PassFail, Refusal> {
    match v1::PassFail::try_from(number) {
        Ok(v1::PassFail::Pass) => Ok(PassFail::Pass),
        Ok(v1::PassFail::Fail) => Ok(PassFail::Fail),
        Ok(v1::PassFail::Unspecified) | Err(_) => Err(Refusal::ChoiceUnknown),
    }
}

fn evidence(message: v1::Evidence) -> Result<Evidence, Vec<Fault>> {
    let mut faults = Faults::default();
    let kind = faults.take(
        "kind",
        required(message.kind.cast_unsigned(), EvidenceKind::from_number),
    );
    let uri = faults.take("uri", Uri::parse_optional(&message.uri));
    let sha256 = faults.take("sha256", required(&*message.sha256, digest));
    whole(faults, || {
        Some(Evidence {
            kind: kind?,
            uri: uri?,
            sha256: sha256?,
        })
    })
}

/// A fault of the domain, said of the fields of the message.
fn renamed(fault: Fault, detail_field: &'static str) -> Fault {
    let field = match (fault.field.as_str(), fault.field.strip_prefix("detail.")) {
        (_, Some(rest)) => format!("{detail_field}.{rest}"),
        ("credits", None) => "credits_hundredths".to_owned(),
        ("hours", None) => "hours_hundredths".to_owned(),
        (_, None) => fault.field.clone(),
    };
    let refusal = match fault.refusal {
        Refusal::Inconsistent { with } => Refusal::Inconsistent {
            with: other_field(with, detail_field),
        },
        refusal => refusal,
    };
    Fault {
        field,
        refusal,
        ..fault
    }
}

fn other_field(with: &'static str, detail_field: &'static str) -> &'static str {
    match (with, detail_field) {
        ("detail.number", _) => "skill_certificate.number",
        ("detail.attendance.planned", "elder_course") => "elder_course.attendance.planned",
        ("detail.attendance.planned", _) => "community_course.attendance.planned",
        (with, _) => with,
    }
}

pub(super) fn grade_to_message(grade: Grade) -> v1::Grade {
    use v1::grade::Scheme;
    let scheme = match grade {
        Grade::Percentage(percentage) => Scheme::PercentageHundredths(percentage.hundredths()),
        Grade::FiveLevel(level) => Scheme::FiveLevel(level.number().cast_signed()),
        Grade::PassFail(PassFail::Pass) => Scheme::PassFail(v1::PassFail::Pass.into()),
        Grade::PassFail(PassFail::Fail) => Scheme::PassFail(v1::PassFail::Fail.into()),
        Grade::Points(points) => Scheme::Points(v1::Points {
            scale: points.scale().id().to_owned(),
            points_hundredths: points.hundredths(),
        }),
    };
    v1::Grade {
        scheme: Some(scheme),
    }
}

fn evidence_to_message(evidence: &Evidence) -> v1::Evidence {
    v1::Evidence {
        kind: evidence.kind.number().cast_signed(),
        uri: text(&evidence.uri),
        sha256: evidence.sha256.to_vec().into(),
    }
}

fn at(field: &'static str) -> impl FnOnce(Refusal) -> Vec<Fault> {
    move |refusal| vec![refusal.at(field)]
}

fn scale(id: &str) -> Result<Scale, Refusal> {
    Scale::parse(id).and_then(|scale| {
        if scale.id() == id {
            Ok(scale)
        } else {
            Err(Refusal::NotCanonical)
        }
    })
}
