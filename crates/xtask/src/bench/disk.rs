//! Bytes on disk, by column family: read from the database's own list of files once the server has stopped.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rocksdb::{DB, Options as Database};

use crate::bank::Bank;
use crate::options::Options;
use crate::report::{Entry, Report};

/// What a record may take, everything included.
const BYTES_PER_RECORD_MAX: f64 = 700.0;

/// The result that peers are compared with.
pub(crate) const PER_RECORD: &str = "disk_per_record";

/// Stops the bank and measures its folder.
pub(crate) fn measure(options: &Options, bank: &mut Bank, report: &mut Report) -> Result<()> {
    if !options.wants("disk") {
        return Ok(());
    }
    let (folder, records) = (bank.stop()?, bank.deposited());
    let database = folder.join("db");
    let names = DB::list_cf(&Database::default(), &database)?;
    let db = DB::open_cf_for_read_only(&Database::default(), &database, names, false)?;
    let mut families: BTreeMap<String, u64> = BTreeMap::new();
    for file in db.live_files()? {
        *families.entry(file.column_family_name).or_default() += file.size as u64;
    }
    drop(db);
    let tables: u64 = families.values().sum();
    let all = folder_bytes(&folder)?;
    ensure!(all >= tables, "files are missing");
    families.insert("log of writes and all else".into(), all - tables);
    for (name, bytes) in &families {
        report.add(Entry::new(
            &format!("disk {name}"),
            per(*bytes, records),
            "bytes/record",
        ));
    }
    let entry =
        Entry::new(PER_RECORD, per(all, records), "bytes/record").at_most(BYTES_PER_RECORD_MAX);
    report.add(entry.note(&format!(
        "{records} records, payloads of 250 bytes, everything included"
    )));
    Ok(())
}

fn per(bytes: u64, records: u64) -> f64 {
    bytes as f64 / records as f64
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let data = entry.metadata()?;
        bytes += if data.is_dir() {
            folder_bytes(&entry.path())?
        } else {
            data.len()
        };
    }
    Ok(bytes)
}
