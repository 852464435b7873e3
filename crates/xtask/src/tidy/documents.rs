//! Documents that list things, held against the things.
//!
//! - crates/ARCHITECTURE.md has a section "Codemap". In it, a line that begins with a folder
//!   (`domain/`, behind any list mark, heading mark or backtick) opens that crate's entry. The entry
//!   names every module of the crate, as a file (`credit.rs`) or by a folder above it
//!   (`identifier/`), and names none that is not there.
//! - README.md names every command of src/commands as `creditbank COMMAND` in code, and no other.
//! - Every column family has its place in crates/ARCHITECTURE.md. That every refusal has its texts is the compiler's
//!   business: the table in crates/wire is matched without a wildcard.

use std::collections::BTreeSet;

use super::{Finding, Source, Tree};

const ARCHITECTURE: &str = "crates/ARCHITECTURE.md";
const README: &str = "README.md";
const KEYS: &str = "crates/store/src/keys.rs";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    [codemap(tree), commands(tree), column_families(tree)].concat()
}

/// The codemap names every crate and module, and no other.
fn codemap(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.file(ARCHITECTURE) else {
        return vec![Finding::at(
            ARCHITECTURE,
            1,
            "is missing",
            "write the codemap",
        )];
    };
    let crates: BTreeSet<&str> = tree
        .below("crates/")
        .filter_map(|(path, _)| Some(path.split_once('/')?.0))
        .collect();
    let entries = entries(document, &crates);
    let unnamed = crates
        .iter()
        .filter(|name| !entries.iter().any(|entry| entry.name == **name));
    let unnamed = unnamed.map(|name| {
        let what = format!("the codemap has no entry for {name}/");
        Finding::at(
            ARCHITECTURE,
            1,
            what,
            "begin a line of the section Codemap with the folder",
        )
    });
    unnamed
        .chain(entries.iter().flat_map(|entry| modules(tree, entry)))
        .collect()
}

/// What the codemap says of one folder.
struct Entry<'a> {
    name: &'a str,
    line: usize,
    /// Every word that can name a file or folder, with its line.
    words: Vec<(usize, &'a str)>,
}

fn entries<'a>(document: &'a Source, crates: &BTreeSet<&str>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut level = None;
    for (number, line) in (1..).zip(document.text.lines()) {
        let marks = line.len() - line.trim_start_matches('#').len();
        match level {
            None if marks > 0 && line.contains("Codemap") => level = Some(marks),
            Some(section) if marks > 0 && marks <= section => break,
            Some(_) => {
                let opening = line.trim_start_matches(|c: char| " #-*|`".contains(c));
                let folder = opening
                    .trim_start_matches("crates/")
                    .split_once('/')
                    .map(|(name, _)| name);
                if let Some(name) = folder.filter(|name| crates.contains(name) || *name == "src") {
                    entries.push(Entry {
                        name,
                        line: number,
                        words: Vec::new(),
                    });
                }
                let is_path = |c: char| c.is_ascii_alphanumeric() || "_/.-".contains(c);
                let words = line
                    .split(|c| !is_path(c))
                    .map(|word| word.trim_end_matches('.'));
                if let Some(entry) = entries.last_mut() {
                    entry.words.extend(words.map(|word| (number, word)));
                }
            }
            None => {}
        }
    }
    entries
}

fn modules(tree: &Tree, entry: &Entry) -> Vec<Finding> {
    let folder = if entry.name == "src" {
        "src/".to_owned()
    } else {
        format!("crates/{}/src/", entry.name)
    };
    let is_module = |path: &&str| {
        let file = path.rsplit('/').next().unwrap_or(path);
        file.ends_with(".rs") && !["lib.rs", "main.rs", "mod.rs"].contains(&file)
    };
    let modules: Vec<&str> = tree
        .below(&folder)
        .map(|(path, _)| path)
        .filter(is_module)
        .collect();
    let unnamed = modules
        .iter()
        .filter(|path| !entry.words.iter().any(|(_, word)| names(word, path)));
    let unnamed = unnamed.map(|path| {
        let what = format!("the entry {}/ does not name {path}", entry.name);
        Finding::at(
            ARCHITECTURE,
            entry.line,
            what,
            "say in a few words what it is for",
        )
    });
    let files = entry.words.iter().filter(|(_, word)| is_module(word));
    let stale = files.filter(|(_, word)| !modules.iter().any(|path| names(word, path)));
    let stale = stale.map(|(line, word)| {
        let what = format!("names {word}, which is not in {}/", entry.name);
        Finding::at(ARCHITECTURE, *line, what, "name what is there")
    });
    unnamed.chain(stale).collect()
}

/// Whether the word is the path, its end from some folder on, or a folder above it (with its slash).
fn names(word: &str, path: &str) -> bool {
    let is_folder = word.ends_with('/') && format!("/{path}").contains(&format!("/{word}"));
    is_folder || (!word.is_empty() && format!("/{path}").ends_with(&format!("/{word}")))
}

/// README and src/commands agree.
fn commands(tree: &Tree) -> Vec<Finding> {
    let Some(readme) = tree.file(README) else {
        return vec![Finding::at(README, 1, "is missing", "write it")];
    };
    let stem = |path: &str| {
        path.split('/')
            .next()
            .unwrap_or(path)
            .trim_end_matches(".rs")
            .replace('_', "-")
    };
    let real: BTreeSet<String> = tree
        .below("src/commands/")
        .map(|(path, _)| stem(path))
        .filter(|name| name != "mod")
        .collect();
    let told = commands_told(&readme.text);
    let missing = real
        .iter()
        .filter(|name| !told.iter().any(|(_, told)| told == *name));
    let missing = missing.map(|name| {
        Finding::at(
            README,
            1,
            format!("does not name `creditbank {name}`"),
            "add it to the list of commands",
        )
    });
    let stale = told
        .iter()
        .filter(|(_, name)| !real.contains(*name))
        .map(|(line, name)| {
            Finding::at(
                README,
                *line,
                format!("names `creditbank {name}`, which is not in src/commands"),
                "name what is there",
            )
        });
    missing.chain(stale).collect()
}

