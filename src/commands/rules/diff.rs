//! `creditbank rules diff`: what changes between two sets, in words.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::Bank;
use creditbank_domain::rules::RuleSet;
use creditbank_rulebook::{Change, diff};
use serde_json::{Value, json};

use super::decisions::{Compared, compare};
use super::{Output, open, published, wording_json};
use crate::print;
use crate::rule_documents::load_directory;

pub(super) fn run(old: &Path, new: &Path, output: Output) -> Result<ExitCode> {
    let (Some(old), Some(new)) = (set(old, output)?, set(new, output)?) else {
        return Ok(ExitCode::FAILURE);
    };
    tell_all(&diff(&old, &new), None, output);
    Ok(ExitCode::SUCCESS)
}

/// Compares a directory with the version of its set that is in force at a bank and, if asked, with what the bank has
/// decided.
pub(super) async fn in_force(
    bank: &Bank,
    directory: &Path,
    decisions: bool,
    output: Output,
) -> Result<ExitCode> {
    let Some(new) = set(directory, output)? else {
        return Ok(ExitCode::FAILURE);
    };
    let old = published::in_force(bank, &new.id).await?;
    let changes = diff(&old, &new);
    let sources = load_directory(directory)?.unwrap_or_default();
    let compared = match decisions {
        true => Some(compare(bank, sources).await?),
        false => None,
    };
    tell_all(&changes, compared.as_ref(), output);
    Ok(ExitCode::SUCCESS)
}

fn tell_all(changes: &[Change], compared: Option<&Compared>, output: Output) {
    if output.json {
        let changes = changes.iter().map(change_json).collect::<Value>();
        return print::json(&match compared {
            Some(compared) => json!({ "changes": changes, "decisions": compared.json() }),
            None => changes,
        });
    }
    for change in changes {
        tell(change, output);
    }
    let count = changes.len();
    let back = changes.iter().filter(|change| change.reaches_back).count();
    print::out(&output.language.say(
        format!("{count} 处改动，其中 {back} 处涉及旧规则集已可作出决定的日子（标 !）"),
        format!("{count} changes, {back} of them for days that the old set decided (marked !)"),
    ));
    if let Some(compared) = compared {
        compared.tell(output);
    }
}

/// The set of a directory; where it has none, what is wrong is told.
fn set(directory: &Path, output: Output) -> Result<Option<RuleSet>> {
    Ok(match open(directory)? {
        Ok((set, _)) => Some(set),
        Err(findings) => {
            output.unreadable(directory, &findings);
            None
        }
    })
}

fn tell(change: &Change, output: Output) {
    let mark = if change.reaches_back { "!" } else { " " };
    let text = output.language.pick(&change.text);
    let at = match change.line {
        0 => String::new(),
        line => format!("  [{}:{line}]", change.document),
    };
    print::out(&format!("{mark} {text}{at}"));
}

fn change_json(change: &Change) -> Value {
    json!({
        "kind": change.kind.code(),
        "subject": change.subject,
        "id": change.id,
        "field": change.field,
        "text": wording_json(&change.text),
        "document": change.document,
        "line": change.line,
        "reaches_back": change.reaches_back,
    })
}
