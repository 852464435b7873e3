//! `creditbank doctor` finds what an operator would only notice when it is too late, and nothing where all is well.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::backup::back_up;
use crate::bank::{Bank, told};
use crate::institution::Institution;

/// What is found, as check and text, and the exit code. How full the disk of the test is does not matter here.
fn findings(bank: &Bank) -> (Vec<(String, String)>, Option<i32>) {
    let output = bank.run(&["doctor", "{dir}", "--format", "json"]);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
    let checks = report["checks"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let found = checks.iter().filter(|it| it["state"] == "finding");
    let found: Vec<_> = found
        .map(|it| {
            (
                text(&it["check"]),
                text(&it["says"]) + " " + &text(&it["do"]),
            )
        })
        .collect();
    assert_eq!(report["findings"], found.len(), "{}", told(&output));
    let found = found.into_iter().filter(|(check, _)| check != "disk");
    (found.collect(), output.status.code())
}

/// Demands one finding, of this check, that says this.
#[track_caller]
fn finds(bank: &Bank, check: &str, says: &str) {
    let (found, code) = findings(bank);
    let [(found, said)] = &found[..] else {
        panic!("not one finding but {found:?}");
    };
    assert!(found == check && said.contains(says), "{found}: {said}");
    assert_eq!(code, Some(1));
}

/// Does something to a file, and undoes it after `then`.
fn with(path: &Path, text: &str, then: impl FnOnce()) {
    let before = fs::read(path).unwrap();
    fs::write(path, text).unwrap();
    then();
    fs::write(path, before).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_each_thing_that_is_wrong_and_nothing_else() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    finds(&bank, "backup", "none was ever finished");
    back_up(&bank, &[]);
    assert_eq!(findings(&bank).0, [], "while the bank runs");
    bank.stop();
    assert_eq!(findings(&bank).0, [], "while it does not");

    let secret = |name: &str| bank.dir().join("secrets").join(name);
    let mode = |mode| fs::set_permissions(secret("log.key"), fs::Permissions::from_mode(mode));
    mode(0o644).unwrap();
    finds(&bank, "permissions", "chmod 600");
    mode(0o600).unwrap();

    let noted = bank.dir().join("backup.noted");
    with(&noted, r#"{"finished_at_s": 1000, "leaves": 1}"#, || {
        finds(&bank, "backup", "hours ago, with 1 leaves ");
    });
    let text = fs::read_to_string(&noted).unwrap();
    with(
        &noted,
        &text.replace("\"failed\":0", "\"failed\":1"),
        || {
            finds(&bank, "backup", "1 attempts have failed since");
        },
    );
    with(&noted, "{", || finds(&bank, "backup", "cannot be read"));

    let copy = bank.dir().join("copy");
    fs::create_dir(&copy).unwrap();
    finds(&bank, "leftovers", "a backup that was cut off");
    fs::remove_dir(&copy).unwrap();

    let other = Bank::made();
    let of_other = |name: &str| fs::read_to_string(other.dir().join(name)).unwrap();
    with(&bank.dir().join("bank.pub"), &of_other("bank.pub"), || {
        finds(&bank, "keys", "does not list the public half");
    });
    let wrong = of_other("secrets/key-encryption.key");
    with(&secret("key-encryption.key"), &wrong, || {
        finds(&bank, "learners' keys", "does not open them");
    });
    with(&secret("bank.key"), &of_other("secrets/bank.key"), || {
        finds(&bank, "bank key", "not a key that the log names");
    });
    with(&secret("seal.key"), "no key", || {
        let (found, _) = findings(&bank);
        assert!(
            found.len() == 1 && found[0].1.contains("seal.key"),
            "{found:?}"
        );
    });

    let settings = bank.dir().join("bank.toml");
    let text = fs::read_to_string(&settings).unwrap();
    with(&settings, &format!("colour = \"red\"\n{text}"), || {
        finds(&bank, "settings", "colour");
    });
    let files = [("cert.pem", "no certificate"), ("key.pem", "no key")];
    for (name, text) in files {
        fs::write(bank.dir().join(name), text).unwrap();
    }
    let served = format!("tls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"\n{text}");
    with(&settings, &served, || finds(&bank, "certificate", "no PEM"));
    let peer = format!(
        "{text}\n[[peer]]\nid = \"jiangsu\"\ngrpc = \"http://127.0.0.1:1\"\nhttp = \"http://127.0.0.1:1\"\nlog_keys = [\"{}\"]\n",
        of_other("bank.pub").trim()
    );
    with(&settings, &peer, || finds(&bank, "peer", "jiangsu"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_a_log_that_falls_short_and_a_clock_that_is_behind() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    back_up(&bank, &[]);
    bank.stop();
    bank.backup("old");
    bank.start_with(&["--clock-shift", "7200"]);
    let fudan = Institution::known(&bank, fudan.keys).await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    bank.stop();
    finds(&bank, "clock", "the last entry was made at");
    bank.restore("old", "db");
    finds(&bank, "log", "1 acknowledged records are missing");
    fs::remove_file(bank.dir().join("anchor")).unwrap();
    finds(&bank, "anchor", "anchor");
    fs::create_dir(bank.dir().join("db.restoring")).unwrap();
    fs::remove_dir_all(bank.dir().join("db")).unwrap();
    bank.restore("old", "anchor");
    let (found, _) = findings(&bank);
    let checks: Vec<_> = found.iter().map(|(check, _)| &**check).collect();
    assert_eq!(checks, ["leftovers", "log"], "{found:?}");
}
