//! What became of the applications, at a glance.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Learner;
use crate::demo::bank::Bank;
use crate::demo::printed;

/// Every learner's application, once all are through.
pub(in crate::demo) struct Decided(Vec<Application>);

struct Application {
    name: String,
    code: String,
    rules: &'static str,
    programme: &'static str,
    aim: &'static str,
    leaf: String,
    state: String,
    /// Granted, in hundredths.
    credits: u64,
    due: String,
}

impl Decided {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads how an application stands.
    pub(super) fn add(
        &mut self,
        bank: &Bank,
        learner: &Learner,
        code: &str,
        leaf: &str,
    ) -> Result<()> {
        let said = bank.ask(&format!("apply show {leaf} --json --key keys/window.key"))?;
        let file: Value = serde_json::from_str(&said).context("in the JSON of apply show")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let credits = text(&file["evaluation"]["credits"]);
        let day = text(&file["due_on"]);
        let due = match file["due_step"].as_str() {
            Some("close") => format!("可申诉，{day} 办结"),
            Some(step) if !day.is_empty() => format!("{step} by {day}"),
            _ => "-".to_owned(),
        };
        self.0.push(Application {
            name: learner.name.clone(),
            code: code.to_owned(),
            rules: learner.rules,
            programme: learner.programme,
            aim: learner.aim,
            leaf: leaf.to_owned(),
            state: text(&file["state"]),
            credits: hundredths(&credits).with_context(|| format!("no credits: {credits:?}"))?,
            due,
        });
        Ok(())
    }

    /// Prints all of them and their sums.
    pub(in crate::demo) fn print(&self) {
        let head = [
            "学习者",
            "专业教学计划",
            "申请",
            "状态",
            "认定学分",
            "下一步",
        ];
        let row = |it: &Application| {
            let state = match it.state.as_str() {
                "decided" => "已决定".to_owned(),
                other => other.to_owned(),
            };
            [
                it.name.clone(),
                it.aim.to_owned(),
                it.leaf.clone(),
                state,
                decimal(it.credits),
                it.due.clone(),
            ]
        };
        let rows: Vec<_> = std::iter::once(head.map(str::to_owned))
            .chain(self.0.iter().map(row))
            .collect();
        print!("{}", printed::table(&rows));
        let all = self.0.len();
        let decided = self.0.iter().filter(|it| it.state == "decided").count();
        let credits = decimal(self.0.iter().map(|it| it.credits).sum());
        println!(
            "\n  {all} 位学习者，{all} 件申请，{decided} 项决定，共认定 {credits} 学分\n  \
             {all} learners, {all} applications, {decided} decisions, {credits} credits granted"
        );
    }

    /// Names and learner codes of those who were decided.
    pub(in crate::demo) fn learners(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|it| (it.name.as_str(), it.code.as_str()))
    }

    /// What to try next, behind `creditbank`.
    pub(in crate::demo) fn next(&self) -> Vec<String> {
        let Some(it) = self.0.first() else {
            return Vec::new();
        };
        let Application {
            code,
            rules,
            programme,
            leaf,
            ..
        } = it;
        vec![
            "receipt 0 --output receipt.txt".into(),
            "institution list".into(),
            "rules list".into(),
            format!("rules show {rules}"),
            "rules test rules/certificates --explain --language zh".into(),
            format!("archive {code} --key bank/operator.key"),
            format!(
                "apply plan {code} --rules {rules} --programme {programme} --key keys/window.key"
            ),
            format!("apply show {leaf} --language en --key keys/window.key"),
            "review list --key bank/operator.key".into(),
        ]
    }
}

/// A decimal as the commands print credits, in hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let part = match part.len() {
        1 => part.parse::<u64>().ok()? * 10,
        2 => part.parse().ok()?,
        _ => return None,
    };
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)
}

fn decimal(hundredths: u64) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_are_summed_as_they_are_printed() {
        for (text, value) in [("7.5", 750), ("0", 0), ("30", 3_000), ("6.67", 667)] {
            assert_eq!(hundredths(text), Some(value));
            assert_eq!(decimal(value), text);
        }
        for wrong in ["", "x", "1.234", "1."] {
            assert_eq!(hundredths(wrong), None);
        }
    }
}
