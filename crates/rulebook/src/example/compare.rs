//! Where what came out differs from what an example expects, in words.

use creditbank_domain::rules::{Decision, Finding, Reason, Wording};

use super::read::missing_text;
use super::{Breach, Expect, ExpectedLine, ExpectedRefusal, grade_text};
use crate::names::target_text;
use crate::words::words;

/// Holds a decision against what is expected of it.
pub(super) fn decision(expect: &Expect, decision: &Decision, differences: &mut Vec<Wording>) {
    credits(expect, decision, differences);
    lines(expect, decision, differences);
    refusals(expect, decision, differences);
    missing(expect, decision, differences);
    if let Some(limit) = &expect.limit
        && !bit(decision, limit)
    {
        differences.push(words!(
            "应受限额 {limit} 限制，实际没有",
            "limit {limit} should have bitten and did not"
        ));
    }
    if let Some(automatic) = expect.automatic
        && automatic != decision.automatic
    {
        differences.push(match automatic {
            true => words!(
                "应由系统直接决定，实际须评审",
                "the bank should decide by itself, but a panel has to"
            ),
            false => words!(
                "应须评审，实际由系统直接决定",
                "a panel should decide, but the bank does by itself"
            ),
        });
    }
}

fn credits(expect: &Expect, decision: &Decision, differences: &mut Vec<Wording>) {
    let Some(expected) = expect.credits else {
        return;
    };
    let granted: u64 = decision
        .lines
        .iter()
        .map(|it| u64::from(it.credits.hundredths()))
        .sum();
    if u64::from(expected.hundredths()) != granted {
        let granted = crate::names::hundredths_text(granted);
        differences.push(words!(
            "共应 {expected} 学分，实际 {granted}",
            "{expected} credits are expected, {granted} are granted"
        ));
    }
}

/// Both lists in order; each expected line takes the first granted one that it allows.
fn lines(expect: &Expect, decision: &Decision, differences: &mut Vec<Wording>) {
    let Some(expected) = &expect.lines else {
        return;
    };
    let granted = decision.lines.iter().map(|line| ExpectedLine {
        rule: line.rule.clone(),
        to: target_text(&line.to),
        credits: Some(line.credits),
        grade: Some(grade_text(line.grade)),
    });
    let allows = |expected: &ExpectedLine, granted: &ExpectedLine| {
        (&expected.rule, &expected.to) == (&granted.rule, &granted.to)
            && (expected.credits.is_none() || expected.credits == granted.credits)
            && (expected.grade.is_none() || expected.grade == granted.grade)
    };
    let (absent, surplus) = unmatched(expected, granted.collect(), allows);
    for line in absent {
        let line = line_text(line);
        differences.push(words!(
            "应有而没有：{line}",
            "expected, not granted: {line}"
        ));
    }
    for line in surplus {
        let line = line_text(&line);
        differences.push(words!(
            "有而未期望：{line}",
            "granted, not expected: {line}"
        ));
    }
}

fn line_text(line: &ExpectedLine) -> String {
    let mut text = format!("{} → {}", line.rule, line.to);
    if let Some(credits) = line.credits {
        text += &format!(" {credits}");
    }
    if let Some(grade) = &line.grade {
        text += &format!(" ({grade})");
    }
    text
}

fn refusals(expect: &Expect, decision: &Decision, differences: &mut Vec<Wording>) {
    let Some(expected) = &expect.refused else {
        return;
    };
    let refused = decision.refused.iter().map(|it| ExpectedRefusal {
        rule: it.rule.clone(),
        outcomes: Some(it.outcomes.clone()),
        reason: it.reason.code().to_owned(),
    });
    let allows = |expected: &ExpectedRefusal, refused: &ExpectedRefusal| {
        (&expected.rule, &expected.reason) == (&refused.rule, &refused.reason)
            && (expected.outcomes.is_none() || expected.outcomes == refused.outcomes)
    };
    let (absent, surplus) = unmatched(expected, refused.collect(), allows);
    for refusal in absent {
        let text = refusal_text(refusal);
        differences.push(words!(
            "应拒绝而未拒绝：{text}",
            "expected refusal, not made: {text}"
        ));
    }
    for refusal in surplus {
        let text = refusal_text(&refusal);
        differences.push(words!(
            "拒绝而未期望：{text}",
            "refused, not expected: {text}"
        ));
    }
}

fn refusal_text(refusal: &ExpectedRefusal) -> String {
    let leaves = refusal.outcomes.iter().flatten();
    let leaves: Vec<String> = leaves.map(ToString::to_string).collect();
    format!(
        "{} [{}] {}",
        refusal.rule,
        leaves.join(", "),
        refusal.reason
    )
}

fn missing(expect: &Expect, decision: &Decision, differences: &mut Vec<Wording>) {
    let Some(expected) = &expect.missing else {
        return;
    };
    let actual = decision.progress.missing.clone();
    let (absent, surplus) = unmatched(expected, actual, |a, b| a == b);
    for missing in absent {
        let text = missing_text(missing);
        differences.push(words!(
            "应仍缺 {text}，实际不缺",
            "{text} should be missing and is not"
        ));
    }
    for missing in surplus {
        let text = missing_text(&missing);
        differences.push(words!(
            "仍缺 {text}，未期望",
            "{text} is missing, which is not expected"
        ));
    }
}

/// Whether a limit cut or refused something.
fn bit(decision: &Decision, id: &str) -> bool {
    let cut = decision.trace.iter().any(|step| match &step.finding {
        Finding::Limited {
            limit,
            asked,
            granted,
            ..
        } => limit == id && granted < asked,
        _ => false,
    });
    let refused = decision.refused.iter().any(|it| match &it.reason {
        Reason::LimitReached { limit } => limit == id,
        _ => false,
    });
    cut || refused
}

/// Holds the breaches of unit standards against what is expected.
pub(super) fn breaches(
    expect: &Expect,
    found: impl FnOnce() -> Vec<Breach>,
    differences: &mut Vec<Wording>,
) {
    let Some(expected) = &expect.breaches else {
        return;
    };
    let (absent, surplus) = unmatched(expected, found(), |a, b| a == b);
    for Breach { outcome, reason } in absent {
        differences.push(words!(
            "成果 {outcome} 应违反标准 {reason}，实际没有",
            "outcome {outcome} should fall short of its standard by {reason} and does not"
        ));
    }
    for Breach { outcome, reason } in surplus {
        differences.push(words!(
            "成果 {outcome} 违反标准 {reason}，未期望",
            "outcome {outcome} falls short of its standard by {reason}, which is not expected"
        ));
    }
}

/// Holds the points earned against what is expected.
pub(super) fn points(
    expect: &Expect,
    earned: impl FnOnce() -> u64,
    differences: &mut Vec<Wording>,
) {
    let Some(expected) = expect.points else {
        return;
    };
    let earned = earned();
    if earned != expected {
        differences.push(words!(
            "应得 {expected} 积分，实际 {earned}",
            "{expected} points are expected, {earned} are earned"
        ));
    }
}

/// What is expected and not there, and what is there and not expected.
fn unmatched<T>(
    expected: &[T],
    mut found: Vec<T>,
    allows: impl Fn(&T, &T) -> bool,
) -> (Vec<&T>, Vec<T>) {
    let mut absent = Vec::new();
    for one in expected {
        match found.iter().position(|other| allows(one, other)) {
            Some(at) => drop(found.remove(at)),
            None => absent.push(one),
        }
    }
    (absent, found)
}
