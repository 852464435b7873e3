//! Figures as lines: one for each cell and figure, the same on the screen, in CSV and in Parquet.

use std::collections::HashMap;
use std::io::Write;

use anyhow::Result;
use creditbank_domain::rules::Wording;
use creditbank_domain::statistics::{Amounts, Cell, Dimension, Yearbook};
use creditbank_wire::convert::statistics::cells;
use creditbank_wire::v1;

use crate::print::{self, Language};

/// One figure of one cell.
pub(super) struct Line {
    pub(super) year: u16,
    pub(super) subject: String,
    pub(super) table: &'static str,
    /// Names of the values of both dimensions; empty where there is none.
    pub(super) values: [String; 2],
    /// Codes of the values.
    pub(super) codes: [u32; 2],
    pub(super) measure: String,
    /// In hundredths where `is_hundredths`; none where it is suppressed.
    pub(super) amount: Option<i64>,
    pub(super) is_hundredths: bool,
}

/// What names values.
struct Names<'a> {
    language: Language,
    institutions: HashMap<u32, &'a str>,
}

/// The lines of a yearbook.
pub(super) fn of_yearbook(
    yearbook: &Yearbook,
    institutions: &[v1::InstitutionName],
    language: Language,
) -> Vec<Line> {
    let names = Names::new(institutions, language);
    let rows = yearbook.rows.iter();
    rows.flat_map(|row| names.lines(&row.cell, row.amounts))
        .collect()
}

/// The lines of figures.
pub(super) fn of_figures(year: u16, figures: &v1::Figures, language: Language) -> Vec<Line> {
    let names = Names::new(&figures.institutions, language);
    let cells = cells(year, &figures.rows);
    cells
        .iter()
        .flat_map(|(cell, amounts)| names.lines(cell, Some(*amounts)))
        .collect()
}

impl<'a> Names<'a> {
    fn new(institutions: &'a [v1::InstitutionName], language: Language) -> Self {
        let institutions = institutions.iter();
        Self {
            language,
            institutions: institutions
                .map(|it| (it.number, it.display_name.as_str()))
                .collect(),
        }
    }

    fn pick(&self, wording: Wording) -> String {
        self.language.say(wording.zh, wording.en)
    }

    fn value(&self, dimension: Dimension, value: u32, year: u16) -> String {
        match self.institutions.get(&value) {
            Some(name) if dimension == Dimension::Institution => (*name).to_owned(),
            _ => self.pick(dimension.value_label(value, year)),
        }
    }

    fn lines(&self, cell: &Cell, amounts: Option<Amounts>) -> Vec<Line> {
        let mut values = [String::new(), String::new()];
        let dimensions = cell.table.dimensions().iter().zip([cell.a, cell.b]);
        for (name, (dimension, value)) in values.iter_mut().zip(dimensions) {
            *name = self.value(*dimension, value, cell.year);
        }
        let measures = cell.subject.measure_labels().into_iter().enumerate();
        let lines = measures.map(|(at, measure)| Line {
            year: cell.year,
            subject: self.pick(cell.subject.label()),
            table: cell.table.name(),
            values: values.clone(),
            codes: [cell.a, cell.b],
            measure: self.pick(measure),
            amount: amounts.map(|amounts| amounts[at]),
            is_hundredths: cell.subject.is_hundredths(at),
        });
        lines.collect()
    }
}

impl Line {
    /// The figure as a decimal; empty where it is suppressed.
    fn decimal(&self) -> String {
        match self.amount {
            None => String::new(),
            Some(amount) if self.is_hundredths => print::hundredths(amount.unsigned_abs()),
            Some(amount) => amount.to_string(),
        }
    }
}

const HEADER_ZH: [&str; 9] = [
    "年度",
    "主题",
    "表",
    "代码一",
    "分组一",
    "代码二",
    "分组二",
    "指标",
    "数值",
];
const HEADER_EN: [&str; 9] = [
    "year", "subject", "table", "code_1", "group_1", "code_2", "group_2", "measure", "value",
];

/// Writes CSV with a header; a suppressed figure is an empty field.
pub(super) fn write_csv(lines: &[Line], language: Language, out: impl Write) -> Result<()> {
    let mut rows = csv::Writer::from_writer(out);
    rows.write_record(match language {
        Language::Zh => HEADER_ZH,
        Language::En => HEADER_EN,
    })?;
    for line in lines {
        let [first, second] = line.codes.map(|code| code.to_string());
        rows.write_record([
            &line.year.to_string(),
            &line.subject,
            line.table,
            &first,
            &line.values[0],
            &second,
            &line.values[1],
            &line.measure,
            &line.decimal(),
        ])?;
    }
    Ok(rows.flush()?)
}

/// Prints lines for people.
pub(super) fn print(lines: &[Line], language: Language) {
    let header = match language {
        Language::Zh => ["主题", "表", "分组一", "分组二", "指标", "数值"],
        Language::En => ["subject", "table", "group_1", "group_2", "measure", "value"],
    };
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            [
                line.subject.clone(),
                line.table.to_owned(),
                line.values[0].clone(),
                line.values[1].clone(),
                line.measure.clone(),
                line.decimal(),
            ]
        })
        .collect();
    print::table(header, &rows);
}
