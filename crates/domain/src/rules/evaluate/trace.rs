//! The record of how a decision came about.

use std::sync::Arc;

use super::super::case::Use;
use super::super::decision::{Finding, Step};
use super::super::set::Place;
use crate::LeafIndex;

/// About as many steps as a use takes.
const STEPS_PER_USE: usize = 5;

/// Collects steps; or nothing, where only the result is wanted.
#[derive(Debug)]
pub(in crate::rules) struct Trace(Option<Kept>);

/// The steps so far, and the use that follows.
#[derive(Debug)]
struct Kept {
    steps: Vec<Step>,
    rule: Arc<str>,
    outcomes: Arc<[LeafIndex]>,
}

impl Trace {
    /// Keeps every step of so many uses.
    pub(in crate::rules) fn kept(uses: usize) -> Self {
        Self(Some(Kept {
            steps: Vec::with_capacity(uses.saturating_mul(STEPS_PER_USE)),
            rule: Arc::default(),
            outcomes: Arc::default(),
        }))
    }

    /// Keeps none.
    pub(in crate::rules) const fn silent() -> Self {
        Self(None)
    }

    /// What follows is about this use.
    pub(super) fn begin(&mut self, proposed: &Use) {
        if let Some(kept) = &mut self.0 {
            kept.rule = proposed.rule.as_str().into();
            kept.outcomes = proposed.outcomes.as_slice().into();
        }
    }

    /// Records what was found where.
    pub(super) fn step(&mut self, place: Place, finding: impl FnOnce() -> Finding) {
        self.step_if(place, || Some(finding()));
    }

    /// Records what was found where, if anything was.
    pub(super) fn step_if(&mut self, place: Place, finding: impl FnOnce() -> Option<Finding>) {
        if let Some(kept) = &mut self.0
            && let Some(finding) = finding()
        {
            kept.steps.push(Step {
                rule: Arc::clone(&kept.rule),
                place,
                outcomes: Arc::clone(&kept.outcomes),
                finding,
            });
        }
    }

    /// The steps in the order in which they came.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.0.map(|kept| kept.steps).unwrap_or_default()
    }
}
