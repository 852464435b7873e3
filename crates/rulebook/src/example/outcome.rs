//! Outcomes of examples: what matters is stated, the rest is filled in with something that could be deposited.

use std::collections::BTreeSet;
use std::sync::Arc;

use creditbank_domain::grade::{FiveLevel, PassFail, Percentage, Points, Scale};
use creditbank_domain::identifier::{InstitutionId, Province, RegionCode, UnifiedSocialCreditCode};
use creditbank_domain::outcome::{
    Achievement, Attendance, Attestor, CommunityCourse, DegreeCourse, DegreeForm, Detail,
    DualTrack, ElderCourse, Evidence, EvidenceKind, ExamCourseCode, HumanitiesWalk, LearningStage,
    ObtainedBy, OutcomeDraft, SelfStudyExam, Session, SkillCertificate, StudyResult, Term,
    Training, VenueLearning, WalkPoint,
};
use creditbank_domain::rules::Held;
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Category, Grade, Hours, LeafIndex, Refusal};
use jiff::civil::Date;
use toml::de::DeValue;

use super::read::leaf;
use crate::finding::code;
use crate::read::{Table, Value};
use crate::words::words;

/// The institution of an outcome that names none: no programme's own.
const INSTITUTION: &str = "elsewhere";
/// The grade of a course or examination that states none.
const GRADE: u32 = 7_500;
/// The enterprise of a dual track.
const ENTERPRISE: &str = "91350100M000100Y43";
/// Most points of a walk, pieces of evidence, attestors.
const PARTS_MAX: usize = 64;
/// The level of a certificate that states none: the framework knows it under no set.
const NO_LEVEL: &str = "未注明";

/// Reads an outcome of an example of the day; `known` are the numbers of those before it, and then its own too.
pub(super) fn outcome(
    value: &Value<'_>,
    day: Date,
    known: &mut BTreeSet<LeafIndex>,
) -> Option<Held> {
    value.table(|t| {
        let leaf = t.need("id", leaf)?;
        if !known.insert(leaf) {
            let message = words!("编号 {leaf} 的成果重复", "there are two outcomes {leaf}");
            t.fault_at("id", code::ID_REPEATED, message);
        }
        let institution = t.take("institution", Value::institution);
        let issuer = match institution {
            Some(institution) => institution,
            None => InstitutionId::parse(INSTITUTION).ok()?,
        };
        let standard = t.take("standard", Value::id);
        let region = t.take("region", |v| {
            v.parsed(RegionCode::parse, ("行政区划代码", "a region's code"))
        });
        let draft = draft(t, leaf, &issuer)?;
        let today = day.max(draft.completed_on);
        match draft.check(today) {
            Ok(outcome) => Some(Held::new(
                leaf,
                issuer,
                region,
                Arc::new(outcome),
                standard.map(Arc::from),
            )),
            Err(faults) => {
                for fault in faults {
                    let message = words!(
                        "这样的成果不能存入：{fault}",
                        "such an outcome cannot be deposited: {fault}"
                    );
                    t.fault(code::EXAMPLE_OUTCOME, message);
                }
                None
            }
        }
    })?
}

fn draft(t: &Table<'_>, leaf: LeafIndex, issuer: &InstitutionId) -> Option<OutcomeDraft> {
    let category = t.need("category", Value::category);
    let name = t.need("name", label);
    let code = t.take("code", short);
    let completed_on = t.need("completed_on", Value::date);
    let grade = t.take("grade", grade);
    let hours = t.take("hours", Value::hours);
    let common = Common {
        name: name.clone()?,
        code: code.clone(),
        completed_on: completed_on?,
        hours,
        issuer: Label::parse(issuer.as_str()).ok()?,
    };
    let detail = detail(t, category?, &common)?;
    let result = matches!(&detail, Detail::DegreeCourse(course) if course.result.is_some());
    let graded = matches!(detail, Detail::DegreeCourse(_) | Detail::SelfStudyExam(_)) && !result;
    let default = Percentage::from_hundredths(GRADE)
        .ok()
        .map(Grade::Percentage);
    Some(OutcomeDraft {
        achievement: Achievement { code, name: name? },
        project: t.take("project", short),
        credits: t.take("credits", Value::credit),
        hours,
        grade: grade.or(default.filter(|_| graded)),
        completed_on: common.completed_on,
        completed_at: None,
        started_on: t.take("started_on", Value::date),
        external_id: Code::parse(&format!("example-{leaf}")).ok(),
        institution_name: Some(common.issuer.clone()),
        evidence: t.or_default("evidence", evidence),
        obtained_by: t.take("obtained_by", |v| {
            v.coded(ObtainedBy::ALL, ObtainedBy::code)
        }),
        detail,
    })
}

