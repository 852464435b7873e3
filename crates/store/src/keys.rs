//! The only key table of the database. Integers are big-endian, so that keys sort as numbers do.
//!
//! | family | key | value |
//! |---|---|---|
//! | `default` | name | format version, origin, head |
//! | `leaves` | first leaf index of a chunk | [`Chunk`](crate::Chunk) |
//! | `tiles` | tile level, tile index | 511 hashes of a full tile |
//! | `vault` | learner, inverted leaf index | header and sealed payload |
//! | `keys` | learner | wrapped data key: 2 ‖ id of the wrapping key ‖ sealed; of older programs only what is sealed |
//! | `learners` | `L` learner / `I` identity digest / `H` handle | learner row / learner / learner |
//! | `ids` | institution number, record id | leaf index, learner |
//! | `book` | leaf index | salt and entry of a step of a transfer |
//! | `views` | `P` peer / `X`, `O` peer, transfer / `N` peer, sequence / `B` leaf index, purpose / `Q`, `U` leaf index | rows of transfers, see [`ShelfKey`] |
//! | `peers` | `C` origin / `O` origin / `E` origin / `D` month, origin | what we cosigned of that log / our checkpoint as that bank cosigned it / its fork / report of a closed period |
//! | `access` | `G` learner, id / `V` learner, inverted time, random / `T` secret digest / `S` subject digest / `D` delegate, id / `Q` institution number, inverted time, id / `R` id | grant or request / look / learner, id / learner / learner / learner / learner, see [`AccessKey`] |
//! | `views` | `R` leaf index / `S` institution, inverted block / `T` learner / `A` leaf index / `V` leaf index | statement / nothing / states / application / kind of the record that ended it |
//! | `statistics` | `S` cell / `U` / `G` size, cell / `Y` year | figures / leaves folded into them / what erased learners left behind up to that size / yearbook |
//!
//! `peers` is no fold of the log: it holds what this bank has promised to others and what others have shown it, which
//! no entry says. It goes where the database goes; a rebuild leaves it alone.
//!
//! `access` is no fold of the log either: what learners grant and ask lies beside it, like the learners themselves.
//!
//! Families differ in lifetime: `leaves`, `tiles`, `book` and `peers` are for ever, and so
//! are `G` and `Y` of `statistics` (the rest of it can be folded again, with the key that opens the vault); `vault`, `keys`, `learners` and
//! `access` end with an erasure, `ids` and `views` can be dropped and folded again. A retired kind keeps its byte for ever.

use creditbank_domain::LeafIndex;
use creditbank_domain::identifier::RecordId;
use creditbank_domain::reconcile::Period;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::statistics::Cell;

/// Chunks of the log.
pub(crate) const LEAVES: &str = "leaves";
/// Full tiles of the tree, with their inner nodes.
pub(crate) const TILES: &str = "tiles";
/// Sealed payloads, clustered by learner, newest first.
pub(crate) const VAULT: &str = "vault";
/// Entries of transfers between banks. They name nobody, so no erasure touches them.
pub(crate) const BOOK: &str = "book";
/// Wrapped data keys of learners; destroyed first in an erasure.
pub(crate) const KEYS: &str = "keys";
/// Learners and the digests of their identities.
pub(crate) const LEARNERS: &str = "learners";
/// View: record ids.
pub(crate) const IDS: &str = "ids";
/// View: statements, submissions, states, applications, records that are over.
pub(crate) const VIEWS: &str = "views";

/// What was cosigned and shown between banks; beside the log, and no view of it.
pub(crate) const PEERS: &str = "peers";

/// What learners grant and ask, who looked, and what leads there; beside the log, and no view of it.
pub(crate) const ACCESS: &str = "access";

/// Figures, and yearbooks made of them.
pub(crate) const STATISTICS: &str = "statistics";

/// All families beside the default one. A new one comes last: RocksDB numbers them in this order.
pub(crate) const FAMILIES: [&str; 11] = [
    LEAVES, TILES, VAULT, KEYS, LEARNERS, IDS, VIEWS, PEERS, BOOK, ACCESS, STATISTICS,
];

