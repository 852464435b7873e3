//! Worked examples: what passes, what fails and how it is said, what cannot be an example.

mod base_set;

use base_set::{beside_base, line_in_snippet, read_beside_base};
use creditbank_domain::rules::Compiled;
use creditbank_rulebook::{ExampleResult, examples, run};

/// A learner of nursing with a course of elsewhere and a term of elder education.
const CASE: &str = "[[example]]\ntitle = 't'\nprogramme = 'nursing'\ndate = '2026-06-30'\noutcomes = [\n\
    { id = 1, category = 'degree-course', name = '高等数学', credits = '6', grade = '80', completed_on = '2024-07-01' },\n\
    { id = 2, category = 'elder-course', name = '国画', hours = '32', planned = 16, attended = 16, completed_on = '2025-06-20' },\n\
    { id = 3, category = 'elder-course', name = '合唱', hours = '32', planned = 16, attended = 8, completed_on = '2025-06-20', standard = 'elder' },\n]\n";

fn results(snippet: &str) -> Vec<ExampleResult> {
    let examples = examples(&beside_base(snippet)).unwrap_or_else(|it| panic!("{snippet}\n{it:?}"));
    let set = Compiled::new(read_beside_base(snippet).expect("right"));
    examples.iter().map(|example| run(&set, example)).collect()
}

/// What differs, in English.
fn differences(expect: &str) -> Vec<String> {
    let result = results(&format!("{CASE}{expect}")).remove(0);
    assert_eq!((result.document.as_str(), result.line), ("more.toml", 2));
    result.differences.into_iter().map(|it| it.en).collect()
}

#[test]
fn what_is_decided_passes() {
    let expect = "expect = { credits = '8', automatic = false, missing = ['COURSE 0001', 'MODULE basic 4', 'MODULE electives 3', \
                  'RESIDENCY 10', 'AT_LEVEL 18', 'MINIMUM courses 14', 'TOTAL 67'], lines = [ \
                  { rule = 'elder-hours', to = 'module:electives', credits = '2', grade = 'none' }, \
                  { rule = 'same-course', to = 'course:0002', credits = '6', grade = 'exempt' } ], refused = [], \
                  breaches = [ { outcome = 3, reason = 'ATTENDANCE_BELOW_STANDARD' } ], points = 64 }";
    assert_eq!(differences(expect), Vec::<String>::new());
}

#[test]
fn what_differs_is_said_in_words() {
    let cases = [
        (
            "expect.credits = '9'",
            "9 credits are expected, 8 are granted",
        ),
        (
            "expect.automatic = true",
            "the bank should decide by itself, but a panel has to",
        ),
        (
            "expect.limit = 'self-study-share'",
            "limit self-study-share should have bitten and did not",
        ),
        (
            "expect.lines = [ { rule = 'same-course', to = 'course:0002' } ]",
            "granted, not expected: elder-hours → module:electives 2 (none)",
        ),
        (
            "expect.lines = [ { rule = 'same-course', to = 'course:0002', credits = '5' }, { rule = 'elder-hours', to = 'module:electives' } ]",
            "expected, not granted: same-course → course:0002 5",
        ),
        (
            "uses = [ { rule = 'elder-hours', outcomes = [3] } ]\nexpect.refused = []",
            "refused, not expected: elder-hours [3] ATTENDANCE_TOO_LOW",
        ),
        (
            "expect.refused = [ { rule = 'same-course', reason = 'NOT_PASSED' } ]",
            "expected refusal, not made: same-course [] NOT_PASSED",
        ),
        (
            "expect.missing = []",
            "COURSE 0001 is missing, which is not expected",
        ),
        (
            "expect.breaches = []",
            "outcome 3 falls short of its standard by ATTENDANCE_BELOW_STANDARD, which is not expected",
        ),
        (
            "expect.points = 65",
            "65 points are expected, 64 are earned",
        ),
    ];
    for (expect, difference) in cases {
        let found = differences(expect);
        assert!(
            found.iter().any(|it| it == difference),
            "{expect}\n{found:#?}"
        );
    }
}

#[test]
fn earlier_decisions_stand() {
    let before = "before = [ { decision = 900, uses = [ { rule = 'same-course', outcomes = [1] } ] } ]\n\
                  uses = [ { rule = 'same-course', outcomes = [1] } ]\n\
                  expect.refused = [ { rule = 'same-course', outcomes = [1], reason = 'ALREADY_USED' } ]";
    assert_eq!(differences(before), Vec::<String>::new());
}

