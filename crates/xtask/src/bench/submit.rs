//! Deposits: one record a call, and streams of batches.
//!
//! Everything is signed before the clock starts, and every receipt has arrived when it stops. Then each receipt is
//! verified: decoding, inclusion, the checkpoint's signature (once for each distinct note), the batch root, and that
//! payload and salt open the commitment.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use creditbank_client::receipt::{BankKey, Verifier};
use creditbank_client::submit::{Answer, Answers, BatchSender};
use creditbank_client::{Acknowledgement, submit};
use creditbank_wire::v1::SubmitBatchRequest;
use tokio::task::JoinSet;

use crate::bank::Bank;
use crate::clock;
use crate::limits::{EMPTY_CALLS, VERIFY_ALL, VERIFY_ONE};
use crate::load::{self, IN_FLIGHT, Latency, Measured, Until};
use crate::options::Options;
use crate::process::Used;
use crate::report::{Entry, Report};

/// A case of batches on streams.
struct Case {
    name: &'static str,
    batch: u64,
    /// Rows of one run: with --quick, and without.
    rows: [u64; 2],
    streams: usize,
    window: usize,
    limit: &'static str,
    target: f64,
}

const CASES: [Case; 3] = [
    Case {
        name: "submit_stream_1",
        batch: 1,
        rows: [40_000, 200_000],
        streams: 16,
        window: 64,
        limit: VERIFY_ALL,
        target: 0.55,
    },
    Case {
        name: "submit_stream_100",
        batch: 100,
        rows: [100_000, 400_000],
        streams: 8,
        window: 16,
        limit: VERIFY_ONE,
        target: 1.5,
    },
    Case {
        name: "submit_stream_1000",
        batch: 1000,
        rows: [150_000, 500_000],
        streams: 4,
        window: 8,
        limit: VERIFY_ONE,
        target: 2.5,
    },
];

/// Runs the four cases, those that are asked for.
pub(crate) async fn measure(options: &Options, bank: &mut Bank, report: &mut Report) -> Result<()> {
    if options.wants("submit_single") {
        measure_single(options, bank, report).await?;
    }
    for case in CASES.iter().filter(|case| options.wants(case.name)) {
        measure_stream(options, bank, report, case).await?;
    }
    Ok(())
}

async fn measure_single(options: &Options, bank: &mut Bank, report: &mut Report) -> Result<()> {
    let rows = if options.quick { 10_000 } else { 40_000 };
    let (mut runs, mut verified_in) = (Vec::new(), Duration::ZERO);
    for _ in 0..options.runs() {
        let (run, acknowledged) = single(bank, rows).await?;
        verified_in += verify_all(bank.key()?, &acknowledged, rows)?;
        runs.push(run);
    }
    let entry = Entry::of("submit_single", &load::median(runs), "records/s");
    let entry = entry
        .against(EMPTY_CALLS, report.value(EMPTY_CALLS))
        .at_least(0.45);
    let verified = verified_note(verified_in, rows * options.runs() as u64);
    report.add(entry.note(&format!("256 in flight on 4 connections; {verified}")));
    Ok(())
}

/// How the receipts were verified.
fn verified_note(took: Duration, records: u64) -> String {
    let each_us = took.as_secs_f64() * 1e6 / records as f64;
    format!("all verified right afterwards, {each_us:.1} µs each on all cores")
}

async fn measure_stream(
    options: &Options,
    bank: &mut Bank,
    report: &mut Report,
    case: &Case,
) -> Result<()> {
    let rows = case.rows[usize::from(!options.quick)];
    let (mut runs, mut verified_in) = (Vec::new(), Duration::ZERO);
    for _ in 0..options.runs() {
        let batches = bank.batches(rows, case.batch)?;
        let before = Used::start(bank.server());
        let run = stream(bank, batches, case.streams, case.window).await?;
        runs.push(
            Measured {
                count: rows,
                ..run.measured
            }
            .with_used(&before),
        );
        verified_in += verify_all(bank.key()?, &run.acknowledged, rows)?;
    }
    let verified = verified_note(verified_in, rows * options.runs() as u64);
    let entry = Entry::of(case.name, &load::median(runs), "records/s");
    let entry = entry
        .against(case.limit, report.value(case.limit))
        .at_least(case.target);
    let (streams, window) = (case.streams, case.window);
    let how = format!("{streams} streams on 4 connections, {window} batches ahead");
    report.add(entry.note(&format!("{how}; {verified}")));
    Ok(())
}

