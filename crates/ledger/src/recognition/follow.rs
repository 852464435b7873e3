//! What follows from a commit, on a thread of its own: a decision that stands on a revoked or amended outcome is
//! reversed, points that it earned are taken back, and an application that needs no panel is decided. All of it is found
//! again at a start, so a crash in between loses nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::record::RecordKind;
use creditbank_domain::{Fault, LeafIndex, Refusal};
use creditbank_store::{Go, StoreError};

use super::advance::Action;
use super::file::CaseFile;
use crate::archive::Archive;
use crate::bank::Bank;
use crate::fold::find_state;
use crate::vault;

/// Changes that wait; beyond them everything is looked at once more.
const CHANGES_MAX: usize = 1024;
/// How long to wait before what the queue had no room for is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How often it is tried.
const TRIES: u32 = 50;

/// What a commit changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Changed {
    /// A record of this learner was amended or revoked.
    Archive(u64),
    /// An application came in.
    Applied(LeafIndex),
}

/// The sequencer's end.
#[derive(Debug)]
pub(crate) struct Follower {
    changes: SyncSender<Changed>,
    missed: Arc<AtomicBool>,
}

impl Follower {
    /// Never waits: what does not fit is found by looking at everything.
    pub(crate) fn tell(&self, changed: Changed) {
        if self.changes.try_send(changed).is_err() {
            self.missed.store(true, Ordering::Release);
        }
    }
}

/// Starts the thread; it ends when the follower is dropped.
pub(crate) fn start(bank: &Arc<Bank>) -> (Follower, JoinHandle<()>) {
    let (changes, receiver) = sync_channel(CHANGES_MAX);
    let missed = Arc::new(AtomicBool::new(true));
    let follower = Follower {
        changes,
        missed: Arc::clone(&missed),
    };
    let bank = Arc::clone(bank);
    let thread = std::thread::Builder::new().name("follower".into());
    let thread = thread.spawn(move || run(&bank, &receiver, &missed));
    (follower, thread.expect("a thread can be started"))
}

fn run(bank: &Bank, changes: &Receiver<Changed>, missed: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without I/O can be made");
    loop {
        if missed.swap(false, Ordering::AcqRel) {
            match everything(bank) {
                Ok(found) => found
                    .into_iter()
                    .for_each(|changed| runtime.block_on(follow(bank, changed))),
                Err(error) => tracing::error!(%error, "applications could not be looked through"),
            }
        }
        match changes.recv() {
            Ok(changed) => runtime.block_on(follow(bank, changed)),
            Err(_) => return,
        }
    }
}

/// Applications that nobody has looked at, and learners of whom a record was changed.
fn everything(bank: &Bank) -> Result<Vec<Changed>, StoreError> {
    let mut found = Vec::new();
    let head = bank.head();
    head.snapshot.applications(LeafIndex(0), |index, row| {
        if row.kind == RecordKind::Application as u8 {
            found.push(Changed::Applied(index));
        }
        Go::Continue(())
    })?;
    head.snapshot.changed_learners(|learner| {
        found.push(Changed::Archive(learner));
        Go::Continue(())
    })?;
    Ok(found)
}

async fn follow(bank: &Bank, changed: Changed) {
    for _ in 0..TRIES {
        if bank.is_stopping() {
            return;
        }
        let followed = match changed {
            Changed::Archive(learner) => undo_all(bank, learner).await,
            Changed::Applied(index) => bank.decide_automatically(index).await,
        };
        let Err(faults) = followed else { return };
        let again = faults.iter().any(|fault| {
            matches!(
                fault.refusal,
                Refusal::QueueFull { .. } | Refusal::ApplicationMoved
            )
        });
        if !again {
            let codes: Vec<_> = faults.iter().map(|fault| fault.refusal.code()).collect();
            tracing::warn!(
                ?codes,
                "what follows from a commit could not be done; an operator must look at it"
            );
            return;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Undoes what rests on outcomes of an archive that were revoked or amended: decisions and points, each whatever becomes
/// of the other.
async fn undo_all(bank: &Bank, learner: u64) -> Result<(), Vec<Fault>> {
    let Ok(learner) = LearnerCode::from_u64(learner) else {
        return Ok(());
    };
    let reversed = reverse_all(bank, learner).await;
    bank.claw_back(learner).await.and(reversed)
}

/// Reverses every decision of an archive that stands on an outcome that was revoked or amended.
async fn reverse_all(bank: &Bank, learner: LearnerCode) -> Result<(), Vec<Fault>> {
    for (code, application, outcome) in undermined(bank, learner).map_err(failed)? {
        let reason = format!("outcome {outcome} was amended or revoked");
        bank.advance(code, application, Action::Reverse, &reason)
            .await?;
    }
    Ok(())
}

/// Applications whose decision stands on a changed outcome: code, application, outcome.
fn undermined(
    bank: &Bank,
    learner: LearnerCode,
) -> Result<Vec<(LearnerCode, LeafIndex, LeafIndex)>, StoreError> {
    let head = bank.head();
    // A learner who is gone has no decisions any more.
    let Ok(archive) = Archive::open(bank, Arc::clone(&head), learner, None)? else {
        return Ok(Vec::new());
    };
    let mut applications = Vec::new();
    for part in &archive.parts {
        head.snapshot
            .vault(part.code.as_u64(), None, |index, row| {
                if vault::header(row).is_ok_and(|header| header.kind == RecordKind::Application) {
                    applications.push((part.code, index));
                }
                Go::Continue(())
            })?;
    }
    let changed = |outcome: LeafIndex| {
        archive.parts.iter().any(|part| {
            let state = find_state(&part.states, outcome);
            state.revoked_by.is_some() || state.amended_by.is_some()
        })
    };
    let mut found = Vec::new();
    for (code, application) in applications {
        let Ok(file) = CaseFile::read(bank, &head, application)? else {
            continue;
        };
        let Some(ruling) = file.decision().filter(|_| !file.is_reversed()) else {
            continue;
        };
        let mut outcomes = ruling.lines.iter().flat_map(|line| &line.outcomes);
        if let Some(outcome) = outcomes.find(|outcome| changed(**outcome)) {
            found.push((code, application, *outcome));
        }
    }
    Ok(found)
}

fn failed(error: StoreError) -> Vec<Fault> {
    tracing::error!(%error, "decisions could not be looked through");
    vec![Refusal::StorageFailed.at("")]
}