pub(crate) const META_FORMAT: &[u8] = b"format";
pub(crate) const META_ORIGIN: &[u8] = b"origin";
pub(crate) const META_HEAD: &[u8] = b"head";

pub(crate) const KIND_REGISTRY: u8 = b'R';
pub(crate) const KIND_SUBMISSION: u8 = b'S';
pub(crate) const KIND_STATE: u8 = b'T';
pub(crate) const KIND_APPLICATION: u8 = b'A';
pub(crate) const KIND_ENDED: u8 = b'V';
pub(crate) const KIND_PAIR: u8 = b'P';
pub(crate) const KIND_TRANSFER: u8 = b'X';
pub(crate) const KIND_OPEN: u8 = b'O';
pub(crate) const KIND_SENT: u8 = b'N';
pub(crate) const KIND_BINDING: u8 = b'B';
pub(crate) const KIND_REQUEST: u8 = b'Q';
pub(crate) const KIND_USED: u8 = b'U';
pub(crate) const KIND_LEARNER: u8 = b'L';
pub(crate) const KIND_IDENTITY: u8 = b'I';
pub(crate) const KIND_HANDLE: u8 = b'H';
pub(crate) const KIND_COSIGNED: u8 = b'C';
pub(crate) const KIND_OWN_COSIGNED: u8 = b'O';
pub(crate) const KIND_EVIDENCE: u8 = b'E';
pub(crate) const KIND_REPORT: u8 = b'D';
pub(crate) const KIND_FIGURES: u8 = b'S';
pub(crate) const KIND_FOLDED: u8 = b'U';
/// Figures without the learners behind them, and how many leaves were folded into those.
pub(crate) const KINDS_RETIRED: [u8; 2] = [b'C', b'F'];
pub(crate) const KIND_GONE: u8 = b'G';
pub(crate) const KIND_YEARBOOK: u8 = b'Y';
const KIND_GRANT: u8 = b'G';
const KIND_LOOK: u8 = b'V';
const KIND_SECRET: u8 = b'T';
const KIND_SUBJECT: u8 = b'S';
const KIND_DELEGATE: u8 = b'D';
const KIND_QUEUE: u8 = b'Q';
const KIND_ASKED: u8 = b'R';

/// Bytes of a learner prefix in `vault`.
pub(crate) const LEARNER_BYTES: usize = 8;

pub(crate) fn leaf(index: LeafIndex) -> [u8; 8] {
    index.0.to_be_bytes()
}

pub(crate) fn tile(level: u8, index: u64) -> [u8; 9] {
    let mut key = [level; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Newest first: the index is inverted, so that an archive is a forward scan.
pub(crate) fn vault(learner: u64, index: LeafIndex) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&learner.to_be_bytes());
    key[8..].copy_from_slice(&(!index.0).to_be_bytes());
    key
}

pub(crate) fn vault_parts(key: &[u8]) -> Option<(u64, LeafIndex)> {
    let (learner, index) = key.split_first_chunk::<8>()?;
    Some((
        u64::from_be_bytes(*learner),
        LeafIndex(!u64::from_be_bytes(index.try_into().ok()?)),
    ))
}

pub(crate) fn id(issuer: InstitutionNumber, record: &RecordId) -> [u8; 20] {
    let mut key = [0; 20];
    key[..4].copy_from_slice(&issuer.0.to_be_bytes());
    key[4..].copy_from_slice(record.as_bytes());
    key
}

pub(crate) fn registry(index: LeafIndex) -> [u8; 9] {
    prefixed(KIND_REGISTRY, index.0)
}

/// Newest block first.
pub(crate) fn submission(issuer: InstitutionNumber, block: u64) -> [u8; 13] {
    let mut key = [KIND_SUBMISSION; 13];
    key[1..5].copy_from_slice(&issuer.0.to_be_bytes());
    key[5..].copy_from_slice(&(!block).to_be_bytes());
    key
}

pub(crate) fn states(learner: u64) -> [u8; 9] {
    prefixed(KIND_STATE, learner)
}

