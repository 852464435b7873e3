//! One reconciliation, from reading to closing. It may stop anywhere and be asked for again: what was stated is found in
//! the log, and what was closed is not closed again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use creditbank_domain::reconcile::{
    Closed, Closing, Comparison, Difference, Facts, Item, Period, classify,
};
use creditbank_domain::record::Statement;
use creditbank_domain::transfer::TransferId;
use creditbank_domain::{Digest32, Refusal};
use creditbank_wire::v1;

use super::asking::{Asking, Theirs, invalid};
use super::digest::{PeriodDigest, hash_of};
use super::own::{Wish, item_of, put, read, state};
use super::report::{self, Found};
use super::{Partner, report::closed_report};
use crate::bank::Bank;
use crate::clock;

/// How far a reconciliation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Reading,
    Asking,
    Comparing,
    Closing,
}

/// A stage, and how much of it is done.
pub(crate) type News = (Stage, u64);

/// Items between two news.
const TOLD_EVERY: u64 = 16_384;

/// Closes a period with a peer, or finds its report.
pub(crate) async fn reconcile(
    bank: &Arc<Bank>,
    partner: &Partner,
    period: Period,
    incomplete: bool,
    told: impl Fn(News) + Clone + Send + 'static,
) -> Result<v1::ReconciliationReport, Refusal> {
    if let Some(report) = closed_report(bank, partner, period)? {
        return Ok(report);
    }
    let reading = told.clone();
    let digest = read(bank, partner, period, move |items| {
        if items.is_multiple_of(TOLD_EVERY) {
            reading((Stage::Reading, items));
        }
    });
    let digest = digest.await?;
    told((Stage::Asking, 0));
    let mut asking = Asking::connect(bank, partner, period).await?;
    let sent = digest.statement.sequences[partner.place].last;
    let theirs = asking.statement(bank, partner, (sent, incomplete)).await?;
    let wish = Wish {
        period,
        sent: theirs.statement.sequences[1 - partner.place].last,
        incomplete,
    };
    let own = state(bank, partner, &digest, wish).await?;
    let is_agreed = own.0.hash() == theirs.statement.hash();
    let (differing, is_complete) = match is_agreed {
        true => (Differing::new(), true),
        false => differing(partner, &digest, &mut asking, &told).await?,
    };
    let run = Run {
        bank,
        partner,
        period,
        digest: &digest,
    };
    let mut found = run.classified(&mut asking, differing).await?;
    found.is_complete = is_complete;
    told((Stage::Closing, found.closing.open() as u64));
    // If we stop between the two, the period is open, and its report is made again.
    let report = report::make(partner, &own, &theirs, (&found, asking.bytes));
    report::keep(bank, partner, period, &report)?;
    run.close(own.0.hash(), &theirs, &found.closing).await?;
    closed_report(bank, partner, period)?.ok_or(Refusal::Internal)
}

/// Ids that differ, with the hash of the peer's item where it has one in the period.
type Differing = BTreeMap<TransferId, Option<Digest32>>;

/// Looks for what differs; also says whether that is all.
async fn differing(
    partner: &Partner,
    digest: &PeriodDigest,
    asking: &mut Asking,
    told: &impl Fn(News),
) -> Result<(Differing, bool), Refusal> {
    let mut comparison = Comparison::new(digest);
    let mut asked = 0;
    while let Some(ask) = comparison.next() {
        asking.answer(partner, &mut comparison, &ask).await?;
        asked += 1;
        told((Stage::Comparing, asked));
    }
    let (found, is_all) = comparison.finish();
    if !is_all {
        tracing::warn!(peer = %partner.id, "so much differs that not all of it was looked for");
    }
    let found = found.into_iter().map(|it| (it.id, it.theirs));
    Ok((found.collect(), is_all))
}

/// A reconciliation under way.
struct Run<'a> {
    bank: &'a Arc<Bank>,
    partner: &'a Partner,
    period: Period,
    digest: &'a PeriodDigest,
}

impl Run<'_> {
    /// What the differences are, with those that were open before.
    async fn classified(
        &self,
        asking: &mut Asking,
        differing: Differing,
    ) -> Result<Found, Refusal> {
        let mut earlier = report::open_before(self.bank, self.partner, self.period)?;
        let again = earlier.open().map(|it| it.difference.id);
        let ids: BTreeSet<_> = differing.keys().copied().chain(again).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let theirs = asking.items(self.partner, &ids).await?;
        for (id, hash) in &differing {
            let is_right = |hash| theirs.get(id).map(hash_of) == Some(hash);
            if hash.is_some_and(|hash| !is_right(hash)) {
                return Err(invalid("item"));
            }
        }
        let own = self.own_items(&ids)?;
        let asked_back = self.own_items(&self.digest.asked_back)?;
        let facts = Facts::new(self.partner.place, self.period, clock::now_ms());
        let of = |id: &TransferId| classify(own.get(id), theirs.get(id), &facts);
        let agreed = asked_back
            .iter()
            .filter(|(id, _)| !differing.contains_key(id));
        let agreed = agreed.filter_map(|(_, item)| classify(Some(item), Some(item), &facts));
        let found: Vec<Difference> = differing.keys().filter_map(of).chain(agreed).collect();
        let closing = earlier.close(self.period, &found, |it| of(&it.difference.id));
        let items = |mut items: BTreeMap<_, _>, more: BTreeMap<TransferId, Item>| {
            items.extend(more);
            items
        };
        Ok(Found {
            theirs: items(asked_back.clone(), theirs),
            own: items(asked_back, own),
            closing,
            is_complete: true,
        })
    }

    fn own_items(&self, ids: &[TransferId]) -> Result<BTreeMap<TransferId, Item>, Refusal> {
        let head = self.bank.head();
        let item = |id: &TransferId| item_of(&head, self.partner, self.period, *id);
        let items = ids.iter().map(|id| Ok(item(id)?.map(|item| (*id, item))));
        let items: Result<Vec<_>, Refusal> = items.collect();
        Ok(items?.into_iter().flatten().collect())
    }

    async fn close(
        &self,
        own: Digest32,
        theirs: &Theirs,
        closing: &Closing,
    ) -> Result<(), Refusal> {
        let head = self.bank.head();
        let stated = head
            .registry
            .periods()
            .find(&self.partner.origin, self.period);
        // Closed before, and only its report was gone.
        if stated.is_some_and(|stated| stated.closed.is_some()) {
            return Ok(());
        }
        let closed = Closed {
            peer: self.partner.origin.clone(),
            period: self.period,
            own,
            theirs: theirs.statement.hash(),
            their_leaf: theirs.leaf,
            differences: closing.open() as u64,
            suspense: closing.suspense(),
        };
        let statement = Statement::PeriodClosed(Box::new(closed));
        put(self.bank, statement).await.map(drop)
    }
}
