//! A bank that was restored from a copy must not sign a second history. Its anchor may have been restored with it; its
//! peers were not. So before it signs anything, it asks them what they have cosigned of its own log.
//!
//! A checkpoint that our own log key has signed binds us, whoever shows it: the peer's cosignature is not asked for,
//! because an old copy may not know the peer's newest key, and nobody else can make such a checkpoint. What is not
//! signed by us says nothing; a peer cannot keep us from starting by lying.

use std::time::Duration;

use creditbank_domain::registry::Registry;
use creditbank_merkle::{Checkpoint, Hash, Nodes, TreeSize, VerifierKey, nodes, witness as tlog};
use creditbank_store::StoreError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::PeerOptions;
use super::http::{HttpError, Line};
use crate::bank::BankError;
use crate::rotation;

/// How long a start waits for its peers, which are asked all at once.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What a peer shows as the newest checkpoint of ours that it has cosigned. Nothing of it is verified yet.
#[derive(Debug, Clone)]
pub struct PeerCosigned {
    /// The peer's resource id.
    pub peer: String,
    /// The note.
    pub note: String,
}

/// Asks all peers at once what they have cosigned of the log `origin`. Who is not reached is warned about and left out.
pub async fn gather(peers: &[PeerOptions], origin: &str) -> Vec<PeerCosigned> {
    let mut asked = tokio::task::JoinSet::new();
    for peer in peers {
        let (peer, origin) = (peer.clone(), origin.to_owned());
        asked.spawn(async move {
            let answer = match Line::new(&peer.http, peer.ca_pem.as_deref()) {
                Ok(line) => cosigned(&line, &origin).await,
                Err(error) => Err(error),
            };
            let peer = peer.id;
            match answer {
                Ok(note) => note.map(|note| PeerCosigned { peer, note }),
                Err(error) => {
                    tracing::warn!(%peer, %error, "not asked what it has cosigned of this log");
                    None
                }
            }
        });
    }
    asked.join_all().await.into_iter().flatten().collect()
}

/// The newest checkpoint of a log that a peer has cosigned; `None` if it says there is none.
pub(crate) async fn cosigned(line: &Line, origin: &str) -> Result<Option<String>, HttpError> {
    let origin = utf8_percent_encode(origin, NON_ALPHANUMERIC);
    let path = format!("/cosigned?origin={origin}");
    let answer = line.get(&path, ANSWER_WITHIN).await?;
    Ok((answer.status == 200).then(|| answer.text()))
}

/// What a checkpoint, shown as one of ours, says about our log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Our log contains it.
    Contained,
    /// It is not signed by a key of ours: it says nothing.
    NotOurs,
    /// We have signed more than our log holds.
    Ahead {
        /// What we have signed.
        signed: TreeSize,
    },
    /// We have signed another root than our log has.
    Differs {
        /// The size.
        size: TreeSize,
        /// The root that we have signed.
        signed: Hash,
        /// The root that our log has.
        found: Hash,
    },
}

/// Holds a checkpoint that is shown as ours against the log of `size` leaves.
pub(crate) fn compare<N: Nodes>(
    note: &str,
    keys: &[VerifierKey],
    log: &N,
    size: TreeSize,
) -> Result<Shown, N::Error> {
    let Ok((Checkpoint { size: at, root, .. }, _)) = tlog::open(note, keys) else {
        return Ok(Shown::NotOurs);
    };
    if at > size {
        return Ok(Shown::Ahead { signed: at });
    }
    let found = nodes::root(log, at)?;
    Ok(if found == root {
        Shown::Contained
    } else {
        Shown::Differs {
            size: at,
            signed: root,
            found,
        }
    })
}

/// Refuses to start a bank whose log is not at least what its peers have cosigned.
pub(crate) fn hold_against<N: Nodes<Error = StoreError>>(
    shown: &[PeerCosigned],
    keys: &[VerifierKey],
    log: &N,
    size: TreeSize,
) -> Result<(), BankError> {
    for PeerCosigned { peer, note } in shown {
        let peer = peer.clone();
        match compare(note, keys, log, size)? {
            Shown::Contained => {}
            Shown::NotOurs => {
                tracing::warn!(%peer, "what it shows as cosigned is not signed by this bank");
            }
            Shown::Ahead { signed } => {
                return Err(BankError::Behind {
                    peer,
                    found: size.value(),
                    cosigned: signed.value(),
                });
            }
            Shown::Differs {
                size,
                signed,
                found,
            } => {
                return Err(BankError::ForkedFrom {
                    peer,
                    size: size.value(),
                    found,
                    cosigned: signed,
                });
            }
        }
    }
    Ok(())
}

/// Every key that may ever have signed this bank's checkpoints: the one in use, and those that its ledger names. One that was
/// stolen binds nobody: a thief could stop the bank with it.
pub(crate) fn own_log_keys(registry: &Registry, in_use: &VerifierKey) -> Vec<VerifierKey> {
    let keys = rotation::log_keys(registry, in_use);
    let keys = keys.all().iter().filter(|it| it.sizes.is_some());
    keys.map(|it| it.key.clone()).collect()
}
