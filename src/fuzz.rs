//! No file that somebody sends ends the program in a panic: what is kept in `tests/fuzz/files`, and mutations of it.

#[path = "../tests/fuzz/mutate.rs"]
mod mutate;

use std::path::Path;
use std::sync::Arc;

use creditbank_ledger::BankKeys;
use creditbank_ledger::backup;
use creditbank_ledger::check::check;
use creditbank_ledger::export::{export, import};
use creditbank_ledger::peers::seal::seal;
use creditbank_store::Store;

use crate::backup::{Source, Target, restore};
use crate::config::Folder;
use crate::connection::block_on;
use crate::mapping::Mapping;
use crate::peer_card::PeerCard;
use crate::public_keys::PublicKeys;
use crate::table::{Format, Options, Table};

/// Mutations of what is kept of a kind of file.
const MUTATIONS: u64 = 5_000;
/// The same of workbooks, whose reading takes longer.
const WORKBOOKS: u64 = 400;

/// Ledgers that are imported with changed rows; each makes a database.
const LEDGERS: u64 = 40;

/// Decodes what is kept in a folder of `tests/fuzz`, and mutations of it: the same ones every time.
pub(crate) fn replay(folder: &str, decode: impl Fn(&[u8])) {
    replay_some(folder, decode, MUTATIONS);
}

fn replay_some(folder: &str, decode: impl Fn(&[u8]), mutations: u64) {
    mutate::replay(folder, decode, mutations, chance());
}

/// Chance that is the same every time: splitmix64.
fn chance() -> impl FnMut(u64) -> u64 {
    let mut state = 1_u64;
    move |end| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
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

/// A row on the move: number of its family, key and value.
type Row = (u8, Vec<u8>, Vec<u8>);

/// An exported ledger, opened with its receiver's key.
struct Exported {
    /// Everything in front of the frame: magic, length and checkpoint.
    head: Vec<u8>,
    info: Vec<u8>,
    rows: Vec<Row>,
}

const MAGIC: &[u8] = b"creditbank/export/v1\n";
/// What is bound into the only frame: its number, and that it is the last.
const AAD: [u8; 9] = [0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Whether the frame is the last, its length, and the encapsulation.
const FRAME_HEAD: usize = 1 + 4 + 32;

impl Exported {
    fn open(file: &[u8], keys: &BankKeys) -> Self {
        let (length, rest) = file[MAGIC.len()..].split_first_chunk::<2>().unwrap();
        let (note, frame) = rest.split_at(u16::from_be_bytes(*length).into());
        let info = [MAGIC, note, &backup::seal(keys, note)].concat();
        let (head, sealed) = frame.split_at(FRAME_HEAD);
        let own = keys.seal.as_ref().unwrap();
        let opened = own.open(&info, &AAD, &head[5..], sealed).unwrap();
        let (mut left, mut rows) = (&opened[..], Vec::new());
        while let Some((kind, rest)) = left.split_first() {
            let (length, rest) = rest.split_first_chunk::<2>().unwrap();
            let (key, rest) = rest.split_at(u16::from_be_bytes(*length).into());
            let (length, rest) = rest.split_first_chunk::<4>().unwrap();
            let (value, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
            rows.push((*kind, key.to_vec(), value.to_vec()));
            left = rest;
        }
        Self {
            head: file[..file.len() - frame.len()].to_vec(),
            info,
            rows,
        }
    }

    /// The file of these rows, sealed as the bank itself would.
    fn file(&self, rows: &[Row], keys: &BankKeys) -> Vec<u8> {
        let mut plain = Vec::new();
        for (kind, key, value) in rows {
            plain.push(*kind);
            plain.extend(u16::try_from(key.len()).unwrap().to_be_bytes());
            plain.extend_from_slice(key);
            plain.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
            plain.extend_from_slice(value);
        }
        let receiver = keys.seal.as_ref().unwrap().public();
        let (enc, sealed) = seal(receiver, &self.info, &AAD, &plain).unwrap();
        let length = u32::try_from(sealed.len()).unwrap().to_be_bytes();
        [&self.head[..], &[1], &length, &enc, &sealed].concat()
    }
}

/// Rows of which one to three have another key or value, or are gone.
fn changed(rows: &[Row], chance: &mut impl FnMut(u64) -> u64) -> Vec<Row> {
    let mut rows = rows.to_vec();
    for _ in 0..=chance(3) {
        let at = usize::try_from(chance(rows.len() as u64)).unwrap();
        let (_, key, value) = &mut rows[at];
        let part = match chance(8) {
            0 => {
                drop(rows.remove(at));
                continue;
            }
            1 => key,
            _ => value,
        };
        *part = mutate::mutated(&[(Default::default(), part.clone())], chance);
        part.truncate(u16::MAX.into());
    }
    rows
}

#[test]
fn no_exported_ledger_ends_in_a_panic() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1");
    let bank = Folder::new(&golden.join("bank"));
    let settings = bank.settings().unwrap();
    let place = tempfile::tempdir().unwrap();
    let options = |name: &str| {
        let mut options = bank.options(&settings, None).unwrap();
        options.directory = place.path().join(name);
        options.anchor = place.path().join("anchor");
        options
    };
    let keys = bank.keys().unwrap();
    let target = Target::open(golden.join("backup").to_str().unwrap(), None, false).unwrap();
    let source = Source {
        target: &target,
        name: None,
        mirror: None,
        cosigned: &[],
    };
    let restored = restore(&source, options("db"), bank.keys().unwrap());
    block_on(restored).unwrap();
    let mut file = Vec::new();
    let receiver = keys.seal.as_ref().unwrap();
    export(&options("db"), &keys, receiver.public(), &mut file).unwrap();
    let exported = Exported::open(&file, &keys);
    assert!(exported.rows.len() > 100, "{}", exported.rows.len());
    let mut chance = chance();
    let mut taken = 0;
    for number in 0..LEDGERS {
        let file = match number {
            0 => exported.file(&exported.rows, &keys),
            number if number % 8 == 0 => {
                mutate::mutated(&[(golden.clone(), file.clone())], &mut chance)
            }
            _ => exported.file(&changed(&exported.rows, &mut chance), &keys),
        };
        let options = options("imported");
        if import(&options, &keys, receiver, &file[..]).is_ok() {
            let store = Store::open_read_only(&options.directory, &options.store).unwrap();
            let key = Some(&keys.key_encryption);
            let report = check(&store, &options.anchor, key, |_| ());
            assert!(number > 0 || report.unwrap().findings.is_empty());
            taken += 1;
        }
        std::fs::remove_dir_all(&options.directory).unwrap();
    }
    assert!(taken > 1, "rows are read, not only refused");
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
