//! Tables that institutions send: CSV, XLSX and NDJSON, read row by row as text.
//!
//! A reader never decides what a cell means; it only says what a later reader of the text could not know: that a
//! spreadsheet held a number (so that zeros at its front are lost), or that bytes made no text. Memory stays flat
//! whatever the file's size: one row of at most [`ROW_BYTES_MAX`] is held at a time. A workbook keeps its
//! table of texts in memory and is therefore limited to [`WORKBOOK_BYTES_MAX`].

mod encoding;
mod ndjson;
mod rejects;
mod separated;
mod workbook;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use csv::StringRecord;

pub(crate) use self::encoding::Encoding;
pub(crate) use self::rejects::{Reject, Rejects};

/// The most bytes of one row; more means a quotation mark that nobody closed.
pub(crate) const ROW_BYTES_MAX: u64 = 16 << 20;
/// The most bytes of a workbook.
pub(crate) const WORKBOOK_BYTES_MAX: u64 = 200 << 20;
/// The columns that a rejects file adds; a file that has them already is such a file, put right and sent again.
pub(crate) const REASON_COLUMNS: [&str; 5] = ["row", "field", "code", "message_zh", "message_en"];

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Values separated by commas, semicolons or tabs, with a header line.
    Csv,
    /// A sheet of an Excel workbook, with a header row.
    Xlsx,
    /// One JSON object a line.
    Ndjson,
}

/// How to read a file; what is not given is detected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// By default what the name ends in.
    pub(crate) format: Option<Format>,
    /// Of CSV and NDJSON.
    pub(crate) encoding: Option<Encoding>,
    /// Of CSV: by default whichever of comma, semicolon and tab the header has most of.
    pub(crate) delimiter: Option<u8>,
    /// Of a workbook: by default its first sheet.
    pub(crate) sheet: Option<String>,
}

/// How a file turned out to be written; its rejects file is written the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
    pub(crate) delimiter: u8,
}

/// One row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// As a spreadsheet counts: the header is row 1. In NDJSON the line.
    pub(crate) number: u64,
    /// The texts, in the order of the header. NDJSON has one more: the line itself.
    pub(crate) cells: StringRecord,
    /// What the texts of some columns do not tell, by column. Nearly always empty.
    pub(crate) marks: Vec<(usize, Mark)>,
    /// Why the row as a whole cannot be read.
    pub(crate) trouble: Option<Trouble>,
}

/// What the text of a cell does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The cell holds a number: zeros at its front, and digits after the fifteenth, are lost.
    Number,
    /// The cell holds an error such as #N/A, or a value that is no text.
    NotAValue,
}

/// Why a row cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// More or fewer cells than the header.
    Width { expected: usize, found: usize },
    /// Not a JSON object, or one with a name twice.
    NotJson,
    /// Bytes that are no text in the file's encoding.
    NotText,
}

/// An open table, its header read.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) style: Style,
    source: Source,
}

enum Source {
    Separated(separated::Reader),
    Workbook(workbook::Reader),
    Lines(ndjson::Reader),
}

impl Table {
    /// Opens a file. `wanted` are the columns that will be asked for: NDJSON has no header and takes them for one.
    /// `progress` counts the bytes read.
    pub(crate) fn open(
        path: &Path,
        options: &Options,
        wanted: &[String],
        progress: &Arc<AtomicU64>,
    ) -> Result<Self> {
        let format = match options.format {
            Some(format) => format,
            None => format_of(path)?,
        };
        let what = || format!("cannot read {}", path.display());
        match format {
            Format::Csv => {
                separated::Reader::open(path, options, progress).map(Self::from_separated)
            }
            Format::Xlsx => {
                workbook::Reader::open(path, options, progress).map(Self::from_workbook)
            }
            Format::Ndjson => ndjson::Reader::open(path, options, wanted, progress)
                .map(|it| Self::from_lines(it, wanted)),
        }
        .with_context(what)
    }

    /// Gives every row to `take`, in order, until the end or until `take` fails.
    pub(crate) fn for_each(self, take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        match self.source {
            Source::Separated(reader) => reader.for_each(take),
            Source::Workbook(reader) => reader.for_each(take),
            Source::Lines(reader) => reader.for_each(take),
        }
    }

    fn from_separated(reader: separated::Reader) -> Self {
        Self {
            header: reader.header.clone(),
            style: reader.style.clone(),
            source: Source::Separated(reader),
        }
    }

    fn from_workbook(reader: workbook::Reader) -> Self {
        let style = Style {
            format: Format::Xlsx,
            encoding: Encoding::UTF_8,
            delimiter: b',',
        };
        Self {
            header: reader.header.clone(),
            style,
            source: Source::Workbook(reader),
        }
    }

    fn from_lines(reader: ndjson::Reader, wanted: &[String]) -> Self {
        let style = Style {
            format: Format::Ndjson,
            encoding: reader.encoding,
            delimiter: b',',
        };
        Self {
            header: wanted.to_vec(),
            style,
            source: Source::Lines(reader),
        }
    }
}

fn format_of(path: &Path) -> Result<Format> {
    let extension = path
        .extension()
        .and_then(|it| it.to_str())
        .unwrap_or_default()
        .to_ascii_lowercase();
    match extension.as_str() {
        "csv" | "tsv" | "txt" => Ok(Format::Csv),
        "xlsx" | "xlsm" => Ok(Format::Xlsx),
        "ndjson" | "jsonl" => Ok(Format::Ndjson),
        "xls" => bail!(
            "{} is of an old Excel format; save it as .xlsx or .csv",
            path.display()
        ),
        _ => bail!(
            "{} ends in neither .csv, .xlsx nor .ndjson; say --format",
            path.display()
        ),
    }
}

/// A file whose bytes are counted as they are read.
struct Counted {
    file: File,
    progress: Arc<AtomicU64>,
}

impl Counted {
    fn open(path: &Path, progress: &Arc<AtomicU64>) -> Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            progress: Arc::clone(progress),
        })
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
