//! What people do: institutions, learners, reviewers, operators.

use creditbank_domain::record::RecordRef;
use creditbank_domain::transfer::book::{Bound, Place};
use creditbank_domain::transfer::duty::Decided;
use creditbank_domain::transfer::{Purpose, Reason, Step, TransferId};
use creditbank_domain::{Credit, LeafIndex};

use super::bank::Bank;
use super::chance::Chance;
use super::knowledge::DAY;
use super::rows::{Consent, Fact, Kept, Name, Outcome};
use super::world::{Event, HOUR, MINUTE, NAMES, World};

/// Learners, all with an account at each bank.
const LEARNERS: u64 = 6;
/// Institutions of a bank.
const INSTITUTIONS: u64 = 3;

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Deposit,
    Consent,
    Withdraw,
    WantBack,
    Spend,
    Revoke,
    RevokeKey,
    Confirm,
    Reverse,
    Erase,
}

impl Act {
    /// The acts of one world, each as often as it is in the list.
    pub(super) fn some(chance: &mut Chance) -> Vec<Self> {
        let rare = [
            Self::Withdraw,
            Self::WantBack,
            Self::Spend,
            Self::Revoke,
            Self::RevokeKey,
            Self::Confirm,
            Self::Reverse,
            Self::Erase,
        ];
        let mut acts = vec![Self::Deposit; 4];
        acts.extend([Self::Consent; 8]);
        acts.extend(rare.into_iter().filter(|_| chance.percent(60)));
        acts
    }
}

impl World<'_> {
    /// Somebody does something, at a bank that runs.
    pub(super) fn people(&mut self) {
        if !self.is_wild {
            return;
        }
        self.after(2 * MINUTE, 40 * MINUTE, Event::People);
        let node = self.chance.below(self.banks.len() as u64) as usize;
        let act = self.chance.pick(&self.climate.acts);
        let (true, Some(act)) = (self.banks[node].is_up(), act) else {
            return;
        };
        if act == Act::Consent {
            return self.consent(node);
        }
        let now = self.now;
        if let Some(fact) = act_of(act, &self.banks[node], now, &mut self.chance) {
            self.write(node, fact);
        }
    }

    /// A learner asks for a transfer at the receiver, showing the receipt of the consent. Some show it elsewhere.
    pub(super) fn apply(
        &mut self,
        origin: usize,
        receiver: Name,
        consent: RecordRef,
        learner: u64,
    ) {
        let peer = self.banks[origin].name;
        let leaf = consent.leaf_index.0;
        let log = &self.banks[origin].log;
        let has_receipt =
            leaf < log.durable() && log.leaves()[leaf as usize].hash.0 == consent.leaf_hash;
        let shown_at = match self.chance.percent(4) {
            true => self.chance.pick(&NAMES).unwrap_or(receiver),
            false => receiver,
        };
        let Some(node) = self.node_of(peer, shown_at) else {
            return;
        };
        let bank = &self.banks[node];
        let refuses = shown_at == peer
            || !bank.is_up()
            || bank.stopped.contains(&peer)
            || bank.rows.erased.contains(&learner);
        if refuses || !has_receipt {
            return;
        }
        let place = (
            peer,
            TransferId::of(&peer.0.to_string(), &consent, &[0; 32]),
        );
        self.write(node, Fact::Asked { place, learner });
        // Who applies twice is told that it is there already.
        let step = Step::Requested { consent };
        let _ = self.banks[node].take(self.code, self.now, place, step);
    }

    /// A learner consents, at times to two banks at once for one purpose.
    fn consent(&mut self, node: usize) {
        let bank = &self.banks[node];
        let own = bank.name;
        let kept: Vec<(LeafIndex, Kept)> = fit(bank).collect();
        // Most learners want what others want too: the newest outcomes.
        let newest = kept.len().saturating_sub(4);
        let Some((leaf_index, kept)) = self.chance.pick(&kept[newest..]) else {
            return;
        };
        let purpose = self
            .chance
            .pick(&[Purpose::Degree, Purpose::Degree, Purpose::Vocational]);
        let purpose = purpose.unwrap_or(Purpose::Degree);
        let first = self.chance.below(3) as usize;
        let peers: Vec<Name> = NAMES.into_iter().filter(|peer| *peer != own).collect();
        let receivers = 1 + usize::from(self.chance.percent(60));
        for receiver in 0..receivers {
            let receiver = peers[(first + receiver) % peers.len()];
            let outcome = RecordRef {
                leaf_index,
                leaf_hash: kept.hash,
            };
            let consent = Consent {
                outcome,
                purpose,
                receiver,
            };
            let consent = self.write(node, Fact::Consented(consent));
            let event = Event::Apply {
                origin: node,
                receiver,
                consent,
                learner: kept.outcome.learner,
            };
            self.after(MINUTE, HOUR, event);
        }
    }
}

