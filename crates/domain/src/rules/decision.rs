//! What a decision says, and why: every credit granted or refused comes with its steps.

use std::sync::Arc;

use jiff::civil::Date;

use super::case::Use;
use super::programme::ModuleKind;
use super::set::{FrameworkLevel, Place, RoundingMode};
use crate::{Credit, Digest32, Grade, Hours, LeafIndex};

/// The outcome of [`evaluate`](super::evaluate).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The rule set it was made under.
    pub rule_set: Digest32,
    /// The programme.
    pub programme: String,
    /// Day of application.
    pub date: Date,
    /// What is granted, in canonical order.
    pub lines: Vec<Line>,
    /// What is not, in canonical order.
    pub refused: Vec<RefusedUse>,
    /// How it came about, in the order of evaluation.
    pub trace: Vec<Step>,
    /// Whether no panel has to look at it: every rule used says so.
    pub automatic: bool,
    /// The programme with this decision and everything before it.
    pub progress: Progress,
}

impl Decision {
    /// Whether it has lines of this use, and none of them is for a course that the use does not name where it names any.
    #[must_use]
    pub fn grants(&self, proposed: &Use) -> bool {
        let is_of = |line: &&Line| line.rule == proposed.rule && line.outcomes == proposed.outcomes;
        let mut lines = self.lines.iter().filter(is_of).peekable();
        let is_named = |line: &Line| match &line.to {
            LineTarget::Course(code) => proposed.courses.contains(code),
            LineTarget::Module(_) | LineTarget::Nothing => true,
        };
        lines.peek().is_some() && (proposed.courses.is_empty() || lines.all(is_named))
    }
}

/// Credit for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The rule's id.
    pub rule: String,
    /// The outcomes it rests on, ascending.
    pub outcomes: Vec<LeafIndex>,
    /// What it is for.
    pub to: LineTarget,
    /// How much, rounded.
    pub credits: Credit,
    /// The source's credits that it spends, for conservation: granted, remainder and unused add up to the source's.
    pub source_credits: Credit,
    /// The recorded grade.
    pub grade: RecordedGrade,
    /// Whether these outcomes may serve no other purpose.
    pub exclusive: bool,
    /// What limits count it under besides credits, so that a later decision need not look at the outcome again.
    pub counted: Counted,
}

/// What limits count a line under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Ids of the limits that count this line, with the group of each, in the order of the ids; shared by lines.
    pub groups: Vec<(Arc<str>, Arc<str>)>,
}

/// What credit is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineTarget {
    /// A course, by its code in the programme.
    Course(String),
    /// Credit of a module that no course is tied to.
    Module(String),
    /// Explicitly no credit.
    Nothing,
}

/// The grade that goes with recognised credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedGrade {
    /// None.
    None,
    /// 免考.
    Exempt,
    /// A grade.
    Grade(Grade),
}

/// A proposed use that grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUse {
    /// The rule's id.
    pub rule: String,
    /// The outcomes it named, ascending.
    pub outcomes: Vec<LeafIndex>,
    /// Why.
    pub reason: Reason,
}

/// One step of the evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule's id, shared by the steps of a use.
    pub rule: Arc<str>,
    /// The rule, limit or agreement it carries out, for its clause and its line.
    pub place: Place,
    /// The outcomes of the use, shared by its steps.
    pub outcomes: Arc<[LeafIndex]>,
    /// What was found.
    pub finding: Finding,
}

