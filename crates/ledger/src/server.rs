//! The process's two ports: gRPC, and the public log over HTTP. Starts, serves, stops within a bound.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use creditbank_wire::FILE_DESCRIPTOR_SET;
use creditbank_wire::v1::access_service_server::AccessServiceServer;
use creditbank_wire::v1::archive_service_server::ArchiveServiceServer;
use creditbank_wire::v1::backup_service_server::BackupServiceServer;
use creditbank_wire::v1::credential_service_server::CredentialServiceServer;
use creditbank_wire::v1::learner_service_server::LearnerServiceServer;
use creditbank_wire::v1::log_service_server::LogServiceServer;
use creditbank_wire::v1::points_service_server::PointsServiceServer;
use creditbank_wire::v1::recognition_service_server::RecognitionServiceServer;
use creditbank_wire::v1::reconciliation_service_server::ReconciliationServiceServer;
use creditbank_wire::v1::registry_service_server::RegistryServiceServer;
use creditbank_wire::v1::request_service_server::RequestServiceServer;
use creditbank_wire::v1::rule_service_server::RuleServiceServer;
use creditbank_wire::v1::statistics_service_server::StatisticsServiceServer;
use creditbank_wire::v1::submission_service_server::SubmissionServiceServer;
use creditbank_wire::v1::transfer_service_server::TransferServiceServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::codec::CompressionEncoding;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tower::layer::util::{Identity, Stack};

use crate::bank::Bank;
use crate::grpc::Services;
use crate::grpc::calls::{CallLimits, Calls};
use crate::listen::Port;
use crate::peers::{ask, witness};
use crate::{tiles, transfer};

/// Most bytes of one request: 1,024 records with room.
pub const REQUEST_BYTES_MAX: usize = 8 << 20;
/// Most bytes of a request of the registry (1,000 institutions) or of learners (1,000 identities).
const REGISTRY_REQUEST_BYTES_MAX: usize = 1 << 20;
/// Most bytes of a request of rule sets: what one commit publishes.
const RULE_SET_REQUEST_BYTES_MAX: usize = 4 << 20;
/// Most bytes of a request that only asks.
const SMALL_REQUEST_BYTES_MAX: usize = 64 << 10;
/// How long open calls may go on after a stop was asked for.
const STOP_BOUND: Duration = Duration::from_secs(10);
/// Connections are renewed, so that a stop never waits for one that lives for ever.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(30 * 60);
const CONNECTION_AGE_GRACE: Duration = Duration::from_secs(30);
/// A peer that does not answer this long is gone.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Calls at once on one connection.
const STREAMS_PER_CONNECTION: u32 = 1024;
/// Room for requests that are on their way to a slow reader.
const WINDOW_BYTES: u32 = 4 << 20;

/// Where and how to serve.
#[derive(Debug)]
pub struct ServerOptions {
    /// gRPC.
    pub grpc: SocketAddr,
    /// The public log.
    pub http: SocketAddr,
    /// Encrypts gRPC; it has to offer h2, and may resolve another certificate at every handshake.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Serve without TLS beyond loopback.
    pub allow_plaintext: bool,
    /// Connections at once, of each port; one more waits until another ends.
    pub connections_max: usize,
    /// Calls at once; may change while it serves.
    pub limits: Arc<ArcSwap<CallLimits>>,
}

