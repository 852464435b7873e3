//! Rules of recognition and conversion (认定与转换): data that people can read, and a total, deterministic evaluation.
//!
//! Start at [`RuleSet`] (what a bank publishes), then [`Rule`], then `evaluate`. Nothing here reads a clock or a file:
//! documents are parsed by the crate `rulebook`, and the day of application comes in as an argument.

mod agreement;
mod amount;
mod archive;
mod candidates;
mod case;
mod compile;
mod decision;
mod evaluate;
mod explain;
mod index;
mod limit;
pub mod names;
mod next;
mod plan;
mod programme;
mod progress;
mod rule;
mod set;
mod wholes;

pub use self::agreement::Agreement;
pub use self::candidates::{CHOICES_MAX, COMBINATIONS_MAX, candidates};
pub use self::case::{Case, Held, Prior, Use};
pub use self::compile::Compiled;
pub use self::decision::{
    Counted, Decision, Finding, Line, LineTarget, Missing, ModuleProgress, Progress, Reason,
    RecordedGrade, RefusedUse, Step,
};
pub use self::evaluate::{
    Budget, OFFERS_MAX, Offer, Problem, Share, Unit, evaluate, problem, simulate,
};
pub use self::explain::{Language, explain, explain_next};
pub use self::limit::{Base, Dimension, Excess, Limit, LimitScope, Maximum, SubjectMatch};
pub use self::next::{NextStep, WAYS_MAX, Way, next_steps};
pub use self::programme::{
    Course, CourseKind, Minimum, Module, ModuleKind, Programme, ProgrammeKind,
};
pub use self::rule::{
    Amount, Conditions, DatedBy, Form, GradeFloor, GradeRecord, GradeRule, Grant, LevelFloor,
    OUTCOMES_PER_USE_MAX, Review, Rule, SLOTS_MAX, Selector, Slot, TARGETS_MAX, Target,
    TargetPlace,
};
pub use self::set::{
    Document, Framework, FrameworkLevel, Origin, Period, Place, Process, Rounding, RoundingMode,
    RuleSet, Whole, Wording,
};
