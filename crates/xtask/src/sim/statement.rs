//! What stood between two banks at the end of a period, as each of them computes it alone.

use creditbank_domain::reconcile::{Pair, Period, PeriodFold};
use creditbank_domain::transfer::{Side, State, Step, Transfer, TransferId};
use creditbank_domain::{Digest32, Refusal};
use creditbank_merkle::{EMPTY_ROOT, leaf_hash, root_of};

use super::code::Code;
use super::rows::{Name, Rows};

/// What stood between two banks at a cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statement {
    /// By origin, the lower number first, so that both banks write the same.
    pub(super) directions: [Direction; 2],
}

/// One direction. Amounts are hundredths of the source's credits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Direction {
    pub(super) released: u64,
    pub(super) pending: u64,
    /// With those reversed since.
    pub(super) recognised: u64,
    /// With those rejected.
    pub(super) declined: u64,
    pub(super) recalled: u64,
    pub(super) settled: u64,
    pub(super) reversed: u64,
    pub(super) items: Vec<(TransferId, State)>,
}

impl Statement {
    /// What a bank computes from its rows.
    pub(super) fn of(code: &Code, rows: &Rows, own: Name, peer: Name, cut_ms: u64) -> Self {
        let mut statement = Self::default();
        for ((with, _), transfer) in &rows.transfers {
            if *with != peer || !transfer.is_known_at(cut_ms) {
                continue;
            }
            let origin = match transfer.side {
                Side::Origin => own,
                Side::Receiver => peer,
            };
            let direction = usize::from(origin != own.min(peer));
            statement.directions[direction].count(code, transfer, cut_ms);
        }
        statement
    }
}

/// The hash of the statement that a bank signs of the month that ends at `cut_ms`: what two banks exchange. The month is
/// moved there, because worlds are shorter than months.
pub(super) fn month(rows: &Rows, own: Name, peer: Name, cut_ms: u64) -> Result<Digest32, Refusal> {
    let [one, other] = [own, peer].map(|name| format!("{}.test/log", name.0));
    let period = Period::new(2026, 1)?;
    let mut fold = PeriodFold::new(Pair::of(&one, &other)?, &one, period)?;
    let mut leaves = Vec::new();
    let with = rows.transfers.iter().filter(|((with, _), _)| *with == peer);
    for (_, transfer) in with {
        let mut moved = transfer.clone();
        for taken in &mut moved.steps {
            taken.at_ms = taken.at_ms + period.cut_ms() - cut_ms;
        }
        let item = fold.add(&moved)?;
        leaves.extend(item.map(|item| leaf_hash(&item.to_bytes())));
    }
    let root = match leaves.is_empty() {
        true => EMPTY_ROOT,
        false => root_of(&leaves),
    };
    Ok(fold.finish([0; 32], root.0)?.hash())
}

impl Direction {
    fn count(&mut self, code: &Code, transfer: &Transfer, cut_ms: u64) {
        let state = (code.state_at)(transfer, cut_ms);
        self.items.push((transfer.id, state));
        let released = transfer.when(|step| matches!(step, Step::Released(_)));
        self.released += u64::from(released.is_some_and(|at| at < cut_ms));
        match state {
            State::Requested | State::Refused | State::Reserved => {}
            State::Released | State::UnderReview | State::Recalling => self.pending += 1,
            State::Recognised | State::Reversed => self.recognised += 1,
            State::Rejected | State::Declined => self.declined += 1,
            State::Recalled => self.recalled += 1,
        }
        let spent = transfer.recognised();
        let spent = spent.map_or(0, |it| u64::from(it.spent.hundredths()));
        let is_settled = |is| (code.settled_at)(transfer, is).is_some_and(|at| at < cut_ms);
        if is_settled(|step| matches!(step, Step::Recognised(_))) {
            self.settled += spent;
        }
        if is_settled(|step| matches!(step, Step::Reversed(_))) {
            self.reversed += spent;
        }
    }

    /// Whether everything released is in one state.
    pub(super) const fn is_complete(&self) -> bool {
        self.released == self.pending + self.recognised + self.declined + self.recalled
    }
}
