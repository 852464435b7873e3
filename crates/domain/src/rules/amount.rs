//! Exact amounts of credit: fractions of hundredths, rounded once, at the end.

use super::set::{Rounding, RoundingMode};
use crate::Credit;

/// An exact amount in hundredths of a credit. It holds what 256 outcomes of the largest amounts make, so that no
/// arithmetic of rules overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    /// Over …
    pub(super) numerator: u64,
    /// … never zero.
    pub(super) denominator: u64,
}

impl Exact {
    /// A whole number of hundredths.
    pub(super) const fn whole(hundredths: u64) -> Self {
        Self {
            numerator: hundredths,
            denominator: 1,
        }
    }

    /// A fraction; nothing where the denominator is zero.
    pub(super) const fn fraction(numerator: u64, denominator: u64) -> Self {
        if denominator == 0 {
            return Self::whole(0);
        }
        Self {
            numerator,
            denominator,
        }
    }

    /// What of it is whole.
    pub(super) const fn floor(self) -> u64 {
        self.numerator / self.denominator
    }

    /// The least whole amount that it fits in.
    pub(super) const fn ceil(self) -> u64 {
        self.numerator.div_ceil(self.denominator)
    }

    /// Whether it is nothing.
    pub(super) const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// It, or `limit` if that is less.
    pub(super) fn at_most(self, limit: u64) -> Self {
        if self.ceil() > limit {
            Self::whole(limit)
        } else {
            self
        }
    }

    /// What is left of it without a whole amount.
    pub(super) fn without(self, hundredths: u64) -> Self {
        let less = u128::from(hundredths) * u128::from(self.denominator);
        let left = u128::from(self.numerator).saturating_sub(less);
        Self {
            numerator: left as u64,
            denominator: self.denominator,
        }
    }

    /// The multiple of the unit that it becomes, never above `limit`.
    pub(super) fn rounded(self, rounding: Rounding, limit: u64) -> Credit {
        let unit = u64::from(rounding.unit.hundredths().max(1));
        let step = u128::from(unit) * u128::from(self.denominator);
        let exact = u128::from(self.numerator);
        let (below, rest) = (exact / step, exact % step);
        let up = match rounding.mode {
            RoundingMode::Floor => false,
            RoundingMode::HalfUp => rest * 2 >= step,
            RoundingMode::HalfEven => rest * 2 > step || (rest * 2 == step && below % 2 == 1),
        };
        let multiple = below + u128::from(up);
        let most = limit.min(u32::MAX.into()) / unit;
        let multiple = multiple.min(u128::from(most)) as u64;
        Credit::from_hundredths((multiple * unit) as u32)
    }
}
