//! Made-up results in any number, for trying and measuring: what a seed gives is the same on every machine for ever.
//!
//! No learner is a real person: identity numbers are of regions 3199xx and 3299xx, which were never assigned. A bank
//! accepts them only where it was opened with `--test-regions`.

mod content;
mod people;
mod random;

use std::io::Write;

use anyhow::Result;
use creditbank_domain::catalogue::needs_project;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::outcome::Category;

use self::content::{columns, content};
use self::people::person;
use self::random::Random;

/// Rows a learner has on average: as many as an archive of Shanghai's bank.
const ROWS_PER_LEARNER: u64 = 20;
/// The columns of every category, before its own. Names are those of the mapping `sample`.
const COMMON: [&str; 13] = [
    "institution",
    "category",
    "external_id",
    "identity_kind",
    "identity_number",
    "learner_name",
    "achievement_code",
    "achievement_name",
    "project",
    "credits",
    "hours",
    "grade",
    "completed_on",
];
const INSTITUTION_NAME: &str = "institution_name";

/// How learners are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum IdentityKind {
    /// 18-digit numbers of unassigned regions.
    ResidentId,
    /// Numbers of the institution's own.
    StudentNumber,
}

/// What to make up.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) category: Category,
    /// At least one; rows go to them in turn.
    pub(crate) institutions: Vec<InstitutionId>,
    pub(crate) rows: u64,
    pub(crate) seed: u64,
    pub(crate) identity: IdentityKind,
}

impl Sample {
    /// Writes a header line and the rows as CSV.
    pub(crate) fn write_csv(&self, output: impl Write) -> Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .buffer_capacity(1 << 20)
            .from_writer(output);
        writer.write_record(self.header())?;
        for row in 0..self.rows {
            writer.write_record(self.row(row))?;
        }
        Ok(writer.flush()?)
    }

    /// Writes the rows as one JSON object a line, without members that are empty.
    pub(crate) fn write_ndjson(&self, mut output: impl Write) -> Result<()> {
        let header = self.header();
        for row in 0..self.rows {
            let cells = self.row(row);
            let members = header
                .iter()
                .zip(cells)
                .filter(|(_, cell)| !cell.is_empty());
            let object: serde_json::Map<_, _> = members
                .map(|(name, cell)| ((*name).to_owned(), cell.into()))
                .collect();
            serde_json::to_writer(&mut output, &object)?;
            output.write_all(b"\n")?;
        }
        Ok(output.flush()?)
    }

    fn header(&self) -> Vec<&'static str> {
        let detail = columns(self.category).iter().copied();
        COMMON
            .into_iter()
            .chain([INSTITUTION_NAME])
            .chain(detail)
            .collect()
    }

    fn row(&self, row: u64) -> Vec<String> {
        let mut random = Random::of(self.seed, row);
        let institution =
            self.institutions[(row % self.institutions.len() as u64) as usize].as_str();
        let learners = (self.rows / ROWS_PER_LEARNER).max(1);
        let person = person(self.seed, random.below(learners));
        let (kind, number) = match self.identity {
            IdentityKind::ResidentId => ("resident-id", person.resident_id),
            IdentityKind::StudentNumber => ("student-number", person.student_number),
        };
        let content = content(self.category, institution, &mut random);
        let mut cells = vec![
            institution.to_owned(),
            self.category.code().to_owned(),
            format!("{}-{row:09}", self.seed),
            kind.to_owned(),
            number,
            person.name,
            content.code,
            content.name,
            project(self.category),
            content.credits,
            content.hours,
            content.grade,
            content.completed_on,
            format!("示例教育机构 {institution}"),
        ];
        cells.extend(content.detail);
        cells
    }
}

/// The project that rows of a category belong to, where the category needs one: `sample-elder-course`.
fn project(category: Category) -> String {
    match needs_project(category) {
        true => format!("sample-{category}"),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests;
