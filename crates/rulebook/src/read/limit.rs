//! `[[limit]]`.

use creditbank_domain::rules::{
    Base, Dimension, Excess, Limit, LimitScope, Maximum, Period, SubjectMatch,
};
use jiff::civil::Date;

use super::page::Kind;
use super::table::{Table, Value};
use crate::finding::code;
use crate::words::words;

/// Most dimensions of one limit.
const DIMENSIONS_MAX: usize = 8;
/// How a maximum may be written.
const MAXIMA: [&str; 5] = [
    "credits",
    "courses",
    "outcomes",
    "credit_share",
    "course_share",
];
/// What happens beyond a limit, as it is written.
pub(crate) const EXCESSES: [(&str, Excess); 2] =
    [("trim", Excess::Trim), ("refuse", Excess::Refuse)];
/// What a share is of, as it is written.
pub(crate) const BASES: [(&str, Base); 2] =
    [("programme", Base::Programme), ("scope", Base::Scope)];
/// How majors stand to each other, as it is written.
pub(crate) const SUBJECT_MATCHES: [(&str, SubjectMatch); 2] =
    [("same", SubjectMatch::Same), ("other", SubjectMatch::Other)];
/// A year in which every day exists, for the boundaries of years.
const COMMON_YEAR: i16 = 2001;

/// Reads a limit whose period is `default` unless it says its own.
pub(crate) fn limit(t: &Table<'_>, default: Period) -> Option<Limit> {
    let limit = Limit {
        id: t.must("id", Value::id),
        title: t.must("title", Value::wording),
        clause: t.or_default("clause", Value::text),
        effective: t.take("effective", Value::period).unwrap_or(default),
        scope: scope(t),
        per: t.or_default("per", |v| v.one_or_more(DIMENSIONS_MAX, dimension)),
        excess: t.or_default("excess", |v| v.choice(&EXCESSES)),
        place: t.place(),
        max: t.need("max", |v| v.table(maximum)?)?,
    };
    Some(limit)
}

fn scope(t: &Table<'_>) -> LimitScope {
    LimitScope {
        selector: t.or_default("select", Value::selector),
        subject: t.take("subject", |v| v.choice(&SUBJECT_MATCHES)),
        origins: t.or_default("origins", |v| v.values(|id| id.reference(Kind::Origin))),
        rules: t.or_default("rules", |v| v.values(|id| id.reference(Kind::Rule))),
        programmes: t.or_default("programmes", |v| {
            v.values(|id| id.reference(Kind::Programme))
        }),
        tags: t.or_default("tags", |v| v.values(Value::text)),
        except_course_kinds: t.or_default("except_courses", |v| v.values(Value::course_kind)),
        electives_only: t.or_default("electives_only", Value::flag),
    }
}

/// `"outcome"`, `"year:03-01"` …
fn dimension(value: &Value<'_>) -> Option<Dimension> {
    let words = [
        ("outcome", Dimension::Outcome),
        ("achievement", Dimension::Achievement),
        ("institution", Dimension::Institution),
        ("day", Dimension::Day),
        ("category", Dimension::Category),
        ("origin", Dimension::Origin),
    ];
    let text = value.raw_text("文本", "a text")?;
    let boundary = |prefix| text.strip_prefix(prefix).and_then(month_and_day);
    if let Some((month, day)) = boundary("year:") {
        return Some(Dimension::Year { month, day });
    }
    if let Some((month, day)) = boundary("semester:") {
        return Some(Dimension::Semester { month, day });
    }
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, dimension)| *dimension).or_else(|| {
        value.not_among(
            text,
            "outcome, achievement, institution, year:03-01, semester:03-01, day, category, origin",
        )
    })
}

/// A day of every year: 29 February is none.
fn month_and_day(text: &str) -> Option<(i8, i8)> {
    let day: Date = super::value::parse_date(&format!("{COMMON_YEAR}-{text}"))?;
    Some((day.month(), day.day()))
}

fn maximum(t: &Table<'_>) -> Option<Maximum> {
    let maxima = [
        t.take("credits", Value::credit).map(Maximum::Credits),
        t.take("courses", |v| v.short(0)).map(Maximum::Courses),
        t.take("outcomes", |v| v.short(0)).map(Maximum::Outcomes),
    ];
    let of = t.take("of", |v| v.choice(&BASES));
    let credit_share = t.take("credit_share", Value::share);
    let course_share = t.take("course_share", Value::share);
    if !MAXIMA.iter().any(|key| t.has(key)) {
        let keys = MAXIMA.join(", ");
        let message = words!("max 缺少其中一项：{keys}", "max needs one of: {keys}");
        t.fault(code::KEY_MISSING, message);
    }
    t.conflict(&MAXIMA);
    let is_share = t.has("credit_share") || t.has("course_share");
    if is_share && !t.has("of") {
        t.missing("of");
    }
    if t.has("of") && !is_share {
        let message = words!(
            "of 只与 credit_share 或 course_share 同用",
            "of goes with credit_share or course_share only"
        );
        t.fault_at("of", code::KEY_CONFLICT, message);
    }
    let of = of.unwrap_or(Base::Programme);
    let shares = [
        credit_share.map(|basis_points| Maximum::CreditShare { basis_points, of }),
        course_share.map(|basis_points| Maximum::CourseShare { basis_points, of }),
    ];
    maxima.into_iter().chain(shares).flatten().next()
}
