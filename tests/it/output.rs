//! Who reads only the head of what a command prints, or hears none of its messages, breaks nothing: the command does its work
//! and ends as it would have.

use std::fs::{self, File, Permissions};
use std::io::pipe;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::bank::{Bank, command, told};

#[test]
fn a_command_that_nobody_reads_ends_as_it_would_have() {
    let bank = Bank::made();
    let key = bank.dir().join("secrets/key-encryption.key");
    fs::set_permissions(key, Permissions::from_mode(0o644)).expect("it is there");
    let cases: [(&[&str], i32); 5] = [
        (&["check", "{dir}"], 0),
        // Everybody can read its secret.
        (&["doctor", "{dir}"], 1),
        (&["keys", "list", "{dir}"], 0),
        (&["config", "check", "{dir}"], 0),
        (&["init", "{dir}-2", "--origin", "other.test/log"], 0),
    ];
    for (arguments, code) in cases {
        let dir = bank.dir().display().to_string();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|it| it.replace("{dir}", &dir))
            .collect();
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let ended = command().args(&arguments).stdout(writer).output();
        let ended = ended.expect("the binary was built");
        assert_eq!(ended.status.code(), Some(code), "{}", told(&ended));
        assert!(!told(&ended).contains("panicked"), "{}", told(&ended));
    }
    let made = bank.dir().with_file_name("bank-2").join("bank.pub");
    assert!(made.exists(), "init did all its work");
}

#[test]
fn a_command_whose_messages_nobody_hears_ends_as_it_would_have() {
    let bank = Bank::made();
    let dir = bank.dir().display().to_string();
    let absent = format!("{dir}/absent");
    let full = || {
        File::options()
            .write(true)
            .open("/dev/full")
            .expect("Linux")
    };
    // Nobody listens, or nothing more can be said.
    let unheard = || {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        [Stdio::from(writer), Stdio::from(full())]
    };
    for (arguments, code) in [
        (&["check", &absent][..], 2),
        (
            &["institution", "list", "--server", "http://127.0.0.1:9"],
            3,
        ),
        (&["restore", &absent, &dir], 2),
    ] {
        for stderr in unheard() {
            let ended = command().args(arguments).stderr(stderr).output();
            let ended = ended.expect("the binary was built");
            assert_eq!(ended.status.code(), Some(code), "{arguments:?}");
        }
    }
}
