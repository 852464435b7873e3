//! A set that is still to come is held against what was decided: which decisions would come out otherwise, and how.

use std::fs;

use creditbank_client::Bank as Connection;

use super::recomputed::decided;
use super::*;
use crate::bank::told;

/// The next version, in which an hour of elder classes is worth a quarter of what it was.
fn next() -> String {
    rules("2", 0, 0, "").replace("per_hours = \"16\"", "per_hours = \"64\"")
}

/// Every message of a comparison.
async fn compare(
    line: &Connection,
    text: &str,
) -> Result<Vec<v1::CompareDecisionsResponse>, String> {
    let document = v1::RuleFile {
        name: "set.toml".into(),
        text: text.to_owned(),
    };
    let request = v1::CompareDecisionsRequest {
        documents: vec![document],
        ..Default::default()
    };
    let answer = line.rules().compare_decisions(request).await;
    let mut answers = answer.map_err(code)?.into_inner();
    let mut told = Vec::new();
    while let Some(message) = answers.message().await.map_err(code)? {
        told.push(message);
    }
    Ok(told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_to_come_tells_which_standing_decisions_it_would_change() {
    let mut scene = decided().await;
    let before = scene.leaves().await;
    let told = compare(&scene.operator, &next()).await.unwrap();
    let [told] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (told.compared, told.different, told.declined, told.gone),
        (2, 1, 1, 0),
        "the reversed decision stands no longer"
    );
    assert!(told.done);
    let found = &told.differences[0];
    let changed = scene.file(found.application).await;
    assert_eq!(changed.form.unwrap().uses[0].rule, "elder-hours");
    // The cap of three left one credit of two, beside the decision that stood then.
    assert_eq!(
        (found.credits_hundredths, found.credits_hundredths_again),
        (100, 50)
    );
    let credits = |lines: &[v1::Line]| lines.iter().map(|it| it.credits_hundredths).collect();
    let both: (Vec<_>, Vec<_>) = (credits(&found.lost), credits(&found.gained));
    assert_eq!(both, (vec![100], vec![50]));

    let same = compare(&scene.operator, &rules("3", 0, 0, "")).await;
    let same = same.unwrap().pop().unwrap();
    assert_eq!((same.compared, same.different), (2, 0));
    let gone = rules("4", 0, 0, "").replace("id = \"elder-hours\"", "id = \"elder\"");
    let gone = gone.replace("rules = [\"elder-hours\"]", "rules = [\"elder\"]");
    let gone = compare(&scene.operator, &gone)
        .await
        .unwrap()
        .pop()
        .unwrap();
    let found = &gone.differences[0];
    assert_eq!(found.refused[0].code, "RULE_UNKNOWN");
    assert_eq!(found.credits_hundredths_again, 0);
    let other = next().replace("id = \"works\"", "id = \"other\"");
    let other = compare(&scene.operator, &other).await.unwrap();
    assert_eq!(other[0].compared, 0, "nothing was decided under that set");

    assert_eq!(
        compare(&scene.window.line, &next()).await,
        Err("PERMISSION_DENIED".into())
    );
    assert_eq!(
        compare(&scene.operator, "nonsense").await,
        Err("RULE_SET_INVALID".into())
    );
    assert_eq!(scene.leaves().await, before, "a comparison writes nothing");
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_officer_reads_it_as_words() {
    let scene = decided().await;
    let directory = scene.bank.beside().join("next");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("set.toml"), next()).unwrap();
    let server = format!("http://{}", scene.bank.grpc());
    let arguments = |more: &[&str]| {
        let directory = directory.display().to_string();
        let fixed = [
            "rules",
            "diff",
            &directory,
            "--in-force",
            "--server",
            &server,
        ];
        let fixed = fixed.into_iter().chain(["--bank", "{dir}/bank.pub"]);
        let all: Vec<_> = fixed
            .chain(more.iter().copied())
            .map(str::to_owned)
            .collect();
        all
    };
    let run = |more: &[&str]| {
        let arguments = arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        scene.bank.run(&arguments)
    };
    let operator = ["--decisions", "--key", "{dir}/operator.key"];
    let output = run(&[&operator[..], &["--language", "zh"]].concat());
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 → 0.5 学分"), "{said}");
    assert!(said.contains("2 项有效决定，1 项结果不同"), "{said}");
    let output = run(&[&operator[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["decisions"]["differences"][0]["credits_again"], "0.5");
    assert!(!json["changes"].as_array().unwrap().is_empty());
    let nobody = run(&["--decisions"]);
    assert_eq!(nobody.status.code(), Some(2), "{}", told(&nobody));
}
