//! What the demo imports: a file of real scores, or rows that `creditbank sample` makes up.
//!
//! A file has the layout of the 1997 A-level chemistry data, `lea,school,student,score,…`: each
//! school becomes an institution, each row one result under the school's own student number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::recognition::Learner;

/// From the columns of results.csv to the fields of an outcome.
const MAPPING: &str = include_str!("mapping.toml");
const HEADER: &str = "lea,school,student,score,";
const SCORE_MAX: u8 = 10;
/// The least that the rule about A-levels takes.
const SCORE_MIN: u8 = 4;
/// The demo's step about a learner of the results.
const STEP: &str = "recognise a learner of the results";

/// What there is to import.
pub(super) enum Results {
    /// Scores read from a file.
    Scores(Scores),
    /// As many rows of one college, made up by the bank's own `sample`.
    Sample { rows: u64 },
}

/// Scores of students by school.
#[derive(Default)]
pub(super) struct Scores {
    /// Name of each institution by its identifier.
    schools: BTreeMap<String, String>,
    /// Institution, student and score of each result.
    rows: Vec<(String, String, u8)>,
}

impl Results {
    /// Reads a file of scores.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file);
        let text = text.with_context(|| format!("cannot read {}", file.display()))?;
        let scores = Scores::parse(&text).with_context(|| format!("in {}", file.display()))?;
        Ok(Self::Scores(scores))
    }

    /// Writes institutions.csv into the folder and, of a file, also results.csv and mapping.toml.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
        };
        match self {
            Self::Scores(scores) => {
                write("institutions.csv", &scores.institutions_csv()?)?;
                write("results.csv", &scores.results_csv()?)?;
                write("mapping.toml", MAPPING)
            }
            Self::Sample { .. } => write(
                "institutions.csv",
                "institution,name,region\ncollege-1,江苏示例开放大学,320106\n",
            ),
        }
    }

    /// What is imported, in a few words.
    pub(super) fn describe(&self) -> String {
        let kind = match self {
            Self::Scores(_) => "results",
            Self::Sample { .. } => "made-up results",
        };
        format!(
            "{} {kind} of {} institutions",
            self.rows(),
            self.institutions()
        )
    }

    /// A learner of these results for whom a shipped rule is worth something; none if there is none.
    pub(super) fn learner(&self, folder: &Path) -> Result<Option<Learner>> {
        match self {
            Self::Scores(scores) => Ok(scores.learner()),
            Self::Sample { .. } => {
                let file = folder.join("results.csv");
                let text = fs::read_to_string(&file);
                let text = text.with_context(|| format!("cannot read {}", file.display()))?;
                Ok(made_up(&text))
            }
        }
    }

    pub(super) fn institutions(&self) -> u64 {
        match self {
            Self::Scores(scores) => scores.schools.len() as u64,
            Self::Sample { .. } => 1,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        match self {
            Self::Scores(scores) => scores.rows.len() as u64,
            Self::Sample { rows } => *rows,
        }
    }
}

impl Scores {
    fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        ensure!(
            header.starts_with(HEADER),
            "the first line does not begin with {HEADER}"
        );
        let mut scores = Self::default();
        for (number, line) in (2..).zip(lines) {
            let [lea, school, student, score, ..] = line.split(',').collect::<Vec<_>>()[..] else {
                bail!("line {number} has too few columns");
            };
            let score = score.parse().ok().filter(|score| *score <= SCORE_MAX);
            let score =
                score.with_context(|| format!("line {number}: the score is not 0 to 10"))?;
            let id = format!("school-{school}");
            let name = || format!("School {school}, authority {lea}");
            scores.schools.entry(id.clone()).or_insert_with(name);
            scores.rows.push((id, student.to_owned(), score));
        }
        Ok(scores)
    }

    /// The first with the best score, if the rule takes it.
    fn learner(&self) -> Option<Learner> {
        let best = self.rows.iter().rev().max_by_key(|(_, _, score)| score);
        let (school, student, score) = best.filter(|(_, _, score)| *score >= SCORE_MIN)?;
        Some(Learner {
            step: STEP,
            results: None,
            doubt: None,
            earns: false,
            name: format!("{student} 号考生"),
            about: format!(
                "真实数据：{school} 学校，1997 年 A-level 化学 {score} 分，申请应用化工技术（专科）"
            ),
            number: student.clone(),
            document: "student-number",
            keeper: school.clone(),
            rules: "delta",
            programme: "chemical-technology-sh",
            aim: "应用化工技术（专科）",
        })
    }

    fn institutions_csv(&self) -> Result<String> {
        let mut csv = String::from("institution,name\n");
        for (id, name) in &self.schools {
            writeln!(csv, "{id},\"{name}\"")?;
        }
        Ok(csv)
    }

    fn results_csv(&self) -> Result<String> {
        let mut csv = String::from("institution,student,score\n");
        for (school, student, score) in &self.rows {
            writeln!(csv, "{school},{student},{score}")?;
        }
        Ok(csv)
    }
}

