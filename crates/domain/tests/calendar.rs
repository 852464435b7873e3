//! Working days against an independent calendar, and counting them against counting one by one.

use creditbank_domain::calendar::Calendar;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;

/// Days off that fall on Monday to Friday, by year: 国办发明电〔2021〕11号, 〔2022〕16号, 〔2023〕7号, 〔2024〕12号, 〔2025〕7号.
#[rustfmt::skip]
const HOLIDAYS: [(i16, &str); 5] = [
    (2022, "1-3 1-31 2-1 2-2 2-3 2-4 4-4 4-5 5-2 5-3 5-4 6-3 9-12 10-3 10-4 10-5 10-6 10-7"),
    (2023, "1-2 1-23 1-24 1-25 1-26 1-27 4-5 5-1 5-2 5-3 6-22 6-23 9-29 10-2 10-3 10-4 10-5 10-6"),
    (2024, "1-1 2-12 2-13 2-14 2-15 2-16 4-4 4-5 5-1 5-2 5-3 6-10 9-16 9-17 10-1 10-2 10-3 10-4 10-7"),
    (2025, "1-1 1-28 1-29 1-30 1-31 2-3 2-4 4-4 5-1 5-2 5-5 6-2 10-1 10-2 10-3 10-6 10-7 10-8"),
    (2026, "1-1 1-2 2-16 2-17 2-18 2-19 2-20 2-23 4-6 5-1 5-4 5-5 6-19 9-25 10-1 10-2 10-5 10-6 10-7"),
];

/// Saturdays and Sundays that are worked.
#[rustfmt::skip]
const WORKDAYS: [(i16, &str); 5] = [
    (2022, "1-29 1-30 4-2 4-24 5-7 10-8 10-9"),
    (2023, "1-28 1-29 4-23 5-6 6-25 10-7 10-8"),
    (2024, "2-4 2-18 4-7 4-28 5-11 9-14 9-29 10-12"),
    (2025, "1-26 2-8 4-27 9-28 10-11"),
    (2026, "1-4 2-14 2-28 5-9 9-20 10-10"),
];

