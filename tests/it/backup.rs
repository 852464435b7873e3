//! Backups: what was acknowledged comes back on another machine, whole or not at all, and nobody who was erased does.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use creditbank_client::Refused;
use creditbank_domain::{LeafIndex, LearnerCode};
use creditbank_store::{Store, StoreOptions};
use creditbank_wire::v1;

use crate::bank::{Bank, leaves, told};
use crate::erase::{Traces, found};
use crate::institution::{Institution, course, digits};
use crate::python::python;
use crate::views;

/// Where backups lie, beside the bank.
pub(crate) fn target(bank: &Bank) -> PathBuf {
    bank.beside().join("backups")
}

/// Runs a command that must succeed; gives what it said.
#[track_caller]
fn done(bank: &Bank, arguments: &[&str]) -> String {
    let output = bank.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// Runs a command that must not succeed; gives its exit code, and what it said.
#[track_caller]
fn refused(bank: &Bank, arguments: &[&str]) -> (Option<i32>, String) {
    let output = bank.run(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", told(&output));
    (output.status.code(), told(&output))
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Backs a running bank up.
#[track_caller]
pub(crate) fn back_up(bank: &Bank, more: &[&str]) -> String {
    let (target, server) = (target(bank), format!("http://{}", bank.grpc()));
    let arguments = [
        "backup",
        "make",
        "{dir}",
        utf8(&target),
        "--server",
        &server,
    ];
    done(bank, &[&arguments[..], more].concat())
}

/// What a line of a report says.
fn line<'a>(report: &'a str, name: &str) -> &'a str {
    let line = report.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {report}"))
        .trim()
}

/// The folder of a bank on another machine: what its operator keeps apart from backups, and no database.
pub(crate) fn elsewhere(bank: &Bank) -> Bank {
    let other = bank.twin();
    fs::remove_dir_all(other.dir().join("db")).unwrap();
    fs::remove_file(other.dir().join("anchor")).unwrap();
    other
}

/// Everything that learners have, by family, but for what the views are folded from.
fn learners(bank: &Bank) -> BTreeSet<(u64, Vec<u8>, Option<Vec<u8>>)> {
    let store = Store::open_read_only(&bank.dir().join("db"), &StoreOptions::default()).unwrap();
    let mut rows = BTreeSet::new();
    let mut codes = Vec::new();
    store
        .snapshot()
        .learners(|code, row| codes.push((code, row.sealed_profile)))
        .unwrap();
    for (code, profile) in codes {
        rows.insert((code, profile, store.wrapped_key(code).unwrap()));
    }
    rows
}

/// A learner's wrapped key, as a trace to look for.
fn key_of(bank: &Bank, copy: &str, learner: LearnerCode) -> Traces {
    bank.backup(copy);
    let place = bank.beside().join(copy).join("db");
    let store = Store::open(&place, &StoreOptions::default()).unwrap();
    let key = store.wrapped_key(learner.as_u64()).unwrap();
    vec![("wrapped key".to_owned(), key.expect("the learner is there"))]
}

async fn totals(bank: &Bank, learner: LearnerCode) -> Result<v1::Totals, Refused> {
    let request = v1::GetTotalsRequest {
        learner: digits(learner),
    };
    let answer = bank.operator().await.archive().get_totals(request).await;
    answer
        .map(tonic::Response::into_inner)
        .map_err(Refused::new)
}

/// Deposits batches one after the other while `meanwhile` runs.
async fn deposit_while<T: Send + 'static>(
    bank: &Bank,
    fudan: &Institution,
    learner: LearnerCode,
    meanwhile: impl FnOnce() -> T + Send + 'static,
) -> T {
    let mut work = tokio::task::spawn_blocking(meanwhile);
    for number in 0.. {
        let records = (0..20).map(|i| fudan.course(&format!("meanwhile {number}/{i}"), learner));
        fudan.deposit(bank, records.collect()).await;
        if work.is_finished() {
            break;
        }
    }
    (&mut work).await.expect("it does not panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_bank_comes_back_on_another_machine_as_it_was_backed_up() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (stays, gone) = (fudan.enrol("stays").await, fudan.enrol("gone").await);
    let learner = |i: usize| if i.is_multiple_of(2) { gone } else { stays };
    let records = (0..300).map(|i| fudan.course(&i.to_string(), learner(i)));
    let places = fudan.deposit(&bank, records.collect()).await;
    let gone_key = key_of(&bank, "gone", gone);
    // Writes go on while the first backup is made.
    let (into, server) = (target(&bank), format!("http://{}", bank.grpc()));
    let dir = bank.dir();
    let first = deposit_while(&bank, &fudan, stays, move || {
        let arguments = [
            "backup",
            "make",
            utf8(&dir),
            utf8(&into),
            "--server",
            &server,
        ];
        crate::bank::command()
            .args(arguments)
            .output()
            .expect("the binary was built")
    });
    let first = told(&first.await);
    let first_name = line(&first, "backup").to_owned();
    let first_size: u64 = line(&first, "leaves").parse().expect("a number");
    assert!(
        first_size < leaves(&bank.anybody().await).await,
        "more was deposited since"
    );
    let kept = [
        found(&target(&bank).join("files"), &gone_key),
        found(&target(&bank).join("keys"), &gone_key),
    ];
    assert_eq!(
        (kept[0].len(), kept[1].len()),
        (0, 1),
        "keys lie apart: {kept:?}"
    );

    let amendment = fudan
        .maker
        .amendment(b"amend", stays, places[1], course("new"), "error");
    let revocation = fudan.maker.revocation(b"revoke", gone, places[2], "error");
    fudan.deposit(&bank, vec![amendment, revocation]).await;
    bank.erase(gone).await;
    let late = fudan.enrol("late").await;
    fudan.deposit(&bank, vec![fudan.course("late", late)]).await;
    let second = back_up(&bank, &[]);
    let new: u64 = line(&second, "new")
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let all: u64 = line(&second, "files")
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        new < all,
        "what both backups need was written once: {second}"
    );
    for folder in ["files", "keys"] {
        assert_eq!(
            found(&target(&bank).join(folder), &gone_key),
            Vec::<String>::new()
        );
    }
    assert!(!bank.dir().join("copy").exists(), "the copy does not stay");
    let verified = done(&bank, &["backup", "verify", utf8(&target(&bank))]);
    assert_eq!(line(&verified, "backups"), "2", "{verified}");

    let report = bank.check_log();
    let (rows, people) = (views::rows(&bank), learners(&bank));
    let mut other = elsewhere(&bank);
    let restored = done(&other, &["restore", utf8(&target(&bank)), "{dir}"]);
    assert!(
        restored.contains("WARNING"),
        "nobody knows how far the log went: {restored}"
    );
    assert_eq!(
        report["leaves"],
        line(&restored, "leaves").parse::<u64>().unwrap()
    );
    assert!(
        views::rows(&other) == rows,
        "the views are those of the backup, byte for byte"
    );
    assert_eq!(learners(&other), people);
    assert_eq!(other.check_log(), report);
    other.start();
    assert_eq!(
        totals(&other, gone).await.unwrap_err().code.as_deref(),
        Some("LEARNER_UNKNOWN")
    );
    totals(&other, stays).await.unwrap();
    let there = Institution::known(&other, fudan.keys.clone()).await;
    there
        .deposit(&other, vec![there.course("afterwards", late)])
        .await;
    other.check_log();

    // An older backup has the erased learner's payloads, but nothing opens them.
    let mut older = elsewhere(&bank);
    let into = target(&bank);
    let arguments = ["restore", utf8(&into), "{dir}", "--backup", &first_name];
    let restored = done(&older, &arguments);
    assert_eq!(line(&restored, "leaves"), first_size.to_string());
    assert_eq!(
        found(&older.dir().join("db"), &gone_key),
        Vec::<String>::new()
    );
    assert_eq!(
        learners(&older)
            .iter()
            .filter(|(.., key)| key.is_none())
            .count(),
        1,
        "the key of one learner is gone"
    );
    older.start();
    totals(&older, stays).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_falls_short_of_the_anchor_is_refused_and_leaves_nothing_behind() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    back_up(&bank, &[]);
    fudan.deposit(&bank, vec![fudan.course("2", learner)]).await;
    bank.stop();
    let into = target(&bank);
    let arguments = ["restore", utf8(&into), "{dir}"];
    let (_, said) = refused(&bank, &arguments);
    assert!(said.contains("is there already"), "{said}");
    let database = bank.dir().join("db");
    fs::rename(&database, bank.beside().join("moved")).unwrap();
    let (_, said) = refused(&bank, &arguments);
    assert!(
        said.contains("1 acknowledged records are missing"),
        "{said}"
    );
    assert!(!database.exists() && !bank.dir().join("db.restoring").exists());
    assert!(bank.refuses_to_start().contains("holds no database"));
    fs::rename(bank.beside().join("moved"), &database).unwrap();
    bank.start();
    back_up(&bank, &["--keep", "1"]);
    let listed = done(&bank, &["backup", "list", utf8(&target(&bank))]);
    assert_eq!(
        listed.lines().count(),
        2,
        "a header and one backup: {listed}"
    );
    bank.stop();
    fs::remove_dir_all(&database).unwrap();
    let restored = done(&bank, &arguments);
    assert!(
        !restored.contains("WARNING"),
        "the anchor knows: {restored}"
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_found_and_not_restored() {
    let bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    back_up(&bank, &[]);
    let into = target(&bank);
    let stranger = Bank::made();
    let (_, said) = refused(&stranger, &["restore", utf8(&into), "{dir}"]);
    assert!(said.contains("is there already"), "{said}");
    let other = elsewhere(&bank);
    let restore = ["restore", utf8(&into), "{dir}"];
    let key = "secrets/key-encryption.key";
    fs::copy(stranger.dir().join(key), other.dir().join(key)).unwrap();
    let (_, said) = refused(&other, &restore);
    assert!(said.contains("does not open learners' keys"), "{said}");
    fs::copy(bank.dir().join(key), other.dir().join(key)).unwrap();
    let mut places = Vec::new();
    for folder in ["files", "keys", "backups"] {
        let entries = fs::read_dir(into.join(folder)).unwrap();
        places.extend(entries.map(|entry| entry.unwrap().path()));
    }
    assert!(places.len() > 5, "{places:?}");
    for place in places {
        let whole = fs::read(&place).unwrap();
        let mut torn = whole.clone();
        // In a manifest: the last digit of its seal.
        let at = torn.len().saturating_sub(5);
        torn[at] ^= 1;
        fs::write(&place, torn).unwrap();
        let is_manifest = place.parent().unwrap().ends_with("backups");
        if !is_manifest {
            let (code, said) = refused(&bank, &["backup", "verify", utf8(&into)]);
            assert!(code == Some(1) && said.contains("is damaged"), "{said}");
        }
        let (_, said) = refused(&other, &restore);
        let expected = if is_manifest {
            "was not made by this bank"
        } else {
            "is damaged"
        };
        assert!(said.contains(expected), "{said}");
        fs::remove_file(&place).unwrap();
        if !is_manifest {
            let (code, said) = refused(&bank, &["backup", "verify", utf8(&into)]);
            assert!(code == Some(1) && said.contains("is missing"), "{said}");
        }
        refused(&other, &restore);
        let left: Vec<_> = fs::read_dir(other.dir())
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        assert!(
            !left.iter().any(|it| it.to_str().unwrap().starts_with("db")),
            "{left:?}"
        );
        fs::write(&place, whole).unwrap();
    }
    // Another bank's keys open nothing of it.
    fs::remove_dir_all(stranger.dir().join("db")).unwrap();
    let (_, said) = refused(&stranger, &["restore", utf8(&into), "{dir}"]);
    assert!(said.contains("was not made by this bank"), "{said}");
    // Nor does an older backup whose manifest was changed come back behind a newer one that is whole.
    fudan.deposit(&bank, vec![fudan.course("2", learner)]).await;
    back_up(&bank, &[]);
    let mut names: Vec<_> = fs::read_dir(into.join("backups"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let older = format!("backups/{}", names[0]);
    let text = fs::read_to_string(into.join(&older)).unwrap();
    fs::write(
        into.join(&older),
        text.replace("\"count\": 1", "\"count\": 2"),
    )
    .unwrap();
    let (_, said) = refused(&other, &[&restore[..], &["--backup", &older]].concat());
    assert!(said.contains("was not made by this bank"), "{said}");
    done(&other, &restore);
}

/// A store that speaks S3, of a package; it ends with its input.
struct S3 {
    child: Child,
    port: String,
}

impl S3 {
    fn start(python: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/s3.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Python of the tests runs");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut port)
            .expect("its port");
        let port = port.trim().to_owned();
        Self { child, port }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_store_gives_back_what_a_directory_does() {
    let Some(python) = python() else {
        println!("SKIPPED: CREDITBANK_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let store = S3::start(&python);
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("one").await;
    let records = (0..50).map(|i| fudan.course(&i.to_string(), learner));
    fudan.deposit(&bank, records.collect()).await;
    let settings = bank.beside().join("s3.toml");
    let text = format!(
        "aws_endpoint = \"http://127.0.0.1:{}\"\naws_allow_http = \"true\"\naws_region = \"us-east-1\"\n\
         aws_access_key_id = \"of-a-test\"\naws_secret_access_key = \"of-a-test-secret\"\n",
        store.port
    );
    fs::write(&settings, text).unwrap();
    let server = format!("http://{}", bank.grpc());
    let place = "s3://backups/banks/one";
    let make = [
        "backup",
        "make",
        "{dir}",
        place,
        "--s3",
        utf8(&settings),
        "--keep",
        "1",
        "--server",
        &server,
    ];
    done(&bank, &make);
    fudan
        .deposit(&bank, vec![fudan.course("more", learner)])
        .await;
    let second = done(&bank, &make);
    assert!(line(&second, "removed").starts_with('1'), "{second}");
    let verified = done(&bank, &["backup", "verify", place, "--s3", utf8(&settings)]);
    assert_eq!(line(&verified, "backups"), "1", "{verified}");
    let report = bank.check_log();
    let rows = views::rows(&bank);
    let mut other = elsewhere(&bank);
    done(
        &other,
        &["restore", place, "{dir}", "--s3", utf8(&settings)],
    );
    assert!(views::rows(&other) == rows);
    assert_eq!(other.check_log(), report);
    drop(store);
    let (_, said) = refused(&bank, &["backup", "list", "s3:///x"]);
    assert!(said.contains("names no bucket"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_has_no_copy_made_and_a_start_removes_what_is_left_of_one() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let refused = fudan
        .line
        .line()
        .backups()
        .take_copy(v1::TakeCopyRequest {})
        .await;
    assert_eq!(
        Refused::new(refused.unwrap_err()).code.as_deref(),
        Some("PERMISSION_DENIED")
    );
    let operator = bank.operator().await;
    let size = leaves(&operator).await;
    for _ in 0..2 {
        let copy = operator
            .line()
            .backups()
            .take_copy(v1::TakeCopyRequest {})
            .await
            .unwrap();
        let note = copy.into_inner().checkpoint;
        assert_eq!(note.lines().nth(1), Some(&*size.to_string()), "{note}");
    }
    let copy = bank.dir().join("copy");
    let store = Store::open_read_only(&copy, &StoreOptions::default()).unwrap();
    assert!(store.snapshot().chunk(LeafIndex(size - 1)).is_ok());
    drop(store);
    bank.kill();
    bank.start();
    assert!(!copy.exists());
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_ledger_is_the_same_ledger_under_another_key() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (stays, gone) = (fudan.enrol("stays").await, fudan.enrol("gone").await);
    let learner = |i: usize| if i.is_multiple_of(2) { gone } else { stays };
    let records = (0..300).map(|i| fudan.course(&i.to_string(), learner(i)));
    let places = fudan.deposit(&bank, records.collect()).await;
    let again = vec![fudan.course("1", stays), fudan.course("new", stays)];
    fudan.submit(again).await.unwrap();
    let revocation = fudan.maker.revocation(b"revoke", stays, places[1], "error");
    fudan.deposit(&bank, vec![revocation]).await;
    bank.erase(gone).await;
    let report = bank.check_log();
    let rows = views::rows(&bank);
    let file = bank.beside().join("bank.ledger");
    done(&bank, &["export", "{dir}", utf8(&file)]);
    refused(&bank, &["export", "{dir}", utf8(&file)]);

    let mut other = elsewhere(&bank);
    let stranger = Bank::made();
    let secret = |bank: &Bank, name: &str| bank.dir().join("secrets").join(name);
    let copy = |name: &str, to: &Bank| {
        fs::copy(secret(&stranger, name), secret(to, name)).unwrap();
    };
    copy("key-encryption.key", &other);
    let whole = fs::read(&file).unwrap();
    let import = ["import-ledger", utf8(&file), "{dir}"];
    for at in [0, 40, 300, whole.len() - 1] {
        let mut torn = whole.clone();
        torn[at] ^= 1;
        fs::write(&file, torn).unwrap();
        refused(&other, &import);
    }
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    refused(&other, &import);
    fs::write(&file, &whole).unwrap();
    for name in ["seal.key", "identity.key"] {
        copy(name, &other);
        let (_, said) = refused(&other, &import);
        assert!(said.contains("not sealed for this key"), "{said}");
        fs::copy(secret(&bank, name), secret(&other, name)).unwrap();
    }
    assert!(other.refuses_to_start().contains("holds no database"));
    assert!(!other.dir().join("db.restoring").exists());
    done(&other, &import);
    assert!(
        views::rows(&other) == rows,
        "the views are the same, byte for byte"
    );
    assert_eq!(other.check_log(), report);
    other.start();
    totals(&other, stays).await.unwrap();
    let there = Institution::known(&other, fudan.keys).await;
    there
        .deposit(&other, vec![there.course("afterwards", stays)])
        .await;
    other.check_log();
}
