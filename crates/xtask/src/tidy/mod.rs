//! What the compiler cannot see: arrows between crates, the shape of the tree, documents that list
//! things.
//!
//! Each check is a pure function from the files and packages to findings. A finding names the file,
//! the line, what is wrong and what to do. A check with nothing to check is a finding too: it has
//! lost its subject.

mod arrows;
mod documents;
mod tree;
mod words;

use std::fmt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, machine};

/// A text file of the repository.
struct Source {
    /// Relative to the root, with forward slashes.
    path: String,
    text: String,
}

/// Everything that git tracks or would track.
struct Tree {
    files: Vec<Source>,
}

/// Something to put right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    what: String,
    remedy: &'static str,
}

/// Runs every check; fails after printing all that was found.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let packages = arrows::packages(&metadata()?)?;
    let mut findings = [
        arrows::check(&packages),
        tree::check(&tree),
        documents::check(&tree),
        words::check(&tree),
    ]
    .concat();
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!(
            "tidy: {} files, {} packages, nothing found.",
            tree.files.len(),
            packages.len()
        ),
        count => bail!("tidy found {count} to put right"),
    }
    Ok(())
}

fn metadata() -> Result<serde_json::Value> {
    let mut command = cargo::bare();
    let output = command
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}

impl Tree {
    /// Asks git for the files, those not yet added included; binary files are left out.
    fn read() -> Result<Self> {
        let list = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ];
        let output = Command::new("git")
            .args(list)
            .current_dir(machine::root())
            .output();
        let output = output.context("tidy asks git for the files of the repository")?;
        if !output.status.success() {
            bail!(
                "git ls-files failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let paths = String::from_utf8(output.stdout).context("a path is not UTF-8")?;
        let read = |path: &str| {
            let text = std::fs::read_to_string(machine::root().join(path)).ok()?;
            Some(Source {
                path: path.to_owned(),
                text,
            })
        };
        Ok(Self {
            files: paths.split_terminator('\0').filter_map(read).collect(),
        })
    }

    fn file(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files below a folder (given with its final slash), their paths relative to it.
    fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Source)> {
        self.files
            .iter()
            .filter_map(move |file| Some((file.path.strip_prefix(folder)?, file)))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let source = |&(path, text): &(&str, &str)| Source {
            path: path.into(),
            text: text.into(),
        };
        Self {
            files: files.iter().map(source).collect(),
        }
    }
}

impl Finding {
    /// At a line, counted from 1.
    fn at(path: &str, line: usize, what: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            path: path.into(),
            line,
            what: what.into(),
            remedy,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}; {}",
            self.path, self.line, self.what, self.remedy
        )
    }
}

/// What was found, as `path:line: what`, for tables of cases.
#[cfg(test)]
fn told(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|found| format!("{}:{}: {}", found.path, found.line, found.what))
        .collect()
}
