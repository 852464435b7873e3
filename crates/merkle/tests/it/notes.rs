//! Signed notes and checkpoints.

use creditbank_merkle::{
    Checkpoint, CheckpointError, EMPTY_ROOT, Hash, Note, NoteError, NoteSigner, TreeSize,
    VerifierKey, leaf_hash, note::SIGNATURES_MAX,
};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};

// Of the Go implementation's tests: a key, and a note under it.
const SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\
                    \n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

pub(crate) fn signer(name: &str) -> NoteSigner {
    NoteSigner::new(name, SigningKey::from_bytes(&[7; 32])).unwrap()
}

fn open<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a str, NoteError> {
    Note::parse(note)?.verify(key)
}

#[test]
fn keys_and_notes_of_go_are_read_and_written_alike() {
    let signer = NoteSigner::from_secret_text(SKEY).unwrap();
    let key: VerifierKey = VKEY.parse().unwrap();
    assert_eq!(signer.verifier(), &key);
    assert_eq!(
        (signer.to_secret_text().as_str(), key.to_string().as_str()),
        (SKEY, VKEY)
    );
    assert_eq!(signer.sign(TEXT).as_deref(), Ok(NOTE));
    assert_eq!(open(NOTE, &key), Ok(TEXT));
}

#[test]
fn signed_note_reads_ours_and_we_read_its() {
    let ours = signer("bank.example/log");
    let theirs = StandardSigner::new(&ours.to_secret_text()).unwrap();
    let verifier = StandardVerifier::new(&ours.verifier().to_string()).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    for text in ["\n", "one line\n", "many\n\n\nlines\n", "沪 · 学分银行\n"] {
        let note = ours.sign(text).unwrap();
        let parsed = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
        assert_eq!(parsed.verify(&known).unwrap().0.len(), 1);
        let mut made = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        made.add_sigs(&[&theirs]).unwrap();
        assert_eq!(String::from_utf8(made.to_bytes()).unwrap(), note);
        assert_eq!(open(&note, ours.verifier()), Ok(text));
    }
}

#[test]
fn malformed_keys_are_refused() {
    let cases = [
        ("", NoteError::KeyForm),
        ("PeterNeumann", NoteError::KeyForm),
        ("PeterNeumann+c74f20a3", NoteError::KeyForm),
        (
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteError::KeyForm,
        ),
        (
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
            NoteError::KeyForm,
        ),
        (
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy",
            NoteError::KeyForm,
        ),
        ("PeterNeumann+c74f20a3+", NoteError::KeyForm),
        (
            "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteError::KeyType,
        ),
        (
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteError::KeyHash,
        ),
        (
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteError::KeyName,
        ),
        (
            "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteError::KeyName,
        ),
        // The neutral element, and a point of order two.
        (
            "weak+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            NoteError::WeakKey,
        ),
        (
            "weak+00000000+Aez///////////////////////////////////////9/",
            NoteError::WeakKey,
        ),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text}");
    }
    assert_eq!(
        NoteSigner::from_secret_text(VKEY).unwrap_err(),
        NoteError::KeyForm
    );
    let other_hash = SKEY.replace("c74f20a3", "c74f20a4");
    assert_eq!(
        NoteSigner::from_secret_text(&other_hash).unwrap_err(),
        NoteError::KeyHash
    );
}

#[test]
fn a_secret_key_does_not_show_itself() {
    let signer = NoteSigner::from_secret_text(SKEY).unwrap();
    let secret = SKEY.rsplit_once('+').unwrap().1;
    assert!(!format!("{signer:?}").contains(secret));
}

#[test]
fn lines_of_other_signers_are_passed_over_but_a_false_line_of_ours_is_not() {
    let key: VerifierKey = VKEY.parse().unwrap();
    let line = NOTE.rsplit_once("\n\n").unwrap().1;
    let foreign = signer("witness.example").sign(TEXT).unwrap();
    let foreign = foreign.rsplit_once("\n\n").unwrap().1;
    let unknown_type = "— PeterNeumann AAAAAQQ=\n";
    let forged = line.replace("ZJkuBS9", "ZJkuBSA");
    let cases = [
        ([foreign, line, unknown_type].concat(), Ok(TEXT)),
        ([line, line].concat(), Ok(TEXT)),
        (
            [foreign, unknown_type].concat(),
            Err(NoteError::NotSignedByKey),
        ),
        (forged.clone(), Err(NoteError::WrongSignature)),
        ([line, &forged].concat(), Err(NoteError::WrongSignature)),
        (
            "— PeterNeumann x08gowA=\n".to_owned(),
            Err(NoteError::WrongSignature),
        ),
        (foreign.repeat(SIGNATURES_MAX - 1) + line, Ok(TEXT)),
        (
            foreign.repeat(SIGNATURES_MAX) + line,
            Err(NoteError::TooManySignatures),
        ),
    ];
    for (lines, expected) in cases {
        assert_eq!(open(&format!("{TEXT}\n{lines}"), &key), expected, "{lines}");
    }
}

