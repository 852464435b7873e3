//! What a set has once: `[set]`, `[framework]`, `[abbreviations]`, `[process]`, `[calendar]`; and its small tables.

use creditbank_domain::Credit;
use creditbank_domain::calendar::Calendar;
use creditbank_domain::outcome::{LearningStage, SkillLevel};
use creditbank_domain::rules::{
    Agreement, Document, Framework, FrameworkLevel, Origin, Period, Process, Rounding,
    RoundingMode, Whole, Wording, names,
};

use super::table::{Table, Value};
use crate::finding::code;
use crate::words::words;

/// Most rows of a list of the framework, of abbreviations, of a calendar.
const ROWS_MAX: usize = 1_000;
/// Most parts of a whole.
const PARTS_MAX: usize = 256;
/// Most versions of an agreement.
const VERSIONS_MAX: usize = 64;
/// Most working days of a step.
const WORKING_DAYS_MAX: u32 = 366;
/// Fewest and most characters of a set's id.
const SET_ID_CHARS: std::ops::RangeInclusive<usize> = 3..=64;
/// Rounding modes, as they are written.
pub(crate) const ROUNDING_MODES: [(&str, RoundingMode); 3] = [
    ("floor", RoundingMode::Floor),
    ("half-up", RoundingMode::HalfUp),
    ("half-even", RoundingMode::HalfEven),
];

/// Who the set is.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) title: Wording,
    pub(crate) effective: Period,
    pub(crate) rounding: Rounding,
}

/// Reads `[document]` of the document `name`.
pub(crate) fn document(t: &Table<'_>, name: &str) -> Document {
    Document {
        name: name.to_owned(),
        title: t.must("title", Value::wording),
        source: t.or_default("source", Value::text),
        effective: t.or_default("effective", Value::period),
    }
}

/// Reads `[set]`.
pub(crate) fn head(t: &Table<'_>) -> Head {
    let id = t.must("id", |v| {
        let id = v.id()?;
        if SET_ID_CHARS.contains(&id.len()) && id.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Some(id);
        }
        let message = words!(
            "规则集标识以字母开头，3 至 64 字",
            "the id of a set begins with a letter and has 3 to 64 characters"
        );
        v.fault(code::ID, message)
    });
    Head {
        id,
        version: t.must("version", Value::version),
        title: t.must("title", Value::wording),
        effective: t.or_default("effective", Value::period),
        rounding: t.or_default("rounding", |v| v.table(rounding)),
    }
}

fn rounding(t: &Table<'_>) -> Rounding {
    let unit = t.need("unit", |v| {
        let unit = v.credit()?;
        if unit == Credit::ZERO {
            v.zero()
        } else {
            Some(unit)
        }
    });
    let default = Rounding::default();
    Rounding {
        unit: unit.unwrap_or(default.unit),
        mode: t
            .need("mode", |v| v.choice(&ROUNDING_MODES))
            .unwrap_or(default.mode),
    }
}

/// Reads `[framework]`.
pub(crate) fn framework(t: &Table<'_>) -> Framework {
    let levels = |v: &Value<'_>| {
        let rows = v.elements(10)?;
        let mut levels = Vec::new();
        for row in &rows {
            let Some((Some(level), title)) = row.table(|t| {
                (
                    t.need("level", Value::level),
                    t.must("title", Value::wording),
                )
            }) else {
                continue;
            };
            if levels.iter().any(|(known, _)| *known == level) {
                let level = level.number();
                let message = words!("等级 {level} 重复", "level {level} is there twice");
                row.fault::<()>(code::ID_REPEATED, message);
            }
            levels.push((level, title));
        }
        Some(levels)
    };
    Framework {
        levels: t.or_default("levels", levels),
        skills: t.or_default("skills", |v| {
            leveled(v, |key| {
                SkillLevel::ALL.iter().copied().find(|it| it.code() == key)
            })
        }),
        stages: t.or_default("stages", |v| {
            leveled(v, |key| {
                LearningStage::ALL
                    .iter()
                    .copied()
                    .find(|it| it.code() == key)
            })
        }),
        printed: t.or_default("printed", |v| leveled(v, |key| Some(names::key(key)))),
    }
}

/// A table of things and their levels.
fn leveled<T: PartialEq>(
    value: &Value<'_>,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Vec<(T, FrameworkLevel)>> {
    let mut rows = Vec::new();
    for pair in value.pairs()?.iter().take(ROWS_MAX) {
        let key = super::table::shorten(pair.key);
        let Some(thing) = parse(pair.key) else {
            let of = value.key;
            let message = words!("{of} 中没有 {key}", "{of} knows no {key}");
            pair.fault::<()>(code::CHOICE, message);
            continue;
        };
        let Some(level) = pair.level() else { continue };
        if rows.iter().any(|(known, _)| *known == thing) {
            let message = words!("{key} 重复", "{key} is there twice");
            pair.fault::<()>(code::ID_REPEATED, message);
        }
        rows.push((thing, level));
    }
    Some(rows)
}

