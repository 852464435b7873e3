//! A learner's points: the fold of their entries.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use jiff::civil::Date;

use super::entry::{Account, Entry, Reason, RedemptionId};
use crate::text::Label;
use crate::{LeafIndex, Refusal};

/// The points of a learner after some entries.
///
/// Its operations make the entry that may come next, or refuse and change nothing; [`Purse::apply`] folds it. What is
/// available is what the lots hold, less what is owed; while something is owed, all lots are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    balances: [i64; Account::ALL.len()],
    /// In the order in which they were earned.
    lots: Vec<Lot>,
    /// Position of the lot that an outcome earned.
    by_outcome: BTreeMap<LeafIndex, usize>,
    owed: u64,
    redemptions: BTreeMap<RedemptionId, Redemption>,
}

/// What one outcome earned, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lot {
    rule: String,
    expires_on: Option<Date>,
    earned: u32,
    left: u32,
    expired: u32,
    is_clawed_back: bool,
}

/// A redemption (兑换).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// For what.
    pub purpose: Label,
    /// How many points.
    pub points: u32,
    /// Where it stands.
    pub state: RedemptionState,
    /// Position of each lot that they were taken from, and how many of it.
    taken: Vec<(usize, u32)>,
}

/// Where a redemption stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RedemptionState {
    /// Points are set aside.
    Reserved,
    /// It took place.
    Confirmed,
    /// It did not.
    Cancelled,
}

