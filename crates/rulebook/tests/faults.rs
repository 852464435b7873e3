//! Every fault that reading can tell, each with the line it is told for.

mod base_set;

use base_set::{base, findings, source};
use creditbank_rulebook::{CODES, Source, read};

/// What stands in a document beside the base set, and the first fault: its code and its line in the snippet.
const FAULTS: &[(&str, &str, u32)] = &[
    // Syntax and tables.
    ("x = = 1", "SYNTAX", 1),
    ("[limit\nx = 1", "SYNTAX", 1),
    ("a = 1\nb = 'open", "SYNTAX", 2),
    ("a = 1\nb = “2026-01-01”", "SYNTAX", 2),
    ("[set]\nid = 'other'", "SET_COUNT", 1),
    ("[process]\naccept_days = 4", "TABLE_REPEATED", 1),
    ("[calendar]", "TABLE_REPEATED", 1),
    ("[rules]\n", "KEY_UNKNOWN", 1),
    ("rule = 3", "TYPE", 1),
    ("rule = [ 3 ]", "TYPE", 1),
    // Rules.
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\ncolour = 'red'\nform = 'no-credit'\nselect = {}",
        "KEY_UNKNOWN",
        4,
    ),
    (
        "[[rule]]\nid = 'r'\nform = 'no-credit'\nselect = {}",
        "KEY_MISSING",
        1,
    ),
    (
        "[[rule]]\nid = 'R'\ntitle = 't'\nform = 'no-credit'\nselect = {}",
        "ID",
        2,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = ''\nform = 'no-credit'\nselect = {}",
        "TEXT",
        3,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = { zh = '甲' }\nform = 'no-credit'\nselect = {}",
        "KEY_MISSING",
        3,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'swap'\nselect = {}",
        "CHOICE",
        4,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'",
        "KEY_MISSING",
        1,
    ),
    (
        "[[rule]]\nid = 'same-course'\ntitle = 't'\nform = 'no-credit'\nselect = {}",
        "ID_REPEATED",
        1,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\neffective = { from = '2026-02-30' }",
        "DATE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\neffective = { from = 2026-02-01 }",
        "TYPE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\neffective = { from = '2026-02-02', to = '2026-02-01' }",
        "PERIOD",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\ngrant = [ { same_course = true } ]",
        "FORM_EXCLUDES",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\ngrade = { record = 'exempt' }",
        "FORM_EXCLUDES",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'course-to-course'\nselect = {}",
        "FORM_NEEDS",
        1,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'course-to-course'\nselect = {}\ngrant = [ { electives = true, credits = '1' } ]",
        "FORM_EXCLUDES",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'course-to-course'\nselect = {}\ngrant = []",
        "FORM_NEEDS",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'many-to-one'\nselect = {}\ngrant = [ { course = 'c' } ]",
        "FORM_NEEDS",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'course-to-course'\ngrant = [ { course = 'c' } ]\n[[rule.slot]]\nselect = {}\n[[rule.slot]]\nselect = {}",
        "FORM_EXCLUDES",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'many-to-one'\nneed = 3\ngrant = [ { course = 'c' } ]\n[[rule.slot]]\nselect = {}\n[[rule.slot]]\nselect = {}",
        "NUMBER",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'hours-to-credits'\nselect = {}\ngrant = [ { electives = true, credits = '2' } ]",
        "FORM_NEEDS",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'hours-to-credits'\nselect = {}\ngrant = [ { electives = true, per_hours = '0.00' } ]",
        "ZERO_DIVISOR",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'unit-conversion'\nselect = {}\ngrant = [ { electives = true, ratio = '1/0' } ]",
        "ZERO_DIVISOR",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'unit-conversion'\nselect = {}\ngrant = [ { electives = true, ratio = '0.5' } ]",
        "AMOUNT",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'one-to-many'\nselect = {}\ngrant = [ { course = 'c' } ]",
        "FORM_NEEDS",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'one-to-many'\nselect = {}\npick = 3\ngrant = [ { course = 'c' },\n { course = 'd', credits = 2.5 } ]",
        "NUMBER",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-courses'\nselect = {}\ngrant = [ { course = 'c' },\n { course = 'd', credits = 2.5 } ]",
        "TYPE",
        7,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-courses'\nselect = {}\ngrant = [ { course = 'c' },\n { course = 'd', credits = '2.555' } ]",
        "AMOUNT",
        7,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-courses'\nselect = {}\ngrant = [ { course = 'c', tagged = 'd' } ]",
        "KEY_CONFLICT",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-courses'\nselect = {}\ngrant = [ { credits = '4' } ]",
        "KEY_MISSING",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-credits'\nselect = {}\ngrant = [ { electives = true } ]",
        "KEY_MISSING",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-credits'\nselect = {}\ngrant = [ { electives = true, credits = 'target' } ]",
        "CHOICE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'certificate-to-credits'\nselect = {}\ngrant = [ { electives = false, credits = 'source' } ]",
        "CHOICE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'course-to-course'\nselect = {}\ngrant = [ { same_course = true } ]\ngrade = { record = 'exempt', ceiling = '70' }",
        "KEY_CONFLICT",
        7,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'course-to-course'\nselect = {}\ngrant = [ { same_course = true } ]\ngrade = { table = [ { from = { five-level = 'A' }, to = '95' } ] }",
        "CHOICE",
        7,
    ),
    // Selectors and conditions.
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = { category = 'degree' }",
        "CHOICE",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = { category = [] }",
        "LIST",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = { region = ['31',\n'31'] }",
        "LIST",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = { region = '99' }",
        "CHOICE",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = { occupation = '4-10-01-99' }",
        "CHOICE",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = { standard = 'walk' }",
        "REFERENCE",
        5,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen = { agreement = 'none' }",
        "REFERENCE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen = { programmes = ['nursing', 'law'] }",
        "REFERENCE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen.level = 11",
        "NUMBER",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen.min_attendance = '0.7'",
        "SHARE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen.min_grade = {}",
        "LIST",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen.min_grade.stars = '3'",
        "CHOICE",
        6,
    ),
    (
        "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {}\nwhen.min_grade.cet-710 = '711'",
        "CHOICE",
        6,
    ),
    // Limits.
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nmax = { credits = '1', courses = 2 }",
        "KEY_CONFLICT",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nmax = { credit_share = '35%' }",
        "KEY_MISSING",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nmax = { courses = 2, of = 'scope' }",
        "KEY_CONFLICT",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nmax = { courses = -2 }",
        "NUMBER",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nper = ['year:02-29']\nmax = { courses = 2 }",
        "CHOICE",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nper = 'unit'\nmax = { courses = 2 }",
        "CHOICE",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nsubject = '520201'\nmax = { courses = 2 }",
        "CHOICE",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\nrules = ['gone']\nmax = { courses = 2 }",
        "REFERENCE",
        4,
    ),
    (
        "[[limit]]\nid = 'l'\ntitle = 't'\norigins = ['gone']\nmax = { courses = 2 }",
        "REFERENCE",
        4,
    ),
    (
        "[[limit]]\nid = 'self-study-share'\ntitle = 't'\nmax = { courses = 2 }",
        "ID_REPEATED",
        1,
    ),
    // Programmes.
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'SHOU'\nregion = '31'\nkind = 'degree'\nlevel = 5\ntotal = '1'\nmodule = []",
        "CHOICE",
        4,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nregion = '31'\nkind = 'degree'\nlevel = 5\ntotal = '1'\n[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'required'\nmin = '2'\nmax = '1'",
        "AMOUNT",
        14,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nregion = '31'\nkind = 'degree'\nlevel = 5\ntotal = '1'\n[[programme.module]]\nid = 'm'\ntitle = 't'\nkind = 'required'\nmin = '2'\ncourses = [ { code = '1', name = '英语(一)', credits = '4' },\n { code = '2', name = '英语Ⅰ', credits = '4' } ]",
        "ID_REPEATED",
        15,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nregion = '99'\nkind = 'degree'\nlevel = 5\ntotal = '1'\nmodule = []",
        "CHOICE",
        5,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nkind = 'degree'\nlevel = 5\nsubject_names = []\ntotal = '1'\nmodule = []",
        "LIST",
        7,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nkind = 'degree'\nlevel = 5\ntotal = '1'\nmodule = []\n[[programme.minimum]]\nid = 'm'\ntitle = 't'\nselect = { standard = 'gone' }\ncredits = '1'",
        "REFERENCE",
        12,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nkind = 'degree'\nlevel = 5\ntotal = '1'\nmodule = []\n[[programme.minimum]]\nid = 'm'\ntitle = 't'\ncredits = '1'",
        "KEY_MISSING",
        9,
    ),
    (
        "[[programme]]\nid = 'p'\ntitle = 't'\ninstitution = 'shou'\nkind = 'degree'\nlevel = 5\ntotal = '1'\nmodule = []\nminimum = [ { id = 'm', title = 't', select = {}, credits = '1' },\n { id = 'm', title = 't', select = {}, credits = '2' } ]",
        "ID_REPEATED",
        10,
    ),
    // Standards, earning rules, agreements, wholes.
    (
        "[[standard]]\nid = 'elder'\nversion = '2026'\ntitle = 't'\ncategories = ['elder-course']",
        "ID_REPEATED",
        1,
    ),
    (
        "[[standard]]\nid = 's'\nversion = '2026'\ntitle = 't'\ncategories = ['elder-course']\nmin_hours = '4'\nmax_hours = '3'",
        "AMOUNT",
        7,
    ),
    (
        "[[earning]]\nid = 'e'\ntitle = 't'\nselect = {}\nper_hours = { hours = '0', points = 1 }",
        "ZERO_DIVISOR",
        5,
    ),
    (
        "[[earning]]\nid = 'e'\ntitle = 't'\nselect = {}",
        "KEY_MISSING",
        1,
    ),
    (
        "[[agreement]]\nid = 'a'\ntitle = 't'\nfrom = '31'\nto = '31'\nversions = [ { version = '1' } ]",
        "CHOICE",
        5,
    ),
    (
        "[[agreement]]\nid = 'a'\ntitle = 't'\nfrom = '32'\nto = '31'\nversions = [ { version = '1' },\n { version = '2' } ]",
        "ID_REPEATED",
        7,
    ),
    ("[[whole]]\nwhole = 'a'\nparts = ['A ']", "LIST", 3),
];

