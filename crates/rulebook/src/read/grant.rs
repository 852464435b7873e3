//! What a rule gives: targets, amounts, what is left over, and the recorded grade.

use creditbank_domain::grade::Percentage;
use creditbank_domain::rules::{
    Amount, GradeFloor, GradeRecord, GradeRule, Grant, TARGETS_MAX, Target, TargetPlace, names,
};

use super::table::{Table, Value};
use crate::finding::code;
use crate::words::words;

/// Where credit may go, as it is written.
pub(crate) const PLACES: [&str; 5] = ["course", "same_course", "tagged", "electives", "module"];
/// How an amount may be written.
const AMOUNTS: [&str; 3] = ["credits", "per_hours", "ratio"];
/// Most rows of a table of grades.
const GRADE_ROWS_MAX: usize = 64;

/// Reads `grant`, `pick`, `remainder`, `not_above_source` and `grade` of a rule.
pub(crate) fn grant(t: &Table<'_>) -> (Grant, GradeRule) {
    let targets: Vec<Target> = t.or_default("grant", |v| {
        let elements = v.elements(TARGETS_MAX)?;
        let targets = elements.iter().filter_map(|element| element.table(target)?);
        Some(targets.collect())
    });
    let all = u8::try_from(targets.len()).unwrap_or(u8::MAX);
    let grant = Grant {
        pick: t.take("pick", |v| pick(v, all)).unwrap_or(all),
        remainder_to_electives: t.or_default("remainder", |v| {
            v.choice(&[("none", false), ("electives", true)])
        }),
        not_above_source: t.or_default("not_above_source", Value::flag),
        targets,
    };
    (grant, t.or_default("grade", |v| v.table(grade)))
}

fn pick(value: &Value<'_>, all: u8) -> Option<u8> {
    let pick = value.byte()?;
    if pick <= all {
        return Some(pick);
    }
    let message = words!(
        "pick = {pick}，但 grant 只有 {all} 个去向",
        "pick = {pick}, but grant has {all} targets only"
    );
    value.fault(code::NUMBER, message)
}

fn target(t: &Table<'_>) -> Option<Target> {
    let to = place(t);
    let amount = amount(t, to.as_ref());
    Some(Target {
        to: to?,
        amount: amount?,
    })
}

fn place(t: &Table<'_>) -> Option<TargetPlace> {
    let places = [
        t.take("course", Value::text)
            .map(|course| TargetPlace::Course(names::key(&course))),
        t.take("same_course", only_true)
            .map(|()| TargetPlace::SameCourse),
        t.take("tagged", Value::text).map(TargetPlace::Tagged),
        t.take("electives", only_true)
            .map(|()| TargetPlace::Electives),
        t.take("module", Value::id).map(TargetPlace::Module),
    ];
    if !PLACES.iter().any(|key| t.has(key)) {
        let keys = PLACES.join(", ");
        let message = words!(
            "去向缺少其中一项：{keys}",
            "the target needs one of: {keys}"
        );
        t.fault(code::KEY_MISSING, message);
    }
    t.conflict(&PLACES);
    places.into_iter().flatten().next()
}

/// `true`, which says that the key is meant.
fn only_true(value: &Value<'_>) -> Option<()> {
    if value.flag()? {
        return Some(());
    }
    let key = value.key;
    let message = words!(
        "{key} 只能写 true；不用时请删去",
        "{key} can only be true; leave it out where it is not meant"
    );
    value.fault(code::CHOICE, message)
}

/// The amount: without any key that of the target course, where the target is one.
fn amount(t: &Table<'_>, to: Option<&TargetPlace>) -> Option<Amount> {
    let amounts = [
        t.take("credits", credits),
        t.take("per_hours", Value::divisor_hours)
            .map(Amount::PerHours),
        t.take("ratio", ratio),
    ];
    t.conflict(&AMOUNTS);
    let amount = amounts.into_iter().flatten().next();
    let is_stated = AMOUNTS.iter().any(|key| t.has(key));
    if matches!(to, Some(TargetPlace::Electives | TargetPlace::Module(_))) {
        if !is_stated {
            t.missing("credits");
        } else if amount == Some(Amount::Target) {
            let message = words!(
                "credits = \"target\" 只能用于课程；选修学分和模块须写 \"source\" 或学分数",
                "credits = \"target\" is for courses alone; electives and modules need \"source\" or an amount"
            );
            t.fault_at("credits", code::CHOICE, message);
        }
    }
    if is_stated {
        amount
    } else {
        Some(Amount::Target)
    }
}

