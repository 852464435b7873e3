//! A table of a yearbook as it is shown: names of rows, figures, a chart of the first of them.

use creditbank_domain::rules::Wording;
use creditbank_domain::statistics::{Dimension, MEASURES, Row, Subject, Table};

use super::chart;
use crate::ask::statistics::Published;
use crate::show::hundredths;
use crate::words::Lang;

/// A table for a template.
pub(super) struct Shown {
    /// For the address within the page.
    pub(super) id: String,
    pub(super) title: String,
    /// Names of the columns: dimensions, then figures.
    pub(super) dimensions: Vec<String>,
    pub(super) measures: Vec<String>,
    pub(super) rows: Vec<ShownRow>,
    /// SVG; empty where there is none.
    pub(super) chart: String,
}

/// One row.
pub(super) struct ShownRow {
    pub(super) names: Vec<String>,
    pub(super) figures: Figures,
}

/// Figures of a row as people read them: none where all are suppressed, and none for each that is suppressed alone.
pub(super) type Figures = Option<[Option<String>; MEASURES]>;

/// A table of a yearbook; none where it has no rows.
pub(super) fn shown(of: &Published, subject: Subject, table: Table, lang: Lang) -> Option<Shown> {
    let rows: Vec<&Row> = of.yearbook.table(subject, table).collect();
    if rows.is_empty() {
        return None;
    }
    let pick = |it: Wording| lang.pick(it.zh, it.en);
    let name = |dimension: Dimension, value| {
        let named = of.institutions.iter().find(|it| it.number == value);
        match named {
            Some(it) if dimension == Dimension::Institution => it.display_name.clone(),
            _ => pick(dimension.value_label(value, of.yearbook.year)),
        }
    };
    let names = |row: &Row| {
        let values = table.dimensions().iter().zip([row.cell.a, row.cell.b]);
        values
            .map(|(dimension, value)| name(*dimension, value))
            .collect()
    };
    let title = match subject {
        Subject::Learning => pick(table.label()),
        _ => format!("{} · {}", pick(subject.label()), pick(table.label())),
    };
    let bar = |row: &&Row| {
        let names: Vec<String> = names(row);
        let learners = row.amounts[0];
        let said = learners.map_or_else(
            || lang.pick("已抑制", "suppressed").to_owned(),
            |it| it.to_string(),
        );
        (names.last().cloned().unwrap_or_default(), learners, said)
    };
    let chart = match table.dimensions() {
        [_] => chart::bars(&rows.iter().map(bar).collect::<Vec<_>>()),
        _ => String::new(),
    };
    let dimensions = table.dimensions().iter();
    Some(Shown {
        id: format!("{}-{}", subject as u8, table.name()),
        title,
        dimensions: dimensions.map(|it| pick(it.label())).collect(),
        measures: measures(subject, lang),
        rows: rows
            .iter()
            .map(|row| ShownRow {
                names: names(row),
                figures: figures(row),
            })
            .collect(),
        chart,
    })
}

/// Names of the figures of a subject.
pub(super) fn measures(subject: Subject, lang: Lang) -> Vec<String> {
    let labels = subject.measure_labels().into_iter();
    labels.map(|it| lang.pick(it.zh, it.en)).collect()
}

/// Figures of a row as people read them.
pub(super) fn figures(row: &Row) -> Figures {
    let said = |at: usize, amount: i64| match row.cell.subject.is_hundredths(at) {
        true => hundredths(amount.unsigned_abs()),
        false => amount.to_string(),
    };
    let figures = std::array::from_fn(|at| row.amounts[at].map(|amount| said(at, amount)));
    (!row.is_suppressed()).then_some(figures)
}
