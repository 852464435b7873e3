//! The files of `deploy/` can be used as they are: units, manifests, dashboard and alerts are held against what reads them, and
//! against a running bank.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::metrics::Told;
use super::reload::{TLS, certify, tls_get};
use super::{deploy, system};
use crate::bank::{Bank, told};
use crate::gateway::fixture::Scene;
use crate::institution::Institution;
use crate::python::python;
use crate::roles::backup_agent;

/// Most of what systemd's own examination may find exposed, of 100.
const EXPOSURE_MAX: &str = "20";
/// What there is for Kubernetes.
const MANIFESTS: [&str; 3] = [
    "kubernetes/ledger.yaml",
    "kubernetes/backup.yaml",
    "kubernetes/gateway.yaml",
];

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

/// Names of our metrics and of the process's in an expression.
fn metrics_of(expression: &str) -> impl Iterator<Item = String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(move |c| !is_name(c));
    let ours = |it: &&str| it.starts_with("creditbank_") || it.starts_with("process_");
    words.filter(ours).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_is_watched_is_one_that_is_told() {
    let peer = Bank::made_as("js.test/log", &[]);
    let mut scene = Scene::before_gateway().await;
    scene.bank.stop();
    let settings = scene.bank.dir().join("bank.toml");
    let written = fs::read_to_string(&settings).expect("init wrote it");
    let pinned = format!(
        "[[peer]]\nid = \"jiangsu\"\ngrpc = \"http://127.0.0.1:1\"\nhttp = \"http://127.0.0.1:1\"\nlog_keys = [\"{}\"]\n",
        peer.public_key()
    );
    fs::write(&settings, format!("{written}\n{pinned}")).expect("room");
    scene.bank.start_with(&["--metrics", "127.0.0.1:0"]);
    let fudan = Institution::known(&scene.bank, scene.fudan.keys.clone()).await;
    let learner = fudan.enrol("99").await;
    fudan
        .deposit(&scene.bank, vec![fudan.course("x", learner)])
        .await;
    fs::create_dir_all(scene.web()).expect("a folder");
    let authority = certify(&scene.web());
    scene.start(
        TLS,
        &[
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
            "--development-login",
        ],
    );
    assert!(tls_get(scene.address(), &authority, "/").is_some());
    let mut told = Told::of(scene.bank.metrics()).names();
    told.extend(Told::of(scene.metrics()).names());
    let dashboard: Value = serde_json::from_str(&read("monitoring/dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|it| it["targets"].as_array().expect("targets"));
    let shown: Vec<String> = targets
        .map(|it| it["expr"].as_str().expect("a query").to_owned())
        .collect();
    let alerts = read("monitoring/alerts.yml");
    let asked = alerts
        .lines()
        .filter_map(|it| it.trim().strip_prefix("expr:"));
    let asked = asked.map(str::to_owned).chain(shown.clone());
    let asked: BTreeSet<String> = asked
        .flat_map(|it| metrics_of(&it).collect::<Vec<_>>())
        .collect();
    assert!(asked.len() > 30, "{asked:?}");
    let absent: Vec<_> = asked.difference(&told).collect();
    assert!(absent.is_empty(), "nobody tells {absent:?}");
    // And the other way round: what is measured is shown somewhere.
    let shown: BTreeSet<String> = shown
        .iter()
        .flat_map(|it| metrics_of(it).collect::<Vec<_>>())
        .collect();
    let base = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        ends.iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name)
            .to_owned()
    };
    let shown: BTreeSet<String> = shown.iter().map(|it| base(it)).collect();
    let told: BTreeSet<String> = told.iter().map(|it| base(it)).collect();
    let unseen: Vec<_> = told.difference(&shown).collect();
    assert_eq!(unseen, Vec::<&String>::new(), "no panel shows it");
}

#[test]
fn prometheus_reads_the_rules_and_they_fire_when_they_should() {
    let at = |name: &str| {
        deploy("monitoring")
            .join(name)
            .to_str()
            .expect("UTF-8")
            .to_owned()
    };
    for arguments in [
        ["check", "config", &at("prometheus.yml")],
        ["check", "rules", &at("alerts.yml")],
        ["test", "rules", &at("alerts.test.yml")],
    ] {
        let Some(output) = system("promtool", &arguments) else {
            return;
        };
        assert!(output.status.success(), "{}", told(&output));
    }
}

#[test]
fn every_alert_has_its_place_in_the_runbook() {
    let runbook = read("RUNBOOK.md");
    let headings: BTreeSet<&str> = runbook
        .lines()
        .filter_map(|it| it.strip_prefix("### "))
        .collect();
    let alerts = read("monitoring/alerts.yml");
    let alerts: BTreeSet<&str> = alerts
        .lines()
        .filter_map(|it| it.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() > 10);
    assert_eq!(headings, alerts);
}

