//! `creditbank rules diff --decisions`: which past decisions a set would decide otherwise.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};
use creditbank_client::{Bank, Line};
use creditbank_rulebook::Source;
use creditbank_wire::v1;
use serde_json::{Value, json};

use super::Output;
use crate::print;

/// What a bank found when it decided again.
pub(super) struct Compared {
    differences: Vec<v1::DecisionDifference>,
    /// The last message: how many of which.
    totals: v1::CompareDecisionsResponse,
}

/// Has a bank decide again, by the set of these documents, what it has decided under earlier versions of it.
pub(super) async fn compare(bank: &Bank, sources: Vec<Source>) -> Result<Compared> {
    let documents = sources.into_iter().map(|source| v1::RuleFile {
        name: source.name,
        text: source.text,
    });
    let request = v1::CompareDecisionsRequest {
        documents: documents.collect(),
        ..Default::default()
    };
    let send = |line: Line, it| async move { line.rules().compare_decisions(it).await };
    let mut answers = bank.call(request, send).await?;
    let show = std::io::stderr().is_terminal();
    let mut differences = Vec::new();
    loop {
        let told = answers.message().await?;
        let mut told = told.context("the bank broke off before it had looked at everything")?;
        differences.append(&mut told.differences);
        if show {
            eprint!(
                "\r{} decisions, {} differ",
                told.compared,
                differences.len()
            );
            drop(std::io::stderr().flush());
        }
        if told.done {
            if show {
                eprintln!();
            }
            return Ok(Compared {
                differences,
                totals: told,
            });
        }
    }
}

impl Compared {
    pub(super) fn tell(&self, output: Output) {
        self.differences.iter().for_each(|it| tell(it, output));
        let v1::CompareDecisionsResponse {
            compared,
            different,
            declined,
            gone,
            ..
        } = self.totals;
        print::out(&output.language.say(
            format!(
                "重新评定了 {compared} 项有效决定，{different} 项结果不同；未比较：评审不予认定的 {declined} 项，\
                 已注销或无法读取的 {gone} 项"
            ),
            format!(
                "{compared} standing decisions were decided again, {different} would differ; left out: {declined} \
                 declined by a panel, {gone} erased or unreadable"
            ),
        ));
    }

    pub(super) fn json(&self) -> Value {
        let difference = |it: &v1::DecisionDifference| {
            json!({
                "application": it.application,
                "programme": it.programme,
                "applied_on": it.applied_on,
                "rule_set_hash": print::hex(&it.rule_set_hash),
                "credits": amount(it.credits_hundredths),
                "credits_again": amount(it.credits_hundredths_again),
                "lost": it.lost.iter().map(print::line_json).collect::<Value>(),
                "gained": it.gained.iter().map(print::line_json).collect::<Value>(),
                "refused": it.refused.iter().map(print::refused_json).collect::<Value>(),
            })
        };
        json!({
            "compared": self.totals.compared,
            "different": self.totals.different,
            "declined": self.totals.declined,
            "gone": self.totals.gone,
            "differences": self.differences.iter().map(difference).collect::<Value>(),
        })
    }
}

fn tell(it: &v1::DecisionDifference, output: Output) {
    let (application, programme, on) = (it.application, &it.programme, &it.applied_on);
    let (was, is) = (
        amount(it.credits_hundredths),
        amount(it.credits_hundredths_again),
    );
    print::out(&output.language.say(
        format!("申请 {application}（{programme}，{on}）：{was} → {is} 学分"),
        format!("application {application} ({programme}, {on}): {was} -> {is} credits"),
    ));
    let line = |sign: char, line: &v1::Line| {
        let (rule, target) = (&line.rule, &line.target_id);
        let (credits, outcomes) = (amount(line.credits_hundredths), leaves(&line.outcomes));
        print::out(&format!(
            "  {sign} {credits:>7}  {target}  {rule}={outcomes}"
        ));
    };
    it.lost.iter().for_each(|it| line('-', it));
    it.gained.iter().for_each(|it| line('+', it));
    for refused in &it.refused {
        let (rule, code, outcomes) = (&refused.rule, &refused.code, leaves(&refused.outcomes));
        print::out(&format!("            {code}  {rule}={outcomes}"));
    }
}

fn leaves(outcomes: &[u64]) -> String {
    let outcomes: Vec<_> = outcomes.iter().map(ToString::to_string).collect();
    outcomes.join(",")
}

fn amount(hundredths: u32) -> String {
    print::hundredths(u64::from(hundredths))
}
