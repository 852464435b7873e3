//! The private records of recognition: what a learner applies for, how reviewers vote, what the bank decides.

use jiff::civil::Date;

use crate::LeafIndex;
use crate::rules::{Decision, Line, Use};

/// Most uses of one application.
pub const USES_MAX: usize = 256;
/// Most outcomes that one decision looks at.
pub const HELD_MAX: usize = 2000;
/// Most earlier decisions that one decision looks at.
pub const PRIOR_MAX: usize = 256;

/// An application for recognition (认定申请).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Id of the programme in the rule set that the envelope names.
    pub programme: String,
    /// What is to be used for what, ascending; never empty.
    pub uses: Vec<Use>,
}

/// What the bank decides (认定决定), with everything it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The programme.
    pub programme: String,
    /// Day of application.
    pub applied_on: Date,
    /// Outcomes of the archive that were looked at, ascending.
    pub held: Vec<LeafIndex>,
    /// Earlier decisions that stood, ascending.
    pub prior: Vec<LeafIndex>,
    /// The uses that were decided, ascending.
    pub uses: Vec<Use>,
    /// What is granted, in canonical order.
    pub lines: Vec<Line>,
    /// What is not: rule, outcomes, code of the reason.
    pub refused: Vec<(String, Vec<LeafIndex>, String)>,
    /// Whether no rule used asks for a panel.
    pub automatic: bool,
}

impl Ruling {
    /// The ruling that a decision amounts to.
    #[must_use]
    pub fn of(
        decision: Decision,
        held: Vec<LeafIndex>,
        prior: Vec<LeafIndex>,
        uses: Vec<Use>,
    ) -> Self {
        let refused = decision.refused.into_iter();
        Self {
            programme: decision.programme,
            applied_on: decision.date,
            held,
            prior,
            uses,
            lines: decision.lines,
            refused: refused
                .map(|it| (it.rule, it.outcomes, it.reason.code().to_owned()))
                .collect(),
            automatic: decision.automatic,
        }
    }

    /// The same, with nothing granted: what a panel declined.
    #[must_use]
    pub fn declined(self) -> Self {
        Self {
            lines: Vec::new(),
            ..self
        }
    }

    /// Whether it grants anything.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Whether the rules themselves grant nothing: every use is refused. What a panel declined is not.
    #[must_use]
    pub fn grants_nothing(&self) -> bool {
        let is_refused = |it: &Use| {
            let mut refused = self.refused.iter();
            refused.any(|(rule, outcomes, _)| *rule == it.rule && *outcomes == it.outcomes)
        };
        self.lines.is_empty() && self.uses.iter().all(is_refused)
    }

    /// Whether it rests on an outcome.
    #[must_use]
    pub fn rests_on(&self, outcome: LeafIndex) -> bool {
        self.lines
            .iter()
            .any(|line| line.outcomes.contains(&outcome))
    }
}
