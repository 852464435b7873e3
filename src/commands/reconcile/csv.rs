//! A report for spreadsheets: one header, one row a total, one row a difference.

use anyhow::{Context as _, Result};
use creditbank_wire::v1;

use super::lines;
use crate::print::{self, hex};

const HEADER: [&str; 19] = [
    "section",
    "period",
    "origin",
    "receiver",
    "name",
    "own_count",
    "own_source",
    "own_credited",
    "their_count",
    "their_source",
    "their_credited",
    "transfer_id",
    "stage",
    "amount",
    "action",
    "actor",
    "since",
    "own_state",
    "their_state",
];

pub(super) fn print(report: &v1::ReconciliationReport) -> Result<()> {
    let mut rows = ::csv::Writer::from_writer(std::io::stdout().lock());
    rows.write_record(HEADER)?;
    let directions = lines::directions(report);
    for direction in directions.context("the bank gave a statement that cannot be read")? {
        for it in &direction.totals {
            let credits = |hundredths| print::hundredths(hundredths);
            let (own, theirs) = it.credited.unzip();
            let mut row = vec![
                "total".to_owned(),
                report.period.clone(),
                direction.origin.clone(),
                direction.receiver.clone(),
                it.code.to_owned(),
                it.own.count.to_string(),
                credits(it.own.source),
                own.map(credits).unwrap_or_default(),
                it.theirs.count.to_string(),
                credits(it.theirs.source),
                theirs.map(credits).unwrap_or_default(),
            ];
            row.resize(HEADER.len(), String::new());
            rows.write_record(row)?;
        }
    }
    for (standing, it) in lines::all(report) {
        let state = |item: &Option<v1::PeriodItem>| {
            let state = lines::state(item.as_ref());
            state.map_or("", |state| state.code()).to_owned()
        };
        let kinds = lines::kinds(it);
        let code = |of: fn(lines::Kinds) -> &'static str| kinds.map_or("", of).to_owned();
        let mut row = vec![
            standing.code().to_owned(),
            report.period.clone(),
            it.origin.clone(),
            it.receiver.clone(),
            code(|it| it.0.code()),
        ];
        row.resize(11, String::new());
        row.extend([
            hex(&it.transfer_id),
            code(|it| it.1.code()),
            print::hundredths(u64::from(it.amount_hundredths)),
            code(|it| it.2.code()),
            code(|it| it.3.code()),
            it.since.clone(),
            state(&it.own),
            state(&it.theirs),
        ]);
        rows.write_record(row)?;
    }
    Ok(rows.flush()?)
}
