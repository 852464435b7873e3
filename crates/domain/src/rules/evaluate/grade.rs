//! Grades: floors by scheme, the lowest of several, and the grade that is recorded.

use super::super::archive::Entry;
use super::super::decision::{Reason, RecordedGrade};
use super::super::rule::{GradeFloor, GradeRecord, GradeRule};
use crate::Grade;
use crate::grade::{FiveLevel, PassFail};

/// Whether a grade meets the floors of its own scheme. No floors ask for nothing; floors of other schemes say nothing
/// about a grade.
pub(in crate::rules) fn meets(floors: &[GradeFloor], grade: Option<Grade>) -> Result<(), Reason> {
    if floors.is_empty() {
        return Ok(());
    }
    let grade = grade.ok_or(Reason::GradeNotComparable)?;
    let mut verdicts = floors
        .iter()
        .filter_map(|floor| is_met(*floor, grade))
        .peekable();
    if verdicts.peek().is_none() {
        return Err(Reason::GradeNotComparable);
    }
    if verdicts.all(|met| met) {
        Ok(())
    } else {
        Err(Reason::GradeTooLow)
    }
}

/// None where the schemes differ.
fn is_met(floor: GradeFloor, grade: Grade) -> Option<bool> {
    match (floor, grade) {
        (GradeFloor::Percentage(floor), Grade::Percentage(grade)) => Some(grade >= floor),
        // Best first: a better level is a smaller one.
        (GradeFloor::FiveLevel(floor), Grade::FiveLevel(grade)) => Some(grade <= floor),
        (GradeFloor::Pass, Grade::PassFail(grade)) => Some(grade == PassFail::Pass),
        (GradeFloor::Points(scale, floor), Grade::Points(grade)) if grade.scale() == scale => {
            Some(grade.hundredths() >= floor)
        }
        _ => None,
    }
}

/// The lowest grade of several outcomes; those without a grade say nothing. Grades of different schemes are compared by
/// their share of the scale, levels by where they begin.
pub(super) fn lowest<'e, 'a: 'e>(entries: impl Iterator<Item = &'e Entry<'a>>) -> Option<Grade> {
    let grades = entries.filter_map(|entry| entry.outcome.grade);
    grades.min_by_key(|grade| share(*grade))
}

/// Ten-thousandths of the scale.
fn share(grade: Grade) -> u32 {
    match grade {
        Grade::Percentage(grade) => grade.hundredths(),
        Grade::FiveLevel(FiveLevel::Excellent) => 9_000,
        Grade::FiveLevel(FiveLevel::Good) => 8_000,
        Grade::FiveLevel(FiveLevel::Medium) => 7_000,
        Grade::FiveLevel(FiveLevel::Pass) | Grade::PassFail(PassFail::Pass) => 6_000,
        Grade::FiveLevel(FiveLevel::Fail) | Grade::PassFail(PassFail::Fail) => 0,
        Grade::Points(grade) => {
            let share = u64::from(grade.hundredths()) * 10_000 / u64::from(grade.scale().max());
            share as u32
        }
    }
}

/// The grade that goes with credit for these outcomes.
pub(super) fn recorded<'e, 'a: 'e>(
    rule: &GradeRule,
    entries: impl Iterator<Item = &'e Entry<'a>>,
) -> RecordedGrade {
    let grade = match &rule.record {
        GradeRecord::None => return RecordedGrade::None,
        GradeRecord::Exempt => return RecordedGrade::Exempt,
        GradeRecord::Source => lowest(entries),
        GradeRecord::Table(rows) => lowest(entries).and_then(|grade| {
            let row = rows
                .iter()
                .find(|(floor, _)| is_met(*floor, grade) == Some(true));
            row.map(|(_, recorded)| Grade::Percentage(*recorded))
        }),
    };
    match (grade, rule.ceiling) {
        (Some(Grade::Percentage(grade)), Some(ceiling)) => {
            RecordedGrade::Grade(Grade::Percentage(grade.min(ceiling)))
        }
        (Some(grade), _) => RecordedGrade::Grade(grade),
        (None, _) => RecordedGrade::None,
    }
}
