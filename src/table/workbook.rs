//! A sheet of an Excel workbook: the first row that is not empty is its header.
//!
//! Excel keeps 001 typed into a plain cell as the number 1, and a date as a number of days. A date cell becomes
//! its date; any other number cell becomes its digits and is marked, so that whoever takes it for a code can refuse it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx};
use csv::StringRecord;
use jiff::ToSpan as _;
use jiff::civil::DateTime;

use super::{Mark, Options, Row, Trouble, WORKBOOK_BYTES_MAX};

/// The most columns of a sheet that are read.
const COLUMNS_MAX: usize = 1_024;

/// An open sheet.
pub(super) struct Reader {
    pub(super) header: Vec<String>,
    /// Row of the header, from 0.
    header_row: u32,
    sheet: String,
    workbook: Xlsx<BufReader<File>>,
    /// All bytes of the file: they are read at once, so progress is told by rows.
    bytes: u64,
    progress: Arc<AtomicU64>,
}

impl Reader {
    pub(super) fn open(path: &Path, options: &Options, progress: &Arc<AtomicU64>) -> Result<Self> {
        let bytes = std::fs::metadata(path)?.len();
        ensure!(
            bytes <= WORKBOOK_BYTES_MAX,
            "it is larger than {} MiB, the most for a workbook; save it as CSV, which has no limit",
            WORKBOOK_BYTES_MAX >> 20
        );
        let mut workbook = Xlsx::new(BufReader::new(File::open(path)?))?;
        let sheets = workbook.sheet_names();
        let sheet = match &options.sheet {
            Some(sheet) => sheet.clone(),
            None => sheets.first().context("it has no sheet")?.clone(),
        };
        ensure!(
            sheets.contains(&sheet),
            "it has no sheet {sheet}; it has {}",
            sheets.join(", ")
        );
        let (header_row, header) = header(&mut workbook, &sheet)?;
        Ok(Self {
            header,
            header_row,
            sheet,
            workbook,
            bytes,
            progress: Arc::clone(progress),
        })
    }

    pub(super) fn for_each(mut self, take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let width = self.header.len();
        let mut cells = self.workbook.worksheet_cells_reader(&self.sheet)?;
        let rows = u64::from(cells.dimensions().end.0).max(1);
        let mut pending = Pending::default();
        while let Some(cell) = cells.next_cell()? {
            let (row, column) = cell.get_position();
            if row <= self.header_row {
                continue;
            }
            if row != pending.row {
                self.progress.store(
                    self.bytes * u64::from(row).min(rows) / rows,
                    Ordering::Relaxed,
                );
                if let Some(done) = pending.take(width) {
                    take(done)?;
                }
                pending.row = row;
            }
            pending.put(column as usize, cell.get_value())?;
        }
        pending.take(width).map_or(Ok(()), take)
    }
}

fn header(workbook: &mut Xlsx<BufReader<File>>, sheet: &str) -> Result<(u32, Vec<String>)> {
    let mut cells = workbook.worksheet_cells_reader(sheet)?;
    let mut header = Pending::default();
    while let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        if row != header.row && header.has_text {
            break;
        }
        header.row = row;
        header.put(column as usize, cell.get_value())?;
    }
    ensure!(header.has_text, "the sheet {sheet} is empty");
    let names = header
        .texts
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    Ok((header.row, names))
}

/// A row that is being read.
#[derive(Default)]
struct Pending {
    row: u32,
    texts: Vec<String>,
    marks: Vec<(usize, Mark)>,
    has_text: bool,
}

impl Pending {
    fn put(&mut self, column: usize, value: &DataRef<'_>) -> Result<()> {
        let (text, mark) = text_of(value);
        if text.is_empty() && mark.is_none() {
            return Ok(());
        }
        ensure!(
            column < COLUMNS_MAX,
            "row {} has more than {COLUMNS_MAX} columns",
            self.row + 1
        );
        if self.texts.len() <= column {
            self.texts.resize(column + 1, String::new());
        }
        self.texts[column] = text;
        self.marks.extend(mark.map(|mark| (column, mark)));
        self.has_text = true;
        Ok(())
    }

    /// The row, unless it is empty.
    fn take(&mut self, width: usize) -> Option<Row> {
        let mut done = std::mem::take(self);
        if !done.has_text {
            return None;
        }
        let found = done.texts.len();
        done.texts.resize(found.max(width), String::new());
        let trouble = (found > width).then_some(Trouble::Width {
            expected: width,
            found,
        });
        let cells: StringRecord = done.texts.into();
        Some(Row {
            number: u64::from(done.row) + 1,
            cells,
            marks: done.marks,
            trouble,
        })
    }
}

fn text_of(value: &DataRef<'_>) -> (String, Option<Mark>) {
    match value {
        DataRef::Empty => (String::new(), None),
        DataRef::String(text) => (text.clone(), None),
        DataRef::SharedString(text) => ((*text).to_owned(), None),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => (text.clone(), None),
        DataRef::Bool(value) => (value.to_string(), None),
        DataRef::Int(value) => (value.to_string(), Some(Mark::Number)),
        DataRef::Float(value) => (value.to_string(), Some(Mark::Number)),
        DataRef::DateTime(value) => {
            date_of(value).map_or((String::new(), Some(Mark::NotAValue)), |text| (text, None))
        }
        DataRef::Error(error) => (error.to_string(), Some(Mark::NotAValue)),
    }
}

/// A date, a date and time, or a time of day, to the nearest second.
fn date_of(value: &ExcelDateTime) -> Option<String> {
    if value.is_duration() {
        return None;
    }
    let (year, month, day, hour, minute, second, millisecond) = value.to_ymd_hms_milli();
    let part = |number: u8| i8::try_from(number).ok();
    let (month, day) = (part(month)?, part(day)?);
    let (hour, minute, second) = (part(hour)?, part(minute)?, part(second)?);
    let exact = DateTime::new(
        i16::try_from(year).ok()?,
        month,
        day,
        hour,
        minute,
        second,
        0,
    )
    .ok()?;
    let near = if millisecond >= 500 {
        exact.checked_add(1.second()).ok()?
    } else {
        exact
    };
    let is_time_alone = value.as_f64() < 1.0;
    Some(
        match (is_time_alone, near.time() == jiff::civil::Time::midnight()) {
            (true, _) => near.time().to_string(),
            (false, true) => near.date().to_string(),
            (false, false) => near.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        },
    )
}
