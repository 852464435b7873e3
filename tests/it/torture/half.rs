//! A write whose sync fails because the disk is full is there as a whole after the next start, or not at all.
//!
//! RocksDB answers a full disk by writing its tables anew as soon as there is room, a family after the other, although what
//! lies in the log of writes was never applied: a process that ends in between would find the write in some families and not
//! in others. The options of the store forbid that ([`creditbank_store::StoreOptions`]); here the process is killed at every sync that
//! could follow.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use creditbank_domain::LeafIndex;
use creditbank_store::{HeadRow, Plan, Store, StoreOptions, Views};

/// Syncs behind the failed one, each of which ends a process of its own.
const SYNCS: u64 = 12;
/// How long RocksDB may take to think of something after a write has failed.
const AFTERTHOUGHT: Duration = Duration::from_millis(500);
/// Where the process that is to be hurt works.
const FOLDER: &str = "CREDITBANK_TEST_HALF";
const HURT: &str = "torture::half::the_process_that_is_hurt";

#[test]
fn a_write_that_a_full_disk_did_not_sync_is_there_as_a_whole_or_not_at_all() {
    std::thread::scope(|scope| {
        for nth in 1..=SYNCS {
            scope.spawn(move || {
                let folder = tempfile::tempdir().expect("a temporary folder");
                if hurt(folder.path(), nth) {
                    look(&folder.path().join("db"), nth);
                }
            });
        }
    });
}

/// One row of each of some families.
fn plan(size: u64) -> Plan {
    let index = LeafIndex(size - 1);
    Plan {
        expected_size: size - 1,
        chunks: Vec::new(),
        tiles: Vec::new(),
        vault: Vec::new(),
        book: vec![(index, b"entry".to_vec())],
        views: Views {
            statements: vec![(index, b"statement".to_vec())],
            ..Views::default()
        },
        learners: Vec::new(),
        head: HeadRow {
            size,
            root: [0; 32],
            deposited_at_ms: 0,
        },
    }
}

#[test]
#[ignore = "runs in a process of its own, for the test above"]
#[expect(clippy::disallowed_methods, reason = "told by the test that starts it")]
fn the_process_that_is_hurt() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let store = Store::create(&folder.join("db"), &StoreOptions::default(), "half").expect("room");
    store.commit(&plan(1)).expect("room");
    store.flush().expect("room");
    store.commit(&plan(2)).expect("room");
    let thread = fs::read_link("/proc/thread-self").expect("Linux");
    println!("\n{}", thread.display());
    // Whoever looks on has done so.
    std::io::stdin().read_exact(&mut [0]).expect("a byte");
    store.commit(&plan(3)).expect_err("its sync fails");
    std::thread::sleep(AFTERTHOUGHT);
    std::process::abort();
}

/// Lets the sync of one process fail, and kills it at the nth that follows. `false` where strace is missing.
fn hurt(folder: &Path, nth: u64) -> bool {
    let mut process = Command::new(std::env::current_exe().expect("this test"))
        .args([HURT, "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this test");
    let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    let said = lines.map(|line| line.expect("text")).find_map(|line| {
        line.split_once("/task/")
            .map(|(_, thread)| thread.to_owned())
    });
    let writer = said.expect("the process tells its thread");
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).expect("it runs");
    let others: Vec<String> = tasks
        .map(|task| {
            task.expect("a thread")
                .file_name()
                .into_string()
                .expect("a number")
        })
        .filter(|thread| *thread != writer)
        .collect();
    let full = inject("error=ENOSPC:when=1", &[writer]);
    let kills = inject(&format!("signal=SIGKILL:when={nth}"), &others);
    let mut looking = [full, kills].map(|child| child.inspect_err(|_| skipped()).ok());
    if looking.iter().all(Option::is_some) {
        process
            .stdin
            .take()
            .expect("piped")
            .write_all(b".")
            .expect("it waits");
    }
    process.wait().expect("it ends");
    let both = looking
        .iter_mut()
        .flatten()
        .map(|strace| drop(strace.wait()));
    both.count() == 2
}

fn skipped() {
    println!("SKIPPED: strace is missing; `cargo xtask setup` installs it");
}

/// strace on these threads, attached to all of them.
fn inject(what: &str, threads: &[String]) -> std::io::Result<Child> {
    let mut command = Command::new("strace");
    command.args(["-o", "/dev/null", "-e", "trace=fdatasync"]);
    command.args(["-e", &format!("inject=fdatasync:{what}")]);
    for thread in threads {
        command.args(["-p", thread]);
    }
    let mut strace = command.stderr(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(strace.stderr.take().expect("piped")).lines();
    let attached = said.by_ref().map(|line| line.expect("text"));
    let attached = attached.filter(|line| line.contains("attached"));
    assert_eq!(attached.take(threads.len()).count(), threads.len());
    // What it says later is nobody's concern, but somebody has to take it.
    std::thread::spawn(move || said.for_each(drop));
    Ok(strace)
}

/// Head, entry and statement are those of one moment.
fn look(db: &Path, nth: u64) {
    let store = Store::open(db, &StoreOptions::default()).expect("it opens");
    let snapshot = store.snapshot();
    let size = snapshot.head().expect("a head").expect("a head").size;
    assert!(size == 2 || size == 3, "a head of {size}");
    let third = LeafIndex(2);
    let entry = snapshot.book(third).expect("readable").is_some();
    let statement = snapshot.statement(third).expect("readable").is_some();
    assert_eq!(
        (entry, statement),
        (size == 3, size == 3),
        "killed at sync {nth}: a part of a write"
    );
}
