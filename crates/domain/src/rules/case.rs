//! What a decision is made of: a learner's outcomes, what was decided before, and the use that is proposed.

use std::sync::Arc;

use jiff::civil::Date;

use super::decision::Line;
use super::names::key;
use crate::identifier::{InstitutionId, RegionCode};
use crate::outcome::Detail;
use crate::{LeafIndex, Outcome};

/// An outcome of an archive as rules see it: in force and undisputed. Made once, when the archive is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its leaf.
    pub leaf: LeafIndex,
    /// Who deposited it.
    pub issuer: InstitutionId,
    /// Where that institution is.
    pub region: Option<RegionCode>,
    /// What the learner did.
    pub outcome: Arc<Outcome>,
    /// The unit standard that its project was admitted under.
    pub standard: Option<Arc<str>>,
    /// Normalised code of the achievement ([`super::names::key`]); empty where it has none.
    pub code_key: String,
    /// Normalised name of the achievement.
    pub name_key: String,
}

impl Held {
    /// An outcome of an archive, with the keys of its achievement. A paper of the self-study examinations has its
    /// national course code, if it has no other.
    #[must_use]
    pub fn new(
        leaf: LeafIndex,
        issuer: InstitutionId,
        region: Option<RegionCode>,
        outcome: Arc<Outcome>,
        standard: Option<Arc<str>>,
    ) -> Self {
        let code_key = match (&outcome.achievement.code, &outcome.detail) {
            (Some(code), _) => key(code.as_str()),
            (None, Detail::SelfStudyExam(exam)) => exam.course_code.to_string(),
            (None, _) => String::new(),
        };
        let name_key = key(outcome.achievement.name.as_str());
        Self {
            leaf,
            issuer,
            region,
            outcome,
            standard,
            code_key,
            name_key,
        }
    }
}

/// What an earlier decision granted, while no reversal has freed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prior {
    /// The leaf of that decision.
    pub decision: LeafIndex,
    /// The programme it was for.
    pub programme: String,
    /// What it granted; whether the rule was exclusive is said by each line.
    pub lines: Vec<Line>,
}

/// Everything about a learner that a decision depends on.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The programme applied for, by id.
    pub programme: &'a str,
    /// Day of application.
    pub date: Date,
    /// The archive, in any order.
    pub held: &'a [Held],
    /// Earlier decisions that stand, in any order. Those of other programmes matter to exclusive rules only.
    pub prior: &'a [Prior],
}

/// A proposed use of outcomes under one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// The rule's id.
    pub rule: String,
    /// The outcomes, by leaf; their order does not matter.
    pub outcomes: Vec<LeafIndex>,
    /// Codes of the courses chosen, where the rule lets the applicant choose; else empty.
    pub courses: Vec<String>,
}
