//! The life of an application for recognition (认定申请): which step may come next, whose vote counts, and what is due.
//!
//! ```text
//! Submitted ─ accept → Accepted ─ votes → UnderReview ─ notice → Noticed ─ decide → Decided ─ close → Final
//!     └ return → Returned                                                      └ appeal → Appealed ┘
//! ```
//!
//! An application can be withdrawn until it is decided, and a decision reversed as long as it grants something: a won
//! appeal, a revoked outcome, a wrong rule. What was noticed is noticed again when it does not hold any longer. Where no
//! rule used asks for a panel, the bank decides at once. Who may sign which step by role is a matter of
//! [`Role`](crate::record::Role); time limits are working days of the mainland.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::registry::InstitutionNumber;
use crate::rules::{Process, Review};
use crate::{LeafIndex, Refusal};

/// A step of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepTaken {
    /// What was done.
    pub kind: StepKind,
    /// Who signed it.
    pub actor: InstitutionNumber,
    /// Its day where the bank is.
    pub on: Date,
    /// Its leaf.
    pub leaf: LeafIndex,
}

/// What can be done about an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// It is submitted, by an agent of the learner: the first step (申请).
    Application,
    /// The bank takes it up (受理).
    Acceptance,
    /// The bank returns it (退回).
    Return,
    /// A reviewer votes, once (评审意见).
    Review {
        /// How.
        approve: bool,
        /// The institution that the reviewer belongs to; the reviewer itself, if to none.
        of: InstitutionNumber,
    },
    /// The bank publishes for objection what it is going to decide (公示).
    Notice {
        /// Whether it is going to grant anything.
        grant: bool,
    },
    /// An institution objects, while the notice runs (异议).
    Objection,
    /// The bank decides (认定决定).
    Decision {
        /// Whether it grants anything.
        grant: bool,
    },
    /// The learner appeals (申诉).
    Appeal,
    /// The time for an appeal is over, or the appeal is rejected (终局).
    Closing,
    /// The bank takes a decision back (撤销认定).
    Reversal,
    /// The learner withdraws (撤回).
    Withdrawal,
}

/// Where an application stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// 已提交.
    Submitted,
    /// 已受理.
    Accepted,
    /// 已退回: the learner may apply anew.
    Returned,
    /// 评审中: accepted, and somebody has voted.
    UnderReview,
    /// 公示中.
    Noticed,
    /// 已决定.
    Decided {
        /// Whether anything was granted.
        granted: bool,
    },
    /// 申诉中.
    Appealed {
        /// Whether anything was granted.
        granted: bool,
    },
    /// 终局.
    Final {
        /// Whether anything was granted.
        granted: bool,
    },
    /// 已撤销: what it consumed is free again.
    Reversed,
    /// 已撤回.
    Withdrawn,
}

impl State {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Returned => "returned",
            Self::UnderReview => "under-review",
            Self::Noticed => "noticed",
            Self::Decided { .. } => "decided",
            Self::Appealed { .. } => "appealed",
            Self::Final { .. } => "final",
            Self::Reversed => "reversed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing is to be done any more; a final decision can still be reversed.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        matches!(
            self,
            Self::Returned | Self::Final { .. } | Self::Reversed | Self::Withdrawn
        )
    }

    /// The state after a step, as far as the order of steps goes.
    fn after(self, kind: StepKind) -> Option<Self> {
        use State as S;
        use StepKind as K;
        Some(match (self, kind) {
            (S::Submitted, K::Acceptance) => S::Accepted,
            (S::Submitted, K::Return) => S::Returned,
            (S::Accepted | S::UnderReview, K::Review { .. }) => S::UnderReview,
            (S::Accepted | S::UnderReview | S::Noticed, K::Notice { .. }) => S::Noticed,
            (S::Noticed, K::Objection) => S::Noticed,
            (S::Submitted | S::Accepted | S::UnderReview | S::Noticed, K::Decision { grant }) => {
                S::Decided { granted: grant }
            }
            (S::Submitted | S::Accepted | S::UnderReview | S::Noticed, K::Withdrawal) => {
                S::Withdrawn
            }
            (S::Decided { granted }, K::Appeal) => S::Appealed { granted },
            (S::Decided { granted } | S::Appealed { granted }, K::Closing) => S::Final { granted },
            (S::Decided { granted: true } | S::Final { granted: true }, K::Reversal) => S::Reversed,
            (S::Appealed { .. }, K::Reversal) => S::Reversed,
            _ => return None,
        })
    }
}

/// What the bank has published about such applications, and what this one rests on.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Time limits and panels.
    pub process: &'a Process,
    /// Working days.
    pub calendar: &'a Calendar,
    /// How the rules used are reviewed.
    pub reviews: &'a [Review],
    /// Institutions that deposited the outcomes used.
    pub origins: &'a [InstitutionNumber],
    /// Whether the rules grant nothing of it any more: the bank says so, whatever the panel has found.
    pub nothing_left: bool,
}

