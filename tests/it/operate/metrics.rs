//! Every stage of the pipeline is measured, and nothing that is told names anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use creditbank_client::Bank as Connection;
use creditbank_wire::v1;

use crate::bank::Bank;
use crate::gateway::fixture::Scene;
use crate::http;
use crate::institution::{Institution, digits};

/// Names of labels that there may be; the values of each have a bound.
const LABELS: [&str; 12] = [
    "code", "le", "method", "of", "peer", "port", "property", "quantile", "result", "route",
    "service", "status",
];

/// What a process tells, by name and labels.
pub(crate) struct Told(BTreeMap<String, f64>);

impl Told {
    pub(crate) fn of(address: SocketAddr) -> Self {
        let answer = http::get(address, "/metrics");
        assert_eq!(answer.status, 200);
        let text = String::from_utf8(answer.body).expect("text");
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = |line: &str| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        };
        Self(lines.map(series).collect())
    }

    pub(crate) fn get(&self, name: &str) -> f64 {
        let found = self.0.get(name);
        *found.unwrap_or_else(|| panic!("{name} is not among {:#?}", self.0.keys()))
    }

    /// Names without labels.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let bare = |it: &String| it.split('{').next().unwrap_or_default().to_owned();
        self.0.keys().map(bare).collect()
    }

    /// Every label with its value.
    fn labels(&self) -> BTreeSet<(String, String)> {
        let inside = self
            .0
            .keys()
            .filter_map(|it| it.split_once('{')?.1.strip_suffix('}'));
        let pairs = inside.flat_map(|it| it.split(','));
        let pair = |it: &str| {
            let (name, value) = it.split_once('=').expect("a label");
            (name.to_owned(), value.trim_matches('"').to_owned())
        };
        pairs.map(pair).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stage_of_a_deposit_is_measured() {
    let mut bank = Bank::made();
    bank.start_with(&["--metrics", "127.0.0.1:0"]);
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    let before = Told::of(bank.metrics());
    let batch: Vec<_> = (0..40)
        .map(|i| fudan.course(&i.to_string(), learner))
        .collect();
    fudan.deposit(&bank, batch.clone()).await;
    // The same again, with one that is refused: another content under a known id.
    let mut again = batch;
    again[7] = fudan
        .maker
        .outcome(b"7", learner, crate::institution::course("other"));
    fudan.submit(again).await.expect("rows are decided alone");
    let mut unsigned = fudan.sign(vec![fudan.course("41", learner)]);
    unsigned.signature = vec![0; 64].into();
    let refused = fudan.line.submission().submit_batch(unsigned).await;
    refused.expect_err("a wrong signature");
    let after = Told::of(bank.metrics());
    let grown = |name: &str| after.get(name) - before.get(name);
    assert_eq!(grown("creditbank_records_total{result=\"created\"}"), 40.0);
    assert_eq!(
        grown("creditbank_records_total{result=\"duplicate\"}"),
        39.0
    );
    assert_eq!(grown("creditbank_records_total{result=\"refused\"}"), 1.0);
    assert_eq!(grown("creditbank_tree_size"), 40.0);
    for stage in ["queue_wait", "admission", "plan"] {
        assert_eq!(
            grown(&format!("creditbank_{stage}_seconds_count")),
            2.0,
            "{stage}"
        );
    }
    // The signature of the third batch is wrong.
    assert_eq!(grown("creditbank_verification_seconds_count"), 2.0);
    for stage in ["commit_seconds", "sign_seconds", "anchor_seconds"] {
        assert_eq!(
            grown(&format!("creditbank_{stage}_count")),
            1.0,
            "duplicates cost no commit"
        );
    }
    assert_eq!(grown("creditbank_group_records_sum"), 40.0);
    let call = |code| {
        let labels =
            format!("service=\"SubmissionService\",method=\"SubmitBatch\",code=\"{code}\"");
        after.get(&format!("creditbank_calls_total{{{labels}}}"))
    };
    assert_eq!(call("OK"), 2.0);
    assert_eq!(call("UNAUTHENTICATED"), 1.0);
    let refusal = |of, code| {
        after.get(&format!(
            "creditbank_refusals_total{{of=\"{of}\",code=\"{code}\"}}"
        ))
    };
    assert_eq!(refusal("call", "SIGNATURE_INVALID"), 1.0);
    assert_eq!(refusal("row", "RECORD_ID_CONFLICT"), 1.0);
    assert_eq!(after.get("creditbank_calls_in_flight"), 0.0);
    assert_eq!(after.get("creditbank_queue_bytes"), 0.0);
    assert_eq!(after.get("creditbank_takes_changes"), 1.0);
    assert!(after.get("creditbank_store{property=\"memtable_bytes\"}") > 0.0);
    assert!(after.get("process_resident_memory_bytes") > 1e6);
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_has_a_bound_and_names_nobody() {
    let mut bank = Bank::made();
    bank.start_with(&["--metrics", "127.0.0.1:0"]);
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    for number in 0..5 {
        // A stranger asks for what there is not.
        let path = format!("/creditbank.v1.LogService/Guess{number}");
        guess(&bank.anybody().await, &path).await;
    }
    let told = Told::of(bank.metrics());
    let labels = told.labels();
    for (name, value) in &labels {
        assert!(LABELS.contains(&name.as_str()), "a label {name}");
        for personal in ["fudan", &digits(learner), "20240001", "Guess"] {
            assert!(!value.contains(personal), "{name}={value}");
        }
    }
    let unknown =
        "creditbank_calls_total{service=\"other\",method=\"other\",code=\"UNIMPLEMENTED\"}";
    assert_eq!(told.get(unknown), 5.0);
    bank.check_log();
}

/// A call of a method by its path.
async fn guess(line: &Connection, path: &str) {
    let mut client = tonic::client::Grpc::new(line.line().channel());
    client.ready().await.expect("the bank answers");
    let codec =
        tonic_prost::ProstCodec::<v1::GetCheckpointRequest, v1::GetCheckpointRequest>::default();
    let path = path.parse().expect("a path");
    let request = tonic::Request::new(v1::GetCheckpointRequest {});
    let status = client
        .unary(request, path, codec)
        .await
        .expect_err("there is no such method");
    assert_eq!(status.code(), tonic::Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_a_bank_that_serves() {
    let mut bank = Bank::made();
    bank.start_with(&["--metrics", "127.0.0.1:0"]);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(http::get(bank.metrics(), path).status, 200, "{path}");
    }
    assert_eq!(
        http::get(bank.metrics(), "/checkpoint").status,
        404,
        "only what watchers need"
    );
    assert_eq!(
        http::get(bank.http(), "/metrics").status,
        404,
        "callers do not see it"
    );
    bank.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_measured_by_route_and_no_address_of_a_share_is_told() {
    let mut scene = Scene::before_gateway().await;
    scene.start(
        "",
        &[
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
            "--development-login",
        ],
    );
    let mut browser = scene.signed_in(&scene.one);
    browser.get("/archive").is(200);
    browser.get("/s/a-secret-that-nobody-knows");
    browser.get("/nothing/here").is(404);
    assert_eq!(http::get(scene.metrics(), "/readyz").status, 200);
    let told = Told::of(scene.metrics());
    let labels = "route=\"/archive\",method=\"GET\",status=\"200\"";
    assert_eq!(
        told.get(&format!("creditbank_gateway_requests_total{{{labels}}}")),
        1.0
    );
    assert!(told.get("creditbank_gateway_request_seconds_count{route=\"/archive\"}") >= 1.0);
    for (name, value) in told.labels() {
        assert!(LABELS.contains(&name.as_str()), "a label {name}");
        for personal in ["a-secret", &scene.one.code, "nothing"] {
            assert!(!value.contains(personal), "{name}={value}");
        }
    }
}
