//! What time, disks and thieves do to a database is refused or found, with a message that says what and where.

use std::fs;
use std::path::{Path, PathBuf};

use creditbank_domain::LeafIndex;
use creditbank_store::{Go, Store, StoreOptions};
use creditbank_wire::v1;

use crate::bank::{Bank, signal, told};
use crate::institution::Institution;
use crate::writes::{self, DEFAULT, IDS, LEARNERS, LEAVES, Row, TILES, VAULT};

/// Leaves of a bank after [`filled`]: the bank's own two, and 400 records, so that one tile is full.
const LEAVES_ALL: u64 = 402;

/// A running bank with 400 records of ten learners, in batches of 40.
async fn filled() -> (Bank, Institution) {
    let bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    for batch in 0..10 {
        let learner = fudan.enrol(&batch.to_string()).await;
        fudan
            .deposit(
                &bank,
                (0..40)
                    .map(|i| fudan.course(&format!("{batch}/{i}"), learner))
                    .collect(),
            )
            .await;
    }
    (bank, fudan)
}

/// The log of writes of a bank that was killed; it holds everything since its first start.
async fn killed() -> (Bank, PathBuf) {
    let (mut bank, _) = filled().await;
    bank.kill();
    let mut logs = bank.database_files(".log");
    logs.retain(|log| fs::metadata(log).is_ok_and(|log| log.len() > 0));
    assert_eq!(logs.len(), 1, "one log of writes: {logs:?}");
    (bank, logs.remove(0))
}