/// Whatever the category, an outcome with only what it must state can be deposited.
#[test]
fn defaults_make_an_outcome_of_every_category() {
    let rows = [
        "category = 'degree-course'",
        "category = 'self-study-exam'",
        "category = 'skill-certificate'",
        "category = 'training'",
        "category = 'community-course', hours = '2'",
        "category = 'elder-course', hours = '2'",
        "category = 'venue-learning'",
        "category = 'humanities-walk'",
        "category = 'dual-track', hours = '32'",
    ];
    let rows: Vec<String> = (0..)
        .zip(rows)
        .map(|(id, row)| format!("{{ id = {id}, name = 'n', completed_on = '2025-01-31', {row} }}"))
        .collect();
    let snippet = format!(
        "[[example]]\ntitle = 't'\ndate = '2026-01-01'\noutcomes = [ {} ]\nexpect.breaches = []",
        rows.join(", ")
    );
    let read = examples(&beside_base(&snippet)).unwrap_or_else(|it| panic!("{it:?}"));
    assert_eq!(read[0].held.len(), 9);
}

#[test]
fn what_cannot_be_an_example_is_told_with_its_line() {
    let start = "[[example]]\ntitle = 't'\nprogramme = 'nursing'\ndate = '2026-06-30'\n";
    let course = "id = 1, category = 'degree-course', name = 'n', completed_on = '2024-07-01'";
    let cases = [
        ("outcomes = []".to_owned(), "KEY_MISSING", 1),
        ("outcomes = []\nexpect = {}".to_owned(), "KEY_MISSING", 6),
        (format!("outcomes = [ {{ {course}, colour = 'red' }} ]\nexpect.points = 0"), "KEY_UNKNOWN", 5),
        (format!("outcomes = [ {{ {course}, hours = 4 }} ]\nexpect.points = 0"), "TYPE", 5),
        (format!("outcomes = [ {{ {course}, grade = '101' }} ]\nexpect.points = 0"), "CHOICE", 5),
        (format!("outcomes = [ {{ {course} }},\n{{ {course} }} ]\nexpect.points = 0"), "ID_REPEATED", 6),
        ("outcomes = [ { id = 1, category = 'elder-course', name = 'n', completed_on = '2024-07-01' } ]\nexpect.points = 0".to_owned(), "EXAMPLE_OUTCOME", 5),
        (format!("outcomes = [ {{ {course} }} ]\nuses = [ {{ rule = 'r', outcomes = [2] }} ]\nexpect.points = 0"), "REFERENCE", 6),
        ("outcomes = []\nexpect.missing = ['COURSE']".to_owned(), "CHOICE", 6),
        ("outcomes = []\nexpect.lines = [ { rule = 'r', to = '0001' } ]".to_owned(), "CHOICE", 6),
    ];
    for (rest, code, line) in cases {
        let found = examples(&beside_base(&format!("{start}{rest}"))).expect_err(&rest);
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.code, line_in_snippet(it)))
            .collect();
        assert!(told.contains(&(code, line)), "{rest}\n{found:#?}");
    }
}

#[test]
fn an_example_can_be_shown_on_another_day() {
    let walk = "{ id = 4, category = 'humanities-walk', name = '行走', started_on = '2025-05-01', completed_on = '2025-05-02', points = ['2025-05-01T09:00:00 A', '2025-05-02T10:00:00 B'] },\n\
        { id = 5, category = 'skill-certificate', name = '证', completed_on = '2025-05-02', valid_until = '2027-05-02' },\n]\n\
        expect.points = 0\n";
    let text = CASE.trim_end().trim_end_matches(']').to_owned() + walk;
    let example = examples(&beside_base(&text)).expect("right").remove(0);
    let days = |held: &[creditbank_domain::rules::Held]| {
        let day = |it: &creditbank_domain::rules::Held| {
            let more = match &it.outcome.detail {
                creditbank_domain::outcome::Detail::HumanitiesWalk(walk) => {
                    walk.points.iter().map(|it| it.at.to_string()).collect()
                }
                creditbank_domain::outcome::Detail::SkillCertificate(it) => {
                    it.valid_until.iter().map(ToString::to_string).collect()
                }
                _ => Vec::new(),
            };
            let started = it.outcome.started_on.map(|day| day.to_string());
            let first = [it.outcome.completed_on.to_string()].into_iter();
            first.chain(started).chain(more).collect::<Vec<_>>()
        };
        held.iter().flat_map(day).collect::<Vec<_>>()
    };
    let later = jiff::civil::date(2026, 7, 2);
    let moved = example.archive_on(later).expect("two days later");
    assert_eq!(
        days(&moved)[1..],
        [
            "2025-06-22",
            "2025-06-22",
            "2025-05-04",
            "2025-05-03",
            "2025-05-03T09:00:00",
            "2025-05-04T10:00:00",
            "2025-05-04",
            "2027-05-04",
        ]
    );
    assert_eq!(example.archive_on(example.date), Some(example.held.clone()));
    // Nobody learned anything before the calendar begins.
    assert_eq!(example.archive_on(jiff::civil::date(-9000, 1, 1)), None);
}
