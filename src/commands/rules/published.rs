//! `creditbank rules list` and `rules show`: what a bank has published.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use creditbank_client::{Bank, Line};
use creditbank_domain::rules::RuleSet;
use creditbank_domain::standard::Standard;
use creditbank_rulebook::Source;
use creditbank_wire::v1;
use serde_json::{Value, json};

use super::Output;
use crate::print;
use crate::recognition::{read_set, rule_set};

/// Most sets a page.
const PAGE: u32 = 1_000;

/// Prints all sets, newest first.
pub(super) async fn list(bank: &Bank, set_id: &str, output: Output) -> Result<ExitCode> {
    let mut request = v1::ListRuleSetsRequest {
        set_id: set_id.to_owned(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut sets = Vec::new();
    loop {
        let send = |line: Line, it| async move { line.rules().list_rule_sets(it).await };
        let page = bank.call(request.clone(), send).await?;
        sets.extend(page.rule_sets);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    if output.json {
        print::json(&sets.iter().map(set_json).collect());
        return Ok(ExitCode::SUCCESS);
    }
    let row = |set: &v1::RuleSet| {
        [
            set.set_id.clone(),
            set.version.clone(),
            title(set, output),
            period(set),
            print::or_dash(set.published_at),
            print::hex(&set.hash),
        ]
    };
    print::table(
        ["set", "version", "title", "days", "leaf", "hash"],
        &sets.iter().map(row).collect::<Vec<_>>(),
    );
    Ok(ExitCode::SUCCESS)
}

/// Prints one set, or writes its documents into a directory, byte for byte as they were published.
pub(super) async fn show(
    bank: &Bank,
    name: &str,
    date: &str,
    directory: Option<&Path>,
    output: Output,
) -> Result<ExitCode> {
    let set = rule_set(bank, name, date).await?;
    let (sources, said) = read_set(&set)?;
    if let Some(directory) = directory {
        write(&sources, directory)?;
    }
    if output.json {
        let mut json = set_json(&set);
        let names: Vec<_> = sources.iter().map(|it| it.name.as_str()).collect();
        json["documents"] = json!(names);
        json["standards"] = json!(said.standards.iter().map(standard).collect::<Vec<_>>());
        print::json(&json);
        return Ok(ExitCode::SUCCESS);
    }
    for (name, text) in [
        ("set", set.set_id.clone()),
        ("version", set.version.clone()),
        ("title", title(&set, output)),
        ("days", period(&set)),
        ("hash", print::hex(&set.hash)),
        (
            "published",
            format!("leaf {}", print::or_dash(set.published_at)),
        ),
    ] {
        print::out(&format!("{name:<11}{text}"));
    }
    for it in &said.programmes {
        let title = output.language.pick(&it.title);
        print::out(&format!("programme  {}  {title}", it.id));
    }
    for it in &said.standards {
        let title = output.language.pick(&it.title);
        print::out(&format!("standard   {}  {title}", standard(it)));
    }
    for it in &sources {
        print::out(&format!("document   {}  {} bytes", it.name, it.text.len()));
    }
    Ok(ExitCode::SUCCESS)
}

/// A published set as it is read, for a comparison; by id the version in force today.
pub(super) async fn in_force(bank: &Bank, name: &str) -> Result<RuleSet> {
    Ok(read_set(&rule_set(bank, name, "").await?)?.1)
}

/// A set as JSON, without its documents.
pub(super) fn set_json(set: &v1::RuleSet) -> Value {
    json!({
        "set": set.set_id,
        "version": set.version,
        "title": { "zh": set.title_zh, "en": set.title_en },
        "effective_from": set.effective_from,
        "effective_to": set.effective_to,
        "published_at": set.published_at,
        "hash": print::hex(&set.hash),
        "programmes": set.programmes,
    })
}

fn standard(it: &Standard) -> String {
    format!("{} {}", it.id, it.version)
}

fn write(sources: &[Source], directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    for source in sources {
        let path = directory.join(&source.name);
        std::fs::write(&path, &source.text)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn title(set: &v1::RuleSet, output: Output) -> String {
    output
        .language
        .say(set.title_zh.clone(), set.title_en.clone())
}

fn period(set: &v1::RuleSet) -> String {
    match (set.effective_from.as_str(), set.effective_to.as_str()) {
        ("", "") => "all".to_owned(),
        (from, to) => format!("{from} – {to}").trim_end().to_owned(),
    }
}
