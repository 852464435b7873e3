//! Who reads only the head of what a command prints breaks nothing: the command does its work and ends as it would have.

use std::fs::{self, Permissions};
use std::io::pipe;
use std::os::unix::fs::PermissionsExt as _;

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
