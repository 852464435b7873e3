//! Statistics (统计): figures folded from archives, exact, and tables that can be published without naming anybody.
//!
//! A figure belongs to a [`Cell`]: a year, a subject, a table and the values of its dimensions. [`figures`] says what one
//! archive adds to which cells, as of a size of the log; the figures of a bank are the sum over all archives. So a late,
//! amended or revoked record changes them by what its archive adds afterwards less what it added before, and nothing of an
//! archive has to be kept beside it. A [`Yearbook`] is one year of them, with small cells suppressed.
//!
//! Learners (人数) are distinct in every cell; attendances (人次) are records. A district is that of the institution: where
//! somebody lives is in no record.

mod cell;
mod fold;
mod grid;
mod label;
mod lines;
mod person;
mod suppress;
mod yearbook;

pub use self::cell::{
    Amounts, Cell, Cells, Dimension, MEASURES, SUMS, Subject, Sums, Table, amounts_of,
    is_dominated, square,
};
pub use self::fold::{Content, Fact, History, Merged, figures};
pub use self::lines::{ABOUT, COLUMNS, Line, Lines, PARTICIPATION};
pub use self::person::{AgeBand, Person, Sex};
pub use self::suppress::{Hidden, SMALL, suppressed};
pub use self::yearbook::{DecisionDays, Participation, Population, ROWS_MAX, Row, Yearbook};
