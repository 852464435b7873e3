//! What a learner achieved, as JSON. What is not stated is absent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kinds of learning outcome that a bank admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Category {
    /// 学历教育课程学分
    DegreeCourse,
    /// 高等教育自学考试
    SelfStudyExam,
    /// 职业技能等级证书
    SkillCertificate,
    /// 社会培训
    Training,
    /// 社区教育
    CommunityCourse,
    /// 老年教育
    ElderCourse,
    /// 社会场馆学习
    VenueLearning,
    /// 人文行走
    HumanitiesWalk,
    /// 双元制
    DualTrack,
}

impl Category {
    const ALL: [(Self, v1::Category); 9] = [
        (Self::DegreeCourse, v1::Category::DegreeCourse),
        (Self::SelfStudyExam, v1::Category::SelfStudyExam),
        (Self::SkillCertificate, v1::Category::SkillCertificate),
        (Self::Training, v1::Category::Training),
        (Self::CommunityCourse, v1::Category::CommunityCourse),
        (Self::ElderCourse, v1::Category::ElderCourse),
        (Self::VenueLearning, v1::Category::VenueLearning),
        (Self::HumanitiesWalk, v1::Category::HumanitiesWalk),
        (Self::DualTrack, v1::Category::DualTrack),
    ];

    /// Its number in the contract.
    pub(super) fn number(self) -> i32 {
        let found = Self::ALL.iter().find(|(it, _)| *it == self);
        found.map_or(0, |(_, wire)| *wire as i32)
    }

    /// By the number in the contract.
    pub(super) fn of(number: i32) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, it)| *it as i32 == number);
        found.map(|(it, _)| *it)
    }
}

/// One learning outcome (学习成果).
#[derive(Serialize, ToSchema)]
pub(super) struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Category>,
    /// Name of the course, certificate, training or activity.
    name: String,
    /// The institution's code for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Id of the admitted project (准入项目).
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// Credits in hundredths.
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_hundredths: Option<u32>,
    /// Hours in hundredths.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours_hundredths: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grade: Option<Grade>,
    /// Day it was completed or awarded.
    completed_on: String,
    /// Time of that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_on: Option<String>,
    /// The institution's own id of this outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The institution's name as printed on the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    institution_name: Option<String>,
    evidence: Vec<Evidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obtained_by: Option<ObtainedBy>,
    /// What outcomes of its category also have.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
}

/// A grade in one of a closed set of schemes.
#[derive(Serialize, ToSchema)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub(super) enum Grade {
    /// 0 to 10,000 hundredths.
    Percentage { hundredths: u32 },
    /// 优 1, 良 2, 中 3, 及格 4, 不及格 5.
    FiveLevel { level: i32 },
    /// 合格, 不合格.
    PassFail { passed: bool },
    /// Points on a named scale, in hundredths.
    Points { scale: String, hundredths: u32 },
}

/// A document kept elsewhere (佐证材料), bound by its digest.
#[derive(Serialize, ToSchema)]
pub(super) struct Evidence {
    /// 证书 1, 成绩单 2, 考勤记录 3, 作品 4, 照片 5, 其他 6.
    kind: i32,
    /// Where it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    /// SHA-256 of its bytes, base64.
    sha256: String,
}

/// How an outcome was obtained, where not by study or examination.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ObtainedBy {
    /// 考核认定
    Assessment,
    /// 学分认定
    Recognition,
}

/// What outcomes of one category also have. Numbers are those of the national tables.
#[derive(Serialize, ToSchema)]
#[serde(tag = "category", rename_all = "snake_case")]
pub(super) enum Detail {
    DegreeCourse {
        form: u32,
        stage: u32,
        subject: String,
        year: u32,
        term: u32,
        result: u32,
    },
    SelfStudyExam {
        course_code: String,
        session: String,
        province: u32,
    },
    SkillCertificate {
        number: String,
        occupation: String,
        occupation_name: String,
        level: u32,
        level_printed: String,
        valid_until: String,
        x_certificate: bool,
    },
    Training {
        certificate: bool,
    },
    CommunityCourse {
        sessions_planned: u32,
        sessions_attended: u32,
        region: String,
        site: String,
    },
    ElderCourse {
        sessions_planned: u32,
        sessions_attended: u32,
        year: u32,
        term: u32,
        region: String,
        site: String,
    },
    VenueLearning {
        venue: String,
        activity: String,
        minutes: u32,
    },
    HumanitiesWalk {
        route: String,
        points: Vec<WalkPoint>,
    },
    DualTrack {
        enterprise_name: String,
        enterprise_code: String,
        enterprise_attestor: Attestor,
        college_attestor: Attestor,
    },
}

/// A place where somebody was.
#[derive(Serialize, ToSchema)]
pub(super) struct WalkPoint {
    code: String,
    /// Local date and time.
    at: String,
}

/// One of two attesting parties.
#[derive(Serialize, ToSchema)]
pub(super) struct Attestor {
    institution: String,
    mentor: String,
}

