//! `[[standard]]`, `[[earning]]` and `[[honour]]`.

use creditbank_domain::outcome::EvidenceKind;
use creditbank_domain::points::{EarningRule, Earns, Honour};
use creditbank_domain::rules::Period;
use creditbank_domain::standard::{Standard, WalkStandard};

use super::table::{Table, Value};
use crate::finding::code;
use crate::words::words;

/// Most characters of a version.
const VERSION_CHARS_MAX: usize = 32;
/// How points may be earned, as it is written.
const EARNS: [&str; 3] = ["per_hours", "per_attendance", "per_outcome"];
/// Most points at once.
const POINTS_MAX: u32 = 1_000_000;
/// Most months until points expire.
const MONTHS_MAX: u32 = 1_200;

impl Value<'_> {
    /// A version: `2026.1`.
    pub(crate) fn version(&self) -> Option<String> {
        let text = self.text()?;
        let is_version = text.len() <= VERSION_CHARS_MAX
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'-');
        if is_version {
            return Some(text);
        }
        let message = words!(
            "版本由字母、数字、点和连字符组成，如 \"2026.1\"，最长 {VERSION_CHARS_MAX} 字",
            "a version has letters, digits, dots and hyphens, such as \"2026.1\", at most {VERSION_CHARS_MAX}"
        );
        self.fault(code::ID, message)
    }

    fn points(&self) -> Option<u32> {
        self.whole(1, POINTS_MAX)
    }
}

/// Reads a unit standard whose period is `default` unless it says its own.
pub(crate) fn standard(t: &Table<'_>, default: Period) -> Standard {
    let standard = Standard {
        id: t.must("id", Value::id),
        version: t.must("version", Value::version),
        title: t.must("title", Value::wording),
        clause: t.or_default("clause", Value::text),
        categories: t.must("categories", |v| v.values(Value::category)),
        level: t.take("level", Value::level),
        effective: t.take("effective", Value::period).unwrap_or(default),
        catalogued: t.or_default("catalogued", Value::flag),
        min_hours: t.take("min_hours", Value::hours),
        max_hours: t.take("max_hours", Value::hours),
        min_attendance_bp: t.take("min_attendance", Value::share),
        deposit_within_years: t.take("deposit_within_years", Value::years),
        evidence: t.or_default("evidence", |v| {
            v.any_number(EvidenceKind::ALL.len(), |kind| {
                kind.coded(EvidenceKind::ALL, EvidenceKind::code)
            })
        }),
        two_attestors: t.or_default("two_attestors", Value::flag),
        pass_required: t.or_default("pass_required", Value::flag),
        walk: t.take("walk", |v| v.table(walk)),
        place: t.place(),
    };
    if let (Some(min), Some(max)) = (standard.min_hours, standard.max_hours)
        && max < min
    {
        let message = words!(
            "max_hours {max} 小于 min_hours {min}",
            "max_hours {max} is less than min_hours {min}"
        );
        t.fault_at("max_hours", code::AMOUNT, message);
    }
    standard
}

fn walk(t: &Table<'_>) -> WalkStandard {
    WalkStandard {
        min_points: t.must("min_points", |v| v.short(1)),
        window_days: t.must("window_days", |v| v.short(1)),
        min_gap_minutes: t.must("min_gap_minutes", |v| v.short(0)),
        hours: t.must("hours", Value::hours),
        day_hours_max: t.must("day_hours_max", Value::hours),
    }
}

/// Reads an earning rule whose period is `default` unless it says its own.
pub(crate) fn earning(t: &Table<'_>, default: Period) -> Option<EarningRule> {
    Some(EarningRule {
        id: t.must("id", Value::id),
        title: t.must("title", Value::wording),
        clause: t.or_default("clause", Value::text),
        effective: t.take("effective", Value::period).unwrap_or(default),
        selector: t.must("select", Value::selector),
        day_max: t.take("day_max", Value::points),
        expires_months: t
            .take("expires_months", |v| v.whole(1, MONTHS_MAX))
            .and_then(|months| u16::try_from(months).ok()),
        place: t.place(),
        earns: earns(t)?,
    })
}

fn earns(t: &Table<'_>) -> Option<Earns> {
    let earns = [
        t.take("per_hours", |v| v.table(per_hours)?),
        t.take("per_attendance", Value::points)
            .map(Earns::PerAttendance),
        t.take("per_outcome", Value::points).map(Earns::PerOutcome),
    ];
    if !EARNS.iter().any(|key| t.has(key)) {
        let keys = EARNS.join(", ");
        let message = words!("缺少其中一项：{keys}", "one of these is missing: {keys}");
        t.fault(code::KEY_MISSING, message);
    }
    t.conflict(&EARNS);
    earns.into_iter().flatten().next()
}

fn per_hours(t: &Table<'_>) -> Option<Earns> {
    let hours = t.need("hours", Value::divisor_hours);
    let points = t.need("points", Value::points);
    Some(Earns::PerHours {
        hours: hours?,
        points: points?,
    })
}

/// Reads an honour.
pub(crate) fn honour(t: &Table<'_>) -> Honour {
    Honour {
        id: t.must("id", Value::id),
        title: t.must("title", Value::wording),
        min_points: t.must("min_points", Value::points),
        clause: t.or_default("clause", Value::text),
        place: t.place(),
    }
}
