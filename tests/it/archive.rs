//! What a learner's archive shows: newest first, page after page, in the state that later records gave it.

use creditbank_client::{Refused, learners};
use creditbank_domain::LearnerCode;
use creditbank_domain::record::KeyPurpose;
use creditbank_wire::v1;

use crate::bank::Bank;
use crate::institution::{Institution, course, digits, student, visit};

/// A page of an archive, or the code of its refusal.
async fn page(
    caller: &Institution,
    request: v1::ListRecordsRequest,
) -> Result<v1::ListRecordsResponse, String> {
    let answer = caller.line.archive().list_records(request).await;
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| Refused::new(status).code.unwrap_or_default())
}

fn of(learner: LearnerCode) -> v1::ListRecordsRequest {
    v1::ListRecordsRequest {
        learner: digits(learner),
        ..Default::default()
    }
}

/// All pages of a query; every page but the last is full unless `may_be_short`.
pub(crate) async fn all(
    caller: &Institution,
    query: v1::ListRecordsRequest,
) -> Vec<v1::ArchiveRecord> {
    let mut records = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListRecordsRequest {
            page_token,
            ..query.clone()
        };
        let answer = page(caller, request).await.unwrap();
        records.extend(answer.records);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return records;
        }
    }
}

fn indices(records: &[v1::ArchiveRecord]) -> Vec<u64> {
    records.iter().map(|record| record.leaf_index).collect()
}

async fn totals(caller: &Institution, learner: LearnerCode) -> Vec<(i32, u64, u64, u64)> {
    let request = v1::GetTotalsRequest {
        learner: digits(learner),
    };
    let totals = caller
        .line
        .archive()
        .get_totals(request)
        .await
        .unwrap()
        .into_inner();
    sums(&totals.categories)
}

