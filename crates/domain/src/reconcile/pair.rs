//! Two banks, written the same by both.

use crate::Refusal;
use crate::transfer::Side;

/// Most bytes of the origin of a log in a statement.
const ORIGIN_BYTES_MAX: usize = 255;

/// Two banks, by the origins of their logs, sorted. An origin names a log for ever and stands in every signature of it;
/// a region's digits can be given anew, and one region may have two banks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    first: String,
    second: String,
}

impl Pair {
    /// Two banks, in either order.
    pub fn of(one: &str, other: &str) -> Result<Self, Refusal> {
        for origin in [one, other] {
            if origin.is_empty() {
                return Err(Refusal::Missing);
            }
            if origin.len() > ORIGIN_BYTES_MAX {
                let max = ORIGIN_BYTES_MAX as u32;
                return Err(Refusal::TooLong { max });
            }
        }
        let (first, second) = match one.cmp(other) {
            std::cmp::Ordering::Less => (one, other),
            std::cmp::Ordering::Equal => return Err(Refusal::Repeated { first: 0 }),
            std::cmp::Ordering::Greater => (other, one),
        };
        Ok(Self {
            first: first.to_owned(),
            second: second.to_owned(),
        })
    }

    /// Both, sorted.
    #[must_use]
    pub fn origins(&self) -> [&str; 2] {
        [&self.first, &self.second]
    }

    /// The place of a bank in the pair; none if it is not of it.
    #[must_use]
    pub fn place(&self, origin: &str) -> Option<usize> {
        self.origins().iter().position(|it| *it == origin)
    }

    /// The other bank.
    #[must_use]
    pub fn peer_of(&self, own: &str) -> Option<&str> {
        self.place(own).map(|place| self.origins()[1 - place])
    }

    /// Which way a transfer goes in which the bank at `place` is `side`.
    #[must_use]
    pub const fn direction(place: usize, side: Side) -> Direction {
        match (place, side) {
            (0, Side::Origin) | (1, Side::Receiver) => Direction::Forth,
            _ => Direction::Back,
        }
    }
}

/// Which way a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Direction {
    /// The pair's first bank is the origin.
    Forth = 1,
    /// The pair's second bank is the origin.
    Back = 2,
}

impl Direction {
    /// Both, in the order of the format.
    pub const ALL: [Self; 2] = [Self::Forth, Self::Back];

    /// Reads the number of the format.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Forth),
            2 => Some(Self::Back),
            _ => None,
        }
    }

    /// The place of its origin in the pair; that of its receiver is the other.
    #[must_use]
    pub const fn origin(self) -> usize {
        self as usize - 1
    }

    /// The place of one of its sides in the pair.
    #[must_use]
    pub const fn place(self, side: Side) -> usize {
        match side {
            Side::Origin => self.origin(),
            Side::Receiver => 1 - self.origin(),
        }
    }

    /// What the bank at a place of the pair is in it.
    #[must_use]
    pub const fn side(self, place: usize) -> Side {
        match place == self.origin() {
            true => Side::Origin,
            false => Side::Receiver,
        }
    }
}
