//! A decision in words, Chinese or English: what is granted, what is not and why, what is missing, and each step.
//!
//! The Chinese is for the learner, who may be seventy and alone with it: short sentences, no codes where a name is
//! known. Nothing personal is in it but the names of achievements.

mod amounts;
mod finding;
mod next;
mod reason;

use self::amounts::grade;
pub use self::next::explain_next;
use super::compile::Compiled;
use super::decision::{Decision, Line, LineTarget, Missing, RecordedGrade, RefusedUse, Step};
use super::programme::{Course, Module, Programme};
use super::rule::Rule;
use super::set::{Place, Wording};
use super::{Held, Limit};
use crate::LeafIndex;

/// The language of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

/// A decision in sentences: first what is granted, then what is not and why, then what the programme still needs, then
/// how each amount came about, one sentence a use of a rule. `held` lends the names of the achievements.
#[must_use]
pub fn explain(
    set: &Compiled,
    decision: &Decision,
    held: &[Held],
    language: Language,
) -> Vec<String> {
    let teller = Teller::new(set, decision, held, language);
    let mut sentences = vec![teller.summary()];
    sentences.extend(decision.lines.iter().map(|line| teller.line(line)));
    sentences.extend(
        decision
            .refused
            .iter()
            .map(|refused| teller.refused(refused)),
    );
    sentences.extend(teller.standing());
    sentences.extend(
        decision
            .progress
            .missing
            .iter()
            .map(|missing| teller.missing(missing)),
    );
    sentences.extend(teller.steps());
    sentences
}

/// What the sentences need to know.
struct Teller<'a> {
    set: &'a Compiled,
    decision: &'a Decision,
    held: &'a [Held],
    language: Language,
    programme: Option<&'a Programme>,
}

impl<'a> Teller<'a> {
    fn new(
        set: &'a Compiled,
        decision: &'a Decision,
        held: &'a [Held],
        language: Language,
    ) -> Self {
        let mut programmes = set.set().programmes.iter();
        Self {
            set,
            decision,
            held,
            language,
            programme: programmes.find(|it| it.id == decision.programme),
        }
    }

