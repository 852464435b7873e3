//! Timestamped cosignatures of checkpoints.

use base64::{Engine, engine::general_purpose::STANDARD};
use creditbank_merkle::{
    Checkpoint, CheckpointError, Cosigner, CosignerKey, Note, NoteError, TreeSize, VerifierKey,
    leaf_hash,
};
use ed25519_dalek::{Signature, SigningKey};

use crate::notes::signer;

// A witness of the public network, as the Go implementation's tests name it.
const REMORA: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
const TIME: u64 = 1_679_315_147;

fn cosigner(name: &str) -> Cosigner {
    Cosigner::new(name, SigningKey::from_bytes(&[9; 32])).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "bank.example/log".into(),
        size: TreeSize::new(7),
        root: leaf_hash(b"root"),
    }
}

/// A checkpoint under the log's signature and a cosignature.
fn cosigned(time: u64) -> String {
    let line = cosigner("witness.example/w1").cosign(&checkpoint().text(), time);
    checkpoint().sign(&signer("bank.example/log")).unwrap() + &line.unwrap()
}

fn time(note: &str, key: &CosignerKey) -> Result<u64, NoteError> {
    key.verify(&Note::parse(note).unwrap())
}

#[test]
fn keys_of_the_public_network_are_read_and_written_alike() {
    let key: CosignerKey = REMORA.parse().unwrap();
    assert_eq!((key.name(), key.id()), ("remora.n621.de", 0xda77_ade7));
    assert_eq!(key.to_string(), REMORA);
    assert_eq!(REMORA.parse::<VerifierKey>(), Err(NoteError::KeyType));
    let plain = signer("remora.n621.de").verifier().to_string();
    assert_eq!(plain.parse::<CosignerKey>(), Err(NoteError::KeyType));
    let renamed = REMORA.replace("n621", "n622");
    assert_eq!(renamed.parse::<CosignerKey>(), Err(NoteError::KeyHash));
}

#[test]
fn a_cosignature_has_exactly_the_published_bytes() {
    let note = cosigned(TIME);
    let line = note.lines().last().unwrap();
    let bytes = STANDARD.decode(line.rsplit_once(' ').unwrap().1).unwrap();
    let cosigner = cosigner("witness.example/w1");
    assert!(line.starts_with("— witness.example/w1 "), "{line}");
    assert_eq!(bytes[..4], cosigner.public().id().to_be_bytes());
    assert_eq!(bytes[4..12], TIME.to_be_bytes());
    let message = format!(
        "cosignature/v1\ntime {TIME}\nbank.example/log\n7\n{}\n",
        leaf_hash(b"root")
    );
    let signature = Signature::from_slice(&bytes[12..]).unwrap();
    let key = SigningKey::from_bytes(&[9; 32]).verifying_key();
    assert!(key.verify_strict(message.as_bytes(), &signature).is_ok());
}

#[test]
fn a_cosignature_verifies_beside_the_logs_own_signature() {
    let note = cosigned(TIME);
    let cosigner = cosigner("witness.example/w1");
    assert_eq!(time(&note, cosigner.public()), Ok(TIME));
    let log = signer("bank.example/log");
    assert_eq!(Checkpoint::open(&note, log.verifier()), Ok(checkpoint()));
    // A log and its bank as a cosigner may bear one name: the kinds of key tell them apart.
    let namesake = self::cosigner("bank.example/log");
    assert_eq!(
        time(&note, namesake.public()),
        Err(NoteError::NotSignedByKey)
    );
    let again = note.clone() + &cosigner.cosign(&checkpoint().text(), TIME + 5).unwrap();
    assert_eq!(time(&again, cosigner.public()), Ok(TIME + 5));
}

#[test]
fn a_cosignature_of_another_text_or_time_is_refused() {
    let key = cosigner("witness.example/w1");
    let note = cosigned(TIME);
    let (line, plain) = (
        note.lines().last().unwrap().to_owned() + "\n",
        "— witness.example/w1 ",
    );
    let moved = |line: &str| {
        let other = Checkpoint {
            size: TreeSize::new(8),
            ..checkpoint()
        };
        other.sign(&signer("bank.example/log")).unwrap() + line
    };
    let retimed = |time: u64| {
        let mut bytes = STANDARD.decode(line.trim_end().rsplit_once(' ').unwrap().1);
        bytes.as_mut().unwrap()[4..12].copy_from_slice(&time.to_be_bytes());
        note.replace(
            &line,
            &format!("{plain}{}\n", STANDARD.encode(bytes.unwrap())),
        )
    };
    assert_eq!(time(&retimed(TIME), key.public()), Ok(TIME));
    for note in [
        moved(&line),
        retimed(TIME + 1),
        retimed(u64::MAX),
        note.replace(&line, &format!("{plain}{}\n", STANDARD.encode([1; 5]))),
    ] {
        let refused = time(&note, key.public());
        assert!(refused.is_err(), "{note} gives {refused:?}");
    }
}

#[test]
fn only_checkpoints_are_cosigned() {
    let refused = cosigner("w").cosign("o\nmany\n", TIME);
    assert_eq!(refused, Err(CheckpointError::Size));
    let note = signer("o").sign("o\n7\n").unwrap();
    let parsed = Note::parse(&note).unwrap();
    let under = parsed.under(signer("o").verifier()).unwrap();
    assert_eq!(under, note);
}

#[test]
fn a_note_under_one_key_leaves_other_lines_out() {
    let note = cosigned(TIME);
    let log = signer("bank.example/log");
    let alone = Note::parse(&note).unwrap().under(log.verifier());
    assert_eq!(alone, Ok(checkpoint().sign(&log).unwrap()));
}
