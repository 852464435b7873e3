//! `creditbank sample`: made-up results.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::outcome::Category;

use crate::sample::{IdentityKind, Sample as Rows};
use crate::table::Format;

/// Write made-up results, to try a bank with.
#[derive(clap::Args)]
#[command(after_help = "\
The same seed gives the same file on every machine. No learner is a real person: identity
numbers are of regions 3199xx and 3299xx, which were never assigned, and a bank takes them only
if it was made with `init --test-regions`. The columns are those of the built-in mapping
`sample`, which `creditbank import` uses if no other is named.

Categories: degree-course, self-study-exam, skill-certificate, training, community-course,
elder-course, venue-learning, humanities-walk, dual-track.

Examples:
  creditbank sample --institution college-1 --rows 1000 --output results.csv
  creditbank sample --category humanities-walk --institution museum,library --seed 7")]
pub(crate) struct Sample {
    /// Category of the outcomes.
    #[arg(long, default_value = "degree-course")]
    category: String,
    /// Institutions that deposit, in turn; several with commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', required = true)]
    institution: Vec<String>,
    /// How many rows.
    #[arg(long, default_value_t = 1_000)]
    rows: u64,
    /// What decides everything that is made up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How learners are identified.
    #[arg(long, value_enum, default_value = "resident-id")]
    identity: IdentityKind,
    /// csv or ndjson.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Where it goes; stdout if not given.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Sample {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let category = Category::parse(&self.category).with_context(|| {
            format!(
                "no category {:?}; there are {}",
                self.category,
                Category::ALL.map(Category::code).join(", ")
            )
        })?;
        let institution = |id: &String| {
            InstitutionId::parse(id).with_context(|| format!("{id:?} is no id of an institution"))
        };
        let institutions = self
            .institution
            .iter()
            .map(institution)
            .collect::<Result<_>>()?;
        let sample = Rows {
            category,
            institutions,
            rows: self.rows,
            seed: self.seed,
            identity: self.identity,
        };
        let output: Box<dyn Write> = match &self.output {
            Some(path) => Box::new(
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?,
            ),
            None => Box::new(std::io::stdout().lock()),
        };
        let output = BufWriter::with_capacity(1 << 20, output);
        match self.format {
            Format::Csv => sample.write_csv(output)?,
            Format::Ndjson => sample.write_ndjson(output)?,
            Format::Xlsx => bail!("samples are written as csv or ndjson"),
        }
        if let Some(path) = &self.output {
            println!("{} rows in {}", self.rows, path.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}
