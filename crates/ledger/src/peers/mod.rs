//! Other regions' banks: who they are, what each has cosigned for the other, and which of them is dealt with no more.
//!
//! A peer is known twice. `bank.toml` pins where it is and the keys of its log; the ledger registers it as an
//! institution of the role peer-bank, with its keys. The first checkpoint that is ever cosigned must be signed by a key
//! that is in both; from then on the registry alone decides, so that keys can be rotated and revoked by entries that
//! everybody sees.
//!
//! What is kept here is no fold of the log (see `store/src/keys.rs`): it is what this bank has promised, and what others
//! have shown it.

pub mod ask;
pub mod guard;
pub mod http;
pub mod seal;
pub mod witness;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{KeyPurpose, PublicKey, Role};
use creditbank_merkle::{
    Checkpoint, Cosigner, CosignerKey, Hash, NotCosigned, TreeSize, VerifierKey, witness as tlog,
};
use creditbank_store::{Damage, PeerRow, Store, StoreError};
use ed25519_dalek::VerifyingKey;

use self::http::Line;
use crate::bank::BankError;
use crate::head::Head;

/// Most peers of a bank.
pub const PEERS_MAX: usize = 64;

/// A peer as the configuration pins it.
#[derive(Debug, Clone)]
pub struct PeerOptions {
    /// Its resource id in this bank's registry.
    pub id: String,
    /// URL of its gRPC service.
    pub grpc: String,
    /// URL of its public log.
    pub http: String,
    /// Keys that may sign the first checkpoint that is cosigned; one name, which is the log's origin.
    pub log_keys: Vec<VerifierKey>,
    /// Certificate authority that vouches for its https addresses, PEM.
    pub ca_pem: Option<Vec<u8>>,
}

/// A signed checkpoint with a cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The checkpoint under the log's signature and the cosignature, and no other.
    pub note: String,
    /// The tree's size.
    pub size: u64,
}

/// What proves to anybody that a log has forked: two checkpoints under keys of that log. If they are of different
/// sizes, the consistency proof leads to the root of the larger and to another root of the smaller than was signed.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// The log.
    pub origin: String,
    /// The size at which the histories differ.
    pub size: u64,
    /// What this bank had cosigned.
    pub cosigned: String,
    /// What it was shown then.
    pub shown: String,
    /// Consistency proof from `size` to the checkpoint that was shown, as base64; empty for two of one size.
    pub proof: Vec<String>,
}

/// One peer.
pub struct Peer {
    options: PeerOptions,
    line: Line,
    /// What was cosigned of its log last. Held from a decision until what it allows is durable, so that no two
    /// requests get cosignatures for two roots of one size.
    cosigned: Mutex<Option<Witnessed>>,
    /// The newest own checkpoint that it has cosigned.
    own: Mutex<Option<Cosigned>>,
    stopped: AtomicBool,
}

/// What was cosigned last, as a decision needs it.
#[derive(Debug, Clone)]
struct Witnessed {
    state: tlog::Cosigned,
    note: String,
}

/// All peers of a bank, in the order of the configuration.
pub struct Peers {
    all: Vec<Peer>,
    store: Store,
    head: Arc<ArcSwap<Head>>,
    cosigner: Option<Cosigner>,
    /// Set when a peer has shown a checkpoint of ours that our log does not reach or does not contain.
    overtaken: AtomicBool,
}

impl Peer {
    fn open(options: PeerOptions, store: &Store) -> Result<Self, BankError> {
        let wrong = |why: String| BankError::Peer {
            id: options.id.clone(),
            why,
        };
        let first = options.log_keys.first();
        let origin = first.ok_or_else(|| wrong("it has no log_keys".into()))?;
        let origin = origin.name().to_owned();
        if options.log_keys.iter().any(|key| key.name() != origin) {
            return Err(wrong("its log_keys have different names".into()));
        }
        let line = Line::new(&options.http, options.ca_pem.as_deref());
        let line = line.map_err(|error| wrong(error.to_string()))?;
        let cosigned = read(store, PeerRow::Cosigned, &origin)?;
        let own = read(store, PeerRow::OwnCosigned, &origin)?;
        let evidence = store.peer_row(PeerRow::Evidence, &origin)?;
        Ok(Self {
            line,
            cosigned: Mutex::new(cosigned),
            own: Mutex::new(own.map(|it| Cosigned {
                size: it.state.size.value(),
                note: it.note,
            })),
            stopped: AtomicBool::new(evidence.is_some()),
            options,
        })
    }

