//! Brings this bank's newest checkpoint to each peer, and keeps what it cosigns.

use std::sync::Arc;
use std::time::Duration;

use creditbank_merkle::{
    AddCheckpoint, Checkpoint, Note, TreeSize, VerifierKey, consistency_proof,
};
use creditbank_store::{PeerRow, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::guard::{self, Shown};
use super::http::HttpError;
use super::{Cosigned, Peer, Peers, lock};
use crate::bank::Bank;
use crate::head::Head;
use crate::measure::stages;

/// Between two looks at whether the log has grown.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause after a failure; it doubles up to this.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a peer may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Why a peer did not cosign.
#[derive(Debug, thiserror::Error)]
enum NotAsked {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it refuses with status {0}: {1}")]
    Refused(u16, String),
    #[error("it has cosigned {0} leaves of this log, where a proof was brought from {1}")]
    Conflict(TreeSize, TreeSize),
    #[error("its answer is not cosigned by a key that is registered for it")]
    NotCosigned,
    #[error("no key for cosigning is registered for it; `creditbank peer admit` registers it")]
    NoKey,
}

/// Starts one task a peer. They end when `stopped` says so.
pub(crate) fn start(bank: &Arc<Bank>, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let peers = 0..bank.peers().all().len();
    let task = |peer| {
        let (bank, mut stopped) = (Arc::clone(bank), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                // An error means that the sender is gone: a stop as well.
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = ask_on(&bank, &bank.peers().all()[peer]) => {}
            }
        })
    };
    peers.map(task).collect()
}

async fn ask_on(bank: &Bank, peer: &Peer) {
    let id = &peer.options().id;
    let mut pause = PAUSE;
    // The start could not ask a peer that was not reached: it is asked as soon as it is, before it is brought anything.
    let mut looked = false;
    loop {
        tokio::time::sleep(pause).await;
        let asked = async {
            if !looked {
                look(bank, peer).await?;
                looked = true;
            }
            ask(bank, peer).await
        };
        match asked.await {
            Ok(()) if pause > PAUSE => {
                tracing::info!(peer = %id, "cosigns this bank's checkpoints again");
                pause = PAUSE;
            }
            Ok(()) => {}
            Err(error) => {
                stages().not_cosigned.increment(1);
                if pause == PAUSE {
                    tracing::warn!(peer = %id, %error, "does not cosign this bank's checkpoints");
                } else {
                    tracing::debug!(peer = %id, %error, "still does not cosign");
                }
                pause = PAUSE_MAX.min(2 * pause);
            }
        }
    }
}

/// Has the newest checkpoint cosigned, if it is newer than the last that was.
async fn ask(bank: &Bank, peer: &Peer) -> Result<(), NotAsked> {
    let last = peer.cosigned_ours().map_or(0, |last| last.size);
    if peer.is_stopped() || bank.peers().is_overtaken() || bank.head().row.size <= last {
        return Ok(());
    }
    let brought = TreeSize::new(last);
    let Some(size) = bring(bank, peer, brought).await? else {
        return Ok(());
    };
    // It knows another size than we remember: after a restore of either side, or when an answer was lost.
    let other = if size <= bank.head().size() && size != brought {
        bring(bank, peer, size).await?
    } else {
        Some(size)
    };
    let Some(size) = other else {
        return Ok(());
    };
    look(bank, peer).await?;
    Err(NotAsked::Conflict(size, brought))
}

/// Brings the newest checkpoint with the proof from `old`. Gives the size that the peer has cosigned, if that is
/// another.
async fn bring(bank: &Bank, peer: &Peer, old: TreeSize) -> Result<Option<TreeSize>, NotAsked> {
    let request = request(&bank.head(), old)?;
    let body = request.encode();
    let answer = peer.line.post("/add-checkpoint", body, ANSWER_WITHIN);
    let answer = answer.await?;
    match answer.status {
        200 => {
            let peers = bank.peers();
            peers.keep(peer, &request.note, bank.log_key(), &answer.text())?;
            bank.desk().cosigned();
            stages().cosigned.increment(1);
            Ok(None)
        }
        409 => {
            let size = answer.text().trim_end().parse().map(TreeSize::new);
            size.map(Some)
                .map_err(|_| NotAsked::Refused(409, first_line(&answer.text())))
        }
        status => {
            if status == 422 {
                look(bank, peer).await?;
            }
            Err(NotAsked::Refused(status, first_line(&answer.text())))
        }
    }
}

/// By itself, so that no head, and no snapshot in it, is held while a peer takes its time.
fn request(head: &Head, old: TreeSize) -> Result<AddCheckpoint, StoreError> {
    Ok(AddCheckpoint {
        old,
        proof: consistency_proof(head, old, head.size())?,
        note: head.note.clone(),
    })
}

/// Looks at what the peer has cosigned of our log. If we have signed what our log does not hold, this bank was restored
/// from an old copy while the peer was not reached, or runs twice: it must not sign on.
async fn look(bank: &Bank, peer: &Peer) -> Result<(), NotAsked> {
    let Some(note) = guard::cosigned(&peer.line, bank.origin()).await? else {
        return Ok(());
    };
    let head = bank.head();
    let keys = guard::own_log_keys(&head.registry, bank.log_key());
    match guard::compare(&note, &keys, &*head, head.size())? {
        Shown::Contained | Shown::NotOurs => {}
        shown @ (Shown::Ahead { .. } | Shown::Differs { .. }) => {
            bank.peers().overtake();
            tracing::error!(
                peer = %peer.options().id, leaves = %head.size(), ?shown,
                "this bank has signed a checkpoint that its log does not contain: it takes no changes any more. \
                 Stop it and restore the newest copy of its database"
            );
        }
    }
    Ok(())
}

impl Peers {
    /// Verifies the lines of a cosignature and keeps the note with them.
    fn keep(
        &self,
        peer: &Peer,
        checkpoint: &str,
        own: &VerifierKey,
        lines: &str,
    ) -> Result<(), NotAsked> {
        let keys = self.cosign_keys(peer);
        if keys.is_empty() {
            return Err(NotAsked::NoKey);
        }
        let note = format!("{checkpoint}{lines}");
        let parsed = Note::parse(&note).map_err(|_| NotAsked::NotCosigned)?;
        let under = |key: &creditbank_merkle::CosignerKey| key.under(&parsed, own).ok();
        let note = keys.iter().find_map(under).ok_or(NotAsked::NotCosigned)?;
        let open = Checkpoint::open(&note, own);
        let size = open.map_err(|_| NotAsked::NotCosigned)?.size.value();
        let (row, origin) = (PeerRow::OwnCosigned, peer.origin());
        // One short synced write at most twice a second.
        tokio::task::block_in_place(|| self.store.write_peer_row(row, origin, note.as_bytes()))?;
        *lock(&peer.own) = Some(Cosigned { note, size });
        Ok(())
    }
}

/// What a peer says, cut so that it cannot fill our log.
fn first_line(body: &str) -> String {
    const CHARACTERS_MAX: usize = 200;
    let line = body.lines().next().unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(CHARACTERS_MAX)
        .collect()
}
