//! Programmes (专业教学计划): what credit is for.

use super::rule::Selector;
use super::set::{FrameworkLevel, Period, Place, Wording};
use crate::Credit;
use crate::identifier::InstitutionId;

/// A degree plan or another programme that credit is collected for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// Its id in the set; also the purpose that outcomes are consumed for.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// Who awards it.
    pub institution: InstitutionId,
    /// Province digits of the institution, for agreements; empty where it is in none, and no agreement covers it.
    pub region: String,
    /// Whether it leads to a degree or diploma (学历).
    pub kind: ProgrammeKind,
    /// Its level in the framework.
    pub level: FrameworkLevel,
    /// Subject code of the major, such as `050201`; may be empty.
    pub subject: String,
    /// Names and codes that count as the same major, beside [`Self::subject`].
    pub subject_names: Vec<String>,
    /// Credit to complete it.
    pub total: Credit,
    /// Of which studied at the institution itself (在校学分).
    pub residency: Credit,
    /// Of which at that level or above (R14).
    pub at_level: Option<(FrameworkLevel, Credit)>,
    /// Of which from outcomes of some kind (R11).
    pub minima: Vec<Minimum>,
    /// Its modules, in order.
    pub modules: Vec<Module>,
    /// Days on which it takes applications.
    pub effective: Period,
    /// Clause.
    pub clause: String,
    /// Where it stands.
    pub place: Place,
}

/// Credit that must come from outcomes of some kind, whichever modules it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// Its id in the programme.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// The outcomes. Credit counts if all that it rests on are of them.
    pub selector: Selector,
    /// How much.
    pub credits: Credit,
}

/// Whether a programme leads to a degree or diploma.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProgrammeKind {
    /// 学历教育.
    Degree,
    /// 非学历教育.
    NonDegree,
}

/// A part of a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its id in the programme.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// Whether each of its courses is required, or some of them.
    pub kind: ModuleKind,
    /// Credit that must come from it.
    pub min: Credit,
    /// Most credit that counts in it.
    pub max: Option<Credit>,
    /// Whether credit that no course is tied to may lie in it.
    pub unassigned: bool,
    /// Its courses, in order.
    pub courses: Vec<Course>,
}

/// Required or elective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModuleKind {
    /// 必修.
    Required,
    /// 选修.
    Elective,
}

/// A course of a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Its code; unique in the programme.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// Its credits.
    pub credits: Credit,
    /// What kind it is.
    pub kind: CourseKind,
    /// Words that rules and limits use, such as 统设必修, 专业核心课.
    pub tags: Vec<String>,
}

/// What kind a course is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CourseKind {
    /// Taught.
    #[default]
    Theory,
    /// 集中实践.
    Practice,
    /// 毕业论文, 毕业设计.
    Thesis,
}
