//! Copies of a public log: what the bank serves, byte for byte, and what a restore puts back from one.

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_client::Refused;
use creditbank_wire::v1;

use crate::backup::{back_up, elsewhere, target};
use crate::bank::{Bank, leaves, told};
use crate::http;
use crate::institution::{Institution, admission, digits, keys};
use crate::views;

/// Brings the copy beside the bank up to date; gives what was said, and whether it was done.
fn mirror(from: &Bank, into: &Path) -> (String, bool) {
    let (url, public) = (
        format!("http://{}", from.http()),
        from.dir().join("bank.pub"),
    );
    let [into, public] = [into, &public].map(|path| path.to_str().expect("UTF-8"));
    let output = from.run(&["mirror", &url, into, "--bank", public]);
    (told(&output), output.status.success())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_is_what_the_bank_serves_and_shows_a_fork() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    let into = bank.beside().join("mirror");
    for round in 0..3 {
        let records = (0..200).map(|i| fudan.course(&format!("{round}/{i}"), learner));
        fudan.deposit(&bank, records.collect()).await;
        let (said, is_done) = mirror(&bank, &into);
        assert!(
            is_done && (round == 0) != said.contains("new             200"),
            "{said}"
        );
    }
    let found = files(&into);
    // 602 leaves: two full bundles and what was left in each round, tiles alike, and the checkpoint.
    assert!(found.len() > 8, "{found:?}");
    for path in found {
        let resource = path.strip_prefix(&into).unwrap().to_str().unwrap();
        let served = http::get(bank.http(), &format!("/{resource}"));
        assert_eq!(served.status, 200, "{resource}");
        assert!(served.body == fs::read(&path).unwrap(), "{resource}");
    }
    let (said, is_done) = mirror(&bank, &into);
    assert!(is_done && said.contains("new             0"), "{said}");
    bank.stop();
    let mut twin = bank.twin();
    bank.start();
    twin.start();
    grow(&bank, &["one"]).await;
    grow(&twin, &["two", "three"]).await;
    assert!(mirror(&bank, &into).1);
    let before = fs::read(into.join("checkpoint")).unwrap();
    let (said, is_done) = mirror(&twin, &into);
    assert!(!is_done && said.contains("another history"), "{said}");
    assert_eq!(fs::read(into.join("checkpoint")).unwrap(), before);
}

