//! What changes between two sets, in words.

mod base_set;

use base_set::{base, source};
use creditbank_domain::rules::RuleSet;
use creditbank_rulebook::{Change, ChangeKind, Source, diff, read};

/// A certificate rule with a least grade and a period, and what else changes.
fn set(document: &str, base_changes: &[(&str, &str)]) -> RuleSet {
    let mut text = base().text;
    for (from, to) in base_changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let head = "document = { title = 't', source = 's' }\n";
    let sources: Vec<Source> = vec![
        source("base.toml", &text),
        source("more.toml", &format!("{head}{document}")),
    ];
    read(sources).unwrap_or_else(|it| panic!("{document}\n{it:?}"))
}

fn cet(least: &str, period: &str) -> String {
    format!(
        "[[rule]]\nid = 'cet'\ntitle = {{ zh = '四级 → 大学英语', en = 'CET-4 → 大学英语' }}\nform = 'certificate-to-courses'\n\
         effective = {{ {period} }}\nselect = {{ category = 'skill-certificate', printed_level = 'CET-4' }}\n\
         when.min_grade.cet-710 = '{least}'\ngrant = [ {{ course = '英语(一)' }} ]\n"
    )
}

fn told(changes: &[Change]) -> Vec<(&str, &str, bool)> {
    let line = |it| {
        let Change {
            field,
            text,
            reaches_back,
            ..
        }: &Change = it;
        (field.as_str(), text.en.as_str(), *reaches_back)
    };
    changes.iter().map(line).collect()
}

const NEXT_YEAR: (&str, &str) = (
    "effective = { from = \"2026-01-01\" }",
    "effective = { from = \"2026-03-01\" }",
);

#[test]
fn the_same_set_has_no_changes() {
    let old = set(&cet("425", "from = '2020-01-01'"), &[]);
    assert_eq!(diff(&old, &old), []);
}

#[test]
fn a_new_version_says_what_differs_and_from_when() {
    let old = set(&cet("425", "from = '2020-01-01'"), &[]);
    let parted =
        cet("425", "from = '2020-01-01', to = '2026-02-28'") + &cet("430", "from = '2026-03-01'");
    let changes = diff(&old, &set(&parted, &[NEXT_YEAR]));
    assert_eq!(
        told(&changes),
        [
            (
                "effective",
                "rule set period: from 2026-01-01 → from 2026-03-01",
                false
            ),
            (
                "when.min_grade.cet-710",
                "CET-4 → 大学英语 least grade: 425 points (cet-710) → 430 points (cet-710), for outcomes completed \
                 from 2026-03-01",
                false
            ),
        ]
    );
    let zh = "四级 → 大学英语 最低成绩：425 分（cet-710） → 430 分（cet-710），适用于 2026-03-01 起取得的成果";
    assert_eq!(changes[1].text.zh, zh);
    assert_eq!(
        (changes[1].document.as_str(), changes[1].line),
        ("more.toml", 10)
    );
}

#[test]
fn a_change_of_days_that_were_decided_reaches_back() {
    let old = set(&cet("425", "from = '2020-01-01'"), &[]);
    let changes = diff(&old, &set(&cet("430", "from = '2020-01-01'"), &[NEXT_YEAR]));
    assert_eq!(changes.len(), 2);
    assert!(changes[1].reaches_back, "{changes:?}");
    // A limit counts on days of application: it does not reach back, unless the new set decides on the same days.
    let limit = (
        "max = { credit_share = \"40%\"",
        "max = { credit_share = \"50%\"",
    );
    let changes = diff(&set("", &[]), &set("", &[NEXT_YEAR, limit]));
    let change = "Self-study at most 40% limit: 40% of the programme's credits → 50% of the programme's credits, \
                  for applications from 2026-03-01";
    assert!(
        told(&changes)
            .iter()
            .any(|it| (it.1, it.2) == (change, false)),
        "{changes:?}"
    );
    assert!(diff(&set("", &[]), &set("", &[limit]))[0].reaches_back);
}

#[test]
fn added_and_removed_rules_are_told() {
    let rule = cet("425", "from = '2026-03-01'");
    let mut added = diff(&set("", &[]), &set(&rule, &[NEXT_YEAR]));
    added.retain(|it| it.subject == "rule");
    assert_eq!(added.len(), 1);
    assert_eq!(
        (added[0].kind, added[0].id.as_str(), added[0].reaches_back),
        (ChangeKind::Added, "cet", false)
    );
    assert!(
        added[0].text.en.starts_with(
            "new rule “CET-4 → 大学英语”, for outcomes completed from 2026-03-01: form"
        )
    );
    assert!(
        added[0]
            .text
            .en
            .contains("least grade 425 points (cet-710)")
    );
    let mut removed = diff(&set(&rule, &[]), &set("", &[NEXT_YEAR]));
    removed.retain(|it| it.subject == "rule");
    let text = "removed: rule “CET-4 → 大学英语”, for outcomes completed from 2026-03-01";
    assert_eq!(
        (removed[0].kind, removed[0].text.en.as_str()),
        (ChangeKind::Removed, text)
    );
}

