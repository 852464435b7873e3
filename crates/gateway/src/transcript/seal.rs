//! What the QR code of a set holds where no share stands behind it: which records the set has, and a digest of them.
//!
//! The page that verifies takes the file of these records, verifies it as any, and holds it against this digest: so paper
//! and file are of the same records, unchanged, and none is left out. It tells nothing of what the records say: leaves are
//! public, and a commitment hides its content.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::sheet::Record;

/// What the digest is of, before leaf and commitment of each record in the order of the log.
const CONTEXT: &[u8] = b"creditbank/set/v1\n";

/// The part of a link behind `#`: `set=`, the digest, `.`, and the leaves as base64url of varints, each less the one before.
pub(super) fn seal(records: &[Record]) -> String {
    let mut sorted: Vec<&Record> = records.iter().collect();
    sorted.sort_unstable_by_key(|it| it.leaf_index);
    let mut digest = Sha256::new_with_prefix(CONTEXT);
    let (mut leaves, mut before) = (Vec::new(), 0);
    for record in sorted {
        digest.update(record.leaf_index.to_be_bytes());
        digest.update(record.commitment);
        varint(&mut leaves, record.leaf_index - before);
        before = record.leaf_index;
    }
    let [digest, leaves] = [&digest.finalize()[..], &leaves].map(|it| URL_SAFE_NO_PAD.encode(it));
    format!("set={digest}.{leaves}")
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::{seal, varint};
    use crate::transcript::sheet::{Pair, Record};

    fn record(leaf_index: u64, commitment: u8) -> Record {
        Record {
            leaf_index,
            commitment: [commitment; 32],
            name: String::new(),
            institution: String::new(),
            completed_on: String::new(),
            credits_hundredths: None,
            hours_hundredths: None,
            grade: Pair::default(),
            state: Pair::default(),
            is_in_force: true,
        }
    }

    #[test]
    fn a_seal_is_of_leaves_and_commitments_in_the_order_of_the_log() {
        let told = seal(&[record(300, 2), record(7, 1)]);
        assert_eq!(told, seal(&[record(7, 1), record(300, 2)]));
        assert!(
            told.starts_with("set=") && told.ends_with(".B6UC"),
            "{told}"
        );
        for other in [
            [record(300, 1), record(7, 1)],
            [record(301, 2), record(7, 1)],
        ] {
            assert_ne!(told, seal(&other));
        }
    }

    #[test]
    fn leaves_are_written_seven_bits_a_byte() {
        for (number, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (300, &[0xac, 0x02]),
        ] {
            let mut written = Vec::new();
            varint(&mut written, number);
            assert_eq!(written, bytes, "{number}");
        }
    }

    #[test]
    fn the_longest_seal_fits_a_code_that_phones_read() {
        let records: Vec<_> = (0..50).map(|it| record(it * 90_000_000, 3)).collect();
        let link = format!("https://creditbank.example.org/verify#{}", seal(&records));
        assert!(link.len() < 400, "{}", link.len());
        assert!(crate::qr::Qr::of(&link).is_some());
    }
}
