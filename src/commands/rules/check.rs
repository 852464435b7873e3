//! `creditbank rules check`: everything that is wrong with sets, or worth a look.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_domain::rules::RuleSet;
use creditbank_rulebook::check;
use serde_json::{Value, json};

use super::{Output, errors, exit, finding_json, open};
use crate::print;

pub(super) fn run(directories: &[PathBuf], output: Output) -> Result<ExitCode> {
    let mut is_good = true;
    let mut reports = Vec::new();
    for directory in directories {
        let (set, findings) = match open(directory)? {
            Ok((set, examples)) => {
                let findings = check(&set, &examples);
                (Some(set), findings)
            }
            Err(findings) => (None, findings),
        };
        let errors = errors(&findings);
        is_good &= errors == 0;
        if output.json {
            reports.push(json!({
                "directory": directory.display().to_string(),
                "set": set.as_ref().map(set_json),
                "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
            }));
            continue;
        }
        output.findings(directory, &findings);
        let warnings = findings.len() - errors;
        let shown = directory.display();
        let parts = set
            .as_ref()
            .map_or_else(String::new, |set| parts(set, output));
        print::out(&output.language.say(
            format!("{shown}：{parts}{errors} 个错误，{warnings} 个提醒"),
            format!("{shown}: {parts}{errors} errors, {warnings} warnings"),
        ));
    }
    if output.json {
        print::json(&Value::Array(reports));
    }
    Ok(exit(is_good))
}

/// What a set has, before the counts of what is wrong with it.
fn parts(set: &RuleSet, output: Output) -> String {
    let (id, version) = (&set.id, &set.version);
    let (rules, limits) = (set.rules.len(), set.limits.len());
    let (programmes, standards) = (set.programmes.len(), set.standards.len());
    output.language.say(
        format!(
            "{id} {version}，规则 {rules}，限额 {limits}，专业教学计划 {programmes}，单元标准 {standards}；"
        ),
        format!(
            "{id} {version}, {rules} rules, {limits} limits, {programmes} programmes, {standards} standards; "
        ),
    )
}

fn set_json(set: &RuleSet) -> Value {
    json!({
        "id": set.id,
        "version": set.version,
        "hash": print::hex(&set.hash),
        "rules": set.rules.len(),
        "limits": set.limits.len(),
        "programmes": set.programmes.len(),
        "standards": set.standards.len(),
    })
}
