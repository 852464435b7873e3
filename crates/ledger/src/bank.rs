//! The bank in memory: store, keys, the published head and the queue, shared by every handler.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use creditbank_domain::Refusal;
use creditbank_domain::identifier::{InstitutionId, LearnerCode, Province, TestRegions};
use creditbank_domain::record::{Algorithm, KeyId};
use creditbank_domain::transfer::duty::Terms;
use creditbank_merkle::{Checkpoint, CheckpointError, Cosigner, LogKeys, NoteSigner, VerifierKey};
use creditbank_store::{AnchorFile, Store, StoreError, StoreOptions};
use ed25519_dalek::{SigningKey, VerifyingKey};
use quick_cache::sync::Cache;

use crate::access::Access;
use crate::credential::{Lists, Names};
use crate::erase::{self, Gone};
use crate::head::Head;
use crate::peers::seal::SealKey;
use crate::peers::{PeerOptions, Peers};
use crate::queue::{Message, Queue};
use crate::recognition::Sets;
use crate::recognition::follow::{self, Changed, Follower};
use crate::reconcile::Digests;
use crate::rotation;
use crate::sequencer::Sequencer;
use crate::statistics::{self, Folding};
use crate::steps::{Step, StepTrap};
use crate::transfer::Desk;
use crate::vault::{DataKey, KeyEncryptionKey};

/// Free disk space below which the bank takes no writes, so that it can still read, compact and be repaired.
const DISK_RESERVE_BYTES: u64 = 64 << 20;
/// Erasures that wait to be purged.
const PURGES_MAX: usize = 1024;
/// Verifying keys kept decompressed.
const VERIFIERS_CACHED: usize = 16_384;

/// The bank's own secrets. None of them lies in the database.
pub struct BankKeys {
    /// Signs checkpoints and nothing else; its name is the origin.
    pub log: NoteSigner,
    /// Signs them too while it takes over from `log`.
    pub log_next: Option<NoteSigner>,
    /// Signs the bank's own records.
    pub bank: SigningKey,
    /// Wraps the learners' keys.
    pub key_encryption: KeyEncryptionKey,
    /// Finds learners by identity: HMAC-SHA-256.
    pub identity: zeroize::Zeroizing<[u8; 32]>,
    /// Cosigns peers' checkpoints, under this log's origin. A bank without it witnesses for nobody.
    pub cosign: Option<Cosigner>,
    /// Opens packages of peers.
    pub seal: Option<SealKey>,
    /// Opens them too while it takes over from `seal`: peers begin to use it one after another.
    pub seal_next: Option<SealKey>,
    /// Authenticates this bank's calls at its peers.
    pub peer: Option<SigningKey>,
    /// Signs credentials and codes that learners carry. A bank without it issues none.
    pub credential: Option<SigningKey>,
    /// The keys of the log as they were published: what announced each of them can be signed but once.
    pub published: Option<LogKeys>,
}

impl BankKeys {
    /// A signed checkpoint, as everybody gets it.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Result<String, CheckpointError> {
        let note = checkpoint.sign(&self.log)?;
        match &self.log_next {
            Some(next) => Ok(next.also_sign(&note)?),
            None => Ok(note),
        }
    }
}

impl std::fmt::Debug for BankKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BankKeys")
    }
}

/// What an operator may choose.
#[derive(Debug)]
pub struct BankOptions {
    /// Where the database lives.
    pub directory: PathBuf,
    /// The anchor file; beside the database, or better on another disk.
    pub anchor: PathBuf,
    /// Options of the database.
    pub store: StoreOptions,
    /// Learners' data keys kept unwrapped in memory; about 600 bytes each.
    pub learner_keys_cached: usize,
    /// Whether identity numbers of unassigned regions are taken: never in production.
    pub test_regions: TestRegions,
    /// The province that this bank is the bank of.
    pub region: Option<Province>,
    /// Other regions' banks.
    pub peers: Vec<PeerOptions>,
    /// What this bank is called in the registries of its peers.
    pub id: Option<InstitutionId>,
    /// What this bank is called in credentials.
    pub names: Names,
    /// How long the two sides of a transfer wait.
    pub transfer_terms: Terms,
    /// Ends the process at a named step; for tests.
    pub trap: Option<StepTrap>,
}

