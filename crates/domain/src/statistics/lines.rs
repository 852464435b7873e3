//! Yearbooks and figures as lines, one for each cell and figure: the same in CSV, in Parquet and on a screen.

use std::collections::HashMap;

use super::cell::{Cell, Cells, Dimension, MEASURES, Subject, Table, amounts_of};
use super::yearbook::Yearbook;
use crate::rules::Wording;

/// Columns of lines.
pub const COLUMNS: usize = 11;

/// The name of the table of what there is to know about all lines.
pub const ABOUT: &str = "about";
/// The name of the table of learners among residents.
pub const PARTICIPATION: &str = "participation";

const HEADER_ZH: [&str; COLUMNS] = [
    "年度",
    "主题",
    "表",
    "代码一",
    "分组一",
    "代码二",
    "分组二",
    "指标",
    "单位",
    "数值",
    "说明",
];
const HEADER_EN: [&str; COLUMNS] = [
    "year", "subject", "table", "code_1", "group_1", "code_2", "group_2", "measure", "unit",
    "value", "note",
];

/// One figure of one cell, or one thing to know about all of them (table `about`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The year.
    pub year: u16,
    /// What it is about; empty in `about`.
    pub subject: String,
    /// Name of the table, the same in all languages.
    pub table: &'static str,
    /// Codes of the values of both dimensions; 0 where there is none.
    pub codes: [u32; 2],
    /// Names of the values; empty where there is none.
    pub values: [String; 2],
    /// What is counted.
    pub measure: String,
    /// In what; empty for texts.
    pub unit: String,
    /// In hundredths where `is_hundredths`; none where it is suppressed, or a text.
    pub amount: Option<i64>,
    /// Whether `amount` is in hundredths.
    pub is_hundredths: bool,
    /// That it is suppressed, or a text.
    pub note: String,
}

/// Makes lines in one language.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    /// Whether in Chinese; else in English.
    pub is_zh: bool,
    /// Names of institutions by number.
    pub institutions: HashMap<u32, &'a str>,
}