/// The first in a file of `creditbank sample` who passed a course that Shanghai recognises from Jiangsu.
fn made_up(text: &str) -> Option<Learner> {
    const COURSE: &str = "基础会计";
    /// The first day of the agreement's present version.
    const SINCE: &str = "2023-03-01";
    let mut lines = text.lines();
    let header: Vec<_> = lines.next()?.split(',').collect();
    let place = |name: &str| header.iter().position(|it| *it == name);
    let (course, grade, day) = (
        place("achievement_name")?,
        place("grade")?,
        place("completed_on")?,
    );
    let (number, name) = (place("identity_number")?, place("learner_name")?);
    let mut rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
    // Grades below 60 begin with a 5: those of the sample are between 52 and 99.
    let row = rows.find(|row| {
        row.get(course) == Some(&COURSE)
            && row.get(grade).is_some_and(|it| !it.starts_with('5'))
            && row.get(day).is_some_and(|it| *it >= SINCE)
    })?;
    Some(Learner {
        step: STEP,
        results: None,
        doubt: None,
        earns: false,
        name: (*row.get(name)?).to_owned(),
        about: format!(
            "样例数据：江苏的“{COURSE}”{} 分，申请上海的市场营销（专科）",
            row[grade]
        ),
        number: (*row.get(number)?).to_owned(),
        document: "resident-id",
        keeper: "college-1".to_owned(),
        rules: "delta",
        programme: "marketing-sh",
        aim: "市场营销（专科）",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_results_of_institutions() {
        let text = "lea,school,student,score,gender\n1,1,1,4,F\n1,1,2,10,F\n2,9,3,0,M\n";
        let scores = Scores::parse(text).unwrap();
        let results = "institution,student,score\nschool-1,1,4\nschool-1,2,10\nschool-9,3,0\n";
        assert_eq!(scores.results_csv().unwrap(), results);
        let institutions = "institution,name\nschool-1,\"School 1, authority 1\"\nschool-9,\"School 9, authority 2\"\n";
        assert_eq!(scores.institutions_csv().unwrap(), institutions);
        assert_eq!(
            Results::Scores(scores).describe(),
            "3 results of 2 institutions"
        );
    }

    #[test]
    fn a_learner_is_chosen_for_whom_a_rule_is_worth_something() {
        let text = "lea,school,student,score,gender\n1,1,1,4,F\n1,1,2,10,F\n2,9,3,10,M\n";
        let best = Scores::parse(text).unwrap().learner().unwrap();
        assert_eq!(
            (best.keeper.as_str(), best.number.as_str()),
            ("school-1", "2")
        );
        let low = "lea,school,student,score,gender\n1,1,1,2,F\n";
        assert!(Scores::parse(low).unwrap().learner().is_none());
        let header = "identity_number,learner_name,achievement_name,grade,completed_on";
        let rows =
            "1,a,大学英语,90,2024-01-01\n2,b,基础会计,55,2024-01-01\n3,c,基础会计,80,2022-01-01";
        assert!(made_up(&format!("{header}\n{rows}\n")).is_none());
        let found = made_up(&format!("{header}\n{rows}\n4,d,基础会计,60,2023-03-01\n")).unwrap();
        assert_eq!((found.number.as_str(), found.name.as_str()), ("4", "d"));
    }

    #[test]
    fn another_layout_is_refused_with_its_line() {
        let cases = [
            ("a,b\n", "the first line"),
            ("lea,school,student,score,x\n1,1,1\n", "line 2 has too few"),
            (
                "lea,school,student,score,x\n1,1,1,4,F\n1,1,1,11,F\n",
                "line 3: the score",
            ),
        ];
        for (text, expected) in cases {
            let error = Scores::parse(text).err().expect("refused").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
