//! Reading backups through: every file that any of them needs, against its hash.

use std::collections::BTreeMap;

use anyhow::Result;

use super::manifest::{FileEntry, Manifest, names};
use super::target::{Digest, Target};

/// What was read.
#[derive(Default)]
pub(crate) struct Verified {
    pub(crate) backups: usize,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// What is not as it should be.
    pub(crate) findings: Vec<String>,
}

/// Reads everything at a target. A file that many backups share is read once.
pub(crate) async fn verify(target: &Target) -> Result<Verified> {
    let mut verified = Verified::default();
    let mut expected: BTreeMap<String, (Digest, String)> = BTreeMap::new();
    let names = names(target).await?;
    for (number, name) in names.iter().enumerate() {
        let manifest = match Manifest::read(target, name).await {
            Ok(manifest) => manifest,
            Err(error) => {
                verified.findings.push(format!("{error:#}"));
                continue;
            }
        };
        verified.backups += 1;
        let files = manifest.files.iter();
        let mut files: Vec<_> = files
            .map(|it| (FileEntry::place(it), it.digest()))
            .collect();
        if number + 1 == names.len() {
            files.push((manifest.keys.place(), manifest.keys.digest()));
        }
        for (place, digest) in files {
            expected.entry(place).or_insert((digest, name.clone()));
        }
    }
    if names.is_empty() {
        verified.findings.push("there is no backup".to_owned());
    }
    for (place, (digest, name)) in expected {
        match target.digest(&place).await? {
            None => verified
                .findings
                .push(format!("{place} is missing; {name} needs it")),
            Some(found) if found != digest => verified.findings.push(format!(
                "{place} is damaged, and {name} cannot be restored; remove it, and the next backup writes it again, if the bank \
                 still has it"
            )),
            Some(found) => {
                verified.files += 1;
                verified.bytes += found.bytes;
            }
        }
    }
    Ok(verified)
}
