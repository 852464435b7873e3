//! Figures as a Parquet file, with the same columns as CSV.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use creditbank_domain::statistics::Line;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// The columns, in the order in which they are written.
const SCHEMA: &str = "message figures {
  required int32 year;
  required binary subject (UTF8);
  required binary table (UTF8);
  required int32 code_1;
  required binary group_1 (UTF8);
  required int32 code_2;
  required binary group_2 (UTF8);
  required binary measure (UTF8);
  required binary unit (UTF8);
  optional int64 value (DECIMAL(18,2));
  required binary note (UTF8);
}";

/// Writes the lines of a yearbook with this hash. `value` is null where it is suppressed.
pub(super) fn write(lines: &[Line], hash: &str, out: impl Write + Send) -> Result<()> {
    let yearbook = KeyValue::new("yearbook".to_owned(), hash.to_owned());
    let properties = WriterProperties::builder()
        .set_created_by("creditbank".to_owned())
        .set_key_value_metadata(Some(vec![yearbook]));
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
    Group(file.next_row_group()?).fill(lines)?;
    file.close()?;
    Ok(())
}

/// The one row group, to which columns are added in order.
struct Group<'a, W: Write>(SerializedRowGroupWriter<'a, W>);

impl<W: Write + Send> Group<'_, W> {
    fn fill(mut self, lines: &[Line]) -> Result<()> {
        self.numbers(lines, |it| it.year.into())?;
        self.texts(lines, |it| &it.subject)?;
        self.texts(lines, |it| it.table)?;
        self.numbers(lines, |it| it.codes[0])?;
        self.texts(lines, |it| &it.values[0])?;
        self.numbers(lines, |it| it.codes[1])?;
        self.texts(lines, |it| &it.values[1])?;
        self.texts(lines, |it| &it.measure)?;
        self.texts(lines, |it| &it.unit)?;
        let there: Vec<_> = lines.iter().map(|it| it.amount.is_some().into()).collect();
        let hundredths = |it: &Line| match it.is_hundredths {
            true => it.amount,
            false => it.amount.map(|amount| amount.saturating_mul(100)),
        };
        let amounts: Vec<_> = lines.iter().filter_map(hundredths).collect();
        self.put::<Int64Type>(&amounts, Some(&there))?;
        self.texts(lines, |it| &it.note)?;
        self.0.close()?;
        Ok(())
    }

    fn numbers(&mut self, lines: &[Line], of: fn(&Line) -> u32) -> Result<()> {
        let values: Vec<_> = lines.iter().map(|it| of(it).cast_signed()).collect();
        self.put::<Int32Type>(&values, None)
    }

    fn texts(&mut self, lines: &[Line], of: fn(&Line) -> &str) -> Result<()> {
        let values: Vec<_> = lines.iter().map(|it| ByteArray::from(of(it))).collect();
        self.put::<ByteArrayType>(&values, None)
    }

    /// `there` says which lines have a value, where some may not.
    fn put<T: DataType>(&mut self, values: &[T::T], there: Option<&[i16]>) -> Result<()> {
        let column = self.0.next_column()?;
        let mut column = column.context("as many columns as the schema has")?;
        column.typed::<T>().write_batch(values, there, None)?;
        Ok(column.close()?)
    }
}