/// One change of each subject, with the field and the words it is told by.
#[test]
fn every_subject_is_compared_field_by_field() {
    let cases = [
        (
            ("mode = \"floor\"", "mode = \"half-up\""),
            "set",
            "rounding.mode",
            "rule set rounding mode: floor → half-up",
        ),
        (
            ("intermediate = 4", "intermediate = 3"),
            "framework",
            "skills.intermediate",
            "framework intermediate: level 4 → level 3, for applications from 2026-01-01",
        ),
        (
            ("\"高数\" = \"高等数学\"", "\"高数\" = \"数学\""),
            "abbreviations",
            "高数",
            "abbreviations 高数: 高等数学 → 数学, for applications from 2026-01-01",
        ),
        (
            ("accept_days = 5", "accept_days = 10"),
            "process",
            "accept_days",
            "process to accept: 5 working days → 10 working days, for applications from 2026-01-01",
        ),
        (
            ("holidays = [\"2026-01-01\"]", "holidays = []"),
            "calendar",
            "2026-01-01",
            "calendar 2026-01-01: off → none, for applications from 2026-01-01",
        ),
        (
            ("source = \"proposal (P)\"", "source = \"No. 3\""),
            "document",
            "source",
            "base.toml source: proposal (P) → No. 3",
        ),
        (
            (
                "select = { category = \"self-study-exam\" }",
                "select = { category = \"training\" }",
            ),
            "origin",
            "select.category",
            "Self-study category: Self-study examination → Training, for applications from 2026-01-01",
        ),
        (
            (
                "parts = [\"高等数学(上)\", \"高等数学(下)\"]",
                "parts = [\"高等数学(上)\"]",
            ),
            "whole",
            "parts",
            "高等数学 parts: 高等数学上, 高等数学下 → 高等数学上, for applications from 2026-01-01",
        ),
        (
            ("from = \"34\"", "from = \"33\""),
            "agreement",
            "from",
            "Anhui to Shanghai from: 34 → 33, for outcomes completed from 2022-03-01 to 2023-02-28",
        ),
        (
            ("credits = \"6\"", "credits = \"5\""),
            "programme",
            "course.0002",
            "Nursing (junior college) course 0002: 高等数学, 6 credits, theory, module basic 统设必修 → 高等数学, 5 credits, theory, module basic 统设必修, for applications from 2026-01-01",
        ),
        (
            (
                "subject_names = [\"护理\", \"护理学\"]",
                "subject_names = \"护理\"",
            ),
            "programme",
            "subject_names",
            "Nursing (junior college) names of the subject: 护理, 护理学 → 护理, for applications from 2026-01-01",
        ),
        (
            ("region = \"31\"\n", ""),
            "programme",
            "region",
            "Nursing (junior college) region: 31 → none, for applications from 2026-01-01",
        ),
        (
            ("credits = \"20\"", "credits = \"18.5\""),
            "programme",
            "minimum.courses",
            "Nursing (junior college) minimum courses: Courses, at least 20 credits → Courses, at least 18.5 credits, for applications from 2026-01-01",
        ),
        (
            (
                "select = { category = \"degree-course\" }\n  credits",
                "select = { category = [\"degree-course\", \"training\"] }\n  credits",
            ),
            "programme",
            "minimum.courses.select.category",
            "Nursing (junior college) category: Degree course → Degree course, Training, for applications from 2026-01-01",
        ),
        (
            (
                "origins = [\"self-study\"]\n",
                "origins = [\"self-study\"]\nsubject = \"other\"\n",
            ),
            "limit",
            "subject",
            "Self-study at most 40% major: none → another than the programme's, for applications from 2026-01-01",
        ),
        (
            (
                "origins = [\"self-study\"]\n",
                "origins = [\"self-study\"]\nper = \"achievement\"\n",
            ),
            "limit",
            "per",
            "Self-study at most 40% for each: none → achievement, for applications from 2026-01-01",
        ),
        (
            ("per_hours = \"16\"", "per_hours = \"18\""),
            "rule",
            "grant.electives",
            "Elder hours credit for electives: 1 credit for 16 hours → 1 credit for 18 hours, for outcomes completed from 2024-01-01",
        ),
        (
            ("excess = \"refuse\"", "excess = \"trim\""),
            "limit",
            "excess",
            "Self-study at most 40% beyond it: refuse → trim, for applications from 2026-01-01",
        ),
        (
            (
                "categories = [\"elder-course\"]\nmin_attendance = \"70%\"",
                "categories = [\"elder-course\"]\nmin_attendance = \"60%\"",
            ),
            "standard",
            "min_attendance",
            "Elder course least attendance: 70% → 60%, for outcomes completed from 2024-01-01",
        ),
        (
            ("points = 1 }", "points = 2 }"),
            "earning",
            "earns",
            "A point an hour earns: 1 points for 1 hours → 2 points for 1 hours, for outcomes completed from 2024-01-01",
        ),
    ];
    for (change, subject, field, text) in cases {
        let changes = diff(&set("", &[]), &set("", &[change]));
        // An agreement says it for each of its versions.
        let count = if subject == "agreement" { 2 } else { 1 };
        assert_eq!(changes.len(), count, "{change:?} {changes:#?}");
        assert_eq!(
            (changes[0].subject, changes[0].field.as_str()),
            (subject, field)
        );
        assert_eq!(changes[0].text.en, text);
        assert_ne!(changes[0].text.zh, text);
    }
}

#[test]
fn a_new_version_of_an_agreement_is_for_what_is_completed_from_then_on() {
    let old = (
        "{ version = \"2023.1\", from = \"2023-03-01\" }]",
        "{ version = \"2023.1\", from = \"2023-03-01\" }]",
    );
    let new = (
        old.0,
        "{ version = \"2023.1\", from = \"2023-03-01\", to = \"2026-06-30\" }, { version = \"2026.1\", from = \"2026-07-01\" }]",
    );
    let changes = diff(&set("", &[old]), &set("", &[NEXT_YEAR, new]));
    let text = "Anhui to Shanghai version: 2023.1 → 2026.1, for outcomes completed from 2026-07-01";
    assert_eq!(told(&changes)[1..], [("version", text, false)]);
}
