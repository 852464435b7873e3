//! What is shown of values: amounts, days, names of categories, grades.

use creditbank_domain::outcome::Category;
use creditbank_wire::Message as _;
use creditbank_wire::v1;
use jiff::Timestamp;
use jiff::tz::Offset;

use crate::words::Lang;

/// Hours ahead of UTC of the times that are shown.
const HOURS_AHEAD: i8 = 8;

/// Hundredths as a decimal: 2.5.
pub(crate) fn hundredths(amount: u64) -> String {
    match (amount / 100, amount % 100) {
        (whole, 0) => whole.to_string(),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}", part / 10),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

/// A moment at the time of China, to the minute.
pub(crate) fn moment(ms: u64) -> String {
    local(ms).map_or_else(
        || "?".to_owned(),
        |it| it.strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

/// The time of day of a moment at the time of China, to the second.
pub(crate) fn second(ms: u64) -> String {
    local(ms).map_or_else(|| "?".to_owned(), |it| it.strftime("%H:%M:%S").to_string())
}

/// The day of a moment at the time of China.
pub(crate) fn day(ms: u64) -> String {
    local(ms).map_or_else(|| "?".to_owned(), |it| it.date().to_string())
}

fn local(ms: u64) -> Option<jiff::civil::DateTime> {
    let moment = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    Some(Offset::constant(HOURS_AHEAD).to_datetime(moment))
}

/// A learner code in groups of four, as it is read aloud.
pub(crate) fn learner_code(code: &str) -> String {
    let digits: Vec<char> = code.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|it| it.iter().collect()).collect();
    groups.join(" ")
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal digits of `N` bytes.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// The name of a category.
pub(crate) fn category(lang: Lang, number: i32) -> String {
    let known = u32::try_from(number).ok();
    match known.and_then(|it| Category::from_number(it).ok()) {
        Some(category) => lang
            .pick(category.label_zh(), category.label_en())
            .to_owned(),
        None => lang.pick("其他", "Other").to_owned(),
    }
}

/// The outcome that a payload shows, if any.
pub(crate) fn outcome(payload: &[u8]) -> Option<v1::Outcome> {
    let payload = v1::Payload::decode(payload).ok()?;
    match payload.content {
        Some(v1::payload::Content::Transferred(transferred)) => transferred.outcome,
        _ => payload.deposited_outcome(),
    }
}

/// The grade as a transcript prints it; empty where there is none.
pub(crate) fn grade(lang: Lang, grade: Option<&v1::Grade>) -> String {
    use v1::grade::Scheme;
    let Some(scheme) = grade.and_then(|it| it.scheme.as_ref()) else {
        return String::new();
    };
    match scheme {
        Scheme::PercentageHundredths(amount) => hundredths(u64::from(*amount)),
        Scheme::FiveLevel(level) => five_level(lang, *level).to_owned(),
        Scheme::PassFail(result) => match v1::PassFail::try_from(*result).unwrap_or_default() {
            v1::PassFail::Pass => lang.pick("合格", "pass").to_owned(),
            v1::PassFail::Fail => lang.pick("不合格", "fail").to_owned(),
            v1::PassFail::Unspecified => String::new(),
        },
        Scheme::Points(points) => {
            format!(
                "{} ({})",
                hundredths(u64::from(points.points_hundredths)),
                points.scale
            )
        }
    }
}

fn five_level(lang: Lang, level: i32) -> &'static str {
    match v1::FiveLevel::try_from(level).unwrap_or_default() {
        v1::FiveLevel::Excellent => lang.pick("优秀", "excellent"),
        v1::FiveLevel::Good => lang.pick("良好", "good"),
        v1::FiveLevel::Medium => lang.pick("中等", "medium"),
        v1::FiveLevel::Pass => lang.pick("及格", "pass"),
        v1::FiveLevel::Fail => lang.pick("不及格", "fail"),
        v1::FiveLevel::Unspecified => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_people_write_them() {
        assert_eq!(
            [250, 1, 70, 300].map(hundredths),
            ["2.5", "0.01", "0.7", "3"]
        );
        assert_eq!(moment(1_782_867_600_000), "2026-07-01 09:00");
        assert_eq!(second(1_782_867_661_000), "09:01:01");
        assert_eq!(day(1_782_867_600_000), "2026-07-01");
        assert_eq!(learner_code("1234567812345678"), "1234 5678 1234 5678");
        assert_eq!(from_hex::<2>("0aff"), Some([10, 255]));
        assert_eq!(from_hex::<2>("0af"), None);
        assert_eq!(from_hex::<2>("+aff"), None);
    }
}
