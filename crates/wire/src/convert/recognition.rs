//! `decision.proto`: applications and rulings.

use std::sync::Arc;

use creditbank_domain::recognition::{Application, HELD_MAX, PRIOR_MAX, Ruling, USES_MAX};
use creditbank_domain::rules::{
    Counted, Line, LineTarget, OUTCOMES_PER_USE_MAX, RecordedGrade, Use,
};
use creditbank_domain::text::{Code, Label};
use creditbank_domain::{Credit, Fault, LeafIndex, Refusal};

use super::catalogue::date;
use super::outcome;
use crate::v1;

/// An application; its uses ascend, so that an application has one spelling.
pub fn application(message: v1::Application) -> Result<Application, Fault> {
    Label::parse_optional(&message.note).map_err(|refusal| refusal.at("note"))?;
    if message.uses.is_empty() {
        return Err(Refusal::Missing.at("uses"));
    }
    Ok(Application {
        programme: text(&message.programme, "programme")?,
        uses: uses(message.uses)?,
    })
}

/// Uses in ascending order.
pub fn uses(messages: Vec<v1::Use>) -> Result<Vec<Use>, Fault> {
    if messages.len() > USES_MAX {
        let max = USES_MAX as u32;
        return Err(Refusal::TooMany { max }.at("uses"));
    }
    let uses = messages
        .into_iter()
        .enumerate()
        .map(|(row, it)| one_use(it).map_err(|fault| fault.within(&format!("uses[{row}]"))));
    let uses = uses.collect::<Result<Vec<_>, _>>()?;
    match uses.is_sorted_by(|one, next| one < next) {
        true => Ok(uses),
        false => Err(Refusal::NotAscending.at("uses")),
    }
}

fn one_use(message: v1::Use) -> Result<Use, Fault> {
    if message.outcomes.is_empty() {
        return Err(Refusal::Missing.at("outcomes"));
    }
    if !message.courses.is_sorted_by(|one, next| one < next) {
        return Err(Refusal::NotAscending.at("courses"));
    }
    if message.courses.len() > OUTCOMES_PER_USE_MAX {
        let max = OUTCOMES_PER_USE_MAX as u32;
        return Err(Refusal::TooMany { max }.at("courses"));
    }
    Ok(Use {
        rule: text(&message.rule, "rule")?,
        outcomes: leaves(message.outcomes, OUTCOMES_PER_USE_MAX, "outcomes")?,
        courses: message.courses,
    })
}

/// The inverse of [`uses`], for one.
#[must_use]
pub fn use_message(it: &Use) -> v1::Use {
    v1::Use {
        rule: it.rule.clone(),
        outcomes: numbers(&it.outcomes),
        courses: it.courses.clone(),
    }
}

/// The inverse of [`application`].
#[must_use]
pub fn application_message(it: &Application, note: &str) -> v1::Application {
    v1::Application {
        programme: it.programme.clone(),
        uses: it.uses.iter().map(use_message).collect(),
        note: note.to_owned(),
    }
}

/// What the bank decided, as it stands in the vault.
pub fn ruling(message: v1::Decision) -> Result<Ruling, Fault> {
    Label::parse_optional(&message.reason).map_err(|refusal| refusal.at("reason"))?;
    let lines = message
        .lines
        .into_iter()
        .enumerate()
        .map(|(row, it)| line(it).map_err(|fault| fault.within(&format!("lines[{row}]"))));
    let refused = message.refused.into_iter().map(|it| {
        let outcomes = it.outcomes.into_iter().map(LeafIndex).collect();
        (it.rule, outcomes, it.code)
    });
    Ok(Ruling {
        programme: text(&message.programme, "programme")?,
        applied_on: date(&message.applied_on).map_err(|refusal| refusal.at("applied_on"))?,
        held: leaves(message.held, HELD_MAX, "held")?,
        prior: leaves(message.prior, PRIOR_MAX, "prior")?,
        lines: lines.collect::<Result<_, _>>()?,
        refused: refused.collect(),
        uses: uses(message.uses)?,
        automatic: message.automatic,
    })
}

/// The inverse of [`ruling`].
#[must_use]
pub fn ruling_message(it: &Ruling, reason: &str) -> v1::Decision {
    let refused = |(rule, outcomes, code): &(String, Vec<LeafIndex>, String)| v1::RefusedUse {
        rule: rule.clone(),
        outcomes: numbers(outcomes),
        code: code.clone(),
    };
    v1::Decision {
        programme: it.programme.clone(),
        applied_on: it.applied_on.to_string(),
        held: numbers(&it.held),
        prior: numbers(&it.prior),
        uses: it.uses.iter().map(use_message).collect(),
        lines: it.lines.iter().map(line_message).collect(),
        refused: it.refused.iter().map(refused).collect(),
        automatic: it.automatic,
        reason: reason.to_owned(),
    }
}