/// `"target"`, `"source"` or an amount above zero.
fn credits(value: &Value<'_>) -> Option<Amount> {
    match value.node.as_str() {
        Some("target") => Some(Amount::Target),
        Some("source") => Some(Amount::Source),
        _ => {
            let credits = value.credit()?;
            if credits.hundredths() > 0 {
                return Some(Amount::Fixed(credits));
            }
            let message = words!(
                "学分不能为零；不给学分请用 form = \"no-credit\"",
                "credits cannot be zero; form = \"no-credit\" says that there are none"
            );
            value.fault(code::AMOUNT, message)
        }
    }
}

/// `"1/2"`: credits given for credits of the source.
fn ratio(value: &Value<'_>) -> Option<Amount> {
    let text = value.raw_text(
        "引号中的比例，如 \"1/2\"",
        "a ratio in quotes, such as \"1/2\"",
    )?;
    let is_number = |part: &&str| part.bytes().all(|c| c.is_ascii_digit());
    let parts = text.split_once('/').and_then(|(given, of)| {
        let parse = |part| Some(part).filter(is_number)?.parse::<u16>().ok();
        Some((parse(given)?, parse(of)?))
    });
    match parts {
        Some((0, _) | (_, 0)) => value.zero(),
        Some((numerator, denominator)) => Some(Amount::Ratio {
            numerator,
            denominator,
        }),
        None => {
            let message = words!(
                "ratio 写作 \"1/2\"：每 2 个来源学分给 1 个学分",
                "write ratio as \"1/2\": 1 credit for 2 of the source's"
            );
            value.fault(code::AMOUNT, message)
        }
    }
}

fn grade(t: &Table<'_>) -> GradeRule {
    let record = t.take("record", |v| {
        v.choice(&[
            ("none", Record::None),
            ("exempt", Record::Exempt),
            ("source", Record::Source),
        ])
    });
    let table: Option<Vec<(GradeFloor, Percentage)>> = t.take("table", |v| {
        let elements = v.elements(GRADE_ROWS_MAX)?;
        let rows = elements
            .iter()
            .filter_map(|element| element.table(grade_row)?);
        Some(rows.flatten().collect())
    });
    if !t.has("record") && !t.has("table") {
        t.missing("record");
    }
    t.conflict(&["record", "table"]);
    let ceiling = t.take("ceiling", percentage);
    let record = match (table, record) {
        (Some(rows), _) => GradeRecord::Table(rows),
        (None, Some(Record::Exempt)) => GradeRecord::Exempt,
        (None, Some(Record::Source)) => GradeRecord::Source,
        (None, Some(Record::None) | None) => GradeRecord::None,
    };
    if ceiling.is_some() && matches!(record, GradeRecord::None | GradeRecord::Exempt) {
        let message = words!(
            "不记成绩或记免考时不能有 ceiling",
            "ceiling means nothing where no grade or an exemption is recorded"
        );
        t.fault(code::KEY_CONFLICT, message);
    }
    GradeRule { record, ceiling }
}

/// What `record` may say.
#[derive(Clone, Copy)]
enum Record {
    None,
    Exempt,
    Source,
}

/// A row: each least grade of `from`, and what is recorded for it.
fn grade_row(t: &Table<'_>) -> Option<Vec<(GradeFloor, Percentage)>> {
    let from = t.need("from", Value::floors);
    let to = t.need("to", percentage)?;
    Some(from?.into_iter().map(|floor| (floor, to)).collect())
}

fn percentage(value: &Value<'_>) -> Option<Percentage> {
    let known = (
        "百分制成绩，如 \"70\"",
        "a grade of per cent, such as \"70\"",
    );
    value.parsed(Percentage::parse, known)
}
