//! What each form of rule must have and may not have.

use std::ops::RangeInclusive;

use creditbank_domain::rules::{Amount, Form, Rule, SLOTS_MAX, TARGETS_MAX, Target, TargetPlace};

use super::rule::FORMS;
use super::table::Table;
use crate::finding::code;
use crate::words::words;

/// What a form takes.
pub(crate) struct Shape {
    /// How many slots.
    slots: RangeInclusive<usize>,
    /// How many targets.
    targets: RangeInclusive<usize>,
    /// Where credit may go, by key.
    pub(crate) places: &'static [&'static str],
    /// How it may be measured.
    pub(crate) amounts: &'static [&'static str],
    /// Which of the keys of [`OPTIONAL`] it may have.
    pub(crate) keys: &'static [&'static str],
}

/// Keys of a rule that not every form may have.
const OPTIONAL: [&str; 5] = ["need", "pick", "remainder", "not_above_source", "grade"];
const ONE: RangeInclusive<usize> = 1..=1;
const MANY: RangeInclusive<usize> = 1..=TARGETS_MAX;

/// The shape of a form.
pub(crate) const fn shape(form: Form) -> Shape {
    match form {
        Form::CourseToCourse => Shape {
            slots: ONE,
            targets: MANY,
            places: &["course", "same_course", "tagged"],
            amounts: &["target", "source", "fixed"],
            keys: &["pick", "not_above_source", "grade"],
        },
        Form::CertificateToCourses => Shape {
            slots: ONE,
            targets: MANY,
            places: &["course", "tagged"],
            amounts: &["target", "source", "fixed"],
            keys: &["pick", "remainder", "not_above_source", "grade"],
        },
        Form::CertificateToCredits => Shape {
            slots: ONE,
            targets: ONE,
            places: &["electives", "module"],
            amounts: &["source", "fixed", "ratio"],
            keys: &["not_above_source", "grade"],
        },
        Form::OneToMany => Shape {
            slots: ONE,
            targets: MANY,
            places: &["course", "tagged", "electives", "module"],
            amounts: &["target", "fixed"],
            keys: &["pick", "remainder", "not_above_source", "grade"],
        },
        Form::ManyToOne => Shape {
            slots: 2..=SLOTS_MAX,
            targets: ONE,
            places: &["course", "same_course", "tagged"],
            amounts: &["target", "source", "fixed"],
            keys: &["need", "not_above_source", "grade"],
        },
        Form::HoursToCredits => Shape {
            slots: ONE,
            targets: ONE,
            places: &["electives", "module"],
            amounts: &["per_hours"],
            keys: &["grade"],
        },
        Form::UnitConversion => Shape {
            slots: ONE,
            targets: ONE,
            places: &["course", "same_course", "tagged", "electives", "module"],
            amounts: &["ratio"],
            keys: &["grade"],
        },
        Form::BlockTransfer => Shape {
            slots: ONE,
            targets: MANY,
            places: &["electives", "module"],
            amounts: &["source", "fixed"],
            keys: &["not_above_source", "grade"],
        },
        Form::NoCredit => Shape {
            slots: ONE,
            targets: 0..=0,
            places: &[],
            amounts: &[],
            keys: &[],
        },
    }
}

/// The form as it is written.
pub(crate) fn form_name(form: Form) -> &'static str {
    let found = FORMS.iter().find(|(_, known)| *known == form);
    found.map_or("", |(name, _)| name)
}

/// Tells where a rule is not of its form.
pub(crate) fn check(t: &Table<'_>, rule: &Rule) {
    let (shape, form) = (shape(rule.form), form_name(rule.form));
    let slots = rule.slots.len();
    if slots > *shape.slots.end() {
        let message = words!(
            "{form} 只有一个来源：请用 select，不用 [[rule.slot]]",
            "{form} has one source: use select, not [[rule.slot]]"
        );
        t.fault_at("slot", code::FORM_EXCLUDES, message);
    } else if slots > 0 && slots < *shape.slots.start() {
        let message = words!(
            "{form} 至少要有两个 [[rule.slot]]",
            "{form} needs at least two [[rule.slot]]"
        );
        t.fault_at("select", code::FORM_NEEDS, message);
    }
    for key in OPTIONAL {
        if t.has(key) && !shape.keys.contains(&key) {
            let message = words!("{form} 不能有 {key}", "{form} may not have {key}");
            t.fault_at(key, code::FORM_EXCLUDES, message);
        }
    }
    check_targets(t, rule, &shape, form);
}

