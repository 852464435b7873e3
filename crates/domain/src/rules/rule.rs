//! One rule: which outcomes, under which conditions, become credit of what.

use super::set::{FrameworkLevel, Period, Place, Wording};
use crate::grade::{FiveLevel, Percentage, Scale};
use crate::identifier::{InstitutionId, OccupationCode};
use crate::outcome::{LearningStage, SkillLevel};
use crate::{Category, Credit, Hours};

/// Most outcomes of one use.
pub const OUTCOMES_PER_USE_MAX: usize = 256;
/// Most slots of one rule.
pub const SLOTS_MAX: usize = 16;
/// Most targets of one rule.
pub const TARGETS_MAX: usize = 64;

/// A rule of recognition or conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id in the set. Several rules may share one, as versions with periods that do not overlap.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// The clause it carries out.
    pub clause: String,
    /// Its form, which decides what it may contain.
    pub form: Form,
    /// Days on which it is in force …
    pub effective: Period,
    /// … and which day of an outcome is held against them.
    pub dated_by: DatedBy,
    /// Whether a panel must look at each use; without, the bank decides at once.
    pub review: Review,
    /// What it needs: one selector a slot.
    pub slots: Vec<Slot>,
    /// How many slots must be filled: at most their number, at least 1. Hours-to-credits fills its one slot often.
    pub need: u8,
    /// What must hold of every outcome used.
    pub conditions: Conditions,
    /// What it gives.
    pub grant: Grant,
    /// Which grade is recorded.
    pub grade: GradeRule,
    /// An outcome used under it is used for no other purpose, before or after (R14).
    pub exclusive: bool,
    /// Where it stands.
    pub place: Place,
}

/// The rule forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// 课程 → 课程.
    CourseToCourse,
    /// 证书 → 课程, one or several.
    CertificateToCourses,
    /// 证书 → 学分 that no course is tied to.
    CertificateToCredits,
    /// One outcome → several courses, with a remainder.
    OneToMany,
    /// All or k of n outcomes → one course.
    ManyToOne,
    /// 学时 → 学分, summed over outcomes before rounding.
    HoursToCredits,
    /// Credit of one system → credit of another.
    UnitConversion,
    /// A completed stage → a block of credit.
    BlockTransfer,
    /// Explicitly worth nothing here (BC: "no credit").
    NoCredit,
}

/// Which day decides whether a rule is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DatedBy {
    /// Each outcome's day of completion.
    #[default]
    Completion,
    /// The day of application.
    Application,
}

/// Who decides a use of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Review {
    /// The bank by itself.
    None,
    /// The panel for catalogued outcomes.
    #[default]
    Catalogued,
    /// The panel for outcomes that no catalogue lists.
    Uncatalogued,
}

/// One thing that a rule needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is called in explanations; empty for a rule of one slot.
    pub title: Wording,
    /// Which outcomes fill it.
    pub selector: Selector,
    /// A floor of its own, beside the rule's.
    pub min_grade: Vec<GradeFloor>,
}

/// Which outcomes something is about. Every list that is not empty must contain the outcome's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Categories.
    pub categories: Vec<Category>,
    /// Codes or names of the achievement, normalised ([`super::names::key`]).
    pub achievements: Vec<String>,
    /// Institutions that deposited it.
    pub institutions: Vec<InstitutionId>,
    /// Digits that the region of the institution begins with: `31`, `3101`, `310115`.
    pub regions: Vec<String>,
    /// Occupations of a skill certificate.
    pub occupations: Vec<OccupationCode>,
    /// Levels of a skill certificate.
    pub skill_levels: Vec<SkillLevel>,
    /// Levels as a certificate prints them, normalised.
    pub printed_levels: Vec<String>,
    /// Stages of a degree course.
    pub stages: Vec<LearningStage>,
    /// Whether the stage was completed with graduation (毕业).
    pub graduated: Option<bool>,
    /// Projects.
    pub projects: Vec<String>,
    /// Unit standards that the project was admitted under.
    pub standards: Vec<String>,
    /// X-certificates (1+X) only, or none of them.
    pub x_certificate: Option<bool>,
}

