//! `[[rule]]`: what it needs and under which conditions. What it gives is read in `grant`.

use creditbank_domain::grade::{FiveLevel, Percentage, Scale};
use creditbank_domain::rules::{
    Conditions, CourseKind, DatedBy, Form, GradeFloor, LevelFloor, Period, ProgrammeKind, Review,
    Rule, SLOTS_MAX, Slot, Wording,
};
use toml::de::DeValue;

use super::form;
use super::page::Kind;
use super::table::{Table, Value};
use crate::finding::code;
use crate::words::words;

/// The forms as they are written.
pub(crate) const FORMS: [(&str, Form); 9] = [
    ("course-to-course", Form::CourseToCourse),
    ("certificate-to-courses", Form::CertificateToCourses),
    ("certificate-to-credits", Form::CertificateToCredits),
    ("one-to-many", Form::OneToMany),
    ("many-to-one", Form::ManyToOne),
    ("hours-to-credits", Form::HoursToCredits),
    ("unit-conversion", Form::UnitConversion),
    ("block-transfer", Form::BlockTransfer),
    ("no-credit", Form::NoCredit),
];
/// Which day decides, as it is written.
pub(crate) const DATED_BY: [(&str, DatedBy); 2] = [
    ("completion", DatedBy::Completion),
    ("application", DatedBy::Application),
];
/// Who decides, as it is written.
pub(crate) const REVIEWS: [(&str, Review); 3] = [
    ("none", Review::None),
    ("catalogued", Review::Catalogued),
    ("uncatalogued", Review::Uncatalogued),
];
/// Kinds of programme, as they are written.
pub(crate) const PROGRAMME_KINDS: [(&str, ProgrammeKind); 2] = [
    ("degree", ProgrammeKind::Degree),
    ("non-degree", ProgrammeKind::NonDegree),
];
/// Kinds of course, as they are written.
pub(crate) const COURSE_KINDS: [(&str, CourseKind); 3] = [
    ("theory", CourseKind::Theory),
    ("practice", CourseKind::Practice),
    ("thesis", CourseKind::Thesis),
];
/// Five levels, as they are written.
pub(crate) const FIVE_LEVELS: [(&str, FiveLevel); 5] = [
    ("excellent", FiveLevel::Excellent),
    ("good", FiveLevel::Good),
    ("medium", FiveLevel::Medium),
    ("pass", FiveLevel::Pass),
    ("fail", FiveLevel::Fail),
];
/// Most characters of a subject code's beginning.
const SUBJECT_CHARS_MAX: usize = 12;
/// Most years that anything is valid.
const YEARS_MAX: u32 = 100;

/// One of five levels as it is written.
pub(crate) fn five_level_code(level: FiveLevel) -> &'static str {
    let found = FIVE_LEVELS.iter().find(|(_, known)| *known == level);
    found.map_or("", |(code, _)| *code)
}

impl<'a> Value<'a> {
    /// A kind of course.
    pub(crate) fn course_kind(&self) -> Option<CourseKind> {
        self.choice(&COURSE_KINDS)
    }

    /// Years from 1.
    pub(crate) fn years(&self) -> Option<u16> {
        self.whole(1, YEARS_MAX)
            .and_then(|years| u16::try_from(years).ok())
    }

    /// The beginning of a subject code: letters and digits.
    pub(crate) fn subject(&self) -> Option<String> {
        let text = self.text()?;
        if text.len() <= SUBJECT_CHARS_MAX && text.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Some(text);
        }
        let message = words!(
            "专业代码只由字母和数字组成，如 \"0502\"",
            "a subject code has letters and digits only, such as \"0502\""
        );
        self.fault(code::TEXT, message)
    }

    /// Least grades by scheme, in the order they are written.
    pub(crate) fn floors(&self) -> Option<Vec<GradeFloor>> {
        let pairs = self.pairs()?;
        if pairs.is_empty() {
            let key = self.key;
            let message = words!("{key} 未写任何成绩", "{key} names no grade");
            return self.fault(code::LIST, message);
        }
        Some(pairs.iter().filter_map(floor).collect())
    }
}

/// A scheme and the least grade in it.
fn floor(pair: &Value<'_>) -> Option<GradeFloor> {
    let grade_words = (
        "该计分制内的成绩（带引号）",
        "a grade of that scheme, in quotes",
    );
    match pair.key {
        "percentage" => pair
            .parsed(Percentage::parse, grade_words)
            .map(GradeFloor::Percentage),
        "five-level" => pair.choice(&FIVE_LEVELS).map(GradeFloor::FiveLevel),
        "pass" => match pair.flag()? {
            true => Some(GradeFloor::Pass),
            false => {
                let message = words!(
                    "pass 只能写 true；不要求合格时请删去",
                    "pass can only be true; leave it out where none is asked"
                );
                pair.fault(code::CHOICE, message)
            }
        },
        id => {
            let Ok(scale) = Scale::parse(id) else {
                let scales: Vec<&str> = Scale::all().map(Scale::id).collect();
                let scales = scales.join(", ");
                let list = format!("percentage, five-level, pass, {scales}");
                return pair.not_among(id, &list);
            };
            let parse = |text: &str| creditbank_domain::grade::Points::parse(scale, text);
            pair.parsed(parse, grade_words)
                .map(|points| GradeFloor::Points(scale, points.hundredths()))
        }
    }
}

