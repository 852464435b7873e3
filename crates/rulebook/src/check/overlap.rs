//! Rules about the same outcomes and the same target.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::rules::{Conditions, DatedBy, Form, Rule, Target, TargetPlace, names};

use super::Desk;
use crate::finding::code;
use crate::names::{place_text, told};
use crate::words::words;

/// Most pairs of rules that are compared: beyond, a set has so many rules for one target that it is a catalogue.
const PAIRS_MAX: usize = 1_000_000;

pub(super) fn check(desk: &mut Desk<'_>) {
    for rule in &desk.set.rules {
        repeated_targets(desk, rule);
    }
    for (first, second) in pairs(desk) {
        let rules = &desk.set.rules;
        let (one, other) = (&rules[first], &rules[second]);
        if one.id != other.id && can_meet(one, other) {
            compare(desk, one, other);
        }
    }
}

/// Pairs of rules that may be about the same: by what they name, so that not all are held against all.
fn pairs(desk: &Desk<'_>) -> BTreeSet<(usize, usize)> {
    let mut buckets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, rule) in desk.set.rules.iter().enumerate() {
        for name in achievements(rule) {
            buckets.entry(name).or_default().push(at);
        }
    }
    let all = buckets.get("").cloned().unwrap_or_default();
    let mut pairs = BTreeSet::new();
    for (name, members) in &buckets {
        for (index, first) in members.iter().enumerate() {
            let others = members[index + 1..].iter();
            let wide = all.iter().filter(|_| !name.is_empty());
            for second in others.chain(wide) {
                if pairs.len() >= PAIRS_MAX {
                    return pairs;
                }
                if first != second {
                    pairs.insert((*first.min(second), *first.max(second)));
                }
            }
        }
    }
    pairs
}

/// The achievements that a rule is about; an empty name for any.
fn achievements(rule: &Rule) -> BTreeSet<&str> {
    let slots = rule.slots.iter();
    let names = slots.flat_map(|slot| {
        let list = &slot.selector.achievements;
        let any = list.is_empty().then_some("");
        list.iter().map(String::as_str).chain(any)
    });
    names.collect()
}

/// Whether one learner can be under both on one day, in one programme.
fn can_meet(one: &Rule, other: &Rule) -> bool {
    let (a, b) = (&one.conditions, &other.conditions);
    let same_clock = one.dated_by == other.dated_by;
    let by_completion = same_clock && one.dated_by == DatedBy::Completion;
    let programmes = super::relate::meet(&a.programmes, &b.programmes);
    let kinds = a.programme_kind.is_none()
        || b.programme_kind.is_none()
        || a.programme_kind == b.programme_kind;
    let agreements = a.agreement.is_none() || b.agreement.is_none() || a.agreement == b.agreement;
    let days = (!same_clock || one.effective.overlaps(&other.effective))
        && a.completed.overlaps(&b.completed)
        && (!by_completion
            || one.effective.overlaps(&b.completed) && other.effective.overlaps(&a.completed));
    programmes && kinds && agreements && days
}

fn compare(desk: &mut Desk<'_>, one: &Rule, other: &Rule) {
    match (one.form == Form::NoCredit, other.form == Form::NoCredit) {
        (true, true) => {}
        (true, false) => denied(desk, one, other),
        (false, true) => denied(desk, other, one),
        (false, false) => both_grant(desk, one, other),
    }
}

/// A rule that says there is no credit, beside one that grants it.
fn denied(desk: &mut Desk<'_>, denial: &Rule, grant: &Rule) {
    let Some(denied) = denial.slots.first() else {
        return;
    };
    let (id, at) = (&denial.id, told(desk.set, denial.place));
    let all = |rule: &Rule| {
        rule.slots
            .iter()
            .all(|slot| denied.selector.covers(&slot.selector))
    };
    if all(grant) && is_wider(&denial.conditions, &grant.conditions) {
        let message = words!(
            "no-credit 规则 {id}（{at}）已说明这些成果不给学分，本规则却给学分；请删去其一",
            "the no-credit rule {id} ({at}) says that these outcomes are worth nothing, this one gives credit for \
             them; keep one of them"
        );
        desk.error(code::CONTRADICTION, grant.place, message);
    } else if grant
        .slots
        .iter()
        .any(|slot| slot.selector.covers(&denied.selector))
        && is_granted(desk, denial, grant)
    {
        let (id, at) = (&grant.id, told(desk.set, grant.place));
        let message = words!(
            "本规则说明这些成果不给学分，但规则 {id}（{at}）选中它们并给学分；请收窄后者的 select",
            "this rule says that these outcomes are worth nothing, but rule {id} ({at}) selects them and gives \
             credit; narrow its select"
        );
        desk.warn(code::CONTRADICTION, denial.place, message);
    }
}