impl Lines<'_> {
    /// The lines of a yearbook: what it is, its tables, days of decisions, participation.
    #[must_use]
    pub fn yearbook(&self, it: &Yearbook) -> Vec<Line> {
        let text = |zh, en, note| self.about(it.year, (zh, en), note);
        let mut lines = vec![
            text("账本", "Log", it.origin.clone()),
            self.size(it.year, it.size),
            text("账本根哈希", "Root of the log", hex(&it.root)),
            text("年鉴 SHA-256", "SHA-256 of the yearbook", hex(&it.hash())),
        ];
        if !it.population.source.is_empty() {
            let population = &it.population;
            lines.push(text(
                "常住人口来源",
                "Source of residents",
                population.source.clone(),
            ));
            lines.push(text(
                "常住人口日期",
                "Date of residents",
                population.dated.clone(),
            ));
        }
        lines.extend(self.tables(it));
        lines
    }

    /// The lines of a yearbook that is not published.
    #[must_use]
    pub fn preview(&self, it: &Yearbook) -> Vec<Line> {
        let warning = self.say("试算，未发布", "a preview, not published");
        let mut lines = vec![
            self.size(it.year, it.size),
            self.about(it.year, ("公布", "Publication"), warning),
        ];
        lines.extend(self.tables(it));
        lines
    }

    /// The lines of figures as of a size of the log, with nothing suppressed.
    #[must_use]
    pub fn figures(&self, year: u16, size: u64, cells: &Cells) -> Vec<Line> {
        let warning = self.say(
            "未作抑制，不得公布",
            "nothing is suppressed, not for publication",
        );
        let mut lines = vec![
            self.size(year, size),
            self.about(year, ("公布", "Publication"), warning),
        ];
        let cells = cells.iter().filter(|(cell, _)| cell.year == year);
        lines.extend(cells.flat_map(|(cell, sums)| self.cell(cell, amounts_of(sums).map(Some))));
        lines
    }

    /// The tables, days of decisions, participation.
    fn tables(&self, it: &Yearbook) -> Vec<Line> {
        let rows = it.rows.iter();
        let rows = rows.flat_map(|row| self.cell(&row.cell, row.amounts));
        let rows = rows.chain(self.days(it)).chain(self.participation(it));
        rows.collect()
    }

    /// The names of the columns.
    #[must_use]
    pub const fn header(&self) -> [&'static str; COLUMNS] {
        match self.is_zh {
            true => HEADER_ZH,
            false => HEADER_EN,
        }
    }

    /// CSV (RFC 4180) with a header. A mark of UTF-8 stands before it, without which spreadsheets take it for another
    /// encoding.
    #[must_use]
    pub fn csv(&self, lines: &[Line]) -> String {
        let mut out = String::from('\u{feff}');
        put_row(&mut out, self.header());
        for line in lines {
            let [first, second] = line.codes.map(|code| code.to_string());
            put_row(
                &mut out,
                [
                    &line.year.to_string(),
                    &line.subject,
                    line.table,
                    &first,
                    &line.values[0],
                    &second,
                    &line.values[1],
                    &line.measure,
                    &line.unit,
                    &line.decimal(),
                    &line.note,
                ],
            );
        }
        out
    }

    fn say(&self, zh: &str, en: &str) -> String {
        if self.is_zh { zh } else { en }.to_owned()
    }

    fn pick(&self, it: Wording) -> String {
        if self.is_zh { it.zh } else { it.en }
    }

    fn about(&self, year: u16, (zh, en): (&str, &str), note: String) -> Line {
        Line {
            year,
            table: ABOUT,
            measure: self.say(zh, en),
            note,
            ..Line::default()
        }
    }

    fn size(&self, year: u16, size: u64) -> Line {
        Line {
            unit: self.say("条", "leaves"),
            amount: i64::try_from(size).ok(),
            ..self.about(year, ("账本条数", "Size of the log"), String::new())
        }
    }

    fn suppressed(&self) -> String {
        self.say("已抑制", "suppressed")
    }

    fn value(&self, dimension: Dimension, value: u32, year: u16) -> String {
        match self.institutions.get(&value) {
            Some(name) if dimension == Dimension::Institution => (*name).to_owned(),
            _ => self.pick(dimension.value_label(value, year)),
        }
    }

    fn cell(&self, cell: &Cell, amounts: [Option<i64>; MEASURES]) -> Vec<Line> {
        let mut values = [String::new(), String::new()];
        let dimensions = cell.table.dimensions().iter().zip([cell.a, cell.b]);
        for (name, (dimension, value)) in values.iter_mut().zip(dimensions) {
            *name = self.value(*dimension, value, cell.year);
        }
        let labels = cell.subject.measure_labels().into_iter();
        let measures = labels.zip(cell.subject.units()).zip(amounts).enumerate();
        let lines = measures.map(|(at, ((measure, unit), amount))| Line {
            year: cell.year,
            subject: self.pick(cell.subject.label()),
            table: cell.table.name(),
            values: values.clone(),
            codes: [cell.a, cell.b],
            measure: self.pick(measure),
            unit: self.pick(unit),
            amount,
            is_hundredths: cell.subject.is_hundredths(at),
            note: amount.map_or_else(|| self.suppressed(), |_| String::new()),
        });
        lines.collect()
    }

    fn days(&self, it: &Yearbook) -> Vec<Line> {
        let recognised = it.table(Subject::Recognition, Table::Total).next();
        if recognised.is_none_or(|row| row.amounts[2] == Some(0)) {
            return Vec::new();
        }
        let median = it.days.map(|days| days.median);
        let p90 = it.days.and_then(|days| days.p90);
        let line = |measure, days: Option<u32>| Line {
            year: it.year,
            subject: self.pick(Subject::Recognition.label()),
            table: Table::Days.name(),
            measure,
            unit: self.say("天", "days"),
            amount: days.map(i64::from),
            note: days.map_or_else(|| self.suppressed(), |_| String::new()),
            ..Line::default()
        };
        vec![
            line(
                self.say("决定用时中位数", "Days to the decision, median"),
                median,
            ),
            line(
                self.say("决定用时九成位", "Days to the decision, nine of ten"),
                p90,
            ),
        ]
    }

    fn participation(&self, it: &Yearbook) -> Vec<Line> {
        let lines = it.participation().into_iter().flat_map(|row| {
            let line = |measure, unit, amount: Option<u64>| Line {
                year: it.year,
                subject: self.pick(Subject::Learning.label()),
                table: PARTICIPATION,
                codes: [row.district, 0],
                values: [
                    match row.district {
                        0 => self.say("全域", "The whole region"),
                        _ => self.value(Dimension::District, row.district, it.year),
                    },
                    String::new(),
                ],
                measure,
                unit,
                amount: amount.and_then(|it| it.try_into().ok()),
                note: amount.map_or_else(|| self.suppressed(), |_| String::new()),
                ..Line::default()
            };
            let residents = (self.say("常住人口", "Residents"), self.say("人", "people"));
            let rate = (
                self.say("每万人学习者", "Learners in 10,000"),
                self.say("人/万人", "in 10,000"),
            );
            [
                line(residents.0, residents.1, Some(row.residents)),
                line(rate.0, rate.1, row.rate),
            ]
        });
        lines.collect()
    }
}

impl Line {
    /// The figure as a decimal; empty where there is none.
    #[must_use]
    pub fn decimal(&self) -> String {
        match self.amount {
            None => String::new(),
            Some(amount) if self.is_hundredths => {
                let sign = if amount < 0 { "-" } else { "" };
                let amount = amount.unsigned_abs();
                format!("{sign}{}.{:02}", amount / 100, amount % 100)
            }
            Some(amount) => amount.to_string(),
        }
    }
}

fn put_row(out: &mut String, fields: [&str; COLUMNS]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match field.contains([',', '"', '\r', '\n']) {
            true => {
                out.push('"');
                out.push_str(&field.replace('"', "\"\""));
                out.push('"');
            }
            false => out.push_str(field),
        }
    }
    out.push_str("\r\n");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