impl Purse {
    /// The purse after these entries, in the order of the ledger.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Self, Refusal> {
        let mut purse = Self::default();
        entries
            .into_iter()
            .try_for_each(|entry| purse.apply(entry))?;
        Ok(purse)
    }

    /// The balance of an account.
    #[must_use]
    pub const fn balance(&self, account: Account) -> i64 {
        self.balances[account as usize]
    }

    /// Points that can be redeemed on a day.
    #[must_use]
    pub fn available(&self, on: Date) -> u64 {
        let valid = self.lots.iter().filter(|lot| lot.is_valid(on));
        valid.map(|lot| u64::from(lot.left)).sum()
    }

    /// Points that are owed: nothing can be redeemed until they are cleared.
    #[must_use]
    pub const fn owed(&self) -> u64 {
        self.owed
    }

    /// Points ever earned by outcomes that still hold; honours go by them.
    #[must_use]
    pub fn lifetime(&self) -> u64 {
        let holding = self.lots.iter().filter(|lot| !lot.is_clawed_back);
        holding.map(|lot| u64::from(lot.earned)).sum()
    }

    /// The rule under which an outcome earned points, and how many: none if it earned nothing, or they were clawed back.
    #[must_use]
    pub fn earned_by(&self, outcome: LeafIndex) -> Option<(&str, u32)> {
        let lot = self.lot_of(outcome).filter(|lot| !lot.is_clawed_back)?;
        Some((&lot.rule, lot.earned))
    }

    /// Whether an outcome has earned points, clawed back or not.
    #[must_use]
    pub fn has_earned(&self, outcome: LeafIndex) -> bool {
        self.lot_of(outcome).is_some()
    }

    /// Outcomes whose points have not been clawed back.
    pub fn earners(&self) -> impl Iterator<Item = LeafIndex> {
        let lots = self.by_outcome.iter();
        lots.filter_map(|(outcome, at)| (!self.lots[*at].is_clawed_back).then_some(*outcome))
    }

    /// Redemptions that are neither confirmed nor cancelled.
    pub fn open_redemptions(&self) -> impl Iterator<Item = (RedemptionId, &Redemption)> {
        let all = self.redemptions.iter().map(|(id, it)| (*id, it));
        all.filter(|(_, it)| it.state == RedemptionState::Reserved)
    }

    /// A redemption.
    #[must_use]
    pub fn redemption(&self, id: RedemptionId) -> Option<&Redemption> {
        self.redemptions.get(&id)
    }

    /// What is left and when it expires, in the order in which it will be used up.
    #[must_use]
    pub fn remaining(&self) -> Vec<(u32, Option<Date>)> {
        let lots = self.in_order().into_iter().map(|at| &self.lots[at]);
        lots.map(|lot| (lot.left, lot.expires_on)).collect()
    }

    /// Sets points aside for a redemption.
    pub fn reserve(
        &self,
        redemption: RedemptionId,
        purpose: Label,
        points: u32,
        on: Date,
    ) -> Result<Entry, Refusal> {
        if self.redemptions.contains_key(&redemption) {
            return Err(Refusal::RedemptionExists);
        }
        self.require_nothing_owed()?;
        let available = self.available(on);
        if points == 0 || u64::from(points) > available {
            return Err(Refusal::PointsTooFew { available });
        }
        Ok(Entry {
            on,
            points,
            reason: Reason::Reserved {
                redemption,
                purpose,
            },
        })
    }

    /// Confirms that a redemption took place. Not while points are owed.
    pub fn confirm(&self, redemption: RedemptionId, on: Date) -> Result<Entry, Refusal> {
        let points = self.reserved(redemption)?.points;
        self.require_nothing_owed()?;
        Ok(Entry {
            on,
            points,
            reason: Reason::Confirmed { redemption },
        })
    }

    /// Gives back what was set aside: each point to its own lot, with the lot's own last day.
    pub fn cancel(&self, redemption: RedemptionId, on: Date) -> Result<Entry, Refusal> {
        let points = self.reserved(redemption)?.points;
        Ok(Entry {
            on,
            points,
            reason: Reason::Cancelled { redemption },
        })
    }

    /// Takes out what has expired before `on`; nothing if nothing has. A sum beyond what an entry holds takes several.
    #[must_use]
    pub fn expire(&self, on: Date) -> Option<Entry> {
        let left = self.expiring(on).map(|at| self.lots[at].left);
        let points = left.fold(0u32, u32::saturating_add);
        (points > 0).then_some(Entry {
            on,
            points,
            reason: Reason::Expired,
        })
    }

    /// Takes back what an outcome earned, except what has expired: nothing if nothing is left to be taken back.
    #[must_use]
    pub fn claw_back(&self, outcome: LeafIndex, on: Date) -> Option<Entry> {
        let lot = self.lot_of(outcome).filter(|lot| !lot.is_clawed_back)?;
        let points = lot.earned - lot.expired;
        (points > 0).then_some(Entry {
            on,
            points,
            reason: Reason::ClawedBack { outcome },
        })
    }

    /// Folds the next entry. One that the purse would not have made is refused and changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Refusal> {
        let possible = self.possible(entry)?;
        if possible.as_ref() != Some(entry) {
            return Err(Refusal::Inconsistent { with: "points" });
        }
        let posting = entry.posting();
        self.balances[posting.debit as usize] -= i64::from(posting.points);
        self.balances[posting.credit as usize] += i64::from(posting.points);
        match &entry.reason {
            Reason::Earned {
                rule,
                outcome,
                expires_on,
            } => {
                self.by_outcome.insert(*outcome, self.lots.len());
                self.lots.push(Lot {
                    rule: rule.clone(),
                    expires_on: *expires_on,
                    earned: entry.points,
                    left: 0,
                    expired: 0,
                    is_clawed_back: false,
                });
                self.put(self.lots.len() - 1, entry.points);
            }
            Reason::Reserved {
                redemption,
                purpose,
            } => {
                let valid = self.in_order().into_iter();
                let valid = valid
                    .filter(|at| self.lots[*at].is_valid(entry.on))
                    .collect();
                let taken = self.take(valid, entry.points);
                let reserved = Redemption {
                    purpose: purpose.clone(),
                    points: entry.points,
                    state: RedemptionState::Reserved,
                    taken,
                };
                self.redemptions.insert(*redemption, reserved);
            }
            Reason::Confirmed { redemption } => {
                self.close(*redemption, RedemptionState::Confirmed);
            }
            Reason::Cancelled { redemption } => {
                for (at, points) in self.close(*redemption, RedemptionState::Cancelled) {
                    self.put(at, points);
                }
            }
            Reason::Expired => {
                let expired = self.expiring(entry.on).collect();
                for (at, points) in self.take(expired, entry.points) {
                    self.lots[at].expired += points;
                }
            }
            Reason::ClawedBack { outcome } => self.take_back(*outcome, entry.points),
        }
        Ok(())
    }

    /// Takes over all that another purse holds: two archives turned out to be one person's. What one of them owes is
    /// cleared with what the other has left. Of two redemptions with one id the open one counts; two open ones are one.
    pub fn absorb(&mut self, other: Self) {
        for (own, added) in self.balances.iter_mut().zip(other.balances) {
            *own += added;
        }
        let shift = self.lots.len();
        self.lots.extend(other.lots);
        for (outcome, at) in other.by_outcome {
            self.by_outcome.entry(outcome).or_insert(at + shift);
        }
        for (id, mut redemption) in other.redemptions {
            redemption.taken.iter_mut().for_each(|(at, _)| *at += shift);
            match self.redemptions.entry(id) {
                Slot::Vacant(none) => drop(none.insert(redemption)),
                Slot::Occupied(mut own) => own.get_mut().join(redemption),
            }
        }
        self.owed += other.owed;
        let owed = u32::try_from(self.owed).unwrap_or(u32::MAX);
        let cleared = self.take(self.in_order(), owed);
        self.owed -= cleared
            .iter()
            .map(|(_, part)| u64::from(*part))
            .sum::<u64>();
    }

    /// What the purse would make for the reason of `entry` on its day.
    fn possible(&self, entry: &Entry) -> Result<Option<Entry>, Refusal> {
        match &entry.reason {
            Reason::Earned { outcome, .. } => {
                let is_new = entry.points > 0 && !self.has_earned(*outcome);
                Ok(is_new.then(|| entry.clone()))
            }
            Reason::Reserved {
                redemption,
                purpose,
            } => self
                .reserve(*redemption, purpose.clone(), entry.points, entry.on)
                .map(Some),
            Reason::Confirmed { redemption } => self.confirm(*redemption, entry.on).map(Some),
            Reason::Cancelled { redemption } => self.cancel(*redemption, entry.on).map(Some),
            Reason::Expired => Ok(self.expire(entry.on)),
            Reason::ClawedBack { outcome } => Ok(self.claw_back(*outcome, entry.on)),
        }
    }

    fn require_nothing_owed(&self) -> Result<(), Refusal> {
        match self.owed {
            0 => Ok(()),
            owed => Err(Refusal::PointsOwed { owed }),
        }
    }

    fn reserved(&self, id: RedemptionId) -> Result<&Redemption, Refusal> {
        let found = self.redemptions.get(&id);
        let found = found.ok_or(Refusal::NotFound { what: "redemption" })?;
        match found.state {
            RedemptionState::Reserved => Ok(found),
            RedemptionState::Confirmed | RedemptionState::Cancelled => {
                Err(Refusal::RedemptionClosed)
            }
        }
    }

    fn lot_of(&self, outcome: LeafIndex) -> Option<&Lot> {
        self.by_outcome.get(&outcome).map(|at| &self.lots[*at])
    }

    /// Positions of the lots that hold something, in the order in which they are used up.
    fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.lots.len())
            .filter(|at| self.lots[*at].left > 0)
            .collect();
        // Stable: of lots that expire together, the older comes first.
        order.sort_by_key(|at| self.lots[*at].expires_on.unwrap_or(Date::MAX));
        order
    }

    /// Positions of the lots that hold something and have expired before `on`.
    fn expiring(&self, on: Date) -> impl Iterator<Item = usize> {
        let order = self.in_order().into_iter();
        order.filter(move |at| !self.lots[*at].is_valid(on))
    }

    /// Puts points into a lot; what is owed is cleared with them first.
    fn put(&mut self, at: usize, points: u32) {
        let cleared = u32::try_from(self.owed).map_or(points, |owed| owed.min(points));
        self.owed -= u64::from(cleared);
        self.lots[at].left += points - cleared;
    }

    /// Takes up to so many points out of lots, one after the other, and says how many of each.
    fn take(&mut self, lots: Vec<usize>, points: u32) -> Vec<(usize, u32)> {
        let mut wanted = points;
        let mut taken = Vec::new();
        for at in lots {
            let part = self.lots[at].left.min(wanted);
            self.lots[at].left -= part;
            wanted -= part;
            if part > 0 {
                taken.push((at, part));
            }
        }
        taken
    }

    /// Takes points out of the outcome's own lot, then out of all others; what they do not hold is owed.
    fn take_back(&mut self, outcome: LeafIndex, points: u32) {
        let own = self.by_outcome[&outcome];
        let mut lots = self.in_order();
        lots.sort_by_key(|at| *at != own);
        let taken = self.take(lots, points);
        let covered: u32 = taken.iter().map(|(_, part)| part).sum();
        self.owed += u64::from(points - covered);
        self.lots[own].is_clawed_back = true;
    }

    fn close(&mut self, id: RedemptionId, state: RedemptionState) -> Vec<(usize, u32)> {
        let Some(redemption) = self.redemptions.get_mut(&id) else {
            return Vec::new();
        };
        redemption.state = state;
        std::mem::take(&mut redemption.taken)
    }
}

impl Redemption {
    /// Becomes one with another of the same id.
    fn join(&mut self, other: Self) {
        match (self.state, other.state) {
            (RedemptionState::Reserved, RedemptionState::Reserved) => {
                self.points = self.points.saturating_add(other.points);
                self.taken.extend(other.taken);
            }
            (_, RedemptionState::Reserved) => *self = other,
            _ => {}
        }
    }
}

impl Lot {
    /// Whether its points can be redeemed on a day: the last day counts.
    fn is_valid(&self, on: Date) -> bool {
        self.expires_on.is_none_or(|last| on <= last)
    }
}