fn sums(totals: &[v1::CategoryTotal]) -> Vec<(i32, u64, u64, u64)> {
    let one = |it: &v1::CategoryTotal| {
        (
            it.category,
            it.records,
            it.credits_hundredths,
            it.hours_hundredths,
        )
    };
    totals.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_newest_first_and_stay_stable_while_records_come() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let places = fudan
        .deposit(
            &bank,
            (0..95)
                .map(|i| fudan.course(&i.to_string(), learner))
                .collect(),
        )
        .await;
    let mut expected: Vec<_> = places.iter().map(|place| place.leaf_index.0).collect();
    expected.reverse();
    assert_eq!(
        page(&fudan, of(learner)).await.unwrap().records.len(),
        20,
        "twenty unless asked otherwise"
    );
    for page_size in [1, 2, 19, 20, 94, 95, 96, 1000] {
        let query = v1::ListRecordsRequest {
            page_size,
            ..of(learner)
        };
        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let answer = page(
                &fudan,
                v1::ListRecordsRequest {
                    page_token,
                    ..query.clone()
                },
            )
            .await
            .unwrap();
            assert!(answer.records.len() <= page_size as usize);
            seen.extend(indices(&answer.records));
            page_token = answer.next_page_token;
            if page_token.is_empty() {
                break;
            }
            assert_eq!(answer.records.len(), page_size as usize);
            if page_size == 19 {
                fudan
                    .deposit(
                        &bank,
                        vec![fudan.course(&format!("new/{}", seen.len()), learner)],
                    )
                    .await;
            }
        }
        let old: Vec<_> = seen
            .iter()
            .copied()
            .filter(|index| *index <= expected[0])
            .collect();
        assert_eq!(old, expected, "pages of {page_size}");
        assert!(
            page_size > 19 || old == seen,
            "what came meanwhile is not in the middle of pages of {page_size}"
        );
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_token_is_good_for_its_query_and_nothing_else() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (learner, twin) = (fudan.enrol("1").await, fudan.enrol("2").await);
    fudan
        .deposit(
            &bank,
            (0..9)
                .map(|i| fudan.course(&i.to_string(), learner))
                .collect(),
        )
        .await;
    let query = v1::ListRecordsRequest {
        page_size: 4,
        ..of(learner)
    };
    let token = page(&fudan, query.clone()).await.unwrap().next_page_token;
    let with = |change: &dyn Fn(&mut v1::ListRecordsRequest)| {
        let mut request = v1::ListRecordsRequest {
            page_token: token.clone(),
            ..query.clone()
        };
        change(&mut request);
        request
    };
    assert!(page(&fudan, with(&|_| {})).await.is_ok());
    assert!(
        page(&fudan, with(&|it| it.page_size = 2)).await.is_ok(),
        "another size is the same query"
    );
    let cases: [(&str, v1::ListRecordsRequest, &str); 11] = [
        (
            "another learner",
            with(&|it| it.learner = digits(twin)),
            "PAGE_TOKEN_INVALID",
        ),
        (
            "another filter",
            with(&|it| it.issuer = "fudan".into()),
            "PAGE_TOKEN_INVALID",
        ),
        (
            "another state",
            with(&|it| it.states = vec![1]),
            "PAGE_TOKEN_INVALID",
        ),
        (
            "no token of ours",
            with(&|it| it.page_token = "AAAA".into()),
            "PAGE_TOKEN_INVALID",
        ),
        (
            "no base64",
            with(&|it| it.page_token = "?".into()),
            "PAGE_TOKEN_INVALID",
        ),
        (
            "cut",
            with(&|it| it.page_token.truncate(10)),
            "PAGE_TOKEN_INVALID",
        ),
        (
            "too large a page",
            with(&|it| it.page_size = 1001),
            "OUT_OF_RANGE",
        ),
        (
            "no date",
            v1::ListRecordsRequest {
                completed_from: "2024-13-01".into(),
                ..of(learner)
            },
            "NOT_A_DATE",
        ),
        (
            "no institution",
            v1::ListRecordsRequest {
                issuer: "nobody".into(),
                ..of(learner)
            },
            "ISSUER_UNKNOWN",
        ),
        ("no learner", v1::ListRecordsRequest::default(), "MISSING"),
        (
            "an unknown learner",
            of(LearnerCode::from_random(3).unwrap()),
            "LEARNER_UNKNOWN",
        ),
    ];
    for (case, request, code) in cases {
        assert_eq!(page(&fudan, request).await.unwrap_err(), code, "{case}");
    }
    let submissions = v1::ListSubmissionsRequest {
        page_token: token,
        ..Default::default()
    };
    let refused = Refused::new(
        fudan
            .line
            .submission()
            .list_submissions(submissions)
            .await
            .unwrap_err(),
    );
    assert_eq!(refused.code.as_deref(), Some("PAGE_TOKEN_INVALID"));
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_must_all_match_and_totals_count_what_is_in_force() {
    use v1::{Category, RecordState};
    let mut bank = Bank::new();
    let both = [Category::DegreeCourse, Category::VenueLearning];
    let fudan = Institution::admitted(&bank, "fudan", &both).await;
    let museum = Institution::admitted(&bank, "museum", &both).await;
    let gateway = gateway(&bank).await;
    let learner = fudan.enrol("1").await;
    let visits = ["2023-05-01", "2024-05-01", "2025-05-01"].map(|day| {
        museum
            .maker
            .outcome(day.as_bytes(), learner, visit("馆", day))
    });
    let visits = museum.deposit(&bank, visits.to_vec()).await;
    let courses = fudan
        .deposit(
            &bank,
            ["a", "b", "c"]
                .map(|key| fudan.course(key, learner))
                .to_vec(),
        )
        .await;
    let smaller = v1::Outcome {
        credits_hundredths: Some(100),
        ..course("b")
    };
    let changes = fudan
        .deposit(
            &bank,
            vec![
                fudan
                    .maker
                    .revocation(b"revoke a", learner, courses[0], "error"),
                fudan
                    .maker
                    .amendment(b"amend b", learner, courses[1], smaller, "error"),
            ],
        )
        .await;
    let [v0, v1_, v2] = [visits[0], visits[1], visits[2]].map(|place| place.leaf_index.0);
    let [a, b, c, revocation, amendment] =
        [courses[0], courses[1], courses[2], changes[0], changes[1]]
            .map(|place| place.leaf_index.0);
    let cases: [(&str, v1::ListRecordsRequest, Vec<u64>); 9] = [
        (
            "nothing",
            of(learner),
            vec![amendment, revocation, c, b, a, v2, v1_, v0],
        ),
        (
            "a category",
            v1::ListRecordsRequest {
                categories: vec![Category::VenueLearning.into()],
                ..of(learner)
            },
            vec![v2, v1_, v0],
        ),
        (
            "categories",
            v1::ListRecordsRequest {
                categories: both.map(i32::from).to_vec(),
                ..of(learner)
            },
            vec![amendment, c, b, a, v2, v1_, v0],
        ),
        (
            "an issuer",
            v1::ListRecordsRequest {
                issuer: "museum".into(),
                ..of(learner)
            },
            vec![v2, v1_, v0],
        ),
        (
            "revoked",
            v1::ListRecordsRequest {
                states: vec![RecordState::Revoked.into()],
                ..of(learner)
            },
            vec![a],
        ),
        (
            "amended",
            v1::ListRecordsRequest {
                states: vec![RecordState::Amended.into()],
                ..of(learner)
            },
            vec![b],
        ),
        (
            "from",
            v1::ListRecordsRequest {
                completed_from: "2024-05-01".into(),
                issuer: "museum".into(),
                ..of(learner)
            },
            vec![v2, v1_],
        ),
        (
            "to",
            v1::ListRecordsRequest {
                completed_to: "2024-05-01".into(),
                ..of(learner)
            },
            vec![v1_, v0],
        ),
        (
            "both, by one",
            v1::ListRecordsRequest {
                states: vec![RecordState::Active.into()],
                issuer: "fudan".into(),
                categories: vec![Category::VenueLearning.into()],
                ..of(learner)
            },
            vec![],
        ),
    ];
    for (case, query, expected) in cases {
        for page_size in [0, 1, 2] {
            let query = v1::ListRecordsRequest {
                page_size,
                ..query.clone()
            };
            assert_eq!(
                indices(&all(&gateway, query).await),
                expected,
                "{case}, pages of {page_size}"
            );
        }
    }
    let degree = (Category::DegreeCourse.into(), 2, 300 + 100, 2 * 4800);
    let venue = (Category::VenueLearning.into(), 3, 0, 600);
    assert_eq!(totals(&gateway, learner).await, [degree, venue]);
    // An institution sees what it deposited itself.
    assert_eq!(totals(&fudan, learner).await, [degree]);
    assert_eq!(totals(&museum, learner).await, [venue]);
    assert_eq!(indices(&all(&museum, of(learner)).await), [v2, v1_, v0]);
    let others = v1::ListRecordsRequest {
        issuer: "fudan".into(),
        ..of(learner)
    };
    assert_eq!(all(&museum, others).await, []);
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_an_archive_comes_with_any_of_its_pages() {
    let mut bank = Bank::new();
    let both = [v1::Category::DegreeCourse, v1::Category::VenueLearning];
    let fudan = Institution::admitted(&bank, "fudan", &both).await;
    let museum = Institution::admitted(&bank, "museum", &both).await;
    let gateway = gateway(&bank).await;
    let identity = v1::EnrolLearnerRequest {
        name: "张三".into(),
        ..student("1")
    };
    let name = identity.name.clone();
    let enrolled = learners::enrol(&fudan.line, identity).await.unwrap();
    let learner = LearnerCode::parse(&enrolled.learner).unwrap();
    let courses = (0..9).map(|i| fudan.course(&i.to_string(), learner));
    fudan.deposit(&bank, courses.collect()).await;
    let visits = (0..3).map(|i: u8| {
        let visit = visit("馆", "2024-05-01");
        museum.maker.outcome(&[i], learner, visit)
    });
    museum.deposit(&bank, visits.collect()).await;
    let query = v1::ListRecordsRequest {
        page_size: 4,
        issuer: "fudan".into(),
        ..of(learner)
    };
    let plain = page(&gateway, query.clone()).await.unwrap();
    assert!(plain.totals.is_empty() && plain.name.is_empty());
    for page_token in [String::new(), plain.next_page_token.clone()] {
        let without = v1::ListRecordsRequest {
            page_token,
            ..query.clone()
        };
        let with = v1::ListRecordsRequest {
            with_totals: true,
            with_name: true,
            ..without.clone()
        };
        let (without, with) = (page(&gateway, without).await, page(&gateway, with).await);
        let (without, with) = (without.unwrap(), with.unwrap());
        assert_eq!(with.records, without.records);
        assert_eq!(with.next_page_token, without.next_page_token);
        assert_eq!(sums(&with.totals), totals(&gateway, learner).await);
        assert_eq!(with.name, name);
    }
    // An institution sees the sums of its own deposits, and learns no name.
    let with_totals = v1::ListRecordsRequest {
        with_totals: true,
        ..of(learner)
    };
    let own = page(&museum, with_totals).await.unwrap();
    assert_eq!(sums(&own.totals), totals(&museum, learner).await);
    let with_name = v1::ListRecordsRequest {
        with_name: true,
        ..of(learner)
    };
    let refused = page(&museum, with_name).await.unwrap_err();
    assert_eq!(refused, "PERMISSION_DENIED");
    bank.check_log();
}

/// The gateway, registered and connected.
pub(crate) async fn gateway(bank: &Bank) -> Institution {
    let keys = std::sync::Arc::new(crate::institution::keys("gateway"));
    let request = crate::institution::admission(&keys, v1::Role::Gateway, &[]);
    bank.operator()
        .await
        .registry()
        .create_institution(request)
        .await
        .unwrap();
    Institution::known(bank, keys).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_passes_over_thousands_of_records_loses_none() {
    const BETWEEN: u64 = 9_999;
    let mut bank = Bank::new();
    let both = [v1::Category::DegreeCourse, v1::Category::VenueLearning];
    let fudan = Institution::admitted(&bank, "fudan", &both).await;
    let learner = fudan.enrol("1").await;
    let visit = |key: &str| {
        fudan
            .maker
            .outcome(key.as_bytes(), learner, visit("馆", "2024-05-01"))
    };
    let first = fudan
        .deposit(&bank, vec![visit("oldest"), visit("old")])
        .await;
    let courses: Vec<_> = (0..BETWEEN)
        .map(|i| fudan.course(&i.to_string(), learner))
        .collect();
    for batch in courses.chunks(1000) {
        fudan.submit(batch.to_vec()).await.unwrap();
    }
    let query = v1::ListRecordsRequest {
        categories: vec![v1::Category::VenueLearning.into()],
        ..of(learner)
    };
    assert_eq!(
        indices(&all(&fudan, query).await),
        [first[1].leaf_index.0, first[0].leaf_index.0]
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_learner_has_one_archive_under_every_code() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let mut codes = Vec::new();
    for number in ["1", "2", "3"] {
        codes.push(fudan.enrol(number).await);
    }
    let mut expected = Vec::new();
    for (i, code) in codes.iter().enumerate().cycle().take(12) {
        let key = format!("{i}/{}", expected.len());
        expected.push(
            fudan.deposit(&bank, vec![fudan.course(&key, *code)]).await[0]
                .leaf_index
                .0,
        );
    }
    expected.reverse();
    let mut learners = bank.operator().await.learner();
    let merge = |kept: usize, gone: usize| v1::MergeLearnersRequest {
        learner: digits(codes[kept]),
        merged_learner: digits(codes[gone]),
        reason: "重复建档".into(),
    };
    let merged = learners
        .merge_learners(merge(1, 2))
        .await
        .unwrap()
        .into_inner();
    bank.verifier()
        .verify_receipt(&merged.receipt.unwrap(), None)
        .unwrap();
    learners.merge_learners(merge(0, 1)).await.unwrap();
    for (kept, gone, code) in [
        (0, 0, "MERGE_SELF"),
        (0, 1, "IDENTITY_TAKEN"),
        (1, 0, "IDENTITY_TAKEN"),
        (2, 0, "IDENTITY_TAKEN"),
    ] {
        let refused = Refused::new(
            learners
                .merge_learners(merge(kept, gone))
                .await
                .unwrap_err(),
        );
        assert_eq!(refused.code.as_deref(), Some(code), "{kept} and {gone}");
    }
    for page_size in [1, 5, 100] {
        for code in &codes {
            let query = v1::ListRecordsRequest {
                page_size,
                ..of(*code)
            };
            assert_eq!(
                indices(&all(&fudan, query).await),
                expected,
                "pages of {page_size}"
            );
        }
    }
    for code in &codes {
        assert_eq!(totals(&fudan, *code).await[0].1, 12);
    }
    assert_eq!(
        fudan.enrol("3").await,
        codes[2],
        "a document keeps its own code, so that a file imported again makes the same records"
    );
    // A record of one code can be changed under another.
    let record_id = fudan.maker.record_id(b"0/0").as_bytes().to_vec().into();
    let request = v1::GetSubmissionRequest {
        issuer: String::new(),
        record_id,
    };
    let found = fudan
        .line
        .submission()
        .get_submission(request)
        .await
        .unwrap()
        .into_inner();
    let target = found.receipt.unwrap();
    let target = creditbank_domain::record::RecordRef {
        leaf_index: creditbank_domain::LeafIndex(target.leaf_index),
        leaf_hash: creditbank_merkle::leaf_hash(&target.leaf).0,
    };
    fudan
        .deposit(
            &bank,
            vec![fudan.maker.revocation(b"z", codes[2], target, "error")],
        )
        .await;
    assert_eq!(totals(&fudan, codes[1]).await[0].1, 11);
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_compromised_key_are_disputed_until_confirmed() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let places = fudan
        .deposit(
            &bank,
            ["a", "b", "c"]
                .map(|key| fudan.course(key, learner))
                .to_vec(),
        )
        .await;
    let doubtful_from = Some(places[1].leaf_index.0);
    let key_id = fudan.keys.key_id(KeyPurpose::Sign).0.to_vec().into();
    let revoke = v1::RevokeKeyRequest {
        institution_id: "fudan".into(),
        key_id,
        doubtful_from,
    };
    bank.operator()
        .await
        .registry()
        .revoke_key(revoke)
        .await
        .unwrap();
    let states = |records: &[v1::ArchiveRecord]| {
        records
            .iter()
            .map(|record| record.state())
            .collect::<Vec<_>>()
    };
    use v1::RecordState::{Active, Disputed};
    assert_eq!(
        states(&all(&fudan, of(learner)).await),
        [Disputed, Disputed, Active]
    );
    assert_eq!(totals(&fudan, learner).await[0].1, 1);
    let fresh = creditbank_client::InstitutionKeys::from_seeds(
        fudan.keys.institution().clone(),
        &[8; 32],
        &crate::institution::seed("fudan", "authenticate"),
        &crate::institution::seed("fudan", "import"),
    );
    let key = Some(fresh.public_keys()[0].clone());
    fudan
        .line
        .registry()
        .add_key(v1::AddKeyRequest {
            institution_id: "fudan".into(),
            key,
        })
        .await
        .unwrap();
    let fudan = Institution::known(&bank, std::sync::Arc::new(fresh)).await;
    fudan
        .deposit(
            &bank,
            vec![
                fudan
                    .maker
                    .confirmation(b"z", learner, places[1], "checked"),
            ],
        )
        .await;
    assert_eq!(
        states(&all(&fudan, of(learner)).await),
        [Active, Disputed, Active, Active]
    );
    assert_eq!(totals(&fudan, learner).await[0].1, 2);
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_of_an_archive_shows_all_of_it_after_each_further_merge() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let mut codes = Vec::new();
    for number in ["1", "2", "3"] {
        let code = fudan.enrol(number).await;
        fudan.deposit(&bank, vec![fudan.course(number, code)]).await;
        codes.push(code);
    }
    for merged in 1..codes.len() {
        let merge = v1::MergeLearnersRequest {
            learner: digits(codes[0]),
            merged_learner: digits(codes[merged]),
            reason: "同一人".into(),
        };
        let mut learners = bank.operator().await.learner();
        learners.merge_learners(merge).await.unwrap();
        for code in &codes[..=merged] {
            assert_eq!(all(&fudan, of(*code)).await.len(), merged + 1);
        }
    }
    bank.check_log();
}