/// Flips one bit of a file.
fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 0x10;
    fs::write(file, bytes).unwrap();
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Says that a text names all of these.
#[track_caller]
fn names(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted:?} is not said in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_writes_that_lost_its_end_is_refused() {
    let (mut bank, log) = killed().await;
    let whole = fs::read(&log).unwrap();
    bank.backup("whole");
    let places = writes::places(&log);
    let last = places.last().unwrap();
    let cases = [
        (
            "torn in its last write",
            whole[..last.end - 5].to_vec(),
            "40 acknowledged records are missing",
        ),
        (
            "cut in front of its last write",
            whole[..last.start].to_vec(),
            "40 acknowledged records are missing",
        ),
        (
            "cut in its middle",
            whole[..places[places.len() / 2].start].to_vec(),
            "acknowledged records are missing",
        ),
        ("empty", Vec::new(), "401 acknowledged records are missing"),
    ];
    for (case, bytes, said) in cases {
        println!("{case}");
        bank.restore("whole", "db");
        fs::write(&log, bytes).unwrap();
        names(&bank.refuses_to_start(), &[said, "402"]);
        names(&bank.check_finds().1, &["that were signed are missing"]);
    }
    bank.restore("whole", "db");
    fs::remove_file(&log).unwrap();
    names(
        &bank.refuses_to_start(),
        &["401 acknowledged records are missing"],
    );
    assert_eq!(bank.check_finds().0, Some(1));
    // What was refused was not touched: with the whole log back, all is well.
    bank.restore("whole", "db");
    bank.start();
    assert_eq!(bank.check_log()["leaves"], LEAVES_ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flipped_in_the_log_of_writes_is_refused() {
    let (mut bank, log) = killed().await;
    let places = writes::places(&log);
    bank.backup("whole");
    for place in [
        &places[1],
        &places[places.len() / 2],
        &places[places.len() - 2],
    ] {
        bank.restore("whole", "db");
        flip(&log, (place.start + place.end) / 2);
        let database = bank.dir().join("db");
        let database = database.to_str().unwrap();
        names(&bank.refuses_to_start(), &["orruption", database]);
        let (code, said) = bank.check_finds();
        assert_ne!(code, Some(0));
        names(&said, &["orruption", database]);
    }
}

/// A killed bank, and its log of writes with a page missing from the last write, a large deposit. That was acknowledged; the
/// backup "before" has an anchor that does not say so.
struct Torn {
    bank: Bank,
    log: PathBuf,
    torn: Vec<u8>,
    /// Where the page is missing.
    middle: usize,
}

impl Torn {
    async fn new() -> Self {
        let (mut bank, fudan) = filled().await;
        bank.backup("before");
        let learner = fudan.enrol("large").await;
        let large = (0..200).map(|i| fudan.course(&format!("large/{i}"), learner));
        fudan.deposit(&bank, large.collect()).await;
        bank.kill();
        bank.backup("after");
        let log = bank.database_files(".log").pop().unwrap();
        let last = writes::places(&log).pop().unwrap();
        let mut torn = fs::read(&log).unwrap();
        let middle = usize::midpoint(last.start, last.end).next_multiple_of(4096);
        assert!(last.contains(&(middle + 4096)), "the write has pages");
        torn[middle..middle + 4096].fill(0);
        fs::write(&log, &torn).unwrap();
        Self {
            bank,
            log,
            torn,
            middle,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_write_that_a_power_cut_tore_is_left_out_unless_it_was_acknowledged() {
    let Torn {
        mut bank,
        log,
        torn,
        middle,
    } = Torn::new().await;
    // The anchor says that it was acknowledged.
    names(&bank.refuses_to_start(), &["orruption"]);
    let rebuilt = bank.run(&["rebuild", "{dir}"]);
    assert!(!rebuilt.status.success());
    names(&told(&rebuilt), &["orruption"]);
    assert_eq!(
        fs::read(&log).unwrap(),
        torn,
        "what was refused was touched"
    );
    bank.restore("before", "anchor");
    // A bit that flipped is no hole, in the last write neither.
    bank.restore("after", "db");
    flip(&log, middle);
    names(&bank.refuses_to_start(), &["orruption"]);
    fs::write(&log, &torn).unwrap();
    assert_eq!(bank.check_log()["leaves"], LEAVES_ALL);
    bank.start();
    names(&bank.said(), &["tore the last write"]);
    assert_eq!(bank.check_log()["leaves"], LEAVES_ALL);
}

/// Pins a peer that does not run.
fn pin(bank: &Bank) {
    let peer = Bank::made_as("js.test/log", &["--region", "32"]);
    let nowhere = "http://127.0.0.1:1";
    let named = ["--id", "jiangsu", "--grpc", nowhere, "--http", nowhere];
    let card = peer.run(&[&["peer", "card", "{dir}"], &named[..]].concat());
    let path = bank.beside().join("jiangsu.peer");
    fs::write(&path, card.stdout).unwrap();
    let pinned = bank.run(&["peer", "add", "{dir}", path.to_str().unwrap()]);
    assert!(pinned.status.success(), "{}", told(&pinned));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_to_a_stopped_bank_leaves_a_torn_write_out_as_a_start_does() {
    let Torn { mut bank, .. } = Torn::new().await;
    bank.restore("before", "anchor");
    bank.backup("torn");
    pin(&bank);
    let commands: [(&[&str], &str); 5] = [
        (
            &[
                "rehearse",
                "{dir}",
                "--peer",
                "jiangsu",
                "--difference",
                "amount",
            ],
            "no peer bank",
        ),
        (
            &["peer", "resume", "{dir}", "jiangsu"],
            "jiangsu is not stopped",
        ),
        (&["rebuild", "{dir}"], "views folded again from 402 leaves"),
        (&["keys", "rotate", "operator", "{dir}"], ""),
        (
            &["keys", "rotate", "key-encryption", "{dir}"],
            "11 learners' keys",
        ),
    ];
    for (command, wanted) in commands {
        bank.restore("torn", "db");
        bank.restore("torn", "anchor");
        let said = told(&bank.run(command));
        names(&said, &["tore the last write", wanted]);
        let found = bank.check_finds();
        assert_eq!(found.0, Some(0), "{command:?}: {said} {}", found.1);
    }
    bank.start();
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_rolled_back_to_an_older_copy_is_refused() {
    let (mut bank, fudan) = filled().await;
    bank.stop();
    bank.backup("older");
    bank.start();
    let mut fudan = fudan;
    fudan.reconnect(&bank).await;
    let learner = fudan.enrol("new").await;
    fudan
        .deposit(
            &bank,
            (0..7)
                .map(|i| fudan.course(&i.to_string(), learner))
                .collect(),
        )
        .await;
    bank.stop();
    bank.backup("newer");
    bank.restore("older", "db");
    names(
        &bank.refuses_to_start(),
        &["402", "409", "7 acknowledged records are missing"],
    );
    let (code, said) = bank.check_finds();
    assert_eq!(code, Some(1), "{said}");
    names(&said, &["7 leaves that were signed are missing"]);
    bank.restore("newer", "db");
    assert_eq!(bank.check_log()["leaves"], LEAVES_ALL + 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_history_of_the_same_length_is_refused() {
    let (mut bank, mut fudan) = filled().await;
    bank.stop();
    bank.backup("common");
    for name in ["first", "second"] {
        bank.restore("common", "db");
        bank.restore("common", "anchor");
        bank.start();
        fudan.reconnect(&bank).await;
        let learner = fudan.enrol(name).await;
        fudan
            .deposit(&bank, vec![fudan.course(name, learner)])
            .await;
        bank.stop();
        bank.backup(name);
    }
    bank.restore("first", "anchor");
    names(&bank.refuses_to_start(), &["403", "another history"]);
    let (code, said) = bank.check_finds();
    assert_eq!(code, Some(1), "{said}");
    names(&said, &["anchor", "another root at size 403"]);
    bank.restore("second", "anchor");
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_anchor_is_refused_and_a_torn_one_is_not() {
    const SLOT: usize = 4096;
    let (mut bank, _) = filled().await;
    bank.stop();
    let anchor = bank.dir().join("anchor");
    bank.backup("whole");
    let torn = |slots: &[usize]| {
        slots
            .iter()
            .for_each(|slot| flip(&anchor, slot * SLOT + 24))
    };
    for slot in [0, 1] {
        bank.restore("whole", "anchor");
        torn(&[slot]);
        bank.start();
        bank.check_log();
    }
    bank.restore("whole", "anchor");
    torn(&[0, 1]);
    names(
        &bank.refuses_to_start(),
        &["damaged", "both slots of the anchor"],
    );
    let (code, said) = bank.check_finds();
    assert_eq!(code, Some(1), "{said}");
    names(&said, &["both slots of the anchor"]);
    fs::remove_file(&anchor).unwrap();
    names(&bank.refuses_to_start(), &[anchor.to_str().unwrap()]);
    bank.restore("whole", "anchor");
    bank.check_log();
}

/// Bytes of a stored leaf, a stored tile, a sealed payload, a learner and a learner's key, to look for in the files.
fn stored(bank: &Bank) -> [(&'static str, Vec<u8>); 5] {
    let store = Store::open_read_only(&bank.dir().join("db"), &StoreOptions::default()).unwrap();
    let snapshot = store.snapshot();
    let chunk = snapshot.chunk(LeafIndex(100)).unwrap();
    let leaf = chunk.leaf(LeafIndex(100)).unwrap();
    let tile = snapshot
        .tile_hash(creditbank_merkle::TileId { level: 0, index: 0 }, 0)
        .unwrap();
    let mut sealed = Vec::new();
    snapshot
        .whole_vault(|_, _, row| {
            sealed = row[60..92].to_vec();
            Go::Break(())
        })
        .unwrap();
    let (mut learner, mut handle) = (0, Vec::new());
    // Without its first bytes, which the key of the row before may share.
    let visit = |code, row: creditbank_store::LearnerRow| {
        (learner, handle) = (code, row.handle[4..].to_vec());
    };
    snapshot.learners(visit).unwrap();
    let wrapped = store.wrapped_key(learner).unwrap().unwrap()[40..].to_vec();
    // The commitment, which compression shortens by no more than its last bytes.
    let envelope = <v1::Envelope as prost::Message>::decode(&leaf.envelope[..]).unwrap();
    [
        ("leaf", envelope.commitment[..24].to_vec()),
        ("tile", tile.0.to_vec()),
        ("payload", sealed),
        ("learner", handle),
        ("key", wrapped),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flipped_in_a_file_of_the_database_is_found() {
    let (mut bank, mut fudan) = filled().await;
    bank.stop();
    bank.backup("whole");
    for (case, bytes) in stored(&bank) {
        bank.restore("whole", "db");
        let hit = bank.database_files(".sst").into_iter().find_map(|file| {
            let at = position(&fs::read(&file).unwrap(), &bytes)?;
            Some((file, at))
        });
        let (file, at) = hit.unwrap_or_else(|| panic!("the {case} lies in no file"));
        flip(&file, at + 3);
        let name = file.file_name().unwrap().to_str().unwrap();
        let (code, said) = bank.check_finds();
        assert!(code.is_some_and(|code| code != 0), "{case}: {said}");
        names(&said, &["checksum", name]);
    }
    // Served nevertheless, the bank gives no wrong bytes.
    bank.restore("whole", "db");
    let [(_, commitment), ..] = stored(&bank);
    let files = bank.database_files(".sst").into_iter();
    for file in files
        .filter(|file| fs::read(file).is_ok_and(|bytes| position(&bytes, &commitment).is_some()))
    {
        let at = position(&fs::read(&file).unwrap(), &commitment).unwrap();
        flip(&file, at);
    }
    bank.start();
    fudan.reconnect(&bank).await;
    let status = fudan
        .line
        .log()
        .get_leaf(v1::GetLeafRequest { leaf_index: 100 })
        .await
        .unwrap_err();
    assert_eq!(
        creditbank_client::Refused::new(status).code.as_deref(),
        Some("STORAGE_FAILED")
    );
    names(&bank.said(), &["checksum"]);
}

/// Which row to damage, and at which byte.
type Pick = Box<dyn Fn(&Row) -> bool>;
type Place = Box<dyn Fn(&Row) -> usize>;

/// Forges one row with a flipped bit into a killed bank's log of writes.
fn forge(log: &Path, family: u32, pick: impl Fn(&Row) -> bool, at: impl Fn(&Row) -> usize) {
    let rows = writes::rows(log);
    let row = rows
        .iter()
        .rfind(|row| row.family == family && pick(row))
        .expect("such a row");
    let mut forged = row.clone();
    let at = at(row);
    forged.value[at] ^= 0x10;
    writes::forge(log, &[forged]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flipped_below_the_checksums_is_found_and_said_where() {
    let (bank, log) = killed().await;
    bank.backup("whole");
    let leaf = |index: u64| move |row: &Row| row.key == index.to_be_bytes();
    // Chunks hold 32 rows: the batch of 40 that begins at leaf 82 has chunks at 82 and 114.
    let cases: [(&str, u32, Pick, Place, &[&str]); 6] = [
        (
            "an envelope",
            LEAVES,
            Box::new(leaf(82)),
            Box::new(|row| row.value.len() / 2),
            &["leaf 82"],
        ),
        (
            "a signature",
            LEAVES,
            Box::new(leaf(82)),
            Box::new(|_| 60),
            &["signature", "leaf 82"],
        ),
        (
            "a tile",
            TILES,
            Box::new(|_| true),
            Box::new(|_| 33),
            &["tree", "tile 0 of level 0"],
        ),
        (
            "a payload",
            VAULT,
            Box::new(|_| true),
            Box::new(|row| row.value.len() - 20),
            &["vault", "leaf ", "does not open"],
        ),
        (
            "an id",
            IDS,
            Box::new(|_| true),
            Box::new(|_| 7),
            &["view", "rebuild"],
        ),
        (
            "an identity",
            LEARNERS,
            Box::new(|row| row.key[0] == b'I'),
            Box::new(|_| 7),
            &["learners", "1 learners are not found"],
        ),
    ];
    for (case, family, pick, at, said) in cases {
        println!("{case}");
        bank.restore("whole", "db");
        forge(&log, family, pick, at);
        let (code, told) = bank.check_finds();
        assert_eq!(code, Some(1), "{case}: {told}");
        names(&told, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_leaf_at_the_edge_of_the_tree_is_refused_at_the_start() {
    let (mut bank, log) = killed().await;
    // The last batch of 40 begins at leaf 362, its second chunk at 394.
    forge(
        &log,
        LEAVES,
        |row| row.key == 394_u64.to_be_bytes(),
        |row| row.value.len() / 2,
    );
    let said = bank.refuses_to_start();
    names(&said, &["damaged"]);
    assert!(said.contains("402") || said.contains("leaf 394"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_an_unknown_format_is_refused() {
    let (mut bank, log) = killed().await;
    let row = Row {
        family: DEFAULT,
        key: b"format".to_vec(),
        value: b"2".to_vec(),
    };
    writes::forge(&log, &[row]);
    names(&bank.refuses_to_start(), &["format 2", "reads format 1"]);
    let (code, said) = bank.check_finds();
    assert!(code.is_some_and(|code| code != 0));
    names(&said, &["format 2", "reads format 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_and_the_keys_of_another_bank_do_not_go_together() {
    let (mut bank, _) = filled().await;
    bank.stop();
    let other = Bank::made();
    let name = other.run(&["init", "{dir}-other", "--origin", "other.test/log"]);
    assert!(name.status.success());
    let secret = other.beside().join("bank-other/secrets/log.key");
    fs::copy(secret, bank.dir().join("secrets/log.key")).unwrap();
    names(
        &bank.refuses_to_start(),
        &["bank.test/log", "other.test/log"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_never_have_one_database() {
    let (mut bank, _) = filled().await;
    let second = bank.run(&[
        "serve",
        "{dir}",
        "--grpc",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
    ]);
    assert!(!second.status.success());
    names(&told(&second), &["LOCK"]);
    signal(bank.process(), "TERM");
    assert!(bank.ended().success());
    bank.check_log();
}

#[test]
fn a_making_that_was_cut_off_serves_nobody_and_begins_anew() {
    let mut bank = Bank::made();
    let key = bank.public_key();
    // As a power cut in the middle leaves it.
    fs::write(bank.dir().join("making"), "").unwrap();
    fs::remove_file(bank.dir().join("anchor")).unwrap();
    let said = bank.refuses_to_start();
    assert!(said.contains("run `creditbank init` again"), "{said}");
    let init = ["init", "{dir}", "--origin", "again.test/log"];
    let again = bank.run(&init);
    assert!(again.status.success(), "{}", told(&again));
    assert_ne!(bank.public_key(), key, "its keys are new");
    assert_eq!(bank.check_log()["leaves"], 1);
    // One that is whole is never begun anew, nor are keys that somebody has brought.
    let said = told(&bank.run(&init));
    assert!(said.contains("already holds a bank"), "{said}");
    fs::remove_file(bank.dir().join("bank.toml")).unwrap();
    let said = told(&bank.run(&init));
    assert!(said.contains("creditbank restore"), "{said}");
    assert_ne!(bank.public_key(), key);
    assert!(bank.dir().join("secrets/log.key").exists());
    // What cannot be meant leaves nothing behind.
    let nowhere = bank.dir().with_file_name("nowhere");
    let place = nowhere.to_str().unwrap();
    let wrong = bank.run(&["init", place, "--origin", "a.test/log", "--region", "99"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", told(&wrong));
    assert!(!nowhere.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_with_the_key_of_another_serves_nobody() {
    let (mut bank, _) = filled().await;
    bank.stop();
    let key = bank.dir().join("secrets/key-encryption.key");
    let own = fs::read(&key).unwrap();
    let other = Bank::made();
    fs::copy(other.dir().join("secrets/key-encryption.key"), &key).unwrap();
    let said = bank.refuses_to_start();
    assert!(said.contains("does not open learners' keys"), "{said}");
    fs::write(&key, own).unwrap();
    bank.check_log();
}
