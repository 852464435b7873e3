//! Samples: the same for the same seed, and every row right.

use std::collections::HashSet;
use std::sync::Arc;

use creditbank_domain::identifier::ResidentId;
use creditbank_wire::Message as _;
use creditbank_wire::convert::outcome;
use jiff::civil::date;

use super::*;
use crate::mapping::{Learner, Mapping};
use crate::table::{Options, Table};

fn sample(category: Category, rows: u64, seed: u64) -> Sample {
    let institutions = ["college-1", "college-2"]
        .map(|id| InstitutionId::parse(id).unwrap())
        .to_vec();
    Sample {
        category,
        institutions,
        rows,
        seed,
        identity: IdentityKind::ResidentId,
    }
}

fn csv(sample: &Sample) -> Vec<u8> {
    let mut bytes = Vec::new();
    sample.write_csv(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_seed_names_a_file() {
    let bytes = csv(&sample(Category::DegreeCourse, 50, 1));
    assert_eq!(bytes, csv(&sample(Category::DegreeCourse, 50, 1)));
    assert_ne!(bytes, csv(&sample(Category::DegreeCourse, 50, 2)));
}

#[test]
fn every_row_of_every_category_is_an_outcome_of_nobody() {
    for category in Category::ALL {
        let mut names = HashSet::new();
        let mut bytes = 0;
        for (name, identity) in [
            ("x.csv", IdentityKind::ResidentId),
            ("x.ndjson", IdentityKind::StudentNumber),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let file = std::fs::File::create(&path).unwrap();
            let sample = Sample {
                identity,
                ..sample(category, 2_000, 7)
            };
            if name == "x.csv" {
                sample.write_csv(file)
            } else {
                sample.write_ndjson(file)
            }
            .unwrap();
            let mapping = Mapping::load("sample").unwrap();
            let table = Table::open(
                &path,
                &Options::default(),
                &mapping.columns(),
                &Arc::default(),
            )
            .unwrap();
            let mut mapper = mapping.bind(&table.header, None).unwrap();
            let mut keys = HashSet::new();
            table
                .for_each(&mut |row| {
                    let mapped = mapper.read(&row, date(2026, 1, 1));
                    let mapped = mapped.unwrap_or_else(|rejects| {
                        panic!("{category}: {rejects:?} in {:?}", row.cells)
                    });
                    assert_eq!(mapped.outcome.category(), category);
                    assert!(
                        keys.insert((mapped.institution, mapped.natural_key)),
                        "a row of its own"
                    );
                    let Learner::Identity(learner) = mapped.learner else {
                        panic!("an identity")
                    };
                    if identity == IdentityKind::ResidentId {
                        assert!(
                            ResidentId::parse(&learner.number).is_err(),
                            "no real person: {}",
                            learner.number
                        );
                    }
                    names.insert(learner.name);
                    bytes += outcome::to_message(&mapped.outcome).encoded_len();
                    Ok(())
                })
                .unwrap();
            assert_eq!(keys.len(), 2_000);
        }
        let mean = bytes / 4_000;
        assert!(
            (80..400).contains(&mean),
            "{category}: {mean} bytes on average"
        );
        assert!(names.iter().any(|name| name.contains('·')), "{category}");
        assert!(
            names
                .iter()
                .any(|name| name.chars().any(|c| u32::from(c) > 0xffff)),
            "{category}"
        );
    }
}

#[test]
fn learners_have_numbers_of_their_own() {
    let numbers: HashSet<_> = (0..100_000)
        .map(|place| person(1, place).resident_id)
        .collect();
    assert_eq!(numbers.len(), 100_000);
}
