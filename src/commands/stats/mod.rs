//! `creditbank stats`: figures for the operator, yearbooks for everybody.

mod parquet;
mod population;
mod rows;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use creditbank_client::statistics;
use creditbank_domain::statistics::{ABOUT, Line, PARTICIPATION, Population, Table, Yearbook};
use creditbank_ledger::statistics::{recompute, yearbooks};
use creditbank_store::Store;
use creditbank_wire::convert::statistics::{cells, population as judged, population_message};
use creditbank_wire::v1;

use crate::config::Folder;
use crate::connection::{Connection, Key, block_on};
use crate::print::{self, Language, hex};

/// Show and export statistics, and publish yearbooks.
#[derive(clap::Args)]
#[command(after_help = "\
统计与年鉴。人数为不重复人数，人次为记录数；区为办学机构所在区；年龄为当年年底周岁。
Figures follow the log exactly: a record that is late, amended or revoked changes them, an erased
learner stays counted and is named nowhere. They are for the operator and auditors alone, since
nothing of them is suppressed. What is published is a yearbook: one a year, never changed, named by
the size of the log and the hash of its bytes. In it cells with fewer than five learners are
suppressed, and others with them, so that no sum or difference of its tables gives one away; so is a
single figure that fewer than five are behind. `preview` prints what `publish` would publish now.

The residents that learners are held against come from a file of yours:
  source = \"第七次全国人口普查公报\"     # what it is and whose, as it is printed
  dated = 2020-11-01                     # the day that it is about
  [residents]
  total = 24870895
  310101 = 662030                        # by district code

Examples:
  export CREDITBANK_KEY=bank/operator.key CREDITBANK_BANK=bank/bank.pub
  creditbank stats show 2026 --table category            (figures as they are now)
  creditbank stats preview 2025 --population residents.toml
  creditbank stats publish 2025 --population residents.toml
  creditbank stats list                                  (anybody)
  creditbank stats export 2025 --output 2025.csv         (the yearbook; anybody)
  creditbank stats export 2025 --output 2025.parquet --language en
  creditbank stats verify bank                           (a stopped bank: every yearbook again)

