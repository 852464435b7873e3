//! The base set and documents beside it.

#![allow(dead_code, reason = "each test uses what it needs")]

use creditbank_domain::rules::RuleSet;
use creditbank_rulebook::{Finding, Source, read};

/// What makes a snippet a document, on a line of its own.
const HEAD: &str = "document = { title = 't', source = 's' }\n";

/// The base set's document.
pub(crate) fn base() -> Source {
    source("base.toml", include_str!("../documents/base.toml"))
}

/// A document.
pub(crate) fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

/// The base set and a document with the snippet.
pub(crate) fn beside_base(snippet: &str) -> Vec<Source> {
    vec![base(), source("more.toml", &format!("{HEAD}{snippet}"))]
}

/// Reads them.
pub(crate) fn read_beside_base(snippet: &str) -> Result<RuleSet, Vec<Finding>> {
    read(beside_base(snippet))
}

/// Codes and lines, counted in the snippet, of what is wrong with it.
pub(crate) fn findings(snippet: &str) -> Vec<(&'static str, u32)> {
    let found = read_beside_base(snippet).err().unwrap_or_default();
    found
        .iter()
        .map(|finding| (finding.code, line_in_snippet(finding)))
        .collect()
}

/// The line of a finding counted in the snippet.
pub(crate) fn line_in_snippet(finding: &Finding) -> u32 {
    match finding.document.as_str() {
        "more.toml" => finding.line - 1,
        _ => finding.line,
    }
}
