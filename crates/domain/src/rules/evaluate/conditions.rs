//! Stages 3 and 4: agreement, slots, and the conditions on outcomes and programme, in the order in which they are told.

use super::super::archive::Entry;
use super::super::decision::{Finding, Reason};
use super::super::programme::ModuleKind;
use super::super::rule::{Conditions, Form, LevelFloor, Rule};
use super::context::Context;
use super::grade::{lowest, meets};
use super::matching::fill;
use super::trace::Trace;
use crate::outcome::{Detail, ObtainedBy};
use crate::{Credit, Hours};

/// Whether the outcomes are what the rule is about and meet what it asks.
pub(super) fn check(
    context: &Context<'_>,
    rule: &Rule,
    sources: &[usize],
    trace: &mut Trace,
) -> Result<(), Reason> {
    agreement(context, rule, sources, trace)?;
    slots(context, rule, sources)?;
    outcomes(context, rule, sources, trace)?;
    programme(context, &rule.conditions)
}

/// Whether the outcomes meet what the rule asks of each.
pub(in crate::rules) fn outcomes(
    context: &Context<'_>,
    rule: &Rule,
    sources: &[usize],
    trace: &mut Trace,
) -> Result<(), Reason> {
    let entries = || sources.iter().map(|at| &context.archive[*at]);
    let conditions = &rule.conditions;
    if !conditions.min_grade.is_empty() {
        entries().try_for_each(|entry| meets(&conditions.min_grade, entry.outcome.grade))?;
        trace.step_if(rule.place, || {
            lowest(entries()).map(|grade| Finding::GradeMet { grade })
        });
    }
    level(context, rule, sources, trace)?;
    entries().try_for_each(|entry| attendance(conditions, entry))?;
    entries().try_for_each(|entry| amounts(conditions, entry))?;
    entries().try_for_each(|entry| provenance(conditions, entry))
}

/// Whether the rule is for the programme.
pub(in crate::rules) fn programme(
    context: &Context<'_>,
    conditions: &Conditions,
) -> Result<(), Reason> {
    let programme = context.programme;
    let named = conditions.programmes.is_empty() || conditions.programmes.contains(&programme.id);
    let of_kind = conditions
        .programme_kind
        .is_none_or(|kind| kind == programme.kind);
    if !named || !of_kind {
        return Err(Reason::ProgrammeExcluded);
    }
    let subject = programme.subject.as_str();
    let mut excluded = conditions.except_subjects.iter();
    if excluded.any(|prefix| !subject.is_empty() && subject.starts_with(prefix.as_str())) {
        return Err(Reason::SubjectExcluded);
    }
    Ok(())
}

/// Whether credit for a course of the programme may be granted: its kind, its tags, whether it is required.
pub(in crate::rules) fn course(
    context: &Context<'_>,
    conditions: &Conditions,
    course: u32,
) -> Result<(), Reason> {
    let module = &context.programme.modules[context.plan.module_of(course) as usize];
    let course = context.course(course);
    let mut tags = conditions.only_tags.iter();
    let is_left_out = conditions.except_course_kinds.contains(&course.kind)
        || (conditions.required_only && module.kind != ModuleKind::Required)
        || (!conditions.only_tags.is_empty() && !tags.any(|tag| course.tags.contains(tag)));
    if is_left_out {
        Err(Reason::TargetExcluded)
    } else {
        Ok(())
    }
}

/// Whether an agreement covers each outcome: region pair, direction, category, day of completion.
pub(in crate::rules) fn agreement(
    context: &Context<'_>,
    rule: &Rule,
    sources: &[usize],
    trace: &mut Trace,
) -> Result<(), Reason> {
    let Some(id) = &rule.conditions.agreement else {
        return Ok(());
    };
    let mut agreements = context.set.set().agreements.iter();
    let agreement = agreements
        .find(|it| it.id == *id)
        .ok_or(Reason::NoAgreement)?;
    let receiver = context.programme.region.as_str();
    let mut covering = None;
    for at in sources {
        let held = context.archive[*at].held;
        let origin = held
            .region
            .ok_or(Reason::NoAgreement)?
            .province()
            .to_string();
        let (category, day) = (held.outcome.category(), held.outcome.completed_on);
        let version = agreement.covers(&origin, receiver, category, day);
        let version = version.ok_or(Reason::NoAgreement)?;
        if covering.is_some_and(|it| it != version) {
            return Err(Reason::NoAgreement);
        }
        covering = Some(version);
    }
    if let Some(version) = covering {
        trace.step(agreement.place, || Finding::Agreed {
            agreement: id.clone(),
            version: version.to_owned(),
        });
    }
    Ok(())
}

