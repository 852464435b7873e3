//! A disk that loses what was not synced: the program of `tests/lossy`, mounted by FUSE and given orders.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A mounted disk; its orders are those of `tests/lossy/src/main.rs`. It is unmounted with it.
pub(crate) struct Disk {
    program: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
}

impl Disk {
    /// Mounts one; `None`, saying so, where the program was not built or FUSE is missing.
    #[expect(
        clippy::disallowed_methods,
        reason = "the home of what the task runner tells the tests"
    )]
    pub(crate) fn mount() -> Option<Self> {
        let Ok(program) = std::env::var("CREDITBANK_LOSSY") else {
            assert!(std::env::var("CI").is_err(), "CI runs `cargo xtask test`");
            println!("SKIPPED: CREDITBANK_LOSSY is not set; `cargo xtask test` sets it");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut program = Command::new(program)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the task runner built it");
        let answers = BufReader::new(program.stdout.take().expect("piped")).lines();
        let mut disk = Self {
            orders: program.stdin.take(),
            program,
            answers,
            folder,
        };
        let mounted = disk.answer();
        if mounted != "mounted" {
            println!("SKIPPED: {mounted}");
            return None;
        }
        Some(disk)
    }

    /// Where it is mounted.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives an order; tells what was done.
    pub(crate) fn order(&mut self, order: &str) -> String {
        let orders = self.orders.as_mut().expect("it is mounted");
        writeln!(orders, "{order}").expect("the disk listens");
        let answer = self.answer();
        assert!(!answer.starts_with("not obeyed"), "{order}: {answer}");
        answer
    }

    fn answer(&mut self) -> String {
        let answer = self.answers.next().expect("the disk answers");
        answer.expect("text")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It unmounts at the end of its orders, and only then can the folder go.
        drop(self.orders.take());
        drop(self.program.wait());
    }
}