/// What an act writes; nothing where there is nothing to do it to.
fn act_of(act: Act, bank: &Bank, now: u64, chance: &mut Chance) -> Option<Fact> {
    match act {
        Act::Consent => None,
        Act::Deposit => {
            let today = bank.clock(now) / DAY;
            Some(Fact::Deposited(Outcome {
                learner: chance.below(LEARNERS),
                institution: chance.below(INSTITUTIONS),
                credits: Credit::from_hundredths(chance.between(50, 800) as u32),
                completed: today - chance.below(2),
            }))
        }
        Act::Withdraw => newest(bank, chance).map(Fact::Withdrawn),
        Act::WantBack => newest(bank, chance).map(Fact::WantedBack),
        Act::Spend => {
            let kept: Vec<(LeafIndex, Kept)> = fit(bank).collect();
            let (leaf, _) = chance.pick(&kept)?;
            let bound: Bound = (leaf, Purpose::Degree);
            let is_free = !bank.rows.bindings.contains_key(&bound);
            is_free.then_some(Fact::Spent(bound))
        }
        Act::Revoke => {
            let kept: Vec<(LeafIndex, Kept)> = fit(bank).collect();
            chance.pick(&kept).map(|(leaf, _)| Fact::Revoked(leaf))
        }
        Act::RevokeKey => Some(Fact::KeyRevoked {
            institution: chance.below(INSTITUTIONS),
            from: LeafIndex(chance.below(bank.log.written() + 1)),
        }),
        Act::Confirm => {
            let disputed = bank
                .rows
                .outcomes
                .iter()
                .filter(|(_, kept)| kept.is_disputed);
            let disputed: Vec<LeafIndex> = disputed.map(|(leaf, _)| *leaf).collect();
            chance.pick(&disputed).map(Fact::Confirmed)
        }
        Act::Reverse => {
            let granted = bank.rows.decided.iter();
            let granted = granted.filter(|(_, decided)| matches!(decided, Decided::Granted(_)));
            let granted: Vec<Place> = granted.map(|(place, _)| *place).collect();
            let reversed = Decided::Reversed(Reason::DecisionReversed);
            chance
                .pick(&granted)
                .map(|place| Fact::Decided(place, reversed))
        }
        Act::Erase => chance
            .percent(60)
            .then(|| Fact::Erased(chance.below(LEARNERS))),
    }
}

/// One of the newest consents.
fn newest(bank: &Bank, chance: &mut Chance) -> Option<LeafIndex> {
    let newest: Vec<LeafIndex> = bank.rows.consents.keys().rev().take(6).copied().collect();
    chance.pick(&newest)
}

/// The outcomes that can be used, of learners who are still there.
fn fit(bank: &Bank) -> impl Iterator<Item = (LeafIndex, Kept)> {
    let kept = bank.rows.outcomes.iter();
    let kept =
        kept.filter(|(_, it)| !it.is_revoked && !bank.rows.erased.contains(&it.outcome.learner));
    kept.map(|(leaf, kept)| (*leaf, kept.clone()))
}
