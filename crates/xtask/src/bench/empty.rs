//! Empty calls: the real service, client and messages, with nothing behind them.
//!
//! What is left is the price of a call. The server is this program started once more, so that the two processes share
//! the machine as the bank and its load do.

use std::pin::Pin;
use std::process::Command;

use anyhow::{Context, Result};
use creditbank_client::{Bank, Options as Connection, submit};
use creditbank_wire::v1::submission_service_server::{SubmissionService, SubmissionServiceServer};
use creditbank_wire::v1::{self, SubmitBatchRequest, SubmitBatchResponse};
use prost::bytes::Bytes;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

use crate::load::{self, CONNECTIONS, IN_FLIGHT, Measured, Until};
use crate::options::Options;
use crate::process::{Server, Used};

/// Bytes of a real request of one record: envelope, salt, payload, and what is signed.
const ENVELOPE_BYTES: usize = 75;
const PAYLOAD_BYTES: usize = 250;
/// Hashes of a range proof in a log of some million leaves.
const PROOF_HASHES: usize = 20;
/// Bytes of a signed checkpoint.
const NOTE_BYTES: usize = 200;

/// The bank that does nothing.
struct Nothing;

#[tonic::async_trait]
impl SubmissionService for Nothing {
    async fn submit_batch(
        &self,
        request: Request<SubmitBatchRequest>,
    ) -> Result<Response<SubmitBatchResponse>, Status> {
        Ok(Response::new(answer(request.into_inner().sequence)))
    }

    type SubmitStreamStream =
        Pin<Box<dyn Stream<Item = Result<SubmitBatchResponse, Status>> + Send>>;

    async fn submit_stream(
        &self,
        _: Request<Streaming<SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        Err(Status::unimplemented("empty"))
    }

    async fn get_submission(
        &self,
        _: Request<v1::GetSubmissionRequest>,
    ) -> Result<Response<v1::Submission>, Status> {
        Err(Status::unimplemented("empty"))
    }

    async fn list_submissions(
        &self,
        _: Request<v1::ListSubmissionsRequest>,
    ) -> Result<Response<v1::ListSubmissionsResponse>, Status> {
        Err(Status::unimplemented("empty"))
    }
}

/// Serves until it is killed.
pub(crate) async fn serve() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("ready grpc={}", listener.local_addr()?);
    let incoming = TcpListenerStream::new(listener);
    let server = tonic::transport::Server::builder()
        .tcp_nodelay(true)
        .add_service(SubmissionServiceServer::new(Nothing));
    Ok(server.serve_with_incoming(incoming).await?)
}

/// Runs the loop of `submit_single` against nothing.
pub(crate) async fn calls(options: &Options) -> Result<Measured> {
    let program = std::env::current_exe().context("this program's own path")?;
    let server = Server::start(Command::new(program).arg("--empty-server"))?;
    let mut connection = Connection::new(format!("http://{}", server.said("grpc")?), "empty");
    connection.connections = CONNECTIONS;
    let bank = Bank::connect(connection, None).await?;
    let request = request();
    let mut runs = Vec::new();
    for _ in 0..options.runs() {
        let before = Used::start(&server);
        let (bank, request) = (bank.clone(), request.clone());
        let call = move |_| {
            let (bank, request) = (bank.clone(), request.clone());
            async move {
                submit::submit(&bank, request).await?;
                Ok(())
            }
        };
        let run = load::calls(IN_FLIGHT, Until::Passed(options.window()), call).await?;
        runs.push(run.with_used(&before));
    }
    server.kill()?;
    Ok(load::median(runs))
}

fn request() -> SubmitBatchRequest {
    let bytes = |count: usize| Bytes::from(vec![9; count]);
    let record = v1::SignedRecord {
        envelope: bytes(ENVELOPE_BYTES),
        salt: bytes(32),
        payload: bytes(PAYLOAD_BYTES),
    };
    SubmitBatchRequest {
        sequence: 1,
        origin: "bench.example/log".into(),
        issuer: "bench-college".into(),
        key_id: bytes(32),
        algorithm: 1,
        root: bytes(32),
        signature: bytes(64),
        records: vec![record],
    }
}

fn answer(sequence: u64) -> SubmitBatchResponse {
    let created = v1::CreatedRows {
        first_leaf_index: 1 << 22,
        rows: Vec::new(),
        deposited_at_ms: 1 << 40,
        range_proof: vec![Bytes::from_static(&[8; 32]); PROOF_HASHES],
        checkpoint: "x".repeat(NOTE_BYTES),
    };
    SubmitBatchResponse {
        sequence,
        created: Some(created),
        ..SubmitBatchResponse::default()
    }
}
