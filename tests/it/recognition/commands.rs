//! The same through the commands, as learners' windows, experts and operators use them.

use std::fs;

use serde_json::Value;

use super::*;
use crate::bank::told;

/// The commands of one scene.
struct Commands<'a> {
    scene: &'a Scene,
    server: String,
}

impl<'a> Commands<'a> {
    fn of(scene: &'a Scene) -> Self {
        let keys = [&scene.college, &scene.other, &scene.window];
        for one in keys.into_iter().chain(&scene.experts) {
            let file = scene.bank.beside().join(format!("{}.key", one.id()));
            fs::write(file, one.keys.to_file()).expect("room for a key");
        }
        let server = format!("http://{}", scene.bank.grpc());
        Self { scene, server }
    }

    /// Runs a command in somebody's name; gives exit code and everything it said, and its result as JSON.
    fn run(&self, who: &str, arguments: &[&str]) -> (Option<i32>, String, Value) {
        let key = match who {
            "operator" => "{dir}/operator.key".to_owned(),
            who => format!("{}/{who}.key", self.scene.bank.beside().display()),
        };
        let fixed = [
            "--json",
            "--server",
            &self.server,
            "--bank",
            "{dir}/bank.pub",
            "--key",
            &key,
        ];
        let output = self.scene.bank.run(&[arguments, &fixed[..]].concat());
        let said = told(&output);
        let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), said, json)
    }

    /// The result of a command that must succeed.
    #[track_caller]
    fn done(&self, who: &str, arguments: &[&str]) -> Value {
        let (code, said, json) = self.run(who, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        json
    }

    /// A command that the bank must refuse with this code.
    #[track_caller]
    fn refused(&self, who: &str, arguments: &[&str], refusal: &str) {
        let (code, said, _) = self.run(who, arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains(refusal), "{arguments:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_plans_applies_and_is_decided_and_a_repeat_is_the_same_application() {
    let mut scene = Scene::new(0, 15).await;
    let painting = scene.elder("国画", 32).await.leaf_index.0;
    let commands = Commands::of(&scene);
    let learner = scene.learner.to_string();
    let aim = [&learner[..], "--rules", "works", "--programme", "nursing"];
    let simulated = commands.done("window", &[&["apply", "simulate"], &aim[..]].concat());
    assert_eq!(simulated["credits"], "2");
    let planned = commands.done("window", &[&["apply", "plan"], &aim[..]].concat());
    assert_eq!(planned["proven"], true);
    let submit = [&["apply", "submit"], &aim[..], &["--plan"]].concat();
    let submitted = commands.done("window", &submit);
    assert_eq!(
        (&submitted["state"], &submitted["duplicate"]),
        (&"decided".into(), &false.into())
    );
    let application = submitted["application"].to_string();
    let by_use = format!("elder-hours={painting}");
    let by_use = [&["apply", "submit"], &aim[..], &["--use", &by_use]].concat();
    let again = commands.done("window", &by_use);
    assert_eq!(
        (&again["application"], &again["duplicate"]),
        (&submitted["application"], &true.into())
    );
    let archive = commands.done("window", &["archive", &learner]);
    let mut records = archive.as_array().unwrap().iter();
    let record = records.find(|it| it["leaf_index"] == painting).unwrap();
    assert_eq!(
        record["used_by"],
        serde_json::json!([submitted["application"]])
    );
    let (code, said, _) = commands.run("window", &submit);
    assert_ne!(code, Some(0));
    assert!(said.contains("nothing in the archive"), "{said}");
    let appeal = ["apply", "appeal", &application, "--reason", "学时有误"];
    assert_eq!(commands.done("window", &appeal)["state"], "appealed");
    let reverse = ["review", "reverse", &application, "--reason", "申诉成立"];
    assert_eq!(commands.done("operator", &reverse)["state"], "reversed");
    let anew = commands.done("window", &by_use);
    assert_ne!(anew["application"], submitted["application"]);
    assert_eq!(anew["state"], "decided");
    let listed = commands.done("window", &["apply", "list", &learner]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn experts_and_operators_carry_an_application_through() {
    let mut scene = Scene::new(0, 0).await;
    let english = scene.course("英语").await.leaf_index.0;
    let commands = Commands::of(&scene);
    let learner = scene.learner.to_string();
    let by_use = format!("same-course={english}");
    let submit = ["apply", "submit", &learner, "--rules", "works"];
    let submit = [&submit[..], &["--programme", "nursing", "--use", &by_use]].concat();
    let application = commands.done("window", &submit)["application"].to_string();
    let list = ["review", "list", "--state", "submitted"];
    assert_eq!(commands.done("operator", &list)[0]["due_step"], "accept");
    let step = |step: &'static str| ["review", step, &application];
    commands.refused("operator", &step("decide"), "STEP_NOT_ALLOWED");
    commands.refused("college", &step("accept"), "APPLICATION_UNKNOWN");
    commands.refused("window", &step("accept"), "PERMISSION_DENIED");
    commands.done("operator", &step("accept"));
    let vote = [
        "review",
        "vote",
        &application,
        "--approve",
        "--reason",
        "相当",
    ];
    commands.done("expert-1", &vote);
    commands.done("expert-1", &vote);
    for next in ["notice", "decide", "close"] {
        commands.done("operator", &step(next));
    }
    let shown = commands.done("expert-1", &["review", "show", &application]);
    assert_eq!(shown["state"], "closed");
    assert_eq!(shown["steps"].as_array().unwrap().len(), 5);
    assert_eq!(shown["evaluation"]["credits"], "3");
    // For people, in Chinese.
    let output = scene.bank.run(&[
        "apply",
        "show",
        &application,
        "--server",
        &commands.server,
        "--bank",
        "{dir}/bank.pub",
        "--key",
        &format!("{}/window.key", scene.bank.beside().display()),
    ]);
    assert!(told(&output).contains("第六条"), "{}", told(&output));
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_proposed_reviewed_and_admitted_by_commands() {
    let mut scene = Scene::new(0, 0).await;
    let commands = Commands::of(&scene);
    let propose = [
        "standard",
        "propose",
        "piano-2026",
        "--title",
        "钢琴（初级）",
        "--category",
        "elder-course",
        "--rules",
        "open",
        "--standard",
        "open",
    ];
    assert_eq!(commands.done("college", &propose)["state"], "proposed");
    let which = |step: &'static str| vec!["standard", step, "college", "piano-2026"];
    let with = |step, more: &[&'static str]| [&which(step)[..], more].concat();
    commands.refused("operator", &with("decide", &["--admit"]), "PANEL_TOO_SMALL");
    commands.done("expert-1", &with("review", &["--approve"]));
    commands.refused("expert-1", &with("review", &["--reject"]), "ALREADY_VOTED");
    commands.refused(
        "college",
        &with("decide", &["--admit"]),
        "PERMISSION_DENIED",
    );
    let admit = with("decide", &["--admit", "--expires-on", "2030-12-31"]);
    let admitted = commands.done("operator", &admit);
    assert_eq!(
        (&admitted["state"], &admitted["expires_on"]),
        (&"admitted".into(), &"2030-12-31".into())
    );
    assert_eq!(
        commands.done("operator", &which("suspend"))["state"],
        "suspended"
    );
    let listed = commands.done("operator", &["standard", "list", "--state", "suspended"]);
    assert_eq!(listed[0]["project"], "piano-2026");
    let resumed = commands.done("operator", &with("suspend", &["--resume"]));
    assert_eq!(resumed["state"], "admitted");
    scene.bank.check_log();
}
