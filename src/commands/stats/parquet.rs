//! Figures as a Parquet file, with the same columns as CSV: one row group, a page a column, plain values, no compression.
//!
//! The file is small and its form is the simplest that Parquet has, so it is written here: the `parquet` crate would be
//! compiled for one command. The tests read it with another program.

use std::io::Write;

use anyhow::Result;

use super::rows::Line;

const MAGIC: &[u8] = b"PAR1";

/// Physical types, by their numbers in the format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Physical {
    Int32 = 1,
    Int64 = 2,
    Text = 6,
}

/// One column of all lines.
struct Column {
    name: &'static str,
    physical: Physical,
    /// Which lines have a value, where some may not.
    there: Option<Vec<bool>>,
    /// The values that are there.
    plain: Vec<u8>,
}

/// Where a column came to lie.
struct Placed {
    offset: usize,
    bytes: usize,
}

/// Writes the lines of a yearbook with this hash. `value` is in hundredths where `is_hundredths`; null where it is
/// suppressed.
pub(super) fn write(lines: &[Line], hash: &str, mut out: impl Write) -> Result<()> {
    let columns = columns(lines);
    let mut file = MAGIC.to_vec();
    let mut placed = Vec::new();
    for column in &columns {
        let page = column.page();
        let head = page_head(page.len(), lines.len());
        placed.push(Placed {
            offset: file.len(),
            bytes: head.len() + page.len(),
        });
        file.extend(head);
        file.extend(page);
    }
    let foot = foot(&columns, &placed, lines.len(), hash);
    file.extend_from_slice(&foot);
    file.extend_from_slice(&u32::try_from(foot.len())?.to_le_bytes());
    file.extend_from_slice(MAGIC);
    Ok(out.write_all(&file)?)
}

