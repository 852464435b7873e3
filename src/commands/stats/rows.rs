//! Lines of figures on the screen.

use std::collections::HashMap;

use creditbank_domain::statistics::{Line, Lines};
use creditbank_wire::v1;

use crate::print::{self, Language};

/// What makes lines in a language.
pub(super) fn lines(institutions: &[v1::InstitutionName], language: Language) -> Lines<'_> {
    let institutions = institutions.iter();
    let named = institutions.map(|it| (it.number, it.display_name.as_str()));
    Lines {
        is_zh: matches!(language, Language::Zh),
        institutions: named.collect::<HashMap<_, _>>(),
    }
}

/// Prints lines for people.
pub(super) fn print(lines: &[Line], language: Language) {
    let header = match language {
        Language::Zh => ["主题", "表", "分组一", "分组二", "指标", "数值", "说明"],
        Language::En => [
            "subject", "table", "group_1", "group_2", "measure", "value", "note",
        ],
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
                line.note.clone(),
            ]
        })
        .collect();
    print::table(header, &rows);
}
