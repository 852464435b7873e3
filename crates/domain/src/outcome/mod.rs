//! Learning outcomes (学习成果): what an institution says a learner did.
//!
//! A caller fills an [`OutcomeDraft`] with values that are right one by one; [`OutcomeDraft::check`] looks at
//! them together and either gives an [`Outcome`] or every fault at once.

mod category;
mod check;
mod choice;
mod detail;
mod exam;

use std::ops::Deref;

use jiff::civil::{Date, Time};

pub use self::category::Category;
pub use self::check::{
    DURATION_DAYS_MAX, EARLIEST_COMPLETION, EVIDENCE_MAX, MINUTES_MAX, SESSIONS_MAX,
    WALK_POINTS_MAX, WALK_POINTS_MIN,
};
pub use self::choice::{
    DegreeForm, EvidenceKind, LearningStage, ObtainedBy, SkillLevel, StudyResult, Term,
};
pub use self::detail::{
    Attendance, Attestor, CommunityCourse, DegreeCourse, Detail, DualTrack, ElderCourse,
    HumanitiesWalk, SelfStudyExam, SkillCertificate, Training, VenueLearning, WalkPoint,
};
pub use self::exam::{ExamCourseCode, Session};
use crate::text::{Code, Label, Uri};
use crate::{Credit, Grade, Hours};

/// An outcome whose fields are consistent with each other on the day it was checked.
///
/// Made by [`OutcomeDraft::check`] alone and never changed; reads as the draft it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome(OutcomeDraft);

impl Outcome {
    /// The category, which the detail decides.
    #[must_use]
    pub fn category(&self) -> Category {
        self.0.detail.category()
    }

    /// Whether it was not failed. A degree course whose programme ended without graduation is none the worse for a grade
    /// that passes; without a grade it is not passed.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        match (self.0.grade, &self.0.detail) {
            (Some(grade), _) => grade.is_pass() != Some(false),
            (None, Detail::DegreeCourse(course)) => course.result != Some(StudyResult::Incomplete),
            (None, _) => true,
        }
    }

    /// Back to a draft, to amend it.
    #[must_use]
    pub fn into_draft(self) -> OutcomeDraft {
        self.0
    }
}

impl Deref for Outcome {
    type Target = OutcomeDraft;

    fn deref(&self) -> &OutcomeDraft {
        &self.0
    }
}

/// The fields of an outcome before they are checked together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeDraft {
    /// What was achieved: the course, the certificate, the project.
    pub achievement: Achievement,
    /// The admitted project of the issuer it belongs to (认定项目).
    pub project: Option<Code>,
    /// Credit (学分).
    pub credits: Option<Credit>,
    /// Hours (学时).
    pub hours: Option<Hours>,
    /// Grade (成绩).
    pub grade: Option<Grade>,
    /// The day it was completed or awarded (获得日期), local to the issuer.
    pub completed_on: Date,
    /// The time of that day, where the source states it (获得时间).
    pub completed_at: Option<Time>,
    /// The first day, where known.
    pub started_on: Option<Date>,
    /// The issuer's own id of the row (外部编号).
    pub external_id: Option<Code>,
    /// The institution as the document prints it (办学机构).
    pub institution_name: Option<Label>,
    /// What supports it, by digest.
    pub evidence: Vec<Evidence>,
    /// How it was obtained; none is by study or examination. What was itself recognised is no source of recognition.
    pub obtained_by: Option<ObtainedBy>,
    /// The fields of its category.
    pub detail: Detail,
}

/// What was achieved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Achievement {
    /// The issuer's code, such as a course code (课程代码).
    pub code: Option<Code>,
    /// The name as printed (名称).
    pub name: Label,
}

/// A document kept elsewhere, bound by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// Where it is kept, if it can be named.
    pub uri: Option<Uri>,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
}
