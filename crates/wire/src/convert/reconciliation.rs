//! Periods of reconciliation: statements, items, ranges and differences.

use creditbank_domain::reconcile::{Action, Actor, Class, Stage};
use creditbank_domain::reconcile::{
    Closed, Difference, Direction, Flow, Granted, Item, Leaf, OpenDifference, Pair, Period,
    PeriodStatement, Prefix, Sequence, Settled, Summary, Tally,
};
use creditbank_domain::record::{RecordRef, Statement};
use creditbank_domain::transfer::{Purpose, Reason, State, TransferId};
use creditbank_domain::{Category, Credit, LeafIndex, Refusal};
use creditbank_merkle::EMPTY_ROOT;
use prost::bytes::Bytes;

use super::record::digest;
use crate::v1;
use crate::v1::statement::Content;

/// Bytes of a transfer id and of a leaf hash.
const ID_BYTES: usize = 16;
const LEAF_BYTES: usize = ID_BYTES + 32;
/// Most bytes of a name in an item.
const TEXT_BYTES_MAX: usize = 255;

/// Reads a statement about periods; none where it is about something else.
pub(super) fn statement(content: &Content) -> Option<Result<Statement, Refusal>> {
    match content {
        Content::PeriodStated(it) => {
            let stated = period_statement(it).map(Box::new);
            Some(stated.map(Statement::PeriodStated))
        }
        Content::PeriodClosed(it) => {
            let closed = closed(it).map(Box::new);
            Some(closed.map(Statement::PeriodClosed))
        }
        _ => None,
    }
}

/// The inverse of [`statement`].
pub(super) fn content(statement: &Statement) -> Option<Content> {
    match statement {
        Statement::PeriodStated(it) => Some(Content::PeriodStated(period_statement_message(it))),
        Statement::PeriodClosed(it) => Some(Content::PeriodClosed(closed_message(it))),
        _ => None,
    }
}

/// A statement of a period.
pub fn period_statement(it: &v1::PeriodStated) -> Result<PeriodStatement, Refusal> {
    let [first, second] = two(&it.origins)?;
    let pair = Pair::of(first, second)?;
    if pair.origins()[0] != first {
        return Err(Refusal::NotAscending);
    }
    let period = Period::parse(&it.period)?;
    if it.cut_ms != period.cut_ms() {
        return Err(Refusal::Inconsistent { with: "period" });
    }
    let sequence = |it: &v1::StepSequence| Sequence {
        first: it.first,
        last: it.last,
        steps: it.steps,
    };
    let [forth, back] = two(&it.flows)?;
    Ok(PeriodStatement {
        pair,
        period,
        previous: digest(&it.previous)?,
        sequences: two(&it.sequences)?.map(sequence),
        flows: [flow(forth)?, flow(back)?],
        items: it.items,
        root: digest(&it.root)?,
    })
}

/// The inverse of [`period_statement`].
#[must_use]
pub fn period_statement_message(it: &PeriodStatement) -> v1::PeriodStated {
    let sequence = |it: &Sequence| v1::StepSequence {
        first: it.first,
        last: it.last,
        steps: it.steps,
    };
    v1::PeriodStated {
        origins: it.pair.origins().map(str::to_owned).to_vec(),
        period: it.period.to_string(),
        cut_ms: it.period.cut_ms(),
        previous: it.previous.to_vec().into(),
        sequences: it.sequences.iter().map(sequence).collect(),
        flows: it.flows.iter().map(flow_message).collect(),
        items: it.items,
        root: it.root.to_vec().into(),
    }
}

/// How a period was closed.
pub fn closed(it: &v1::PeriodClosed) -> Result<Closed, Refusal> {
    let leaf = it.their_leaf.as_ref().ok_or(Refusal::Missing)?;
    Ok(Closed {
        peer: text(&it.peer)?,
        period: Period::parse(&it.period)?,
        own: digest(&it.own_hash)?,
        theirs: digest(&it.their_hash)?,
        their_leaf: RecordRef {
            leaf_index: LeafIndex(leaf.leaf_index),
            leaf_hash: digest(&leaf.leaf_hash)?,
        },
        differences: it.differences,
        suspense: it.suspense_hundredths,
    })
}

/// The inverse of [`closed`].
#[must_use]
pub fn closed_message(it: &Closed) -> v1::PeriodClosed {
    v1::PeriodClosed {
        peer: it.peer.clone(),
        period: it.period.to_string(),
        own_hash: it.own.to_vec().into(),
        their_hash: it.theirs.to_vec().into(),
        their_leaf: Some(v1::RecordRef {
            leaf_index: it.their_leaf.leaf_index.0,
            leaf_hash: it.their_leaf.leaf_hash.to_vec().into(),
        }),
        differences: it.differences,
        suspense_hundredths: it.suspense,
    }
}

