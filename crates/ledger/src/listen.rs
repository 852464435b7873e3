//! Connections of both ports: no more than so many at once, encrypted where there is a certificate, none that is slow to
//! begin. A certificate is looked up at every handshake, so that a new one serves without a restart.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use metrics::{Gauge, gauge};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How long a handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long to wait after the system had no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that were accepted and not taken up yet.
const ACCEPTED_MAX: usize = 64;

/// A port with room for so many connections; one more waits until another ends.
pub(crate) struct Port {
    listener: TcpListener,
    room: Arc<Semaphore>,
    /// Connections that are open.
    open: Gauge,
}

impl Port {
    pub(crate) fn new(listener: TcpListener, connections_max: usize, name: &'static str) -> Self {
        Self {
            listener,
            room: Arc::new(Semaphore::new(connections_max)),
            open: gauge!("creditbank_connections", "port" => name),
        }
    }

    async fn next(&self) -> (TcpStream, SocketAddr, Room) {
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.expect("it is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Answers are written at once; a failure shows at the first read.
                    drop(stream.set_nodelay(true));
                    self.open.increment(1.0);
                    return (stream, peer, Room(room, self.open.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Everything that connects until the stop, encrypted where `tls` says how.
    pub(crate) fn incoming(
        self,
        tls: Option<Arc<rustls::ServerConfig>>,
        mut stopped: watch::Receiver<bool>,
    ) -> ReceiverStream<Result<Line, Infallible>> {
        let (lines, incoming) = mpsc::channel(ACCEPTED_MAX);
        let tls = tls.map(TlsAcceptor::from);
        tokio::spawn(async move {
            loop {
                let (stream, _, room) = tokio::select! {
                    next = self.next() => next,
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                };
                let (lines, tls) = (lines.clone(), tls.clone());
                tokio::spawn(async move {
                    if let Some(line) = Line::begin(stream, tls, room).await {
                        // Nobody takes it up any more when the bank stops.
                        drop(lines.send(Ok(line)).await);
                    }
                });
            }
        });
        ReceiverStream::new(incoming)
    }
}

impl axum::serve::Listener for Port {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, peer, room) = self.next().await;
        let line = Line {
            bytes: Bytes::Plain(stream),
            _room: room,
        };
        (line, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One connection, with its place among those that there may be.
pub(crate) struct Line {
    bytes: Bytes,
    _room: Room,
}

enum Bytes {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// A place among the connections; given back with the connection.
struct Room(
    #[expect(dead_code, reason = "held until the connection ends")] OwnedSemaphorePermit,
    Gauge,
);

impl Drop for Room {
    fn drop(&mut self) {
        self.1.decrement(1.0);
    }
}

impl Line {
    async fn begin(stream: TcpStream, tls: Option<TlsAcceptor>, room: Room) -> Option<Self> {
        let bytes = match tls {
            None => Bytes::Plain(stream),
            Some(tls) => {
                let shaken = tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await;
                // Whoever does not speak TLS is no concern of the operator's.
                Bytes::Encrypted(Box::new(shaken.ok()?.ok()?))
            }
        };
        Some(Self { bytes, _room: room })
    }

    fn tcp(&self) -> &TcpStream {
        match &self.bytes {
            Bytes::Plain(stream) => stream,
            Bytes::Encrypted(stream) => stream.get_ref().0,
        }
    }
}

impl Connected for Line {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.tcp().connect_info()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Bytes::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Bytes::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Bytes::Encrypted(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.bytes {
            Bytes::Plain(stream) => stream.is_write_vectored(),
            Bytes::Encrypted(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Bytes::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.bytes {
            Bytes::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Bytes::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
