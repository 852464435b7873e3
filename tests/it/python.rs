//! A partner without our SDK: Python with grpcio and the proto files alone.

use std::path::Path;
use std::process::Command;

use crate::bank::{Bank, ORIGIN, told};
use crate::institution::{Institution, seed};

/// The Python of the tests, which `cargo xtask test` sets up and names.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of what the task runner tells the tests"
)]
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("CREDITBANK_PYTHON").ok();
    assert!(
        python.is_some() || std::env::var("CI").is_err(),
        "CI has no Python: run `cargo xtask test`"
    );
    python
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_in_python_deposits_and_verifies_from_the_proto_files_alone() {
    let Some(python) = python() else {
        println!("SKIPPED: CREDITBANK_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let mut bank = Bank::new();
    let _fudan = Institution::new(&bank, "fudan").await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(root.join("tests/python/partner.py"))
        .args(["--proto", root.join("proto").to_str().unwrap()])
        .args(["--server", &bank.grpc().to_string()])
        .args(["--bank-key", &bank.public_key().to_string()])
        .args(["--origin", ORIGIN, "--institution", "fudan"])
        .args([
            "--sign",
            &hex(&seed("fudan", "sign")),
            "--authenticate",
            &hex(&seed("fudan", "authenticate")),
        ])
        .output()
        .expect("the Python of the tests runs");
    assert!(output.status.success(), "{}", told(&output));
    assert!(
        told(&output).contains("5 records verified"),
        "{}",
        told(&output)
    );
    assert_eq!(bank.check_log()["leaves"], 2 + 5);
}
