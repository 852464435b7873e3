//! Rule sets: published whole or not at all, found by hash or by the day they decide, read back byte for byte; and the
//! commands that policy officers write them with.

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_client::{Bank as Connection, Refused};
use creditbank_wire::v1;
use serde_json::Value;

use crate::bank::{Bank, leaves, told};
use crate::institution::Institution;

/// A set of two documents; the days of application are the caller's.
fn documents(version: &str, effective: &str, hours: &str) -> Vec<v1::RuleFile> {
    let set = format!(
        r#"# 中文注释 stays.
[document]
title = "规则集"
source = "test"

[set]
id = "elders"
version = "{version}"
title = {{ zh = "老年教育", en = "Elders" }}
effective = {effective}

[[programme]]
id = "leisure"
title = "休闲"
institution = "college"
region = "31"
kind = "non-degree"
level = 1
total = "10"

  [[programme.module]]
  id = "electives"
  title = "选修"
  kind = "elective"
  min = "10"
  unassigned = true
"#
    );
    let rules = format!(
        r#"[document]
title = "规则"
source = "test"

[[rule]]
id = "elder-hours"
title = "学时"
clause = "第五条"
form = "hours-to-credits"
review = "none"
select = {{ category = "elder-course" }}
grant = [{{ electives = true, per_hours = "{hours}" }}]
"#
    );
    let file = |name: &str, text: String| v1::RuleFile {
        name: name.into(),
        text,
    };
    vec![file("set.toml", set), file("rules.toml", rules)]
}

async fn publish(
    line: &Connection,
    documents: Vec<v1::RuleFile>,
    validate_only: bool,
) -> Result<v1::RuleSet, Refused> {
    let request = v1::PublishRuleSetRequest {
        documents,
        validate_only,
    };
    let answer = line.rules().publish_rule_set(request).await;
    answer
        .map(tonic::Response::into_inner)
        .map_err(Refused::new)
}

async fn get(line: &Connection, request: v1::GetRuleSetRequest) -> Result<v1::RuleSet, String> {
    let answer = line.rules().get_rule_set(request).await;
    let answer = answer.map(tonic::Response::into_inner);
    answer.map_err(|status| Refused::new(status).code.unwrap_or_default())
}

