//! A file that is imported is one trace, from its rows to the commits that hold them, and nothing of a record is in it. A page
//! is one too, through the gateway to the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::bank::{BOUND, Bank, command, told};
use crate::gateway::fixture::Scene;
use crate::institution::Institution;

/// What a span may say beside its name.
const KEYS: [&str; 6] = [
    "batches",
    "first_row",
    "records",
    "rows",
    "rpc.service",
    "target",
];

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|it| it.scope_spans);
        let mut kept = self.0.lock().expect("no holder panics");
        kept.extend(scopes.flat_map(|it| it.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens on a free port; gives its address.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let server = Server::builder().add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        format!("http://{address}")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_is_one_trace_from_its_rows_to_their_commits() {
    let collector = Collector::default();
    let address = collector.listen().await;
    let mut bank = Bank::made();
    let settings = bank.dir().join("bank.toml");
    let written = fs::read_to_string(&settings).expect("init wrote it");
    let collected = format!("traces = \"{address}\"\ntraces_one_in = 1000000\n");
    fs::write(&settings, format!("{collected}{written}")).expect("room");
    bank.start();
    let fudan = Institution::new(&bank, "fudan").await;
    let key = bank.beside().join("fudan.key");
    fs::write(&key, fudan.keys.to_file().as_bytes()).expect("room");
    let file = bank.beside().join("results.csv");
    let file = file.to_str().expect("UTF-8");
    let sampled = bank.run(&[
        "sample",
        "--institution",
        "fudan",
        "--rows",
        "300",
        "--output",
        file,
    ]);
    assert!(sampled.status.success(), "{}", told(&sampled));
    let imported = command()
        .args(["import", file, "--mapping", "sample", "--quiet", "--key"])
        .arg(&key)
        .args(["--server", &format!("http://{}", bank.grpc())])
        .arg("--bank")
        .arg(bank.dir().join("bank.pub"))
        .env("CREDITBANK_TRACES", &address)
        .output()
        .expect("the binary was built");
    assert!(imported.status.success(), "{}", told(&imported));
    // What a process has not sent yet it sends at its end.
    bank.check_log();
    let spans = collector.0.lock().expect("no holder panics").clone();
    let by_id: BTreeMap<_, _> = spans.iter().map(|it| (it.span_id.clone(), it)).collect();
    let path = |span: &Span| {
        let mut names = vec![span.name.clone()];
        let mut at = span;
        while let Some(parent) = by_id.get(&at.parent_span_id) {
            names.push(parent.name.clone());
            at = parent;
        }
        names.join(" < ")
    };
    let import = spans
        .iter()
        .find(|it| it.name == "import")
        .expect("the import is a span");
    let within: Vec<_> = spans
        .iter()
        .filter(|it| it.trace_id == import.trace_id)
        .collect();
    let paths: BTreeSet<String> = within.iter().map(|it| path(it)).collect();
    for stage in ["admission", "queue", "commit"] {
        let wanted = format!("{stage} < SubmitBatch < batch < import");
        assert!(paths.contains(&wanted), "{wanted} is not among {paths:#?}");
    }
    for span in &spans {
        let keys = span.attributes.iter().map(|it| it.key.as_str());
        let others: Vec<_> = keys.filter(|it| !KEYS.contains(it)).collect();
        assert_eq!(others, Vec::<&str>::new(), "{}", span.name);
    }
}

/// Asks for a page from an address of loopback, as part of a trace.
fn ask(scene: &Scene, from: &str, trace: &str) {
    use std::io::{Read as _, Write as _};
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    let from = format!("{from}:0").parse().expect("an address");
    socket.bind(from).expect("an address of loopback");
    let connected = tokio::runtime::Handle::current().block_on(socket.connect(scene.address()));
    let stream = connected.expect("it listens").into_std();
    let mut stream = stream.expect("a socket");
    stream.set_nonblocking(false).expect("a socket");
    stream.set_read_timeout(Some(BOUND)).expect("a bound");
    let host = scene.address();
    write!(
        stream,
        "GET /v1/log/checkpoint HTTP/1.1\r\nHost: {host}\r\ntraceparent: {trace}\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_one_trace_to_the_ledger_and_a_stranger_writes_into_none() {
    let collector = Collector::default();
    let address = collector.listen().await;
    let collected = format!("traces = \"{address}\"\ntraces_one_in = 1\n");
    let mut scene = Scene::before_gateway().await;
    scene.bank.stop();
    let settings = scene.bank.dir().join("bank.toml");
    let written = fs::read_to_string(&settings).expect("init wrote it");
    fs::write(&settings, format!("{collected}{written}")).expect("room");
    scene.bank.start();
    let trusted = "trusted_proxies = [\"127.0.0.2\"]\n";
    scene.start(
        &format!("{collected}{trusted}"),
        &["--listen", "127.0.0.1:0"],
    );
    let traces = [
        "11111111111111111111111111111111",
        "22222222222222222222222222222222",
    ];
    let [known, foreign] = traces.map(|it| format!("00-{it}-b7ad6b7169203331-01"));
    tokio::task::block_in_place(|| {
        ask(&scene, "127.0.0.2", &known);
        ask(&scene, "127.0.0.3", &foreign);
    });
    scene.stop();
    scene.bank.stop();
    let spans = collector.0.lock().expect("no holder panics").clone();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect::<String>()
    };
    let pages: Vec<&Span> = spans
        .iter()
        .filter(|it| it.name == "/v1/log/checkpoint")
        .collect();
    let begun: Vec<_> = pages.iter().map(|it| hex(&it.trace_id)).collect();
    assert_eq!(pages.len(), 2, "{begun:?}");
    let of_proxy = pages.iter().filter(|it| hex(&it.trace_id) == traces[0]);
    let parents: Vec<_> = of_proxy.map(|it| hex(&it.parent_span_id)).collect();
    assert_eq!(parents, ["b7ad6b7169203331"], "{begun:?}");
    assert!(!begun.contains(&traces[1].to_owned()), "{begun:?}");
    for page in pages {
        let is_within =
            |it: &&Span| it.trace_id == page.trace_id && it.parent_span_id == page.span_id;
        let calls: Vec<_> = spans.iter().filter(is_within).map(|it| &*it.name).collect();
        assert_eq!(calls, ["GetCheckpoint"]);
    }
}