#[test]
fn notes_out_of_form_are_refused() {
    let key: VerifierKey = VKEY.parse().unwrap();
    let cases = [
        ("", NoteError::Text),
        (NOTE.trim_end(), NoteError::Text),
        (&NOTE.replace('\n', "\r\n"), NoteError::Text),
        (&NOTE.replace("problem", "pro\0blem"), NoteError::Text),
        (TEXT, NoteError::Unsigned),
        (&format!("{TEXT}\n"), NoteError::Unsigned),
        (&format!("{NOTE}\n"), NoteError::Unsigned),
        (&NOTE.replace("— ", "- "), NoteError::SignatureLine),
        (&NOTE.replace("nAM=", "nAM"), NoteError::SignatureLine),
        (&NOTE.replace("nAM=", "nAN="), NoteError::SignatureLine),
        (
            &format!("{NOTE}— short AAAAAA==\n"),
            NoteError::SignatureLine,
        ),
        (&format!("{NOTE}— a+b AAAAAAA=\n"), NoteError::SignatureLine),
        (
            &format!("{}{NOTE}", "a line\n".repeat(150_000)),
            NoteError::TooLong,
        ),
    ];
    for (note, error) in cases {
        assert_eq!(
            open(note, &key),
            Err(error),
            "{:?}",
            &note[..note.len().min(200)]
        );
    }
    for text in ["", "no end of line", "tab\t\n", "carriage\r\n"] {
        assert_eq!(signer("s").sign(text), Err(NoteError::Text), "{text:?}");
    }
    for name in ["", "a b", "a+b", "a\u{3000}b", "a\nb", "a\u{1}b"] {
        assert_eq!(
            NoteSigner::new(name, SigningKey::from_bytes(&[1; 32])).unwrap_err(),
            NoteError::KeyName
        );
    }
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "bank.example/log".into(),
        size: TreeSize::new(20_852_163),
        root: leaf_hash(b"root"),
    }
}

#[test]
fn a_checkpoint_survives_signing_and_is_read_alike_by_tlog() {
    let signer = signer("bank.example/log");
    let note = checkpoint().sign(&signer).unwrap();
    assert_eq!(Checkpoint::open(&note, signer.verifier()), Ok(checkpoint()));
    let theirs = tlog_tiles::Checkpoint::from_bytes(checkpoint().text().as_bytes()).unwrap();
    assert_eq!(
        (theirs.origin(), theirs.size()),
        ("bank.example/log", 20_852_163)
    );
    assert_eq!(
        (theirs.hash().0, theirs.extension()),
        (checkpoint().root.0, "")
    );
}

#[test]
fn a_checkpoint_of_another_log_is_refused() {
    let signer = signer("other.example/log");
    let foreign = CheckpointError::ForeignOrigin {
        expected: "other.example/log".into(),
        found: "bank.example/log".into(),
    };
    assert_eq!(checkpoint().sign(&signer), Err(foreign.clone()));
    let note = signer.sign(&checkpoint().text()).unwrap();
    assert_eq!(Checkpoint::open(&note, signer.verifier()), Err(foreign));
    let note = checkpoint()
        .sign(&self::signer("bank.example/log"))
        .unwrap();
    let refused = Checkpoint::open(&note, signer.verifier());
    assert_eq!(
        refused,
        Err(CheckpointError::Note(NoteError::NotSignedByKey))
    );
}

#[test]
fn only_the_exact_text_of_a_checkpoint_is_read() {
    let root = EMPTY_ROOT.to_string();
    let read = |size| {
        Ok(Checkpoint {
            origin: "o".into(),
            size: TreeSize::new(size),
            root: EMPTY_ROOT,
        })
    };
    let cases = [
        (format!("o\n0\n{root}\n"), read(0)),
        (format!("o\n18446744073709551615\n{root}\n"), read(u64::MAX)),
        (
            format!("o\n7\n{root}\nan extension\nand one more\n"),
            read(7),
        ),
        (format!("o\n7\n{root}\n\n"), Err(CheckpointError::Extension)),
        (
            format!("o\n7\n{root}\n\nx\n"),
            Err(CheckpointError::Extension),
        ),
        (format!("o\n7\n{root}"), Err(CheckpointError::Extension)),
        (format!("\n7\n{root}\n"), Err(CheckpointError::Origin)),
        (format!("\u{7f}\n7\n{root}\n"), Err(CheckpointError::Origin)),
        (format!("o\n07\n{root}\n"), Err(CheckpointError::Size)),
        (format!("o\n+7\n{root}\n"), Err(CheckpointError::Size)),
        (format!("o\n-7\n{root}\n"), Err(CheckpointError::Size)),
        (
            format!("o\n18446744073709551616\n{root}\n"),
            Err(CheckpointError::Size),
        ),
        (format!("o\n\n{root}\n"), Err(CheckpointError::Size)),
        ("o\n7\n\n".to_owned(), Err(CheckpointError::Root)),
        ("o\n7\n".to_owned(), Err(CheckpointError::Root)),
        (
            format!("o\n7\n{}\n", root.trim_end_matches('=')),
            Err(CheckpointError::Root),
        ),
        (format!("o\n7\nAAAA{root}\n"), Err(CheckpointError::Root)),
        (format!("o\n7\n {root}\n"), Err(CheckpointError::Root)),
        (String::new(), Err(CheckpointError::Extension)),
    ];
    for (text, expected) in cases {
        assert_eq!(Checkpoint::parse(&text), expected, "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_changed_checkpoint_never_verifies(at: prop::sample::Index, bit in 0..7_u8) {
        let signer = signer("bank.example/log");
        let mut note = checkpoint().sign(&signer).unwrap().into_bytes();
        let at = at.index(note.len());
        note[at] ^= 1 << bit;
        if let Ok(note) = String::from_utf8(note) {
            prop_assert!(Checkpoint::open(&note, signer.verifier()).is_err(), "{}", note);
        }
    }

    #[test]
    fn hostile_text_gets_an_answer(text in "(\\PC|\n|— |\\+|=|[0-9A-Za-z]{4}){0,60}") {
        let key: VerifierKey = VKEY.parse().unwrap();
        prop_assert!(open(&text, &key).is_err());
        prop_assert!(text.parse::<VerifierKey>().is_err());
        prop_assert!(NoteSigner::from_secret_text(&text).is_err());
        let _ = text.parse::<Hash>();
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert!(text.starts_with(&checkpoint.text()));
        }
    }
}
