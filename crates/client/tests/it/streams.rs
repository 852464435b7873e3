//! Streams and calls against a bank that breaks off, is busy, and forgets tokens.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use creditbank_client::receipt::Verifier;
use creditbank_client::submit::{self, Answer};
use creditbank_client::{Bank, ClientError, Compression, Options, RetryPolicy, learners};
use creditbank_domain::Refusal;
use creditbank_wire::status::to_status;
use creditbank_wire::v1;
use creditbank_wire::v1::learner_service_server::{LearnerService, LearnerServiceServer};
use creditbank_wire::v1::submission_service_server::{SubmissionService, SubmissionServiceServer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding::{Gzip, Zstd};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::fixture::{Log, ORIGIN, keys, signed};

/// What goes wrong: every n-th batch, or every n-th call for tokens, over the bank's life; 0 is never.
#[derive(Clone, Copy, Default)]
struct Trouble {
    breaks_off_before: u64,
    breaks_off_after: u64,
    busy: u64,
    /// The first so many batches find a full queue.
    busy_at_first: u64,
    refuses: u64,
    forgets_tokens: u64,
}

/// A bank in memory. It creates each batch once and answers it with the same receipt ever after.
#[derive(Clone)]
struct FakeBank(Arc<State>);

struct State {
    trouble: Trouble,
    batches: AtomicU64,
    calls: AtomicU64,
    log: Mutex<(Log, Vec<(bytes::Bytes, v1::CreatedRows)>)>,
    refused_tokens: Mutex<HashSet<String>>,
}

impl FakeBank {
    async fn start(trouble: Trouble) -> (Self, String) {
        let log = Mutex::new((Log::new(3), Vec::new()));
        let (batches, calls) = (AtomicU64::new(0), AtomicU64::new(0));
        let bank = Self(Arc::new(State {
            trouble,
            batches,
            calls,
            log,
            refused_tokens: Mutex::default(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let service = SubmissionServiceServer::new(bank.clone());
        let service = service
            .accept_compressed(Gzip)
            .accept_compressed(Zstd)
            .send_compressed(Zstd)
            .send_compressed(Gzip);
        let server = tonic::transport::Server::builder()
            .add_service(service)
            .add_service(LearnerServiceServer::new(bank.clone()))
            .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
        tokio::spawn(server);
        (bank, url)
    }

    fn key(&self) -> creditbank_merkle::VerifierKey {
        self.0.log.lock().expect("no panic").0.key()
    }

    fn created(&self) -> usize {
        self.0.log.lock().expect("no panic").1.len()
    }

    fn now(&self, every: u64, batch: u64) -> bool {
        every > 0 && batch % every == every - 1
    }

    /// Each token serves until the bank forgets it.
    fn authenticate<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let token = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let token = token.ok_or_else(|| to_status(&[Refusal::TokenMissing.at("")]))?;
        assert!(token.starts_with("Bearer ey"));
        let mut refused = self.0.refused_tokens.lock().expect("no panic");
        if refused.contains(token) {
            return Err(to_status(&[Refusal::TokenReplayed.at("")]));
        }
        if self.now(
            self.0.trouble.forgets_tokens,
            self.0.calls.fetch_add(1, Ordering::Relaxed),
        ) {
            refused.insert(token.to_owned());
            return Err(to_status(&[Refusal::TokenExpired.at("")]));
        }
        Ok(())
    }

    fn decide(&self, request: v1::SubmitBatchRequest) -> Result<v1::SubmitBatchResponse, Status> {
        let trouble = self.0.trouble;
        let batch = self.0.batches.fetch_add(1, Ordering::Relaxed);
        if self.now(trouble.breaks_off_before, batch) {
            return Err(Status::unavailable("broken off before"));
        }
        if self.now(trouble.busy, batch) || batch < trouble.busy_at_first {
            return Err(to_status(&[Refusal::QueueFull { retry_ms: 1 }.at("")]));
        }
        if trouble.refuses > 0 && request.sequence.is_multiple_of(trouble.refuses) {
            return Err(to_status(&[Refusal::KeyRevoked.at("key_id")]));
        }
        let mut log = self.0.log.lock().expect("no panic");
        let known = log
            .1
            .iter()
            .find(|(root, _)| *root == request.root)
            .map(|(_, created)| created.clone());
        let created = known.unwrap_or_else(|| {
            let created = log.0.create(&request, &[], 0);
            log.1.push((request.root.clone(), created.clone()));
            created
        });
        if self.now(trouble.breaks_off_after, batch) {
            return Err(Status::unavailable("broken off after"));
        }
        let sequence = request.sequence;
        Ok(v1::SubmitBatchResponse {
            sequence,
            created: Some(created),
            ..Default::default()
        })
    }
}

#[async_trait]
impl SubmissionService for FakeBank {
    async fn submit_batch(
        &self,
        request: Request<v1::SubmitBatchRequest>,
    ) -> Result<Response<v1::SubmitBatchResponse>, Status> {
        self.authenticate(&request)?;
        self.decide(request.into_inner()).map(Response::new)
    }

    type SubmitStreamStream = ReceiverStream<Result<v1::SubmitBatchResponse, Status>>;

    async fn submit_stream(
        &self,
        request: Request<Streaming<v1::SubmitBatchRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        self.authenticate(&request)?;
        let (answers, stream) = mpsc::channel(64);
        let (bank, mut requests) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let sequence = request.sequence;
                let answer = bank.decide(request).or_else(|status| match status.code() {
                    tonic::Code::Unavailable => Err(status),
                    _ => {
                        let refusal = status.details().to_vec().into();
                        Ok(v1::SubmitBatchResponse {
                            sequence,
                            refusal,
                            ..Default::default()
                        })
                    }
                });
                let broken = answer.is_err();
                if answers.send(answer).await.is_err() || broken {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_submission(
        &self,
        _: Request<v1::GetSubmissionRequest>,
    ) -> Result<Response<v1::Submission>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn list_submissions(
        &self,
        _: Request<v1::ListSubmissionsRequest>,
    ) -> Result<Response<v1::ListSubmissionsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

#[async_trait]
impl LearnerService for FakeBank {
    async fn get_learner(
        &self,
        _: Request<v1::GetLearnerRequest>,
    ) -> Result<Response<v1::LearnerProfile>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }

    async fn enrol_learner(
        &self,
        request: Request<v1::EnrolLearnerRequest>,
    ) -> Result<Response<v1::ResolvedLearner>, Status> {
        self.authenticate(&request)?;
        let fault = |refusal: Refusal, field: &str| Err(to_status(&[refusal.at(field)]));
        match request.into_inner().identity {
            None => fault(Refusal::Missing, "identity"),
            Some(_) => fault(Refusal::BadCheckDigit, "identity.number"),
        }
    }

    type ResolveLearnersStream = ReceiverStream<Result<v1::ResolveLearnersResponse, Status>>;

    async fn resolve_learners(
        &self,
        request: Request<Streaming<v1::ResolveLearnersRequest>>,
    ) -> Result<Response<Self::ResolveLearnersStream>, Status> {
        let (answers, stream) = mpsc::channel(4);
        let (bank, mut requests) = (self.clone(), request.into_inner());
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let batch = bank.0.batches.fetch_add(1, Ordering::Relaxed);
                let broken = bank.now(bank.0.trouble.breaks_off_before, batch);
                let one = |row: v1::EnrolLearnerRequest| v1::ResolveResult {
                    learner: row.name,
                    ..Default::default()
                };
                let results = request.rows.into_iter().map(one).collect();
                let answer = Ok(v1::ResolveLearnersResponse { results });
                let answer = if broken {
                    Err(Status::unavailable("broken off"))
                } else {
                    answer
                };
                if answers.send(answer).await.is_err() || broken {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn merge_learners(
        &self,
        _: Request<v1::MergeLearnersRequest>,
    ) -> Result<Response<v1::MergeLearnersResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn erase_learner(
        &self,
        _: Request<v1::EraseLearnerRequest>,
    ) -> Result<Response<v1::EraseLearnerResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

async fn connect(url: String, connections: usize, compression: Compression) -> Bank {
    let pause = Duration::from_millis(1);
    let retry = RetryPolicy {
        attempts_max: 20,
        pause_min: pause,
        pause_max: pause,
    };
    let options = Options {
        connections,
        compression,
        retry,
        ..Options::new(url, ORIGIN)
    };
    Bank::connect(options, Some(Arc::new(keys())))
        .await
        .expect("the bank listens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_batch_is_answered_once_and_in_order_whatever_the_bank_does() {
    let none = Trouble::default();
    for (what, trouble, compression) in [
        ("no trouble", none, Compression::None),
        ("gzip", none, Compression::Gzip),
        ("zstd", none, Compression::Zstd),
        (
            "breaks off before it takes a batch",
            Trouble {
                breaks_off_before: 7,
                ..none
            },
            Compression::None,
        ),
        (
            "breaks off after it took a batch",
            Trouble {
                breaks_off_after: 5,
                ..none
            },
            Compression::None,
        ),
        ("is busy", Trouble { busy: 3, ..none }, Compression::None),
        (
            "refuses whole windows",
            Trouble {
                busy_at_first: 30,
                ..none
            },
            Compression::None,
        ),
        (
            "forgets tokens",
            Trouble {
                breaks_off_before: 9,
                forgets_tokens: 2,
                ..none
            },
            Compression::None,
        ),
        (
            "all at once",
            Trouble {
                breaks_off_before: 11,
                breaks_off_after: 5,
                busy: 3,
                forgets_tokens: 4,
                ..none
            },
            Compression::None,
        ),
    ] {
        let (fake, url) = FakeBank::start(trouble).await;
        let bank = connect(url, 3, compression).await;
        let batches: Vec<_> = (0..40).map(|i| signed(&format!("{i}"), 3)).collect();
        let (mut sender, mut answers) = submit::open(&bank, 8);
        let to_send = batches.clone();
        let sending = tokio::spawn(async move {
            for batch in to_send {
                sender.send(batch).await.expect("the stream lives");
            }
        });
        let mut verifier = Verifier::new(fake.key());
        for batch in &batches {
            match answers.next().await.expect(what).expect(what) {
                Answer::Acknowledged(it) => {
                    assert_eq!(it.request.root, batch.root, "{what}");
                    verifier
                        .verify_acknowledgement(&it.request, &it.response)
                        .expect(what);
                }
                Answer::Refused { refused, .. } => panic!("{what}: {refused}"),
            }
        }
        assert!(answers.next().await.expect(what).is_none(), "{what}");
        sending.await.expect("no panic");
        assert_eq!(
            fake.created(),
            batches.len(),
            "{what}: nothing is created twice"
        );
    }
}

#[tokio::test]
async fn a_batch_that_is_refused_whole_does_not_hold_up_the_others() {
    let (fake, url) = FakeBank::start(Trouble {
        refuses: 3,
        ..Default::default()
    })
    .await;
    let bank = connect(url, 1, Compression::None).await;
    let (mut sender, mut answers) = submit::open(&bank, 4);
    tokio::spawn(async move {
        for i in 0..10 {
            sender
                .send(signed(&format!("{i}"), 1))
                .await
                .expect("the stream lives");
        }
    });
    for sequence in 1..=10 {
        match answers
            .next()
            .await
            .expect("the stream lives")
            .expect("an answer")
        {
            Answer::Acknowledged(it) => assert_ne!(it.request.sequence % 3, 0),
            Answer::Refused { request, refused } => {
                assert_eq!((request.sequence, sequence % 3), (sequence, 0));
                assert_eq!(refused.code.as_deref(), Some("KEY_REVOKED"));
                assert_eq!(refused.violations[0].field, "key_id");
            }
        }
    }
    assert_eq!(fake.created(), 7);
}

#[tokio::test]
async fn a_bank_that_never_recovers_ends_the_stream_with_its_reason() {
    let (_, url) = FakeBank::start(Trouble {
        breaks_off_before: 1,
        ..Default::default()
    })
    .await;
    let bank = connect(url, 2, Compression::None).await;
    let (mut sender, mut answers) = submit::open(&bank, 4);
    sender.send(signed("lost", 1)).await.expect("room");
    let error = answers.next().await.expect_err("given up");
    assert!(
        matches!(&error, ClientError::Refused(refused) if refused.transient),
        "{error}"
    );
    assert!(sender.send(signed("late", 1)).await.is_err());
    assert!(answers.next().await.expect("nothing more").is_none());
}

#[tokio::test]
async fn a_call_survives_breaks_and_forgotten_tokens() {
    for trouble in [
        Trouble {
            breaks_off_after: 2,
            ..Default::default()
        },
        Trouble {
            busy: 2,
            ..Default::default()
        },
        Trouble {
            forgets_tokens: 3,
            busy: 4,
            ..Default::default()
        },
    ] {
        let (fake, url) = FakeBank::start(trouble).await;
        let bank = connect(url, 2, Compression::None).await;
        let mut verifier = Verifier::new(fake.key());
        for i in 0..20 {
            let answer = submit::submit(&bank, signed(&format!("{i}"), 2))
                .await
                .expect("it gets there");
            verifier
                .verify_acknowledgement(&answer.request, &answer.response)
                .expect("honest");
        }
        assert_eq!(fake.created(), 20);
    }
}

#[tokio::test]
async fn a_refusal_keeps_code_fields_and_both_languages() {
    let (_, url) = FakeBank::start(Trouble::default()).await;
    let bank = connect(url, 1, Compression::None).await;
    let request = v1::EnrolLearnerRequest {
        identity: Some(v1::Identity::default()),
        name: String::new(),
    };
    let error = learners::enrol(&bank, request).await.expect_err("refused");
    assert_eq!(error.code(), Some("BAD_CHECK_DIGIT"));
    let refused = error.refused().expect("a refusal");
    assert!(
        refused.message_zh.contains("校验位") && refused.message_en.contains("check digit"),
        "{refused}"
    );
    assert_eq!(refused.violations.len(), 1);
    assert_eq!(
        (&*refused.violations[0].field, &*refused.violations[0].code),
        ("identity.number", "BAD_CHECK_DIGIT")
    );
    assert!(!refused.transient);
}

#[tokio::test]
async fn identities_are_resolved_in_order_over_broken_streams() {
    for breaks_off_before in [0, 3] {
        let (_, url) = FakeBank::start(Trouble {
            breaks_off_before,
            ..Default::default()
        })
        .await;
        let bank = connect(url, 1, Compression::None).await;
        let row = |i| v1::EnrolLearnerRequest {
            identity: None,
            name: format!("{i}"),
        };
        let results = learners::resolve(&bank, (0..12_345).map(row).collect(), true)
            .await
            .expect("resolved");
        assert_eq!(results.len(), 12_345);
        assert!(
            results
                .iter()
                .enumerate()
                .all(|(i, it)| it.learner == i.to_string())
        );
    }
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_before_anything_is_sent() {
    let ca_pem = Some(b"pem".to_vec());
    for (url, ca_pem) in [
        ("ftp://bank.example", None),
        ("bank.example:7070", None),
        ("https://bank.example", None),
        ("http://127.0.0.1:1", ca_pem),
    ] {
        let options = Options {
            ca_pem,
            ..Options::new(url, ORIGIN)
        };
        let error = Bank::connect(options, None).await.err().expect("refused");
        assert!(
            matches!(error, ClientError::Configuration(_)),
            "{url}: {error}"
        );
    }
    let nobody = Bank::connect(Options::new("http://127.0.0.1:1", ORIGIN), None).await;
    assert!(matches!(nobody.err(), Some(ClientError::Connect(_))));
}
