//! Everything that is wrong with settings is named at once: place, key and rule.

use std::fs;

use serde_json::Value;

use super::reload::reload;
use crate::bank::{Bank, command, told};
use crate::institution::{Institution, digits};

/// What `config check` says in this environment.
fn check(place: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = command();
    command.envs(environment.iter().copied());
    let output = command
        .args(["config", "check", place])
        .output()
        .expect("the binary was built");
    (output.status.code(), told(&output))
}

#[test]
fn every_fault_of_a_bank_is_named_with_its_line_and_its_rule() {
    let bank = Bank::made();
    let dir = bank.dir();
    let place = dir.to_str().expect("UTF-8");
    let file = dir.join("bank.toml");
    let (code, said) = check(place, &[]);
    assert_eq!(code, Some(0), "what init writes can be used: {said}");
    let wrong = "grcp = \"127.0.0.1:1\"\nhttp = \"nowhere\"\nblock_cache_mib = \"much\"\ncalls_max = 3\nopen_files_max = -1\n\
         [[peer]]\nid = \"a\"\ngrpc = 7\nhttp = \"http://a\"\nlog_keys = []\nport = 1\n\
         [[peer]]\nid = \"b\"\n";
    fs::write(&file, wrong).expect("room");
    let (code, said) = check(
        place,
        &[
            ("CREDITBANK_CONNECTIONS_MAX", "lots"),
            ("CREDITBANK_CONECTIONS_MAX", "1"),
        ],
    );
    assert_eq!(code, Some(1), "{said}");
    for (place, rule) in [
        ("bank.toml:1: grcp: ", "unknown field"),
        ("bank.toml:2: http: ", "socket address"),
        ("bank.toml:3: block_cache_mib: ", "usize"),
        ("bank.toml:8: peer[0].grpc: ", "string"),
        ("bank.toml:11: peer[0].port: ", "unknown field"),
        ("bank.toml:12: peer[", "missing field"),
        ("CREDITBANK_CONNECTIONS_MAX: connections_max: ", "usize"),
        ("CREDITBANK_CONECTIONS_MAX: ", "no setting"),
    ] {
        let line = said.lines().find(|line| line.starts_with(place));
        let line = line.unwrap_or_else(|| panic!("{place} is not in {said}"));
        assert!(line.contains(rule), "{line}");
    }
    fs::write(&file, "open_files_max = -1\ngrpc = \"0.0.0.0:1\"\ntls_key = \"x\"\nregion = \"99\"\nlog = \"a=b=c\"\n").expect("room");
    let (code, said) = check(place, &[]);
    assert_eq!(code, Some(1), "{said}");
    for place in [
        "bank.toml:1: open_files_max: ",
        "bank.toml:2: grpc: ",
        "tls_certificate: ",
        "bank.toml:4: region: ",
        "bank.toml:5: log: ",
    ] {
        assert!(said.contains(place), "{place} is not in {said}");
    }
    fs::write(&file, "not toml").expect("room");
    assert!(check(place, &[]).1.contains("bank.toml:1: "));
}

