//! The rejects file: the rows that were refused, as they came, with the reasons in columns behind them.
//!
//! It is written like the file it comes from (format, encoding, delimiter), so that a clerk opens it with the same
//! program, puts the rows right and imports it as it is. A rejects file of an earlier run is moved aside, never
//! overwritten: somebody may have worked on it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use csv::StringRecord;
use rust_xlsxwriter::Workbook;

use super::{Format, Mark, REASON_COLUMNS, Row, Style};

/// The most rows of a sheet, its header included.
const SHEET_ROWS_MAX: u32 = 1_048_576;

/// One reason to refuse a row, in words for a clerk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reject {
    /// The column of the file, or the field of the outcome where no column feeds it.
    pub(crate) field: String,
    /// Stable.
    pub(crate) code: String,
    pub(crate) message_zh: String,
    pub(crate) message_en: String,
}

/// Writes refused rows; makes no file until there is one.
pub(crate) struct Rejects {
    path: PathBuf,
    style: Style,
    header: Vec<String>,
    /// How many reason columns of an earlier run the file has, which are written anew.
    dropped: usize,
    file: Option<Output>,
    by_code: BTreeMap<String, u64>,
    rows: u64,
}

enum Output {
    Text(BufWriter<File>),
    Sheet { workbook: Box<Workbook>, next: u32 },
}

impl Rejects {
    /// For the rows of `input`.
    pub(crate) fn of(input: &Path, header: &[String], style: &Style) -> Self {
        let is_of_rejects = header.ends_with(&REASON_COLUMNS.map(str::to_owned));
        let dropped = if is_of_rejects {
            REASON_COLUMNS.len()
        } else {
            0
        };
        let header = header[..header.len() - dropped].to_vec();
        let extension = input
            .extension()
            .and_then(|it| it.to_str())
            .unwrap_or("csv");
        let path = input.with_extension(format!("rejects.{extension}"));
        Self {
            path,
            style: style.clone(),
            header,
            dropped,
            file: None,
            by_code: BTreeMap::new(),
            rows: 0,
        }
    }

    /// Where the rows go.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows were refused.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows were refused for each code; a row counts once for each of its codes.
    pub(crate) fn by_code(&self) -> &BTreeMap<String, u64> {
        &self.by_code
    }

    /// Writes a row with all of its reasons.
    pub(crate) fn write(&mut self, row: &Row, reasons: &[Reject]) -> Result<()> {
        self.rows += 1;
        let mut codes: Vec<_> = reasons.iter().map(|reason| reason.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            *self.by_code.entry(code.to_owned()).or_default() += 1;
        }
        self.append(row, &told(row, reasons))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Brings everything to the disk.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let written = match self.file.take() {
            None => Ok(()),
            Some(Output::Text(mut file)) => file.flush().map_err(anyhow::Error::from),
            Some(Output::Sheet { mut workbook, .. }) => {
                workbook.save(&self.path).map_err(anyhow::Error::from)
            }
        };
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn append(&mut self, row: &Row, reasons: &[String; 5]) -> Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.create()?,
        };
        let width = self.header.len();
        match &mut file {
            Output::Text(file) if self.style.format == Format::Ndjson => {
                file.write_all(&self.style.encoding.encode(&object(row, width, reasons)))?;
            }
            Output::Text(file) => {
                let cells = (0..width).map(|column| row.cells.get(column).unwrap_or_default());
                // Cells beyond the header would push the reasons out of their columns; they follow behind them.
                let beyond = row.cells.iter().skip(width + self.dropped);
                let line: StringRecord = cells
                    .chain(reasons.iter().map(String::as_str))
                    .chain(beyond)
                    .collect();
                file.write_all(
                    &self
                        .style
                        .encoding
                        .encode(&separated(&line, self.style.delimiter)?),
                )?;
            }
            Output::Sheet { workbook, next } if *next < SHEET_ROWS_MAX => {
                let sheet = workbook.worksheet_from_index(0)?;
                for column in 0..width {
                    let text = row.cells.get(column).unwrap_or_default();
                    match (
                        row.marks.contains(&(column, Mark::Number)),
                        text.parse::<f64>(),
                    ) {
                        (true, Ok(number)) => sheet.write_number(*next, column as u16, number)?,
                        _ => sheet.write_string(*next, column as u16, text)?,
                    };
                }
                for (column, reason) in (width..).zip(reasons) {
                    sheet.write_string(*next, column as u16, reason)?;
                }
                *next += 1;
            }
            Output::Sheet { .. } => {}
        }
        self.file = Some(file);
        Ok(())
    }

    fn create(&self) -> Result<Output> {
        move_aside(&self.path)?;
        let names = self.header.iter().map(String::as_str).chain(REASON_COLUMNS);
        if self.style.format == Format::Xlsx {
            let mut workbook = Box::new(Workbook::new());
            let sheet = workbook.add_worksheet();
            for (column, name) in (0..).zip(names) {
                sheet.write_string(0, column, name)?;
            }
            return Ok(Output::Sheet { workbook, next: 1 });
        }
        let mut file = BufWriter::new(File::create(&self.path)?);
        file.write_all(&self.style.encoding.mark())?;
        if self.style.format == Format::Csv {
            let line = separated(&names.collect(), self.style.delimiter)?;
            file.write_all(&self.style.encoding.encode(&line))?;
        }
        Ok(Output::Text(file))
    }
}

/// The reason columns of a row; several reasons stand behind each other.
fn told(row: &Row, reasons: &[Reject]) -> [String; 5] {
    let join = |part: fn(&Reject) -> &str| reasons.iter().map(part).collect::<Vec<_>>().join("; ");
    [
        row.number.to_string(),
        join(|it| &it.field),
        join(|it| &it.code),
        join(|it| &it.message_zh),
        join(|it| &it.message_en),
    ]
}

/// The line of an NDJSON row with the reasons as members. A line that is no object is kept whole as a member.
fn object(row: &Row, width: usize, reasons: &[String; 5]) -> String {
    let line = row.cells.get(width).unwrap_or_default();
    let mut object = match serde_json::from_str(line) {
        Ok(serde_json::Value::Object(object)) => object,
        _ => serde_json::Map::from_iter([("line".to_owned(), line.into())]),
    };
    for (name, reason) in REASON_COLUMNS.into_iter().zip(reasons) {
        object.insert(name.to_owned(), reason.as_str().into());
    }
    format!("{}\n", serde_json::Value::Object(object))
}

fn separated(line: &StringRecord, delimiter: u8) -> Result<String> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(Vec::new());
    writer.write_record(line)?;
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// Renames a file that is there to a name with the first free number.
fn move_aside(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let extension = path
        .extension()
        .and_then(|it| it.to_str())
        .unwrap_or_default();
    let numbered = |number: u32| path.with_extension(format!("{number}.{extension}"));
    let free = (1..)
        .map(numbered)
        .find(|name| !name.exists())
        .context("no free name")?;
    eprintln!(
        "{} of an earlier run is now {}",
        path.display(),
        free.display()
    );
    Ok(std::fs::rename(path, free)?)
}
