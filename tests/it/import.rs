//! One command brings a real file into the bank: every row gets a receipt that verifies offline, a bad row gets its
//! reason, and an import that was killed finishes without doubling anything.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use creditbank_client::receipt::BundleReader;
use encoding_rs::GB18030;
use serde_json::Value;

use crate::bank::{Bank, command, told};
use crate::chance::Chance;
use crate::institution::Institution;

/// A bank with one institution, whose key file lies beside it.
struct Scene {
    bank: Bank,
    key: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let bank = Bank::new();
        let fudan = Institution::new(&bank, "fudan").await;
        let key = bank.beside().join("fudan.key");
        fs::write(&key, fudan.keys.to_file().as_bytes()).unwrap();
        Self { bank, key }
    }

    /// A file of made-up results.
    fn sample(&self, rows: u64, name: &str) -> PathBuf {
        let file = self.bank.beside().join(name);
        let output = file.to_str().unwrap();
        let rows = rows.to_string();
        let made = self.bank.run(&[
            "sample",
            "--institution",
            "fudan",
            "--rows",
            &rows,
            "--output",
            output,
        ]);
        assert!(made.status.success(), "{}", told(&made));
        file
    }

    fn import(&self, file: &PathBuf) -> Command {
        let mut import = command();
        import
            .arg("import")
            .arg(file)
            .args(["--quiet", "--json", "--key"])
            .arg(&self.key);
        import
            .arg("--server")
            .arg(format!("http://{}", self.bank.grpc()));
        import.arg("--bank").arg(self.bank.dir().join("bank.pub"));
        import
    }

    /// Imports a file to its end; gives exit code and summary.
    fn imported(&self, file: &PathBuf) -> (i32, Value) {
        let output = self.import(file).output().unwrap();
        let summary =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
        (output.status.code().unwrap(), summary)
    }

    /// Verifies a receipts file offline, as a command and by the SDK; gives the records' leaves.
    fn verified(&self, receipts: &PathBuf) -> std::collections::BTreeSet<u64> {
        let bank = self.bank.dir().join("bank.pub");
        let verify = self.bank.run(&[
            "verify",
            receipts.to_str().unwrap(),
            "--bank",
            bank.to_str().unwrap(),
            "--quiet",
        ]);
        assert!(verify.status.success(), "{}", told(&verify));
        let mut verifier = self.bank.verifier();
        let bundles = BundleReader::new(fs::File::open(receipts).unwrap());
        let records =
            bundles.flat_map(|bundle| verifier.verify_bundle(&bundle.unwrap()).unwrap().records);
        records.map(|record| record.leaf_index).collect()
    }
}

fn receipts(file: &std::path::Path) -> PathBuf {
    let mut receipts = file.to_owned();
    receipts.add_extension("receipts");
    receipts
}

