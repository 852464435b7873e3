//! `creditbank rules hash`: what a set is published under.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use creditbank_rulebook::manifest;
use serde_json::{Value, json};

use super::Output;
use crate::print;
use crate::rule_documents::load_directory;

pub(super) fn run(directory: &Path, output: Output) -> Result<ExitCode> {
    let sources = match load_directory(directory)? {
        Ok(sources) => sources,
        Err(findings) => {
            output.unreadable(directory, &findings);
            return Ok(ExitCode::FAILURE);
        }
    };
    let manifest = manifest(&sources);
    let hash = print::hex(&manifest.hash());
    if output.json {
        let document = |(name, digest): &(String, [u8; 32])| json!({ "name": name, "sha256": print::hex(digest) });
        let documents: Value = manifest.documents.iter().map(document).collect();
        print::json(&json!({ "hash": hash, "documents": documents }));
        return Ok(ExitCode::SUCCESS);
    }
    print::out(&hash);
    for (name, digest) in &manifest.documents {
        print::out(&format!("{}  {name}", print::hex(digest)));
    }
    Ok(ExitCode::SUCCESS)
}
