//! The vocabulary reference is complete and true: it names every key that may stand anywhere, and all it shows is read.

mod base_set;

use std::collections::BTreeSet;

use base_set::{beside_base, read_beside_base, source};
use creditbank_domain::rules::Compiled;
use creditbank_rulebook::{CODES, Finding, Severity, check, examples, read, run};

const README: &str = include_str!("../../../deploy/rules/README.md");

/// A document with a key that nothing knows, for every table there is: the fault names the keys that are known.
const TABLES: &[&str] = &[
    "zzz = 1",
    "[set]\nzzz = 1",
    "[framework]\nzzz = 1",
    "[framework]\nlevels = [ { zzz = 1 } ]",
    "[process]\nzzz = 1",
    "[calendar]\nzzz = 1",
    "[set]\nrounding.zzz = 1",
    "[[origin]]\nzzz = 1",
    "[[origin]]\nselect.zzz = 1",
    "[[whole]]\nzzz = 1",
    "[[agreement]]\nzzz = 1",
    "[[agreement]]\nversions = [ { zzz = 1 } ]",
    "[[programme]]\nzzz = 1\nat_level.zzz = 1\nminimum = [ { zzz = 1 } ]\n[[programme.module]]\nzzz = 1\ncourses = [ { zzz = 1 } ]",
    "[[rule]]\nzzz = 1\nwhen.zzz = 1\ngrant = [ { zzz = 1 } ]\ngrade.zzz = 1\n[[rule.slot]]\nzzz = 1",
    "[[rule]]\ngrade.table = [ { zzz = 1 } ]",
    "[[limit]]\nzzz = 1\nmax.zzz = 1",
    "[[standard]]\nzzz = 1\nwalk.zzz = 1",
    "[[earning]]\nzzz = 1\nper_hours.zzz = 1",
    "[[honour]]\nzzz = 1",
    "[[example]]\nzzz = 1\nexpect = { zzz = 1, lines = [ { zzz = 1 } ], refused = [ { zzz = 1 } ], breaches = [ { zzz = 1 } ] }\n\
     before = [ { zzz = 1 } ]\nuses = [ { zzz = 1 } ]\noutcomes = [ { zzz = 1 } ]",
];

/// Tables that a set has once stand in the base set already, so these are read on their own.
fn faults(snippet: &str) -> Vec<Finding> {
    let alone = vec![source(
        "a.toml",
        &format!("document = {{ title = 't', zzz = 1 }}\n{snippet}"),
    )];
    let mut findings = examples(&alone).err().unwrap_or_default();
    findings.extend(read(alone).err().unwrap_or_default());
    findings
}

fn known_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for snippet in TABLES {
        for finding in faults(snippet).iter().filter(|it| it.code == "KEY_UNKNOWN") {
            let (_, list) = finding
                .message
                .en
                .split_once("known here are: ")
                .expect("a list");
            keys.extend(list.split(", ").map(str::to_owned));
        }
    }
    for category in creditbank_domain::Category::ALL {
        let code = category.code();
        let snippet = format!(
            "[[example]]\ntitle = 't'\ndate = '2026-01-01'\nexpect.points = 0\n\
             outcomes = [ {{ id = 1, name = 'n', completed_on = '2025-01-01', category = '{code}', zzz = 1 }} ]"
        );
        for finding in examples(&beside_base(&snippet)).expect_err("an unknown key") {
            if let Some((_, list)) = finding.message.en.split_once("known here are: ") {
                keys.extend(list.split(", ").map(str::to_owned));
            }
        }
    }
    keys
}

#[test]
fn every_key_is_in_the_reference() {
    let keys = known_keys();
    assert!(keys.len() > 140, "{}", keys.len());
    let stretches: BTreeSet<&str> = README
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .collect();
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !stretches.contains(key.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_code_is_in_the_reference() {
    let missing: Vec<_> = CODES
        .iter()
        .filter(|code| !README.contains(&format!("`{code}`")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Words of the closed lists, as far as the domain or the base set can name them.
#[test]
fn the_closed_lists_are_complete() {
    use creditbank_domain::outcome::{EvidenceKind, LearningStage, SkillLevel};
    let codes = creditbank_domain::Category::ALL.iter().map(|it| it.code());
    let codes = codes
        .chain(SkillLevel::ALL.iter().map(|it| it.code()))
        .chain(LearningStage::ALL.iter().map(|it| it.code()))
        .chain(EvidenceKind::ALL.iter().map(|it| it.code()))
        .chain(creditbank_domain::grade::Scale::all().map(|it| it.id()));
    for code in codes {
        assert!(README.contains(&format!("`{code}`")), "{code}");
    }
    let rule = "[[rule]]\nid = 'r'\ntitle = 't'\nselect = {}\nform = 'zzz'";
    let finding = &read_beside_base(rule).expect_err("no such form")[0];
    let (_, forms) = finding
        .message
        .en
        .split_once("it may be: ")
        .expect("a list");
    for form in forms.split(", ") {
        assert!(README.contains(&format!("| `{form}`")), "{form}");
    }
}

#[test]
fn what_it_shows_is_a_set_whose_examples_come_out() {
    let blocks = README
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"));
    let text: String = blocks.map(|(block, _)| block).collect();
    let sources = vec![source("readme.toml", &text)];
    let worked = examples(&sources).unwrap_or_else(|it| panic!("{it:#?}"));
    let set = read(sources).unwrap_or_else(|it| panic!("{it:#?}"));
    let errors: Vec<_> = check(&set, &worked);
    let mut errors = errors
        .into_iter()
        .filter(|it| it.severity == Severity::Error);
    assert_eq!(errors.next(), None);
    let compiled = Compiled::new(set);
    assert!(worked.len() >= 3);
    for example in &worked {
        let result = run(&compiled, example);
        assert!(result.is_passed(), "{:#?}", result.differences);
    }
}
