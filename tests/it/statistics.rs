//! Statistics: figures follow the log, an erasure leaves them as they are, and a yearbook comes out again.

use std::path::Path;

use creditbank_client::{ClientError, statistics};
use creditbank_domain::LearnerCode;
use creditbank_domain::statistics::{Cell, Cells, Subject, Table, Yearbook};
use creditbank_store::{OPEN, StatisticsChange, Store, StoreOptions};
use creditbank_wire::convert::statistics::cells;
use creditbank_wire::v1;

use crate::bank::{Bank, told};
use crate::institution::{Institution, course, digits};
use crate::python::python;

const YEAR: u16 = 2024;

fn total(cells: &Cells) -> [i64; 5] {
    cells.amounts(&Cell {
        year: YEAR,
        subject: Subject::Learning,
        table: Table::Total,
        a: 0,
        b: 0,
    })
}

async fn figures(bank: &Bank) -> Cells {
    let answer = statistics::figures(&bank.operator().await, YEAR).await;
    cells(YEAR, &answer.unwrap().rows)
}

fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    let error = answer.unwrap_err();
    error.code().expect("a refusal").to_owned()
}

fn store(bank: &Bank) -> Store {
    Store::open_read_only(&bank.dir().join("db"), &StoreOptions::default()).unwrap()
}

/// Everything that statistics keep.
pub(crate) fn rows(bank: &Bank) -> (u64, Cells, Cells, Vec<(u16, Vec<u8>)>) {
    let snapshot = store(bank).snapshot();
    (
        snapshot.statistics_folded().unwrap(),
        snapshot.figures(None).unwrap(),
        snapshot.gone_figures(OPEN).unwrap(),
        snapshot.yearbooks().unwrap(),
    )
}

