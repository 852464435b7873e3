//! What stands once: the tables of a set, and ids.

use creditbank_domain::rules::{Place, RuleSet};

use super::page::Kind;
use super::table::Table;
use crate::finding::{Finding, Severity, code};
use crate::names::told;
use crate::source::Source;
use crate::words::words;

/// Which of the tables that a set has once were read, and in which document.
#[derive(Default)]
pub(crate) struct Once(Vec<(&'static str, String)>);

impl Once {
    /// Reads such a table; where one was read before, it is told instead.
    pub(crate) fn table<T>(
        &mut self,
        t: &Table<'_>,
        key: &'static str,
        document: &str,
        read: impl FnOnce(&Table<'_>) -> T,
    ) -> Option<T> {
        let value = t.value(key)?;
        if let Some((_, other)) = self.0.iter().find(|(known, _)| *known == key) {
            let message = words!(
                "[{key}] 已在 {other} 中；一个规则集只有一个",
                "[{key}] stands in {other} already; a set has one"
            );
            let code = match key {
                "set" => code::SET_COUNT,
                _ => code::TABLE_REPEATED,
            };
            return value.fault(code, message);
        }
        self.0.push((key, document.to_owned()));
        value.table(read)
    }

    /// That no document has `[set]`.
    pub(crate) fn missing_set(&self, sources: &[Source]) -> Option<Finding> {
        if self.0.iter().any(|(key, _)| *key == "set") {
            return None;
        }
        let count = sources.len();
        let message = words!(
            "{count} 个文件中都没有 [set]；须有一个文件写明规则集的标识、版本和标题",
            "none of the {count} documents has [set]; one of them says the set's id, version and title"
        );
        Some(Finding::whole(code::SET_COUNT, "", message))
    }
}

/// Every id that may be named, sorted.
pub(crate) fn ids(set: &RuleSet) -> Vec<(Kind, &str)> {
    let mut ids: Vec<(Kind, &str)> = Vec::new();
    ids.extend(
        set.agreements
            .iter()
            .map(|it| (Kind::Agreement, it.id.as_str())),
    );
    ids.extend(set.limits.iter().map(|it| (Kind::Limit, it.id.as_str())));
    ids.extend(set.origins.iter().map(|it| (Kind::Origin, it.id.as_str())));
    ids.extend(
        set.programmes
            .iter()
            .map(|it| (Kind::Programme, it.id.as_str())),
    );
    ids.extend(set.rules.iter().map(|it| (Kind::Rule, it.id.as_str())));
    ids.extend(
        set.standards
            .iter()
            .map(|it| (Kind::Standard, it.id.as_str())),
    );
    ids.sort_unstable();
    ids
}

/// Ids that stand twice.
pub(crate) fn faults(set: &RuleSet) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut check = |(zh, en): (&str, &str), entries: Vec<(String, Place)>| {
        findings.extend(repeated(set, (zh, en), entries));
    };
    macro_rules! entries {
        ($list:ident) => {
            set.$list
                .iter()
                .map(|it| (it.id.clone(), it.place))
                .collect()
        };
    }
    check(Kind::Agreement.names(), entries!(agreements));
    check(Kind::Limit.names(), entries!(limits));
    check(Kind::Origin.names(), entries!(origins));
    check(Kind::Programme.names(), entries!(programmes));
    check(("积分规则", "earning rule"), entries!(earning));
    check(("荣誉", "honour"), entries!(honours));
    let standards = set.standards.iter();
    let standards = standards.map(|it| (format!("{} {}", it.id, it.version), it.place));
    check(Kind::Standard.names(), standards.collect());
    let wholes = set.wholes.iter().map(|it| (it.whole.clone(), it.place));
    check(("整体", "whole"), wholes.collect());
    findings.extend(overlapping_rules(set));
    findings
}

fn repeated(
    set: &RuleSet,
    (zh, en): (&str, &str),
    mut entries: Vec<(String, Place)>,
) -> Vec<Finding> {
    entries.retain(|(id, _)| !id.is_empty());
    entries.sort();
    let pairs = entries.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let finding = |pair: &[(String, Place)]| {
        let (id, first) = (&pair[0].0, told(set, pair[0].1));
        let message = words!(
            "{zh} {id} 已在 {first}",
            "the {en} {id} stands at {first} already"
        );
        Finding::at(set, pair[1].1, Severity::Error, code::ID_REPEATED, message)
    };
    pairs.map(finding).collect()
}

/// Rules of one id are versions: their periods have no day in common.
fn overlapping_rules(set: &RuleSet) -> Vec<Finding> {
    let mut rules: Vec<_> = set
        .rules
        .iter()
        .filter(|rule| !rule.id.is_empty())
        .collect();
    rules.sort_by(|a, b| (&a.id, a.place).cmp(&(&b.id, b.place)));
    let mut findings = Vec::new();
    for versions in rules.chunk_by(|a, b| a.id == b.id) {
        for (index, rule) in versions.iter().enumerate() {
            let mut earlier = versions[..index].iter();
            let Some(other) = earlier.find(|it| it.effective.overlaps(&rule.effective)) else {
                continue;
            };
            let (id, first) = (&rule.id, told(set, other.place));
            let message = words!(
                "规则 {id} 与 {first} 的同名规则期间重叠；请以 effective 分开，或另取标识",
                "rule {id} has days in common with the rule of the same id at {first}; part their periods or give \
                 it another id"
            );
            findings.push(Finding::at(
                set,
                rule.place,
                Severity::Error,
                code::ID_REPEATED,
                message,
            ));
        }
    }
    findings
}
