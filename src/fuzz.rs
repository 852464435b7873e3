//! No file that somebody sends ends the program in a panic: what is kept in `tests/fuzz/files`, and mutations of it.

#[path = "../tests/fuzz/mutate.rs"]
mod mutate;

use std::path::Path;
use std::sync::Arc;

use crate::mapping::Mapping;
use crate::peer_card::PeerCard;
use crate::public_keys::PublicKeys;
use crate::table::{Format, Options, Table};

/// Mutations of what is kept of a kind of file.
const MUTATIONS: u64 = 5_000;
/// The same of workbooks, whose reading takes longer.
const WORKBOOKS: u64 = 400;

/// Decodes what is kept in a folder of `tests/fuzz`, and mutations of it: the same ones every time.
pub(crate) fn replay(folder: &str, decode: impl Fn(&[u8])) {
    replay_some(folder, decode, MUTATIONS);
}

fn replay_some(folder: &str, decode: impl Fn(&[u8]), mutations: u64) {
    let mut state = 1_u64;
    mutate::replay(folder, decode, mutations, |end| {
        // splitmix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    });
}

/// Reads a table to its end.
fn read(path: &Path, format: Format) {
    let options = Options {
        format: Some(format),
        ..Options::default()
    };
    let wanted = ["name".to_owned(), "course".to_owned()];
    if let Ok(table) = Table::open(path, &options, &wanted, &Arc::default()) {
        drop(table.for_each(&mut |_| Ok(())));
    }
}

#[test]
fn no_table_ends_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table");
    for (name, format, mutations) in [
        ("files/csv", Format::Csv, MUTATIONS),
        ("files/ndjson", Format::Ndjson, MUTATIONS),
        ("files/xlsx", Format::Xlsx, WORKBOOKS),
    ] {
        let decode = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path, format);
        };
        replay_some(name, decode, mutations);
    }
}

#[test]
fn no_document_ends_in_a_panic() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    replay("files/mapping", |bytes| {
        let header = ["name".to_owned(), "score".to_owned()];
        if let Ok(mapping) = Mapping::parse(&text(bytes)) {
            drop(mapping.columns());
            drop(mapping.bind(&header, None));
        }
    });
    replay("files/public-keys", |bytes| {
        drop(PublicKeys::parse(&text(bytes)))
    });
    replay("files/peer-card", |bytes| {
        drop(PeerCard::parse(&text(bytes)))
    });
}

#[test]
#[ignore = "writes into the tree"]
fn the_first_workbook_is_written() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, ["name", "course"]).unwrap();
    sheet.write_row(1, 0, ["学生", "高等数学"]).unwrap();
    sheet.write(2, 0, 7).unwrap();
    workbook.save(mutate::folder("files/xlsx/sheet")).unwrap();
}
