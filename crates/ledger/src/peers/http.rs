//! A connection to the public log of a peer: HTTP/1.1, kept alive, made anew when it breaks.
//!
//! What is asked and answered here is signed; https is for who must not see it, and for firewalls that want it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

/// Most bytes of an answer: 256 of the largest leaves.
const ANSWER_BYTES_MAX: usize = 17 << 20;

/// Why a peer did not answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL is no `http://HOST[:PORT]` or `https://HOST[:PORT]`.
    #[error("{0:?} is no URL of a host, such as http://sh.example:7301")]
    Url(String),
    /// An https URL without a usable certificate authority.
    #[error("https needs the certificate authority that vouches for it, as PEM: {0}")]
    Authority(String),
    /// Nobody there, or the connection broke.
    #[error("not reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
}

/// Status and body of an answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text; what is no UTF-8 is replaced and will not verify.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A peer's public log. One request at a time.
pub struct Line {
    host: String,
    port: u16,
    /// Path before every path; no slash at its end.
    prefix: String,
    tls: Option<TlsConnector>,
    open: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Line {
    /// Reads where to connect; connects when first used.
    ///
    /// # Errors
    /// If the URL or the certificates cannot be used.
    pub fn new(url: &str, ca_pem: Option<&[u8]>) -> Result<Self, HttpError> {
        let wrong = || HttpError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let (tls, default) = match uri.scheme_str() {
            Some("http") => (None, 80),
            Some("https") => (Some(connector(ca_pem)?), 443),
            _ => return Err(wrong()),
        };
        if uri.query().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            host,
            port: uri.port_u16().unwrap_or(default),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            tls,
            open: Mutex::new(None),
        })
    }

    /// Gets a path, which begins with a slash.
    ///
    /// # Errors
    /// If nobody answers in time.
    pub async fn get(&self, path: &str, within: Duration) -> Result<Answer, HttpError> {
        self.ask(Method::GET, path, Bytes::new(), within).await
    }

    /// Posts text to a path. It may be sent twice, if the connection breaks in between.
    ///
    /// # Errors
    /// If nobody answers in time.
    pub async fn post(
        &self,
        path: &str,
        body: String,
        within: Duration,
    ) -> Result<Answer, HttpError> {
        self.ask(Method::POST, path, body.into(), within).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        within: Duration,
    ) -> Result<Answer, HttpError> {
        let asked = async {
            let mut open = self.open.lock().await;
            // Taken out while it is in use: one that breaks, or that we stop waiting for, is not used again.
            if let Some(mut sender) = open.take()
                && sender.ready().await.is_ok()
                && let Ok(answer) = self.send(&mut sender, &method, path, body.clone()).await
            {
                *open = Some(sender);
                return Ok(answer);
            }
            let mut sender = self.connect().await?;
            let answer = self.send(&mut sender, &method, path, body).await?;
            *open = Some(sender);
            Ok(answer)
        };
        let late = |_| Err(HttpError::Late(within));
        tokio::time::timeout(within, asked)
            .await
            .unwrap_or_else(late)
    }

    async fn send(
        &self,
        sender: &mut SendRequest<Full<Bytes>>,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, HttpError> {
        let host = if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(HOST, host)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::new(body))
            .map_err(unreachable)?;
        let answer = sender.send_request(request).await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
        let body = body
            .await
            .map_err(|error| HttpError::Unreachable(error.to_string()))?;
        let body = body.to_bytes();
        Ok(Answer { status, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, HttpError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let Some(tls) = &self.tls else {
            return shake_hands(TokioIo::new(stream)).await;
        };
        let name = ServerName::try_from(self.host.clone()).map_err(unreachable)?;
        let stream = tls.connect(name, stream).await.map_err(unreachable)?;
        shake_hands(TokioIo::new(stream)).await
    }
}

async fn shake_hands<T>(stream: T) -> Result<SendRequest<Full<Bytes>>, HttpError>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(stream).await.map_err(unreachable)?;
    // Ends with its sender.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn connector(ca_pem: Option<&[u8]>) -> Result<TlsConnector, HttpError> {
    let wrong = |why: &dyn std::fmt::Display| HttpError::Authority(why.to_string());
    let pem = ca_pem.ok_or_else(|| wrong(&"none is given"))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn unreachable(error: impl std::fmt::Display) -> HttpError {
    HttpError::Unreachable(error.to_string())
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({}:{})", self.host, self.port)
    }
}
