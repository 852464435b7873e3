//! What a reader misses: clauses, sources, examples; and examples that name what the set does not have.

use std::collections::BTreeSet;

use creditbank_domain::rules::{Compiled, Place, RuleSet};

use super::Desk;
use crate::example::Example;
use crate::finding::{Finding, Severity, code};
use crate::words::words;

pub(super) fn check(desk: &mut Desk<'_>, compiled: &Compiled, examples: &[Example]) {
    clauses(desk);
    sources(desk);
    names(desk, examples);
    unused(desk, compiled, examples);
}

fn clauses(desk: &mut Desk<'_>) {
    let set = desk.set;
    macro_rules! entries {
        ($list:ident, $zh:literal, $en:literal) => {
            set.$list
                .iter()
                .map(|it| (&it.clause, &it.id, it.place, ($zh, $en)))
        };
    }
    let entries = entries!(rules, "规则", "rule")
        .chain(entries!(limits, "限额", "limit"))
        .chain(entries!(standards, "单元标准", "standard"))
        .chain(entries!(earning, "积分规则", "earning rule"))
        .chain(entries!(agreements, "协议", "agreement"));
    for (clause, id, place, (zh, en)) in entries {
        if clause.is_empty() {
            let message = words!(
                "{zh} {id} 没有 clause：请写明所依据的条款",
                "{en} {id} has no clause: say which one it carries out"
            );
            desk.warn(code::CLAUSE_MISSING, place, message);
        }
    }
}

fn sources(desk: &mut Desk<'_>) {
    for (number, document) in (0..).zip(&desk.set.documents) {
        if document.source.is_empty() {
            let place = Place {
                document: number,
                line: 1,
            };
            let message = words!(
                "[document] 没有 source：请写明规章、年份、文号，或写 proposal (P)",
                "[document] has no source: name the regulation, year and number, or say proposal (P)"
            );
            desk.warn(code::SOURCE_MISSING, place, message);
        }
    }
}

/// Programmes, rules and limits that examples name.
fn names(desk: &mut Desk<'_>, examples: &[Example]) {
    let set = desk.set;
    for example in examples {
        let before = example.before.iter().map(|it| &it.programme);
        for id in example.programme.iter().chain(before) {
            if !set.programmes.iter().any(|it| it.id == *id) {
                unknown(desk, example, ("专业教学计划", "programme"), id);
            }
        }
        for id in rules_of(example) {
            if !has_rule(set, id) {
                unknown(desk, example, ("规则", "rule"), id);
            }
        }
        if let Some(id) = &example.expect.limit
            && !set.limits.iter().any(|it| it.id == *id)
        {
            unknown(desk, example, ("限额", "limit"), id);
        }
        for id in example
            .held
            .iter()
            .filter_map(|held| held.standard.as_deref())
        {
            if !set.standards.iter().any(|it| it.id == id) {
                unknown(desk, example, ("单元标准", "standard"), id);
            }
        }
    }
}

/// Rules are in the order of their ids.
fn has_rule(set: &RuleSet, id: &str) -> bool {
    set.rules
        .binary_search_by(|rule| rule.id.as_str().cmp(id))
        .is_ok()
}

fn unknown(desk: &mut Desk<'_>, example: &Example, (zh, en): (&str, &str), id: &str) {
    desk.findings.push(Finding {
        severity: Severity::Error,
        code: code::REFERENCE,
        document: example.document.clone(),
        line: example.line,
        message: words!(
            "此例提到的{zh} {id} 不在规则集中",
            "the example names the {en} {id}, which the set does not have"
        ),
    });
}

/// The rules that an example is about.
fn rules_of(example: &Example) -> impl Iterator<Item = &str> {
    let before = example.before.iter().flat_map(|it| &it.uses);
    let uses = before.chain(&example.uses).flatten();
    let lines = example.expect.lines.iter().flatten();
    let refused = example.expect.refused.iter().flatten();
    uses.map(|it| it.rule.as_str())
        .chain(lines.map(|it| it.rule.as_str()))
        .chain(refused.map(|it| it.rule.as_str()))
}

fn unused(desk: &mut Desk<'_>, compiled: &Compiled, examples: &[Example]) {
    let set = desk.set;
    let used: BTreeSet<&str> = examples.iter().flat_map(rules_of).collect();
    for versions in set.rules.chunk_by(|a, b| a.id == b.id) {
        if !used.contains(versions[0].id.as_str()) {
            missing(desk, ("规则", "rule"), &versions[0].id, versions[0].place);
        }
    }
    let tested: BTreeSet<&str> = examples
        .iter()
        .filter(|example| example.expect.breaches.is_some())
        .flat_map(|example| {
            example
                .held
                .iter()
                .filter_map(|held| held.standard.as_deref())
        })
        .collect();
    for versions in set.standards.chunk_by(|a, b| a.id == b.id) {
        if !tested.contains(versions[0].id.as_str()) {
            missing(
                desk,
                ("单元标准", "standard"),
                &versions[0].id,
                versions[0].place,
            );
        }
    }
    let with_points = || {
        examples
            .iter()
            .filter(|example| example.expect.points.is_some())
    };
    for rule in &set.earning {
        let mut outcomes = with_points().flat_map(|example| &example.held);
        if !outcomes.any(|held| compiled.selects(&rule.selector, held)) {
            missing(desk, ("积分规则", "earning rule"), &rule.id, rule.place);
        }
    }
}

fn missing(desk: &mut Desk<'_>, (zh, en): (&str, &str), id: &str, place: Place) {
    let message = words!(
        "没有 [[example]] 用到{zh} {id}",
        "no [[example]] uses {en} {id}"
    );
    desk.warn(code::EXAMPLE_MISSING, place, message);
}