fn columns(lines: &[Line]) -> [Column; 10] {
    let number = |name, of: fn(&Line) -> u32| Column {
        name,
        physical: Physical::Int32,
        there: None,
        plain: lines.iter().flat_map(|it| of(it).to_le_bytes()).collect(),
    };
    let text = |name, of: fn(&Line) -> &str| {
        let mut plain = Vec::new();
        for text in lines.iter().map(of) {
            let len = u32::try_from(text.len()).expect("names are short");
            plain.extend_from_slice(&len.to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        Column {
            name,
            physical: Physical::Text,
            there: None,
            plain,
        }
    };
    let amounts = lines.iter().filter_map(|it| it.amount);
    [
        number("year", |it| it.year.into()),
        text("subject", |it| &it.subject),
        text("table", |it| it.table),
        number("code_1", |it| it.codes[0]),
        text("group_1", |it| &it.values[0]),
        number("code_2", |it| it.codes[1]),
        text("group_2", |it| &it.values[1]),
        text("measure", |it| &it.measure),
        Column {
            name: "value",
            physical: Physical::Int64,
            there: Some(lines.iter().map(|it| it.amount.is_some()).collect()),
            plain: amounts.flat_map(i64::to_le_bytes).collect(),
        },
        number("is_hundredths", |it| it.is_hundredths.into()),
    ]
}

impl Column {
    /// Levels of definition, bit-packed in one run, where values may be missing; then the values.
    fn page(&self) -> Vec<u8> {
        let mut page = Vec::new();
        if let Some(there) = &self.there {
            let groups = there.len().div_ceil(8) as u64;
            let mut levels = Vec::new();
            put_varint(&mut levels, groups << 1 | 1);
            for group in there.chunks(8) {
                let bits = group.iter().rev();
                levels.push(bits.fold(0, |bits, is_there| bits << 1 | u8::from(*is_there)));
            }
            let len = u32::try_from(levels.len()).expect("a byte for eight lines");
            page.extend_from_slice(&len.to_le_bytes());
            page.extend(levels);
        }
        page.extend_from_slice(&self.plain);
        page
    }
}

/// `PageHeader` of a data page of the first version; encodings: 0 plain, 3 run lengths.
fn page_head(bytes: usize, values: usize) -> Vec<u8> {
    Struct::default()
        .int(1, 0)
        .int(2, bytes)
        .int(3, bytes)
        .inner(
            5,
            Struct::default()
                .int(1, values)
                .int(2, 0)
                .int(3, 3)
                .int(4, 3),
        )
        .end()
}

/// `FileMetaData`.
fn foot(columns: &[Column], placed: &[Placed], rows: usize, hash: &str) -> Vec<u8> {
    let root = Struct::default().text(4, "figures").int(5, columns.len());
    let schema = columns.iter().map(|column| {
        let element = Struct::default()
            .int(1, column.physical as usize)
            .int(3, column.there.is_some().into())
            .text(4, column.name);
        match column.physical {
            Physical::Text => element.int(6, 0),
            _ => element,
        }
    });
    let chunks = columns.iter().zip(placed).map(|(column, at)| {
        let meta = Struct::default()
            .int(1, column.physical as usize)
            .ints(2, &[0, 3])
            .texts(3, &[column.name])
            .int(4, 0)
            .long(5, rows)
            .long(6, at.bytes)
            .long(7, at.bytes)
            .long(9, at.offset);
        Struct::default().long(2, at.offset).inner(3, meta)
    });
    let bytes = placed.iter().map(|it| it.bytes).sum();
    let group = Struct::default()
        .structs(1, chunks.collect())
        .long(2, bytes)
        .long(3, rows);
    let named = Struct::default().text(1, "yearbook").text(2, hash);
    Struct::default()
        .int(1, 1)
        .structs(2, std::iter::once(root).chain(schema).collect())
        .long(3, rows)
        .structs(4, vec![group])
        .structs(5, vec![named])
        .text(6, "creditbank")
        .end()
}

/// A struct in Thrift's compact protocol; fields come in ascending order.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

/// Types of Thrift's compact protocol.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Struct {
    fn field(mut self, id: u8, kind: u8) -> Self {
        self.bytes.push((id - self.last) << 4 | kind);
        self.last = id;
        self
    }

    fn int(self, id: u8, value: usize) -> Self {
        let mut it = self.field(id, I32);
        put_number(&mut it.bytes, value);
        it
    }

    fn long(self, id: u8, value: usize) -> Self {
        let mut it = self.field(id, I64);
        put_number(&mut it.bytes, value);
        it
    }

    fn text(self, id: u8, value: &str) -> Self {
        let mut it = self.field(id, BINARY);
        put_text(&mut it.bytes, value);
        it
    }

    fn inner(self, id: u8, value: Self) -> Self {
        let mut it = self.field(id, STRUCT);
        it.bytes.extend(value.end());
        it
    }

    fn ints(self, id: u8, values: &[usize]) -> Self {
        let mut it = self.list(id, I32, values.len());
        values
            .iter()
            .for_each(|value| put_number(&mut it.bytes, *value));
        it
    }

    fn texts(self, id: u8, values: &[&str]) -> Self {
        let mut it = self.list(id, BINARY, values.len());
        values
            .iter()
            .for_each(|value| put_text(&mut it.bytes, value));
        it
    }

    fn structs(self, id: u8, values: Vec<Self>) -> Self {
        let mut it = self.list(id, STRUCT, values.len());
        for value in values {
            it.bytes.extend(value.end());
        }
        it
    }

    fn list(self, id: u8, kind: u8, len: usize) -> Self {
        let mut it = self.field(id, LIST);
        match len {
            0..15 => it.bytes.push((len as u8) << 4 | kind),
            _ => {
                it.bytes.push(0xf0 | kind);
                put_varint(&mut it.bytes, len as u64);
            }
        }
        it
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

/// A number that is not negative, in zigzag.
fn put_number(out: &mut Vec<u8>, value: usize) {
    put_varint(out, (value as u64) << 1);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
