//! What this bank asks of a peer, and how it checks the answers.

use std::collections::BTreeMap;

use creditbank_client::receipt::{Step as Checked, StepResult};
use creditbank_client::{Bank as Connection, ClientError, reconciliation};
use creditbank_domain::LeafIndex;
use creditbank_domain::Refusal;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::reconcile::{Ask, Comparison, Item, Period, PeriodStatement, Ranges};
use creditbank_domain::record::{RecordRef, Statement};
use creditbank_domain::transfer::TransferId;
use creditbank_merkle::Note;
use creditbank_wire::convert::reconciliation as wire;
use creditbank_wire::convert::record::statement;
use creditbank_wire::v1;
use prost::Message;

use super::Partner;
use crate::bank::Bank;
use crate::transfer::{connect, verifier};

/// Items asked for at once.
const ITEMS: usize = 500;

/// A peer that is asked.
pub(super) struct Asking {
    connection: Connection,
    period: Period,
    /// Bytes of the questions and answers that find differences.
    pub(super) bytes: u64,
}

/// What the peer states, proved by its log.
pub(super) struct Theirs {
    pub(super) statement: PeriodStatement,
    pub(super) leaf: RecordRef,
    pub(super) receipt: v1::Receipt,
}

impl Asking {
    pub(super) async fn connect(
        bank: &Bank,
        partner: &Partner,
        period: Period,
    ) -> Result<Self, Refusal> {
        if bank.peers().is_stopped(&partner.id) {
            return Err(Refusal::PeerStopped);
        }
        let peer = bank.peers().get(&partner.id);
        let peer = peer.ok_or(Refusal::PeerUnknown)?;
        let connection = connect(bank, peer).await.map_err(|what| {
            tracing::warn!(peer = %partner.id, %what, "not reached for reconciliation");
            Refusal::PeerUnreachable
        })?;
        Ok(Self {
            connection,
            period,
            bytes: 0,
        })
    }

    /// Has the peer state the period, and verifies that its log holds what it says.
    pub(super) async fn statement(
        &mut self,
        bank: &Bank,
        partner: &Partner,
        (sent, incomplete): (u64, bool),
    ) -> Result<Theirs, Refusal> {
        let request = v1::StatePeriodRequest {
            period: self.period.to_string(),
            sent,
            incomplete,
        };
        let answer = reconciliation::state_period(&self.connection, request).await;
        let answer = answer.map_err(|error| refused(partner, &error))?;
        let receipt = answer.receipt.unwrap_or_default();
        let (statement, leaf) = verify(bank, partner, &receipt)?;
        let said = answer.statement.as_ref().map(wire::period_statement);
        let is_said = said.is_some_and(|said| said.as_ref() == Ok(&statement));
        let is_ours = statement.pair == partner.pair && statement.period == self.period;
        if !is_said || !is_ours {
            return Err(invalid("statement"));
        }
        Ok(Theirs {
            statement,
            leaf,
            receipt,
        })
    }

    /// Asks one question of a comparison, and puts the answer in.
    pub(super) async fn answer<R: Ranges>(
        &mut self,
        partner: &Partner,
        comparison: &mut Comparison<'_, R>,
        ask: &Ask,
    ) -> Result<(), Refusal> {
        let period = self.period.to_string();
        match ask {
            Ask::Summaries(ranges) => {
                let ranges = ranges.iter().map(wire::range_message).collect();
                let request = v1::CompareRangesRequest { period, ranges };
                self.bytes += request.encoded_len() as u64;
                let answer = reconciliation::compare_ranges(&self.connection, request).await;
                let answer = answer.map_err(|error| refused(partner, &error))?;
                self.bytes += answer.encoded_len() as u64;
                let summaries = answer.ranges.iter().map(wire::summary);
                let summaries: Result<Vec<_>, _> = summaries.collect();
                comparison.summaries(&summaries.map_err(|_| invalid("ranges"))?)
            }
            Ask::Lists(ranges) => {
                let request = v1::ListItemsRequest {
                    period,
                    ranges: ranges.iter().map(wire::range_message).collect(),
                    transfer_ids: Vec::new(),
                };
                let answer = self.list(partner, request).await?;
                let lists: Result<Vec<_>, _> = answer.lists.iter().map(wire::leaves).collect();
                comparison.lists(&lists.map_err(|_| invalid("lists"))?)
            }
        }
    }

