//! What each category adds to an outcome: its own required fields.
//!
//! The types hold no wrong single value; what only shows between fields is checked by `OutcomeDraft::check`.

use jiff::civil::{Date, DateTime};

use super::Category;
use super::choice::{DegreeForm, LearningStage, SkillLevel, StudyResult, Term};
use super::exam::{ExamCourseCode, Session};
use crate::identifier::UnifiedSocialCreditCode;
use crate::identifier::{
    InstitutionId, OccupationCode, Province, RegionCode, SkillCertificateNumber,
};
use crate::text::{Code, Label};

/// The fields of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// 学历教育课程.
    DegreeCourse(DegreeCourse),
    /// 自学考试.
    SelfStudyExam(SelfStudyExam),
    /// 职业技能等级证书.
    SkillCertificate(SkillCertificate),
    /// 社会培训.
    Training(Training),
    /// 社区教育.
    CommunityCourse(CommunityCourse),
    /// 老年教育.
    ElderCourse(ElderCourse),
    /// 社会场馆学习.
    VenueLearning(VenueLearning),
    /// 人文行走.
    HumanitiesWalk(HumanitiesWalk),
    /// 双元制.
    DualTrack(DualTrack),
}

impl Detail {
    /// The category these fields belong to.
    #[must_use]
    pub const fn category(&self) -> Category {
        match self {
            Self::DegreeCourse(_) => Category::DegreeCourse,
            Self::SelfStudyExam(_) => Category::SelfStudyExam,
            Self::SkillCertificate(_) => Category::SkillCertificate,
            Self::Training(_) => Category::Training,
            Self::CommunityCourse(_) => Category::CommunityCourse,
            Self::ElderCourse(_) => Category::ElderCourse,
            Self::VenueLearning(_) => Category::VenueLearning,
            Self::HumanitiesWalk(_) => Category::HumanitiesWalk,
            Self::DualTrack(_) => Category::DualTrack,
        }
    }

    /// Sessions planned and attended, of the categories that state them.
    #[must_use]
    pub const fn attendance(&self) -> Option<Attendance> {
        match self {
            Self::CommunityCourse(course) => Some(course.attendance),
            Self::ElderCourse(course) => Some(course.attendance),
            _ => None,
        }
    }
}

/// A course of a degree programme (学历教育课程). Needs a grade or a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DegreeCourse {
    /// Adult or ordinary (教育类别).
    pub form: DegreeForm,
    /// Stage of education (教育层次).
    pub stage: LearningStage,
    /// The major (专业名称).
    pub subject: Option<Label>,
    /// The year of the class (届别).
    pub year: u16,
    /// Spring or autumn (毕业季), where the source says.
    pub term: Option<Term>,
    /// Whether the programme was completed (结果).
    pub result: Option<StudyResult>,
}

/// A paper of the self-study examinations (自学考试). Needs a grade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfStudyExam {
    /// The national course code (课程代码).
    pub course_code: ExamCourseCode,
    /// The session (考期).
    pub session: Session,
    /// The province that examined.
    pub province: Province,
}

/// A certificate (职业技能等级证书). The achievement is its name, the institution's name the issuing body's.
///
/// Needs a number or an external id, and a level, known or as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillCertificate {
    /// The certificate's number (证书编号).
    pub number: Option<SkillCertificateNumber>,
    /// The occupation (职业).
    pub occupation: Option<OccupationCode>,
    /// The occupation as printed (职业名称).
    pub occupation_name: Option<Label>,
    /// The level (等级).
    pub level: Option<SkillLevel>,
    /// The level as printed, where it is none of the eight ("中级", "CET-4" …).
    pub level_printed: Option<Label>,
    /// The last day it is valid.
    pub valid_until: Option<Date>,
    /// An X-certificate of the 1+X pilot (1+X 证书).
    pub x_certificate: bool,
}

/// Vocational or social training (社会培训). The achievement is the project; the institution's name is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Training {
    /// Whether a certificate was given (是否有证).
    pub certificate: bool,
}

/// A course of community education (社区教育). Needs hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunityCourse {
    /// Attendance.
    pub attendance: Attendance,
    /// The district, county or city of the site.
    pub region: Option<RegionCode>,
    /// The site (教学点), street or village included.
    pub site: Option<Label>,
}

/// A course of elder education (老年教育). Needs hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElderCourse {
    /// Attendance.
    pub attendance: Attendance,
    /// The year of the term.
    pub year: u16,
    /// Spring or autumn (学期).
    pub term: Term,
    /// The district, county or city of the site.
    pub region: Option<RegionCode>,
    /// The site (教学点).
    pub site: Option<Label>,
}

/// Sessions planned and attended (计划与出勤课次).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// Sessions planned, at least one.
    pub planned: u16,
    /// Sessions attended, at most those planned.
    pub attended: u16,
}

/// Learning at a venue (社会场馆学习).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueLearning {
    /// The venue (场馆).
    pub venue: Label,
    /// What was done there (活动).
    pub activity: Label,
    /// How long, in minutes.
    pub minutes: u16,
}

/// A humanities walk (人文行走).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HumanitiesWalk {
    /// The route (线路).
    pub route: Code,
    /// The learning points visited (学习点), strictly ascending in time.
    pub points: Vec<WalkPoint>,
}

/// A point of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkPoint {
    /// The point's code.
    pub code: Code,
    /// When it was visited, local time.
    pub at: DateTime,
}

/// Work-study dual track (双元制): an enterprise and a college attest together. Needs credits or hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DualTrack {
    /// The enterprise's name (企业).
    pub enterprise_name: Label,
    /// The enterprise's code.
    pub enterprise_code: UnifiedSocialCreditCode,
    /// Who attests for the enterprise (企业导师).
    pub enterprise_attestor: Option<Attestor>,
    /// Who attests for the college (学校导师).
    pub college_attestor: Option<Attestor>,
}

/// One of two attesting parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestor {
    /// The institution answering for it.
    pub institution: InstitutionId,
    /// The mentor's staff number or title there; never an identity number.
    pub mentor: Code,
}