Exit code 0: done; 1: a yearbook does not come out as it was published, or the bank refused;
2: wrong usage; 3: the bank could not be reached.")]
pub(crate) struct Stats {
    #[command(subcommand)]
    action: Action,
    /// The language of headers and names.
    #[arg(long, global = true, value_enum, default_value = "zh")]
    language: Language,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Print the figures of a year as they are now, with nothing suppressed. Operators and auditors.
    Show {
        /// The year.
        year: u16,
        /// Only one table, such as total, category, month-category.
        #[arg(long)]
        table: Option<String>,
        /// Print CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Print what would be published of a year as it is now. Operators and auditors.
    Preview {
        /// The year.
        year: u16,
        /// Residents, to hold learners against: a TOML file.
        #[arg(long, value_name = "FILE")]
        population: Option<PathBuf>,
        /// Only one table, such as total, category, participation.
        #[arg(long)]
        table: Option<String>,
        /// Print CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Publish the yearbook of a year that is over, once and for ever. Operators.
    Publish {
        /// The year.
        year: u16,
        /// Residents, to hold learners against: a TOML file.
        #[arg(long, value_name = "FILE")]
        population: Option<PathBuf>,
    },
    /// List the yearbooks that were published.
    List,
    /// Write a yearbook to a file: .csv, .parquet, or .bin for its canonical bytes.
    Export {
        /// The year.
        year: u16,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Compute the yearbooks of a stopped bank again from its archives, as of the sizes that they were made from.
    Verify {
        /// The bank's folder.
        dir: PathBuf,
    },
}

impl Stats {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if let Action::Verify { dir } = &self.action {
            return verify(dir);
        }
        block_on(async {
            let caller = match self.action {
                Action::Show { .. } | Action::Preview { .. } | Action::Publish { .. } => {
                    Some(self.caller.required()?)
                }
                _ => self.caller.optional()?,
            };
            let options = self.connection.options()?;
            let bank = creditbank_client::Bank::connect(options, caller).await?;
            match &self.action {
                Action::Show { year, table, csv } => {
                    let figures = statistics::figures(&bank, *year).await?;
                    let cells = cells(*year, &figures.rows);
                    let lines = rows::lines(&figures.institutions, self.language);
                    let lines = lines.figures(*year, figures.tree_size, &cells);
                    self.show(lines, table.as_deref(), *csv)?;
                }
                Action::Preview {
                    year,
                    population,
                    table,
                    csv,
                } => {
                    let lines = self.preview(&bank, *year, population.as_deref()).await?;
                    self.show(lines, table.as_deref(), *csv)?;
                }
                Action::Publish { year, population } => {
                    let population = population.as_deref().map(population::read).transpose()?;
                    let made = statistics::publish(&bank, *year, population.as_ref()).await?;
                    list(&[made]);
                }
                Action::List => list(&statistics::list(&bank).await?),
                Action::Export { year, output } => self.export(&bank, *year, output).await?,
                Action::Verify { .. } => {}
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    fn show(&self, lines: Vec<Line>, table: Option<&str>, csv: bool) -> Result<()> {
        let is_about = |line: &Line| line.table == ABOUT;
        if let Some(table) = table {
            let mut known: Vec<_> = Table::ALL.map(Table::name).into();
            known.push(PARTICIPATION);
            if !known.contains(&table) {
                bail!("no table is named {table}; there are {}", known.join(", "));
            }
        }
        let is_wanted = |line: &Line| is_about(line) || table.is_none_or(|it| line.table == it);
        let lines: Vec<Line> = lines.into_iter().filter(is_wanted).collect();
        match csv {
            true => print::out(rows::lines(&[], self.language).csv(&lines).trim_end()),
            false => rows::print(&lines, self.language),
        }
        Ok(())
    }

    /// What would be published now. Nothing is kept, so it has no hash; figures come unsuppressed and leave suppressed.
    async fn preview(
        &self,
        bank: &creditbank_client::Bank,
        year: u16,
        population: Option<&Path>,
    ) -> Result<Vec<Line>> {
        let population = match population.map(population::read).transpose()? {
            None => Population::default(),
            Some(read) => judged(population_message(&read))
                .map_err(|fault| anyhow::anyhow!("{}: {}", fault.field, fault.refusal.code()))?,
        };
        let figures = statistics::figures(bank, year).await?;
        let cells = cells(year, &figures.rows);
        let at = (figures.tree_size, [0; 32]);
        let yearbook = Yearbook::new((bank.origin(), year), at, population, &cells);
        let lines = rows::lines(&figures.institutions, self.language);
        Ok(lines.preview(&yearbook))
    }

    async fn export(&self, bank: &creditbank_client::Bank, year: u16, output: &Path) -> Result<()> {
        let (message, yearbook) = statistics::get(bank, year).await?;
        let made = rows::lines(&message.institutions, self.language);
        let lines = made.yearbook(&yearbook);
        let file = || {
            std::fs::File::create(output)
                .with_context(|| format!("{} cannot be written", output.display()))
        };
        match output.extension().and_then(|it| it.to_str()) {
            Some("csv") => file()?.write_all(made.csv(&lines).as_bytes())?,
            Some("parquet") => parquet::write(&lines, &hex(&message.hash), file()?)?,
            Some("bin") => std::fs::write(output, &message.canonical)?,
            _ => bail!("say what to write by the name: --output FILE.csv, .parquet or .bin"),
        }
        list(&[message]);
        Ok(())
    }
}

fn list(yearbooks: &[v1::Yearbook]) {
    let rows: Vec<_> = yearbooks
        .iter()
        .map(|it| [it.year.to_string(), it.tree_size.to_string(), hex(&it.hash)])
        .collect();
    print::table(["year", "tree_size", "hash"], &rows);
}

fn verify(dir: &Path) -> Result<ExitCode> {
    let folder = Folder::new(dir);
    let options = folder.options(&folder.settings()?, None)?;
    let key = folder.key_encryption()?;
    let key = key.context("archives are sealed, and secrets/key-encryption.key is not here")?;
    let store = Store::open_read_only(&options.directory, &options.store)?;
    let published = yearbooks(&store.snapshot())?;
    let mut differ = 0;
    for it in &published {
        let again = recompute(&store, &key, it)?;
        let is_equal = again.hash() == it.hash();
        differ += usize::from(!is_equal);
        print::out(&format!(
            "{} at {} leaves: {} {}",
            it.year,
            it.size,
            hex(&it.hash()),
            if is_equal {
                "recomputes equal"
            } else {
                "DIFFERS"
            }
        ));
    }
    print::out(&format!("{} yearbooks, {differ} differ", published.len()));
    Ok(ExitCode::from(u8::from(differ > 0)))
}
