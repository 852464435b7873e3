//! Rule documents on disk: the only place that opens them.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_rulebook::{DOCUMENT_BYTES_MAX, DOCUMENTS_MAX, Finding, Source};

/// Most bytes read of a file: line ends of another system may make it longer than what is published.
const FILE_BYTES_MAX: u64 = 4 * DOCUMENT_BYTES_MAX as u64;

/// The `.toml` files of a directory, in the order of their names, and what of them is no text. Other files and folders
/// in it are not part of the set.
pub(crate) fn load_directory(directory: &Path) -> Result<Result<Vec<Source>, Vec<Finding>>> {
    let mut names = Vec::new();
    let shown = directory.display();
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {shown}"))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {shown}"))?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{shown} holds a file whose name is not UTF-8");
        };
        // In capitals it is not left out without a word: its name is a fault.
        let is_document = name.to_lowercase().ends_with(".toml") && !name.starts_with('.');
        if is_document && entry.path().is_file() {
            names.push(name);
        }
        ensure!(
            names.len() <= DOCUMENTS_MAX,
            "{shown} holds more than {DOCUMENTS_MAX} documents"
        );
    }
    ensure!(!names.is_empty(), "{shown} holds no .toml document");
    names.sort();
    let (mut sources, mut findings) = (Vec::new(), Vec::new());
    for name in names {
        let path = directory.join(&name);
        let bytes = read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        match Source::from_file(name, &bytes) {
            Ok(source) => sources.push(source),
            Err(finding) => findings.push(finding),
        }
    }
    Ok(if findings.is_empty() {
        Ok(sources)
    } else {
        Err(findings)
    })
}

/// A file, or as much of it as shows that it is too long.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
