//! Changing purses: awards, redemptions, claw-backs.

use creditbank_domain::identifier::LearnerCode;
use creditbank_domain::points::{
    ENTRIES_MAX, Earned, Entry, Redemption, RedemptionId, RedemptionState, Withheld, earn,
};
use creditbank_domain::recognition::HELD_MAX;
use creditbank_domain::record::RecordKind;
use creditbank_domain::rules::Held;
use creditbank_domain::text::Label;
use creditbank_domain::{Digest32, Fault, LeafIndex, Refusal};
use creditbank_store::{Go, StoreError};
use creditbank_wire::convert::points::entries_message;
use creditbank_wire::v1;
use creditbank_wire::v1::payload::Content;
use jiff::civil::Date;

use super::Wallet;
use crate::bank::Bank;
use crate::clock;
use crate::fold::find_state;
use crate::queue::Decision;
use crate::statement::envelope;

/// What a counter does with a redemption.
#[derive(Debug, Clone)]
pub(crate) enum Redeem {
    /// 冻结
    Reserve {
        /// How many.
        points: u32,
        /// For what.
        purpose: Label,
    },
    /// 兑换
    Confirm,
    /// 取消
    Cancel,
}

/// What an award entered, or would enter.
pub(crate) struct Awarded {
    /// The learner's wallet afterwards.
    pub(crate) wallet: Wallet,
    pub(crate) entries: Vec<Entry>,
    pub(crate) withheld: Vec<Withheld>,
    /// Leaves of the records.
    pub(crate) leaves: Vec<LeafIndex>,
}

impl Bank {
    /// Enters what the outcomes of an archive have earned under a published set that is in force.
    pub(crate) async fn award(
        &self,
        learner: LearnerCode,
        rule_set: Digest32,
        validate_only: bool,
    ) -> Result<Awarded, Vec<Fault>> {
        let _one_at_a_time = self.deciding.lock().await;
        let on = clock::today();
        let mut wallet = self.wallet(learner)?;
        in_force(&wallet, &rule_set, on).map_err(at("rule_set_hash"))?;
        let set = self.rule_set(&wallet.archive.head, &rule_set);
        let set = set.map_err(failed)?.map_err(at("rule_set_hash"))?;
        let mut entries = wallet.settle(on)?;
        let held = wallet.held().map_err(failed)?.map_err(at("learner"))?;
        let selects = |selector: &_, held: &_| set.selects(selector, held);
        let Earned {
            entries: earned,
            withheld,
        } = earn(&set.set().earning, &held, selects, &wallet.purse, on);
        earned.iter().try_for_each(|entry| wallet.apply(entry))?;
        entries.extend(earned);
        let leaves = match validate_only {
            true => Vec::new(),
            false => self.enter(wallet.code(), Some(rule_set), &entries).await?,
        };
        Ok(Awarded {
            wallet,
            entries,
            withheld,
            leaves,
        })
    }

    /// Takes a step of a redemption; one that was taken already is not taken again. Gives the wallet afterwards.
    pub(crate) async fn redeem(
        &self,
        learner: LearnerCode,
        redemption: RedemptionId,
        step: Redeem,
    ) -> Result<Wallet, Vec<Fault>> {
        let _one_at_a_time = self.deciding.lock().await;
        let on = clock::today();
        let mut wallet = self.wallet(learner)?;
        let known = wallet.purse.redemption(redemption);
        if known.is_some_and(|known| step.is_taken(known)) {
            return Ok(wallet);
        }
        let mut entries = wallet.settle(on)?;
        let purse = &wallet.purse;
        let entry = match step {
            Redeem::Reserve { points, purpose } => purse
                .reserve(redemption, purpose, points, on)
                .map_err(at("points"))?,
            Redeem::Confirm => purse.confirm(redemption, on).map_err(at("redemption"))?,
            Redeem::Cancel => purse.cancel(redemption, on).map_err(at("redemption"))?,
        };
        wallet.apply(&entry)?;
        entries.push(entry);
        self.enter(wallet.code(), None, &entries).await?;
        Ok(wallet)
    }

    /// Takes back what outcomes have earned that were revoked or amended since.
    pub(crate) async fn claw_back(&self, learner: LearnerCode) -> Result<(), Vec<Fault>> {
        let _one_at_a_time = self.deciding.lock().await;
        // A learner who is gone has no points any more.
        let wallet = Wallet::open(self, self.head(), learner).map_err(failed)?;
        let Ok(mut wallet) = wallet else {
            return Ok(());
        };
        if wallet.undermined().is_empty() {
            return Ok(());
        }
        let entries = wallet.settle(clock::today())?;
        self.enter(wallet.code(), None, &entries).await.map(drop)
    }

