//! What this bank says of a period by itself, and keeps in memory while a peer compares.

use std::sync::{Arc, Mutex, PoisonError};

use creditbank_domain::reconcile::{Item, Period, PeriodFold, PeriodStatement, SUSPENSE_AFTER_MS};
use creditbank_domain::record::Statement;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::transfer::TransferId;
use creditbank_domain::{LeafIndex, Refusal};
use tokio::sync::Semaphore;

use super::digest::{PeriodDigest, Reading, find};
use super::{Partner, failed};
use crate::bank::Bank;
use crate::clock;
use crate::head::Head;
use crate::queue::Decision;

/// Periods kept in memory: a bank has few peers, and each compares one at a time.
const DIGESTS_MAX: usize = 4;

/// Periods that were read and may be compared.
#[derive(Debug)]
pub(crate) struct Digests {
    kept: Mutex<Vec<(InstitutionNumber, Arc<PeriodDigest>)>>,
    /// A period is read at full speed of disk and processor: one at a time.
    room: Semaphore,
}

impl Digests {
    pub(crate) const fn new() -> Self {
        Self {
            kept: Mutex::new(Vec::new()),
            room: Semaphore::const_new(1),
        }
    }

    fn keep(&self, peer: InstitutionNumber, digest: &Arc<PeriodDigest>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let period = digest.statement.period;
        kept.retain(|(other, it)| (*other, it.statement.period) != (peer, period));
        if kept.len() == DIGESTS_MAX {
            kept.remove(0);
        }
        kept.push((peer, Arc::clone(digest)));
    }

    fn find(&self, peer: InstitutionNumber, period: Period) -> Option<Arc<PeriodDigest>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = kept.iter();
        let found = kept.find(|(other, it)| *other == peer && it.statement.period == period);
        found.map(|(_, digest)| Arc::clone(digest))
    }
}

/// A period to be stated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) period: Period,
    /// The last step of the peer in the period, by what the peer says; this bank must have heard it.
    pub(crate) sent: u64,
    /// State it although steps are missing.
    pub(crate) incomplete: bool,
}

/// This bank's statement of a period and its leaf: from the log, or stated now. What is compared afterwards is what this
/// bank has heard by now, which may be more than it had stated.
pub(crate) async fn state(
    bank: &Arc<Bank>,
    partner: &Partner,
    digest: &PeriodDigest,
    wish: Wish,
) -> Result<(PeriodStatement, LeafIndex), Refusal> {
    if let Some(found) = stated(bank, partner, wish.period) {
        return Ok(found);
    }
    let heard = digest.statement.sequences[1 - partner.place].last;
    let is_late = clock::now_ms() >= wish.period.cut_ms().saturating_add(SUSPENSE_AFTER_MS);
    if heard < wish.sent && !wish.incomplete && !is_late {
        let expected = heard + 1;
        return Err(Refusal::StepsMissing { expected });
    }
    let statement = Statement::PeriodStated(Box::new(digest.statement.clone()));
    match put(bank, statement).await {
        Ok(leaf) => Ok((digest.statement.clone(), leaf)),
        // Somebody else was faster.
        Err(refusal) => stated(bank, partner, wish.period).ok_or(refusal),
    }
}

/// Reads a period, whatever was read before.
pub(crate) async fn read(
    bank: &Arc<Bank>,
    partner: &Partner,
    period: Period,
    told: impl FnMut(u64) + Send + 'static,
) -> Result<Arc<PeriodDigest>, Refusal> {
    let until_ms = period.cut_ms();
    if clock::now_ms() < until_ms {
        return Err(Refusal::PeriodOpen { until_ms });
    }
    let room = bank.digests().room.acquire().await;
    let _room = room.map_err(|_| Refusal::ShuttingDown)?;
    let (bank, partner) = (Arc::clone(bank), partner.clone());
    let work = move || read_now(&bank, &partner, period, told);
    let read = tokio::task::spawn_blocking(work).await;
    read.map_err(|_| Refusal::Internal)?
}

/// The period as it was read last, or read now.
pub(crate) async fn recent(
    bank: &Arc<Bank>,
    partner: &Partner,
    period: Period,
) -> Result<Arc<PeriodDigest>, Refusal> {
    match bank.digests().find(partner.number, period) {
        Some(digest) => Ok(digest),
        None => read(bank, partner, period, |_| {}).await,
    }
}

/// A transfer as it stood at the cut of a period, whether it belongs to it or not.
pub(crate) fn item_of(
    head: &Head,
    partner: &Partner,
    period: Period,
    id: TransferId,
) -> Result<Option<Item>, Refusal> {
    let transfer = find(&head.snapshot, partner.number, id).map_err(failed)?;
    Ok(transfer.and_then(|it| Item::as_of(&it, partner.place, period)))
}

/// Puts a public statement into the log.
pub(super) async fn put(bank: &Bank, statement: Statement) -> Result<LeafIndex, Refusal> {
    let decided = bank.state(vec![statement]).await;
    let decided = decided.map_err(|fault| fault.refusal)?;
    match decided.rows.first() {
        Some(Decision::Created(leaf) | Decision::Duplicate(leaf)) => Ok(*leaf),
        Some(Decision::Refused(faults)) => {
            let first = faults.first().map(|fault| fault.refusal);
            Err(first.unwrap_or(Refusal::Internal))
        }
        None => Err(Refusal::Internal),
    }
}

fn read_now(
    bank: &Bank,
    partner: &Partner,
    period: Period,
    told: impl FnMut(u64),
) -> Result<Arc<PeriodDigest>, Refusal> {
    let head = bank.head();
    let periods = head.registry.periods();
    let previous = match periods.find(&partner.origin, period) {
        Some(stated) => stated.statement.previous,
        None => periods.previous(&partner.origin, period)?,
    };
    let is_first = previous == [0; 32];
    let fold = PeriodFold::new(partner.pair.clone(), bank.origin(), period)?;
    let mut reading = Reading::new(fold);
    let read = reading.read(&head.snapshot, partner.number, told);
    read.map_err(failed)??;
    // The first period is the one in which the pair has begun, where it has.
    if is_first && (reading.has_earlier() || reading.is_before_all()) {
        return Err(Refusal::PeriodBeforeOpen);
    }
    let digest = Arc::new(reading.finish(previous)?);
    bank.digests().keep(partner.number, &digest);
    Ok(digest)
}

/// What was stated before.
fn stated(bank: &Bank, partner: &Partner, period: Period) -> Option<(PeriodStatement, LeafIndex)> {
    let head = bank.head();
    let stated = head.registry.periods().find(&partner.origin, period)?;
    Some((stated.statement.clone(), stated.at))
}
