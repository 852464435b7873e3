//! `[[example]]` as it is written.

use std::collections::BTreeSet;

use creditbank_domain::rules::{Held, Missing, Use};
use creditbank_domain::{Credit, LeafIndex, Refusal};
use jiff::civil::Date;
use toml::de::DeTable;

use super::outcome::outcome;
use super::{Before, Breach, Example, Expect, ExpectedLine, ExpectedRefusal};
use crate::finding::{Finding, code};
use crate::read::{Page, Table, Value};
use crate::source::Source;
use crate::words::words;

/// Most examples of one document.
const EXAMPLES_MAX: usize = 256;
/// Most outcomes, uses, lines of one example.
const ROWS_MAX: usize = 256;
/// What an example expects of a decision, which needs a programme.
const OF_A_DECISION: [&str; 6] = [
    "credits",
    "lines",
    "refused",
    "missing",
    "limit",
    "automatic",
];

/// Reads the worked examples of some documents, in the order of documents and lines, or tells everything that is wrong
/// with them. Whether rules and programmes exist is for [`check`](crate::check) to say.
pub fn examples(sources: &[Source]) -> Result<Vec<Example>, Vec<Finding>> {
    let mut sources: Vec<&Source> = sources.iter().collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut examples, mut findings) = (Vec::new(), Vec::new());
    for (number, source) in (0..).zip(sources) {
        let page = Page::new(number, &source.name, &source.text);
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        if errors.is_empty() {
            Table::root(&page, root.get_ref(), |t| {
                t.free();
                let elements = t.take("example", |v| v.elements(EXAMPLES_MAX));
                for element in elements.unwrap_or_default() {
                    examples.extend(element.table(|t| example(t, &source.name)).flatten());
                }
            });
        } else {
            page.syntax(&errors);
        }
        findings.extend(page.into_findings());
    }
    if findings.is_empty() {
        Ok(examples)
    } else {
        Err(findings)
    }
}

fn example(t: &Table<'_>, document: &str) -> Option<Example> {
    let title = t.must("title", Value::wording);
    let programme = t.take("programme", Value::id);
    let date = t.need("date", Value::date);
    let day = date.unwrap_or(Date::MAX);
    let mut known = BTreeSet::new();
    let held: Vec<Held> = t.must("outcomes", |v| {
        let elements = v.elements(ROWS_MAX)?;
        let read = |element: &Value<'_>| outcome(element, day, &mut known);
        Some(elements.iter().filter_map(read).collect())
    });
    let is_read = |leaf| known.contains(&leaf);
    let uses = t.take("uses", |v| uses(v, &is_read));
    let before = t.or_default("before", |v| {
        rows(v, |t| before(t, programme.as_deref(), day, &is_read))
    });
    let expect = t.must("expect", |v| {
        v.table(|t| expect(t, programme.is_some(), &is_read))
    });
    Some(Example {
        title,
        document: document.to_owned(),
        line: t.place().line,
        programme,
        date: date?,
        held,
        before,
        uses,
        expect,
    })
}

fn before(
    t: &Table<'_>,
    programme: Option<&str>,
    day: Date,
    is_read: &impl Fn(LeafIndex) -> bool,
) -> Before {
    let own = t.take("programme", Value::id);
    if own.is_none() && programme.is_none() {
        t.missing("programme");
    }
    Before {
        decision: t.need("decision", leaf).unwrap_or(LeafIndex(0)),
        programme: own.or(programme.map(str::to_owned)).unwrap_or_default(),
        date: t.take("date", Value::date).unwrap_or(day),
        uses: t.take("uses", |v| uses(v, is_read)),
    }
}

/// A number that stands for a leaf.
pub(super) fn leaf(value: &Value<'_>) -> Option<LeafIndex> {
    value
        .whole(0, u32::MAX)
        .map(|number| LeafIndex(number.into()))
}

/// The number of an outcome of the example.
fn known_leaf(value: &Value<'_>, is_read: &impl Fn(LeafIndex) -> bool) -> Option<LeafIndex> {
    let leaf = leaf(value)?;
    if is_read(leaf) {
        return Some(leaf);
    }
    let message = words!(
        "本例没有编号 {leaf} 的成果",
        "the example has no outcome {leaf}"
    );
    value.fault(code::REFERENCE, message)
}

fn uses(value: &Value<'_>, is_read: &impl Fn(LeafIndex) -> bool) -> Option<Vec<Use>> {
    let one = |t: &Table<'_>| Use {
        rule: t.must("rule", Value::id),
        outcomes: t.must("outcomes", |v| leaves(v, is_read)),
        courses: t.or_default("courses", |v| v.values(Value::text)),
    };
    rows(value, one)
}

/// A list of tables.
fn rows<'a, T>(value: &Value<'a>, read: impl Fn(&Table<'a>) -> T) -> Option<Vec<T>> {
    let elements = value.elements(ROWS_MAX)?;
    Some(
        elements
            .iter()
            .filter_map(|element| element.table(&read))
            .collect(),
    )
}

