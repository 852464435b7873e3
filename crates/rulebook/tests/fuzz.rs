//! Whatever stands in a document, reading ends with a set or with faults that have a line of it.

mod base_set;

use base_set::{base, source};
use creditbank_domain::rules::Compiled;
use creditbank_rulebook::{Finding, Source, check, diff, examples, read, run};
use proptest::prelude::*;

/// A document whose every kind of line is worth mutating.
const EXAMPLES: &str = "[[example]]\ntitle = 't'\nprogramme = 'nursing'\ndate = '2026-06-30'\noutcomes = [\n\
    { id = 1, category = 'degree-course', name = '高等数学', credits = '6', grade = '80', completed_on = '2024-07-01' },\n\
    { id = 2, category = 'elder-course', name = '国画', hours = '32', planned = 16, attended = 16, completed_on = '2025-06-20' },\n]\n\
    expect = { credits = '8', lines = [ { rule = 'same-course', to = 'course:0002' }, { rule = 'elder-hours', to = 'module:electives' } ] }\n\
    [[limit]]\nid = 'other'\ntitle = 't'\nselect.category = 'degree-course'\nsubject = 'other'\nper = ['achievement', 'semester:03-01']\n\
    max = { outcomes = 1 }\n";

fn whole() -> String {
    base().text + "\n" + EXAMPLES
}

/// Reads and uses a document in every way; panics are found by being there.
fn survive(text: &str) {
    let sources = vec![source("base.toml", text)];
    let lines = 1 + text.matches('\n').count();
    let is_inside = |finding: &Finding| {
        let line = finding.line as usize;
        finding.document.is_empty() && line == 0 || (1..=lines).contains(&line)
    };
    let worked = examples(&sources);
    match (read(sources), worked) {
        (Ok(set), Ok(worked)) => {
            assert!(check(&set, &worked).iter().all(is_inside));
            assert_eq!(diff(&set, &set), []);
            let compiled = Compiled::new(set);
            for example in worked.iter().take(4) {
                let _ = run(&compiled, example);
            }
        }
        (set, worked) => {
            for findings in [set.err(), worked.err()].into_iter().flatten() {
                assert!(
                    !findings.is_empty() && findings.iter().all(is_inside),
                    "{findings:?}"
                );
            }
        }
    }
}

/// A change of a text: of a line or of a token, which are the stretches between blanks and signs.
#[derive(Clone, Debug)]
enum Mutation {
    DeleteLine(prop::sample::Index),
    RepeatLine(prop::sample::Index),
    MoveLine(prop::sample::Index, prop::sample::Index),
    DeleteToken(prop::sample::Index),
    SwapTokens(prop::sample::Index, prop::sample::Index),
    ReplaceToken(prop::sample::Index, String),
    Cut(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    let token = prop_oneof![
        "[\\PC]{0,8}",
        Just("\"9999-99-99\"".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("-1".to_owned()),
        Just("1e400".to_owned()),
        Just("\"4294967295\"".to_owned()),
        Just("[[rule]]".to_owned()),
        Just("{ }".to_owned()),
        Just("\"0/0\"".to_owned()),
        Just("\"10000.01%\"".to_owned()),
    ];
    prop_oneof![
        index().prop_map(Mutation::DeleteLine),
        index().prop_map(Mutation::RepeatLine),
        (index(), index()).prop_map(|(a, b)| Mutation::MoveLine(a, b)),
        index().prop_map(Mutation::DeleteToken),
        (index(), index()).prop_map(|(a, b)| Mutation::SwapTokens(a, b)),
        (index(), token).prop_map(|(at, token)| Mutation::ReplaceToken(at, token)),
        index().prop_map(Mutation::Cut),
    ]
}

/// Pieces that make up the text again when joined.
fn tokens(text: &str) -> Vec<String> {
    let is_end = |c: char| " \n,={}[]\"".contains(c);
    text.split_inclusive(is_end).map(str::to_owned).collect()
}

fn mutate(text: &str, mutation: &Mutation) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let mut tokens = tokens(text);
    if lines.is_empty() {
        return String::new();
    }
    match mutation {
        Mutation::DeleteLine(at) => drop(lines.remove(at.index(lines.len()))),
        Mutation::RepeatLine(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at].clone());
        }
        Mutation::MoveLine(from, to) => {
            let line = lines.remove(from.index(lines.len()));
            lines.insert(to.index(lines.len() + 1), line);
        }
        Mutation::DeleteToken(at) => {
            tokens.remove(at.index(tokens.len()));
            lines = tokens;
        }
        Mutation::SwapTokens(one, other) => {
            let (one, other) = (one.index(tokens.len()), other.index(tokens.len()));
            tokens.swap(one, other);
            lines = tokens;
        }
        Mutation::ReplaceToken(at, token) => {
            let at = at.index(tokens.len());
            tokens[at].clone_from(token);
            lines = tokens;
        }
        Mutation::Cut(at) => lines.truncate(at.index(lines.len())),
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mutated_documents_are_read_or_refused(mutations in prop::collection::vec(mutation(), 1..5)) {
        let text = mutations.iter().fold(whole(), |text, mutation| mutate(&text, mutation));
        survive(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        match Source::from_file("base.toml", &bytes) {
            Ok(source) => survive(&source.text),
            Err(finding) => {
                let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
                prop_assert!((1..=lines).contains(&(finding.line as usize)));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([\\[\\]{}=\",.#\n a-z0-9'\\-]|\\PC){0,300}") {
        survive(&text);
    }
}

#[test]
fn the_document_that_is_mutated_is_right() {
    let sources = vec![source("base.toml", &whole())];
    let worked = examples(&sources).expect("right");
    let set = Compiled::new(read(sources).expect("right"));
    assert!(
        run(&set, &worked[0]).is_passed(),
        "{:?}",
        run(&set, &worked[0]).differences
    );
}

#[test]
fn nesting_is_bounded() {
    for text in [
        "a = ".to_owned() + &"[".repeat(40_000),
        "a = ".to_owned() + &"{a=".repeat(13_000),
        "a.".repeat(20_000) + "a = 1",
    ] {
        survive(&text);
    }
}