/// Reads a rule whose period is `default` unless it says its own.
pub(crate) fn rule(t: &Table<'_>, default: Period) -> Option<Rule> {
    let id = t.must("id", Value::id);
    let title = t.must("title", Value::wording);
    let clause = t.or_default("clause", Value::text);
    let form = t.need("form", |v| v.choice(&FORMS));
    let effective = t.take("effective", Value::period).unwrap_or(default);
    let dated_by = t.or_default("dated_by", |v| v.choice(&DATED_BY));
    let review = t.or_default("review", |v| v.choice(&REVIEWS));
    let exclusive = t.or_default("exclusive", Value::flag);
    let slots = slots(t);
    let need = need(t, slots.len());
    let conditions = t.or_default("when", |v| v.table(conditions));
    let (grant, grade) = super::grant::grant(t);
    let rule = Rule {
        id,
        title,
        clause,
        form: form?,
        effective,
        dated_by,
        review,
        slots,
        need,
        conditions,
        grant,
        grade,
        exclusive,
        place: t.place(),
    };
    form::check(t, &rule);
    Some(rule)
}

fn slots(t: &Table<'_>) -> Vec<Slot> {
    let single = t.take("select", Value::selector);
    let several = t.take("slot", |v| {
        let elements = v.elements(SLOTS_MAX)?;
        let slots = elements.iter().filter_map(|element| element.table(slot));
        Some(slots.collect::<Vec<_>>())
    });
    if t.conflict(&["select", "slot"]) {
        return several.unwrap_or_default();
    }
    if !t.has("select") && !t.has("slot") {
        t.missing("select");
    }
    let single = single.map(|selector| Slot {
        title: Wording::default(),
        selector,
        min_grade: Vec::new(),
    });
    single
        .into_iter()
        .chain(several.unwrap_or_default())
        .collect()
}

fn slot(t: &Table<'_>) -> Slot {
    Slot {
        title: t.or_default("title", Value::wording),
        selector: t.must("select", Value::selector),
        min_grade: t.or_default("min_grade", Value::floors),
    }
}

fn need(t: &Table<'_>, slots: usize) -> u8 {
    let all = u8::try_from(slots).unwrap_or(u8::MAX);
    let need = t.take("need", |v| {
        let need = v.byte()?;
        if need <= all {
            return Some(need);
        }
        let message = words!(
            "need = {need}，但规则只有 {all} 个来源",
            "need = {need}, but the rule has {all} slots only"
        );
        v.fault(code::NUMBER, message)
    });
    need.unwrap_or(all)
}

fn conditions(t: &Table<'_>) -> Conditions {
    Conditions {
        min_grade: t.or_default("min_grade", Value::floors),
        min_level: t.or_default("level", level),
        valid_years: t.take("valid_years", Value::years),
        completed: t.or_default("completed", Value::period),
        agreement: t.take("agreement", |v| v.reference(Kind::Agreement)),
        min_attendance_bp: t.take("min_attendance", Value::share),
        min_hours: t.take("min_hours", Value::hours),
        min_credits: t.take("min_credits", Value::credit),
        credits_not_below_target: t.or_default("credits_not_below_target", Value::flag),
        two_attestors: t.or_default("two_attestors", Value::flag),
        by_assessment: t.or_default("by_assessment", Value::flag),
        programmes: t.or_default("programmes", |v| {
            v.values(|id| id.reference(Kind::Programme))
        }),
        programme_kind: t.take("programme_kind", |v| v.choice(&PROGRAMME_KINDS)),
        except_subjects: t.or_default("except_subjects", |v| v.values(Value::subject)),
        except_course_kinds: t.or_default("except_courses", |v| v.values(Value::course_kind)),
        only_tags: t.or_default("only_tags", |v| v.values(Value::text)),
        required_only: t.or_default("required_only", Value::flag),
    }
}

/// A level, or the word `programme`.
fn level(value: &Value<'_>) -> Option<LevelFloor> {
    match value.node {
        DeValue::Integer(_) => value.level().map(LevelFloor::AtLeast),
        _ => value.choice(&[("programme", LevelFloor::Programme)]),
    }
}
