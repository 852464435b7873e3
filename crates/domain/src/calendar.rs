//! Working days of the mainland: weekends, holidays (法定节假日) and shifted working days (调休上班) as data.
//!
//! The State Council publishes each year's shifts in the November before, so a calendar ends somewhere; days beyond it
//! are counted Monday to Friday, and a time limit that reaches them may move when the next notice is added.

use jiff::civil::{Date, Weekday};

/// A calendar; days outside what it covers are counted Monday to Friday.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days off that fall on Monday to Friday, ascending.
    pub holidays: Vec<Date>,
    /// Saturdays and Sundays that are worked, ascending.
    pub workdays: Vec<Date>,
    /// The last day that the notices cover.
    pub covers_to: Option<Date>,
}

impl Calendar {
    /// Whether `day` is worked. A holiday on a weekend and a working day on a weekday change nothing.
    #[must_use]
    pub fn is_workday(&self, day: Date) -> bool {
        if is_weekend(day) {
            self.workdays.binary_search(&day).is_ok()
        } else {
            self.holidays.binary_search(&day).is_err()
        }
    }

    /// The last day of a limit of `n` working days: the `n`-th working day after `from`. A limit of none ends on `from`
    /// itself if that is worked, else on the next working day. The end of time is a working day.
    #[must_use]
    pub fn add_workdays(&self, from: Date, n: u16) -> Date {
        let after = if n == 0 {
            from
        } else {
            from.saturating_add(jiff::Span::new().days(1))
        };
        let mut days = after.series(jiff::Span::new().days(1));
        days.by_ref()
            .filter(|day| self.is_workday(*day))
            .nth(usize::from(n.saturating_sub(1)))
            .unwrap_or(Date::MAX)
    }

    /// Working days after `from` up to `to`, both in any order of time: none if `to` is not later.
    #[must_use]
    pub fn workdays_between(&self, from: Date, to: Date) -> u32 {
        if to <= from {
            return 0;
        }
        let listed = |days: &[Date], on_weekend: bool| {
            let inside =
                days.partition_point(|day| *day <= from)..days.partition_point(|day| *day <= to);
            let shifted = days[inside]
                .iter()
                .filter(|day| is_weekend(**day) == on_weekend);
            shifted.count() as u32
        };
        let weekdays = weekdays_up_to(to) - weekdays_up_to(from);
        weekdays - listed(&self.holidays, false) + listed(&self.workdays, true)
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Mondays to Fridays from the week of the first day that there is up to `day`.
fn weekdays_up_to(day: Date) -> u32 {
    let before = Date::MIN.weekday().to_monday_zero_offset().cast_unsigned();
    let days = (day - Date::MIN).get_days().cast_unsigned() + u32::from(before);
    days / 7 * 5 + (days % 7 + 1).min(5)
}