/// Why the ports could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Plaintext is for loopback.
    #[error("{0} is not loopback: give a certificate, or say --allow-plaintext")]
    Plaintext(SocketAddr),
    /// A port.
    #[error("cannot listen at {address}: {error}")]
    Port {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// gRPC.
    #[error(transparent)]
    Grpc(#[from] tonic::transport::Error),
    /// Descriptors of the services.
    #[error(transparent)]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// The addresses that are served; ports that were given as 0 are known now.
#[derive(Debug, Clone, Copy)]
pub struct Serving {
    /// gRPC.
    pub grpc: SocketAddr,
    /// The public log.
    pub http: SocketAddr,
}

/// Serves until `stop` resolves, then finishes open calls within a bound.
pub async fn serve(
    bank: Arc<Bank>,
    options: ServerOptions,
    ready: impl FnOnce(Serving),
    stop: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    for (address, encrypted) in [(options.grpc, options.tls.is_some()), (options.http, false)] {
        if !encrypted && !options.allow_plaintext && !address.ip().is_loopback() {
            return Err(ServerError::Plaintext(address));
        }
    }
    let (grpc, http) = (bind(options.grpc).await?, bind(options.http).await?);
    let port = |listener: &TcpListener, asked| {
        listener.local_addr().map_err(|error| ServerError::Port {
            address: asked,
            error,
        })
    };
    let serving = Serving {
        grpc: port(&grpc, options.grpc)?,
        http: port(&http, options.http)?,
    };
    let (stopping, stopped) = watch::channel(false);
    let public = tiles::routes(Arc::clone(&bank)).merge(witness::routes(Arc::clone(&bank)));
    let http = Port::new(http, options.connections_max, "http");
    let log = axum::serve(http, public).with_graceful_shutdown(told(stopped.clone()));
    let log = tokio::spawn(async move { log.await });
    let incoming =
        Port::new(grpc, options.connections_max, "grpc").incoming(options.tls, stopped.clone());
    let calls = router(&bank, options.limits)
        .await?
        .serve_with_incoming_shutdown(incoming, told(stopped));
    let calls = tokio::spawn(calls);
    let asking = ask::start(&bank, &stopping.subscribe());
    let desk = tokio::spawn(transfer::run(Arc::clone(&bank), stopping.subscribe()));
    ready(serving);
    stop.await;
    // Peers wait for our next step for longer than a stop may take.
    bank.wind_up();
    stopping.send_replace(true);
    let asked = async move {
        for task in asking {
            drop(task.await);
        }
    };
    let finished = async { tokio::join!(calls, log, asked, desk) };
    if tokio::time::timeout(STOP_BOUND, finished).await.is_err() {
        tracing::warn!(
            "some calls did not end within {} s and were cut off",
            STOP_BOUND.as_secs()
        );
    }
    bank.stop().await;
    Ok(())
}

async fn router(
    bank: &Arc<Bank>,
    limits: Arc<ArcSwap<CallLimits>>,
) -> Result<tonic::transport::server::Router<Stack<Calls, Identity>>, ServerError> {
    let mut server = Server::builder()
        .max_connection_age(CONNECTION_AGE_MAX)
        .max_connection_age_grace(CONNECTION_AGE_GRACE)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(4 * WINDOW_BYTES)
        .layer(Calls::new(limits));
    let (health, health_service) = tonic_health::server::health_reporter();
    let services = Services::new(Arc::clone(bank));
    macro_rules! limited {
        ($server:ident, $bytes_max:expr) => {{
            health.set_serving::<$server<Services>>().await;
            $server::new(services.clone())
                .max_decoding_message_size($bytes_max)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .send_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Zstd)
        }};
    }
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    Ok(server
        .add_service(known(
            &services,
            limited!(SubmissionServiceServer, REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(ArchiveServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(LearnerServiceServer, REGISTRY_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(RecognitionServiceServer, REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(ReconciliationServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(PointsServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(TransferServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(AccessServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(RequestServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(known(
            &services,
            limited!(BackupServiceServer, SMALL_REQUEST_BYTES_MAX),
        ))
        .add_service(limited!(RuleServiceServer, RULE_SET_REQUEST_BYTES_MAX))
        .add_service(limited!(LogServiceServer, SMALL_REQUEST_BYTES_MAX))
        .add_service(limited!(CredentialServiceServer, SMALL_REQUEST_BYTES_MAX))
        .add_service(limited!(
            StatisticsServiceServer,
            REGISTRY_REQUEST_BYTES_MAX
        ))
        .add_service(limited!(RegistryServiceServer, REGISTRY_REQUEST_BYTES_MAX))
        .add_service(health_service)
        .add_service(reflection.build_v1()?))
}

/// Asks who calls before a body is read: a stranger's request costs no more than its headers.
fn known<S>(services: &Services, service: S) -> InterceptedService<S, Services> {
    InterceptedService::new(service, services.clone())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| ServerError::Port { address, error })
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone: a stop as well.
    drop(stopped.wait_for(|stopped| *stopped).await);
}
