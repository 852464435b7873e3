//! The keys of a log that took over from each other, and the file that lists them.

use creditbank_merkle::{Checkpoint, LogKeys, LogKeysError, NoteError, NoteSigner, leaf_hash};
use ed25519_dalek::SigningKey;

const ORIGIN: &str = "bank.example/log";

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name, SigningKey::from_bytes(&[seed; 32])).unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.into(),
        size: size.into(),
        root: leaf_hash(b"x"),
    }
}

#[test]
fn a_checkpoint_is_good_under_the_key_that_signs_its_size() {
    let [a, b, stolen, unknown] = [1, 2, 3, 9].map(|seed| signer(ORIGIN, seed));
    let [vkey_a, vkey_b, vkey_stolen] = [&a, &b, &stolen].map(NoteSigner::verifier);
    let file = format!("# newest first\n{vkey_b} 10-\n{vkey_stolen} withdrawn\n{vkey_a} 0-20\n");
    let keys: LogKeys = file.parse().unwrap();
    let sizes = [
        (0, [true, false]),
        (9, [true, false]),
        (10, [true; 2]),
        (20, [true; 2]),
        (21, [false, true]),
    ];
    for (size, expected) in sizes {
        let checkpoint = checkpoint(size);
        let note = |signer: &NoteSigner| checkpoint.sign(signer).unwrap();
        let is_good = |signer: &NoteSigner| keys.open(&note(signer)).is_ok();
        assert_eq!([&a, &b].map(is_good), expected, "{size}");
        assert!(!is_good(&stolen) && !is_good(&unknown), "{size}");
        // Signed by two, it needs one that holds.
        let both = b.also_sign(&note(&a)).unwrap();
        assert_eq!(keys.open(&both), Ok(checkpoint.clone()), "{size}");
        for signer in [&a, &b] {
            assert!(Checkpoint::open(&both, signer.verifier()).is_ok(), "{size}");
        }
    }
}

#[test]
fn a_list_reads_as_it_was_written_and_a_lone_vkey_signs_everything() {
    let [a, b] = [1, 2].map(|seed| signer(ORIGIN, seed).verifier().to_string());
    for text in [
        format!("{a}\n"),
        format!("{b} 10- AAEC\n{a} 0-20\n"),
        format!("{b} 3-\n{a} withdrawn\n"),
    ] {
        let keys: LogKeys = text.parse().unwrap();
        assert_eq!(keys.to_string(), text);
    }
    let keys: LogKeys = a.parse().unwrap();
    let note = checkpoint(u64::MAX).sign(&signer(ORIGIN, 1)).unwrap();
    assert!(keys.open(&note).is_ok());
}

#[test]
fn a_list_that_is_none_is_refused() {
    let [a, other] =
        [ORIGIN, "other.example/log"].map(|name| signer(name, 1).verifier().to_string());
    let form = Err(LogKeysError::Form { line: 1 });
    let key = |error| Err(LogKeysError::Key { line: 1, error });
    let many = format!("{a}\n").repeat(257);
    for (text, refused) in [
        ("", Err(LogKeysError::Count)),
        ("# nothing\n", Err(LogKeysError::Count)),
        (&*many, Err(LogKeysError::Count)),
        (&*format!("{a}\n{other}\n"), Err(LogKeysError::Names)),
        ("x", key(NoteError::KeyForm)),
        (&*format!("{a} 5"), form),
        (&*format!("{a} 05-6"), form),
        (&*format!("{a} -6"), form),
        (&*format!("{a} 0- ?"), form),
        (&*format!("{a} 0- AAEC more"), form),
    ] {
        assert_eq!(text.parse::<LogKeys>().map(drop), refused, "{text}");
    }
}