fn line(message: v1::Line) -> Result<Line, Fault> {
    let target = v1::LineTarget::try_from(message.target);
    let to = match target.map_err(|_| Refusal::ChoiceUnknown.at("target"))? {
        v1::LineTarget::Unspecified => return Err(Refusal::Missing.at("target")),
        v1::LineTarget::Course => LineTarget::Course(text(&message.target_id, "target_id")?),
        v1::LineTarget::Module => LineTarget::Module(text(&message.target_id, "target_id")?),
        v1::LineTarget::Nothing => LineTarget::Nothing,
    };
    let counted = message.counted.into_iter();
    let groups = counted.map(|it| (it.limit.into(), it.group.into()));
    Ok(Line {
        rule: text(&message.rule, "rule")?,
        outcomes: leaves(message.outcomes, OUTCOMES_PER_USE_MAX, "outcomes")?,
        to,
        credits: Credit::from_hundredths(message.credits_hundredths),
        source_credits: Credit::from_hundredths(message.source_credits_hundredths),
        grade: recorded(message.recorded).map_err(|refusal| refusal.at("recorded"))?,
        exclusive: message.exclusive,
        counted: Counted {
            groups: groups.collect(),
        },
    })
}

/// The message of one granted line.
#[must_use]
pub fn line_message(line: &Line) -> v1::Line {
    let (target, target_id) = match &line.to {
        LineTarget::Course(code) => (v1::LineTarget::Course, code.clone()),
        LineTarget::Module(id) => (v1::LineTarget::Module, id.clone()),
        LineTarget::Nothing => (v1::LineTarget::Nothing, String::new()),
    };
    let group = |(limit, group): &(Arc<str>, Arc<str>)| v1::LimitGroup {
        limit: limit.as_ref().to_owned(),
        group: group.as_ref().to_owned(),
    };
    v1::Line {
        rule: line.rule.clone(),
        outcomes: numbers(&line.outcomes),
        target: target as i32,
        target_id,
        credits_hundredths: line.credits.hundredths(),
        source_credits_hundredths: line.source_credits.hundredths(),
        recorded: recorded_message(line.grade),
        exclusive: line.exclusive,
        counted: line.counted.groups.iter().map(group).collect(),
    }
}

fn recorded(message: Option<v1::RecordedGrade>) -> Result<RecordedGrade, Refusal> {
    use v1::recorded_grade::Recorded;
    let Some(message) = message else {
        return Ok(RecordedGrade::None);
    };
    match message.recorded.ok_or(Refusal::Missing)? {
        Recorded::Exempt(true) => Ok(RecordedGrade::Exempt),
        Recorded::Exempt(false) => Err(Refusal::NotCanonical),
        Recorded::Grade(it) => outcome::grade(it)
            .map(RecordedGrade::Grade)
            .map_err(|faults| {
                faults
                    .first()
                    .map_or(Refusal::Missing, |fault| fault.refusal)
            }),
    }
}

fn recorded_message(grade: RecordedGrade) -> Option<v1::RecordedGrade> {
    use v1::recorded_grade::Recorded;
    let recorded = match grade {
        RecordedGrade::None => return None,
        RecordedGrade::Exempt => Recorded::Exempt(true),
        RecordedGrade::Grade(grade) => Recorded::Grade(outcome::grade_to_message(grade)),
    };
    Some(v1::RecordedGrade {
        recorded: Some(recorded),
    })
}

/// A short text of a rule set: an id or a code.
fn text(text: &str, field: &str) -> Result<String, Fault> {
    let code = Code::parse(text).map_err(|refusal| refusal.at(field))?;
    Ok(code.to_string())
}

fn leaves(numbers: Vec<u64>, max: usize, field: &str) -> Result<Vec<LeafIndex>, Fault> {
    if numbers.len() > max {
        let max = max as u32;
        return Err(Refusal::TooMany { max }.at(field));
    }
    match numbers.is_sorted_by(|one, next| one < next) {
        true => Ok(numbers.into_iter().map(LeafIndex).collect()),
        false => Err(Refusal::NotAscending.at(field)),
    }
}

fn numbers(leaves: &[LeafIndex]) -> Vec<u64> {
    leaves.iter().map(|leaf| leaf.0).collect()
}
