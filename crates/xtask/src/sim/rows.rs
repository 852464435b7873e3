//! What a bank knows, folded from its log: the facts, and the rows that they give. The rows of transfers are changed by
//! the domain's `book` alone.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use creditbank_domain::record::RecordRef;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::book::{Bound, Change, Entry, Pair, Place, Shelf};
use creditbank_domain::transfer::duty::Decided;
use creditbank_domain::transfer::{Purpose, Reason, Taken, Transfer, TransferId};
use creditbank_domain::{Credit, Digest32, LeafIndex, Refusal};

use super::code::Code;
use super::statement::Statement;

/// A bank, by the number that all of them know it under.
pub(super) type Name = InstitutionNumber;

/// An entry of a bank's log.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// An institution deposits an outcome.
    Deposited(Outcome),
    /// It revokes one.
    Revoked(LeafIndex),
    /// Its key was compromised: what it signed from a leaf on is disputed.
    KeyRevoked { institution: u64, from: LeafIndex },
    /// It stands by a disputed outcome.
    Confirmed(LeafIndex),
    /// A learner consents to a transfer.
    Consented(Consent),
    /// The learner withdraws it.
    Withdrawn(LeafIndex),
    /// The learner wants the outcome back.
    WantedBack(LeafIndex),
    /// The outcome is used in its own bank.
    Spent(Bound),
    /// A learner leaves.
    Erased(u64),
    /// A learner asks for a transfer at the receiver.
    Asked { place: Place, learner: u64 },
    /// The receiver decides, or reverses.
    Decided(Place, Decided),
    /// New agreements are in force from a midnight on.
    Agreed { version: u64 },
    /// A step of this bank.
    Took(Entry),
    /// A step of a peer.
    Heard(Entry),
    /// The bank's last step to a peer in a period.
    Stated { peer: Name, period: u64, last: u64 },
    /// What stood with a peer at the end of a period.
    Closed {
        peer: Name,
        period: u64,
        statement: Statement,
    },
}

/// What a learner achieved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) learner: u64,
    pub(super) institution: u64,
    pub(super) credits: Credit,
    /// The day of completion, counted from the first of the world.
    pub(super) completed: u64,
}

/// A learner's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Consent {
    pub(super) outcome: RecordRef,
    pub(super) purpose: Purpose,
    pub(super) receiver: Name,
}

/// An outcome with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) hash: Digest32,
    pub(super) outcome: Outcome,
    pub(super) is_revoked: bool,
    pub(super) is_disputed: bool,
}

/// A consent with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) hash: Digest32,
    pub(super) consent: Consent,
    pub(super) is_withdrawn: bool,
    pub(super) is_wanted_back: bool,
}

/// A step with the leaf that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) leaf: u64,
    pub(super) id: TransferId,
    pub(super) taken: Taken,
}

/// The rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) outcomes: BTreeMap<LeafIndex, Kept>,
    pub(super) consents: BTreeMap<LeafIndex, Given>,
    pub(super) spent: BTreeSet<Bound>,
    pub(super) erased: BTreeSet<u64>,
    pub(super) asked: BTreeMap<Place, u64>,
    pub(super) decided: BTreeMap<Place, Decided>,
    pub(super) version: u64,
    pub(super) pairs: BTreeMap<Name, Pair>,
    pub(super) transfers: BTreeMap<Place, Transfer>,
    pub(super) bindings: BTreeMap<Bound, Place>,
    pub(super) sent: BTreeMap<Name, Vec<Sent>>,
    pub(super) heard: BTreeMap<Name, Vec<(TransferId, Taken)>>,
    /// By peer and period: the leaf, and the last step.
    pub(super) stated: BTreeMap<(Name, u64), (u64, u64)>,
    pub(super) closed: BTreeMap<(Name, u64), Statement>,
    /// Steps of peers that changed nothing: none between correct banks.
    pub(super) refused: Vec<(Place, Refusal)>,
}

impl Shelf for Rows {
    type Error = Infallible;

    fn pair(&self, peer: Name) -> Result<Pair, Infallible> {
        Ok(self.pairs.get(&peer).copied().unwrap_or_default())
    }

    fn transfer(&self, place: Place) -> Result<Option<Transfer>, Infallible> {
        Ok(self.transfers.get(&place).cloned())
    }