    /// One of two texts.
    fn say(&self, zh: String, en: String) -> String {
        match self.language {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    fn summary(&self) -> String {
        let lines = &self.decision.lines;
        let hundredths: u64 = lines
            .iter()
            .map(|it| u64::from(it.credits.hundredths()))
            .sum();
        let programme = self.programme.map_or_else(
            || self.decision.programme.clone(),
            |it| self.wording(&it.title, &it.id),
        );
        let date = self.decision.date;
        if hundredths == 0 {
            return self.say(
                format!("{date} 申请“{programme}”：本次没有认定学分。"),
                format!("Applied on {date} for “{programme}”: no credit is granted."),
            );
        }
        let credits = amounts::decimal(hundredths);
        self.say(
            format!("{date} 申请“{programme}”：本次共认定 {credits} 学分。"),
            format!("Applied on {date} for “{programme}”: {credits} credits are granted."),
        )
    }

    fn line(&self, line: &Line) -> String {
        let outcomes = self.outcomes(&line.outcomes);
        let to = self.target(&line.to);
        let credits = line.credits;
        if line.to == LineTarget::Nothing {
            return self.say(
                format!("{outcomes}：按规定不计学分。"),
                format!("{outcomes}: explicitly worth no credit."),
            );
        }
        let (zh, en) = match line.grade {
            RecordedGrade::None => (String::new(), String::new()),
            RecordedGrade::Exempt => ("，成绩记为“免考”".into(), ", recorded as exempt".into()),
            RecordedGrade::Grade(it) => (
                format!("，成绩记为 {}", grade(it, Language::Chinese)),
                format!(", grade recorded as {}", grade(it, Language::English)),
            ),
        };
        self.say(
            format!("{outcomes}：认定为{to}，{credits} 学分{zh}。"),
            format!("{outcomes}: {credits} credits for {to}{en}."),
        )
    }

    fn refused(&self, refused: &RefusedUse) -> String {
        let outcomes = self.outcomes(&refused.outcomes);
        let reason = self.reason(&refused.reason);
        let mut steps = self.decision.trace.iter();
        let place = steps
            .find(|step| *step.rule == *refused.rule)
            .map(|step| step.place);
        let rule = self.cite(&refused.rule, place);
        self.say(
            format!("{outcomes}：没有认定，因为{reason}。依据：{rule}。"),
            format!("{outcomes}: nothing is granted, because {reason}. By {rule}."),
        )
    }

    fn standing(&self) -> Option<String> {
        self.programme?;
        let progress = &self.decision.progress;
        let (studied, recognised, total) = (progress.studied, progress.recognised, progress.total);
        let mut sentence = self.say(
            format!("到现在：修得 {studied} 学分，认定 {recognised} 学分，总共需要 {total} 学分。"),
            format!(
                "So far: {studied} credits studied and {recognised} recognised, of {total} in all."
            ),
        );
        if progress.missing.is_empty() {
            sentence.push_str(&self.say(
                "要求已经全部达到。".into(),
                " Everything is complete.".into(),
            ));
        }
        Some(sentence)
    }

    fn missing(&self, missing: &Missing) -> String {
        match missing {
            Missing::Course(code) => {
                let course = self.course(code);
                let credits = course.map(|it| it.credits).unwrap_or_default();
                let name = self.course_name(code);
                self.say(
                    format!("还缺必修课{name}，{credits} 学分。"),
                    format!("Still missing: the required course {name}, {credits} credits."),
                )
            }
            Missing::Module { module, credits } => {
                let module = self.module_name(module);
                self.say(
                    format!("{module}还差 {credits} 学分。"),
                    format!("Still missing: {credits} credits of {module}."),
                )
            }
            Missing::Residency(credits) => self.say(
                format!("在校学习的学分还差 {credits} 学分。"),
                format!("Still missing: {credits} credits studied at the institution itself."),
            ),
            Missing::AtLevel(credits) => self.say(
                format!("达到规定等级的学分还差 {credits} 学分。"),
                format!(
                    "Still missing: {credits} credits at the level that the programme asks for."
                ),
            ),
            Missing::Minimum { minimum, credits } => {
                let minima = self.programme.map_or(&[][..], |it| &it.minima);
                let found = minima.iter().find(|it| it.id == *minimum);
                let title =
                    found.map_or_else(|| minimum.clone(), |it| self.wording(&it.title, minimum));
                self.say(
                    format!("“{title}”还差 {credits} 学分。"),
                    format!("Still missing: {credits} credits of “{title}”."),
                )
            }
            Missing::Total(credits) => self.say(
                format!("总学分还差 {credits} 学分。"),
                format!("Still missing in all: {credits} credits."),
            ),
        }
    }

    /// The steps of each use in their order, behind its rule and outcomes.
    fn steps(&self) -> Vec<String> {
        let mut uses: Vec<Vec<&Step>> = Vec::new();
        for step in &self.decision.trace {
            let same =
                |it: &&mut Vec<&Step>| it[0].rule == step.rule && it[0].outcomes == step.outcomes;
            match uses.iter_mut().find(same) {
                Some(steps) => steps.push(step),
                None => uses.push(vec![step]),
            }
        }
        uses.iter().map(|steps| self.of_use(steps)).collect()
    }

    fn of_use(&self, steps: &[&Step]) -> String {
        let (id, outcomes) = (&steps[0].rule, self.outcomes(&steps[0].outcomes));
        // Some steps stand at a limit or an agreement; the others tell the version of the rule.
        let is_of_rule = |place: &Place| self.set.versions(id).any(|it| it.place == *place);
        let place = steps.iter().map(|step| step.place).find(is_of_rule);
        let rule = self.cite(id, place);
        let findings: Vec<_> = steps.iter().map(|step| self.finding(step)).collect();
        self.say(
            format!("{rule}，{outcomes}：{}。", findings.join("；")),
            format!("{rule}, {outcomes}: {}.", findings.join("; ")),
        )
    }

    /// A rule by title and clause, in the version that stands at `place` if one does.
    fn cite(&self, id: &str, place: Option<Place>) -> String {
        match self.rule(id, place) {
            Some(rule) => self.titled(&rule.title, id, &rule.clause),
            None => self.say(format!("规则“{id}”"), format!("rule “{id}”")),
        }
    }

    fn titled(&self, title: &Wording, id: &str, clause: &str) -> String {
        let title = self.wording(title, id);
        match (self.language, clause.is_empty()) {
            (Language::Chinese, true) => format!("“{title}”"),
            (Language::Chinese, false) => format!("“{title}”（{clause}）"),
            (Language::English, true) => format!("“{title}”"),
            (Language::English, false) => format!("“{title}” ({clause})"),
        }
    }

    fn rule(&self, id: &str, place: Option<Place>) -> Option<&'a Rule> {
        let at_place = |rule: &&Rule| place.is_some_and(|place| rule.place == place);
        let mut versions = self.set.versions(id);
        versions.clone().find(at_place).or_else(|| versions.next())
    }

    fn limit(&self, id: &str) -> Option<&'a Limit> {
        self.set.set().limits.iter().find(|limit| limit.id == id)
    }

