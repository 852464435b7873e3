//! `[[programme]]`: programmes with their modules and courses.

use std::collections::BTreeSet;

use creditbank_domain::Credit;
use creditbank_domain::rules::{
    Course, FrameworkLevel, Minimum, Module, ModuleKind, Period, Programme, names,
};

use super::rule::{COURSE_KINDS, PROGRAMME_KINDS};
use super::selector::VALUES_MAX;
use super::table::{Table, Value};
use crate::finding::code as codes;
use crate::words::words;

/// Most modules of a programme.
const MODULES_MAX: usize = 64;
/// Most minima of a programme.
const MINIMA_MAX: usize = 16;
/// Most courses of a module.
const COURSES_MAX: usize = 500;
/// Most characters of a course's code.
const CODE_CHARS_MAX: usize = 64;
/// Kinds of module, as they are written.
pub(crate) const MODULE_KINDS: [(&str, ModuleKind); 2] = [
    ("required", ModuleKind::Required),
    ("elective", ModuleKind::Elective),
];

/// Reads a programme whose period is open unless it says its own.
pub(crate) fn programme(t: &Table<'_>) -> Option<Programme> {
    let id = t.must("id", Value::id);
    let title = t.must("title", Value::wording);
    let institution = t.need("institution", Value::institution);
    let region = t.or_default("region", Value::province);
    let kind = t.need("kind", |v| v.choice(&PROGRAMME_KINDS));
    let level = t.need("level", Value::level);
    let subject = t.or_default("subject", Value::subject);
    let subject_names = t.or_default("subject_names", |v| v.values(Value::text));
    let total = t.must("total", Value::credit);
    let residency = t.or_default("residency", Value::credit);
    let at_level = t.take("at_level", |v| v.table(at_level)?);
    let minima = t.or_default("minimum", minima);
    let effective: Period = t.or_default("effective", Value::period);
    let clause = t.or_default("clause", Value::text);
    let modules: Vec<Module> = t.must("module", |v| {
        let elements = v.elements(MODULES_MAX)?;
        let mut known = Known::default();
        let read = |element: &Value<'_>| element.table(|t| module(t, &mut known))?;
        Some(elements.iter().filter_map(read).collect())
    });
    Some(Programme {
        id,
        title,
        institution: institution?,
        region,
        kind: kind?,
        level: level?,
        subject,
        subject_names,
        total,
        residency,
        at_level,
        minima,
        modules,
        effective,
        clause,
        place: t.place(),
    })
}

fn at_level(t: &Table<'_>) -> Option<(FrameworkLevel, Credit)> {
    let level = t.need("level", Value::level);
    let credits = t.must("credits", Value::credit);
    level.map(|level| (level, credits))
}

fn minima(value: &Value<'_>) -> Option<Vec<Minimum>> {
    let elements = value.elements(MINIMA_MAX)?;
    let mut known = BTreeSet::new();
    let read = |element: &Value<'_>| element.table(|t| minimum(t, &mut known));
    Some(elements.iter().filter_map(read).collect())
}

fn minimum(t: &Table<'_>, known: &mut BTreeSet<String>) -> Minimum {
    let id = t.must("id", Value::id);
    if !id.is_empty() && !known.insert(id.clone()) {
        let message = words!("下限 {id} 重复", "minimum {id} is there twice");
        t.fault_at("id", codes::ID_REPEATED, message);
    }
    Minimum {
        id,
        title: t.must("title", Value::wording),
        selector: t.must("select", Value::selector),
        credits: t.must("credits", Value::credit),
    }
}

/// What the modules of a programme read so far have: rules find modules by id, courses by code or name.
#[derive(Default)]
struct Known {
    modules: BTreeSet<String>,
    courses: BTreeSet<String>,
}

fn module(t: &Table<'_>, known: &mut Known) -> Option<Module> {
    let id = t.must("id", Value::id);
    if !id.is_empty() && !known.modules.insert(id.clone()) {
        let message = words!("模块 {id} 重复", "module {id} is there twice");
        t.fault_at("id", codes::ID_REPEATED, message);
    }
    let title = t.must("title", Value::wording);
    let kind = t.need("kind", |v| v.choice(&MODULE_KINDS));
    let (min, max) = (t.must("min", Value::credit), t.take("max", Value::credit));
    if let Some(max) = max
        && max < min
    {
        let message = words!(
            "max {max} 小于 min {min}",
            "max {max} is less than min {min}"
        );
        t.fault_at("max", codes::AMOUNT, message);
    }
    let unassigned = t.or_default("unassigned", Value::flag);
    let courses = t.or_default("courses", |v| {
        let elements = v.elements(COURSES_MAX)?;
        let read = |element: &Value<'_>| element.table(|t| course(t, known));
        Some(elements.iter().filter_map(read).collect())
    });
    Some(Module {
        id,
        title,
        kind: kind?,
        min,
        max,
        unassigned,
        courses,
    })
}

/// No two courses have one code or one name, nor is the code of one the name of another.
fn course(t: &Table<'_>, known: &mut Known) -> Course {
    let (code, name) = (t.must("code", code_text), t.must("name", Value::text));
    let mut keys = vec![names::key(&code), names::key(&name)];
    keys.dedup();
    keys.retain(|key| !key.is_empty());
    if !keys.into_iter().all(|key| known.courses.insert(key)) {
        let message = words!(
            "课程 {code} {name} 的代码或名称与本计划另一门课程相同",
            "course {code} {name} has the code or name of another course of this programme"
        );
        t.fault(codes::ID_REPEATED, message);
    }
    Course {
        code,
        name,
        credits: t.must("credits", Value::credit),
        kind: t.or_default("kind", |v| v.choice(&COURSE_KINDS)),
        tags: t.or_default("tags", |v| v.any_number(VALUES_MAX, Value::text)),
    }
}

fn code_text(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.chars().count() <= CODE_CHARS_MAX {
        return Some(text);
    }
    let message = words!(
        "课程代码超过 {CODE_CHARS_MAX} 字",
        "a course's code has at most {CODE_CHARS_MAX} characters"
    );
    value.fault(codes::TEXT, message)
}
