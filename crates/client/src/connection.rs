//! Connections to a bank: a handful of HTTP/2 connections used in turn, each with its own token, and the rules of
//! trying again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use creditbank_wire::v1;
use tonic::codec::CompressionEncoding;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status};

use crate::failure::{ClientError, Refused};
use crate::keys::InstitutionKeys;
use crate::retry::RetryPolicy;
use crate::token::{Minter, Session};
use crate::trace;

/// The most connections to one bank.
pub const CONNECTIONS_MAX: usize = 64;
/// Most bytes of one answer: a batch of nothing but duplicates brings 1,024 receipts.
const ANSWER_BYTES_MAX: usize = 80 << 20;
/// What may be under way on one stream and on one connection.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;

/// Where the bank is and how to speak with it.
#[derive(Clone, Debug)]
pub struct Options {
    /// `https://bank.example:7443`, or `http://127.0.0.1:7070` on loopback.
    pub url: String,
    /// The ledger's origin: it stands in every token and under every batch signature.
    pub origin: String,
    /// How many connections to use in turn; held between 1 and [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// The certificate authorities to trust, as PEM. Needed for https.
    pub ca_pem: Option<Vec<u8>>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one attempt of a call may take; the bank is told.
    pub call_timeout: Duration,
    /// When to try again.
    pub retry: RetryPolicy,
    /// How requests are compressed, and which compression of answers is accepted.
    pub compression: Compression,
}

impl Options {
    /// One connection, 5 s to connect, 30 s a call, no compression.
    #[must_use]
    pub fn new(url: impl Into<String>, origin: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            origin: origin.into(),
            connections: 1,
            ca_pem: None,
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            compression: Compression::None,
        }
    }
}

/// Compression of messages. On a fast network none is fastest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    #[default]
    None,
    /// gzip
    Gzip,
    /// Zstandard
    Zstd,
}

impl Compression {
    fn encoding(self) -> Option<CompressionEncoding> {
        match self {
            Self::None => None,
            Self::Gzip => Some(CompressionEncoding::Gzip),
            Self::Zstd => Some(CompressionEncoding::Zstd),
        }
    }
}

/// A bank, connected. Clones share its connections.
#[derive(Clone)]
pub struct Bank(Arc<Lines>);

struct Lines {
    options: Options,
    keys: Option<Arc<InstitutionKeys>>,
    lines: Vec<Line>,
    next: AtomicUsize,
}

impl Bank {
    /// Connects. Without keys only what is public can be called. A connection that breaks later is made anew when it
    /// is next used.
    ///
    /// # Errors
    /// If the options do not fit together or nobody answers.
    pub async fn connect(
        options: Options,
        keys: Option<Arc<InstitutionKeys>>,
    ) -> Result<Self, ClientError> {
        let endpoint = endpoint(&options)?;
        let minter = keys
            .as_deref()
            .map(|keys| Arc::new(Minter::new(&options.origin, keys)));
        let mut lines = Vec::new();
        for _ in 0..options.connections.clamp(1, CONNECTIONS_MAX) {
            let channel = endpoint.connect().await.map_err(ClientError::Connect)?;
            let session = minter.clone().map(|minter| Arc::new(Session::new(minter)));
            lines.push(Line {
                channel,
                session,
                epoch: 0,
                compression: options.compression,
            });
        }
        Ok(Self(Arc::new(Lines {
            options,
            keys,
            lines,
            next: AtomicUsize::new(0),
        })))
    }

    /// The ledger's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.options.origin
    }

    /// The keys it was connected with.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<InstitutionKeys>> {
        self.0.keys.as_ref()
    }

    /// The options it was connected with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The next connection in turn.
    #[must_use]
    pub fn line(&self) -> Line {
        let turn = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.lines[turn % self.0.lines.len()].begin()
    }

    /// Makes one unary call with deadline and retries, on the next connection in turn.
    ///
    /// ```no_run
    /// # async fn example(bank: creditbank_client::Bank) -> Result<(), creditbank_client::ClientError> {
    /// use creditbank_wire::v1;
    /// let request = v1::GetInstitutionRequest { institution_id: "fudan".into() };
    /// let institution = bank
    ///     .call(request, |line, request| async move { line.registry().get_institution(request).await })
    ///     .await?;
    /// # let _ = institution; Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The bank's refusal, or that it could not be reached in the attempts that the policy allows.
    pub async fn call<Q, A, F>(
        &self,
        request: Q,
        send: impl Fn(Line, Request<Q>) -> F,
    ) -> Result<A, ClientError>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut attempts = self.0.options.retry.attempts();
        let mut line = self.line();
        loop {
            let mut attempt = Request::new(request.clone());
            attempt.set_timeout(self.0.options.call_timeout);
            match send(line.clone(), attempt).await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => attempts.after(Refused::new(status), &mut line).await?,
            }
        }
    }

    /// Institutions, keys and categories; on the next connection in turn, without retries.
    #[must_use]
    pub fn registry(&self) -> v1::registry_service_client::RegistryServiceClient<Authorized> {
        self.line().registry()
    }

    /// Learners; on the next connection in turn, without retries.
    #[must_use]
    pub fn learner(&self) -> v1::learner_service_client::LearnerServiceClient<Authorized> {
        self.line().learner()
    }

    /// Deposits; on the next connection in turn, without retries.
    #[must_use]
    pub fn submission(&self) -> v1::submission_service_client::SubmissionServiceClient<Authorized> {
        self.line().submission()
    }

    /// Archives; on the next connection in turn, without retries.
    #[must_use]
    pub fn archive(&self) -> v1::archive_service_client::ArchiveServiceClient<Authorized> {
        self.line().archive()
    }

    /// The public log; on the next connection in turn, without retries.
    #[must_use]
    pub fn log(&self) -> v1::log_service_client::LogServiceClient<Authorized> {
        self.line().log()
    }

    /// Rule sets and projects; on the next connection in turn, without retries.
    #[must_use]
    pub fn rules(&self) -> v1::rule_service_client::RuleServiceClient<Authorized> {
        self.line().rules()
    }

    /// Simulations, plans and applications; on the next connection in turn, without retries.
    #[must_use]
    pub fn recognition(
        &self,
    ) -> v1::recognition_service_client::RecognitionServiceClient<Authorized> {
        self.line().recognition()
    }

    /// Points; on the next connection in turn, without retries.
    #[must_use]
    pub fn points(&self) -> v1::points_service_client::PointsServiceClient<Authorized> {
        self.line().points()
    }
}

