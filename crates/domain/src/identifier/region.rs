//! Regions (行政区划, GB/T 2260): codes with the time in which they were valid.
//!
//! The four provinces of the Delta are known code by code, abolished ones included (`data/regions_yrd.csv`). The
//! table says in which editions of the standard a code stood. A code began at the first of them (open before the
//! first edition of 1980-12) and ended when the next edition came out without it. Of other provinces the first
//! two digits must exist and no more is asked.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::{Date, date};

use super::{digits, fold};
use crate::Refusal;

/// A region's code, six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(u32);

impl RegionCode {
    /// Parses a code that existed at some time.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let code = digits::<6>(&fold(text))? as u32;
        let province = Province::from_number(code / 10_000).map_err(|_| Refusal::RegionUnknown)?;
        if province.is_tabulated() && row(code).is_none() {
            return Err(Refusal::RegionUnknown);
        }
        Ok(Self(code))
    }

    /// Parses a code that existed at `on`.
    pub fn parse_at(text: &str, on: Date) -> Result<Self, Refusal> {
        let region = Self::parse(text)?;
        if region.exists_at(on) {
            Ok(region)
        } else {
            Err(Refusal::RegionNotValidThen)
        }
    }

    /// Whether the code existed then; true where we keep no table.
    #[must_use]
    pub fn exists_at(self, on: Date) -> bool {
        row(self.0).is_none_or(|row| row.from <= month_of(on) && month_of(on) < row.until)
    }

    /// Whether the code existed on some day from `since` on.
    #[must_use]
    pub fn exists_since(self, since: Date) -> bool {
        row(self.0).is_none_or(|row| month_of(since) < row.until)
    }

    /// The region's own name then (南汇区); none where it did not exist or we keep no table.
    #[must_use]
    pub fn name_at(self, on: Date) -> Option<&'static str> {
        row(self.0)
            .filter(|_| self.exists_at(on))
            .map(|row| row.name)
    }

    /// Its province.
    #[must_use]
    pub const fn province(self) -> Province {
        Province((self.0 / 10_000) as u8)
    }

    /// As a number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// A province, municipality, autonomous or special region: two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Province(u8);

/// The provinces by code.
const PROVINCES: [(u8, &str); 34] = [
    (11, "北京市"),
    (12, "天津市"),
    (13, "河北省"),
    (14, "山西省"),
    (15, "内蒙古自治区"),
    (21, "辽宁省"),
    (22, "吉林省"),
    (23, "黑龙江省"),
    (31, "上海市"),
    (32, "江苏省"),
    (33, "浙江省"),
    (34, "安徽省"),
    (35, "福建省"),
    (36, "江西省"),
    (37, "山东省"),
    (41, "河南省"),
    (42, "湖北省"),
    (43, "湖南省"),
    (44, "广东省"),
    (45, "广西壮族自治区"),
    (46, "海南省"),
    (50, "重庆市"),
    (51, "四川省"),
    (52, "贵州省"),
    (53, "云南省"),
    (54, "西藏自治区"),
    (61, "陕西省"),
    (62, "甘肃省"),
    (63, "青海省"),
    (64, "宁夏回族自治区"),
    (65, "新疆维吾尔自治区"),
    (71, "台湾省"),
    (81, "香港特别行政区"),
    (82, "澳门特别行政区"),
];

impl Province {
    /// Parses two digits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::from_number(digits::<2>(&fold(text))? as u32)
    }

    /// From its number.
    pub fn from_number(number: u32) -> Result<Self, Refusal> {
        let known = PROVINCES
            .iter()
            .find(|(code, _)| u32::from(*code) == number);
        known
            .map(|(code, _)| Self(*code))
            .ok_or(Refusal::RegionUnknown)
    }

    /// As a number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        PROVINCES
            .iter()
            .find(|(code, _)| *code == self.0)
            .map_or("", |(_, name)| name)
    }

    /// Whether it is none of Taiwan, Hong Kong and Macao.
    pub(super) const fn is_mainland(self) -> bool {
        self.0 < 70
    }

    /// Whether its regions are known code by code: the Delta.
    pub(super) const fn is_tabulated(self) -> bool {
        matches!(self.0, 31..=34)
    }
}

impl fmt::Display for Province {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// A code of the table and the months in which it stood, as `year * 100 + month`.
struct Row {
    code: u32,
    name: &'static str,
    /// First month.
    from: u32,
    /// First month no more.
    until: u32,
}

/// The first edition the table knows; what stood in it is older than any learner's record.
const FIRST_EDITION: u32 = 198_012;
/// Codes newer than the last dated edition carry no date in the table; they began after it.
const AFTER_LAST_EDITION: u32 = 201_905;
/// The districts of a city taken together (市辖区). Later lists leave these rows out, but the codes stand.
const URBAN: &str = "市辖区";
const LAST_EDITION_WITH_URBAN: u32 = 201_810;
const FOR_EVER: u32 = u32::MAX;

/// The rows by code.
static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = || {
        include_str!("../../data/regions_yrd.csv")
            .lines()
            .skip(1)
            .map(|line| line.split(','))
    };
    let month = |cell: Option<&str>| cell.and_then(|cell| cell.parse::<u32>().ok());
    let mut editions: Vec<u32> = lines()
        .flat_map(|cells| cells.skip(2).take(2))
        .filter_map(|c| month(Some(c)))
        .collect();
    editions.sort_unstable();
    editions.dedup();
    let edition_after = |last: u32| {
        editions
            .iter()
            .copied()
            .find(|edition| *edition > last)
            .unwrap_or(AFTER_LAST_EDITION)
    };
    let mut rows: Vec<Row> = lines()
        .map(|mut cells| {
            let code = month(cells.next()).expect("a code in every row of the region table");
            let name = cells
                .next()
                .expect("a name in every row of the region table");
            let first = month(cells.next()).unwrap_or(AFTER_LAST_EDITION);
            let last = month(cells.next());
            let current = cells.next() == Some("1")
                || (name == URBAN && last == Some(LAST_EDITION_WITH_URBAN));
            let from = if first == FIRST_EDITION { 0 } else { first };
            let until = if current {
                FOR_EVER
            } else {
                last.map_or(FOR_EVER, edition_after)
            };
            Row {
                code,
                name,
                from,
                until,
            }
        })
        .collect();
    rows.sort_unstable_by_key(|row| row.code);
    rows
});

fn row(code: u32) -> Option<&'static Row> {
    TABLE
        .binary_search_by_key(&code, |row| row.code)
        .ok()
        .map(|index| &TABLE[index])
}

fn month_of(day: Date) -> u32 {
    let day = day.max(date(0, 1, 1));
    u32::from(day.year().unsigned_abs()) * 100 + u32::from(day.month().unsigned_abs())
}
