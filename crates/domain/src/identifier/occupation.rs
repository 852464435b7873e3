//! Occupations (职业分类大典 2022): `4-10-01-05`. Major groups and their parts are no occupations.

use std::fmt;
use std::sync::LazyLock;

use super::fold;
use crate::Refusal;

/// The code of one of the occupations of the 2022 classification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OccupationCode([u8; 4]);

impl OccupationCode {
    /// Parses `d-dd-dd-dd`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = fold(text);
        if text.is_empty() {
            return Err(Refusal::Missing);
        }
        let parts = split(&text).ok_or(Refusal::Malformed {
            expected: "D-DD-DD-DD",
        })?;
        row(parts)
            .map(|_| Self(parts))
            .ok_or(Refusal::OccupationUnknown)
    }

    /// Its name (养老护理员).
    #[must_use]
    pub fn name(self) -> &'static str {
        row(self.0).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for OccupationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, middle, minor, occupation] = self.0;
        write!(f, "{major}-{middle:02}-{minor:02}-{occupation:02}")
    }
}

/// The level of the table that holds occupations; 1 to 3 are groups.
const LEVEL_OF_OCCUPATIONS: &str = "4";

/// The occupations by code.
static TABLE: LazyLock<Vec<([u8; 4], &str)>> = LazyLock::new(|| {
    let mut rows: Vec<_> = include_str!("../../data/occupations_2022.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            let code = split(cells.next()?)?;
            let level = cells.next()?;
            (level == LEVEL_OF_OCCUPATIONS).then_some((code, cells.next()?))
        })
        .collect();
    rows.sort_unstable();
    rows
});

fn row(code: [u8; 4]) -> Option<&'static ([u8; 4], &'static str)> {
    TABLE
        .binary_search_by_key(&code, |(code, _)| *code)
        .ok()
        .map(|index| &TABLE[index])
}

fn split(text: &str) -> Option<[u8; 4]> {
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let part = parts.next()?;
        let is_number = part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        if is_number { part.parse().ok() } else { None }
    };
    let code = [next(1)?, next(2)?, next(2)?, next(2)?];
    parts.next().is_none().then_some(code)
}
