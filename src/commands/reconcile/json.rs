//! A report for programs: everything that it says, credits as decimals.

use creditbank_domain::transfer::{Purpose, Reason};
use creditbank_wire::v1;
use serde_json::{Value, json};

use super::lines;
use crate::print::{self, hex};

pub(super) fn report(it: &v1::ReconciliationReport) -> Value {
    let directions = lines::directions(it).unwrap_or_default();
    let differences = lines::all(it).map(|(standing, it)| difference(standing.code(), it));
    json!({
        "own_origin": it.own_origin,
        "peer_origin": it.peer_origin,
        "period": it.period,
        "agreed": it.own_hash == it.their_hash,
        "own": it.own.as_ref().map(statement),
        "own_hash": hex(&it.own_hash),
        "own_leaf": it.own_leaf,
        "theirs": it.theirs.as_ref().map(statement),
        "their_hash": hex(&it.their_hash),
        "their_leaf": it.their_receipt.as_ref().map(|it| it.leaf_index),
        "closed_at_leaf": it.closed_at_leaf,
        "totals": directions.iter().map(direction).collect::<Value>(),
        "differences": differences.collect::<Value>(),
        "suspense": print::hundredths(it.suspense_hundredths),
        "is_complete": it.is_complete,
        "bytes_exchanged": it.bytes_exchanged,
    })
}

pub(super) fn summary(it: &v1::ReconciliationSummary) -> Value {
    let closed = it.closed.as_ref().map(|closed| {
        json!({
            "leaf": it.closed_at_leaf,
            "agreed": closed.own_hash == closed.their_hash,
            "their_hash": hex(&closed.their_hash),
            "differences": closed.differences,
            "suspense": print::hundredths(closed.suspense_hundredths),
        })
    });
    json!({
        "peer_origin": it.peer_origin,
        "period": it.period,
        "own_hash": hex(&it.own_hash),
        "leaf": it.stated_at_leaf,
        "closed": closed,
    })
}

fn statement(it: &v1::PeriodStated) -> Value {
    let sequence =
        |it: &v1::StepSequence| json!({ "first": it.first, "last": it.last, "steps": it.steps });
    json!({
        "origins": it.origins,
        "cut_ms": it.cut_ms,
        "previous": hex(&it.previous),
        "sequences": it.sequences.iter().map(sequence).collect::<Value>(),
        "items": it.items,
        "root": hex(&it.root),
    })
}

fn direction(it: &lines::Direction) -> Value {
    let total = |it: &lines::Total| {
        let (own, theirs) = it.credited.unzip();
        json!({
            "name": it.code,
            "own": { "count": it.own.count, "source": print::hundredths(it.own.source),
                "credited": own.map(print::hundredths) },
            "theirs": { "count": it.theirs.count, "source": print::hundredths(it.theirs.source),
                "credited": theirs.map(print::hundredths) },
        })
    };
    json!({
        "origin": it.origin,
        "receiver": it.receiver,
        "totals": it.totals.iter().map(total).collect::<Value>(),
    })
}

fn difference(standing: &str, it: &v1::PeriodDifference) -> Value {
    let kinds = lines::kinds(it);
    let code = |of: fn(lines::Kinds) -> &'static str| kinds.map(of);
    json!({
        "standing": standing,
        "transfer_id": hex(&it.transfer_id),
        "origin": it.origin,
        "receiver": it.receiver,
        "class": code(|it| it.0.code()),
        "stage": code(|it| it.1.code()),
        "amount": print::hundredths(u64::from(it.amount_hundredths)),
        "action": code(|it| it.2.code()),
        "actor": code(|it| it.3.code()),
        "since": it.since,
        "own": it.own.as_ref().map(item),
        "theirs": it.theirs.as_ref().map(item),
    })
}

fn item(it: &v1::PeriodItem) -> Value {
    let reason = |number| Reason::from_number(number).map(Reason::code);
    let amount = |hundredths: u32| print::hundredths(u64::from(hundredths));
    let spent = it.grant.as_ref().map_or(0, |it| it.spent_hundredths);
    let grant = it.grant.as_ref().map(|grant| {
        json!({
            "rule": grant.rule,
            "rule_set_hash": hex(&grant.rule_set_hash),
            "agreement_version": grant.agreement_version,
            "credited": amount(grant.credited_hundredths),
            "spent": amount(grant.spent_hundredths),
            "decided_at": print::moment(grant.decided_at_ms),
        })
    });
    json!({
        "commitment": hex(&it.commitment),
        "category": print::category(it.category),
        "purpose": Purpose::from_number(it.purpose).map(Purpose::code),
        "source": amount(it.source_hundredths),
        "remainder": amount(it.source_hundredths.saturating_sub(spent)),
        "agreement": it.agreement,
        "agreement_version": it.agreement_version,
        "reserved_at": print::moment(it.reserved_at_ms),
        "released_at": print::moment(it.released_at_ms),
        "grant": grant,
        "state": lines::state(Some(it)).map(|state| state.code()),
        "reason": reason(it.reason),
        "recalled": reason(it.recalled),
        "reversal_asked": reason(it.reversal_asked),
        "settled_in_period": it.is_settled,
        "reversal_settled_in_period": it.is_reversal_settled,
        "last_step_of_origin": it.last_of_origin,
        "last_step_of_receiver": it.last_of_receiver,
    })
}
