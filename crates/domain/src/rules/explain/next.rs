//! What could be done next, in words.

use super::super::next::{NextStep, Way};
use super::super::set::Wording;
use super::{Language, Teller};
use crate::rules::{Compiled, Decision};

/// One sentence a step: what is missing, and how it could be had.
#[must_use]
pub fn explain_next(
    set: &Compiled,
    decision: &Decision,
    steps: &[NextStep],
    language: Language,
) -> Vec<String> {
    let teller = Teller::new(set, decision, &[], language);
    steps.iter().map(|step| teller.next(step)).collect()
}

impl Teller<'_> {
    fn next(&self, step: &NextStep) -> String {
        let missing = self.missing(&step.missing);
        let way = match &step.way {
            Way::Study => self.say("可直接修读。".into(), " It can be studied.".into()),
            Way::Outcome { rule, title, .. } => {
                let rules = &self.set.set().rules;
                let found = rules.iter().find(|it| it.id == *rule);
                let named = |wording: &Wording| self.say(wording.zh.clone(), wording.en.clone());
                let rule = found.map_or_else(|| rule.clone(), |it| named(&it.title));
                match named(title) {
                    what if what.is_empty() => self.say(
                        format!("再有一项符合规则“{rule}”的成果即可。"),
                        format!(" One more outcome under the rule “{rule}” would do."),
                    ),
                    what => self.say(
                        format!("再取得“{what}”即可（规则“{rule}”）。"),
                        format!(" “{what}” would do, by the rule “{rule}”."),
                    ),
                }
            }
        };
        format!("{missing}{way}")
    }
}
