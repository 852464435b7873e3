//! The service on the wire: TLS, health, reflection, compression, limits and details that clients can act upon.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use creditbank_client::{Bank as Connection, Compression, Options, Refused, submit};
use creditbank_wire::v1;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::bank::{Bank, ORIGIN, told};
use crate::institution::{Institution, course, digits, keys, visit};

const SERVICES: [&str; 8] = [
    "creditbank.v1.ArchiveService",
    "creditbank.v1.LearnerService",
    "creditbank.v1.LogService",
    "creditbank.v1.PointsService",
    "creditbank.v1.RecognitionService",
    "creditbank.v1.RegistryService",
    "creditbank.v1.RuleService",
    "creditbank.v1.SubmissionService",
];

async fn channel(bank: &Bank) -> Channel {
    Channel::from_shared(format!("http://{}", bank.grpc()))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// Adds lines to the bank's settings.
fn set(bank: &Bank, lines: &str) {
    let file = bank.dir().join("bank.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{lines}\n{settings}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_encrypted_with_the_certificate_of_the_settings() {
    let mut bank = Bank::made();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(bank.dir().join("certificate.pem"), certified.cert.pem()).unwrap();
    fs::write(
        bank.dir().join("certificate.key"),
        certified.signing_key.serialize_pem(),
    )
    .unwrap();
    set(
        &bank,
        "tls_certificate = \"certificate.pem\"\ntls_key = \"certificate.key\"",
    );
    bank.start();
    let url = format!("https://localhost:{}", bank.grpc().port());
    let trusting = |pem: String| Options {
        ca_pem: Some(pem.into_bytes()),
        ..Options::new(&url, ORIGIN)
    };
    let operator = Connection::connect(trusting(certified.cert.pem()), Some(bank.operator_keys()))
        .await
        .unwrap();
    let request = crate::institution::admission(&keys("fudan"), v1::Role::Institution, &[]);
    operator
        .registry()
        .create_institution(request)
        .await
        .unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    assert!(
        Connection::connect(trusting(other.cert.pem()), None)
            .await
            .is_err(),
        "another certificate authority"
    );
    let plain = Connection::connect(
        Options {
            retry: creditbank_client::RetryPolicy::NEVER,
            ..bank.options()
        },
        None,
    )
    .await;
    let answered = match plain {
        Ok(plain) => plain
            .log()
            .get_checkpoint(v1::GetCheckpointRequest {})
            .await
            .is_ok(),
        Err(_) => false,
    };
    assert!(!answered, "plaintext is not served beside TLS");
    drop(operator);
    bank.check_log();
}

#[test]
fn plaintext_beyond_loopback_needs_to_be_asked_for() {
    let mut bank = Bank::made();
    for (grpc, http) in [("0.0.0.0:0", "127.0.0.1:0"), ("127.0.0.1:0", "0.0.0.0:0")] {
        let refused = bank.run(&["serve", "{dir}", "--grpc", grpc, "--http", http]);
        assert!(!refused.status.success());
        assert!(
            told(&refused).contains("0.0.0.0:0 is not loopback"),
            "{}",
            told(&refused)
        );
    }
    bank.start_with(&["--allow-plaintext"]);
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_tell_what_is_served() {
    let mut bank = Bank::new();
    let line = channel(&bank).await;
    for service in SERVICES.into_iter().chain([""]) {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = HealthClient::new(line.clone())
            .check(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let request = HealthCheckRequest {
        service: "creditbank.v1.NoService".to_owned(),
    };
    assert_eq!(
        HealthClient::new(line.clone())
            .check(request)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    let ask = |message| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message),
    };
    let questions = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol(SERVICES[7].to_owned()),
    ];
    let questions = tokio_stream::iter(questions.map(ask));
    let mut answers = ServerReflectionClient::new(line)
        .server_reflection_info(questions)
        .await
        .unwrap()
        .into_inner();
    match answers
        .message()
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap()
    {
        MessageResponse::ListServicesResponse(list) => {
            let names: BTreeSet<_> = list
                .service
                .into_iter()
                .map(|service| service.name)
                .collect();
            assert!(
                SERVICES.into_iter().all(|service| names.contains(service)),
                "{names:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    match answers
        .message()
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap()
    {
        MessageResponse::FileDescriptorResponse(file) => {
            assert!(!file.file_descriptor_proto.is_empty())
        }
        other => panic!("{other:?}"),
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_and_plain_calls_say_the_same() {
    let mut bank = Bank::new();
    let mut fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let mut first = None;
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let options = Options {
            compression,
            ..bank.options()
        };
        fudan.line = Connection::connect(options, Some(fudan.keys.clone()))
            .await
            .unwrap();
        let records = (0..200)
            .map(|i| fudan.course(&i.to_string(), learner))
            .collect();
        let decided = fudan.submit(records).await.unwrap();
        fudan.verify(&bank, &decided);
        let request = v1::ListRecordsRequest {
            learner: digits(learner),
            page_size: 1000,
            ..Default::default()
        };
        let listed = fudan
            .line
            .archive()
            .list_records(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            *first.get_or_insert(listed.clone()),
            listed,
            "{compression:?}"
        );
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_above_the_limit_is_refused_and_the_connection_lives_on() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let mut request = fudan.sign(vec![fudan.course("1", learner)]);
    request.records[0].payload = vec![7; 9 << 20].into();
    let refused = submit::submit(&fudan.line, request).await.unwrap_err();
    assert_eq!(
        refused.refused().map(|refused| refused.grpc),
        Some(Code::OutOfRange),
        "{refused}"
    );
    fudan.deposit(&bank, vec![fudan.course("1", learner)]).await;
    // A batch of as many bytes as may be is taken.
    let long = "长".repeat(200);
    let outcome = v1::Outcome {
        evidence: (0..16)
            .map(|i| v1::Evidence {
                kind: 1,
                uri: format!("https://example.cn/{}", "a".repeat(300)),
                sha256: vec![i; 32].into(),
            })
            .collect(),
        institution_name: long,
        ..course("large")
    };
    let records: Vec<_> = (0..1000_u32)
        .map(|i| {
            fudan
                .maker
                .outcome(&i.to_be_bytes(), learner, outcome.clone())
        })
        .collect();
    let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
    assert!(bytes > 6 << 20, "{bytes}");
    fudan.deposit(&bank, records).await;
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passed_is_honoured_and_leaves_the_bank_well() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    // Fewer calls are given up than would make the bank close the connection on a rude client.
    let mut late = 0;
    for i in 0..15 {
        let mut request = Request::new(
            fudan.sign(
                (0..100)
                    .map(|row| fudan.course(&format!("{i}/{row}"), learner))
                    .collect(),
            ),
        );
        request.set_timeout(Duration::from_micros(150 * i));
        if let Err(status) = fudan.line.submission().submit_batch(request).await {
            assert!(
                [Code::Cancelled, Code::DeadlineExceeded].contains(&status.code()),
                "{status}"
            );
            late += 1;
        }
    }
    assert!(late > 0, "no deadline passed");
    for i in 0..15 {
        let records = (0..100)
            .map(|row| fudan.course(&format!("{i}/{row}"), learner))
            .collect();
        let decided = fudan.submit(records).await.unwrap();
        assert_eq!(fudan.verify(&bank, &decided).records.len(), 100);
    }
    assert_eq!(
        bank.check_log()["leaves"],
        2 + 1500,
        "whatever became of the late ones, each record is there once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_field_code_and_both_texts() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let operator = bank.operator().await;
    let request = |id: &str| v1::CreateInstitutionRequest {
        profile: Some(v1::InstitutionProfile {
            institution_id: id.into(),
            display_name: "校".into(),
            role: v1::Role::Institution.into(),
            uscc: "91350100M000100Y44".into(),
            ..Default::default()
        }),
        ..crate::institution::admission(&keys("new-school"), v1::Role::Institution, &[])
    };
    let one = Refused::new(
        operator
            .registry()
            .create_institution(request("new-school"))
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (one.grpc, one.code.as_deref()),
        (Code::InvalidArgument, Some("BAD_CHECK_DIGIT"))
    );
    assert_eq!(
        (
            one.violations[0].field.as_str(),
            one.violations[0].code.as_str()
        ),
        ("profile.uscc", "BAD_CHECK_DIGIT")
    );
    assert!(!one.message_zh.is_empty() && !one.message_en.is_empty());
    let requests = v1::BatchCreateInstitutionsRequest {
        requests: vec![request("good"), request("Bad")],
    };
    let many = Refused::new(
        operator
            .registry()
            .batch_create_institutions(requests)
            .await
            .unwrap_err(),
    );
    let fields: Vec<_> = many
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "requests[0].profile.uscc",
            "requests[1].profile.institution_id"
        ]
    );
    let learner = fudan.enrol("1").await;
    let broken = v1::Outcome {
        grade: None,
        achievement: None,
        completed_on: "2999-01-01".into(),
        ..course("")
    };
    let decided = fudan
        .submit(vec![
            fudan.maker.outcome(b"1", learner, broken),
            fudan
                .maker
                .outcome(b"2", learner, visit("馆", "2024-05-01")),
        ])
        .await
        .unwrap();
    let said = |row: usize| {
        decided.response.refused[row]
            .violations
            .iter()
            .map(|it| (it.field.as_str(), it.code.as_str()))
            .collect::<BTreeSet<_>>()
    };
    assert!(
        !said(0).is_empty()
            && said(1).contains(&("payload.outcome.detail", "CATEGORY_NOT_ADMITTED")),
        "{:?}",
        decided.response.refused
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn institutions_of_one_request_are_admitted_all_or_none() {
    let mut bank = Bank::new();
    let _known = Institution::new(&bank, "known").await;
    let operator = bank.operator().await;
    let request = |id: &str| {
        crate::institution::admission(
            &keys(id),
            v1::Role::Institution,
            &[v1::Category::DegreeCourse],
        )
    };
    let same_key = v1::CreateInstitutionRequest {
        keys: keys("first").public_keys(),
        ..request("second")
    };
    let cases = [
        (
            "one that exists",
            vec![request("new"), request("known")],
            "INSTITUTION_EXISTS",
        ),
        (
            "one twice",
            vec![request("new"), request("new")],
            "INSTITUTION_EXISTS",
        ),
        (
            "a key twice",
            vec![request("first"), same_key],
            "KEY_EXISTS",
        ),
        ("none", vec![], "TOO_FEW"),
    ];
    for (case, requests, code) in cases {
        let requests = v1::BatchCreateInstitutionsRequest { requests };
        let refused = operator
            .registry()
            .batch_create_institutions(requests)
            .await
            .expect_err(case);
        assert_eq!(Refused::new(refused).code.as_deref(), Some(code), "{case}");
    }
    let many: Vec<_> = (0..1000)
        .map(|i| request(&format!("school-{i:04}")))
        .collect();
    let created = operator
        .registry()
        .batch_create_institutions(v1::BatchCreateInstitutionsRequest { requests: many })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.institutions.len(), 1000);
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = v1::ListInstitutionsRequest {
            page_size: 300,
            page_token,
        };
        let page = bank
            .anybody()
            .await
            .registry()
            .list_institutions(page)
            .await
            .unwrap()
            .into_inner();
        names.extend(
            page.institutions
                .into_iter()
                .map(|institution| institution.profile.unwrap().institution_id),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let mut expected: Vec<_> = (0..1000)
        .map(|i| format!("school-{i:04}"))
        .chain(["bank".into(), "known".into()])
        .collect();
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(bank.check_log()["leaves"], 2 + 1000);
}
