//! The documents byte for byte: a change of what is signed shows here, and the tests of the independent verifiers read
//! these very files.

use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_credential::canon;
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::documents::golden;
use crate::sample::{Sample, outcomes};

/// Whether it is `tests/data/{name}`; what differs is left in the build's folder for tests.
fn is_golden(name: &str, found: &str) -> bool {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    let found = format!("{found}\n");
    if std::fs::read_to_string(&golden).is_ok_and(|expected| expected == found) {
        return true;
    }
    let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&actual, found).unwrap();
    println!("{name} is not as it was; see {}", actual.display());
    false
}

#[test]
fn every_category_of_outcome_makes_the_same_badge_as_before() {
    let sample = Sample::new();
    let changed: Vec<_> = outcomes()
        .iter()
        .zip(131_070..)
        .map(|(outcome, number)| {
            let badge = sample.badge(outcome, number).to_json().unwrap();
            (format!("badge-{}.json", outcome.category()), badge)
        })
        .filter(|(name, badge)| !is_golden(name, badge))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(changed, Vec::<String>::new());
}

#[test]
fn a_clr_is_the_same_as_before() {
    let (sample, outcomes) = (Sample::new(), outcomes());
    let clr = sample.clr(&outcomes).to_json().unwrap();
    let of_two = sample.clr(&outcomes[..2]).to_json().unwrap();
    let same = [
        is_golden("clr.json", &clr),
        is_golden("clr-of-two.json", &of_two),
    ];
    assert_eq!(same, [true; 2]);
}

/// Which compressor is built in is not ours to say, and any may: its bits are compared as bits, and what signs them not
/// at all.
#[test]
fn a_status_list_is_the_same_as_before() {
    let list = Sample::new().list(&SET);
    let mut before = golden("status-list.json");
    let mut found: Value = serde_json::from_str(&list.to_json().unwrap()).unwrap();
    for list in [&mut before, &mut found] {
        let bits = bits(encoded(list));
        list["credentialSubject"]["encodedList"] = bits.into();
        list["proof"].take();
    }
    assert_eq!(found, before);
}

#[test]
fn canonical_rdf_is_the_same_as_before() {
    let (sample, outcomes) = (Sample::new(), outcomes());
    let clr = canon::rdfc(sample.clr(&outcomes).credential()).unwrap();
    let list = sample.list(&SET);
    let document = serde_json::from_str::<Value>(&list.to_json().unwrap()).unwrap();
    let before = golden("status-list.json");
    let list = canon::rdfc(list.credential())
        .unwrap()
        .replace(encoded(&document), encoded(&before));
    let same = [
        is_golden("clr.nq", clr.trim_end()),
        is_golden("status-list.nq", list.trim_end()),
    ];
    assert_eq!(same, [true; 2]);
}

/// The bits that are set in the golden list.
const SET: [u64; 4] = [0, 7, 8, 131_071];

fn encoded(list: &Value) -> &str {
    list["credentialSubject"]["encodedList"].as_str().unwrap()
}

fn bits(encoded: &str) -> Vec<u8> {
    let gzip = URL_SAFE_NO_PAD
        .decode(encoded.strip_prefix('u').unwrap())
        .unwrap();
    let mut bits = Vec::new();
    GzDecoder::new(&gzip[..]).read_to_end(&mut bits).unwrap();
    bits
}
