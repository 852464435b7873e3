//! A socket that whoever is connected has to read from: while something is to be written and nothing is taken for too long, it
//! fails, and what lies in the system's buffers goes with it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use metrics::counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::measure::UNREAD;

/// A socket with a bound on how long a write waits.
#[derive(Debug)]
pub(crate) struct Timed {
    stream: TcpStream,
    /// From the last byte that was taken.
    write_timeout: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Timed {
    pub(crate) fn new(stream: TcpStream, write_timeout: Duration) -> Self {
        Self {
            stream,
            write_timeout,
            waiting: None,
        }
    }

    /// What came of a write; a failure where it waits for too long.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let begin = || Box::pin(tokio::time::sleep(self.write_timeout));
        let waiting = self.waiting.get_or_insert_with(begin);
        ready!(waiting.as_mut().poll(cx));
        counter!(UNREAD).increment(1);
        // Otherwise the system would go on to offer it when the connection is closed here.
        drop(self.stream.set_zero_linger());
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.bounded(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// More than the buffers of both ends take.
    const BYTES: usize = 64 << 20;

    async fn pair(write_timeout: Duration) -> (Timed, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (accepted, client) = tokio::join!(listener.accept(), TcpStream::connect(address));
        let (stream, _) = accepted.expect("it connects");
        (
            Timed::new(stream, write_timeout),
            client.expect("it listens"),
        )
    }

    #[tokio::test]
    async fn whoever_reads_nothing_is_cut_off_and_whoever_reads_gets_everything() {
        let bytes = vec![7; BYTES];
        let (mut served, client) = pair(Duration::from_millis(50)).await;
        let error = served.write_all(&bytes).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop((served, client));

        let (mut served, mut client) = pair(Duration::from_secs(60)).await;
        let reads = async {
            let mut buffer = vec![0; 1 << 20];
            let mut count = 0;
            while count < BYTES {
                count += client.read(&mut buffer).await.expect("it is served");
            }
            count
        };
        let (written, count) = tokio::join!(served.write_all(&bytes), reads);
        assert_eq!((written.is_ok(), count), (true, BYTES));
    }
}
