//! The mapping file: TOML as people write it, refused where it says something unknown.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::field::Fields;

/// The mappings that come with the program.
pub(crate) const BUILT_IN: [(&str, &str); 4] = [
    ("sample", include_str!("../../deploy/mappings/sample.toml")),
    (
        "shanghai-credit",
        include_str!("../../deploy/mappings/shanghai-credit.toml"),
    ),
    (
        "shanghai-certificate",
        include_str!("../../deploy/mappings/shanghai-certificate.toml"),
    ),
    (
        "shanghai-training",
        include_str!("../../deploy/mappings/shanghai-training.toml"),
    ),
];

/// A mapping as written.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingFile {
    /// For people.
    #[expect(dead_code, reason = "told in the file, for people")]
    title: Option<String>,
    /// The category of every row, unless the field `category` says it by row.
    pub(super) category: Option<String>,
    /// The columns that tell a row from every other of the institution.
    pub(super) natural_key: Option<Vec<String>>,
    pub(super) fields: Fields<Value>,
}

impl MappingFile {
    /// The text of a built-in mapping or of a file.
    pub(crate) fn text(name: &str) -> Result<String> {
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Ok((*text).to_owned());
        }
        let known = BUILT_IN.map(|(name, _)| name).join(", ");
        std::fs::read_to_string(Path::new(name)).with_context(|| {
            format!("cannot read the mapping {name}; the built-in ones are {known}")
        })
    }

    /// Reads a mapping; an unknown key is named together with those that are known.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }
}

/// Where a field comes from: a column's name alone, or a table.
#[derive(Clone, Debug)]
pub(super) struct Value(pub(super) Rule);

/// How a field is made of a column.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The column. Exactly one of this and `constant`.
    pub(super) column: Option<String>,
    pub(super) constant: Option<Scalar>,
    /// Whether files without the column are accepted.
    #[serde(default)]
    pub(super) optional: bool,
    /// What an empty cell means.
    pub(super) empty: Option<Scalar>,
    /// Texts taken out of the cell, such as units.
    #[serde(default)]
    pub(super) strip: Vec<String>,
    /// A table of codes: what stands in the file, and what it means.
    pub(super) map: Option<BTreeMap<String, Scalar>>,
    /// What a text means that is not in the table; without it the row is refused.
    pub(super) otherwise: Option<Scalar>,
    /// How a date or time is written, such as %d/%m/%Y.
    pub(super) format: Option<String>,
    /// How many digits a code has: zeros that a spreadsheet lost are put back.
    pub(super) digits: Option<usize>,
    /// Of a grade: percentage, five-level, pass-fail, points, or as-written.
    pub(super) scheme: Option<String>,
    /// Of a grade in points.
    pub(super) scale: Option<String>,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or a table such as { column = \"…\" }")
            }

            fn visit_str<E>(self, column: &str) -> Result<Value, E> {
                Ok(Value(Rule {
                    column: Some(column.to_owned()),
                    ..Rule::default()
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Value, A::Error> {
                let rule = Rule::deserialize(MapAccessDeserializer::new(table))?;
                if rule.column.is_some() == rule.constant.is_some() {
                    return Err(A::Error::custom("say either column or constant"));
                }
                Ok(Value(rule))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A text, or a number or truth value, which means the text it is written as.
#[derive(Clone, Debug)]
pub(super) struct Scalar(pub(super) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, true or false")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
