//! A bank replaces its own keys: what the old ones signed and sealed stays good, everybody can follow to the new ones, and a
//! crash anywhere leaves a bank that starts and a rotation that goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use creditbank_client::Refused;
use creditbank_client::receipt::{LogKeys, receipt_text};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::KeyPurpose;
use creditbank_merkle::{CheckpointError, NoteSigner};
use creditbank_store::{Store, StoreOptions};
use creditbank_wire::v1;

use crate::bank::{Bank, told};
use crate::institution::{Institution, admission, digits, keys};

/// Runs a command that must succeed; gives what it printed.
#[track_caller]
fn done(bank: &Bank, arguments: &[&str]) -> String {
    let output = bank.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// A bank with an institution and a learner.
struct Scene {
    bank: Bank,
    fudan: Institution,
    learner: LearnerCode,
    deposits: u64,
}

impl Scene {
    async fn new() -> Self {
        let bank = Bank::new();
        let fudan = Institution::new(&bank, "fudan").await;
        let learner = fudan.enrol("1").await;
        Self {
            bank,
            fudan,
            learner,
            deposits: 0,
        }
    }

    /// Starts the bank again.
    async fn start(&mut self) {
        self.bank.start();
        self.fudan.reconnect(&self.bank).await;
    }

    /// Deposits a record; its receipt lies in a file.
    async fn receipt(&mut self) -> PathBuf {
        self.deposits += 1;
        let name = format!("record-{}", self.deposits);
        let record = self.fudan.course(&name, self.learner);
        let answered = self.fudan.submit(vec![record]).await.expect("a deposit");
        let index = answered
            .response
            .created
            .expect("it is created")
            .first_leaf_index;
        let path = self.bank.beside().join(format!("{name}.txt"));
        fs::write(&path, self.fetched(index).await).expect("room");
        path
    }

    /// The receipt of a leaf, as the bank gives it now.
    async fn fetched(&self, index: u64) -> String {
        let request = v1::GetReceiptRequest { leaf_index: index };
        let receipt = self.bank.anybody().await.log().get_receipt(request).await;
        receipt_text(&receipt.expect("everybody may ask").into_inner()).expect("a receipt")
    }

    /// Stops the bank and runs `keys`.
    #[track_caller]
    fn keys(&mut self, arguments: &[&str]) -> String {
        if self.bank.runs() {
            self.bank.stop();
        }
        done(&self.bank, &[&["keys"], arguments].concat())
    }

    /// Copies `bank.pub`, as somebody has it who got it now.
    fn public(&self, name: &str) -> PathBuf {
        let copy = self.bank.beside().join(name);
        fs::copy(self.bank.dir().join("bank.pub"), &copy).expect("room");
        copy
    }

    /// Whether the receipts verify with these public keys, without the bank.
    #[track_caller]
    fn verifies(&self, receipts: &[&Path], public: &Path, expected: bool) {
        for receipt in receipts {
            let output = self.command("verify", receipt, public);
            assert_eq!(
                output.status.success(),
                expected,
                "{receipt:?}: {}",
                told(&output)
            );
        }
    }

    fn command(&self, command: &str, file: &Path, public: &Path) -> Output {
        let [file, public] = [file, public].map(|it| it.to_str().expect("UTF-8"));
        let arguments: Vec<_> = command.split(' ').chain([file, "--bank", public]).collect();
        self.bank.run(&arguments)
    }

    /// Records in the learner's archive, opened.
    async fn records(&self) -> u64 {
        let request = v1::GetTotalsRequest {
            learner: digits(self.learner),
        };
        let totals = self.fudan.line.archive().get_totals(request).await;
        let totals = totals.expect("its own student").into_inner();
        totals.categories.first().map_or(0, |it| it.records)
    }

    /// Derives everything again, and folds the views again.
    fn check(&mut self) -> serde_json::Value {
        let report = self.bank.check_log();
        done(&self.bank, &["rebuild", "{dir}"]);
        self.bank.check_log();
        report
    }

    /// Wrapped keys by learner, of a stopped bank.
    fn wrapped(&self) -> Vec<(u64, Vec<u8>)> {
        let store = Store::open(&self.bank.dir().join("db"), &StoreOptions::default()).unwrap();
        let rows = store.wrapped_keys(None, 1000).unwrap();
        store.close().unwrap();
        rows
    }
}

/// Whether any file of the database holds these bytes.
fn is_in_files(bank: &Bank, bytes: &[u8]) -> bool {
    bank.database_files("").iter().any(|path| {
        let file = fs::read(path).unwrap_or_default();
        file.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn old_receipts_outlive_a_log_key_and_its_successor_is_followed() {
    let mut scene = Scene::new().await;
    let before = scene.receipt().await;
    let known = scene.public("known.pub");
    let old = fs::read_to_string(scene.bank.dir().join("secrets/log.key")).unwrap();
    let old = NoteSigner::from_secret_text(old.trim()).unwrap();
    scene.keys(&["rotate", "log", "{dir}"]);
    let listed = done(&scene.bank, &["keys", "list", "{dir}"]);
    assert!(listed.contains("next, announced"), "{listed}");
    scene.start().await;
    // In the overlap whoever knows either key is served.
    let overlap = scene.receipt().await;
    scene.verifies(&[&before, &overlap], &known, true);
    scene.keys(&["finish", "log", "{dir}"]);
    scene.start().await;
    let after = scene.receipt().await;
    let newest = scene.public("newest.pub");
    scene.verifies(&[&before, &overlap, &after], &newest, true);
    scene.verifies(&[&after], &known, false);
    // Nobody can make the old key sign on.
    let keys: LogKeys = fs::read_to_string(&newest).unwrap().parse().unwrap();
    let note = fs::read_to_string(&after).unwrap();
    let checkpoint = keys.open(note.split_once("\n\n").unwrap().1).unwrap();
    assert!(
        keys.open(&checkpoint.sign(&old).unwrap())
            .is_err_and(|error| { matches!(error, CheckpointError::KeyNotInForce { .. }) })
    );
    // A list that the log did not announce is not followed; the true one is, and then proves everything.
    let bare: String = keys
        .all()
        .iter()
        .fold(String::new(), |text, it| format!("{text}{}\n", it.key));
    let forged = scene.bank.beside().join("forged.pub");
    fs::write(&forged, bare).unwrap();
    let refused = scene.command("keys accept", &forged, &known);
    assert!(
        told(&refused).contains("no known key announces"),
        "{}",
        told(&refused)
    );
    scene.verifies(&[&after], &known, false);
    let accepted = scene.command("keys accept", &newest, &known);
    assert!(accepted.status.success(), "{}", told(&accepted));
    scene.verifies(&[&before, &overlap, &after], &known, true);
    audited(&scene.bank, &newest);
    scene.check();
}

/// Reads the whole public log as a stranger would.
#[track_caller]
fn audited(bank: &Bank, public: &Path) {
    let url = format!("http://{}", bank.http());
    let public = public.to_str().expect("UTF-8");
    done(
        bank,
        &["audit", "--bank", &url, "--trust", public, "--quiet"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_again_and_again_and_one_chain_leads_through() {
    let mut scene = Scene::new().await;
    let first = scene.public("first.pub");
    let mut receipts = vec![scene.receipt().await];
    for _ in 0..2 {
        scene.keys(&["rotate", "log", "{dir}"]);
        scene.keys(&["finish", "log", "{dir}"]);
        scene.start().await;
        receipts.push(scene.receipt().await);
    }
    let newest = scene.public("newest.pub");
    assert!(
        scene
            .command("keys accept", &newest, &first)
            .status
            .success()
    );
    let receipts: Vec<_> = receipts.iter().map(PathBuf::as_path).collect();
    scene.verifies(&receipts, &first, true);
    scene.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_log_key_proves_nothing_any_more_and_leads_nowhere() {
    let mut scene = Scene::new().await;
    let before = scene.receipt().await;
    let known = scene.public("known.pub");
    scene.keys(&["rotate", "log", "{dir}", "--compromised-since", "2"]);
    let listed = done(&scene.bank, &["keys", "list", "{dir}"]);
    assert!(listed.contains("compromised since leaf 2"), "{listed}");
    let newest = scene.public("newest.pub");
    scene.verifies(&[&before], &newest, false);
    let refused = scene.command("keys accept", &newest, &known);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    // The record is as good as ever: the same leaf, proved under the new key.
    scene.start().await;
    let text = fs::read_to_string(&before).unwrap();
    let index = text
        .lines()
        .find_map(|it| it.strip_prefix("index "))
        .unwrap();
    fs::write(&before, scene.fetched(index.parse().unwrap()).await).unwrap();
    scene.verifies(&[&before], &newest, true);
    scene.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_states_by_its_new_key_what_it_did_by_the_old() {
    let mut scene = Scene::new().await;
    let early = scene.receipt().await;
    scene.keys(&["rotate", "bank", "{dir}"]);
    scene.start().await;
    admit(&scene.bank, "overlap").await;
    // A key in use cannot be revoked by a call.
    let request = v1::GetInstitutionRequest {
        institution_id: "bank".into(),
    };
    let mut registry = scene.bank.operator().await.registry();
    let found = registry
        .get_institution(request)
        .await
        .unwrap()
        .into_inner();
    let sign = |it: &&v1::InstitutionKey| {
        let purpose = it.key.as_ref().map(v1::PublicKey::purpose);
        purpose == Some(v1::KeyPurpose::Sign)
    };
    let signing: Vec<_> = found.keys.iter().filter(sign).collect();
    assert_eq!(signing.len(), 2, "both are admitted");
    let request = v1::RevokeKeyRequest {
        institution_id: "bank".into(),
        key_id: signing[0].key_id.clone(),
        doubtful_from: None,
    };
    let refused = Refused::new(registry.revoke_key(request).await.unwrap_err());
    assert_eq!(refused.code.as_deref(), Some("RESERVED"));
    scene.keys(&["finish", "bank", "{dir}"]);
    // The operator's file follows the bank's key.
    let operator = scene.bank.operator_keys();
    let next = scene.bank.dir().join("secrets/bank.next.key");
    assert!(!next.exists());
    assert_eq!(
        operator.key_id(KeyPurpose::Sign).0[..],
        signing[1].key_id[..]
    );
    scene.start().await;
    admit(&scene.bank, "after").await;
    let late = scene.receipt().await;
    let public = scene.public("bank.copy");
    scene.verifies(&[&early, &late], &public, true);
    audited(&scene.bank, &public);
    scene.check();
}

async fn admit(bank: &Bank, id: &str) {
    let request = admission(&keys(id), v1::Role::Auditor, &[]);
    let created = bank
        .operator()
        .await
        .registry()
        .create_institution(request)
        .await;
    created.expect("the operator admits institutions");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_and_credentials_get_new_keys_and_the_old_ones_are_refused() {
    let mut scene = Scene::new().await;
    let old = scene.bank.operator_keys();
    let issuer = issuer(&scene.bank).await;
    scene.keys(&["rotate", "operator", "{dir}"]);
    scene.keys(&["rotate", "credential", "{dir}"]);
    scene.start().await;
    admit(&scene.bank, "after").await;
    let request = admission(&keys("never"), v1::Role::Auditor, &[]);
    let line = scene.bank.connect(&old).await;
    let refused = line.registry().create_institution(request).await;
    let refused = refused.expect_err("the log has revoked that key");
    assert_eq!(Refused::new(refused).code.as_deref(), Some("KEY_REVOKED"));
    let now = self::issuer(&scene.bank).await;
    assert_ne!(now.did, issuer.did);
    assert_eq!(
        now.earlier_dids,
        [issuer.did],
        "old credentials are still known"
    );
    // What a stolen key has signed is not.
    scene.keys(&["rotate", "credential", "{dir}", "--compromised-since", "1"]);
    scene.start().await;
    let last = self::issuer(&scene.bank).await;
    assert_eq!(last.earlier_dids, now.earlier_dids);
    assert_ne!(last.did, now.did);
    scene.check();
}

async fn issuer(bank: &Bank) -> v1::CredentialIssuer {
    let mut line = bank.anybody().await.line().credentials();
    let issuer = line.get_issuer(v1::GetIssuerRequest {}).await;
    issuer.expect("everybody may ask").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_data_opens_by_the_new_key_encryption_key_and_not_by_the_old() {
    let mut scene = Scene::new().await;
    let gone = scene.fudan.enrol("gone").await;
    scene.receipt().await;
    let records = vec![scene.fudan.course("gone", gone)];
    scene.fudan.deposit(&scene.bank, records).await;
    scene.bank.erase(gone).await;
    scene.bank.stop();
    let file = scene.bank.dir().join("secrets/key-encryption.key");
    let old_key = fs::read(&file).unwrap();
    let old = scene.wrapped();
    assert_eq!(old.len(), 1, "one learner is left");
    assert!(
        is_in_files(&scene.bank, &old[0].1),
        "the search finds what is there"
    );
    let told = scene.keys(&["rotate", "key-encryption", "{dir}"]);
    assert!(told.contains("1 learners' keys"), "{told}");
    let new = scene.wrapped();
    assert_eq!(new.iter().map(|row| row.0).collect::<Vec<_>>(), [old[0].0]);
    assert!(
        !is_in_files(&scene.bank, &old[0].1),
        "the old wrapping is in no file"
    );
    assert_ne!(fs::read(&file).unwrap(), old_key, "the old key is gone");
    scene.start().await;
    assert_eq!(scene.records().await, 1);
    let next = scene.fudan.enrol("next").await;
    let records = vec![scene.fudan.course("next", next)];
    scene.fudan.deposit(&scene.bank, records).await;
    let totals = v1::GetTotalsRequest {
        learner: digits(gone),
    };
    let refused = scene
        .fudan
        .line
        .archive()
        .get_totals(totals)
        .await
        .unwrap_err();
    assert_eq!(
        Refused::new(refused).code.as_deref(),
        Some("LEARNER_UNKNOWN")
    );
    let report = scene.check();
    assert_eq!(
        (&report["payloads"], &report["erased"]),
        (&2.into(), &1.into())
    );
    let new_key = fs::read(&file).unwrap();
    fs::write(&file, old_key).unwrap();
    let (code, told) = scene.bank.check_finds();
    assert_eq!(code, Some(1), "{told}");
    fs::write(&file, new_key).unwrap();
    scene.check();
}

/// What is run again after a crash, and where the crash may be.
const ROTATIONS: [(&[&str], &[&str]); 9] = [
    (
        &["rotate", "log"],
        &["rotation-key-made", "written", "rotation-announced"],
    ),
    (
        &["finish", "log"],
        &["rotation-switched", "anchored", "rotation-retired"],
    ),
    (
        &["rotate", "bank"],
        &["rotation-key-made", "rotation-announced"],
    ),
    (
        &["finish", "bank"],
        &["rotation-switched", "written", "rotation-retired"],
    ),
    (
        &["rotate", "log", "--compromised-since", "1"],
        &[
            "rotation-announced",
            "rotation-switched",
            "rotation-retired",
        ],
    ),
    (
        &["rotate", "bank", "--compromised-since", "9"],
        &["rotation-switched", "written:2"],
    ),
    (
        &["rotate", "credential"],
        &["rotation-announced", "rotation-switched", "written:2"],
    ),
    (
        &["rotate", "operator"],
        &["rotation-key-made", "written", "rotation-announced"],
    ),
    (
        &["rotate", "key-encryption"],
        &[
            "rotation-key-made",
            "rotation-rewrapped",
            "rotation-switched",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_cut_off_leaves_a_bank_that_starts_and_goes_on() {
    let mut scene = Scene::new().await;
    for number in 0..20 {
        scene.fudan.enrol(&format!("learner-{number}")).await;
    }
    for (command, steps) in ROTATIONS {
        let command: Vec<_> = ["keys"]
            .iter()
            .chain(command)
            .chain(&["{dir}"])
            .copied()
            .collect();
        for step in steps {
            println!("{command:?} {step}");
            if command[1] == "finish" && !is_begun(&scene.bank, command[2]) {
                scene.keys(&["rotate", command[2], "{dir}"]);
            }
            if scene.bank.runs() {
                scene.bank.stop();
            }
            let cut = scene
                .bank
                .run(&[&command[..], &["--abort-at", step]].concat());
            assert!(!cut.status.success(), "{command:?} {step}: it is cut off");
            scene.start().await;
            assert_eq!(scene.records().await, scene.deposits);
            scene.receipt().await;
            scene.bank.stop();
            let again = scene.bank.run(&command);
            assert!(again.status.success(), "{}", told(&again));
            if command[1] == "rotate" && ["log", "bank"].contains(&command[2]) && command.len() == 4
            {
                scene.keys(&["finish", command[2], "{dir}"]);
            }
        }
        one_key_each(&mut scene);
    }
    scene.start().await;
    let late = scene.receipt().await;
    let public = scene.public("late.pub");
    scene.verifies(&[&late], &public, true);
    admit(&scene.bank, "late").await;
    scene.check();
}

fn is_begun(bank: &Bank, key: &str) -> bool {
    bank.dir().join(format!("secrets/{key}.next.key")).exists()
}

/// Nothing is left half-way: one key of each purpose is in force, and no next one lies about.
#[track_caller]
fn one_key_each(scene: &mut Scene) {
    let listed = scene.keys(&["list", "{dir}"]);
    let names: BTreeSet<_> = listed
        .lines()
        .filter(|line| line.contains(" in use"))
        .collect();
    assert_eq!(names.len(), 8, "{listed}");
    for state in [
        "announced",
        "run `keys finish`",
        "run `keys rotate` again",
        "of another operator",
    ] {
        assert!(!listed.contains(state), "{listed}");
    }
    scene.bank.check_log();
}
