//! The same on the machine's own disk: strace fails system calls of a running bank, one kind after the other.
//!
//! It needs no FUSE, and what it fails are the very calls: the test knows which those of an append are.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use super::{BATCHES, rounds, small};
use crate::bank::Bank;
use crate::chance::Chance;
use crate::crash::Scene;
use crate::institution::{Institution, student};

/// Calls, the nth of which fails (of each thread), and how. A sync of the log of writes and one of the anchor alternate.
const FAULTS: [(&str, u64, &str); 7] = [
    ("fdatasync", 24, "EIO"),
    ("fdatasync", 24, "ENOSPC"),
    ("fsync", 3, "EIO"),
    ("pwrite64", 12, "EIO"),
    ("write", 12, "EIO"),
    ("write", 12, "ENOSPC"),
    ("rename", 2, "EIO"),
];
/// Most numbers of files that the log of writes may have in a test.
const FILES_MAX: u32 = 400;

/// strace on a running process; it lets go of it in the end.
pub(crate) struct Injector {
    strace: Child,
    _said: BufReader<ChildStderr>,
}

impl Injector {
    /// Does this to such a call in every thread, in strace's words; `None` where strace is missing.
    pub(crate) fn attach(bank: &Bank, call: &str, what: &str) -> Option<Self> {
        let mut command = Command::new("strace");
        command
            .args(["-f", "-o", "/dev/null"])
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:{what}")])
            .args(["-p", &bank.process().to_string()]);
        // Sockets are written to as well: only the log of writes is meant.
        if call == "write" {
            let folder = fs::canonicalize(bank.dir().join("db")).expect("a database");
            for number in 1..FILES_MAX {
                command
                    .arg("-P")
                    .arg(folder.join(format!("{number:06}.log")));
            }
        }
        let spawned = command.stderr(Stdio::piped()).spawn();
        let Ok(mut strace) = spawned else {
            println!("SKIPPED: strace is missing; `cargo xtask setup` installs it");
            return None;
        };
        let mut said = BufReader::new(strace.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("attached") {
            line.clear();
            let read = said.read_line(&mut line).expect("text");
            assert!(read > 0, "strace does not attach to a process of ours");
        }
        Some(Self {
            strace,
            _said: said,
        })
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        drop(self.strace.kill());
        drop(self.strace.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_call_that_fails_costs_nothing_acknowledged() {
    let mut bank = Bank::made();
    small(&bank);
    bank.start();
    let mut scene = Scene::with(bank, Chance::new("system calls")).await;
    for _ in 0..rounds().div_ceil(super::ROUNDS) {
        for (call, among, error) in FAULTS {
            let nth = 1 + scene.chance.below(among);
            // A disk that is full stays so.
            let after = if error == "ENOSPC" { "+" } else { "" };
            let what = format!("error={error}:when={nth}{after}");
            let Some(injector) = Injector::attach(&scene.bank, call, &what) else {
                return;
            };
            let told = scene.submit(BATCHES, None).await;
            println!("{call} {nth} {error}: {told} batches acknowledged");
            scene.bank.kill();
            drop(injector);
            scene.audit().await;
        }
    }
    scene.bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_cannot_be_written_ends_the_bank_and_leaves_no_half_of_a_learner() {
    let mut bank = Bank::new();
    let school = Institution::new(&bank, "school").await;
    let Some(injector) = Injector::attach(&bank, "fdatasync", "error=ENOSPC:when=1+") else {
        return;
    };
    let told = school.line.learner().enrol_learner(student("99")).await;
    told.expect_err("it was not written");
    assert_eq!(bank.ended().code(), Some(74), "EX_IOERR");
    drop(injector);
    bank.check_log();
}