/// Why a bank could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log is shorter than what the bank has signed.
    #[error(
        "the log holds {found} leaves, but a checkpoint of {anchored} was signed: {} acknowledged records are missing. \
         Restore the newest database; the bank never signs a second history",
        anchored - found
    )]
    Shortened {
        /// Leaves in the database.
        found: u64,
        /// Leaves in the anchor.
        anchored: u64,
    },
    /// The log has another root than what the bank has signed.
    #[error(
        "the log's root at size {size} is {found}, but {anchored} was signed: this is another history"
    )]
    Forked {
        /// The anchored size.
        size: u64,
        /// Root by the database.
        found: creditbank_merkle::Hash,
        /// Root by the anchor.
        anchored: creditbank_merkle::Hash,
    },
    /// The log is shorter than what the bank has signed, as a peer can show.
    #[error(
        "the log holds {found} leaves, but the peer {peer} has cosigned a checkpoint of {cosigned} that this bank signed: \
         {} acknowledged records are missing. Restore the newest copy of the database; the bank never signs a second \
         history",
        cosigned - found
    )]
    Behind {
        /// The peer.
        peer: String,
        /// Leaves in the database.
        found: u64,
        /// Leaves that the peer has cosigned.
        cosigned: u64,
    },
    /// The log has another root than what the bank has signed, as a peer can show.
    #[error(
        "the log's root at size {size} is {found}, but the peer {peer} has cosigned {cosigned} that this bank signed: \
         this is another history. Restore the newest copy of the database"
    )]
    ForkedFrom {
        /// The peer.
        peer: String,
        /// The size that it has cosigned.
        size: u64,
        /// Root by the database.
        found: creditbank_merkle::Hash,
        /// Root by the peer.
        cosigned: creditbank_merkle::Hash,
    },
    /// A peer that cannot be as it is configured.
    #[error("the peer {id:?} in bank.toml: {why}")]
    Peer {
        /// Its resource id.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// The stored tree does not give the stored root.
    #[error(
        "the tree of {size} leaves does not give the root that was committed: the database is damaged"
    )]
    TreeDamaged {
        /// Leaves.
        size: u64,
    },
    /// The database is empty or another bank's.
    #[error("the database belongs to {found:?}, the keys to {expected:?}")]
    OtherOrigin {
        /// What the database says.
        found: String,
        /// What the log key says.
        expected: String,
    },
    /// An entry of the log that nothing of this program can have written.
    #[error("leaf {index} holds a statement that cannot be read: {refusal}")]
    Statement {
        /// Where.
        index: u64,
        /// Why.
        refusal: Refusal,
    },
    /// The key-encryption key is not the one that the learners' keys were wrapped with.
    #[error(
        "secrets/key-encryption.key does not open learners' keys: bring the one that wrapped them, from the copy of secrets that was \
         kept off the machine; without it no payload can be opened"
    )]
    KeysNotOpened,
    /// The first entry could not be made.
    #[error("the log could not be opened: {}", creditbank_wire::status::text(.0).1)]
    Genesis(Refusal),
}

/// See the module.
pub struct Bank {
    store: Store,
    keys: BankKeys,
    bank_key_id: KeyId,
    origin: String,
    directory: PathBuf,
    test_regions: TestRegions,
    head: Arc<ArcSwap<Head>>,
    region: Option<Province>,
    peers: Peers,
    id: Option<InstitutionId>,
    /// What public status lists are answered from.
    lists: Lists,
    names: Names,
    desk: Desk,
    /// Held while the bank takes or hears a step of a transfer, so that sequences have no gaps.
    stepping: tokio::sync::Mutex<()>,
    queue: Queue,
    erasures: AtomicU64,
    accounts: Cache<u64, Arc<Account>>,
    verifiers: Cache<KeyId, Arc<VerifyingKey>>,
    /// Held while an identity is looked up and enrolled, so that one person gets one archive.
    pub(crate) enrolling: Mutex<()>,
    /// Grants, codes and looks.
    access: Access,
    /// Taken away when the bank stops, which ends the purger.
    purges: Mutex<Option<SyncSender<Gone>>>,
    stopping: Arc<AtomicBool>,
    /// Whether the disk had room when it was last asked.
    had_room: AtomicBool,
    trap: Option<StepTrap>,
    /// Published rule sets, compiled.
    sets: Sets,
    /// Held while the bank evaluates and decides, so that no two decisions spend the same outcome.
    pub(crate) deciding: tokio::sync::Mutex<()>,
    /// Periods that peers compare.
    digests: Digests,
    /// Room for evaluations and plans, one a core.
    thinking: tokio::sync::Semaphore,
    /// What follows from a commit; taken away when the bank stops.
    follower: Mutex<Option<Follower>>,
    /// Held while figures are written.
    folding: Folding,
    /// Ends the thread that folds them when the bank stops.
    folder: Mutex<Option<statistics::Stop>>,
}