    /// Its resource id in this bank's registry.
    pub fn id(&self) -> &str {
        &self.options.id
    }

    /// How it is configured.
    pub fn options(&self) -> &PeerOptions {
        &self.options
    }

    /// The name of its log.
    pub fn origin(&self) -> &str {
        self.options.log_keys[0].name()
    }

    /// The newest checkpoint of its log that this bank has cosigned.
    pub fn cosigned(&self) -> Option<Cosigned> {
        let cosigned = lock(&self.cosigned);
        cosigned.as_ref().map(|it| Cosigned {
            note: it.note.clone(),
            size: it.state.size.value(),
        })
    }

    /// The newest checkpoint of this bank's log that it has cosigned.
    pub fn cosigned_ours(&self) -> Option<Cosigned> {
        lock(&self.own).clone()
    }

    /// Whether it was shown to have forked its log.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl Peers {
    pub(crate) fn open(
        options: Vec<PeerOptions>,
        own_origin: &str,
        store: Store,
        head: Arc<ArcSwap<Head>>,
        cosigner: Option<Cosigner>,
    ) -> Result<Self, BankError> {
        let mut names = BTreeSet::from([own_origin.to_owned(), InstitutionId::BANK.to_owned()]);
        let mut all: Vec<Peer> = Vec::with_capacity(options.len());
        for options in options {
            let id = options.id.clone();
            let peer = Peer::open(options, &store)?;
            let is_new = names.insert(id.clone()) && names.insert(peer.origin().to_owned());
            let why = if !is_new {
                "its id or its log is that of another peer, or this bank's own".to_owned()
            } else if all.len() == PEERS_MAX {
                format!("a bank has at most {PEERS_MAX} peers")
            } else {
                all.push(peer);
                continue;
            };
            return Err(BankError::Peer { id, why });
        }
        Ok(Self {
            all,
            store,
            head,
            cosigner,
            overtaken: AtomicBool::new(false),
        })
    }

    /// A peer by its resource id.
    pub fn get(&self, id: &str) -> Option<&Peer> {
        self.all.iter().find(|peer| peer.options.id == id)
    }

    /// A peer by the name of its log.
    pub fn of_origin(&self, origin: &str) -> Option<&Peer> {
        self.all.iter().find(|peer| peer.origin() == origin)
    }

    /// All of them.
    pub fn all(&self) -> &[Peer] {
        &self.all
    }

    /// The newest own checkpoint that a peer has cosigned.
    pub fn cosigned_by(&self, id: &str) -> Option<Cosigned> {
        self.get(id)?.cosigned_ours()
    }

    /// Whether a peer was shown to have forked its log: nothing is taken from it or sent to it any more.
    pub fn is_stopped(&self, id: &str) -> bool {
        self.get(id).is_some_and(Peer::is_stopped)
    }

    /// The keys that may sign what a peer shows now.
    pub(crate) fn accepted(&self, peer: &Peer) -> Vec<VerifierKey> {
        let cosigned = lock(&peer.cosigned);
        self.log_keys(peer, cosigned.as_ref())
    }

    /// The key that packages for a peer are sealed for: the newest that is registered.
    pub(crate) fn seal_key(&self, peer: &Peer) -> Option<[u8; 32]> {
        let head = self.head.load();
        let at = LeafIndex(head.row.size);
        let keys = head.registry.keys_of(peer.id(), KeyPurpose::Seal, at);
        keys.last().map(|key| key.bytes)
    }

    /// What this bank cosigns with.
    pub(crate) fn cosigner(&self) -> Option<&Cosigner> {
        self.cosigner.as_ref()
    }

    /// Looks at a checkpoint that somebody shows of a peer's log. It must be signed like one to be cosigned; one of
    /// the size that was cosigned last with another root is evidence, is kept, and stops the peer.
    ///
    /// # Errors
    /// If no accepted key of that peer signed it, or it proves a fork.
    pub fn observe(&self, id: &str, note: &str) -> Result<Checkpoint, NotCosigned> {
        let peer = self.get(id).ok_or(NotCosigned::Signature)?;
        let cosigned = lock(&peer.cosigned);
        let keys = self.log_keys(peer, cosigned.as_ref());
        let (checkpoint, shown) = tlog::open(note, &keys)?;
        let Some(last) = &*cosigned else {
            return Ok(checkpoint);
        };
        if checkpoint.size == last.state.size && checkpoint.root != last.state.root {
            let fork = NotCosigned::Fork {
                size: checkpoint.size,
                same_size: true,
            };
            self.stop(peer, last, &shown, checkpoint.size, &[]);
            return Err(fork);
        }
        Ok(checkpoint)
    }