fn check_targets(t: &Table<'_>, rule: &Rule, shape: &Shape, form: &str) {
    let (count, max) = (rule.grant.targets.len(), *shape.targets.end());
    if max == 0 {
        if t.has("grant") {
            let message = words!("{form} 不能有 grant", "{form} may not have grant");
            t.fault_at("grant", code::FORM_EXCLUDES, message);
        }
        return;
    }
    if !t.has("grant") {
        let places = shape.places.join(", ");
        let message = words!(
            "{form} 必须有 grant，去向可为 {places}",
            "{form} needs grant, with a target of {places}"
        );
        return t.fault(code::FORM_NEEDS, message);
    }
    if count > max {
        let message = words!(
            "{form} 只能有一个去向，此处有 {count} 个",
            "{form} takes one target; here are {count}"
        );
        t.fault_at("grant", code::FORM_EXCLUDES, message);
    }
    if count == 0 {
        let message = words!("grant 没有去向", "grant has no target");
        t.fault_at("grant", code::FORM_NEEDS, message);
    }
    let is_spread = count > 1 || rule.grant.remainder_to_electives;
    if rule.form == Form::OneToMany && count == 1 && !is_spread {
        let message = words!(
            "{form} 要有几个去向，或一个去向加 remainder = \"electives\"",
            "{form} needs several targets, or one and remainder = \"electives\""
        );
        t.fault_at("grant", code::FORM_NEEDS, message);
    }
    for target in &rule.grant.targets {
        check_target(t, target, shape, form);
    }
}

fn check_target(t: &Table<'_>, target: &Target, shape: &Shape, form: &str) {
    let place = place_key(&target.to);
    if !shape.places.contains(&place) {
        let places = shape.places.join(", ");
        let message = words!(
            "{form} 的去向不能是 {place}；可为 {places}",
            "{form} has no target of {place}; it may be {places}"
        );
        t.fault_at("grant", code::FORM_EXCLUDES, message);
    }
    let amount = amount_key(&target.amount);
    if !shape.amounts.contains(&amount) {
        let (zh, en) = shape.amounts.iter().map(|key| amount_words(key)).fold(
            (String::new(), String::new()),
            |(zh, en), (next_zh, next_en)| (join(zh, next_zh), join(en, next_en)),
        );
        let message = words!("{form} 的去向须写明 {zh}", "a target of {form} says {en}");
        t.fault_at("grant", code::FORM_NEEDS, message);
    }
}

fn join(list: String, next: &str) -> String {
    if list.is_empty() {
        next.to_owned()
    } else {
        list + " / " + next
    }
}

/// The key that a target is written with.
pub(crate) const fn place_key(to: &TargetPlace) -> &'static str {
    match to {
        TargetPlace::Course(_) => "course",
        TargetPlace::SameCourse => "same_course",
        TargetPlace::Tagged(_) => "tagged",
        TargetPlace::Electives => "electives",
        TargetPlace::Module(_) => "module",
    }
}

const fn amount_key(amount: &Amount) -> &'static str {
    match amount {
        Amount::Target => "target",
        Amount::Source => "source",
        Amount::Fixed(_) => "fixed",
        Amount::PerHours(_) => "per_hours",
        Amount::Ratio { .. } => "ratio",
    }
}

/// How an amount is written, in both languages.
fn amount_words(key: &str) -> (&'static str, &'static str) {
    match key {
        "target" => ("credits = \"target\"", "credits = \"target\""),
        "source" => ("credits = \"source\"", "credits = \"source\""),
        "fixed" => ("credits = \"学分数\"", "credits = \"an amount\""),
        "per_hours" => ("per_hours = \"学时数\"", "per_hours = \"hours\""),
        _ => ("ratio = \"1/2\"", "ratio = \"1/2\""),
    }
}
