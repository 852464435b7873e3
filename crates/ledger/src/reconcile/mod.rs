//! Reconciliation with peer banks: reads a month of transfers once, states it, has the peer state it, finds what differs
//! and closes the period. What a statement, an item and a difference are is `domain::reconcile`'s.
//!
//! The rows of transfers are read once a period: ids and leaf hashes stay in memory ([`PeriodDigest`], 48 bytes an item)
//! while the two banks compare, and an item is read again only where it differs.
//!
//! Statements and closings are public entries of the log. The differences themselves are private: their report is kept
//! beside the log, in the family `peers`. It can be made again while both banks have their transfers, but what was found
//! at the closing is what auditors ask for.

mod asking;
mod digest;
mod own;
mod report;
mod run;

use creditbank_domain::Refusal;
use creditbank_domain::reconcile::Pair;
use creditbank_domain::record::Role;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_store::StoreError;

pub use self::digest::{PeriodDigest, Reading, each, find, row};
pub(crate) use self::own::{Digests, Wish, item_of, read, recent, state};
pub(crate) use self::report::{closed_report, summary};
pub(crate) use self::run::{News, Stage, reconcile};
use crate::bank::Bank;
use crate::head::Head;

/// A peer bank, for reconciliation.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    /// Its resource id here.
    pub(crate) id: String,
    pub(crate) number: InstitutionNumber,
    /// The name of its log.
    pub(crate) origin: String,
    pub(crate) pair: Pair,
    /// The place of this bank in the pair.
    pub(crate) place: usize,
}

impl Partner {
    /// A peer that is registered and configured, by its resource id.
    pub(crate) fn find(bank: &Bank, head: &Head, id: &str) -> Result<Self, Refusal> {
        let institution = head.registry.institution(id);
        let institution = institution.filter(|it| it.profile.role == Role::PeerBank);
        let institution = institution.ok_or(Refusal::PeerUnknown)?;
        let peer = bank.peers().get(id).ok_or(Refusal::PeerUnknown)?;
        let pair = Pair::of(bank.origin(), peer.origin())?;
        let place = pair.place(bank.origin()).ok_or(Refusal::OriginForeign)?;
        Ok(Self {
            id: id.to_owned(),
            number: institution.number,
            origin: peer.origin().to_owned(),
            pair,
            place,
        })
    }
}

/// A store that cannot be read: the operator gets the reason, the caller a code.
fn failed(error: StoreError) -> Refusal {
    tracing::error!(%error, "a period could not be read");
    Refusal::StorageFailed
}
