//! What `deploy/RUNBOOK.md` tells to do is done: its blocks run, and every command in it exists.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::{deploy, system};
use crate::bank::{command, told};

/// Blocks of one kind, with the line at which each begins.
fn blocks(kind: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(deploy("RUNBOOK.md")).expect("it is there");
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(opens)) => {
                let wanted = opens == kind;
                open = Some((if wanted { number } else { 0 }, String::new()));
            }
            (Some(_), Some(_)) => found.extend(open.take().filter(|(at, _)| *at > 0)),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Addresses that are free; held together, so that they differ.
fn free() -> [SocketAddr; 5] {
    let ports = [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    ports.map(|it| it.local_addr().expect("it is bound"))
}

#[test]
fn every_block_of_the_runbook_that_can_run_does() {
    let blocks = blocks("sh run");
    assert!(blocks.len() >= 7, "{} blocks", blocks.len());
    let folder = tempfile::tempdir().expect("a folder");
    let [grpc, http, metrics, web, web_metrics] = free();
    let program = Path::new(env!("CARGO_BIN_EXE_creditbank"));
    // Whatever happens, nothing is left running.
    let mut script = String::from("set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n");
    script.push_str(&format!(
        "PATH={}:$PATH\n",
        program.parent().expect("a folder").display()
    ));
    for (name, value) in [
        ("GRPC", grpc.to_string()),
        ("HTTP", http.to_string()),
        ("METRICS", metrics.to_string()),
        ("SERVER", format!("http://{grpc}")),
        ("BANK", "bank/bank.pub".to_owned()),
        ("GATEWAY_LISTEN", web.to_string()),
        ("GATEWAY_METRICS", web_metrics.to_string()),
        ("GATEWAY_BANK_URL", format!("http://{grpc}")),
        ("GATEWAY_LOG_URL", format!("http://{http}")),
    ] {
        script.push_str(&format!("export CREDITBANK_{name}={value}\n"));
    }
    // What the test runner tells the tests is no setting.
    script.push_str(
        "unset CREDITBANK_PYTHON CREDITBANK_NODE_MODULES CREDITBANK_OIDC CREDITBANK_SCHEMATHESIS\nunset CREDITBANK_LOSSY\n",
    );
    for (line, block) in &blocks {
        script.push_str(&format!("echo 'RUNBOOK.md:{line}'\n{block}"));
    }
    script.push_str("echo done\n");
    let file = folder.path().join("runbook.sh");
    fs::write(&file, script).expect("room");
    let run = format!(
        "cd {} && exec bash runbook.sh 2>&1",
        folder.path().display()
    );
    let Some(output) = system("timeout", &["300", "bash", "-c", &run]) else {
        return;
    };
    let logs = ["bank.log", "gateway.log"]
        .map(|it| fs::read_to_string(folder.path().join(it)).unwrap_or_default());
    assert!(
        output.status.success(),
        "{}\n{}",
        told(&output),
        logs.join("\n")
    );
    assert!(told(&output).ends_with("done\n"), "{}", told(&output));
}

#[test]
fn every_command_of_the_runbook_exists() {
    let all = [blocks("sh run"), blocks("sh")].concat();
    let words = all.iter().flat_map(|(_, it)| {
        it.split("creditbank ")
            .skip(1)
            .map(|it| it.split_whitespace().next())
    });
    let commands: BTreeSet<&str> = words
        .flatten()
        .filter(|it| it.bytes().all(|b| b.is_ascii_lowercase()))
        .collect();
    assert!(commands.len() > 8, "{commands:?}");
    for name in commands {
        let help = command()
            .args([name, "--help"])
            .output()
            .expect("the binary was built");
        assert!(help.status.success(), "creditbank {name}: {}", told(&help));
    }
}
