//! Where the text of a field comes from, once the file's header is known.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Result, bail, ensure};
use creditbank_domain::Refusal;
use creditbank_domain::grade::Scale;

use super::fault::Problem;
use super::field::Field;
use super::file::Rule;
use crate::table::{Mark, Row};

/// A field's column with everything that is done to its text.
#[derive(Clone, Debug)]
pub(super) struct Source {
    origin: Origin,
    empty: Option<String>,
    strip: Vec<String>,
    map: Option<HashMap<String, String>>,
    otherwise: Option<String>,
    digits: Option<usize>,
    /// Zeros at the front belong to the value: a number cell has lost them.
    is_code: bool,
    pub(super) format: Option<String>,
    pub(super) scheme: Option<Scheme>,
}

#[derive(Clone, Debug)]
enum Origin {
    Column { index: usize, name: String },
    Constant(String),
}

/// How the text of a grade is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Percentage,
    FiveLevel,
    PassFail,
    Points(Scale),
    /// A number is per cent; 合格 and 不合格 are pass and fail; other words are levels.
    AsWritten,
}

impl Source {
    /// Binds a rule to the columns of a file; none where the column is optional and absent.
    pub(super) fn bind(field: Field, rule: Rule, header: &[String]) -> Result<Option<Self>> {
        let name = field.name();
        let scheme = scheme(field, &rule)?;
        let is_dated = matches!(
            field,
            Field::CompletedOn | Field::StartedOn | Field::ValidUntil | Field::CompletedAt
        );
        ensure!(
            rule.format.is_none() || is_dated,
            "{name}: format is for dates and times"
        );
        ensure!(
            rule.otherwise.is_none() || rule.map.is_some(),
            "{name}: otherwise needs a map"
        );
        let origin = match (rule.column, rule.constant) {
            (Some(column), _) => match header.iter().position(|it| *it == column) {
                Some(index) => Origin::Column {
                    index,
                    name: column,
                },
                None if rule.optional => return Ok(None),
                None => bail!(
                    "the file has no column {column:?}, which the mapping needs for {name}; it has {}",
                    header.join(", ")
                ),
            },
            (None, constant) => Origin::Constant(constant.map(|it| it.0).unwrap_or_default()),
        };
        Ok(Some(Self {
            origin,
            empty: rule.empty.map(|it| it.0),
            strip: rule.strip,
            map: rule
                .map
                .map(|map| map.into_iter().map(|(from, to)| (from, to.0)).collect()),
            otherwise: rule.otherwise.map(|it| it.0),
            digits: rule.digits,
            is_code: is_code(field),
            format: rule.format,
            scheme,
        }))
    }

    /// The column that feeds the field.
    pub(super) fn column(&self) -> Option<&str> {
        match &self.origin {
            Origin::Column { name, .. } => Some(name),
            Origin::Constant(_) => None,
        }
    }

    /// The text for one row; empty where the row has none.
    pub(super) fn text<'a>(&'a self, row: &'a Row) -> Result<Cow<'a, str>, Problem> {
        let index = match &self.origin {
            Origin::Constant(text) => return Ok(Cow::Borrowed(text)),
            Origin::Column { index, .. } => *index,
        };
        if !row.marks.is_empty() {
            self.check_mark(row, index)?;
        }
        let cell = row.cells.get(index).unwrap_or_default().trim();
        let mut text = Cow::Borrowed(cell);
        for unit in self
            .strip
            .iter()
            .filter(|unit| cell.contains(unit.as_str()))
        {
            text = Cow::Owned(text.replace(unit.as_str(), ""));
        }
        if text.is_empty() {
            return Ok(Cow::Borrowed(self.empty.as_deref().unwrap_or_default()));
        }
        if let Some(map) = &self.map {
            let meant = map.get(&*text).or(self.otherwise.as_ref());
            return meant
                .map(|text| Cow::Borrowed(text.as_str()))
                .ok_or(Problem::NotInTable);
        }
        Ok(match self.digits {
            Some(digits) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Cow::Owned(format!("{text:0>digits$}"))
            }
            _ => text,
        })
    }

    /// A text that must be there.
    pub(super) fn required<'a>(&'a self, row: &'a Row) -> Result<Cow<'a, str>, Problem> {
        let text = self.text(row)?;
        if text.is_empty() {
            Err(Refusal::Missing.into())
        } else {
            Ok(text)
        }
    }

    fn check_mark(&self, row: &Row, index: usize) -> Result<(), Problem> {
        match row.marks.iter().find(|(column, _)| *column == index) {
            Some((_, Mark::NotAValue)) => Err(Problem::NotAValue),
            // Fifteen digits are exact in a number cell, and with their count known the zeros can be put back.
            Some((_, Mark::Number))
                if self.is_code && self.digits.is_none_or(|digits| digits > 15) =>
            {
                Err(Problem::NumberCell)
            }
            _ => Ok(()),
        }
    }
}

fn scheme(field: Field, rule: &Rule) -> Result<Option<Scheme>> {
    let name = field.name();
    ensure!(
        field == Field::Grade || (rule.scheme.is_none() && rule.scale.is_none()),
        "{name}: scheme and scale are for grade"
    );
    if field != Field::Grade {
        return Ok(None);
    }
    let scheme = match (rule.scheme.as_deref().unwrap_or("as-written"), &rule.scale) {
        ("points", Some(scale)) => match Scale::parse(scale) {
            Ok(scale) => Scheme::Points(scale),
            Err(_) => bail!(
                "{name}: no scale {scale:?}; there are {}",
                Scale::all().map(Scale::id).collect::<Vec<_>>().join(", ")
            ),
        },
        ("points", None) => bail!("{name}: the scheme points needs a scale"),
        (_, Some(_)) => bail!("{name}: a scale is for the scheme points"),
        ("percentage", None) => Scheme::Percentage,
        ("five-level", None) => Scheme::FiveLevel,
        ("pass-fail", None) => Scheme::PassFail,
        ("as-written", None) => Scheme::AsWritten,
        (other, None) => bail!(
            "{name}: no scheme {other:?}; there are percentage, five-level, pass-fail, points, as-written"
        ),
    };
    Ok(Some(scheme))
}

const fn is_code(field: Field) -> bool {
    matches!(
        field,
        Field::LearnerCode
            | Field::IdentityNumber
            | Field::ExternalId
            | Field::AchievementCode
            | Field::Project
            | Field::CourseCode
            | Field::CertificateNumber
            | Field::Route
            | Field::EnterpriseCode
            | Field::EnterpriseMentor
            | Field::CollegeMentor
    )
}
