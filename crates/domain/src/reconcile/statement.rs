//! The statement of a period that both banks sign.

use sha2::{Digest, Sha256};

use super::bytes::Writer;
use super::item::{before, is_open_at};
use super::totals::Flow;
use super::{Direction, Item, Pair, Period};
use crate::transfer::{Transfer, TransferId};
use crate::{Digest32, Refusal};

const CONTEXT: &[u8] = b"creditbank/period/v1\n";
const LINK_CONTEXT: &[u8] = b"creditbank/period-link/v1\n";
/// Version of [`PeriodStatement::to_bytes`].
const FORMAT: u8 = 1;

/// Steps of one bank towards the other in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The first; 0 where there is none.
    pub first: u64,
    /// The last; 0 where there is none.
    pub last: u64,
    /// How many transfers' steps there are.
    pub steps: u64,
}

impl Sequence {
    fn take(&mut self, sequence: u64) {
        self.first = match self.first {
            0 => sequence,
            first => first.min(sequence),
        };
        self.last = self.last.max(sequence);
        self.steps += 1;
    }

    /// Whether steps are missing between the first and the last.
    #[must_use]
    pub const fn has_gap(&self) -> bool {
        match self.first {
            0 => self.steps != 0,
            first => self.last - first + 1 != self.steps,
        }
    }
}

/// What one bank says of a period with another; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodStatement {
    /// The two banks.
    pub pair: Pair,
    /// Which period.
    pub period: Period,
    /// [`link`] of the two statements of the period before; zeros for a pair's first period. It is made of both, so that
    /// one period that was closed with a difference does not make every later one differ.
    pub previous: Digest32,
    /// Steps of the pair's first bank, and of its second.
    pub sequences: [Sequence; 2],
    /// Transfers with the pair's first bank as origin, and with its second.
    pub flows: [Flow; 2],
    /// How many items there are.
    pub items: u64,
    /// RFC 6962 root over [`Item::to_bytes`] in the order of transfer ids.
    pub root: Digest32,
}

impl PeriodStatement {
    /// What both banks compare: SHA-256("creditbank/period/v1\n" ‖ canonical bytes).
    #[must_use]
    pub fn hash(&self) -> Digest32 {
        let hash = Sha256::new().chain_update(CONTEXT);
        hash.chain_update(self.to_bytes()).finalize().into()
    }

    /// Canonical bytes. They never change: another form has another first byte.
    ///
    /// ```text
    /// u8  1
    /// t   origin of the pair's first bank, t of its second              t: u16 length, UTF-8
    /// u16 year, u8 month, u64 cut (ms since 1970)
    /// 32  previous
    /// 2 × u64 first step, u64 last step, u64 steps                      by bank
    /// 2 × opening, released, again, then 11 states: u64 count, u64 source credits
    ///     settled, reversed: u64 count, u64 source, u64 credited, u64 spent     by direction
    /// u64 items, 32 root
    /// ```
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(FORMAT);
        for origin in self.pair.origins() {
            to.text(origin);
        }
        let (year, month) = self.period.parts();
        to.u16(year.cast_unsigned()).u8(month.cast_unsigned());
        to.u64(self.period.cut_ms()).raw(&self.previous);
        for it in &self.sequences {
            to.u64(it.first).u64(it.last).u64(it.steps);
        }
        self.flows.iter().for_each(|flow| flow.write(&mut to));
        to.u64(self.items).raw(&self.root);
        to.finish()
    }

    /// Whether its numbers hold against each other.
    pub fn check(&self) -> Result<(), Refusal> {
        let mut items = 0u64;
        for flow in &self.flows {
            flow.check()?;
            let released = flow.all_released()?.count;
            items = items.checked_add(released).ok_or(Refusal::Overflow)?;
        }
        if items != self.items {
            return Err(Refusal::Inconsistent { with: "items" });
        }
        let is_ordered = |it: &Sequence| it.first <= it.last && (it.first == 0) == (it.last == 0);
        match self.sequences.iter().all(is_ordered) {
            true => Ok(()),
            false => Err(Refusal::NotAscending),
        }
    }

    /// Credits that one direction settled, for the sum over all pairs.
    #[must_use]
    pub const fn flow(&self, direction: Direction) -> &Flow {
        &self.flows[direction.origin()]
    }
}

/// What the next period's statement calls the two statements of this one: SHA-256("creditbank/period-link/v1\n" ‖ hash by
/// the pair's first bank ‖ hash by its second).
#[must_use]
pub fn link(hashes: [Digest32; 2]) -> Digest32 {
    let hash = Sha256::new().chain_update(LINK_CONTEXT);
    hash.chain_update(hashes.as_flattened()).finalize().into()
}

/// A statement under construction, at one of the two banks.
#[derive(Clone, Debug)]
pub struct PeriodFold {
    pair: Pair,
    place: usize,
    period: Period,
    sequences: [Sequence; 2],
    flows: [Flow; 2],
    items: u64,
    last: Option<TransferId>,
    /// Whether a step was taken before the period.
    has_earlier: bool,
    /// Whether a step was taken after it.
    has_later: bool,
}

impl PeriodFold {
    /// For the bank `own` of the pair.
    pub fn new(pair: Pair, own: &str, period: Period) -> Result<Self, Refusal> {
        let place = pair.place(own).ok_or(Refusal::OriginForeign)?;
        Ok(Self {
            pair,
            place,
            period,
            sequences: Default::default(),
            flows: Default::default(),
            items: 0,
            last: None,
            has_earlier: false,
            has_later: false,
        })
    }

    /// Takes the next transfer of the pair, in the order of ids; gives its item, if it has one.
    pub fn add(&mut self, transfer: &Transfer) -> Result<Option<Item>, Refusal> {
        if self.last.is_some_and(|last| last >= transfer.id) {
            return Err(Refusal::NotAscending);
        }
        self.last = Some(transfer.id);
        let (start, cut) = (self.period.start_ms(), self.period.cut_ms());
        self.has_earlier |= before(transfer, start).next().is_some();
        self.has_later |= transfer.steps.iter().any(|taken| taken.at_ms >= cut);
        if !transfer.moved_in(start, cut) && !is_open_at(transfer, start) {
            return Ok(None);
        }
        let direction = Pair::direction(self.place, transfer.side);
        for taken in before(transfer, cut).filter(|taken| taken.at_ms >= start) {
            self.sequences[direction.place(taken.step.taker())].take(taken.sequence);
        }
        let item = Item::as_of(transfer, self.place, self.period);
        self.flows[direction.origin()].add(transfer, item.as_ref(), self.period)?;
        self.items += u64::from(item.is_some());
        Ok(item)
    }

    /// Whether anything of the pair is older than the period: then it is not the pair's first.
    #[must_use]
    pub const fn has_earlier(&self) -> bool {
        self.has_earlier
    }

    /// Whether the pair has not begun in the period, and has begun since: then no statement is of it.
    #[must_use]
    pub fn is_before_all(&self) -> bool {
        let is_silent = self.sequences.iter().all(|it| it.steps == 0);
        self.has_later && is_silent && !self.has_earlier
    }

    /// The statement, given the root over the items that [`add`](Self::add) gave.
    pub fn finish(self, previous: Digest32, root: Digest32) -> Result<PeriodStatement, Refusal> {
        let statement = PeriodStatement {
            pair: self.pair,
            period: self.period,
            previous,
            sequences: self.sequences,
            flows: self.flows,
            items: self.items,
            root,
        };
        statement.check()?;
        Ok(statement)
    }
}
