//! What the demo imports: a file of real scores, or rows that `creditbank sample` makes up.
//!
//! A file has the layout of the 1997 A-level chemistry data, `lea,school,student,score,…`: each
//! school becomes an institution, each row one result under the school's own student number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// From the columns of results.csv to the fields of an outcome.
const MAPPING: &str = include_str!("mapping.toml");
const HEADER: &str = "lea,school,student,score,";
const SCORE_MAX: u8 = 10;

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
                "institution,name\ncollege-1,示例开放大学\n",
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
