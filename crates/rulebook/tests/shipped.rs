//! The rule sets that are shipped in `deploy/rules`: they read without errors, every worked example comes out as it is
//! written, every rule is seen to grant and to refuse, every limit to bite, and all 27 cases of the field are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use creditbank_domain::rules::{Compiled, RuleSet};
use creditbank_rulebook::{Example, Source, check, examples, read, run};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rules");
/// The cases of the field, R01 to R27.
const CASES: std::ops::RangeInclusive<u8> = 1..=27;

/// A shipped set.
struct Shipped {
    name: String,
    sources: Vec<Source>,
}

impl Shipped {
    fn set(&self) -> RuleSet {
        read(self.sources.clone()).unwrap_or_else(|findings| panic!("{}: {findings:#?}", self.name))
    }

    fn examples(&self) -> Vec<Example> {
        examples(&self.sources).unwrap_or_else(|findings| panic!("{}: {findings:#?}", self.name))
    }
}

fn shipped() -> Vec<Shipped> {
    let directories = entries(Path::new(DIRECTORY)).into_iter();
    let mut sets: Vec<Shipped> = directories
        .filter(|(_, path)| path.is_dir())
        .map(|(name, directory)| Shipped {
            name,
            sources: documents(&directory),
        })
        .collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    sets
}

fn documents(directory: &Path) -> Vec<Source> {
    let read = |(name, path): (String, std::path::PathBuf)| {
        Source::from_file(name, &fs::read(path).unwrap()).unwrap()
    };
    entries(directory).into_iter().map(read).collect()
}

fn entries(directory: &Path) -> Vec<(String, std::path::PathBuf)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect()
}

#[test]
fn every_set_reads_and_nothing_is_found_wrong_with_it() {
    let sets = shipped();
    let names: Vec<&str> = sets.iter().map(|it| it.name.as_str()).collect();
    let expected = [
        "certificates",
        "delta",
        "elder-and-community",
        "korea-acbs",
        "shanghai-open",
    ];
    assert_eq!(names, expected);
    for shipped in &sets {
        let set = shipped.set();
        assert_eq!(set.id, shipped.name, "a set is named like its directory");
        let findings = check(&set, &shipped.examples());
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(findings, [""; 0], "{}", shipped.name);
    }
}

#[test]
fn every_worked_example_comes_out_as_it_is_written() {
    let mut failures = Vec::new();
    for shipped in shipped() {
        let set = Compiled::new(shipped.set());
        for example in shipped.examples() {
            let result = run(&set, &example);
            let place = format!("{}/{}:{}", shipped.name, result.document, result.line);
            let differences = result.differences.iter();
            failures.extend(differences.map(|it| format!("{place}: {} / {}", it.zh, it.en)));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_case_of_the_field_has_a_worked_example() {
    let titles: Vec<String> = shipped()
        .iter()
        .flat_map(Shipped::examples)
        .map(|it| it.title.zh)
        .collect();
    for case in CASES {
        let id = format!("R{case:02}");
        let is_shown = titles.iter().any(|title| title.contains(&id));
        assert!(is_shown, "no example of {id}");
    }
}

#[test]
fn every_rule_is_seen_to_grant_and_to_refuse_and_every_limit_to_bite() {
    for shipped in shipped() {
        let (set, examples) = (shipped.set(), shipped.examples());
        let expects = || examples.iter().map(|it| &it.expect);
        let lines = expects().flat_map(|it| it.lines.iter().flatten());
        let refused = expects().flat_map(|it| it.refused.iter().flatten());
        let rules = || set.rules.iter().map(|it| it.id.as_str());
        let limits = set.limits.iter().map(|it| it.id.as_str());
        let unseen = [
            unseen(rules(), lines.map(|it| it.rule.as_str())),
            unseen(rules(), refused.map(|it| it.rule.as_str())),
            unseen(limits, expects().filter_map(|it| it.limit.as_deref())),
        ];
        assert_eq!(unseen, [const { BTreeSet::new() }; 3], "{}", shipped.name);
    }
}

/// What is there and not seen.
fn unseen<'a>(
    all: impl Iterator<Item = &'a str>,
    seen: impl Iterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    let seen: BTreeSet<&str> = seen.collect();
    all.filter(|id| !seen.contains(id)).collect()
}

#[test]
fn everything_names_where_it_comes_from() {
    for shipped in shipped() {
        let set = shipped.set();
        let name = &shipped.name;
        for document in &set.documents {
            assert!(!document.source.is_empty(), "{name}/{}", document.name);
        }
        let rules = set.rules.iter().map(|it| (&it.id, &it.clause));
        let limits = set.limits.iter().map(|it| (&it.id, &it.clause));
        let standards = set.standards.iter().map(|it| (&it.id, &it.clause));
        let programmes = set.programmes.iter().map(|it| (&it.id, &it.clause));
        let earning = set.earning.iter().map(|it| (&it.id, &it.clause));
        let honours = set.honours.iter().map(|it| (&it.id, &it.clause));
        let others = standards.chain(programmes).chain(earning).chain(honours);
        for (id, clause) in rules.chain(limits).chain(others) {
            assert!(!clause.is_empty(), "{name}: {id} cites nothing");
        }
    }
}