#[test]
fn systemd_takes_the_units_and_finds_little_exposed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut names = Vec::new();
    for entry in fs::read_dir(deploy("systemd")).expect("a folder") {
        let name = entry.expect("readable").file_name();
        let name = name.into_string().expect("UTF-8");
        let unit = read(&format!("systemd/{name}"));
        let own = env!("CARGO_BIN_EXE_creditbank");
        let unit = unit.replace("/usr/local/bin/creditbank", own);
        fs::write(folder.path().join(&name), unit).expect("room");
        names.push(name);
    }
    assert_eq!(names.len(), 9, "{names:?}");
    let teller = "creditbank-failed@.service";
    assert!(names.iter().any(|it| it == teller));
    for name in &names {
        let tells =
            read(&format!("systemd/{name}")).contains("OnFailure=creditbank-failed@%N.service\n");
        let should = name.ends_with(".service") && name != teller;
        assert_eq!(tells, should, "{name} has somebody told when it fails");
    }
    for name in names {
        let file = folder.path().join(&name);
        let file = file.to_str().expect("UTF-8");
        let threshold = format!("--threshold={EXPOSURE_MAX}");
        let mut asked = vec![vec!["verify", "--man=no", file]];
        if name.ends_with(".service") {
            asked.push(vec![
                "security",
                "--offline=true",
                "--no-pager",
                &threshold,
                file,
            ]);
        }
        for arguments in asked {
            let Some(output) = system("systemd-analyze", &arguments) else {
                return;
            };
            assert!(output.status.success(), "{name}: {}", told(&output));
        }
    }
    let unit = |name: &str| read(&format!("systemd/{name}.service"));
    let user = |unit: &str| {
        unit.lines()
            .find(|it| it.starts_with("User="))
            .map(str::to_owned)
    };
    let (bank, gateway) = (unit("creditbank"), unit("creditbank-gateway"));
    assert_ne!(user(&bank), user(&gateway), "each has a user of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_timers_start_makes_verifies_and_mirrors() {
    let mut bank = Bank::new();
    backup_agent(&bank, &bank.beside().join("backup.key"));
    let operator = bank.beside().join("operator.key");
    fs::rename(bank.dir().join("operator.key"), operator).expect("it is kept apart");
    let beside = bank.beside().to_str().expect("UTF-8").to_owned();
    let own = bank.dir().to_str().expect("UTF-8").to_owned();
    let public = bank.dir().join("bank.pub");
    fs::copy(public, bank.beside().join("mirror-one.pub")).expect("room");
    for name in ["backup", "verify", "mirror@"] {
        let unit = read(&format!("systemd/creditbank-{name}.service"));
        let line = unit.lines().find_map(|it| it.strip_prefix("ExecStart="));
        let line = line
            .expect("it starts something")
            .replace(
                "/usr/local/bin/creditbank",
                env!("CARGO_BIN_EXE_creditbank"),
            )
            .replace("/var/lib/creditbank/bank", &own)
            .replace("/var/lib/creditbank-mirror", &beside)
            .replace("/etc/creditbank", &beside)
            .replace("%i", "one");
        let output = Command::new("sh")
            .args(["-c", &format!("exec {line}")])
            .env("TARGET", format!("{beside}/backups"))
            .env("KEEP", "2")
            .env("CREDENTIALS_DIRECTORY", &beside)
            .env("CREDITBANK_SERVER", format!("http://{}", bank.grpc()))
            .env("URL", format!("http://{}", bank.http()))
            .output();
        let output = output.expect("a shell");
        assert!(output.status.success(), "{line}: {}", told(&output));
    }
    assert!(bank.beside().join("one/checkpoint").exists());
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cron_jobs_start_makes_and_verifies() {
    let mut bank = Bank::new();
    backup_agent(&bank, &bank.beside().join("backup.key"));
    let beside = bank.beside().to_str().expect("UTF-8");
    let manifest = read("kubernetes/backup.yaml");
    let started = manifest.lines().filter_map(|it| {
        let listed = it.trim().strip_prefix("args: [")?.strip_suffix(']')?;
        // Here there is no certificate.
        Some(listed.split(" --ca,").next()?.replace(['"', ','], ""))
    });
    let started: Vec<String> = started.collect();
    assert_eq!(started.len(), 2, "{started:?}");
    for line in started {
        let line = line
            .replace("/var/lib/creditbank/bank", "{dir}")
            .replace("s3://creditbank/bank", &format!("{beside}/backups"))
            .replace("/etc/creditbank/backup", beside);
        let server = format!("http://{}", bank.grpc());
        let mut arguments: Vec<&str> = line.split(' ').collect();
        if arguments.contains(&"make") {
            arguments.extend(["--server", &server]);
        }
        let output = bank.run(&arguments);
        assert!(output.status.success(), "{line}: {}", told(&output));
    }
    bank.check_log();
}

#[test]
fn logrotate_takes_its_configuration() {
    let file = deploy("logrotate.conf");
    let Some(output) = system(
        "/usr/sbin/logrotate",
        &["--debug", file.to_str().expect("UTF-8")],
    ) else {
        return;
    };
    let said = told(&output);
    assert!(
        output.status.success() && !said.contains("error:"),
        "{said}"
    );
}

#[test]
fn kubernetes_takes_the_manifests() {
    let Some(python) = python() else {
        println!("SKIPPED: CREDITBANK_PYTHON is not set; `cargo xtask test` sets it");
        return;
    };
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/manifests.py"))
        .args(MANIFESTS.map(deploy))
        .output()
        .expect("the Python of the tests runs");
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("7 manifests"), "{}", told(&output));
}

#[test]
fn the_image_is_built_from_what_is_there() {
    let file = read("Containerfile");
    let rust = format!("rust:{}-bookworm", env!("CARGO_PKG_RUST_VERSION"));
    assert!(
        file.contains(&rust),
        "the builder has the workspace's Rust, {rust}"
    );
    let user = file
        .lines()
        .find(|it| it.starts_with("USER "))
        .expect("not root");
    assert_eq!(user, "USER 10001:10001");
    for manifest in MANIFESTS {
        assert!(read(manifest).contains("runAsUser: 10001"), "{manifest}");
    }
}