    fn course(&self, code: &str) -> Option<&'a Course> {
        let mut courses = self
            .programme?
            .modules
            .iter()
            .flat_map(|module| &module.courses);
        courses.find(|course| course.code == code)
    }

    fn module(&self, id: &str) -> Option<&'a Module> {
        self.programme?
            .modules
            .iter()
            .find(|module| module.id == id)
    }

    /// A title in the language, or in the other, or the id.
    fn wording(&self, title: &Wording, id: &str) -> String {
        let (first, second) = match self.language {
            Language::Chinese => (&title.zh, &title.en),
            Language::English => (&title.en, &title.zh),
        };
        let mut texts = [first.as_str(), second.as_str(), id].into_iter();
        texts
            .find(|text| !text.is_empty())
            .unwrap_or_default()
            .to_owned()
    }

    fn course_name(&self, code: &str) -> String {
        let name = self.course(code).map_or(code, |course| &course.name);
        format!("“{name}”")
    }

    fn module_name(&self, id: &str) -> String {
        let title = self
            .module(id)
            .map_or_else(|| id.to_owned(), |it| self.wording(&it.title, id));
        self.say(format!("模块“{title}”"), format!("module “{title}”"))
    }

    fn target(&self, to: &LineTarget) -> String {
        match to {
            LineTarget::Course(code) => {
                let name = self.course_name(code);
                self.say(format!("课程{name}"), format!("course {name}"))
            }
            LineTarget::Module(id) => self.module_name(id),
            LineTarget::Nothing => self.say("不计学分".into(), "no credit".into()),
        }
    }

    fn outcomes(&self, leaves: &[LeafIndex]) -> String {
        let names: Vec<String> = leaves.iter().map(|leaf| self.outcome(*leaf)).collect();
        match (self.language, names.as_slice()) {
            (Language::Chinese, []) => "没有指定学习成果".into(),
            (Language::English, []) => "no outcome".into(),
            (Language::Chinese, names) => names.join("、"),
            (Language::English, names) => names.join(", "),
        }
    }

    fn outcome(&self, leaf: LeafIndex) -> String {
        let held = self.held.iter().find(|held| held.leaf == leaf);
        match held {
            Some(held) => format!("“{}”", held.outcome.achievement.name),
            None => self.say(format!("第 {leaf} 号成果"), format!("outcome {leaf}")),
        }
    }
}
