//! `statistics.proto`: populations, cells and yearbooks.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_domain::statistics::{
    Cell, Cells, MEASURES, Population, Subject, Sums, Table, Yearbook,
};
use creditbank_domain::{Fault, Refusal, RegionCode};

use super::catalogue::date;
use crate::v1;

/// Most bytes of the name of a population.
const SOURCE_BYTES_MAX: usize = 200;
/// Most districts of a population.
const DISTRICTS_MAX: usize = 4096;

/// Residents, as a caller states them.
pub fn population(message: v1::Population) -> Result<Population, Fault> {
    if message.source.is_empty() {
        return Err(Refusal::Missing.at("source"));
    }
    if message.source.len() > SOURCE_BYTES_MAX {
        let max = SOURCE_BYTES_MAX as u32;
        return Err(Refusal::TooLong { max }.at("source"));
    }
    let dated = date(&message.dated).map_err(|refusal| refusal.at("dated"))?;
    if message.residents.len() > DISTRICTS_MAX {
        let max = DISTRICTS_MAX as u32;
        return Err(Refusal::TooMany { max }.at("residents"));
    }
    let mut residents = BTreeMap::new();
    for (row, it) in message.residents.iter().enumerate() {
        let field = || format!("residents[{row}].district");
        if it.district != 0 {
            let region = RegionCode::parse(&format!("{:06}", it.district));
            region.map_err(|refusal| refusal.at(field()))?;
        }
        if residents.insert(it.district, it.residents).is_some() {
            return Err(Refusal::NotCanonical.at(field()));
        }
    }
    Ok(Population {
        source: message.source,
        dated: dated.to_string(),
        residents,
    })
}

/// The inverse of [`population`].
#[must_use]
pub fn population_message(it: &Population) -> v1::Population {
    let residents = it.residents.iter();
    v1::Population {
        source: it.source.clone(),
        dated: it.dated.clone(),
        residents: residents
            .map(|(district, residents)| v1::DistrictResidents {
                district: *district,
                residents: *residents,
            })
            .collect(),
    }
}

/// The message of a yearbook; without its tables if `is_listed`.
#[must_use]
pub fn yearbook_message(
    it: &Yearbook,
    institutions: Vec<v1::InstitutionName>,
    is_listed: bool,
) -> v1::Yearbook {
    let canonical = it.encode();
    v1::Yearbook {
        year: it.year.into(),
        tree_size: it.size,
        root: it.root.to_vec().into(),
        hash: it.hash().to_vec().into(),
        canonical: match is_listed {
            true => prost::bytes::Bytes::new(),
            false => canonical.into(),
        },
        institutions,
    }
}

/// A yearbook that somebody sent: its bytes must be what its hash says.
pub fn yearbook(message: &v1::Yearbook) -> Result<Yearbook, Fault> {
    let malformed = || {
        let refusal = Refusal::Malformed {
            expected: "canonical bytes of a yearbook",
        };
        refusal.at("canonical")
    };
    let yearbook = Yearbook::decode(&message.canonical).ok_or_else(malformed)?;
    match yearbook.hash()[..] == message.hash {
        true => Ok(yearbook),
        false => Err(malformed()),
    }
}

/// One cell with its figures.
#[must_use]
pub fn row_message(cell: &Cell, sums: &Sums) -> v1::FiguresRow {
    let (amounts, behind) = sums.split_at(MEASURES);
    let (people, squares) = behind.split_at(MEASURES);
    v1::FiguresRow {
        subject: cell.subject as u32,
        table: cell.table as u32,
        first: cell.a,
        second: cell.b,
        amounts: amounts.to_vec(),
        people: people.to_vec(),
        squares: squares.to_vec(),
    }
}

/// Rows of a year; what is not of a table, without all its figures, or told already is left out.
#[must_use]
pub fn cells(year: u16, rows: &[v1::FiguresRow]) -> Cells {
    let place = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let read = |row: &v1::FiguresRow| {
        let cell = Cell {
            year,
            subject: *Subject::ALL.get(place(row.subject)?)?,
            table: *Table::ALL.get(place(row.table)?)?,
            a: row.first,
            b: row.second,
        };
        let sums = [&row.amounts[..], &row.people, &row.squares].concat();
        Some((cell, sums.try_into().ok()?))
    };
    let mut told = BTreeSet::new();
    let once = |(cell, _): &(Cell, Sums)| told.insert(*cell);
    rows.iter().filter_map(read).filter(once).collect()
}