/// An item.
pub fn item(it: &v1::PeriodItem) -> Result<Item, Refusal> {
    let direction = Direction::from_number(it.direction).ok_or(Refusal::ChoiceUnknown)?;
    let purpose = Purpose::from_number(it.purpose).ok_or(Refusal::ChoiceUnknown)?;
    let state = usize::try_from(it.state).map_err(|_| Refusal::ChoiceUnknown)?;
    let state = state.checked_sub(1).and_then(|place| State::ALL.get(place));
    Ok(Item {
        id: TransferId::from_slice(&it.transfer_id)?,
        direction,
        commitment: digest(&it.commitment)?,
        category: Category::from_number(it.category.cast_unsigned())?,
        purpose,
        source: Credit::from_hundredths(it.source_hundredths),
        agreement: text(&it.agreement)?,
        agreement_version: text(&it.agreement_version)?,
        reserved_at_ms: it.reserved_at_ms,
        released_at_ms: it.released_at_ms,
        granted: it.grant.as_ref().map(granted).transpose()?,
        state: *state.ok_or(Refusal::ChoiceUnknown)?,
        reason: reason(it.reason)?,
        recalled: reason(it.recalled)?,
        reversal_asked: reason(it.reversal_asked)?,
        is_settled: it.is_settled,
        is_reversal_settled: it.is_reversal_settled,
        last: [it.last_of_origin, it.last_of_receiver],
    })
}

/// The inverse of [`item`].
#[must_use]
pub fn item_message(it: &Item) -> v1::PeriodItem {
    let number = |reason: Option<Reason>| reason.map_or(0, |reason| reason as u32);
    let place = State::ALL.iter().position(|state| *state == it.state);
    v1::PeriodItem {
        transfer_id: it.id.0.to_vec().into(),
        direction: it.direction as u32,
        commitment: it.commitment.to_vec().into(),
        category: it.category.number().cast_signed(),
        purpose: it.purpose as u32,
        source_hundredths: it.source.hundredths(),
        agreement: it.agreement.clone(),
        agreement_version: it.agreement_version.clone(),
        reserved_at_ms: it.reserved_at_ms,
        released_at_ms: it.released_at_ms,
        grant: it.granted.as_ref().map(granted_message),
        state: place.map_or(0, |place| place as u32 + 1),
        reason: number(it.reason),
        recalled: number(it.recalled),
        reversal_asked: number(it.reversal_asked),
        is_settled: it.is_settled,
        is_reversal_settled: it.is_reversal_settled,
        last_of_origin: it.last[0],
        last_of_receiver: it.last[1],
    }
}

/// A range of transfer ids.
pub fn range(it: &v1::IdRange) -> Result<Prefix, Refusal> {
    let nibbles = u8::try_from(it.nibbles).map_err(|_| Refusal::NotCanonical)?;
    let mut id = [0; ID_BYTES];
    let is_whole = it.prefix.len() == usize::from(nibbles).div_ceil(2);
    match id.get_mut(..it.prefix.len()) {
        Some(start) if is_whole => start.copy_from_slice(&it.prefix),
        _ => return Err(Refusal::NotCanonical),
    }
    Prefix::new(id, nibbles)
}

/// The inverse of [`range`].
#[must_use]
pub fn range_message(it: &Prefix) -> v1::IdRange {
    let (id, nibbles) = it.parts();
    v1::IdRange {
        prefix: id[..usize::from(nibbles).div_ceil(2)].to_vec().into(),
        nibbles: u32::from(nibbles),
    }
}

/// Count and root of a range.
pub fn summary(it: &v1::RangeSummary) -> Result<Summary, Refusal> {
    let root = match it.count {
        0 => EMPTY_ROOT.0,
        _ => digest(&it.root)?,
    };
    Ok(Summary {
        count: it.count,
        root,
    })
}

/// The inverse of [`summary`].
#[must_use]
pub fn summary_message(it: &Summary) -> v1::RangeSummary {
    let root = match it.count {
        0 => Bytes::new(),
        _ => it.root.to_vec().into(),
    };
    v1::RangeSummary {
        count: it.count,
        root,
    }
}

/// Items by id and leaf hash.
pub fn leaves(it: &v1::ItemList) -> Result<Vec<Leaf>, Refusal> {
    let (rows, rest) = it.items.as_chunks::<LEAF_BYTES>();
    if !rest.is_empty() {
        return Err(Refusal::NotCanonical);
    }
    let leaf = |row: &[u8; LEAF_BYTES]| {
        let (id, hash) = row.split_at(ID_BYTES);
        Ok((TransferId::from_slice(id)?, digest(hash)?))
    };
    rows.iter().map(leaf).collect()
}

/// The inverse of [`leaves`].
#[must_use]
pub fn leaves_message(leaves: &[Leaf]) -> v1::ItemList {
    let bytes = leaves
        .iter()
        .flat_map(|(id, hash)| [&id.0[..], hash].concat());
    v1::ItemList {
        items: bytes.collect::<Vec<u8>>().into(),
    }
}

