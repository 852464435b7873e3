//! Connections: no more than so many at once, of all and of one client, none that is slow for ever or reads nothing, all ended
//! within a bound of a stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::{counter, gauge};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::clients::{Clients, Place};
use crate::measure::{CONNECTIONS, REFUSED};
use crate::proxies::Network;
use crate::unread::Timed;

/// Most bytes of a request's head; hyper answers 431 beyond.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Most header lines of a request.
const HEADERS_MAX: usize = 100;
/// How long a client may take for the head of a request; also how long a connection may lie idle.
const HEAD_TIME_MAX: Duration = Duration::from_secs(15);
/// A connection is told to end after so long, and is cut off a little later whoever does not read its answer.
const AGE_MAX: Duration = Duration::from_secs(10 * 60);
const AGE_GRACE: Duration = Duration::from_secs(30);
/// How long open requests may go on after a stop was asked for.
const STOP_BOUND: Duration = Duration::from_secs(10);
/// How long to wait after the system had no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a port bears.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// Connections at once.
    pub(crate) connections_max: usize,
    /// Connections at once of one client.
    pub(crate) connections_of_client_max: usize,
    /// They connect for many clients.
    pub(crate) trusted_proxies: Vec<Network>,
    /// How long a client may take no byte of what is written to it.
    pub(crate) write_timeout: Duration,
}

/// Serves until `stop` resolves, then finishes open requests within a bound.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    bounds: Bounds,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: impl Future<Output = ()>,
) {
    let (stopping, stopped) = watch::channel(false);
    let room = Arc::new(Semaphore::new(bounds.connections_max));
    let clients = Clients::new(bounds.connections_of_client_max, bounds.trusted_proxies);
    let tls = tls.map(TlsAcceptor::from);
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let permit = permit.expect("it is never closed");
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = clients.enter(peer.ip()) else {
                    counter!(REFUSED).increment(1);
                    continue;
                };
                let line = Line {
                    stream: accepted_stream(stream, bounds.write_timeout),
                    peer,
                    _held: (permit, place),
                };
                tokio::spawn(line.serve(tls.clone(), routes.clone(), stopped.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let all = u32::try_from(bounds.connections_max).unwrap_or(u32::MAX);
    if tokio::time::timeout(STOP_BOUND, room.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

/// One connection, with its places among those that there may be.
struct Line {
    stream: Timed,
    peer: SocketAddr,
    _held: (OwnedSemaphorePermit, Place),
}

impl Line {
    async fn serve(self, tls: Option<TlsAcceptor>, routes: Router, stopped: watch::Receiver<bool>) {
        let Self {
            stream,
            peer,
            _held,
        } = self;
        let open = gauge!(CONNECTIONS);
        open.increment(1.0);
        match tls {
            None => connection(stream, peer, routes, stopped).await,
            Some(tls) => {
                let shaken = tokio::time::timeout(HEAD_TIME_MAX, tls.accept(stream));
                // Whoever does not speak TLS is no concern of the operator's.
                if let Ok(Ok(stream)) = shaken.await {
                    connection(stream, peer, routes, stopped).await;
                }
            }
        }
        open.decrement(1.0);
    }
}

fn accepted_stream(stream: TcpStream, write_timeout: Duration) -> Timed {
    // Answers are written at once; a failure shows at the first read.
    drop(stream.set_nodelay(true));
    Timed::new(stream, write_timeout)
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    routes: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        answer(routes.clone(), request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        _ = connection.as_mut() => true,
        () = tokio::time::sleep(AGE_MAX) => false,
        _ = stopped.wait_for(|stopped| *stopped) => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        // What a client does or does not read is its own affair.
        drop(tokio::time::timeout(AGE_GRACE, connection).await);
    }
}

async fn answer(routes: Router, request: Request) -> Result<axum::response::Response, Infallible> {
    routes.oneshot(request).await
}