/// Every day of every month from January 2022, worked (x) or not, as the package `chinesecalendar` 1.11 (MIT) says.
#[rustfmt::skip]
const ORACLE: [&str; 60] = [
    // 2022
    "...xxxx..xxxxx..xxxxx..xxxxxxx.",
    "......xxxxx..xxxxx..xxxxx..x",
    "xxxx..xxxxx..xxxxx..xxxxx..xxxx",
    "xx...xxx..xxxxx..xxxxx.xxxxxx.",
    "....xxx.xxxxx..xxxxx..xxxxx..xx",
    "xx...xxxxx..xxxxx..xxxxx..xxxx",
    "x..xxxxx..xxxxx..xxxxx..xxxxx..",
    "xxxxx..xxxxx..xxxxx..xxxxx..xxx",
    "xx..xxxxx...xxxx..xxxxx..xxxxx",
    ".......xxxxxxx..xxxxx..xxxxx..x",
    "xxxx..xxxxx..xxxxx..xxxxx..xxx",
    "xx..xxxxx..xxxxx..xxxxx..xxxxx.",
    // 2023
    "..xxxx..xxxxx..xxxxx.......xxxx",
    "xxx..xxxxx..xxxxx..xxxxx..xx",
    "xxx..xxxxx..xxxxx..xxxxx..xxxxx",
    "..xx.xx..xxxxx..xxxxx.xxxxxx..",
    "...xxx.xxxxx..xxxxx..xxxxx..xxx",
    "xx..xxxxx..xxxxx..xxx...xxxxxx",
    "..xxxxx..xxxxx..xxxxx..xxxxx..x",
    "xxxx..xxxxx..xxxxx..xxxxx..xxxx",
    "x..xxxxx..xxxxx..xxxxx..xxxx..",
    "......xxxxxxx..xxxxx..xxxxx..xx",
    "xxx..xxxxx..xxxxx..xxxxx..xxxx",
    "x..xxxxx..xxxxx..xxxxx..xxxxx..",
    // 2024
    ".xxxx..xxxxx..xxxxx..xxxxx..xxx",
    "xx.xxxxxx........xxxxxx..xxxx",
    "x..xxxxx..xxxxx..xxxxx..xxxxx..",
    "xxx...xxxxxx..xxxxx..xxxxx.xxx",
    ".....xxxxxx.xxxxx..xxxxx..xxxxx",
    "..xxxxx...xxxx..xxxxx..xxxxx..",
    "xxxxx..xxxxx..xxxxx..xxxxx..xxx",
    "xx..xxxxx..xxxxx..xxxxx..xxxxx.",
    ".xxxxx..xxxxxx...xxx..xxxxx.xx",
    ".......xxxxx.xxxxx..xxxxx..xxxx",
    "x..xxxxx..xxxxx..xxxxx..xxxxx.",
    ".xxxxx..xxxxx..xxxxx..xxxxx..xx",
    // 2025
    ".xx..xxxxx..xxxxx..xxxxx.xx....",
    "....xxxx.xxxxx..xxxxx..xxxxx",
    "..xxxxx..xxxxx..xxxxx..xxxxx..x",
    "xxx...xxxxx..xxxxx..xxxxx.xxxx",
    ".....xxxx..xxxxx..xxxxx..xxxxx.",
    "..xxxx..xxxxx..xxxxx..xxxxx..x",
    "xxxx..xxxxx..xxxxx..xxxxx..xxxx",
    "x..xxxxx..xxxxx..xxxxx..xxxxx..",
    "xxxxx..xxxxx..xxxxx..xxxxx.xxx",
    "........xxx.xxxxx..xxxxx..xxxxx",
    "..xxxxx..xxxxx..xxxxx..xxxxx..",
    "xxxxx..xxxxx..xxxxx..xxxxx..xxx",
    // 2026
    "...xxxxxx..xxxxx..xxxxx..xxxxx.",
    ".xxxxx..xxxxxx.........xxxxx",
    ".xxxxx..xxxxx..xxxxx..xxxxx..xx",
    "xxx...xxxx..xxxxx..xxxxx..xxxx",
    ".....xxxx.xxxxx..xxxxx..xxxxx..",
    "xxxxx..xxxxx..xxxx...xxxxx..xx",
    "xxx..xxxxx..xxxxx..xxxxx..xxxxx",
    "..xxxxx..xxxxx..xxxxx..xxxxx..x",
    "xxxx..xxxxx..xxxxx.xxxxx...xxx",
    ".......xxx.xxxxx..xxxxx..xxxxx.",
    ".xxxxx..xxxxx..xxxxx..xxxxx..x",
    "xxxx..xxxxx..xxxxx..xxxxx..xxxx",
];

fn days(table: &[(i16, &str)]) -> Vec<Date> {
    let of_year = |(year, days): &(i16, &str)| {
        let parse = |day: &str| -> Date {
            let (month, day) = day.split_once('-').expect("month-day");
            date(*year, month.parse().unwrap(), day.parse().unwrap())
        };
        days.split(' ').map(parse).collect::<Vec<_>>()
    };
    table.iter().flat_map(of_year).collect()
}

fn mainland() -> Calendar {
    Calendar {
        holidays: days(&HOLIDAYS),
        workdays: days(&WORKDAYS),
        covers_to: Some(date(2026, 12, 31)),
    }
}

#[test]
fn five_years_of_days_are_worked_as_the_notices_say() {
    let calendar = mainland();
    let mut day = date(2022, 1, 1);
    for expected in ORACLE.iter().flat_map(|month| month.chars()) {
        assert_eq!(calendar.is_workday(day), expected == 'x', "{day}");
        day = day.tomorrow().unwrap();
    }
    assert_eq!(day, date(2027, 1, 1));
}