/// A resident of a birth year, whose number is of a region that nobody lives in.
pub(crate) async fn enrol(fudan: &Institution, year: u16, order: u16) -> LearnerCode {
    let number = format!("319901{year}0101{order:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let digits = number.bytes().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = b"10X98765432"[sum as usize % 11];
    let request = v1::EnrolLearnerRequest {
        identity: Some(v1::Identity {
            kind: v1::IdentityKind::ResidentId.into(),
            number: format!("{number}{}", char::from(check)),
            issuer: String::new(),
        }),
        name: "李明".into(),
    };
    let enrolled = creditbank_client::learners::enrol(&fudan.line, request).await;
    LearnerCode::parse(&enrolled.unwrap().learner).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_follow_the_log_and_a_yearbook_outlives_what_happens_to_it() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let mut learners = Vec::new();
    for number in 0..24 {
        learners.push(enrol(&fudan, 1950 + 10 * (number % 2), number).await);
    }
    let twice = learners.iter().chain(&learners[..10]).enumerate();
    let records = twice.map(|(at, learner)| fudan.course(&at.to_string(), *learner));
    let places = fudan.deposit(&bank, records.collect()).await;
    let before = figures(&bank).await;
    assert_eq!(total(&before)[..2], [24, 34]);
    let seventies = Cell {
        year: YEAR,
        subject: Subject::Learning,
        table: Table::Age,
        a: 6,
        b: 0,
    };
    assert_eq!(before.amounts(&seventies)[0], 12, "who was born in 1950");

    // A record that is revoked takes its learner along, if it was the only one; two that are merged are one.
    let revocation = fudan
        .maker
        .revocation(b"revoke", learners[20], places[20], "error");
    fudan.deposit(&bank, vec![revocation]).await;
    assert_eq!(total(&figures(&bank).await)[..2], [23, 33]);
    let merge = v1::MergeLearnersRequest {
        learner: digits(learners[0]),
        merged_learner: digits(learners[1]),
        reason: "same".into(),
    };
    let mut desk = bank.operator().await.learner();
    desk.merge_learners(merge).await.unwrap();
    assert_eq!(total(&figures(&bank).await)[..2], [22, 33]);

    // An erasure before the yearbook and one after it, with records of the erased on both sides of it.
    bank.erase(learners[2]).await;
    assert_eq!(total(&figures(&bank).await)[..2], [22, 33]);
    let operator = bank.operator().await;
    let published = statistics::publish(&operator, YEAR, None).await.unwrap();
    assert_eq!(
        refused(statistics::publish(&operator, YEAR, None).await),
        "YEARBOOK_PUBLISHED"
    );
    assert_eq!(
        refused(statistics::publish(&operator, 9000, None).await),
        "YEARBOOK_OPEN"
    );
    assert_eq!(
        refused(statistics::publish(&operator, 1925, None).await),
        "YEARBOOK_EMPTY"
    );
    let late = ["late", "later"].map(|key| fudan.course(key, learners[3]));
    fudan.deposit(&bank, late.to_vec()).await;
    bank.erase(learners[3]).await;
    bank.erase(learners[0]).await;
    let after = figures(&bank).await;
    assert_eq!(total(&after)[..2], [22, 35]);

    // Anybody reads the yearbook; only the operator reads figures.
    let anybody = bank.anybody().await;
    let (message, yearbook) = statistics::get(&anybody, YEAR).await.unwrap();
    assert_eq!(message.hash, published.hash);
    let whole = yearbook
        .table(Subject::Learning, Table::Total)
        .next()
        .unwrap();
    assert_eq!(whole.amounts[..2], [Some(22), Some(33)]);
    assert_eq!(
        refused(statistics::get(&anybody, 2023).await),
        "YEARBOOK_UNKNOWN"
    );
    assert_eq!(
        refused(statistics::figures(&anybody, YEAR).await),
        "TOKEN_MISSING"
    );
    assert_eq!(
        refused(statistics::figures(&fudan.line, YEAR).await),
        "PERMISSION_DENIED"
    );
    assert_eq!(
        refused(statistics::publish(&fudan.line, YEAR, None).await),
        "PERMISSION_DENIED"
    );

    bank.check_log();
    let kept = rows(&bank);
    assert!(!kept.2.is_empty(), "the erased left their figures");
    let verified = bank.run(&["stats", "verify", "{dir}"]);
    assert!(verified.status.success(), "{}", told(&verified));
    assert!(
        told(&verified).contains("recomputes equal"),
        "{}",
        told(&verified)
    );
    let rebuilt = bank.run(&["rebuild", "{dir}"]);
    assert!(rebuilt.status.success(), "{}", told(&rebuilt));
    let again = rows(&bank);
    assert_eq!((&again.1, &again.2, &again.3), (&kept.1, &kept.2, &kept.3));
    bank.check_log();
    a_wrong_figure_is_found(&bank, &kept.3);
}

/// A figure that no archive gives, and a yearbook that was not published.
fn a_wrong_figure_is_found(bank: &Bank, yearbooks: &[(u16, Vec<u8>)]) {
    let cell = Cell {
        year: YEAR,
        subject: Subject::Points,
        table: Table::Month,
        a: 1,
        b: 0,
    };
    let store = Store::open(&bank.dir().join("db"), &StoreOptions::default()).unwrap();
    let wrong = StatisticsChange {
        figures: [(cell, [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0])]
            .into_iter()
            .collect(),
        ..StatisticsChange::default()
    };
    store.change_statistics(&wrong).unwrap();
    let mut forged = Yearbook::decode(&yearbooks[0].1).unwrap();
    forged.rows[0].amounts[0] = Some(23);
    store
        .add_yearbook(YEAR, forged.size, &forged.encode())
        .unwrap();
    store.close().unwrap();
    drop(store);
    let (code, said) = bank.check_finds();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("statistics"), "{said}");
    let verified = bank.run(&["stats", "verify", "{dir}"]);
    assert_eq!(verified.status.code(), Some(1), "{}", told(&verified));
}