/// Numbers of outcomes of the example.
fn leaves(value: &Value<'_>, is_read: &impl Fn(LeafIndex) -> bool) -> Option<Vec<LeafIndex>> {
    let elements = value.elements(ROWS_MAX)?;
    Some(
        elements
            .iter()
            .filter_map(|element| known_leaf(element, is_read))
            .collect(),
    )
}

fn expect(t: &Table<'_>, has_programme: bool, is_read: &impl Fn(LeafIndex) -> bool) -> Expect {
    if !has_programme && OF_A_DECISION.iter().any(|key| t.has(key)) {
        let message = words!(
            "本例没有 programme，不能期望学分、明细或拒绝",
            "the example has no programme, so it cannot expect credits, lines or refusals"
        );
        t.fault(code::KEY_MISSING, message);
    }
    let expect = Expect {
        credits: t.take("credits", Value::credit),
        lines: t.take("lines", |v| rows(v, line)),
        refused: t.take("refused", |v| rows(v, |t| refusal(t, is_read))),
        missing: t.take("missing", |v| {
            let elements = v.elements(ROWS_MAX)?;
            Some(elements.iter().filter_map(missing).collect())
        }),
        limit: t.take("limit", Value::id),
        automatic: t.take("automatic", Value::flag),
        breaches: t.take("breaches", |v| rows(v, |t| breach(t, is_read))),
        points: t.take("points", |v| v.whole(0, u32::MAX)).map(u64::from),
    };
    if expect == Expect::default() {
        let message = words!(
            "expect 未写任何期望，此例不能不通过",
            "expect states nothing, so the example cannot fail"
        );
        t.fault(code::KEY_MISSING, message);
    }
    expect
}

fn line(t: &Table<'_>) -> ExpectedLine {
    ExpectedLine {
        rule: t.must("rule", Value::id),
        to: t.must("to", |v| {
            let text = v.text()?;
            let is_place = text == "nothing"
                || text
                    .strip_prefix("course:")
                    .is_some_and(|code| !code.is_empty())
                || text
                    .strip_prefix("module:")
                    .is_some_and(|id| !id.is_empty());
            if is_place {
                Some(text)
            } else {
                v.not_among(&text, "course:<code>, module:<id>, nothing")
            }
        }),
        credits: t.take("credits", Value::credit),
        grade: t.take("grade", Value::text),
    }
}

fn refusal(t: &Table<'_>, is_read: &impl Fn(LeafIndex) -> bool) -> ExpectedRefusal {
    let outcomes = t.take("outcomes", |v| leaves(v, is_read));
    ExpectedRefusal {
        rule: t.must("rule", Value::id),
        outcomes: outcomes.map(|mut outcomes| {
            outcomes.sort_unstable();
            outcomes
        }),
        reason: t.must("reason", Value::text),
    }
}

fn breach(t: &Table<'_>, is_read: &impl Fn(LeafIndex) -> bool) -> Breach {
    Breach {
        outcome: t
            .need("outcome", |v| known_leaf(v, is_read))
            .unwrap_or(LeafIndex(0)),
        reason: t.must("reason", |v| {
            let text = v.text()?;
            if Refusal::CODES.contains(&text.as_str()) {
                Some(text)
            } else {
                v.not_among(&text, "ATTENDANCE_BELOW_STANDARD, HOURS_BELOW_STANDARD, …")
            }
        }),
    }
}

/// `COURSE 0001`, `MODULE basic 4.5`, `RESIDENCY 10`, `AT_LEVEL 6`, `MINIMUM accredited 18`, `TOTAL 20`.
fn missing(value: &Value<'_>) -> Option<Missing> {
    let text = value.text()?;
    let words: Vec<&str> = text.split(' ').collect();
    let credits = |text: &str| Credit::parse(text).ok();
    let missing = match words.as_slice() {
        ["COURSE", code] => Some(Missing::Course((*code).to_owned())),
        ["MODULE", module, amount] => credits(amount).map(|credits| Missing::Module {
            module: (*module).to_owned(),
            credits,
        }),
        ["RESIDENCY", amount] => credits(amount).map(Missing::Residency),
        ["AT_LEVEL", amount] => credits(amount).map(Missing::AtLevel),
        ["MINIMUM", minimum, amount] => credits(amount).map(|credits| Missing::Minimum {
            minimum: (*minimum).to_owned(),
            credits,
        }),
        ["TOTAL", amount] => credits(amount).map(Missing::Total),
        _ => None,
    };
    missing.or_else(|| {
        value.not_among(
            &text,
            "COURSE <code>, MODULE <id> <credits>, RESIDENCY <credits>, AT_LEVEL <credits>, MINIMUM <id> <credits>, \
             TOTAL <credits>",
        )
    })
}

/// What is missing, as examples write it.
pub(super) fn missing_text(missing: &Missing) -> String {
    match missing {
        Missing::Course(code) => format!("COURSE {code}"),
        Missing::Module { module, credits } => format!("MODULE {module} {credits}"),
        Missing::Residency(credits) => format!("RESIDENCY {credits}"),
        Missing::AtLevel(credits) => format!("AT_LEVEL {credits}"),
        Missing::Minimum { minimum, credits } => format!("MINIMUM {minimum} {credits}"),
        Missing::Total(credits) => format!("TOTAL {credits}"),
    }
}