    fn binding(&self, bound: Bound) -> Result<Option<Place>, Infallible> {
        Ok(self.bindings.get(&bound).copied())
    }
}

impl Rows {
    /// Takes a leaf in. A refused one leaves the rows as they were.
    pub(super) fn apply(&mut self, code: &Code, at: RecordRef, fact: &Fact) -> Result<(), Refusal> {
        match fact {
            Fact::Took(entry) => {
                let change = (code.take)(self, entry)?;
                let sent = Sent {
                    leaf: at.leaf_index.0,
                    id: entry.place.1,
                    taken: entry.taken.clone(),
                };
                self.sent.entry(entry.place.0).or_default().push(sent);
                self.put(change);
            }
            Fact::Heard(entry) => {
                let change = (code.hear)(self, entry)?;
                let heard = self.heard.entry(entry.place.0).or_default();
                heard.push((entry.place.1, entry.taken.clone()));
                self.put(change);
            }
            other => self.note(at, other),
        }
        Ok(())
    }

    /// How far a pair is.
    pub(super) fn pair_with(&self, peer: Name) -> Pair {
        self.pairs.get(&peer).copied().unwrap_or_default()
    }

    /// Whether an outcome may be used for a purpose, by the transfer at a place.
    pub(super) fn free(&self, bound: Bound, place: Place) -> Result<(), Reason> {
        match self.bindings.get(&bound) {
            Some(holder) if *holder != place => Err(Reason::OutcomeReserved),
            _ if self.spent.contains(&bound) => Err(Reason::OutcomeSpent),
            _ => Ok(()),
        }
    }

    fn put(&mut self, change: Change) {
        self.pairs.insert(change.place.0, change.pair);
        if let Some(transfer) = change.transfer {
            self.transfers.insert(change.place, transfer);
        }
        match change.binding {
            Some((bound, Some(place))) => _ = self.bindings.insert(bound, place),
            Some((bound, None)) => _ = self.bindings.remove(&bound),
            None => {}
        }
        if let Some(refusal) = change.refused {
            self.refused.push((change.place, refusal));
        }
    }

    /// What has nothing to do with steps.
    fn note(&mut self, at: RecordRef, fact: &Fact) {
        let RecordRef {
            leaf_index: leaf,
            leaf_hash: hash,
        } = at;
        match fact {
            Fact::Deposited(outcome) => {
                let kept = Kept {
                    hash,
                    outcome: outcome.clone(),
                    is_revoked: false,
                    is_disputed: false,
                };
                self.outcomes.insert(leaf, kept);
            }
            Fact::Revoked(of) => self.outcome(*of, |kept| kept.is_revoked = true),
            Fact::Confirmed(of) => self.outcome(*of, |kept| kept.is_disputed = false),
            Fact::KeyRevoked { institution, from } => {
                for (_, kept) in self.outcomes.range_mut(*from..) {
                    kept.is_disputed |= kept.outcome.institution == *institution;
                }
            }
            Fact::Consented(consent) => {
                let given = Given {
                    hash,
                    consent: *consent,
                    is_withdrawn: false,
                    is_wanted_back: false,
                };
                self.consents.insert(leaf, given);
            }
            Fact::Withdrawn(of) => self.consent(*of, |given| given.is_withdrawn = true),
            Fact::WantedBack(of) => self.consent(*of, |given| given.is_wanted_back = true),
            Fact::Spent(bound) => _ = self.spent.insert(*bound),
            Fact::Erased(learner) => _ = self.erased.insert(*learner),
            Fact::Asked { place, learner } => _ = self.asked.insert(*place, *learner),
            Fact::Decided(place, decided) => _ = self.decided.insert(*place, decided.clone()),
            Fact::Agreed { version } => self.version = *version,
            Fact::Stated { peer, period, last } => {
                self.stated.insert((*peer, *period), (leaf.0, *last));
            }
            Fact::Closed {
                peer,
                period,
                statement,
            } => _ = self.closed.insert((*peer, *period), statement.clone()),
            Fact::Took(_) | Fact::Heard(_) => {}
        }
    }

    fn outcome(&mut self, of: LeafIndex, change: impl Fn(&mut Kept)) {
        self.outcomes.get_mut(&of).into_iter().for_each(change);
    }

    fn consent(&mut self, of: LeafIndex, change: impl Fn(&mut Given)) {
        self.consents.get_mut(&of).into_iter().for_each(change);
    }
}