async fn on(line: &Connection, day: &str) -> Result<String, String> {
    let request = v1::GetRuleSetRequest {
        set_id: "elders".into(),
        date: day.into(),
        ..Default::default()
    };
    get(line, request).await.map(|set| set.version)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_published_once_and_read_back_byte_for_byte() {
    let mut bank = Bank::new();
    let operator = bank.operator().await;
    let anybody = bank.anybody().await;
    let files = documents("1", r#"{ from = "2020-01-01" }"#, "16");
    let before = leaves(&anybody).await;
    let checked = publish(&operator, files.clone(), true).await.unwrap();
    assert_eq!(
        (checked.published_at, leaves(&anybody).await),
        (None, before)
    );
    let published = publish(&operator, files.clone(), false).await.unwrap();
    assert_eq!(published.hash, checked.hash);
    assert_eq!(
        leaves(&anybody).await,
        before + 3,
        "two documents and the set"
    );
    assert_eq!(published.published_at, Some(before + 2));
    assert_eq!(published.programmes, ["leisure"]);

    let request = v1::GetRuleSetRequest {
        hash: published.hash.clone(),
        ..Default::default()
    };
    let read = get(&anybody, request).await.unwrap();
    let mut sorted = files.clone();
    sorted.sort_by(|one, next| one.name.cmp(&next.name));
    assert_eq!(read.documents, sorted);
    assert_eq!(
        (read.title_zh.as_str(), read.title_en.as_str()),
        ("老年教育", "Elders")
    );

    let again = publish(&operator, files.clone(), false).await.unwrap_err();
    assert_eq!(again.code.as_deref(), Some("RULE_SET_EXISTS"));
    // Nobody publishes another set under a version that stands.
    let other = documents("1", r#"{ from = "2020-01-01" }"#, "32");
    let other = publish(&operator, other, false).await.unwrap_err();
    assert_eq!(other.code.as_deref(), Some("RULE_SET_EXISTS"));
    assert_eq!(leaves(&anybody).await, before + 3);
    // A document that is in the log is not put there again.
    let mut next = documents("2", r#"{ from = "2030-01-01" }"#, "16");
    let next = publish(&operator, std::mem::take(&mut next), false).await;
    assert_eq!(next.unwrap().published_at, Some(before + 4));
    let school = Institution::new(&bank, "school").await;
    let denied = publish(&school.line, files, false).await.unwrap_err();
    assert_eq!(denied.code.as_deref(), Some("PERMISSION_DENIED"));
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_application_chooses_the_version() {
    let mut bank = Bank::new();
    let operator = bank.operator().await;
    let anybody = bank.anybody().await;
    for (version, effective) in [
        ("1", r#"{ from = "2020-01-01" }"#),
        ("2", r#"{ from = "2026-01-01", to = "2026-12-31" }"#),
        ("3", r#"{ from = "2028-01-01" }"#),
    ] {
        let files = documents(version, effective, "16");
        publish(&operator, files, false).await.unwrap();
    }
    for (day, version) in [
        ("2019-12-31", Err("RULE_SET_UNKNOWN".to_owned())),
        ("2020-01-01", Ok("1".to_owned())),
        ("2025-12-31", Ok("1".to_owned())),
        ("2026-01-01", Ok("2".to_owned())),
        ("2026-12-31", Ok("2".to_owned())),
        ("2027-01-01", Ok("1".to_owned())),
        ("2028-01-01", Ok("3".to_owned())),
        ("2026-13-01", Err("NOT_A_DATE".to_owned())),
    ] {
        assert_eq!(on(&anybody, day).await, version, "{day}");
    }
    let mut versions = Vec::new();
    let mut request = v1::ListRuleSetsRequest {
        page_size: 1,
        ..Default::default()
    };
    loop {
        let page = anybody.rules().list_rule_sets(request.clone()).await;
        let page = page.unwrap().into_inner();
        let sets = page.rule_sets.into_iter();
        versions.extend(
            sets.filter(|set| set.set_id == "elders")
                .map(|set| set.version),
        );
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(versions, ["3", "2", "1"], "newest first");
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_with_an_error_is_refused_with_document_and_line_and_leaves_no_trace() {
    let mut bank = Bank::new();
    let operator = bank.operator().await;
    let before = leaves(&operator).await;
    let good = || documents("1", r#"{ from = "2020-01-01" }"#, "16");
    let change = |number: usize, from: &str, to: &str| {
        let mut files = good();
        let text = files[number].text.replace(from, to);
        assert_ne!(text, files[number].text);
        files[number].text = text;
        files
    };
    let mut misnamed = good();
    misnamed[1].name = "../rules.toml".into();
    let mut twice = good();
    twice[1].name = "set.toml".into();
    let mut unlike_its_example = good();
    unlike_its_example[1].text.push_str(
        r#"
[[example]]
title = "十六学时一学分"
programme = "leisure"
date = "2026-06-30"
outcomes = [
  { id = 1, category = "elder-course", name = "国画", hours = "16", planned = 8, attended = 8, completed_on = "2026-06-01" },
]
expect = { credits = "2" }
"#,
    );
    let cases = [
        (
            "an example that comes out otherwise",
            unlike_its_example,
            "documents[rules.toml:14]",
            "EXAMPLE_FAILED",
        ),
        (
            "an unknown key",
            change(1, "form =", "from ="),
            "documents[rules.toml:9]",
            "KEY_UNKNOWN",
        ),
        (
            "an unknown category",
            change(1, "elder-course", "elders"),
            "documents[rules.toml:11]",
            "CHOICE",
        ),
        (
            "no TOML",
            change(0, "[set]", "[set"),
            "documents[set.toml:6]",
            "SYNTAX",
        ),
        (
            "a sum that does not fit",
            change(0, "min = \"10\"", "min = \"11\""),
            "documents[set.toml:",
            "PROGRAMME_SUMS",
        ),
        ("no set", good().split_off(1), "documents[", "SET_COUNT"),
        (
            "a name with a path",
            misnamed,
            "documents[",
            "DOCUMENT_NAME",
        ),
        ("two of a name", twice, "documents[", "DOCUMENT_NAME"),
    ];
    for (case, files, field, said) in cases {
        for validate_only in [true, false] {
            let refused = publish(&operator, files.clone(), validate_only).await;
            let refused = refused.unwrap_err();
            assert_eq!(refused.code.as_deref(), Some("RULE_SET_INVALID"), "{case}");
            let mut violations = refused.violations.iter();
            let found =
                violations.any(|it| it.field.starts_with(field) && it.message.contains(said));
            assert!(found, "{case}: {refused}");
        }
    }
    let none = publish(&operator, Vec::new(), false).await.unwrap_err();
    assert_eq!(none.code.as_deref(), Some("MISSING"));
    assert_eq!(leaves(&operator).await, before);
    bank.check_log();
}

/// A directory of rule documents beside a bank.
fn directory(bank: &Bank, name: &str, files: &[v1::RuleFile]) -> PathBuf {
    let directory = bank.beside().join(name);
    fs::create_dir_all(&directory).unwrap();
    for file in files {
        fs::write(directory.join(&file.name), &file.text).unwrap();
    }
    directory
}

/// Runs `creditbank rules …` against a bank, as its operator.
fn rules(bank: &Bank, arguments: &[&str]) -> (Option<i32>, String, Vec<u8>) {
    let server = format!("http://{}", bank.grpc());
    let (key, public) = ("{dir}/operator.key", "{dir}/bank.pub");
    let fixed = ["--server", &server, "--key", key, "--bank", public];
    let arguments = [&["rules"], arguments, &fixed[..]].concat();
    let output = bank.run(&arguments);
    (output.status.code(), told(&output), output.stdout)
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy/rules")
        .join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_set_is_published_and_written_out_as_it_was() {
    let mut bank = Bank::new();
    for name in [
        "certificates",
        "delta",
        "elder-and-community",
        "korea-acbs",
        "shanghai-open",
    ] {
        let source = shipped(name);
        let from = source.to_str().unwrap();
        let (code, said, _) = rules(&bank, &["publish", from, "--validate-only"]);
        assert_eq!(code, Some(0), "{said}");
        let (code, said, published) = rules(&bank, &["publish", from, "--json"]);
        assert_eq!(code, Some(0), "{said}");
        let published: Value = serde_json::from_slice(&published).unwrap();
        let (_, _, hashed) = rules(&bank, &["hash", from, "--json"]);
        let hashed: Value = serde_json::from_slice(&hashed).unwrap();
        assert_eq!(published["hash"], hashed["hash"]);
        let (code, said, _) = rules(&bank, &["publish", from]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("RULE_SET_EXISTS"), "{said}");

        let written = bank.beside().join(name);
        let to = written.to_str().unwrap();
        let hash = published["hash"].as_str().unwrap();
        let (code, said, _) = rules(&bank, &["show", hash, "--directory", to]);
        assert_eq!(code, Some(0), "{said}");
        let mut documents = 0;
        for entry in fs::read_dir(&source).unwrap() {
            let path = entry.unwrap().path();
            let copy = fs::read(written.join(path.file_name().unwrap())).unwrap();
            assert!(copy == fs::read(&path).unwrap(), "{}", path.display());
            documents += 1;
        }
        assert_eq!(fs::read_dir(&written).unwrap().count(), documents);
        let (code, said, _) = rules(&bank, &["diff", to, "--in-force"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("0 changes"), "{said}");
    }
    let (code, said, listed) = rules(&bank, &["list", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 5);
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_say_by_their_exit_code_what_is_wrong() {
    let mut bank = Bank::new();
    let example = r#"
[[example]]
title = "学时"
programme = "leisure"
date = "2026-06-30"
outcomes = [{ id = 1, category = "elder-course", name = "国画", hours = "32", planned = 16, attended = 16, completed_on = "2025-06-20" }]
expect = { credits = "2" }
"#;
    let with_example = |version: &str, hours: &str| {
        let mut files = documents(version, r#"{ from = "2020-01-01" }"#, hours);
        files[1].text.push_str(example);
        files
    };
    let good = directory(&bank, "good", &with_example("1", "16"));
    let newer = directory(&bank, "newer", &with_example("2", "32"));
    let mut files = with_example("1", "16");
    files[1].text = files[1].text.replace("elder-course\" }", "elders\" }");
    let broken = directory(&bank, "broken", &files);
    let empty = directory(&bank, "empty", &[]);
    let (good, newer) = (good.to_str().unwrap(), newer.to_str().unwrap());
    let (broken, empty) = (broken.to_str().unwrap(), empty.to_str().unwrap());
    let nowhere = "/nonexistent/rules";
    for (arguments, code, text) in [
        (vec!["check", good], 0, "0 errors"),
        (vec!["check", good, broken], 1, "rules.toml:11"),
        (vec!["check", empty], 2, "no .toml document"),
        (vec!["check", nowhere], 2, "cannot read"),
        (vec!["test", good], 0, "1 of 1 examples passed"),
        (vec!["test", newer], 1, "0 of 1 examples passed"),
        (vec!["test", broken], 1, "rules.toml:11"),
        (vec!["diff", good, newer], 0, "1 credit for 32 hours"),
        (vec!["diff", good, good], 0, "0 changes"),
        (vec!["diff", good, broken], 1, "rules.toml:11"),
        (vec!["diff", good], 2, "two directories"),
        (vec!["hash", good], 0, "rules.toml"),
        (vec!["hash", nowhere], 2, "cannot read"),
        (vec!["publish", broken], 1, "rules.toml:11"),
        (vec!["show", "elders"], 1, "RULE_SET_UNKNOWN"),
        (vec!["publish", good], 0, "is published as"),
        (
            vec!["diff", newer, "--in-force"],
            0,
            "1 credit for 32 hours",
        ),
        (vec!["show", "elders"], 0, "programme  leisure"),
        (
            vec!["show", "elders", "--date", "2019-01-01"],
            1,
            "RULE_SET_UNKNOWN",
        ),
    ] {
        let (ended, said, _) = rules(&bank, &arguments);
        assert_eq!(ended, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(text), "{arguments:?}: {said}");
    }
    bank.check_log();
    let unreached = bank.run(&[
        "rules",
        "list",
        "--server",
        "http://127.0.0.1:1",
        "--bank",
        "{dir}/bank.pub",
    ]);
    assert_eq!(unreached.status.code(), Some(3), "{}", told(&unreached));
}