pub(crate) fn application(index: LeafIndex) -> [u8; 9] {
    prefixed(KIND_APPLICATION, index.0)
}

/// A record that was amended or revoked. It names no learner, and outlives an erasure as the log does.
pub(crate) fn ended(index: LeafIndex) -> [u8; 9] {
    prefixed(KIND_ENDED, index.0)
}

/// Rows about transfers, in the family of views. What they hold is the ledger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShelfKey {
    /// How far the sequences with a peer bank are.
    Pair(InstitutionNumber),
    /// A transfer.
    Transfer(InstitutionNumber, [u8; 16]),
    /// A transfer that may need a step; empty.
    Open(InstitutionNumber, [u8; 16]),
    /// The leaf of an own step, by its sequence.
    Sent(InstitutionNumber, u64),
    /// The transfer that binds an outcome for a purpose.
    Binding(LeafIndex, u8),
    /// A learner's request that the bank has not taken up yet; empty.
    Request(LeafIndex),
    /// A consent that has led to a release; empty.
    Used(LeafIndex),
}

impl ShelfKey {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let placed = |kind: u8, peer: &InstitutionNumber, rest: &[u8]| {
            [&[kind][..], &peer.0.to_be_bytes(), rest].concat()
        };
        match self {
            Self::Pair(peer) => placed(KIND_PAIR, peer, &[]),
            Self::Transfer(peer, id) => placed(KIND_TRANSFER, peer, id),
            Self::Open(peer, id) => placed(KIND_OPEN, peer, id),
            Self::Sent(peer, sequence) => placed(KIND_SENT, peer, &sequence.to_be_bytes()),
            Self::Binding(leaf, purpose) => {
                [&[KIND_BINDING][..], &leaf.0.to_be_bytes(), &[*purpose]].concat()
            }
            Self::Request(leaf) => prefixed(KIND_REQUEST, leaf.0).to_vec(),
            Self::Used(leaf) => prefixed(KIND_USED, leaf.0).to_vec(),
        }
    }

    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        let (kind, rest) = key.split_first()?;
        if *kind == KIND_BINDING {
            let (leaf, purpose) = rest.split_first_chunk::<8>()?;
            let [purpose] = purpose else { return None };
            return Some(Self::Binding(
                LeafIndex(u64::from_be_bytes(*leaf)),
                *purpose,
            ));
        }
        if [KIND_REQUEST, KIND_USED].contains(kind) {
            let leaf = LeafIndex(u64::from_be_bytes(rest.try_into().ok()?));
            return Some(match *kind {
                KIND_REQUEST => Self::Request(leaf),
                _ => Self::Used(leaf),
            });
        }
        let (peer, rest) = rest.split_first_chunk::<4>()?;
        let peer = InstitutionNumber(u32::from_be_bytes(*peer));
        Some(match *kind {
            KIND_PAIR if rest.is_empty() => Self::Pair(peer),
            KIND_TRANSFER => Self::Transfer(peer, rest.try_into().ok()?),
            KIND_OPEN => Self::Open(peer, rest.try_into().ok()?),
            KIND_SENT => Self::Sent(peer, u64::from_be_bytes(rest.try_into().ok()?)),
            _ => return None,
        })
    }
}

/// Rows of the family `access`. What they hold is the ledger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessKey {
    /// A grant or request of a learner.
    Grant(u64, [u8; 16]),
    /// A look at a learner's archive: when, and random bytes that tell looks of one moment apart.
    Look(u64, u64, [u8; 4]),
    /// The grant that a secret opens, by a digest of the secret.
    Secret([u8; 32]),
    /// The learner of an account, by a keyed digest of the account.
    Subject([u8; 32]),
    /// The learner whose grant lets this one act.
    Delegate(u64, [u8; 16]),
    /// A request that an institution is to answer: when it came, and its id.
    Queue(InstitutionNumber, u64, [u8; 16]),
    /// The learner of a request, by its id.
    Asked([u8; 16]),
}