/// A difference, with both of its sides.
#[must_use]
pub fn difference_message(
    it: &OpenDifference,
    pair: &Pair,
    (own, theirs): (Option<&Item>, Option<&Item>),
) -> v1::PeriodDifference {
    let difference = &it.difference;
    let origin = difference.direction.origin();
    let origins = pair.origins();
    v1::PeriodDifference {
        transfer_id: Bytes::copy_from_slice(&difference.id.0),
        origin: origins[origin].to_owned(),
        receiver: origins[1 - origin].to_owned(),
        class: difference.class as i32,
        stage: difference.stage as i32,
        amount_hundredths: difference.amount.hundredths(),
        action: difference.action as i32,
        actor: difference.actor as i32,
        since: it.since.to_string(),
        own: own.map(item_message),
        theirs: theirs.map(item_message),
    }
}

/// What of a difference is kept from one period to the next.
pub fn difference(it: &v1::PeriodDifference, pair: &Pair) -> Result<OpenDifference, Refusal> {
    let origin = pair.place(&it.origin).ok_or(Refusal::OriginForeign)?;
    let number = |number: i32| number.cast_unsigned();
    let known = Refusal::ChoiceUnknown;
    Ok(OpenDifference {
        since: Period::parse(&it.since)?,
        difference: Difference {
            id: TransferId::from_slice(&it.transfer_id)?,
            direction: Direction::ALL[origin],
            class: Class::from_number(number(it.class)).ok_or(known)?,
            stage: Stage::from_number(number(it.stage)).ok_or(known)?,
            amount: Credit::from_hundredths(it.amount_hundredths),
            action: Action::from_number(number(it.action)).ok_or(known)?,
            actor: Actor::from_number(number(it.actor)).ok_or(known)?,
        },
    })
}

fn flow(it: &v1::PeriodFlow) -> Result<Flow, Refusal> {
    let states: Vec<Tally> = it.states.iter().map(tally).collect();
    let states = states.try_into();
    let part = |it: &Option<v1::PeriodTally>| it.as_ref().map(tally).ok_or(Refusal::Missing);
    let of = |it: &Option<v1::PeriodSettled>| it.as_ref().map(settled).ok_or(Refusal::Missing);
    Ok(Flow {
        opening: part(&it.opening)?,
        released: part(&it.released)?,
        again: part(&it.again)?,
        states: states.map_err(|_| Refusal::WrongLength { expected: 11 })?,
        settled: of(&it.settled)?,
        reversed: of(&it.reversed)?,
    })
}

fn flow_message(it: &Flow) -> v1::PeriodFlow {
    v1::PeriodFlow {
        opening: Some(tally_message(&it.opening)),
        released: Some(tally_message(&it.released)),
        again: Some(tally_message(&it.again)),
        states: it.states.iter().map(tally_message).collect(),
        settled: Some(settled_message(&it.settled)),
        reversed: Some(settled_message(&it.reversed)),
    }
}

fn tally(it: &v1::PeriodTally) -> Tally {
    Tally {
        count: it.count,
        source: it.source_hundredths,
    }
}

fn tally_message(it: &Tally) -> v1::PeriodTally {
    v1::PeriodTally {
        count: it.count,
        source_hundredths: it.source,
    }
}

fn settled(it: &v1::PeriodSettled) -> Settled {
    Settled {
        source: Tally {
            count: it.count,
            source: it.source_hundredths,
        },
        credited: it.credited_hundredths,
        spent: it.spent_hundredths,
    }
}

fn settled_message(it: &Settled) -> v1::PeriodSettled {
    v1::PeriodSettled {
        count: it.source.count,
        source_hundredths: it.source.source,
        credited_hundredths: it.credited,
        spent_hundredths: it.spent,
    }
}

fn granted(it: &v1::ItemGrant) -> Result<Granted, Refusal> {
    Ok(Granted {
        rule: text(&it.rule)?,
        rule_set: digest(&it.rule_set_hash)?,
        agreement_version: text(&it.agreement_version)?,
        credited: Credit::from_hundredths(it.credited_hundredths),
        spent: Credit::from_hundredths(it.spent_hundredths),
        decided_at_ms: it.decided_at_ms,
    })
}

fn granted_message(it: &Granted) -> v1::ItemGrant {
    v1::ItemGrant {
        rule: it.rule.clone(),
        rule_set_hash: it.rule_set.to_vec().into(),
        agreement_version: it.agreement_version.clone(),
        credited_hundredths: it.credited.hundredths(),
        spent_hundredths: it.spent.hundredths(),
        decided_at_ms: it.decided_at_ms,
    }
}

fn reason(number: u32) -> Result<Option<Reason>, Refusal> {
    match number {
        0 => Ok(None),
        number => Reason::from_number(number)
            .map(Some)
            .ok_or(Refusal::ChoiceUnknown),
    }
}

fn text(text: &str) -> Result<String, Refusal> {
    match text.len() {
        0..=TEXT_BYTES_MAX => Ok(text.to_owned()),
        _ => Err(Refusal::TooLong {
            max: TEXT_BYTES_MAX as u32,
        }),
    }
}

fn two<T>(list: &[T]) -> Result<[&T; 2], Refusal> {
    match list {
        [first, second] => Ok([first, second]),
        _ => Err(Refusal::WrongLength { expected: 2 }),
    }
}
