//! A decision as JSON, complete enough to be read without the set: with clauses, places and both languages.
//!
//! Amounts are whole hundredths; exact amounts are fractions of hundredths as `"numerator/denominator"`; days are
//! `YYYY-MM-DD`. A field keeps its name and meaning for ever; new ones may come.

use creditbank_domain::rules::{
    Compiled, Decision, Finding, Held, Language, Line, Missing, ModuleKind, Place, Progress,
    Reason, RefusedUse, RoundingMode, RuleSet, Step, explain,
};
use creditbank_domain::{Credit, LeafIndex};
use serde_json::{Map, Value, json};

use crate::example::grade_text;
use crate::names::{target_text, told};

/// A decision with its trace, under the set that it was made under. `held` lends the names of the achievements.
#[must_use]
pub fn decision_json(compiled: &Compiled, decision: &Decision, held: &[Held]) -> Value {
    let set = compiled.set();
    let granted = decision
        .lines
        .iter()
        .map(|line| u64::from(line.credits.hundredths()));
    json!({
        "rule_set": hex(&decision.rule_set),
        "rule_set_id": set.id,
        "rule_set_version": set.version,
        "programme": decision.programme,
        "date": decision.date.to_string(),
        "automatic": decision.automatic,
        "credits": granted.sum::<u64>(),
        "lines": list(&decision.lines, |it| line(set, decision, it)),
        "refused": list(&decision.refused, |it| refused(set, decision, it)),
        "progress": progress(&decision.progress),
        "trace": list(&decision.trace, |it| step(set, it)),
        "explanation": {
            "zh": explain(compiled, decision, held, Language::Chinese),
            "en": explain(compiled, decision, held, Language::English),
        },
    })
}

fn list<T>(items: &[T], read: impl Fn(&T) -> Value) -> Value {
    items.iter().map(read).collect()
}

fn line(set: &RuleSet, decision: &Decision, it: &Line) -> Value {
    let mut value = citing(set, place_of(decision, &it.rule, &it.outcomes));
    value.insert("rule".into(), json!(it.rule));
    value.insert("outcomes".into(), leaves(&it.outcomes));
    value.insert("to".into(), json!(target_text(&it.to)));
    value.insert("credits".into(), credits(it.credits));
    value.insert("source_credits".into(), credits(it.source_credits));
    value.insert("grade".into(), json!(grade_text(it.grade)));
    value.insert("exclusive".into(), json!(it.exclusive));
    let groups = it.counted.groups.iter();
    let groups =
        groups.map(|(limit, group)| json!({ "limit": limit.as_ref(), "group": group.as_ref() }));
    value.insert("counted".into(), groups.collect());
    Value::Object(value)
}

fn refused(set: &RuleSet, decision: &Decision, it: &RefusedUse) -> Value {
    let mut value = citing(set, place_of(decision, &it.rule, &it.outcomes));
    value.insert("rule".into(), json!(it.rule));
    value.insert("outcomes".into(), leaves(&it.outcomes));
    value.insert("reason".into(), Value::Object(reason(&it.reason)));
    Value::Object(value)
}

fn step(set: &RuleSet, it: &Step) -> Value {
    let mut value = citing(set, Some(it.place));
    value.insert("rule".into(), json!(*it.rule));
    value.insert("outcomes".into(), leaves(&it.outcomes));
    let (kind, mut fields) = finding(&it.finding);
    fields.insert("kind".into(), json!(kind));
    value.insert("finding".into(), Value::Object(fields));
    Value::Object(value)
}

/// The version of a rule that a use fell under: the place of its first step that is about a rule.
fn place_of(decision: &Decision, rule: &str, outcomes: &[LeafIndex]) -> Option<Place> {
    let mut steps = decision.trace.iter();
    let of_use = |step: &&Step| *step.rule == *rule && *step.outcomes == *outcomes;
    steps
        .find(|step| of_use(step) && matches!(step.finding, Finding::InForce { .. }))
        .or_else(|| decision.trace.iter().find(of_use))
        .map(|step| step.place)
}

/// `clause` and `place` of what stands at a place.
fn citing(set: &RuleSet, place: Option<Place>) -> Map<String, Value> {
    let place = place.filter(|place| place.line > 0);
    let clause = place.map_or("", |place| clause(set, place));
    fields(json!({ "clause": clause, "place": place.map(|place| told(set, place)) }))
}

/// The clause of the rule, limit, agreement, programme or whole at a place.
fn clause(set: &RuleSet, place: Place) -> &str {
    let rules = set.rules.iter().map(|it| (it.place, &it.clause));
    let limits = set.limits.iter().map(|it| (it.place, &it.clause));
    let agreements = set.agreements.iter().map(|it| (it.place, &it.clause));
    let programmes = set.programmes.iter().map(|it| (it.place, &it.clause));
    let wholes = set.wholes.iter().map(|it| (it.place, &it.clause));
    let mut all = rules
        .chain(limits)
        .chain(agreements)
        .chain(programmes)
        .chain(wholes);
    all.find(|(at, _)| *at == place)
        .map_or("", |(_, clause)| clause)
}

