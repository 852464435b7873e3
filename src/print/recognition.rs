//! Evaluations and applications, as text for people and as JSON.

use creditbank_wire::v1;
use serde_json::{Value, json};

use super::payload::{decision, uses};
use super::{Language, hex, hundredths, json as print_json, kind, moment, out, table, word};

/// Prints why: one sentence a line, under headings.
pub(crate) fn evaluation(evaluation: &v1::Evaluation, language: Language) {
    let parts = Parts::of(evaluation, language);
    parts.decided(evaluation, language);
    section(language, ("还差", "still missing"), parts.missing);
    section(language, ("依据与计算", "how it comes about"), parts.steps);
}

/// Prints a plan: what to apply for, what that is worth and why, and what could be done next.
pub(crate) fn plan(plan: &v1::PlanResponse, language: Language) {
    let next = match language {
        Language::Zh => &plan.next_steps_zh,
        Language::En => &plan.next_steps_en,
    };
    let uses = plan.uses.iter();
    let uses: Vec<_> = uses.map(|it| format!("--use {}", use_text(it))).collect();
    section(language, ("申请方案", "to apply for"), &uses);
    if let Some(it) = &plan.evaluation {
        let parts = Parts::of(it, language);
        parts.decided(it, language);
        let (told, missing) = parts.missing_with(next);
        section(language, ("还差", "still missing"), &missing);
        section(language, ("依据与计算", "how it comes about"), parts.steps);
        section(language, ("下一步", "next steps"), &told);
    }
    if !plan.proven {
        out(match language {
            Language::Zh => "未能证明没有更好的方案。",
            Language::En => "It is not proved that no use is better.",
        });
    }
}

/// The sentences of an explanation, in the order in which it has them.
struct Parts<'a> {
    summary: &'a [String],
    granted: &'a [String],
    refused: &'a [String],
    standing: &'a [String],
    missing: &'a [String],
    steps: &'a [String],
}

impl<'a> Parts<'a> {
    fn of(evaluation: &'a v1::Evaluation, language: Language) -> Self {
        let mut sentences = match language {
            Language::Zh => &evaluation.explanation_zh[..],
            Language::En => &evaluation.explanation_en[..],
        };
        let mut next = |count: usize| {
            let (part, rest) = sentences.split_at(count.min(sentences.len()));
            sentences = rest;
            part
        };
        let decision = evaluation.decision.as_ref();
        Self {
            summary: next(1),
            granted: next(decision.map_or(0, |it| it.lines.len())),
            refused: next(decision.map_or(0, |it| it.refused.len())),
            standing: next(1),
            missing: next(evaluation.missing.len()),
            steps: next(usize::MAX),
        }
    }

    /// Prints what is granted and what is not.
    fn decided(&self, evaluation: &v1::Evaluation, language: Language) {
        self.summary.iter().for_each(|sentence| out(sentence));
        let decision = evaluation.decision.as_ref();
        let declined = decision.filter(|it| it.lines.is_empty() && !it.reason.is_empty());
        if let Some(it) = declined {
            let reason = &it.reason;
            out(&language.say(format!("理由：{reason}"), format!("reason: {reason}")));
        }
        section(language, ("认定", "granted"), self.granted);
        section(language, ("没有认定", "not granted"), self.refused);
        self.standing.iter().for_each(|sentence| out(sentence));
    }

    /// What is missing with all ways to get it in one sentence each, and what is missing without one.
    fn missing_with(&self, next: &[String]) -> (Vec<String>, Vec<String>) {
        let (mut told, mut missing) = (Vec::new(), Vec::new());
        for it in self.missing {
            let ways: String = next
                .iter()
                .filter_map(|step| step.strip_prefix(it.as_str()))
                .collect();
            match ways.is_empty() {
                true => missing.push(it.clone()),
                false => told.push(format!("{it}{ways}")),
            }
        }
        (told, missing)
    }
}

fn section(language: Language, (zh, en): (&str, &str), sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    out(match language {
        Language::Zh => zh,
        Language::En => en,
    });
    sentences.iter().for_each(|it| out(&format!("  {it}")));
}

/// An evaluation as JSON; the explanation with every step is in `trace`.
pub(crate) fn evaluation_json(evaluation: &v1::Evaluation) -> Value {
    let amount = |it: u32| hundredths(u64::from(it));
    let trace: Value = serde_json::from_str(&evaluation.explanation_json).unwrap_or_default();
    json!({
        "rule_set_hash": hex(&evaluation.rule_set_hash),
        "credits": amount(evaluation.credits_hundredths),
        "decision": evaluation.decision.as_ref().map(decision),
        "explanation": { "zh": evaluation.explanation_zh, "en": evaluation.explanation_en },
        "trace": trace,
        "missing": evaluation.missing.iter().map(missing_json).collect::<Vec<_>>(),
        "studied": amount(evaluation.studied_hundredths),
        "recognised": amount(evaluation.recognised_hundredths),
        "total": amount(evaluation.total_hundredths),
    })
}

/// A plan as JSON.
pub(crate) fn plan_json(plan: &v1::PlanResponse) -> Value {
    json!({
        "uses": uses(&plan.uses),
        "evaluation": plan.evaluation.as_ref().map(evaluation_json),
        "proven": plan.proven,
        "next_steps": { "zh": plan.next_steps_zh, "en": plan.next_steps_en },
    })
}