    fn wallet(&self, learner: LearnerCode) -> Result<Wallet, Vec<Fault>> {
        let wallet = Wallet::open(self, self.head(), learner);
        wallet.map_err(failed)?.map_err(at("learner"))
    }

    /// Puts entries into the log, as many records as they need. Each record folds by itself, so what a crash leaves out
    /// is entered the next time.
    async fn enter(
        &self,
        learner: LearnerCode,
        rule_set: Option<Digest32>,
        entries: &[Entry],
    ) -> Result<Vec<LeafIndex>, Vec<Fault>> {
        let learner = format!("{:016}", learner.as_u64());
        let mut leaves = Vec::new();
        for entries in entries.chunks(ENTRIES_MAX) {
            let envelope = v1::Envelope {
                rule_set_hash: rule_set
                    .map(|hash| hash.to_vec().into())
                    .unwrap_or_default(),
                ..envelope(RecordKind::Points)
            };
            let content = Content::Points(entries_message(entries));
            let decided = self.record(&learner, envelope, content).await?;
            match decided.rows.first() {
                Some(Decision::Created(index) | Decision::Duplicate(index)) => leaves.push(*index),
                Some(Decision::Refused(faults)) => return Err(faults.clone()),
                None => return Err(vec![Refusal::Internal.at("")]),
            }
        }
        Ok(leaves)
    }
}

impl Redeem {
    /// Whether a redemption has taken this step already.
    fn is_taken(&self, known: &Redemption) -> bool {
        match self {
            Self::Reserve { points, purpose } => {
                known.points == *points && known.purpose == *purpose
            }
            Self::Confirm => known.state == RedemptionState::Confirmed,
            Self::Cancel => known.state == RedemptionState::Cancelled,
        }
    }
}

impl Wallet {
    /// What comes before anything else of a day: what has expired is entered, and what does not hold any longer is
    /// taken back.
    fn settle(&mut self, on: Date) -> Result<Vec<Entry>, Vec<Fault>> {
        let mut entries = Vec::new();
        while let Some(entry) = self.purse.expire(on) {
            self.apply(&entry)?;
            entries.push(entry);
        }
        for outcome in self.undermined() {
            if let Some(entry) = self.purse.claw_back(outcome, on) {
                self.apply(&entry)?;
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Outcomes that have earned what is not taken back yet, and were revoked or amended.
    fn undermined(&self) -> Vec<LeafIndex> {
        let changed = |outcome: &LeafIndex| {
            self.archive.parts.iter().any(|part| {
                let state = find_state(&part.states, *outcome);
                state.revoked_by.is_some() || state.amended_by.is_some()
            })
        };
        self.purse.earners().filter(changed).collect()
    }

    /// Entries are made by the purse, so it takes them.
    fn apply(&mut self, entry: &Entry) -> Result<(), Vec<Fault>> {
        self.purse.apply(entry).map_err(|refusal| {
            tracing::error!(%refusal, "a purse does not take what it has made");
            vec![Refusal::Internal.at("")]
        })
    }

    /// Every outcome in force. One that is disputed earns nothing, but what it has earned still fills its day.
    fn held(&self) -> Result<Result<Vec<Held>, Refusal>, StoreError> {
        let head = &self.archive.head;
        let mut held = Vec::new();
        for part in &self.archive.parts {
            let mut read = Ok(());
            self.archive.scan(part, head.row.size, |found| {
                let stands = match found.state {
                    v1::RecordState::Active => true,
                    v1::RecordState::Disputed => self.purse.earned_by(found.index).is_some(),
                    _ => false,
                };
                if stands && found.header.kind.shows_outcome() {
                    read = found.held(head).map(|it| held.extend(it));
                }
                match held.len() > HELD_MAX || read.is_err() {
                    true => Go::Break(()),
                    false => Go::Continue(()),
                }
            })?;
            read?;
        }
        if held.len() > HELD_MAX {
            let max = HELD_MAX as u32;
            return Ok(Err(Refusal::TooMany { max }));
        }
        Ok(Ok(held))
    }
}

/// Points are awarded under the version of a set that is in force.
fn in_force(wallet: &Wallet, rule_set: &Digest32, on: Date) -> Result<(), Refusal> {
    let catalogue = wallet.archive.head.registry.catalogue();
    let set = catalogue.set(rule_set).ok_or(Refusal::RuleSetUnknown)?;
    match catalogue.in_force(&set.id, on) {
        Some(newest) if newest.hash == *rule_set => Ok(()),
        _ => Err(Refusal::RuleSetNotInForce),
    }
}

fn at(field: &'static str) -> impl Fn(Refusal) -> Vec<Fault> {
    move |refusal| vec![refusal.at(field)]
}

fn failed(error: StoreError) -> Vec<Fault> {
    tracing::error!(%error, "points could not be read");
    vec![Refusal::StorageFailed.at("")]
}
