//! How a server is asked to stop: by a signal, which leaves it time; a second one ends it at once.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use crate::notify::{self, State};

/// Resolves at the first signal; the second ends the process at once.
pub(crate) fn stop() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping");
        notify::tell(State::Stopping);
        tokio::spawn(async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            // Nothing acknowledged is lost: that is what every commit is synced for.
            std::process::exit(130);
        });
    })
}
