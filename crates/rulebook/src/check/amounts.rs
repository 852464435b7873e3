//! Targets against what their source is worth.

use creditbank_domain::Credit;
use creditbank_domain::rules::{Amount, Form, Rule};

use super::Desk;
use crate::finding::code;
use crate::names::hundredths_text;
use crate::words::words;

pub(super) fn check(desk: &mut Desk<'_>) {
    for rule in &desk.set.rules {
        sources_spent_twice(desk, rule);
        fixed_beyond_source(desk, rule);
    }
}

/// Two targets that each take the whole source.
fn sources_spent_twice(desk: &mut Desk<'_>, rule: &Rule) {
    let targets = rule.grant.targets.iter();
    let whole = targets
        .filter(|target| target.amount == Amount::Source)
        .count();
    if whole > 1 && rule.grant.pick > 1 && !rule.grant.not_above_source {
        let message = words!(
            "{whole} 个去向各取来源的全部学分，合计超过来源；请加 not_above_source = true 或写明各自的学分",
            "{whole} targets each take all of the source's credits, together more than it has; add \
             not_above_source = true, or give each its own amount"
        );
        desk.error(code::TARGETS_EXCEED_SOURCE, rule.place, message);
    }
}

/// Fixed amounts beyond the credits that the source is known to have, or that nothing holds against the source.
fn fixed_beyond_source(desk: &mut Desk<'_>, rule: &Rule) {
    let grant = &rule.grant;
    if grant.not_above_source || matches!(rule.form, Form::HoursToCredits | Form::NoCredit) {
        return;
    }
    let mut fixed: Vec<u32> = grant
        .targets
        .iter()
        .filter_map(|target| match target.amount {
            Amount::Fixed(credits) => Some(credits.hundredths()),
            _ => None,
        })
        .collect();
    fixed.sort_unstable_by(|a, b| b.cmp(a));
    let sum: u64 = fixed
        .iter()
        .take(grant.pick.into())
        .map(|it| u64::from(*it))
        .sum();
    let needed = u64::from(rule.need);
    let source = rule.conditions.min_credits.map(Credit::hundredths);
    match source {
        Some(source) if sum > u64::from(source) * needed => {
            let (sum, source) = (
                hundredths_text(sum),
                hundredths_text(u64::from(source) * needed),
            );
            let message = words!(
                "去向共 {sum} 学分，而来源只须有 {source} 学分；请加 not_above_source = true 或提高 min_credits",
                "the targets are worth {sum} credits, but the source needs only {source}; add \
                 not_above_source = true, or raise min_credits"
            );
            desk.error(code::TARGETS_EXCEED_SOURCE, rule.place, message);
        }
        None if grant.remainder_to_electives => {
            let message = words!(
                "余下的学分转为选修，但没有 not_above_source = true 或 min_credits 保证去向不超过来源",
                "what remains becomes elective credit, but neither not_above_source = true nor min_credits keeps the \
                 targets within the source"
            );
            desk.warn(code::TARGETS_EXCEED_SOURCE, rule.place, message);
        }
        _ => {}
    }
}
