//! The report of a closed period: what both state, and every difference with both of its sides.

use std::collections::BTreeMap;

use creditbank_domain::reconcile::{
    Closing, Differences, Item, OpenDifference, Period, PeriodStatement, Stated,
};
use creditbank_domain::transfer::TransferId;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_store::{Damage, PeerRow, StoreError};
use creditbank_wire::convert::reconciliation as wire;
use creditbank_wire::v1;
use prost::Message;

use super::asking::Theirs;
use super::{Partner, failed};
use crate::bank::Bank;

/// What the differences of a period are, with the items that they are about.
pub(super) struct Found {
    pub(super) closing: Closing,
    pub(super) own: BTreeMap<TransferId, Item>,
    pub(super) theirs: BTreeMap<TransferId, Item>,
    /// Whether everything that differs was looked for.
    pub(super) is_complete: bool,
}

/// Puts a report together.
pub(super) fn make(
    partner: &Partner,
    (own, own_leaf): &(PeriodStatement, LeafIndex),
    theirs: &Theirs,
    (found, bytes_exchanged): (&Found, u64),
) -> v1::ReconciliationReport {
    let message = |it: &OpenDifference| {
        let id = it.difference.id;
        let sides = (found.own.get(&id), found.theirs.get(&id));
        wire::difference_message(it, &partner.pair, sides)
    };
    let all = |list: &[OpenDifference]| list.iter().map(message).collect();
    let origins = partner.pair.origins();
    v1::ReconciliationReport {
        own_origin: origins[partner.place].to_owned(),
        peer_origin: partner.origin.clone(),
        period: own.period.to_string(),
        own_hash: own.hash().to_vec().into(),
        own: Some(wire::period_statement_message(own)),
        theirs: Some(wire::period_statement_message(&theirs.statement)),
        their_hash: theirs.statement.hash().to_vec().into(),
        own_leaf: own_leaf.0,
        their_receipt: Some(theirs.receipt.clone()),
        closed_at_leaf: 0,
        opened: all(&found.closing.opened),
        still_open: all(&found.closing.still_open),
        cleared: all(&found.closing.cleared),
        suspense_hundredths: found.closing.suspense(),
        is_complete: found.is_complete,
        bytes_exchanged,
    }
}

/// Keeps a report beside the log.
pub(super) fn keep(
    bank: &Bank,
    partner: &Partner,
    period: Period,
    report: &v1::ReconciliationReport,
) -> Result<(), Refusal> {
    let (row, bytes) = (PeerRow::Report(period), report.encode_to_vec());
    let kept = bank.store().write_peer_row(row, &partner.origin, &bytes);
    kept.map_err(failed)
}

/// The report of a period, if it is closed and its report is there.
pub(crate) fn closed_report(
    bank: &Bank,
    partner: &Partner,
    period: Period,
) -> Result<Option<v1::ReconciliationReport>, Refusal> {
    let head = bank.head();
    let stated = head.registry.periods().find(&partner.origin, period);
    let Some((_, at)) = stated.and_then(|stated| stated.closed.as_ref()) else {
        return Ok(None);
    };
    let report = read(bank, partner, period)?;
    Ok(report.map(|report| v1::ReconciliationReport {
        closed_at_leaf: at.0,
        ..report
    }))
}

/// A stated period in a list.
pub(crate) fn summary(peer_origin: &str, stated: &Stated) -> v1::ReconciliationSummary {
    let closed = stated.closed.as_ref();
    v1::ReconciliationSummary {
        peer_origin: peer_origin.to_owned(),
        period: stated.statement.period.to_string(),
        own_hash: stated.statement.hash().to_vec().into(),
        stated_at_leaf: stated.at.0,
        closed: closed.map(|(closed, _)| wire::closed_message(closed)),
        closed_at_leaf: closed.map_or(0, |(_, at)| at.0),
    }
}

/// Differences that the period before left open.
pub(super) fn open_before(
    bank: &Bank,
    partner: &Partner,
    period: Period,
) -> Result<Differences, Refusal> {
    let Some(report) = read(bank, partner, period.previous())? else {
        return Ok(Differences::default());
    };
    let open = report.opened.iter().chain(&report.still_open);
    let open = open.map(|it| wire::difference(it, &partner.pair));
    Ok(Differences::of(open.collect::<Result<Vec<_>, _>>()?))
}

fn read(
    bank: &Bank,
    partner: &Partner,
    period: Period,
) -> Result<Option<v1::ReconciliationReport>, Refusal> {
    let row = PeerRow::Report(period);
    let bytes = bank.store().peer_row(row, &partner.origin);
    let Some(bytes) = bytes.map_err(failed)? else {
        return Ok(None);
    };
    let report = v1::ReconciliationReport::decode(&bytes[..]);
    let damaged = |_| failed(StoreError::Damaged(Damage::Row("reconciliations")));
    report.map(Some).map_err(damaged)
}