impl Terms<'_> {
    /// How many institutions' reviewers have to vote: the largest panel that a rule used asks for.
    #[must_use]
    pub fn panel(&self) -> u8 {
        let panels = self.reviews.iter().map(|review| match review {
            Review::None => 0,
            Review::Catalogued => self.process.panel_catalogued,
            Review::Uncatalogued => self.process.panel_uncatalogued,
        });
        panels.max().unwrap_or(0)
    }

    /// Whether the bank decides at once: there are rules, and none asks for a panel.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        !self.reviews.is_empty() && self.reviews.iter().all(|review| *review == Review::None)
    }

    /// The last day of a period of so many working days; none if it has no days.
    fn last_day(&self, from: Date, days: u16) -> Option<Date> {
        (days > 0).then(|| self.calendar.add_workdays(from, days))
    }
}

/// What has to be done about an application, and by when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Late once this day is over. What has to wait for a period to end is due on the first working day after it.
    pub day: Date,
    /// What.
    pub task: Task,
}

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// The bank accepts or returns.
    Accept,
    /// Reviewers vote.
    Review,
    /// The panel has voted: the bank gives notice.
    Notice,
    /// The bank decides.
    Decide,
    /// The bank resolves the appeal: by closing, or by a reversal.
    ResolveAppeal,
    /// The bank closes what was not appealed against.
    Close,
}

/// A reviewer's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Who votes.
    pub reviewer: InstitutionNumber,
    /// The institution that the reviewer belongs to.
    pub of: InstitutionNumber,
    /// How.
    pub approve: bool,
}

/// One application and everything done about it: the fold of its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proceeding {
    state: State,
    /// The day on which its phase began; voting and objecting begin none.
    since: Date,
    votes: Vec<Vote>,
    objections: u32,
    noticed: Option<bool>,
    decision: Option<LeafIndex>,
    last: LeafIndex,
}

