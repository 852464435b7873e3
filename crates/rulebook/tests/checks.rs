//! What is well written and yet wrong: each with its code and its line.

mod base_set;

use base_set::{base, beside_base, line_in_snippet, source};
use creditbank_rulebook::{Finding, Severity, check, examples, read};

/// A rule about elder courses of the base set, with more keys.
fn rule(id: &str, form: &str, more: &str) -> String {
    format!("[[rule]]\nid = '{id}'\ntitle = 't'\nclause = 'c'\nform = '{form}'\n{more}\n")
}

/// Everything found in the snippet's document, but for rules without an example.
fn found(snippet: &str) -> Vec<Finding> {
    let sources = beside_base(snippet);
    let read = examples(&sources).unwrap_or_else(|findings| panic!("{snippet}\n{findings:?}"));
    let set = base_set::read_beside_base(snippet).unwrap_or_else(|it| panic!("{snippet}\n{it:?}"));
    let mut findings = check(&set, &read);
    findings.retain(|it| it.document == "more.toml" && it.code != "EXAMPLE_MISSING");
    findings
}

#[test]
fn each_is_told_with_its_line() {
    let english = "select = { category = 'skill-certificate', achievement = 'PETS' }";
    let nursing = "programmes = ['nursing']";
    let fixed =
        |credits: &str| format!("grant = [ {{ course = '英语(一)', credits = '{credits}' }} ]");
    let pets =
        |id: &str, more: &str| rule(id, "certificate-to-courses", &format!("{english}\n{more}"));
    let degree = |more: &str| {
        rule(
            "r",
            "course-to-course",
            &format!(
                "select = {{ category = 'degree-course', {more} }}\ngrant = [ {{ course = '高等数学' }} ]"
            ),
        )
    };
    let limit = |more: &str| format!("[[limit]]\nid = 'l'\ntitle = 't'\nclause = 'c'\n{more}");
    let programme = |more: &str| {
        format!(
            "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nregion = '31'\nkind = 'degree'\nlevel = 5\nclause = 'c'\n{more}"
        )
    };
    let minimum = |select: &str, credits: &str| {
        format!(
            "[[programme.minimum]]\nid = 'm'\ntitle = 't'\nselect = {{ {select} }}\ncredits = '{credits}'\n"
        )
    };
    let free = "[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'elective'\nmin = '0'\nunassigned = true\n";
    let cases: Vec<(String, &str, u32)> = vec![
        // Contradictions and overlaps.
        (pets("a", &fixed("4")) + &pets("b", &fixed("3")), "CONTRADICTION", 8),
        (pets("a", &fixed("4")) + &pets("b", &fixed("4")), "OVERLAP", 8),
        (pets("a", &fixed("4")) + &pets("b", &format!("{}\nwhen.min_grade.pass = true", fixed("3"))), "OVERLAP", 8),
        (pets("a", &fixed("4")) + &rule("b", "no-credit", english), "CONTRADICTION", 1),
        (pets("a", &fixed("4")) + &rule("b", "no-credit", &english.replace(" }", ", printed_level = '1' }")), "CONTRADICTION", 8),
        (rule("r", "one-to-many", &format!("{english}\ngrant = [ {{ course = '英语(一)' }}, {{ course = '英语(1)' }} ]")), "TARGET_REPEATED", 1),
        // Unreachable.
        (degree("skill_level = 'advanced'"), "UNREACHABLE", 1),
        (pets("r", &format!("{}\nwhen.level = 10", fixed("4"))), "UNREACHABLE", 1),
        (degree("stage = 'graduate'") + "when.level = 3", "UNREACHABLE", 1),
        (pets("r", &format!("{}\nwhen.min_attendance = '70%'", fixed("4"))), "UNREACHABLE", 1),
        (pets("r", &format!("{}\nwhen.two_attestors = true", fixed("4"))), "UNREACHABLE", 1),
        (pets("r", &format!("{}\neffective = {{ from = '2024-01-01' }}\nwhen.completed = {{ to = '2023-12-31' }}", fixed("4"))), "UNREACHABLE", 1),
        (pets("r", &format!("{}\nwhen = {{ programme_kind = 'non-degree' }}", fixed("4"))), "UNREACHABLE", 1),
        (pets("r", &format!("{}\nwhen = {{ except_subjects = ['52'] }}", fixed("4"))), "UNREACHABLE", 1),
        (pets("r", &format!("{}\nwhen.agreement = 'sh-ah'", fixed("4"))), "UNREACHABLE", 1),
        (degree("region = '32'") + "when.agreement = 'sh-ah'", "UNREACHABLE", 1),
        (degree("region = '34'") + "effective = { to = '2022-02-28' }\nwhen.agreement = 'sh-ah'", "UNREACHABLE", 1),
        (limit("max = { courses = 1 }\neffective = { to = '2025-12-31' }"), "UNREACHABLE", 1),
        (limit("max = { courses = 1 }\nselect = { category = 'training', stage = 'undergraduate' }"), "UNREACHABLE", 1),
        ("[[origin]]\nid = 'o'\ntitle = 't'\nselect = { category = 'self-study-exam', region = '31' }".into(), "UNREACHABLE", 1),
        // Targets.
        (pets("r", "grant = [ { course = '英语(二)' } ]"), "TARGET_UNKNOWN", 1),
        (pets("r", "grant = [ { tagged = '专业核心课' } ]"), "TARGET_UNKNOWN", 1),
        (pets("r", "grant = [ { course = '英语(一)' } ]\nwhen.only_tags = ['选修']"), "TARGET_UNKNOWN", 1),
        (rule("r", "certificate-to-credits", &format!("{english}\ngrant = [ {{ module = 'none', credits = 'source' }} ]")), "TARGET_UNKNOWN", 1),
        (rule("r", "one-to-many", &format!("{english}\ngrant = [ {{ course = '英语(一)', credits = '4' }}, {{ course = '高等数学', credits = '5' }} ]\nwhen.min_credits = '8'")), "TARGETS_EXCEED_SOURCE", 1),
        (rule("r", "one-to-many", &format!("{english}\ngrant = [ {{ course = '英语(一)', credits = '4' }} ]\nremainder = 'electives'")), "TARGETS_EXCEED_SOURCE", 1),
        (rule("r", "certificate-to-courses", &format!("{english}\ngrant = [ {{ course = '英语(一)', credits = 'source' }}, {{ course = '高等数学', credits = 'source' }} ]")), "TARGETS_EXCEED_SOURCE", 1),
        // Gaps.
        (pets("r", &format!("{}\neffective = {{ to = '2025-12-31' }}", fixed("4"))) + &pets("r", &format!("{}\neffective = {{ from = '2026-02-01' }}", fixed("4"))), "DATE_GAP", 9),
        ("[[agreement]]\nid = 'a'\ntitle = 't'\nclause = 'c'\nfrom = '32'\nto = '31'\nversions = [ { version = '1', to = '2024-01-30' }, { version = '2', from = '2024-02-01' } ]".into(), "DATE_GAP", 1),
        // Limits.
        (limit("max = { credits = '75' }"), "LIMIT_IDLE", 1),
        (limit("max = { courses = 2 }"), "LIMIT_IDLE", 1),
        (limit("max = { credit_share = '100%', of = 'programme' }"), "LIMIT_IDLE", 1),
        (limit(&format!("tags = ['选修']\nmax = {{ courses = 1 }}\n{nursing}")), "LIMIT_IDLE", 1),
        (limit("max = { courses = 0 }"), "LIMIT_CLOSED", 1),
        (limit("max = { credits = '0.4' }"), "LIMIT_CLOSED", 1),
        (limit("tags = ['统设必修']\nmax = { course_share = '40%', of = 'scope' }"), "LIMIT_CLOSED", 1),
        (limit("subject = 'same'\nselect.category = ['training', 'elder-course']\nmax = { courses = 1 }"), "UNREACHABLE", 1),
        (programme(&format!("total = '4'\n{free}{}", limit("subject = 'other'\nmax = { courses = 1 }"))), "SUBJECT_UNNAMED", 16),
        // Programmes.
        (programme("total = '4'\n[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'required'\nmin = '6'\nunassigned = true"), "PROGRAMME_SUMS", 1),
        (programme("total = '4'\n[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'elective'\nmin = '0'\ncourses = [ { code = '1', name = 'a', credits = '3' } ]"), "PROGRAMME_SUMS", 1),
        (programme("total = '4'\nresidency = '5'\n[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'elective'\nmin = '0'\nunassigned = true"), "PROGRAMME_SUMS", 1),
        (programme("total = '4'\n[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'required'\nmin = '0'\nmax = '4'\ncourses = [ { code = '1', name = 'a', credits = '5' } ]"), "PROGRAMME_SUMS", 1),
        (programme(&format!("total = '4'\n{}{free}", minimum("category = 'degree-course'", "4.5"))), "PROGRAMME_SUMS", 1),
        (programme(&format!("total = '4'\n{}{free}{}", minimum("category = 'elder-course'", "2"), limit("select.category = ['elder-course', 'training']\nmax.credits = '1.5'"))), "PROGRAMME_SUMS", 1),
        (programme(&format!("total = '4'\n{}{free}", minimum("category = 'degree-course', skill_level = 'advanced'", "2"))), "UNREACHABLE", 1),
        (programme(&format!("total = '4'\n{}{free}", minimum("category = 'training'", "2"))), "UNREACHABLE", 1),
        ("[[whole]]\nwhole = 'a'\nparts = ['b']\n[[whole]]\nwhole = 'b'\nparts = ['a']".into(), "WHOLE_CYCLE", 1),
        // Care.
        (pets("r", &fixed("4")).replace("clause = 'c'\n", ""), "CLAUSE_MISSING", 1),
        ("[[example]]\ntitle = 't'\nprogramme = 'law'\ndate = '2026-01-01'\noutcomes = []\nexpect.credits = '0'".into(), "REFERENCE", 1),
        ("[[example]]\ntitle = 't'\nprogramme = 'nursing'\ndate = '2026-01-01'\noutcomes = []\nexpect = { credits = '0', limit = 'gone' }".into(), "REFERENCE", 1),
    ];
    for (snippet, code, line) in cases {
        let findings = found(&snippet);
        let told: Vec<_> = findings
            .iter()
            .map(|it| (it.code, line_in_snippet(it)))
            .collect();
        assert!(
            told.contains(&(code, line)),
            "{code}:{line} of {findings:#?}\n{snippet}"
        );
        assert!(findings.iter().all(|it| it.message.zh != it.message.en));
    }
}

