//! The period of reconciliation: a calendar month of China.

use std::fmt;

use jiff::civil::Date;

use crate::Refusal;

/// China Standard Time is eight hours ahead of UTC, the whole year.
const AHEAD_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);
const YEARS: std::ops::RangeInclusive<i16> = 2000..=9998;

/// A month. It begins at midnight of its first day in China Standard Time, and ends where the next one begins: the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i16,
    month: i8,
}

impl Period {
    /// A month of a year.
    pub fn new(year: i16, month: i8) -> Result<Self, Refusal> {
        match YEARS.contains(&year) && (1..=12).contains(&month) {
            true => Ok(Self { year, month }),
            false => Err(Refusal::NotADate),
        }
    }

    /// Parses `2026-11`, and nothing else.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let malformed = Refusal::Malformed {
            expected: "YYYY-MM",
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('-') {
            Some((year, month))
                if year.len() == 4 && month.len() == 2 && is_digits(year) && is_digits(month) =>
            {
                let year = year.parse().map_err(|_| malformed)?;
                Self::new(year, month.parse().map_err(|_| malformed)?)
            }
            _ => Err(malformed),
        }
    }

    /// The month that a moment lies in; milliseconds since the epoch.
    pub fn of(at_ms: u64) -> Result<Self, Refusal> {
        let local = i64::try_from(at_ms).map_err(|_| Refusal::NotADate)?;
        let days = (local + AHEAD_MS) / DAY_MS;
        let day = EPOCH.checked_add(
            jiff::Span::new()
                .try_days(days)
                .or(Err(Refusal::NotADate))?,
        );
        let day = day.map_err(|_| Refusal::NotADate)?;
        Self::new(day.year(), day.month())
    }

    /// When it begins: the first millisecond that is in it.
    #[must_use]
    pub fn start_ms(self) -> u64 {
        let first = jiff::civil::date(self.year, self.month, 1);
        let days = i64::from((first - EPOCH).get_days());
        (days * DAY_MS - AHEAD_MS).cast_unsigned()
    }

    /// When it ends: the first millisecond that is not in it any more (截止时刻).
    #[must_use]
    pub fn cut_ms(self) -> u64 {
        self.next().start_ms()
    }

    /// The month after it.
    #[must_use]
    pub const fn next(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                month: month + 1,
                ..self
            },
        }
    }

    /// The month before it.
    #[must_use]
    pub const fn previous(self) -> Self {
        match self.month {
            1 => Self {
                year: self.year - 1,
                month: 12,
            },
            month => Self {
                month: month - 1,
                ..self
            },
        }
    }

    /// Whether a moment lies in it.
    #[must_use]
    pub fn contains(self, at_ms: u64) -> bool {
        (self.start_ms()..self.cut_ms()).contains(&at_ms)
    }

    /// Year and month.
    #[must_use]
    pub const fn parts(self) -> (i16, i8) {
        (self.year, self.month)
    }
}

/// `2026-11`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