/// Prints an application, its steps and its decision.
pub(crate) fn application(file: &v1::ApplicationFile, language: Language) {
    let form = file.form.clone().unwrap_or_default();
    let line = |name: &str, value: &str| {
        if !value.is_empty() {
            out(&format!("{name:<13}{value}"));
        }
    };
    line("application", &file.application.to_string());
    line("learner", &file.learner);
    line("state", &state(file.state()));
    line("programme", &form.programme);
    line("rule set", &hex(&file.rule_set_hash));
    line("applied on", &file.applied_on);
    line("note", &form.note);
    line("due", &due(file));
    for it in &form.uses {
        line("use", &use_text(it));
    }
    let step = |it: &v1::ApplicationStep| {
        let vote = match (it.kind(), it.approve) {
            (v1::RecordKind::Review, true) => "approve",
            (v1::RecordKind::Review, false) => "reject",
            _ => "",
        };
        [
            it.leaf_index.to_string(),
            kind(it.kind),
            vote.to_owned(),
            it.actor.clone(),
            moment(it.deposited_at_ms),
            it.reason.clone(),
        ]
    };
    let steps: Vec<_> = file.steps.iter().map(step).collect();
    if !steps.is_empty() {
        out("");
        table(
            ["leaf", "step", "vote", "actor", "deposited", "reason"],
            &steps,
        );
    }
    if let Some(it) = &file.evaluation {
        out("");
        evaluation(it, language);
    }
}

/// Prints a list of applications.
pub(crate) fn applications(files: &[v1::ApplicationFile]) {
    let row = |file: &v1::ApplicationFile| {
        [
            file.application.to_string(),
            state(file.state()),
            file.form
                .as_ref()
                .map(|form| form.programme.clone())
                .unwrap_or_default(),
            file.applied_on.clone(),
            due(file),
            file.learner.clone(),
        ]
    };
    let rows: Vec<_> = files.iter().map(row).collect();
    table(
        [
            "application",
            "state",
            "programme",
            "applied on",
            "due",
            "learner",
        ],
        &rows,
    );
}

/// Prints applications as JSON.
pub(crate) fn applications_json(files: &[v1::ApplicationFile]) {
    print_json(&files.iter().map(application_json).collect());
}

/// An application as JSON.
pub(crate) fn application_json(file: &v1::ApplicationFile) -> Value {
    let form = file.form.clone().unwrap_or_default();
    let step = |it: &v1::ApplicationStep| {
        let is_vote = it.kind() == v1::RecordKind::Review;
        json!({
            "leaf_index": it.leaf_index,
            "kind": kind(it.kind),
            "actor": it.actor,
            "deposited_at": moment(it.deposited_at_ms),
            "approve": is_vote.then_some(it.approve),
            "reason": it.reason,
        })
    };
    json!({
        "application": file.application,
        "learner": file.learner,
        "state": state_name(file.state()),
        "programme": form.programme,
        "rule_set_hash": hex(&file.rule_set_hash),
        "uses": uses(&form.uses),
        "note": form.note,
        "applied_on": file.applied_on,
        "due_step": file.due_step,
        "due_on": file.due_on,
        "overdue": file.overdue,
        "steps": file.steps.iter().map(step).collect::<Vec<_>>(),
        "evaluation": file.evaluation.as_ref().map(evaluation_json),
    })
}

/// A use as `apply submit --use` takes it.
pub(crate) fn use_text(it: &v1::Use) -> String {
    let outcomes: Vec<_> = it.outcomes.iter().map(ToString::to_string).collect();
    let courses = match it.courses.as_slice() {
        [] => String::new(),
        courses => format!(":{}", courses.join(",")),
    };
    format!("{}={}{courses}", it.rule, outcomes.join(","))
}

/// Where an application stands.
pub(crate) fn state(state: v1::ApplicationState) -> String {
    use v1::ApplicationState as S;
    let label = match state {
        S::Unspecified => "?",
        S::Submitted => "已提交",
        S::Accepted => "评审中",
        S::Returned => "已退回",
        S::Noticed => "公示中",
        S::Decided => "已决定",
        S::Appealed => "申诉中",
        S::Closed => "已办结",
        S::Reversed => "已撤销",
        S::Withdrawn => "已撤回",
    };
    format!("{} {label}", state_name(state))
}

fn state_name(state: v1::ApplicationState) -> String {
    word(state.as_str_name(), "APPLICATION_STATE_")
}

/// What is awaited, and until when.
fn due(file: &v1::ApplicationFile) -> String {
    let late = if file.overdue {
        ", overdue 已逾期"
    } else {
        ""
    };
    match file.due_on.as_str() {
        "" => String::new(),
        day => format!("{} by {day}{late}", file.due_step),
    }
}

fn missing_json(it: &v1::MissingPart) -> Value {
    use v1::missing_part::Part;
    let (part, id) = match &it.part {
        Some(Part::Course(code)) => ("course", code.as_str()),
        Some(Part::Module(module)) => ("module", module.as_str()),
        Some(Part::Residency(_)) => ("residency", ""),
        Some(Part::AtLevel(_)) => ("at-level", ""),
        Some(Part::Minimum(minimum)) => ("minimum", minimum.as_str()),
        Some(Part::Total(_)) => ("total", ""),
        None => ("unknown", ""),
    };
    json!({ "part": part, "id": id, "credits": hundredths(u64::from(it.credits_hundredths)) })
}