/// What is kept in memory of a learner.
pub(crate) struct Account {
    pub(crate) key: Arc<DataKey>,
    /// All codes of the archive, once somebody has read it; the surviving one first.
    pub(crate) codes: OnceLock<Vec<LearnerCode>>,
}

impl Account {
    fn new(key: Arc<DataKey>) -> Arc<Self> {
        Arc::new(Self {
            key,
            codes: OnceLock::new(),
        })
    }
}

/// What a bank is made of, apart from the log.
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) keys: BankKeys,
    pub(crate) options: BankOptions,
    pub(crate) head: Head,
}

/// A bank whose threads do not run yet, and what they will work off.
pub(crate) type Assembled = (
    Arc<Bank>,
    tokio::sync::mpsc::Receiver<Message>,
    Receiver<Gone>,
);

impl Bank {
    /// Puts the bank together and starts its sequencer, which ends with [`Bank::stop`].
    pub(crate) fn start(
        parts: Parts,
        anchor: AnchorFile,
    ) -> Result<(Arc<Self>, std::thread::JoinHandle<()>), BankError> {
        let (bank, jobs, gone) = Self::assemble(parts)?;
        let store = bank.store.clone();
        let purger = std::thread::Builder::new().name("purger".into());
        let stopping = Arc::clone(&bank.stopping);
        let purger = purger.spawn(move || erase::purge(&store, gone, &stopping));
        let purger = purger.expect("a thread can be started");
        let (follower, following) = follow::start(&bank);
        *lock(&bank.follower) = Some(follower);
        let (folder, folding) = statistics::start(&bank);
        *lock(&bank.folder) = Some(folder);
        let sequencer = Sequencer::new(Arc::clone(&bank), anchor);
        let run = move || {
            let _guard = AbortOnPanic;
            sequencer.run(jobs);
            // The database closes after its last user.
            drop((purger.join(), following.join(), folding.join()));
        };
        let thread = std::thread::Builder::new()
            .name("sequencer".into())
            .spawn(run);
        Ok((bank, thread.expect("a thread can be started")))
    }

    pub(crate) fn assemble(parts: Parts) -> Result<Assembled, BankError> {
        let Parts {
            store,
            keys,
            options,
            head,
        } = parts;
        let (queue, jobs) = Queue::new();
        let (purges, gone) = sync_channel(PURGES_MAX);
        let head = Arc::new(ArcSwap::from_pointee(head));
        let origin = keys.log.name().to_owned();
        let cosigner = keys.cosign.clone();
        let (known, seen) = (store.clone(), Arc::clone(&head));
        let bank = Self {
            peers: Peers::open(options.peers, &origin, known, seen, cosigner)?,
            store,
            bank_key_id: KeyId::of(Algorithm::Ed25519, keys.bank.verifying_key().as_bytes()),
            origin,
            keys,
            directory: options.directory,
            test_regions: options.test_regions,
            head,
            region: options.region,
            id: options.id,
            lists: Lists::new(),
            names: options.names,
            desk: Desk::new(options.transfer_terms),
            stepping: tokio::sync::Mutex::new(()),
            queue,
            erasures: AtomicU64::new(0),
            accounts: Cache::new(options.learner_keys_cached),
            verifiers: Cache::new(VERIFIERS_CACHED),
            enrolling: Mutex::new(()),
            access: Access::new(),
            purges: Mutex::new(Some(purges)),
            stopping: Arc::new(AtomicBool::new(false)),
            had_room: AtomicBool::new(true),
            trap: options.trap,
            sets: Sets::new(),
            deciding: tokio::sync::Mutex::new(()),
            digests: Digests::new(),
            thinking: tokio::sync::Semaphore::new(
                std::thread::available_parallelism().map_or(1, usize::from),
            ),
            follower: Mutex::new(None),
            folding: Folding::default(),
            folder: Mutex::new(None),
        };
        Ok((Arc::new(bank), jobs, gone))
    }