/// Whether every outcome fills a slot of its own, and as many as the rule needs. Hours-to-credits takes any number of
/// outcomes for its slots.
fn slots(context: &Context<'_>, rule: &Rule, sources: &[usize]) -> Result<(), Reason> {
    let selected =
        |at: usize, slot: usize| context.archive[at].is_selected_by(&rule.slots[slot].selector);
    let graded = |at: usize, slot: usize| {
        let grade = context.archive[at].outcome.grade;
        selected(at, slot).then(|| meets(&rule.slots[slot].min_grade, grade))
    };
    for at in sources {
        let mut slots = (0..rule.slots.len()).filter_map(|slot| graded(*at, slot));
        let first = slots.next().ok_or(Reason::NotSelected)?;
        if slots.all(|grade| grade.is_err()) {
            first?;
        }
    }
    if rule.form == Form::HoursToCredits {
        return Ok(());
    }
    let needed = usize::from(rule.need.max(1));
    if sources.len() > needed {
        return Err(Reason::SourcesTooMany);
    }
    if sources.len() == 1 && needed == 1 {
        return Ok(());
    }
    let fits = |source: usize, slot| graded(sources[source], slot).is_some_and(|it| it.is_ok());
    let filled = fill(sources.len(), rule.slots.len(), fits);
    let count = filled.iter().flatten().count();
    if count < sources.len() {
        return Err(Reason::SourcesTooMany);
    }
    if count < needed {
        return Err(Reason::SourcesTooFew {
            filled: count as u8,
            needed: needed as u8,
        });
    }
    Ok(())
}

fn level(
    context: &Context<'_>,
    rule: &Rule,
    sources: &[usize],
    trace: &mut Trace,
) -> Result<(), Reason> {
    let needed = match rule.conditions.min_level {
        LevelFloor::Any => return Ok(()),
        LevelFloor::AtLeast(level) => level,
        LevelFloor::Programme => context.programme.level,
    };
    for at in sources {
        let level = context.archive[*at].level().ok_or(Reason::LevelUnknown)?;
        if level < needed {
            return Err(Reason::LevelTooLow { level, needed });
        }
        trace.step(rule.place, || Finding::Level { level, needed });
    }
    Ok(())
}

fn attendance(conditions: &Conditions, entry: &Entry<'_>) -> Result<(), Reason> {
    let Some(needed) = conditions.min_attendance_bp else {
        return Ok(());
    };
    let attendance = match &entry.outcome.detail {
        Detail::CommunityCourse(course) => Some(course.attendance),
        Detail::ElderCourse(course) => Some(course.attendance),
        _ => None,
    };
    let (attended, planned) = attendance.map_or((0, 1), |it| {
        (u32::from(it.attended), u32::from(it.planned.max(1)))
    });
    if attended * 10_000 >= u32::from(needed) * planned {
        return Ok(());
    }
    let basis_points = (attended * 10_000 / planned).min(u16::MAX.into()) as u16;
    Err(Reason::AttendanceTooLow {
        basis_points,
        needed,
    })
}

fn amounts(conditions: &Conditions, entry: &Entry<'_>) -> Result<(), Reason> {
    let outcome = entry.outcome;
    if let Some(needed) = conditions.min_hours {
        let hours = outcome.hours.unwrap_or(Hours::ZERO);
        if hours < needed {
            return Err(Reason::HoursTooFew { hours, needed });
        }
    }
    if let Some(needed) = conditions.min_credits {
        let credits: Credit = outcome.credits.ok_or(Reason::CreditsUnknown)?;
        if credits < needed {
            return Err(Reason::CreditsTooFew { credits, needed });
        }
    }
    Ok(())
}

/// Both parties attest (an outcome never names one institution twice); assessment is said, not supposed.
fn provenance(conditions: &Conditions, entry: &Entry<'_>) -> Result<(), Reason> {
    let outcome = entry.outcome;
    if conditions.two_attestors {
        let attested = match &outcome.detail {
            Detail::DualTrack(it) => {
                it.enterprise_attestor.is_some() && it.college_attestor.is_some()
            }
            _ => false,
        };
        if !attested {
            return Err(Reason::AttestorsMissing);
        }
    }
    if conditions.by_assessment && outcome.obtained_by != Some(ObtainedBy::Assessment) {
        return Err(Reason::NotByAssessment);
    }
    Ok(())
}