/// One record a call.
async fn single(bank: &mut Bank, rows: u64) -> Result<(Measured, Vec<Acknowledgement>)> {
    let requests = Arc::new(bank.batches(rows, 1)?);
    let acknowledged = Arc::new(Mutex::new(Vec::with_capacity(requests.len())));
    let (connected, received) = (bank.connected().clone(), Arc::clone(&acknowledged));
    let before = Used::start(bank.server());
    let call = move |number: u64| {
        let (connected, requests) = (connected.clone(), Arc::clone(&requests));
        let received = Arc::clone(&received);
        async move {
            let request = requests[number as usize].clone();
            let answer = submit::submit(&connected, request).await?;
            received.lock().expect("no holder panics").push(answer);
            Ok(())
        }
    };
    let measured = load::calls(IN_FLIGHT, Until::Count(rows), call).await?;
    let acknowledged = std::mem::take(&mut *acknowledged.lock().expect("no holder panics"));
    Ok((measured.with_used(&before), acknowledged))
}

fn verify(verifier: &mut Verifier, it: &Acknowledgement) -> Result<u64> {
    if let Some(row) = it.response.refused.first() {
        bail!("refused: {}", creditbank_client::failure::describe_row(row));
    }
    let verified = verifier.verify_acknowledgement(&it.request, &it.response);
    let verified = verified.map_err(|error| anyhow::anyhow!("a receipt does not hold: {error}"))?;
    Ok(verified.records.len() as u64)
}

/// Verifies on all cores; how long that took.
fn verify_all(key: BankKey, acknowledged: &[Acknowledgement], records: u64) -> Result<Duration> {
    let start = clock::now();
    let cores = std::thread::available_parallelism()?.get();
    let part = |part: &[Acknowledgement]| -> Result<u64> {
        let mut verifier = Verifier::new(key.clone());
        part.iter().map(|it| verify(&mut verifier, it)).sum()
    };
    let verified: u64 = std::thread::scope(|scope| {
        let parts = acknowledged.chunks(acknowledged.len().div_ceil(cores).max(1));
        let threads: Vec<_> = parts.map(|it| scope.spawn(move || part(it))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"))
            .sum::<Result<u64>>()
    })?;
    ensure!(
        verified == records,
        "{verified} receipts for {records} records"
    );
    Ok(start.elapsed())
}

/// What streams brought.
pub(crate) struct Streamed {
    /// Counts batches.
    pub(crate) measured: Measured,
    pub(crate) acknowledged: Vec<Acknowledgement>,
}

/// Sends batches on some streams at once; ends when every receipt is here.
pub(crate) async fn stream(
    bank: &Bank,
    batches: Vec<SubmitBatchRequest>,
    streams: usize,
    window: usize,
) -> Result<Streamed> {
    let count = batches.len();
    let mut shares: Vec<Vec<SubmitBatchRequest>> = (0..streams).map(|_| Vec::new()).collect();
    for (i, batch) in batches.into_iter().enumerate() {
        shares[i % streams].push(batch);
    }
    let start = clock::now();
    let mut tasks = JoinSet::new();
    for share in shares {
        let (sender, answers) = submit::open(bank.connected(), window);
        let (sent, times) = tokio::sync::mpsc::channel(2 * window);
        tasks.spawn(send(sender, share, sent));
        tasks.spawn(receive(answers, times));
    }
    let mut all = Received::default();
    while let Some(task) = tasks.join_next().await {
        let part = task??;
        all.latency.merge(part.latency);
        all.acknowledged.extend(part.acknowledged);
    }
    let elapsed = start.elapsed();
    ensure!(
        all.acknowledged.len() == count,
        "{} answers to {count} batches",
        all.acknowledged.len()
    );
    let measured = Measured {
        count: count as u64,
        elapsed,
        latency: all.latency.sorted(),
        used: None,
    };
    Ok(Streamed {
        measured,
        acknowledged: all.acknowledged,
    })
}

#[derive(Default)]
struct Received {
    latency: Latency,
    acknowledged: Vec<Acknowledgement>,
}

async fn send(
    mut sender: BatchSender,
    batches: Vec<SubmitBatchRequest>,
    sent: tokio::sync::mpsc::Sender<Instant>,
) -> Result<Received> {
    for batch in batches {
        // From when there was room for it: what a sender waits for its own window is not the bank's latency.
        if sender.send(batch).await.is_err() || sent.send(clock::now()).await.is_err() {
            break; // the answers say why
        }
    }
    Ok(Received::default())
}

async fn receive(
    mut answers: Answers,
    mut times: tokio::sync::mpsc::Receiver<Instant>,
) -> Result<Received> {
    let (mut received, mut waiting) = (Received::default(), VecDeque::new());
    while let Some(answer) = answers.next().await? {
        while let Ok(time) = times.try_recv() {
            waiting.push_back(time);
        }
        match answer {
            Answer::Acknowledged(it) => received.acknowledged.push(it),
            Answer::Refused { refused, .. } => bail!("a batch was refused: {refused}"),
        }
        if let Some(time) = waiting.pop_front() {
            received.latency.add(time.elapsed());
        }
    }
    Ok(received)
}