impl Selector {
    /// Whether every outcome that `narrow` selects is one that this selects, as far as the two say.
    #[must_use]
    pub fn covers(&self, narrow: &Self) -> bool {
        let regions = self.regions.is_empty()
            || !narrow.regions.is_empty()
                && narrow.regions.iter().all(|digits| {
                    let mut prefixes = self.regions.iter();
                    prefixes.any(|prefix| digits.starts_with(prefix.as_str()))
                });
        regions
            && holds(&self.categories, &narrow.categories)
            && holds(&self.achievements, &narrow.achievements)
            && holds(&self.institutions, &narrow.institutions)
            && holds(&self.occupations, &narrow.occupations)
            && holds(&self.skill_levels, &narrow.skill_levels)
            && holds(&self.printed_levels, &narrow.printed_levels)
            && holds(&self.stages, &narrow.stages)
            && holds(&self.projects, &narrow.projects)
            && holds(&self.standards, &narrow.standards)
            && (self.graduated.is_none() || self.graduated == narrow.graduated)
            && (self.x_certificate.is_none() || self.x_certificate == narrow.x_certificate)
    }
}

/// Whether a list that allows everything when empty allows all that the other does.
fn holds<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || !narrow.is_empty() && narrow.iter().all(|value| wide.contains(value))
}

/// The least grade in one scheme. An outcome meets a list of floors if it meets the one of its own scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradeFloor {
    /// 百分制.
    Percentage(Percentage),
    /// 五级制, that level or a better one.
    FiveLevel(FiveLevel),
    /// 合格.
    Pass,
    /// Points of a named scale, in hundredths.
    Points(Scale, u32),
}

/// What must hold of an outcome and of its use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Least grade by scheme; empty asks only that it was not failed.
    pub min_grade: Vec<GradeFloor>,
    /// Least level in the framework.
    pub min_level: LevelFloor,
    /// Most whole years from completion to application.
    pub valid_years: Option<u16>,
    /// Completed within these days, whatever the rule's own period.
    pub completed: Period,
    /// Region pair and direction, by the agreement's id.
    pub agreement: Option<String>,
    /// Least attendance, in basis points (7,000 is 70 %).
    pub min_attendance_bp: Option<u16>,
    /// Least hours.
    pub min_hours: Option<Hours>,
    /// Least credits of the source.
    pub min_credits: Option<Credit>,
    /// The source's credits are not below the target course's.
    pub credits_not_below_target: bool,
    /// Attested by two parties (双元制).
    pub two_attestors: bool,
    /// Obtained by assessment, not by study (R13).
    pub by_assessment: bool,
    /// Programmes it is for; empty is for all.
    pub programmes: Vec<String>,
    /// Only programmes of this kind.
    pub programme_kind: Option<super::programme::ProgrammeKind>,
    /// Not for programmes whose subject code begins so, such as `0502` for foreign languages.
    pub except_subjects: Vec<String>,
    /// Not for courses of these kinds.
    pub except_course_kinds: Vec<super::programme::CourseKind>,
    /// Only for courses that carry one of these tags; empty is for all.
    pub only_tags: Vec<String>,
    /// Only for required courses.
    pub required_only: bool,
}

/// A floor of framework level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LevelFloor {
    /// None.
    #[default]
    Any,
    /// That level or above.
    AtLeast(FrameworkLevel),
    /// Not below the programme's.
    Programme,
}

/// What a rule gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What the credit is for; empty for no credit.
    pub targets: Vec<Target>,
    /// How many of the targets one use may take; all of them when it is their number.
    pub pick: u8,
    /// What is left of the source's credits behind the targets becomes elective credit.
    pub remainder_to_electives: bool,
    /// Together never more than the source's own credits.
    pub not_above_source: bool,
}

/// One thing that credit is given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where the credit goes.
    pub to: TargetPlace,
    /// How much.
    pub amount: Amount,
}

/// Where credit goes in a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPlace {
    /// A course by normalised code or name; a programme without it cannot take it.
    Course(String),
    /// The course of the same normalised name or code as the outcome's.
    SameCourse,
    /// A course with this tag, which the use names.
    Tagged(String),
    /// Elective credit that no course is tied to, in the programme's elective modules in their order.
    Electives,
    /// Credit of one module as a block.
    Module(String),
}

/// How much credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// The target course's.
    Target,
    /// The source's.
    Source,
    /// So much.
    Fixed(Credit),
    /// One credit for so many hours, never zero.
    PerHours(Hours),
    /// `numerator` credits for `denominator` of the source's; neither is zero.
    Ratio {
        /// Credits given …
        numerator: u16,
        /// … for so many of the source's.
        denominator: u16,
    },
}

/// Which grade is recorded with the credit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GradeRule {
    /// What it is made of.
    pub record: GradeRecord,
    /// Per cent are never recorded above this.
    pub ceiling: Option<Percentage>,
}

/// What a recorded grade is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GradeRecord {
    /// No grade.
    #[default]
    None,
    /// 免考 / 免修: counts as passed.
    Exempt,
    /// The source's; of several the lowest.
    Source,
    /// The first row whose floor the source's grade meets.
    Table(Vec<(GradeFloor, Percentage)>),
}
