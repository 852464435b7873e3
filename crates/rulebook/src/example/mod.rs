//! Worked examples (`[[example]]`): what a set's writers say that it decides, and whether it does.

mod compare;
mod moved;
mod outcome;
mod read;
mod run;

use creditbank_domain::rules::{Held, Missing, RecordedGrade, Use, Wording};
use creditbank_domain::{Credit, LeafIndex};
use jiff::civil::Date;

pub use self::read::examples;
pub use self::run::{ExampleResult, run};

/// A worked example.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it shows.
    pub title: Wording,
    /// The document it stands in.
    pub document: String,
    /// Its line.
    pub line: u32,
    /// The programme applied for; none where it shows standards or points alone.
    pub programme: Option<String>,
    /// Day of application, of deposit and of earning.
    pub date: Date,
    /// The archive.
    pub held: Vec<Held>,
    /// Earlier decisions, in their order; they stand.
    pub before: Vec<Before>,
    /// What is proposed; none for everything that matches.
    pub uses: Option<Vec<Use>>,
    /// What comes out.
    pub expect: Expect,
}

/// An earlier decision of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its leaf.
    pub decision: LeafIndex,
    /// The programme it was for.
    pub programme: String,
    /// Its day of application.
    pub date: Date,
    /// What was proposed; none for everything that matches.
    pub uses: Option<Vec<Use>>,
}

/// What an example expects; what it does not state may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// Sum of the credits granted.
    pub credits: Option<Credit>,
    /// Every line granted.
    pub lines: Option<Vec<ExpectedLine>>,
    /// Every use refused.
    pub refused: Option<Vec<ExpectedRefusal>>,
    /// Everything that the programme still needs.
    pub missing: Option<Vec<Missing>>,
    /// A limit that must have cut or refused something.
    pub limit: Option<String>,
    /// Whether the bank decides by itself.
    pub automatic: Option<bool>,
    /// Every breach of a unit standard.
    pub breaches: Option<Vec<Breach>>,
    /// Points earned, all together.
    pub points: Option<u64>,
}

/// A line that is expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedLine {
    /// The rule.
    pub rule: String,
    /// `course:…`, `module:…` or `nothing`.
    pub to: String,
    /// How much.
    pub credits: Option<Credit>,
    /// The recorded grade as it is printed: `none`, `exempt`, `85`, `良好`.
    pub grade: Option<String>,
}

/// A refusal that is expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedRefusal {
    /// The rule.
    pub rule: String,
    /// The outcomes, ascending; none for any.
    pub outcomes: Option<Vec<LeafIndex>>,
    /// The reason's code.
    pub reason: String,
}

/// A breach of a unit standard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// The outcome.
    pub outcome: LeafIndex,
    /// The refusal's code.
    pub reason: String,
}

/// A recorded grade as examples write it.
pub(crate) fn grade_text(grade: RecordedGrade) -> String {
    match grade {
        RecordedGrade::None => "none".to_owned(),
        RecordedGrade::Exempt => "exempt".to_owned(),
        RecordedGrade::Grade(grade) => grade.to_string(),
    }
}
