//! What a limit counts separately: the group of an outcome under the dimensions of the limit.

use jiff::civil::Date;

use super::super::limit::Dimension;
use super::context::Context;

/// Most dimensions of a limit: there are no more kinds of them.
const DIMENSIONS_MAX: usize = 8;
/// About as long as one part of a name is.
const PART_BYTES: usize = 12;

/// The group of an outcome in numbers that mean the same throughout one case: compared often, named rarely.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key([i64; DIMENSIONS_MAX]);

impl PartialEq for Key {
    /// Keys of one limit mostly differ in the first number, or are one.
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one == other)
    }
}

/// The group of an outcome, by its place in the archive, under the dimensions of a limit.
pub(super) fn key(context: &Context<'_>, per: &[Dimension], at: usize) -> Key {
    let entry = &context.archive[at];
    let completed = entry.outcome.completed_on;
    let mut key = Key::default();
    for (number, dimension) in key.0.iter_mut().zip(per) {
        *number = match *dimension {
            Dimension::Outcome => at as i64,
            Dimension::Achievement => first_of_name(context, at) as i64,
            Dimension::Institution => context.issuers[at] as i64,
            Dimension::Category => entry.outcome.category() as i64,
            Dimension::Day => month_and_day(completed),
            Dimension::Year { month, day } => begin(completed, (month, day), 12).into(),
            Dimension::Semester { month, day } => begin(completed, (month, day), 6).into(),
            Dimension::Origin => entry.origin().map_or(-1, |origin| origin as i64),
        };
    }
    key
}

/// The group as decisions record it: one part a dimension, such as `shou/2025-03-01`; empty where there is no
/// dimension. A year or half-year is named by the day on which it begins.
pub(super) fn name(context: &Context<'_>, per: &[Dimension], at: usize) -> String {
    let entry = &context.archive[at];
    let completed = entry.outcome.completed_on;
    let mut name = String::with_capacity(per.len() * PART_BYTES);
    for dimension in per.iter().take(DIMENSIONS_MAX) {
        if !name.is_empty() {
            name.push('/');
        }
        match *dimension {
            Dimension::Outcome => number(&mut name, entry.held.leaf.0, 1),
            Dimension::Achievement => name.push_str(&entry.name),
            Dimension::Institution => name.push_str(entry.held.issuer.as_str()),
            Dimension::Category => name.push_str(entry.outcome.category().code()),
            Dimension::Day => {
                let (year, month) = (completed.year().into(), completed.month().into());
                write_day(&mut name, year, month, completed.day());
            }
            Dimension::Year { month, day } => write_begin(&mut name, completed, (month, day), 12),
            Dimension::Semester { month, day } => {
                write_begin(&mut name, completed, (month, day), 6)
            }
            Dimension::Origin => {
                let origin = entry.origin().map(|at| &context.set.set().origins[at]);
                name.push_str(origin.map_or("-", |origin| origin.id.as_str()));
            }
        }
    }
    name
}

/// The first outcome of the archive with the same name.
fn first_of_name(context: &Context<'_>, at: usize) -> usize {
    let name = &context.archive[at].name;
    let mut names = context.archive[..at].iter().map(|entry| &entry.name);
    names.position(|it| it == name).unwrap_or(at)
}

fn month_and_day(day: Date) -> i64 {
    (i64::from(day.year()) * 12 + i64::from(day.month())) * 32 + i64::from(day.day())
}

/// The month, counted from the year 0, in which the stretch of `months` begins that `on` lies in, where one begins on
/// `start` of each year.
fn begin(on: Date, start: (i8, i8), months: i32) -> i32 {
    let (month, day) = start;
    let counted = i32::from(on.year()) * 12 + i32::from(on.month()) - i32::from(month);
    // The month counts once its day has come.
    let passed = counted - i32::from(on.day() < day);
    passed.div_euclid(months) * months + i32::from(month) - 1
}

fn write_begin(name: &mut String, on: Date, start: (i8, i8), months: i32) {
    let first = begin(on, start, months);
    write_day(
        name,
        first.div_euclid(12),
        first.rem_euclid(12) + 1,
        start.1,
    );
}

fn write_day(group: &mut String, year: i32, month: i32, day: i8) {
    // Outcomes are younger than the republic; years before our era are none of them.
    number(group, year.unsigned_abs().into(), 4);
    group.push('-');
    number(group, month.unsigned_abs().into(), 2);
    group.push('-');
    number(group, day.unsigned_abs().into(), 2);
}

/// Writes a number with at least so many digits.
fn number(text: &mut String, mut value: u64, digits: usize) {
    let mut written = [b'0'; 20];
    let mut first = written.len();
    while value > 0 || written.len() - first < digits {
        first -= 1;
        written[first] += (value % 10) as u8;
        value /= 10;
    }
    text.extend(written[first..].iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::write_begin;

    #[test]
    fn a_year_begins_on_its_own_day() {
        let cases = [
            (date(2024, 2, 29), (3, 1), 12, "2023-03-01"),
            (date(2024, 3, 1), (3, 1), 12, "2024-03-01"),
            (date(2025, 2, 28), (3, 1), 12, "2024-03-01"),
            (date(2024, 8, 31), (3, 1), 6, "2024-03-01"),
            (date(2024, 9, 1), (3, 1), 6, "2024-09-01"),
            (date(2025, 1, 31), (3, 1), 6, "2024-09-01"),
            (date(2025, 1, 31), (9, 1), 6, "2024-09-01"),
            (date(2025, 3, 1), (9, 1), 6, "2025-03-01"),
            (date(2025, 1, 1), (1, 1), 12, "2025-01-01"),
        ];
        for (on, start, months, expected) in cases {
            let mut group = String::new();
            write_begin(&mut group, on, start, months);
            assert_eq!(group, expected, "{on} from {start:?} by {months}");
        }
    }
}
