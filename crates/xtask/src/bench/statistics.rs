//! Statistics of a bank that holds all records: how fast its figures are folded again, and how long a yearbook takes.
//!
//! The append path does nothing for figures. The thread that folds them rests twenty times as long as each part took, so it
//! takes a twentieth of one core at most while records come in, and catches up afterwards.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_domain::statistics::{
    Cells, Content, Fact, History, Person, Population, Sex, Yearbook, figures,
};
use creditbank_domain::{Category, LeafIndex};
use creditbank_ledger::statistics::rebuild;
use creditbank_ledger::vault::KeyEncryptionKey;
use creditbank_store::{Store, StoreOptions};
use jiff::civil::date;

use crate::bank::Bank;
use crate::clock;
use crate::options::Options;
use crate::report::{Entry, Report};

/// What figures may cost of the append path.
const SHARE: f64 = 0.1;
/// How fast all figures are folded again, against the rate of appends.
const REBUILD: f64 = 1.0;
/// Seconds for a yearbook.
const YEARBOOK_S: f64 = 1.0;
/// The year of the bench's records.
const YEAR: u16 = 2026;

/// Stops the bank and measures its folder.
pub(crate) fn measure(options: &Options, bank: &mut Bank, report: &mut Report) -> Result<()> {
    if !options.wants_any(&["statistics"]) {
        return Ok(());
    }
    let share = bank.server().share_of("statistics")?;
    report.add(
        Entry::new("statistics_share", share, "of the server")
            .at_most(SHARE)
            .note("processor time of the thread that folds figures while the bank was filled and read"),
    );
    let (folder, records) = (bank.stop()?, bank.deposited());
    let store = Store::open(&folder.join("db"), &StoreOptions::default())?;
    let key = key(&folder)?;
    let start = clock::now();
    let leaves = rebuild(&store, &key)?;
    let took = start.elapsed();
    ensure!(leaves >= records, "leaves are missing");
    report.add(
        Entry::new("statistics_rebuild", clock::rate(leaves, took), "records/s")
            .against("fill", report.value("fill"))
            .at_least(REBUILD)
            .note(&format!(
                "all archives of {leaves} leaves opened and folded"
            )),
    );
    let start = clock::now();
    let snapshot = store.snapshot();
    let cells = snapshot.figures(Some(YEAR))?;
    ensure!(!cells.is_empty(), "no figures of the year");
    let at = (leaves, [0; 32]);
    let yearbook = Yearbook::new(("bench/log", YEAR), at, Population::default(), &cells);
    let bytes = yearbook.encode();
    let took = start.elapsed().as_secs_f64();
    report.add(
        Entry::new("statistics_yearbook", took, "s")
            .at_most(YEARBOOK_S)
            .note(&format!("{} cells, {} bytes", cells.len(), bytes.len())),
    );
    store.close()?;
    wide(report);
    Ok(())
}

/// Districts of a province.
const DISTRICTS: u32 = 120;
/// Learners who make its cells, thinly spread so that many are small.
const LEARNERS: u64 = 20_000;

/// The yearbook of a province: what takes time is to find what covers small cells, and that grows with cells alone.
fn wide(report: &mut Report) {
    let cells = province();
    let start = clock::now();
    let at = (LEARNERS, [0; 32]);
    let yearbook = Yearbook::new(("bench/log", YEAR), at, Population::default(), &cells);
    let took = start.elapsed().as_secs_f64();
    let suppressed = yearbook.rows.iter().flat_map(|row| row.amounts);
    let suppressed = suppressed.filter(Option::is_none).count();
    report.add(
        Entry::new("statistics_yearbook_wide", took, "s")
            .at_most(YEARBOOK_S)
            .note(&format!(
                "{DISTRICTS} districts, {} cells, {suppressed} figures suppressed",
                cells.len()
            )),
    );
}

fn province() -> Cells {
    let mut cells = Cells::default();
    for code in 0..LEARNERS {
        // Quadratic, so that some districts and categories have few learners.
        let few = |of: u64, bound: u64| (of % bound) * (of / bound % bound) / bound;
        let district = 310_000 + few(code * 7919, DISTRICTS.into()) as u32;
        let person = Person {
            born: Some(1930 + (code % 80) as i16),
            sex: [Sex::Male, Sex::Female][(code % 2) as usize],
        };
        let fact = Fact {
            leaf: LeafIndex(code),
            ended: None,
            code,
            on: date(YEAR as i16, 1 + few(code * 31, 12) as i8, 1),
            content: Content::Learnt {
                category: Category::ALL[few(code * 13, 9) as usize],
                institution: district * 10 + (code % 9) as u32,
                district,
                hours: (code % 3 * 800) as u32,
                credits: (code % 4 * 100) as u32,
                is_passed: !code.is_multiple_of(17),
            },
        };
        let history = History {
            codes: vec![(code, person)],
            merges: Vec::new(),
            facts: vec![fact],
        };
        cells.add_all(&figures(&history, u64::MAX));
    }
    cells
}

fn key(folder: &Path) -> Result<KeyEncryptionKey> {
    let path = folder.join("secrets/key-encryption.key");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
    let bytes = STANDARD.decode(text.trim())?;
    let bytes: [u8; 32] = bytes.try_into().ok().context("not a key of 32 bytes")?;
    Ok(KeyEncryptionKey::new(&bytes))
}
