//! An explanation in its parts: what is granted, what is not, what is missing and how to get it, how it came about.

use creditbank_wire::v1;

use crate::words::Lang;

/// The sentences of an evaluation, in the visitor's language.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) summary: String,
    pub(super) granted: Vec<Granted>,
    pub(super) refused: Vec<String>,
    /// Where the learner stands in the programme.
    pub(super) standing: String,
    pub(super) missing: Vec<Missing>,
    /// How each amount came about, a sentence a use.
    pub(super) steps: Vec<String>,
}

/// A line that is granted, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) sentence: String,
    pub(super) rule: String,
    pub(super) outcomes: Vec<u64>,
}

/// Something that a programme still needs, and ways to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) sentence: String,
    pub(super) ways: Vec<String>,
}

impl Told {
    /// Takes an explanation apart: its sentences follow the decision's lines, refused uses and missing parts.
    pub(super) fn of(evaluation: &v1::Evaluation, lang: Lang) -> Self {
        let sentences = lang.pick(&evaluation.explanation_zh, &evaluation.explanation_en);
        let mut sentences = sentences.iter().cloned();
        let decision = evaluation.decision.clone().unwrap_or_default();
        let summary = sentences.next().unwrap_or_default();
        let lines = decision.lines.into_iter();
        let granted = lines.zip(&mut sentences).map(|(line, sentence)| Granted {
            sentence,
            rule: line.rule,
            outcomes: line.outcomes,
        });
        let granted = granted.collect();
        let refused = sentences.by_ref().take(decision.refused.len()).collect();
        let standing = sentences.next().unwrap_or_default();
        let missing = sentences.by_ref().take(evaluation.missing.len());
        let missing = missing.map(|sentence| Missing {
            sentence,
            ways: Vec::new(),
        });
        Self {
            summary,
            granted,
            refused,
            standing,
            missing: missing.collect(),
            steps: sentences.collect(),
        }
    }

    /// Puts next steps beside what they are for: a step says what is missing, then a way to it.
    pub(super) fn with_next_steps(mut self, next: &[String]) -> Self {
        for it in &mut self.missing {
            let ways = next
                .iter()
                .filter_map(|step| step.strip_prefix(it.sentence.as_str()));
            it.ways = ways.map(|way| way.trim().to_owned()).collect();
        }
        self
    }

    /// What a use would be granted, a sentence a line.
    pub(super) fn of_use(&self, it: &v1::Use) -> Vec<String> {
        let is_of_it = |line: &&Granted| {
            line.rule == it.rule && line.outcomes.iter().all(|leaf| it.outcomes.contains(leaf))
        };
        let lines = self.granted.iter().filter(is_of_it);
        lines.map(|line| line.sentence.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> v1::Evaluation {
        let line = |rule: &str, outcomes: &[u64]| v1::Line {
            rule: rule.to_owned(),
            outcomes: outcomes.to_vec(),
            ..Default::default()
        };
        let text = ["sum", "one", "two", "no", "so far", "lacks X.", "how"];
        v1::Evaluation {
            decision: Some(v1::Decision {
                lines: vec![line("a", &[1]), line("b", &[2, 3])],
                refused: vec![v1::RefusedUse::default()],
                ..Default::default()
            }),
            missing: vec![v1::MissingPart::default()],
            explanation_en: text.map(str::to_owned).to_vec(),
            ..Default::default()
        }
    }

    #[test]
    fn sentences_find_their_places() {
        let next = ["lacks X. Study it.".to_owned(), "lacks Y. No.".to_owned()];
        let told = Told::of(&evaluation(), Lang::En).with_next_steps(&next);
        let it = v1::Use {
            rule: "b".to_owned(),
            outcomes: vec![2, 3],
            courses: Vec::new(),
        };
        assert_eq!(told.of_use(&it), ["two"]);
        assert_eq!(
            (told.summary.as_str(), told.standing.as_str()),
            ("sum", "so far")
        );
        assert_eq!(told.refused, ["no"]);
        assert_eq!(told.missing[0].ways, ["Study it."]);
        assert_eq!(told.steps, ["how"]);
    }

    #[test]
    fn an_explanation_that_is_too_short_shows_what_there_is() {
        let mut short = evaluation();
        short.explanation_en.truncate(2);
        let told = Told::of(&short, Lang::En);
        assert_eq!((told.granted.len(), told.refused.len()), (1, 0));
        assert_eq!(Told::of(&short, Lang::Zh), Told::default());
    }
}