/// What a step found. Amounts in hundredths; exact amounts as fractions of hundredths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The version of the rule in force on the deciding day.
    InForce {
        /// The day that decides.
        on: Date,
    },
    /// The version of an agreement between regions that covers the outcome.
    Agreed {
        /// The agreement's id.
        agreement: String,
        /// Its version.
        version: String,
    },
    /// Within its validity.
    Valid {
        /// Last day on which it could be applied for.
        until: Date,
    },
    /// The outcome's level against the level needed.
    Level {
        /// The outcome's.
        level: FrameworkLevel,
        /// Needed.
        needed: FrameworkLevel,
    },
    /// The grade met its floor.
    GradeMet {
        /// The grade.
        grade: Grade,
    },
    /// Hours summed over outcomes.
    HoursSummed {
        /// The sum.
        hours: Hours,
    },
    /// The amount a target is worth before limits: `numerator / denominator` hundredths.
    Mapped {
        /// What for.
        to: LineTarget,
        /// Source credits or hours, in hundredths.
        source: u32,
        /// Exact amount.
        numerator: u64,
        /// Never zero.
        denominator: u64,
    },
    /// A limit was held against it.
    Limited {
        /// Which.
        limit: String,
        /// Group of the limit, such as a year or an institution; empty for the whole programme.
        group: String,
        /// Counted before, in hundredths, courses or outcomes.
        used: u64,
        /// The limit.
        max: u64,
        /// Asked for.
        asked: u64,
        /// Let through.
        granted: u64,
    },
    /// Rounded, once.
    Rounded {
        /// Exact amount before.
        numerator: u64,
        /// Never zero.
        denominator: u64,
        /// Afterwards.
        credits: Credit,
        /// Unit.
        unit: Credit,
        /// Mode.
        mode: RoundingMode,
    },
    /// Credit granted.
    Granted {
        /// What for.
        to: LineTarget,
        /// How much.
        credits: Credit,
    },
    /// What is left of the source.
    Remainder {
        /// How much.
        credits: Credit,
        /// Whether it became elective credit.
        to_electives: bool,
    },
    /// One target of several got nothing.
    Skipped {
        /// What it would have been for: a course's code, or as the rule writes it where the programme has none.
        to: LineTarget,
        /// Why.
        reason: Reason,
    },
    /// A use was refused.
    Refused(Reason),
}

/// Why a use grants nothing. Each has a stable code and a sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No such programme in the set.
    ProgrammeUnknown,
    /// No such rule in the set.
    RuleUnknown,
    /// No such outcome in the archive, or not in force.
    OutcomeUnknown,
    /// The same outcome twice in one use, or in two uses of one proposal.
    OutcomeRepeated,
    /// The rule is not about this outcome.
    NotSelected,
    /// No version of the rule is in force on that day.
    NotInForce {
        /// The deciding day.
        on: Date,
    },
    /// Not passed.
    NotPassed,
    /// Older than the rule allows.
    TooOld {
        /// Last day on which it could be applied for.
        until: Date,
    },
    /// The certificate's own validity is over.
    CertificateExpired {
        /// Its last day.
        until: Date,
    },
    /// Not completed within the window.
    OutsideWindow,
    /// Completed after the day of application.
    CompletedLater,
    /// Grade below the floor.
    GradeTooLow,
    /// The floor names no grade of this scheme, or there is no grade.
    GradeNotComparable,
    /// Level below what is needed.
    LevelTooLow {
        /// The outcome's.
        level: FrameworkLevel,
        /// Needed.
        needed: FrameworkLevel,
    },
    /// The framework gives the outcome no level.
    LevelUnknown,
    /// Fewer credits than needed.
    CreditsTooFew {
        /// The outcome's.
        credits: Credit,
        /// Needed.
        needed: Credit,
    },
    /// The outcome carries no credits.
    CreditsUnknown,
    /// Fewer hours than needed.
    HoursTooFew {
        /// The outcome's.
        hours: Hours,
        /// Needed.
        needed: Hours,
    },
    /// Attendance below what is needed, in basis points.
    AttendanceTooLow {
        /// The outcome's.
        basis_points: u16,
        /// Needed.
        needed: u16,
    },
    /// Not attested by both parties.
    AttestorsMissing,
    /// Itself a recognised credit: no chains.
    ByRecognition,
    /// Not obtained by assessment.
    NotByAssessment,
    /// The agreement does not cover this origin, category, direction or day.
    NoAgreement,
    /// Not for this programme.
    ProgrammeExcluded,
    /// The programme's subject is excluded.
    SubjectExcluded,
    /// The programme has no such course or module, or none was chosen that the rule allows.
    TargetMissing,
    /// Outcomes of different courses, where they must be of one.
    NotOneCourse,
    /// The course is of a kind that the rule leaves out (practice, thesis), not required, or lacks the tag.
    TargetExcluded,
    /// Studied and passed at the institution itself.
    AlreadyStudied,
    /// Recognised already, by this decision or an earlier one.
    AlreadyRecognised,
    /// The outcome was used for this purpose.
    AlreadyUsed {
        /// The decision that used it.
        decision: LeafIndex,
    },
    /// The outcome was used for another purpose, and one of the rules is exclusive.
    UsedElsewhere {
        /// The decision that used it.
        decision: LeafIndex,
    },
    /// A whole and its part are both used.
    WholeAndPart {
        /// The other outcome.
        other: LeafIndex,
    },
    /// Fewer outcomes than the rule needs.
    SourcesTooFew {
        /// How many slots are filled.
        filled: u8,
        /// Needed.
        needed: u8,
    },
    /// More outcomes than the rule takes, or two for one slot.
    SourcesTooMany,
    /// A limit leaves nothing, or not all of it.
    LimitReached {
        /// Which.
        limit: String,
    },
    /// The programme has no room left for credit that no course is tied to.
    NoRoom,
    /// Explicitly worth nothing.
    NoCredit,
    /// What it is worth rounds to nothing.
    RoundsToNothing,
}

