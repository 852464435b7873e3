//! From documents to a rule set, or everything that is wrong with them.
//!
//! Each document is parsed on its own; then what they name is looked up in all of them. A document that is not TOML
//! is told as such, and nothing is said about ids that it may have held.

mod form;
mod grant;
mod limit;
mod page;
mod programme;
mod rule;
mod selector;
mod set;
mod standard;
mod table;
mod unique;
mod value;

use creditbank_domain::rules::{Period, RuleSet};
use toml::de::DeTable;

pub(crate) use self::limit::EXCESSES;
pub(crate) use self::page::Page;
use self::page::Reference;
pub(crate) use self::programme::MODULE_KINDS;
pub(crate) use self::rule::{DATED_BY, FORMS, five_level_code};
pub(crate) use self::set::ROUNDING_MODES;
pub(crate) use self::table::{Table, Value};
use self::unique::Once;
use crate::finding::{Finding, Severity, code};
use crate::source::{Source, faults, manifest};
use crate::words::words;

/// Most tables of one kind in one document.
const TABLES_MAX: usize = 4_096;

/// Reads the documents of a set. Their order does not matter.
///
/// Everything that is wrong is told, in the order of documents and lines: bytes, syntax, unknown and missing keys,
/// types, amounts, dates, ids that stand twice or nowhere, and rules that are not of their form.
pub fn read(mut sources: Vec<Source>) -> Result<RuleSet, Vec<Finding>> {
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let findings = faults(&sources);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut set = RuleSet {
        hash: manifest(&sources).hash(),
        ..RuleSet::default()
    };
    let mut once = Once::default();
    let (mut findings, mut references) = (Vec::new(), Vec::new());
    for (number, source) in (0..).zip(&sources) {
        let (found, mut named) = read_document(number, source, &mut set, &mut once);
        findings.extend(found);
        references.append(&mut named);
    }
    if !findings.iter().any(|finding| finding.code == code::SYNTAX) {
        findings.extend(once.missing_set(&sources));
        findings.extend(unique::faults(&set));
        findings.extend(unknown_references(&set, &references));
    }
    if !findings.is_empty() {
        findings.sort_by(|a, b| (&a.document, a.line).cmp(&(&b.document, b.line)));
        return Err(findings);
    }
    sort(&mut set);
    Ok(set)
}

/// Reads one document into `set`; gives what is wrong with it and the ids that it names.
fn read_document(
    number: u16,
    source: &Source,
    set: &mut RuleSet,
    once: &mut Once,
) -> (Vec<Finding>, Vec<Reference>) {
    let page = Page::new(number, &source.name, &source.text);
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        Table::root(&page, root.get_ref(), |t| {
            tables(t, &source.name, set, once)
        });
    } else {
        page.syntax(&errors);
    }
    let references = page.take_references();
    (page.into_findings(), references)
}

/// Reads the tables of a document. It adds a document to the set even where `[document]` is missing, so that places
/// keep their meaning.
fn tables(t: &Table<'_>, name: &str, set: &mut RuleSet, once: &mut Once) {
    let document = t.take("document", |v| v.table(|t| set::document(t, name)));
    if !t.has("document") {
        let message = words!(
            "缺少 [document]：每个文件都须写明标题和依据",
            "[document] is missing: every document says its title and where it comes from"
        );
        t.fault(code::DOCUMENT_MISSING, message);
    }
    let document = document.unwrap_or_default();
    let period = document.effective;
    set.documents.push(document);
    if let Some(head) = once.table(t, "set", name, set::head) {
        (set.id, set.version, set.title) = (head.id, head.version, head.title);
        (set.effective, set.rounding) = (head.effective, head.rounding);
    }
    if let Some(framework) = once.table(t, "framework", name, set::framework) {
        set.framework = framework;
    }
    if let Some(process) = once.table(t, "process", name, set::process) {
        set.process = process;
    }
    if let Some(calendar) = once.table(t, "calendar", name, set::calendar) {
        set.calendar = calendar;
    }
    if let Some(abbreviations) = once.table(t, "abbreviations", name, set::abbreviations) {
        set.abbreviations = abbreviations;
    }
    lists(t, period, set);
    t.pass("example");
}

fn lists(t: &Table<'_>, period: Period, set: &mut RuleSet) {
    each(t, "origin", |t| set.origins.push(set::origin(t)));
    each(t, "whole", |t| set.wholes.push(set::whole(t)));
    each(t, "agreement", |t| set.agreements.push(set::agreement(t)));
    each(t, "programme", |t| {
        set.programmes.extend(programme::programme(t));
    });
    each(t, "rule", |t| set.rules.extend(rule::rule(t, period)));
    each(t, "limit", |t| set.limits.extend(limit::limit(t, period)));
    each(t, "standard", |t| {
        set.standards.push(standard::standard(t, period));
    });
    each(t, "earning", |t| {
        set.earning.extend(standard::earning(t, period));
    });
    each(t, "honour", |t| set.honours.push(standard::honour(t)));
}

/// Reads each table of an array of tables.
fn each<'a>(t: &Table<'a>, key: &'static str, mut read: impl FnMut(&Table<'a>)) {
    let elements = t.take(key, |v: &Value<'a>| v.elements(TABLES_MAX));
    for element in elements.unwrap_or_default() {
        element.table(&mut read);
    }
}

fn unknown_references(set: &RuleSet, references: &[Reference]) -> Vec<Finding> {
    let known = unique::ids(set);
    let unknown = |reference: &&Reference| {
        let key = (reference.kind, reference.id.as_str());
        known.binary_search(&key).is_err()
    };
    let finding = |reference: &Reference| {
        let ((zh, en), id) = (reference.kind.names(), &reference.id);
        let message = words!("规则集中没有{zh} {id}", "the set has no {en} {id}");
        Finding::at(
            set,
            reference.place,
            Severity::Error,
            code::REFERENCE,
            message,
        )
    };
    references.iter().filter(unknown).map(finding).collect()
}

/// Into the order that the set's fields promise.
fn sort(set: &mut RuleSet) {
    set.rules.sort_by(|a, b| {
        let key = |rule: &creditbank_domain::rules::Rule| (rule.effective.from, rule.place);
        a.id.cmp(&b.id).then_with(|| key(a).cmp(&key(b)))
    });
    set.limits.sort_by(|a, b| a.id.cmp(&b.id));
    set.programmes.sort_by(|a, b| a.id.cmp(&b.id));
    set.standards
        .sort_by(|a, b| (&a.id, &a.version).cmp(&(&b.id, &b.version)));
}
