//! `creditbank rules publish`: a set becomes part of the log.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_client::{Bank, Line};
use creditbank_wire::v1;
use serde_json::json;

use super::Output;
use super::published::set_json;
use crate::print;
use crate::rule_documents::load_directory;

pub(super) async fn run(
    bank: &Bank,
    directory: &Path,
    validate_only: bool,
    output: Output,
) -> Result<ExitCode> {
    let sources = match load_directory(directory)? {
        Ok(sources) => sources,
        Err(findings) => {
            output.unreadable(directory, &findings);
            return Ok(ExitCode::FAILURE);
        }
    };
    let documents = sources.into_iter().map(|source| v1::RuleFile {
        name: source.name,
        text: source.text,
    });
    let request = v1::PublishRuleSetRequest {
        documents: documents.collect(),
        validate_only,
    };
    let send = |line: Line, it| async move { line.rules().publish_rule_set(it).await };
    let set = bank.call(request, send).await?;
    if output.json {
        let mut json = set_json(&set);
        json["validate_only"] = json!(validate_only);
        print::json(&json);
        return Ok(ExitCode::SUCCESS);
    }
    let (id, version, hash) = (&set.set_id, &set.version, print::hex(&set.hash));
    let place = print::or_dash(set.published_at);
    print::out(&match validate_only {
        true => output.language.say(
            format!("{id} {version} 可以公布，哈希 {hash}；未写入"),
            format!("{id} {version} could be published as {hash}; nothing was written"),
        ),
        false => output.language.say(
            format!("{id} {version} 已公布，哈希 {hash}，第 {place} 条"),
            format!("{id} {version} is published as {hash}, leaf {place}"),
        ),
    });
    Ok(ExitCode::SUCCESS)
}