/// Reads `[abbreviations]`.
pub(crate) fn abbreviations(t: &Table<'_>) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for pair in t.pairs().iter().take(ROWS_MAX) {
        let (short, Some(long)) = (names::key(pair.key), pair.name_key()) else {
            continue;
        };
        if short.is_empty() || rows.iter().any(|(known, _)| *known == short) {
            let key = super::table::shorten(pair.key);
            let message = words!(
                "简称 {key} 重复或为空",
                "the short name {key} is there twice, or empty"
            );
            pair.fault::<()>(code::ID_REPEATED, message);
        }
        rows.push((short, long));
    }
    rows
}

/// Reads `[process]`.
pub(crate) fn process(t: &Table<'_>) -> Process {
    let default = Process::default();
    let days = |key, least, default| {
        t.take(key, |v| v.whole(least, WORKING_DAYS_MAX))
            .and_then(|days| u16::try_from(days).ok())
            .unwrap_or(default)
    };
    let panel = |key, default| t.take(key, Value::byte).unwrap_or(default);
    Process {
        accept_days: days("accept_days", 1, default.accept_days),
        review_days: days("review_days", 1, default.review_days),
        notice_days: days("notice_days", 0, default.notice_days),
        appeal_days: days("appeal_days", 0, default.appeal_days),
        panel_catalogued: panel("panel_catalogued", default.panel_catalogued),
        panel_uncatalogued: panel("panel_uncatalogued", default.panel_uncatalogued),
        panel_standard: panel("panel_standard", default.panel_standard),
        clause: t.or_default("clause", Value::text),
    }
}

/// Reads `[calendar]`.
pub(crate) fn calendar(t: &Table<'_>) -> Calendar {
    let days = |key, is_weekend: bool| {
        let mut days = t.or_default(key, |v| {
            v.any_number(ROWS_MAX, |day| {
                let date = day.date()?;
                if (date.weekday().to_monday_one_offset() > 5) == is_weekend {
                    return Some(date);
                }
                let message = if is_weekend {
                    words!("{date} 不是周六或周日", "{date} is no Saturday or Sunday")
                } else {
                    words!(
                        "{date} 是周六或周日，本来就休息",
                        "{date} is a Saturday or Sunday, which is off anyway"
                    )
                };
                day.fault(code::DATE, message)
            })
        });
        days.sort_unstable();
        days
    };
    Calendar {
        holidays: days("holidays", false),
        workdays: days("workdays", true),
        covers_to: t.take("covers_to", Value::date),
    }
}

/// Reads an origin.
pub(crate) fn origin(t: &Table<'_>) -> Origin {
    Origin {
        id: t.must("id", Value::id),
        title: t.must("title", Value::wording),
        selector: t.must("select", Value::selector),
        place: t.place(),
    }
}

/// Reads a whole and its parts.
pub(crate) fn whole(t: &Table<'_>) -> Whole {
    let whole = t.must("whole", Value::name_key);
    let parts: Vec<String> = t.must("parts", |v| v.one_or_more(PARTS_MAX, Value::name_key));
    if parts.contains(&whole) {
        let message = words!("整体不能是自身的部分", "a whole is no part of itself");
        t.fault_at("parts", code::LIST, message);
    }
    Whole {
        whole,
        parts,
        clause: t.or_default("clause", Value::text),
        place: t.place(),
    }
}

/// Reads an agreement.
pub(crate) fn agreement(t: &Table<'_>) -> Agreement {
    let (from, to) = (
        t.must("from", Value::province),
        t.must("to", Value::province),
    );
    if from == to && !from.is_empty() {
        let message = words!(
            "协议两端同为 {from}",
            "both sides of the agreement are {from}"
        );
        t.fault_at("to", code::CHOICE, message);
    }
    Agreement {
        id: t.must("id", Value::id),
        title: t.must("title", Value::wording),
        from,
        to,
        mutual: t.or_default("mutual", Value::flag),
        categories: t.or_default("categories", |v| v.values(Value::category)),
        versions: t.must("versions", versions),
        clause: t.or_default("clause", Value::text),
        place: t.place(),
    }
}

/// Versions, whose periods do not overlap.
fn versions(value: &Value<'_>) -> Option<Vec<(String, Period)>> {
    let elements = value.elements(VERSIONS_MAX)?;
    let mut versions: Vec<(String, Period)> = Vec::new();
    for element in &elements {
        let Some((version, period)) =
            element.table(|t| (t.must("version", Value::version), t.period()))
        else {
            continue;
        };
        let clash =
            |(known, other): &&(String, Period)| *known == version || other.overlaps(&period);
        if let Some((other, _)) = versions.iter().find(clash) {
            let message = words!(
                "版本 {version} 与版本 {other} 同名或期间重叠",
                "version {version} has the name of version {other}, or days in common with it"
            );
            element.fault::<()>(code::ID_REPEATED, message);
        }
        versions.push((version, period));
    }
    if elements.is_empty() {
        let message = words!("协议没有版本", "the agreement has no version");
        return value.fault(code::LIST, message);
    }
    Some(versions)
}
