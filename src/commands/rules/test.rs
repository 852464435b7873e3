//! `creditbank rules test`: the worked examples of sets.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use creditbank_domain::rules::{Compiled, explain as explain_decision};
use creditbank_rulebook::{Example, ExampleResult, decision_json, run as run_example};
use serde_json::{Value, json};

use super::{Language, Output, exit, finding_json, open, wording_json};
use crate::print;

pub(super) fn run(directories: &[PathBuf], explain: bool, output: Output) -> Result<ExitCode> {
    let mut is_good = true;
    let mut reports = Vec::new();
    for directory in directories {
        let (set, examples) = match open(directory)? {
            Ok((set, examples)) => (Compiled::new(set), examples),
            Err(findings) => {
                is_good = false;
                if output.json {
                    reports.push(json!({
                        "directory": directory.display().to_string(),
                        "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
                    }));
                } else {
                    output.findings(directory, &findings);
                }
                continue;
            }
        };
        let results: Vec<ExampleResult> = examples
            .iter()
            .map(|example| run_example(&set, example))
            .collect();
        let passed = results.iter().filter(|result| result.is_passed()).count();
        is_good &= passed == results.len();
        let pairs = || examples.iter().zip(&results);
        if output.json {
            reports.push(json!({
                "directory": directory.display().to_string(),
                "passed": passed,
                "examples": pairs().map(|(it, result)| example_json(&set, it, result)).collect::<Vec<_>>(),
            }));
            continue;
        }
        for (example, result) in pairs() {
            tell(directory, result, output);
            if explain {
                tell_decision(&set, example, result, output);
            }
        }
        let (shown, count) = (directory.display(), results.len());
        print::out(&output.language.say(
            format!("{shown}：{count} 个例子，{passed} 个通过"),
            format!("{shown}: {passed} of {count} examples passed"),
        ));
    }
    if output.json {
        print::json(&Value::Array(reports));
    }
    Ok(exit(is_good))
}

/// Tells an example that failed, and what differs.
fn tell(directory: &Path, result: &ExampleResult, output: Output) {
    if result.is_passed() {
        return;
    }
    let at = directory.join(&result.document);
    let title = output.language.pick(&result.title);
    let failed = output
        .language
        .say("未通过".to_owned(), "failed".to_owned());
    print::out(&format!(
        "{}:{}: {failed}: {title}",
        at.display(),
        result.line
    ));
    for difference in &result.differences {
        print::out(&format!("    {}", output.language.pick(difference)));
    }
}

/// Tells what was decided and why.
fn tell_decision(set: &Compiled, example: &Example, result: &ExampleResult, output: Output) {
    let Some(decision) = &result.decision else {
        return;
    };
    let language = match output.language {
        Language::Zh => creditbank_domain::rules::Language::Chinese,
        Language::En => creditbank_domain::rules::Language::English,
    };
    print::out(output.language.pick(&result.title));
    for sentence in explain_decision(set, decision, &example.held, language) {
        print::out(&format!("    {sentence}"));
    }
}

fn example_json(set: &Compiled, example: &Example, result: &ExampleResult) -> Value {
    let decision = result.decision.as_ref();
    json!({
        "title": wording_json(&result.title),
        "document": result.document,
        "line": result.line,
        "passed": result.is_passed(),
        "differences": result.differences.iter().map(wording_json).collect::<Vec<_>>(),
        "decision": decision.map(|decision| decision_json(set, decision, &example.held)),
    })
}
