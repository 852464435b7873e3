//! The verifiers in Node and Python, which `cargo xtask test` sets up and names. Both read cases and write verdicts, a line
//! of JSON each; `tests/credentials/verify.mjs` says what they hold.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A verifier to be started.
pub(crate) struct Verifier {
    name: &'static str,
    command: Command,
}

/// What the task runner tells the tests; in CI it must.
#[expect(
    clippy::disallowed_methods,
    reason = "the home of what the task runner tells the tests"
)]
fn told(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    assert!(
        value.is_some() || std::env::var("CI").is_err(),
        "CI has no {name}: run `cargo xtask test`"
    );
    if value.is_none() {
        println!("SKIPPED: {name} is not set; `cargo xtask test` sets it");
    }
    value
}

/// The folder of the workspace, whichever package's tests these are.
pub(crate) fn root() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let is_root = |folder: &&Path| folder.join("proto").is_dir();
    folders
        .find(is_root)
        .expect("the workspace has a folder proto")
}

fn file(name: &str) -> PathBuf {
    root().join("tests/credentials").join(name)
}

/// `@digitalbazaar/vc`, jsonld.js and canonicalize under Node.
pub(crate) fn node() -> Option<Verifier> {
    let modules = told("CREDITBANK_NODE_MODULES")?;
    let script = std::fs::read_to_string(file("verify.mjs")).expect("the script is there");
    let mut command = Command::new("node");
    command
        .current_dir(modules)
        .args(["--input-type=module", "--eval"])
        .arg(script)
        .arg(root().join("crates/credential/contexts"));
    Some(Verifier {
        name: "node",
        command,
    })
}

/// openbadgeslib, openvc-core and jsonschema under Python.
pub(crate) fn python() -> Option<Verifier> {
    let mut command = Command::new(told("CREDITBANK_PYTHON")?);
    command
        .arg(file("verify.py"))
        .arg(root().join("tests/data/schemas"));
    Some(Verifier {
        name: "python",
        command,
    })
}

impl Verifier {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The verdicts of all cases, in their order.
    pub(crate) fn ask(&mut self, cases: Vec<Value>) -> Vec<Value> {
        let mut process = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the verifier starts");
        let mut input = process.stdin.take().expect("piped");
        let count = cases.len();
        let writer = std::thread::spawn(move || {
            for case in cases {
                // A verifier that ended is seen by its missing verdicts.
                if writeln!(input, "{case}").is_err() {
                    return;
                }
            }
        });
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let verdicts: Vec<Value> = output
            .lines()
            .map(|line| serde_json::from_str(&line.expect("text")).expect("a verdict is JSON"))
            .collect();
        writer.join().expect("the writer ends");
        let status = process.wait().expect("the verifier ends");
        assert!(status.success(), "{} ended with {status}", self.name);
        assert_eq!(verdicts.len(), count, "{} gave every verdict", self.name);
        verdicts
    }

    /// One verdict.
    pub(crate) fn ask_one(&mut self, case: Value) -> Value {
        self.ask(vec![case]).remove(0)
    }
}