impl Outcome {
    pub(super) fn of(it: v1::Outcome) -> Self {
        let category = Category::of(it.category() as i32);
        let achievement = it.achievement.unwrap_or_default();
        let obtained_by = match v1::ObtainedBy::try_from(it.obtained_by).unwrap_or_default() {
            v1::ObtainedBy::Unspecified => None,
            v1::ObtainedBy::Assessment => Some(ObtainedBy::Assessment),
            v1::ObtainedBy::Recognition => Some(ObtainedBy::Recognition),
        };
        Self {
            category,
            name: achievement.name,
            code: stated(achievement.code),
            project: stated(it.project),
            credits_hundredths: it.credits_hundredths,
            hours_hundredths: it.hours_hundredths,
            grade: it.grade.and_then(|it| it.scheme).map(grade),
            completed_on: it.completed_on,
            completed_at: stated(it.completed_at),
            started_on: stated(it.started_on),
            external_id: stated(it.external_id),
            institution_name: stated(it.institution_name),
            evidence: it.evidence.into_iter().map(evidence).collect(),
            obtained_by,
            detail: it.detail.map(detail),
        }
    }
}

/// A text, if there is one.
pub(super) fn stated(text: String) -> Option<String> {
    Some(text).filter(|it| !it.is_empty())
}

fn grade(scheme: v1::grade::Scheme) -> Grade {
    use v1::grade::Scheme;
    match scheme {
        Scheme::PercentageHundredths(hundredths) => Grade::Percentage { hundredths },
        Scheme::FiveLevel(level) => Grade::FiveLevel { level },
        Scheme::PassFail(result) => Grade::PassFail {
            passed: result == v1::PassFail::Pass as i32,
        },
        Scheme::Points(it) => Grade::Points {
            scale: it.scale,
            hundredths: it.points_hundredths,
        },
    }
}

fn evidence(it: v1::Evidence) -> Evidence {
    Evidence {
        kind: it.kind,
        uri: stated(it.uri),
        sha256: STANDARD.encode(&it.sha256),
    }
}

fn detail(detail: v1::outcome::Detail) -> Detail {
    use v1::outcome::Detail as Wire;
    match detail {
        Wire::DegreeCourse(it) => Detail::DegreeCourse {
            form: it.form,
            stage: it.stage,
            subject: it.subject,
            year: it.year,
            term: it.term,
            result: it.result,
        },
        Wire::SelfStudyExam(it) => Detail::SelfStudyExam {
            course_code: it.course_code,
            session: it.session,
            province: it.province,
        },
        Wire::SkillCertificate(it) => Detail::SkillCertificate {
            number: it.number,
            occupation: it.occupation,
            occupation_name: it.occupation_name,
            level: it.level,
            level_printed: it.level_printed,
            valid_until: it.valid_until,
            x_certificate: it.x_certificate,
        },
        Wire::Training(it) => Detail::Training {
            certificate: it.certificate,
        },
        other => detail_of_places(other),
    }
}

/// The categories of which a place or two parties are told.
fn detail_of_places(detail: v1::outcome::Detail) -> Detail {
    use v1::outcome::Detail as Wire;
    let sessions = |it: Option<v1::Attendance>| it.map_or((0, 0), |it| (it.planned, it.attended));
    match detail {
        Wire::CommunityCourse(it) => {
            let (sessions_planned, sessions_attended) = sessions(it.attendance);
            Detail::CommunityCourse {
                sessions_planned,
                sessions_attended,
                region: it.region,
                site: it.site,
            }
        }
        Wire::ElderCourse(it) => {
            let (sessions_planned, sessions_attended) = sessions(it.attendance);
            Detail::ElderCourse {
                sessions_planned,
                sessions_attended,
                year: it.year,
                term: it.term,
                region: it.region,
                site: it.site,
            }
        }
        Wire::HumanitiesWalk(it) => {
            let point = |it: v1::WalkPoint| WalkPoint {
                code: it.code,
                at: it.at,
            };
            Detail::HumanitiesWalk {
                route: it.route,
                points: it.points.into_iter().map(point).collect(),
            }
        }
        Wire::DualTrack(it) => Detail::DualTrack {
            enterprise_name: it.enterprise_name,
            enterprise_code: it.enterprise_code,
            enterprise_attestor: attestor(it.enterprise_attestor),
            college_attestor: attestor(it.college_attestor),
        },
        Wire::VenueLearning(it) => Detail::VenueLearning {
            venue: it.venue,
            activity: it.activity,
            minutes: it.minutes,
        },
        Wire::DegreeCourse(_)
        | Wire::SelfStudyExam(_)
        | Wire::SkillCertificate(_)
        | Wire::Training(_) => unreachable!("told by the caller"),
    }
}

fn attestor(it: Option<v1::Attestor>) -> Attestor {
    let it = it.unwrap_or_default();
    Attestor {
        institution: it.institution,
        mentor: it.mentor,
    }
}