/// A finding: its kind and its fields.
fn finding(it: &Finding) -> (&'static str, Map<String, Value>) {
    let (kind, value) = match it {
        Finding::InForce { on } => ("in-force", json!({ "on": on.to_string() })),
        Finding::Agreed { agreement, version } => (
            "agreed",
            json!({ "agreement": agreement, "version": version }),
        ),
        Finding::Valid { until } => ("valid", json!({ "until": until.to_string() })),
        Finding::Level { level, needed } => (
            "level",
            json!({ "level": level.number(), "needed": needed.number() }),
        ),
        Finding::GradeMet { grade } => ("grade-met", json!({ "grade": grade.to_string() })),
        Finding::HoursSummed { hours } => ("hours-summed", json!({ "hours": hours.hundredths() })),
        Finding::Mapped {
            to,
            source,
            numerator,
            denominator,
        } => (
            "mapped",
            json!({ "to": target_text(to), "source": source, "exact": exact(*numerator, *denominator) }),
        ),
        Finding::Limited {
            limit,
            group,
            used,
            max,
            asked,
            granted,
        } => (
            "limited",
            json!({
                "limit": limit, "group": group, "used": used, "max": max, "asked": asked, "granted": granted,
            }),
        ),
        Finding::Rounded {
            numerator,
            denominator,
            credits,
            unit,
            mode,
        } => (
            "rounded",
            json!({
                "exact": exact(*numerator, *denominator), "credits": credits.hundredths(),
                "unit": unit.hundredths(), "mode": rounding(*mode),
            }),
        ),
        Finding::Granted { to, credits } => (
            "granted",
            json!({ "to": target_text(to), "credits": credits.hundredths() }),
        ),
        Finding::Remainder {
            credits,
            to_electives,
        } => (
            "remainder",
            json!({ "credits": credits.hundredths(), "to_electives": to_electives }),
        ),
        Finding::Skipped { to, reason: why } => (
            "skipped",
            json!({ "to": target_text(to), "reason": reason(why) }),
        ),
        Finding::Refused(why) => ("refused", json!({ "reason": reason(why) })),
    };
    (kind, fields(value))
}

/// A reason: its code, and what it was measured by.
fn reason(it: &Reason) -> Map<String, Value> {
    let value = match it {
        Reason::NotInForce { on } => json!({ "on": on.to_string() }),
        Reason::TooOld { until } | Reason::CertificateExpired { until } => {
            json!({ "until": until.to_string() })
        }
        Reason::LevelTooLow { level, needed } => {
            json!({ "level": level.number(), "needed": needed.number() })
        }
        Reason::CreditsTooFew { credits, needed } => {
            json!({ "credits": credits.hundredths(), "needed": needed.hundredths() })
        }
        Reason::HoursTooFew { hours, needed } => {
            json!({ "hours": hours.hundredths(), "needed": needed.hundredths() })
        }
        Reason::AttendanceTooLow {
            basis_points,
            needed,
        } => json!({ "basis_points": basis_points, "needed": needed }),
        Reason::AlreadyUsed { decision } | Reason::UsedElsewhere { decision } => {
            json!({ "decision": decision.0 })
        }
        Reason::WholeAndPart { other } => json!({ "other": other.0 }),
        Reason::SourcesTooFew { filled, needed } => json!({ "filled": filled, "needed": needed }),
        Reason::LimitReached { limit } => json!({ "limit": limit }),
        _ => json!({}),
    };
    let mut value = fields(value);
    value.insert("code".into(), json!(it.code()));
    value
}

fn progress(it: &Progress) -> Value {
    json!({
        "studied": credits(it.studied),
        "recognised": credits(it.recognised),
        "total": credits(it.total),
        "modules": list(&it.modules, |module| json!({
            "module": module.module,
            "kind": match module.kind {
                ModuleKind::Required => "required",
                ModuleKind::Elective => "elective",
            },
            "credits": credits(module.credits),
            "min": credits(module.min),
        })),
        "missing": list(&it.missing, missing),
    })
}

fn missing(it: &Missing) -> Value {
    match it {
        Missing::Course(course) => json!({ "kind": "course", "course": course }),
        Missing::Module { module, credits } => {
            json!({ "kind": "module", "module": module, "credits": credits.hundredths() })
        }
        Missing::Residency(it) => json!({ "kind": "residency", "credits": it.hundredths() }),
        Missing::AtLevel(it) => json!({ "kind": "at-level", "credits": it.hundredths() }),
        Missing::Minimum { minimum, credits } => {
            json!({ "kind": "minimum", "minimum": minimum, "credits": credits.hundredths() })
        }
        Missing::Total(it) => json!({ "kind": "total", "credits": it.hundredths() }),
    }
}

fn rounding(mode: RoundingMode) -> &'static str {
    let modes = crate::read::ROUNDING_MODES;
    let found = modes.iter().find(|(_, known)| *known == mode);
    found.map_or("", |(code, _)| *code)
}

fn credits(credits: Credit) -> Value {
    json!(credits.hundredths())
}

fn exact(numerator: u64, denominator: u64) -> String {
    format!("{numerator}/{denominator}")
}

fn leaves(outcomes: &[LeafIndex]) -> Value {
    outcomes.iter().map(|leaf| json!(leaf.0)).collect()
}

/// The fields of an object.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