/// The words behind `creditbank` in blocks and spans of code, with their lines.
fn commands_told(text: &str) -> Vec<(usize, &str)> {
    let mut told = Vec::new();
    let mut in_block = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        // Every second piece between backticks is code.
        let (skip, step) = if in_block { (0, 1) } else { (1, 2) };
        for code in line.split('`').skip(skip).step_by(step) {
            let words: Vec<&str> = code.split_whitespace().collect();
            let calls = words
                .windows(2)
                .filter(|pair| pair[0] == "creditbank" || pair[0].ends_with("/creditbank"));
            let is_command = |word: &&str| {
                word.starts_with(|c: char| c.is_ascii_lowercase())
                    && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            };
            told.extend(
                calls
                    .map(|pair| pair[1])
                    .filter(is_command)
                    .map(|name| (number, name)),
            );
        }
    }
    told
}

/// Every column family has its place in the architecture.
fn column_families(tree: &Tree) -> Vec<Finding> {
    let (Some(keys), Some(document)) = (tree.file(KEYS), tree.file(ARCHITECTURE)) else {
        return vec![Finding::at(
            KEYS,
            1,
            "is missing, or the architecture is",
            "tell tidy where the key table is",
        )];
    };
    let families: Vec<(usize, &str)> = (1..)
        .zip(keys.text.lines())
        .filter(|(_, line)| line.contains(": &str = \""))
        .filter_map(|(number, line)| Some((number, line.split('"').nth(1)?)))
        .collect();
    if families.is_empty() {
        return vec![Finding::at(
            KEYS,
            1,
            "has no `const NAME: &str = \"family\"`",
            "tell tidy the new form",
        )];
    }
    let untold = families
        .iter()
        .filter(|(_, name)| !document.text.contains(&format!("`{name}`")));
    untold
        .map(|(line, name)| {
            let what = format!("the column family `{name}` is not in {ARCHITECTURE}");
            Finding::at(KEYS, *line, what, "say there what it holds and how long")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::told;

    #[test]
    fn the_codemap_and_the_crates_agree() {
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
        let document =
            "# A\n## Codemap\n- `domain/`: `credit.rs`, `identifier/`\n## Next\n`gone.rs`";
        let credit = ("crates/domain/src/credit.rs", "");
        let region = ("crates/domain/src/identifier/region.rs", "");
        let cases: &[Case] = &[
            (document, &[credit, region], &[]),
            (
                document,
                &[region],
                &["crates/ARCHITECTURE.md:3: names credit.rs, which is not in domain/"],
            ),
            (
                document,
                &[credit, region, ("crates/domain/src/grade.rs", "")],
                &["crates/ARCHITECTURE.md:3: the entry domain/ does not name grade.rs"],
            ),
            (
                document,
                &[credit, region, ("crates/merkle/src/lib.rs", "")],
                &["crates/ARCHITECTURE.md:1: the codemap has no entry for merkle/"],
            ),
            (
                "no such section",
                &[credit],
                &["crates/ARCHITECTURE.md:1: the codemap has no entry for domain/"],
            ),
        ];
        for (document, files, expected) in cases {
            let files = [&[(ARCHITECTURE, *document)], *files].concat();
            assert_eq!(
                told(&codemap(&Tree::of(&files))),
                *expected,
                "{document} {files:?}"
            );
        }
        assert_eq!(
            codemap(&Tree::of(&[])).len(),
            1,
            "a missing document is found"
        );
    }

    #[test]
    fn the_readme_and_the_commands_agree() {
        let import = ("src/commands/import.rs", "");
        let module = ("src/commands/mod.rs", "");
        let cases: &[(&str, &[&str])] = &[
            ("run `creditbank import FILE` or creditbank serve", &[]),
            ("```\n./target/debug/creditbank import x\n```", &[]),
            (
                "`creditbank --help`",
                &["README.md:1: does not name `creditbank import`"],
            ),
            (
                "`creditbank import`\n```sh\ncreditbank export\n```",
                &["README.md:3: names `creditbank export`, which is not in src/commands"],
            ),
        ];
        for (text, expected) in cases {
            let tree = Tree::of(&[(README, text), import, module]);
            assert_eq!(told(&commands(&tree)), *expected, "{text}");
        }
    }

    #[test]
    fn every_column_family_is_in_the_architecture() {
        let keys = "//! x\npub const LEAVES: &str = \"leaves\";";
        let cases: &[(&str, &str, &[&str])] = &[
            (keys, "| `leaves` | for ever |", &[]),
            (
                keys,
                "leaves, but not as code",
                &[
                    "crates/store/src/keys.rs:2: the column family `leaves` is not in crates/ARCHITECTURE.md",
                ],
            ),
            (
                "",
                "",
                &["crates/store/src/keys.rs:1: has no `const NAME: &str = \"family\"`"],
            ),
        ];
        for (keys, document, expected) in cases {
            let tree = Tree::of(&[(KEYS, keys), (ARCHITECTURE, document)]);
            assert_eq!(told(&column_families(&tree)), *expected, "{document}");
        }
    }
}
