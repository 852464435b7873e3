//! Cells: where a figure belongs, and sums of figures by cell.

use std::collections::BTreeMap;

/// Figures of a cell, in the order of [`Subject::measures`]; the first counts distinct learners.
pub const MEASURES: usize = 5;

/// The figures of one cell. Counts, hundredths of hours and credits, or points.
pub type Amounts = [i64; MEASURES];

/// Numbers that are kept of a cell.
pub const SUMS: usize = 3 * MEASURES;

/// What is kept of a cell: its figures, then how many learners are behind each of them, then the sums over learners of the
/// squares of each. The first count has the place of that of all learners and says how many are behind what
/// [`Subject::remainder`] leaves; the first sum of squares is 0.
pub type Sums = [i64; SUMS];

/// What one learner brings to a figure counts in squares up to here: ten thousand hours or credits.
const SQUARED_MAX: i64 = 1_000_000;

/// The square of what one learner brings to a figure.
#[must_use]
pub fn square(amount: i64) -> i64 {
    amount.clamp(0, SQUARED_MAX).pow(2)
}

/// Whether one learner has most of a figure: more than half for sure, and whoever has seven tenths is found.
#[must_use]
pub fn is_dominated(sums: &Sums, measure: usize) -> bool {
    let (amount, squares) = (sums[measure], sums[2 * MEASURES + measure]);
    2 * i128::from(squares) > i128::from(amount).pow(2)
}

/// What figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Outcomes: learners, attendances, completions, hours, credits (in hundredths).
    Learning = 1,
    /// Recognition: learners concerned, applications, decisions, conversions, appeals.
    Recognition = 2,
    /// Points: learners concerned, movements, earned, redeemed, expired or taken back.
    Points = 3,
}

impl Subject {
    /// All, by number.
    pub const ALL: [Self; 3] = [Self::Learning, Self::Recognition, Self::Points];

    /// The figure that is a part of the one before it, so that both tell what is left: outcomes that were not completed,
    /// decisions that granted nothing.
    #[must_use]
    pub const fn remainder(self) -> Option<usize> {
        match self {
            Self::Learning => Some(2),
            Self::Recognition => Some(3),
            Self::Points => None,
        }
    }

    /// The tables that are published of it.
    #[must_use]
    pub const fn tables(self) -> &'static [Table] {
        match self {
            Self::Learning => &[
                Table::Total,
                Table::Month,
                Table::Category,
                Table::District,
                Table::Institution,
                Table::Age,
                Table::Sex,
                Table::Tenure,
                Table::MonthCategory,
                Table::CategoryDistrict,
                Table::CategoryAge,
                Table::AgeSex,
            ],
            Self::Recognition | Self::Points => {
                &[Table::Total, Table::Month, Table::Age, Table::Sex]
            }
        }
    }
}

/// A dimension of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// 1 to 12.
    Month,
    /// The number of a category.
    Category,
    /// The code of a district, 0 where the institution has none.
    District,
    /// The number of an institution.
    Institution,
    /// The number of an [`AgeBand`](super::AgeBand).
    Age,
    /// The number of a [`Sex`](super::Sex).
    Sex,
    /// 1: the year of the learner's first outcome; 2: a later one.
    Tenure,
    /// Days from application to decision.
    Days,
}

/// A table: which dimensions its cells have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// The year as a whole.
    Total = 1,
    /// By month of completion.
    Month = 2,
    /// By category.
    Category = 3,
    /// By district of the institution.
    District = 4,
    /// By institution, under its district.
    Institution = 5,
    /// By age band.
    Age = 6,
    /// By sex.
    Sex = 7,
    /// New and returning learners.
    Tenure = 8,
    /// Month by category.
    MonthCategory = 9,
    /// Category by district.
    CategoryDistrict = 10,
    /// Category by age band.
    CategoryAge = 11,
    /// Age band by sex.
    AgeSex = 12,
    /// Decisions by the days that they took: never published as it is.
    Days = 13,
}

impl Table {
    /// All, by number.
    pub const ALL: [Self; 13] = [
        Self::Total,
        Self::Month,
        Self::Category,
        Self::District,
        Self::Institution,
        Self::Age,
        Self::Sex,
        Self::Tenure,
        Self::MonthCategory,
        Self::CategoryDistrict,
        Self::CategoryAge,
        Self::AgeSex,
        Self::Days,
    ];