#[test]
fn the_base_set_says_nothing_wrong() {
    read(vec![base()]).expect("the base set is right");
}

#[test]
fn every_fault_is_told_with_its_line() {
    for (snippet, code, line) in FAULTS {
        let found = findings(snippet);
        let first = found.first().map(|(code, line)| (*code, *line));
        assert_eq!(first, Some((*code, *line)), "{snippet}\n{found:?}");
    }
}

#[test]
fn everything_wrong_is_told_at_once_and_in_order() {
    let snippet = "[[rule]]\nid = 'R'\ntitle = ''\nform = 'no-credit'\nselect = { category = 'x', region = '9' }\n\
                   [[limit]]\nid = 'l'\nmax = { credits = 4 }";
    let codes = [
        ("ID", 2),
        ("TEXT", 3),
        ("CHOICE", 5),
        ("CHOICE", 5),
        ("KEY_MISSING", 6),
        ("TYPE", 8),
    ];
    assert_eq!(findings(snippet), codes);
}

#[test]
fn rules_share_an_id_as_versions_whose_periods_do_not_overlap() {
    let rule = |period: &str| {
        format!(
            "[[rule]]\nid = 'r'\ntitle = 't'\nform = 'no-credit'\nselect = {{}}\neffective = {{ {period} }}\n"
        )
    };
    let parted = rule("to = '2025-12-31'") + &rule("from = '2026-01-01'");
    assert_eq!(findings(&parted), []);
    let shared = rule("to = '2026-01-01'") + &rule("from = '2026-01-01'");
    assert_eq!(findings(&shared), [("ID_REPEATED", 7)]);
}