/// What the details of a category are filled in from.
struct Common {
    name: Label,
    code: Option<Code>,
    completed_on: Date,
    hours: Option<Hours>,
    issuer: Label,
}

impl Common {
    fn year(&self) -> u16 {
        self.completed_on.year().unsigned_abs()
    }

    fn term(&self) -> Term {
        if self.completed_on.month() <= 7 {
            Term::Spring
        } else {
            Term::Autumn
        }
    }

    /// Minutes of a visit: its hours, as far as a day has them.
    fn minutes(&self) -> u16 {
        const DAY: u32 = 24 * 60;
        let minutes = self.hours.map_or(0, |hours| hours.hundredths() / 100 * 60);
        u16::try_from(minutes.clamp(1, DAY)).unwrap_or(1)
    }
}

/// The fields of the category; those of others are unknown keys.
fn detail(t: &Table<'_>, category: Category, common: &Common) -> Option<Detail> {
    Some(match category {
        Category::DegreeCourse => Detail::DegreeCourse(degree_course(t, common)),
        Category::SelfStudyExam => Detail::SelfStudyExam(self_study_exam(t, common)?),
        Category::SkillCertificate => Detail::SkillCertificate(certificate(t)),
        Category::Training => Detail::Training(Training {
            certificate: t.or_default("certificate", Value::flag),
        }),
        Category::CommunityCourse => Detail::CommunityCourse(CommunityCourse {
            attendance: attendance(t),
            region: None,
            site: None,
        }),
        Category::ElderCourse => Detail::ElderCourse(ElderCourse {
            attendance: attendance(t),
            year: common.year(),
            term: common.term(),
            region: None,
            site: None,
        }),
        Category::VenueLearning => Detail::VenueLearning(VenueLearning {
            venue: common.issuer.clone(),
            activity: common.name.clone(),
            minutes: t
                .take("minutes", |v| v.short(1))
                .unwrap_or(common.minutes()),
        }),
        Category::HumanitiesWalk => Detail::HumanitiesWalk(HumanitiesWalk {
            route: common.code.clone().or(Code::parse("route").ok())?,
            points: match t.take("points", points) {
                Some(points) => points,
                None => vec![WalkPoint {
                    at: common.completed_on.at(9, 0, 0, 0),
                    code: Code::parse("point").ok()?,
                }],
            },
        }),
        Category::DualTrack => Detail::DualTrack(dual_track(t, common)?),
    })
}

fn degree_course(t: &Table<'_>, common: &Common) -> DegreeCourse {
    DegreeCourse {
        form: DegreeForm::Adult,
        stage: t
            .take("stage", Value::stage)
            .unwrap_or(LearningStage::JuniorCollege),
        subject: t.take("subject", label),
        year: common.year(),
        term: None,
        result: t.take("result", |v| v.coded(StudyResult::ALL, StudyResult::code)),
    }
}

fn self_study_exam(t: &Table<'_>, common: &Common) -> Option<SelfStudyExam> {
    let known = ("省级行政区代码", "a province of two digits");
    let province = t.take("province", |v| v.parsed(Province::parse, known));
    let stated = common
        .code
        .as_ref()
        .and_then(|code| ExamCourseCode::parse(code.as_str()).ok());
    let month = common.completed_on.month().unsigned_abs();
    Some(SelfStudyExam {
        course_code: stated.or(ExamCourseCode::parse("00000").ok())?,
        session: Session::new(common.year(), month).ok()?,
        province: province.or(Province::parse("31").ok())?,
    })
}

fn certificate(t: &Table<'_>) -> SkillCertificate {
    let level = t.take("level", Value::skill_level);
    let printed = t.take("level_printed", label);
    let default = Label::parse(NO_LEVEL).ok().filter(|_| level.is_none());
    SkillCertificate {
        number: None,
        occupation: t.take("occupation", Value::occupation),
        occupation_name: None,
        level,
        level_printed: printed.or(default),
        valid_until: t.take("valid_until", Value::date),
        x_certificate: t.or_default("x_certificate", Value::flag),
    }
}