#[test]
fn what_is_meant_is_not_told() {
    let english = "select = { category = 'skill-certificate', achievement = 'PETS' }";
    let grant = |credits: &str, more: &str| {
        format!("{english}\ngrant = [ {{ course = '英语(一)', credits = '{credits}' }} ]\n{more}")
    };
    let silent = [
        // Parted by periods, by programmes, by completion windows.
        rule(
            "a",
            "certificate-to-courses",
            &grant("4", "effective.to = '2025-12-31'"),
        ) + &rule(
            "b",
            "certificate-to-courses",
            &grant("3", "effective.from = '2026-01-01'"),
        ),
        rule(
            "a",
            "certificate-to-courses",
            &grant("4", "when.completed.to = '2025-12-31'"),
        ) + &rule(
            "b",
            "certificate-to-courses",
            &grant("3", "when.completed.from = '2026-01-01'"),
        ),
        // One version ends the day before the next begins.
        rule(
            "a",
            "certificate-to-courses",
            &grant("4", "effective.to = '2025-12-31'"),
        ) + &rule(
            "a",
            "certificate-to-courses",
            &grant("3", "effective.from = '2026-01-01'"),
        ),
        // Two courses of one kind, and a remainder within a declared source.
        rule(
            "r",
            "one-to-many",
            &format!("{english}\ngrant = [ {{ tagged = '统设必修' }}, {{ tagged = '统设必修' }} ]"),
        ),
        rule(
            "r",
            "one-to-many",
            &format!(
                "{english}\ngrant = [ {{ course = '英语(一)', credits = '4' }}, {{ course = '高等数学', credits = '4' }} ]\nremainder = 'electives'\nwhen.min_credits = '8'"
            ),
        ),
        // A minimum that elder hours or courses of the institution itself can meet, and limits that leave enough of it or
        // are about something else; a limit by major where the only programme says what its major is called.
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nkind = 'degree'\nlevel = 5\nclause = 'c'\ntotal = '4'\n\
         [[programme.minimum]]\nid = 'a'\ntitle = 't'\nselect.category = 'elder-course'\ncredits = '2'\n\
         [[programme.minimum]]\nid = 'b'\ntitle = 't'\nselect = { category = 'training', institution = 'shou' }\ncredits = '2'\n\
         [[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'elective'\nmin = '0'\nunassigned = true\n\
         courses = [ { code = '1', name = 'a', credits = '2' } ]\n\
         [[limit]]\nid = 'l'\ntitle = 't'\nclause = 'c'\nselect.category = 'elder-course'\nmax.credits = '2'\n\
         [[limit]]\nid = 'k'\ntitle = 't'\nclause = 'c'\nselect.category = 'elder-course'\nper = 'institution'\nmax.credits = '1'\n\
         [[limit]]\nid = 'n'\ntitle = 't'\nclause = 'c'\nsubject = 'other'\nprogrammes = 'nursing'\nmax.courses = 1\n"
            .into(),
        // A course that no programme has is denied beside the same course.
        rule(
            "r",
            "no-credit",
            "select = { category = 'degree-course', achievement = '入学教育' }",
        ),
    ];
    for snippet in silent {
        assert_eq!(found(&snippet), [], "{snippet}");
    }
}

#[test]
fn rules_standards_and_points_ask_for_examples() {
    let set = read(vec![base()]).expect("right");
    let told = check(&set, &[]);
    let missing: Vec<&str> = told
        .iter()
        .filter(|it| it.code == "EXAMPLE_MISSING")
        .map(|it| it.message.en.as_str())
        .collect();
    assert_eq!(
        missing,
        [
            "no [[example]] uses rule same-course",
            "no [[example]] uses rule elder-hours",
            "no [[example]] uses standard elder",
            "no [[example]] uses earning rule elder-hour",
        ]
    );
    assert!(
        told.iter().all(|it| it.severity == Severity::Warning),
        "{told:?}"
    );
}

#[test]
fn a_document_says_where_it_comes_from() {
    let sources = vec![base(), source("more.toml", "document = { title = 't' }\n")];
    let told = check(&read(sources).expect("right"), &[]);
    assert!(
        told.iter()
            .any(|it| it.code == "SOURCE_MISSING" && it.document == "more.toml")
    );
}

#[test]
fn every_code_has_a_test() {
    let tests = [
        include_str!("faults.rs"),
        include_str!("checks.rs"),
        include_str!("examples.rs"),
    ];
    for code in creditbank_rulebook::CODES {
        let quoted = format!("\"{code}\"");
        assert!(tests.iter().any(|test| test.contains(&quoted)), "{code}");
    }
}
