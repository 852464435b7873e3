//! Limits: how much may be recognised, of what, in what.

use super::programme::CourseKind;
use super::rule::Selector;
use super::set::{Period, Place, Wording};
use crate::Credit;

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its id in the set.
    pub id: String,
    /// What it is called.
    pub title: Wording,
    /// The clause it carries out.
    pub clause: String,
    /// Days of application on which it is in force.
    pub effective: Period,
    /// What it counts.
    pub scope: LimitScope,
    /// Each combination of these has the limit to itself; none is the whole programme.
    pub per: Vec<Dimension>,
    /// The limit.
    pub max: Maximum,
    /// What happens to credit beyond it.
    pub excess: Excess,
    /// Where it stands.
    pub place: Place,
}

/// What a limit counts; an empty part takes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitScope {
    /// Outcomes.
    pub selector: Selector,
    /// Outcomes by how their major stands to the programme's.
    pub subject: Option<SubjectMatch>,
    /// Origins, by id.
    pub origins: Vec<String>,
    /// Rules, by id.
    pub rules: Vec<String>,
    /// Programmes, by id.
    pub programmes: Vec<String>,
    /// Credit for courses with one of these tags.
    pub tags: Vec<String>,
    /// Not credit for courses of these kinds.
    pub except_course_kinds: Vec<CourseKind>,
    /// Only elective credit that no course is tied to.
    pub electives_only: bool,
}

/// How the major of an outcome stands to that of the programme, which also says what else it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectMatch {
    /// 同专业: it is known to be the same.
    Same,
    /// 不同专业: it is not known to be the same, so that nobody gains by leaving it out.
    Other,
}

/// What a limit is counted separately for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Each outcome, such as a certificate.
    Outcome,
    /// Each achievement, by its normalised name: outcomes of one name are of one achievement (R13).
    Achievement,
    /// Each institution that deposited.
    Institution,
    /// Each year of completion that begins on this month and day.
    Year {
        /// Month, 1 to 12.
        month: i8,
        /// Day.
        day: i8,
    },
    /// Each half of such a year.
    Semester {
        /// Month in which the first half begins.
        month: i8,
        /// Day.
        day: i8,
    },
    /// Each day of completion.
    Day,
    /// Each category.
    Category,
    /// Each origin.
    Origin,
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maximum {
    /// Credits.
    Credits(Credit),
    /// Courses recognised.
    Courses(u16),
    /// Outcomes used.
    Outcomes(u16),
    /// A share in basis points of the programme's credits, counted in credits.
    CreditShare {
        /// 3,500 is 35 %.
        basis_points: u16,
        /// Of what.
        of: Base,
    },
    /// A share in basis points of the programme's courses, counted in courses.
    CourseShare {
        /// 4,000 is 40 %.
        basis_points: u16,
        /// Of what.
        of: Base,
    },
}

/// What a share is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The programme's total, or all its courses.
    Programme,
    /// The courses that the limit's scope takes in.
    Scope,
}

/// What happens to credit beyond a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Excess {
    /// Credit that no course is tied to is cut to what is left; a course is refused whole.
    #[default]
    Trim,
    /// The whole use is refused.
    Refuse,
}
