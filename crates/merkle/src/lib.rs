//! The proof layer of the ledger: an RFC 6962 tree over SHA-256, its proofs, its tiles, and the signed notes
//! that name its state.
//!
//! One tree secures the log, and the same tree over a batch lets one signature stand for up to 1,024 records.
//! Everything here follows published formats, so that a reader who trusts none of our code can audit the log:
//! RFC 6962 for the tree and its proofs, and C2SP `tlog-tiles`, `tlog-checkpoint`, `signed-note`,
//! `tlog-cosignature`, `tlog-witness` and `tlog-proof` for what is served and kept. Of our own making is one thing only, the *range proof*
//! ([`range_proof`]), which proves a whole batch at once and opens into ordinary inclusion proofs.
//!
//! How the parts fit:
//!
//! - [`hash`] and [`position`] hold the values: hashes, [`LeafIndex`], [`TreeSize`].
//! - `shape` says which subtrees a proof consists of. Provers ([`nodes`]) look those subtrees up, verifiers
//!   ([`proof`]) consume them: both sides read the same definition.
//! - [`tree`] is the tree of one batch in memory; [`edge`] the growing right edge of the log, whose finished
//!   parts leave as [`tile`]s.
//! - [`note`] and [`checkpoint`] sign and read the state of the log; [`tlog_proof`] is the receipt file, and [`log_keys`]
//!   lists the keys that signed it, one after another.
//! - [`cosignature`] is what somebody else says about that state, and [`witness`] decides whether to say it.
//!
//! A log of three leaves, and a receipt for one of them:
//!
//! ```
//! use creditbank_merkle::{Checkpoint, Edge, LeafIndex, NoteSigner, TlogProof, inclusion_proof, leaf_hash};
//! # use creditbank_merkle::{Hash, Nodes};
//! # struct InMemory<'a>(&'a Edge);
//! # impl Nodes for InMemory<'_> {
//! #     type Error = std::convert::Infallible;
//! #     fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
//! #         Ok(self.0.node(level, index).expect("no tile is full yet"))
//! #     }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signer = NoteSigner::new("bank.example/log", ed25519_dalek::SigningKey::from_bytes(&[7; 32]))?;
//!
//! let mut edge = Edge::new();
//! edge.append(&[b"one", b"two", b"six"].map(|leaf| leaf_hash(leaf)));
//! let checkpoint = Checkpoint { origin: "bank.example/log".into(), size: edge.size(), root: edge.root() };
//!
//! let index = LeafIndex::new(1);
//! let path = inclusion_proof(&InMemory(&edge), index, edge.size())?;
//! let receipt = TlogProof { extra: None, index, path, checkpoint: checkpoint.sign(&signer)? }.encode();
//!
//! assert_eq!(TlogProof::parse(&receipt)?.verify(b"two", signer.verifier())?, checkpoint);
//! assert!(TlogProof::parse(&receipt)?.verify(b"six", signer.verifier()).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! What this crate does not do: no I/O, no clock, no randomness, no unsafe code. It never knows what a leaf
//! means, keeps no tile, and decides no policy beyond refusing what the formats forbid. Input from outside is
//! answered with an error, never with a panic; only a caller's own broken invariant panics.
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod cosignature;
pub mod edge;
pub mod hash;
pub mod log_keys;
pub mod nodes;
pub mod note;
pub mod position;
pub mod proof;
mod shape;
pub mod tile;
pub mod tlog_proof;
pub mod tree;
pub mod witness;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::{Cosigner, CosignerKey};
pub use edge::{Edge, EdgeError};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use log_keys::{LogKey, LogKeys, LogKeysError};
pub use nodes::{Nodes, consistency_proof, inclusion_proof, range_proof, root, subtree};
pub use note::{Note, NoteError, NoteSigner, VerifierKey};
pub use position::{LeafIndex, TreeSize};
pub use proof::{
    ProofError, ProvedRange, inclusion_from_range, root_from_inclusion, root_from_range,
    verify_consistency, verify_inclusion,
};
pub use tile::{FullTile, Resource, TileId};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use tree::{BatchTree, root_of};
pub use witness::{AddCheckpoint, Cosigned, NotCosigned};
