//! The OpenAPI document and what the gateway does, held against each other by schemathesis.

use std::process::Command;

use super::fixture::Scene;
use crate::bank::told;

/// Examples of each operation: bounded, so that a run ends within a minute.
const EXAMPLES: &str = "25";

/// The program, which `cargo xtask test` installs and names.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of what the task runner tells the tests"
)]
fn program() -> Option<String> {
    let program = std::env::var("CREDITBANK_SCHEMATHESIS").ok();
    assert!(
        program.is_some() || std::env::var("CI").is_err(),
        "CI has no schemathesis: run `cargo xtask test`"
    );
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_is_what_its_document_says() {
    let Some(program) = program() else {
        println!("SKIPPED: CREDITBANK_SCHEMATHESIS is not set; `cargo xtask test` sets it");
        return;
    };
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let token = browser.csrf();
    let cookie = format!("Cookie: session={}", browser.cookies["session"]);
    let output = Command::new(program)
        .current_dir(scene.web())
        .env("NO_COLOR", "1")
        .arg("run")
        .arg(format!("http://{}/v1/openapi.json", scene.address()))
        .args([
            "--header",
            &cookie,
            "--header",
            &format!("X-CSRF-Token: {token}"),
        ])
        .args(["--checks", "all", "--max-examples", EXAMPLES, "--seed", "1"])
        // A document cannot say which leaves there are, and the run itself sends cookie and token with every request, also
        // with those that are to be wrong by having none.
        .args([
            "--exclude-checks",
            "positive_data_acceptance,negative_data_rejection",
        ])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--workers",
            "2",
            "--no-color",
        ])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", told(&output));
    drop(browser.get("/v1/me").is(200));
}