    /// What is kept of a peer's fork, as JSON.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn evidence(&self, peer: &Peer) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.peer_row(PeerRow::Evidence, peer.origin())
    }

    /// Whether a peer has shown that this bank once signed more than its log holds, or something else. Then it signs
    /// nothing any more.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.overtaken.load(Ordering::Acquire)
    }

    fn overtake(&self) {
        self.overtaken.store(true, Ordering::Release);
    }

    /// Keeps what proves a fork and deals with the peer no more. If it cannot be written, this process still stops.
    fn stop(&self, peer: &Peer, last: &Witnessed, shown: &str, size: TreeSize, proof: &[Hash]) {
        let id = &peer.options.id;
        let evidence = Evidence {
            origin: peer.origin().to_owned(),
            size: size.value(),
            cosigned: last.note.clone(),
            shown: shown.to_owned(),
            proof: proof.iter().map(ToString::to_string).collect(),
        };
        if !peer.stopped.swap(true, Ordering::AcqRel) {
            let bytes = serde_json::to_vec(&evidence).expect("texts and numbers");
            let row = PeerRow::Evidence;
            if let Err(error) = self.store.write_peer_row(row, peer.origin(), &bytes) {
                tracing::error!(%error, peer = %id, "the evidence of a fork could not be kept");
            }
        }
        tracing::error!(
            peer = %id, origin = %evidence.origin, %size,
            "this bank has signed two histories: it is dealt with no more; the evidence is at /evidence"
        );
    }

    /// The keys that may sign a checkpoint of a peer now: those that the ledger registers for it; for the first that
    /// is ever cosigned, only those of them that are pinned too.
    fn log_keys(&self, peer: &Peer, cosigned: Option<&Witnessed>) -> Vec<VerifierKey> {
        let key = |key: &VerifyingKey| VerifierKey::new(peer.origin(), *key).ok();
        let mut keys = self.registered(peer, KeyPurpose::Log, key);
        if cosigned.is_none() {
            keys.retain(|key| peer.options.log_keys.contains(key));
        }
        keys
    }

    /// The keys under which a peer cosigns now, by the registry.
    fn cosign_keys(&self, peer: &Peer) -> Vec<CosignerKey> {
        let key = |key: &VerifyingKey| CosignerKey::new(peer.origin(), *key).ok();
        self.registered(peer, KeyPurpose::Cosign, key)
    }

    fn registered<K>(
        &self,
        peer: &Peer,
        purpose: KeyPurpose,
        read: impl Fn(&VerifyingKey) -> Option<K>,
    ) -> Vec<K> {
        let head = self.head.load();
        let registry = &head.registry;
        let id = &peer.options.id;
        let is_peer = |role| role == Role::PeerBank;
        if !registry
            .institution(id)
            .is_some_and(|it| is_peer(it.profile.role))
        {
            return Vec::new();
        }
        let read = |key: &PublicKey| read(&VerifyingKey::from_bytes(&key.bytes).ok()?);
        let keys = registry.keys_of(id, purpose, LeafIndex(head.row.size));
        keys.filter_map(read).collect()
    }
}

/// A row that this bank wrote: a note whose signatures were verified then.
fn read(store: &Store, row: PeerRow, origin: &str) -> Result<Option<Witnessed>, StoreError> {
    let Some(bytes) = store.peer_row(row, origin)? else {
        return Ok(None);
    };
    let parse = || {
        let note = String::from_utf8(bytes).ok()?;
        let end = note.find("\n\n")?;
        let Checkpoint { size, root, .. } = Checkpoint::parse(&note[..=end]).ok()?;
        let state = tlog::Cosigned { size, root };
        Some(Witnessed { state, note })
    };
    let damaged = StoreError::Damaged(Damage::Row("peers"));
    parse().map(Some).ok_or(damaged)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.all).finish()
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peer({} {})", self.options.id, self.origin())
    }
}
