//! A deposit is durable, ordered and provable when the call returns, and asking again changes nothing.

use std::collections::BTreeSet;

use creditbank_client::submit;
use creditbank_wire::v1;

use crate::bank::{Bank, ORIGIN};
use crate::institution::{Institution, course};

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_proved_offline_when_the_call_returns() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    for records in [1, 2, 31, 32, 33, 100, 1024] {
        let batch = (0..records)
            .map(|i| fudan.course(&format!("{records}/{i}"), learner))
            .collect();
        let acknowledged = fudan.submit(batch).await.unwrap();
        assert_eq!(fudan.verify(&bank, &acknowledged).records.len(), records);
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_with_one_wrong_bit_proves_nothing() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    let places = fudan
        .deposit(
            &bank,
            (0..5)
                .map(|i| fudan.course(&i.to_string(), learner))
                .collect(),
        )
        .await;
    let request = v1::GetReceiptRequest {
        leaf_index: places[3].leaf_index.0,
    };
    let receipt = bank
        .anybody()
        .await
        .log()
        .get_receipt(request)
        .await
        .unwrap()
        .into_inner();
    assert!(bank.verifier().verify_receipt(&receipt, None).is_ok());
    let flipped = |bytes: &bytes::Bytes, at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes.into()
    };
    let mut altered = vec![v1::Receipt {
        leaf_index: receipt.leaf_index + 1,
        ..receipt.clone()
    }];
    altered.extend((0..receipt.leaf.len()).map(|at| v1::Receipt {
        leaf: flipped(&receipt.leaf, at),
        ..receipt.clone()
    }));
    for (hash, bytes) in receipt.inclusion_proof.iter().enumerate() {
        let mut proof = receipt.inclusion_proof.clone();
        proof[hash] = flipped(bytes, 31);
        altered.push(v1::Receipt {
            inclusion_proof: proof,
            ..receipt.clone()
        });
    }
    let other_size = receipt.checkpoint.replacen("\n7\n", "\n8\n", 1);
    assert_ne!(other_size, receipt.checkpoint, "{other_size}");
    altered.push(v1::Receipt {
        checkpoint: other_size,
        ..receipt.clone()
    });
    for (case, receipt) in altered.iter().enumerate() {
        assert!(
            bank.verifier().verify_receipt(receipt, None).is_err(),
            "case {case}"
        );
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_gives_the_first_receipts_byte_for_byte() {
    let mut bank = Bank::new();
    let mut fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    let records: Vec<_> = (0..40)
        .map(|i| fudan.course(&i.to_string(), learner))
        .collect();
    let first = fudan.submit(records.clone()).await.unwrap();
    let index = first.response.created.as_ref().unwrap().first_leaf_index;
    let same = fudan.submit(records.clone()).await.unwrap();
    fudan
        .deposit(&bank, vec![fudan.course("another", learner)])
        .await;
    let grown = fudan.submit(records.clone()).await.unwrap();
    bank.kill();
    bank.start();
    fudan.reconnect(&bank).await;
    let restarted = fudan.submit(records.clone()).await.unwrap();
    // In another order, and so under another signature, it is still the same forty records.
    let turned = fudan
        .submit(records.into_iter().rev().collect())
        .await
        .unwrap();
    let mut leaves = BTreeSet::new();
    for (case, again) in [&same, &grown, &restarted, &turned].into_iter().enumerate() {
        assert_eq!(
            (&again.response.created, again.response.duplicates.len()),
            (&None, 40),
            "case {case}"
        );
        fudan.verify(&bank, again);
        for row in &again.response.duplicates {
            let receipt = row.receipt.as_ref().unwrap();
            let at = if case == 3 { 39 - row.row } else { row.row };
            assert_eq!(receipt.leaf_index, index + u64::from(at));
            leaves.insert((receipt.leaf_index, receipt.leaf.clone()));
        }
    }
    assert_eq!(leaves.len(), 40, "each leaf has one form");
    // While the log did not grow, nor did the receipt change at all.
    let receipts = |it: &submit::Acknowledgement| it.response.duplicates.clone();
    assert_eq!(receipts(&grown), receipts(&restarted));
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_decided_alone_and_a_corrected_row_is_accepted_later() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    fudan
        .deposit(&bank, vec![fudan.course("known", learner)])
        .await;
    let nameless = v1::Outcome {
        achievement: None,
        ..course("")
    };
    let wrong = |key: &str| {
        fudan
            .maker
            .outcome(key.as_bytes(), learner, nameless.clone())
    };
    let batch = vec![
        fudan.course("a", learner),
        wrong("b"),
        fudan.course("known", learner),
        fudan.course("a", learner),
        wrong("c"),
        fudan.course("d", learner),
    ];
    let decided = fudan.submit(batch).await.unwrap();
    let created = decided.response.created.as_ref().unwrap();
    assert_eq!(created.rows, [0, 5]);
    let rows = |rows: Vec<(u32, u64)>| rows;
    let duplicates = decided
        .response
        .duplicates
        .iter()
        .map(|row| (row.row, row.receipt.as_ref().unwrap().leaf_index));
    assert_eq!(
        rows(duplicates.collect()),
        [
            (2, created.first_leaf_index - 1),
            (3, created.first_leaf_index)
        ]
    );
    let refused: Vec<_> = decided
        .response
        .refused
        .iter()
        .map(|row| (row.row, row.violations[0].code.as_str()))
        .collect();
    assert_eq!(refused, [(1, "MISSING"), (4, "MISSING")]);
    fudan.verify(&bank, &decided);
    fudan
        .deposit(
            &bank,
            vec![fudan.course("b", learner), fudan.course("c", learner)],
        )
        .await;
    let report = bank.check_log();
    assert_eq!(
        report["leaves"],
        2 + 1 + 2 + 2,
        "refused rows left no trace"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_deposits_become_neighbours_without_gap_or_double() {
    const CALLERS: u64 = 8;
    const CALLS: u64 = 40;
    let mut bank = Bank::new();
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        callers.push(Institution::new(&bank, &format!("school-{caller}")).await);
    }
    let learner = callers[0].enrol("1").await;
    let tasks = callers.into_iter().map(|caller| {
        tokio::spawn(async move {
            let mut all = Vec::new();
            for call in 0..CALLS {
                all.push(
                    caller
                        .submit(vec![caller.course(&call.to_string(), learner)])
                        .await
                        .unwrap(),
                );
            }
            (caller, all)
        })
    });
    let mut indices = BTreeSet::new();
    for task in tasks.collect::<Vec<_>>() {
        let (caller, acknowledged) = task.await.unwrap();
        for one in &acknowledged {
            indices.insert(caller.verify(&bank, one).records[0].leaf_index);
        }
    }
    let first = 1 + CALLERS;
    assert_eq!(indices, (first..first + CALLERS * CALLS).collect());
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_same_record_sent_by_many_at_once_one_is_created() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    for round in 0..10 {
        let request = fudan.sign(vec![fudan.course(&round.to_string(), learner)]);
        let line = &fudan.line;
        let calls = (0..16).map(|_| {
            let (line, request) = (line.clone(), request.clone());
            tokio::spawn(async move { submit::submit(&line, request).await.unwrap() })
        });
        let mut created = 0;
        let mut places = BTreeSet::new();
        for call in calls.collect::<Vec<_>>() {
            let acknowledged = call.await.unwrap();
            created += usize::from(acknowledged.response.created.is_some());
            places.insert(fudan.verify(&bank, &acknowledged).records[0].leaf_index);
        }
        assert_eq!((created, places.len()), (1, 1), "round {round}");
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_answers_in_order_and_survives_a_batch_that_is_refused_whole() {
    const BATCHES: usize = 200;
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("20240001").await;
    let batch = |i: usize| {
        let rows = 1 + i % 40;
        let records = (0..rows)
            .map(|row| fudan.course(&format!("{i}/{row}"), learner))
            .collect();
        let request = fudan.sign(records);
        let origin = if i % 50 == 49 {
            "other.bank/log"
        } else {
            ORIGIN
        };
        v1::SubmitBatchRequest {
            origin: origin.to_owned(),
            ..request
        }
    };
    let requests: Vec<_> = (0..BATCHES).map(batch).collect();
    let (mut sender, mut answers) = submit::open(&fudan.line, submit::WINDOW_MAX);
    let sending = async move {
        for request in requests {
            sender.send(request).await.unwrap();
        }
    };
    let receiving = async {
        let mut indices = BTreeSet::new();
        let mut answered = 0;
        while let Some(answer) = answers.next().await.unwrap() {
            match answer {
                submit::Answer::Acknowledged(one) => {
                    assert_eq!(one.request.sequence, answered + 1);
                    indices.extend(
                        fudan
                            .verify(&bank, &one)
                            .records
                            .iter()
                            .map(|record| record.leaf_index),
                    );
                }
                submit::Answer::Refused { refused, .. } => {
                    assert_eq!(
                        (refused.code.as_deref(), answered % 50),
                        (Some("ORIGIN_FOREIGN"), 49)
                    );
                }
            }
            answered += 1;
        }
        (answered, indices)
    };
    let (answered, indices) = tokio::join!(sending, receiving).1;
    assert_eq!(answered, BATCHES as u64);
    let accepted: u64 = (0..BATCHES as u64)
        .filter(|i| i % 50 != 49)
        .map(|i| 1 + i % 40)
        .sum();
    assert_eq!(
        indices,
        (2..2 + accepted).collect(),
        "no gap and nothing twice"
    );
    bank.check_log();
}
