//! Months of China.

use creditbank_domain::Refusal;
use creditbank_domain::reconcile::Period;
use jiff::civil::date;

use crate::fixture::*;

#[test]
fn a_period_is_a_month_from_midnight_to_midnight_in_china() {
    let november = period(NOVEMBER);
    // 2026-11-01T00:00+08:00 and 2026-12-01T00:00+08:00.
    assert_eq!(november.start_ms(), 1_793_462_400_000);
    assert_eq!(november.cut_ms(), 1_796_054_400_000);
    let cases = [
        (november.start_ms() - 1, "2026-10"),
        (november.start_ms(), "2026-11"),
        (november.cut_ms() - 1, "2026-11"),
        (november.cut_ms(), "2026-12"),
    ];
    for (at_ms, expected) in cases {
        assert_eq!(Period::of(at_ms).expect("a month").to_string(), expected);
        assert_eq!(november.contains(at_ms), expected == NOVEMBER, "{at_ms}");
    }
}

#[test]
fn periods_follow_each_other_over_new_year_and_leap_day() {
    let mut month = period("2027-12");
    assert_eq!(month.next(), period("2028-01"));
    assert_eq!(month.next().previous(), month);
    let mut days = Vec::new();
    for _ in 0..3 {
        days.push((month.cut_ms() - month.start_ms()) / 86_400_000);
        assert_eq!(month.cut_ms(), month.next().start_ms());
        month = month.next();
    }
    assert_eq!(days, [31, 31, 29]);
    assert!(period("2028-02").contains(midnight(date(2028, 2, 29))));
    assert!(!period("2028-02").contains(midnight(date(2028, 3, 1))));
}

#[test]
fn a_period_is_written_in_one_way() {
    let malformed = Refusal::Malformed {
        expected: "YYYY-MM",
    };
    let cases = [
        ("2026-11", Ok("2026-11")),
        ("2026-1", Err(malformed)),
        ("2026-011", Err(malformed)),
        ("2026/11", Err(malformed)),
        ("+026-11", Err(malformed)),
        ("2026-11-01", Err(malformed)),
        ("", Err(malformed)),
        ("2026-13", Err(Refusal::NotADate)),
        ("2026-00", Err(Refusal::NotADate)),
        ("1999-12", Err(Refusal::NotADate)),
        ("9999-01", Err(Refusal::NotADate)),
    ];
    for (text, expected) in cases {
        let parsed = Period::parse(text).map(|it| it.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text}");
    }
}