impl AccessKey {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Grant(learner, id) => [&[KIND_GRANT][..], &learner.to_be_bytes(), id].concat(),
            // Newest first.
            Self::Look(learner, at_ms, random) => [
                &[KIND_LOOK][..],
                &learner.to_be_bytes(),
                &(!at_ms).to_be_bytes(),
                random,
            ]
            .concat(),
            Self::Secret(digest) => [&[KIND_SECRET][..], digest].concat(),
            Self::Subject(digest) => [&[KIND_SUBJECT][..], digest].concat(),
            Self::Delegate(learner, id) => {
                [&[KIND_DELEGATE][..], &learner.to_be_bytes(), id].concat()
            }
            Self::Queue(institution, at_ms, id) => [
                &[KIND_QUEUE][..],
                &institution.0.to_be_bytes(),
                &(!at_ms).to_be_bytes(),
                id,
            ]
            .concat(),
            Self::Asked(id) => [&[KIND_ASKED][..], id].concat(),
        }
    }

    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        let (kind, rest) = key.split_first()?;
        let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_be_bytes);
        Some(match *kind {
            KIND_GRANT | KIND_DELEGATE => {
                let (learner, id) = rest.split_at_checked(8)?;
                let (learner, id) = (number(learner)?, id.try_into().ok()?);
                match *kind {
                    KIND_GRANT => Self::Grant(learner, id),
                    _ => Self::Delegate(learner, id),
                }
            }
            KIND_LOOK => {
                let (learner, rest) = rest.split_at_checked(8)?;
                let (at, random) = rest.split_at_checked(8)?;
                Self::Look(number(learner)?, !number(at)?, random.try_into().ok()?)
            }
            KIND_SECRET => Self::Secret(rest.try_into().ok()?),
            KIND_SUBJECT => Self::Subject(rest.try_into().ok()?),
            KIND_QUEUE => {
                let (institution, rest) = rest.split_first_chunk::<4>()?;
                let (at, id) = rest.split_at_checked(8)?;
                let institution = InstitutionNumber(u32::from_be_bytes(*institution));
                Self::Queue(institution, !number(at)?, id.try_into().ok()?)
            }
            KIND_ASKED => Self::Asked(rest.try_into().ok()?),
            _ => return None,
        })
    }
}

pub(crate) fn learner(learner: u64) -> [u8; 9] {
    prefixed(KIND_LEARNER, learner)
}

pub(crate) fn identity(digest: &[u8; 32]) -> [u8; 33] {
    let mut key = [KIND_IDENTITY; 33];
    key[1..].copy_from_slice(digest);
    key
}

pub(crate) fn handle(handle: &[u8; 16]) -> [u8; 17] {
    let mut key = [KIND_HANDLE; 17];
    key[1..].copy_from_slice(handle);
    key
}

/// A row about another bank, whose log has this name.
pub(crate) fn peer(kind: u8, origin: &str) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(origin.as_bytes());
    key
}

/// Reports of one month stand together; an origin may be of any length.
pub(crate) fn report(period: Period, origin: &str) -> Vec<u8> {
    let (year, month) = period.parts();
    let mut key = vec![KIND_REPORT];
    key.extend_from_slice(&year.to_be_bytes());
    key.extend_from_slice(&month.to_be_bytes());
    key.extend_from_slice(origin.as_bytes());
    key
}

/// The figures of a cell.
pub(crate) fn figures(cell: &Cell) -> Vec<u8> {
    [&[KIND_FIGURES][..], &cell.encode()].concat()
}

/// What erased learners left behind in a cell, up to a size of the log.
pub(crate) fn gone(until: u64, cell: &Cell) -> Vec<u8> {
    [&gone_until(until)[..], &cell.encode()].concat()
}

pub(crate) fn gone_until(until: u64) -> [u8; 9] {
    prefixed(KIND_GONE, until)
}

pub(crate) fn yearbook(year: u16) -> [u8; 3] {
    let mut key = [KIND_YEARBOOK; 3];
    key[1..].copy_from_slice(&year.to_be_bytes());
    key
}

fn prefixed(kind: u8, number: u64) -> [u8; 9] {
    let mut key = [kind; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The first key behind every key that starts with `prefix`.
pub(crate) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; prefix.len() + 32]
}
