//! The learners of the bench, written as the worked examples of a rule document are: 40 outcomes each, of eight
//! categories. About 26 of them find a rule that grants something; others are too old or failed, and some are worth the same course.

use std::fmt::Write as _;

use anyhow::{Result, anyhow, ensure};
use creditbank_domain::LeafIndex;
use creditbank_domain::rules::{Case, Compiled, Prior, Use, candidates, evaluate};
use creditbank_rulebook::{Example, Source, examples};

use super::documents::{
    COURSES_IN_RULES, LEVELS, OCCUPATIONS, PROGRAMMES, course_name, document, paper, source_name,
};
use crate::load::scatter;

/// How many there are.
const LEARNERS: usize = 48;
/// Outcomes of each.
pub(super) const OUTCOMES: usize = 40;
/// Learners of a document: below the most bytes of one.
const LEARNERS_PER_DOCUMENT: usize = 6;
/// Uses that were decided before, of every third learner.
const USES_BEFORE: usize = 4;
/// Where the courses of others come from, with their regions.
const COLLEGES: [(&str, &str); 4] = [
    ("partner-college", "310115"),
    ("second-college", "320102"),
    ("third-college", "330106"),
    ("fourth-college", "340103"),
];

/// A learner, and what they propose: every use that would be granted alone.
pub(super) struct Learner {
    example: Example,
    prior: Vec<Prior>,
    pub(super) uses: Vec<Use>,
}

impl Learner {
    pub(super) fn case(&self) -> Case<'_> {
        Case {
            programme: self.example.programme.as_deref().unwrap_or_default(),
            date: self.example.date,
            held: &self.example.held,
            prior: &self.prior,
        }
    }

    /// How many outcomes are in a use that would be granted alone.
    pub(super) fn outcomes_with_a_rule(&self) -> usize {
        let mut leaves: Vec<LeafIndex> = self
            .uses
            .iter()
            .flat_map(|it| it.outcomes.iter().copied())
            .collect();
        leaves.sort_unstable();
        leaves.dedup();
        leaves.len()
    }
}

/// All of them, with what they propose under a set.
pub(super) fn learners(set: &Compiled) -> Result<Vec<Learner>> {
    let texts: Vec<String> = (0..LEARNERS).map(example).collect();
    let documents = texts.chunks(LEARNERS_PER_DOCUMENT).enumerate();
    let sources: Vec<Source> = documents
        .map(|(number, texts)| document(&format!("learners-{number}"), &texts.concat()))
        .collect();
    let examples = examples(&sources)
        .map_err(|findings| anyhow!("the bench's learners: {:?}", findings.first()))?;
    ensure!(examples.len() == LEARNERS, "{} learners", examples.len());
    let learners = (0..).zip(examples);
    Ok(learners
        .map(|(number, example)| learner(set, number, example))
        .collect())
}

fn learner(set: &Compiled, number: u64, example: Example) -> Learner {
    let mut learner = Learner {
        example,
        prior: Vec::new(),
        uses: Vec::new(),
    };
    learner.uses = candidates(set, &learner.case());
    if number.is_multiple_of(3) {
        let before = &learner.uses[..USES_BEFORE.min(learner.uses.len())];
        let decided = evaluate(set, &learner.case(), before);
        learner.prior = vec![Prior {
            decision: LeafIndex(1_000 + number),
            programme: decided.programme,
            lines: decided.lines,
        }];
        learner.uses = candidates(set, &learner.case());
    }
    learner
}

fn example(number: usize) -> String {
    let mut archive = Archive {
        learner: number,
        programme: number % PROGRAMMES,
        text: String::new(),
        count: 0,
    };
    archive.fill();
    format!(
        "[[example]]\ntitle = \"{number}\"\nprogramme = \"programme-{}\"\ndate = \"2026-06-30\"\nexpect = {{ automatic = false }}\noutcomes = [\n{}]\n\n",
        archive.programme, archive.text
    )
}

/// The outcomes of one learner as they are written.
struct Archive {
    learner: usize,
    programme: usize,
    text: String,
    count: usize,
}

impl Archive {
    fn fill(&mut self) {
        let (learner, p) = (self.learner, self.programme);
        for number in 0..15 {
            let course = (learner * 5 + number * 7) % COURSES_IN_RULES;
            self.course(&course_name(p, course), number, 4);
        }
        for number in 0..5 {
            let paper = paper(p, (learner + 2 * number) % 10);
            let rest = format!(
                "name = \"{paper}\", code = \"{paper}\", credits = \"4\", grade = \"{}\"",
                self.grade()
            );
            self.add("self-study-exam", &rest);
        }
        for number in 0..2 {
            let (occupation, level) = (
                OCCUPATIONS[p],
                LEVELS[(learner + 2 * number) % LEVELS.len()],
            );
            let rest =
                format!("name = \"证书\", occupation = \"{occupation}\", level = \"{level}\"");
            self.add("skill-certificate", &rest);
            let name = source_name(p, "等级考试", (learner + number) % 5);
            self.add(
                "skill-certificate",
                &format!("name = \"{name}\", level_printed = \"合格\""),
            );
            let name = source_name(p, "综合课", (learner + number) % 5);
            self.course(&name, number, 10);
            for part in ["上册", "下册"] {
                let name = source_name(p, part, (learner + number) % 5);
                self.course(&name, number + 1, 3);
            }
            for category in ["elder-course", "community-course"] {
                let name = source_name(p, "讲座", (learner + number) % 5);
                let rest = format!(
                    "name = \"{name}\", hours = \"32\", planned = 16, attended = {}",
                    10 + number * 4
                );
                self.add(category, &rest);
            }
        }
        self.course(&source_name(p, "选修课", learner % 6), 3, 6);
        let name = source_name(p, "短训", learner % 3);
        self.add("training", &format!("name = \"{name}\""));
        for course in [learner % 38, (learner + 11) % 38] {
            let own = format!(
                "name = \"{}\", institution = \"open-university\", credits = \"3\"",
                course_name(p, course)
            );
            self.add("degree-course", &own);
        }
        self.add(
            "humanities-walk",
            "name = \"外滩\", hours = \"2\", points = [\"DAYT09:30:00 P1\"]",
        );
        self.add(
            "venue-learning",
            "name = \"博物馆\", hours = \"2\", minutes = 90",
        );
        while self.count < OUTCOMES {
            let other = (p + self.count) % PROGRAMMES;
            let name = source_name(other, "没有规则的课", self.count);
            self.add("training", &format!("name = \"{name}\""));
        }
    }

    fn course(&mut self, name: &str, number: usize, credits: usize) {
        let (college, region) = COLLEGES[(self.learner + number) % COLLEGES.len()];
        let grade = self.grade();
        let rest = format!(
            "name = \"{name}\", institution = \"{college}\", region = \"{region}\", credits = \"{credits}\", grade = \"{grade}\""
        );
        self.add("degree-course", &rest);
    }

    /// Adds an outcome of a day, which `rest` may name.
    fn add(&mut self, category: &str, rest: &str) {
        self.count += 1;
        let luck = self.luck();
        let day = format!("{}-{:02}-15", 2020 + luck % 6, 1 + luck / 6 % 12);
        let (number, rest) = (self.count, rest.replace("DAY", &day));
        writeln!(
            self.text,
            "  {{ id = {number}, category = \"{category}\", completed_on = \"{day}\", {rest} }},"
        )
        .expect("a string");
    }

    /// Mostly passed.
    fn grade(&self) -> u64 {
        58 + self.luck() / 101 % 42
    }

    fn luck(&self) -> u64 {
        scatter((self.learner * OUTCOMES + self.count) as u64)
    }
}
