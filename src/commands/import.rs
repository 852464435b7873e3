//! `creditbank import`: deposit a file of results.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use creditbank_domain::identifier::InstitutionId;
use tracing::Instrument as _;

use crate::connection::{Connection, Key, block_on};
use crate::import::{Access, Holder, Import as Job};
use crate::mapping::{BUILT_IN, Field, Mapping};
use crate::print;
use crate::table::{Encoding, Format, Options};

/// Deposit a file of results: CSV, XLSX or NDJSON.
#[derive(clap::Args)]
#[command(after_help = "\
Good rows are deposited; bad ones of results.csv go to results.rejects.csv, written like the file
itself, with columns row, field, code, message_zh and message_en behind them. Put them right there
and import that file.
合格的行存入学分银行；不合格的行连同原因写入 rejects 文件，改正后直接再次导入该文件即可。

It may be interrupted at any moment: run the same command again. Rows that the bank has already
are counted, not doubled, as long as the same key file is used. Receipts of all rows are
appended to the receipts file; `creditbank verify` checks them offline.

The encoding (UTF-8, UTF-16 or GB18030) and the delimiter are detected. A workbook must not be
larger than 200 MiB; CSV and NDJSON have no limit. In a workbook, columns of codes and numbers
of documents must be formatted as text.

Mapping: a TOML file that says which column fills which field. Built in: sample (columns named
as the fields; the default), shanghai-credit, shanghai-certificate, shanghai-training. Start
your own with
  creditbank import --show-mapping sample > mine.toml
  creditbank import --fields                      tells every field

Examples:
  creditbank import results.csv --key fudan.key --bank bank.pub
  creditbank import results.xlsx --sheet 成绩 --mapping mine.toml --dry-run
  creditbank import results.csv --keys keys --server https://bank.example:7300 --ca ca.pem

Exit code 0: every row is deposited; 1: some were refused, or the bank refused the caller; 2:
the file, the mapping or a flag is not usable; 3: the bank could not be reached.")]
pub(crate) struct Import {
    /// The file.
    #[arg(required_unless_present_any = ["show_mapping", "fields"])]
    file: Option<PathBuf>,
    /// A mapping file, or the name of a built-in mapping.
    #[arg(long, value_name = "NAME|FILE", default_value = "sample")]
    mapping: String,
    /// Who deposits, where neither the mapping nor --key says it.
    #[arg(long, value_name = "ID")]
    institution: Option<String>,
    /// Folder with the key files ID.key of many institutions; goes before --key.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Where receipts are appended; FILE.receipts if not given.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Check every row and send nothing. Needs neither key nor bank.
    #[arg(long)]
    dry_run: bool,
    /// csv, xlsx or ndjson, where the name does not end in it.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// utf-8, gb18030, utf-16le or utf-16be, where the detected one is wrong.
    #[arg(long)]
    encoding: Option<Encoding>,
    /// One character between the cells of a CSV file; \t is a tab.
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Sheet of a workbook; the first if not given.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// No progress on stderr.
    #[arg(long)]
    quiet: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    /// Print a mapping and end.
    #[arg(long, value_name = "NAME|FILE")]
    show_mapping: Option<String>,
    /// Print every field that a mapping can fill and end.
    #[arg(long)]
    fields: bool,
    #[command(flatten)]
    caller: Key,
    #[command(flatten)]
    connection: Connection,
}

impl Import {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if let Some(name) = &self.show_mapping {
            print::out(Mapping::text(name)?.trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        if self.fields {
            let rows: Vec<_> = Field::ALL
                .iter()
                .map(|field| [field.name().to_owned(), field.about().to_owned()])
                .collect();
            print::table(["field", "what it is"], &rows);
            let names = BUILT_IN.map(|(name, _)| name).join(", ");
            println!(
                "\nBuilt-in mappings: {names}. A field takes a column's name, or a table with column or constant,"
            );
            println!(
                "and optional, empty, strip, map, otherwise, format, digits; for grade also scheme and scale."
            );
            return Ok(ExitCode::SUCCESS);
        }
        let (access, institution) = self.access()?;
        let file = self.file.context("which file?")?;
        let mut receipts = file.clone();
        receipts.add_extension("receipts");
        let job = Job {
            options: Options {
                format: self.format,
                encoding: self.encoding,
                delimiter: self.delimiter,
                sheet: self.sheet,
            },
            mapping: Mapping::load(&self.mapping)?,
            institution,
            receipts: self.receipts.unwrap_or(receipts),
            quiet: self.quiet,
            file,
        };
        let span = tracing::trace_span!(target: creditbank_client::trace::TARGET, "import");
        let summary = block_on(job.run(access).instrument(span))?;
        if self.json {
            print::json(&summary.to_json());
        } else {
            print::out(&summary.to_string());
        }
        Ok(if summary.refused == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// Who deposits, with which keys, at which bank; nobody in a dry run.
    fn access(&self) -> Result<(Option<Access>, Option<InstitutionId>)> {
        let parse = |id: &String| {
            InstitutionId::parse(id).with_context(|| format!("{id:?} is no id of an institution"))
        };
        let institution = self.institution.as_ref().map(parse).transpose()?;
        if self.dry_run {
            return Ok((None, institution));
        }
        let holder = match (&self.keys, self.caller.optional()?) {
            (Some(folder), _) => Holder::Folder(folder.clone()),
            (None, Some(keys)) => Holder::One(keys),
            (None, None) => bail!(
                "say who deposits with --key FILE (or CREDITBANK_KEY), or --keys DIR for many"
            ),
        };
        let institution = match (&holder, institution) {
            (Holder::One(keys), None) => Some(keys.institution().clone()),
            (_, institution) => institution,
        };
        let bank_key = self.connection.bank_key()?;
        if bank_key.is_none() {
            eprintln!("Without --bank FILE the bank's receipts are kept but not verified.");
        }
        Ok((
            Some(Access {
                options: self.connection.options()?,
                holder,
                bank_key,
            }),
            institution,
        ))
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("one ASCII character, or \\t".to_owned()),
    }
}