    /// A stop begins: what works or waits on its own account ends soon, and open calls are still served.
    pub(crate) fn wind_up(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Works off what is waiting and ends the sequencer.
    pub async fn stop(&self) {
        self.wind_up();
        drop((lock(&self.purges).take(), lock(&self.follower).take()));
        drop(lock(&self.folder).take());
        self.queue.stop().await;
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The public key of the log.
    pub fn log_key(&self) -> &VerifierKey {
        self.keys.log.verifier()
    }

    /// Every key of the log, with the sizes that it signs and what announced it.
    pub fn log_keys(&self) -> LogKeys {
        let keys = rotation::log_keys(&self.head().registry, self.log_key());
        match &self.keys.published {
            Some(published) => keys.announced_as_in(published),
            None => keys,
        }
    }

    /// Whether a key signs for this bank now: revoked by a call, it would leave the bank without a voice.
    pub(crate) fn signs_with(&self, id: &KeyId) -> bool {
        let log = [Some(&self.keys.log), self.keys.log_next.as_ref()];
        let mut log = log.into_iter().flatten();
        let of =
            |signer: &NoteSigner| KeyId::of(Algorithm::Ed25519, signer.verifier().key().as_bytes());
        *id == self.bank_key_id || log.any(|signer| of(signer) == *id)
    }

    /// The newest committed, signed and anchored state.
    pub fn head(&self) -> Arc<Head> {
        self.head.load_full()
    }

    pub(crate) fn publish(&self, head: Arc<Head>) {
        self.head.store(head);
    }

    /// Publishes the head again with a snapshot of now, after something beside the log has changed. Only whoever
    /// publishes heads may call it: the sequencer, or a start before it has work.
    pub(crate) fn refresh(&self) {
        let snapshot = Arc::new(self.store.snapshot());
        self.publish(Arc::new(Head {
            snapshot,
            ..Head::clone(&self.head())
        }));
    }

    /// Other regions' banks.
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// The province digits of the region that this bank is the bank of; empty where none is set.
    pub(crate) fn region(&self) -> String {
        self.region.map(|it| it.to_string()).unwrap_or_default()
    }

    /// The desk of transfers.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Grants, codes and looks.
    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn stepping(&self) -> &tokio::sync::Mutex<()> {
        &self.stepping
    }

    /// What this bank is called at its peers, and the key of its calls there.
    pub(crate) fn known_as(&self) -> Option<(&InstitutionId, &SigningKey)> {
        self.id.as_ref().zip(self.keys.peer.as_ref())
    }

    /// What opens packages of peers: the key in use first.
    pub fn seal_keys(&self) -> impl Iterator<Item = &SealKey> {
        self.keys.seal.iter().chain(&self.keys.seal_next)
    }

    /// Signs credentials and codes that learners carry.
    pub(crate) fn credential_key(&self) -> Option<&SigningKey> {
        self.keys.credential.as_ref()
    }

    /// What this bank is called in credentials.
    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) const fn lists(&self) -> &Lists {
        &self.lists
    }

    pub(crate) fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> String {
        let signed = self.keys.sign(checkpoint);
        signed.expect("the origin was checked when the keys were read")
    }

    pub(crate) fn bank_key(&self) -> (&SigningKey, KeyId) {
        (&self.keys.bank, self.bank_key_id)
    }

    pub(crate) fn key_encryption(&self) -> &KeyEncryptionKey {
        &self.keys.key_encryption
    }

    pub(crate) fn identity_key(&self) -> &[u8; 32] {
        &self.keys.identity
    }

    /// Where the database lives.
    pub(crate) fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// The database, for reading beside the log.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the disk has room for writes, and no peer has shown that this log is not the one that was signed.
    pub(crate) fn takes_changes(&self) -> bool {
        !self.peers.is_overtaken() && self.has_room()
    }

    /// Whether the disk has room for writes; the log says so when that changes.
    fn has_room(&self) -> bool {
        let free = self.disk_free();
        let has_room = free.is_none_or(|free| free > DISK_RESERVE_BYTES);
        if self.had_room.swap(has_room, Ordering::Relaxed) != has_room {
            let free_mib = free.unwrap_or(0) >> 20;
            if has_room {
                tracing::warn!(free_mib, "the disk has room again: changes are taken");
            } else {
                tracing::error!(
                    free_mib,
                    "the disk is nearly full: changes are refused (READ_ONLY) until there is room"
                );
            }
        }
        has_room
    }

    /// Bytes that are free where the database lies, if the system says so.
    pub(crate) fn disk_free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.directory).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Has the bytes of an erasure forced out of the files once nobody reads them any more.
    pub(crate) fn purge_later(&self, gone: Gone) {
        let purges = lock(&self.purges);
        let is_later = |purges: &SyncSender<Gone>| purges.try_send(gone).is_ok();
        if !purges.as_ref().is_some_and(is_later) {
            tracing::warn!("an erasure is purged at the next start");
        }
    }