/// One connection, whose calls carry its token.
#[derive(Clone)]
pub struct Line {
    channel: Channel,
    session: Option<Arc<Session>>,
    /// See [`Session::epoch`]; of the last [`Line::begin`].
    epoch: u64,
    compression: Compression,
}

/// A connection that adds the token to every call.
pub type Authorized = InterceptedService<Channel, Authorize>;

/// Adds the token of a connection to a call.
#[derive(Clone)]
pub struct Authorize(Option<Arc<Session>>);

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(session) = &self.0 {
            let header = session
                .header()
                .map_err(|error| Status::internal(error.to_string()))?;
            request.metadata_mut().insert("authorization", header);
        }
        if let Some(trace) = trace::current() {
            request.metadata_mut().insert(trace::HEADER, trace);
        }
        Ok(request)
    }
}

/// One accessor a service.
macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $module:ident :: $client:ident;)*) => {
        impl Line {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> v1::$module::$client<Authorized> {
                let authorize = Authorize(self.session.clone());
                let client = v1::$module::$client::with_interceptor(self.channel.clone(), authorize)
                    .max_decoding_message_size(ANSWER_BYTES_MAX);
                match self.compression.encoding() {
                    Some(encoding) => client.send_compressed(encoding).accept_compressed(encoding),
                    None => client,
                }
            })*
        }
    };
}

clients! {
    /// Institutions, keys and categories.
    registry: registry_service_client::RegistryServiceClient;
    /// Learners.
    learner: learner_service_client::LearnerServiceClient;
    /// Deposits.
    submission: submission_service_client::SubmissionServiceClient;
    /// Archives.
    archive: archive_service_client::ArchiveServiceClient;
    /// The public log.
    log: log_service_client::LogServiceClient;
    /// Rule sets and projects.
    rules: rule_service_client::RuleServiceClient;
    /// Simulations, plans and applications.
    recognition: recognition_service_client::RecognitionServiceClient;
    /// Points.
    points: points_service_client::PointsServiceClient;
    /// Periods with peer banks.
    reconciliation: reconciliation_service_client::ReconciliationServiceClient;
    /// Transfers between banks.
    transfers: transfer_service_client::TransferServiceClient;
    /// Sign-in, codes, grants and looks.
    access: access_service_client::AccessServiceClient;
    /// What learners ask for.
    requests: request_service_client::RequestServiceClient;
    /// Credentials that learners take away.
    credentials: credential_service_client::CredentialServiceClient;
}

impl Line {
    /// The connection itself, without a token: for services that are not the bank's own, such as gRPC health.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The same connection, for a new call.
    fn begin(&self) -> Self {
        let epoch = self.session.as_ref().map_or(0, |session| session.epoch());
        Self {
            epoch,
            ..self.clone()
        }
    }

    /// The bank refused the token: the next call carries a fresh one. False where calls carry none.
    pub(crate) fn renew_token(&mut self) -> bool {
        let Some(session) = &self.session else {
            return false;
        };
        session.forget(self.epoch);
        self.epoch = session.epoch();
        true
    }
}

fn endpoint(options: &Options) -> Result<Endpoint, ClientError> {
    let endpoint = Endpoint::from_shared(options.url.clone())
        .map_err(ClientError::Connect)?
        .connect_timeout(options.connect_timeout)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .tcp_nodelay(true);
    match (endpoint.uri().scheme_str(), &options.ca_pem) {
        (Some("http"), None) => Ok(endpoint),
        (Some("http"), Some(_)) => Err(ClientError::Configuration(
            "a certificate authority is of no use with http",
        )),
        (Some("https"), Some(pem)) => {
            // With two providers compiled in, rustls panics unless one is chosen. An earlier choice stands.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
            endpoint.tls_config(tls).map_err(ClientError::Connect)
        }
        (Some("https"), None) => Err(ClientError::Configuration(
            "https needs the certificate authority of the bank, as PEM",
        )),
        _ => Err(ClientError::Configuration(
            "the bank's address begins with https:// or http://",
        )),
    }
}