/// Canonical bytes read as the proto describes them, CSV and Parquet are the same yearbook; DuckDB reads the Parquet.
fn other_readers_find_the_same(bytes: &str, csv: &str, parquet: &str) {
    let Some(python) = python() else {
        println!("SKIPPED: CREDITBANK_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/figures.py");
    let read = std::process::Command::new(python)
        .arg(script)
        .args([bytes, csv, parquet])
        .output();
    let read = read.expect("the Python of the tests runs");
    assert!(read.status.success(), "{}", told(&read));
    // One month, category, district, institution, age band and tenure, two sexes; the pairs; the whole year.
    let wanted = "70 figures, 0 suppressed, 2 of participation: all the same";
    assert!(told(&read).contains(wanted), "{}", told(&read));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yearbook_is_exported_with_headers_in_both_languages() {
    let bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let mut records = Vec::new();
    for number in 0..12 {
        let learner = enrol(&fudan, 1950, number).await;
        let outcome = course(&number.to_string());
        records.push(fudan.maker.outcome(&number.to_be_bytes(), learner, outcome));
    }
    fudan.deposit(&bank, records).await;
    let residents = bank.beside().join("residents.toml");
    std::fs::write(
        &residents,
        "source = \"第七次人口普查\"\ndated = 2020-11-01\n[residents]\ntotal = 24870895\n",
    )
    .unwrap();
    let server = format!("http://{}", bank.grpc());
    let output = |name: &str| bank.beside().join(name).to_str().unwrap().to_owned();
    let run = |arguments: &[&str]| {
        let key = format!("{}/operator.key", bank.dir().display());
        let public = format!("{}/bank.pub", bank.dir().display());
        let named = ["--server", &server, "--bank", &public, "--key", &key];
        let done = bank.run(&[arguments, &named[..]].concat());
        assert!(done.status.success(), "{arguments:?}: {}", told(&done));
        told(&done)
    };
    let residents = residents.to_str().unwrap();
    run(&["stats", "publish", "2024", "--population", residents]);
    for (name, language, header) in [
        ("zh.csv", "zh", "\u{feff}年度,主题,表"),
        ("en.csv", "en", "\u{feff}year,subject,table"),
    ] {
        run(&[
            "stats",
            "export",
            "2024",
            "--output",
            &output(name),
            "--language",
            language,
        ]);
        let text = std::fs::read_to_string(output(name)).unwrap();
        assert!(text.starts_with(header), "{text}");
        assert!(
            text.lines()
                .any(|line| line.contains(",total,") && line.ends_with(",12,")),
            "{text}"
        );
    }
    run(&["stats", "export", "2024", "--output", &output("y.bin")]);
    let yearbook = Yearbook::decode(&std::fs::read(output("y.bin")).unwrap()).unwrap();
    assert_eq!(yearbook.population.dated, "2020-11-01");
    assert!(run(&["stats", "list"]).contains("2024"));
    let file = output("y.parquet");
    run(&[
        "stats",
        "export",
        "2024",
        "--output",
        &file,
        "--language",
        "en",
    ]);
    other_readers_find_the_same(&output("y.bin"), &output("en.csv"), &file);
    let shown = run(&[
        "stats",
        "show",
        "2024",
        "--table",
        "total",
        "--language",
        "en",
    ]);
    assert!(shown.contains("Learners"), "{shown}");
    assert!(shown.contains("not for publication"), "{shown}");
    // What would be published now is what was.
    let preview = run(&[
        "stats",
        "preview",
        "2024",
        "--population",
        residents,
        "--csv",
        "--language",
        "en",
    ]);
    let tables = |text: &str| -> Vec<String> {
        let of_tables = |line: &&str| line.starts_with("2024,") && !line.contains(",about,");
        let lines = text.lines().filter(of_tables);
        lines.map(str::to_owned).collect()
    };
    let published = std::fs::read_to_string(output("en.csv")).unwrap();
    assert_eq!(tables(&preview), tables(&published));
    assert!(preview.contains("a preview, not published"), "{preview}");
}
