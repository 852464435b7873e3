//! Which periods a bank has stated and closed, as the fold of its public statements.

use std::collections::BTreeMap;

use super::{Period, PeriodStatement, link};
use crate::record::{RecordRef, Statement};
use crate::{Digest32, LeafIndex, Refusal};

/// How a period was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Origin of the other bank's log.
    pub peer: String,
    /// Which period.
    pub period: Period,
    /// Hash of this bank's statement.
    pub own: Digest32,
    /// Hash of the other's.
    pub theirs: Digest32,
    /// The other's statement, in its own log.
    pub their_leaf: RecordRef,
    /// Differences that are open, those of earlier periods included.
    pub differences: u64,
    /// What they hold in suspense, in hundredths.
    pub suspense: u64,
}

impl Closed {
    /// Whether both banks state the same.
    #[must_use]
    pub fn is_agreed(&self) -> bool {
        self.own == self.theirs
    }
}

/// A period that was stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What this bank says.
    pub statement: PeriodStatement,
    /// Its leaf.
    pub at: LeafIndex,
    /// How it was closed, and the leaf.
    pub closed: Option<(Closed, LeafIndex)>,
}

impl Stated {
    /// What the next period's statement calls this one; none before it is closed.
    fn link(&self) -> Option<Digest32> {
        let (closed, _) = self.closed.as_ref()?;
        let is_first = self.statement.pair.origins()[1] == closed.peer;
        Some(match is_first {
            true => link([closed.own, closed.theirs]),
            false => link([closed.theirs, closed.own]),
        })
    }
}

/// Every period by the other bank's origin, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Periods(BTreeMap<String, Vec<Stated>>);

impl Periods {
    /// Periods with a bank, oldest first.
    #[must_use]
    pub fn with(&self, peer: &str) -> &[Stated] {
        self.0.get(peer).map_or(&[], Vec::as_slice)
    }

    /// All banks with which a period was stated.
    pub fn peers(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A period with a bank.
    #[must_use]
    pub fn find(&self, peer: &str, period: Period) -> Option<&Stated> {
        let mut all = self.with(peer).iter();
        all.find(|stated| stated.statement.period == period)
    }

    /// What the statement of `period` has to name as the one before it. Periods are stated in order, each once, and only
    /// after the one before is closed.
    pub fn previous(&self, peer: &str, period: Period) -> Result<Digest32, Refusal> {
        let Some(last) = self.with(peer).last() else {
            return Ok([0; 32]);
        };
        if period <= last.statement.period {
            return Err(Refusal::PeriodClosed);
        }
        match last.link() {
            Some(link) if period == last.statement.period.next() => Ok(link),
            _ => Err(Refusal::PeriodBeforeOpen),
        }
    }

    /// Decides whether a statement can come next in the log of `own`; those about other things can.
    pub fn check(&self, own: &str, statement: &Statement) -> Result<(), Refusal> {
        match statement {
            Statement::PeriodStated(it) => {
                let peer = it.pair.peer_of(own).ok_or(Refusal::OriginForeign)?;
                it.check()?;
                match self.previous(peer, it.period)? == it.previous {
                    true => Ok(()),
                    false => Err(Refusal::Inconsistent { with: "previous" }),
                }
            }
            Statement::PeriodClosed(it) => {
                let stated = self.find(&it.peer, it.period);
                let stated = stated.ok_or(Refusal::PeriodBeforeOpen)?;
                if stated.closed.is_some() {
                    return Err(Refusal::PeriodClosed);
                }
                match stated.statement.hash() == it.own {
                    true => Ok(()),
                    false => Err(Refusal::Inconsistent { with: "own" }),
                }
            }
            _ => Ok(()),
        }
    }

    /// Folds the entry at `index` of the log of `own`; those about other things change nothing.
    pub fn apply(&mut self, own: &str, index: LeafIndex, statement: &Statement) {
        match statement {
            Statement::PeriodStated(it) => {
                let Some(peer) = it.pair.peer_of(own) else {
                    return;
                };
                let periods = self.0.entry(peer.to_owned()).or_default();
                periods.push(Stated {
                    statement: PeriodStatement::clone(it),
                    at: index,
                    closed: None,
                });
            }
            Statement::PeriodClosed(it) => {
                let periods = self.0.get_mut(&it.peer);
                let mut periods = periods.into_iter().flatten();
                if let Some(stated) = periods.find(|it_is| it_is.statement.period == it.period) {
                    stated.closed = Some((Closed::clone(it), index));
                }
            }
            _ => {}
        }
    }
}