impl Reason {
    /// The stable code, as decisions record it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProgrammeUnknown => "PROGRAMME_UNKNOWN",
            Self::RuleUnknown => "RULE_UNKNOWN",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::OutcomeRepeated => "OUTCOME_REPEATED",
            Self::NotSelected => "NOT_SELECTED",
            Self::NotInForce { .. } => "NOT_IN_FORCE",
            Self::NotPassed => "NOT_PASSED",
            Self::TooOld { .. } => "TOO_OLD",
            Self::CertificateExpired { .. } => "CERTIFICATE_EXPIRED",
            Self::OutsideWindow => "OUTSIDE_WINDOW",
            Self::CompletedLater => "COMPLETED_LATER",
            Self::GradeTooLow => "GRADE_TOO_LOW",
            Self::GradeNotComparable => "GRADE_NOT_COMPARABLE",
            Self::LevelTooLow { .. } => "LEVEL_TOO_LOW",
            Self::LevelUnknown => "LEVEL_UNKNOWN",
            Self::CreditsTooFew { .. } => "CREDITS_TOO_FEW",
            Self::CreditsUnknown => "CREDITS_UNKNOWN",
            Self::HoursTooFew { .. } => "HOURS_TOO_FEW",
            Self::AttendanceTooLow { .. } => "ATTENDANCE_TOO_LOW",
            Self::AttestorsMissing => "ATTESTORS_MISSING",
            Self::ByRecognition => "BY_RECOGNITION",
            Self::NotByAssessment => "NOT_BY_ASSESSMENT",
            Self::NoAgreement => "NO_AGREEMENT",
            Self::ProgrammeExcluded => "PROGRAMME_EXCLUDED",
            Self::SubjectExcluded => "SUBJECT_EXCLUDED",
            Self::TargetMissing => "TARGET_MISSING",
            Self::NotOneCourse => "NOT_ONE_COURSE",
            Self::TargetExcluded => "TARGET_EXCLUDED",
            Self::AlreadyStudied => "ALREADY_STUDIED",
            Self::AlreadyRecognised => "ALREADY_RECOGNISED",
            Self::AlreadyUsed { .. } => "ALREADY_USED",
            Self::UsedElsewhere { .. } => "USED_ELSEWHERE",
            Self::WholeAndPart { .. } => "WHOLE_AND_PART",
            Self::SourcesTooFew { .. } => "SOURCES_TOO_FEW",
            Self::SourcesTooMany => "SOURCES_TOO_MANY",
            Self::LimitReached { .. } => "LIMIT_REACHED",
            Self::NoRoom => "NO_ROOM",
            Self::NoCredit => "NO_CREDIT",
            Self::RoundsToNothing => "ROUNDS_TO_NOTHING",
        }
    }
}

/// Where a learner stands in a programme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Credit studied at the institution itself.
    pub studied: Credit,
    /// Credit recognised before and now.
    pub recognised: Credit,
    /// The programme's total.
    pub total: Credit,
    /// By module, in order.
    pub modules: Vec<ModuleProgress>,
    /// What is missing; empty when the programme is complete.
    pub missing: Vec<Missing>,
}

/// Where a learner stands in a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleProgress {
    /// The module.
    pub module: String,
    /// Required or elective.
    pub kind: ModuleKind,
    /// Credit in it, studied and recognised, at most what counts.
    pub credits: Credit,
    /// Credit that must come from it.
    pub min: Credit,
}

/// Something that a programme still needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A required course, by its code.
    Course(String),
    /// Credit of a module.
    Module {
        /// Which.
        module: String,
        /// How much.
        credits: Credit,
    },
    /// Credit studied at the institution itself.
    Residency(Credit),
    /// Credit at the level that the programme asks for.
    AtLevel(Credit),
    /// Credit from outcomes of some kind.
    Minimum {
        /// Which minimum of the programme.
        minimum: String,
        /// How much.
        credits: Credit,
    },
    /// Credit of the whole.
    Total(Credit),
}
