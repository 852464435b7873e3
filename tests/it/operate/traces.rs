//! A file that is imported is one trace, from its rows to the commits that hold them, and nothing of a record is in it.

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

use crate::bank::{Bank, command, told};
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
