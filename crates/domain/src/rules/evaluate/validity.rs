//! Stages 2 and 3, validity and version: does the outcome still count, and which version of the rule does it fall under?

use jiff::civil::Date;

use super::super::archive::Entry;
use super::super::decision::{Finding, Reason};
use super::super::rule::{DatedBy, Rule};
use super::context::Context;
use super::trace::Trace;
use crate::outcome::Detail;

/// The version of a rule whose days contain the deciding day of every outcome.
pub(super) fn version<'r>(
    context: &Context<'_>,
    versions: impl Iterator<Item = &'r Rule> + Clone,
    sources: &[usize],
) -> Result<&'r Rule, Reason> {
    let contains = |rule: &Rule, at: usize| is_in_force(context, rule, at);
    let covers_all = |rule: &&Rule| sources.iter().all(|at| contains(rule, *at));
    if let Some(rule) = versions.clone().find(covers_all) {
        return Ok(rule);
    }
    // Not one version for all: the first day that the first outcome's version, or any, does not contain.
    let of_first = |rule: &&Rule| sources.first().is_some_and(|at| contains(rule, *at));
    let rule = versions
        .clone()
        .find(of_first)
        .or_else(|| versions.clone().next());
    let rule = rule.ok_or(Reason::RuleUnknown)?;
    let outside = sources.iter().find(|at| !contains(rule, **at));
    let on = outside.map_or(context.case.date, |at| day(context, rule, *at));
    Err(Reason::NotInForce { on })
}

/// Whether the set decides and the programme takes applications on the day of application.
pub(super) fn takes_applications(context: &Context<'_>) -> Result<(), Reason> {
    let on = context.case.date;
    let decides = context.set.set().effective.contains(on);
    if decides && context.programme.effective.contains(on) {
        Ok(())
    } else {
        Err(Reason::NotInForce { on })
    }
}

/// Whether a version of a rule is in force on the deciding day of an outcome.
pub(in crate::rules) fn is_in_force(context: &Context<'_>, rule: &Rule, at: usize) -> bool {
    rule.effective.contains(day(context, rule, at))
}

/// Whether every outcome may still be applied for, and what that day was.
pub(in crate::rules) fn check(
    context: &Context<'_>,
    rule: &Rule,
    sources: &[usize],
    trace: &mut Trace,
) -> Result<(), Reason> {
    let applied = context.case.date;
    let mut last_day: Option<Date> = None;
    for at in sources {
        let entry = &context.archive[*at];
        let of_certificate = valid_until(entry);
        if let Some(until) = of_certificate.filter(|until| *until < applied) {
            return Err(Reason::CertificateExpired { until });
        }
        let completed = entry.outcome.completed_on;
        let years = rule.conditions.valid_years;
        let of_rule = years.and_then(|years| anniversary(completed, years));
        if let Some(until) = of_rule.filter(|until| *until < applied) {
            return Err(Reason::TooOld { until });
        }
        if !rule.conditions.completed.contains(completed) {
            return Err(Reason::OutsideWindow);
        }
        last_day = [last_day, of_certificate, of_rule]
            .into_iter()
            .flatten()
            .min();
    }
    if let Some(until) = last_day {
        trace.step(rule.place, || Finding::Valid { until });
    }
    let deciding = sources.iter().map(|at| day(context, rule, *at)).max();
    if let Some(on) = deciding {
        trace.step(rule.place, || Finding::InForce { on });
    }
    Ok(())
}

/// The last day of a certificate that has one.
fn valid_until(entry: &Entry<'_>) -> Option<Date> {
    match &entry.outcome.detail {
        Detail::SkillCertificate(certificate) => certificate.valid_until,
        _ => None,
    }
}

fn day(context: &Context<'_>, rule: &Rule, at: usize) -> Date {
    match rule.dated_by {
        DatedBy::Completion => context.archive[at].outcome.completed_on,
        DatedBy::Application => context.case.date,
    }
}

/// The same month and day so many years later; 28 February for the 29th where the year has none. None is past the end
/// of the calendar.
fn anniversary(day: Date, years: u16) -> Option<Date> {
    let year = i16::try_from(i32::from(day.year()) + i32::from(years)).ok()?;
    Date::new(year, day.month(), day.day())
        .or_else(|_| Date::new(year, day.month(), 28))
        .ok()
}
