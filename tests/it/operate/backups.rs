//! A bank whose backups fail, or have stopped, says so.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::metrics::Told;
use crate::backup::{back_up, target};
use crate::bank::{Bank, told};
use crate::institution::Institution;

/// What the bank tells of its backups: when the last was finished, its leaves, and failures since.
fn known(bank: &Bank) -> [f64; 3] {
    let told = Told::of(bank.metrics());
    ["timestamp_seconds", "leaves", "failures"]
        .map(|it| told.get(&format!("creditbank_backup_{it}")))
}

/// When the one backup that is there says it was made.
fn made_at(target: &Path) -> f64 {
    let mut manifests = fs::read_dir(target.join("backups")).expect("backups");
    let manifest = manifests.next().expect("one").expect("readable").path();
    let manifest = fs::read(manifest).expect("readable");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    manifest["made_at_s"].as_f64().expect("seconds")
}

/// Tries to back the bank up in a way that must fail.
#[track_caller]
fn fails(bank: &Bank, server: &str, into: &str) {
    let output = bank.run(&["backup", "make", "{dir}", into, "--server", server]);
    assert!(!output.status.success(), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_tells_when_it_was_last_backed_up_and_how_often_that_has_failed_since() {
    let mut bank = Bank::made();
    bank.start_with(&["--metrics", "127.0.0.1:0"]);
    assert_eq!(known(&bank), [0.0; 3]);
    let into = target(&bank);
    let into = into.to_str().expect("UTF-8");
    // Nobody answers there.
    fails(&bank, "http://127.0.0.1:1", into);
    assert_eq!(known(&bank), [0.0, 0.0, 1.0]);
    back_up(&bank, &[]);
    let [at, leaves, failures] = known(&bank);
    let since_made = at - made_at(&target(&bank));
    assert!((0.0..120.0).contains(&since_made), "{since_made}");
    let size = Told::of(bank.metrics()).get("creditbank_tree_size");
    assert_eq!((leaves, failures), (size, 0.0));
    // The target is no folder; then the operator's key is no longer one.
    let server = format!("http://{}", bank.grpc());
    let file = bank.beside().join("file");
    fs::write(&file, "").expect("room");
    fails(&bank, &server, file.to_str().expect("UTF-8"));
    let key = bank.dir().join("operator.key");
    fs::rename(&key, bank.beside().join("operator.key")).expect("it is there");
    fails(&bank, &server, into);
    fs::rename(bank.beside().join("operator.key"), &key).expect("it is there");
    assert_eq!(known(&bank), [at, size, 2.0]);
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    bank.kill();
    bank.start_with(&["--metrics", "127.0.0.1:0"]);
    assert_eq!(known(&bank), [at, size, 2.0], "a restart forgets nothing");
    back_up(&bank, &[]);
    let [again, leaves, failures] = known(&bank);
    assert!(again >= at && leaves > size, "{again} {leaves}");
    assert_eq!(failures, 0.0);
    bank.check_log();
}