impl Proceeding {
    /// The application after its steps, in the order of the ledger. The order of steps is held against the states, not
    /// the panel and the time limits, which [`Proceeding::allow`] looks at when a step is taken.
    pub fn fold(steps: &[StepTaken]) -> Result<Self, Refusal> {
        let [first, rest @ ..] = steps else {
            return Err(Refusal::ApplicationUnknown);
        };
        if first.kind != StepKind::Application {
            return Err(Refusal::ApplicationUnknown);
        }
        let mut proceeding = Self {
            state: State::Submitted,
            since: first.on,
            votes: Vec::new(),
            objections: 0,
            noticed: None,
            decision: None,
            last: first.leaf,
        };
        rest.iter().try_for_each(|step| proceeding.apply(step))?;
        Ok(proceeding)
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The votes, in the order of the ledger.
    #[must_use]
    pub fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// How many objections there are.
    #[must_use]
    pub const fn objections(&self) -> u32 {
        self.objections
    }

    /// The leaf of the decision, once there is one, whatever became of it.
    #[must_use]
    pub const fn decision(&self) -> Option<LeafIndex> {
        self.decision
    }

    /// The leaf of the last step.
    #[must_use]
    pub const fn last(&self) -> LeafIndex {
        self.last
    }

    /// Folds the next step.
    pub fn apply(&mut self, step: &StepTaken) -> Result<(), Refusal> {
        self.state = self.follow(step.kind)?;
        self.last = step.leaf;
        match step.kind {
            StepKind::Review { approve, of } => {
                let reviewer = step.actor;
                self.votes.push(Vote {
                    reviewer,
                    of,
                    approve,
                });
                return Ok(());
            }
            StepKind::Objection => {
                self.objections += 1;
                return Ok(());
            }
            StepKind::Notice { grant } => self.noticed = Some(grant),
            StepKind::Decision { .. } => self.decision = Some(step.leaf),
            _ => {}
        }
        self.since = step.on;
        Ok(())
    }

    /// Whether a step may be taken: it follows from the state, the panel has voted, the time is right.
    pub fn allow(&self, step: &StepTaken, terms: &Terms<'_>) -> Result<(), Refusal> {
        self.follow(step.kind)?;
        match step.kind {
            StepKind::Review { .. } => self.allow_vote(step.actor),
            StepKind::Notice { grant } => self.allow_notice(grant, terms),
            StepKind::Objection => match terms.last_day(self.since, terms.process.notice_days) {
                Some(until) if step.on <= until => Ok(()),
                until => Err(Refusal::NoticeOver {
                    until: until.unwrap_or(self.since),
                }),
            },
            StepKind::Decision { grant } => self.allow_decision(grant, step.on, terms),
            StepKind::Appeal => match self.appeal_until(terms) {
                Some(until) if step.on <= until => Ok(()),
                until => Err(Refusal::AppealTooLate {
                    until: until.unwrap_or(self.since),
                }),
            },
            StepKind::Closing => match self.appeal_until(terms) {
                Some(until) if step.on <= until => Err(Refusal::AppealRunning { until }),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What has to be done next; nothing once it is closed. A resolved appeal is due as a review is.
    #[must_use]
    pub fn due(&self, terms: &Terms<'_>) -> Option<Due> {
        let process = terms.process;
        let after = |days: u16, wait| {
            terms
                .calendar
                .add_workdays(self.since, days.saturating_add(wait))
        };
        let (day, task) = match self.state {
            State::Submitted => {
                let automatic = terms.is_automatic();
                let task = if automatic {
                    Task::Decide
                } else {
                    Task::Accept
                };
                (after(process.accept_days, 0), task)
            }
            State::Accepted | State::UnderReview => {
                let task = match self.require_panel(terms) {
                    Ok(()) if terms.is_automatic() => Task::Decide,
                    Ok(()) => Task::Notice,
                    Err(_) => Task::Review,
                };
                (after(process.review_days, 0), task)
            }
            State::Noticed => (after(process.notice_days, 1), Task::Decide),
            State::Decided { .. } => (after(process.appeal_days, 1), Task::Close),
            State::Appealed { .. } => (after(process.review_days, 0), Task::ResolveAppeal),
            State::Returned | State::Final { .. } | State::Reversed | State::Withdrawn => {
                return None;
            }
        };
        Some(Due { day, task })
    }

    fn follow(&self, kind: StepKind) -> Result<State, Refusal> {
        self.state.after(kind).ok_or(match self.state {
            closed if closed.is_closed() => Refusal::ApplicationClosed,
            open => Refusal::StepNotAllowed { state: open.code() },
        })
    }

    fn allow_vote(&self, reviewer: InstitutionNumber) -> Result<(), Refusal> {
        match self.votes.iter().any(|vote| vote.reviewer == reviewer) {
            true => Err(Refusal::AlreadyVoted),
            false => Ok(()),
        }
    }

    /// The bank publishes what the panel has found: the majority of institutions, each with one voice, in which those of
    /// the origin have none.
    fn allow_notice(&self, grant: bool, terms: &Terms<'_>) -> Result<(), Refusal> {
        self.require_panel(terms)?;
        let mut voices: BTreeMap<InstitutionNumber, i32> = BTreeMap::new();
        let outside = |vote: &&Vote| !terms.origins.contains(&vote.of);
        for vote in self.votes.iter().filter(outside) {
            *voices.entry(vote.of).or_default() += if vote.approve { 1 } else { -1 };
        }
        let approving = voices.values().filter(|voice| **voice > 0).count();
        match (grant, approving * 2 > voices.len()) {
            (true, true) | (false, false) => Ok(()),
            (true, false) if voices.is_empty() && !self.votes.is_empty() => {
                Err(Refusal::PanelConflict)
            }
            (true, false) => Err(Refusal::PanelRejected),
            (false, true) if terms.nothing_left => Ok(()),
            (false, true) => Err(Refusal::PanelApproved),
        }
    }

    /// Reviewers of one institution count as one.
    fn require_panel(&self, terms: &Terms<'_>) -> Result<(), Refusal> {
        let institutions: BTreeSet<_> = self.votes.iter().map(|vote| vote.of).collect();
        let needed = u32::from(terms.panel());
        if institutions.len() < needed as usize {
            return Err(Refusal::PanelTooSmall { needed });
        }
        Ok(())
    }

    /// What was published is decided; only an objection turns a grant into a refusal.
    fn allow_decision(&self, grant: bool, on: Date, terms: &Terms<'_>) -> Result<(), Refusal> {
        let Some(noticed) = self.noticed else {
            return match (grant || terms.nothing_left) && terms.is_automatic() {
                true => Ok(()),
                false => Err(Refusal::StepNotAllowed {
                    state: self.state.code(),
                }),
            };
        };
        if let Some(until) = terms.last_day(self.since, terms.process.notice_days)
            && on <= until
        {
            return Err(Refusal::NoticeRunning { until });
        }
        match grant == noticed || (noticed && self.objections > 0) {
            true => Ok(()),
            false => Err(Refusal::DecisionDiffers),
        }
    }

    /// The last day for an appeal; none where there is no time for one, or it was used.
    fn appeal_until(&self, terms: &Terms<'_>) -> Option<Date> {
        match self.state {
            State::Decided { .. } => terms.last_day(self.since, terms.process.appeal_days),
            _ => None,
        }
    }
}
