//! CSV: a header line, then rows; comma, semicolon or tab; quotes may hold line ends.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use csv::StringRecord;

use super::encoding::Decoded;
use super::{Counted, Encoding, Format, Options, ROW_BYTES_MAX, Row, Style, Trouble};

const BUFFER_BYTES: usize = 256 << 10;
const DELIMITERS: [u8; 3] = *b",;\t";

/// An open CSV file, behind its header.
pub(super) struct Reader {
    pub(super) header: Vec<String>,
    pub(super) style: Style,
    rows: csv::Reader<Limited<BufReader<Decoded<Counted>>>>,
    /// Bytes that the row under way may still take.
    allowance: Arc<AtomicU64>,
}

impl Reader {
    pub(super) fn open(path: &Path, options: &Options, progress: &Arc<AtomicU64>) -> Result<Self> {
        let encoding = match options.encoding {
            Some(encoding) => encoding,
            None => Encoding::detect(path)?,
        };
        let mut text = BufReader::with_capacity(
            BUFFER_BYTES,
            encoding.decode(Counted::open(path, progress)?),
        );
        let delimiter = match options.delimiter {
            Some(delimiter) => delimiter,
            None => delimiter_of(text.fill_buf()?),
        };
        let allowance = Arc::new(AtomicU64::new(ROW_BYTES_MAX));
        let limited = Limited {
            inner: text,
            allowance: Arc::clone(&allowance),
        };
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(limited);
        let header: Vec<String> = rows
            .headers()?
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        ensure!(
            header.iter().any(|name| !name.is_empty()),
            "it has no header line"
        );
        let style = Style {
            format: Format::Csv,
            encoding,
            delimiter,
        };
        Ok(Self {
            header,
            style,
            rows,
            allowance,
        })
    }

    pub(super) fn for_each(mut self, take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let expected = self.header.len();
        for number in 2.. {
            let mut cells = StringRecord::with_capacity(256, expected);
            self.allowance.store(ROW_BYTES_MAX, Ordering::Relaxed);
            if !self
                .rows
                .read_record(&mut cells)
                .with_context(|| format!("row {number}"))?
            {
                break;
            }
            let found = cells.len();
            let trouble = if found != expected {
                Some(Trouble::Width { expected, found })
            } else if cells.as_slice().contains('\u{fffd}') {
                Some(Trouble::NotText)
            } else {
                None
            };
            take(Row {
                number,
                cells,
                marks: Vec::new(),
                trouble,
            })?;
        }
        Ok(())
    }
}

/// The delimiter that the first line has most of.
fn delimiter_of(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(count)
        .unwrap_or(b',')
}

/// Ends a row that never ends.
struct Limited<R> {
    inner: R,
    allowance: Arc<AtomicU64>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self
            .allowance
            .load(Ordering::Relaxed)
            .checked_sub(count as u64)
        {
            Some(left) => self.allowance.store(left, Ordering::Relaxed),
            None => {
                return Err(io::Error::other(
                    "a row of more than 16 MiB: is a quotation mark not closed?",
                ));
            }
        }
        Ok(count)
    }
}