fn count(summary: &Value, what: &str) -> u64 {
    summary[what]
        .as_u64()
        .unwrap_or_else(|| panic!("{what} in {summary}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_however_often_it_is_imported() {
    let mut scene = Scene::new().await;
    let file = scene.sample(3000, "results.csv");
    let (code, summary) = scene.imported(&file);
    assert_eq!(
        (code, count(&summary, "created"), count(&summary, "refused")),
        (0, 3000, 0),
        "{summary}"
    );
    let leaves = scene.verified(&receipts(&file));
    assert_eq!(leaves.len(), 3000);
    let (code, again) = scene.imported(&file);
    assert_eq!(
        (
            code,
            count(&again, "created"),
            count(&again, "already_there")
        ),
        (0, 0, 3000),
        "{again}"
    );
    assert_eq!(scene.verified(&receipts(&file)), leaves);
    assert_eq!(scene.bank.check_log()["leaves"], 2 + 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_receipts_file_does_not_verify() {
    let scene = Scene::new().await;
    let file = scene.sample(300, "results.csv");
    scene.imported(&file);
    let receipts = receipts(&file);
    let whole = fs::read(&receipts).unwrap();
    for at in [10, whole.len() / 3, whole.len() - 40] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&receipts, bytes).unwrap();
        let bank = scene.bank.dir().join("bank.pub");
        let verify = scene.bank.run(&[
            "verify",
            receipts.to_str().unwrap(),
            "--bank",
            bank.to_str().unwrap(),
            "--quiet",
        ]);
        assert_eq!(
            verify.status.code(),
            Some(1),
            "byte {at}: {}",
            told(&verify)
        );
        assert!(told(&verify).contains("NOT VERIFIED"), "{}", told(&verify));
    }
    let mut bank = scene.bank;
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_finishes_and_doubles_nothing() {
    const ROWS: u64 = 20_000;
    let mut scene = Scene::new().await;
    let mut chance = Chance::new("import");
    let file = scene.sample(ROWS, "results.csv");
    let mut killed = 0;
    for _ in 0..6 {
        let before = fs::metadata(receipts(&file)).map_or(0, |file| file.len());
        let mut import = scene
            .import(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Until some receipts are on disk, so that something was done; then at any moment.
        let wanted = before + 1 + chance.below(400_000);
        while import.try_wait().unwrap().is_none() {
            if fs::metadata(receipts(&file)).map_or(0, |file| file.len()) >= wanted {
                import.kill().unwrap();
                killed += 1;
                break;
            }
            std::thread::yield_now();
        }
        import.wait().unwrap();
    }
    assert!(killed > 0, "no import was killed before its end");
    let (code, summary) = scene.imported(&file);
    let (created, already) = (count(&summary, "created"), count(&summary, "already_there"));
    assert_eq!(
        (code, created + already, count(&summary, "refused")),
        (0, ROWS, 0),
        "{summary}"
    );
    assert_eq!(
        scene.verified(&receipts(&file)).len() as u64,
        ROWS,
        "a receipt for every row"
    );
    assert_eq!(scene.bank.check_log()["leaves"], 2 + ROWS, "nothing twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_come_back_with_reasons_and_are_imported_once_put_right() {
    let mut scene = Scene::new().await;
    let file = scene.sample(100, "results.csv");
    let text = fs::read_to_string(&file).unwrap();
    let header = text.lines().next().unwrap();
    let column = |name: &str| {
        header
            .split(',')
            .position(|it| it == name)
            .unwrap_or_else(|| panic!("{name} in {header}"))
    };
    let (date, number) = (column("completed_on"), column("identity_number"));
    let spoil = |row: usize, line: &str| {
        let mut cells: Vec<_> = line.split(',').map(str::to_owned).collect();
        match row {
            10 => cells[date] = "2999-01-01".to_owned(),
            20 => cells[number] = "319901194505120012".to_owned(),
            _ => {}
        }
        cells.join(",")
    };
    assert!(!text.contains('"'), "no quoted cells in the sample");
    let spoiled: Vec<_> = text
        .lines()
        .enumerate()
        .map(|(row, line)| spoil(row, line))
        .collect();
    fs::write(&file, spoiled.join("\n")).unwrap();
    let (code, summary) = scene.imported(&file);
    assert_eq!(
        (code, count(&summary, "created"), count(&summary, "refused")),
        (1, 98, 2),
        "{summary}"
    );
    let rejects = PathBuf::from(summary["rejects_file"].as_str().unwrap());
    let refused = fs::read_to_string(&rejects).unwrap();
    for code in ["COMPLETED_IN_FUTURE", "BAD_CHECK_DIGIT"] {
        assert!(refused.contains(code), "{code} in {refused}");
    }
    // Put right in the rejects file itself.
    let good: Vec<_> = text.lines().collect();
    let right = |line: &str| {
        let mut cells: Vec<_> = line.split(',').collect();
        for row in [10, 20] {
            let of_good: Vec<_> = good[row].split(',').collect();
            if cells[column("external_id")] == of_good[column("external_id")] {
                (cells[date], cells[number]) = (of_good[date], of_good[number]);
            }
        }
        cells.join(",")
    };
    let corrected = scene.bank.beside().join("corrected.csv");
    let lines: Vec<_> = refused.lines().map(right).collect();
    fs::write(&corrected, lines.join("\n")).unwrap();
    let (code, summary) = scene.imported(&corrected);
    assert_eq!((code, count(&summary, "created")), (0, 2), "{summary}");
    assert_eq!(scene.bank.check_log()["leaves"], 2 + 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_gb18030_says_the_same_as_one_in_utf_8() {
    let mut scene = Scene::new().await;
    let file = scene.sample(200, "results.csv");
    let text = fs::read_to_string(&file).unwrap();
    let other = scene.bank.beside().join("gb18030.csv");
    fs::write(&other, GB18030.encode(&text).0).unwrap();
    let (code, summary) = scene.imported(&other);
    assert_eq!((code, count(&summary, "created")), (0, 200), "{summary}");
    let (code, summary) = scene.imported(&file);
    assert_eq!(
        (
            code,
            count(&summary, "created"),
            count(&summary, "already_there")
        ),
        (0, 0, 200),
        "{summary}"
    );
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_checks_everything_and_sends_nothing() {
    let mut scene = Scene::new().await;
    let file = scene.sample(200, "results.csv");
    let dry = scene.bank.run(&[
        "import",
        file.to_str().unwrap(),
        "--dry-run",
        "--institution",
        "fudan",
        "--quiet",
        "--json",
    ]);
    assert!(dry.status.success(), "{}", told(&dry));
    let summary: Value = serde_json::from_slice(&dry.stdout).unwrap();
    assert_eq!(
        (count(&summary, "valid"), count(&summary, "created")),
        (200, 0),
        "{summary}"
    );
    assert_eq!(scene.bank.check_log()["leaves"], 2);
}