    /// Tells the follower what a commit changed.
    pub(crate) fn follow(&self, changed: impl Iterator<Item = Changed>) {
        if let Some(follower) = &*lock(&self.follower) {
            changed.for_each(|changed| follower.tell(changed));
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn thinking(&self) -> &tokio::sync::Semaphore {
        &self.thinking
    }

    /// Held while figures are written.
    pub(crate) const fn folding(&self) -> &Folding {
        &self.folding
    }

    pub(crate) fn stopping(&self) -> &AtomicBool {
        &self.stopping
    }

    pub(crate) const fn digests(&self) -> &Digests {
        &self.digests
    }

    pub(crate) fn sets(&self) -> &Sets {
        &self.sets
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn test_regions(&self) -> TestRegions {
        self.test_regions
    }

    /// How often learners were erased or merged in this process; when it changes, they must be looked up again.
    pub(crate) fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::Acquire)
    }

    /// Forgets what is in memory of learners that were erased or merged.
    pub(crate) fn forget(&self, learners: impl IntoIterator<Item = u64>) {
        self.erasures.fetch_add(1, Ordering::AcqRel);
        self.desk.touch_everybody();
        for learner in learners {
            self.accounts.remove(&learner);
        }
    }

    pub(crate) fn remember(&self, learner: u64, key: Arc<DataKey>) {
        self.accounts.insert(learner, Account::new(key));
    }

    /// A learner's data key.
    pub(crate) fn learner_key(
        &self,
        learner: LearnerCode,
    ) -> Result<Result<Arc<DataKey>, Refusal>, StoreError> {
        Ok(self
            .account(learner)?
            .map(|account| Arc::clone(&account.key)))
    }

    /// What is kept in memory of a learner, read if it is not there.
    pub(crate) fn account(
        &self,
        learner: LearnerCode,
    ) -> Result<Result<Arc<Account>, Refusal>, StoreError> {
        let code = learner.as_u64();
        if let Some(account) = self.accounts.get(&code) {
            return Ok(Ok(account));
        }
        let erasures = self.erasures();
        let Some(wrapped) = self.store.wrapped_key(code)? else {
            return Ok(Err(Refusal::LearnerUnknown));
        };
        let Ok(key) = self.keys.key_encryption.unwrap(code, &wrapped) else {
            tracing::error!(
                "a learner's key does not unwrap: the key-encryption key is not this bank's"
            );
            return Ok(Err(Refusal::Internal));
        };
        let account = Account::new(key);
        self.accounts.insert(code, Arc::clone(&account));
        if self.erasures() != erasures {
            self.accounts.remove(&code);
        }
        Ok(Ok(account))
    }

    /// A public key, decompressed; small-order points are refused.
    pub(crate) fn verifier(
        &self,
        id: &KeyId,
        bytes: &[u8; 32],
    ) -> Result<Arc<VerifyingKey>, Refusal> {
        if let Some(key) = self.verifiers.get(id) {
            return Ok(key);
        }
        let key = Arc::new(usable_key(bytes)?);
        self.verifiers.insert(*id, Arc::clone(&key));
        Ok(key)
    }

    pub(crate) fn reach(&self, step: Step) {
        if let Some(trap) = &self.trap {
            trap.reach(step);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A ledger whose sequencer broke an invariant must stop, not go on without it.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

impl std::fmt::Debug for Bank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bank")
    }
}

/// An Ed25519 public key that a signature can be trusted under.
pub(crate) fn usable_key(bytes: &[u8; 32]) -> Result<VerifyingKey, Refusal> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| Refusal::Malformed {
        expected: "Ed25519 public key",
    })?;
    if key.is_weak() {
        Err(Refusal::KeySmallOrder)
    } else {
        Ok(key)
    }
}
