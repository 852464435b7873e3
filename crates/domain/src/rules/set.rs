//! The rule set: everything that one bank publishes about recognition, as one immutable value.

use jiff::civil::Date;

use super::agreement::Agreement;
use super::limit::Limit;
use super::programme::Programme;
use super::rule::{Rule, Selector};
use crate::calendar::Calendar;
use crate::outcome::{LearningStage, SkillLevel};
use crate::points::{EarningRule, Honour};
use crate::standard::Standard;
use crate::{Credit, Digest32};

/// A name or sentence in Chinese and English.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Where something stands in the documents of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Position in [`RuleSet::documents`].
    pub document: u16,
    /// Line, from 1.
    pub line: u32,
}

/// A closed range of days; an open end is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Period {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

impl Period {
    /// Whether `day` lies in it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Whether both have a day in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |end: Option<Date>, start: Option<Date>| {
            end.zip(start).is_some_and(|(end, start)| end < start)
        };
        !before(self.to, other.from) && !before(other.to, self.from)
    }
}

/// A rule set, parsed and resolved. Its documents are published as they were written; this is what they say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    /// Resource id, such as `shanghai-open`; the same for all versions.
    pub id: String,
    /// Version, such as `2026.1`.
    pub version: String,
    /// SHA-256 that addresses the published documents.
    pub hash: Digest32,
    /// What it is called.
    pub title: Wording,
    /// Days of application on which it decides.
    pub effective: Period,
    /// How amounts are rounded, once, at the end.
    pub rounding: Rounding,
    /// The documents it was read from, in order of their names.
    pub documents: Vec<Document>,
    /// Levels of qualification.
    pub framework: Framework,
    /// Origins of outcomes, for limits by origin; the first that selects an outcome is its origin.
    pub origins: Vec<Origin>,
    /// Short names and what they stand for, beside the built-in normalisation of names.
    pub abbreviations: Vec<(String, String)>,
    /// Wholes and their parts: credit on one excludes credit on the others.
    pub wholes: Vec<Whole>,
    /// Agreements between regions.
    pub agreements: Vec<Agreement>,
    /// Rules, in the order of their ids.
    pub rules: Vec<Rule>,
    /// Limits, in the order of their ids.
    pub limits: Vec<Limit>,
    /// Programmes, in the order of their ids.
    pub programmes: Vec<Programme>,
    /// Unit standards (认证单元), in the order of id and version.
    pub standards: Vec<Standard>,
    /// How points are earned.
    pub earning: Vec<EarningRule>,
    /// Honours and levels that points reach.
    pub honours: Vec<Honour>,
    /// How applications are handled.
    pub process: Process,
    /// Holidays and shifted working days.
    pub calendar: Calendar,
}

/// One document of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// File name inside the set, such as `certificates.toml`.
    pub name: String,
    /// What it is called.
    pub title: Wording,
    /// Where its rules come from.
    pub source: String,
    /// Days on which its rules are in force, unless a rule says otherwise.
    pub effective: Period,
}

/// How an amount becomes credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// Credit is a multiple of this; never zero.
    pub unit: Credit,
    /// Which multiple.
    pub mode: RoundingMode,
}

impl Default for Rounding {
    fn default() -> Self {
        Self {
            unit: Credit::from_hundredths(1),
            mode: RoundingMode::Floor,
        }
    }
}

/// Which neighbouring multiple an amount becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoundingMode {
    /// Down (去尾).
    #[default]
    Floor,
    /// To the nearest, halves up (四舍五入).
    HalfUp,
    /// To the nearest, halves to the even multiple (四舍六入五成双).
    HalfEven,
}

/// A level of the qualification framework, 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameworkLevel(u8);

impl FrameworkLevel {
    /// 1 to 10; everything else is none.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if level >= 1 && level <= 10 {
            Some(Self(level))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// The qualification framework (资历框架): what certificates and stages of education are worth in levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Framework {
    /// Titles of the levels that are described.
    pub levels: Vec<(FrameworkLevel, Wording)>,
    /// Skill levels.
    pub skills: Vec<(SkillLevel, FrameworkLevel)>,
    /// Stages of education.
    pub stages: Vec<(LearningStage, FrameworkLevel)>,
    /// Levels as certificates print them, normalised ([`super::names::key`]).
    pub printed: Vec<(String, FrameworkLevel)>,
}

/// A class of sources that limits tell apart, such as 自考.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id, such as `self-study`.
    pub id: String,
    /// Its name.
    pub title: Wording,
    /// Which outcomes are of it.
    pub selector: Selector,
    /// Where it stands.
    pub place: Place,
}

/// An achievement and the parts it is made of; parts may be wholes themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Normalised code or name of the whole.
    pub whole: String,
    /// Normalised codes or names of its parts.
    pub parts: Vec<String>,
    /// Clause.
    pub clause: String,
    /// Where it stands.
    pub place: Place,
}

/// Panels and time limits of applications, in working days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// From submission to acceptance or return (受理).
    pub accept_days: u16,
    /// From acceptance to the panel's last vote (评审).
    pub review_days: u16,
    /// Of public notice (公示).
    pub notice_days: u16,
    /// For an appeal, from the decision (申诉).
    pub appeal_days: u16,
    /// Reviewers of an outcome that the catalogue lists.
    pub panel_catalogued: u8,
    /// Reviewers of an outcome that it does not list.
    pub panel_uncatalogued: u8,
    /// Reviewers of a programme standard or a unit standard.
    pub panel_standard: u8,
    /// Clause.
    pub clause: String,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            accept_days: 5,
            review_days: 20,
            notice_days: 5,
            appeal_days: 15,
            panel_catalogued: 1,
            panel_uncatalogued: 3,
            panel_standard: 5,
            clause: String::new(),
        }
    }
}
