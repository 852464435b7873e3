//! Folds figures behind the log, on one thread of its own, never for more than a small part of the time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::bank::Bank;
use crate::clock;

/// How long figures may be behind a quiet bank.
const PAUSE: Duration = Duration::from_secs(10);
/// The pause before the first fold, and at least where there is more to fold.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// A fold that took a while is followed by a pause of this many times as long.
const PAUSE_FACTOR: u32 = 20;

/// Ends the thread when it is dropped.
#[derive(Debug)]
pub(crate) struct Stop(#[expect(dead_code, reason = "only its end is told")] SyncSender<()>);

/// Starts the thread.
pub(crate) fn start(bank: &Arc<Bank>) -> (Stop, JoinHandle<()>) {
    let (stop, stopped) = sync_channel(1);
    let bank = Arc::clone(bank);
    let thread = std::thread::Builder::new().name("statistics".into());
    let thread = thread.spawn(move || run(&bank, &stopped));
    (Stop(stop), thread.expect("a thread can be started"))
}

fn run(bank: &Bank, stopped: &Receiver<()>) {
    let mut pause = PAUSE_MIN;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let begun = clock::now_ms();
        let is_behind = bank.fold_some().unwrap_or_else(|error| {
            tracing::error!(%error, "statistics could not be folded");
            false
        });
        let took = Duration::from_millis(clock::now_ms().saturating_sub(begun));
        let at_least = if is_behind { PAUSE_MIN } else { PAUSE };
        pause = at_least.max(took * PAUSE_FACTOR);
    }
}
