//! What the service manager is told, in systemd's protocol: a datagram of `NAME=VALUE` lines to the socket that it names in the
//! environment. Where it names none, nothing is told.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock;
use crate::settings::Manager;

/// How long the manager may take no message.
const WITHIN: Duration = Duration::from_secs(1);
/// It is told so many times of being alive in the time after which it would give up.
const TIMES: u32 = 3;

/// Whether it was told that this process serves.
static SERVES: AtomicBool = AtomicBool::new(false);

/// What it may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It serves.
    Ready,
    /// Settings are read again.
    Reloading,
    /// They were, whatever came of it.
    Reloaded,
    /// It has been asked to stop.
    Stopping,
    /// It works still.
    Alive,
}

impl State {
    fn message(self) -> String {
        match self {
            Self::Ready | Self::Reloaded => "READY=1".to_owned(),
            Self::Reloading => {
                format!("RELOADING=1\nMONOTONIC_USEC={}", clock::monotonic_us())
            }
            Self::Stopping => "STOPPING=1".to_owned(),
            Self::Alive => "WATCHDOG=1".to_owned(),
        }
    }
}

/// Tells the service manager.
pub(crate) fn tell(state: State) {
    // Whoever waits for the start must not take a reload before it for its end.
    match state {
        State::Ready => SERVES.store(true, Ordering::Relaxed),
        State::Reloading | State::Reloaded if !SERVES.load(Ordering::Relaxed) => return,
        _ => {}
    }
    let Some(socket) = Manager::of_process().socket else {
        return;
    };
    if let Err(error) = send(&socket, &state.message()) {
        tracing::warn!(%error, ?state, "the service manager could not be told");
    }
}

/// Tells that the process works, again and again, whenever `works` says so; one that never answers is one that does not. Only
/// where the manager wants to know.
pub(crate) fn watch<F>(works: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = bool> + Send,
{
    let Some(watchdog) = Manager::of_process().watchdog else {
        return;
    };
    tokio::spawn(async move {
        loop {
            if works().await {
                tell(State::Alive);
            }
            tokio::time::sleep(watchdog / TIMES).await;
        }
    });
}

fn send(socket: &OsStr, message: &str) -> io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    let from = UnixDatagram::unbound()?;
    from.set_write_timeout(Some(WITHIN))?;
    from.send_to_addr(message.as_bytes(), &address).map(drop)
}