    /// Items of the peer by id, as they stood at the cut.
    pub(super) async fn items(
        &mut self,
        partner: &Partner,
        ids: &[TransferId],
    ) -> Result<BTreeMap<TransferId, Item>, Refusal> {
        let mut found = BTreeMap::new();
        for ids in ids.chunks(ITEMS) {
            let request = v1::ListItemsRequest {
                period: self.period.to_string(),
                ranges: Vec::new(),
                transfer_ids: ids.iter().map(|id| id.0.to_vec().into()).collect(),
            };
            for item in self.list(partner, request).await?.items {
                let item = wire::item(&item).map_err(|_| invalid("item"))?;
                if ids.binary_search(&item.id).is_err() {
                    return Err(invalid("item"));
                }
                found.insert(item.id, item);
            }
        }
        Ok(found)
    }

    async fn list(
        &mut self,
        partner: &Partner,
        request: v1::ListItemsRequest,
    ) -> Result<v1::ListItemsResponse, Refusal> {
        self.bytes += request.encoded_len() as u64;
        let answer = reconciliation::list_items(&self.connection, request).await;
        let answer = answer.map_err(|error| refused(partner, &error))?;
        self.bytes += answer.encoded_len() as u64;
        Ok(answer)
    }
}

/// A statement in the peer's log: signed by the peer's bank key, in a tree that the peer's log key signed.
fn verify(
    bank: &Bank,
    partner: &Partner,
    receipt: &v1::Receipt,
) -> Result<(PeriodStatement, RecordRef), Refusal> {
    let head = bank.head();
    let peer = bank.peers().get(&partner.id).ok_or(Refusal::PeerUnknown)?;
    let note = Note::parse(&receipt.checkpoint).map_err(|_| invalid("checkpoint"))?;
    let mut verifier = verifier(bank, &head, peer, &note).map_err(invalid)?;
    let verified = verifier.verify_receipt(receipt, None);
    let verified = verified.map_err(|_| invalid("receipt"))?;
    // A fork is kept as evidence there; the statement itself was verified.
    drop(bank.peers().observe(&partner.id, &receipt.checkpoint));
    let is_signed = verified.report.of(Checked::IssuerSignature) == &StepResult::Ok;
    let record = verified.records.first().ok_or_else(|| invalid("receipt"))?;
    let is_statement = record.kind == v1::RecordKind::Statement;
    if !is_signed || !is_statement || &*record.issuer != InstitutionId::BANK {
        return Err(invalid("bank signature"));
    }
    let said = v1::Statement::decode(record.statement.clone());
    let said = said.map_err(|_| invalid("statement"))?;
    match statement(said).map_err(|_| invalid("statement"))? {
        Statement::PeriodStated(stated) => {
            let leaf = RecordRef {
                leaf_index: LeafIndex(record.leaf_index),
                leaf_hash: record.leaf_hash,
            };
            Ok((*stated, leaf))
        }
        _ => Err(invalid("statement")),
    }
}

/// What a peer refused, as this bank tells it: what an operator can act on is told as it is.
fn refused(partner: &Partner, error: &ClientError) -> Refusal {
    tracing::warn!(peer = %partner.id, %error, "does not reconcile");
    let Some(refused) = error.refused() else {
        return Refusal::PeerUnreachable;
    };
    let number = |name: &str| refused.params.get(name).and_then(|text| text.parse().ok());
    match refused.code.as_deref() {
        Some("PERIOD_BEFORE_OPEN") => Refusal::PeriodBeforeOpen,
        Some("PERIOD_OPEN") => Refusal::PeriodOpen {
            until_ms: number("until_ms").unwrap_or(0),
        },
        Some("STEPS_MISSING") => Refusal::StepsMissing {
            expected: number("expected").unwrap_or(0),
        },
        Some("QUEUE_FULL") => Refusal::QueueFull { retry_ms: 1_000 },
        _ => Refusal::PeerUnreachable,
    }
}

pub(super) const fn invalid(check: &'static str) -> Refusal {
    Refusal::PeerInvalid { check }
}