    /// Its dimensions.
    #[must_use]
    pub const fn dimensions(self) -> &'static [Dimension] {
        use Dimension as D;
        match self {
            Self::Total => &[],
            Self::Month => &[D::Month],
            Self::Category => &[D::Category],
            Self::District => &[D::District],
            Self::Institution => &[D::District, D::Institution],
            Self::Age => &[D::Age],
            Self::Sex => &[D::Sex],
            Self::Tenure => &[D::Tenure],
            Self::MonthCategory => &[D::Month, D::Category],
            Self::CategoryDistrict => &[D::Category, D::District],
            Self::CategoryAge => &[D::Category, D::Age],
            Self::AgeSex => &[D::Age, D::Sex],
            Self::Days => &[D::Days],
        }
    }

    /// The name, stable: `category-district`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Month => "month",
            Self::Category => "category",
            Self::District => "district",
            Self::Institution => "institution",
            Self::Age => "age",
            Self::Sex => "sex",
            Self::Tenure => "tenure",
            Self::MonthCategory => "month-category",
            Self::CategoryDistrict => "category-district",
            Self::CategoryAge => "category-age",
            Self::AgeSex => "age-sex",
            Self::Days => "days",
        }
    }
}

/// Where a figure belongs. Cells sort by year, subject, table and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Calendar year of completion, decision or entry.
    pub year: u16,
    /// What it is about.
    pub subject: Subject,
    /// Which table.
    pub table: Table,
    /// Value of the first dimension; 0 where there is none.
    pub a: u32,
    /// Value of the second; 0 where there is none.
    pub b: u32,
}

/// Bytes of a cell.
const CELL_BYTES: usize = 12;

impl Cell {
    /// Its bytes, which sort as cells do.
    #[must_use]
    pub fn encode(&self) -> [u8; CELL_BYTES] {
        let mut bytes = [0; CELL_BYTES];
        bytes[..2].copy_from_slice(&self.year.to_be_bytes());
        bytes[2] = self.subject as u8;
        bytes[3] = self.table as u8;
        bytes[4..8].copy_from_slice(&self.a.to_be_bytes());
        bytes[8..].copy_from_slice(&self.b.to_be_bytes());
        bytes
    }

    /// Reads a cell.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; CELL_BYTES] = bytes.try_into().ok()?;
        let number = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
        Some(Self {
            year: u16::from_be_bytes([bytes[0], bytes[1]]),
            subject: *Subject::ALL.get(usize::from(bytes[2]).checked_sub(1)?)?,
            table: *Table::ALL.get(usize::from(bytes[3]).checked_sub(1)?)?,
            a: number(4),
            b: number(8),
        })
    }
}

/// Figures by cell. A cell of which every figure is zero is not there, so equal sums are equal maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells(BTreeMap<Cell, Sums>);

impl Cells {
    /// Adds to a cell.
    pub fn add(&mut self, cell: Cell, sums: &Sums) {
        let there = self.0.entry(cell).or_default();
        for (sum, more) in there.iter_mut().zip(sums) {
            *sum += more;
        }
        if *there == Sums::default() {
            self.0.remove(&cell);
        }
    }

    /// Adds all of `other`.
    pub fn add_all(&mut self, other: &Self) {
        for (cell, sums) in &other.0 {
            self.add(*cell, sums);
        }
    }

    /// Takes all of `other` away.
    pub fn subtract_all(&mut self, other: &Self) {
        for (cell, sums) in &other.0 {
            self.add(*cell, &sums.map(|sum| -sum));
        }
    }

    /// The figures of one cell, zero where there are none.
    #[must_use]
    pub fn amounts(&self, cell: &Cell) -> Amounts {
        amounts_of(&self.sums(cell))
    }

    /// All that is kept of one cell, zero where there is nothing.
    #[must_use]
    pub fn sums(&self, cell: &Cell) -> Sums {
        self.0.get(cell).copied().unwrap_or_default()
    }

    /// All cells, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Cell, &Sums)> {
        self.0.iter()
    }

    /// How many cells there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether every figure is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The figures of a cell.
#[must_use]
pub fn amounts_of(sums: &Sums) -> Amounts {
    std::array::from_fn(|at| sums[at])
}

impl FromIterator<(Cell, Sums)> for Cells {
    fn from_iter<I: IntoIterator<Item = (Cell, Sums)>>(rows: I) -> Self {
        let mut cells = Self::default();
        for (cell, sums) in rows {
            cells.add(cell, &sums);
        }
        cells
    }
}
