//! NDJSON: one object a line, its members by name. A member of another name than the wanted ones is read over.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::{Result, ensure};
use csv::StringRecord;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::encoding::Decoded;
use super::{Counted, Encoding, Mark, Options, ROW_BYTES_MAX, Row, Trouble};

const BUFFER_BYTES: usize = 256 << 10;

/// An open file of lines.
pub(super) struct Reader {
    pub(super) encoding: Encoding,
    columns: HashMap<String, usize>,
    lines: BufReader<Decoded<Counted>>,
}

impl Reader {
    pub(super) fn open(
        path: &Path,
        options: &Options,
        wanted: &[String],
        progress: &Arc<AtomicU64>,
    ) -> Result<Self> {
        let encoding = match options.encoding {
            Some(encoding) => encoding,
            None => Encoding::detect(path)?,
        };
        let lines = BufReader::with_capacity(
            BUFFER_BYTES,
            encoding.decode(Counted::open(path, progress)?),
        );
        let columns = (0..)
            .zip(wanted)
            .map(|(column, name)| (name.clone(), column))
            .collect();
        Ok(Self {
            encoding,
            columns,
            lines,
        })
    }

    pub(super) fn for_each(mut self, take: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let mut line = String::new();
        for number in 1.. {
            line.clear();
            let length = self
                .lines
                .by_ref()
                .take(ROW_BYTES_MAX)
                .read_line(&mut line)?;
            ensure!(
                (length as u64) < ROW_BYTES_MAX,
                "line {number} has more than 16 MiB"
            );
            if length == 0 {
                break;
            }
            let text = line.trim();
            if !text.is_empty() {
                take(self.row(number, text))?;
            }
        }
        Ok(())
    }

    fn row(&self, number: u64, line: &str) -> Row {
        let mut json = serde_json::Deserializer::from_str(line);
        let read = Members {
            columns: &self.columns,
        }
        .deserialize(&mut json);
        let read = read.and_then(|members| json.end().map(|()| members));
        let trouble = match &read {
            Err(_) => Some(Trouble::NotJson),
            Ok(_) if line.contains('\u{fffd}') => Some(Trouble::NotText),
            Ok(_) => None,
        };
        let (texts, marks) = read.unwrap_or_else(|_| (vec![None; self.columns.len()], Vec::new()));
        let mut cells: StringRecord = texts
            .iter()
            .map(|text| text.as_deref().unwrap_or_default())
            .collect();
        cells.push_field(line);
        Row {
            number,
            cells,
            marks,
            trouble,
        }
    }
}

type Texts<'a> = (Vec<Option<Cow<'a, str>>>, Vec<(usize, Mark)>);

/// Reads the members of an object into the texts of the wanted columns.
struct Members<'c> {
    columns: &'c HashMap<String, usize>,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Texts<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Texts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut texts = vec![None; self.columns.len()];
        let mut marks = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let Some(&column) = self.columns.get(&name) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let text = match members.next_value_seed(Cell)? {
                Some(text) => text,
                None => {
                    marks.push((column, Mark::NotAValue));
                    Cow::Borrowed("")
                }
            };
            if texts[column].replace(text).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok((texts, marks))
    }
}

/// The text of a value; none of an array or an object.
struct Cell;

impl<'de> DeserializeSeed<'de> for Cell {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed("")))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(
        self,
        mut items: A,
    ) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