#[test]
fn every_fault_of_a_gateway_is_named() {
    let bank = Bank::made();
    let file = bank.beside().join("gateway.toml");
    let place = file.to_str().expect("UTF-8");
    fs::write(
        &file,
        "listne = 1\nconnections_max = 0\n[provider]\nissuer = \"x\"\n",
    )
    .expect("room");
    let (code, said) = check(place, &[("CREDITBANK_GATEWAY_LISTEN", "7400")]);
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "gateway.toml:1: listne: ",
        "gateway.toml:3: provider: missing field",
        "CREDITBANK_GATEWAY_LISTEN: listen: ",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    fs::write(&file, "connections_max = 0\nkey = \"absent.key\"\n").expect("room");
    let (_, said) = check(place, &[("CREDITBANK_GATEWAY_LISTEN", "127.0.0.1:0")]);
    for part in [
        "gateway.toml:1: connections_max: ",
        "gateway.toml:2: key: ",
        "absent.key",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn a_path_is_relative_to_the_settings_wherever_a_command_runs() {
    let mut bank = Bank::made();
    let file = bank.dir().join("bank.toml");
    let text = fs::read_to_string(&file).expect("init wrote it");
    fs::create_dir(bank.dir().join("other")).expect("room");
    fs::rename(bank.dir().join("anchor"), bank.dir().join("other/anchor")).expect("it is there");
    fs::write(&file, format!("anchor = \"other/anchor\"\n{text}")).expect("room");
    let doctor = told(&bank.run(&["doctor", "{dir}"]));
    assert!(
        doctor.contains("bank/other has") && !doctor.contains("anchor/"),
        "{doctor}"
    );
    bank.check_log();
    bank.start();
    bank.check_log();
}

#[test]
fn a_gateway_is_told_which_proxies_it_believes() {
    let bank = Bank::made();
    let file = bank.beside().join("gateway.toml");
    let place = file.to_str().expect("UTF-8");
    for (wrong, rule) in [
        ("0.0.0.0/0", "would believe anybody"),
        ("10.1.0.0/8", "the network is 10.0.0.0/8"),
        ("ingress", "an address or a network"),
    ] {
        fs::write(&file, format!("trusted_proxies = [\"{wrong}\"]\n")).expect("room");
        let (code, said) = check(place, &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("gateway.toml:1: trusted_proxies") && said.contains(rule),
            "{said}"
        );
    }
    let open = [("CREDITBANK_GATEWAY_LISTEN", "0.0.0.0:7400")];
    let pods = (
        "CREDITBANK_GATEWAY_TRUSTED_PROXIES",
        "[\"10.244.0.0/16\", \"fd00::/8\"]",
    );
    fs::write(&file, "").expect("room");
    assert!(
        check(place, &open)
            .1
            .contains("note: trusted_proxies names nobody")
    );
    let (_, said) = check(place, &[open[0], pods]);
    assert!(!said.contains("trusted_proxies"), "{said}");
}

#[test]
fn every_number_of_a_gateway_has_its_bounds() {
    let bank = Bank::made();
    let file = bank.beside().join("gateway.toml");
    let place = file.to_str().expect("UTF-8");
    for (key, wrong, rule) in [
        ("traces_one_in", "0", "0 is not between 1 and"),
        ("bank_connections", "0", "0 is not between 1 and 64"),
        ("bank_connections", "65", "65 is not between 1 and 64"),
        ("session_idle_minutes", "0", "0 is not between 1 and 43200"),
        (
            "session_minutes",
            "4294967295",
            "is not between 1 and 43200",
        ),
        ("connections_max", "65537", "is not between 1 and 65536"),
        (
            "connections_of_client_max",
            "0",
            "is not between 1 and 65536",
        ),
        ("write_timeout_s", "0", "0 is not between 1 and 600"),
        ("write_timeout_s", "601", "601 is not between 1 and 600"),
        ("client_requests_a_minute", "9", "9 is not between 10 and"),
        ("learner_changes_a_minute", "0", "0 is not between 1 and"),
    ] {
        fs::write(&file, format!("\n{key} = {wrong}\n")).expect("room");
        let (code, said) = check(place, &[]);
        assert_eq!(code, Some(1), "{said}");
        let line = said
            .lines()
            .find(|it| it.starts_with(&format!("gateway.toml:2: {key}: ")));
        assert!(
            line.is_some_and(|it| it.contains(rule)),
            "{key} = {wrong}: {said}"
        );
        let name = format!("CREDITBANK_GATEWAY_{}", key.to_uppercase());
        fs::write(&file, "").expect("room");
        let (_, said) = check(place, &[(&name, wrong)]);
        assert!(said.contains(&format!("{name}: {key}: ")), "{name}: {said}");
    }
}

#[test]
fn what_holds_is_shown_with_who_said_so_and_without_a_secret() {
    let bank = Bank::made();
    let dir = bank.dir();
    fs::write(dir.join("bank.toml"), "\nblock_cache_mib = 33\n").expect("room");
    let output = command()
        .env("CREDITBANK_LOG", "warn")
        .args(["config", "show", dir.to_str().expect("UTF-8")])
        .output()
        .expect("the binary was built");
    let said = told(&output);
    for (key, value, place) in [
        ("block_cache_mib", "33", "# bank.toml:2"),
        ("write_buffer_mib", "256", "# default"),
        ("log", "\"warn\"", "# CREDITBANK_LOG"),
    ] {
        let line = said
            .lines()
            .find(|line| line.starts_with(&format!("{key} = {value} ")));
        let line = line.unwrap_or_else(|| panic!("{key} is not in {said}"));
        assert!(line.ends_with(place), "{line}");
    }
    let secret = fs::read_to_string(dir.join("secrets/bank.key")).expect("init wrote it");
    assert!(!said.contains(secret.trim()));
}

#[test]
fn a_bank_with_wrong_settings_does_not_start_and_says_all_of_them() {
    let mut bank = Bank::made();
    fs::write(
        bank.dir().join("bank.toml"),
        "grcp = 1\ncalls_max = \"x\"\n",
    )
    .expect("room");
    let said = bank.refuses_to_start();
    for part in ["bank.toml:1: grcp", "bank.toml:2: calls_max"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_where_that_is_asked_for_and_names_nobody() {
    let mut bank = Bank::made();
    bank.start_in(&[
        ("CREDITBANK_LOG_FORMAT", "json"),
        ("CREDITBANK_LOG", "trace,h2=info,hyper=info,tower=info"),
    ]);
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    let record = fudan.course("1", learner);
    fudan.deposit(&bank, vec![record.clone()]).await;
    let mut unsigned = fudan.sign(vec![record]);
    unsigned.signature = vec![0; 64].into();
    let refused = fudan.line.submission().submit_batch(unsigned).await;
    refused.expect_err("a wrong signature");
    reload(bank.process(), || bank.said());
    bank.stop();
    let said = bank.said();
    let lines: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    assert!(
        lines.iter().any(|line| line["message"] == "reloaded"),
        "{said}"
    );
    for personal in ["20240001", &digits(learner), "Bearer", "eyJ", "\u{1b}"] {
        assert!(!said.contains(personal), "{personal} is in the log");
    }
}
