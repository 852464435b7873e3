//! The documents byte for byte: a change of what is signed shows here, and the tests of the independent verifiers read
//! these very files.

use std::path::Path;

use creditbank_credential::canon;

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

#[test]
fn a_status_list_is_the_same_as_before() {
    let list = Sample::new().list(&[0, 7, 8, 131_071]).to_json().unwrap();
    assert!(is_golden("status-list.json", &list));
}

#[test]
fn canonical_rdf_is_the_same_as_before() {
    let (sample, outcomes) = (Sample::new(), outcomes());
    let clr = canon::rdfc(sample.clr(&outcomes).credential()).unwrap();
    let list = canon::rdfc(sample.list(&[0, 7, 8, 131_071]).credential()).unwrap();
    let same = [
        is_golden("clr.nq", clr.trim_end()),
        is_golden("status-list.nq", list.trim_end()),
    ];
    assert_eq!(same, [true; 2]);
}
