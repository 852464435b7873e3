//! One row being read: every field is looked at, and every fault is told with the column it stands in.

use std::borrow::Cow;

use creditbank_domain::Refusal;

use super::fault::Problem;
use super::field::{Field, Fields};
use super::source::Source;
use crate::table::{Reject, Row};

/// A row, the sources of its fields, and what was wrong so far.
pub(super) struct Reading<'a> {
    pub(super) fields: &'a Fields<Source>,
    row: &'a Row,
    rejects: Vec<Reject>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(fields: &'a Fields<Source>, row: &'a Row) -> Self {
        Self {
            fields,
            row,
            rejects: Vec::new(),
        }
    }

    /// The text of a field, if it has one.
    pub(super) fn text(&mut self, field: Field) -> Option<Cow<'a, str>> {
        match self.fields.at(field)?.text(self.row) {
            Ok(text) => Some(text).filter(|text| !text.is_empty()),
            Err(problem) => self.refuse(field, problem),
        }
    }

    /// The value of a field. Outside none: it was refused. Inside none: the row has none.
    pub(super) fn optional<T>(
        &mut self,
        field: Field,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<Option<T>> {
        let Some(source) = self.fields.at(field) else {
            return Some(None);
        };
        let parsed = match source.text(self.row) {
            Ok(text) if text.is_empty() => return Some(None),
            Ok(text) => parse(&text).map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        match parsed {
            Ok(value) => Some(Some(value)),
            Err(problem) => self.refuse(field, problem),
        }
    }

    /// The value of a field that must have one; none: it was refused.
    pub(super) fn required<T>(
        &mut self,
        field: Field,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        let Some(source) = self.fields.at(field) else {
            return self.refuse(field, Refusal::Missing.into());
        };
        match source
            .required(self.row)
            .and_then(|text| parse(&text).map_err(Problem::from))
        {
            Ok(value) => Some(value),
            Err(problem) => self.refuse(field, problem),
        }
    }

    /// Notes what is wrong with a field.
    pub(super) fn refuse<T>(&mut self, field: Field, problem: Problem) -> Option<T> {
        self.rejects.push(problem.at(column_of(self.fields, field)));
        None
    }

    /// What was built, or everything that was wrong.
    pub(super) fn finish<T>(self, built: Option<T>) -> Result<T, Vec<Reject>> {
        match built {
            Some(built) if self.rejects.is_empty() => Ok(built),
            _ => Err(self.rejects),
        }
    }
}

/// What a clerk knows a field by: the column of the file, or the field's name.
pub(super) fn column_of(fields: &Fields<Source>, field: Field) -> &str {
    fields
        .at(field)
        .and_then(Source::column)
        .unwrap_or(field.name())
}