#[test]
fn a_limit_ends_on_its_last_working_day() {
    let table = [
        // An ordinary week; the day itself does not count.
        (date(2025, 3, 3), 1, date(2025, 3, 4)),
        (date(2025, 3, 3), 5, date(2025, 3, 10)),
        (date(2025, 3, 8), 1, date(2025, 3, 10)),
        // None: the day itself, or the next that is worked.
        (date(2025, 3, 3), 0, date(2025, 3, 3)),
        (date(2025, 3, 8), 0, date(2025, 3, 10)),
        (date(2025, 2, 8), 0, date(2025, 2, 8)),
        // Over the Spring Festivals with their worked Sundays and Saturdays.
        (date(2024, 2, 9), 1, date(2024, 2, 18)),
        (date(2025, 1, 24), 5, date(2025, 2, 7)),
        (date(2025, 1, 27), 4, date(2025, 2, 8)),
        (date(2026, 2, 13), 5, date(2026, 2, 27)),
        (date(2026, 2, 13), 6, date(2026, 2, 28)),
        // Over National Day, and behind what the calendar covers.
        (date(2025, 9, 30), 15, date(2025, 10, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
    ];
    for (from, n, expected) in table {
        assert_eq!(mainland().add_workdays(from, n), expected, "{from} + {n}");
    }
}

#[test]
fn a_list_that_names_the_wrong_kind_of_day_changes_nothing() {
    let plain = Calendar::default();
    let odd = Calendar {
        holidays: vec![date(2025, 3, 8)],
        workdays: vec![date(2025, 3, 10)],
        covers_to: None,
    };
    for day in date(2025, 3, 3).series(1.day()).take(14) {
        assert_eq!(odd.is_workday(day), plain.is_workday(day), "{day}");
        let from = date(2025, 3, 1);
        assert_eq!(
            odd.workdays_between(from, day),
            plain.workdays_between(from, day),
            "{day}"
        );
    }
}

#[test]
fn time_ends_without_a_panic() {
    let calendar = mainland();
    assert_eq!(Date::MAX.weekday(), Weekday::Friday);
    assert_eq!(calendar.add_workdays(Date::MAX, 0), Date::MAX);
    assert_eq!(calendar.add_workdays(Date::MAX, 1), Date::MAX);
    assert_eq!(
        calendar.add_workdays(date(9999, 12, 1), u16::MAX),
        Date::MAX
    );
    assert_eq!(calendar.workdays_between(Date::MAX, Date::MIN), 0);
    let all = calendar.workdays_between(Date::MIN, Date::MAX);
    let weeks = (Date::MAX - Date::MIN).get_days().cast_unsigned() / 7;
    assert!((weeks * 5 - 100..=weeks * 5).contains(&all), "{all}");
}

proptest! {
    #[test]
    fn counting_at_once_is_counting_one_by_one(start in -800..2500_i32, length in 0..900_i32) {
        let calendar = mainland();
        let from = date(2022, 1, 1) + start.days();
        let to = from + length.days();
        let one_by_one = from.series(1.day()).skip(1).take(length as usize);
        let worked = one_by_one.filter(|day| calendar.is_workday(*day)).count();
        prop_assert_eq!(calendar.workdays_between(from, to), worked as u32);
    }

    #[test]
    fn the_end_of_a_limit_is_worked_and_as_far_as_it_says(start in -800..2500_i32, n in 1..400_u16) {
        let calendar = mainland();
        let from = date(2022, 1, 1) + start.days();
        let last = calendar.add_workdays(from, n);
        prop_assert!(calendar.is_workday(last));
        prop_assert_eq!(calendar.workdays_between(from, last), u32::from(n));
    }

    #[test]
    fn any_day_can_be_asked(day in -4_371_587..2_932_896_i32, n in any::<u16>()) {
        let calendar = mainland();
        let day = date(1970, 1, 1).saturating_add(day.days());
        let last = calendar.add_workdays(day, n % 64);
        prop_assert!(last >= day && (calendar.is_workday(last) || last == Date::MAX));
    }
}