/// Whether the grant may really fall to what is denied: the same course needs to be one of a programme.
fn is_granted(desk: &Desk<'_>, denial: &Rule, grant: &Rule) -> bool {
    let mut targets = grant.grant.targets.iter();
    let denied = || {
        denial
            .slots
            .iter()
            .flat_map(|slot| &slot.selector.achievements)
    };
    if denied().next().is_none() || !targets.all(|it| it.to == TargetPlace::SameCourse) {
        return true;
    }
    let programmes = desk.programmes_of(grant);
    let modules = programmes.iter().flat_map(|programme| &programme.modules);
    let mut courses = modules.flat_map(|module| &module.courses);
    courses.any(|course| {
        let keys = [names::key(&course.code), names::key(&course.name)];
        denied().any(|achievement| keys.contains(achievement))
    })
}

/// Whether the first asks for nothing that the second does not, as far as programmes and agreement go.
fn is_wider(wide: &Conditions, narrow: &Conditions) -> bool {
    let programmes = wide.programmes.is_empty()
        || !narrow.programmes.is_empty()
            && narrow
                .programmes
                .iter()
                .all(|id| wide.programmes.contains(id));
    programmes
        && (wide.programme_kind.is_none() || wide.programme_kind == narrow.programme_kind)
        && (wide.agreement.is_none() || wide.agreement == narrow.agreement)
}

/// Two rules that grant: their selectors, their targets, their amounts.
fn both_grant(desk: &mut Desk<'_>, one: &Rule, other: &Rule) {
    if one.slots.len() != other.slots.len() || one.need != other.need {
        return;
    }
    let pairs = || one.slots.iter().zip(&other.slots);
    let wider = pairs().all(|(a, b)| a.selector.covers(&b.selector));
    let narrower = pairs().all(|(a, b)| b.selector.covers(&a.selector));
    if !wider && !narrower {
        return;
    }
    let shared = |target: &&Target| other.grant.targets.iter().any(|it| it.to == target.to);
    let Some(target) = one.grant.targets.iter().find(shared) else {
        return;
    };
    let same_amount = |target: &Target| {
        let mut there = other.grant.targets.iter().filter(|it| it.to == target.to);
        there.all(|it| it.amount == target.amount)
    };
    let same_worth = one.grant.targets.iter().all(same_amount) && one.grade == other.grade;
    let (place, id, at) = (place_text(&target.to), &one.id, told(desk.set, one.place));
    let same_conditions = same_floor(one, other);
    if wider && narrower && same_conditions && !same_worth {
        let message = words!(
            "与规则 {id}（{at}）来源、条件和去向（{place}）都相同，学分或成绩却不同；请统一，或以 effective、programmes 分开",
            "rule {id} ({at}) has the same sources, conditions and target ({place}) but gives other credit or another \
             grade; make them agree, or part them by effective or programmes"
        );
        desk.error(code::CONTRADICTION, other.place, message);
    } else if wider && narrower && same_conditions {
        let message = words!(
            "与规则 {id}（{at}）相同：来源、条件和去向（{place}）都一样；请删去其一",
            "this says the same as rule {id} ({at}): sources, conditions and target ({place}); remove one of them"
        );
        desk.warn(code::OVERLAP, other.place, message);
    } else if !same_worth {
        let message = words!(
            "与规则 {id}（{at}）涉及同样的成果和去向（{place}），学分或成绩不同，申请人可任选其一；请确认这是本意",
            "rule {id} ({at}) is about the same outcomes and target ({place}) and gives other credit or another grade; \
             applicants may choose: make sure that this is meant"
        );
        desk.warn(code::OVERLAP, other.place, message);
    }
}

/// Whether both ask the same of an outcome and of a programme.
fn same_floor(one: &Rule, other: &Rule) -> bool {
    let floors = |rule: &Rule| {
        let slots = rule.slots.iter();
        slots.map(|slot| slot.min_grade.clone()).collect::<Vec<_>>()
    };
    one.conditions == other.conditions && floors(one) == floors(other)
}

fn repeated_targets(desk: &mut Desk<'_>, rule: &Rule) {
    let targets = &rule.grant.targets;
    for (index, target) in targets.iter().enumerate() {
        let is_choice = matches!(target.to, TargetPlace::Tagged(_));
        if !is_choice
            && targets[..index]
                .iter()
                .any(|earlier| earlier.to == target.to)
        {
            let place = place_text(&target.to);
            let message = words!(
                "grant 中去向 {place} 出现两次",
                "grant names the target {place} twice"
            );
            desk.error(code::TARGET_REPEATED, rule.place, message);
        }
    }
}