/// Adds leaves to a log: one an institution.
async fn grow(bank: &Bank, names: &[&str]) {
    let mut registry = bank.operator().await.registry();
    for name in names {
        let request = admission(&keys(name), v1::Role::Auditor, &[]);
        let created = registry.create_institution(request).await;
        created.expect("the operator admits institutions");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_behind_the_backup_come_back_from_a_mirror_and_erasures_with_them() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (stays, gone) = (fudan.enrol("stays").await, fudan.enrol("gone").await);
    let learner = |i: usize| if i.is_multiple_of(2) { gone } else { stays };
    let records = (0..300).map(|i| fudan.course(&i.to_string(), learner(i)));
    fudan.deposit(&bank, records.collect()).await;
    back_up(&bank, &[]);
    grow(&bank, &["one", "two"]).await;
    bank.erase(gone).await;
    let into = bank.beside().join("mirror");
    assert!(mirror(&bank, &into).1);
    let report = bank.check_log();
    let rows = views::rows(&bank);
    let (from, copy) = (target(&bank), into.to_str().unwrap().to_owned());
    let restore = [
        "restore",
        from.to_str().unwrap(),
        "{dir}",
        "--mirror",
        &copy,
    ];
    let mut other = elsewhere(&bank);
    let said = told(&other.run(&restore));
    for wanted in [
        "refilled        3 leaves from the mirror, 0 of them without payload",
        "erased again    1",
    ] {
        assert!(said.contains(wanted), "{wanted:?} is not said in: {said}");
    }
    assert!(
        views::rows(&other) == rows,
        "the views are those of the lost bank"
    );
    assert_eq!(other.check_log(), report);
    other.start();
    let request = v1::GetTotalsRequest {
        learner: digits(gone),
    };
    let totals = other.operator().await.archive().get_totals(request).await;
    assert_eq!(
        Refused::new(totals.unwrap_err()).code.as_deref(),
        Some("LEARNER_UNKNOWN")
    );
    other.check_log();

    // A batch whose rows were not all created, and payloads that no public log has.
    bank.start();
    let fudan = Institution::known(&bank, fudan.keys).await;
    let again = [fudan.course("1", stays), fudan.course("late", stays)];
    fudan.submit(again.to_vec()).await.unwrap();
    let late = (0..100).map(|i| fudan.course(&format!("late {i}"), stays));
    let places = fudan.deposit(&bank, late.collect()).await;
    assert!(mirror(&bank, &into).1);
    let request = v1::GetReceiptRequest {
        leaf_index: places[70].leaf_index.0,
    };
    let receipt = bank
        .anybody()
        .await
        .log()
        .get_receipt(request)
        .await
        .unwrap();
    let size = leaves(&bank.anybody().await).await;
    bank.stop();
    let mut other = elsewhere(&bank);
    let said = told(&other.run(&restore));
    let wanted = "refilled        104 leaves from the mirror, 101 of them without payload";
    assert!(said.contains(wanted), "{said}");
    other.start();
    let there = other.anybody().await;
    assert_eq!(leaves(&there).await, size);
    let same = there.log().get_receipt(request).await.unwrap();
    assert_eq!(
        same.get_ref(),
        receipt.get_ref(),
        "receipts that were given hold as they are"
    );
    other
        .verifier()
        .verify_receipt(same.get_ref(), None)
        .unwrap();
    let fudan = Institution::known(&other, fudan.keys).await;
    fudan
        .deposit(&other, vec![fudan.course("afterwards", stays)])
        .await;
    other.check_log();
    // A copy that was changed, or ends too early, is refused, and nothing is left of the attempt.
    let mut third = elsewhere(&bank);
    let bundle = into.join(format!("tile/entries/001.p/{}", size - 256));
    let mut bytes = fs::read(&bundle).unwrap();
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let output = third.run(&restore);
    assert!(
        !output.status.success() && !third.dir().join("db").exists(),
        "{}",
        told(&output)
    );
    assert!(third.refuses_to_start().contains("holds no database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_anchor_is_made_again_from_what_others_have_seen() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    bank.stop();
    bank.backup("old");
    bank.start();
    let fudan = Institution::known(&bank, fudan.keys).await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    let into = bank.beside().join("mirror");
    assert!(mirror(&bank, &into).1);
    // As a power cut leaves it: in its log of writes alone.
    fudan.deposit(&bank, vec![fudan.course("2", learner)]).await;
    bank.kill();
    let path = bank.dir().join("anchor");
    let anchor = ["anchor", "{dir}", "--mirror", into.to_str().unwrap()];
    let refused = |bank: &Bank, arguments: &[&str], says: &str| {
        let output = bank.run(arguments);
        let said = told(&output);
        assert!(
            output.status.code() == Some(2) && said.contains(says),
            "{said}"
        );
    };
    refused(&bank, &anchor, "is there");
    fs::remove_file(&path).unwrap();
    assert!(bank.refuses_to_start().contains("anchor"));
    refused(&bank, &anchor[..2], "nobody says how far this log went");
    let own = bank.dir().join("bank.pub");
    let kept = fs::read(&own).unwrap();
    fs::write(&own, fs::read(Bank::made().dir().join("bank.pub")).unwrap()).unwrap();
    refused(&bank, &anchor, "is not of this bank");
    fs::write(&own, kept).unwrap();
    // A database that is behind what the mirror has seen.
    bank.backup("whole");
    bank.restore("old", "db");
    refused(&bank, &anchor, "acknowledged records are missing");
    assert!(!path.exists());
    bank.restore("whole", "db");
    let made = bank.run(&anchor);
    assert!(made.status.success(), "{}", told(&made));
    assert_eq!(bank.check_log()["leaves"], 4);
    bank.start();
    let fudan = Institution::known(&bank, fudan.keys).await;
    fudan.deposit(&bank, vec![fudan.course("3", learner)]).await;
    bank.check_log();
}
