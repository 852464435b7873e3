//! A document while it is read: its lines, what was found wrong in it, and the ids it names.

use std::cell::RefCell;
use std::ops::Range;

use creditbank_domain::rules::{Place, Wording};

use crate::finding::{Finding, Severity, code};
use crate::words::words;

/// Most faults of one document that are told: what comes behind is most often their echo.
pub(crate) const FINDINGS_MAX: usize = 200;

/// Signs that look like those of TOML and are not.
const FULL_WIDTH: [char; 14] = [
    '“', '”', '‘', '’', '，', '：', '；', '＝', '．', '［', '］', '｛', '｝', '\u{3000}',
];

/// A document being read. Readers share it, so what it gathers is behind cells.
pub(crate) struct Page<'a> {
    /// Position in the set.
    number: u16,
    name: &'a str,
    text: &'a str,
    /// Offset at which each line begins, ascending.
    lines: Vec<usize>,
    findings: RefCell<Vec<Finding>>,
    references: RefCell<Vec<Reference>>,
}

/// What an id may be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Agreement,
    Limit,
    Origin,
    Programme,
    Rule,
    Standard,
}

impl Kind {
    /// Chinese and English.
    pub(crate) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Agreement => ("协议", "agreement"),
            Self::Limit => ("限额", "limit"),
            Self::Origin => ("来源", "origin"),
            Self::Programme => ("专业教学计划", "programme"),
            Self::Rule => ("规则", "rule"),
            Self::Standard => ("单元标准", "standard"),
        }
    }
}

/// An id that was named, and where.
pub(crate) struct Reference {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) place: Place,
}

impl<'a> Page<'a> {
    pub(crate) fn new(number: u16, name: &'a str, text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            number,
            name,
            text,
            lines: std::iter::once(0).chain(ends).collect(),
            findings: RefCell::default(),
            references: RefCell::default(),
        }
    }

    /// The line on which a span begins.
    pub(crate) fn line(&self, span: &Range<usize>) -> u32 {
        let line = self.lines.partition_point(|start| *start <= span.start);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    pub(crate) fn place(&self, line: u32) -> Place {
        Place {
            document: self.number,
            line,
        }
    }

    pub(crate) fn fault(&self, code: &'static str, line: u32, message: Wording) {
        self.findings.borrow_mut().push(Finding {
            severity: Severity::Error,
            code,
            document: self.name.to_owned(),
            line,
            message,
        });
    }

    pub(crate) fn refer(&self, kind: Kind, id: &str, line: u32) {
        self.references.borrow_mut().push(Reference {
            kind,
            id: id.to_owned(),
            place: self.place(line),
        });
    }

    /// The ids that it names.
    pub(crate) fn take_references(&self) -> Vec<Reference> {
        self.references.take()
    }

    /// What is wrong with it, by line, at most [`FINDINGS_MAX`].
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings.into_inner();
        findings.sort_by_key(|finding| finding.line);
        findings.dedup();
        findings.truncate(FINDINGS_MAX);
        findings
    }

    /// Syntax errors, one a line: the parser goes on behind each, and stumbles again over the same line.
    pub(crate) fn syntax(&self, errors: &[toml::de::Error]) {
        let mut lines = Vec::new();
        for error in errors {
            let line = self.line(&error.span().unwrap_or_default());
            let line = line.min(self.lines.len() as u32);
            if lines.contains(&line) {
                continue;
            }
            lines.push(line);
            let what = error.message();
            let message = match self.full_width(line) {
                None => words!("TOML 语法错误：{what}", "not TOML: {what}"),
                Some(mark) => words!(
                    "TOML 语法错误：本行有全角的 {mark}，引号之外只能用半角符号（{what}）",
                    "not TOML: the line has the full-width {mark}; outside quotation marks write half-width ones ({what})"
                ),
            };
            self.fault(code::SYNTAX, line, message);
        }
    }

    /// What a Chinese keyboard writes in place of what TOML means: the first on a line.
    fn full_width(&self, line: u32) -> Option<char> {
        let mut lines = self.text.lines();
        let text = lines.nth((line as usize).checked_sub(1)?)?;
        text.chars().find(|it| FULL_WIDTH.contains(it))
    }
}