/// Documents as bytes, and what is wrong with them as a whole.
#[test]
fn documents_are_told_that_cannot_be_published() {
    let document = "document = { title = 't' }\n";
    let source = |name: &str, text: &str| Source {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let long = format!("{document}# {}", "x".repeat(48 * 1024));
    let cases = [
        (vec![], "DOCUMENT_COUNT", 0),
        (vec![source("Rules.toml", document)], "DOCUMENT_NAME", 1),
        (vec![source("../a.toml", document)], "DOCUMENT_NAME", 1),
        (vec![source(".toml", document)], "DOCUMENT_NAME", 1),
        (vec![source("a.toml", document); 2], "DOCUMENT_NAME", 1),
        (vec![source("a.toml", &long)], "DOCUMENT_TOO_LARGE", 1),
        (vec![source("a.toml", "a = 1\r\n")], "DOCUMENT_BYTES", 1),
        (vec![source("a.toml", "# a\n# b\rc")], "DOCUMENT_BYTES", 2),
        (vec![source("a.toml", "\u{feff}a = 1")], "DOCUMENT_BYTES", 1),
        (vec![source("a.toml", document)], "SET_COUNT", 0),
        (vec![base(), source("a.toml", "")], "DOCUMENT_MISSING", 1),
    ];
    for (sources, code, line) in cases {
        let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
        let found = read(sources).expect_err(code);
        assert_eq!(
            (found[0].code, found[0].line),
            (code, line),
            "{names:?} {found:?}"
        );
    }
}

#[test]
fn files_of_other_editors_become_the_same_bytes() {
    let plain = Source::from_file("a.toml", b"a = 1\nb = 2\n").unwrap();
    assert_eq!(
        Source::from_file("a.toml", b"\xef\xbb\xbfa = 1\r\nb = 2\r\n").unwrap(),
        plain
    );
    let fault = Source::from_file("a.toml", b"a = 1\nb = '\xff'\n").unwrap_err();
    assert_eq!((fault.code, fault.line), ("DOCUMENT_BYTES", 2));
}

#[test]
fn every_message_has_both_languages() {
    for (snippet, ..) in FAULTS {
        for finding in base_set::read_beside_base(snippet).unwrap_err() {
            assert!(!finding.message.zh.is_empty() && !finding.message.en.is_empty());
            assert_ne!(finding.message.zh, finding.message.en);
            assert!(CODES.contains(&finding.code));
        }
    }
}

#[test]
fn a_full_width_sign_is_named_where_it_keeps_a_line_from_being_read() {
    let told = |text: &str| {
        let found = read(vec![base(), source("more.toml", text)]).unwrap_err();
        found[0].message.clone()
    };
    let quoted = told("b = “2026-01-01”");
    assert!(quoted.zh.contains("全角的 “"), "{}", quoted.zh);
    assert!(quoted.en.contains("full-width “"), "{}", quoted.en);
    assert!(!told("b = = 1").zh.contains("全角"));
}
