//! A stop leaves open calls their time; a second signal ends the bank at once and loses nothing that was acknowledged.

use std::time::Duration;

use creditbank_wire::v1;
use tokio_stream::wrappers::ReceiverStream;

use super::now;
use crate::bank::{Bank, signal};
use crate::institution::Institution;

/// Open calls get ten seconds; the test is told apart from that by far less.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_bank_at_once_and_loses_nothing_acknowledged() {
    let mut bank = Bank::new();
    let mut fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    // A stream that never ends holds up the stop.
    let (sender, requests) = tokio::sync::mpsc::channel(4);
    let batch = fudan.sign(vec![fudan.course("1", learner)]);
    sender.send(batch).await.expect("room");
    let mut submission = fudan.line.submission();
    let answers = submission
        .submit_stream(ReceiverStream::new(requests))
        .await;
    let mut answers = answers.expect("the bank answers").into_inner();
    let first = answers
        .message()
        .await
        .expect("the bank answers")
        .expect("an answer");
    let created = first.created.expect("it was created");
    signal(bank.process(), "TERM");
    // It still serves the call that is open, so it is stopping and has not ended.
    let batch = fudan.sign(vec![fudan.course("2", learner)]);
    sender.send(batch).await.expect("room");
    let second = answers
        .message()
        .await
        .expect("the bank answers")
        .expect("an answer");
    assert!(second.created.is_some(), "an open call goes on");
    let began = now();
    signal(bank.process(), "INT");
    let status = bank.ended();
    assert_eq!(status.code(), Some(130), "{}", bank.said());
    assert!(
        began.elapsed() < AT_ONCE,
        "at once, not after the bound of a stop"
    );
    drop((sender, answers, submission));
    bank.start();
    fudan.reconnect(&bank).await;
    for (created, key) in [(Some(created), "1"), (second.created, "2")] {
        let request = v1::GetReceiptRequest {
            leaf_index: created.expect("it was created").first_leaf_index,
        };
        let receipt = bank.anybody().await.log().get_receipt(request).await;
        let receipt = receipt
            .unwrap_or_else(|_| panic!("{key} is there"))
            .into_inner();
        bank.verifier()
            .verify_receipt(&receipt, None)
            .expect("it proves the record");
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_within_its_bound_whoever_keeps_a_call_open() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let (sender, requests) = tokio::sync::mpsc::channel::<v1::SubmitBatchRequest>(4);
    let answers = fudan
        .line
        .submission()
        .submit_stream(ReceiverStream::new(requests))
        .await;
    let answers = answers.expect("the bank answers");
    let began = now();
    bank.stop();
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    assert!(bank.said().contains("cut off"), "{}", bank.said());
    drop((sender, answers));
    bank.check_log();
}