/// All of one session, where nothing is stated.
fn attendance(t: &Table<'_>) -> Attendance {
    let planned = t.take("planned", |v| v.short(1)).unwrap_or(1);
    Attendance {
        planned,
        attended: t.take("attended", |v| v.short(0)).unwrap_or(planned),
    }
}

/// The enterprise and the college, in this order; the institution itself and an enterprise, where none are stated.
fn dual_track(t: &Table<'_>, common: &Common) -> Option<DualTrack> {
    let stated = t.take("attestors", |v| {
        let elements = v.elements(PARTS_MAX)?;
        Some(
            elements
                .iter()
                .filter_map(Value::institution)
                .collect::<Vec<_>>(),
        )
    });
    let default = || {
        let college = InstitutionId::parse(common.issuer.as_str()).ok();
        let enterprise = InstitutionId::parse("enterprise").ok();
        enterprise.into_iter().chain(college).collect()
    };
    let mut attestors = stated
        .unwrap_or_else(default)
        .into_iter()
        .map(|institution| {
            let mentor = Code::parse("mentor").ok()?;
            Some(Attestor {
                institution,
                mentor,
            })
        });
    Some(DualTrack {
        enterprise_name: common.name.clone(),
        enterprise_code: UnifiedSocialCreditCode::parse(ENTERPRISE).ok()?,
        enterprise_attestor: attestors.next().flatten(),
        college_attestor: attestors.next().flatten(),
    })
}

/// `"2026-05-01T09:30:00 P1"`: when, and which point.
fn points(value: &Value<'_>) -> Option<Vec<WalkPoint>> {
    let elements = value.elements(PARTS_MAX)?;
    let point = |element: &Value<'_>| {
        let text = element.text()?;
        let point = text.split_once(' ').and_then(|(at, code)| {
            Some(WalkPoint {
                at: at.parse().ok()?,
                code: Code::parse(code).ok()?,
            })
        });
        point.or_else(|| element.not_among(&text, "2026-05-01T09:30:00 P1, …"))
    };
    Some(elements.iter().filter_map(point).collect())
}

/// Kinds of evidence; each stands for a document of its own.
fn evidence(value: &Value<'_>) -> Option<Vec<Evidence>> {
    let kinds = value.any_number(EvidenceKind::ALL.len(), |v| {
        v.coded(EvidenceKind::ALL, EvidenceKind::code)
    })?;
    let piece = |kind: &EvidenceKind| Evidence {
        kind: *kind,
        uri: None,
        sha256: [kind.number().to_le_bytes()[0]; 32],
    };
    Some(kinds.iter().map(piece).collect())
}

/// A grade as a transcript prints it, or points of a scale.
fn grade(value: &Value<'_>) -> Option<Grade> {
    if matches!(value.node, DeValue::Table(_)) {
        return value.table(|t| {
            let known = ("计分制", "a scale");
            let scale = t.need("scale", |v| v.parsed(Scale::parse, known))?;
            let points = |text: &str| Points::parse(scale, text);
            let known = ("该计分制内的成绩", "a grade of that scale");
            t.need("points", |v| v.parsed(points, known))
                .map(Grade::Points)
        })?;
    }
    let known = (
        "成绩，如 \"85\"、\"优秀\"、\"合格\"",
        "a grade such as \"85\", \"优秀\", \"合格\"",
    );
    value.parsed(printed_grade, known)
}

fn printed_grade(text: &str) -> Result<Grade, Refusal> {
    match text {
        "合格" | "通过" | "不合格" | "未通过" => {
            PassFail::parse(text).map(Grade::PassFail)
        }
        _ if text.starts_with(|c: char| c.is_ascii_digit()) => {
            Percentage::parse(text).map(Grade::Percentage)
        }
        _ => FiveLevel::parse(text).map(Grade::FiveLevel),
    }
}

fn label(value: &Value<'_>) -> Option<Label> {
    value.parsed(Label::parse, ("名称", "a name"))
}

fn short(value: &Value<'_>) -> Option<Code> {
    value.parsed(Code::parse, ("代码", "a code"))
}
