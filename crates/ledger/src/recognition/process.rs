//! An application held against the life cycle that the rule set publishes.

use std::sync::Arc;

use creditbank_domain::application::{Proceeding, StepKind, StepTaken, Terms};
use creditbank_domain::recognition::Ruling;
use creditbank_domain::record::RecordKind;
use creditbank_domain::registry::{Institution, InstitutionNumber, Registry};
use creditbank_domain::rules::{Compiled, Review};
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::StoreError;
use jiff::civil::Date;

use super::file::{CaseFile, Filed};
use super::holdings;
use crate::bank::Bank;
use crate::clock::day_of;
use crate::head::Head;

/// Where an application stands, and the terms that hold for it.
pub(crate) struct Process {
    pub(crate) set: Arc<Compiled>,
    pub(crate) proceeding: Proceeding,
    reviews: Vec<Review>,
    origins: Vec<InstitutionNumber>,
}

impl Process {
    pub(crate) fn of(
        bank: &Bank,
        head: &Head,
        file: &CaseFile,
    ) -> Result<Result<Self, Refusal>, StoreError> {
        let set = match bank.rule_set(head, &file.rule_set)? {
            Ok(set) => set,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let first = StepTaken {
            kind: StepKind::Application,
            actor: file.agent,
            on: day_of(file.submitted_at_ms),
            leaf: file.application,
        };
        let steps = file.steps.iter().filter_map(|step| {
            let on = day_of(step.at_ms);
            taken(&head.registry, step.kind, step, on)
        });
        let steps: Vec<_> = std::iter::once(first).chain(steps).collect();
        let proceeding = match Proceeding::fold(&steps) {
            Ok(proceeding) => proceeding,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let reviews = file.form.uses.iter().flat_map(|it| {
            let rules = set.set().rules.iter().filter(|rule| rule.id == it.rule);
            rules.map(|rule| rule.review).collect::<Vec<_>>()
        });
        let reviews = reviews.collect();
        let mut origins = Vec::new();
        for outcome in file.form.uses.iter().flat_map(|it| &it.outcomes) {
            let owner = depositor(head, *outcome)?;
            origins.extend(owner.map(|owner| owner.number));
        }
        origins.sort_unstable();
        origins.dedup();
        Ok(Ok(Self {
            set,
            proceeding,
            reviews,
            origins,
        }))
    }

    pub(crate) fn terms(&self) -> Terms<'_> {
        Terms {
            process: &self.set.set().process,
            calendar: &self.set.set().calendar,
            reviews: &self.reviews,
            origins: &self.origins,
            nothing_left: false,
        }
    }

    /// Whether a step may be taken on a day.
    pub(crate) fn allow(
        &self,
        registry: &Registry,
        kind: RecordKind,
        step: &Filed,
        on: Date,
    ) -> Result<(), Refusal> {
        let taken = taken(registry, kind, step, on).ok_or(Refusal::KindNotAllowed)?;
        let terms = Terms {
            nothing_left: step.ruling.as_ref().is_some_and(Ruling::grants_nothing),
            ..self.terms()
        };
        self.proceeding.allow(&taken, &terms)
    }
}

/// A record as a step of the life cycle.
fn taken(registry: &Registry, kind: RecordKind, step: &Filed, on: Date) -> Option<StepTaken> {
    let grant = step
        .ruling
        .as_ref()
        .is_some_and(|ruling| ruling.is_granted());
    let kind = match kind {
        RecordKind::Review => StepKind::Review {
            approve: step.approve,
            of: registry.affiliation(step.actor),
        },
        RecordKind::Objection => StepKind::Objection,
        RecordKind::Appeal => StepKind::Appeal,
        RecordKind::Withdrawal => StepKind::Withdrawal,
        RecordKind::Acceptance => StepKind::Acceptance,
        RecordKind::Return => StepKind::Return,
        RecordKind::Notice => StepKind::Notice { grant },
        RecordKind::Decision => StepKind::Decision { grant },
        RecordKind::Reversal => StepKind::Reversal,
        RecordKind::Closing => StepKind::Closing,
        _ => return None,
    };
    Some(StepTaken {
        kind,
        actor: step.actor,
        on,
        leaf: step.leaf,
    })
}

/// Whose outcome the record at `index` is; none if there is no such leaf.
pub(crate) fn depositor(
    head: &Head,
    index: LeafIndex,
) -> Result<Option<&Arc<Institution>>, StoreError> {
    match head.contains(index) {
        true => holdings::depositor(&head.snapshot, &head.registry, index),
        false => Ok(None),
    }
}
